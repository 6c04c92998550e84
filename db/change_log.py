"""The change log, read as it grows: one reader for all who follow it.

Its lines are in the order (xid, seq), and never read beyond the oldest transaction that is under
way, so that none that becomes visible late is skipped: `migrations/0034_changes.sql` says why. The
last lines are in memory. Whoever follows has a place there, and nothing is kept for anybody: who is
slower than the memory is long, or comes back with an old cursor, is given pages from the table.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from db.changes import Changes
from db.database import Database
from db.errors import DatabaseError, ExpiredPlace, UnknownPlace

log = logging.getLogger(__name__)

TABLE = "changes"

Place = tuple[int, int]
"""How far somebody has read: everything up to this transaction and number."""

_PAGE = 1000

# Nobody may be told of what lies beyond the horizon; `held` says that something does.
_READ = f"""
    select json_build_object(
        'horizon', pg_snapshot_xmin(pg_current_snapshot())::text,
        'held', exists (select from {TABLE} where xid >= pg_snapshot_xmin(pg_current_snapshot())),
        'lines', array(
            select json_build_array(xid::text, seq, entity, key, operation, at)
            from {TABLE}
            where (xid, seq) > ($1::text::xid8, $2::bigint)
                and xid < pg_snapshot_xmin(pg_current_snapshot())
            order by xid, seq limit {_PAGE}))
"""
# Who begins now is not told what was committed before, even if it is read only later.
_BEGIN = f"""
    select json_build_object(
        'horizon', pg_snapshot_xmin(pg_current_snapshot())::text,
        'passed', array(
            select distinct xid::text from {TABLE}
            where xid >= pg_snapshot_xmin(pg_current_snapshot())))
"""
_KNOWS = "select to_json(place_is($1::text::xid8, $2::bigint))"

# How many lines are in memory; twice as many before half of them go.
_REMEMBERED = 10_000

# Seconds between looks while a line waits for a transaction, or while notices are not heard, or
# Postgres is not there.
_HELD = (0.05, 1.0)
_DEAF = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """What has happened to one record."""

    place: Place
    table: str
    key: str
    operation: str
    at: str

    @property
    def cursor(self) -> str:
        return cursor_of(self.place)


def cursor_of(place: Place) -> str:
    """A place as a text that somebody may come back with.

    >>> cursor_of((730, 2)), place_of("730.2")
    ('730.2', (730, 2))
    """
    return f"{place[0]}.{place[1]}"


def place_of(cursor: str) -> Place:
    """The place that a cursor names. UnknownPlace if it is none."""
    xid, dot, seq = cursor.partition(".")
    known = dot and all(part.isascii() and part.isdigit() for part in (xid, seq))
    if not known or len(xid) > 19 or len(seq) > 18:
        raise UnknownPlace
    return int(xid), int(seq)


class ChangeLog:
    """Reads the log while anybody follows it."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self._followers = 0
        self._reading: asyncio.Task[None] | None = None
        self._read: Place = (0, 0)
        # Everything after `_before` up to `_read`.
        self._lines: list[Line] = []
        self._before: Place = (0, 0)
        self._news = asyncio.Condition()
        # When everything was read that had been committed; None while lines are held back.
        self._settled: int | None = None

    @asynccontextmanager
    async def following(self, cursor: str | None = None) -> AsyncIterator[Follower]:
        """From a cursor on, or from now on: whatever is committed after this, is told."""
        self._followers += 1
        try:
            if cursor is not None:
                place, passed = place_of(cursor), frozenset[int]()
                await self._check(place)
            elif self._settled is not None and self._changes.unchanged((TABLE,), self._settled):
                place, passed = self._read, frozenset()
            else:
                place, passed = await self._begin()
            if self._reading is None:
                start, _ = await self._begin()
                if self._reading is None:  # nobody else has begun meanwhile
                    self._read = self._before = start
                    self._lines.clear()
                    self._reading = asyncio.create_task(self._keep_reading())
            yield Follower(self, place, passed)
        finally:
            self._followers -= 1
            if not self._followers and self._reading is not None:
                self._reading.cancel()
                self._reading = self._settled = None

    async def after(
        self, place: Place, wanted: Callable[[Line], bool], limit: int
    ) -> tuple[Sequence[Line], Place]:
        """The next wanted lines, at least one, and how far that is; waits until there are some."""
        while True:
            if place < self._before:
                page, reached = await self._page(place)
            else:
                async with self._news:
                    while self._read <= place:
                        await self._news.wait()
                if place < self._before:
                    continue
                start = bisect_right(self._lines, place, key=_place)
                page, reached = self._lines[start : start + _PAGE], self._read
                if len(page) == _PAGE:
                    reached = page[-1].place
            found = [line for line in page if wanted(line)]
            if len(found) > limit:
                return found[:limit], found[limit - 1].place
            if found:
                return found, reached
            place = reached
            await asyncio.sleep(0)  # a long log is looked through without holding up everybody

    async def _check(self, place: Place) -> None:
        match orjson.loads(await self._database.fetch(_KNOWS, (str(place[0]), place[1]))):
            case "UNKNOWN":
                raise UnknownPlace
            case "EXPIRED":
                raise ExpiredPlace

    async def _begin(self) -> tuple[Place, frozenset[int]]:
        """Where to begin now, and the transactions after that which have been committed already."""
        said = orjson.loads(await self._database.fetch(_BEGIN, ()))
        return (int(said["horizon"]), 0), frozenset(map(int, said["passed"]))

    async def _page(self, place: Place) -> tuple[list[Line], Place]:
        said = await self._ask(place)
        lines: list[Line] = said["lines"]
        return lines, lines[-1].place if len(lines) == _PAGE else (said["horizon"], 0)

    async def _ask(self, place: Place) -> dict[str, Any]:
        said = orjson.loads(await self._database.fetch(_READ, (str(place[0]), place[1])))
        lines = [
            Line((int(xid), seq), table, key, operation, at)
            for xid, seq, table, key, operation, at in said["lines"]
        ]
        return {"horizon": int(said["horizon"]), "held": said["held"], "lines": lines}

    async def _keep_reading(self) -> None:
        patience, most = _HELD
        while True:
            moment = self._changes.moment
            timeout: float | None = None if moment is not None else _DEAF
            try:
                self._settled = None
                held = await self._read_on()
                self._settled = None if held else moment
                patience = min(2 * patience, most) if held else _HELD[0]
                if held:
                    timeout = patience
            except DatabaseError as error:
                log.info("the change log cannot be read just now: %s", error)
                timeout = _DEAF
            try:
                async with asyncio.timeout(timeout):
                    await self._changes.changed((TABLE,), moment)
            except TimeoutError:
                pass  # a look without a notice

    async def _read_on(self) -> bool:
        """Read what is new; answers whether lines are held back."""
        while True:
            said = await self._ask(self._read)
            lines: list[Line] = said["lines"]
            full = len(lines) == _PAGE
            async with self._news:
                self._lines.extend(lines)
                self._read = lines[-1].place if full else max(self._read, (said["horizon"], 0))
                if len(self._lines) > 2 * _REMEMBERED:
                    gone = len(self._lines) - _REMEMBERED
                    self._before = self._lines[gone - 1].place
                    del self._lines[:gone]
                if lines:
                    self._news.notify_all()
            if not full:
                return bool(said["held"])


class Follower:
    """Somebody's place in the log."""

    def __init__(self, log: ChangeLog, place: Place, passed: frozenset[int]) -> None:
        self._log = log
        self._passed = passed
        self.place = place

    @property
    def cursor(self) -> str:
        """To come back with."""
        return cursor_of(self.place)

    async def next(self, wanted: Callable[[Line], bool], limit: int) -> Sequence[Line]:
        """The next wanted lines, at least one."""
        passed = self._passed
        if passed:

            def new(line: Line) -> bool:
                return line.place[0] not in passed and wanted(line)

            lines, self.place = await self._log.after(self.place, new, limit)
            if self.place[0] > max(passed):
                self._passed = frozenset()
        else:
            lines, self.place = await self._log.after(self.place, wanted, limit)
        return lines


def _place(line: Line) -> Place:
    return line.place
