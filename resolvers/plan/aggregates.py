"""`aggregate` and `groupBy`: numbers about rows instead of the rows.

One flat select counts and measures; an outer one gives its columns the names that were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from db.query import (
    Call,
    Cast,
    Const,
    Expression,
    From,
    Function,
    Joined,
    Operation,
    Order,
    Param,
    Ref,
    Row,
    Rows,
    Select,
    Selects,
)
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Derived, Entity, Leaf, Part, ToMany, ToOne
from resolvers.plan.context import Bound, Columns, Context, PageSize, Path
from resolvers.plan.context import leaf as as_leaf
from resolvers.plan.filters import listed
from resolvers.plan.functions import value
from resolvers.plan.relations import between, far_key
from resolvers.plan.selections import Fields
from resolvers.plan.values import Items, Literal, Look, Tree


class Measures:
    """The columns of the flat select, each made once however often it is asked for."""

    def __init__(self) -> None:
        self._names: dict[Expression, str] = {}

    def name(self, expression: Expression) -> str:
        """The column that holds this."""
        return self._names.setdefault(expression, f"c{len(self._names)}")

    def columns(self) -> Columns:
        """What to select."""
        return tuple((name, expression) for expression, name in self._names.items())


def aggregate(
    context: Context, entity: Entity, fields: Fields, rows: Select, alias: str
) -> Expression:
    """The object of an `aggregate` field over `rows`, a select without columns at `alias`."""
    measures = Measures()
    outer = context.alias()
    columns = _measured(context, entity, fields, alias, measures, outer)
    flat = replace(rows, columns=measures.columns() or (("c0", Call("count")),))
    return Row(Select(columns, Selects((flat,), outer)))


def groups(
    context: Context,
    entity: Entity,
    fields: Fields,
    arguments: Mapping[str, Tree],
    rows: Select,
    alias: str,
    path: Path,
) -> Expression:
    """The list of a `groupBy` field over `rows`, a select without columns at `alias`."""
    outer = context.alias()
    measures = Measures()
    chosen = _chosen(context, arguments["keys"])
    if not chosen:
        raise FieldRefused(Code.BAD_USER_INPUT, "Give at least one key to group by.")
    grouped: dict[str, str] = {}
    whole = rows.where in (None, listed(entity, alias))
    for name in chosen:
        key, joined = _group_key(context, entity.groups[name], alias, whole=whole)
        grouped[name] = measures.name(key)
        rows = replace(rows, joins=(*rows.joins, *joined))
    count = measures.name(Call("count"))
    size = as_leaf(arguments.get("first")) or Literal(context.graph.limits.default_page)
    with context.rows(size):
        columns = _group(context, entity, fields, alias, measures, outer, grouped, path)
    limit = Param(Bound(size, PageSize(context.graph.limits.page), path), "int8")
    # Two keys can be one column: a foreign key, and the relation that follows it.
    ordinals = tuple(Const(number + 1) for number in range(len(set(grouped.values()))))
    if whole and any(_repeats(entity.groups[name]) for name in chosen):
        keys = frozenset(grouped.values())
        rows, made = _once(context, rows, Ref(alias, entity.table.key.name), measures, keys)
    else:
        made = measures.columns()
    flat = replace(rows, columns=made, group=ordinals)
    order = (
        Order(Ref(outer, count), descending=True),
        *(Order(Ref(outer, name)) for name in grouped.values()),
    )
    return Rows(Select(columns, Selects((flat,), outer), order=order, limit=limit))


def _repeats(field: Leaf | Derived | ToOne | ToMany) -> bool:
    """Whether a row can be led to the same group twice. A table between has each pair once."""
    return isinstance(field, ToMany) and len(field.join) > 2


def _once(
    context: Context, rows: Select, key: Expression, measures: Measures, keys: frozenset[str]
) -> tuple[Select, Columns]:
    """Rows that are in each of their groups once, and what was to be measured, of them."""
    alias = context.alias()
    needed = Measures()
    needed.name(key)

    def moved(expression: Expression) -> Expression:
        match expression:
            case Cast(operand, type_):
                return Cast(moved(operand), type_)
            case Call(function, (operand,)):
                return Call(function, (Ref(alias, needed.name(operand)),))
            case _:
                return expression

    columns = tuple(
        (name, Ref(alias, needed.name(expression)) if name in keys else moved(expression))
        for name, expression in measures.columns()
    )
    inner = needed.columns()
    ordinals = tuple(Const(number + 1) for number in range(len(inner)))
    source = Selects((replace(rows, columns=inner, group=ordinals),), alias)
    return Select((), source), columns


def _group(
    context: Context,
    entity: Entity,
    fields: Fields,
    alias: str,
    measures: Measures,
    outer: str,
    grouped: Mapping[str, str],
    path: Path,
) -> Columns:
    columns: list[tuple[str | None, Expression]] = []
    for key, nodes in fields.items():
        made: Expression
        match nodes[0].name.value:
            case "__typename":
                made = Const(f"{entity.name}Group")
            case "key":
                inner = context.below(f"{entity.name}GroupKey", nodes)
                made = Row(Select(_key(context, entity, inner, grouped, outer, (*path, key))))
            case "count":
                made = Ref(outer, measures.name(Call("count")))
            case _:
                inner = context.below(f"{entity.name}Aggregate", nodes)
                made = Row(Select(_measured(context, entity, inner, alias, measures, outer)))
        columns.append((context.name(key), made))
    return tuple(columns)


def _key(
    context: Context,
    entity: Entity,
    fields: Fields,
    grouped: Mapping[str, str],
    outer: str,
    path: Path,
) -> Columns:
    """What the rows of a group have in common; null where they were not grouped by it."""
    columns: list[tuple[str | None, Expression]] = []
    for key, nodes in fields.items():
        name = nodes[0].name.value
        made: Expression
        if name == "__typename":
            made = Const(f"{entity.name}GroupKey")
        elif name not in grouped:
            made = Const(None)
        else:
            made = Ref(outer, grouped[name])
            field = entity.groups[name]
            if isinstance(field, ToOne | ToMany):
                target = context.entity(field.target)
                far = context.alias()
                inner = context.below(target.name, nodes)
                where = Operation(Ref(far, field.join[-1].remote), "=", made)
                source = From(target.table.name, far)
                parts = context.columns(context, target, far, inner, (*path, key))
                made = Row(Select(parts, source, where=where))
        columns.append((context.name(key), made))
    return tuple(columns)


def _measured(
    context: Context,
    entity: Entity,
    fields: Fields,
    alias: str,
    measures: Measures,
    outer: str,
) -> Columns:
    columns: list[tuple[str | None, Expression]] = []
    for key, nodes in fields.items():
        name = nodes[0].name.value
        made: Expression
        if name == "__typename":
            made = Const(f"{entity.name}Aggregate")
        elif name == "count":
            made = Ref(outer, measures.name(Call("count")))
        elif isinstance(field := entity.fields[name], Part):
            part_of = context.entity(field.target)
            inner = context.below(f"{part_of.name}Aggregate", nodes)
            made = Row(Select(_measured(context, part_of, inner, alias, measures, outer)))
        else:
            assert isinstance(field, Leaf | Derived)
            operand = value(context, field, alias)
            statistics = context.statistics(entity.name, name)
            parts: list[tuple[str | None, Expression]] = []
            for part, part_nodes in context.below(statistics, nodes).items():
                function = part_nodes[0].name.value
                measured: Expression
                if function == "__typename":
                    measured = Const(statistics)
                else:
                    measured = Call(function, (operand,))
                    if function in ("avg", "sum"):
                        measured = Cast(measured, "float8")
                    measured = Ref(outer, measures.name(measured))
                parts.append((context.name(part), measured))
            made = Row(Select(tuple(parts)))
        columns.append((context.name(key), made))
    return tuple(columns)


def _group_key(
    context: Context, field: Leaf | Derived | ToOne | ToMany, alias: str, *, whole: bool
) -> tuple[Expression, tuple[Joined, ...]]:
    """What a row is grouped by; and, where that can be several values, where they come from.

    The values of a few rows are looked up row by row: grouping them keeps Postgres from reading the
    tables between from end to end. Those of a whole table are read like that, since it is faster.
    """
    if isinstance(field, ToOne):
        return far_key(context, field.join, alias), ()
    if isinstance(field, ToMany):
        before = between(context, field.join, alias)
        assert before is not None, "a row is grouped by what a table between leads to"
        rows, last = before
        far = context.alias()
        column = (("value", Ref(last, field.join[-1].local)),)
        once = () if whole else (Const(1),)
        source = Selects((replace(rows, columns=column, group=once),), far)
        return Ref(far, "value"), (Joined(source, Const(True), left=True),)
    operand = value(context, field, alias)
    if not field.column.array:
        return operand, ()
    far = context.alias()
    items = Function("unnest", (operand,), far, "value")
    return Ref(far, "value"), (Joined(items, Const(True), left=True),)


def _chosen(context: Context, tree: Tree) -> tuple[str, ...]:
    """The fields named by `keys`, each once, in the order given."""
    given = as_leaf(tree)
    if given is None:
        return ()
    leaves = given.items if isinstance(given, Items) else (given,)
    names: dict[str, None] = {}
    for item in leaves:
        value = context.lookout.ask(Look.VALUE, item)
        names.update(dict.fromkeys(value if isinstance(value, tuple) else (str(value),)))
    return tuple(names)
