"""Until when an answer that looks at the clock stays as it is.

A migration defines `next_instant()`: the next moment at which a rule that looks at the clock can
decide otherwise, such as the next opening or closing. It is asked once for many answers.
"""

from __future__ import annotations

import asyncio
import logging
import time

import orjson

from db.changes import Changes
from db.database import Database
from db.errors import DatabaseError
from db.query import Reads

log = logging.getLogger(__name__)

# Both from one clock, that of Postgres; how far apart they are is the same on ours.
_ASK = "select to_json(extract(epoch from next_instant() - clock()))"
_READS = Reads(frozenset(), frozenset({"next_instant"}))


class Horizon:
    """The next moment at which anything may change by itself, on `time.monotonic`'s clock."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self._moment = -1
        self._tables: tuple[str, ...] = ()
        self._asked = 0.0
        self._until = 0.0
        self._asking: asyncio.Task[None] | None = None

    def until(self, since: float) -> float | None:
        """To what moment that holds which was asked at `since` or later; None if nobody knows yet.

        It is found out then, for those who ask next.
        """
        known = self._changes.unchanged(self._tables, self._moment)
        if known and self._asked <= since and time.monotonic() < self._until:
            return self._until
        if not (known and time.monotonic() < self._until) and self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return None

    async def _ask(self) -> None:
        try:
            sources = self._changes.sources(_READS)
            moment = self._changes.moment
            if sources is None or moment is None:
                return
            asked = time.monotonic()
            seconds = orjson.loads(await self._database.fetch(_ASK, ()))
            self._tables, self._moment, self._asked = sources.tables, moment, asked
            self._until = asked + (seconds if seconds is not None else float("inf"))
        except DatabaseError as error:
            log.warning("answers that look at the clock are not kept: %s", error)
        finally:
            self._asking = None
