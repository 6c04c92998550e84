"""Which path goes where, and what closes with the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from db.changes import Changes
from db.database import Database
from db.horizon import Horizon
from resolvers.errors import Code
from resolvers.graph import Graph
from web import graphiql
from web.answers import Answers
from web.documents import Documents, Served
from web.farewell import farewell
from web.health import Readiness, healthz
from web.sockets import Sockets
from web.subscriptions import Bounds, Streams
from web.view import View


def application(
    graph: Graph,
    database: Database,
    sdl: str,
    pending: Callable[[], Awaitable[Sequence[object]]],
    *,
    max_body_bytes: int,
    development: bool,
    answer_cache_bytes: int = 0,
    documents: Served = Served.ANY,
    bounds: Bounds | None = None,
) -> ASGIApp:
    """The whole server as one ASGI callable. It owns the database's connections."""
    changes = Changes(database)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        listening = asyncio.create_task(changes.listen())
        with farewell(streams.close):
            yield
        listening.cancel()
        await asyncio.wait([listening])
        await database.close()

    async def schema(request: Request) -> Response:
        return PlainTextResponse(sdl, media_type="application/graphql")

    async def start_page(request: Request) -> Response:
        return RedirectResponse("/graphql")

    horizon = Horizon(database, changes)
    answers = Answers(changes, horizon, weight=answer_cache_bytes)
    known = Documents(database, changes, documents)
    streams = Streams(graph, database, changes, horizon, answers, known, bounds=bounds or Bounds())
    view = View(
        graph,
        database,
        graphiql.page(),
        answers,
        known,
        streams,
        max_body_bytes=max_body_bytes,
        development=development,
    )
    everything_else = Starlette(
        routes=[
            Route("/", start_page),
            Route("/healthz", healthz),
            Route("/readyz", Readiness(database, pending).answer),
            Route("/schema.graphql", schema),
            Mount("/graphiql", graphiql.assets()),
        ],
        lifespan=lifespan,
    )
    return _Fork(
        ServerErrorMiddleware(view, handler=_fault),
        Sockets(streams),
        everything_else,
    )


class _Fork:
    """The one path that is asked thousands of times a second goes straight to its view."""

    def __init__(self, requests: ASGIApp, sockets: ASGIApp, everything_else: ASGIApp) -> None:
        self.graphql = {"http": requests, "websocket": sockets}
        self.everything_else = everything_else

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/graphql":
            await self.graphql[scope["type"]](scope, receive, send)
        else:
            await self.everything_else(scope, receive, send)


async def _fault(request: Request, error: Exception) -> Response:
    """What a client sees of a mistake of ours; the log has the rest."""
    message = "Something went wrong on our side."
    body = {"errors": [{"message": message, "extensions": {"code": Code.INTERNAL_SERVER_ERROR}}]}
    return Response(orjson.dumps(body), status_code=500, media_type="application/json")
