"""The servers that are asked: how each is started, and what it understands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks.load import Asked
from tests.benchmarks.workloads import Variables, Workload

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "servers"
BUILD = ROOT / "build" / "postgraphile"

CONNECTIONS = 4
"""How many connections to Postgres each server has: two per core of a small machine."""

FIRST_ROW = ["", "00000000-0000-0000-0000-000000000000"]
"""A cursor before all others, for SQL by hand."""


class NotToBeHadError(Exception):
    """This machine cannot run that server."""


@dataclass(frozen=True)
class Peer:
    """A kind of server."""

    name: str
    about: str
    command: Callable[[str, int], list[str]]
    """What starts it on a database and a port."""
    environment: Callable[[str, int], Mapping[str, str]] = field(default=lambda url, port: {})
    dialect: str = "directory.graphql"
    """Which file of a question it understands."""
    knows: bool = False
    """Whether those who ask know the answer, and want to hear whether it still holds."""

    def asked(self, workload: Workload, variables: Variables, cursor: Any = None) -> Asked:
        """The request that asks a question, after a cursor of this peer's own."""
        if self.dialect == "by_hand.sql":
            arguments: list[Any] = list(variables.values())
            if workload.question == "entities":
                arguments = [[each["slug"] for each in arguments[0]]]
            if workload.question == "page":
                arguments += cursor or FIRST_ROW
            return Asked(f"/{workload.question}", json.dumps(arguments))
        given = {**variables, "after": cursor} if cursor else variables
        query = workload.text(self.dialect)
        if self.knows:
            parameters = {"query": query, "variables": json.dumps(given)}
            return Asked(f"/graphql?{urlencode(parameters)}", "")
        return Asked("/graphql", json.dumps({"query": query, "variables": given}))


def _module(name: str) -> Callable[[str, int], list[str]]:
    module = f"tests.benchmarks.servers.{name}"
    return lambda url, port: [sys.executable, "-m", module, url, str(port), str(CONNECTIONS)]


def _ours(url: str, port: int) -> dict[str, str]:
    return {
        "ENVIRONMENT": "production",
        "DATABASE_URL": url,
        "PORT": str(port),
        "POOL_SIZE": str(CONNECTIONS),
        "LOG_LEVEL": "warning",
        # Everything, and what a router asks for besides.
        "SUBGRAPHS": "institutions visiting programs providers",
    }


_SERVE = [sys.executable, "server.py", "serve"]

DIRECTORY = Peer(
    "directory",
    "this server, which asks Postgres each time",
    lambda url, port: _SERVE,
    lambda url, port: _ours(url, port) | {"ANSWER_CACHE_BYTES": "0"},
)
KEPT = Peer("kept", "this server, giving answers again", lambda url, port: _SERVE, _ours)
KNOWN = Peer(
    "304", "this server, saying that they hold", lambda url, port: _SERVE, _ours, knows=True
)
STILL = Peer("still", "bare ASGI, bytes that never change", _module("still"), dialect="by_hand.sql")
BY_HAND = Peer("by hand", "bare ASGI, SQL by hand", _module("by_hand"), dialect="by_hand.sql")
LOADERS = Peer("loaders", "Strawberry with data loaders", _module("loaders"))
POSTGRAPHILE = Peer(
    "PostGraphile",
    "PostGraphile 5",
    lambda url, port: [_node(), "server.cjs", url, str(port), str(CONNECTIONS)],
    lambda url, port: {"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
    dialect="postgraphile.graphql",
)
PEERS = (STILL, KEPT, KNOWN, BY_HAND, DIRECTORY, LOADERS, POSTGRAPHILE)


@dataclass
class Running:
    """A server that answers."""

    peer: Peer
    port: int
    process: subprocess.Popen[bytes]

    def answer(self, asked: Asked) -> Any:
        """What it answers, which has to be data and nothing but data."""
        answer = json.loads(self._asked(asked)[0])
        if answer.keys() != {"data"}:
            raise RuntimeError(f"{self.peer.name} answers {str(answer)[:500]}")
        return answer["data"]

    def known(self, asked: Asked) -> Asked:
        """The request of somebody who has been answered it before."""
        return replace(asked, known=self._asked(asked)[1])

    def _asked(self, asked: Asked) -> tuple[bytes, str]:
        """The body of its answer, and the tag."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{asked.path}",
            asked.body.encode() or None,
            replace(asked, known="").headers,
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read(), response.headers.get("etag", "")

    def cursor(self, workload: Workload) -> Any:
        """Its own cursor after the rows that a workload skips, as a client would come by it."""
        cursor, left = None, workload.skipped
        while left:
            step = min(left, 100)
            page = self.answer(self.peer.asked(workload, {"first": step}, cursor))["providers"]
            if len(page["nodes"]) != step:
                raise RuntimeError(f"{self.peer.name} has {left} rows too few.")
            cursor, left = page["pageInfo"]["endCursor"], left - step
        return cursor


@contextmanager
def running(peer: Peer, url: str) -> Iterator[Running]:
    """A server of this kind on a database, until it is no longer needed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            peer.command(url, port),
            cwd=BUILD if peer is POSTGRAPHILE else ROOT,
            env={**os.environ, **peer.environment(url, port)},
            stdout=said,
            stderr=said,
        )
        try:
            if not _listening(process, port):
                said.seek(0)
                raise RuntimeError(f"{peer.name} does not start: {said.read().decode()[-2000:]}")
            yield Running(peer, port, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listening(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        except OSError:
            time.sleep(0.05)
    return False


def install_postgraphile() -> str:
    """Have PostGraphile in build/, from its lock file, and say which version of Node runs it."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotToBeHadError("there is no npm")
    BUILD.mkdir(parents=True, exist_ok=True)
    locked = HERE / "postgraphile" / "package-lock.json"
    installed = BUILD / "package-lock.json"
    fresh = installed.exists() and installed.read_bytes() == locked.read_bytes()
    shutil.copy(HERE / "postgraphile" / "server.cjs", BUILD)
    shutil.copy(HERE / "postgraphile" / "package.json", BUILD)
    if not fresh:
        installed.unlink(missing_ok=True)
        made = BUILD / "unfinished"
        made.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "postgraphile" / name, made)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotToBeHadError(f"npm ci fails: {done.stderr.strip()[-500:]}")
        shutil.rmtree(BUILD / "node_modules", ignore_errors=True)
        (made / "node_modules").rename(BUILD / "node_modules")
        shutil.rmtree(made)
        shutil.copy(locked, installed)
    return _version(_node()) or ""


def _node() -> str:
    """A Node that PostGraphile 5 runs on: the machine's own, or the one that npm brought along."""
    for node in (shutil.which("node"), str(BUILD / "node_modules" / ".bin" / "node")):
        version = node and _version(node)
        if node and version and int(version[1:].partition(".")[0]) >= 22:
            return node
    raise NotToBeHadError("there is no Node 22 or later")


def _version(node: str) -> str | None:
    try:
        return subprocess.check_output([node, "--version"], text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return None
