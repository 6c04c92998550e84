"""How far to trust a record: when it was checked, what is missing of it, and whether it is open."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.changes import CHANNEL
from db.data.load import load
from db.database import Database
from db.migrate import DIRECTORY, migrate
from tests.db.scratch import CLOCK, connected, scratch, stopped
from tests.kinds import KINDS, LINKS
from tests.roads import data_of
from tests.second_opinion import DAYS, NEEDED, add_completeness, freshness

NOW = datetime.fromisoformat(f"{CLOCK}:00")

# The kinds of record that somebody can check, and where one asks for them.
CHECKED = {
    kind.table: kind.root for kind in KINDS.values() if "verifications" in kind.many and kind.root
}

KEPT = """
    select relname from pg_class
    where relkind = 'v' and relnamespace = 'public'::regnamespace and relname like '%\\_kept\\_%'
"""


@dataclass(frozen=True)
class Place:
    """A directory of one's own, to be written to and asked."""

    url: str
    connection: asyncpg.Connection
    database: Database

    async def check(
        self, table: str, key: object, outcome: str, at: datetime, due: datetime | None = None
    ) -> None:
        """Somebody checks a record."""
        column = DAYS[table][0]
        await self.connection.execute(
            f"insert into verifications ({column}, method, outcome, verified_at, next_due_at)"
            " values ($1, 'PHONE', $2, $3, $4)",
            key,
            outcome,
            at,
            due,
        )

    async def some(self, table: str, count: int = 1) -> list[UUID]:
        """The first records of a table that nobody has checked."""
        found = await self.connection.fetch(
            f"select id from {table} where verified_at is null order by name, id limit $1"
            if table != "program_offerings"
            else f"select id from {table} where verified_at is null order by id limit $1",
            count,
        )
        return [row["id"] for row in found]

    async def freshness(self, table: str, key: UUID) -> Mapping[str, Any]:
        """What is said of a record's last check."""
        name = next(name for name, kind in KINDS.items() if kind.table == table)
        text = f"""query ($id: ID!) {{ node(id: $id) {{ ... on {name} {{
            freshness {{ state verifiedAt method outcome nextDueAt }} }} }} }}"""
        found: Mapping[str, Any] = (await data_of(self.database, text, {"id": f"{name}:{key}"}))[
            "node"
        ]["freshness"]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(loaded_url: str) -> AsyncIterator[Place]:
    """The real directory, to be written to."""
    async with scratch(loaded_url) as url, connected(stopped(url)) as connection:
        database = await Database.open(stopped(url))
        yield Place(url, connection, database)
        await database.close()


@pytest_asyncio.fixture(autouse=True, scope="module", loop_scope="session")
async def nothing_drifts(place: Place) -> AsyncIterator[None]:
    """Whatever these tests write, what is kept is what its view says."""
    yield
    assert await drifted(place.connection) == {}


async def drifted(connection: asyncpg.Connection) -> dict[str, int]:
    """How many rows keep something else than they should, by the view that says so."""
    found = {}
    for (view,) in await connection.fetch(KEPT):
        names = await connection.fetch(
            "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0", view
        )
        columns = [name for (name,) in names if name != "id"]
        table = view.partition("_kept_")[0]
        wrong = await connection.fetchval(
            f"select count(*) from {table} t left join {view} k on k.id = t.id"
            f" where ({', '.join(f't.{name}' for name in columns)})"
            f" is distinct from ({', '.join(f'k.{name}' for name in columns)})"
        )
        if wrong:
            found[view] = wrong
    return found


# Freshness


def test_everybody_who_can_be_checked_is_tested() -> None:
    assert CHECKED.keys() == DAYS.keys()


async def test_nobody_has_checked_the_real_directory(database: Database) -> None:
    """No source states that it checked; an import is no check."""
    for root in CHECKED.values():
        text = f"""{{ {root} {{ groupBy(keys: [FRESHNESS_STATE]) {{ key {{ freshnessState }} }}
            nodes {{ freshness {{ state verifiedAt method outcome nextDueAt }} }} }} }}"""
        found = (await data_of(database, text))[root]
        assert found["groupBy"] == [{"key": {"freshnessState": "NEVER_VERIFIED"}}]
        nothing = dict.fromkeys(("verifiedAt", "method", "outcome", "nextDueAt"))
        for node in found["nodes"]:
            assert node["freshness"] == {"state": "NEVER_VERIFIED", **nothing}


@pytest.mark.parametrize("table", DAYS)
async def test_a_check_is_fresh_to_the_last_moment_and_no_longer(table: str, place: Place) -> None:
    _, fresh, aging = DAYS[table]
    moment = timedelta(microseconds=1)
    ages = {
        timedelta(0): "FRESH",
        timedelta(days=fresh - 1): "FRESH",
        timedelta(days=fresh): "FRESH",
        timedelta(days=fresh) + moment: "AGING",
        timedelta(days=fresh + 1): "AGING",
        timedelta(days=aging): "AGING",
        timedelta(days=aging) + moment: "STALE",
        timedelta(days=5_000): "STALE",
        timedelta(days=-1): "FRESH",
    }
    keys = dict(zip(await place.some(table, len(ages)), ages.items(), strict=True))
    for key, (age, _) in keys.items():
        await place.check(table, key, "CONFIRMED", NOW - age)
    for key, (age, state) in keys.items():
        found = await place.freshness(table, key)
        assert found["state"] == state, age
        assert datetime.fromisoformat(found["verifiedAt"]) == NOW - age
        assert datetime.fromisoformat(found["nextDueAt"]) == NOW - age + timedelta(days=fresh)
        assert (found["method"], found["outcome"]) == ("PHONE", "CONFIRMED")
    # The same by filters and in groups, which ask in another way.
    wanted = Counter(state for _, state in keys.values())
    name = next(name for name, kind in KINDS.items() if kind.table == table)
    text = f"""query ($ids: [ID!]!, $state: FreshnessState!, $others: [FreshnessState!]!) {{
        {CHECKED[table]}(filter: {{id: {{in: $ids}}, freshness: {{state: {{eq: $state}}}}}}) {{
            totalCount }}
        others: {CHECKED[table]}(filter: {{
            id: {{in: $ids}}, freshness: {{state: {{in: $others}}}}}}) {{ totalCount }}
        neither: {CHECKED[table]}(filter: {{
            id: {{in: $ids}}, not: {{freshness: {{state: {{in: $others}}}}}}}}) {{ totalCount }}
        all: {CHECKED[table]}(filter: {{id: {{in: $ids}}}}) {{
            groupBy(keys: [FRESHNESS_STATE]) {{ key {{ freshnessState }} count }} }}
    }}"""
    for state in ("FRESH", "AGING", "STALE", "NEVER_VERIFIED"):
        others = [one for one in ("FRESH", "AGING", "STALE", "NEVER_VERIFIED") if one != state]
        variables = {"ids": [f"{name}:{key}" for key in keys], "state": state, "others": others}
        data = await data_of(place.database, text, variables)
        assert data[CHECKED[table]]["totalCount"] == wanted[state]
        assert data["others"]["totalCount"] == len(keys) - wanted[state]
        assert data["neither"]["totalCount"] == wanted[state]
        groups = {g["key"]["freshnessState"]: g["count"] for g in data["all"]["groupBy"]}
        assert groups == wanted


async def test_a_record_grows_old_by_itself(place: Place) -> None:
    (key,) = await place.some("services")
    await place.check("services", key, "CONFIRMED", NOW)
    states = []
    for days in (0, 90, 91, 180, 181):
        async with connected(place.url) as connection:
            then = (NOW + timedelta(days=days)).isoformat()
            await connection.execute("select set_config('directory.clock', $1, false)", then)
            states.append(
                await connection.fetchval(
                    "select freshness_state(fresh_until, aging_until) from services where id = $1",
                    key,
                )
            )
    assert states == ["FRESH", "FRESH", "AGING", "AGING", "STALE"]


async def test_who_reached_nobody_has_not_checked(place: Place) -> None:
    (key,) = await place.some("providers")
    tomorrow = NOW + timedelta(days=1)
    await place.check("providers", key, "UNREACHABLE", NOW - timedelta(days=3))
    assert await place.freshness("providers", key) == {
        "state": "NEVER_VERIFIED",
        **dict.fromkeys(("verifiedAt", "method", "outcome", "nextDueAt")),
    }
    await place.check("providers", key, "UNREACHABLE", NOW - timedelta(days=2), tomorrow)
    found = await place.freshness("providers", key)
    assert (found["state"], found["verifiedAt"]) == ("NEVER_VERIFIED", None)
    assert datetime.fromisoformat(found["nextDueAt"]) == tomorrow
    # An older check comes in later; it counts, and so does the later attempt's date.
    await place.check("providers", key, "CHANGED", NOW - timedelta(days=100))
    found = await place.freshness("providers", key)
    assert (found["state"], found["outcome"]) == ("AGING", "CHANGED")
    assert datetime.fromisoformat(found["nextDueAt"]) == tomorrow


async def test_what_was_found_closed_is_stale_until_somebody_confirms_it(place: Place) -> None:
    (key,) = await place.some("services")
    await place.check("services", key, "CONFIRMED", NOW - timedelta(days=5))
    await place.check("services", key, "CLOSED", NOW - timedelta(days=4))
    found = await place.freshness("services", key)
    assert (found["state"], found["outcome"], found["nextDueAt"]) == ("STALE", "CLOSED", None)
    assert datetime.fromisoformat(found["verifiedAt"]) == NOW - timedelta(days=4)
    await place.check("services", key, "UNREACHABLE", NOW - timedelta(days=3))
    assert (await place.freshness("services", key))["state"] == "STALE"
    await place.check("services", key, "CONFIRMED", NOW - timedelta(days=6))
    assert (await place.freshness("services", key))["state"] == "STALE"
    await place.check("services", key, "CHANGED", NOW - timedelta(days=2))
    assert (await place.freshness("services", key))["state"] == "FRESH"


async def test_a_check_is_fresh_no_longer_than_its_own_next_date(place: Place) -> None:
    soon, late = await place.some("visitor_centers", 2)
    yesterday, in_a_year = NOW - timedelta(days=1), NOW + timedelta(days=365)
    await place.check("visitor_centers", soon, "CONFIRMED", NOW - timedelta(days=9), yesterday)
    await place.check("visitor_centers", late, "CONFIRMED", NOW - timedelta(days=100), in_a_year)
    found = await place.freshness("visitor_centers", soon)
    assert found["state"] == "AGING"
    assert datetime.fromisoformat(found["nextDueAt"]) == yesterday
    # A later date makes nothing fresh.
    found = await place.freshness("visitor_centers", late)
    assert found["state"] == "AGING"
    assert datetime.fromisoformat(found["nextDueAt"]) == in_a_year
    text = """query ($now: DateTime!) { visitorCenters(
        filter: {freshness: {nextDueAt: {lt: $now}, state: {eq: AGING}}}
        orderBy: [{freshness: {verifiedAt: ASC}}]) { nodes { id } } }"""
    data = await data_of(place.database, text, {"now": NOW.isoformat()})
    assert {"id": f"VisitorCenter:{soon}"} in data["visitorCenters"]["nodes"]


async def test_the_last_one_to_be_written_decides_between_checks_of_one_moment(
    place: Place,
) -> None:
    (key,) = await place.some("programs")
    await place.check("programs", key, "CLOSED", NOW)
    await place.check("programs", key, "CONFIRMED", NOW)
    assert (await place.freshness("programs", key))["outcome"] == "CONFIRMED"


@pytest.mark.parametrize("table", DAYS)
async def test_any_checks_leave_what_python_makes_of_them(table: str, place: Place) -> None:
    column, fresh, aging = DAYS[table]
    dice = random.Random(table)
    keys = await place.some(table, 12)
    events = []
    for _ in range(60):
        at = NOW - timedelta(days=dice.randint(-3, 400), seconds=dice.randint(0, 3))
        due = at + timedelta(days=dice.randint(1, 300)) if dice.random() < 0.4 else None
        outcome = dice.choice(["CONFIRMED", "CHANGED", "UNREACHABLE", "UNREACHABLE", "CLOSED"])
        events.append((dice.choice(keys), dice.choice(["EMAIL", "SITE_VISIT"]), outcome, at, due))
    # One by one, and several by one statement.
    size = dice.randint(2, 20)
    for event in events[size:]:
        await place.connection.execute(
            f"insert into verifications ({column}, method, outcome, verified_at, next_due_at)"
            " values ($1, $2, $3, $4, $5)",
            *event,
        )
    names = [str(index) for index in range(size)]
    await place.connection.execute(
        f"insert into verifications ({column}, method, outcome, verified_at, next_due_at)"
        " select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[],"
        " $5::timestamptz[])",
        *[list(values) for values in zip(*events[: len(names)], strict=True)],
    )
    for key in keys:
        checks = [
            dict(row)
            for row in await place.connection.fetch(
                "select * from verifications where owner_id = $1", key
            )
        ]
        row = await place.connection.fetchrow(
            "select freshness_state(fresh_until, aging_until) as freshness_state, verified_at,"
            " verification_method, verification_outcome, verification_due_at"
            f" from {table} where id = $1",
            key,
        )
        assert dict(row) == freshness(checks, fresh, aging, NOW)


async def test_other_thresholds_hold_at_once(place: Place) -> None:
    (key,) = await place.some("providers")
    await place.check("providers", key, "CONFIRMED", NOW - timedelta(days=10))
    execute = place.connection.execute
    state = f"select freshness_state(fresh_until, aging_until) from providers where id = '{key}'"
    trial = place.connection.transaction()
    await trial.start()
    for fresh, aging, expected in ((10, 11, "FRESH"), (9, 10, "AGING"), (8, 9, "STALE")):
        await execute(
            "update freshness_thresholds set fresh_days = $1, aging_days = $2", fresh, aging
        )
        assert await place.connection.fetchval(state) == expected
    assert await drifted(place.connection) == {}
    await execute("delete from completeness_fields where kind = 'PROVIDER' and field = 'PHONE'")
    missing = "select missing from providers where 'PHONE' = any (missing)"
    assert await place.connection.fetch(missing) == []
    assert await drifted(place.connection) == {}
    await trial.rollback()


async def test_two_who_check_at_once_are_both_heard(place: Place) -> None:
    (key,) = await place.some("providers")
    async with connected(place.url) as one, connected(place.url) as other:
        insert = (
            "insert into verifications (provider_id, method, outcome, verified_at)"
            " values ($1, 'PHONE', 'CONFIRMED', $2)"
        )
        first = one.transaction()
        await first.start()
        await one.execute(insert, key, NOW - timedelta(days=1))
        waiting = asyncio.create_task(other.execute(insert, key, NOW - timedelta(days=100)))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await first.commit()
        await waiting
    found = await place.freshness("providers", key)
    assert datetime.fromisoformat(found["verifiedAt"]) == NOW - timedelta(days=1)


async def test_how_old_a_visiting_status_is_follows_from_its_publisher(place: Place) -> None:
    moment = timedelta(microseconds=1)
    week, month = timedelta(days=7), timedelta(days=30)
    for age, state in {
        timedelta(0): "FRESH",
        week: "FRESH",
        week + moment: "AGING",
        month: "AGING",
        month + moment: "STALE",
    }.items():
        assert state == await place.connection.fetchval(
            "select visiting_status_freshness($1)", NOW - age
        )


async def test_an_index_finds_what_is_fresh(place: Place) -> None:
    for table in ("providers", "services"):
        for state in ("FRESH", "AGING", "STALE", "NEVER_VERIFIED"):
            async with place.connection.transaction():
                # Of a few thousand rows Postgres would rather read them all.
                await place.connection.execute("set local enable_seqscan = off")
                found = await place.connection.fetch(
                    f"explain select count(*) from {table} where listed"
                    f" and freshness_among(fresh_until, aging_until, array['{state}'])"
                )
            explained = "\n".join(line for (line,) in found)
            assert re.search(r"Index Cond: .*aging_until", explained), explained


# What lists show


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def closing(loaded_url: str) -> AsyncIterator[Place]:
    """A directory in which some have closed."""
    async with scratch(loaded_url) as url, connected(stopped(url)) as connection:
        await connection.execute(
            "insert into counties (fips, name, source_id)"
            " select '06901', 'Nowhere', id from sources limit 1"
        )
        for name, county, status in OPENED:
            await connection.execute(
                "with p as (insert into providers (id, slug, name, county_fips, source_id)"
                " select md5($1)::uuid, lower($1), $1, '06901', (select id from sources limit 1)"
                " on conflict (slug) do update set name = excluded.name returning id, source_id),"
                " s as (insert into services (id, provider_id, name, county_fips, status, alert,"
                " source_id) select md5($1 || coalesce($3, ''))::uuid, id, $1 || ' Help', $2, $3,"
                " 'Call first', source_id from p returning id)"
                " insert into service_categories select id, 'HOUSING' from s",
                name,
                county,
                status,
            )
        await connection.execute(
            "insert into services_at_locations (id, service_id, location_id, source_id)"
            " select md5(s.id::text)::uuid, s.id, (select id from locations order by id limit 1),"
            " source_id from services s where alert is not null"
        )
        database = await Database.open(stopped(url))
        yield Place(url, connection, database)
        assert await drifted(connection) == {}
        await database.close()


# A provider, and one of its services, in a county where there is nobody else.
OPENED = [
    ("Alder", "06901", None),
    ("Birch", "06901", "ACTIVE"),
    ("Cedar", "06901", "TEMPORARILY_CLOSED"),
    ("Dogwood", "06901", "DEFUNCT"),
    ("Elder", "06901", "INACTIVE"),
    ("Elder", "06901", "ACTIVE"),
]
SHOWN = ["Alder Help", "Birch Help", "Elder Help"]


async def test_what_has_closed_is_in_no_list_and_no_count(closing: Place) -> None:
    text = """{
        services(filter: {countyFips: {eq: "06901"}}) { ...Names }
        county(fips: "06901") {
            services { ...Names }
            providers { totalCount nodes { name services { totalCount } } }
        }
        category(code: "HOUSING") {
            services(filter: {countyFips: {eq: "06901"}}) { ...Names }
            providers(filter: {countyFips: {eq: "06901"}}) { totalCount nodes { name } }
        }
        providers(filter: {countyFips: {eq: "06901"}}) { groupBy(keys: [COUNTY_FIPS]) { count } }
    }
    fragment Names on ServiceConnection {
        totalCount nodes { name alert } aggregate { count } groupBy(keys: [COUNTY_FIPS]) { count }
    }"""
    data = await data_of(closing.database, text)
    names = {
        "totalCount": 3,
        "nodes": [{"name": name, "alert": "Call first"} for name in SHOWN],
        "aggregate": {"count": 3},
        "groupBy": [{"count": 3}],
    }
    assert data["services"] == data["county"]["services"] == names
    assert data["category"]["services"] == names
    listed = ["Alder", "Birch", "Elder"]
    assert data["county"]["providers"] == {
        "totalCount": 3,
        "nodes": [{"name": name, "services": {"totalCount": 1}} for name in listed],
    }
    assert [node["name"] for node in data["category"]["providers"]["nodes"]] == listed
    assert data["category"]["providers"]["totalCount"] == 3
    assert data["providers"] == {"groupBy": [{"count": 3}]}


async def test_what_has_closed_is_found_by_name_key_or_status_and_says_so(closing: Place) -> None:
    key = await closing.connection.fetchval("select id from services where name = 'Cedar Help'")
    owner = await closing.connection.fetchval("select id from providers where name = 'Cedar'")
    text = """query ($service: ID!, $provider: ID!) {
        named: services(filter: {name: {contains: "cedar help"}}) { nodes { name status alert } }
        keyed: services(filter: {id: {eq: $service}}) { nodes { status } }
        closed: services(filter: {status: {eq: TEMPORARILY_CLOSED}}) { nodes { name } totalCount }
        node(id: $service) { ... on Service { status provider { name } } }
        owned: providers(filter: {name: {eq: "Cedar"}}) { nodes { services { totalCount } } }
        slugged: providers(filter: {slug: {eq: "cedar"}}) { totalCount }
        ids: providers(filter: {id: {in: [$provider]}}) { totalCount }
        provider(slug: "cedar") { name }
        search(text: "Cedar Help", types: [SERVICE]) { nodes { ... on Service { name status } } }
    }"""
    variables = {"service": f"Service:{key}", "provider": f"Provider:{owner}"}
    data = await data_of(closing.database, text, variables)
    status = {"status": "TEMPORARILY_CLOSED"}
    assert data["named"]["nodes"] == [{"name": "Cedar Help", "alert": "Call first", **status}]
    assert data["keyed"]["nodes"] == [status]
    assert data["closed"] == {"nodes": [{"name": "Cedar Help"}], "totalCount": 1}
    assert data["node"] == {**status, "provider": {"name": "Cedar"}}
    assert data["owned"] == {"nodes": [{"services": {"totalCount": 0}}]}
    assert data["slugged"] == data["ids"] == {"totalCount": 1}
    assert data["provider"] == {"name": "Cedar"}
    assert {"name": "Cedar Help", **status} in data["search"]["nodes"]


async def test_a_search_finds_what_has_closed_by_its_name_and_not_by_what_it_did(
    closing: Place,
) -> None:
    text = """{
        did: search(text: "housing", filter: {counties: ["06901"]}, types: [SERVICE, PROVIDER]) {
            nodes { ... on Service { name } ... on Provider { label: name } } }
        named: search(text: "Dogwood", types: [SERVICE, PROVIDER]) {
            nodes { ... on Service { name status } ... on Provider { label: name } } }
    }"""
    data = await data_of(closing.database, text)
    found = {name for node in data["did"]["nodes"] for name in node.values()}
    assert found == {*SHOWN, "Alder", "Birch", "Elder"}
    assert {"name": "Dogwood Help", "status": "DEFUNCT"} in data["named"]["nodes"]
    assert {"label": "Dogwood"} in data["named"]["nodes"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("services: {some: {}}", ["Alder", "Birch", "Elder"]),
        ("services: {none: {}}", []),
        ("services: {none: {status: {eq: INACTIVE}}}", ["Alder", "Birch"]),
        ("services: {some: {status: {in: [INACTIVE, DEFUNCT]}}}", ["Elder"]),
        ("services: {every: {status: {eq: ACTIVE}}}", ["Birch"]),
        ('services: {every: {countyFips: {eq: "06901"}}}', ["Alder", "Birch", "Elder"]),
        ('name: {contains: "d"}, services: {none: {}}', ["Cedar", "Dogwood"]),
        ('or: [{name: {eq: "Dogwood"}}, {services: {none: {}}}]', ["Cedar", "Dogwood"]),
        (
            'services: {some: {categories: {some: {code: {eq: "HOUSING"}}}}}',
            ["Alder", "Birch", "Elder"],
        ),
        ('categories: {some: {code: {eq: "HOUSING"}}}', ["Alder", "Birch", "Elder"]),
        ('name: {eq: "Cedar"}, categories: {some: {}}', []),
        ('name: {eq: "Cedar"}, categories: {none: {}}', ["Cedar"]),
    ],
)
async def test_some_none_and_every_follow_what_lists_show(
    wanted: str, names: list[str], closing: Place
) -> None:
    text = f"""{{ providers(filter: {{countyFips: {{eq: "06901"}}, {wanted}}}) {{
        nodes {{ name }} totalCount }} }}"""
    data = await data_of(closing.database, text)
    assert data["providers"] == {
        "nodes": [{"name": name} for name in names],
        "totalCount": len(names),
    }


async def test_a_place_and_an_order_count_what_lists_show(closing: Place) -> None:
    place = await closing.connection.fetchval("select id from locations order by id limit 1")
    there = await closing.connection.fetchval(
        "select count(*) from services_at_locations a join services s on s.id = service_id"
        " where location_id = $1 and s.alert is null",
        place,
    )
    text = """query ($id: ID!) {
        node(id: $id) { ... on Location { servicesAtLocation(first: 100) {
            totalCount nodes { service { name } } } } }
        counties(orderBy: [{services: {count: DESC}}], filter: {fips: {eq: "06901"}}) {
            nodes { services { totalCount } } }
    }"""
    data = await data_of(closing.database, text, {"id": f"Location:{place}"})
    assert data["node"]["servicesAtLocation"]["totalCount"] == there + 3
    names = [one["service"]["name"] for one in data["node"]["servicesAtLocation"]["nodes"]]
    assert set(SHOWN) <= set(names)
    assert not {"Cedar Help", "Dogwood Help"} & set(names)


async def test_an_order_by_count_does_not_count_what_has_closed(loaded_url: str) -> None:
    async with scratch(loaded_url) as url, connected(url) as connection:
        await connection.execute(
            "update services set status = 'DEFUNCT' where county_fips = '06037'"
        )
        database = await Database.open(stopped(url))
        text = """{ counties(orderBy: [{services: {count: ASC}}], first: 58) { nodes {
            fips services { totalCount } providers { totalCount } } } }"""
        nodes = (await data_of(database, text))["counties"]["nodes"]
        await database.close()
    counts = [node["services"]["totalCount"] for node in nodes]
    assert counts == sorted(counts)
    nobody = {"totalCount": 0}
    assert {"fips": "06037", "services": nobody, "providers": nobody} in nodes


async def test_a_provider_is_listed_again_when_one_thing_opens(closing: Place) -> None:
    async def listed() -> Any:
        return await closing.connection.fetchval(
            "select listed from providers where name = 'Cedar'"
        )

    execute = closing.connection.execute
    cedar = "(select id from providers where name = 'Cedar')"
    assert await listed() is False
    await execute("update services set status = null where name = 'Cedar Help'")
    assert await listed() is True
    await execute("update services set status = 'INACTIVE' where name = 'Cedar Help'")
    assert await listed() is False
    # Who runs a program inside, or a visitor center, is there for it.
    await execute(f"update programs set operator_id = {cedar} where slug = 'arts-in-corrections'")
    assert await listed() is True
    await execute("update programs set operator_id = null where slug = 'arts-in-corrections'")
    assert await listed() is False
    await execute(f"update visitor_centers set operator_id = {cedar} where slug like '%-sq'")
    assert await listed() is True
    await execute("update visitor_centers set status = 'DEFUNCT' where slug like '%-sq'")
    assert await listed() is False
    # A service that moves to another provider leaves none behind.
    await execute(
        "update services set provider_id = (select id from providers where name = 'Dogwood')"
        " where name = 'Cedar Help'"
    )
    assert await listed() is True
    await execute(
        f"update services set provider_id = {cedar}, status = 'TEMPORARILY_CLOSED'"
        " where name = 'Cedar Help'"
    )
    assert await listed() is False


async def test_a_center_that_is_closed_today_stays_and_one_that_is_gone_does_not(
    loaded_url: str,
) -> None:
    async with scratch(loaded_url) as url, connected(url) as connection:
        await connection.execute(
            "update visitor_centers set alert = 'No water', status = case slug"
            " when 'friends-outside-cal' then 'TEMPORARILY_CLOSED' else 'DEFUNCT' end"
            " where slug in ('friends-outside-cal', 'friends-outside-sq')"
        )
        database = await Database.open(stopped(url))
        text = """{
            cal: institution(code: "CAL") { visitorCenters { nodes { status alert } } }
            sq: institution(code: "SQ") { visitorCenters { nodes { status } totalCount } }
            visitorCenters { totalCount }
            gone: visitorCenters(filter: {status: {eq: DEFUNCT}}) { nodes { slug } }
            visitorCenter(slug: "friends-outside-sq") { status alert }
        }"""
        data = await data_of(database, text)
        await database.close()
    assert data["cal"]["visitorCenters"]["nodes"] == [
        {"status": "TEMPORARILY_CLOSED", "alert": "No water"}
    ]
    assert data["sq"]["visitorCenters"] == {"nodes": [], "totalCount": 0}
    assert data["visitorCenters"]["totalCount"] == 30
    assert data["gone"]["nodes"] == [{"slug": "friends-outside-sq"}]
    assert data["visitorCenter"] == {"status": "DEFUNCT", "alert": "No water"}


async def test_pages_of_large_lists_are_read_in_the_order_of_an_index(place: Place) -> None:
    for table, where in (
        ("providers", "listed"),
        ("providers", "listed and county_fips = '06037'"),
        ("services", "listed"),
        ("services", "listed and county_fips = '06037'"),
        ("services", "listed and provider_id = (select id from providers limit 1)"),
    ):
        async with place.connection.transaction():
            await place.connection.execute("set local enable_sort = off")
            await place.connection.execute("set local enable_incremental_sort = off")
            await place.connection.execute(f"analyze {table}")
            page = await place.connection.fetch(
                f"explain select id from {table} where {where} order by name, id limit 21"
            )
        assert not [line for (line,) in page if "Sort" in line], page
        assert [line for (line,) in page if "Index" in line and "Scan" in line], page


async def test_a_load_does_not_open_what_somebody_closed(closing: Place) -> None:
    await closing.connection.execute(
        "update services set status = 'TEMPORARILY_CLOSED', alert = 'Flood'"
        " where source_record_id = 'THRIVE-SB-169'"
    )
    await closing.connection.execute(
        "update services set hours_text = 'wrong' where source_record_id = 'THRIVE-SB-169'"
    )
    await load(closing.url)
    row = await closing.connection.fetchrow(
        "select status, alert, hours_text, listed from services"
        " where source_record_id = 'THRIVE-SB-169'"
    )
    assert row["hours_text"] != "wrong"
    assert (row["status"], row["alert"], row["listed"]) == ("TEMPORARILY_CLOSED", "Flood", False)


# Completeness


async def test_the_weights_of_each_kind_make_a_hundred(place: Place) -> None:
    rows = await place.connection.fetch("select kind, field, weight from completeness_fields")
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["kind"].lower() + "s", {})[row["field"]] = row["weight"]
    assert found == NEEDED
    assert {sum(weights.values()) for weights in found.values()} == {100}


async def test_what_is_missing_of_the_real_directory_is_what_python_misses(
    loaded_url: str,
) -> None:
    async with scratch(loaded_url) as url, connected(url) as connection:
        tables = {
            table: [dict(row) for row in await connection.fetch(f"select * from {table}")]
            for table in {*(kind.table for kind in KINDS.values()), *LINKS}
        }
        kept = {
            (table, row["id"]): (row["missing"], row["completeness"])
            for table in NEEDED
            for row in tables[table]
        }
        assert await drifted(connection) == {}
    add_completeness(tables)
    for table in NEEDED:
        for row in tables[table]:
            assert kept[table, row["id"]] == (row["missing"], row["completeness"]), row
    assert 0 < sum(score == 100 for _, score in kept.values()) < len(kept)


async def test_a_hidden_address_is_not_missing_and_nothing_is_told_of_it(
    database: Database,
) -> None:
    text = """{ providers(filter: {location: {city: {isNull: true}}}, first: 100) {
        nodes { completeness { missing } location { addressVisibility street city zip } } } }"""
    nodes = (await data_of(database, text))["providers"]["nodes"]
    hidden = [node for node in nodes if node["location"]["addressVisibility"] == "HIDDEN"]
    assert hidden
    for node in hidden:
        assert "ADDRESS" not in node["completeness"]["missing"]
        assert (node["location"]["street"], node["location"]["city"]) == (None, None)


async def test_the_emptiest_come_last_and_nobody_is_left_out(database: Database) -> None:
    text = """{
        providers(orderBy: [{completeness: {score: DESC}}], first: 100) {
            totalCount nodes { completeness { score missing } } }
        shells: providers(orderBy: [{completeness: {score: ASC}}], first: 5) {
            nodes { completeness { score missing } } }
        bare: providers(filter: {completeness: {missing: {hasEvery: [PHONE, ADDRESS]}}}) {
            totalCount }
        groups: providers { groupBy(keys: [COMPLETENESS_MISSING]) {
            key { completenessMissing } count } aggregate {
            completeness { score { min max avg } } } }
        all: providers { totalCount }
    }"""
    data = await data_of(database, text)
    scores = [node["completeness"]["score"] for node in data["providers"]["nodes"]]
    assert scores == sorted(scores, reverse=True)
    assert data["providers"]["totalCount"] == data["all"]["totalCount"]
    for node in data["shells"]["nodes"]:
        assert node["completeness"]["score"] == 0
        assert set(node["completeness"]["missing"]) == set(NEEDED["providers"])
    counts = {g["key"]["completenessMissing"]: g["count"] for g in data["groups"]["groupBy"]}
    assert counts.keys() == {*NEEDED["providers"], None}
    score = data["groups"]["aggregate"]["completeness"]["score"]
    assert (score["min"], score["max"]) == (0, 100)
    lost = sum(counts[field] * weight for field, weight in NEEDED["providers"].items())
    assert score["avg"] == pytest.approx(100 - lost / data["all"]["totalCount"])
    assert 0 < data["bare"]["totalCount"] < counts["ADDRESS"]


# What is kept


# Some rows of a table, as a number draws them; and one of several words.
DRAW = """
create function pg_temp.some(rows text, n integer, few integer) returns setof uuid
language plpgsql as $$ begin
    return query execute format('select id from %s order by md5(id::text || %s) limit %s',
                                rows, n, few);
end $$;
create function pg_temp.one_of(n integer, variadic words text[]) returns text
language sql return words[1 + n % cardinality(words)];
"""

# What changes something that is kept of it. SOME(rows), ONE(row) and WORD(...) are drawn.
CHANGES = """
delete from phones where id in SOME('phones')

update phones set kind = WORD('FAX', 'VOICE') where id in SOME('phones')

update phones set provider_id = coalesce(ONE('providers'), provider_id) where id in
    SOME('phones where provider_id is not null')

insert into phones (id, number, kind, service_id, source_id) select gen_random_uuid(),
    '+14155550100', 'VOICE', id, source_id from services where id in SOME('services where
    ''PHONE'' = any (missing)')

insert into phones (id, number, kind, service_at_location_id, source_id) select
    gen_random_uuid(), '+14155550100', 'VOICE', id, source_id from services_at_locations where
    id in SOME('services_at_locations')

update phones set service_at_location_id = coalesce(ONE('services_at_locations'),
    service_at_location_id) where service_at_location_id is not null

insert into phones (id, number, kind, institution_id, source_id) select gen_random_uuid(),
    '+14155550100', 'VOICE', id, source_id from institutions where id in SOME('institutions')

insert into phones (id, number, kind, visitor_center_id, source_id) select gen_random_uuid(),
    '+14155550100', 'VOICE', id, source_id from visitor_centers where id in
    SOME('visitor_centers')

update services set status = WORD('ACTIVE', 'DEFUNCT'), offers = WORD('{}', '{Help}')::text[],
    hours_text = WORD(null, 'Daily') where id in SOME('services')

update services set status = 'DEFUNCT' where provider_id in SOME('providers')

update services set provider_id = coalesce(ONE('providers'), provider_id) where id in
    SOME('services')

insert into services (id, provider_id, name, status, source_id) select gen_random_uuid(), id,
    'New', 'DEFUNCT', source_id from providers where id in SOME('providers where not exists
    (select from services where provider_id = providers.id)')

delete from services where id in SOME('services s where name = ''New'' and not exists (select
    from service_categories where service_id = s.id) and not exists (select from
    services_at_locations where service_id = s.id) and not exists (select from phones where
    service_id = s.id) and not exists (select from schedules where service_id = s.id)')

delete from service_categories where service_id in SOME('services')

insert into service_categories select id, 'HOUSING' from services where id in SOME('services
    where ''CATEGORIES'' = any (missing)')

update service_categories set service_id = coalesce(ONE('services where ''CATEGORIES'' = any
    (missing)'), service_id) where service_id = ONE('services where missing = ''{}''')

insert into services_at_locations (id, service_id, location_id, source_id) select
    gen_random_uuid(), id, ONE('locations'), source_id from services where id in
    SOME('services where not listed or ''ADDRESS'' = any (missing)')

update services_at_locations set service_id = coalesce(ONE('services where ''ADDRESS'' = any
    (missing) and not listed'), service_id) where id = ONE('services_at_locations')

update services_at_locations set location_id = coalesce(ONE('locations'), location_id) where
    id = ONE('services_at_locations')

delete from services_at_locations where id in SOME('services_at_locations a where not exists
    (select from phones where service_at_location_id = a.id) and not exists (select from
    schedules where service_at_location_id = a.id)')

update locations set street = null, city = null, zip = null, latitude = null, longitude =
    null, address_visibility = WORD('PUBLIC', 'HIDDEN', 'PUBLIC') where id in
    SOME('locations')

update locations set city = 'Fresno' where id in SOME('locations where public_city is null')

update providers set website = null, languages = '{es}', location_id = ONE('locations') where
    id in SOME('providers')

insert into providers (id, slug, name, source_id) select gen_random_uuid(), 'new-N', 'New', id
    from sources limit 1

insert into schedules (id, service_id, source_id) select gen_random_uuid(), id, source_id from
    services where id in SOME('services where ''HOURS'' = any (missing)')

insert into schedules (id, service_at_location_id, source_id) select gen_random_uuid(), id,
    source_id from services_at_locations where id in SOME('services_at_locations')

insert into schedules (id, institution_id, source_id) select gen_random_uuid(), id, source_id
    from institutions where id in SOME('institutions where ''HOURS'' = any (missing)')

update schedules set institution_id = coalesce(ONE('institutions where ''HOURS'' = any
    (missing)'), institution_id) where id = ONE('schedules where institution_id is not null')

delete from schedules where id in SOME('schedules')

insert into visiting_statuses (id, institution_id, visit_type, status, last_updated,
    source_id) select gen_random_uuid(), id, 'IN_PERSON', 'OPEN', now(),
    source_id from institutions where id in SOME('institutions where ''VISITING_STATUS'' = any
    (missing)')

insert into institutions (id, code, name, institution_type, status, source_id) select
    gen_random_uuid(), upper('new-N'), 'New', 'STATE_PRISON', 'CLOSED', id from sources limit 1

update institutions set status = 'CLOSED', website = null where id = ONE('institutions where
    status = ''OPEN''')

delete from visitor_center_amenities where visitor_center_id = ONE('visitor_centers')

insert into visitor_center_amenities select id, 'CHILD_CARE' from visitor_centers where
    'AMENITIES' = any (missing)

update visitor_center_amenities set visitor_center_id = coalesce(ONE('visitor_centers where
    ''AMENITIES'' = any (missing)'), visitor_center_id) where visitor_center_id =
    ONE('visitor_centers where not ''AMENITIES'' = any (missing)')

update visitor_centers set status = WORD('ACTIVE', 'DEFUNCT'), operator_id =
    coalesce(ONE('providers where not listed'), operator_id) where id in
    SOME('visitor_centers')

insert into visitor_centers (id, slug, name, institution_id, operator_id, source_id) select
    gen_random_uuid(), 'new-N', 'New', institution_id, ONE('providers where not listed'),
    source_id from visitor_centers where id = ONE('visitor_centers')

delete from visitor_centers where slug like 'new-%' and id not in (select visitor_center_id
    from visitor_center_amenities) and id not in (select visitor_center_id from phones where
    visitor_center_id is not null)

delete from program_categories where program_id = ONE('programs')

insert into program_categories select id, 'HOUSING' from programs where 'CATEGORIES' = any
    (missing)

update program_categories set program_id = coalesce(ONE('programs where ''CATEGORIES'' = any
    (missing)'), program_id) where program_id = ONE('programs where not ''CATEGORIES'' = any
    (missing)')

insert into program_offerings (id, program_id, institution_id, evidence, source_id) select
    gen_random_uuid(), id, ONE('institutions'), 'LISTED', source_id from programs where id in
    SOME('programs where ''INSTITUTIONS'' = any (missing)')

update program_offerings set program_id = coalesce(ONE('programs where ''INSTITUTIONS'' = any
    (missing)'), program_id) where program_id = ONE('programs where not ''INSTITUTIONS'' = any
    (missing)')

delete from program_offerings where verified_at is null and program_id = ONE('programs where
    not ''INSTITUTIONS'' = any (missing)')

update programs set summary = null, operator_id = coalesce(ONE('providers where not listed'),
    operator_id) where id in SOME('programs')

insert into programs (id, slug, name, operator_id, source_id) select gen_random_uuid(),
    'new-N', 'New', ONE('providers where not listed'), source_id from programs limit 1

delete from programs where slug like 'new-%' and verified_at is null and id not in (select
    program_id from program_offerings) and id not in (select program_id from
    program_categories)
"""


def changes(n: int, few: int) -> list[str]:
    """The statements, with what they leave to chance drawn by a number."""
    drawn = [
        (r"SOME\(('(?:[^']|'')*')\)", rf"(select pg_temp.some(\1, {n}, {few}))"),
        (r"ONE\(('(?:[^']|'')*')\)", rf"(select pg_temp.some(\1, {n}, 1))"),
        (r"WORD\(", f"pg_temp.one_of({n}, "),
        (r"new-N", f"new-{n}"),
    ]
    text = CHANGES
    for pattern, by in drawn:
        text = re.sub(pattern, by, text)
    return text.strip().split("\n\n")


async def test_what_is_kept_follows_any_change_of_what_it_is_taken_from(place: Place) -> None:
    """Rows come, change hands and go, of many tables, in statements of one row and of several."""
    await place.connection.execute(DRAW)
    dice = random.Random(4)
    each = len(changes(0, 1))
    for n in range(3 * each):
        statement = changes(dice.randrange(10_000), dice.choice([1, 9, 40]))[n % each]
        await place.connection.execute(statement)
        if n % 5 == 0:
            assert await drifted(place.connection) == {}, statement
    assert await drifted(place.connection) == {}


async def test_two_who_add_to_a_record_at_once_leave_nothing_out(place: Place) -> None:
    key = await place.connection.fetchval(
        "insert into services (id, provider_id, name, source_id)"
        " select gen_random_uuid(), id, 'Alone', source_id from providers limit 1 returning id"
    )
    async with connected(place.url) as one, connected(place.url) as other:
        first = one.transaction()
        await first.start()
        await one.execute("insert into service_categories values ($1, 'HOUSING')", key)
        waiting = asyncio.create_task(
            other.execute("update services set offers = array['Beds'] where id = $1", key)
        )
        await asyncio.sleep(0.1)
        await first.commit()
        await waiting
    missing = await place.connection.fetchval("select missing from services where id = $1", key)
    assert not {"CATEGORIES", "OFFERS"} & set(missing)


async def test_a_directory_that_was_there_before_is_brought_up_to_date(tmp_path: Path) -> None:
    """The migrations find checks and closed services, and keep what follows from them."""
    for file in DIRECTORY.glob("*.sql"):
        if file.name < "0014":
            shutil.copy(file, tmp_path)
    async with scratch() as url:
        await migrate(url, tmp_path)
        async with connected(url) as connection:
            await connection.execute(
                """
                insert into sources (id, key, name) values (gen_random_uuid(), 'a', 'A');
                insert into counties (fips, name, source_id) select '06001', 'A', id from sources;
                insert into providers (id, slug, name, source_id)
                select gen_random_uuid(), 'p', 'P', id from sources;
                insert into services (id, provider_id, name, status, source_id)
                select gen_random_uuid(), id, 'S', 'DEFUNCT', source_id from providers;
                insert into verifications (provider_id, method, outcome, verified_at)
                select id, 'PHONE', 'CONFIRMED', now() from providers;
                """
            )
        await migrate(url)
        async with connected(url) as connection:
            row = await connection.fetchrow(
                "select listed, missing, completeness, verification_outcome,"
                " freshness_state(fresh_until, aging_until) as state from providers"
            )
            assert tuple(row) == (
                False,
                ["PHONE", "ADDRESS", "CATEGORIES", "WEBSITE", "LANGUAGES"],
                0,
                "CONFIRMED",
                "FRESH",
            )
            assert await drifted(connection) == {}


async def test_who_keeps_what_they_kept_is_not_said_to_have_changed(place: Place) -> None:
    """An answer about providers is still good when one of their phones gets an extension."""
    heard: list[str] = []
    done = asyncio.Event()

    def listen(_line: object, _process: int, _channel: str, table: object) -> None:
        heard.append(str(table))
        if table == "done":
            done.set()

    async with connected(place.url) as listener:
        await listener.add_listener(CHANNEL, listen)
        await place.connection.execute(
            "update phones set extension = '7' where id = "
            "(select id from phones where provider_id is not null order by id limit 1)"
        )
        await listener.execute(f"notify {CHANNEL}, 'done'")
        async with asyncio.timeout(10):
            await done.wait()
        await listener.remove_listener(CHANNEL, listen)
    assert "phones" in heard
    assert {"providers", "services"}.isdisjoint(heard)
