"""Until when what looks at the clock stays as it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest_asyncio

from db.changes import ANNOUNCE, Changes
from db.database import Database
from db.horizon import Horizon
from tests.db.scratch import connected, scratch

SQL = """
create table schema_migrations (name text);
create table bells (rings timestamptz not null);
create function clock() returns timestamptz language sql stable return now();
create function next_instant() returns timestamptz language sql stable
    return (select min(rings) from bells where rings > clock());
"""


@dataclass
class World:
    url: str
    changes: Changes
    horizon: Horizon

    async def rings(self, *later: float) -> None:
        async with connected(self.url) as connection:
            await connection.execute("truncate bells")
            for seconds in later:
                await connection.execute(
                    "insert into bells values (now() + make_interval(secs => $1))", seconds
                )


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    async with scratch() as url:
        async with connected(url) as connection:
            await connection.execute(SQL)
            await connection.execute(ANNOUNCE)
        database = await Database.open(url)
        changes = Changes(database)
        task = asyncio.create_task(changes.listen())
        await eventually(lambda: changes.moment)
        yield World(url, changes, Horizon(database, changes))
        task.cancel()
        await asyncio.wait([task])
        await database.close()


async def eventually(found: Callable[[], float | None]) -> float:
    for _ in range(2000):
        if (value := found()) is not None:
            return value
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


async def test_it_reaches_to_the_next_instant_and_no_farther(world: World) -> None:
    await world.rings(3600, 7200)
    since = time.monotonic()
    until = await eventually(lambda: world.horizon.until(time.monotonic()))
    assert since + 3590 < until <= time.monotonic() + 3600


async def test_what_was_asked_before_it_was_known_is_not_covered(world: World) -> None:
    await world.rings(3600)
    before = time.monotonic()
    await eventually(lambda: world.horizon.until(time.monotonic()))
    assert world.horizon.until(before) is None
    assert world.horizon.until(time.monotonic()) is not None


async def test_it_is_found_out_anew_when_it_has_passed(world: World) -> None:
    await world.rings(0.3, 3600)
    first = await eventually(lambda: world.horizon.until(time.monotonic()))
    assert first < time.monotonic() + 1
    await asyncio.sleep(max(0, first - time.monotonic()) + 0.01)
    assert world.horizon.until(time.monotonic()) is None
    second = await eventually(lambda: world.horizon.until(time.monotonic()))
    assert second > time.monotonic() + 3000


async def test_a_change_of_the_tables_behind_it_makes_it_unknown(world: World) -> None:
    await world.rings(3600)
    await eventually(lambda: world.horizon.until(time.monotonic()))
    await world.rings(60)
    await asyncio.sleep(0.2)
    until = await eventually(lambda: world.horizon.until(time.monotonic()))
    assert until < time.monotonic() + 61


async def test_it_is_without_end_where_nothing_will_ever_change(world: World) -> None:
    await world.rings()
    assert await eventually(lambda: world.horizon.until(time.monotonic())) == float("inf")
