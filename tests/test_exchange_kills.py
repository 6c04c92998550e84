"""Imports that are killed: nothing of them is there, or all; and they go on where they were."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.migrate import migrate
from tests.db.scratch import connected, scratch
from tests.serving import ROOT, command, environment

ROWS = 3000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def empty() -> AsyncIterator[str]:
    async with scratch() as url:
        await migrate(url)
        yield url


@pytest_asyncio.fixture
async def line(empty: str) -> AsyncIterator[tuple[str, asyncpg.Connection]]:
    async with scratch(empty) as url, connected(url) as connection:
        yield url, connection


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Organizations with a phone each; those of one batch say nothing of each other."""
    path = tmp_path_factory.mktemp("feed") / "organizations.ndjson"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in organizations(ROWS)))
    return path


def organizations(count: int, *, words: int = 1) -> Iterator[object]:
    for number in range(1, count + 1):
        yield {
            "id": str(UUID(int=number)),
            "name": f"Organization {number}",
            "description": "It helps. " * words,
            "phones": [{"id": str(UUID(int=number)), "number": f"+1415555{number % 10000:04}"}],
        }


@contextmanager
def importing(url: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An import as a process of its own, which is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "server.py", "import", "hsds", str(path)],
        cwd=ROOT,
        env=environment({"database_url": url}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL


async def until(connection: asyncpg.Connection, condition: str) -> None:
    async with asyncio.timeout(60):
        while not await connection.fetchval(f"select {condition}"):  # noqa: ASYNC110  # Postgres has no event for it
            await asyncio.sleep(0.005)


# What is left of a process that was killed, Postgres finds out when it has something to tell it.
ALONE = """not exists (select from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid())"""
WAITING = """exists (select from pg_locks l join pg_class c on c.oid = l.relation
                     where not l.granted and c.relname = '{}'
                       and l.database = (select oid from pg_database
                                         where datname = current_database()))"""


async def counts(connection: asyncpg.Connection, *tables: str) -> list[int]:
    return [await connection.fetchval(f"select count(*) from {name}") for name in tables]


async def test_killed_while_it_is_read_it_goes_on_there(
    line: tuple[str, asyncpg.Connection], feed: Path
) -> None:
    url, connection = line
    with importing(url, feed):
        await until(connection, "to_regclass('import_runs') is not null")
        await until(connection, "coalesce((select max(rows_read) from import_runs) >= 400, false)")
        holding = connection.transaction()
        await holding.start()
        await connection.execute("lock table import_rows in share mode")
        await until(connection, WAITING.format("import_rows"))
    await holding.rollback()
    await until(connection, ALONE)
    run = await connection.fetchrow("select * from import_runs")
    assert (run["state"], run["finished_at"]) == ("STAGING", None)
    assert 400 <= run["rows_read"] < ROWS
    # Each batch is there whole: an organization and its phone for each row.
    staged = await counts(connection, "import_rows", "providers", "phones", "sources", "imports")
    assert staged == [2 * run["rows_read"], 0, 0, 0, 0]
    assert run["rows_staged"] == staged[0]
    done = command("import", "hsds", str(feed), database_url=url)
    assert done.returncode == 0, done.stderr
    assert "It went on where it was." in done.stderr
    assert f"{ROWS:,} rows read, {2 * ROWS:,} records found" in done.stdout
    (after,) = await connection.fetch("select * from import_runs")
    assert (after["id"], after["state"]) == (run["id"], "APPLIED")
    # What was staged before was not staged again.
    assert after["rows_read"] == ROWS
    left = await counts(connection, "import_rows", "providers", "phones", "sources", "imports")
    assert left == [0, ROWS, ROWS, 1, 1]


async def test_killed_while_it_is_applied_nothing_of_it_is_there(
    line: tuple[str, asyncpg.Connection], feed: Path
) -> None:
    url, connection = line
    holding = connection.transaction()
    await holding.start()
    # It writes organizations first, and then waits for us.
    await connection.execute("lock table phones in share row exclusive mode")
    with importing(url, feed):
        await until(connection, WAITING.format("phones"))
    await holding.rollback()
    await until(connection, ALONE)
    run = await connection.fetchrow("select * from import_runs")
    assert (run["state"], run["finished_at"]) == ("CHECKED", None)
    found = await counts(
        connection, "providers", "phones", "sources", "imports", "hsds_remainders", "changes"
    )
    assert found == [0, 0, 0, 0, 0, 0]
    assert await counts(connection, "import_rows") == [2 * ROWS]
    done = command("import", "hsds", str(feed), database_url=url)
    assert done.returncode == 0, done.stderr
    assert "It went on where it was." in done.stderr
    assert await counts(connection, "import_rows", "providers", "phones") == [0, ROWS, ROWS]
    assert await counts(connection, "import_runs") == [1]


async def test_one_file_is_imported_by_one_at_a_time(
    line: tuple[str, asyncpg.Connection], feed: Path
) -> None:
    url, connection = line
    holding = connection.transaction()
    await holding.start()
    await connection.execute("lock table phones in share row exclusive mode")
    with importing(url, feed):
        await until(connection, WAITING.format("phones"))
        other = command("import", "hsds", str(feed), database_url=url)
        assert other.returncode == 1
        assert other.stderr == "Error: organizations.ndjson: is being imported right now\n"
    await holding.rollback()
    await until(connection, ALONE)


_MEASURED = r"""
import asyncio, re, sys
from pathlib import Path
from db.data.exchange.feeds import take_feed
run = asyncio.run(take_feed(sys.argv[1], Path(sys.argv[2])))
# Not getrusage: what it tells begins with the memory of whoever started us.
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(run.rows_read, peak[1])
"""


def measured(url: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _MEASURED, url, str(path)],
        cwd=ROOT,
        env={**environment({}), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no Linux: no VmHWM")
async def test_a_large_file_is_never_in_memory(
    line: tuple[str, asyncpg.Connection], tmp_path: Path
) -> None:
    url, _ = line
    peaks = []
    for name, count in (("small", 500), ("large", 4000)):
        path = tmp_path / f"{name}.json"
        # An array, so that its end is far away.
        path.write_text(json.dumps(list(organizations(count, words=250))))
        said = measured(url, path)
        assert said.returncode == 0, said.stderr
        rows, peak = map(int, said.stdout.split())
        assert rows == count
        peaks.append((path.stat().st_size, peak * 1024))
    (small, less), (large, more) = peaks
    assert large > 10_000_000 > 7 * small
    assert more - less < (large - small) / 2
