"""Imports that clients have asked for: their files wait in Postgres, and a server takes them.

Each is taken by one process, which says so with a lock that goes when the process does. Then the
next one goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from db.connection import connected
from db.data.exchange.columns import take_table
from db.data.exchange.feeds import take_feed
from db.data.exchange.finishing import LOST
from db.data.exchange.runs import Busy, Cancelled, Run, Told, lock_of
from db.data.report import LoadError
from db.errors import DatabaseError
from db.mapping import Sheet

log = logging.getLogger(__name__)

TABLES = ("import_runs",)
"""Whose changes tell that there may be something to do."""

# What a table of records of a type is, by the name of that.
SheetOf = Callable[[str], Sheet]

# What each server comes to grief over is not begun for ever. Once it goes on as soon as somebody
# looks; after that it waits so many seconds, and longer each time.
_TRIES = 5
_PAUSE = 30
# How often people are told how far it is, and it is told that it was cancelled; in seconds.
_EVERY = 0.5

# The run may go on another time.
_PASSING = (DatabaseError, OSError, asyncpg.InterfaceError, *LOST)

_WAITING = """
    select id, sha256 from import_runs
    where finished_at is null and started_by is not null and state <> 'RECEIVING' and id <> all ($1)
        and (tried_at is null
             or tried_at <= now() - greatest(tries - 2, 0) * $2 * interval '1 second')
    order by started_at, id
"""
_TRY = """
    update import_runs set tries = tries + 1, tried_at = now()
    where id = $1 and finished_at is null returning *
"""
_LOCK = "pg_try_advisory_lock(hashtextextended('import ' || $1::uuid, 0))"
_UNLOCK = "pg_advisory_unlock(hashtextextended('import ' || $1::uuid, 0))"
_SHOW = """
    update import_runs set step = $2, step_done = $3, step_of = nullif($4, 0)
    where id = $1 and finished_at is null
"""


async def take_waiting(url: str, sheet: SheetOf) -> None:
    """Take all imports that wait, one after the other, but for those that another process takes."""
    async with connected(url) as line:
        # A statement that deletes nothing would be announced, too.
        for (id_,) in await line.fetch(_LEFT):
            await line.execute("delete from import_rows where run_id = $1", id_)
        seen: set[UUID] = set()
        while True:
            async with _claimed(line, seen) as asked:
                if asked is None:
                    return
                seen.add(asked["id"])
                await _take(url, line, asked, sheet)


# Of what was cancelled while nobody was at work on it.
_LEFT = """
    select id from import_runs r
    where state = 'CANCELLED' and exists (select from import_rows where run_id = r.id)
"""


@asynccontextmanager
async def _claimed(
    line: asyncpg.Connection, seen: Collection[UUID]
) -> AsyncIterator[asyncpg.Record | None]:
    """The next run that is nobody else's; None if there is none."""
    for id_, sha256 in await line.fetch(_WAITING, list(seen), _PAUSE):
        if not await line.fetchval(f"select {_LOCK}", id_):
            continue
        try:
            # What it would wait for, it need not be begun for.
            asked = None if await _busy(line, sha256) else await line.fetchrow(_TRY, id_)
            if asked is not None:
                yield asked
                return
        finally:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await line.execute(f"select {_UNLOCK}", id_)
    yield None


async def _busy(line: asyncpg.Connection, sha256: str) -> bool:
    """Whether somebody imports the same file. We only look: to try the lock would be in the way."""
    held: bool = await line.fetchval(_HELD, lock_of(sha256))
    return held


_HELD = """
    select exists (
        select from pg_locks
        where locktype = 'advisory' and granted and objsubid = 1
            and (classid::bigint << 32 | objid::bigint) = $1
            and database = (select oid from pg_database where datname = current_database()))
"""


async def _take(url: str, line: asyncpg.Connection, asked: asyncpg.Record, sheet: SheetOf) -> None:
    """One import; whatever happens, it comes to an end or goes on another time."""
    id_: UUID = asked["id"]
    try:
        if asked["tries"] > _TRIES:
            raise LoadError(f"{asked['file']}: was begun {_TRIES} times and never came to its end")
        with _folder(id_) as folder:
            path = Path(folder, asked["file"])
            await _written(line, id_, path)
            await _followed(line, id_, lambda told: _taken(url, path, asked, sheet, told))
    except Cancelled:
        await line.execute("delete from import_rows where run_id = $1", id_)
    except Busy:
        # Not its fault: this was no try.
        await _given_back(line, id_)
    except LoadError as error:
        await _failed(line, id_, str(error))
    except asyncio.CancelledError:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await _given_back(line, id_)
        raise
    except _PASSING:
        log.warning("the import %s is interrupted, and goes on later", id_, exc_info=True)
    except Exception as error:
        log.exception("the import %s failed", id_)
        told = isinstance(error, asyncpg.PostgresError)  # what its `failing` has noted already
        await _failed(line, id_, str(error) if told else "Something went wrong on our side.")


async def _taken(
    url: str,
    path: Path,
    asked: asyncpg.Record,
    sheet: SheetOf,
    told: Told,
) -> Run:
    given: dict[str, Any] = {
        "source": asked["source_key"],
        "dated": asked["dated"],
        "dry_run": asked["dry_run"],
        "told": told,
        "asked": asked["id"],
    }
    if asked["kind"] == "HSDS":
        return await take_feed(url, path, **given)
    return await take_table(url, path, sheet(asked["record_type"]), **given)


@contextmanager
def _folder(id_: UUID) -> Iterator[Path]:
    """A place for the file. What is left there by a crash, whoever goes on removes."""
    folder = Path(tempfile.gettempdir(), f"import-{id_}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _written(line: asyncpg.Connection, id_: UUID, path: Path) -> None:
    """The file, as it was before it was sent in parts."""
    with path.open("wb") as file:
        async with line.transaction():
            parts = line.cursor(
                "select content from import_parts where run_id = $1 order by number",
                id_,
                prefetch=8,
            )
            async for (content,) in parts:
                if content is None:
                    raise Cancelled(f"{path.name}: its import is over")
                file.write(content)


async def _followed(
    line: asyncpg.Connection,
    id_: UUID,
    take: Callable[[Told], Awaitable[Run]],
) -> None:
    """Do it, show how far it is, and end it when somebody has cancelled it."""
    latest: tuple[str, int, int] | None = None
    shown = None

    def told(doing: str, done: int, of: int) -> None:
        nonlocal latest
        latest = (doing, done, of)

    task = asyncio.ensure_future(take(told))
    try:
        while not task.done():
            await asyncio.wait([task], timeout=_EVERY)
            if latest is not None and latest != shown:
                shown = latest
                await line.execute(_SHOW, id_, *shown)
            state = await line.fetchval("select state from import_runs where id = $1", id_)
            if state == "CANCELLED" and not task.done():
                raise Cancelled("its import was cancelled")
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
    await task


async def _given_back(line: asyncpg.Connection, id_: UUID) -> None:
    await line.execute(
        "update import_runs set tries = greatest(tries - 1, 0)"
        " where id = $1 and finished_at is null",
        id_,
    )


async def _failed(line: asyncpg.Connection, id_: UUID, error: str) -> None:
    """Note why it came to nothing, unless that is noted already."""
    await line.execute(
        "update import_runs set state = 'FAILED', error = $2,"
        " finished_at = greatest(now(), started_at) where id = $1 and finished_at is null",
        id_,
        error[:2000] or "failed",
    )
    await line.execute("delete from import_rows where run_id = $1", id_)
