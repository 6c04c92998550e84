"""Questions about the schema are weighed like those about rows: lists in lists are many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from resolvers.plan.context import Context, Weight
from resolvers.plan.selections import Fields

# How long lists are where one type is asked about: about ten fields to a type, ten values to an
# enum. Where all types are, it is known how much they have together.
_USUAL = 10


def weigh(
    context: Context, type_name: str, fields: Fields, usual: Mapping[str, int] | None = None
) -> Iterator[Weight]:
    """The lists below the fields of an introspection type; `usual` says how long they are."""
    usual = usual or {}
    type_ = context.graph.schema.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    for nodes in fields.values():
        name = nodes[0].name.value
        if name == "__typename":
            continue
        field: GraphQLField = type_.fields[name]
        below = get_named_type(field.type)
        inner: tuple[Weight, ...] = ()
        many = is_list_type(get_nullable_type(field.type))
        if isinstance(below, GraphQLObjectType):
            # Beyond a single object, such as a field's type, it is one type again and again.
            known = _averages(context.graph.schema) if name == "types" else usual if many else {}
            inner = tuple(weigh(context, below.name, context.below(below.name, nodes), known))
        if many:
            every = len(context.graph.schema.type_map)
            yield Weight(every if name == "types" else usual.get(name, _USUAL), inner)
        else:
            yield from inner


@lru_cache(maxsize=8)
def _averages(schema: GraphQLSchema) -> Mapping[str, int]:
    """How long the lists of a type are on average, rounded up."""
    types = schema.type_map.values()
    with_fields = [
        each for each in types if isinstance(each, GraphQLObjectType | GraphQLInterfaceType)
    ]
    fields = [field for each in with_fields for field in each.fields.values()]
    counts = {
        "fields": (len(fields), len(types)),
        "args": (sum(len(field.args) for field in fields), len(fields)),
        "interfaces": (sum(len(each.interfaces) for each in with_fields), len(types)),
        "inputFields": (
            sum(len(each.fields) for each in types if isinstance(each, GraphQLInputObjectType)),
            len(types),
        ),
        "enumValues": (
            sum(len(each.values) for each in types if isinstance(each, GraphQLEnumType)),
            len(types),
        ),
    }
    return {name: -(-count // max(among, 1)) for name, (count, among) in counts.items()}
