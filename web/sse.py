"""GraphQL over server-sent events, one stream per request ("distinct connections mode").

    id: 4711.3
    event: next
    data: {"data": {"entityChanged": {...}}}

An `id` comes back as `Last-Event-ID` when a client connects again. The last event is `complete`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import orjson
from starlette.types import Receive, Send

from resolvers.errors import Code, RequestRefused, refuse
from resolvers.resolve import response
from web.hang_up import HangUp
from web.message import Message
from web.refusals import Refusal

log = logging.getLogger(__name__)

MEDIA_TYPE = b"text/event-stream"

HEADERS = (
    (b"content-type", MEDIA_TYPE + b"; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept, accept-language"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # a proxy that waits for more would tell nothing as it happens
)

START: Mapping[str, object] = {
    "type": "http.response.start",
    "status": 200,
    "headers": HEADERS,
}

_COMPLETE = b"event: complete\ndata:\n\n"
_ALIVE = b":\n\n"


class Gone(Exception):  # noqa: N818
    """The client takes nothing of what it is sent."""


async def tell(
    send: Send, receive: Receive, messages: AsyncIterator[Message], patience: float
) -> None:
    """Send all messages of a stream, until it ends or the client is gone."""
    hang_up = HangUp(receive)
    try:
        await _send(send, patience, START)
        # Headers alone might wait for company; this says that the stream is open.
        await _write(send, patience, _ALIVE)
        async for message in messages:
            await _write(send, patience, _written(message))
        await _write(send, patience, _COMPLETE, more=False)
    except Gone:
        log.warning("a client that does not read its stream was let go")
        error = refuse(Code.TOO_SLOW, "You do not read what you are told. Go on after the last id.")
        last = Message(orjson.dumps(response(error.errors)), None, refused=True)
        # It is read by whoever only was slow, after all that was sent before.
        with suppress(Gone):
            await _write(send, patience, _written(last) + _COMPLETE, more=False)
    except asyncio.CancelledError:
        if not hang_up.happened:
            raise
    finally:
        hang_up.stop()


async def refused(send: Send, refusal: RequestRefused | Refusal) -> None:
    """Say no to somebody who accepts nothing but a stream."""
    body = (
        orjson.dumps(response(refusal.errors))
        if isinstance(refusal, RequestRefused)
        else refusal.body()
    )
    await send(dict(START))
    last = _written(Message(body, None, refused=True)) + _COMPLETE
    await send({"type": "http.response.body", "body": last})


def _written(message: Message) -> bytes:
    """A message as events.

    >>> _written(Message(b'{"data":1}', "7.1"))
    b'id: 7.1\\nevent: next\\ndata: {"data":1}\\n\\n'
    >>> _written(Message(None, "7.0")), _written(Message(None, None))
    (b'id: 7.0\\n\\n', b':\\n\\n')
    """
    if message.body is None and message.cursor is None:
        return _ALIVE
    name = b"id: " + message.cursor.encode() + b"\n" if message.cursor is not None else b""
    if message.body is None:
        return name + b"\n"
    # JSON has no line ends of its own.
    return name + b"event: next\ndata: " + message.body + b"\n\n"


async def _write(send: Send, patience: float, body: bytes, *, more: bool = True) -> None:
    await _send(send, patience, {"type": "http.response.body", "body": body, "more_body": more})


async def _send(send: Send, patience: float, event: Mapping[str, object]) -> None:
    try:
        async with asyncio.timeout(patience):
            await send(dict(event))
    except TimeoutError as error:
        raise Gone from error
