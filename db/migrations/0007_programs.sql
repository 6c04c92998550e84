-- What is done inside, what leads out, and where each of them runs.

create table programs (
    id               uuid primary key,
    slug             text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name             text not null check (name <> ''),
    summary          text,
    delivered_by     text check (delivered_by in (
                         'STATE_PROGRAM', 'CONTRACTED_NONPROFIT', 'STATE_FUNDED_NONPROFITS', 'GRANT_FUNDED',
                         'VOLUNTEER', 'NONPROFIT', 'PRIVATE')),
    operator_name    text,
    operator_type    text check (operator_type in ('STATE', 'NONPROFIT', 'VOLUNTEER_GROUP', 'MIXED', 'PRIVATE')),
    operator_id      uuid references providers,
    audience         text[] not null default '{}' check (audience <@ array[
                         'FAMILY', 'INCARCERATED', 'PAROLE', 'PROBATION', 'YOUTH', 'CHILDREN', 'PARTNER']),
    scope            text not null default 'UNKNOWN'
                     check (scope in ('STATEWIDE', 'SOME_INSTITUTIONS', 'INSTITUTION', 'UNKNOWN')),
    activity_group_type_code text references activity_group_types,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on programs (name, id);
create index on programs (operator_id, name, id);
create index on programs (activity_group_type_code, name, id);
create index on programs (source_id);
create index on programs using gin (name gin_trgm_ops);
create index on programs using gin (audience);
comment on table programs is 'Something done with or for people inside, or their families. HSDS 3: program.';
comment on column programs.operator_name is 'As the source writes it; operator_id is set where that is one organization of this directory.';
comment on column programs.activity_group_type_code is 'Inferred by us from the program''s nature, not stated by the source.';

create table program_categories (
    program_id    uuid not null references programs,
    category_code text not null references categories,
    primary key (program_id, category_code)
);
create index on program_categories (category_code, program_id);
comment on table program_categories is 'HSDS 3: attribute (link_type category) of a program.';

create table program_offerings (
    id               uuid primary key,
    program_id       uuid not null references programs,
    institution_id   uuid not null references institutions,
    status           text not null default 'UNKNOWN' check (status in ('ACTIVE', 'ENDED', 'UNKNOWN')),
    yards            text[] not null default '{}',
    capacity         integer check (capacity >= 0),
    evidence         text not null check (evidence in (
                         'OPERATIONAL_CAPACITY_REPORTED', 'PIA_WORKERS_REPORTED', 'GRANT_2022_2025', 'LISTED',
                         'STATEWIDE_CLAIM')),
    as_of            date,
    as_of_precision  text check (as_of_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    unique (program_id, institution_id),
    check ((as_of is null) = (as_of_precision is null))
);
create index on program_offerings (as_of desc, id desc);
create index on program_offerings (program_id, as_of desc, id desc);
create index on program_offerings (institution_id, as_of desc, id desc);
create index on program_offerings (source_id);
comment on table program_offerings is
    'A program at an institution, with how we know. HSDS 3: service_at_location of the program''s service.';
comment on column program_offerings.status is
    'ACTIVE: the source reports it running there on as_of, which may be long ago. ENDED: so does its institution.';

create table reentry_programs (
    id               uuid primary key,
    slug             text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name             text not null check (name <> ''),
    residential      text check (residential in ('YES', 'SOME', 'NO')),
    max_length_days  integer check (max_length_days > 0),
    eligibility      text,
    referral_route   text,
    service_areas    text,
    statewide        boolean not null default false,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on reentry_programs (name, id);
create index on reentry_programs (source_id);
comment on table reentry_programs is
    'A program that people enter on or near release; it runs in counties, not in institutions. HSDS 3: program with a service.';
comment on column reentry_programs.service_areas is 'As the source writes it; the counties among it are in reentry_program_counties.';

create table reentry_program_categories (
    reentry_program_id uuid not null references reentry_programs,
    category_code      text not null references categories,
    primary key (reentry_program_id, category_code)
);
create index on reentry_program_categories (category_code, reentry_program_id);
comment on table reentry_program_categories is 'HSDS 3: attribute (link_type category) of a program.';

create table reentry_program_counties (
    reentry_program_id uuid not null references reentry_programs,
    county_fips        text not null references counties,
    sites              integer not null default 1 check (sites > 0),
    primary key (reentry_program_id, county_fips)
);
create index on reentry_program_counties (county_fips, reentry_program_id);
comment on table reentry_program_counties is 'A county in which a reentry program has sites. HSDS 3: service_area.';
