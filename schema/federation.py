"""The whole graph, seen through some of its subgraphs: fewer fields, and keys to find the rest by.

The tables and columns behind the fields stay known, since filters may look beyond what is answered
here; what is left out are the fields. Of an entity that another subgraph owns there is a row with
nothing but its key, and what our own tables say about it.

What is changed is changed by the subgraph that owns it, with all that belongs to it. To a router
each request to a subgraph is an operation of its own, so one transaction: where a client's
operation has fields of several subgraphs, some may be done and others not. What a router asks other
subgraphs for afterwards is what is there: what is only tried (`dryRun`) they do not know of.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    value_from_ast_untyped,
)
from graphql.language import ValueNode

from resolvers import graph
from resolvers.compute import entities_of, type_of
from resolvers.past import AS_OF
from resolvers.representations import ANY, Representation, read
from schema import types
from schema.directives import NEWEST, Roles, federated
from schema.homes import EVERYWHERE, MUTATION, Homes, homes_of, owners_of, seats_of
from schema.live import LIVE
from schema.mutation import Mutation
from schema.query import Query
from schema.roles import Role
from schema.shapes import WRITES, camel, role_of, roles_of
from schema.subgraphs import SUBGRAPHS

ENTITIES, SERVICE = "_entities", "_service"


def subgraph(whole: graph.Graph, names: Collection[str], version: str = NEWEST) -> graph.Graph:
    """The graph of one subgraph, or of several as one; ValueError names one that there is not.

    Its SDL says nothing that came into Federation after `version`.
    """
    served = frozenset(names)
    if not served or served - SUBGRAPHS.keys():
        strangers = ", ".join(sorted(served - SUBGRAPHS.keys())) or "none"
        raise ValueError(f"The subgraphs are {', '.join(SUBGRAPHS)}; {strangers} is not.")
    homes = homes_of(whole)
    owners = owners_of(whole)
    entities = {
        name: replace(entity, foreign=not owners[name] & served)
        for name, entity in whole.entities.items()
    }
    roots: dict[str, graph.Root] = {
        name: root for name, root in whole.roots.items() if homes["Query", name] & served
    }
    changes = {
        name: change for name, change in whole.changes.items() if homes[MUTATION, name] & served
    }
    # Who can tell an entity of any kind by its id can tell one that others know no more of.
    tells = any(isinstance(root, graph.ById) for root in roots.values())
    source = graph.Entities(_keys(whole, entities), frozenset([NODE] if tells else []))

    def kept(type_name: str, field_name: str) -> bool:
        return bool(homes.get((type_name, field_name), served) & served)

    schema = _Seen(whole.schema, kept).schema(list(entities), source, changes=bool(changes))
    seats = seats_of(whole)
    asked = [
        name
        for name in entities
        # Where interfaces have a key, all that implement them have to have it, too.
        if source.abstract or seats.get(name) in served or _adds(schema, homes, name)
    ]
    known = graph.Known(federated(schema, whole, homes, source, asked, version, _roles(whole)))
    query = schema.query_type
    assert query is not None
    query.fields[SERVICE].resolve = lambda *_: known
    return graph.Graph(
        schema=schema,
        entities=entities,
        roots={**roots, ENTITIES: source, SERVICE: known},
        changes=changes,
        # All of it: what is proposed may be about anything.
        written=whole.written if changes else {},
        guarded=whole.guarded,
        values=whole.values,
        limits=whole.limits,
    )


def _roles(whole: graph.Graph) -> Roles:
    declared = [each for each in vars(types).values() if isinstance(each, type)]
    said = {camel(name): role_of(word) for name, word in vars(Mutation).items()}
    # Only what is said to be for others than those who change records is for others.
    changes: Roles = {
        (MUTATION, name): WRITES if said.get(name, Role.PUBLIC) is Role.PUBLIC else said[name]
        for name in whole.changes
    }
    return {**roles_of(declared, Query), **changes}


# What every entity is.
NODE = "Node"


def _adds(schema: GraphQLSchema, homes: Homes, name: str) -> bool:
    """Whether something is said of this entity here that not everybody says."""
    type_ = schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return any(homes[name, field] != EVERYWHERE for field in type_.fields)


def _keys(
    whole: graph.Graph, entities: Mapping[str, graph.Entity]
) -> Mapping[str, Mapping[str, graph.Id | graph.Leaf]]:
    """By which fields an entity may be named: its id, and where its columns are, natural ones."""
    keys: dict[str, dict[str, graph.Id | graph.Leaf]] = {}
    for name, entity in entities.items():
        id_ = entity.fields["id"]
        assert isinstance(id_, graph.Id)
        keys[name] = {"id": id_}
    for root in whole.roots.values():
        if isinstance(root, graph.One) and not entities[root.entity].foreign:
            keys[root.entity][root.argument] = root.leaf
    return keys


# The whole's description promises one transaction for an operation; a router's cannot.
_CHANGES = """
What may be changed. Fields that follow each other and are answered by one subgraph are one
transaction: all of them are done, or none. Those of several subgraphs are not: some may be done and
others not. `idempotencyKey`, `ifVersion` and `dryRun` hold for their field; what another subgraph
tells beside a `dryRun` is what is, and not what would be.

What cannot be done as it was asked for is told in `userErrors`, with the path to what is wrong.
"""

# What can only be said to the whole graph.
_OF_THE_WHOLE = (LIVE.name, AS_OF)


class _Seen:
    """A schema without the fields that are not kept, and the types that nothing leads to."""

    def __init__(self, whole: GraphQLSchema, kept: Callable[[str, str], bool]) -> None:
        self.whole = whole
        self.kept = kept
        self.types: dict[str, GraphQLNamedType] = {}

    def schema(
        self, entities: Collection[str], source: graph.Entities, *, changes: bool
    ) -> GraphQLSchema:
        """The schema, in which `_entities` finds these, and in which there are `changes`."""
        query = self.named("Query")
        assert isinstance(query, GraphQLObjectType)
        members: list[Any] = [self.named(name) for name in entities]
        query.fields.update(_root_fields(members, source))
        # A router asks once and passes on one answer, so here no query is live; and it passes on no
        # directive, so that one subgraph would tell of then and another of now.
        directives = [each for each in self.whole.directives if each.name not in _OF_THE_WHOLE]
        mutation: Any = self.named(MUTATION) if changes else None
        return GraphQLSchema(
            query, mutation, types=members, directives=directives, description=None
        )

    def named(self, name: str) -> GraphQLNamedType:
        """The type of that name; what clients send stays as it is."""
        if name not in self.types:
            self.types[name] = self._seen(self.whole.type_map[name])
        return self.types[name]

    def _seen(self, type_: GraphQLNamedType) -> GraphQLNamedType:
        said = type_.description if type_.name != MUTATION else inspect.cleandoc(_CHANGES)
        common: dict[str, Any] = {"name": type_.name, "description": said}
        match type_:
            case GraphQLObjectType():
                return GraphQLObjectType(
                    **common,
                    fields=partial(self._fields, type_),
                    interfaces=partial(self._interfaces, type_),
                )
            case GraphQLInterfaceType():
                return GraphQLInterfaceType(
                    **common,
                    fields=partial(self._fields, type_),
                    interfaces=partial(self._interfaces, type_),
                    resolve_type=type_.resolve_type,
                )
            case GraphQLUnionType():
                return GraphQLUnionType(
                    **common,
                    types=lambda: [self.named(member.name) for member in type_.types],  # type: ignore[misc]  # members are objects
                    resolve_type=type_.resolve_type,
                )
            case _:
                return type_

    def _fields(self, type_: GraphQLObjectType | GraphQLInterfaceType) -> dict[str, GraphQLField]:
        return {
            name: GraphQLField(
                self._wrapped(field.type),
                args=field.args,
                resolve=field.resolve,
                description=field.description,
                deprecation_reason=field.deprecation_reason,
            )
            for name, field in type_.fields.items()
            if self.kept(type_.name, name)
        }

    def _interfaces(self, type_: GraphQLObjectType | GraphQLInterfaceType) -> list[Any]:
        """The interfaces all of whose fields are kept."""
        return [
            self.named(interface.name)
            for interface in type_.interfaces
            if all(self.kept(type_.name, name) for name in interface.fields)
        ]

    def _wrapped(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return GraphQLNonNull(self._wrapped(type_.of_type))
        if isinstance(type_, GraphQLList):
            return GraphQLList(self._wrapped(type_.of_type))
        return self.named(type_.name)


def _root_fields(members: list[Any], source: graph.Entities) -> dict[str, GraphQLField]:
    """What the specification of subgraphs asks of every one of them."""

    def from_json(value: object) -> Representation:
        return read(source, value)

    def from_text(node: ValueNode) -> Representation:
        return read(source, value_from_ast_untyped(node))

    def never(value: object) -> object:
        raise GraphQLError("A representation is sent, and never answered.")

    any_ = GraphQLScalarType(
        ANY,
        coerce_input_value=from_json,
        coerce_input_literal=from_text,
        coerce_output_value=never,
        description="An entity by its `__typename` and one of its keys.",
    )
    entity = GraphQLUnionType(
        "_Entity",
        members,
        resolve_type=type_of,
        description="Anything that other subgraphs can name.",
    )
    service = GraphQLObjectType(
        "_Service",
        {
            "sdl": GraphQLField(
                GraphQLString,
                resolve=lambda known, *_: known.sdl,
                description="The schema as text, with the directives of Federation.",
            )
        },
        description="This subgraph, about itself.",
    )
    named = GraphQLNonNull(GraphQLList(GraphQLNonNull(any_)))
    return {
        ENTITIES: GraphQLField(
            GraphQLNonNull(GraphQLList(entity)),
            args={"representations": GraphQLArgument(named, description="Which, in which order.")},
            resolve=entities_of,
            description="Entities that other subgraphs name, in the order named; null for one that "
            "does not exist, and null with an error for one that is not named by a key.",
        ),
        SERVICE: GraphQLField(
            GraphQLNonNull(service), description="What composes a supergraph asks for."
        ),
    }
