"""The only door to Postgres: a statement goes in, the bytes of its JSON come out.

The pool is as small as a pool for reads may be. asyncpg's own resets a connection at every release,
and lets new requests overtake those it has just woken; but reads leave nothing behind in a session,
so here nothing is reset, and a connection that comes free is handed to whoever has waited longest.

It counts in *slots*. A slot is a session, or None while no connection has been made for it (or its
last one was lost). Whoever takes a slot gives it back exactly once, on every way out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from db.errors import DatabaseBusy, DatabaseUnavailable, from_postgres
from db.session import BEGIN, FAILURES, LOOK_BACK, Session, teach
from db.transaction import Snapshot, Transaction


class Database:
    """Connections to one Postgres, each lent out for one statement at a time."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = 4,
        wait: float = 2.0,
        waiting: int = 1000,
        statement_timeout: float = 10.0,
        held: int = 256,
        role: str | None = None,
    ) -> None:
        self.statements = 0
        self._role = role
        self._url = url
        self._connections = connections
        self._wait = wait
        self._waiting = waiting
        self._statement_timeout = statement_timeout
        self._held = held
        self._idle: list[Session] = []  # the last one used is the warmest, and the next
        self._vacant = connections
        self._waiters: deque[asyncio.Future[Session | None]] = deque()
        self._sessions: set[Session] = set()
        self._recoveries: set[asyncio.Task[None]] = set()
        self._closed = False
        self._past: Database | None = None
        self._path = _SETTINGS["search_path"]

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections: int = 4,
        wait: float = 2.0,
        waiting: int = 1000,
        statement_timeout: float = 10.0,
        held: int = 256,
        role: str | None = None,
    ) -> Database:
        """A Database that has answered once; its other connections are made when they are needed.

        A request waits for a connection at most `wait` seconds, and only while fewer than `waiting`
        others do. Each connection holds the `held` statements it used last. It is made as whoever
        the URL names, and then reads as `role`, if there is one.
        """
        database = cls(
            url,
            connections=connections,
            wait=wait,
            waiting=waiting,
            statement_timeout=statement_timeout,
            held=held,
            role=role,
        )
        await database.ping()
        return database

    async def fetch(
        self, statement: str, arguments: Sequence[object], as_of: datetime | None = None
    ) -> bytes:
        """The JSON that a read answers with, from its one row and column; `null` if it has no row.

        As of a moment of the past, it is what the same statement would have answered then.

        A read whose connection is lost is asked once more, on a new connection. One that Postgres
        met with silence is not: whoever asks has waited long enough.
        """
        if as_of is not None and self._path != _PAST:
            self.statements += 1
            return await self._looking_back().fetch(statement, arguments, as_of)
        session = self._idle.pop() if self._idle else await self._take()
        again = True
        try:
            while True:
                if session is None:
                    session = await self._connect()
                self.statements += 1
                try:
                    return await session.fetch(statement, arguments, as_of)
                except FAILURES as error:
                    if not session.lost(error):
                        raise from_postgres(error) from error
                    self._discard(session)
                    session = None
                    if isinstance(error, TimeoutError):
                        raise from_postgres(error) from error
                    if not again:
                        raise DatabaseUnavailable("The database connection was lost.") from error
                    again = False
        finally:
            self._give(session)

    def _looking_back(self) -> Database:
        """The same Postgres, as it was: few ask, so its connections are few."""
        if self._closed:
            raise DatabaseUnavailable("The database has been closed.")
        if self._past is None:
            self._past = Database(
                self._url,
                connections=min(_LOOKING_BACK, self._connections),
                wait=self._wait,
                waiting=self._waiting,
                statement_timeout=self._statement_timeout,
                held=self._held,
                role=self._role,
            )
            self._past._path = _PAST
        return self._past

    async def explain(
        self, statement: str, arguments: Sequence[object], as_of: datetime | None = None
    ) -> str:
        """How Postgres answers a statement, measured while it does; leaves nothing behind."""
        if as_of is not None and self._path != _PAST:
            return await self._looking_back().explain(statement, arguments, as_of)
        try:
            async with self._own(self._settings(), self._patience()) as connection:
                transaction = connection.transaction(isolation="repeatable_read")
                await transaction.start()
                try:
                    if as_of is not None:
                        await connection.execute(LOOK_BACK, as_of)
                    lines = await connection.fetch(
                        f"explain (analyze, buffers) {statement}", *arguments
                    )
                finally:
                    await transaction.rollback()
        except FAILURES as error:
            raise from_postgres(error) from error
        return "\n".join(line[0] for line in lines)

    @asynccontextmanager
    async def snapshot(self, as_of: datetime | None = None) -> AsyncIterator[Snapshot]:
        """Several reads of one moment, on a connection of one's own, outside the pool.

        The moment is now, or one of the past. The connection may rest between two of them for as
        long as its owner likes, who sees to it that this comes to an end: meanwhile Postgres keeps
        what it would clear away.
        """
        settings = self._settings() | {"idle_in_transaction_session_timeout": "0"}
        if as_of is not None:
            settings["search_path"] = _PAST
        connection = await self._dial(settings, self._patience())
        try:
            try:
                await teach(connection)
                await connection.execute(BEGIN)
                if as_of is not None:
                    await connection.execute(LOOK_BACK, as_of)
            except FAILURES as error:
                raise from_postgres(error) from error
            yield Snapshot(self, Session(connection, _HELD_BY_A_SNAPSHOT))
        finally:
            try:
                await connection.close(timeout=self._wait)
            except FAILURES:
                connection.terminate()

    @asynccontextmanager
    async def transaction(
        self, settings: Mapping[str, str], *, writes: bool = True
    ) -> AsyncIterator[Transaction]:
        """What changes something: all of it is done at the end, or nothing if an error leaves here.

        The settings hold inside. Nothing is ever asked again here: whoever began knows best. What
        only reads, under settings, does not write.
        """
        slot = self._idle.pop() if self._idle else await self._take()
        transaction = await self._begin(slot, settings, "read write" if writes else "read only")
        try:
            yield transaction
            await transaction.finish("commit")
        finally:
            usable = False
            try:
                usable = await transaction.left()
            finally:
                if not usable:
                    self._discard(transaction.session)
                self._give(transaction.session if usable else None)

    async def _begin(
        self, session: Session | None, settings: Mapping[str, str], access: str
    ) -> Transaction:
        """A transaction in this slot, which is given back if there can be none."""
        # A session that had been idle may have been lost long ago.
        again = session is not None
        while True:
            try:
                if session is None:
                    session = await self._connect()
                transaction = Transaction(self, session)
                await transaction.begin(settings, access)
                return transaction
            except BaseException as error:
                if session is not None:
                    self._discard(session)
                if not (again and isinstance(error, DatabaseUnavailable)):
                    self._give(None)
                    raise
            session, again = None, False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A plain asyncpg connection of one's own, outside the pool and without a timeout."""
        async with self._own(_SETTINGS) as connection:
            yield connection

    async def ping(self) -> None:
        """Raise unless Postgres answers."""
        await self.fetch("select to_json(1)", ())

    async def close(self) -> None:
        """Let the statements under way finish, then hang up."""
        if self._closed:
            return
        self._closed = True
        if self._past is not None:
            await self._past.close()
        try:
            async with asyncio.timeout(self._statement_timeout + self._wait):
                for _ in range(self._connections):
                    session = self._idle.pop() if self._idle else await self._wait_for_slot()
                    if session is not None:
                        await session.connection.close()
                        self._sessions.discard(session)
        except FAILURES:
            for session in tuple(self._sessions):
                self._discard(session)

    # Slots

    async def _take(self) -> Session | None:
        """A slot, when no session is idle."""
        if self._closed:
            raise DatabaseUnavailable("The database has been closed.")
        if self._vacant:
            self._vacant -= 1
            return None
        if len(self._waiters) >= self._waiting:
            raise DatabaseBusy("Too many requests are waiting for the database.")
        try:
            async with asyncio.timeout(self._wait):
                return await self._wait_for_slot()
        except TimeoutError as error:
            raise DatabaseBusy("The database is busy.") from error

    async def _wait_for_slot(self) -> Session | None:
        if self._vacant:
            self._vacant -= 1
            return None
        waiter: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # a slot was handed over in the same moment
                self._give(waiter.result())
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def _give(self, slot: Session | None) -> None:
        """Hand a slot to the longest waiter, or put it back."""
        if slot is not None and slot.busy:
            recovery = asyncio.ensure_future(self._recover(slot))
            self._recoveries.add(recovery)
            recovery.add_done_callback(self._recoveries.discard)
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(slot)
                return
        if slot is None:
            self._vacant += 1
        else:
            self._idle.append(slot)

    async def _recover(self, session: Session) -> None:
        """Give back the slot of a cancelled statement once Postgres has let go of it."""
        recovered = False
        try:
            recovered = await session.recover()
        finally:
            if not recovered:
                self._discard(session)
            self._give(session if recovered else None)

    # Connections

    async def _connect(self) -> Session:
        session = Session(await self._dial(self._settings(), self._patience()), self._held)
        self._sessions.add(session)
        usable = False
        try:
            await teach(session.connection)
            usable = True
        except FAILURES as error:
            raise DatabaseUnavailable("The database cannot be reached.") from error
        finally:
            if not usable:
                self._discard(session)
        return session

    def _discard(self, session: Session) -> None:
        self._sessions.discard(session)
        session.connection.terminate()

    @asynccontextmanager
    async def _own(
        self, settings: dict[str, str], patience: float | None = None
    ) -> AsyncIterator[Any]:
        connection = await self._dial(settings, patience)
        try:
            yield connection
        finally:
            await connection.close(timeout=self._wait)

    async def _dial(self, settings: dict[str, str], patience: float | None) -> Any:
        try:
            return await asyncpg.connect(
                self._url,
                timeout=max(self._wait, 5.0),
                command_timeout=patience,
                statement_cache_size=0,  # statements are held by Session, by their whole text
                server_settings=settings | ({"role": self._role} if self._role else {}),
            )
        except (*FAILURES, ValueError) as error:
            raise DatabaseUnavailable("The database cannot be reached.") from error

    def _patience(self) -> float:
        """How long we wait for Postgres to say anything at all."""
        return self._statement_timeout + _GRACE

    def _settings(self) -> dict[str, str]:
        milliseconds = str(round(self._statement_timeout * 1000))
        return _SETTINGS | {
            "search_path": self._path,
            "statement_timeout": milliseconds,
            "idle_in_transaction_session_timeout": milliseconds,
            # Whoever changes something says so: see `Transaction`.
            "default_transaction_read_only": "on",
            # Our statements are many joins over few rows: planning them costs more than it gains.
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
            # A directory fits in memory, where a page costs little beside looking at its rows. For
            # the defaults, made for disks that turn, Postgres reads whole tables rather than use
            # their indexes: a dashboard took three times as long.
            "seq_page_cost": "0.1",
            "random_page_cost": "0.1",
        }


# The first page of a list and those after it are two statements.
_HELD_BY_A_SNAPSHOT = 4

# Postgres ends a statement that takes too long, and says so. One that was stopped, or to whom the
# network is gone, cannot: after so many seconds more, it is not there for us.
_GRACE = 2.0

_SETTINGS = {
    "application_name": "directory",
    "timezone": "UTC",
    "search_path": "public",
    # A request to cancel can come too early and be lost, and a client can die without sending one.
    # So Postgres looks up from a statement, every so many milliseconds, whether we are still there.
    "client_connection_check_interval": "500",
}

# Where the rows, the views and the functions of a moment are, before those of now.
_PAST = "past, public"
_LOOKING_BACK = 2
