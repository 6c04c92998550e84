"""The supervisor: starts Postgres, restarts it when it dies, stops it when the last client is gone.

Runs detached from whoever started it, as `python -m db.embedded DIRECTORY DESCRIPTOR`. The
descriptor holds the lock that makes it the only one. It says one thing, to the client that started
it: the URL, or why there is none.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from db.embedded.lock import share
from db.embedded.server import Server, url
from db.errors import EmbeddedPostgresError


def supervise(directory: Path) -> int:
    # The client that started us holds the lock, or has died meanwhile: share it with the others.
    clients = share(directory / "clients.lock")
    server = Server(directory)
    try:
        try:
            server.start()
        except (EmbeddedPostgresError, OSError) as error:
            _report(str(error))
            return 1
        assert server.sockets is not None
        _report(url(server.sockets))
        while not _is_alone(clients):
            if server.has_died():
                server.clear()
                server.run()
            time.sleep(0.2)
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        server.stop()


def _is_alone(clients: int) -> bool:
    """Whether all clients are gone. New ones wait until we are, too."""
    try:
        fcntl.flock(clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _report(message: str) -> None:
    with suppress(BrokenPipeError):  # whoever asked may be gone
        os.write(1, message.encode())
    os.dup2(2, 1)  # the end of the report


def _end(_signal: int, _frame: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.set_inheritable(int(sys.argv[2]), False)
    os.pwrite(int(sys.argv[2]), str(os.getpid()).encode(), 0)
    sys.exit(supervise(Path(sys.argv[1])))
