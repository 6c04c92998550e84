"""A lock, so that one job at a time writes whole tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

# Any number will do, as long as nothing else in the database uses it.
_LOCK = 0x6C6F6164  # "load"


@asynccontextmanager
async def alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction that waits until no other load is under way."""
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        yield
