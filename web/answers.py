"""An answer already given is given again, until what it was made from changes.

Answers are kept under the very bytes of the request, so that a hit is one look-up: nothing is
parsed, planned or asked. `db/changes.py` knows when one no longer holds. Those who ask the same at
the same time wait for one answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from db.changes import Changes
from db.horizon import Horizon
from resolvers.cache import Cache
from resolvers.resolve import Answer, Outcome
from web.encodings import SMALLEST, Encoding

# What an entry weighs beside its body: its question, objects, and its share of the books.
_OVERHEAD = 2000


class Given:
    """An answer as it is sent, which is worked out once for all who are given it."""

    __slots__ = ("_digest", "_encoded", "answer")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._digest: str | None = None
        self._encoded: dict[Encoding, bytes | None] = {}

    def encoded(self, encoding: Encoding | None) -> tuple[Encoding | None, bytes]:
        """The body in this encoding; or as it is, where that would gain little."""
        body = self.answer.body
        if encoding is None or len(body) < SMALLEST:
            return None, body
        if encoding not in self._encoded:
            small = encoding(body)
            self._encoded[encoding] = small if len(small) < 0.9 * len(body) else None
        made = self._encoded[encoding]
        return (None, body) if made is None else (encoding, made)

    def etag(self, encoding: Encoding | None) -> bytes:
        """A strong entity tag (RFC 9110, 8.8.3): of the bytes, so that all servers agree on it."""
        if self._digest is None:
            self._digest = hashlib.blake2b(self.answer.body, digest_size=16).hexdigest()
        return f'"{self._digest}{f"-{encoding.value}" if encoding else ""}"'.encode()


@dataclass(slots=True)
class Kept:
    """What was given, and until when it may be given again."""

    given: Given
    tables: tuple[str, ...]
    # The last moment at which it was known to hold.
    moment: int
    # When the clock may change it, by `time.monotonic`; None if it does not look there.
    until: float | None


@dataclass(frozen=True, slots=True)
class _Flight:
    """A question that is being answered, and when it was asked."""

    moment: int | None
    landed: asyncio.Future[Given | None]


class Answers:
    """At most so many bytes of answers; what was used least recently goes first."""

    def __init__(
        self, changes: Changes, horizon: Horizon, *, weight: int, entries: int = 100_000
    ) -> None:
        self.weight = weight
        """How much is kept. Where nothing is, everybody is answered by a statement of their own."""
        self._changes = changes
        self._horizon = horizon
        # Without room for answers, nobody waits for somebody else's, either.
        self._shares = weight > 0
        self._kept: Cache[Hashable, Kept] = Cache(entries, weight)
        self._flights: dict[Hashable, _Flight] = {}
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable) -> Given | None:
        """The answer under this key, if it still holds."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        moment = self._changes.moment
        if moment is None:
            # Nobody knows what has changed meanwhile, and nobody will.
            self._kept.clear()
            return None
        if kept.until is not None and time.monotonic() >= kept.until:
            self._kept.forget(key)
            return None
        if kept.moment != moment:
            if not self._changes.unchanged(kept.tables, kept.moment):
                self._kept.forget(key)
                return None
            kept.moment = moment
        self.hits += 1
        return kept.given

    async def ask(
        self,
        key: Hashable,
        ask: Callable[[], Awaitable[Answer]],
        beside: tuple[str, ...] = (),
    ) -> Given:
        """The answer to a question that was not kept; asked once for all who ask now.

        It is kept until what it was made from changes, or one of the tables `beside` that.
        """
        self.misses += 1
        if not self._shares:
            return Given(await ask())
        while (flight := self._flights.get(key)) is not None:
            # What was asked before a change was heard does not answer those who come after it.
            if flight.moment is None or flight.moment != self._changes.moment:
                break
            given = await asyncio.shield(flight.landed)
            # What is answered to somebody about themselves answers nobody else.
            if given is not None and not given.answer.private:
                return given
        moment = self._changes.moment
        flight = _Flight(moment, asyncio.get_running_loop().create_future())
        self._flights[key] = flight
        given = None
        since = time.monotonic()
        try:
            given = Given(await ask())
            if moment is not None:
                self._keep(key, given, moment, since, beside)
            return given
        finally:
            # None if whoever asked first was cancelled: another one has to ask.
            flight.landed.set_result(given)
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _keep(
        self, key: Hashable, given: Given, moment: int, since: float, beside: tuple[str, ...]
    ) -> None:
        answer = given.answer
        if answer.outcome is not Outcome.DATA or answer.reads is None or answer.private:
            return
        sources = self._changes.sources(answer.reads)
        if sources is None:
            return
        until = self._horizon.until(since) if sources.clock else None
        if sources.clock and until is None:
            return
        tables = sources.tables + beside
        if self._changes.unchanged(tables, moment):
            # Its compressed forms take as much again, at most; and so does its question, mostly.
            weight = 2 * len(answer.body) + _OVERHEAD
            self._kept.put(key, Kept(given, tables, moment, until), weight=weight)
