"""One connection to Postgres, and the statements that it holds prepared."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

# All that asyncpg raises when a statement is refused or a connection breaks.
FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,  # TimeoutError is one
    UnicodeError,
)

# Failures of a session, not of the statement: a read may be asked again elsewhere.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidSQLStatementNameError,  # something between us has forgotten our statements
    asyncpg.exceptions.InvalidCachedStatementError,  # a table changed under a held statement
    asyncpg.InternalClientError,  # "cannot switch to state", while a backend dies
    ConnectionError,
    TimeoutError,  # ours; Postgres' own is a QueryCanceledError
)

# How long a cancelled statement may take to end before its connection is given up.
_RECOVERY = 1.0

# Which moment of the past it is, each transaction says: see `migrations/0041_past.sql`.
LOOK_BACK = "select look_back($1)"
BEGIN = "begin isolation level repeatable read, read only"


async def teach(connection: Any) -> None:
    """Let a connection hand over JSON as the bytes that it is."""
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_to_json, decoder=bytes, format="binary"
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )


def _to_json(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _to_jsonb(value: str | bytes) -> bytes:
    return b"\x01" + _to_json(value)


def _from_jsonb(value: bytes) -> bytes:
    return value[1:]  # without the version of the format


class Session:
    """A connection and the statements it holds prepared."""

    __slots__ = ("busy", "connection", "framed", "held", "limit", "named", "preparing")

    def __init__(self, connection: Any, limit: int) -> None:
        self.connection = connection
        self.busy = False
        """Whether a statement was sent whose end we have not seen."""
        self.framed = False
        """Whether a transaction was begun whose end we have not seen."""
        self.held: OrderedDict[str, Any] = OrderedDict()
        self.limit = limit
        self.named = 0
        self.preparing = False

    async def fetch(
        self, statement: str, arguments: Sequence[object], as_of: datetime | None = None
    ) -> bytes:
        self.busy = True
        try:
            if as_of is None:
                rows = await self._ask(statement, arguments)
            else:
                # The moment ends with the transaction, so that nobody else comes to look there.
                self.framed = True
                await self.connection.execute(BEGIN)
                await self._ask(LOOK_BACK, (as_of,))
                rows = await self._ask(statement, arguments)
                await self.connection.execute("commit")
                self.framed = False
        except asyncpg.PostgresError:
            self.preparing = False
            if self.framed:
                await self._leave()
            self.busy = False
            raise
        self.busy = False
        answer: bytes | None = rows[0][0] if rows else None
        return b"null" if answer is None else answer

    async def _ask(self, statement: str, arguments: Sequence[object]) -> Any:
        prepared = self.held.get(statement)
        if prepared is None:
            prepared = await self._prepare(statement)
        else:
            self.held.move_to_end(statement)
        # Not fetchval: it would ask for one row only, and Postgres then starts no workers.
        return await prepared.fetch(*arguments)

    async def _leave(self) -> None:
        """End a transaction that failed; a session that cannot is no longer one."""
        try:
            if not self.connection.is_closed():
                await self.connection.execute("rollback", timeout=_RECOVERY)
                self.framed = False
        except FAILURES:
            self.connection.terminate()

    async def _prepare(self, statement: str) -> Any:
        if len(self.held) >= self.limit:
            self.held.popitem(last=False)  # asyncpg closes it with the next one it prepares
        self.named += 1
        self.preparing = True
        prepared = await self.connection.prepare(statement, name=f"s{self.named}")
        self.preparing = False
        self.held[statement] = prepared
        return prepared

    def lost(self, error: Exception) -> bool:
        """Whether the session is to blame for an error, rather than the statement."""
        return isinstance(error, _LOST) or self.connection.is_closed()

    async def recover(self) -> bool:
        """Whether the session can be used again after a statement that nobody waits for."""
        try:
            # asyncpg has asked Postgres to cancel, and answers this when that has happened. Hanging
            # up before that would take the request back, and the statement would run on.
            await self.connection.execute(
                "rollback" if self.framed else "select 1", timeout=_RECOVERY
            )
        except FAILURES:
            return False
        self.framed = False
        self.busy = False
        return not self.preparing  # Postgres may hold a statement whose name we never learned
