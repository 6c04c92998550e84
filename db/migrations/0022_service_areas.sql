-- Whom a service is for by where they live, which is not where the service is.

create table service_areas (
    id               uuid primary key,
    service_id       uuid not null references services,
    county_fips      text references counties,
    statewide        boolean not null generated always as (county_fips is null) stored,
    description      text,
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null)),
    -- A county once, and none of them beside the whole state, which is 06 in FIPS.
    exclude using gist (
        service_id with =,
        int4range(coalesce(county_fips::integer, 6000), coalesce(county_fips::integer + 1, 7000)) with &&)
);
create index on service_areas (service_id, county_fips, id);
create index on service_areas (county_fips, service_id);
create index on service_areas (service_id) where county_fips is null;
create index on service_areas (source_id);
comment on table service_areas is
    'A county, or the whole state, whose people a service is for. HSDS 3: service_area (uri = FIPS code).';
comment on column service_areas.county_fips is 'Null is the whole state. A service without any row is one of which nobody told us.';
comment on column service_areas.description is 'How it is known. HSDS 3: service_area.description.';

create view served_counties as
    select service_id, county_fips
    from service_areas
    where county_fips is not null
    union all
    select a.service_id, c.fips
    from service_areas a cross join counties c
    where a.county_fips is null;
comment on view served_counties is 'Each county that a service is for; all of them where it is for the whole state.';

-- What these offer has no distance that matters: near or far, it is for everybody in the state.
create view statewide_services as
    select a.service_id, s.provider_id
    from service_areas a join services s on s.id = a.service_id
    where a.county_fips is null;
comment on view statewide_services is 'The services for the whole state, with their providers.';
