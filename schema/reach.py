"""What a graph reads to answer its fields: tables, some columns of others' tables, and functions.

Arguments can reach further: a filter may speak of anything that a field of the whole graph leads
to. That is not counted here, and a role without it is told NOT_GRANTED.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from graphql import GraphQLInterfaceType, GraphQLObjectType

from db.mapping import Join
from resolvers import graph
from schema.subgraphs import SUBGRAPHS


@dataclass(frozen=True, slots=True)
class Reach:
    """Whole tables, columns of other tables by table, and functions, by their names."""

    tables: frozenset[str]
    columns: Mapping[str, frozenset[str]]
    functions: frozenset[str]


def reach_of(served: graph.Graph, names: frozenset[str]) -> Reach:
    """What the subgraphs of these names, served as one graph, have to read."""
    tables = {each.table.name for each in served.entities.values() if not each.foreign}
    tables.update(table for name in names for table in SUBGRAPHS[name].tables)
    functions: set[str] = set()
    columns: defaultdict[str, set[str]] = defaultdict(set)
    for type_name, source in _sources(served):
        match source:
            case graph.Derived(function, _, _, among, where):
                functions |= {each.name for each in (function, among, where) if each}
            case graph.Made(function, _, _) | graph.Ranked(function):
                functions.add(function.name)
            case graph.ToOne(join, target) | graph.ToMany(join, target):
                far = served.entities[target]
                for table, column in _hopped(served.entities.get(type_name), join, far, source):
                    columns[table].add(column)
    for entity in served.entities.values():
        if entity.near is not None:
            functions |= {entity.near.origin.name, entity.near.reach, entity.near.miles}
    found = {name: frozenset(of) for name, of in columns.items() if name not in tables}
    return Reach(frozenset(tables), found, frozenset(functions))


def _sources(served: graph.Graph) -> Iterator[tuple[str, object]]:
    """Where each field that is served comes from, and of which type it is."""
    for name, type_ in served.schema.type_map.items():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            continue
        known: Mapping[str, object] = {}
        if name == "Query":
            known = served.roots
        elif entity := served.entities.get(name) or served.values.get(name):
            known = entity.fields
        yield from ((name, known[field]) for field in type_.fields if field in known)


def _hopped(
    near: graph.Entity | None, join: Join, far: graph.Entity, source: object
) -> Iterator[tuple[str, str]]:
    """The columns that a way leads over, and those that its end is listed by."""
    for step, following in pairwise(join):
        yield step.table, step.remote
        yield step.table, following.local
    last, key = join[-1], far.table.key.name
    if isinstance(source, graph.ToOne) and far.foreign and last.remote == key:
        return  # the foreign key says all there is to say
    yield last.table, last.remote
    yield last.table, key
    for sort in far.table.order:
        yield last.table, sort.column.name
    if far.listed is not None:
        yield last.table, far.listed.name
