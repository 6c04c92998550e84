"""`node` and `nodes`: entities of several kinds, each read by its own select.

Rows of several kinds have no record type in common, so each becomes finished JSON by itself. Which
kinds there are is read off the ids while planning: a plan asks only the tables it has to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql.language import FieldNode

from db.mapping import Column
from db.query import (
    And,
    AnyOf,
    Call,
    Cast,
    Const,
    Exists,
    Expression,
    From,
    Joined,
    Json,
    Operation,
    Order,
    Param,
    Ref,
    Select,
    Switch,
    Unnest,
    Value,
    Values,
)
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Entity, Id
from resolvers.plan.context import Bound, Columns, Context, KeyOf, ListOf, Path, leaf
from resolvers.plan.relations import stub
from resolvers.plan.values import Items, Look, Tree

# Where the concrete type of an object is told to the second road.
TYPE = ".type"

# What is read of a table of aliases.
ALIAS = ("entity", "name", "value", "key")


@dataclass(frozen=True, slots=True)
class KindOf:
    """Reads the type's name from a global id."""

    known: frozenset[str]

    def __call__(self, value: object) -> str:
        kind, colon, _ = str(value).partition(":")
        if not colon or kind not in self.known:
            raise FieldRefused(Code.BAD_ID, "This is not an id of this directory.")
        return kind


@dataclass(frozen=True, slots=True)
class AnyKey:
    """Reads the key from a global id of any known type, checked as that type's, as text."""

    readers: tuple[tuple[str, KeyOf], ...]

    def __call__(self, value: object) -> str:
        kind = KindOf(frozenset(name for name, _ in self.readers))(value)
        return str(dict(self.readers)[kind](value))


def by_id(
    context: Context, arguments: Mapping[str, Tree], nodes: Sequence[FieldNode], path: Path
) -> Expression:
    """The object of `node(id:)`."""
    value = leaf(arguments["id"])
    assert value is not None
    (kind,) = _kinds(context, [value])
    entity = context.graph.entities.get(kind)
    if entity is None:
        raise FieldRefused(Code.BAD_ID, "This is not an id of this directory.")
    key = _id(entity)
    read = KeyOf(entity.name, key.scalar.read)
    given = Param(Bound(value, read, path), key.scalar.postgres)
    now = meant(context, entity, key.column, given)
    return Json(named(context, entity, key.column, now, nodes, path, known=False))


def by_ids(
    context: Context, arguments: Mapping[str, Tree], nodes: Sequence[FieldNode], path: Path
) -> Expression:
    """The list of `nodes(ids:)`: in the order asked, null for what is not there."""
    ids = leaf(arguments["ids"])
    assert ids is not None
    leaves = list(ids.items) if isinstance(ids, Items) else [ids]
    kinds = _kinds(context, leaves)
    unknown = [kind for kind in kinds if kind not in context.graph.entities]
    if unknown:
        raise FieldRefused(Code.BAD_ID, "This is not an id of this directory.")
    entities = [context.entity(kind) for kind in kinds]
    readers = tuple(
        (entity.name, KeyOf(entity.name, _id(entity).scalar.read)) for entity in entities
    )
    limit = context.graph.limits.page
    kind_param = Bound(ids, ListOf(KindOf(frozenset(kinds)), limit), path)
    key_param = Bound(ids, ListOf(AnyKey(readers), limit), path)
    alias = context.alias()
    source = Unnest(
        (Param(kind_param, "text[]"), Param(key_param, "text[]")), alias, ("kind", "key", "n")
    )
    with context.rows(context.graph.limits.default_page):
        of_kind = {entity.name: entity for entity in entities}
        object_ = chosen(context, of_kind, alias, nodes, path, sent=Param(key_param, "text[]"))
    return Values(Select(((None, object_),), source, order=(Order(Ref(alias, "n")),)))


def _kinds(context: Context, leaves: Sequence[object]) -> list[str]:
    kinds: set[str] = set()
    for item in leaves:
        answer = context.lookout.ask(Look.KINDS, item)  # type: ignore[arg-type]  # leaves
        assert isinstance(answer, tuple)
        kinds.update(answer)
    return sorted(kinds)


def chosen(
    context: Context,
    kinds: Mapping[str, Entity],
    alias: str,
    nodes: Sequence[FieldNode],
    path: Path,
    *,
    sent: Expression | None = None,
) -> Expression:
    """The object whose kind and key are in the row at `alias`.

    Those of our own tables are known to be there. `sent` are the keys, if a client sends them.
    """
    known = sent is None
    branches = []
    for kind, entity in kinds.items():
        column = _id(entity).column
        given: Expression = Cast(Ref(alias, "key"), column.type)
        if not known:
            given = meant(context, entity, column, given, sent)
        found = named(context, entity, column, given, nodes, path, known=known)
        branches.append((Const(kind), Json(found)))
    return Switch(Ref(alias, "kind"), tuple(branches))


def meant(
    context: Context,
    entity: Entity,
    column: Column,
    value: Expression,
    among: Expression | None = None,
) -> Expression:
    """A value that clients know a record by, as it is now.

    That is another one if the record was merged into another. Of what we have from our own tables
    this need not be asked: nothing there leads to what was merged. Of many values `among` is the
    array, as text: where none of them is an alias, which is asked once, none is looked for.
    """
    key = entity.table.key
    if entity.aliases is None or (entity.foreign and column != key):
        return value
    alias = context.alias()
    now: Expression = Cast(Ref(alias, "key"), key.type)
    joins: tuple[Joined, ...] = ()
    if column != key:
        far = context.alias()
        joins = (Joined(From(entity.table.name, far), Operation(Ref(far, key.name), "=", now)),)
        now = Ref(far, column.name)
    text = value if column.type == "text" else Cast(value, "text")
    where = _called(entity, alias, column, Operation(Ref(alias, "value"), "=", text))
    if among is not None:
        any_ = context.alias()
        called = _called(entity, any_, column, AnyOf(Ref(any_, "value"), among))
        where = And((Exists(Select((), From(entity.aliases, any_), where=called)), where))
    found = Value(Select(((None, now),), From(entity.aliases, alias), joins, where))
    return Call("coalesce", (found, value))


def merged_into(context: Context, kinds: Mapping[str, Entity], row: str) -> Expression:
    """The id of the record that the one whose kind and key are in a row was merged into, if any."""
    branches: list[tuple[Expression, Expression]] = []
    for kind, entity in kinds.items():
        if entity.aliases is not None:
            alias = context.alias()
            same = Operation(Ref(alias, "value"), "=", Ref(row, "key"))
            where = _called(entity, alias, entity.table.key, same)
            id_ = Operation(Const(f"{kind}:"), "||", Ref(alias, "key"))
            found = Value(Select(((None, id_),), From(entity.aliases, alias), where=where))
            branches.append((Const(kind), found))
    return Switch(Ref(row, "kind"), tuple(branches)) if branches else Cast(Const(None), "text")


def _called(entity: Entity, alias: str, column: Column, value: Expression) -> And:
    """Whether a row of aliases is about what had such a value in this column."""
    return And(
        (
            Operation(Ref(alias, "entity"), "=", Const(entity.table.name)),
            Operation(Ref(alias, "name"), "=", Const(column.name)),
            value,
        )
    )


def named(
    context: Context,
    entity: Entity,
    column: Column,
    key: Expression,
    nodes: Sequence[FieldNode],
    path: Path,
    *,
    known: bool = True,
) -> Select:
    """The object whose unique column has this value.

    That of a foreign entity is not looked for if it is known to be there, as it is if the name
    comes from our own tables or from another subgraph. Of an id that a client sends nobody knows.
    """
    alias = context.alias()
    fields = context.below(entity.name, nodes)
    columns: Columns = context.columns(context, entity, alias, fields, path)
    if context.python:
        columns = (*columns, (TYPE, Const(entity.name)))
    if entity.foreign and known:
        return Select(columns, stub(column, key, alias))
    where = Operation(Ref(alias, column.name), "=", key)
    return Select(columns, From(entity.table.name, alias), where=where)


def _id(entity: Entity) -> Id:
    field = entity.fields["id"]
    assert isinstance(field, Id)
    return field
