"""What the directory ought to answer, by plain Python over the same tables, read whole.

A filter is the set of keys that it keeps, so `not` is what is left over; an order is a stable sort;
a relation is a dictionary. Nothing here is taken from the engine, nor from what it is declared.
"""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

from db.database import Database
from tests.db.scratch import CLOCK, connected, scratch, stopped
from tests.kinds import KINDS, LINKS, PARTS

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
        self._translated: dict[str, dict[tuple[Key, str], list[Row]]] = {}

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
        texts = KINDS[name].texts.get(attribute, snake).split()
        return KINDS[name].columns.get(attribute, texts[0])

    def texts(self, name: str, key: Key, attribute: str) -> list[Any]:
        """A field in all of its languages, the one that is always there first."""
        first = self.value(name, key, attribute)
        if attribute not in KINDS[name].texts:
            return [first]
        columns = KINDS[name].texts[attribute].split()[1:]
        there = [self.rows[name][key][column] for column in columns]
        for row in self._translations(name).get((key, attribute), ()):
            there += [row["text"]] if row["original"] == first else []
        return [first, *there]

    def _translations(self, name: str) -> Mapping[tuple[Key, str], Sequence[Row]]:
        if name not in self._translated:
            found = self._translated[name] = defaultdict(list)
            for row in self._tables["translations"] if KINDS[name].translated else ():
                found[row[KINDS[name].translated], row["field"]].append(row)
        return self._translated[name]

    def values(self, name: str, attribute: str) -> list[Any]:
        """What a field, or an item of it, is found to be: each once, null not among it."""
        if (name, attribute) not in self._values:
            found: set[Hashable] = set()
            for key in self.rows[name]:
                for value in self.texts(name, key, attribute):
                    found |= set(value) if isinstance(value, list) else {value}
            self._values[name, attribute] = sorted(found - {None})
        return self._values[name, attribute]

    def target(self, name: str, relation: str) -> str:
        """The kind that a relation leads to."""
        return (KINDS[name].one.get(relation) or KINDS[name].many[relation]).split()[0]

    def related(self, name: str, relation: str) -> Mapping[Key, Sequence[Key]]:
        """The keys that a relation shows, each once, by where it starts."""
        found = self._related(name, relation)
        target = self.target(name, relation)
        if relation in KINDS[name].one or not KINDS[target].unlisted_by:
            return found
        shown = self.listed(target)
        return {key: [one for one in far if one in shown] for key, far in found.items()}

    def _related(self, name: str, relation: str) -> Mapping[Key, Sequence[Key]]:
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

    # Lists and filters

    def listed(self, name: str, wanted: Filter | None = None) -> set[Key]:
        """The keys of the records that a list with this filter may show."""
        unless = KINDS[name].unlisted_by
        if not unless or _speaks_of(wanted, unless):
            return set(self.rows[name])
        return {key for key, row in self.rows[name].items() if row["listed"]}

    def kept(self, name: str, wanted: Filter) -> set[Key]:
        """The keys of the records in a list with this filter."""
        return self.listed(name, wanted) & self.matching(name, wanted)

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
            elif part in PARTS:
                kept &= self.matching(name, inner)
            elif part in KINDS[name].one:
                kept = self._quantified(name, part, {"some": inner}, kept)
            elif part in KINDS[name].many:
                kept = self._quantified(name, part, inner, kept)
            else:
                texts = {key: self.texts(name, key, part) for key in kept}
                for word, given in inner.items():
                    many = slice(1) if word == "isNull" else slice(None)
                    kept = {
                        key
                        for key in kept
                        if any(holds(value, word, given) for value in texts[key][many])
                    }
        return kept

    def _quantified(self, name: str, part: str, wanted: Filter, kept: set[Key]) -> set[Key]:
        near = self._related(name, part)
        target = self.target(name, part)
        for quantifier, inner in wanted.items():
            if inner is None:
                continue
            good = self.matching(target, inner)
            if part in KINDS[name].many:
                shown = self.listed(target, inner)
                near = {key: [one for one in far if one in shown] for key, far in near.items()}
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
        if attribute in PARTS:
            return self._step(name, inner)
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


def _speaks_of(wanted: Any, fields: Sequence[str]) -> bool:
    """Whether a filter itself, or one that it is made of, has one of these fields."""
    if isinstance(wanted, list):
        return any(_speaks_of(part, fields) for part in wanted)
    return any(
        part is not None
        and (name in fields or (name in ("and", "or", "not") and _speaks_of(part, fields)))
        for name, part in (wanted or {}).items()
    )


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
        async with connected(stopped(copied)) as connection:
            await connection.execute(AWKWARD)
            tables = {
                table: [dict(row) for row in await connection.fetch(f"select * from {table}")]
                for table in [*(kind.table for kind in KINDS.values()), *LINKS]
            }
            _add_newest(tables)
            _add_what_is_listed(tables)
            _add_freshness(tables)
            _add_statute(tables)
            _add_counties(tables)
            _add_dashboards(tables)
            add_completeness(tables)
            values = [value for rows in tables.values() for row in rows for value in row.values()]
            items = [item for value in values if isinstance(value, list) for item in value]
            texts = {value for value in [*values, *items] if isinstance(value, str)}
            ranked = await connection.fetch("select t from unnest($1::text[]) t order by t", texts)
        await _add_hours(stopped(copied), tables)
        opened = await Database.open(stopped(copied))
        try:
            yield opened, SecondOpinion(tables, [text for (text,) in ranked])
        finally:
            await opened.close()


async def _add_hours(url: str, tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """What is open now. Whether that is right is not for here: here it is a value like others."""
    columns = {
        "institutions": ("visiting_now", "visiting_state"),
        "visitor_centers": ("open_now", "hours_state"),
    }
    async with connected(url) as connection:
        for table, (now, state) in columns.items():
            sql = f"select id, open_now(id), hours_state(id) from {table}"
            found = {key: values for key, *values in await connection.fetch(sql)}
            for row in tables[table]:
                row[now], row[state] = found[row["id"]]


def _add_newest(tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """What institutions have one of: the newest of several."""
    counts = sorted(tables["population_counts"], key=lambda row: row["month"])
    now = datetime.fromisoformat(f"{CLOCK}:00")
    since = {
        row["id"]: row["effective_from"] or row["last_updated"]
        for row in tables["visiting_statuses"]
        if row["visit_type"] == "IN_PERSON"
    }
    statuses = [
        row for row in tables["visiting_statuses"] if row["id"] in since and since[row["id"]] <= now
    ]
    statuses.sort(key=lambda row: (since[row["id"]], row["last_updated"]))
    count = {row["institution_id"]: row["id"] for row in counts}
    status = {row["institution_id"]: row["id"] for row in statuses}
    for row in tables["institutions"]:
        row["newest_population_count"] = count.get(row["id"])
        row["newest_visiting_status"] = status.get(row["id"])


def _add_counties(tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """The county of the institution that a record is about."""
    counties = {row["id"]: row["county_fips"] for row in tables["institutions"]}
    for table in ("visitor_centers", "visitor_service_gaps", "program_offerings"):
        for row in tables[table]:
            row["county_of_institution"] = counties[row["institution_id"]]


def _add_dashboards(tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """What lists show in each county, and which kinds of help they do not."""
    wider = {row["code"]: row["parent_code"] for row in tables["categories"]}
    offered = defaultdict(set)
    for row in tables["service_categories"]:
        code = row["category_code"]
        while code:
            offered[row["service_id"]].add(code)
            code = wider[code]
    directory = {row["code"] for row in tables["categories"] if row["vocabulary"] == "DIRECTORY"}
    tables["unserved_categories"].clear()
    for county in tables["counties"]:
        fips = county["fips"]
        here = [row for row in tables["providers"] if row["county_fips"] == fips and row["listed"]]
        county["provider_count"] = len(here)
        services = [row for row in tables["services"] if row["county_fips"] == fips]
        served = set().union(*(offered[row["id"]] for row in services if row["listed"]))
        tables["unserved_categories"] += [
            {"county_fips": fips, "category_code": code} for code in directory - served
        ]


def _add_statute(tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """What Penal Code 6350-6356 says of them, in the place of what Postgres makes of it."""
    newest = {
        row["institution_id"]: row
        for row in sorted(tables["population_counts"], key=lambda row: row["month"])
    }
    for prison in tables["institutions"]:
        prison["visitor_center_required"] = required(prison, newest.get(prison["id"]))
    prisons = {row["id"]: row for row in tables["institutions"]}
    offered = defaultdict(set)
    for row in tables["visitor_center_amenities"]:
        offered[row["visitor_center_id"]].add(row["amenity_code"])
    six = {row["code"] for row in tables["visitor_amenities"] if row["statutory"]}
    centers = defaultdict(list)
    for row in tables["visitor_centers"]:
        counted = newest.get(row["institution_id"])
        row["statutory"] = prisons[row["institution_id"]]["visitor_center_required"]
        row["population_used"] = counted and counted["in_custody"]
        row["population_as_of"] = counted and counted["month"]
        centers[row["institution_id"]].append(row)
    tables["lacked_visitor_services"][:] = [
        {"visitor_center_id": row["id"], "amenity_code": code}
        for row in tables["visitor_centers"]
        for code in six - offered[row["id"]]
    ]
    tables["visitor_service_gaps"][:] = [
        {
            "key": f"{prison['code']}/{code or kind}",
            "institution_id": prison["id"],
            "kind": kind,
            "amenity_code": code,
        }
        for prison in tables["institutions"]
        if prison["visitor_center_required"]
        for kind, code in gaps(centers[prison["id"]], six, offered)
    ]


def required(prison: Row, counted: Row | None) -> bool | None:
    """Whether the law asks for a visitor center, by the newest count."""
    if prison["institution_type"] != "STATE_PRISON" or prison["population_age"] == "JUVENILE":
        return False
    if prison["status"] in ("CLOSED", "DEACTIVATED_UNIT"):
        return False
    return counted["in_custody"] > 300 if counted else None


def gaps(
    centers: Sequence[Row], six: set[str], offered: Mapping[Key, set[str]]
) -> list[tuple[str, str | None]]:
    """What is missing where the law asks for a center and its six services."""
    statuses = {row["status"] for row in centers} - {"DEFUNCT"}
    maybe_open = [row for row in centers if row["status"] in ("ACTIVE", "UNKNOWN")]
    if not statuses:
        return [("NO_CENTER", None)]
    if not maybe_open:
        return [("CENTER_NOT_ACTIVE", None)]
    there = set().union(*(offered[row["id"]] for row in maybe_open))
    unsure: list[tuple[str, str | None]] = [("CENTER_STATUS_UNKNOWN", None)]
    return ([] if "ACTIVE" in statuses else unsure) + [
        ("MISSING_SERVICE", code) for code in six - there
    ]


def _add_what_is_listed(tables: dict[str, list[dict[str, Any]]]) -> None:
    """Which records lists show, from nothing but what is said of them."""
    closed = defaultdict(list)
    busy = {row["operator_id"] for row in tables["programs"]}
    for row in tables["services"]:
        row["listed"] = row["status"] in (None, "ACTIVE")
        closed[row["provider_id"]].append(not row["listed"])
    tables["listed_services"] = [row for row in tables["services"] if row["listed"]]
    open_ = {row["id"]: row["listed"] for row in tables["services"]}
    for row in tables["services_at_locations"]:
        row["listed"] = open_[row["service_id"]]
    for row in tables["visitor_centers"]:
        row["listed"] = row["status"] != "DEFUNCT"
        busy |= {row["operator_id"]} if row["listed"] else set()
    for row in tables["providers"]:
        services = closed[row["id"]]
        row["listed"] = not services or not all(services) or row["id"] in busy


# For how many days a check is FRESH, and until when it is AGING.
DAYS = {
    "institutions": ("institution_id", 180, 365),
    "visitor_centers": ("visitor_center_id", 90, 180),
    "programs": ("program_id", 180, 365),
    "program_offerings": ("offering_id", 180, 365),
    "providers": ("provider_id", 90, 180),
    "services": ("service_id", 90, 180),
}


def _add_freshness(tables: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """When each record was last checked, from the events alone."""
    for table, (owner, fresh, aging) in DAYS.items():
        checks = defaultdict(list)
        for row in tables["verifications"]:
            checks[row[owner]].append(row)
        for row in tables[table]:
            row |= freshness(checks[row["id"]], fresh, aging, datetime.fromisoformat(f"{CLOCK}:00"))
    for row in tables["visiting_statuses"]:
        age = datetime.fromisoformat(f"{CLOCK}:00") - row["last_updated"]
        week, month = timedelta(days=7), timedelta(days=30)
        row["freshness_state"] = "FRESH" if age <= week else "AGING" if age <= month else "STALE"


def freshness(checks: Iterable[Row], fresh: int, aging: int, now: datetime) -> dict[str, Any]:
    """What a record keeps of its checks."""
    ordered = sorted(checks, key=lambda row: (row["verified_at"], row["created_at"], row["id"]))
    findings = [row for row in ordered if row["outcome"] != "UNREACHABLE"]
    last = findings[-1] if findings else None
    since = ordered[ordered.index(last) :] if last else ordered
    stated = [row["next_due_at"] for row in since if row["next_due_at"]]
    due = stated[-1] if stated else None
    state = "NEVER_VERIFIED"
    if last:
        good = last["verified_at"] + timedelta(days=fresh)
        if due is None and last["outcome"] != "CLOSED":
            due = good
        good = min(good, last["next_due_at"] or good)
        state = "FRESH" if now <= good else "AGING"
        if last["outcome"] == "CLOSED" or now > last["verified_at"] + timedelta(days=aging):
            state = "STALE"
    return {
        "freshness_state": state,
        "verified_at": last["verified_at"] if last else None,
        "verification_method": last["method"] if last else None,
        "verification_outcome": last["outcome"] if last else None,
        "verification_due_at": due,
    }


# What people need of each kind of record, and how much.
NEEDED = {
    "providers": {"PHONE": 35, "ADDRESS": 25, "CATEGORIES": 15, "WEBSITE": 15, "LANGUAGES": 10},
    "services": {
        "PHONE": 30,
        "OFFERS": 20,
        "ADDRESS": 15,
        "HOURS": 15,
        "CATEGORIES": 10,
        "LANGUAGES": 10,
    },
    "institutions": {
        "ADDRESS": 25,
        "PHONE": 25,
        "HOURS": 20,
        "VISITING_STATUS": 20,
        "WEBSITE": 10,
    },
    "visitor_centers": {"HOURS": 30, "PHONE": 30, "ADDRESS": 15, "AMENITIES": 15, "OPERATOR": 10},
    "programs": {
        "INSTITUTIONS": 30,
        "DESCRIPTION": 25,
        "AUDIENCE": 15,
        "CATEGORIES": 15,
        "OPERATOR": 15,
    },
}


def add_completeness(tables: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """What is missing of each record, from the tables that have it or do not."""

    def having(table: str, column: str) -> set[Key]:
        return {row[column] for row in tables[table] if row.get("kind") != "FAX"}

    at_place = {row["id"]: row["service_id"] for row in tables["services_at_locations"]}
    told = {
        row["id"]
        for row in tables["locations"]
        if row["address_visibility"] != "PUBLIC"
        or row["location_type"] in ("VIRTUAL", "MOBILE")
        or any(row[part] is not None for part in ("street", "city", "zip", "latitude"))
    }
    categorized = having("service_categories", "service_id")
    open_ = [row for row in tables["services"] if row["status"] in (None, "ACTIVE")]
    kinds = {row["provider_id"] for row in open_ if row["id"] in categorized}
    there = [row for row in tables["services_at_locations"] if row["location_id"] in told]
    visited = [row for row in tables["visiting_statuses"] if row["status"] != "UNKNOWN"]
    known: dict[str, Callable[[Row], Mapping[str, Any]]] = {
        "providers": lambda row: {
            "PHONE": row["id"] in having_phone["provider_id"],
            "ADDRESS": row["location_id"] in told,
            "CATEGORIES": row["id"] in kinds,
            "WEBSITE": row["website"],
            "LANGUAGES": row["languages"],
        },
        "services": lambda row: {
            "PHONE": row["id"] in having_phone["service_id"]
            or row["provider_id"] in having_phone["provider_id"]
            or row["id"] in {at_place[key] for key in having_phone["service_at_location_id"]},
            "OFFERS": row["offers"],
            "ADDRESS": row["id"] in addressed,
            "HOURS": row["hours_text"]
            or row["id"] in scheduled["service_id"]
            or row["id"] in {at_place[key] for key in scheduled["service_at_location_id"]},
            "CATEGORIES": row["id"] in categorized,
            "LANGUAGES": row["languages"],
        },
        "institutions": lambda row: {
            "PHONE": row["id"] in having_phone["institution_id"] or row["status"] in CLOSED,
            "ADDRESS": row["location_id"] in told,
            "VISITING_STATUS": row["id"] in visiting or row["status"] in CLOSED,
            "HOURS": row["id"] in scheduled["institution_id"] or row["status"] in CLOSED,
            "WEBSITE": row["website"],
        },
        "visitor_centers": lambda row: {
            "PHONE": row["id"] in having_phone["visitor_center_id"],
            "HOURS": row["hours_text"] or row["id"] in scheduled["visitor_center_id"],
            "ADDRESS": row["location_id"] in told,
            "AMENITIES": row["id"] in equipped,
            "OPERATOR": row["operator_id"],
        },
        "programs": lambda row: {
            "INSTITUTIONS": row["id"] in running,
            "DESCRIPTION": row["summary"],
            "CATEGORIES": row["id"] in classed,
            "AUDIENCE": row["audience"],
            "OPERATOR": row["operator_id"] or row["operator_name"],
        },
    }
    owners = ("institution_id", "visitor_center_id", "service_id", "service_at_location_id")
    having_phone = {owner: having("phones", owner) - {None} for owner in (*owners, "provider_id")}
    scheduled = {owner: having("schedules", owner) - {None} for owner in owners}
    addressed = {row["service_id"] for row in there}
    visiting = {row["institution_id"] for row in visited}
    equipped = having("visitor_center_amenities", "visitor_center_id")
    running = having("program_offerings", "program_id")
    classed = having("program_categories", "program_id")
    for table, weights in NEEDED.items():
        for row in tables[table]:
            facts = known[table](row)
            # Those of one weight are in the order of the alphabet, as they stand above.
            row["missing"] = [
                field
                for field in sorted(weights, key=lambda field: (-weights[field], field))
                if not facts[field]
            ]
            row["completeness"] = 100 - sum(weights[field] for field in row["missing"])


CLOSED = ("CLOSED", "DEACTIVATED_UNIT")

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
insert into visiting_statuses
    (id, institution_id, visit_type, status, last_updated, effective_from, source_id)
select md5('from' || v.id || n)::uuid, institution_id, 'IN_PERSON', t.status,
       last_updated - interval '3 days' + n * interval '1 hour', moment, source_id
from (select distinct on (institution_id) * from visiting_statuses
      where visit_type = 'IN_PERSON' order by institution_id, last_updated limit 4) v,
     (values (1, 'OPEN', timestamptz '2026-07-03 15:00+00'),
             (2, 'OPEN_WITH_EXCEPTIONS', timestamptz '2026-07-03 16:00+00'),
             (3, 'UNKNOWN', timestamptz '2026-07-03 16:00+00'),
             (4, 'OPEN', timestamptz '2026-07-03 16:00:00.000001+00')) t(n, status, moment);
update program_offerings
set ended_on = date '2026-07-02' + (number % 3)::integer,
    status = case when number % 6 = 0 then 'ENDED' else status end
from (select id as one, row_number() over (order by id) as number
      from program_offerings order by id limit 30) t where id = one;
insert into verifications (id, institution_id, method, outcome, verified_at, next_due_at)
select md5(code)::uuid, id, 'PHONE', 'CONFIRMED',
       timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1 hour',
       case when n % 2 = 0 then timestamptz '2027-01-01 00:00:00+00' end
from (select id, code, row_number() over (order by code) n from institutions) t where n % 3 = 0;
insert into verifications (id, provider_id, method, outcome, verified_at, next_due_at)
select md5(id::text || n)::uuid, id, 'EMAIL', outcome, verified_at,
       case when n % 5 = 0 then verified_at + n * interval '2 days' end
from (select id, number * 6 + check_ as n,
             (array['CONFIRMED', 'CHANGED', 'UNREACHABLE', 'CONFIRMED', 'CLOSED'])
                 [1 + (number + check_ * 3) % 5] as outcome,
             timestamptz '2026-07-03 16:00:00+00'
                 - (number * 37 + check_ * 53) % 250 * interval '1 day' as verified_at
      from (select id, row_number() over (order by name, id) as number from providers limit 60) p,
           generate_series(1, 3) check_) t;
insert into verifications (id, service_id, method, outcome, verified_at)
select md5('called' || id)::uuid, id, 'PHONE', 'CONFIRMED', verified_at
from (select id, row_number() over (order by name, id) as number from services limit 6) s
join (values (1, timestamptz '2026-07-03 16:00:00+00' - interval '2160 hours'),
             (2, timestamptz '2026-07-03 16:00:00+00' - interval '2160 hours 0.000001 seconds'),
             (3, timestamptz '2026-07-03 16:00:00+00' - interval '4320 hours'),
             (4, timestamptz '2026-07-03 16:00:00+00' - interval '4320 hours 0.000001 seconds'),
             (5, timestamptz '2026-07-04 00:00:00+00')) t(number, verified_at) using (number);
insert into verifications (id, visitor_center_id, method, outcome, verified_at)
select md5('seen' || id)::uuid, id, 'SITE_VISIT', 'CHANGED', '2026-06-01'
from visitor_centers limit 9;
update services
set status = (array['ACTIVE', 'INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED'])[1 + n % 4]
from (select id as one, row_number() over (order by name, id) as n from services limit 90) t
where id = one;
update visitor_centers set status = 'DEFUNCT' where slug like '%-c%';
update phones set kind = 'FAX' where number like '%7';
select set_config('directory.role', 'STAFF', false), set_config('directory.actor', 'ana', false);
insert into phones (id, provider_id, number, kind, source_id)
select md5('gone' || n)::uuid, p.id, '+1559555017' || n, 'VOICE', p.source_id
from generate_series(1, 4) n
join (select id, source_id from providers order by name, id limit 1) p on true;
delete from phones where number like '+1559555017_';
select set_config('directory.role', '', false), set_config('directory.actor', '', false);
insert into proposals
    (id, status, origin, record_type, record_key, steps, provider_id, proposer, why, decided_by,
     decided_at, decision, created_at, updated_at)
select md5('proposal' || n)::uuid, status, origin, 'Provider', p.id, '{"steps": [], "ties": []}',
       case when origin = 'PARTNER' then p.id end, 'somebody ' || n % 2,
       case when n > 1 then 'Because ' || n end,
       case when status <> 'PENDING' then 'ana' end,
       case when status <> 'PENDING' then timestamptz '2026-06-01 00:00:00+00' end, null,
       timestamptz '2026-01-01 00:00:00+00' + n * interval '1 day',
       timestamptz '2026-01-01 00:00:00+00' + n * interval '1 day'
from (values (1, 'PENDING', 'PARTNER'), (2, 'ACCEPTED', 'PARTNER'), (3, 'PENDING', 'FEED'),
             (4, 'REJECTED', 'PARTNER')) t(n, status, origin)
join (select id from providers order by name, id limit 1) p on true;
insert into api_keys
    (id, name, role, scopes, provider_id, hash, ending, budget, created_at, revoked_at)
select md5('key' || n)::uuid, 'Key ' || n % 3, role, scopes, p.id, sha256(n::text::bytea),
       'abc' || n, nullif(n * 100, 300),
       timestamptz '2026-01-01 00:00:00+00' + n * interval '1 day',
       case when n = 2 then timestamptz '2026-06-01 00:00:00+00' end
from (values (1, 'PARTNER', '{READ}'::text[]), (2, 'STAFF', '{READ,WRITE}'), (3, 'ADMIN', '{}'),
             (4, 'PARTNER', '{EXPORT}')) t(n, role, scopes)
left join (select id, row_number() over (order by name, id) as n from providers limit 1) p
    using (n);
insert into import_runs
    (id, kind, about, state, dry_run, file, sha256, actor, source_id, rows_read, rows_staged,
     rows_inserted, rows_rejected, rejections, error, started_at, finished_at, started_by, why,
     dated, bytes, tries, step, step_done, step_of)
select md5('run' || n)::uuid, kind, about, state, dry_run, 'file' || n % 2, md5('a') || md5('b'),
       'import:file' || n % 2, s.id, n * 10, n * 20, n, n % 3, n % 3, error,
       timestamptz '2026-06-01 00:00:00+00' + n % 3 * interval '1 hour',
       case when state not in ('STAGING', 'RECEIVING')
            then timestamptz '2026-06-02 00:00:00.5+00' end,
       case when n > 3 then 'bo' end, case when n = 4 then 'It is "new"' end,
       case when n = 4 then timestamptz '2026-05-31 23:59:59.123456+00' end,
       case when n > 3 then n * 1000 end, n % 3, case when n > 4 then 'staged' end,
       nullif(n, 3), case when n = 5 then 9 end
from (values (1, 'HSDS', 'FEED', 'APPLIED', false, null),
             (2, 'CSV', 'Phone', 'FAILED', false, 'file0:1: a NUL byte'),
             (3, 'CSV', null, 'CHECKED', true, null), (4, 'HSDS', 'FEED', 'STAGING', true, null),
             (5, 'HSDS', 'OTHER', 'FAILED', true, 'file1: is empty'),
             (6, 'HSDS', null, 'RECEIVING', true, null),
             (7, 'CSV', 'Phone of A', 'CANCELLED', false, null))
    t(n, kind, about, state, dry_run, error)
left join (select id, row_number() over (order by key) as n from sources limit 1) s using (n);
insert into import_rejections
    (id, run_id, number, place, entity, field, value, reason, message, row_kept)
select md5(r.id::text || n)::uuid, r.id, n, 'file:' || n, case when n > 1 then 'phone' end,
       case when n > 2 then 'number' end, case when n > 2 then '1' end,
       (array['INVALID', 'CONFLICT', 'CONSTRAINT'])[n], 'is no number', n % 2 = 0
from import_runs r, generate_series(1, 3) n where r.state in ('APPLIED', 'FAILED');
insert into phones (id, number, kind, service_at_location_id, source_id)
select md5('there' || id)::uuid, '+14155550100', 'VOICE', id, source_id
from services_at_locations order by id limit 40;
update locations set street = null, city = null, zip = null, latitude = null, longitude = null
where id in (select location_id from institutions where camp_number % 5 = 0);
delete from service_categories where service_id in (select id from services order by id limit 9);
update programs set summary = null where slug like 'c%';
insert into schedules (id, institution_id, kind, opens_at, closes_at, freq, byday, source_id)
select md5(code || kind)::uuid, id, kind, opens_at, '15:00', 'WEEKLY', 'SA,SU', source_id
from institutions, (values ('REGULAR', time '08:00'), ('HOLIDAY', time '10:30')) t(kind, opens_at)
where reentry_hub;
insert into schedule_exceptions (id, institution_id, starts_on, ends_on, closed, source_id)
select md5('closed' || code)::uuid, id, '2026-12-24', '2026-12-26', true, source_id
from institutions where california_model;

-- Visitor centers of every status, some with a second one, some that lack services; a prison with
-- exactly 300 people, one that was counted before it closed, one never counted; a counted camp.
update visitor_centers c set status = (array['ACTIVE', 'INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED',
                                             'UNKNOWN', 'ACTIVE'])[1 + n % 6]
from (select id, row_number() over (order by slug) n from visitor_centers) t where t.id = c.id;
insert into visitor_centers (id, slug, institution_id, name, status, source_id)
select md5(code)::uuid, 'second-' || lower(code), id, 'Second center', 'UNKNOWN', source_id
from institutions where code in ('CAL', 'CCI', 'CEN', 'DVI', 'SQ', 'CAMP-ACTON');
insert into visitor_center_amenities (visitor_center_id, amenity_code)
select md5(code)::uuid, amenity
from (values ('CAL', 'CHILD_CARE'), ('SQ', 'REFERRALS')) t(code, amenity);
delete from visitor_center_amenities o using visitor_centers c, visitor_amenities a
where c.id = o.visitor_center_id and a.code = o.amenity_code
  and (length(c.slug) + length(a.code)) % 4 = 0;
insert into population_counts (id, institution_id, month, in_custody, source_id)
select md5(code || month)::uuid, i.id, month, counted, source_id
from institutions i
join (values ('ASP', date '2026-07-01', 300), ('DVI', date '2021-08-01', 1500),
             ('CAMP-ACTON', date '2026-06-01', 400), ('CIW', date '2026-07-01', 301))
     t(at, month, counted) on t.at = i.code;
delete from population_counts using institutions i where i.id = institution_id and i.code = 'VSP';
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
