"""/graphql: JSON over POST and GET becomes one call of the engine, and its bytes the response.

This is a bare ASGI callable because it is the hot path: a framework's request and response
objects would cost as much as compiling the operation does. The rules are those of the
GraphQL-over-HTTP specification.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Hashable, Mapping, Sequence

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from db.database import Database
from db.errors import DatabaseError
from resolvers.errors import RequestRefused
from resolvers.graph import Graph, Known
from resolvers.parse import is_query, is_subscription, parse
from resolvers.resolve import (
    Answer,
    GraphQLRequest,
    Outcome,
    explain,
    resolve,
    response,
    weigh,
)
from resolvers.traces import traced
from web import sse
from web.admission import CHARGE, OVER
from web.answers import Answers, Given
from web.documents import Documents
from web.encodings import negotiate as negotiate_encoding
from web.export import Exports
from web.hang_up import HangUp
from web.identity import changer_of, told_of
from web.languages import spoken
from web.media_types import EXPORTS, MediaType, accepts_events, is_json, negotiate
from web.refusals import (
    BatchingNotSupported,
    BatchTooLarge,
    BodyTooLarge,
    MalformedBatch,
    MethodNotAllowed,
    NotAcceptable,
    Refusal,
    ShuttingDown,
    StreamNotAccepted,
    UnsupportedMediaType,
)
from web.request import Parameters, from_json, from_query_string, read_body, request_of
from web.response import HEADERS, Client, refuse, respond, write
from web.subscriptions import Over, Streams

Asked = GraphQLRequest | Refusal
"""A request of a batch, or why it is none."""


class View:
    """Answers one operation per request, or a list of them by a list."""

    def __init__(
        self,
        graph: Graph,
        database: Database,
        page: ASGIApp,
        answers: Answers,
        documents: Documents,
        streams: Streams,
        exports: Exports,
        *,
        max_body_bytes: int,
        max_batch: int = 10,
        development: bool,
    ) -> None:
        self.graph = graph
        self.database = database
        self.page = page
        self.answers = answers
        self.documents = documents
        self.streams = streams
        self.exports = exports
        self.max_body_bytes = max_body_bytes
        self.max_batch = max_batch
        self.development = development
        # Routers ask subgraphs for traces; clients, who ask the whole, are told no times.
        self.traces = any(isinstance(root, Known) for root in graph.roots.values())
        inside = (MediaType.SQL,) if development else ()
        self.offered: Mapping[str, tuple[MediaType, ...]] = {
            "POST": (MediaType.JSON, MediaType.GRAPHQL, *inside, *EXPORTS),
            "GET": (MediaType.JSON, MediaType.GRAPHQL, MediaType.HTML, *inside, *EXPORTS),
            "HEAD": (MediaType.JSON, MediaType.GRAPHQL, MediaType.HTML, *inside),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = accept_encoding = accept_language = known = last_event = trace = None
        content_type = content_encoding = content_length = None
        for name, value in scope["headers"]:
            match name:
                case b"accept":
                    accept = _joined(accept, value)
                case b"content-type":
                    content_type = _joined(content_type, value)
                case b"content-length":
                    content_length = value
                case b"accept-encoding":
                    accept_encoding = _joined(accept_encoding, value)
                case b"accept-language":
                    accept_language = _joined(accept_language, value)
                case b"if-none-match":
                    known = _joined(known, value)
                case b"content-encoding":
                    content_encoding = value
                case b"last-event-id":
                    last_event = value
                case b"apollo-federation-include-trace":
                    trace = value

        method: str = scope["method"]
        media_type = MediaType.JSON
        accepted: MediaType | None = media_type
        try:
            if method not in self.offered:
                raise MethodNotAllowed(f"{method} is not a way to ask; send a GET or a POST.")
            accepted = negotiate(accept, self.offered[method])
            if accepted is None and (method == "HEAD" or not accepts_events(accept)):
                offers = ", ".join(each.value for each in self.offered[method])
                raise NotAcceptable(f"Accept one of {offers}.")
            if accepted is MediaType.HTML:
                await self.page(scope, receive, send)
                return
            exported = accepted if accepted in EXPORTS else None
            if accepted is MediaType.GRAPHQL or exported:
                # A refusal must not look like the file that was asked for: it has a status.
                media_type = MediaType.GRAPHQL
            if method == "POST":
                if content_encoding is not None or not is_json(content_type):
                    raise UnsupportedMediaType("Send the body as plain application/json in UTF-8.")
                if content_length and int(content_length) > 10 * self.max_body_bytes:
                    raise BodyTooLarge(f"The body may have {self.max_body_bytes} bytes.")
                raw = await read_body(receive, self.max_body_bytes)
            else:
                raw = scope["query_string"]
            client = Client(
                media_type,
                method != "POST",
                known,
                negotiate_encoding(accept_encoding),
                spoken(accept_language),
                told_of(scope),
                changer_of(scope),
            )
            key = _key(raw, client)
            # A trace is of the very request that asks for it.
            tracing = self.traces and trace == b"ftv1" and not exported
            keeps = accepted not in (None, MediaType.SQL) and not exported and not tracing
            if keeps and (given := self.answers.get(key)) is not None:
                await respond(send, client, given, b"kept" if self.development else None)
                return
            parameters = from_query_string(raw) if client.reads else from_json(raw)
            asked: GraphQLRequest | Sequence[tuple[Hashable, Asked]]
            if isinstance(parameters, Mapping):
                asked = await self._request(parameters, raw, client)
                if accepted is None or (not exported and self.streams.streams(asked)):
                    if method == "HEAD" or not accepts_events(accept):
                        raise StreamNotAccepted(
                            "What is told as it happens needs a stream: accept text/event-stream, "
                            "or ask over a WebSocket."
                        )
                    last = None if last_event is None else last_event.decode("latin-1")
                    over = scope.get(OVER)
                    await self._tell(send, receive, asked, client, accepted, last, over)
                    return
            elif exported:
                raise MalformedBatch("Operations are exported one at a time.")
            elif accepted is None or accepted is MediaType.SQL:
                raise MalformedBatch("Operations are explained, and told about, one at a time.")
            else:
                asked = await self._batch(parameters, client)
                if CHARGE in scope:
                    scope[CHARGE](len(asked) - 1)
        except Refusal as refusal:
            if accepted is None and method != "HEAD" and accepts_events(accept):
                await sse.refused(send, refusal)
            else:
                await refuse(send, media_type, refusal)
            return
        except ClientDisconnect:
            return

        hang_up = HangUp(receive)
        try:
            if not isinstance(asked, GraphQLRequest):
                await respond(send, client, await self._together(asked))
            elif accepted is MediaType.SQL:
                await self._explain(send, asked)
            elif tracing:
                await respond(send, client, Given(await traced(self.graph, self.database, asked)))
            elif exported:
                await self.exports.write(send, exported, asked, scope.get(CHARGE))
            else:
                given = await self._answer(key, asked)
                await respond(send, client, given, self._timing(given.answer))
        except Refusal as refusal:
            await refuse(send, media_type, refusal)
        except asyncio.CancelledError:
            # Only two things cancel this task: a client that is gone, who needs no answer, and the
            # server at the end of its patience with shutting down, whose clients deserve one.
            if not hang_up.happened:
                busy = ShuttingDown("This server is shutting down; please ask again.")
                await refuse(send, media_type, busy)
        finally:
            hang_up.stop()

    async def _request(self, parameters: Parameters, raw: bytes, client: Client) -> GraphQLRequest:
        text = await self.documents.text(parameters)
        request = request_of(parameters, text, raw, client.language, client.asker, client.changer)
        if client.reads and not self._reads(request):
            # A link must not change anything.
            raise MethodNotAllowed("Only a query can be sent by GET.", allow="POST")
        return request

    async def _batch(
        self, batch: Sequence[Parameters], client: Client
    ) -> Sequence[tuple[Hashable, Asked]]:
        """The requests of a list, each as if it had come alone; together they are bounded."""
        if not self.max_batch:
            raise BatchingNotSupported("Send one operation per request; lists are not taken.")
        if not batch:
            raise MalformedBatch("The list is empty.")
        if len(batch) > self.max_batch:
            raise BatchTooLarge(f"A list may have {self.max_batch} operations.")
        asked: list[tuple[Hashable, Asked]] = []
        rows = 0
        for parameters in batch:
            # Written as most clients write it, so that what was kept of it alone is found.
            raw = orjson.dumps(parameters)
            try:
                request = await self._request(parameters, raw, client)
                if self.streams.streams(request):
                    raise StreamNotAccepted("What is told as it happens is not told in a list.")
            except Refusal as refusal:
                asked.append((raw, refusal))
            else:
                asked.append((_key(raw, client), request))
                rows += weigh(self.graph, request)
        if rows > self.graph.limits.rows:
            message = f"Together these could return {rows} rows"
            raise BatchTooLarge(f"{message}; the limit is {self.graph.limits.rows}.")
        return asked

    async def _together(self, batch: Sequence[tuple[Hashable, Asked]]) -> Given:
        """The answers to a list, in its order, as one.

        One at a time, so that a list takes no more connections than a single request does, and
        what changes something is seen by what comes after it. The status is always 200: each
        answer says for itself what became of it (GraphQL over HTTP, draft on batching).
        """
        answers: list[Answer] = []
        for key, request in batch:
            if isinstance(request, Refusal):
                answers.append(Answer(request.body(), Outcome.REFUSED))
            else:
                given = self.answers.get(key) or await self._answer(key, request)
                answers.append(given.answer)
        return Given(
            Answer(
                b"[%b]" % b",".join(answer.body for answer in answers),
                Outcome.DATA,
                localized=any(answer.localized for answer in answers),
                private=any(answer.private for answer in answers),
            )
        )

    async def _tell(
        self,
        send: Send,
        receive: Receive,
        request: GraphQLRequest,
        client: Client,
        accepted: MediaType | None,
        last: str | None,
        over: Over | None,
    ) -> None:
        """Tell what happens, from here on. Who can read a plain refusal is refused plainly."""
        try:
            async with self.streams.stream(request, last, over) as messages:
                await sse.tell(send, receive, messages, self.streams.bounds.patience)
        except (RequestRefused, Refusal) as refusal:
            if accepted is None:
                await sse.refused(send, refusal)
            elif isinstance(refusal, Refusal):
                await refuse(send, client.media_type, refusal)
            else:
                body = orjson.dumps(response(refusal.errors))
                await respond(send, client, Given(Answer(body, Outcome.REFUSED)))

    def _reads(self, request: GraphQLRequest) -> bool:
        """Whether it changes nothing. What is not understood does not, either: it is refused."""
        try:
            operation = parse(self.graph, request.text, request.operation_name)
            return is_query(operation) or is_subscription(operation)
        except RequestRefused:
            return True

    async def _answer(self, key: Hashable, request: GraphQLRequest) -> Given:
        def ask() -> Awaitable[Answer]:
            return resolve(self.graph, self.database, request)

        if not self._reads(request) or not self.answers.weight:
            return Given(await ask())
        return await self.answers.ask(key, ask, self.documents.tables)

    def _timing(self, answer: Answer) -> bytes | None:
        if not (self.development and answer.timings):
            return None
        stages = (f"{stage};dur={ms:.3f}" for stage, ms in answer.timings.items())
        return ", ".join(stages).encode()

    async def _explain(self, send: Send, request: GraphQLRequest) -> None:
        status = 200
        try:
            text = await explain(self.graph, self.database, request)
        except DatabaseError as error:
            status, text = 503, f"-- {error}\n"
        await write(send, status, HEADERS[MediaType.SQL], text.encode())


def _key(raw: bytes, client: Client) -> Hashable:
    """What an answer is kept under: all of the request that it depends on.

    A URL is no body, even if it has the same bytes.
    """
    if client.language is None and not client.reads:
        return raw
    return raw, client.reads, client.language


def _joined(before: bytes | None, value: bytes) -> bytes:
    """A header that comes in several lines is one list."""
    return value if before is None else before + b"," + value
