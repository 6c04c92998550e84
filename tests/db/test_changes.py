"""Which tables have changed: heard at commit, through functions and views, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from db.changes import ANNOUNCE, Changes, Sources
from db.database import Database
from db.query import Reads
from tests.db.scratch import connected, scratch

SQL = """
create table schema_migrations (name text);
create table pears (n int);
create table plums (n int);
create view ripe_pears as select n from pears;
create function pies() returns bigint language sql stable as
    $$ select count(*) /* not of plums */ from ripe_pears -- nor now
    $$;
create function jam(n int) returns bigint language plpgsql stable as
    $$ begin return (select count(*) from plums) + pies(); end $$;
create function today() returns date language sql stable return now()::date;
create function due() returns bigint language sql stable
    return (select count(*) from plums where today() > '2026-01-01');
create materialized view frozen as select n from pears;
"""


def reads(relations: str = "", functions: str = "") -> Reads:
    return Reads(frozenset(relations.split()), frozenset(functions.split()))


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    async with scratch() as made:
        async with connected(made) as connection:
            await connection.execute(SQL)
            await connection.execute(ANNOUNCE)
        yield made


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Changes]:
    database = await Database.open(url)
    changes = Changes(database)
    task = asyncio.create_task(changes.listen())
    try:
        await until(changes, heard=True)
        yield changes
    finally:
        task.cancel()
        await asyncio.wait([task])
        await database.close()


async def eventually(done: Callable[[], bool]) -> None:
    for _ in range(4000):
        if done():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


async def until(changes: Changes, *, heard: bool) -> None:
    await eventually(lambda: (changes.moment is not None) is heard)


async def moved(changes: Changes, since: int) -> None:
    await eventually(lambda: changes.moment != since)


async def test_a_change_is_heard_when_it_is_committed_and_only_of_its_table(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        before = changes.moment
        assert before is not None
        async with connection.transaction():
            await connection.execute("insert into pears values (1)")
            await asyncio.sleep(0.05)
            assert changes.unchanged(["pears"], before)
        await moved(changes, before)
        assert not changes.unchanged(["plums", "pears"], before)
        assert changes.unchanged(["plums"], before)
        assert changes.moment is not None
        assert changes.unchanged(["plums", "pears"], changes.moment)


@pytest.mark.parametrize(
    "change",
    [
        "insert into plums values (1)",
        "update plums set n = 2",
        "delete from plums",
        "truncate plums",
    ],
)
async def test_every_way_to_change_a_table_is_heard(url: str, change: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        before = changes.moment
        assert before is not None
        await connection.execute(change)
        await moved(changes, before)
        assert not changes.unchanged(["plums"], before)


async def test_what_is_rolled_back_is_not_heard(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        before = changes.moment
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("insert into pears values (1)")
        await transaction.rollback()
        await asyncio.sleep(0.1)
        assert changes.moment == before


async def test_one_can_wait_for_a_change(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        pears = asyncio.ensure_future(changes.changed(("pears",), changes.moment))
        either = asyncio.ensure_future(changes.changed(("plums", "pears"), changes.moment))
        before = changes.moment
        await connection.execute("insert into plums values (1)")
        await asyncio.wait_for(either, 20)
        assert not pears.done()
        # What has happened already is not waited for.
        await asyncio.wait_for(changes.changed(("plums",), before), 20)
        await connection.execute("insert into pears values (1)")
        await asyncio.wait_for(pears, 20)
        # Nobody is remembered who waits no longer.
        gone = asyncio.ensure_future(changes.changed(("pears",), changes.moment))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        assert not changes._waiting


async def test_whoever_waits_is_told_that_the_line_is_cut_and_that_it_is_back(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        waiting = asyncio.ensure_future(changes.changed(("pears",), changes.moment))
        await asyncio.sleep(0)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        await asyncio.wait_for(waiting, 20)
        await asyncio.wait_for(changes.changed((), None), 20)
        assert changes.moment is not None


async def test_functions_and_views_are_known_by_the_tables_they_read(url: str) -> None:
    async with listening(url) as changes:
        assert changes.sources(reads("pears")) == Sources(("pears",), clock=False)
        assert changes.sources(reads("ripe_pears")) == Sources(("pears",), clock=False)
        assert changes.sources(reads("", "pies count coalesce")) == Sources(("pears",), clock=False)
        assert changes.sources(reads("", "jam")) == Sources(("pears", "plums"), clock=False)
        assert changes.sources(reads("pears", "due")) == Sources(("pears", "plums"), clock=True)
        assert changes.sources(reads()) == Sources((), clock=False)


async def test_what_changes_unheard_is_never_kept(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        assert changes.sources(reads("frozen")) is None
        assert changes.sources(reads("unheard_of")) is None
        await connection.execute("alter table plums disable trigger announced")
        await connection.execute("drop trigger announced on pears")
        await connection.execute("insert into schema_migrations values ('2')")
        await eventually(lambda: changes.sources(reads("plums")) is None)
        assert changes.sources(reads("ripe_pears")) is None
        assert changes.sources(reads("", "pies")) is None


async def test_a_migration_makes_all_that_was_known_unknown(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        before = changes.moment
        assert before is not None
        await connection.execute("create table figs (n int)")
        assert changes.sources(reads("figs")) is None
        await connection.execute(ANNOUNCE)
        await eventually(lambda: changes.sources(reads("figs")) is not None)
        assert changes.sources(reads("figs")) == Sources(("figs",), clock=False)
        await until(changes, heard=True)
        assert not changes.unchanged(["plums"], before)


async def test_nothing_is_known_from_before_the_line_was_cut(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        before = changes.moment
        assert before is not None
        cut = await connection.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database()"
        )
        assert cut
        await until(changes, heard=False)
        assert not changes.unchanged([], before)
        await connection.execute("insert into pears values (1)")  # while nobody listens
        await until(changes, heard=True)
        assert not changes.unchanged(["pears"], before)
        assert not changes.unchanged(["plums"], before)


async def test_announcing_again_changes_nothing(url: str) -> None:
    async with listening(url) as changes, connected(url) as connection:
        before = changes.moment
        await connection.execute(ANNOUNCE)
        await asyncio.sleep(0.1)
        assert changes.moment == before
        with pytest.raises(asyncpg.DuplicateTableError):
            await connection.execute("create table pears (n int)")
