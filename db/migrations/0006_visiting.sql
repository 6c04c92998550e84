-- Whether visiting is on, and who receives families at the gate.

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: a correction is a new row', tg_table_name
        using errcode = 'restrict_violation';
end
$$;
comment on function refuse_rewriting is 'Keeps a record of events a record: the newest row wins, no row goes.';

create table visiting_statuses (
    id               uuid primary key,
    institution_id   uuid not null references institutions,
    visit_type       text not null check (visit_type in ('IN_PERSON', 'VIDEO', 'FAMILY_OVERNIGHT', 'NON_CONTACT')),
    status           text not null check (status in ('OPEN', 'OPEN_WITH_EXCEPTIONS', 'LIMITED', 'CLOSED', 'UNKNOWN')),
    exceptions       text,
    affected_yards   text[] not null default '{}',
    last_updated     timestamptz not null,
    contact_email    text check (contact_email ~ '^[^@ ]+@[^@ ]+$'),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on visiting_statuses (last_updated desc, id desc);
create index on visiting_statuses (institution_id, last_updated desc, id desc);
create index on visiting_statuses (institution_id, visit_type, last_updated desc, created_at desc, id);
create index on visiting_statuses (source_id);
create trigger append_only before update or delete on visiting_statuses
    for each row execute function refuse_rewriting();
create trigger append_only_whole before truncate on visiting_statuses
    for each statement execute function refuse_rewriting();
comment on table visiting_statuses is
    'What was said about visiting, and when; append-only. HSDS 3: service "Visiting", its status and alert.';
comment on column visiting_statuses.last_updated is 'The publisher''s own time stamp. The newest one holds.';
comment on column visiting_statuses.affected_yards is 'Yards the exceptions speak of; empty where the text was not read so closely.';

create view current_visiting_statuses as
    select distinct on (institution_id, visit_type) *
    from visiting_statuses
    order by institution_id, visit_type, last_updated desc, created_at desc, id;
comment on view current_visiting_statuses is
    'What holds now. At the same time stamp, the row recorded last is the correction.';

create table visitor_amenities (
    code             text primary key check (code ~ '^[A-Z][A-Z0-9_]*$'),
    label_en         text not null check (label_en <> ''),
    label_es         text,
    statutory        boolean not null,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on visitor_amenities (label_en, code);
create index on visitor_amenities (source_id);
comment on table visitor_amenities is
    'Something a visitor center does for families. HSDS 3: taxonomy_term, hung on the center''s service by attribute.';
comment on column visitor_amenities.statutory is 'One of the six that Penal Code 6352 asks for.';

create table visitor_centers (
    id               uuid primary key,
    slug             text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    institution_id   uuid not null references institutions,
    operator_id      uuid references providers,
    name             text not null check (name <> ''),
    status           text not null default 'UNKNOWN'
                     check (status in ('ACTIVE', 'INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED', 'UNKNOWN')),
    status_as_of     date,
    status_as_of_precision text check (status_as_of_precision in ('DAY', 'MONTH', 'YEAR')),
    alert            text,
    funder           text,
    statutory        boolean,
    population_used  integer check (population_used >= 0),
    population_as_of date,
    population_as_of_precision text check (population_as_of_precision in ('DAY', 'MONTH', 'YEAR')),
    location_id      uuid references locations,
    location_note    text,
    hours_text       text,
    van_notice_days  integer check (van_notice_days >= 0),
    child_care_max_age integer check (child_care_max_age between 0 and 17),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((status_as_of is null) = (status_as_of_precision is null)),
    check ((population_as_of is null) = (population_as_of_precision is null)),
    check ((source_date is null) = (source_date_precision is null))
);
create index on visitor_centers (name, id);
create index on visitor_centers (institution_id, name, id);
create index on visitor_centers (operator_id, name, id);
create index on visitor_centers (location_id, name, id);
create index on visitor_centers (source_id);
create index on visitor_centers using gin (name gin_trgm_ops);
comment on table visitor_centers is
    'A hospitality center for visitors at a prison. HSDS 3: service "Visitor center" at a service_at_location.';
comment on column visitor_centers.statutory is
    'Whether Penal Code 6351 asks for it: where a prison holds more than 300 people, by the count in population_used.';
comment on column visitor_centers.van_notice_days is 'How many days ahead a ride has to be asked for.';

create table visitor_center_amenities (
    visitor_center_id uuid not null references visitor_centers,
    amenity_code      text not null references visitor_amenities,
    primary key (visitor_center_id, amenity_code)
);
create index on visitor_center_amenities (amenity_code, visitor_center_id);
comment on table visitor_center_amenities is
    'A row says that it is offered; no row says that nobody told us. HSDS 3: attribute.';

create table visiting_facts (
    key              text primary key check (key ~ '^[a-z][a-z0-9_]*$'),
    value            text not null check (value <> ''),
    valid_from       date,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on visiting_facts (source_id);
comment on table visiting_facts is
    'A statewide rule of visiting, or how to reach its office, in words. HSDS 3: attribute of organization CDCR.';
