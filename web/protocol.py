"""uvicorn's HTTP/1.1, with an end to its patience, and a code on what it refuses.

uvicorn bounds neither how long a client takes to send a request nor how much it says before the
body: whoever sends a byte a minute, or headers without end, would be listened to forever.
"""

from __future__ import annotations

import asyncio
import http
import math

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web.refusals import HeadersTooLarge, MalformedHttp, Refusal, RequestTimeout, UrlTooLong

MAX_HEAD = 64_000
"""Bytes that a request may have before its body."""

PATIENCE = "patience"
"""In the state that the application hands over at its start: seconds that a client may take."""


class Protocol(HttpToolsProtocol):
    """One connection.

    It has one timer, which looks now and then; a timer for each request would cost each request.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._patience: float = self.app_state[PATIENCE]
        # Which part of a request is being read, if any is.
        self._in_head = self._in_body = False
        # The bytes of a head before the chunk that is being read, and that chunk's.
        self._before = self._chunk = 0
        # Since when we wait for the client to say all of a request; None if we do not.
        self._since: float | None = self.loop.time()
        # What it had not read yet when we looked last.
        self._unread = math.inf
        self._why: type[Refusal] = MalformedHttp
        self._timer = self.loop.call_later(self._patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.transport.get_protocol() is not self:
            return  # it is a WebSocket by now
        now = self.loop.time()
        if self._since is None and self._idle() and self.timeout_keep_alive_task is None:
            # It has said what begins no request, such as empty lines, and uvicorn waits no longer.
            self._since = now
        unread = self.transport.get_write_buffer_size()
        if unread and unread >= self._unread:
            self.transport.abort()
            return
        self._unread = unread or math.inf
        waits = self._patience
        if self._since is not None and not self.transport.is_closing():
            waits += self._since - now
            if waits <= 0:
                # Browsers open connections that they may need: to them it says nothing.
                self._refuse(RequestTimeout if self._in_head or self._in_body else None)
                waits = self._patience
        self._timer = self.loop.call_later(waits, self._look)

    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._before += self._chunk
            if self._before > MAX_HEAD:
                self._refuse(HeadersTooLarge if self.headers else UrlTooLong)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._since = self.loop.time()
        self._in_head = True
        self._before = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a body is nobody's, and there would be no end to it.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._before + self._chunk > MAX_HEAD:
            # The chunk may have more than the head.
            if len(self.url) > MAX_HEAD:
                self._stop(UrlTooLong)
            if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
                self._stop(HeadersTooLarge)
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._since = None
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._why)

    def _stop(self, why: type[Refusal]) -> None:
        # The parser stops at any exception, and uvicorn sends what it takes for a 400.
        self._why = why
        raise ValueError(why.code)

    def _refuse(self, why: type[Refusal] | None) -> None:
        """Hang up; and say why, if it is this request's turn to be answered."""
        if self._in_body:
            turn = not self.cycle.response_started and not self.pipeline
        else:
            turn = self._idle()
        if why is not None and turn and not self.transport.is_closing():
            self.transport.write(self._response(why))
        self.transport.close()

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # uvicorn's None is a secret

    def _response(self, why: type[Refusal]) -> bytes:
        body = why(why.about).body()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        phrase = http.HTTPStatus(why.status).phrase.encode()
        return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (why.status, phrase, lines, body)
