"""Whether a query is about the past: `query @asOf(time: ...) { ... }`, as `schema/past.py` says."""

from __future__ import annotations

from resolvers.graph import Graph
from resolvers.parse import Operation, is_query
from resolvers.plan.context import Bound, leaf
from resolvers.plan.values import Lookout

AS_OF = "asOf"


def as_of(graph: Graph, operation: Operation, lookout: Lookout) -> Bound | None:
    """The moment that a query asks about; None for now."""
    for node in operation.definition.directives or ():
        declared = graph.schema.get_directive(AS_OF)
        if node.name.value != AS_OF or declared is None or not is_query(operation):
            continue
        moment = leaf(lookout.arguments(node.arguments, declared.args)["time"])
        assert moment is not None, "a moment is required"
        return Bound(moment, _same, ())
    return None


def _same(value: object) -> object:
    return value
