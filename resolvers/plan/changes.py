"""A subscription becomes a select of events, made from the lines that have come.

The lines of the change log come with the request, as its variables do: one statement makes the
events of as many as there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphql.language import FieldNode

from db.query import (
    Cast,
    Const,
    Expression,
    Function,
    Operation,
    Order,
    Param,
    Ref,
    Rows,
    Select,
    Unnest,
)
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Events, Everything, Since
from resolvers.plan.context import Bound, Context, ListOf, Path, as_it_is, leaf
from resolvers.plan.functions import passed
from resolvers.plan.references import chosen, merged_into
from resolvers.plan.selections import Fields
from resolvers.plan.values import Look, Tree, Variable

# Where lines are among the variables, by what is known of them; no name of GraphQL has a dot.
LINES = ".lines"
KNOWN = ("cursor", "table", "kind", "type", "key", "operation", "at")

# Which line an event is about, beside what the client has selected.
CURSOR = ".cursor"

MOST = 20
"""How many lines one statement makes events of."""


def root(context: Context, fields: Fields) -> Select:
    """The select that makes the events of a subscription."""
    columns: list[tuple[str | None, Expression]] = []
    for key, nodes in fields.items():
        source = context.graph.told.get(nodes[0].name.value)
        if source is None or (key,) in context.refused:
            continue
        arguments = context.arguments("Subscription", nodes[0])
        try:
            with context.rows(MOST):
                rows = _events(context, source, arguments, nodes, (key,))
            columns.append((context.name(key), rows))
        except FieldRefused as error:
            context.refuse((key,), error)
    return Select(tuple(columns))


def _events(
    context: Context,
    source: Events | Everything,
    arguments: Mapping[str, Tree],
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    alias = context.alias()
    below = context.below(source.target, nodes)
    if isinstance(source, Events):
        given = passed(context, source.function, alias, arguments, path)
        rows = Function(source.function.name, (_brought("cursor", path), *given), alias)
        made = context.columns(context, context.entity(source.target), alias, below, path)
        return Rows(Select((*made, (CURSOR, Ref(alias, "cursor"))), rows))
    brought = Unnest(tuple(_brought(name, path) for name in KNOWN), alias, (*KNOWN, "n"))
    columns = [
        (context.name(key), _of_line(context, source, alias, arguments, each, (*path, key)))
        for key, each in below.items()
    ]
    return Rows(
        Select((*columns, (CURSOR, Ref(alias, "cursor"))), brought, order=(Order(Ref(alias, "n")),))
    )


def _brought(name: str, path: Path) -> Param:
    return Param(Bound(Variable((LINES, name)), ListOf(as_it_is), path), "text[]")


def _of_line(
    context: Context,
    source: Everything,
    alias: str,
    arguments: Mapping[str, Tree],
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    match nodes[0].name.value:
        case "__typename":
            return Const(source.target)
        case "id":
            kind = Operation(Ref(alias, "kind"), "||", Const(":"))
            return Operation(kind, "||", Ref(alias, "key"))
        case "at":
            return Cast(Ref(alias, "at"), "timestamptz")
        case "node" | "mergedInto" as name:
            kinds = kinds_of(context, source, arguments)
            entities = {kind: context.entity(kind) for kind in kinds}
            if name == "mergedInto":
                return merged_into(context, entities, alias)
            return chosen(context, entities, alias, nodes, path)
        case name:
            return Ref(alias, name)


def kinds_of(
    context: Context, source: Everything | Since, arguments: Mapping[str, Tree]
) -> Sequence[str]:
    """The entities that lines can be about."""
    kinds = set(source.tables.values())
    for name, look in (("ids", Look.KINDS), ("types", Look.VALUE)):
        given = leaf(arguments.get(name))
        if given is not None:
            asked = context.lookout.ask(look, given)
            assert isinstance(asked, tuple)
            kinds &= set(asked) if look is Look.KINDS else {_called(each) for each in asked}
    if not kinds:
        raise FieldRefused(Code.BAD_USER_INPUT, "No record is among these `ids` and `types`.")
    return sorted(kinds)


def _called(type_: object) -> str:
    """The entity of a value of the enum of types."""
    wanted = str(type_)
    return wanted[0].upper() + wanted[1:]
