"""Questions about the schema are weighed like those about rows: lists in lists are many."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLField, GraphQLObjectType, get_named_type, get_nullable_type, is_list_type

from resolvers.plan.context import Context, Weight
from resolvers.plan.selections import Fields

# How long the other lists are: about ten fields to a type, ten values to an enum.
_USUAL = 10


def weigh(context: Context, type_name: str, fields: Fields) -> Iterator[Weight]:
    """The lists below the fields of an introspection type."""
    type_ = context.graph.schema.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    for nodes in fields.values():
        name = nodes[0].name.value
        if name == "__typename":
            continue
        field: GraphQLField = type_.fields[name]
        below = get_named_type(field.type)
        inner: tuple[Weight, ...] = ()
        if isinstance(below, GraphQLObjectType):
            inner = tuple(weigh(context, below.name, context.below(below.name, nodes)))
        if is_list_type(get_nullable_type(field.type)):
            every = len(context.graph.schema.type_map)
            yield Weight(every if name == "types" else _USUAL, inner)
        else:
            yield from inner
