"""A Select becomes one SQL statement. SQL is spelled nowhere else.

>>> from db.query import From, Operation, Param, Ref, Select
>>> by_code = Operation(Ref("t0", "code"), "=", Param("code", "text"))
>>> statement = render(Select((("name", Ref("t0", "name")),), From("places", "t0"), where=by_code))
>>> print(statement.text)
select row_to_json(r)
from (
  select t0.name as "name"
  from places t0
  where t0.code = $1::text
) r
>>> statement.params
(Param(value='code', type='text'),)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from db.query import (
    And,
    AnyOf,
    Call,
    Cast,
    Const,
    Delete,
    Exists,
    Expression,
    From,
    Function,
    Insert,
    Json,
    Not,
    Operation,
    Or,
    Order,
    Param,
    Records,
    Ref,
    Row,
    Rows,
    Select,
    Selects,
    Source,
    Statement,
    Switch,
    Test,
    Tuple,
    Unnest,
    Update,
    Value,
    Values,
    With,
    Within,
    Write,
)

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
_OPERATORS = frozenset({"=", "<", "<=", ">", ">=", "ilike", "&&", "@>", "<@", "<->", "||", "+"})
_VERDICTS = frozenset({"is null", "is not null", "is true", "is not true"})
# Words that are lower case and simple, and yet mean something else to Postgres in our places.
_RESERVED = frozenset({"end", "user", "order", "group", "limit", "table", "all", "desc", "asc"})


def render(select: Select) -> Statement:
    """The statement that answers `select` with one row of one JSON column."""
    renderer = _Renderer()
    # Postgres lets a statement write only above everything that it reads.
    writes = [each for each in select.with_ if not isinstance(each.select, Select)]
    before = renderer.named(writes, "")
    if writes:
        assert len(writes) == len(select.with_), "what is written is read below"
        select = replace(select, with_=())
    lines = [*before, "select row_to_json(r)", f"from {renderer.block(select, '')} r"]
    text = "\n".join(lines)
    return Statement(text, tuple(renderer.params))


def identifier(name: str) -> str:
    """A name as Postgres reads it: quoted only if it must be."""
    if _PLAIN.match(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


class _Renderer:
    def __init__(self) -> None:
        self.params: dict[Param, int] = {}

    def block(self, select: Select, indent: str) -> str:
        inner = indent + "  "
        return f"(\n{inner}{self.select(select, inner)}\n{indent})"

    def select(self, select: Select, indent: str) -> str:
        lines = self.named(select.with_, indent)
        columns = [self.column(name, expression, indent) for name, expression in select.columns]
        separator = f",\n{indent}  "
        lines.append(f"select {separator.join(columns)}".rstrip())
        if select.source is not None:
            lines.append(f"from {self.source(select.source, indent)}")
        for joined in select.joins:
            word = "left join" if joined.left else "join"
            if isinstance(joined.source, Selects):
                word += " lateral"
            on = self.expression(joined.on, indent)
            lines.append(f"{word} {self.source(joined.source, indent)} on {on}")
        if select.where is not None:
            conditions = (
                select.where.conditions if isinstance(select.where, And) else (select.where,)
            )
            separator = f"\n{indent}  and "
            rendered = [self.expression(condition, indent) for condition in conditions]
            if rendered:
                lines.append(f"where {separator.join(rendered)}")
        if select.group:
            lines.append(f"group by {self.list(select.group, indent)}")
        if select.order:
            steps = ", ".join(self.order(step, indent) for step in select.order)
            lines.append(f"order by {steps}")
        if select.limit is not None:
            limit = self.expression(select.limit, indent)
            lines.append(
                f"fetch first ({limit}) rows with ties" if select.ties else f"limit {limit}"
            )
        return f"\n{indent}".join(lines)

    def named(self, withs: Iterable[With], indent: str) -> list[str]:
        lines: list[str] = []
        for with_ in withs:
            word = "with" if not lines else ","
            if isinstance(with_.select, Select):
                block = f"materialized {self.block(with_.select, indent)}"
            else:
                inner = indent + "  "
                block = f"(\n{inner}{self.write(with_.select, inner)}\n{indent})"
            lines.append(f"{word} {with_.name} as {block}")
        return lines

    def write(self, write: Write, indent: str) -> str:
        table = identifier(write.table)
        match write:
            case Insert(_, columns, select, _, unless_there):
                names = ", ".join(map(identifier, columns))
                lines = [f"insert into {table} ({names})", self.select(select, indent)]
                if unless_there:
                    lines.append("on conflict do nothing")
                lines.append(f"returning {identifier(write.returning)}")
            case Update(_, alias, changes, source, where):
                values = ", ".join(
                    f"{identifier(column)} = {self.expression(value, indent)}"
                    for column, value in changes
                )
                lines = [
                    f"update {table} {alias} set {values}",
                    f"from {self.source(source, indent)}",
                    f"where {self.expression(where, indent)}",
                    f"returning {alias}.{identifier(write.returning)}",
                ]
            case Delete(_, alias, using, where):
                others = "" if using is None else f" using {self.source(using, indent)}"
                lines = [
                    f"delete from {table} {alias}{others}",
                    f"where {self.expression(where, indent)}",
                    f"returning {alias}.{identifier(write.returning)}",
                ]
            case _:
                assert_never(write)
        return f"\n{indent}".join(lines)

    def column(self, name: str | None, expression: Expression, indent: str) -> str:
        text = self.expression(expression, indent + "  ")
        return text if name is None else f'{text} as "{name}"'

    def source(self, source: Source, indent: str) -> str:
        match source:
            case From(table, alias):
                return f"{identifier(table)} {alias}"
            case Selects(selects, alias):
                return f"{self.union(selects, indent)} {alias}"
            case Unnest(arrays, alias, columns):
                names = ", ".join(identifier(column) for column in columns)
                return f"unnest({self.list(arrays, indent)}) with ordinality {alias}({names})"
            case Records(rows, alias, types):
                named = ", ".join(f"{identifier(name)} {type_}" for name, type_ in types)
                return f"jsonb_to_recordset({self.expression(rows, indent)}) {alias}({named})"
            case Function(name, arguments, alias, column):
                named = f"({identifier(column)})" if column else ""
                return f"{name}({self.list(arguments, indent)}) {alias}{named}"
            case _:
                assert_never(source)

    def union(self, selects: tuple[Select, ...], indent: str) -> str:
        if len(selects) == 1:
            return self.block(selects[0], indent)
        inner = indent + "  "
        parts = [self.block(select, inner) for select in selects]
        union = f"\n{inner}union all\n{inner}".join(parts)
        return f"(\n{inner}{union}\n{indent})"

    def order(self, step: Order, indent: str) -> str:
        return self.expression(step.expression, indent) + (" desc" if step.descending else "")

    def list(self, expressions: tuple[Expression, ...], indent: str) -> str:
        return ", ".join(self.expression(expression, indent) for expression in expressions)

    def expression(self, expression: Expression, indent: str) -> str:
        match expression:
            case Param(_, type_):
                number = self.params.setdefault(expression, len(self.params) + 1)
                return f"${number}::{type_}"
            case Const(value):
                return _constant(value)
            case Ref(alias, column):
                return f"{alias}.{identifier(column)}"
            case Call("count", ()):
                return "count(*)"
            case Call(function, arguments):
                return f"{function}({self.list(arguments, indent)})"
            case Cast(operand, type_):
                return f"{self.operand(operand, indent)}::{type_}"
            case Operation(left, operator, right):
                assert operator in _OPERATORS, operator
                return f"{self.operand(left, indent)} {operator} {self.operand(right, indent)}"
            case Tuple(items):
                return f"({self.list(items, indent)})"
            case AnyOf(operand, array):
                return f"{self.operand(operand, indent)} = any({self.expression(array, indent)})"
            case Within(operand, selects):
                return f"{self.operand(operand, indent)} in {self.union(selects, indent)}"
            case Test(operand, verdict):
                assert verdict in _VERDICTS, verdict
                return f"{self.operand(operand, indent)} {verdict}"
            case Not(operand):
                return f"not {self.operand(operand, indent)}"
            case And(conditions):
                return self.junction(conditions, " and ", "true", indent)
            case Or(conditions):
                return self.junction(conditions, " or ", "false", indent)
            case Switch(_, ()):
                return "null"
            case Switch(subject, branches):
                inner = indent + "  "
                whens = [
                    f"\n{inner}when {self.expression(value, inner)} "
                    f"then {self.expression(result, inner)}"
                    for value, result in branches
                ]
                return f"case {self.expression(subject, indent)}{''.join(whens)}\n{indent}end"
            case Value(select):
                return self.block(select, indent)
            case Row(select):
                return f"(select r from {self.block(select, indent)} r)"
            case Rows(select):
                return f"array(select r from {self.block(select, indent)} r)"
            case Values(select):
                return f"array{self.block(select, indent)}"
            case Json(select):
                return f"(select row_to_json(r) from {self.block(select, indent)} r)"
            case Exists(select):
                return f"exists {self.block(select, indent)}"
            case _:
                assert_never(expression)

    def operand(self, expression: Expression, indent: str) -> str:
        text = self.expression(expression, indent)
        nested = isinstance(expression, Operation | Test | AnyOf | Within)
        return f"({text})" if nested else text

    def junction(
        self, conditions: tuple[Expression, ...], word: str, nothing: str, indent: str
    ) -> str:
        if not conditions:
            return nothing
        if len(conditions) == 1:
            return self.operand(conditions[0], indent)
        return f"({word.join(self.expression(condition, indent) for condition in conditions)})"


def _constant(value: str | int | float | bool | None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
