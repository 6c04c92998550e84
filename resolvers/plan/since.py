"""What has changed since a place in the change log, as records to keep and records to forget.

The function finds the place to go on from and which records to tell of; each is read by its kind,
in the same statement. What is not there any more is told by its id alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphql.language import FieldNode

from db.change_log import CursorUnknown, place_of
from db.query import (
    Cast,
    Const,
    Exists,
    Expression,
    From,
    Function,
    Operation,
    Order,
    Param,
    Ref,
    Row,
    Rows,
    Select,
    Switch,
    Test,
    Unnest,
)
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Entity, Since
from resolvers.plan.changes import kinds_of
from resolvers.plan.context import Bound, Context, ListOf, PageSize, Path, leaf
from resolvers.plan.references import chosen
from resolvers.plan.values import Literal, Tree


def since(
    context: Context,
    source: Since,
    arguments: Mapping[str, Tree],
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    """The object of a page of changes."""
    alias = context.alias()
    kinds = kinds_of(context, source, {"types": arguments.get("types")})
    size = leaf(arguments.get("first")) or Literal(context.graph.limits.default_page)
    columns = []
    for key, inner in context.below(source.target, nodes).items():
        match inner[0].name.value:
            case "__typename":
                part: Expression = Const(source.target)
            case "cursor":
                part = Ref(alias, "cursor")
            case "hasMore":
                part = Ref(alias, "has_more")
            case name:
                with context.rows(size):
                    part = _records(context, source, kinds, alias, name, inner, (*path, key))
        columns.append((context.name(key), part))
    tables = {kind: table for table, kind in source.tables.items()}
    given = (
        _place(leaf(arguments.get("since")), path),
        _texts(tuple(tables[kind] for kind in kinds), path),
        _texts(tuple(kinds), path),
        Param(Bound(size, PageSize(context.graph.limits.page), path), "int4"),
    )
    return Row(Select(tuple(columns), Function(source.function.name, given, alias)))


def _records(
    context: Context,
    source: Since,
    kinds: Sequence[str],
    page: str,
    name: str,
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    """The records of a page that are there (`upserts`), or those that are not."""
    alias = context.alias()
    entities = {kind: context.entity(kind) for kind in kinds}
    there = _there(context, entities, alias)
    kept = name == "upserts"
    columns = []
    for key, inner in context.below("Upsert" if kept else "Tombstone", nodes).items():
        match inner[0].name.value:
            case "__typename":
                part: Expression = Const("Upsert" if kept else "Tombstone")
            case "id":
                kind = Operation(Ref(alias, "kind"), "||", Const(":"))
                part = Operation(kind, "||", Ref(alias, "key"))
            case "type":
                types = tuple((Const(kind), Const(source.types[kind])) for kind in kinds)
                part = Switch(Ref(alias, "kind"), types)
            case _:
                part = chosen(context, entities, alias, inner, (*path, key))
        columns.append((context.name(key), part))
    told = Unnest((Ref(page, "kind"), Ref(page, "key")), alias, ("kind", "key", "n"))
    where = Test(there, "is true" if kept else "is not true")
    return Rows(Select(tuple(columns), told, where=where, order=(Order(Ref(alias, "n")),)))


def _there(context: Context, entities: Mapping[str, Entity], alias: str) -> Expression:
    """Whether there is a record of this kind and key."""
    branches = []
    for kind, entity in entities.items():
        far, column = context.alias(), entity.table.key
        same = Operation(Ref(far, column.name), "=", Cast(Ref(alias, "key"), column.type))
        row = Select((), From(entity.table.name, far), where=same)
        branches.append((Const(kind), Exists(row)))
    return Switch(Ref(alias, "kind"), tuple(branches))


def _place(given: object, path: Path) -> Expression:
    if given is None:
        return Cast(Const(None), "text")
    return Param(Bound(given, _cursor, path), "text")  # type: ignore[arg-type]  # a leaf


def _cursor(value: object) -> object:
    try:
        place_of(str(value))
    except CursorUnknown as error:
        raise FieldRefused(Code.BAD_CURSOR, "This is not a cursor of this directory.") from error
    return value


def _texts(words: tuple[str, ...], path: Path) -> Param:
    return Param(Bound(Literal(words), ListOf(_as_it_is), path), "text[]")


def _as_it_is(value: object) -> object:
    return value
