-- Where things are. What an address may tell the public is decided here, and nowhere else.

create table counties (
    fips             text primary key check (fips ~ '^06[0-9]{3}$'),
    name             text not null unique,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on counties (name, fips);
create index on counties (source_id);
comment on table counties is 'A county of California. HSDS 3: service_area (uri = FIPS code).';

create table locations (
    id                 uuid primary key,
    location_type      text not null default 'PHYSICAL'
                       check (location_type in ('PHYSICAL', 'POSTAL', 'VIRTUAL', 'MOBILE')),
    address_visibility text not null default 'PUBLIC'
                       check (address_visibility in ('PUBLIC', 'CITY_ONLY', 'HIDDEN')),
    street             text,
    unit               text,
    city               text,
    county_fips        text references counties,
    state              text not null default 'CA' check (state ~ '^[A-Z]{2}$'),
    zip                text check (zip ~ '^[0-9]{5}(-[0-9]{4})?$'),
    latitude           double precision check (latitude between -90 and 90),
    longitude          double precision check (longitude between -180 and 180),
    transportation     text,
    accessibility      text[] not null default '{}' check (accessibility <@ array[
                           'WHEELCHAIR', 'WHEELCHAIR_VAN', 'RAMP', 'ELEVATOR', 'RESTROOM',
                           'DISABLED_PARKING', 'DEAF_INTERPRETER', 'TTY', 'TAPE_BRAILLE', 'CD']),

    -- The public reads only these. They are columns, so that a filter, an order, a distance or a
    -- count cannot tell more than the field does.
    public_street         text generated always as (case when address_visibility = 'PUBLIC' then street end) stored,
    public_unit           text generated always as (case when address_visibility = 'PUBLIC' then unit end) stored,
    public_city           text generated always as (case when address_visibility <> 'HIDDEN' then city end) stored,
    public_county_fips    text generated always as (case when address_visibility <> 'HIDDEN' then county_fips end) stored
                          references counties,
    public_zip            text generated always as (case when address_visibility = 'PUBLIC' then zip end) stored,
    public_latitude       double precision
                          generated always as (case when address_visibility = 'PUBLIC' then latitude end) stored,
    public_longitude      double precision
                          generated always as (case when address_visibility = 'PUBLIC' then longitude end) stored,
    public_transportation text generated always as (case when address_visibility = 'PUBLIC' then transportation end) stored,

    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((latitude is null) = (longitude is null))
);
create index on locations (public_county_fips, public_city, id);
create index on locations (public_city, id);
create index on locations (public_zip, id);
create index on locations (county_fips);
create index on locations (source_id);
comment on table locations is
    'A place: of an institution, a center or a provider. HSDS 3: location with its address and accessibility.';
comment on column locations.address_visibility is
    'HIDDEN: not even the city is told, as for shelters whose address was withheld. CITY_ONLY: city and county are.';
comment on column locations.unit is 'Suite, floor or room. HSDS 3: address.address_2.';
comment on column locations.accessibility is
    'Known features, in the ten words HSDS 2 had; a word that is missing is unknown, not denied.';
