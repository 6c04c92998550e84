"""What a change has come to, read back: a payload is a row of outcome, and what leads on from it.

The outcome comes with the request, as variables do: a key if something is there now, why it is not,
and, where somebody else was first, the key and the version that was asked for. All that a client
selects of the payload is compiled as it is anywhere, from that row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql.language import FieldNode

from db.mapping import Column
from db.query import Const, Expression, Order, Param, Records, Ref, Rows, Select, Statement
from db.render import render
from resolvers.graph import Change, Writes
from resolvers.plan.context import Bound, Context, Path, as_it_is
from resolvers.plan.selections import Fields
from resolvers.plan.values import Variable
from resolvers.plan.write import Fault

OUTCOME = Variable((".outcome",))
"""Where outcomes are among the variables, as JSON; no name of GraphQL has a dot."""

CONFLICT, ERRORS, NUMBER = "conflict", "errors", "n"
KEY, VERSION = "key", "version"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one row: the key of the record, or why there is none."""

    key: object = None
    faults: tuple[Fault, ...] = ()
    conflict: object = None
    version: int | None = None

    def told(self, number: int) -> Mapping[str, object]:
        """As the statement that reads it back is given it."""
        return {
            NUMBER: number,
            KEY: self.key,
            ERRORS: [
                {"path": each.path, "code": each.code, "message": each.message}
                for each in self.faults
            ],
            CONFLICT: self.conflict,
            VERSION: self.version,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """A root field of a mutation: what it does, and the statement that reads what came of it."""

    name: str
    key: str
    column: str
    change: Change
    node: FieldNode
    statement: Statement
    arguments: tuple[Bound | object, ...]


def readings(context: Context, fields: Fields) -> tuple[Reading, ...]:
    """The root fields of a mutation, in their order."""
    found: list[Reading] = []
    for key, nodes in fields.items():
        name = nodes[0].name.value
        if name == "__typename":
            context.need_python()  # graphql-core knows
            continue
        change = context.graph.changes[name]
        statement = render(_payload(context, change, nodes, (key,)))
        arguments = tuple(param.value for param in statement.params)
        found.append(Reading(name, key, context.name(key), change, nodes[0], statement, arguments))
    return tuple(found)


def _payload(context: Context, change: Change, nodes: Sequence[FieldNode], path: Path) -> Select:
    """The select of a payload."""
    outer, key = change.payload, key_of(context, change)
    if not isinstance(change, Writes) or not change.many:
        columns, source, _ = _outcomes(context, outer, key, context.below(outer, nodes), path)
        return Select(columns, source)
    many = f"{outer}s"
    columns_: list[tuple[str | None, Expression]] = []
    for response_key, inner in context.below(many, nodes).items():
        column = context.name(response_key)
        if inner[0].name.value == "__typename":
            columns_.append((column, Const(many)))
            continue
        with context.rows(context.graph.limits.page):
            below = context.below(outer, inner)
            columns, source, alias = _outcomes(context, outer, key, below, (*path, response_key))
        order = (Order(Ref(alias, NUMBER)),)
        columns_.append((column, Rows(Select(columns, source, order=order))))
    return Select(tuple(columns_))


def _outcomes(
    context: Context, name: str, key: Column, fields: Fields, path: Path
) -> tuple[tuple[tuple[str | None, Expression], ...], Records, str]:
    alias = context.alias()
    brought = Param(Bound(OUTCOME, as_it_is, path), "jsonb")
    types = (
        (NUMBER, "int4"),
        (KEY, key.type),
        (ERRORS, "jsonb"),
        (CONFLICT, key.type),
        (VERSION, "int4"),
    )
    context.outcome = alias
    columns = context.columns(context, context.entity(name), alias, fields, path)
    return columns, Records(brought, alias, types), alias


def key_of(context: Context, change: Change) -> Column:
    """The key of the records that a change is about."""
    if isinstance(change, Writes):
        return context.graph.written[change.written].table.key
    return change.key
