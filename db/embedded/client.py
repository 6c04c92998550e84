"""start() answers the URL of a running Postgres, drop() deletes one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from db.embedded import lock
from db.embedded.server import Server, running
from db.errors import EmbeddedPostgresError

NAME = "community-resources-directory"

# How many seconds a supervisor may take to say who it is, and to stop.
_PATIENCE = 60


def default_directory() -> Path:
    """Where data are kept by convention."""
    if os.geteuid() == 0:  # Postgres will run as somebody else, who cannot enter root's home
        return Path("/var/lib", NAME)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share", NAME)


def start(directory: Path) -> str:
    """The URL of the Postgres of a directory, which runs for at least as long as this process."""
    directory = directory.resolve()
    try:
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(0o755 if os.geteuid() == 0 else 0o700)
        ours = lock.share(directory / "clients.lock")
        started = False
        try:
            address = _start(directory)
            started = True
        finally:
            if not started:
                os.close(ours)  # otherwise it stays open until the process ends
    except OSError as error:
        raise EmbeddedPostgresError(f"Postgres cannot keep its data here: {error}") from error
    return address


def drop(directory: Path) -> None:
    """Stop the Postgres of a directory, whoever uses it, and delete its data."""
    directory = directory.resolve()
    if not directory.exists():
        return
    alone = lock.claim(directory / "supervisor.lock")
    if alone is None:
        alone = _end(directory)
    try:
        server = Server(directory)
        server.clear()  # in case its supervisor was killed
        server.stop()
        folders = [directory / "postgres", directory / "postgres.unfinished"]
        for left in (*folders, *directory.glob("binaries-*")):
            shutil.rmtree(left, ignore_errors=True)
        for file in ("postgres.log", "postgres.old.log", "clients.lock", "supervisor.lock"):
            (directory / file).unlink(missing_ok=True)
        if not any(directory.iterdir()):
            directory.rmdir()
    finally:
        os.close(alone)


def _end(directory: Path) -> int:
    """Have the supervisor stop Postgres and itself; answers the lock that it held."""
    supervisor = directory / "supervisor.lock"
    deadline = time.monotonic() + _PATIENCE
    while not (told := supervisor.read_text()):  # it is about to say who it is
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"The Postgres in {directory} does not start.")
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.kill(int(told), signal.SIGTERM)
    alone = lock.claim(supervisor, _PATIENCE)
    if alone is None:
        raise EmbeddedPostgresError(f"The Postgres in {directory} does not stop.")
    return alone


def _start(directory: Path) -> str:
    while True:
        alone = lock.claim(directory / "supervisor.lock")
        if alone is not None:
            return _supervise(directory, alone)
        address = running(directory)
        if address is not None:
            return address
        time.sleep(0.02)  # its supervisor is starting, restarting or stopping it


def _supervise(directory: Path, alone: int) -> str:
    """Start a supervisor, who inherits the lock that lets there be only one."""
    try:
        os.ftruncate(alone, 0)  # the one before us is gone, and its number may be somebody else's
        with (directory / "postgres.log").open("ab") as log:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "db.embedded", str(directory), str(alone)],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(alone,),
                start_new_session=True,
            )
    finally:
        os.close(alone)
    assert supervisor.stdout is not None
    with supervisor.stdout as report:
        said = report.read().decode()
    if said.startswith("postgresql://"):
        # It outlives us on purpose; without a return code Python would warn that we lost it.
        supervisor.returncode = 0
    else:
        supervisor.wait()
        raise EmbeddedPostgresError(
            said or f"Postgres did not start; see {directory}/postgres.log."
        )
    return said
