"""python -m tests.benchmarks.servers.loaders URL PORT CONNECTIONS"""

from __future__ import annotations

import sys
from typing import Any

import asyncpg
import strawberry
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from tests.benchmarks.servers.loaders.loading import Loaders, Row
from tests.benchmarks.servers.loaders.types import Query
from tests.benchmarks.servers.serving import serve


class View(GraphQL[Loaders, None]):
    """Strawberry's own, with loaders for each request."""

    pool: Any

    async def get_context(self, request: Any, response: Any) -> Loaders:
        return Loaders(self.pool)


def main() -> None:
    url, port, connections = sys.argv[1:]
    schema = strawberry.federation.Schema(Query, extensions=[ParserCache, ValidationCache])
    view = View(schema, graphql_ide=None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await view(scope, receive, send)
            return
        await receive()
        size = int(connections)
        view.pool = await asyncpg.create_pool(
            url,
            min_size=size,
            max_size=size,
            max_inactive_connection_lifetime=0,  # others wait their turn for longer
            record_class=Row,
            server_settings={"timezone": "UTC", "jit": "off"},
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await view.pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    serve(app, int(port))


if __name__ == "__main__":
    main()
