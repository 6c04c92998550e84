"""`make federation`: a router and four subgraphs start, answer, and stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import httpx

from federation.node import free_port, install
from schema.subgraphs import SUBGRAPHS
from tests.db.scratch import scratch, stopped
from tests.node import or_skipped
from tests.serving import ROOT, environment

QUERY = """{ institution(code: "SQ") {
    name visitingNow programs(first: 1) { totalCount } county { providers(first: 1) { totalCount } }
} }"""


async def test_it_starts_answers_from_all_subgraphs_and_stops(loaded_url: str) -> None:
    with or_skipped("NO FEDERATION WAS STARTED"):
        install()
    port = ports()
    async with scratch(loaded_url) as url:
        settings = environment({"environment": "production", "database_url": stopped(url)})
        process = subprocess.Popen(  # noqa: ASYNC220  nobody else is waiting here
            [sys.executable, "-m", "federation", "--port", str(port)],
            cwd=ROOT,
            env=settings,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            said = ""
            while "Ctrl-C" not in said and (line := process.stdout.readline()):
                said += line
            assert f"http://127.0.0.1:{port}/graphql    the router" in said
            async with httpx.AsyncClient(timeout=60) as client:
                asked = await client.post(f"http://127.0.0.1:{port}/graphql", json={"query": QUERY})
            found = asked.json()["data"]["institution"]
            assert found["name"] == "San Quentin Rehabilitation Center"
            assert found["visitingNow"] is not None
            assert found["programs"]["totalCount"] > 0
            assert found["county"]["providers"]["totalCount"] > 0
            assert int(asked.headers["subgraph-requests"]) == 4
        finally:
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        assert said.endswith("Stopped.\n")
        assert process.returncode == 0
        for number in range(port, port + 1 + len(SUBGRAPHS)):
            assert free_port(number) == number


def ports() -> int:
    """The first of five ports in a row that nobody listens on."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        first = free_port()
        if all(free_port(first + n) for n in range(1 + len(SUBGRAPHS))):
            return first
    raise AssertionError("There are no five ports in a row.")
