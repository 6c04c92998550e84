"""Several statements that belong together: all or nothing of a change, or all of one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import asyncpg

from db.errors import DatabaseError, DatabaseUnavailable, OutcomeUnknown, from_postgres
from db.session import FAILURES, Session

if TYPE_CHECKING:
    from db.database import Database


class Transaction:
    """Statements that are all done, or none of them."""

    def __init__(self, database: Database, session: Session) -> None:
        self.session = session
        self._database = database
        self._open = False

    async def begin(self, settings: Mapping[str, str], access: str) -> None:
        """Begin, with these settings."""
        self._open = True
        await self._say(f"begin {access}")
        names, values = list(settings), list(settings.values())
        await self.fetch(_SET, (names, values))

    async def fetch(self, statement: str, arguments: Sequence[object]) -> bytes:
        """The JSON that a statement answers with. What it cannot do, it has not done."""
        self._database.statements += 1
        try:
            return await self.session.fetch(statement, arguments)
        except FAILURES as error:
            raise self._told(error) from error

    async def keep(self, place: str) -> None:
        """Note where we are, to come back to; a place is named by a word of the code."""
        await self._say(f"savepoint {place}")

    async def undo(self, place: str) -> None:
        """Come back to where that place was noted last."""
        await self._say(f"rollback to savepoint {place}")

    async def finish(self, how: str) -> None:
        """End it: `commit` or `rollback`. OutcomeUnknown if nobody answers whether it was done."""
        if not self._open:
            return
        try:
            await self._say(how)
        except DatabaseUnavailable as error:
            if how == "commit":
                raise OutcomeUnknown("The database connection was lost.") from error
            raise
        except asyncio.CancelledError as error:
            # It is on its way, and cannot be taken back. Whoever is told that nothing came of it
            # would do it again.
            if how == "commit":
                raise OutcomeUnknown("Nobody waited until the database had answered.") from error
            raise
        self._open = False

    async def left(self) -> bool:
        """Whether the session can be used by others now; what is still open is undone."""
        if self._open and not self.session.busy:
            try:
                await self.finish("rollback")
            except DatabaseError:
                return False
        return not self._open and not self.session.busy

    async def _say(self, word: str) -> None:
        self.session.busy = True
        try:
            await self.session.connection.execute(word)
        except asyncpg.PostgresError as error:
            self.session.busy = False
            raise self._told(error) from error
        except FAILURES as error:
            raise self._told(error) from error
        self.session.busy = False

    def _told(self, error: Exception) -> DatabaseError:
        if self.session.lost(error) and not isinstance(error, TimeoutError):
            self.session.busy = True
            unavailable = DatabaseUnavailable("The database connection was lost.")
            unavailable.__cause__ = error
            return unavailable
        return from_postgres(error)


_SET = """
    select to_json(count(set_config(name, value, true)))
    from unnest($1::text[], $2::text[]) s(name, value)
"""


class Snapshot:
    """Reads that all see one moment."""

    def __init__(self, database: Database, session: Session) -> None:
        self._database = database
        self._session = session

    async def fetch(self, statement: str, arguments: Sequence[object]) -> bytes:
        """The JSON that a read answers with; a read whose connection is lost is not asked again."""
        self._database.statements += 1
        try:
            return await self._session.fetch(statement, arguments)
        except FAILURES as error:
            if self._session.lost(error) and not isinstance(error, TimeoutError):
                raise DatabaseUnavailable("The database connection was lost.") from error
            raise from_postgres(error) from error
