"""An answer becomes a response: its status, its headers, its body as the client reads it best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from starlette.types import Send

from resolvers.change import NOBODY, Changer
from resolvers.resolve import Outcome
from schema.entity import Language
from web.answers import Given
from web.encodings import Encoding
from web.media_types import MediaType
from web.refusals import Header, Refusal

# GraphQL over HTTP (September 2026), "Status Codes": with data and no errors it is a 200; with
# both, "even if it is null", a 294, Partial Success; without data a 4xx or 5xx. 294 is for
# GraphQL's own media type, "which makes the meaning explicit". Of the 4xx it asks by now for a 422
# where what was read is not valid; its audit and its clients still know 400, which is as true.
# Clients of application/json cannot tell our 400 from a proxy's, so there a well-formed request
# is always answered with 200.
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
        (b"vary", b"accept, accept-encoding, authorization, x-api-key"),
        (b"x-content-type-options", b"nosniff"),
    )
    for media_type in MediaType
}

# Of an answer that would be another one in another language.
LOCALIZED: Mapping[tuple[MediaType, Enum | None], tuple[Header, ...]] = {
    (media_type, language): (
        *(header for header in headers if header[0] != b"vary"),
        (b"vary", b"accept, accept-encoding, authorization, x-api-key, accept-language"),
        (b"content-language", (language or Language.EN).value.lower().encode()),
    )
    for media_type, headers in HEADERS.items()
    for language in (None, *Language)
}

ENCODED: Mapping[Encoding, Header] = {
    each: (b"content-encoding", each.value.encode()) for each in Encoding
}

# A browser or proxy may keep an answer, and asks each time whether it still holds.
REVALIDATE: Header = (b"cache-control", b"no-cache")
NOT_STORED: Header = (b"cache-control", b"no-store")

RETRY_SOON: tuple[Header, ...] = ((b"retry-after", b"1"),)


@dataclass(frozen=True, slots=True)
class Client:
    """How a request wants to be answered; `known` is the If-None-Match of a GET."""

    media_type: MediaType
    reads: bool
    known: bytes | None
    encoding: Encoding | None
    language: Language | None
    asker: Mapping[str, object] | None = None
    changer: Changer = NOBODY


async def respond(send: Send, client: Client, given: Given, timing: bytes | None = None) -> None:
    """Send an answer."""
    answer = given.answer
    headers = HEADERS[client.media_type]
    if answer.localized:
        headers = LOCALIZED[client.media_type, client.language]
    if answer.outcome is Outcome.UNAVAILABLE:
        headers += RETRY_SOON
    if timing:
        headers += ((b"server-timing", timing),)
    encoding, body = given.encoded(client.encoding)
    if answer.private:
        headers += (NOT_STORED,)
    elif client.reads:
        if answer.outcome is Outcome.DATA:
            etag = given.etag(encoding)
            headers += ((b"etag", etag), REVALIDATE)
            if client.known is not None and matches(client.known, etag):
                await send({"type": "http.response.start", "status": 304, "headers": headers})
                await send({"type": "http.response.body"})
                return
        else:
            headers += (NOT_STORED,)
    if encoding is not None:
        headers += (ENCODED[encoding],)
    await write(send, STATUS[client.media_type][answer.outcome], headers, body)


async def refuse(send: Send, media_type: MediaType, refusal: Refusal) -> None:
    """Send a refusal, as a GraphQL response."""
    headers = (*HEADERS[media_type], NOT_STORED, *refusal.beside)
    # Clients of application/json read an answer only if its status says that there is one.
    status = 200 if refusal.answers and media_type is MediaType.JSON else refusal.status
    await write(send, status, headers, refusal.body())


async def write(send: Send, status: int, headers: tuple[Header, ...], body: bytes) -> None:
    """Send a whole response."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def matches(known: bytes, etag: bytes) -> bool:
    """Whether a client has this answer already, by its If-None-Match (RFC 9110, 13.1.2).

    >>> matches(b'W/"a", "b"', b'"b"'), matches(b"*", b'"b"'), matches(b'"a"', b'"b"')
    (True, True, False)
    """
    tags = (tag.strip().removeprefix(b"W/") for tag in known.split(b","))
    return any(tag in (etag, b"*") for tag in tags)
