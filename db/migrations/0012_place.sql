-- How far it is: places as points on a sphere of radius one, and where a zip code lies.
--
-- The straight line between two such points (a chord) is longer whenever the way over the surface
-- is. So what is near can be found by an index that knows straight lines, and chords become miles
-- only where somebody reads them. A place is known in one column only, of locations. Whatever is
-- at a place finds it there, and nothing is copied: so nothing can be out of date, nor can a copy
-- of an address remain that has been hidden since.

create extension if not exists cube;  -- distances in three dimensions, by index

create function position_of(latitude double precision, longitude double precision) returns cube
    language sql immutable parallel safe
    -- One dimension on top of the other, and not from an array, so that null stays null.
    return cube(cube(cube(cos(radians(latitude)) * cos(radians(longitude))),
                     cos(radians(latitude)) * sin(radians(longitude))),
                sin(radians(latitude)));
comment on function position_of is 'A point on a sphere of radius one; null where a coordinate is.';

create function miles(chord double precision) returns double precision
    language sql immutable parallel safe
    -- A little more than 2 is an error of rounding: there is nothing beyond the other side of the earth.
    return 2 * 3958.7613 * asin(case when chord > 2 then 1 else chord / 2 end);
comment on function miles is 'The way over the surface, on a sphere with the mean radius of the earth (6371.0088 km).';

create function chord(miles double precision) returns double precision
    language sql immutable parallel safe
    return 2 * sin(case when miles > 12436.8153 then 1.5707963267948966 else miles / 3958.7613 / 2 end);
comment on function chord is 'The straight line to what is so many miles away over the surface.';

-- Of addresses that are not public there is no position, and so no distance, order or count by it.
alter table locations add position cube generated always as (
    case when address_visibility = 'PUBLIC' then position_of(latitude, longitude) end) stored;
create index on locations using gist (position);
comment on column locations.position is 'Where it is, for finding what is near; null where the coordinates are not public.';

create table zip_codes (
    zip              text primary key check (zip ~ '^9[0-6][0-9]{3}$'),
    latitude         double precision not null check (latitude between -90 and 90),
    longitude        double precision not null check (longitude between -180 and 180),
    approximate      boolean not null,
    position         cube generated always as (position_of(latitude, longitude)) stored not null,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on zip_codes (source_id);
comment on table zip_codes is
    'A zip code of California and a point that stands for it. HSDS 3 has no such object: address.postal_code refers to it.';
comment on column zip_codes.approximate is
    'True where the point is the middle of its town, as for zip codes of post office boxes; else it lies in the zip code''s own area.';

-- Volatile, so that Postgres cannot find it out beforehand, of a zip code that is known.
create function no_such_zip(zip text) returns cube language plpgsql volatile parallel safe as $$
begin
    raise exception '`near.zip` % is no zip code of California that we know.', zip using errcode = 'CR001';
end
$$;
comment on function no_such_zip is 'Refuses a zip code in place of an answer.';

create function near_position(zip text, latitude double precision, longitude double precision) returns cube
    language sql stable parallel safe
    return case
        when zip is null then position_of(latitude, longitude)
        -- Of nine digits the first five say the zip code, the rest a side of a street.
        else coalesce((select z.position from zip_codes z where z.zip = left($1, 5)), no_such_zip($1))
    end;
comment on function near_position is 'The point that a client looks around, named by a zip code or its coordinates.';
