"""Selections become selects: the root of an operation, and the fields of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphql.language import FieldNode

from db.mapping import Join
from db.query import (
    Cast,
    Const,
    Expression,
    From,
    Function,
    Operation,
    Ref,
    Row,
    Rows,
    Select,
    Selects,
    Test,
    all_of,
)
from resolvers.errors import Code, FieldRefused
from resolvers.graph import (
    Asker,
    ById,
    ByIds,
    Computed,
    Derived,
    Differing,
    Entities,
    Entity,
    Every,
    Field,
    Id,
    Known,
    Leaf,
    Localized,
    Made,
    One,
    Part,
    Past,
    Ranked,
    Since,
    ToMany,
    ToOne,
    Wording,
)
from resolvers.plan.context import Columns, Context, Path, leaf
from resolvers.plan.entities import entities
from resolvers.plan.functions import passed, value
from resolvers.plan.history import ENTRY, differing, history
from resolvers.plan.introspection import weigh
from resolvers.plan.orders import declared_order, order
from resolvers.plan.pages import connection, plain_list
from resolvers.plan.ranked import ranked
from resolvers.plan.references import by_id, by_ids, meant
from resolvers.plan.relations import far_key, reach_many, reach_one, stub
from resolvers.plan.selections import Fields
from resolvers.plan.since import since
from resolvers.plan.texts import language_of, text, wording
from resolvers.plan.values import Tree


def root(context: Context, fields: Fields) -> Select:
    """The select that answers a whole operation."""
    columns: list[tuple[str | None, Expression]] = []
    for key, nodes in fields.items():
        name = nodes[0].name.value
        if name in ("__schema", "__type"):
            # graphql-core knows, and nobody else does. It takes its time, row by row.
            context.need_python()
            about = "__Schema" if name == "__schema" else "__Type"
            context.weights.extend(weigh(context, about, context.below(about, nodes)))
            continue
        if isinstance(context.graph.roots.get(name), Known | Asker):
            context.need_python()
            # Of who asks, what is known of them is nobody else's to be told.
            context.private |= isinstance(context.graph.roots[name], Asker)
            continue
        column = context.name(key)
        if name == "__typename":
            columns.append((column, Const("Query")))
            continue
        try:
            if (key,) in context.refused:
                continue
            columns.append((column, _root_field(context, name, nodes, (key,))))
        except FieldRefused as error:
            context.refuse((key,), error)
    return Select(tuple(columns))


def _root_field(context: Context, name: str, nodes: Sequence[FieldNode], path: Path) -> Expression:
    source = context.graph.roots[name]
    arguments = context.arguments("Query", nodes[0])
    match source:
        case One(entity_name, argument, column):
            entity = context.entity(entity_name)
            given = leaf(arguments[argument])
            assert given is not None
            alias = context.alias()
            asked = context.param(given, column.scalar, path)
            now = meant(context, entity, column.column, asked)
            where = Operation(Ref(alias, column.column.name), "=", now)
            inner = context.columns(context, entity, alias, context.below(entity.name, nodes), path)
            return Row(Select(inner, From(entity.table.name, alias), where=where))
        case Every(entity_name):
            entity = context.entity(entity_name)
            below = context.below(f"{entity.name}Connection", nodes)
            return connection(context, entity, lambda alias: None, arguments, below, path)
        case ById():
            return by_id(context, arguments, nodes, path)
        case ByIds():
            return by_ids(context, arguments, nodes, path)
        case Entities():
            return entities(context, source, arguments, nodes, path)
        case Ranked():
            below = context.below(f"{source.hit}Connection", nodes)
            return ranked(context, source, arguments, below, path)
        case Since():
            return since(context, source, arguments, nodes, path)
        case Derived():
            return value(context, source, "", arguments, path)
        case Made():
            return _made(context, source, "", arguments, nodes, path)
        case Known() | Asker():
            raise AssertionError("what graphql-core knows has no column")


def columns(context: Context, entity: Entity, alias: str, fields: Fields, path: Path) -> Columns:
    """The fields of the row of `entity` at `alias`."""
    made: dict[str | None, Expression] = {}
    for key, nodes in fields.items():
        here = (*path, key)
        name = nodes[0].name.value
        column = context.name(key)
        if name == "__typename":
            made[column] = Const(entity.name)
            continue
        field = entity.fields[name]
        if isinstance(field, Computed):
            # What Python needs, under names that no response key can have.
            context.need_python()
            for needed in field.columns.values():
                made["." + needed.column.name] = Ref(alias, needed.column.name)
            continue
        if here in context.refused:
            continue
        try:
            made[column] = _field(context, entity, alias, field, nodes, here)
        except FieldRefused as error:
            context.refuse(here, error)
    return tuple(made.items())


def _field(
    context: Context,
    entity: Entity,
    alias: str,
    field: Field,
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    match field:
        case Leaf():
            return value(context, field, alias)
        case Derived():
            return value(context, field, alias, context.arguments(entity.name, nodes[0]), path)
        case Made():
            arguments = context.arguments(entity.name, nodes[0])
            return _made(context, field, alias, arguments, nodes, path)
        case Part(target_name):
            below = context.below(target_name, nodes)
            return Row(
                Select(context.columns(context, context.entity(target_name), alias, below, path))
            )
        case Id(column, _):
            key = Cast(Ref(alias, column.name), "text")
            return Operation(Const(f"{entity.name}:"), "||", key)
        case Localized():
            language = language_of(context, context.arguments(entity.name, nodes[0]))
            return text(context, field, alias, language)
        case Wording(of, target_name):
            language = language_of(context, context.arguments(entity.name, nodes[0]))
            said, far = wording(context, of, alias, language), context.alias()
            target, below = context.entity(target_name), context.below(target_name, nodes)
            inner = context.columns(context, target, far, below, path)
            return Row(Select(inner, Selects((said,), far)))
        case ToOne():
            return _to_one(context, entity, alias, field, nodes, path)
        case ToMany(join, target_name, paged):
            target = _behind(context.entity(target_name), join)

            def scope(far: str) -> Expression:
                return reach_many(context, join, alias, far)

            if not paged:
                below = context.below(target.name, nodes)
                return plain_list(context, target, scope, below, path)
            arguments = context.arguments(entity.name, nodes[0])
            below = context.below(f"{target.name}Connection", nodes)
            return connection(context, target, scope, arguments, below, path)
        case Past():
            below = context.below(f"{ENTRY}Connection", nodes)
            arguments = context.arguments(entity.name, nodes[0])
            return history(context, entity, alias, arguments, below, path)
        case Differing(target_name):
            seen = Ref(context.outcome, "version")
            return differing(context, context.entity(target_name), alias, seen, nodes, path)
        case Computed():
            raise AssertionError("computed fields have no column of their own")


def _behind(entity: Entity, join: Join) -> Entity:
    """The entity as a relation shows it: its last hop may lead to a view of the entity's table."""
    return replace(entity, table=replace(entity.table, name=join[-1].table))


def _made(
    context: Context,
    field: Made,
    alias: str,
    arguments: Mapping[str, Tree],
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    """The object or the objects that a function returns."""
    target = context.entity(field.target)
    far = context.alias()
    source = Function(
        field.function.name, passed(context, field.function, alias, arguments, path), far
    )
    below = context.below(target.name, nodes)
    if not field.many:
        return Row(Select(context.columns(context, target, far, below, path), source))
    with context.rows(context.graph.limits.default_page):
        columns = context.columns(context, target, far, below, path)
    return Rows(
        Select(
            columns,
            source,
            order=order(declared_order(target), far),
            limit=Const(context.graph.limits.page),
        )
    )


def _to_one(
    context: Context,
    entity: Entity,
    alias: str,
    field: ToOne,
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    target = context.entity(field.target)
    far = context.alias()
    if target.foreign and field.join[-1].remote == target.table.key.name:
        key = far_key(context, field.join, alias)
        below = context.below(target.name, nodes)
        inner = context.columns(context, target, far, below, path)
        there = Test(Ref(far, target.table.key.name), "is not null")
        return Row(Select(inner, stub(target.table.key, key, far), where=there))
    where: list[Expression] = [reach_one(context, field.join, alias, far)]
    if field.given:
        arguments = context.arguments(entity.name, nodes[0])
        for name, given in field.given.items():
            chosen = leaf(arguments.get(name))
            if chosen is None:
                raise FieldRefused(Code.BAD_USER_INPUT, f"`{name}` may not be null.")
            where.append(
                Operation(
                    Ref(far, given.column.name), "=", context.param(chosen, given.scalar, path)
                )
            )
    inner = context.columns(context, target, far, context.below(target.name, nodes), path)
    return Row(Select(inner, From(field.join[-1].table, far), where=all_of(where)))
