"""What may be written of each kind of record: fields of inputs, and the columns that they fill.

Both are derived from the very declarations that are read by: a column is a field of an input, a
foreign key takes a global id, a part is an object, and what a record owns is written along with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from strawberry import ID, UNSET

from db import mapping
from resolvers import graph
from schema.entity import DeclarationError, Editing
from schema.scalars import id_of, scalar_of
from schema.shapes import Entity, FieldShape, Shape, Shapes, listed, one_of, words

VERSION_TEXT = "The `version` that you saw: if there is another by now, nothing is done."


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of an input, as clients see it: when a record is created, and when it is updated."""

    create: FieldShape
    update: FieldShape | None


class Inputs:
    """Makes the inputs of all that can be edited."""

    def __init__(
        self,
        shapes: Shapes,
        declared: Mapping[str, Entity],
        entities: Mapping[str, graph.Entity],
        editing: Mapping[str, Editing],
    ) -> None:
        self.shapes = shapes
        self.declared = declared
        self.entities = entities
        self.editing = editing
        self.written: dict[str, graph.Written] = {}
        self._fields: dict[str, dict[str, _Field]] = {}
        # By which columns records of a kind belong to others, if they do.
        self._owners: dict[str, set[str]] = {name: set() for name in editing}
        for name, word in editing.items():
            for relation in word.owned:
                child, column = self._owned(name, relation)
                self._owners[child].add(column)
        for name in editing:
            self.written[name], self._fields[name] = self._written(name)
        shapes.input_type(
            "Archival",
            "A record that is taken out of the directory. History keeps it, and can bring it back.",
            self.which(),
        )
        for name, word in editing.items():
            self._rows(name, word)

    def which(self) -> dict[str, FieldShape]:
        """Which record is meant, and which version of it."""
        version = FieldShape(self.shapes.optional(int), VERSION_TEXT)
        return {"id": FieldShape(ID, "The record."), "ifVersion": version}

    def creation(self, name: str, *, below: bool = False) -> dict[str, FieldShape]:
        """What is said of a new record, by itself or `below` what it belongs to."""
        found = {
            field: made.create
            for field, made in self._fields[name].items()
            if not (below and self._leads_up(name, field))
        }
        for field, child, shape in self._children(name):
            rows = self.shapes.list_of(f"{self._below(child)}Creation")
            found[field] = FieldShape(rows, shape.description)
        return found

    def update(self, name: str, *, below: bool = False) -> dict[str, FieldShape]:
        """What may be changed of a record, by itself or `below` what it belongs to."""
        found = self.which()
        found |= {
            field: made.update
            for field, made in self._fields[name].items()
            if made.update is not None and not (below and self._leads_up(name, field))
        }
        for field, child, shape in self._children(name):
            found[field] = FieldShape(self._children_input(child), shape.description)
        return found

    def appended(self, name: str, field: str) -> bool:
        """Whether a field holds records that are only ever added to."""
        owned = self.written[name].fields.get(field)
        return isinstance(owned, graph.Owned) and self.editing[owned.written].appended

    # The fields

    def _owned(self, name: str, relation: str) -> tuple[str, str]:
        """What a record owns by a relation, and the column there that says so."""
        shape = self.declared[name].field(relation)
        assert shape.relation is not None
        assert shape.target is not None
        if shape.target not in self.editing:
            raise DeclarationError(f"{name} owns {relation}, of which nothing can be changed.")
        return shape.target, shape.relation.hops[0]

    def _written(self, name: str) -> tuple[graph.Written, dict[str, _Field]]:
        entity, word = self.declared[name], self.editing[name]
        table = self.entities[name].table
        fields: dict[str, graph.Slot | graph.Slots | graph.Linked | graph.Owned] = {}
        inputs: dict[str, _Field] = {}
        named: str | None = None
        for field, slot, shape in self._slots(entity):
            if slot.column.name == table.key.name:
                named = field
            fields[field] = slot
            fixed = shape.attribute in word.fixed or field == named
            inputs[field] = self._field(slot, shape, fixed=fixed)
        for shape in entity.fields:
            part = self.shapes.entities.get(shape.target or "")
            if shape.part and part is not None and part.declaration.written:
                fields[shape.name], inputs[shape.name] = self._part(shape, part)
            if shape.attribute in word.linked:
                fields[shape.name], inputs[shape.name] = self._linked(shape)
            if shape.attribute in word.owned:
                child, column = self._owned(name, shape.attribute)
                owner = mapping.Column(column, table.key.type)
                fields[shape.name] = graph.Owned(child, owner)
        id_ = id_of(name, table.key.name)
        return graph.Written(name, table, id_, fields, named), inputs

    def _slots(self, entity: Entity) -> Iterator[tuple[str, graph.Slot, Shape]]:
        """The columns of an entity that are written by hand, each by one field."""
        plain = [shape for shape in entity.fields if _foreign(shape)]
        columns = {shape.relation.hops[0] for shape in plain if shape.relation is not None}
        for shape in entity.fields:
            if shape.localized is not None:
                for language, column in shape.localized.items():
                    required = not shape.nullable and language == "EN"
                    suffix = "" if language == "EN" else language.title()
                    slot = graph.Slot(
                        mapping.Column(column, "text", not required), scalar_of(str), required
                    )
                    yield f"{shape.name}{suffix}", slot, shape
            elif shape.writes is not None and shape.writes not in columns:
                scalar = scalar_of(shape.python)
                column_ = mapping.Column(shape.writes, scalar.postgres, shape.nullable, shape.array)
                yield shape.name, graph.Slot(column_, scalar, not shape.nullable), shape
            elif shape in plain:
                assert shape.relation is not None
                assert shape.target is not None
                target = self.declared.get(shape.target)
                if target is None:
                    continue
                scalar = id_of(target.name, target.declaration.key)
                column_ = mapping.Column(shape.relation.hops[0], scalar.postgres, shape.nullable)
                yield shape.name, graph.Slot(column_, scalar, not shape.nullable), shape

    def _field(self, slot: graph.Slot, shape: Shape, *, fixed: bool = False) -> _Field:
        taken_: Any = ID if slot.scalar.name == "ID" else shape.python
        if slot.column.array:
            taken_ = listed(taken_)
        optional = self.shapes.optional(taken_)
        text = shape.description
        has_default = slot.required and shape.default is not None
        needed = slot.required and not slot.column.array
        create = FieldShape(
            taken_ if needed else optional,
            text,
            default=shape.default if has_default else UNSET,
        )
        return _Field(create, None if fixed else FieldShape(optional, text))

    def _part(self, shape: Shape, part: Entity) -> tuple[graph.Slots, _Field]:
        slots: dict[str, graph.Slot] = {}
        fields: dict[str, FieldShape] = {}
        for field, slot, inner in self._slots(part):
            slots[field] = slot
            made = self._field(slot, inner).update
            assert made is not None
            fields[field] = made
        taken_ = self.shapes.input_type(f"{part.name}Input", part.description, fields)
        field_ = FieldShape(taken_, shape.description)
        return graph.Slots(slots), _Field(field_, field_)

    def _linked(self, shape: Shape) -> tuple[graph.Linked, _Field]:
        assert shape.relation is not None
        assert shape.target is not None
        target = self.declared[shape.target]
        first, second = shape.relation.hops
        near, far = first.rpartition(".")[2], second.partition(" = ")[0]
        table = first.partition(" = ")[2].partition(".")[0]
        scalar = id_of(target.name, target.declaration.key)
        linked = graph.Linked(
            table,
            near,
            mapping.Column(far, scalar.postgres),
            scalar,
        )
        ids = self.shapes.optional(listed(ID))
        taken_ = self.shapes.input_type(
            "Links",
            "Records that something is tied to from now on, and those that it is not any more.",
            {
                "add": FieldShape(ids, "Tied from now on; those that are already, stay so."),
                "remove": FieldShape(ids, "Not tied any more."),
            },
        )
        text = shape.description
        return linked, _Field(FieldShape(ids, text), FieldShape(taken_, text))

    # The inputs

    def _rows(self, name: str, word: Editing) -> None:
        """The inputs for one row, by itself and below what it belongs to."""
        for below in (False, True) if self._owners[name] else (False,):
            prefix = "Owned" if below else ""
            self.shapes.input_type(
                f"{prefix}{name}Creation", f"A new {words(name)}.", self.creation(name, below=below)
            )
            if not word.appended:
                self.shapes.input_type(
                    f"{prefix}{name}Update",
                    f"What is changed of {one_of(name)}; what is not given stays as it is.",
                    self.update(name, below=below),
                )

    def _children_input(self, child: str) -> object:
        below = self._below(child)
        rows = {
            "create": FieldShape(self.shapes.list_of(f"{below}Creation"), "Those that are new.")
        }
        if not self.editing[child].appended:
            rows["update"] = FieldShape(
                self.shapes.list_of(f"{below}Update"), "Those that are changed."
            )
            rows["archive"] = FieldShape(self.shapes.list_of("Archival"), "Those that go.")
        text = f"What becomes of each {words(child)} that belongs to a record."
        return self.shapes.input_type(f"Owned{child}Changes", text, rows)

    def _children(self, name: str) -> Iterator[tuple[str, str, Shape]]:
        for relation in self.editing[name].owned:
            shape = self.declared[name].field(relation)
            child, _ = self._owned(name, relation)
            yield shape.name, child, shape

    def _below(self, child: str) -> str:
        return f"Owned{child}" if self._owners[child] else child

    def _leads_up(self, name: str, field: str) -> bool:
        """Whether a field says what a record belongs to."""
        slot = self.written[name].fields[field]
        return isinstance(slot, graph.Slot) and slot.column.name in self._owners[name]


def _foreign(shape: Shape) -> bool:
    """Whether a relation is a foreign key of the very table."""
    relation = shape.relation
    return (
        relation is not None
        and relation.outward
        and len(relation.hops) == 1
        and " = " not in relation.hops[0]
    )


__all__ = ["VERSION_TEXT", "Inputs"]
