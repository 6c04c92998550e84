"""Hops become conditions: which rows of a far table belong to a row that is at hand.

Only the last row is ever selected. Tables between are looked at inside `exists` or a scalar
sub-select, so that no join can make a row appear twice, and pages stay exact. What is near is the
exception: `near.py` starts from places, and says which of several places of a row counts.
"""

from __future__ import annotations

from db.mapping import Column, Hop, Join
from db.query import (
    Const,
    Exists,
    Expression,
    From,
    Joined,
    Operation,
    Ref,
    Select,
    Selects,
    Value,
    all_of,
)
from resolvers.graph import ToOne
from resolvers.plan.context import Context


def reach_one(context: Context, join: Join, near: str, far: str) -> Expression:
    """The condition under which `far` is the one row that `join` leads to from `near`."""
    return Operation(Ref(far, join[-1].remote), "=", far_key(context, join, near))


def stub(column: Column, key: Expression, alias: str) -> Selects:
    """A row of which nothing is known but its key."""
    return Selects((Select(((column.name, key),)),), alias)


def given_defaults(field: ToOne, far: str) -> list[Expression]:
    """What holds of the far row where nobody can say which of several is meant."""
    return [
        Operation(Ref(far, given.column.name), "=", Const(given.default))
        for given in field.given.values()
    ]


def far_key(context: Context, join: Join, near: str) -> Expression:
    """The value that leads to the far row: a foreign key at hand, or found along the way."""
    if len(join) == 1:
        return Ref(near, join[0].local)
    source, joins, where, last = _between(context, join[:-1], near)
    column = (None, Ref(last, join[-1].local))
    return Value(Select((column,), source, joins, where))


def reach_many(context: Context, join: Join, near: str, far: str) -> Expression:
    """The condition under which `far` is one of the rows that `join` leads to from `near`."""
    if len(join) == 1:
        return Operation(Ref(far, join[0].remote), "=", Ref(near, join[0].local))
    source, joins, where, last = _between(context, join[:-1], near)
    meet = Operation(Ref(far, join[-1].remote), "=", Ref(last, join[-1].local))
    return Exists(Select((), source, joins, all_of([where, meet])))


def between(context: Context, join: Join, near: str) -> tuple[Select, str] | None:
    """The rows just before the far table, as a select without columns, and their alias."""
    return None if len(join) == 1 else reached(context, join[:-1], near)


def along(context: Context, hops: tuple[Hop, ...], alias: str) -> tuple[tuple[Joined, ...], str]:
    """The hops as joins, from a row at hand, and the alias at their end.

    Where one of them leads to many, the row comes as often as it leads anywhere.
    """
    joins: list[Joined] = []
    for hop in hops:
        next_alias = context.alias()
        on = Operation(Ref(next_alias, hop.remote), "=", Ref(alias, hop.local))
        joins.append(Joined(From(hop.table, next_alias), on))
        alias = next_alias
    return tuple(joins), alias


def reached(context: Context, hops: tuple[Hop, ...], near: str) -> tuple[Select, str]:
    """What hops lead to from a row at hand, as a select without columns, and its alias."""
    source, joins, where, last = _between(context, hops, near)
    return Select((), source, joins, where), last


def _between(
    context: Context, hops: tuple[Hop, ...], near: str
) -> tuple[From, tuple[Joined, ...], Expression, str]:
    alias = context.alias()
    source = From(hops[0].table, alias)
    where = Operation(Ref(alias, hops[0].remote), "=", Ref(near, hops[0].local))
    joins, last = along(context, hops[1:], alias)
    return source, joins, where, last
