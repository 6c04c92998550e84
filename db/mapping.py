"""The vocabulary that the graph and the database share: Column, Hop, Join, Table, Reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column as Postgres knows it; `array` says that it holds a list of `type`."""

    name: str
    type: str
    nullable: bool = False
    array: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from row to row: the rows of `table` whose `remote` equals our `local`."""

    local: str
    table: str
    remote: str


# A way from one table to another: one hop along a foreign key, or several through tables between.
Join = tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """One step of an order. Null sorts as if it were larger than every value."""

    column: Column
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view: its single-column key and its order when nobody asks for another."""

    name: str
    key: Column
    order: tuple[Sort, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody reads: whole tables, columns of others by table, and functions, by name.

    `past` says that he may read what they were, too.
    """

    tables: frozenset[str]
    columns: Mapping[str, frozenset[str]]
    functions: frozenset[str]
    past: bool = False
