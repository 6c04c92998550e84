"""Strawberry's own view over our engine: for what the lean view does not serve, WebSockets first.

Strawberry brings the protocol (graphql-transport-ws); the operations inside are admitted, planned
and answered by the same engine as those that come by POST.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from enum import Enum
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult, PreExecutionError

from db.database import Database
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest, Outcome, resolve

# What a header such as Accept-Language asks for.
Spoken = Callable[[bytes | None], Enum | None]


class CompiledSchema(strawberry.Schema):
    """A strawberry schema that leaves every operation to the engine."""

    graph: Graph
    database: Database
    spoken: Spoken

    async def execute(  # type: ignore[override]  # the arguments of other engines are left aside
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        operation_name: str | None = None,
        **_: object,
    ) -> ExecutionResult:
        headers = context_value["request"].headers
        accepted = ",".join(headers.getlist("accept-language")).encode("latin-1")
        language = self.spoken(accepted or None)
        request = GraphQLRequest(query or "", operation_name, variable_values, language)
        answer = await resolve(self.graph, self.database, request)
        response = orjson.loads(answer.body)
        errors = [_error(error) for error in response.get("errors", ())]
        if answer.outcome not in (Outcome.DATA, Outcome.PARTIAL):
            return PreExecutionError(data=None, errors=errors)
        return ExecutionResult(data=response["data"], errors=errors or None)

    async def stream(  # type: ignore[override]  # a query is a stream of one result
        self, query: str | None, **arguments: Any
    ) -> AsyncGenerator[ExecutionResult, None]:
        async def one() -> AsyncGenerator[ExecutionResult, None]:
            yield await self.execute(query, **arguments)

        return one()


class _Error(GraphQLError):
    """An error that has its final form already."""

    def __init__(self, formatted: dict[str, Any]) -> None:
        super().__init__(formatted["message"], extensions=formatted.get("extensions"))
        self._formatted = formatted

    @property
    def formatted(self) -> Any:
        return self._formatted


def _error(formatted: dict[str, Any]) -> GraphQLError:
    return _Error(formatted)


def strawberry_view(graph: Graph, database: Database, spoken: Spoken) -> GraphQL[object, object]:
    """An ASGI application that speaks graphql-transport-ws."""
    schema: CompiledSchema = graph.schema._strawberry_schema  # type: ignore[attr-defined]  # noted there by strawberry
    schema.graph = graph
    schema.database = database
    schema.spoken = spoken
    return GraphQL(
        schema, graphql_ide=None, subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,)
    )
