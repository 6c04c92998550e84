"""A connection for a job of its own, outside the pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from db.errors import DatabaseUnavailable, from_postgres


@asynccontextmanager
async def connected(url: str, role: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose statements may take their time; it reads as `role`, if there is one."""
    try:
        connection = await asyncpg.connect(url, server_settings={"role": role} if role else {})
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable("The database cannot be reached.") from error
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def answering(url: str, role: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    """The same, whose failures are told in the words of `errors.py`."""
    async with connected(url, role) as connection:
        try:
            yield connection
        except asyncpg.PostgresError as error:
            raise from_postgres(error) from error
