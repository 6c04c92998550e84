"""What can be asked, as data: a Select made of expressions. `render.py` spells it as SQL."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass


@dataclass(frozen=True, slots=True)
class Param:
    """A value that comes with the request; `value` says where it is found, `type` what it is."""

    value: Hashable
    type: str


@dataclass(frozen=True, slots=True)
class Const:
    """A word of the declarations (a type's name, `true`), never of a request."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of a table that is in reach, by the table's alias."""

    alias: str
    column: str


@dataclass(frozen=True, slots=True)
class Call:
    """`function(argument, ...)`; `count(*)` is a call of count without arguments."""

    function: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Cast:
    """`operand::type`."""

    operand: Expression
    type: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`left operator right`."""

    left: Expression
    operator: str
    right: Expression


@dataclass(frozen=True, slots=True)
class Tuple:
    """`(a, b, ...)`, compared as a whole."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`operand = any(array)`."""

    operand: Expression
    array: Expression


@dataclass(frozen=True, slots=True)
class Within:
    """`operand in (select ...)`; several selects are put end to end with `union all`."""

    operand: Expression
    selects: tuple[Select, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """`operand is null`, `operand is not true` and their like."""

    operand: Expression
    verdict: str


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`, where the operand is never null."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All of these; nothing at all is true."""

    conditions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of these; nothing at all is false."""

    conditions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """`case subject when value then expression ... end`; nothing at all is null."""

    subject: Expression
    branches: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A sub-select of one row and one column, as a value."""

    select: Select


@dataclass(frozen=True, slots=True)
class Row:
    """A sub-select of one row, as a record: becomes a JSON object, or null."""

    select: Select


@dataclass(frozen=True, slots=True)
class Rows:
    """A sub-select of many rows, as an array of records: becomes a JSON list of objects."""

    select: Select


@dataclass(frozen=True, slots=True)
class Values:
    """A sub-select of many rows and one column, as an array."""

    select: Select


@dataclass(frozen=True, slots=True)
class Json:
    """A sub-select of one row as finished JSON text, where records of several kinds meet."""

    select: Select


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether a sub-select has any row."""

    select: Select


Expression = (
    Param
    | Const
    | Ref
    | Call
    | Cast
    | Operation
    | Tuple
    | AnyOf
    | Within
    | Test
    | Not
    | And
    | Or
    | Switch
    | Value
    | Row
    | Rows
    | Values
    | Json
    | Exists
)


@dataclass(frozen=True, slots=True)
class From:
    """`table alias`; the table may be the name of a `With`."""

    table: str
    alias: str


@dataclass(frozen=True, slots=True)
class Selects:
    """`(select ...) alias`; several selects are put end to end with `union all`."""

    selects: tuple[Select, ...]
    alias: str


@dataclass(frozen=True, slots=True)
class Unnest:
    """`unnest(array, ...) with ordinality alias(column, ..., number)`."""

    arrays: tuple[Expression, ...]
    alias: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """`function(argument, ...) alias`: the rows it returns, or one column of values."""

    name: str
    arguments: tuple[Expression, ...]
    alias: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """`jsonb_to_recordset(rows) alias(column type, ...)`: rows that come with the request."""

    rows: Expression
    alias: str
    columns: tuple[tuple[str, str], ...]


Source = From | Selects | Unnest | Function | Records


@dataclass(frozen=True, slots=True)
class Joined:
    """`join source on condition`, or `left join`; a select sees the tables before it."""

    source: Source
    on: Expression
    left: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One step of `order by`; nulls are last when ascending and first when descending."""

    expression: Expression
    descending: bool = False


@dataclass(frozen=True, slots=True)
class With:
    """`with name as materialized (select)`; or what is written, and the column it returns."""

    name: str
    select: Select | Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class Select:
    """One select. A column without a name keeps its own.

    With `ties` it goes beyond its limit for rows that are not after the last one in its order.
    """

    columns: tuple[tuple[str | None, Expression], ...]
    source: Source | None = None
    joins: tuple[Joined, ...] = ()
    where: Expression | None = None
    group: tuple[Expression, ...] = ()
    order: tuple[Order, ...] = ()
    limit: Expression | None = None
    ties: bool = False
    with_: tuple[With, ...] = ()


@dataclass(frozen=True, slots=True)
class Insert:
    """`insert into table (columns) select`; where `unless_there`, what is there already stays."""

    table: str
    columns: tuple[str, ...]
    select: Select
    returning: str
    unless_there: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """`update table alias set column = expression, ... from source where condition`."""

    table: str
    alias: str
    columns: tuple[tuple[str, Expression], ...]
    source: Source
    where: Expression
    returning: str


@dataclass(frozen=True, slots=True)
class Delete:
    """`delete from table alias using source where condition`, or without a source."""

    table: str
    alias: str
    source: Source | None
    where: Expression
    returning: str


Write = Insert | Update | Delete


def all_of(conditions: Iterable[Expression | None]) -> Expression | None:
    """The conditions that there are, as one; None if there are none."""
    parts: list[Expression] = []
    for condition in conditions:
        if isinstance(condition, And):
            parts.extend(condition.conditions)
        elif condition is not None:
            parts.append(condition)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def columns_read(tree: object, aliases: Container[str]) -> Iterator[str]:
    """The columns of these aliases that a tree reads, each as often as it reads them."""
    for part in _parts(tree):
        if isinstance(part, Ref) and part.alias in aliases:
            yield part.column


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text and, for `$1`, `$2`, ..., the parameters it was rendered from."""

    text: str
    params: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class Reads:
    """What a statement is made from: tables and views, and functions."""

    relations: frozenset[str]
    functions: frozenset[str]

    @classmethod
    def of(cls, select: Select) -> Reads:
        """All that a select, and every select inside it, reads and calls."""
        relations: set[str] = set()
        functions: set[str] = set()
        named: set[str] = set()
        for part in _parts(select):
            match part:
                case From(table, _):
                    relations.add(table)
                case Call(name, _) | Function(name, _, _, _):
                    functions.add(name)
                case With(name, _):
                    named.add(name)
        return cls(frozenset(relations - named), frozenset(functions))


def _parts(tree: object) -> Iterator[object]:
    if isinstance(tree, tuple):
        for part in tree:
            yield from _parts(part)
    elif is_dataclass(tree) and not isinstance(tree, Param | type):
        yield tree
        for part in fields(tree):
            yield from _parts(getattr(tree, part.name))
