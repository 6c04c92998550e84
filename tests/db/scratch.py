"""Databases of one's own: made from a template in a moment, dropped when the test is over."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import asyncpg

from db import embedded
from db.data.report import Report

# A Friday morning in California, on which prisons receive visitors.
CLOCK = "2026-07-03 09:00-07"

_numbers = itertools.count()


@dataclass(frozen=True)
class Loaded:
    """A database that files were loaded into, and what the loader told."""

    url: str
    report: Report
    progress: Sequence[tuple[int, int]]


@cache
def server() -> str:
    """The URL of the Postgres that tests run on."""
    # Of this checkout and this user: another's server would run from another's files. And of this
    # worker, if there are several: what is told of changes waits for transactions that are under
    # way anywhere on a server, such as another's load.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    own = f"{Path(__file__).resolve()} {os.getuid()} {worker}"
    whose = hashlib.sha256(own.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir(), f"directory-tests-{whose}")
    return os.environ.get("DATABASE_URL") or embedded.start(folder)


async def hurry() -> None:
    """Let the tests' own Postgres not wait for the disk: nobody needs it after a power cut."""
    if "DATABASE_URL" not in os.environ:
        await _command("alter system set fsync = off")
        await _command("select pg_reload_conf()")


@asynccontextmanager
async def scratch(template: str | None = None, options: str = "") -> AsyncIterator[str]:
    """The URL of a new database, empty or a copy of another."""
    name = f"scratch_{os.getpid()}_{next(_numbers)}"
    # Written into the log page by page, as Postgres does by itself, it would take thrice as long.
    copied = f" template {_name(template)} strategy file_copy" if template else ""
    await _command(f"create database {name}{copied} {options}")
    try:
        yield re.sub(r"(//[^/]*/)[^?]*", rf"\g<1>{name}", server())
    finally:
        await _command(f"drop database {name} with (force)")


def stopped(url: str) -> str:
    """The URL with the clock standing still."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'directory.clock': CLOCK})}"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is closed afterwards."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def everything(url: str) -> dict[str, str]:
    """A digest of each table: equal only if no row was added, removed or even rewritten."""
    async with connected(url) as connection:
        tables = await connection.fetch(
            "select relname from pg_class"
            " where relkind = 'r' and relnamespace = 'public'::regnamespace"
            # When transactions were committed that the log has lines of.
            " and relname <> 'commits' order by 1"
        )
        return {
            table: await connection.fetchval(
                f"select md5(string_agg(xmin::text || t::text, '' order by t::text)) from {table} t"
            )
            for (table,) in tables
        }


async def _command(sql: str) -> None:
    async with connected(server()) as connection:
        await connection.execute(sql)


def _name(url: str) -> str:
    found = re.search(r"//[^/]*/([^?]*)", url)
    assert found
    return found[1]
