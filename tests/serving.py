"""The real server as a process of its own, started as a stranger would start it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

from db import embedded
from tests.db.scratch import connected

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Serving:
    """A server that answers at `url`."""

    url: str
    process: subprocess.Popen[bytes]
    log: int

    def said(self) -> str:
        """Everything it has logged."""
        # Not read(): that would move the place at which the server writes on.
        return os.pread(self.log, 10_000_000, 0).decode()

    def stop(self) -> float:
        """Send SIGTERM, and say how many seconds it took to end."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return time.monotonic() - started


@contextmanager
def data_directory() -> Iterator[Path]:
    """A place for an embedded Postgres, gone afterwards."""
    # Not pytest's own: those are closed to the user that Postgres runs as when we are root.
    directory = Path(tempfile.gettempdir(), f"directory-{uuid4().hex[:12]}")
    try:
        yield directory
    finally:
        embedded.drop(directory)
        shutil.rmtree(directory, ignore_errors=True)


def environment(settings: dict[str, object]) -> dict[str, str]:
    """The environment of a server that has these settings and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, **{name.upper(): str(value) for name, value in settings.items()}}


def command(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """What `python server.py ...` does and says."""
    return subprocess.run(
        [sys.executable, "-W", "error", "server.py", *arguments],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def serving(**settings: object) -> Iterator[Serving]:
    """A server with these settings, ready to answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Said to a file, because nobody reads a pipe and a full one would stop the server.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "server.py"],
            cwd=ROOT,
            env=environment({**settings, "port": port}),
            stdout=said,
            stderr=said,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            if not _answers(process, url):
                said.seek(0)
                raise AssertionError(said.read().decode())
            yield Serving(url, process, said.fileno())
        finally:
            process.terminate()
            process.wait(timeout=30)


_LISTENING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and (query ilike 'listen%' or query = 'select 1')
"""


async def listened(url: str) -> None:
    """Return once a server hears of what changes in this database."""
    async with connected(url) as connection, asyncio.timeout(10):
        while not await connection.fetchval(_LISTENING):  # noqa: ASYNC110  # Postgres has no event for it
            await asyncio.sleep(0.02)


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/healthz", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return True
    return False
