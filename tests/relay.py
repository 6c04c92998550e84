"""A line to Postgres that a test can cut, or hold, at the very moment of a commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import parse_qs, urlsplit

_COMMIT = b"commit\0"


class Trap(Enum):
    """What becomes of the next commit."""

    LOST = "It never arrives: the line is cut before."
    UNANSWERED = "It is done, and the line is cut before anybody hears of that."
    HELD = "It waits until the test lets it go."


class Relay:
    """Passes on what servers and a Postgres say to each other."""

    def __init__(self, url: str) -> None:
        self.trap: Trap | None = None
        self.caught = asyncio.Event()
        self.free = asyncio.Event()
        parts = urlsplit(url)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._host = given.get("host") or parts.hostname or "localhost"
        self._port = int(given.get("port") or parts.port or 5432)
        self._user = parts.netloc.rpartition("@")[0]
        self._name = parts.path
        self._pumps: set[asyncio.Task[None]] = set()

    def set(self, trap: Trap) -> None:
        """Lay a trap for whoever commits next."""
        self.trap = trap
        self.caught.clear()
        self.free.clear()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The URL of the same database, by way of this."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            # Nothing can be seen in what is encrypted.
            at = f"{self._user}@127.0.0.1" if self._user else "127.0.0.1"
            yield f"postgresql://{at}:{port}{self._name}?sslmode=disable"
        finally:
            self.free.set()
            server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._host.startswith("/"):
                far = await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
            else:
                far = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.close()
            return
        line = _Line(self, (reader, writer), far)
        for pump in (line.out(), line.back()):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Line:
    def __init__(self, relay: Relay, near: _Ends, far: _Ends) -> None:
        self.relay = relay
        self.near = near
        self.far = far
        self.deaf = False

    async def out(self) -> None:
        """What a server says to Postgres."""
        try:
            while said := await self.near[0].read(65_536):
                if self.relay.trap is not None and said.endswith(_COMMIT):
                    trap, self.relay.trap = self.relay.trap, None
                    self.relay.caught.set()
                    if trap is Trap.LOST:
                        return
                    if trap is Trap.HELD:
                        await self.relay.free.wait()
                    self.deaf = trap is Trap.UNANSWERED
                self.far[1].write(said)
                await self.far[1].drain()
            await self._finished()
        except OSError:
            pass
        finally:
            if not self.deaf:
                self._cut()

    async def _finished(self) -> None:
        """Let Postgres read what was said last, before the line is gone."""
        with suppress(OSError):
            self.far[1].write_eof()
            await self.far[1].drain()

    async def back(self) -> None:
        """What Postgres answers."""
        try:
            while said := await self.far[0].read(65_536):
                if self.deaf:
                    return
                self.near[1].write(said)
                await self.near[1].drain()
        except OSError:
            pass
        finally:
            self._cut()

    def _cut(self) -> None:
        for _, writer in (self.near, self.far):
            writer.close()
