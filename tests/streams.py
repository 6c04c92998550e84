"""Clients of what is told as it happens: server-sent events, and WebSockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError
from websockets.typing import Subprotocol

EVENTS = "text/event-stream"
# What urql sends with everything it asks.
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json,"
    " text/event-stream, multipart/mixed"
)
PATIENCE = 20


@dataclass(frozen=True)
class Sent:
    """One event of a stream, as it was sent."""

    id: str | None
    event: str | None
    data: str | None

    @property
    def json(self) -> Any:
        assert self.data is not None
        return json.loads(self.data)


class Events:
    """An open stream of server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last: str | None = None
        self.alive = 0
        self._lines = cast("AsyncGenerator[str, None]", response.aiter_lines())

    async def any(self) -> Sent:
        """The next event; one with an id alone is an event here, too."""
        found: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if line == ":":
                    self.alive += 1
                elif line:
                    name, _, value = line.partition(":")
                    found[name] = value.removeprefix(" ")
                elif found:
                    self.last = found.get("id", self.last)
                    return Sent(found.get("id"), found.get("event"), found.get("data"))
        raise EOFError

    async def next(self) -> Any:
        """The next response that is told."""
        while True:
            sent = await self.any()
            if sent.event is not None:
                assert sent.event == "next", sent
                return sent.json

    async def close(self) -> None:
        await self._lines.aclose()

    async def silent(self, seconds: float = 0.4) -> bool:
        """Whether nothing is told for a while."""
        # Reading on is not cancelled: the stream could not be read after that.
        reading = asyncio.ensure_future(self.next())
        done, _ = await asyncio.wait([reading], timeout=seconds)
        self._late = reading
        return not done


async def last(stream: Events) -> Sequence[str]:
    """The codes of the errors with which a stream ends."""
    response = await stream.next()
    assert (await stream.any()).event == "complete"
    return [error["extensions"]["code"] for error in response["errors"]]


@asynccontextmanager
async def following(
    url: str,
    query: str,
    variables: Mapping[str, object] | None = None,
    *,
    accept: str = EVENTS,
    last: str | None = None,
    get: bool = False,
    shown: str | None = None,
) -> AsyncIterator[Events]:
    """A stream that the server has opened, so that whatever is committed now is told."""
    headers = {"accept": accept} | ({"last-event-id": last} if last is not None else {})
    if shown is not None:
        headers["authorization"] = f"Bearer {shown}"
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        asked: dict[str, Any]
        if get:
            given = json.dumps(variables or {})
            asked = {"params": {"query": query, "variables": given}}
        else:
            asked = {"json": {"query": query, "variables": variables}}
        method = "GET" if get else "POST"
        async with client.stream(method, "/graphql", headers=headers, **asked) as response:
            assert response.headers["content-type"].startswith(EVENTS), await response.aread()
            events = Events(response)
            try:
                yield events
            finally:
                await events.close()


class Socket:
    """An open socket that speaks graphql-transport-ws."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, message: object) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.connection.recv())

    async def subscribe(self, id_: str, query: str, **more: object) -> None:
        """Ask; when this ends, the server has taken it up."""
        await self.say({"id": id_, "type": "subscribe", "payload": {"query": query, **more}})
        await self.say({"type": "ping"})
        heard = await self.hear()
        assert heard == {"type": "pong"}, heard

    async def next(self, id_: str) -> Any:
        heard = await self.hear()
        assert (heard["type"], heard["id"]) == ("next", id_), heard
        return heard["payload"]

    async def ended(self) -> tuple[int | None, str | None]:
        """With which code, and why, the socket is closed; passes over what is said until then."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosedError):
                async for _ in self.connection:
                    pass
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def socket(
    url: str, *, begin: bool = True, payload: object = None, **options: Any
) -> AsyncIterator[Socket]:
    """A socket to a server; begun unless somebody wants to see what happens otherwise."""
    at = url.replace("http://", "ws://") + "/graphql"
    options.setdefault("subprotocols", [Subprotocol("graphql-transport-ws")])
    async with connect(at, **options) as connection:
        opened = Socket(connection)
        if begin:
            shown = {} if payload is None else {"payload": payload}
            await opened.say({"type": "connection_init", **shown})
            assert await opened.hear() == {"type": "connection_ack"}
        yield opened
