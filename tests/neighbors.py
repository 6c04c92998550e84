"""Subgraphs of somebody else's, made with Strawberry's own federation, that add to this graph.

The first says something of everything that has an id, the second of two types by natural keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import strawberry
import uvicorn
from strawberry.asgi import GraphQL
from strawberry.federation import Schema, interface_object
from strawberry.federation import type as federated

from federation.node import free_port


@interface_object(keys=["id"])
class Node:
    """Anything in the directory."""

    id: strawberry.ID

    @strawberry.field
    def visits(self) -> int:
        """How often its page was looked at, by a count that everybody can repeat."""
        return len(self.id)


@federated(keys=["code"])
class Institution:
    """A prison, by the code that everybody knows."""

    code: str

    @strawberry.field
    def letters(self) -> int:
        """How many letters its code has."""
        return len(self.code)


@federated(keys=["fips"])
class County:
    """A county, by the code that everybody knows."""

    fips: str

    @strawberry.field
    def number(self) -> int:
        """Its number within California."""
        return int(self.fips[2:])


@strawberry.type
class Visits:
    """What is looked at."""

    @strawberry.field
    def most_visited(self) -> list[Node]:
        """What is looked at most."""
        return [Node(id=strawberry.ID("County:06037")), Node(id=strawberry.ID("Category:HOUSING"))]


@strawberry.type
class Codes:
    """Codes, as such.

    A county by its code alone would not do: from there Apollo's composer finds no way to what the
    other neighbor says of it by its id, over whoever knows both.
    """

    @strawberry.field
    def counties_known(self) -> int:
        """How many counties California has."""
        return 58


SCHEMAS = {
    "visits": Schema(query=Visits, types=[Node], federation_version="2.3"),
    "codes": Schema(query=Codes, types=[Institution, County], federation_version="2.3"),
}


@asynccontextmanager
async def neighbor(name: str) -> AsyncIterator[str]:
    """One of them, answering at this URL."""
    port = free_port()
    application: Any = GraphQL(SCHEMAS[name])
    config = uvicorn.Config(application, port=port, log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    # Without `serve`, which takes the signals of this process for its own.
    serving = asyncio.create_task(server._serve())
    try:
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        await serving
