"""The root fields about the change log: where each comes from, and what clients see of it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum

from resolvers import graph
from schema.entity import ID, DeclarationError, Derived, Events, Everything, Since, descriptions
from schema.shapes import (
    ArgumentShape,
    Entity,
    FieldShape,
    Shape,
    Shapes,
    camel,
    listed,
    read_field,
    shout,
    unwrap,
)

# What whoever follows has to read of the change log: that something happened, not what was before.
LOG = "changes"
LOG_COLUMNS = ("xid", "seq", "at", "entity", "key", "operation")


class ChangeOperation(Enum):
    """What has happened to a record."""

    INSERT = "INSERT"
    """It was added."""
    UPDATE = "UPDATE"
    """It was changed."""
    DELETE = "DELETE"
    """It was removed."""


class EntityChange:
    """That something has happened to a record."""


class ChangesPage:
    """What has changed since a cursor. A page may be empty, and yet not the last."""


_AFTER = (
    "The cursor of the last event that was received: all that was missed since comes first. "
    "Over server-sent events `Last-Event-ID` says the same, and comes before it."
)

_MERGED_INTO = (
    "The id of the record that it was merged into, which answers to its id, too; null if it was "
    "not merged."
)

# A root field's place among arguments, and how they are taken.
_FieldArguments = Callable[[Shapes, Shape], dict[str, ArgumentShape]]
_Asked = Callable[[Shapes, Shape], tuple[graph.Argument, ...]]


def told(
    shapes: Shapes,
    menu: type,
    classes: Mapping[str, type],
    declared: Mapping[str, Entity],
    asked: _Asked,
    taken: _FieldArguments,
) -> tuple[dict[str, graph.Events | graph.Everything], dict[str, FieldShape]]:
    """The root fields of subscriptions, as the planner and as clients see them."""
    hints = typing.get_type_hints(menu, None, dict(classes))
    below = descriptions(menu)
    roots: dict[str, graph.Events | graph.Everything] = {}
    fields: dict[str, FieldShape] = {}
    after = {"after": ArgumentShape(shapes.optional(str), _AFTER)}
    for attribute, hint in hints.items():
        name = camel(attribute)
        text = below.get(attribute, "")
        word = getattr(menu, attribute)
        bare, _ = unwrap(hint)
        if isinstance(word, Events):
            made = Derived(word.function, (), word.arguments, word.check, False, False, False, None)
            shape = read_field(attribute, object, made, text)
            function = graph.Function(word.function, (), asked(shapes, shape), word.check)
            roots[name] = graph.Events(function, bare.__name__, frozenset(word.tables))
            given = taken(shapes, shape) | after
            fields[name] = FieldShape(shapes.required(bare.__name__), text, given)
        elif isinstance(word, Everything):
            roots[name] = _everything(shapes, declared)
            ids, types = shapes.optional(listed(ID)), shapes.list_of("EntityType")
            given = {
                "ids": ArgumentShape(ids, "Only these records, by their global ids; at most 100."),
                "types": ArgumentShape(types, "Only records of these types."),
            }
            fields[name] = FieldShape(shapes.required("EntityChange"), text, given | after)
        else:
            raise DeclarationError(f"{name} is no field of a subscription.")
    return roots, fields


def since_root(
    shapes: Shapes,
    name: str,
    word: Since,
    text: str,
    declared: Mapping[str, Entity],
    asked: _Asked,
    taken: _FieldArguments,
) -> tuple[graph.Since, FieldShape]:
    """The root field for those who keep a copy, as the planner and as clients see it."""
    tables, types = _recorded(shapes, declared)
    known = {
        "id": FieldShape(ID, "The global id of the record."),
        "type": FieldShape(shapes.required("EntityType"), "The type of the record."),
    }
    node = {"node": FieldShape(shapes.required("Node"), "The record as it is now.")}
    shapes.object_type("Upsert", "A record to be kept as it is now.", known | node)
    shapes.object_type(
        "Tombstone",
        "A record to be forgotten by whoever has it: it is not there any more, or not what was "
        "asked for.",
        known | {"mergedInto": FieldShape(shapes.optional(ID), _MERGED_INTO)},
    )
    upserts, tombstones = (listed(shapes.required(name)) for name in ("Upsert", "Tombstone"))
    shapes.object_type(
        ChangesPage.__name__,
        inspect.cleandoc(ChangesPage.__doc__ or ""),
        {
            "upserts": FieldShape(upserts, "What was added or changed, as it is now."),
            "tombstones": FieldShape(tombstones, "What is gone."),
            "cursor": FieldShape(str, "To go on from there with `since`."),
            "hasMore": FieldShape(bool, "Whether more has changed already."),
        },
    )
    given = {
        "since": ArgumentShape(
            shapes.optional(str),
            "The cursor of the last page, or of an event; if not given, nothing but the cursor of "
            "now is told.",
        ),
        "types": ArgumentShape(shapes.list_of("EntityType"), "Only records of these types."),
        "first": ArgumentShape(
            shapes.optional(int), "How many records, at most 100; 20 if not given."
        ),
    }
    made = Derived(word.function, (), word.arguments, None, False, False, False, None)
    shape = read_field(name, object, made, text)
    page = FieldShape(shapes.ref(ChangesPage.__name__), text, given | taken(shapes, shape))
    function = graph.Function(word.function, ())
    source = graph.Since(function, ChangesPage.__name__, tables, types, asked(shapes, shape))
    return source, page


def _recorded(
    shapes: Shapes, declared: Mapping[str, Entity]
) -> tuple[dict[str, str], dict[str, str]]:
    """The entities that the log is about, by their tables; and what clients call each."""
    recorded = [entity for entity in declared.values() if not entity.declaration.unrecorded]
    names = {entity.name[0].lower() + entity.name[1:]: entity for entity in recorded}
    shapes.enum_type(
        "EntityType",
        "A type of records that are followed.",
        {name: entity.description.partition("\n")[0] for name, entity in names.items()},
    )
    return (
        {entity.declaration.table: entity.name for entity in recorded},
        {entity.name: shout(name) for name, entity in names.items()},
    )


def _everything(shapes: Shapes, declared: Mapping[str, Entity]) -> graph.Everything:
    tables, types = _recorded(shapes, declared)
    shapes.declared_enum(ChangeOperation)
    shapes.object_type(
        "EntityChange",
        inspect.cleandoc(EntityChange.__doc__ or ""),
        {
            "cursor": FieldShape(
                str, "Its place among all changes, to go on from there with `after`."
            ),
            "operation": FieldShape(ChangeOperation, "What has happened."),
            "at": FieldShape(datetime, "When."),
            "id": FieldShape(ID, "The global id of the record."),
            "type": FieldShape(shapes.required("EntityType"), "The type of the record."),
            "node": FieldShape(
                shapes.ref("Node"),
                "The record as it is now; null if it is not there any more, or not public.",
            ),
            "mergedInto": FieldShape(shapes.optional(ID), _MERGED_INTO),
        },
    )
    return graph.Everything("EntityChange", tables, types)
