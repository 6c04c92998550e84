"""The directory of providers as HSDS 3, the format of Open Referral: nested JSON, or flat tables.

Each object of HSDS is one select, which reads what the public may read and nothing else. A table is
its rows; JSON nests the same rows where HSDS has them (a service with its places, their addresses,
hours and phones).

HSDS wants what we may not know. Of a service whose status nobody told it says that it is active,
because it has no word for that, and an `alert` that says so. A postal code or city that is not
known is an empty text. Hours are of the clocks of the place: `notes` say of which, because an
offset from UTC would be wrong for half of the year.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import asyncpg

from db.connection import answering

Progress = Callable[[str, int, int], None]


class Form(StrEnum):
    """How HSDS is written: as nested JSON, or as a tabular data package."""

    JSON = "json"
    TABULAR = "tabular"


def _id(*parts: str) -> str:
    """The id of what has none here, made of what it belongs to: the same each time."""
    digits = f"md5({' || '.join(parts)})"
    # Version 3 of RFC 9562, whose digits are those of MD5 but for two.
    return f"overlay(overlay({digits} placing '3' from 13) placing '8' from 17)::uuid"


# What HSDS calls it, and where it comes from; the columns are those of HSDS, in its order.
OBJECTS: Mapping[str, str] = {
    "organization": """
        select p.id, p.name, p.site_name as alternate_name,
               format('A provider as listed by: %s.', o.name) as description,
               p.website,
               case p.org_type when 'NONPROFIT' then 'nonprofit' when 'GOVERNMENT' then 'government'
                   when 'PRIVATE' then 'private' end as legal_status
        from providers p join sources o on o.id = p.source_id
    """,
    "service": """
        select s.id, s.provider_id as organization_id, s.name,
               nullif(array_to_string(s.offers, '; '), '') as description,
               case s.status when 'TEMPORARILY_CLOSED' then 'temporarily closed'
                   else coalesce(lower(s.status), 'active') end as status,
               s.interpretation_services, s.application_process, s.fees_description,
               coalesce(s.eligibility_description, s.conditions) as eligibility_description,
               s.minimum_age, s.maximum_age,
               case when s.verification_outcome in ('CONFIRMED', 'CHANGED')
                   then to_char(s.verified_at at time zone 'UTC', 'YYYY-MM-DD') end as assured_date,
               nullif(concat_ws(' ', s.alert, case when s.status is null then
                   'A source lists this service; whether it is offered now is not known.'
                   end), '') as alert,
               to_char(s.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                   as last_modified
        from services s
    """,
    "location": """
        select l.id, case l.location_type when 'MOBILE' then 'physical'
                   else lower(l.location_type) end as location_type,
               nullif(concat_ws(' ',
                   case when l.location_type = 'MOBILE' then 'A van or clinic that moves.' end,
                   case l.address_visibility
                       when 'HIDDEN' then 'The address is not public; call first.'
                       when 'CITY_ONLY' then 'The street is not public; call first.' end,
                   case when l.public_street is null then
                       'In ' || coalesce(l.public_city, c.name || ' County') || '.' end
               ), '') as description,
               l.public_transportation as transportation,
               l.public_latitude as latitude, l.public_longitude as longitude
        from locations l left join counties c on c.fips = l.public_county_fips
        where exists (select from providers p where p.location_id = l.id)
           or exists (select from services_at_locations a where a.location_id = l.id)
    """,
    "service_at_location": "select id, service_id, location_id from services_at_locations",
    "address": f"""
        select {_id("'address:'", "l.id::text")} as id, l.id as location_id,
               l.public_street as address_1, l.public_unit as address_2,
               coalesce(l.public_city, '') as city, c.name as region, l.state as state_province,
               coalesce(l.public_zip, '') as postal_code, 'US' as country,
               case l.location_type when 'POSTAL' then 'postal' when 'VIRTUAL' then 'virtual'
                   else 'physical' end as address_type
        from locations l left join counties c on c.fips = l.public_county_fips
        where l.public_street is not null
          and (exists (select from providers p where p.location_id = l.id)
               or exists (select from services_at_locations a where a.location_id = l.id))
    """,
    "phone": """
        select id, location_id, service_id, provider_id as organization_id, service_at_location_id,
               number, extension::numeric as extension,
               case kind when 'TTY' then 'textphone' when 'TEXT' then 'text' when 'FAX' then 'fax'
                   else 'voice' end as type,
               coalesce(purpose, case kind when 'TOLL_FREE' then 'Toll-free'
                   when 'HOTLINE' then 'Hotline' end) as description
        from phones p
        where service_id is not null or provider_id is not null
           or service_at_location_id is not null
           or exists (select from providers o where o.location_id = p.location_id)
           or exists (select from services_at_locations a where a.location_id = p.location_id)
    """,
    "schedule": f"""
        select id, service_id, service_at_location_id, valid_from, valid_to, dtstart, until, count,
               wkst, freq, "interval", byday, byweekno, bymonthday, byyearday, description,
               to_char(opens_at, 'HH24:MI') as opens_at, to_char(closes_at, 'HH24:MI') as closes_at,
               format('Times are those of the clocks of %s.', timezone) as notes
        from schedules where service_id is not null or service_at_location_id is not null
        union all
        select {_id("'schedule:'", "s.id::text")}, s.id, null, null, null, null, null, null,
               null, null, null, null, null, null, null, s.hours_text, null, null, null
        from services s
        where s.hours_text is not null
          and not exists (select from schedules h where h.service_id = s.id)
    """,
    "service_area": """
        select a.id, a.service_id, coalesce(c.name || ' County', 'California') as name,
               a.description, coalesce(a.county_fips, '06') as uri
        from service_areas a left join counties c on c.fips = a.county_fips
    """,
    "language": f"""
        select {_id("'language:'", "s.id::text", "l.code")} as id, s.id as service_id,
               t.label_en as name, l.code, n.note
        from services s cross join unnest(s.languages) as l (code)
        left join terms t on t.vocabulary = 'LANGUAGE' and t.code = l.code
        left join language_notes n on n.service_id = s.id and n.language = l.code
    """,
    "accessibility": f"""
        select {_id("'accessibility:'", "l.id::text", "a.code")} as id, l.id as location_id,
               coalesce(t.label_en, lower(a.code)) as description
        from locations l cross join unnest(l.accessibility) as a (code)
        left join terms t on t.vocabulary = 'ACCESSIBILITY' and t.code = a.code
        where exists (select from providers p where p.location_id = l.id)
           or exists (select from services_at_locations x where x.location_id = l.id)
    """,
    "cost_option": """
        select c.id, c.service_id, t.label_en as option,
               case when c.amount_cents is not null then 'usd' end as currency,
               c.amount_cents / 100.0 as amount, c.note as amount_description
        from cost_options c
        left join terms t on t.vocabulary = 'COST_OPTION' and t.code = c.option
    """,
    "required_document": """
        select d.id, d.service_id,
               concat_ws(': ', case when d.document <> 'OTHER' then t.label_en end, d.note)
                   as document
        from required_documents d
        left join terms t on t.vocabulary = 'DOCUMENT' and t.code = d.document
    """,
    "attribute": f"""
        select {_id("'category:'", "c.service_id::text", "c.category_code")} as id,
               c.service_id as link_id, {_id("'CATEGORY:'", "c.category_code")} as taxonomy_term_id,
               'category' as link_type, 'service' as link_entity, c.category_code as value
        from service_categories c
        union all
        select {_id("'audience:'", "s.id::text", "a.code")}, s.id, {_id("'AUDIENCE:'", "a.code")},
               'audience', 'service', a.code
        from services s cross join unnest(s.audience) as a (code)
    """,
    "taxonomy": f"""
        select {_id("'taxonomy:'", "name")} as id, name, description
        from (values ('CATEGORY', 'Kinds of help, as one tree.'),
                     ('AUDIENCE', 'Whom a service is for.')) as v (name, description)
    """,
    "taxonomy_term": f"""
        select {_id("'CATEGORY:'", "code")} as id, code, label_en as name,
               format('A kind of help: %s.', label_en) as description,
               {_id("'CATEGORY:'", "parent_code")} as parent_id, 'CATEGORY' as taxonomy,
               'en' as language, {_id("'taxonomy:'", "'CATEGORY'")} as taxonomy_id
        from categories
        union all
        select {_id("'AUDIENCE:'", "code")}, code, label_en, format('It is for %s.', label_en),
               null, 'AUDIENCE', 'en', {_id("'taxonomy:'", "'AUDIENCE'")}
        from terms where vocabulary = 'AUDIENCE'
    """,
}

# The names that files of HSDS have.
FILES: Mapping[str, str] = {
    "organization": "organizations",
    "service": "services",
    "attribute": "attributes",
    "service_at_location": "service_at_location",
    "location": "locations",
    "phone": "phones",
    "address": "addresses",
    "schedule": "schedules",
    "service_area": "service_areas",
    "required_document": "required_documents",
    "language": "languages",
    "accessibility": "accessibility",
    "taxonomy_term": "taxonomy_terms",
    "cost_option": "cost_options",
    "taxonomy": "taxonomies",
}

# What has a file of its own in JSON; all else is inside of it.
NESTED = ("organization", "service", "location", "taxonomy", "taxonomy_term")

# What is inside of what: the name it has there, the object, and by which of its columns.
INSIDE: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "organization": (("phones", "phone", "organization_id"),),
    "service": (
        ("phones", "phone", "service_id"),
        ("schedules", "schedule", "service_id"),
        ("service_areas", "service_area", "service_id"),
        ("service_at_locations", "service_at_location", "service_id"),
        ("languages", "language", "service_id"),
        ("cost_options", "cost_option", "service_id"),
        ("required_documents", "required_document", "service_id"),
        ("attributes", "attribute", "link_id"),
    ),
    "service_at_location": (
        ("phones", "phone", "service_at_location_id"),
        ("schedules", "schedule", "service_at_location_id"),
    ),
    "location": (
        ("addresses", "address", "location_id"),
        ("phones", "phone", "location_id"),
        ("accessibility", "accessibility", "location_id"),
    ),
}

# What an object has one of: the name it has there, the object, and our column with its id.
ONE: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "service_at_location": (("location", "location", "location_id"),),
    "attribute": (("taxonomy_term", "taxonomy_term", "taxonomy_term_id"),),
    "taxonomy_term": (("taxonomy_detail", "taxonomy", "taxonomy_id"),),
}

# Rows fetched at a time.
_BATCH = 200


async def export(
    url: str,
    folder: Path,
    form: Form,
    *,
    role: str | None = None,
    progress: Progress = lambda doing, done, of: None,
) -> Mapping[str, int]:
    """Write the directory into a folder, and tell how many objects each file has.

    All of it is of one moment, and read as `role`. Each file takes the place of an older one when
    it is whole; one that fails leaves that as it was.
    """
    async with (
        answering(url, role) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        write = _json if form is Form.JSON else _table
        names = NESTED if form is Form.JSON else tuple(FILES)
        counts = {
            name: await connection.fetchval(f"select count(*) from ({OBJECTS[name]}) t")
            for name in names
        }
        done, of = 0, sum(counts.values()) or 1
        fields: dict[str, Mapping[str, str]] = {}
        for name in names:
            path = folder / f"{FILES[name]}.{'json' if form is Form.JSON else 'csv'}"
            with whole(path) as file:
                async for _ in write(connection, name, file, fields):
                    done += 1
                    if done % _BATCH == 0:
                        progress(FILES[name], done, of)
        if form is Form.TABULAR:
            with whole(folder / "datapackage.json") as file:
                json.dump(_package(fields), file, indent=2)
                file.write("\n")
        progress("", of, of)
    return {FILES[name]: count for name, count in counts.items()}


@contextmanager
def whole(path: Path) -> Iterator[IO[str]]:
    """A file that is there when all of it is written, and else as it was before."""
    partly = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partly.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partly.replace(path)
    finally:
        partly.unlink(missing_ok=True)


async def _json(
    connection: asyncpg.Connection, name: str, file: IO[str], fields: dict[str, Mapping[str, str]]
) -> AsyncIterator[None]:
    separator = "[\n"
    statement = f"select {_nested(name, 't')}::text from ({OBJECTS[name]}) t order by t.id"
    async for (text,) in connection.cursor(statement, prefetch=_BATCH):
        file.write(separator + text)
        separator = ",\n"
        yield
    file.write("\n]\n" if separator == ",\n" else "[]\n")


def _nested(name: str, alias: str) -> str:
    """The object at an alias with all that is inside of it; what is not known is left out."""
    inner = f"{alias}_"
    parts = [
        f"'{key}', (select jsonb_agg({_nested(child, inner)} order by {inner}.id)"
        f" from ({OBJECTS[child]}) {inner} where {inner}.{column} = {alias}.id)"
        for key, child, column in INSIDE.get(name, ())
    ] + [
        f"'{key}', (select {_nested(other, inner)}"
        f" from ({OBJECTS[other]}) {inner} where {inner}.id = {alias}.{column})"
        for key, other, column in ONE.get(name, ())
    ]
    made = f"to_jsonb({alias})"
    if parts:
        made += f" || jsonb_build_object({', '.join(parts)})"
    return f"jsonb_strip_nulls({made})"


async def _table(
    connection: asyncpg.Connection, name: str, file: IO[str], fields: dict[str, Mapping[str, str]]
) -> AsyncIterator[None]:
    prepared = await connection.prepare(f"select * from ({OBJECTS[name]}) t order by id")
    attributes = prepared.get_attributes()
    fields[name] = {each.name: _TYPES.get(each.type.name, "string") for each in attributes}
    lines = csv.writer(file, lineterminator="\r\n")
    lines.writerow(fields[name])
    async for record in prepared.cursor(prefetch=_BATCH):
        lines.writerow("" if value is None else str(value) for value in record)
        yield


_TYPES = {"int4": "number", "int8": "number", "numeric": "number", "float8": "number"}
_TYPES["date"] = "date"


def _package(fields: Mapping[str, Mapping[str, str]]) -> Mapping[str, Any]:
    """The descriptor of a tabular data package: its files, their columns, and what points where."""
    return {
        "profile": "tabular-data-package",
        "name": "community-resources-directory",
        "title": "Community Resources Directory, as HSDS 3",
        "resources": [
            {
                "name": name,
                "path": f"{FILES[name]}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": {
                    "primaryKey": "id",
                    "fields": [{"name": each, "type": type_} for each, type_ in columns.items()],
                    "foreignKeys": [
                        {
                            "fields": each,
                            "reference": {"resource": each.removesuffix("_id"), "fields": "id"},
                        }
                        for each in columns
                        if each.endswith("_id") and each.removesuffix("_id") in fields
                    ],
                },
            }
            for name, columns in fields.items()
        ],
    }
