"""/graphql: JSON over POST and GET becomes one call of the engine, and its bytes the response.

This is a bare ASGI callable because it is the hot path: a framework's request and response
objects would cost as much as compiling the operation does. The rules are those of the
GraphQL-over-HTTP specification.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from db.database import Database
from db.errors import DatabaseError
from resolvers.errors import RequestRefused
from resolvers.graph import Graph
from resolvers.parse import is_query, parse
from resolvers.resolve import GraphQLRequest, Outcome, explain, resolve
from schema.entity import Language
from web.hang_up import HangUp
from web.languages import spoken
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

# Of an answer that would be another one in another language.
LOCALIZED: Mapping[tuple[MediaType, Enum | None], tuple[Header, ...]] = {
    (media_type, language): (
        *(header for header in headers if header[0] != b"vary"),
        (b"vary", b"accept, accept-language"),
        (b"content-language", (language or Language.EN).value.lower().encode()),
    )
    for media_type, headers in HEADERS.items()
    for language in (None, *Language)
}

RETRY_SOON: tuple[Header, ...] = ((b"retry-after", b"1"),)


class View:
    """Answers one operation per request."""

    def __init__(
        self,
        graph: Graph,
        database: Database,
        page: ASGIApp,
        *,
        max_body_bytes: int,
        development: bool,
    ) -> None:
        self.graph = graph
        self.database = database
        self.page = page
        self.max_body_bytes = max_body_bytes
        self.development = development
        inside = (MediaType.SQL,) if development else ()
        self.offered: Mapping[str, tuple[MediaType, ...]] = {
            "POST": (MediaType.JSON, MediaType.GRAPHQL, *inside),
            "GET": (MediaType.JSON, MediaType.GRAPHQL, MediaType.HTML, *inside),
            "HEAD": (MediaType.JSON, MediaType.GRAPHQL, MediaType.HTML, *inside),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = accept_language = content_type = content_encoding = content_length = None
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = _joined(accept, value)
            elif name == b"content-type":
                content_type = value
            elif name == b"content-encoding":
                content_encoding = value
            elif name == b"content-length":
                content_length = value
            elif name == b"accept-language":
                accept_language = _joined(accept_language, value)

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
                body = await read_body(receive, self.max_body_bytes)
                request = from_json(body, spoken(accept_language))
            else:
                request = self._reading(scope["query_string"], spoken(accept_language))
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
                await self._answer(send, media_type, request)
        except asyncio.CancelledError:
            # Only two things cancel this task: a client that is gone, who needs no answer, and the
            # server at the end of its patience with shutting down, whose clients deserve one.
            if not hang_up.happened:
                busy = ShuttingDown("This server is shutting down; please ask again.")
                await _refuse(send, media_type, busy)
        finally:
            hang_up.stop()

    async def _answer(self, send: Send, media_type: MediaType, request: GraphQLRequest) -> None:
        answer = await resolve(self.graph, self.database, request)
        headers = HEADERS[media_type]
        if answer.localized:
            headers = LOCALIZED[media_type, request.language]
        if answer.outcome is Outcome.UNAVAILABLE:
            headers += RETRY_SOON
        if self.development and answer.timings:
            timings = ", ".join(f"{stage};dur={ms:.3f}" for stage, ms in answer.timings.items())
            headers += ((b"server-timing", timings.encode()),)
        await _respond(send, STATUS[media_type][answer.outcome], headers, answer.body)

    async def _explain(self, send: Send, request: GraphQLRequest) -> None:
        status = 200
        try:
            text = await explain(self.graph, self.database, request)
        except DatabaseError as error:
            status, text = 503, f"-- {error}\n"
        await _respond(send, status, HEADERS[MediaType.SQL], text.encode())

    def _reading(self, query_string: bytes, language: Language | None) -> GraphQLRequest:
        """The request of a GET, which may only read: a link must not change anything."""
        request = from_query_string(query_string, language)
        try:
            reads = is_query(parse(self.graph, request.text, request.operation_name))
        except RequestRefused:
            return request  # the engine refuses it, too, and says why
        if not reads:
            raise MethodNotAllowed("Only a query can be sent by GET.", allow="POST")
        return request


def _joined(before: bytes | None, value: bytes) -> bytes:
    """A header that comes in several lines is one list."""
    return value if before is None else before + b"," + value


async def _respond(send: Send, status: int, headers: tuple[Header, ...], body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, media_type: MediaType, refusal: Refusal) -> None:
    headers = HEADERS[media_type] + refusal.beside
    await _respond(send, refusal.status, headers, refusal.body())
