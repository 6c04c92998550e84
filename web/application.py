"""Which path goes where, and what closes with the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from db.changes import Changes
from db.database import Database
from db.horizon import Horizon
from resolvers.errors import Code
from resolvers.graph import Graph
from schema.build import introspection
from schema.view import strawberry_view
from web import graphiql
from web.answers import Answers
from web.documents import Documents, Served
from web.health import Readiness, healthz
from web.languages import spoken
from web.origins import Origins, shared
from web.protocol import PATIENCE
from web.published import Published
from web.view import View

NO_ORIGINS = Origins("")


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
    origins: Origins = NO_ORIGINS,
    max_batch: int = 10,
    read_timeout: float = 20.0,
) -> ASGIApp:
    """The whole server as one ASGI callable. It owns the database's connections."""
    changes = Changes(database)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, float]]:
        remembers = answer_cache_bytes or documents is Served.TRUSTED
        listening = asyncio.create_task(changes.listen()) if remembers else None
        yield {PATIENCE: read_timeout}
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])
        await database.close()

    async def start_page(request: Request) -> Response:
        return RedirectResponse("/graphql")

    view = View(
        graph,
        database,
        graphiql.page(),
        Answers(changes, Horizon(database, changes), weight=answer_cache_bytes),
        Documents(database, changes, documents),
        max_body_bytes=max_body_bytes,
        max_batch=max_batch,
        development=development,
    )
    everything_else = Starlette(
        routes=[
            Route("/", start_page),
            Route("/healthz", healthz),
            Route("/readyz", Readiness(database, pending).answer),
            Route("/schema.graphql", Published(lambda: sdl, "application/graphql").answer),
            Route("/schema.json", Published(lambda: introspection(graph), _JSON).answer),
            Mount("/graphiql", graphiql.assets()),
        ],
        lifespan=lifespan,
    )
    # A redirect to a path with one slash less would name the host that the client has named.
    everything_else.router.redirect_slashes = False
    whole = _Fork(
        ServerErrorMiddleware(view, handler=_fault),
        strawberry_view(graph, database, spoken),
        everything_else,
    )
    return shared(whole, origins)


_JSON = "application/json"


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
