"""Whose what is that only those need who change something: a contract leaves it out by its tag.

What is tagged because of what it is about is in `schema/subgraphs.py`. Payloads and inputs are
about the same records as queries are; theirs follow from who may send what leads to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

from resolvers import graph
from schema.homes import MUTATION, NOWHERE, Homes
from schema.roles import Role


def tags_of_changes(
    whole: graph.Graph, homes: Homes, least: Mapping[str, Role]
) -> Mapping[str, str]:
    """The tag of each root field of mutations, as `Mutation.field`, and of each type that only
    these lead to. `least` is the least role that may send each."""
    tags = {name: "partner" if role is Role.PARTNER else "staff" for name, role in least.items()}
    found = {f"{MUTATION}.{name}": tag for name, tag in tags.items()}
    if not tags:
        return found
    # There is none where none of its fields is.
    found[MUTATION] = "partner" if "partner" in tags.values() else "staff"
    walk = _Walk(whole.schema, homes)
    seen = walk.reached(["Query", *whole.entities])
    for tag in ("partner", "staff"):
        for name in walk.led([name for name in tags if tags[name] == tag]) - seen:
            found[name] = tag
            seen.add(name)
    return found


class _Walk:
    """Which types lead to which, by the fields that some subgraph has."""

    def __init__(self, schema: GraphQLSchema, homes: Homes) -> None:
        self.schema = schema
        self.homes = homes

    def reached(self, names: Iterable[str]) -> set[str]:
        """These types, and all that they lead to."""
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self._below(self.schema.type_map[name])
        return seen

    def led(self, fields: Iterable[str]) -> set[str]:
        """All that these root fields of mutations lead to."""
        mutation = self.schema.mutation_type
        assert mutation is not None
        return self.reached(name for field in fields for name in _of_field(mutation, field))

    def _below(self, type_: GraphQLNamedType) -> Iterator[str]:
        match type_:
            case GraphQLObjectType() | GraphQLInterfaceType():
                for name in type_.fields:
                    if self.homes.get((type_.name, name)) != NOWHERE:
                        yield from _of_field(type_, name)
                yield from (each.name for each in type_.interfaces)
            case GraphQLUnionType():
                yield from (each.name for each in type_.types)
            case GraphQLInputObjectType():
                for each in type_.fields.values():
                    yield get_named_type(each.type).name


def _of_field(type_: GraphQLObjectType | GraphQLInterfaceType, name: str) -> Iterator[str]:
    field = type_.fields[name]
    yield get_named_type(field.type).name
    for argument in field.args.values():
        yield get_named_type(argument.type).name
