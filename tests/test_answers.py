"""Answers that are kept: given again without a statement, and never once they have changed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from tests.db.scratch import connected, scratch
from tests.serving import serving

NOTE = '{ institution(code: "SQ") { statusNote } }'
COUNTIES = "{ counties(first: 3) { nodes { name } } }"


@dataclass(frozen=True)
class Two:
    """Two servers of one directory, and the way to change it behind their backs."""

    one: str
    other: str
    database: str


@pytest.fixture(scope="module")
async def two(loaded_url: str) -> AsyncIterator[Two]:
    async with scratch(loaded_url) as url:
        with serving(database_url=url) as one, serving(database_url=url) as other:
            yield Two(one.url, other.url, url)


@asynccontextmanager
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as opened:
        yield opened


async def get(asker: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    return await asker.get("/graphql", params={"query": query}, headers=headers)


def kept(response: httpx.Response) -> bool:
    return response.headers["server-timing"] == "kept"


async def keeping(asker: httpx.AsyncClient, query: str) -> httpx.Response:
    """The answer, once it is one that was kept."""
    for _ in range(200):
        response = await get(asker, query)
        if kept(response):
            return response
        await asyncio.sleep(0.05)
    raise AssertionError("it is never kept")


async def note(url: str, text: str) -> None:
    async with connected(url) as connection:
        await connection.execute("update institutions set status_note = $1 where code = 'SQ'", text)


async def test_an_answer_is_given_again_while_its_tables_cannot_even_be_read(two: Two) -> None:
    async with client(two.one) as asker, connected(two.database) as connection:
        first = await keeping(asker, COUNTIES)
        async with connection.transaction():
            await connection.execute("lock table counties in access exclusive mode")
            again = await get(asker, COUNTIES)
            same = await get(asker, COUNTIES, **{"if-none-match": first.headers["etag"]})
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == first.headers["etag"]
        assert same.headers["vary"] == first.headers["vary"]


ABOUT_SOMEBODY = """{ program(slug: "isudt") { name fits(for: {audience: [PAROLE]}) } }"""


async def test_what_is_answered_to_somebody_about_themselves_is_kept_by_nobody(two: Two) -> None:
    body = {"query": ABOUT_SOMEBODY}
    async with client(two.one) as asker, connected(two.database) as connection:
        for _ in range(3):
            got, posted = await get(asker, ABOUT_SOMEBODY), await asker.post("/graphql", json=body)
            for response in (got, posted):
                assert response.json()["data"]["program"]["fits"] is False
                assert response.headers["cache-control"] == "no-store"
                assert "etag" not in response.headers
                assert not kept(response)
        # Of the next one Postgres is asked, too.
        await connection.execute("update programs set audience = '{PAROLE}' where slug = 'isudt'")
        changed = await get(asker, ABOUT_SOMEBODY, **{"if-none-match": "*"})
        assert changed.status_code == 200
        assert changed.json()["data"]["program"]["fits"] is True


async def test_all_servers_give_an_answer_the_same_tag_and_take_each_others(two: Two) -> None:
    async with client(two.one) as one, client(two.other) as other:
        tag = (await get(one, COUNTIES)).headers["etag"]
        assert (await get(other, COUNTIES)).headers["etag"] == tag
        known = f'"something else", W/{tag}'
        assert (await get(other, COUNTIES, **{"if-none-match": known})).status_code == 304
        assert (await get(other, COUNTIES, **{"if-none-match": "*"})).status_code == 304
        assert (await get(other, COUNTIES, **{"if-none-match": '"x"'})).status_code == 200


async def test_a_change_is_seen_by_all_and_other_answers_stay(two: Two) -> None:
    async with client(two.one) as one, client(two.other) as other:
        for asker in (one, other):
            await keeping(asker, NOTE)
            await keeping(asker, COUNTIES)
        await note(two.database, "seen")
        await asyncio.sleep(0.3)
        for asker in (one, other):
            changed = await get(asker, NOTE)
            assert changed.json() == {"data": {"institution": {"statusNote": "seen"}}}
            assert not kept(changed)
            assert kept(await get(asker, COUNTIES))


async def test_a_post_is_kept_too_but_has_no_tag(two: Two) -> None:
    async with client(two.one) as asker:
        body = json.dumps({"query": COUNTIES, "variables": {}})
        for _ in range(2):
            response = await asker.post(
                "/graphql", content=body, headers={"content-type": "application/json"}
            )
        assert kept(response)
        assert "etag" not in response.headers


async def test_what_has_errors_is_never_kept(two: Two) -> None:
    partial = '{ institution(code: "SQ") { name } counties(first: 101) { nodes { name } } }'
    async with client(two.one) as asker:
        for query in (partial, "{ nothing }"):
            for _ in range(3):
                response = await get(asker, query)
                assert response.headers.get("server-timing") != "kept"
                assert response.headers["cache-control"] == "no-store"
                assert "etag" not in response.headers


_WAITING = (
    "select count(*) from pg_stat_activity"
    " where wait_event_type = 'Lock' and datname = current_database()"
)


async def test_those_who_ask_the_same_at_once_share_one_statement(two: Two) -> None:
    query = "{ sources(first: 1) { nodes { name } } }"
    async with client(two.one) as asker, connected(two.database) as connection:
        await keeping(asker, COUNTIES)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("lock table sources in access exclusive mode")
        tasks = [asyncio.ensure_future(get(asker, query)) for _ in range(20)]
        async with connected(two.database) as watcher:
            while not await watcher.fetchval(_WAITING):  # noqa: ASYNC110  # Postgres has no event for it
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            assert await watcher.fetchval(_WAITING) == 1
            # Whoever asked first hangs up; the question is still answered for the others.
            tasks[0].cancel()
            await asyncio.sleep(0.3)
        await transaction.rollback()
        answers = await asyncio.gather(*tasks[1:])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


@dataclass
class History:
    """What was committed when, and the longest that anybody was told an older story."""

    committed: list[tuple[int, float]] = field(default_factory=list)
    reads: int = 0
    kept: int = 0
    longest: float = 0.0

    def judge(self, value: int, asked: float) -> None:
        """Note how long before it was asked a newer value than this had been committed."""
        self.reads += 1
        newer = [at for number, at in self.committed if number > value]
        if newer and newer[0] < asked:
            self.longest = max(self.longest, asked - newer[0])


async def test_nobody_is_told_an_older_story_while_many_write(
    two: Two, record_property: Callable[[str, object], None]
) -> None:
    """Two writers, two servers, four readers each; the listening lines are cut meanwhile.

    A notice takes milliseconds. The bound is a second, since a machine may be busy elsewhere; the
    longest that was seen is printed.
    """
    history = History()
    writing = True

    async def write(step: int) -> None:
        async with connected(two.database) as connection:
            for number in range(1, 150):
                await connection.execute(
                    "update institutions set opened_note = $1 where code = 'SQ'"
                    if step
                    else "update counties set name = name where fips = '06001'",
                    *([str(number)] if step else []),
                )
                if step:
                    history.committed.append((number, time.perf_counter()))
                await asyncio.sleep(0.01)

    async def cut() -> None:
        async with connected(two.database) as connection:
            for _ in range(3):
                await asyncio.sleep(0.4)
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                    " and (query ilike 'listen%' or query = 'select 1')"
                )

    async def read(url: str) -> None:
        async with client(url) as asker:
            while writing:
                asked = time.perf_counter()
                response = await get(asker, '{ institution(code: "SQ") { openedNote } }')
                text = response.json()["data"]["institution"]["openedNote"]
                history.kept += kept(response)
                history.judge(int(text) if text and text.isdigit() else 0, asked)

    readers = [asyncio.ensure_future(read(url)) for url in (two.one, two.other) for _ in range(4)]
    await asyncio.gather(write(0), write(1), cut())
    await asyncio.sleep(0.3)
    writing = False
    await asyncio.gather(*readers)
    record_property("longest", history.longest)
    print(f"{history.reads} reads, {history.kept} kept, longest {history.longest * 1000:.1f} ms")  # noqa: T201  # a figure to read
    assert history.kept > 50
    assert history.longest < 1.0
    final = str(history.committed[-1][0])
    for url in (two.one, two.other):
        async with client(url) as asker:
            response = await get(asker, '{ institution(code: "SQ") { openedNote } }')
            assert response.json()["data"]["institution"]["openedNote"] == final


async def test_keeping_can_be_turned_off(two: Two) -> None:
    with serving(database_url=two.database, answer_cache_bytes=0) as server:
        async with client(server.url) as asker:
            for _ in range(3):
                assert not kept(await get(asker, COUNTIES))
