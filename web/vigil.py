"""Who is told something as it happens may lose the right to it meanwhile: here that is noticed.

All streams of one key or token share one look at it, which is taken when Postgres announces that
some key has changed; nobody looks by the clock, but while changes cannot be heard. When it runs out
is known beforehand.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

from db.api_keys import TABLE
from db.changes import Changes
from web.identity import Caller, Identity
from web.refusals import IdentityUnavailable, Unauthenticated

# Seconds between looks while changes cannot be heard, or nobody can say who somebody is.
_DEAF = 1.0
# ... and at all: an issuer may withdraw the key that a token is signed with, and tells nobody.
_AGAIN = 300.0


@dataclass(slots=True)
class _Look:
    """What is looked at on behalf of several."""

    task: asyncio.Task[Unauthenticated]
    waiting: int = field(default=0)


class Vigil:
    """Watches over those who are told something."""

    def __init__(self, identity: Identity, changes: Changes) -> None:
        self._identity = identity
        self._changes = changes
        self._looks: dict[tuple[str, Caller], _Look] = {}
        # However many keys are shown, they are looked at over one connection: others want theirs.
        self._turn = asyncio.Lock()

    async def over(self, shown: str, caller: Caller) -> Unauthenticated:
        """Wait until who shows this is not that caller any more, and say why."""
        key = (shown, caller)
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = _Look(asyncio.create_task(self._watch(shown, caller)))
        look.waiting += 1
        try:
            # Whoever came first may leave first.
            return await asyncio.shield(look.task)
        finally:
            look.waiting -= 1
            if not look.waiting:
                look.task.cancel()
                del self._looks[key]

    async def _watch(self, shown: str, caller: Caller) -> Unauthenticated:
        told = caller.told()
        while True:
            left = caller.until - time.monotonic()
            if left <= 0:
                return Unauthenticated("What was shown has expired.")
            moment = self._changes.moment
            try:
                async with asyncio.timeout(left), self._turn:
                    caller = await self._identity.known(shown)
            except TimeoutError:
                continue  # that it has run out, nobody else need say
            except Unauthenticated as refusal:
                return refusal
            except IdentityUnavailable:
                # Who they were last they still are, as far as anybody knows.
                await asyncio.sleep(min(left, _DEAF))
                continue
            if caller.told() != told:
                return Unauthenticated("What was shown opens something else by now; connect again.")
            await self._changed(moment, caller.until - time.monotonic())

    async def _changed(self, moment: int | None, left: float) -> None:
        """Wait until it may be another answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(left, 0.0), _DEAF if moment is None else _AGAIN)):
                await self._changes.changed((TABLE,), moment)
