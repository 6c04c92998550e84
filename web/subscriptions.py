"""What is told as it happens, whichever way it is sent: subscriptions and live queries.

A stream is opened and read by a transport, `sse.py` or `sockets.py`. Nothing is queued for anybody:
the change log is the queue. At most one message is made before the one before it was taken, so a
client that reads slowly holds nothing but its own place, and one that does not read at all is let
go by its transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import orjson

from db.change_log import ChangeLog, Follower, Line
from db.changes import Changes
from db.database import Database
from db.errors import DatabaseBusy, DatabaseError, DatabaseUnavailable
from db.horizon import Horizon
from resolvers.errors import Code, RequestRefused, from_database, refuse
from resolvers.events import MOST, Event, Subscription, subscribe, tell
from resolvers.graph import Graph
from resolvers.live import live
from resolvers.parse import coerce, is_query, is_subscription, parse
from resolvers.past import as_of
from resolvers.plan.values import Lookout
from resolvers.resolve import Answer, GraphQLRequest, Outcome, resolve, response
from web.answers import Answers, Given
from web.documents import Documents
from web.live import LiveQuery
from web.message import Message
from web.refusals import Refusal, TooManySubscriptions

Over = Callable[[], Awaitable[Refusal]]
"""Waits until whoever is told something may not be told it any more, and says why."""


@dataclass(frozen=True)
class Bounds:
    """How much is told at once, and for how long who does not listen is waited for.

    `operations` is for the process, and for its sockets as well; `per_socket` for each socket.
    """

    operations: int = 1000
    per_socket: int = 20
    # Seconds between signs of life, and how long a client may take nothing of what it is sent.
    keep_alive: float = 12.0
    patience: float = 10.0
    # Seconds for a socket to begin, and to stay without any operation.
    beginning: float = 5.0
    idle: float = 300.0


# How many different questions share what they are told; it is forgotten with the next change.
_SHARED = 100

# Seconds before Postgres is asked again when it could not be reached.
_AGAIN = (0.1, 2.0)


class Streams:
    """All streams of this process."""

    def __init__(
        self,
        graph: Graph,
        database: Database,
        changes: Changes,
        horizon: Horizon,
        answers: Answers,
        documents: Documents,
        bounds: Bounds,
    ) -> None:
        self.bounds = bounds
        self.documents = documents
        self.open_ = 0
        self.sockets = 0
        self._graph = graph
        self._database = database
        self._changes = changes
        self._horizon = horizon
        self._answers = answers
        self._log = ChangeLog(database, changes)
        self._closing = asyncio.Event()
        # What is told of lines at this moment, by who asks and which lines these are.
        self._moment = -1
        self._told: dict[Hashable, asyncio.Task[list[Event]]] = {}

    def close(self) -> None:
        """Tell everybody that this server is shutting down."""
        self._closing.set()

    async def closed(self) -> None:
        """Wait for that."""
        await self._closing.wait()

    def streams(self, request: GraphQLRequest) -> bool:
        """Whether it has more than one answer. What is not understood does not: it is refused."""
        if "subscription" not in request.text and "live" not in request.text:
            return False  # nearly all; they need not be read twice
        try:
            operation = parse(self._graph, request.text, request.operation_name)
            if is_subscription(operation):
                return True
            if not operation.definition.directives:
                return False
            variables = coerce(self._graph, operation, request.variables or {})
            return live(self._graph, operation, variables) is not None
        except RequestRefused:
            return False

    async def answer(self, request: GraphQLRequest) -> Given:
        """The one answer to a query, kept or new; a change is done for each who asks for it."""
        if not is_query(parse(self._graph, request.text, request.operation_name)):
            return Given(await resolve(self._graph, self._database, request))
        sent = orjson.dumps((request.variables, request.asker), option=orjson.OPT_SORT_KEYS)
        key = (request.text, request.operation_name, sent, request.language)
        given = self._answers.get(key)
        if given is not None:
            return given

        async def ask() -> Answer:
            return await resolve(self._graph, self._database, request)

        return await self._answers.ask(key, ask, self.documents.tables)

    @asynccontextmanager
    async def stream(
        self, request: GraphQLRequest, after: str | None = None, over: Over | None = None
    ) -> AsyncIterator[AsyncIterator[Message]]:
        """What a request is told, from here on; `after` is the cursor that a client came back with.

        RequestRefused and Refusal say why it is told nothing.
        """
        if self.open_ >= self.bounds.operations:
            raise TooManySubscriptions("This server follows as much as it can; try another one.")
        self.open_ += 1
        try:
            operation = parse(self._graph, request.text, request.operation_name)
            if is_subscription(operation):
                subscription = subscribe(self._graph, request)
                cursor = after if after is not None else subscription.after
                async with (
                    self._following(cursor) as follower,
                    aclosing(self._paced(self._events(subscription, follower), over)) as messages,
                ):
                    yield messages
                return
            variables = coerce(self._graph, operation, request.variables or {})
            how = live(self._graph, operation, variables)
            if how is None:
                told = self._once(request)
            elif as_of(self._graph, operation, Lookout(variables)) is not None:
                message = "What was said does not change any more: leave out `@live` or `@asOf`."
                raise refuse(Code.OPERATION_NOT_SUPPORTED, message)
            else:
                query = LiveQuery(self._changes, self._horizon, lambda: self.answer(request), how)
                told = query.answers(after)
            async with aclosing(self._paced(told, over)) as messages:
                yield messages
        finally:
            self.open_ -= 1

    @asynccontextmanager
    async def _following(self, cursor: str | None) -> AsyncIterator[Follower]:
        try:
            async with self._log.following(cursor) as follower:
                yield follower
        except DatabaseError as error:
            raise from_database(error) from error

    async def _once(self, request: GraphQLRequest) -> AsyncIterator[Message]:
        answer = (await self.answer(request)).answer
        whole = answer.outcome in (Outcome.DATA, Outcome.PARTIAL)
        yield Message(answer.body, None, refused=not whole)

    async def _events(
        self, subscription: Subscription, follower: Follower
    ) -> AsyncIterator[Message]:
        # To come back to if nothing at all has happened.
        yield Message(None, follower.cursor)
        patience, most = _AGAIN
        while True:
            try:
                lines = await follower.next(subscription.wanted, MOST)
            except DatabaseError:
                await asyncio.sleep(patience)
                patience = min(2 * patience, most)
                continue
            patience = _AGAIN[0]
            for event in await self._tell(subscription, lines):
                yield Message(event.body, event.cursor)

    async def _tell(self, subscription: Subscription, lines: Sequence[Line]) -> list[Event]:
        """The events of some lines; made once for all who ask the same before anything changes."""
        moment = self._changes.moment
        if moment is None or subscription.question is None:
            return await self._made(subscription, lines)
        if moment != self._moment:
            self._moment = moment
            self._told.clear()
        key = (subscription.question, *(line.place for line in lines))
        making = self._told.get(key)
        if making is None:
            if len(self._told) >= _SHARED:
                self._told.clear()
            # A task of its own: whoever asked first may leave.
            making = asyncio.create_task(self._made(subscription, lines))
            making.add_done_callback(_looked_at)
            self._told[key] = making
        return await asyncio.shield(making)

    async def _made(self, subscription: Subscription, lines: Sequence[Line]) -> list[Event]:
        patience, most = _AGAIN
        while True:
            try:
                return await tell(self._graph, self._database, subscription, lines)
            except (DatabaseBusy, DatabaseUnavailable):
                await asyncio.sleep(patience)
                patience = min(2 * patience, most)
            except DatabaseError as error:
                raise from_database(error) from error

    async def _paced(
        self, messages: AsyncIterator[Message], over: Over | None
    ) -> AsyncGenerator[Message, None]:
        """The messages, and an empty one whenever there was none for a while."""
        closing = asyncio.ensure_future(self._closing.wait())
        ending = [] if over is None else [asyncio.ensure_future(over())]
        following = asyncio.ensure_future(_next(messages))
        try:
            while True:
                done, _ = await asyncio.wait(
                    (following, closing, *ending),
                    timeout=self.bounds.keep_alive,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if closing in done:
                    message = "This server is shutting down; go on with another one."
                    yield _refused(refuse(Code.SHUTTING_DOWN, message))
                    return
                if over is not None and ending[0] in done:
                    yield Message(ending[0].result().body(), None, refused=True)
                    return
                if not done:
                    yield Message(None, None)
                    continue
                try:
                    message_ = following.result()
                except RequestRefused as refused:
                    yield _refused(refused)
                    return
                if message_ is None:
                    return
                following = asyncio.ensure_future(_next(messages))
                yield message_
        finally:
            tasks = (following, closing, *ending)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _next(messages: AsyncIterator[Message]) -> Message | None:
    return await anext(messages, None)


def _looked_at(task: asyncio.Task[list[Event]]) -> None:
    """A failure is told to those who wait for it; if nobody does any more, it is no news."""
    if not task.cancelled():
        task.exception()


def _refused(refused: RequestRefused) -> Message:
    return Message(orjson.dumps(response(refused.errors)), None, refused=True)
