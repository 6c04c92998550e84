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
from schema.build import introspection, sdl
from schema.roles import Role
from web import graphiql
from web.admission import Admission
from web.answers import Answers
from web.documents import Documents, Served
from web.doorman import Doorman
from web.errands import Errand, attend
from web.export import ExportBounds, Exports, Turns
from web.farewell import farewell
from web.health import Readiness, healthz
from web.identity import Identity, Issuer
from web.origins import Origins, shared
from web.protocol import PATIENCE
from web.published import Published
from web.sockets import Sockets
from web.subscriptions import Bounds, Streams
from web.view import View
from web.vigil import Vigil

# What somebody of a role sees: a graph, and connections that read as that role.
Seen = tuple[Graph, Database]

NO_ORIGINS = Origins("")


def application(
    graph: Graph,
    database: Database,
    pending: Callable[[], Awaitable[Sequence[object]]],
    *,
    max_body_bytes: int,
    development: bool,
    answer_cache_bytes: int = 0,
    documents: Served = Served.ANY,
    seen: Callable[[Role], Seen] | None = None,
    issuer: Issuer | None = None,
    origins: Origins = NO_ORIGINS,
    max_batch: int = 10,
    read_timeout: float = 20.0,
    bounds: Bounds | None = None,
    export_bounds: ExportBounds | None = None,
    errands: Sequence[Errand] = (),
) -> ASGIApp:
    """The whole server as one ASGI callable. It owns the databases' connections.

    `graph` and `database` are what the public sees, `seen` what the other roles do; without that
    everybody is the public. `errands` are done beside.
    """
    changes = Changes(database)
    trusted = Documents(database, changes, documents)
    page = graphiql.page()
    horizon = Horizon(database, changes)
    opened = [database]
    told: list[Streams] = []
    turns = Turns()
    working: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, float]]:
        listening = asyncio.create_task(changes.listen())
        working.extend(asyncio.create_task(attend(each, changes)) for each in errands)
        with farewell(say_farewell):
            yield {PATIENCE: read_timeout}
        tasks = [listening, *working]
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)
        await asyncio.gather(*(each.close() for each in opened))

    def say_farewell() -> None:
        for streams in told:
            streams.close()
        for each in working:
            each.cancel()

    async def start_page(request: Request) -> Response:
        return RedirectResponse("/graphql")

    def face(graph: Graph, database: Database) -> _Face:
        answers = Answers(changes, horizon, weight=answer_cache_bytes)
        streams = Streams(
            graph, database, changes, horizon, answers, trusted, bounds=bounds or Bounds()
        )
        told.append(streams)
        view = View(
            graph,
            database,
            page,
            answers,
            trusted,
            streams,
            Exports(graph, database, export_bounds or ExportBounds(), turns),
            max_body_bytes=max_body_bytes,
            max_batch=max_batch,
            development=development,
        )
        printed = Starlette(
            routes=[
                Route("/schema.graphql", Published(lambda: sdl(graph), _GRAPHQL).answer),
                Route("/schema.json", Published(lambda: introspection(graph), _JSON).answer),
            ]
        )
        return _Face(ServerErrorMiddleware(view, handler=_fault), sockets, printed, streams)

    async def streams_for(role: Role) -> Streams:
        return (await face_for(role)).streams

    identity = Identity(database, changes, issuer)
    admission = Admission(identity, Vigil(identity, changes))
    sockets = Sockets(admission, streams_for)
    faces: dict[Role, _Face] = {Role.PUBLIC: face(graph, database)}
    meeting = asyncio.Lock()

    async def face_for(role: Role) -> _Face:
        if seen is None:
            return faces[Role.PUBLIC]
        if role in faces:
            return faces[role]
        async with meeting:
            if role not in faces:
                # Nobody else waits while a schema is made.
                theirs, connections = await asyncio.to_thread(seen, role)
                opened.append(connections)
                faces[role] = face(theirs, connections)
            return faces[role]

    everything_else = Starlette(
        routes=[
            Route("/", start_page),
            Route("/healthz", healthz),
            Route("/readyz", Readiness(database, pending).answer),
            Mount("/graphiql", graphiql.assets()),
        ],
        lifespan=lifespan,
    )
    # A redirect to a path with one slash less would name the host that the client has named.
    everything_else.router.redirect_slashes = False
    by_role = Doorman(admission, faces[Role.PUBLIC], face_for)
    return shared(_Fork(by_role, everything_else), origins)


_GRAPHQL, _JSON = "application/graphql", "application/json"
_BY_ROLE = frozenset(["/graphql", "/schema.graphql", "/schema.json"])


class _Fork:
    """The one path that is asked thousands of times a second goes straight to its view."""

    def __init__(self, by_role: ASGIApp, everything_else: ASGIApp) -> None:
        self.by_role = by_role
        self.everything_else = everything_else

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") in _BY_ROLE:
            await self.by_role(scope, receive, send)
        else:
            await self.everything_else(scope, receive, send)


class _Face:
    """What somebody of a role meets: requests, sockets, and the schema as text."""

    def __init__(
        self, requests: ASGIApp, sockets: ASGIApp, printed: ASGIApp, streams: Streams
    ) -> None:
        self.streams = streams
        self.graphql = {"http": requests, "websocket": sockets}
        self.printed = printed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.graphql[scope["type"]] if scope["path"] == "/graphql" else self.printed
        await app(scope, receive, send)


async def _fault(request: Request, error: Exception) -> Response:
    """What a client sees of a mistake of ours; the log has the rest."""
    message = "Something went wrong on our side."
    body = {"errors": [{"message": message, "extensions": {"code": Code.INTERNAL_SERVER_ERROR}}]}
    return Response(orjson.dumps(body), status_code=500, media_type="application/json")
