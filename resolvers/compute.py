"""The second road: graphql-core adds what only Python can make, to what has been fetched already.

The statement's answer is the tree that graphql-core walks. A field is found in its parent under
its response key; nothing here asks Postgres, and nothing waits.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLResolveInfo, execute
from graphql.execution import ExecutionResult
from graphql.pyutils import Path as ResponsePath

from db.discretion import discreet
from db.values import READ
from resolvers.errors import Code, FieldRefused, coded
from resolvers.graph import Computed, Graph
from resolvers.parse import Operation
from resolvers.plan.context import Path, column_name
from resolvers.plan.plan import Plan
from resolvers.plan.references import TYPE
from resolvers.representations import Representation

log = logging.getLogger(__name__)

# Where in the tree it is told who asks; no response key has a dot.
ASKER = ".asker"


def compute(
    graph: Graph,
    operation: Operation,
    planned: Plan,
    variables: Mapping[str, object],
    fetched: bytes | None,
    asker: Mapping[str, object] | None = None,
) -> tuple[object, list[GraphQLError]]:
    """The data and the errors of an operation, over the tree that was fetched for it."""
    tree = orjson.loads(fetched) if fetched else {}
    result = execute(
        graph.schema,
        operation.document,
        root_value={**tree, ASKER: asker},
        context_value=planned,
        variable_values=dict(variables),
        operation_name=operation.name,
    )
    assert isinstance(result, ExecutionResult)
    return result.data, [_explained(error) for error in result.errors or ()]


def field_of(source: Any, info: GraphQLResolveInfo[Any], **_: object) -> Any:
    """The resolver of a field that Postgres has answered."""
    planned: Plan = info.context
    if planned.refused:
        refused = planned.refused.get(_keys(info.path))
        if refused is not None:
            raise refused
    return source[column_name(str(info.path.key))]


def asker_of(source: Any, info: GraphQLResolveInfo[Any], **_: object) -> Any:
    """The resolver of a field about whoever asks, and of what is known of them."""
    return source[ASKER] if ASKER in source else source.get(info.field_name)


def entities_of(
    source: Any, info: GraphQLResolveInfo[Any], representations: Sequence[Representation]
) -> list[Any]:
    """The resolver of `_entities`: what was found, and why nothing could be looked for."""
    found = field_of(source, info)
    return [
        item if asked.refusal is None else FieldRefused(*asked.refusal)
        for asked, item in zip(representations, found, strict=True)
    ]


def type_of(source: Any, info: GraphQLResolveInfo[Any], abstract: object) -> str:
    """The resolver of an abstract type."""
    return str(source[TYPE])


def computed_by(field: Computed) -> Any:
    """The resolver of a computed field: calls its function with columns and arguments."""

    def resolver(source: Any, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
        columns = {}
        for parameter, leaf in field.columns.items():
            value = source["." + leaf.column.name]
            if value is not None and not leaf.column.array:
                value = READ[leaf.column.type](value)
            columns[parameter] = value
        given = {field.arguments[name]: value for name, value in arguments.items()}
        return field.function(**columns, **given)

    return resolver


def _keys(path: ResponsePath | None) -> Path:
    """A response path without the places in lists."""
    keys: list[str] = []
    while path is not None:
        if isinstance(path.key, str):
            keys.append(path.key)
        path = path.prev
    return tuple(reversed(keys))


def _explained(error: GraphQLError) -> GraphQLError:
    """An error as the client may see it."""
    cause = error.original_error
    if isinstance(cause, FieldRefused):
        explained = coded(cause.code, cause.message)
    else:
        log.error("a field failed:\n%s", discreet(cause or error))
        explained = coded(Code.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
    return GraphQLError(
        explained.message,
        nodes=error.nodes,
        path=error.path,
        extensions=explained.extensions,
    )
