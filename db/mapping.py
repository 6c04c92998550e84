"""The vocabulary that the graph and the database share: Column, Hop, Join, Table, Sheet, Reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
class Cell:
    """A field in a row of a file: what it is called there, its column, and what it may say.

    `words` are the only ones it may be, if there are few; `leads` is the type and table of the
    record whose id it is, if it is one. `own` is what the column is called if it only shows another
    one, of which it may withhold something.
    """

    name: str
    column: Column
    words: frozenset[str] | None = None
    leads: tuple[str, str] | None = None
    own: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file of records of a type: the table they are in, and the columns that it may have.

    `writable` are the columns of the table that people write; all else is worked out. `owners` are
    those by which a record belongs to others.
    """

    name: str
    table: Table
    cells: Mapping[str, Cell]
    writable: frozenset[str]
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody reads: whole tables, columns of others by table, and functions, by name.

    And what they write: columns by table, rows of which they may also remove, and functions that
    nobody else may call. `past` says that they may read what was said before, too.
    """

    tables: frozenset[str]
    columns: Mapping[str, frozenset[str]]
    functions: frozenset[str]
    writes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    calls: frozenset[str] = frozenset()
    past: bool = False
