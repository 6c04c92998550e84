"""What a server does beside answering: work that waits in tables for any server to do it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from db.changes import Changes

log = logging.getLogger(__name__)

# How long after one look the next comes, if something has changed, and if nobody has said so; in
# seconds. And how long we wait for what is asked to stop.
_SOON = 1.0
_LATER = 30.0
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Errand:
    """Work that there may be when one of these tables has changed: `do` does all there is."""

    tables: tuple[str, ...]
    do: Callable[[], Awaitable[None]]


async def attend(errand: Errand, changes: Changes) -> None:
    """Do what there is to do, until cancelled."""
    said = ""
    while True:
        moment = changes.moment
        try:
            await apart(errand.do)
        except Exception as error:  # noqa: BLE001  # whatever it is, the server goes on
            if repr(error) != said:  # Postgres may be away for long, or allow us nothing of this
                said = repr(error)
                log.warning("what waits in %s is left for later: %s", errand.tables, said)
            await asyncio.sleep(_LATER)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LATER):
                await changes.changed(errand.tables, moment)
        await asyncio.sleep(_SOON)


async def apart(do: Callable[[], Awaitable[None]]) -> None:
    """Do it on a thread and a loop of its own, so that no client waits for it.

    When this is cancelled, so is that; a thread that does not hear of it is not waited for.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    theirs = asyncio.new_event_loop()
    task: asyncio.Task[None] | None = None
    stopped = False

    async def work() -> None:
        nonlocal task
        task = asyncio.current_task()
        if not stopped:
            await do()

    def settle(error: BaseException | None) -> None:
        if done.done():
            return
        if isinstance(error, Exception):
            done.set_exception(error)
        else:
            done.set_result(None)

    def run() -> None:
        error: BaseException | None = None
        try:
            with asyncio.Runner(loop_factory=lambda: theirs) as runner:
                runner.run(work())
        except BaseException as caught:  # noqa: BLE001  # it is raised where it is waited for
            error = caught
        with suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(settle, error)

    def stop() -> None:
        nonlocal stopped
        stopped = True
        if task is not None:
            task.cancel()

    threading.Thread(target=run, name="errand", daemon=True).start()
    try:
        await asyncio.shield(done)
    except asyncio.CancelledError:
        with suppress(RuntimeError):  # it is over
            theirs.call_soon_threadsafe(stop)
        await asyncio.wait([done], timeout=_PATIENCE)
        if done.done():
            done.exception()  # nobody else asks
        raise
