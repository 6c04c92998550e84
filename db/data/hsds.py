"""The directory of providers as HSDS 3, the format of Open Referral: nested JSON, or flat tables.

What was imported comes with all that the standard said of it (db/data/exchange/remainders.py): also
with what the directory has no place for, and in the words in which it was said, until somebody
changes it here.

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
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import IO, Any

import asyncpg

from db.connection import answering
from db.data.exchange.standard import BACK, FILES, LISTS, NUMBERS, ONES

Progress = Callable[[str, int, int], None]


class Form(StrEnum):
    """How HSDS is written: as nested JSON, or as a tabular data package."""

    JSON = "json"
    # As answers of an API of HSDS have them: an organization with its services, and so on.
    FULL = "full"
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
        union all
        select {_id("'place:'", "l.id::text", "w.word")}, l.id, {_id("'PLACE:'", "w.word")},
               'place', 'location', w.word
        from locations l
        cross join unnest(array_remove(array[nullif(l.address_visibility, 'PUBLIC'),
                   case when l.location_type = 'MOBILE' then 'MOBILE' end], null)) as w (word)
        where exists (select from providers p where p.location_id = l.id)
           or exists (select from services_at_locations a where a.location_id = l.id)
    """,
    "taxonomy": f"""
        select {_id("'taxonomy:'", "name")} as id, name, description
        from (values ('CATEGORY', 'Kinds of help, as one tree.'),
                     ('AUDIENCE', 'Whom a service is for.'),
                     ('PLACE', 'What else is to be known of a place.')) as v (name, description)
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
        union all
        select {_id("'PLACE:'", "code")}, code, name, description, null, 'PLACE', 'en',
               {_id("'taxonomy:'", "'PLACE'")}
        from (values ('HIDDEN', 'Hidden', 'Nothing of the address is public.'),
                     ('CITY_ONLY', 'City only', 'Of the address only the city is public.'),
                     ('MOBILE', 'Mobile', 'A van or clinic that moves.'))
            as v (code, name, description)
    """,
}

# The same where a row is asked for by its id: only what has one of its own.
BY_ID: Mapping[str, str] = {
    **{
        name: OBJECTS[name]
        for name in ("organization", "service", "location", "service_at_location", "phone")
    },
    **{name: OBJECTS[name] for name in ("service_area", "cost_option", "required_document")},
    "schedule": OBJECTS["schedule"].partition("union all")[0],
}

# What has a file of its own in JSON; all else is inside of it.
NESTED = ("organization", "service", "location", "taxonomy", "taxonomy_term")
_WHOLE = (*NESTED[:3], "service_at_location", *NESTED[3:])

# What is always nested, and what only an answer about one record nests.
_ALWAYS = frozenset({"location", "program", "taxonomy_term", "taxonomy_detail", "unit"})
_APART = frozenset({"services", "locations"})

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
        kept = frozenset(entity for (entity,) in await connection.fetch("select hsds_entities()"))
        objects = _Objects(kept, form)
        names = objects.names
        counts = {
            name: await connection.fetchval(f"select count(*) from ({objects.all(name)}) t")
            for name in names
        }
        done, of = 0, sum(counts.values()) or 1
        fields: dict[str, Mapping[str, str]] = {}
        for name in names:
            suffix = "csv" if form is Form.TABULAR else "json"
            with whole(folder / f"{FILES[name]}.{suffix}") as file:
                if form is Form.TABULAR:
                    written = _table(connection, objects, name, file, fields)
                else:
                    written = _json(connection, objects, name, file)
                async for _ in written:
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
    connection: asyncpg.Connection, objects: _Objects, name: str, file: IO[str]
) -> AsyncIterator[None]:
    separator = "[\n"
    nested = objects.nested(name, "t", top=True)
    statement = f"select {nested}::text from ({objects.all(name)}) t order by t.id"
    async for (text,) in connection.cursor(statement, prefetch=_BATCH):
        file.write(separator + text)
        separator = ",\n"
        yield
    file.write("\n]\n" if separator == ",\n" else "[]\n")


@dataclass(frozen=True, slots=True)
class _Objects:
    """Statements for objects of HSDS: what the directory makes, and what is kept beyond it."""

    kept: frozenset[str]
    form: Form

    @property
    def names(self) -> tuple[str, ...]:
        """What files there are."""
        if self.form is Form.TABULAR:
            return tuple(name for name in FILES if name in OBJECTS or name in self.kept)
        return NESTED if self.form is Form.JSON else _WHOLE

    def all(self, name: str) -> str:
        """All objects of a kind: their ids, what they say, and what they are made of."""
        parts = [self._made(name, "true")] if name in OBJECTS else []
        if name in self.kept:
            alone = f"select r.key as id, r.said as object from hsds_alone('{name}') r"
            if name in BY_ID:
                # Somebody may have made a record of it since.
                alone += f" where not exists (select from ({BY_ID[name]}) b where b.id = r.key)"
            parts.append(alone)
        return " union all ".join(parts)

    def _made(self, name: str, condition: str) -> str:
        made, beyond = "jsonb_strip_nulls(to_jsonb(b))", ""
        if name in self.kept:
            made = "hsds_put_back(to_jsonb(b), r.said, r.made)"
            beyond = f" left join lateral hsds_beyond('{name}', b.id) r on true"
        made = f"select b.id, {made} as object from ({OBJECTS[name]}) b"
        return f"{made}{beyond} where {condition}"

    def _inside(self, name: str, by: str, owner: str) -> str | None:
        """The objects inside of another one, of which `owner` is the id."""
        parts = []
        if name in OBJECTS and by in _columns(name):
            parts.append(self._made(name, f"b.{by} = {owner}"))
        if name in self.kept:
            inside = f"from hsds_inside('{name}', {owner}) r"
            if name in BY_ID:
                parts.append(
                    "select r.key as id, case when b.id is null then r.said"
                    " else hsds_put_back(to_jsonb(b), r.said, r.made) end as object"
                    f" {inside} left join ({BY_ID[name]}) b on b.id = r.key"
                    " where b.id is not null or r.made is null"
                )
            else:
                parts.append(f"select r.key as id, r.said as object {inside}")
        return " union all ".join(parts) or None

    def _one(self, owner: str, name: str, by: str, alias: str) -> str | None:
        """The object that another one has one of."""
        if owner not in self.kept and name in OBJECTS and name not in self.kept:
            # All of it is ours, and so are its ids.
            return self._made(name, f"b.id = ({alias}.object ->> '{by}')::uuid")
        if owner in BY_ID and name in BY_ID:
            raw = f"(select b.{by} from ({BY_ID[owner]}) b where b.id = {alias}.id)"
            return self._made(name, f"b.id = {raw}")
        id_ = f"{alias}.object ->> '{by}'"
        parts = [self._made(name, f"b.id::text = {id_}")] if name in OBJECTS else []
        if name in self.kept:
            kept = f"select r.key as id, r.said as object from hsds_one('{name}', {id_}) r"
            parts.append(f"{kept} where r.key is not null")
        return " union all ".join(parts) or None

    def nested(
        self, name: str, alias: str, *, top: bool = False, within: frozenset[str] = frozenset()
    ) -> str:
        """The object at an alias with all that is inside of it."""
        inner = f"{alias}_"
        # What is inside of something need not say of what.
        said = f"{alias}.object"
        if not top and BACK[name]:
            said += f" - array[{', '.join(map(repr, BACK[name]))}]"
        parts: list[str] = []
        once: list[str] = []
        within = within | {name}
        for field, child, by in LISTS[name]:
            if child in within or (field in _APART and self.form is not Form.FULL):
                continue
            if child == "service_at_location" and "service_at_location" in within:
                continue
            rows = self._inside(child, by, f"{alias}.id")
            if rows is not None:
                nested = self.nested(child, inner, within=within)
                parts.append(
                    f"'{field}', (select jsonb_agg({nested} order by {inner}.id)"
                    f" from ({rows}) {inner})"
                )
        for field, other, by in ONES[name]:
            if other in within or not (field in _ALWAYS or self.form is Form.FULL):
                continue
            rows = self._one(name, other, by, alias)
            if rows is not None:
                nested = self.nested(other, inner, within=within)
                parts.append(f"'{field}', (select {nested} from ({rows}) {inner} limit 1)")
                once += [repr(field), repr(by)]
        if not parts:
            return f"({said})"
        joined = f"jsonb_strip_nulls({said} || jsonb_build_object({', '.join(parts)}))"
        return f"hsds_once({joined}, {', '.join(once)})" if once else joined


@cache
def _columns(name: str) -> frozenset[str]:
    """The columns of one of our objects that lead to what it is inside of."""
    return frozenset(by for by in BACK[name] if re.search(rf"\b{by}\b", OBJECTS[name]))


async def _table(
    connection: asyncpg.Connection,
    objects: _Objects,
    name: str,
    file: IO[str],
    fields: dict[str, Mapping[str, str]],
) -> AsyncIterator[None]:
    lines = csv.writer(file, lineterminator="\r\n")
    columns: dict[str, str] = {}
    if name in OBJECTS:
        prepared = await connection.prepare(f"select * from ({OBJECTS[name]}) t order by id")
        for each in prepared.get_attributes():
            columns[each.name] = _TYPES.get(each.type.name, "string")
    if name not in objects.kept:
        fields[name] = columns
        lines.writerow(columns)
        async for record in prepared.cursor(prefetch=_BATCH):
            lines.writerow("" if value is None else str(value) for value in record)
            yield
        return
    rows = f"({objects.all(name)}) t"
    said = f"select distinct jsonb_object_keys(t.object) from {rows} order by 1"
    for (key,) in await connection.fetch(said):
        columns.setdefault(key, "number" if key in NUMBERS else "string")
    fields[name] = columns
    lines.writerow(columns)
    statement = f"select array(select t.object ->> c from unnest($1::text[]) c) from {rows}"
    async for (cells,) in connection.cursor(
        f"{statement} order by t.id", list(columns), prefetch=_BATCH
    ):
        lines.writerow("" if cell is None else cell for cell in cells)
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
