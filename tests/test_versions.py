"""Every example of `operations/` once more, on the oldest Postgres we promise.

The tests' own Postgres is the embedded 18. This one is the system's, wherever Debian or Homebrew
put a 15, 16 or 17; .ci/run installs one.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.data.load import load
from db.database import Database
from db.migrate import migrate
from tests.db.scratch import stopped
from tests.roads import both_roads, ordered
from tests.test_operations import EXAMPLES, Example

PLACES = ("/usr/lib/postgresql/1[567]/bin", "/opt/homebrew/opt/postgresql@1[567]/bin")


def older_postgres() -> Path | None:
    """The folder of the oldest `initdb` of the system that is not older than 15."""
    found = [path for place in PLACES for path in Path("/").glob(place.removeprefix("/"))]
    return min(found, key=str) if found else None


@pytest.fixture(scope="module")
def older_url() -> Iterator[str]:
    binaries = older_postgres()
    if binaries is None:
        pytest.skip("NO POSTGRES 15, 16 OR 17 ON THIS MACHINE: the examples ran on 18 only")
    # Postgres refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(
            command, user=user if os.geteuid() == 0 else None, check=True, capture_output=True
        )

    try:
        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "--wait", "--log", str(folder / "log"), "--options", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "--wait", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
async def older(older_url: str) -> AsyncIterator[Database]:
    await migrate(older_url)
    await load(older_url)
    database = await Database.open(stopped(older_url))
    yield database
    await database.close()


async def test_the_older_postgres_is_older(older: Database) -> None:
    version = await older.fetch("select to_json(current_setting('server_version_num')::int)", ())
    assert re.fullmatch(rb"1[567]\d{4}", version)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_is_answered_alike_by_an_older_postgres(
    example: Example, older: Database
) -> None:
    answer = await both_roads(older, example.request())
    assert ordered(answer.body) == ordered(example.answer.read_bytes())
