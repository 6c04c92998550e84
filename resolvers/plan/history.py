"""What a record said before, from the change log: newest first, field by field.

Each line has the row as it was before it; how it was after it, the next line about the record has,
or the record itself. What differs is told by the names of fields, of those that the asker's graph
has; a column without a field is nobody's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql.language import FieldNode

from db.change_log import TABLE as LOG
from db.mapping import Column, Sort, Table
from db.query import (
    Call,
    Cast,
    Const,
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
    Value,
    all_of,
)
from resolvers.graph import Entity, Leaf, Localized, Part, ToOne
from resolvers.plan.context import Bound, Columns, Context, ListOf, Path, as_it_is
from resolvers.plan.pages import Listing
from resolvers.plan.selections import Fields
from resolvers.plan.values import Literal, Tree

__all__ = ["DIFFERENCE", "ENTRY", "LOG", "READ", "SAID", "VERSION", "differing", "history"]

ENTRY = "HistoryEntry"
DIFFERENCE = "FieldDifference"
READ = ("at", "operation", "actor", "role", "request", "why", "old", "entity", "key", "seq")
"""The columns of the log that are read here."""
VERSION = "version_of"
"""The function that knows a version of a record by its number."""
SAID = ("xid", "seq", "entity", "key", "old")
"""The columns of the log that it reads: what was said, and neither by whom nor why."""

NULL = Cast(Const(None), "int4")
_SEQ = Column("seq", "int8")
_LINES = Entity(ENTRY, Table(LOG, _SEQ, (Sort(_SEQ, descending=True),)), {})


def history(
    context: Context,
    entity: Entity,
    alias: str,
    arguments: Mapping[str, Tree],
    fields: Fields,
    path: Path,
) -> Expression:
    """The object of a connection over the lines about the record at an alias."""

    def scope(line: str) -> Expression | None:
        return _about(entity, alias, line)

    listing = _Lines(context, _LINES, scope, arguments, path)
    listing.record = entity
    listing.at = alias
    return Row(listing.select(fields))


class _Lines(Listing):
    record: Entity
    at: str

    def nodes(
        self, nodes: Sequence[FieldNode], path: Path, source: str, shared: bool
    ) -> Expression:
        """The lines of a page."""
        return self._list(lambda alias: self._line(nodes, alias, path), source, shared)

    def node(self, nodes: Sequence[FieldNode], alias: str, path: Path) -> Expression:
        """One line."""
        return Row(Select(self._line(nodes, alias, path)))

    def _line(self, nodes: Sequence[FieldNode], alias: str, path: Path) -> Columns:
        columns: list[tuple[str | None, Expression]] = []
        for key, inner in self.context.below(ENTRY, nodes).items():
            match inner[0].name.value:
                case "__typename":
                    part: Expression = Const(ENTRY)
                case "differences":
                    part = self._differences(inner, alias, (*path, key))
                case "version":
                    present = Ref(self.at, "version") if "version" in self.record.fields else NULL
                    after = (Ref(alias, "operation"), Value(self._following(alias)), present)
                    part = Call("version_after", after)
                case name:
                    part = Ref(alias, name)
            columns.append((self.context.name(key), part))
        return tuple(columns)

    def _differences(self, nodes: Sequence[FieldNode], alias: str, path: Path) -> Expression:
        before = (Ref(alias, "operation"), Ref(alias, "old"), Value(self._following(alias)))
        return _differences(self.context, self.record, self.at, before, nodes, path)

    def _following(self, alias: str) -> Select:
        """The row before the next line about the record."""
        following = self.context.alias()
        later = Operation(Ref(following, "seq"), ">", Ref(alias, "seq"))
        return Select(
            ((None, Ref(following, "old")),),
            From(LOG, following),
            where=all_of([_about(self.record, self.at, following), later]),
            order=(Order(Ref(following, "seq")),),
            limit=Const(1),
        )


def differing(
    context: Context,
    entity: Entity,
    alias: str,
    version: Expression,
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    """How the record at an alias differs from a version of it."""
    key = Cast(Ref(alias, entity.table.key.name), "text")
    old = Call(VERSION, (Const(entity.table.name), key, version))
    before = (Const("UPDATE"), old, Cast(Const(None), "jsonb"))
    return _differences(context, entity, alias, before, nodes, path)


def _differences(
    context: Context,
    entity: Entity,
    at: str,
    before: tuple[Expression, ...],
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    """The fields that differ between the row in a line of the log and what came after it."""
    told = list(_told(context, entity))
    made = context.alias()
    given: tuple[Expression, ...] = (
        *before,
        Call("jsonb_build_array", tuple(Ref(at, each.column) for each in told)),
        *(
            Param(Bound(Literal(words), ListOf(as_it_is), path), "text[]")
            for words in (
                tuple(each.column for each in told),
                tuple(each.field for each in told),
                tuple(each.language for each in told),
                tuple(each.form for each in told),
            )
        ),
    )
    columns: list[tuple[str | None, Expression]] = []
    for key, inner in context.below(DIFFERENCE, nodes).items():
        match inner[0].name.value:
            case "__typename":
                part: Expression = Const(DIFFERENCE)
            case "old" | "new" as name:
                part = Ref(made, f"{name}_value")
            case name:
                part = Ref(made, name)
        columns.append((context.name(key), part))
    with context.rows(context.graph.limits.default_page):
        pass  # a short list, of which each item is a row
    return Rows(Select(tuple(columns), Function("differences", given, made)))


@dataclass(frozen=True, slots=True)
class _Told:
    """A column, the field that tells it, and how."""

    column: str
    field: str
    language: str = ""
    form: str = ""


def _told(context: Context, entity: Entity, before: str = "") -> Iterator[_Told]:
    """The columns that fields of an entity tell, each by the first that does."""
    seen: set[str] = set()
    for each in _fields(context, entity, before):
        if each.column not in seen:
            seen.add(each.column)
            yield each


def _fields(context: Context, entity: Entity, before: str) -> Iterator[_Told]:
    for name, field in entity.fields.items():
        called = before + name
        match field:
            case Leaf(column, _) if column.name in ("version", "updated_at"):
                pass  # by which every change differs
            case Leaf(column, _):
                form = column.type if column.type == "timestamptz" and not column.array else ""
                yield _Told(column.name, called, form=form)
            case Localized(columns, _):
                for language, column in columns.items():
                    yield _Told(column.name, called, language)
            case ToOne((hop,), target_name):
                target = context.entity(target_name)
                key = target.table.key.name
                if hop.remote == key and hop.local != entity.table.key.name:
                    yield _Told(hop.local, called, form=f"{target_name}:")
            case Part(target_name):
                yield from _fields(context, context.entity(target_name), f"{called}.")
            case _:
                pass  # worked out of other fields, or told by other records


def _about(entity: Entity, record: str, line: str) -> Expression | None:
    """That a line is about the record."""
    key = Cast(Ref(record, entity.table.key.name), "text")
    return all_of(
        [
            Operation(Ref(line, "entity"), "=", Const(entity.table.name)),
            Operation(Ref(line, "key"), "=", key),
        ]
    )
