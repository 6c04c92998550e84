"""A connection for a job that writes whole tables, and a lock so that there is one at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from db.errors import DatabaseUnavailable

# Any number will do, as long as nothing else in the database uses it.
_LOCK = 0x6C6F6164  # "load"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection outside the pool, whose statements may take their time."""
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable("The database cannot be reached.") from error
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction that waits until no other load is under way."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        yield
