-- Prisons, camps and community reentry facilities, and how many people they hold.

create table institutions (
    id                uuid primary key,
    code              text not null unique check (code ~ '^[A-Z0-9]+(-[A-Z0-9]+)*$'),
    aliases           text[] not null default '{}',
    name              text not null check (name <> ''),
    alternate_names   text[] not null default '{}',
    institution_type  text not null check (institution_type in (
                          'STATE_PRISON', 'CONSERVATION_CAMP', 'COMMUNITY_REENTRY_FACILITY', 'STATE_HOSPITAL_UNIT')),
    parent_id         uuid references institutions check (parent_id <> id),
    population_gender text check (population_gender in ('MALE', 'FEMALE', 'MIXED')),
    population_age    text check (population_age in ('ADULT', 'JUVENILE')),

    status               text not null check (status in ('OPEN', 'CLOSING', 'CLOSED', 'DEACTIVATED_UNIT')),
    status_note          text,
    status_as_of         date,
    status_as_of_precision text check (status_as_of_precision in ('DAY', 'MONTH', 'YEAR')),
    opened_year          integer check (opened_year between 1850 and 2100),
    opened_note          text,
    closed_on            date,
    closed_on_precision  text check (closed_on_precision in ('DAY', 'MONTH', 'YEAR')),
    deactivations        text,

    location_id       uuid references locations,
    county_fips       text references counties,
    website           text check (website ~ '^https?://'),

    security_levels   text[] not null default '{}'
                      check (security_levels <@ array['I', 'II', 'III', 'IV', 'RHU', 'RECEPTION']),
    fema_security_class text check (fema_security_class in ('MINIMUM', 'MEDIUM', 'MAXIMUM')),
    design_capacity   integer check (design_capacity >= 0),
    design_capacity_as_of date,
    design_capacity_as_of_precision text check (design_capacity_as_of_precision in ('DAY', 'MONTH', 'YEAR')),
    fema_capacity     integer check (fema_capacity >= 0),
    cell_beds         integer check (cell_beds >= 0),
    dorm_beds         integer check (dorm_beds >= 0),
    camp_number       integer check (camp_number >= 0),
    camps_supervised  integer check (camps_supervised >= 0),
    reentry_hub       boolean,
    california_model  boolean,
    fema_facility_id  text unique,

    source_date           date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((status_as_of is null) = (status_as_of_precision is null)),
    check ((closed_on is null) = (closed_on_precision is null)),
    check ((design_capacity_as_of is null) = (design_capacity_as_of_precision is null)),
    check ((source_date is null) = (source_date_precision is null)),
    check (closed_on is null or status in ('CLOSED', 'DEACTIVATED_UNIT'))
);
create index on institutions (name, id);
create index on institutions (parent_id, name, id);
create index on institutions (county_fips, name, id);
create index on institutions (location_id, name, id);
create index on institutions (source_id, name, id);
create index on institutions using gin (name gin_trgm_ops);
create index on institutions using gin (aliases);
comment on table institutions is
    'A place that holds people. HSDS 3: organization (child of CDCR) with one location; code = organization_identifier.';
comment on column institutions.aliases is 'Other codes it goes by, such as SQRC for SQ.';
comment on column institutions.status_as_of is
    'When the source said so. Whether anybody has checked since is a verification, not this date.';
comment on column institutions.closed_on is 'The first day of the month or year, where only that is known: see the precision.';
comment on column institutions.reentry_hub is 'Null is unknown: the source lists hubs, not their absence.';
comment on column institutions.camps_supervised is 'How many conservation camps report to it. Which ones, no source says.';

create table population_counts (
    id               uuid primary key,
    institution_id   uuid not null references institutions,
    month            date not null check (extract(day from month) = 1),
    in_custody       integer not null check (in_custody >= 0),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    unique (institution_id, month)
);
create index on population_counts (month desc, id desc);
create index on population_counts (institution_id, month desc, id desc);
create index on population_counts (source_id);
comment on table population_counts is
    'People in custody at an institution in a month. HSDS 3: attribute of the organization.';

create view current_population_counts as
    select distinct on (institution_id) *
    from population_counts
    order by institution_id, month desc;
comment on view current_population_counts is 'The newest count of each institution.';
