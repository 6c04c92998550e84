"""What the columns of a file of records are called: as an export of them calls them.

Which of them may be written is not said here: the database knows what it works out itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphql import GraphQLEnumType

from db.mapping import Cell, Column
from resolvers.graph import Entity, Graph, Id, Leaf, Localized, Part, Scalar, ToOne


def cells(graph: Graph, name: str) -> tuple[Cell, ...]:
    """The columns of a file with records of a type, its id first."""
    return tuple(_cells(graph, graph.entities[name], ""))


def _cells(graph: Graph, entity: Entity, path: str) -> Iterator[Cell]:
    for name, field in entity.fields.items():
        called = f"{path}{name}"
        match field:
            case Id(column):
                yield Cell(called, column, leads=(entity.name, entity.table.name))
            case Leaf(column, scalar):
                yield Cell(called, column, _words(graph, scalar), own=_snake(name))
            case Localized(columns, scalar):
                yield Cell(called, next(iter(columns.values())), _words(graph, scalar))
            case ToOne(join, target) if len(join) == 1 and target in graph.entities:
                far = graph.entities[target]
                if join[0].remote == far.table.key.name and join[0].table == far.table.name:
                    # Whether it may be null is for the table to say.
                    column = Column(join[0].local, far.table.key.type, nullable=True)
                    leads = (target, far.table.name)
                    own = f"{_snake(name)}_{join[0].remote}"
                    yield Cell(f"{called}.id", column, leads=leads, own=own)
            case Part(target) if not path:
                yield from _cells(graph, graph.values[target], f"{called}.")


def _words(graph: Graph, scalar: Scalar) -> frozenset[str] | None:
    type_ = graph.schema.type_map.get(scalar.name)
    return frozenset(type_.values) if isinstance(type_, GraphQLEnumType) else None


def _snake(name: str) -> str:
    """`opensAt` is `opens_at` to Postgres.

    >>> _snake("opensAt")
    'opens_at'
    """
    return re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", name)
