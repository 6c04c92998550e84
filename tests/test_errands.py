"""What a server does beside answering: on a thread of its own, and no longer than the server."""

from __future__ import annotations

import asyncio
import threading
from typing import cast

import pytest

from db.changes import Changes
from web import errands
from web.errands import Errand, apart, attend


async def test_it_is_done_on_another_thread_and_told_how_it_ended() -> None:
    threads = set()

    async def do() -> None:
        threads.add(threading.current_thread())
        await asyncio.sleep(0)

    async def fail() -> None:
        raise LookupError("nothing there")

    await apart(do)
    assert threads.isdisjoint({threading.current_thread()})
    with pytest.raises(LookupError, match="nothing there"):
        await apart(fail)


async def test_when_it_is_not_awaited_any_more_it_ends() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def do() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(apart(do))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ended.is_set()
    # Before it could begin, it need not.
    begun.clear()
    task = asyncio.create_task(apart(do))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_what_does_not_hear_that_it_should_end_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errands, "_PATIENCE", 0.1)
    begun, let_go = threading.Event(), threading.Event()

    async def do() -> None:
        begun.set()
        let_go.wait(30)  # that is the point: its loop stands still

    task = asyncio.create_task(apart(do))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    let_go.set()


async def test_a_failure_is_not_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(errands, "_SOON", 0)
    monkeypatch.setattr(errands, "_LATER", 0.01)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    times = 0

    class Heard:
        moment = 0

        async def changed(self, tables: tuple[str, ...], since: int | None) -> None:
            assert (tables, since) == (("things",), 0)

    async def do() -> None:
        nonlocal times
        times += 1
        if times <= 3:
            raise OSError("away")
        loop.call_soon_threadsafe(done.set)

    task = asyncio.create_task(attend(Errand(("things",), do), cast("Changes", Heard())))
    async with asyncio.timeout(20):
        await done.wait()
    task.cancel()
    await asyncio.wait([task])
    # The same is not told each time.
    told = [record.getMessage() for record in caplog.records if record.name == "web.errands"]
    assert told == ["what waits in ('things',) is left for later: OSError('away')"]
