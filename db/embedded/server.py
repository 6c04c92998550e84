"""One Postgres: making its data, starting, stopping, clearing up after a crash."""

from __future__ import annotations

import hashlib
import locale
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from db.embedded.installation import ADVICE, Account, account, binaries
from db.errors import EmbeddedPostgresError

MAJOR = "18"
PORT = 5432  # part of the socket's name; nothing listens on TCP

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # nobody replicates from here, and bulk loads write less
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # What people ask goes into no log, and the words of an error may quote it. Whoever asked hears
    # of it anyway; so the log has how Postgres itself fares, and no statement, value or error.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}

# Crash recovery after a large load may take its time.
_START_SECONDS = 300
_STOP_SECONDS = 30


def url(sockets: Path) -> str:
    return f"postgresql://postgres@/postgres?host={sockets}&port={PORT}"


class Server:
    """The Postgres whose data are kept in a directory. Only its supervisor may use this."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "postgres"
        self.log = directory / "postgres.log"
        self.account: Account = account()
        self.sockets: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._note = self.data / "postmaster.pid"
        # Every process of this Postgres shows this name: how we know them after a crash.
        self._name = "directory-" + hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]

    def start(self) -> None:
        """Make the data if there are none, and start."""
        if not self.account.may_enter(self.directory):
            raise EmbeddedPostgresError(
                f"The user who runs Postgres cannot reach {self.directory}. "
                f"Choose a directory outside of anybody's home. {ADVICE}"
            )
        self._binaries = binaries(self.account, self.directory)
        if self._note.exists() or not self.data.exists():
            self.clear()
        self._make()
        if self.sockets is None:
            self.sockets = self._socket_folder()
        self.run()

    def run(self) -> None:
        """Start on data that exist; what is left of an earlier run has been cleared."""
        self._allow_only_us()
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.log.with_suffix(".old.log"))
        settings = _SETTINGS | {
            "unix_socket_directories": str(self.sockets),
            "cluster_name": self._name,
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with self.log.open("ab") as log:
            self._process = self._spawn(
                "postgres", "-D", str(self.data), "-p", str(PORT), *options, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            if self.has_died() or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Postgres did not start:\n{self._last_words()}\n{ADVICE}"
                )
            time.sleep(0.005)

    def is_ready(self) -> bool:
        told = postmaster(self.data)
        return (
            told is not None
            and self._process is not None
            and told[0] == str(self._process.pid)
            and told[7].startswith("ready")
        )

    def has_died(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Stop, politely first, and take the sockets away."""
        if self._process is not None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                if self._process.poll() is None:
                    self._process.send_signal(how)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_STOP_SECONDS)
                    break
        if self.sockets is not None:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def clear(self) -> None:
        """End what an earlier supervisor left running, and take away the notes of its being there.

        Postgres would refuse to start beside its own remains; and it would take for them any
        process that got the old number, or a zombie, whom nobody may be there to bury.
        """
        import psutil  # type: ignore[import-untyped]  # has no types

        remains = [
            process
            for process in psutil.process_iter(["cmdline", "uids"])
            if process.info["uids"]
            and process.info["uids"].real == self.account.uid
            and any(self._name in word for word in process.info["cmdline"] or ())
        ]
        told = postmaster(self.data)
        for process in remains:
            if told is not None and str(process.pid) == told[0]:
                _signal(process, signal.SIGINT)
        _, alive = psutil.wait_procs(remains, timeout=_STOP_SECONDS if told else 0)
        for process in alive:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(alive, timeout=_STOP_SECONDS)
        if told is not None and self.sockets is None and self._is_private(Path(told[4])):
            self.sockets = Path(told[4])  # clients of a Postgres that crashed know it
        for path in (self._note, *(self.sockets.glob(".s.PGSQL.*") if self.sockets else ())):
            path.unlink(missing_ok=True)

    def _make(self) -> None:
        """initdb, beside its final place, so that there is either a whole cluster or none."""
        version = self.data / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != MAJOR:
                raise EmbeddedPostgresError(
                    f"The data in {self.data} belong to Postgres {found}, "
                    f"and this is Postgres {MAJOR}. "
                    f"`make clean-data` deletes them. {ADVICE}"
                )
            return
        unfinished = self.directory / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._own(unfinished)
        made = self._spawn(
            *("initdb", "-D", str(unfinished), "-U", "postgres", "--auth=peer", "--encoding=UTF8"),
            # The same order and the same upper case on every machine ...
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            # ... and what a letter is, for those parts of Postgres that still ask the system.
            *(f"--locale={_locale()}", "--no-instructions"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            output, _ = made.communicate()
        finally:
            if made.poll() is None:  # we were told to stop
                os.killpg(made.pid, signal.SIGKILL)
                made.wait()
        if made.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            words = output.decode(errors="replace").strip()
            raise EmbeddedPostgresError(f"Postgres could not make its data:\n{words}\n{ADVICE}")
        unfinished.rename(self.data)

    def _allow_only_us(self) -> None:
        """Let the kernel say who is at the socket: only the user who started this may come in."""
        us = pwd.getpwuid(os.geteuid()).pw_name
        (self.data / "pg_hba.conf").write_text("local all all peer map=us\n")
        (self.data / "pg_ident.conf").write_text(f'us "{us}" all\n')

    def _is_private(self, folder: Path) -> bool:
        """Whether a folder for sockets is still there and still what we made of it."""
        try:
            status = folder.lstat()
        except FileNotFoundError:
            return False
        return (
            stat.S_ISDIR(status.st_mode)
            and status.st_uid == self.account.uid
            and stat.S_IMODE(status.st_mode) == 0o700
        )

    def _socket_folder(self) -> Path:
        """A short path (a socket's may have 107 bytes) that nobody else can enter."""
        base = "/run" if os.geteuid() == 0 and os.access("/run", os.W_OK) else "/tmp"
        folder = Path(tempfile.mkdtemp(prefix="directory-", dir=base))
        self._own(folder)
        return folder

    def _own(self, path: Path) -> None:
        if not self.account.is_ours:
            os.chown(path, self.account.uid, self.account.gid)

    def _spawn(self, program: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        if not self.account.is_ours:
            options |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return subprocess.Popen(
            [self._binaries / program, *arguments],
            stdin=subprocess.DEVNULL,
            cwd="/",
            umask=0o077,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            **options,
        )

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-10:])


def postmaster(data: Path) -> list[str] | None:
    """What a Postgres notes about itself while it runs, and leaves behind when it is killed:

    its process, data, start, port, socket folder, address, shared memory and state.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    return lines if len(lines) == 8 else None


def running(directory: Path) -> str | None:
    """The URL of the Postgres that keeps its data here, if it is there and lets one in."""
    told = postmaster(directory / "postgres")
    if told is None or not told[7].startswith("ready"):
        return None
    sockets = Path(told[4])
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(sockets / f".s.PGSQL.{PORT}"))
        except OSError:
            return None
    return url(sockets)


def _locale() -> str:
    for name in ("C.UTF-8", "en_US.UTF-8"):
        with suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, name)
            return name
    return "C"


def _signal(process: Any, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, how)
