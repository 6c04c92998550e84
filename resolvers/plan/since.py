"""What has changed since a place in the change log, as records to keep and records to forget.

The function finds the place to go on from and which records to tell of; each is read by its kind,
in the same statement. What is not there any more is told by its id alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql.language import FieldNode

from db.change_log import place_of
from db.errors import UnknownPlace
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
    all_of,
)
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Argument, Entity, Since, ToOne
from resolvers.plan.changes import kinds_of
from resolvers.plan.context import Bound, Context, ListOf, PageSize, Path, as_it_is, leaf
from resolvers.plan.references import chosen, merged_into
from resolvers.plan.values import Leaf, Literal, Tree


def since(
    context: Context,
    source: Since,
    arguments: Mapping[str, Tree],
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    """The object of a page of changes."""
    alias = context.alias()
    among = {
        argument: said
        for argument in source.among
        if (said := leaf(arguments.get(argument.name))) is not None
    }
    for argument, said in among.items():
        assert argument.scalar is not None
        # Also where nobody asks for records.
        context.checks.append(Bound(said, argument.scalar.read, path))
    kinds = _kinds(context, source, arguments, [argument.name for argument in among])
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
                    records = _Records(context, source, kinds, among, alias, path)
                    part = records.select(inner, (*path, key), kept=name == "upserts")
        columns.append((context.name(key), part))
    tables = {kind: table for table, kind in source.tables.items()}
    given = (
        _place(leaf(arguments.get("since")), path),
        _texts(tuple(tables[kind] for kind in kinds), path),
        _texts(tuple(kinds), path),
        Param(Bound(size, PageSize(context.graph.limits.page), path), "int4"),
    )
    return Row(Select(tuple(columns), Function(source.function.name, given, alias)))


def _kinds(
    context: Context, source: Since, arguments: Mapping[str, Tree], among: Sequence[str]
) -> Sequence[str]:
    """The entities that records are of; those that have all fields by which they are looked for."""
    kinds = kinds_of(context, source, {"types": arguments.get("types")})
    for name in among:
        strangers = [kind for kind in kinds if _column(context.entity(kind), name) is None]
        if strangers and arguments.get("types") is not None:
            type_ = source.types[strangers[0]]
            message = f"A record of type {type_} has no `{name}` of its own; ask for it without."
            raise FieldRefused(Code.BAD_USER_INPUT, message)
        kinds = [kind for kind in kinds if kind not in strangers]
    return kinds


def _column(entity: Entity, name: str) -> str | None:
    """The column of an entity's own table that leads where the field does."""
    field = entity.fields.get(name)
    return field.join[0].local if isinstance(field, ToOne) and len(field.join) == 1 else None


@dataclass(frozen=True, slots=True)
class _Records:
    """The records of a page."""

    context: Context
    source: Since
    kinds: Sequence[str]
    among: Mapping[Argument, Leaf]
    page: str
    path: Path

    def select(self, nodes: Sequence[FieldNode], path: Path, *, kept: bool) -> Expression:
        """Those that are to be kept, or those that are to be forgotten."""
        alias = self.context.alias()
        there = Test(self._there(alias), "is true" if kept else "is not true")
        target = "Upsert" if kept else "Tombstone"
        columns = [
            (self.context.name(key), self._field(target, alias, inner, (*path, key)))
            for key, inner in self.context.below(target, nodes).items()
        ]
        told = Unnest((Ref(self.page, "kind"), Ref(self.page, "key")), alias, ("kind", "key", "n"))
        return Rows(Select(tuple(columns), told, where=there, order=(Order(Ref(alias, "n")),)))

    def _field(self, target: str, alias: str, nodes: Sequence[FieldNode], path: Path) -> Expression:
        match nodes[0].name.value:
            case "__typename":
                return Const(target)
            case "id":
                kind = Operation(Ref(alias, "kind"), "||", Const(":"))
                return Operation(kind, "||", Ref(alias, "key"))
            case "type":
                types = tuple((Const(kind), Const(self.source.types[kind])) for kind in self.kinds)
                return Switch(Ref(alias, "kind"), types)
            case "mergedInto":
                return merged_into(self.context, self._entities(), alias)
            case _:
                return chosen(self.context, self._entities(), alias, nodes, path)

    def _entities(self) -> Mapping[str, Entity]:
        return {kind: self.context.entity(kind) for kind in self.kinds}

    def _there(self, alias: str) -> Expression:
        """Whether there is a record of this kind and key, where it is asked for."""
        branches = []
        for kind in self.kinds:
            entity, far = self.context.entity(kind), self.context.alias()
            column = entity.table.key
            where = [Operation(Ref(far, column.name), "=", Cast(Ref(alias, "key"), column.type))]
            for argument, given in self.among.items():
                local = _column(entity, argument.name)
                assert local is not None
                assert argument.scalar is not None
                value = self.context.param(given, argument.scalar, self.path)
                where.append(Operation(Ref(far, local), "=", value))
            row = Select((), From(entity.table.name, far), where=all_of(where))
            branches.append((Const(kind), Exists(row)))
        return Switch(Ref(alias, "kind"), tuple(branches))


def _place(given: object, path: Path) -> Expression:
    if given is None:
        return Cast(Const(None), "text")
    return Param(Bound(given, _cursor, path), "text")  # type: ignore[arg-type]  # a leaf


def _cursor(value: object) -> object:
    try:
        place_of(str(value))
    except UnknownPlace as error:
        raise FieldRefused(Code.BAD_CURSOR, "This is not a cursor of this directory.") from error
    return value


def _texts(words: tuple[str, ...], path: Path) -> Param:
    return Param(Bound(Literal(words), ListOf(as_it_is), path), "text[]")
