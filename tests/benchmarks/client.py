"""Requests over so many connections, each sending its next one when it has its answer.

    python -m tests.benchmarks.client PORT CONNECTIONS SECONDS < requests.json

It reads a JSON list of whole HTTP requests and writes what `load.py` reads.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import cast

import uvloop


class _Connection(asyncio.Protocol):
    """Keeps one request under way until its time is over."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.requests = requests
        self.until = until
        self.seconds: list[float] = []
        self.failures = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self.received = b""
        self.sent = perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.received = self.received + data if self.received else data
        if not _whole(self.received):
            return
        now = perf_counter()
        self.seconds.append(now - self.sent)
        self.failures += not self.received.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304"))
        if now < self.until:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.failures += perf_counter() < self.until
        if not self.ended.done():
            self.ended.set_result(None)


def _whole(received: bytes) -> bool:
    """Whether this is a whole response, of a length that it states or in chunks."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return False
    if head.startswith(b"HTTP/1.1 304"):
        return True
    _, named, length = head.lower().partition(b"\r\ncontent-length:")
    if named:
        return len(body) >= int(length.partition(b"\r\n")[0])
    return body.endswith(b"0\r\n\r\n")


async def _run(port: int, connections: int, seconds: float, requests: list[bytes]) -> str:
    loop = asyncio.get_running_loop()
    cycle = itertools.cycle(requests)
    started = perf_counter()
    made = [
        await loop.create_connection(
            lambda: _Connection(cycle, started + seconds), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.ended for _, protocol in made))
    took = perf_counter() - started
    times = sorted(second for _, protocol in made for second in protocol.seconds)
    return json.dumps(
        {
            "requests": len(times),
            "seconds": took,
            "p50": times[len(times) // 2] * 1000,
            "p99": times[len(times) * 99 // 100] * 1000,
            "failures": sum(protocol.failures for _, protocol in made),
        }
    )


def main() -> None:
    port, connections, seconds = (float(argument) for argument in sys.argv[1:])
    requests = [request.encode() for request in json.load(sys.stdin)]
    print(uvloop.run(_run(int(port), int(connections), seconds, requests)))  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
