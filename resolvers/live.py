"""Whether a query is live: `query @live { ... }`, as `schema/live.py` declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resolvers.graph import Graph
from resolvers.parse import Operation, is_query
from resolvers.plan.context import leaf
from resolvers.plan.values import Lookout, value_of

_NAME = "live"


@dataclass(frozen=True, slots=True)
class Live:
    """How the later answers of a live query come: whole, or as what has changed in them."""

    patch: bool


def live(graph: Graph, operation: Operation, variables: Mapping[str, object]) -> Live | None:
    """How a query is live; None if it is not, or is no query."""
    for node in operation.definition.directives or ():
        declared = graph.schema.get_directive(_NAME)
        if node.name.value != _NAME or declared is None or not is_query(operation):
            continue
        trees = Lookout(variables).arguments(node.arguments, declared.args)
        given = {name: value_of(found, variables) for name in trees if (found := leaf(trees[name]))}
        return Live(given.get("patch") is True) if given.get("if") is True else None
    return None
