"""What the directory ought to answer, by plain Python over the same tables, read whole.

A filter is the set of keys that it keeps, so `not` is what is left over; an order is a stable sort;
a relation is a dictionary. Nothing here is taken from the engine, nor from what it is declared.
"""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from typing import Any

from db.database import Database
from tests.db.scratch import connected, scratch, stopped
from tests.kinds import KINDS, LINKS

Key = Any  # a uuid or a code
Row = Mapping[str, Any]
Filter = Mapping[str, Any]
Step = Mapping[str, Any]


class SecondOpinion:
    """The whole directory, in memory."""

    def __init__(self, tables: Mapping[str, Sequence[Row]], texts: Sequence[str]) -> None:
        self._tables = tables
        self.rows: Mapping[str, Mapping[Key, Row]] = {
            name: {row[kind.key]: row for row in tables[kind.table]} for name, kind in KINDS.items()
        }
        # Which letter comes first is for the database's collation to say.
        self._ranks = {text: rank for rank, text in enumerate(texts)}
        self._maps: dict[tuple[str, str], dict[Key, list[Key]]] = {}
        self._values: dict[tuple[str, str], list[Any]] = {}

    # What is there

    def id(self, name: str, key: Key) -> str:
        """The global id."""
        return f"{name}:{key}"

    def value(self, name: str, key: Key, attribute: str) -> Any:
        """A field of a record that is a column."""
        if attribute == "id":
            return self.id(name, key)
        return self.rows[name][key][self.column(name, attribute)]

    def column(self, name: str, attribute: str) -> str:
        """The column that a field is."""
        if attribute == "id":
            return KINDS[name].key
        snake = re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), attribute)
        return KINDS[name].columns.get(attribute, snake)

    def values(self, name: str, attribute: str) -> list[Any]:
        """What a field, or an item of it, is found to be: each once, null not among it."""
        if (name, attribute) not in self._values:
            found: set[Hashable] = set()
            for key in self.rows[name]:
                value = self.value(name, key, attribute)
                found |= set(value) if isinstance(value, list) else {value}
            self._values[name, attribute] = sorted(found - {None})
        return self._values[name, attribute]

    def target(self, name: str, relation: str) -> str:
        """The kind that a relation leads to."""
        return (KINDS[name].one.get(relation) or KINDS[name].many[relation]).split()[0]

    def related(self, name: str, relation: str) -> Mapping[Key, Sequence[Key]]:
        """The keys that a relation leads to, each once, by where it starts."""
        if (name, relation) not in self._maps:
            one = KINDS[name].one.get(relation)
            many = KINDS[name].many.get(relation, "")
            found = self._held(name, one) if one else self._reached(name, many)
            self._maps[name, relation] = found
        return self._maps[name, relation]

    def _held(self, name: str, relation: str) -> dict[Key, list[Key]]:
        column = relation.split(" by ")[1]
        held = {key: row[column] for key, row in self.rows[name].items()}
        return {key: [] if far is None else [far] for key, far in held.items()}

    def _reached(self, name: str, relation: str) -> dict[Key, list[Key]]:
        found = {key: [key] for key in self.rows[name]}
        for hop in relation.split(" over ")[1].split(", "):
            table, near, far = re.split("[.>]", hop)
            onwards = defaultdict(list)
            for row in self._tables[table]:
                onwards[row[near]].append(row[far])
            for key, ends in found.items():
                # Each once, however many ways lead there.
                found[key] = list(dict.fromkeys(to for end in ends for to in onwards.get(end, ())))
        return found

    # Filters

    def matching(self, name: str, wanted: Filter) -> set[Key]:
        """The keys of the records that a filter keeps."""
        kept = set(self.rows[name])
        for part, inner in wanted.items():
            if inner is None:
                continue
            if part == "and":
                for item in inner:
                    kept &= self.matching(name, item)
            elif part == "or":
                kept &= set().union(*(self.matching(name, item) for item in inner))
            elif part == "not":
                kept -= self.matching(name, inner)
            elif part in KINDS[name].one:
                kept = self._quantified(name, part, {"some": inner}, kept)
            elif part in KINDS[name].many:
                kept = self._quantified(name, part, inner, kept)
            else:
                values = {key: self.value(name, key, part) for key in kept}
                for word, given in inner.items():
                    kept = {key for key in kept if holds(values[key], word, given)}
        return kept

    def _quantified(self, name: str, part: str, wanted: Filter, kept: set[Key]) -> set[Key]:
        near = self.related(name, part)
        for quantifier, inner in wanted.items():
            if inner is None:
                continue
            good = self.matching(self.target(name, part), inner)
            if quantifier == "some":
                kept = {key for key in kept if not good.isdisjoint(near[key])}
            elif quantifier == "none":
                kept = {key for key in kept if good.isdisjoint(near[key])}
            else:
                kept = {key for key in kept if good.issuperset(near[key])}
        return kept

    # Orders

    def sorted(self, name: str, keys: Iterable[Key], order: Sequence[Step] = ()) -> list[Key]:
        """The keys in the order of `orderBy`, or in the kind's own."""
        steps = [self._step(name, step) for step in order] or [
            (column.lstrip("-"), column.startswith("-"))
            for column in KINDS[name].order.split(",")
            if column
        ]
        # The key decides between equals, in the direction of the last step.
        found = sorted(keys, reverse=bool(steps) and steps[-1][1])
        for path, descending in reversed(steps):
            places = {key: self.place(self.along(name, key, path)) for key in found}
            found.sort(key=places.__getitem__, reverse=descending)
        return found

    def _step(self, name: str, step: Step) -> tuple[str, bool]:
        ((attribute, inner),) = step.items()
        if attribute in KINDS[name].one:
            path, descending = self._step(self.target(name, attribute), inner)
            return f"{attribute}.{path}", descending
        if attribute in KINDS[name].many:
            return f"{attribute}.count", inner["count"] == "DESC"
        return self.column(name, attribute), inner == "DESC"

    def along(self, name: str, key: Key, path: str) -> Any:
        """The value at the end of a path such as `parent.county.name` or `programs.count`."""
        first, _, rest = path.partition(".")
        if not rest:
            return self.rows[name][key][first]
        near = self.related(name, first)[key]
        if first in KINDS[name].many:
            return len(near)
        return self.along(self.target(name, first), near[0], rest) if near else None

    def place(self, value: Any) -> tuple[bool, Any]:
        """What to sort a value by: null is larger than all."""
        return value is None, self._ranks[value] if isinstance(value, str) else value or 0


_COMPARISONS = {
    "eq": operator.eq,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def holds(value: Any, word: str, given: Any) -> bool:
    """Whether a value passes an operator. Null passes none but `isNull`."""
    if word == "isNull":
        return given is (value is None)
    if value is None:
        return False
    if word in ("has", "hasSome", "hasEvery"):
        items = {given} if word == "has" else set(given)
        return items <= set(value) if word != "hasSome" else not items.isdisjoint(value)
    if word == "contains":
        return given.lower() in value.lower()
    if word == "startsWith":
        return bool(value.lower().startswith(given.lower()))
    if word == "in":
        return any(holds(value, "eq", item) for item in given)
    return bool(_COMPARISONS[word](value, _read(given, like=value)))


def _read(given: Any, like: Any) -> Any:
    """What a client sent, as the kind of value it is compared with."""
    for type_ in (datetime, date, time):
        if isinstance(like, type_):
            return type_.fromisoformat(given)
    return given


def json_of(value: Any) -> Any:
    """A value as clients see it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if isinstance(value, date | time) else str(value)


World = tuple[Database, SecondOpinion]


@asynccontextmanager
async def answered_twice(url: str) -> AsyncIterator[World]:
    """A copy of a directory with awkward records in it, to be asked by GraphQL and by Python."""
    async with scratch(url) as copied:
        async with connected(copied) as connection:
            await connection.execute(AWKWARD)
            tables = {
                table: [dict(row) for row in await connection.fetch(f"select * from {table}")]
                for table in [*(kind.table for kind in KINDS.values()), *LINKS]
            }
            rows = (row for rows in tables.values() for row in rows)
            values = [value for row in rows for value in row.values()]
            values += [item for value in values if isinstance(value, list) for item in value]
            texts = {value for value in values if isinstance(value, str)}
            ranked = await connection.fetch("select t from unnest($1::text[]) t order by t", texts)
        _add_newest(tables)
        opened = await Database.open(stopped(copied))
        try:
            yield opened, SecondOpinion(tables, [text for (text,) in ranked])
        finally:
            await opened.close()


def _add_newest(tables: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """What institutions have one of: the newest of several."""
    counts = sorted(tables["population_counts"], key=lambda row: row["month"])
    statuses = sorted(tables["visiting_statuses"], key=lambda row: row["last_updated"])
    statuses = [row for row in statuses if row["visit_type"] == "IN_PERSON"]
    count = {row["institution_id"]: row["id"] for row in counts}
    status = {row["institution_id"]: row["id"] for row in statuses}
    for row in tables["institutions"]:
        row["newest_population_count"] = count.get(row["id"])
        row["newest_visiting_status"] = status.get(row["id"])


# Names with every letter that a pattern, a quote or a cursor could trip over; two services of one
# provider in one category; parents; several types of visit; times finer than a second.
AWKWARD = r"""
insert into providers (id, slug, name, languages, source_id)
select md5(name)::uuid, 'awkward-' || n, name, '{}', (select id from sources order by key limit 1)
from unnest(array['100% Hope', '100X Hope', 'A_B', 'AxB', 'Back\slash', 'Back\\slash',
                  'ÑANDÚ Café', 'ñandú CAFÉ', '"Quoted" ''name''', '%', '_', '\',
                  e'A tab\tand a new line\n'])
     with ordinality t(name, n);
insert into counties (fips, name, source_id)
select '06' || 900 + n, name, (select id from sources order by key limit 1)
from unnest(array['A_county', 'A%county', 'A\county', 'a_COUNTY']) with ordinality t(name, n);
insert into services (id, provider_id, name, source_id)
select md5(id::text)::uuid, provider_id, 'Another service', source_id
from services order by name, id limit 20;
insert into service_categories (service_id, category_code)
select md5(service_id::text)::uuid, category_code
from service_categories where md5(service_id::text)::uuid in (select id from services);
update institutions set parent_id = (select id from institutions where code = 'SQ')
where code <> 'SQ' and camp_number % 2 = 0;
update institutions set parent_id = (select id from institutions where camp_number = 2)
where camp_number % 3 = 1;
insert into visiting_statuses
    (id, institution_id, visit_type, status, last_updated, source_id)
select md5(v.id || type)::uuid, institution_id, type, t.status, last_updated + later, source_id
from visiting_statuses v,
     (values ('VIDEO', 'CLOSED', interval '2 days'),
             ('IN_PERSON', 'LIMITED', interval '1 day'),
             ('FAMILY_OVERNIGHT', 'OPEN', interval '-1 day')) t(type, status, later);
insert into verifications (id, institution_id, method, outcome, verified_at, next_due_at)
select md5(code)::uuid, id, 'PHONE', 'CONFIRMED',
       timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1 hour',
       case when n % 2 = 0 then timestamptz '2027-01-01 00:00:00+00' end
from (select id, code, row_number() over (order by code) n from institutions) t where n % 3 = 0;
insert into schedules (id, institution_id, kind, opens_at, closes_at, freq, byday, source_id)
select md5(code || kind)::uuid, id, kind, opens_at, '15:00', 'WEEKLY', 'SA,SU', source_id
from institutions, (values ('REGULAR', time '08:00'), ('HOLIDAY', time '10:30')) t(kind, opens_at)
where reentry_hub;
insert into schedule_exceptions (id, institution_id, starts_on, ends_on, closed, source_id)
select md5('closed' || code)::uuid, id, '2026-12-24', '2026-12-26', true, source_id
from institutions where california_model;
insert into required_documents (id, service_id, document, note, source_id)
select md5(document || s.id)::uuid, s.id, document, nullif(note, ''), source_id
from (select id, source_id, row_number() over (order by id) n from services) s
join (values (3, 'PHOTO_ID', ''), (4, 'OTHER', 'a letter'), (6, 'NONE', '')) t(k, document, note)
on n % 100 = k;
insert into language_notes (id, service_id, language, note, source_id)
select md5(id::text)::uuid, id, languages[1], 'not always', source_id
from services where languages <> '{}' and id::text < '4';
insert into service_capacities (id, service_at_location_id, unit, available, counted_at, source_id)
select md5(id::text)::uuid, id, 'BED', 2, '2026-07-03 01:00-07', source_id
from services_at_locations where id::text < '1';
"""
