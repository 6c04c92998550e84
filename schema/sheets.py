"""What the columns of a file of records are called: as an export of them calls them.

What may be written in one is what may be written of a record by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphql import GraphQLEnumType

from db.mapping import Cell, Column, Sheet
from resolvers.graph import (
    Entity,
    Graph,
    Id,
    Leaf,
    Localized,
    Owned,
    Part,
    Scalar,
    Slot,
    Slots,
    ToOne,
    Written,
)

# Where a record is from, the import itself knows.
_FROM = "source_id"


def sheet(graph: Graph, name: str) -> Sheet:
    """A file with records of a type."""
    written, entity = graph.written[name], graph.entities[name]
    slots = dict(_slots(written))
    writable = frozenset(slot.column.name for slot in slots.values()) - {_FROM}
    cells = {cell.name: cell for cell in _cells(graph, entity, "")}
    covered = {column for cell in cells.values() for column in (cell.column.name, cell.own)}
    for called, slot in slots.items():
        # What no export shows as it is, such as a text in Spanish, is called as inputs call it.
        if slot.column.name not in covered:
            cells.setdefault(called, Cell(called, slot.column, _words(graph, slot.scalar)))
    owners = {
        field.owner.name
        for other in graph.written.values()
        for field in other.fields.values()
        if isinstance(field, Owned) and field.written == name and field.owner.type == "uuid"
    }
    return Sheet(name, entity.table, cells, writable, tuple(sorted(owners)))


def _slots(written: Written) -> Iterator[tuple[str, Slot]]:
    for name, field in written.fields.items():
        if isinstance(field, Slot):
            yield name, field
        elif isinstance(field, Slots):
            for inner, slot in field.slots.items():
                yield f"{name}.{inner}", slot


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
