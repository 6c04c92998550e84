"""/graphql over WebSockets, by the protocol graphql-transport-ws.

Strawberry's handler of this protocol makes a new document of every answer, knows neither documents
by their hash nor a client that does not read, and ends with a traceback for a message that is no
object; so the protocol's eight messages are spelled here, and answers pass through as they are.
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from resolvers.errors import RequestRefused
from resolvers.resolve import response
from schema.entity import Language
from schema.roles import Role
from web.admission import AGAIN, OVER, SHOWN, Admission
from web.identity import ANYBODY, CALLER, Caller, changer_of, is_key, shown_by, told_of
from web.languages import spoken
from web.message import Message
from web.refusals import (
    BudgetSpent,
    IdentityUnavailable,
    Refusal,
    TooManySubscriptions,
    Unauthenticated,
)
from web.request import request_of
from web.subscriptions import Streams

log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"

# A reason is at most so long (RFC 6455, 5.5).
_LONGEST = 123


class _End(Exception):  # noqa: N818
    """The socket ends, with a code and a reason that its client can read."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:_LONGEST].decode(errors="ignore")


class Sockets:
    """An ASGI application for the sockets of all roles."""

    def __init__(
        self, admission: Admission, streams_for: Callable[[Role], Awaitable[Streams]]
    ) -> None:
        self.admission = admission
        self.streams_for = streams_for
        # How many have not begun.
        self.beginning = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        offered = PROTOCOL in scope["subprotocols"]
        accept = {"type": "websocket.accept", "subprotocol": PROTOCOL if offered else None}
        await send(accept)
        if not offered:
            await _close(send, _End(4406, "Subprotocol not acceptable"))
            return
        streams = await self.streams_for(_caller(scope).role)
        if self.beginning >= streams.bounds.operations:
            await _close(send, _full())
            return
        await _Socket(self, streams, receive, send, scope).speak()


def _caller(scope: Scope) -> Caller:
    caller: Caller = scope.get(CALLER, ANYBODY)
    return caller


def _full() -> _End:
    return _End(1013, "This server has as many sockets as it can")


class _Socket:
    """One socket, from its first message to its end."""

    def __init__(
        self, sockets: Sockets, streams: Streams, receive: Receive, send: Send, scope: Scope
    ) -> None:
        self._sockets = sockets
        self._streams = streams
        self._bounds = streams.bounds
        self._receive = receive
        self._send_event = send
        self._language = _language(scope)
        self._scope = scope
        self._acknowledged = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._begins_until = self._loop.time() + self._bounds.beginning
        self._ended: asyncio.Future[_End | None] = self._loop.create_future()

    async def speak(self) -> None:
        """Speak with its client, for as long as both do."""
        self._sockets.beginning += 1
        try:
            await self._speak()
        finally:
            if self._acknowledged:
                self._streams.sockets -= 1
            else:
                self._sockets.beginning -= 1

    async def _speak(self) -> None:
        reading = asyncio.create_task(self._read())
        closing = asyncio.create_task(self._streams.closed())
        waited: tuple[asyncio.Future[Any], ...] = (reading, closing, self._ended)
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                self._end(reading.result())
            elif closing.done():
                self._end(_End(1012, "This server is shutting down"))
        finally:
            tasks = [reading, closing, *self._operations.values()]
            if self._watching is not None:
                tasks.append(self._watching)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        end = self._ended.result() if self._ended.done() else None
        if end is not None:
            try:
                async with asyncio.timeout(self._bounds.patience):
                    await _close(self._send_event, end)
            except TimeoutError:
                pass  # nobody reads that, either

    def _end(self, end: _End | None) -> None:
        if not self._ended.done():
            self._ended.set_result(end)

    async def _read(self) -> _End | None:
        """Read messages until there are no more, or one that ends it all."""
        try:
            while True:
                event = await self._event()
                if event["type"] == "websocket.disconnect":
                    return None
                await self._take(event.get("text"))
        except _End as end:
            return end

    async def _event(self) -> Any:
        while True:
            beginning = not self._acknowledged
            # Who says something else instead has not begun.
            until = self._begins_until if beginning else self._loop.time() + self._bounds.idle
            try:
                async with asyncio.timeout_at(until):
                    return await self._receive()
            except TimeoutError as error:
                if beginning:
                    raise _End(4408, "Connection initialisation timeout") from error
                if not self._operations:
                    raise _End(4408, "Nothing was asked for a long time") from error

    async def _take(self, text: str | None) -> None:
        message = _parsed(text)
        match message.get("type"):
            case "connection_init":
                if self._acknowledged:
                    raise _End(4429, "Too many initialisation requests")
                payload = message.get("payload")
                if not isinstance(payload, dict | None):
                    raise _End(4400, "The payload of connection_init is an object")
                await self._begin(payload or {})
                await self._say(b'{"type":"connection_ack"}')
            case "ping":
                await self._say(b'{"type":"pong"}')
            case "pong":
                pass
            case "subscribe":
                if not self._acknowledged:
                    raise _End(4401, "Unauthorized")
                await self._subscribe(_id_of(message), message.get("payload"))
            case "complete":
                task = self._operations.pop(_id_of(message), None)
                if task is not None:
                    task.cancel()
                    await asyncio.wait([task])  # its place is free for what is asked next
            case _:
                raise _End(4400, "There is no message of this type")

    async def _begin(self, payload: Mapping[str, object]) -> None:
        """Find out who they are, if they have not said so by headers; no browser can."""
        try:
            authorization, api_key = _shown_in(payload)
            if authorization is not None or api_key is not None:
                if SHOWN not in self._scope:
                    caller = await self._sockets.admission.admit(
                        self._scope, authorization, api_key
                    )
                    self._streams = await self._sockets.streams_for(caller.role)
                elif self._scope[SHOWN] != shown_by(authorization, api_key):
                    raise Unauthenticated("By your headers you are somebody else.")
        except (BudgetSpent, IdentityUnavailable) as refusal:
            raise _End(1013, refusal.detail) from refusal
        except Refusal as refusal:
            raise _End(4403, refusal.detail) from refusal
        if self._streams.sockets >= self._bounds.operations:
            raise _full()
        self._acknowledged = True
        self._sockets.beginning -= 1
        self._streams.sockets += 1
        if OVER in self._scope:
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """End it when they are not who they were: whatever it would say is for nobody else."""
        try:
            refusal: Refusal = await self._scope[OVER]()
        except Exception:
            log.exception("nobody watches any more over who speaks on a socket")
            self._end(_End(1011, "Something went wrong on our side"))
            return
        # After 4401 graphql-ws does not come back: a key that is no longer good never will be.
        # After 4403 it does, with what it is given by then, and a token can be renewed.
        self._end(_End(4401 if is_key(self._scope[SHOWN]) else 4403, refusal.detail))

    async def _subscribe(self, id_: str, payload: object) -> None:
        if id_ in self._operations:
            raise _End(4409, f"Subscriber for {id_[:80]} already exists")
        if not isinstance(payload, dict):
            raise _End(4400, "The payload of subscribe is an object")
        stack = AsyncExitStack()
        try:
            if len(self._operations) >= self._bounds.per_socket:
                most = self._bounds.per_socket
                raise TooManySubscriptions(f"A socket has at most {most} operations at a time.")
            await self._ask_again()
            text = await self._streams.documents.text(payload)
            raw = orjson.dumps(payload)
            asker, changer = told_of(self._scope), changer_of(self._scope)
            request = request_of(payload, text, raw, self._language, asker, changer)
            # Open before the next message is read: who pings now, is followed when the pong comes.
            messages = await stack.enter_async_context(self._streams.stream(request))
        except RequestRefused as refused:
            await self._refuse(id_, response(refused.errors)["errors"])
            return
        except Refusal as refusal:
            await self._refuse(id_, orjson.loads(refusal.body())["errors"])
            return
        task = asyncio.create_task(self._tell(id_, messages, stack))
        self._operations[id_] = task

    async def _ask_again(self) -> None:
        """See who asks: a key may have been revoked, or be spent, since the socket was opened."""
        if AGAIN not in self._scope:
            return
        caller: Caller = await self._scope[AGAIN]()
        if caller.told() != _caller(self._scope).told():
            raise Unauthenticated("What was shown opens something else by now; connect again.")

    async def _tell(
        self, id_: str, messages: AsyncIterator[Message], stack: AsyncExitStack
    ) -> None:
        name = orjson.dumps(id_)
        try:
            async with stack:
                async for message in messages:
                    if message.body is None:
                        continue  # the transport has signs of life of its own
                    if message.refused:
                        self._forget(id_)
                        await self._refuse(id_, orjson.loads(message.body)["errors"])
                        return
                    await self._say(b'{"id":%b,"type":"next","payload":%b}' % (name, message.body))
            self._forget(id_)
            await self._say(b'{"id":%b,"type":"complete"}' % name)
        except _End as end:
            self._end(end)
        except Exception:
            log.exception("an operation on a socket failed")
            self._end(_End(1011, "Something went wrong on our side"))

    def _forget(self, id_: str) -> None:
        # Its id can be used again from the moment at which a client reads that it is over.
        if self._operations.get(id_) is asyncio.current_task():
            del self._operations[id_]

    async def _refuse(self, id_: str, errors: object) -> None:
        await self._say(orjson.dumps({"id": id_, "type": "error", "payload": errors}))

    async def _say(self, message: bytes) -> None:
        try:
            async with asyncio.timeout(self._bounds.patience):
                await self._send_event({"type": "websocket.send", "text": message.decode()})
        except TimeoutError as error:
            log.warning("a client that does not read its socket was let go")
            raise _End(4408, "You do not read what you are told") from error
        except OSError as error:
            raise _End(1006, "The client is gone") from error


def _language(scope: Scope) -> Language | None:
    headers = [value for name, value in scope["headers"] if name == b"accept-language"]
    return spoken(b",".join(headers) or None)


def _shown_in(payload: Mapping[str, object]) -> tuple[bytes | None, bytes | None]:
    """What is shown by the names of the two headers: some clients put them into `headers`.

    >>> _shown_in({"Authorization": "Bearer crd_a", "locale": "es"})
    (b'Bearer crd_a', None)
    >>> _shown_in({"headers": {"x-api-key": "crd_a"}})
    (None, b'crd_a')
    """
    headers = payload.get("headers")
    if headers is None:
        headers = {}
    if not isinstance(headers, dict):
        raise _End(4400, "The headers in connection_init are an object")
    shown: dict[str, bytes] = {}
    for name, value in (*payload.items(), *headers.items()):
        if (name := name.lower()) not in ("authorization", "x-api-key") or value is None:
            continue
        if not isinstance(value, str):
            raise _End(4400, f"The {name} in connection_init is a text")
        if shown.setdefault(name, value.encode()) != value.encode():
            raise Unauthenticated("Say who you are once.")
    return shown.get("authorization"), shown.get("x-api-key")


def _parsed(text: str | None) -> dict[str, Any]:
    if text is None:
        raise _End(4400, "Messages are text")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _End(4400, "Messages are JSON") from error
    if not isinstance(message, dict):
        raise _End(4400, "Messages are objects")
    return message


def _id_of(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise _End(4400, "This message needs an id, which is a text")
    return id_


async def _close(send: Send, end: _End) -> None:
    with suppress(OSError):  # its client may be gone already
        await send({"type": "websocket.close", "code": end.code, "reason": end.reason})
