"""A live query: its answer now, and again whenever it is another one.

It is asked again only when a table that it was made from has changed, or when the clock makes it
another one, and sent again only if its bytes differ. Many who ask the same live query share one
statement, since they ask through the answers that are kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import jsonpatch
import orjson

from db.changes import Changes
from db.horizon import Horizon
from resolvers.errors import Code, refuse
from resolvers.live import Live
from resolvers.resolve import Answer, Outcome
from web.answers import Given
from web.message import Message

# At most ten answers a second, however often its tables change.
_BREATH = 0.1

# Seconds between looks while changes cannot be heard; before it is known until when an answer
# that looks at the clock holds; and while Postgres does not answer.
_DEAF = 1.0
_PATIENCE = (0.2, 5.0)

# To compare two answers takes time, which all others wait: larger ones are sent whole.
_COMPARED = 200_000


class LiveQuery:
    """One live query of one client. `ask` gives its answer, as it is now."""

    def __init__(
        self, changes: Changes, horizon: Horizon, ask: Callable[[], Awaitable[Given]], how: Live
    ) -> None:
        self._changes = changes
        self._horizon = horizon
        self._ask = ask
        self._how = how
        self._revision = 0

    async def answers(self, known: str | None) -> AsyncIterator[Message]:
        """The answers; `known` is the cursor of the one that the client has already."""
        last: Answer | None = None
        patience, most = _PATIENCE
        while True:
            moment, asked = self._changes.moment, time.monotonic()
            given = await self._ask()
            answer = given.answer
            if answer.outcome not in (Outcome.DATA, Outcome.PARTIAL):
                if last is None or answer.outcome in (Outcome.REFUSED, Outcome.FAULT):
                    yield Message(answer.body, None, refused=True)
                    return
                # Postgres is busy, or away. What was told last holds, as far as anybody knows.
                await asyncio.sleep(patience)
                patience = min(2 * patience, most)
                continue
            if last is None or answer.body != last.body:
                cursor = given.etag(None).strip(b'"').decode()
                if self._how.patch:
                    yield Message(self._patched(last, answer), None)
                elif last is not None or cursor != known:
                    yield Message(answer.body, cursor)
                last = answer
            known_until = await self._wait(answer, moment, asked, patience)
            patience = _PATIENCE[0] if known_until else min(2 * patience, most)
            await asyncio.sleep(max(0.0, asked + _BREATH - time.monotonic()))

    async def _wait(
        self, answer: Answer, moment: int | None, asked: float, patience: float
    ) -> bool:
        """Wait until it may be another answer; says whether it was known when to look."""
        sources = self._changes.sources(answer.reads) if answer.reads is not None else None
        if sources is None and moment is not None and self._changes.unchanged((), moment):
            message = "Nobody can say when the answer to this query changes."
            raise refuse(Code.OPERATION_NOT_SUPPORTED, message)
        timeout: float | None = None
        tables: tuple[str, ...] = ()
        known = True
        if sources is None or moment is None:
            timeout, moment = _DEAF, None
        else:
            tables = sources.tables
            if sources.clock:
                until = self._horizon.until(asked)
                known = until is not None
                if until is None:
                    timeout = patience
                elif until != float("inf"):
                    timeout = max(0.0, until - time.monotonic())
        try:
            async with asyncio.timeout(timeout):
                await self._changes.changed(tables, moment)
        except TimeoutError:
            pass  # the clock has made it another answer, or nobody knows
        return known

    def _patched(self, last: Answer | None, answer: Answer) -> bytes:
        """The answer as what has changed since the last one, or whole where that is shorter."""
        self._revision += 1
        body = answer.body
        whole = body[:-1] + b',"revision":%d}' % self._revision
        outcomes = {answer.outcome, last.outcome if last else None}
        if last is None or outcomes != {Outcome.DATA} or len(body) > _COMPARED:
            return whole
        if len(last.body) > _COMPARED:
            return whole
        before, after = orjson.loads(last.body)["data"], orjson.loads(body)["data"]
        patch = jsonpatch.make_patch(before, after).patch
        patched = orjson.dumps({"patch": patch, "revision": self._revision})
        return patched if len(patched) < len(whole) else whole
