-- The community outside: who helps, with what, and where.

create table providers (
    id               uuid primary key,
    slug             text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name             text not null check (name <> ''),
    site_name        text,
    org_type         text check (org_type in ('NONPROFIT', 'GOVERNMENT', 'HEALTH_CENTER', 'PRIVATE')),
    website          text check (website ~ '^https?://'),
    location_id      uuid references locations,
    county_fips      text references counties,
    languages        text[] not null default '{}',
    source_date           date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    unique (source_id, source_record_id),
    check ((source_date is null) = (source_date_precision is null))
);
create index on providers (name, id);
create index on providers (county_fips, name, id);
create index on providers (org_type, name, id);
create index on providers (source_id, name, id);
create index on providers (location_id, name, id);
create index on providers using gin (name gin_trgm_ops);
create index on providers using gin (languages);
comment on table providers is 'An organization at one site, as its source lists it. HSDS 3: organization.';
comment on column providers.county_fips is
    'The county it works in. Not part of its address: a shelter that hides its address is still found by county.';
comment on column providers.languages is
    'ISO 639 codes. The source names them once per site; the service carries them too, for an index of its own.';

-- The sources list the names of what a site offers, and the categories of the site, without saying
-- which name belongs to which category. One service per site, with the names as `offers`, says
-- exactly that much; a service per name would have to guess its category or claim all of them.
create table services (
    id               uuid primary key,
    provider_id      uuid not null references providers,
    name             text not null check (name <> ''),
    offers           text[] not null default '{}',
    status           text check (status in ('ACTIVE', 'INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED')),
    county_fips      text references counties,
    languages        text[] not null default '{}',
    serves           text[] not null default '{}',
    hours_text       text,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on services (name, id);
create index on services (provider_id, name, id);
create index on services (county_fips, name, id);
create index on services (status, name, id);
create index on services (source_id);
create index on services using gin (name gin_trgm_ops);
create index on services using gin (languages);
create index on services using gin (serves);
comment on table services is 'What a provider offers at a site. HSDS 3: service.';
comment on column services.name is 'What is offered, if the source names one thing; else the name of the site.';
comment on column services.status is 'Null is unknown, which is not the same as closed.';
comment on column services.serves is
    'Who may come, in the source''s words made into codes (EX_OFFENDERS, VETERANS); empty is unknown. HSDS 3: attribute eligibility.';
comment on column services.hours_text is 'The source''s own words. HSDS 3: schedule.description.';

create table service_categories (
    service_id    uuid not null references services,
    category_code text not null references categories,
    primary key (service_id, category_code)
);
create index on service_categories (category_code, service_id);
comment on table service_categories is 'HSDS 3: attribute (link_type category) of a service.';

create table services_at_locations (
    id               uuid primary key,
    service_id       uuid not null references services,
    location_id      uuid not null references locations,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    unique (service_id, location_id)
);
create index on services_at_locations (service_id, id);
create index on services_at_locations (location_id, id);
create index on services_at_locations (source_id);
comment on table services_at_locations is 'A service where one can go for it. HSDS 3: service_at_location.';
