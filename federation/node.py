"""Composers and routers are programs for Node: here they are installed, and run."""

from __future__ import annotations

import fcntl
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

OLDEST = 20
"""The Node that they need."""


class NodeError(Exception):
    """There is no Node here, or one that is too old."""


def check() -> None:
    """NodeError unless there is a Node, with npm, that is not too old."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NodeError(f"Node {OLDEST} or later is needed, with npm")
    version = subprocess.check_output(["node", "--version"], text=True).strip()
    if int(version[1:].partition(".")[0]) < OLDEST:
        raise NodeError(f"Node {OLDEST} or later is needed, and this is {version}")


def install() -> None:
    """Install what the lock file says, unless it is there; NodeError if there is no Node."""
    check()
    lock = FOLDER / "package-lock.json"
    # Of which lock file this is the installation; written when it is whole.
    whole = FOLDER / "node_modules" / "installed.json"
    # Two processes that need it wait for one installation.
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if whole.exists() and whole.read_bytes() == lock.read_bytes():
            return
        quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run(["npm", "ci", *quietly], cwd=FOLDER, check=True, timeout=600)
        shutil.copy(lock, whole)


def ask(program: str, question: object) -> Any:
    """What a program of this folder answers: JSON for JSON."""
    done = subprocess.run(
        ["node", FOLDER / program],
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Job:
    """Subgraphs with their name, url and sdl, for the composer `guild`, `apollo` or `cosmo`.

    What has one of the tags `without` is not for clients.
    """

    composer: str
    subgraphs: Sequence[Mapping[str, str]]
    without: Sequence[str] = ()


@dataclass(frozen=True)
class Composed:
    """What a composer made of subgraphs: a supergraph, and what clients see of it; or errors."""

    supergraph: str | None
    schema: str | None
    errors: Sequence[str]
    hints: Sequence[str]


def compose(jobs: Sequence[Job]) -> list[Composed]:
    """What becomes of subgraphs, job by job."""
    return [Composed(**answer) for answer in ask("compose.mjs", [asdict(job) for job in jobs])]


@contextmanager
def router(program: str, supergraph: str, port: int) -> Iterator[str]:
    """A router over a supergraph, ready to answer at this URL."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "supergraph.graphql")
        file.write_text(supergraph)
        # Ctrl-C is for us: we end the router when we are done.
        process = subprocess.Popen(
            ["node", FOLDER / program, file, str(port)],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}/graphql"
            _wait(process, url)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            post(url, {"query": "{ __typename }"})
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The router does not answer at {url}.")


def post(url: str, question: object) -> Any:
    """What is answered to an operation."""
    headers = {"content-type": "application/json"}
    asked = urllib.request.Request(url, json.dumps(question).encode(), headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


def free_port(wanted: int = 0) -> int:
    """A port that nobody listens on just now; 0 if the one that is wanted is taken."""
    try:
        with socket.create_server(("127.0.0.1", wanted)) as free:
            port: int = free.getsockname()[1]
            return port
    except OSError:
        return 0
