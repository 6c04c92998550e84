"""An answer already given is given again, until what it was made from changes.

Answers are kept under the very bytes of the request, so that a hit is one look-up: nothing is
parsed, planned or asked. `db/changes.py` knows when one no longer holds. Those who ask the same at
the same time wait for one answer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from db.changes import Changes
from resolvers.cache import Cache
from resolvers.resolve import Answer, Outcome

# What an entry weighs beside its key and its body: objects, and its share of the books.
_OVERHEAD = 1000


@dataclass(slots=True)
class Kept:
    """A finished answer, and until when it holds."""

    answer: Answer
    tables: tuple[str, ...]
    # The last moment at which it was known to hold.
    moment: int
    etag: bytes = field(default=b"")

    def __post_init__(self) -> None:
        # Of the bytes alone, so that every server gives the same answer the same tag.
        self.etag = etag_of(self.answer.body)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A question that is being answered, and when it was asked."""

    moment: int | None
    landed: asyncio.Future[Answer | None]


def etag_of(body: bytes) -> bytes:
    """A strong entity tag (RFC 9110, 8.8.3) of an answer."""
    return b'"' + hashlib.blake2b(body, digest_size=16).hexdigest().encode() + b'"'


class Answers:
    """At most so many bytes of answers; what was used least recently goes first."""

    def __init__(self, changes: Changes, *, weight: int, entries: int = 100_000) -> None:
        self._changes = changes
        self._kept: Cache[Hashable, Kept] = Cache(entries, weight)
        self._flights: dict[Hashable, _Flight] = {}
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable) -> Kept | None:
        """The answer under this key, if it still holds."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        moment = self._changes.moment
        if moment is None:
            # Nobody knows what has changed meanwhile, and nobody will.
            self._kept.clear()
            return None
        if kept.moment != moment:
            if not self._changes.unchanged(kept.tables, kept.moment):
                self._kept.forget(key)
                return None
            kept.moment = moment
        self.hits += 1
        return kept

    async def ask(self, key: Hashable, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to a question that was not kept; asked once for all who ask now."""
        self.misses += 1
        while (flight := self._flights.get(key)) is not None:
            # What was asked before a change was heard does not answer those who come after it.
            if flight.moment is None or flight.moment != self._changes.moment:
                break
            answer = await asyncio.shield(flight.landed)
            if answer is not None:
                return answer
        moment = self._changes.moment
        flight = _Flight(moment, asyncio.get_running_loop().create_future())
        self._flights[key] = flight
        answer = None
        try:
            answer = await ask()
            if moment is not None:
                self._keep(key, answer, moment)
            return answer
        finally:
            # None if whoever asked first was cancelled: another one has to ask.
            flight.landed.set_result(answer)
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _keep(self, key: Hashable, answer: Answer, moment: int) -> None:
        if answer.outcome is not Outcome.DATA or answer.reads is None:
            return
        sources = self._changes.sources(answer.reads)
        if sources is None or sources.clock:
            return
        if self._changes.unchanged(sources.tables, moment):
            kept = Kept(answer, sources.tables, moment)
            size = len(key) if isinstance(key, bytes) else 100
            self._kept.put(key, kept, weight=len(answer.body) + size + _OVERHEAD)
