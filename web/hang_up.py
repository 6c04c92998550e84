"""A client that hangs up cancels the work done for it."""

from __future__ import annotations

import asyncio

from starlette.types import Receive

PATIENCE = 0.05
"""Seconds before we begin to listen for a hang-up.

Nearly every answer is out by then, and listening takes a second task, which would cost a short
request more than everything else around its statement.
"""


class HangUp:
    """Watches one request on behalf of the task that creates it, until `stop`.

    A cancelled fetch cancels its statement in Postgres, so nobody's time is spent on an answer
    that has no reader.
    """

    __slots__ = ("_loop", "_receive", "_task", "_timer", "_watcher", "happened")

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.happened = False
        self._receive = receive
        self._task = task
        self._watcher: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(PATIENCE, self._watch)

    def stop(self) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _watch(self) -> None:
        self._watcher = self._loop.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.happened = True
        self._task.cancel()
