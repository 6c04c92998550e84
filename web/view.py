"""/graphql: JSON over POST and GET becomes one call of the engine, and its bytes the response.

This is a bare ASGI callable because it is the hot path: a framework's request and response
objects would cost as much as compiling the operation does. The rules are those of the
GraphQL-over-HTTP specification.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from db.database import Database
from db.errors import DatabaseError
from resolvers.errors import RequestRefused
from resolvers.graph import Graph
from resolvers.parse import is_query, parse
from resolvers.resolve import Answer, GraphQLRequest, Outcome, explain, resolve
from web.answers import Answers, etag_of
from web.hang_up import HangUp
from web.media_types import MediaType, is_json, negotiate
from web.refusals import (
    BodyTooLarge,
    Header,
    MethodNotAllowed,
    NotAcceptable,
    Refusal,
    ShuttingDown,
    UnsupportedMediaType,
)
from web.request import from_json, from_query_string, read_body

# Clients of application/json cannot tell our 400 from a proxy's, so there a well-formed request
# is always answered with 200. 294 is "Partial Success".
STATUS: Mapping[MediaType, Mapping[Outcome, int]] = {
    MediaType.JSON: {
        Outcome.DATA: 200,
        Outcome.PARTIAL: 200,
        Outcome.REFUSED: 200,
        Outcome.UNAVAILABLE: 503,
        Outcome.TIMEOUT: 504,
        Outcome.FAULT: 500,
    },
    MediaType.GRAPHQL: {
        Outcome.DATA: 200,
        Outcome.PARTIAL: 294,
        Outcome.REFUSED: 400,
        Outcome.UNAVAILABLE: 503,
        Outcome.TIMEOUT: 504,
        Outcome.FAULT: 500,
    },
}

HEADERS: Mapping[MediaType, tuple[Header, ...]] = {
    media_type: (
        (b"content-type", f"{media_type.value}; charset=utf-8".encode()),
        (b"vary", b"accept"),
        (b"x-content-type-options", b"nosniff"),
    )
    for media_type in MediaType
}

# A browser or proxy may keep an answer, and asks each time whether it still holds.
REVALIDATE: Header = (b"cache-control", b"no-cache")
NOT_STORED: Header = (b"cache-control", b"no-store")

RETRY_SOON: tuple[Header, ...] = ((b"retry-after", b"1"),)


class View:
    """Answers one operation per request."""

    def __init__(
        self,
        graph: Graph,
        database: Database,
        page: ASGIApp,
        answers: Answers,
        *,
        max_body_bytes: int,
        development: bool,
    ) -> None:
        self.graph = graph
        self.database = database
        self.page = page
        self.answers = answers
        self.max_body_bytes = max_body_bytes
        self.development = development
        inside = (MediaType.SQL,) if development else ()
        self.offered: Mapping[str, tuple[MediaType, ...]] = {
            "POST": (MediaType.JSON, MediaType.GRAPHQL, *inside),
            "GET": (MediaType.JSON, MediaType.GRAPHQL, MediaType.HTML, *inside),
            "HEAD": (MediaType.JSON, MediaType.GRAPHQL, MediaType.HTML, *inside),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = content_type = content_encoding = content_length = known = None
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = value if accept is None else accept + b"," + value
            elif name == b"content-type":
                content_type = value
            elif name == b"content-encoding":
                content_encoding = value
            elif name == b"content-length":
                content_length = value
            elif name == b"if-none-match":
                known = value

        method: str = scope["method"]
        media_type = MediaType.JSON
        try:
            if method not in self.offered:
                raise MethodNotAllowed(f"{method} is not a way to ask; send a GET or a POST.")
            accepted = negotiate(accept, self.offered[method])
            if accepted is None:
                offers = ", ".join(each.value for each in self.offered[method])
                raise NotAcceptable(f"Accept one of {offers}.")
            if accepted is MediaType.HTML:
                await self.page(scope, receive, send)
                return
            if accepted is MediaType.GRAPHQL:
                media_type = accepted
            if method == "POST":
                if content_encoding is not None or not is_json(content_type):
                    raise UnsupportedMediaType("Send the body as plain application/json in UTF-8.")
                if content_length and int(content_length) > 10 * self.max_body_bytes:
                    raise BodyTooLarge(f"The body may have {self.max_body_bytes} bytes.")
                raw = await read_body(receive, self.max_body_bytes)
            else:
                raw = scope["query_string"]
            if accepted is not MediaType.SQL and (kept := self.answers.get(raw)) is not None:
                await self._send(send, media_type, kept.answer, kept.etag, known, method)
                return
            request = from_json(raw) if method == "POST" else self._reading(raw)
        except Refusal as refusal:
            await _refuse(send, media_type, refusal)
            return
        except ClientDisconnect:
            return

        hang_up = HangUp(receive)
        try:
            if accepted is MediaType.SQL:
                await self._explain(send, request)
            else:
                answer = await self._answer(raw, request)
                await self._send(send, media_type, answer, None, known, method)
        except asyncio.CancelledError:
            # Only two things cancel this task: a client that is gone, who needs no answer, and the
            # server at the end of its patience with shutting down, whose clients deserve one.
            if not hang_up.happened:
                busy = ShuttingDown("This server is shutting down; please ask again.")
                await _refuse(send, media_type, busy)
        finally:
            hang_up.stop()

    async def _answer(self, raw: bytes, request: GraphQLRequest) -> Answer:
        def ask() -> Awaitable[Answer]:
            return resolve(self.graph, self.database, request)

        return await (self.answers.ask(raw, ask) if self._reads(request) else ask())

    async def _send(
        self,
        send: Send,
        media_type: MediaType,
        answer: Answer,
        etag: bytes | None,
        known: bytes | None,
        method: str,
    ) -> None:
        status = STATUS[media_type][answer.outcome]
        headers = HEADERS[media_type]
        if answer.outcome is Outcome.UNAVAILABLE:
            headers += RETRY_SOON
        if self.development and answer.timings:
            # What was kept took no time at all, and says so.
            timings = (f"{stage};dur={ms:.3f}" for stage, ms in answer.timings.items())
            headers += ((b"server-timing", b"kept" if etag else ", ".join(timings).encode()),)
        if method != "POST":
            if answer.outcome is Outcome.DATA:
                etag = etag or etag_of(answer.body)
                headers += ((b"etag", etag), REVALIDATE)
                if known is not None and matches(known, etag):
                    await _respond(send, 304, headers, None)
                    return
            else:
                headers += (NOT_STORED,)
        await _respond(send, status, headers, answer.body)

    async def _explain(self, send: Send, request: GraphQLRequest) -> None:
        status = 200
        try:
            text = await explain(self.graph, self.database, request)
        except DatabaseError as error:
            status, text = 503, f"-- {error}\n"
        await _respond(send, status, HEADERS[MediaType.SQL], text.encode())

    def _reading(self, query_string: bytes) -> GraphQLRequest:
        """The request of a GET, which may only read: a link must not change anything."""
        request = from_query_string(query_string)
        if not self._reads(request):
            raise MethodNotAllowed("Only a query can be sent by GET.", allow="POST")
        return request

    def _reads(self, request: GraphQLRequest) -> bool:
        """Whether it changes nothing. What is not understood does not, either: it is refused."""
        try:
            return is_query(parse(self.graph, request.text, request.operation_name))
        except RequestRefused:
            return True


def matches(known: bytes, etag: bytes) -> bool:
    """Whether a client has this answer already, by its If-None-Match (RFC 9110, 13.1.2).

    >>> matches(b'W/"a", "b"', b'"b"'), matches(b"*", b'"b"'), matches(b'"a"', b'"b"')
    (True, True, False)
    """
    tags = (tag.strip().removeprefix(b"W/") for tag in known.split(b","))
    return any(tag in (etag, b"*") for tag in tags)


async def _respond(
    send: Send, status: int, headers: tuple[Header, ...], body: bytes | None
) -> None:
    length = () if body is None else ((b"content-length", b"%d" % len(body)),)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body or b""})


async def _refuse(send: Send, media_type: MediaType, refusal: Refusal) -> None:
    headers = HEADERS[media_type] + refusal.beside
    await _respond(send, refusal.status, headers, refusal.body())
