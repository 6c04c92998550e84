"""Applies the migrations that a database has not seen yet: python -m db.migrate URL [--plan].

A migration is a file of plain SQL, `NNNN_name.sql`. Each runs in a transaction of its own, in the
order of the numbers, and is recorded with its checksum. A file that was applied is never edited,
renamed or removed: what the tables look like is the sum of all of them, on every machine.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from db.changes import ANNOUNCE
from db.errors import DatabaseError, DatabaseUnavailable, MigrationError

DIRECTORY = Path(__file__).parent / "migrations"

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

# A file that ends its own transaction could not be rolled back whole.
_TRANSACTION = re.compile(
    r"^[ \t]*(?:begin|commit|rollback|abort|start[ \t]+transaction)\b[^;\n]*;",
    re.IGNORECASE | re.MULTILINE,
)

# Any number will do, as long as nothing else in the database uses it.
_LOCK = 0x6D696772617465  # "migrate"

# How names sort may differ from place to place: an order and its cursors agree on it. Which letters
# are the same may not, and it is decided when a database is made.
_LETTERS = (
    "This database takes Ñ and ñ for different letters, so that it would not find Spanish names. "
    "Make one with: create database directory template template0 encoding 'UTF8' locale 'C.UTF-8'"
)

_RECORD = """
    create table if not exists schema_migrations (
        name       text        primary key,
        checksum   text        not null,
        applied_at timestamptz not null default now()
    )
"""


# What is seen of the past is made of what the tables, views and functions are now.
_PAST = """
    do $$
    begin
        if to_regprocedure('rebuild_past()') is not null
            and ({anew} or to_regnamespace('past') is null)
        then
            perform rebuild_past();
        end if;
    end
    $$
"""


@dataclass(frozen=True)
class Migration:
    """One file of SQL."""

    name: str
    sql: str = field(repr=False)

    @property
    def number(self) -> str:
        return self.name[:4]

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(directory: Path = DIRECTORY) -> list[Migration]:
    """The migrations of a directory, in their order."""
    found: dict[str, Migration] = {}
    for file in sorted(directory.glob("*.sql")):
        named = _NAME.fullmatch(file.name)
        if named is None:
            raise MigrationError(f"{file.name} is not named like 0001_some_words.sql.")
        # read_text() makes \n of every line end, so that a checkout on Windows has our checksums
        migration = Migration(file.name, file.read_text(encoding="utf-8"))
        twin = found.setdefault(migration.number, migration)
        if twin is not migration:
            raise MigrationError(f"{twin.name} and {file.name} have the same number.")
        if ends := _TRANSACTION.search(migration.sql):
            line = migration.sql.count("\n", 0, ends.start()) + 1
            raise MigrationError(
                f"{file.name}, line {line}: a migration runs in a transaction of its own "
                f"and cannot say `{ends[0].strip()}`."
            )
    return list(found.values())


async def migrate(url: str, directory: Path = DIRECTORY) -> list[Migration]:
    """Apply what is pending, once, however many ask for it; answers what it applied."""
    migrations = read(directory)
    async with _connected(url) as connection:
        # Held until the connection ends. Whoever waits here finds the work done.
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        if not await _knows_letters(connection):
            raise MigrationError(_LETTERS)
        await connection.execute(_RECORD)
        todo = _todo(migrations, await _applied(connection))
        for migration in todo:
            await _apply(connection, migration)
        await connection.execute(ANNOUNCE)
        await connection.execute(_PAST.format(anew=str(bool(todo)).lower()))
    return todo


async def pending(url: str, directory: Path = DIRECTORY) -> list[Migration]:
    """What migrate() would apply; changes nothing."""
    migrations = read(directory)
    async with _connected(url) as connection:
        known = await connection.fetchval("select to_regclass('schema_migrations') is not null")
        return _todo(migrations, await _applied(connection) if known else {})


async def _knows_letters(connection: Any) -> bool:
    """Whether the database can tell that Ñ and ñ are one letter."""
    if await connection.fetchval("show server_encoding") != "UTF8":
        return False
    small: str = await connection.fetchval("select lower('Ñ')")
    return small == "ñ"


async def _applied(connection: Any) -> dict[str, str]:
    return dict(
        await connection.fetch("select name, checksum from schema_migrations order by name")
    )


def _todo(migrations: list[Migration], applied: Mapping[str, str]) -> list[Migration]:
    """The migrations after the applied ones, if files and database tell the same story."""
    files = {migration.name: migration for migration in migrations}
    for name, checksum in applied.items():
        if name not in files:
            raise MigrationError(
                f"{name} was applied to this database, but the file is missing. "
                "Bring it back, or use the version of the program that has it."
            )
        if files[name].checksum != checksum:
            raise MigrationError(
                f"{name} was edited after it was applied to this database. "
                "Undo the edit, and make the change in a new migration."
            )
    todo = [migration for migration in migrations if migration.name not in applied]
    last = max(applied, default="")
    for migration in todo:
        if migration.name < last:
            raise MigrationError(
                f"{migration.name} comes before {last}, which was applied already. "
                "Give it a higher number."
            )
    return todo


async def _apply(connection: Any, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into schema_migrations (name, checksum) values ($1, $2)",
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.name}{_place(migration, error)}: {error}") from error


def _place(migration: Migration, error: asyncpg.PostgresError) -> str:
    position = getattr(error, "position", None)
    if position is None:  # what failed was not the text, but what it did
        return ""
    return f", line {migration.sql.count(chr(10), 0, int(position) - 1) + 1}"


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    try:
        connection = await asyncpg.connect(
            url,
            server_settings={
                "application_name": "migrate",
                "search_path": "public",
                "statement_timeout": "0",
                "client_min_messages": "warning",
            },
        )
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {error}") from error
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m db.migrate", description=__doc__)
    parser.add_argument("url", help="the database, such as postgresql://localhost/directory")
    parser.add_argument("--plan", action="store_true", help="show what is pending, change nothing")
    chosen = parser.parse_args(arguments)
    try:
        found = asyncio.run((pending if chosen.plan else migrate)(chosen.url))
    except DatabaseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    verb = "pending" if chosen.plan else "applied"
    sys.stdout.writelines(f"{verb} {migration.name}\n" for migration in found)
    if not found:
        sys.stdout.write(f"nothing {verb}\n" if chosen.plan else "nothing to apply\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
