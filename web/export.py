"""/graphql for who accepts a file: all rows of a connection, written while they are read.

Until the first bytes are sent everything is refused as it always is. After them an export that
fails breaks off: its chunks do not come to an end, so no client takes it for whole, and the last
line of NDJSON says why.

Pages are read as fast as the client takes them. Their connection is outside the pool, so that a
client that is slow keeps nobody waiting, and it is closed, like the client's, when nothing is taken
for a while or the whole takes too long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import orjson
from starlette.types import Send

from db.database import Database
from db.discretion import discreet
from db.errors import DatabaseError
from resolvers.errors import Code, RequestRefused, from_database, refuse
from resolvers.export import Export, export
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest, Outcome, became, response
from web.files import File, file, places
from web.media_types import MediaType
from web.refusals import TooManyExports
from web.response import HEADERS, NOT_STORED, STATUS, write

log = logging.getLogger(__name__)

SCOPE = "EXPORT"
"""What a caller is allowed who may export more than anybody may."""

# Rows that cost as much of a budget as a request does.
_CHARGED = 1000

# A name that every file system takes.
_LONGEST = 100


@dataclass(frozen=True)
class ExportBounds:
    """How many rows, for whom; for how long, and how many exports at a time in a process."""

    rows: int = 100_000
    public_rows: int = 1_000
    seconds: float = 120.0
    at_once: int = 2
    # Seconds that a client may take nothing of what it is sent.
    patience: float = 10.0


@dataclass(slots=True)
class Turns:
    """How many exports are being written; all faces of a process share it."""

    taken: int = field(default=0)


class Exports:
    """Writes exports."""

    def __init__(
        self, graph: Graph, database: Database, bounds: ExportBounds, turns: Turns
    ) -> None:
        self.graph = graph
        self.database = database
        self.bounds = bounds
        self.turns = turns

    async def write(
        self,
        send: Send,
        media_type: MediaType,
        request: GraphQLRequest,
        charge: Callable[[int], None] | None,
    ) -> None:
        """Send the rows that an operation asks for, or why not."""
        if self.turns.taken >= self.bounds.at_once:
            raise TooManyExports("Too many exports are being written; please try again shortly.")
        self.turns.taken += 1
        writing = _Writing(send, media_type, self.bounds.patience)
        try:
            async with (
                asyncio.timeout(self.bounds.seconds),
                export(self.graph, self.database, request, self._most(request.asker)) as found,
            ):
                if media_type is MediaType.GEOJSON and not places(found.columns):
                    message = "A map needs `latitude` and `longitude` of one place of each row."
                    raise refuse(Code.NOT_EXPORTABLE, message)
                if charge is not None:
                    charge(found.total // _CHARGED)
                await writing.all(found)
        except RequestRefused as refused:
            await writing.fail(refused, Outcome.REFUSED)
        except DatabaseError as error:
            outcome = became(error)
            if outcome is Outcome.FAULT:
                log.error("a statement failed:\n%s", discreet(error))
            await writing.fail(from_database(error), outcome)
        except TimeoutError:
            message = f"An export may take {self.bounds.seconds:g} seconds. Ask for less at a time."
            await writing.fail(refuse(Code.STATEMENT_TIMEOUT, message), Outcome.TIMEOUT)
        except asyncio.CancelledError:
            if not writing.begun:
                raise
            # A client that is gone hears nothing of this; one whose server shuts down does.
            message = "This server is shutting down; please ask again."
            await writing.fail(refuse(Code.SHUTTING_DOWN, message), Outcome.UNAVAILABLE)
        finally:
            self.turns.taken -= 1

    def _most(self, asker: Mapping[str, object] | None) -> int:
        scopes = (asker or {}).get("scopes")
        may = isinstance(scopes, list) and SCOPE in scopes
        return self.bounds.rows if may else min(self.bounds.public_rows, self.bounds.rows)


class _Gone(Exception):  # noqa: N818
    """The client takes nothing of what it is sent."""


class _Writing:
    """One file on its way."""

    def __init__(self, send: Send, media_type: MediaType, patience: float) -> None:
        self._send_on = send
        self._media_type = media_type
        self._patience = patience
        self._file: File | None = None

    @property
    def begun(self) -> bool:
        """Whether the client has been told that it gets a file."""
        return self._file is not None

    async def all(self, found: Export) -> None:
        writes = file(self._media_type, found.columns)
        async with aclosing(found.pages) as pages:  # type: ignore[type-var]  # it is a generator
            try:
                async for rows in pages:
                    # What a page may be refused for, it was refused for before this.
                    before = b"" if self._file else await self._begin(writes, found.name)
                    await self._send(before + writes.page(rows))
                await self._send(writes.end(), more=False)
            except _Gone:
                log.warning("a client that does not read its export was let go")

    async def fail(self, refused: RequestRefused, outcome: Outcome) -> None:
        """Refuse; or break off, if the file has begun."""
        body = orjson.dumps(response(refused.errors))
        if self._file is None:
            headers = (*HEADERS[MediaType.GRAPHQL], NOT_STORED)
            await write(self._send_on, STATUS[MediaType.GRAPHQL][outcome], headers, body)
            return
        log.warning("an export broke off: %s", refused)
        try:
            await self._send(self._file.broken(body))
        except _Gone:
            log.warning("a client that does not read its export was let go")

    async def _begin(self, writes: File, name: str) -> bytes:
        # From here on nothing can be refused any more.
        self._file = writes
        called = f'attachment; filename="{name[:_LONGEST]}.{writes.suffix}"'
        headers = (
            *HEADERS[self._media_type],
            (b"content-disposition", called.encode()),
            NOT_STORED,
            (b"x-accel-buffering", b"no"),
        )
        await self._send_on({"type": "http.response.start", "status": 200, "headers": headers})
        return writes.begin()

    async def _send(self, body: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._send_on({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError as error:
            raise _Gone from error
