"""What staff do, as functions of Postgres: each in one call, and safe beside others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.database import Database
from tests.db.scratch import connected
from tests.roads import data_of
from tests.town import (
    MERGE,
    PEOPLE,
    SOURCE,
    TODAY,
    add,
    alike,
    key,
    merge,
    pair,
    phone,
    prison,
    provider,
    town,
)


@pytest_asyncio.fixture
async def url(migrated_url: str) -> AsyncIterator[str]:
    async with town(migrated_url) as made:
        yield made


@pytest_asyncio.fixture
async def staff(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody of the staff at work."""
    async with connected(url) as connection:
        await connection.execute(PEOPLE)
        yield connection


async def refused(argument: str, asked: Awaitable[Any]) -> None:
    """Whether it is refused in words of ours that name this argument."""
    with pytest.raises(asyncpg.PostgresError) as caught:
        await asked
    assert caught.value.sqlstate == "CR001", caught.value
    assert caught.value.as_dict()["column_name"] == argument, caught.value


# Merging ------------------------------------------------------------------------------------------


async def references(connection: asyncpg.Connection, entity: str) -> set[tuple[str, str]]:
    """The foreign keys to a table, by what Postgres knows of itself."""
    found = await connection.fetch(
        "select tc.table_name, kcu.column_name from information_schema.table_constraints tc"
        " join information_schema.key_column_usage kcu using (constraint_schema, constraint_name)"
        " join information_schema.constraint_column_usage ccu"
        "   using (constraint_schema, constraint_name)"
        " where tc.constraint_type = 'FOREIGN KEY' and ccu.table_name = $1",
        entity,
    )
    return {(table, column) for table, column in found}


async def test_all_that_refers_to_the_merged_one_refers_to_the_kept_one(
    staff: asyncpg.Connection,
) -> None:
    kept, gone = await provider(staff, "Kept"), await provider(staff, "Gone")
    third = await provider(staff, "Third")
    camp = await prison(staff, "CAMP")
    await phone(staff, "Gone", "+15105550001")
    await add(staff, "services", "beds", provider_id=gone, name="Beds")
    await add(staff, "programs", "arts", slug="arts", name="Arts", operator_id=gone)
    await add(
        staff,
        "visitor_centers",
        "gate",
        slug="gate",
        name="Gate",
        institution_id=camp,
        operator_id=gone,
        status="ACTIVE",
    )
    await staff.execute(
        "insert into verifications (provider_id, method, outcome, verified_at)"
        " values ($1, 'PHONE', 'CONFIRMED', '2026-07-01')",
        gone,
    )
    await staff.execute(
        "insert into api_keys (name, role, provider_id, hash, ending)"
        " values ('A partner', 'PARTNER', $1, sha256('secret'), 'cret')",
        gone,
    )
    await staff.execute(
        "insert into proposals (origin, record_type, record_key, steps, provider_id, proposer)"
        " values ('PARTNER', 'Provider', $1::uuid::text, '{}', $1, 'them')",
        gone,
    )
    await alike(staff, gone, third)
    told = await references(staff, "providers")
    for table, column in told - {
        ("duplicate_candidates", "left_id"),
        ("duplicate_candidates", "right_id"),
    }:
        found = await staff.fetchval(f"select count(*) from {table} where {column} = $1", gone)
        # A table that came later has to be among the rows above, too.
        assert found == 1, f"nothing here refers to a provider by {table}.{column}"
    assert await merge(staff, "Kept", "Gone") == kept
    for table, column in told:
        found = await staff.fetchval(f"select count(*) from {table} where {column} = $1", gone)
        assert found == 0, f"{table}.{column}"
    for table, column in told - {
        ("duplicate_candidates", "left_id"),
        ("duplicate_candidates", "right_id"),
    }:
        assert await staff.fetchval(f"select count(*) from {table} where {column} = $1", kept) == 1
    two = await staff.fetchrow("select * from duplicate_candidates")
    assert {two["left_id"], two["right_id"]} == {kept, third}
    assert two["id"] == pair("Kept", "Third")
    assert not await staff.fetchval("select exists (select from providers where id = $1)", gone)


@pytest.mark.parametrize("entity", ["providers", "services", "services_at_locations"])
async def test_no_foreign_key_is_forgotten(staff: asyncpg.Connection, entity: str) -> None:
    moved = await staff.fetch(
        "select referring::text, pointing from refers_to($1::text::regclass)", entity
    )
    assert {tuple(row) for row in moved} == await references(staff, entity)
    await staff.execute(f"create table later (that uuid references {entity})")
    moved = await staff.fetch(
        "select referring::text, pointing from refers_to($1::text::regclass)", entity
    )
    assert ("later", "that") in {tuple(row) for row in moved}


async def test_what_would_be_there_twice_is_dropped_and_stays_in_the_log(
    staff: asyncpg.Connection,
) -> None:
    await provider(staff, "Kept")
    await provider(staff, "Gone")
    mine = await phone(staff, "Kept", "+15105550001")
    double = await phone(staff, "Gone", "+15105550001", source_record_id="other")
    other = await phone(staff, "Gone", "+15105550001", purpose="Intake")
    await merge(staff, "Kept", "Gone")
    assert {row["id"] for row in await staff.fetch("select id from phones")} == {mine, other}
    line = await staff.fetchrow(
        "select operation, role, actor from changes where key = $1 order by seq desc", str(double)
    )
    assert tuple(line) == ("DELETE", "STAFF", "key:ana")


async def test_only_gaps_are_filled(staff: asyncpg.Connection) -> None:
    kept = await provider(staff, "Kept", website="https://kept.org", source_record_id="1")
    await provider(
        staff,
        "Gone",
        website="https://gone.org",
        county_fips="06001",
        org_type="NONPROFIT",
        languages=["es"],
        source_record_id="2",
    )
    await merge(staff, "Kept", "Gone")
    found = await staff.fetchrow("select * from providers where id = $1", kept)
    assert (found["name"], found["slug"], found["website"]) == ("Kept", "kept", "https://kept.org")
    assert (found["county_fips"], found["org_type"], found["languages"]) == (
        "06001",
        "NONPROFIT",
        ["es"],
    )
    # Where it comes from is not a gap: it still comes from its own source.
    assert found["source_record_id"] == "1"
    last = await staff.fetchval(
        "select old from changes where key = $1 and entity = 'providers' order by seq desc limit 1",
        str(kept),
    )
    assert '"county_fips": null' in last


async def test_chains_are_collapsed_and_a_merge_done_twice_changes_nothing(
    staff: asyncpg.Connection,
) -> None:
    a, b, c = [await provider(staff, name) for name in "ABC"]
    assert await merge(staff, "B", "C") == b
    assert await merge(staff, "A", "B") == a
    aliases = await staff.fetch("select value, key from aliases where name = 'id' order by value")
    assert {tuple(row) for row in aliases} == {(str(b), str(a)), (str(c), str(a))}
    slugs = await staff.fetch("select value, key from aliases where name = 'slug'")
    assert {tuple(row) for row in slugs} == {("b", str(a)), ("c", str(a))}
    lines = await staff.fetchval("select count(*) from changes")
    assert await merge(staff, "A", "C") == a
    assert await merge(staff, "B", "C") == a
    assert await staff.fetchval("select count(*) from changes") == lines


async def test_merges_that_make_no_sense_are_refused(staff: asyncpg.Connection) -> None:
    for name in "ABC":
        await provider(staff, name)
    await refused("merged", merge(staff, "A", "A"))
    await refused("merged", merge(staff, "A", "nobody"))
    await refused("kept", merge(staff, "nobody", "A"))
    await refused("kept", staff.fetchval(MERGE, None, key("A"), None))
    await refused("merged", staff.fetchval(MERGE, key("A"), None, None))
    await merge(staff, "A", "B")
    await refused("kept", merge(staff, "B", "A"))
    await refused("merged", merge(staff, "C", "B"))
    # Who was merged into A is meant by A.
    assert await merge(staff, "B", "C") == key("A")


async def test_a_record_that_comes_back_is_itself_again(staff: asyncpg.Connection) -> None:
    await provider(staff, "A")
    await provider(staff, "B")
    await merge(staff, "A", "B")
    await staff.execute("update providers set slug = 'b' where id = $1", key("A"))
    assert await staff.fetchval("select count(*) from aliases where name = 'slug'") == 0
    await staff.execute("update providers set slug = 'a' where id = $1", key("A"))
    await provider(staff, "B")
    assert await staff.fetchval("select count(*) from aliases") == 0


async def test_what_people_decided_of_a_pair_is_decided_of_what_it_is_now(
    staff: asyncpg.Connection,
) -> None:
    for name in ("A", "B", "C"):
        await provider(staff, name)
    for one, other in (("A", "B"), ("A", "C"), ("B", "C")):
        await alike(staff, key(one), key(other))
    apart = "select keep_apart($1, $2)"
    assert await staff.fetchval(apart, pair("B", "C"), "two doors") == pair("B", "C")
    lines = await staff.fetchval("select count(*) from changes")
    assert await staff.fetchval(apart, pair("B", "C"), "two doors") == pair("B", "C")
    assert await staff.fetchval("select count(*) from changes") == lines
    await refused("candidate", staff.fetchval(apart, pair("A", "Z"), None))
    await refused("candidate", staff.fetchval(apart, None, None))
    await merge(staff, "A", "B")
    (told,) = await staff.fetch("select * from duplicate_candidates")
    assert told["id"] == pair("A", "C")
    assert {told["left_id"], told["right_id"]} == {key("A"), key("C")}
    assert (told["decision"], told["decision_note"]) == ("NOT_DUPLICATE", "two doors")
    said = await staff.fetch(
        "select old::jsonb ->> 'decision' from changes where key = $1 and operation = 'DELETE'",
        str(pair("A", "B")),
    )
    assert [row[0] for row in said] == ["MERGED"]


async def test_merged_services_share_what_they_have(staff: asyncpg.Connection) -> None:
    await provider(staff, "A")
    await provider(staff, "B")
    for name, owner in (("one", "A"), ("two", "A"), ("far", "B")):
        await add(staff, "services", name, provider_id=key(owner), name=name)
    place = await add(staff, "locations", "place", address_visibility="PUBLIC")
    other = await add(staff, "locations", "other", address_visibility="PUBLIC")
    for service, where in (("one", place), ("two", place), ("two", other)):
        await add(
            staff,
            "services_at_locations",
            f"{service} {where}",
            service_id=key(service),
            location_id=where,
        )
    twin = key(f"two {place}")
    await add(
        staff, "phones", "there", number="+15105550001", kind="VOICE", service_at_location_id=twin
    )
    for service, category in (("one", "FOOD"), ("two", "FOOD"), ("two", "HOUSING")):
        await staff.execute(
            "insert into service_categories values ($1, $2)", key(service), category
        )
    for service, opens in (("one", "08:00"), ("two", "09:00")):
        await staff.execute(
            "insert into schedule_exceptions"
            " (id, service_id, starts_on, ends_on, closed, opens_at, closes_at, source_id)"
            " values ($1, $2, '2026-07-04', '2026-07-05', false, $3::text::time, '17:00', $4)",
            key(service + opens),
            key(service),
            opens,
            SOURCE,
        )
    ask = "select merge_services($1, $2)"
    await refused("merged", staff.fetchval(ask, key("one"), key("far")))
    assert await staff.fetchval(ask, key("one"), key("two")) == key("one")
    where = await staff.fetch("select id, service_id, location_id from services_at_locations")
    assert {tuple(row) for row in where} == {
        (key(f"one {place}"), key("one"), place),
        (key(f"two {other}"), key("one"), other),
    }
    phones = await staff.fetch("select service_at_location_id from phones")
    assert [row[0] for row in phones] == [key(f"one {place}")]
    categories = await staff.fetch("select category_code from service_categories order by 1")
    assert [row[0] for row in categories] == ["FOOD", "HOUSING"]
    hours = await staff.fetch("select opens_at::text from schedule_exceptions")
    assert [row[0] for row in hours] == ["08:00:00"]
    aliases = await staff.fetch("select entity, value, key from aliases")
    assert {tuple(row) for row in aliases} == {
        ("services", str(key("two")), str(key("one"))),
        ("services_at_locations", str(twin), str(key(f"one {place}"))),
    }


async def test_merges_that_cross_happen_one_after_the_other(url: str) -> None:
    async def at_once(kept: str, merged: str) -> str:
        async with connected(url) as connection:
            await connection.execute(PEOPLE)
            try:
                await merge(connection, kept, merged)
            except asyncpg.PostgresError as error:
                if error.sqlstate != "CR001":
                    raise
                return "refused"
            return "merged"

    async with connected(url) as connection:
        for name in "ABCD":
            await provider(connection, name)
            await phone(connection, name, f"+1510555000{ord(name) % 10}")
        for one, other in (("A", "B"), ("B", "C"), ("C", "D"), ("A", "D")):
            await alike(connection, key(one), key(other))
    crossing = [at_once("A", "B"), at_once("B", "A"), at_once("C", "B"), at_once("D", "C")]
    outcomes = await asyncio.gather(*crossing)
    assert sorted(outcomes[:2]) == ["merged", "refused"] or outcomes[2] == "merged"
    async with connected(url) as connection:
        left = await connection.fetchval("select count(*) from providers")
        aliases = await connection.fetch("select value, key from aliases where name = 'id'")
        assert left + len(aliases) == 4
        there = {str(row["id"]) for row in await connection.fetch("select id from providers")}
        assert {row["key"] for row in aliases} <= there
        assert not {row["value"] for row in aliases} & there
        assert await connection.fetchval("select count(*) from phones") == 4


# Visiting -----------------------------------------------------------------------------------------

PUBLISH = (
    "select publish_visiting_status($1, $2, $3, exceptions => $4, from_date => $5,"
    " contact_email => $6)"
)
STATE = "select hours_state($1, $2, 'IN_PERSON')"


async def publish(
    connection: asyncpg.Connection,
    code: str,
    status: str,
    exceptions: str | None = None,
    from_date: date | None = None,
    visit_type: str = "IN_PERSON",
    contact_email: str | None = None,
) -> UUID:
    made: UUID = await connection.fetchval(
        PUBLISH, key(code), visit_type, status, exceptions, from_date, contact_email
    )
    return made


async def open_daily(connection: asyncpg.Connection, code: str) -> UUID:
    """A prison with visiting on all days from 8 to 15."""
    id = await prison(connection, code)
    await connection.execute(
        "insert into schedules (id, institution_id, freq, byday, opens_at, closes_at, source_id)"
        " values ($1, $2, 'WEEKLY', 'MO,TU,WE,TH,FR,SA,SU', '08:00', '15:00', $3)",
        key(f"{code} daily"),
        id,
        SOURCE,
    )
    return id


def noon(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 19, tzinfo=UTC)


async def current(connection: asyncpg.Connection, code: str) -> list[tuple[str, str]]:
    rows = await connection.fetch(
        "select visit_type, status from current_visiting_statuses where institution_id = $1"
        " order by 1",
        key(code),
    )
    return [tuple(row) for row in rows]


async def test_a_status_holds_from_its_day_on_and_not_before(staff: asyncpg.Connection) -> None:
    await open_daily(staff, "SQ")
    await publish(staff, "SQ", "OPEN")
    later = await publish(staff, "SQ", "CLOSED", "a lockdown", date(2026, 7, 10))
    assert await current(staff, "SQ") == [("IN_PERSON", "OPEN")]
    assert await staff.fetchval(STATE, key("SQ"), noon(7, 9)) == "OPEN"
    assert await staff.fetchval(STATE, key("SQ"), noon(7, 10)) == "CLOSED"
    # Nothing changes by itself between now and then but hours and days.
    await staff.execute("set directory.clock = '2026-07-09 23:30-07'")
    assert await current(staff, "SQ") == [("IN_PERSON", "OPEN")]
    assert await staff.fetchval("select next_instant()") == datetime(2026, 7, 10, 7, tzinfo=UTC)
    await staff.execute("set directory.clock = '2026-07-10 00:00-07'")
    assert await current(staff, "SQ") == [("IN_PERSON", "CLOSED")]
    # A correction is a new one: what was said last of a moment counts.
    await staff.execute("set directory.clock = '2026-07-04 12:00-07'")
    await publish(staff, "SQ", "LIMITED", None, date(2026, 7, 10))
    await staff.execute("set directory.clock = '2026-07-10 00:00-07'")
    assert await current(staff, "SQ") == [("IN_PERSON", "LIMITED")]
    assert await staff.fetchval("select count(*) from visiting_statuses") == 3
    row = await staff.fetchrow(
        "select s.key, v.* from visiting_statuses v join sources s on s.id = source_id"
        " where v.id = $1",
        later,
    )
    assert (row["key"], row["last_updated"]) == ("staff", noon(7, 3).replace(hour=16))


async def test_statuses_that_make_no_sense_are_refused(staff: asyncpg.Connection) -> None:
    await prison(staff, "SQ")
    await prison(staff, "OLD", status="CLOSED")
    await refused("institution", publish(staff, "NOWHERE", "OPEN"))
    await refused("institution", staff.fetchval(PUBLISH, None, None, None, None, None, None))
    await refused("visitType", publish(staff, "SQ", "OPEN", visit_type="TELEPATHY"))
    await refused("status", publish(staff, "SQ", "AJAR"))
    await refused("fromDate", publish(staff, "SQ", "OPEN", from_date=date(2026, 7, 2)))
    await refused("fromDate", publish(staff, "SQ", "OPEN", from_date=date(2027, 12, 1)))
    await refused("fromDate", publish(staff, "SQ", "OPEN", from_date=date.max))
    await refused("contactEmail", publish(staff, "SQ", "OPEN", contact_email="nobody"))
    await refused("status", publish(staff, "OLD", "OPEN"))
    await publish(staff, "OLD", "CLOSED")
    ask = "select publish_visiting_status($1, 'VIDEO', 'OPEN', source_id => $2)"
    await refused("source", staff.fetchval(ask, key("SQ"), key("no source")))


# Closing ------------------------------------------------------------------------------------------

CLOSE = "select close_institution($1, $2, $3)"


async def close(connection: asyncpg.Connection, code: str, day: date | None) -> UUID:
    got: UUID = await connection.fetchval(CLOSE, key(code), day, "Closed for good.")
    return got


async def furnished(connection: asyncpg.Connection, code: str) -> UUID:
    """A prison with all that ends with it."""
    id = await open_daily(connection, code)
    await connection.execute(
        "insert into population_counts (id, institution_id, month, in_custody, source_id)"
        " values ($1, $2, '2026-05-01', 900, $3)",
        key(f"{code} people"),
        id,
        SOURCE,
    )
    await publish(connection, code, "OPEN")
    await publish(connection, code, "OPEN", visit_type="VIDEO")
    await publish(connection, code, "OPEN_WITH_EXCEPTIONS", "yard B", date(2026, 9, 1))
    center = await add(
        connection,
        "visitor_centers",
        f"{code} gate",
        slug=f"{code.lower()}-gate",
        name="Gate",
        institution_id=id,
        status="ACTIVE",
    )
    await connection.execute(
        "insert into schedules"
        " (id, visitor_center_id, freq, byday, dtstart, count, opens_at, closes_at, source_id)"
        " values ($1, $2, 'WEEKLY', 'FR', '2026-06-05', 20, '07:00', '16:00', $3)",
        key(f"{code} fridays"),
        center,
        SOURCE,
    )
    for name in ("Arts", "Dogs"):
        program = await add(
            connection,
            "programs",
            f"{code} {name}",
            slug=f"{code.lower()}-{name.lower()}",
            name=name,
        )
        await add(
            connection,
            "program_offerings",
            f"{code} {name} there",
            program_id=program,
            institution_id=id,
            status="ACTIVE",
            evidence="LISTED",
        )
    return id


async def running(connection: asyncpg.Connection, code: str) -> int:
    count: int = await connection.fetchval(
        "select count(*) from ongoing_offerings where institution_id = $1", key(code)
    )
    return count


async def gaps(connection: asyncpg.Connection, code: str) -> int:
    count: int = await connection.fetchval(
        "select count(*) from visitor_service_gaps where institution_id = $1", key(code)
    )
    return count


async def test_a_prison_closes_with_all_that_is_there(staff: asyncpg.Connection) -> None:
    id = await furnished(staff, "SQ")
    await furnished(staff, "CMC")
    gate = key("SQ gate")
    assert await staff.fetchval(STATE, id, noon(7, 3)) == "OPEN"
    assert await gaps(staff, "SQ") > 0
    assert await close(staff, "SQ", TODAY) == id
    found = await staff.fetchrow("select * from institutions where id = $1", id)
    assert (found["status"], found["closed_on"], found["status_note"]) == (
        "CLOSED",
        TODAY,
        "Closed for good.",
    )
    assert await current(staff, "SQ") == [("IN_PERSON", "CLOSED"), ("VIDEO", "CLOSED")]
    assert await staff.fetchval(STATE, id, noon(7, 3)) == "CLOSED"
    assert await staff.fetchval(STATE, id, noon(7, 2)) == "OPEN"
    assert await staff.fetchval("select hours_state($1)", gate) == "CLOSED"
    assert (await running(staff, "SQ"), await gaps(staff, "SQ")) == (0, 0)
    offerings = await staff.fetch(
        "select status, ended_on from program_offerings where institution_id = $1", id
    )
    assert [tuple(row) for row in offerings] == [("ENDED", TODAY)] * 2
    center = await staff.fetchrow("select * from visitor_centers where id = $1", gate)
    assert (center["status"], center["listed"], center["alert"]) == (
        "DEFUNCT",
        False,
        "Closed for good.",
    )
    ends = await staff.fetch(
        "select ends_on, count from schedules where owner_id in ($1, $2)", id, gate
    )
    assert [tuple(row) for row in ends] == [(date(2026, 7, 2), None)] * 2
    # What was announced before does not open it again.
    await staff.execute("set directory.clock = '2026-09-02 12:00-07'")
    assert await current(staff, "SQ") == [("IN_PERSON", "CLOSED"), ("VIDEO", "CLOSED")]
    # Others go on.
    assert await running(staff, "CMC") == 2
    assert await current(staff, "CMC") == [("IN_PERSON", "OPEN_WITH_EXCEPTIONS"), ("VIDEO", "OPEN")]


PAGE = """{ institution(code: "SQ") {
    status closedOn visitingNow visitingState visitingOn(day: { date: "2026-07-05" })
    video: visitingStatus(type: VIDEO) { status exceptions }
    nextVisiting { date }
    programs { totalCount } programCategories { totalCount }
    ended: programOfferings(filter: { status: { eq: ENDED } }) { totalCount nodes { endedOn } }
    programOfferings { totalCount }
    visitorCenters { totalCount }
    visitorCenterRequired visitorServiceGaps { kind }
} }"""


async def test_its_page_says_so(url: str) -> None:
    async with connected(url) as connection:
        await furnished(connection, "SQ")
        await close(connection, "SQ", TODAY)
    database = await Database.open(url)
    try:
        page = (await data_of(database, PAGE))["institution"]
    finally:
        await database.close()
    assert page == {
        "status": "CLOSED",
        "closedOn": "2026-07-03",
        "visitingNow": False,
        "visitingState": "CLOSED",
        "visitingOn": False,
        "video": {"status": "CLOSED", "exceptions": "Closed for good."},
        "nextVisiting": None,
        "programs": {"totalCount": 0},
        "programCategories": {"totalCount": 0},
        "ended": {"totalCount": 2, "nodes": [{"endedOn": "2026-07-03"}] * 2},
        "programOfferings": {"totalCount": 2},
        "visitorCenters": {"totalCount": 0},
        "visitorCenterRequired": False,
        "visitorServiceGaps": [],
    }


async def test_who_follows_is_told_what_will_hold(staff: asyncpg.Connection) -> None:
    await prison(staff, "SQ")
    now = await publish(staff, "SQ", "OPEN")
    ahead = await publish(staff, "SQ", "CLOSED", None, date(2026, 7, 10))
    cursors = await staff.fetch(
        "select xid || '.' || seq as cursor from changes where entity = 'visiting_statuses'"
        " order by seq"
    )
    told = await staff.fetch(
        "select visiting_status_id, cleared from visiting_status_changes($1, null)",
        [row["cursor"] for row in cursors],
    )
    assert {tuple(row) for row in told} == {(now, False), (ahead, False)}


async def test_a_closing_that_lies_ahead_comes_by_itself(staff: asyncpg.Connection) -> None:
    id = await furnished(staff, "SQ")
    day = date(2026, 8, 1)
    await close(staff, "SQ", day)
    for clock, closed in (("2026-07-31 12:00-07", False), ("2026-08-01 12:00-07", True)):
        await staff.execute(f"set directory.clock = '{clock}'")
        state = "CLOSED" if closed else "OPEN"
        assert await staff.fetchval("select hours_state($1, null, 'IN_PERSON')", id) == state
        friday = datetime(2026, 7, 31, 19, tzinfo=UTC)
        assert await staff.fetchval("select hours_state($1, $2)", key("SQ gate"), friday) == "OPEN"
        later = datetime(2026, 8, 7, 19, tzinfo=UTC)
        assert await staff.fetchval("select hours_state($1, $2)", key("SQ gate"), later) == "CLOSED"
        assert await current(staff, "SQ") == [("IN_PERSON", state), ("VIDEO", state)]
        assert await running(staff, "SQ") == (0 if closed else 2)
        assert (await gaps(staff, "SQ") == 0) == closed
    assert await staff.fetchval("select status from institutions where id = $1", id) == "CLOSING"
    # On that day or after it, the same call makes an end of it.
    await close(staff, "SQ", day)
    assert await staff.fetchval("select status from institutions where id = $1", id) == "CLOSED"
    status = "select status from visitor_centers where id = $1"
    assert await staff.fetchval(status, key("SQ gate")) == "DEFUNCT"


@pytest.mark.parametrize("day", [date(2026, 5, 1), TODAY, date(2026, 8, 1)])
async def test_closing_twice_changes_nothing(staff: asyncpg.Connection, day: date) -> None:
    await furnished(staff, "SQ")
    await close(staff, "SQ", day)
    lines = await staff.fetchval("select count(*) from changes")
    assert await close(staff, "SQ", day) == key("SQ")
    assert await staff.fetchval("select count(*) from changes") == lines
    await refused("closedOn", close(staff, "SQ", date(2026, 8, 2)))


async def test_a_camp_without_anything_closes(staff: asyncpg.Connection) -> None:
    await prison(staff, "CAMP", institution_type="CONSERVATION_CAMP", opened_year=1960)
    for day in (None, date(1959, 12, 31), date(2040, 1, 1), date.max, date.min):
        await refused("closedOn", close(staff, "CAMP", day))
    await refused("institution", close(staff, "NOWHERE", TODAY))
    await refused("institution", staff.fetchval(CLOSE, None, TODAY, None))
    assert await close(staff, "CAMP", TODAY) == key("CAMP")
    assert await current(staff, "CAMP") == []
    assert await staff.fetchval("select count(*) from visiting_statuses") == 0


async def test_a_day_says_more_than_a_month(staff: asyncpg.Connection) -> None:
    known = {"closed_on": date(2024, 1, 1), "closed_on_precision": "YEAR"}
    await prison(staff, "OLD", status="CLOSED", **known)
    await refused("closedOn", close(staff, "OLD", date(2025, 1, 1)))
    await close(staff, "OLD", date(2024, 11, 30))
    found = await staff.fetchrow("select closed_on, closed_on_precision from institutions")
    assert tuple(found) == (date(2024, 11, 30), "DAY")


async def test_who_closes_and_who_publishes_at_once_agree_in_the_end(url: str) -> None:
    async with connected(url) as connection:
        await furnished(connection, "SQ")

    async def closing() -> None:
        async with connected(url) as connection:
            await close(connection, "SQ", TODAY)

    async def publishing() -> None:
        async with connected(url) as connection:
            try:
                await publish(connection, "SQ", "OPEN")
            except asyncpg.PostgresError as error:
                if error.sqlstate != "CR001":
                    raise

    await asyncio.gather(*(closing() if n % 2 else publishing() for n in range(8)))
    async with connected(url) as connection:
        assert await current(connection, "SQ") == [("IN_PERSON", "CLOSED"), ("VIDEO", "CLOSED")]


# Checks -------------------------------------------------------------------------------------------

CHECK = (
    "select record_verification($1, $2, provider_id => $3, institution_id => $4,"
    " verified_at => $5, next_due_at => $6)"
)


async def test_a_check_is_recorded_and_the_next_one_is_due(staff: asyncpg.Connection) -> None:
    id = await provider(staff, "A")
    await provider(staff, "B")
    await merge(staff, "A", "B")
    # Of whom was merged, too.
    await staff.fetchval(CHECK, "PHONE", "CONFIRMED", key("B"), None, None, None)
    due = "select verification_due_at, verification_method from providers where id = $1"
    found = await staff.fetchrow(due, id)
    assert tuple(found) == (datetime(2026, 10, 1, 16, tzinfo=UTC), "PHONE")
    soon = datetime(2026, 7, 20, tzinfo=UTC)
    await staff.fetchval(CHECK, "EMAIL", "UNREACHABLE", id, None, None, soon)
    assert (
        await staff.fetchval("select verification_due_at from providers where id = $1", id) == soon
    )


async def test_checks_that_make_no_sense_are_refused(staff: asyncpg.Connection) -> None:
    a, sq = await provider(staff, "A"), await prison(staff, "SQ")
    past, ahead = datetime(1999, 1, 1, tzinfo=UTC), datetime(2026, 7, 4, tzinfo=UTC)
    for argument, given in (
        ("institution", ("PHONE", "CONFIRMED", None, None, None, None)),
        ("institution", ("PHONE", "CONFIRMED", a, sq, None, None)),
        ("institution", ("PHONE", "CONFIRMED", None, key("nowhere"), None, None)),
        ("provider", ("PHONE", "CONFIRMED", key("nobody"), None, None, None)),
        ("method", ("DREAM", "CONFIRMED", a, None, None, None)),
        ("method", (None, "CONFIRMED", a, None, None, None)),
        ("outcome", ("PHONE", None, a, None, None, None)),
        ("verifiedAt", ("PHONE", "CONFIRMED", a, None, ahead, None)),
        ("verifiedAt", ("PHONE", "CONFIRMED", a, None, past, None)),
        ("nextDueAt", ("PHONE", "CONFIRMED", a, None, None, past)),
        ("nextDueAt", ("PHONE", "CONFIRMED", a, None, None, datetime.max.replace(tzinfo=UTC))),
    ):
        await refused(argument, staff.fetchval(CHECK, *given))


# Exceptions of hours ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("endsOn", "'2026-07-05', '2026-07-04', true, null, null, null, null"),
        ("startsOn", "'-infinity', '2026-07-04', true, null, null, null, null"),
        ("endsOn", "'2026-07-04', 'infinity', true, null, null, null, null"),
        ("closed", "'2026-07-05', '2026-07-05', true, '08:00', null, null, null"),
        ("closesAt", "'2026-07-05', '2026-07-05', false, '08:00', null, null, null"),
        ("opensAt", "'2026-07-05', '2026-07-05', false, null, null, null, null"),
        ("startsOn", "'2026-07-04', '2026-07-06', true, null, null, null, null"),
        ("", "'2026-07-04', '2026-07-06', true, null, null, 'VIDEO', null"),
        ("", "'2026-07-04', '2026-07-06', true, null, null, null, 'B'"),
        ("", "'2026-07-06', '2026-07-06', true, null, null, null, null"),
    ],
)
async def test_exceptions_are_refused_in_words(
    staff: asyncpg.Connection, argument: str, values: str
) -> None:
    id = await prison(staff, "SQ")
    add_one = (
        "insert into schedule_exceptions (id, institution_id, source_id, starts_on, ends_on,"
        " closed, opens_at, closes_at, visit_type, yard)"
        f" values (gen_random_uuid(), '{id}', '{SOURCE}', "
    )
    await staff.execute(f"{add_one} '2026-07-05', '2026-07-05', true, null, null, null, null)")
    asked = staff.execute(f"{add_one} {values})")
    if argument:
        await refused(argument, asked)
    else:
        await asked


async def test_nobody_else_may_act(url: str) -> None:
    async with connected(url) as connection:
        for call in (
            "merge_providers(null, null)",
            "merge_services(null, null)",
            "keep_apart(null)",
            "close_institution(null, null)",
            "publish_visiting_status(null, null, null)",
            "record_verification(null, null)",
            "merge_records('providers', '', '')",
        ):
            async with connection.transaction():
                await connection.execute("set local role directory_partner")
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with connection.transaction():
                        await connection.execute(f"select {call}")
