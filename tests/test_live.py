"""Live queries: the answer now, and again whenever it is another one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import jsonpatch
import pytest
import pytest_asyncio

from tests.db.scratch import connected, scratch
from tests.serving import serving
from tests.streams import Events, following, socket

NOTE = 'query @live { institution(code: "SQ") { statusNote } }'
PATCHED = """query ($patch: Boolean = true, $live: Boolean = true) @live(if: $live, patch: $patch) {
  institution(code: "SQ") { statusNote }
  institutions(filter: {code: {in: ["SQ", "CAL", "COR"]}}) { nodes { code statusNote } }
}"""


@dataclass(frozen=True)
class Two:
    """Two servers of one directory, and the way to change it behind their backs."""

    one: str
    other: str
    database: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as url:
        yield url


@pytest.fixture(scope="module")
def two(database: str) -> Iterator[Two]:
    with (
        serving(database_url=database, environment="production") as one,
        serving(database_url=database, environment="production", answer_cache_bytes=0) as other,
    ):
        yield Two(one.url, other.url, database)


async def run(url: str, *statements: str) -> None:
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)


def note(text: str, code: str = "SQ") -> str:
    return f"update institutions set status_note = '{text}' where code = '{code}'"


def said(response: Any) -> str:
    text: str = response["data"]["institution"]["statusNote"]
    return text


async def test_an_answer_comes_again_when_it_is_another_one(two: Two) -> None:
    await run(two.database, note("before"))
    async with (
        following(two.one, NOTE) as one,
        following(two.other, NOTE, get=True) as other,
        socket(two.one) as ours,
    ):
        await ours.say({"id": "1", "type": "subscribe", "payload": {"query": NOTE}})
        for told in (await one.next(), await other.next(), await ours.next("1")):
            assert said(told) == "before"
        await run(two.database, note("after"))
        for told in (await one.next(), await other.next(), await ours.next("1")):
            assert told == {"data": {"institution": {"statusNote": "after"}}}


async def nothing_until(stream: Events, url: str, text: str) -> None:
    """The next that is told is this, and nothing was told before it."""
    await asyncio.sleep(0.3)
    await run(url, note(text))
    assert said(await stream.next()) == text


async def test_the_same_answer_is_not_sent_again(two: Two) -> None:
    async with following(two.one, NOTE) as stream:
        await stream.next()
        # Of its table, and of none that it was made from; it reads the same.
        await run(
            two.database,
            note("of another", "CAL"),
            "update counties set name = name || '!' where fips = '06001'",
            "update counties set name = replace(name, '!', '') where fips = '06001'",
        )
        await nothing_until(stream, two.database, "the first that differs")


async def test_what_is_rolled_back_is_not_told(two: Two) -> None:
    async with following(two.one, NOTE) as stream, connected(two.database) as connection:
        await stream.next()
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(note("never"))
        await transaction.rollback()
        await nothing_until(stream, two.database, "committed")


async def test_what_it_reads_through_views_and_functions_is_watched(two: Two) -> None:
    query = """query @live { institution(code: "SQ") {
        visitingStatus(type: NON_CONTACT) { status }
        visitorCenters { nodes { freshness { state } } }
    } }"""
    async with following(two.one, query) as stream:
        first = (await stream.next())["data"]["institution"]
        assert first["visitingStatus"] is None
        await run(
            two.database,
            "insert into visiting_statuses"
            " (id, institution_id, visit_type, status, last_updated, source_id)"
            " select gen_random_uuid(), id, 'NON_CONTACT', 'LIMITED', now(), source_id"
            " from institutions where code = 'SQ'",
        )
        second = (await stream.next())["data"]["institution"]
        assert second["visitingStatus"] == {"status": "LIMITED"}
        await run(
            two.database,
            "insert into verifications (visitor_center_id, method, outcome, verified_at)"
            " select v.id, 'PHONE', 'CONFIRMED', now() from visitor_centers v"
            " join institutions i on i.id = v.institution_id where i.code = 'SQ'",
        )
        third = (await stream.next())["data"]["institution"]
        assert {node["freshness"]["state"] for node in third["visitorCenters"]["nodes"]} == {
            "FRESH"
        }


async def test_the_clock_makes_it_another_answer(two: Two) -> None:
    """Nothing is written when a check grows old: it is AGING two seconds after it was FRESH."""
    async with connected(two.database) as connection:
        days = await connection.fetchval(
            "select fresh_days from freshness_thresholds where kind = 'INSTITUTION'"
        )
        await connection.execute(
            "insert into verifications (institution_id, method, outcome, verified_at)"
            " select id, 'PHONE', 'CONFIRMED',"
            "        now() - make_interval(hours => 24 * $1::int) + interval '2 seconds'"
            " from institutions where code = 'CAL'",
            days,
        )
    query = 'query @live { institution(code: "CAL") { freshness { state } } }'
    async with following(two.one, query) as stream:
        states = [
            (await stream.next())["data"]["institution"]["freshness"]["state"] for _ in range(2)
        ]
    assert states == ["FRESH", "AGING"]


# Deltas


async def test_deltas_are_patches_with_a_number(two: Two) -> None:
    await run(two.database, note("old"), note("same", "CAL"), note("same", "COR"))
    async with following(two.one, PATCHED) as stream:
        first = await stream.next()
        assert first["revision"] == 1
        data = first["data"]
        for revision, (text, code) in enumerate((("new", "SQ"), ("other", "COR")), start=2):
            await run(two.database, note(text, code))
            told = await stream.next()
            assert set(told) == {"patch", "revision"}
            assert told["revision"] == revision
            data = jsonpatch.apply_patch(data, told["patch"])
        # What a client makes of them is what it is told if it asks.
        async with following(two.other, PATCHED, {"patch": False}) as whole:
            assert await whole.next() == {"data": data}


async def test_what_is_shorter_whole_comes_whole(two: Two) -> None:
    query = 'query @live(patch: true) { institution(code: "SQ") { a: statusNote } }'
    async with following(two.one, query) as stream:
        await stream.next()
        await run(two.database, note("x"))
        assert await stream.next() == {"data": {"institution": {"a": "x"}}, "revision": 2}


async def test_it_is_live_only_if_it_says_so(two: Two) -> None:
    async with following(two.one, PATCHED, {"live": False}) as stream:
        assert set(await stream.next()) == {"data"}
        assert (await stream.any()).event == "complete"


async def test_who_has_the_answer_already_is_not_told_it_again(two: Two) -> None:
    await run(two.database, note("known"))
    async with following(two.one, NOTE) as stream:
        await stream.next()
        last = stream.last
    assert last is not None
    async with following(two.other, NOTE, last=last) as stream:
        await nothing_until(stream, two.database, "unknown")
    async with following(two.other, NOTE, last=last) as stream:
        assert said(await stream.next()) == "unknown"


# Faults


async def test_errors_are_told_as_they_are_of_other_queries(two: Two) -> None:
    for query, code in (
        ("query @live { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('query @live(if: "yes") { __typename }', "GRAPHQL_VALIDATION_FAILED"),
        ("query @live @live { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($a: Boolean!) @live(if: $a) { __typename }", "BAD_VARIABLES"),
        (
            "query @live { "
            + " ".join(f"a{n}: counties {{ totalCount }}" for n in range(21))
            + " }",
            "TOO_MANY_ROOT_FIELDS",
        ),
    ):
        async with following(two.one, query) as stream:
            assert [e["extensions"]["code"] for e in (await stream.next())["errors"]] == [code]
            assert (await stream.any()).event == "complete"
    partly = (
        'query @live { institution(code: "SQ") { statusNote } counties(first: 101) { totalCount } }'
    )
    async with following(two.one, partly) as stream:
        response = await stream.next()
        assert response["errors"][0]["extensions"]["code"] == "PAGE_TOO_LARGE"


async def test_lines_that_are_cut_are_taken_up_again(two: Two) -> None:
    async with following(two.one, NOTE) as one, following(two.other, NOTE) as other:
        for stream in (one, other):
            await stream.next()
        async with connected(two.database) as connection:
            for number in range(3):
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'directory' and datname = current_database()"
                )
                # While nobody can hear it.
                await connection.execute(note(f"unheard {number}"))
                for stream in (one, other):
                    told = said(await stream.next())
                    assert told == f"unheard {number}"


async def test_many_who_ask_the_same_share_a_statement(two: Two) -> None:
    """Twenty live queries and one change: Postgres is asked once, not twenty times."""
    query = "query Shared @live { sources(first: 1) { nodes { name } } }"
    async with connected(two.database) as connection:
        streams: list[Any] = []
        try:
            for _ in range(20):
                opened = following(two.one, query)
                streams.append((opened, await opened.__aenter__()))
                await streams[-1][1].next()
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("lock table sources in access exclusive mode")
            async with connected(two.database) as writer:
                # Heard at once, though nobody can read: those who ask wait for the lock.
                await writer.execute("select pg_notify('table_changes', 'sources')")
                await asyncio.sleep(0.5)
                waiting = await writer.fetchval(
                    "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                    " and datname = current_database()"
                )
            await connection.execute("update sources set name = name || '!'")
            await transaction.commit()
            told = [await stream.next() for _, stream in streams]
        finally:
            for opened, _ in streams:
                await opened.__aexit__(None, None, None)
    assert waiting == 1
    assert len({json.dumps(each) for each in told}) == 1
    assert told[0]["data"]["sources"]["nodes"][0]["name"].endswith("!")


async def test_a_burst_of_changes_ends_with_the_last_of_them(two: Two) -> None:
    query = 'query @live { source(key: "BURST") { coverage } }'
    async with connected(two.database) as connection:
        await connection.execute(
            "update sources set key = 'BURST' where id = (select id from sources limit 1)"
        )
    async with following(two.one, query) as stream:
        await stream.next()
        # A hundred transactions, as fast as Postgres can.
        one = "begin; update sources set coverage = '%d' where key = 'BURST'; commit;"
        await run(two.database, " ".join(one % number for number in range(100)))
        told: list[int] = []
        while not told or told[-1] != 99:
            told.append(int((await stream.next())["data"]["source"]["coverage"]))
    # Each of them newer than the one before, and not every one of them.
    assert told == sorted(set(told))
    assert len(told) < 100


async def test_what_nobody_can_watch_is_not_live(two: Two) -> None:
    """A table whose changes are not told."""
    async with connected(two.database) as connection:
        await connection.execute("alter table synonyms disable trigger announced")
        try:
            # Servers learn of it as they would of a migration.
            await connection.execute("select pg_notify('table_changes', 'schema_migrations')")
            await asyncio.sleep(0.5)
            query = 'query @live { category(code: "HOUSING") { synonyms { code } } }'
            async with following(two.one, query) as stream:
                response = await stream.next()
                while "errors" not in response:
                    response = await stream.next()
            assert response["errors"][0]["extensions"]["code"] == "OPERATION_NOT_SUPPORTED"
        finally:
            await connection.execute("alter table synonyms enable trigger announced")
            await connection.execute("select pg_notify('table_changes', 'schema_migrations')")
