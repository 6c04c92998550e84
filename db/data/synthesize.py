"""A large directory that resembles the real one, for benchmarks: the same rows on every machine.

Each synthetic provider takes what it does from one real provider, where it is from a second and
half of its name from a third, drawn by hashes of its number. So the shares of categories, counties
and languages are the real ones, and no real organization is said to be where it is not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from db.connection import connected
from db.data.alone import alone
from db.data.identity import identity
from db.data.indexes import drop_indexes, make_indexes
from db.data.load import LoadError, Progress, silent

KEY = "SYNTHETIC"

# So many providers at a time, which is how often progress is told.
BATCH = 50_000

# Whose rows these are, in the order in which they can go.
TABLES = (
    "phones",
    "schedules",
    "service_areas",
    "services_at_locations",
    "cost_options",
    "services",
    "providers",
    "locations",
)

# What is filled together with them.
_BESIDE = ("service_categories", "search_documents", "search_lexemes", "search_changes")

_HELPERS = """
    create function pg_temp.draw(what text, n bigint, size bigint) returns bigint
    language sql immutable as
    $$ select 1 + (hashtextextended(what || '/' || n::text, 42) & 9223372036854775807) % size $$;

    -- A UUID of version 8 (RFC 9562), as random as the ids of real rows, so as hard on an index.
    create function pg_temp.made_id(what text, n bigint) returns uuid
    language sql immutable as $$
        select overlay(overlay(md5(what || '/' || n::text) placing '8' from 13)
                       placing '8' from 17)::uuid
    $$;
"""

# The real providers in a definite order, each split into what can be drawn apart.
_MODELS = """
    create temp table models on commit drop as
    select row_number() over (order by p.id) as number,
           array_to_string(words[:cardinality(words) / 2 + 1], ' ') as head,
           array_to_string(words[cardinality(words) / 2 + 2:], ' ') as tail,
           p.site_name is not null as has_site, p.org_type,
           p.website is not null as has_website, p.languages,
           s.id as service_id, s.offers, cardinality(s.offers) = 1 as named, s.name as service_name,
           s.languages as service_languages, s.serves, s.hours_text,
           s.audience, s.accepts_people_with_records, s.gender, s.referral_routes, s.fees,
           array(select c.category_code from service_categories c
                 where c.service_id = s.id order by 1) as categories,
           array(select coalesce(a.county_fips, '') from service_areas a
                 where a.service_id = s.id order by 1) as areas,
           p.county_fips, l.id is not null as has_location, l.address_visibility,
           regexp_replace(l.street, '^[0-9-]+ +', '') as street, l.unit, l.city,
           l.id is not null and place_is_told(l.id) as told,
           l.county_fips as location_county_fips, l.zip, l.latitude, l.longitude, l.accessibility,
           substr(h.number, 3, 3) as area
    from providers p
    join services s on s.provider_id = p.id
    cross join regexp_split_to_array(p.name, ' +') as words
    left join locations l on l.id = p.location_id
    left join lateral (select number from phones
                       where provider_id = p.id and kind = 'VOICE' order by id limit 1) h on true
    where not exists (select from sources where id = p.source_id and synthetic)
"""

_FINGERPRINT = "select count(*), md5(string_agg(m::text, '' order by number)) from models m"

_DRAW = """
    create temp table drawn on commit drop as
    select n, trim(does.head || ' ' || named.tail) as name,
           case when does.has_site then 'Site ' || pg_temp.draw('site', n, 20) end as site_name,
           does.org_type, does.has_website, does.languages, does.service_id, does.offers,
           does.named, does.service_name, does.service_languages, does.serves, does.hours_text,
           does.audience, does.accepts_people_with_records, does.gender, does.referral_routes,
           does.fees, does.categories, does.areas, does.area,
           place.county_fips, place.has_location, place.address_visibility,
           pg_temp.draw('number', n, 9999) || ' ' || place.street as street, place.unit, place.city,
           place.location_county_fips, place.zip,
           -- Within a mile or two of the real one.
           place.latitude + (pg_temp.draw('north', n, 40001) - 20001) / 1000000.0 as latitude,
           place.longitude + (pg_temp.draw('east', n, 40001) - 20001) / 1000000.0 as longitude,
           place.accessibility, provider_known, service_known
    from generate_series({first}::bigint, {last}::bigint) n
    join models does on does.number = pg_temp.draw('does', n, {models})
    join models place on place.number = pg_temp.draw('place', n, {models})
    join models named on named.number = pg_temp.draw('name', n, {models})
    cross join lateral (select case when does.area is not null then 'PHONE' end as phone,
                               case when place.told then 'ADDRESS' end as address,
                               case when does.categories <> '{{}}' then 'CATEGORIES' end as kinds,
                               case when does.languages <> '{{}}' then 'LANGUAGES' end as spoken,
                               case when does.has_website then 'WEBSITE' end as website,
                               case when does.offers <> '{{}}' then 'OFFERS' end as offered,
                               case when does.hours_text is not null then 'HOURS' end as hours) f
    cross join lateral (
        select array_remove(array[phone, address, kinds, spoken, website], null) as provider_known,
               array_remove(array[phone, address, kinds, spoken, offered, hours], null)
                   as service_known) k
"""

_SOURCE = """
    insert into sources (id, key, name, publisher, licence, coverage, known_gaps, synthetic)
    values ($1, $2, 'Synthetic providers for benchmarks', 'This directory', 'MIT', $3,
            'Nothing in it is real', true)
    on conflict (id) do update set coverage = excluded.coverage, updated_at = now()
"""

# What can be found is made at the end of a transaction, but now it has the indexes that it needs.
_MADE_SEARCHABLE = "set constraints refresh immediate; set constraints refresh deferred"

# How the database says how far it is.
_MADE = re.compile(r"documents made: (?P<done>\d+) of (?P<of>\d+)")

_FILL = (
    """
    insert into locations (id, address_visibility, street, unit, city, county_fips, zip, latitude,
                           longitude, accessibility, source_id, source_record_id)
    select pg_temp.made_id('locations', n), address_visibility, street, unit, city,
           location_county_fips, zip, latitude, longitude, accessibility, $1, 'locations/' || n
    from drawn where has_location
    """,
    """
    insert into providers (id, slug, name, site_name, org_type, website, location_id, county_fips,
                           languages, source_id, source_record_id, missing, completeness)
    select pg_temp.made_id('providers', n),
           ltrim(trim('-' from left(regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'), 60))
                 || '-synthetic-' || n, '-'),
           name, site_name, org_type,
           case when has_website then 'https://example.org/' || n end,
           case when has_location then pg_temp.made_id('locations', n) end,
           county_fips, languages, $1, n::text, c.missing, c.completeness
    from drawn, completeness('PROVIDER', provider_known) c
    """,
    """
    insert into services (id, provider_id, name, offers, county_fips, languages, serves, hours_text,
                          audience, accepts_people_with_records, gender, referral_routes, fees,
                          accessibility, source_id, source_record_id, missing, completeness)
    select pg_temp.made_id('services', n), pg_temp.made_id('providers', n),
           case when named then service_name else name end,
           offers, county_fips, service_languages, serves, hours_text,
           audience, accepts_people_with_records, gender, referral_routes, fees,
           case when has_location then nullif(accessibility, '{}') end, $1, n::text,
           c.missing, c.completeness
    from drawn, completeness('SERVICE', service_known) c
    """,
    # What triggers gather from these rows is there already, so that they have nothing to write.
    """
    insert into cost_options (id, service_id, option, source_id, source_record_id)
    select pg_temp.made_id('cost_options/' || fee, n), pg_temp.made_id('services', n), fee, $1,
           n || '/' || fee
    from drawn, unnest(fees) fee
    """,
    """
    insert into service_categories (service_id, category_code)
    select pg_temp.made_id('services', n), unnest(categories) from drawn
    where $1::uuid is not null
    """,
    """
    insert into services_at_locations (id, service_id, location_id, source_id, source_record_id)
    select pg_temp.made_id('services_at_locations', n), pg_temp.made_id('services', n),
           pg_temp.made_id('locations', n), $1, n::text
    from drawn where has_location
    """,
    """
    insert into schedules (id, service_id, kind, description, timezone, opens_at, closes_at, freq,
                           byday, source_id, source_record_id)
    select pg_temp.made_id('schedules/' || m.source_record_id, n), pg_temp.made_id('services', n),
           m.kind, m.description, m.timezone, m.opens_at, m.closes_at, m.freq, m.byday, $1,
           'schedules/' || n
    from drawn join schedules m on m.service_id = drawn.service_id
    """,
    """
    insert into service_areas (id, service_id, county_fips, source_id, source_record_id)
    select pg_temp.made_id('service_areas/' || fips, n), pg_temp.made_id('services', n),
           nullif(fips, ''), $1, n || '/' || fips
    from drawn cross join unnest(areas) fips
    """,
    # 555-0100 to 555-0199 are kept free for fiction in every area.
    """
    insert into phones (id, number, kind, provider_id, source_id, source_record_id)
    select pg_temp.made_id('phones', n),
           '+1' || area || '55501' || lpad((pg_temp.draw('phone', n, 100) - 1)::text, 2, '0'),
           'VOICE', pg_temp.made_id('providers', n), $1, n::text
    from drawn where area is not null
    """,
)


async def synthesize(
    url: str, *, providers: int = 1_000_000, progress: Progress = silent
) -> Mapping[str, int]:
    """Have exactly so many synthetic providers; none at all is possible too.

    Gives the number of synthetic rows by table. Where they are there already, nothing is done.
    """
    async with connected(url) as connection:
        async with alone(connection):
            made = await _make(connection, providers, progress)
        if made:
            for table in (*TABLES, *_BESIDE):
                progress(f"vacuuming {table}", providers, providers)
                # Marks pages as visible to all, so that an index is enough to read from.
                await connection.execute(f"vacuum (analyze) {table}")
        return {table: await _count(connection, table) for table in TABLES}


async def _make(connection: asyncpg.Connection, providers: int, progress: Progress) -> bool:
    await connection.execute(_HELPERS)
    await connection.execute(_MODELS)
    models, fingerprint = await connection.fetchrow(_FINGERPRINT)
    if not models:
        raise LoadError("There is nothing to resemble yet: load the real directory first.")
    recipe = hashlib.sha256("".join((_HELPERS, _MODELS, _DRAW, *_FILL)).encode()).hexdigest()
    coverage = f"{providers} providers drawn from {models} real ones ({fingerprint}, {recipe[:8]})"
    if coverage == await connection.fetchval("select coverage from sources where key = $1", KEY):
        return False
    await connection.execute("create index on models (number)")
    await connection.execute("analyze models")

    source_id = identity("sources", KEY)
    # What these rows keep of others is known when they are made.
    await connection.execute("set local directory.keeping = 'later'")
    await _record(connection, "disable")
    await _remove(connection, source_id, progress)
    await connection.execute(_MADE_SEARCHABLE)
    await connection.execute(_SOURCE, source_id, KEY, coverage)
    await connection.execute("select search_everything()")
    indexes = await drop_indexes(connection, [*TABLES, "service_categories"])
    of_documents = await drop_indexes(connection, ["search_documents"])
    for first in range(1, providers + 1, BATCH):
        progress("synthesizing", first - 1, providers)
        last = min(first + BATCH - 1, providers)
        await connection.execute(_DRAW.format(first=first, last=last, models=models))
        for statement in _FILL:
            await connection.execute(statement, source_id)
        await connection.execute("drop table drawn")
    await connection.execute("set local maintenance_work_mem = '256MB'")
    await make_indexes(connection, indexes, partial(progress, "indexing"))
    await connection.execute(f"analyze {', '.join((*TABLES, 'service_categories'))}")
    async with _watched(connection, partial(progress, "making searchable")):
        await connection.execute(_MADE_SEARCHABLE)
    await make_indexes(connection, of_documents, partial(progress, "indexing what can be found"))
    await _record(connection, "enable")
    return True


@asynccontextmanager
async def _watched(
    connection: asyncpg.Connection, told: Callable[[int, int], None]
) -> AsyncIterator[None]:
    """Meanwhile tell what `search_refresh` says of how far it is."""

    def heard(_: object, message: Any) -> None:
        if made := _MADE.fullmatch(message.message):
            told(int(made["done"]), int(made["of"]))

    connection.add_log_listener(heard)
    await connection.execute("set local client_min_messages = debug1")
    try:
        yield
    finally:
        connection.remove_log_listener(heard)
    await connection.execute("set local client_min_messages = notice")


async def _record(connection: asyncpg.Connection, verb: str) -> None:
    """Whether the change log has lines about these tables: what is made up has no history."""
    for table in (*TABLES, *_BESIDE[:-1]):
        for event in ("inserted", "updated", "deleted"):
            await connection.execute(f"alter table {table} {verb} trigger record_{event}")


async def _remove(connection: asyncpg.Connection, source_id: UUID, progress: Progress) -> None:
    await connection.execute(
        "delete from service_categories c using services s"
        " where s.id = c.service_id and s.source_id = $1",
        source_id,
    )
    for done, table in enumerate(TABLES):
        progress(f"removing {table}", done, len(TABLES))
        await connection.execute(f"delete from {table} where source_id = $1", source_id)


async def _count(connection: asyncpg.Connection, table: str) -> int:
    counted: int = await connection.fetchval(
        f"select count(*) from {table} where source_id = $1", identity("sources", KEY)
    )
    return counted
