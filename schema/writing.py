"""The root fields of mutations: what may be written of each kind of record, and what comes of it.

Inputs are derived from the very declarations that are read by: a column is a field of an input, a
foreign key takes a global id, a part is an object, and what a record owns is written along with it.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from strawberry import ID, UNSET

from db import mapping
from resolvers import graph
from resolvers.change import INPUT
from resolvers.plan.history import DIFFERENCE
from resolvers.plan.outcome import CONFLICT, ERRORS, KEY
from schema.arguments import taken
from schema.entity import (
    Accepting,
    Action,
    DeclarationError,
    Derived,
    Editing,
    Only,
    Proposing,
    Role,
    descriptions,
)
from schema.scalars import id_of, scalar_of
from schema.shapes import (
    WRITES,
    ArgumentShape,
    Entity,
    FieldShape,
    Shape,
    Shapes,
    camel,
    listed,
    read_argument,
    read_field,
    unwrap,
    words,
)

ERROR = "UserError"
_KEY_TEXT = (
    "A word of your own for this change. Sent again with the same word, it is not done again, but "
    "answered as it was the first time."
)
_VERSION_TEXT = "The `version` that you saw: if there is another by now, nothing is done."
_DRY_TEXT = "Only say what would come of it, and change nothing."
_WHY_TEXT = "Why, for the history of the record."

_IdOf = Callable[[Entity], graph.Scalar]
_Asked = Callable[[Shapes, Any], graph.Argument]


@dataclass(frozen=True, slots=True)
class Mutations:
    """What there is to be changed, as the planner and as clients see it."""

    changes: Mapping[str, graph.Change]
    written: Mapping[str, graph.Written]
    payloads: Mapping[str, graph.Entity]
    fields: Mapping[str, FieldShape]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of an input, as clients see it: when a record is created, and when it is updated."""

    create: FieldShape
    update: FieldShape | None


class Writer:
    """Makes inputs and payloads of a menu."""

    def __init__(
        self,
        shapes: Shapes,
        menu: type,
        declared: Mapping[str, Entity],
        entities: Mapping[str, graph.Entity],
        asked: _Asked,
        role: Role,
    ) -> None:
        self.shapes = shapes
        self.declared = declared
        self.entities = entities
        self.asked = asked
        self.menu = menu
        hints = typing.get_type_hints(menu, None, dict(shapes.known))
        self.lines: list[tuple[str, Any, Any]] = []
        self.closed: set[str] = set()
        """Lines that are not for this role: their inputs may be part of others'."""
        for name, hint in hints.items():
            word = getattr(menu, name)
            needed = word.role if isinstance(word, Only) else WRITES
            if not role.includes(needed):
                self.closed.add(name)
            self.lines.append((name, hint, word.word if isinstance(word, Only) else word))
        self.editing = {
            hint.__name__: word for _, hint, word in self.lines if isinstance(word, Editing)
        }
        # By which columns records of a kind belong to others, if they do.
        self.owners: dict[str, set[str]] = {name: set() for name in self.editing}
        for name, word in self.editing.items():
            for relation in word.owned:
                child, column = self._owned(name, relation)
                self.owners[child].add(column)
        self.inputs: dict[str, dict[str, _Field]] = {}
        self.written: dict[str, graph.Written] = {}
        self.payloads: dict[str, graph.Entity] = {}
        self.changes: dict[str, graph.Change] = {}
        self.fields: dict[str, FieldShape] = {}

    def made(self) -> Mutations:
        """All of it."""
        shapes = self.shapes
        for name in self.editing:
            self.written[name], self.inputs[name] = self._written(name)
        shapes.input_type(
            "Archival",
            "A record that is taken out of the directory. History keeps it, and can bring it back.",
            self._which(),
        )
        for name, word in self.editing.items():
            self._rows(name, word)
        text = descriptions(self.menu)
        for attribute, hint, word in self.lines:
            if attribute in self.closed:
                continue
            if isinstance(word, Proposing):
                self._proposes(attribute, hint, word, text.get(attribute, ""))
            elif isinstance(word, Accepting):
                self._accepts(attribute, hint, word, text.get(attribute, ""))
            elif isinstance(word, Editing):
                if not word.alone:
                    continue
                self._edits(attribute, self.declared[hint.__name__], word)
            elif isinstance(word, Action):
                self._acts(attribute, unwrap(hint)[0], word, text.get(attribute, ""))
            else:
                raise DeclarationError(f"{attribute} is no field of a mutation.")
        return Mutations(self.changes, self.written, self.payloads, self.fields)

    # What may be written of an entity

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

    # Inputs

    def _rows(self, name: str, word: Editing) -> None:
        """The inputs for one row, by itself and below what it belongs to."""
        for below in (False, True) if self.owners[name] else (False,):
            prefix = "Owned" if below else ""
            self.shapes.input_type(
                f"{prefix}{name}Creation", f"A new {words(name)}.", self._creation(name, below)
            )
            if not word.appended:
                self.shapes.input_type(
                    f"{prefix}{name}Update",
                    f"What is changed of a {words(name)}; what is not given stays as it is.",
                    self._update(name, below),
                )

    def _which(self) -> dict[str, FieldShape]:
        """Which record is meant, and which version of it."""
        version = FieldShape(self.shapes.optional(int), _VERSION_TEXT)
        return {"id": FieldShape(ID, "The record."), "ifVersion": version}

    def _creation(self, name: str, below: bool) -> dict[str, FieldShape]:
        found = {
            field: made.create
            for field, made in self.inputs[name].items()
            if not (below and self._leads_up(name, field))
        }
        for field, child, shape in self._children(name):
            rows = self.shapes.list_of(f"{self._below(child)}Creation")
            found[field] = FieldShape(rows, shape.description)
        return found

    def _update(self, name: str, below: bool) -> dict[str, FieldShape]:
        found = self._which()
        found |= {
            field: made.update
            for field, made in self.inputs[name].items()
            if made.update is not None and not (below and self._leads_up(name, field))
        }
        for field, child, shape in self._children(name):
            found[field] = FieldShape(self._children_input(child), shape.description)
        return found

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
        return f"Owned{child}" if self.owners[child] else child

    def _leads_up(self, name: str, field: str) -> bool:
        """Whether a field says what a record belongs to."""
        slot = self.written[name].fields[field]
        return isinstance(slot, graph.Slot) and slot.column.name in self.owners[name]

    def _edits(self, attribute: str, entity: Entity, word: Editing) -> None:
        name, called = entity.name, words(entity.name)
        creation = self._creation(name, below=False)
        create = f"Adds a {called}."
        self._writes(graph.Deed.CREATE, entity, creation, create, f"{name}Creation")
        if word.appended:
            return
        text = f"Changes a {called}; what is not given stays as it is."
        update = self._update(name, below=False)
        self._writes(graph.Deed.UPDATE, entity, update, text, f"{name}Update")
        text = (
            f"Takes a {called} out of the directory, with all that belongs to it. History keeps "
            "it, and can bring it back."
        )
        self._writes(graph.Deed.ARCHIVE, entity, self._which(), text, "Archival")
        self._restores(entity)

    def _restores(self, entity: Entity) -> None:
        name, called = entity.name, words(entity.name)
        text = (
            f"Makes a {called} say what a version of it said. One that was archived comes back, "
            "with all that left together with it."
        )
        fields = {
            "id": FieldShape(ID, "The record."),
            "version": FieldShape(int, "The version, as its history has it."),
            "ifVersion": FieldShape(self.shapes.optional(int), _VERSION_TEXT),
        }
        input_ = self.shapes.input_type(f"Restore{name}Input", text, {**fields, **self._options()})
        table, payload = self.entities[name].table, self._payload(name)
        read = self.written[name].id.read
        key = graph.Scalar("ID", "text", lambda value: str(read(value)))
        asked = (
            graph.Argument("id", "id", key, False, True),
            graph.Argument("version", "version", scalar_of(int), False, True),
        )
        function = graph.Function("restore_record", (), asked)
        acts = graph.Acts(function, payload, table.key, "id", table, (table.name,))
        self._root(f"restore{name}", acts, payload, input_, text)

    def _writes(
        self,
        deed: graph.Deed,
        entity: Entity,
        fields: Mapping[str, FieldShape],
        text: str,
        row: str,
    ) -> None:
        verb, name = deed.value.lower(), entity.name
        payload = self._payload(name)
        shout = verb.title()
        options = self._options(required_why=deed is graph.Deed.ARCHIVE)
        one = self.shapes.input_type(f"{shout}{name}Input", text, {**fields, **options})
        self._root(f"{verb}{name}", graph.Writes(deed, name, payload), payload, one, text)
        rows = FieldShape(listed(self.shapes.required(row)), "The rows, at most 100, in any order.")
        all_ = FieldShape(
            bool, "Whether all rows are done or none; else each as it can be.", default=False
        )
        plural = camel(entity.declaration.table)
        plural = plural[0].upper() + plural[1:]
        text = f"The same for many at once: an outcome for each row. {text}"
        many = self.shapes.input_type(
            f"{shout}{plural}Input", text, {"rows": rows, "allOrNothing": all_, **options}
        )
        self.shapes.object_type(
            f"{payload}s",
            "What came of each row, in the order of the rows.",
            {"results": FieldShape(listed(self.shapes.required(payload)), "An outcome for each.")},
        )
        writes = graph.Writes(deed, name, payload, many=True)
        self._root(f"{verb}{plural}", writes, f"{payload}s", many, text)

    def _options(self, *, required_why: bool = False) -> dict[str, FieldShape]:
        text = self.shapes.optional(str)
        return {
            "why": FieldShape(str if required_why else text, _WHY_TEXT),
            "idempotencyKey": FieldShape(text, _KEY_TEXT),
            "dryRun": FieldShape(bool, _DRY_TEXT, default=False),
        }

    def _root(self, name: str, change: graph.Change, payload: str, input_: Any, text: str) -> None:
        given = unwrap(input_)[0]
        self.changes[name] = change
        argument = ArgumentShape(given, "What is asked for.")
        self.fields[name] = FieldShape(self.shapes.required(payload), text, {INPUT: argument})

    # Payloads

    def _payload(self, name: str) -> str:
        """The type of what came of a change of an entity."""
        payload, conflict = f"{name}Payload", f"{name}Conflict"
        if payload in self.payloads:
            return payload
        entity, shapes = self.entities[name], self.shapes
        table = entity.table
        field = name[0].lower() + name[1:]
        versioned = "version" in entity.fields
        errors = graph.Made(graph.Function("told_errors", (ERRORS,)), ERROR, many=True)
        there: dict[str, graph.Field] = {
            field: graph.ToOne((mapping.Hop(KEY, table.name, table.key.name),), name),
        }
        shown = {field: FieldShape(shapes.ref(name), "The record as it is now, if it is there.")}
        if versioned:
            hop = mapping.Hop(CONFLICT, table.name, table.key.name)
            there["conflict"] = graph.ToOne((hop,), conflict)
            text = "What stands in the way if somebody else was first; else null."
            shown["conflict"] = FieldShape(shapes.ref(conflict), text)
            differences = listed(shapes.required(DIFFERENCE))
            shapes.object_type(
                conflict,
                f"That a {words(name)} has been changed since the version that was asked for.",
                {
                    "current": FieldShape(shapes.required(name), "The record as it is now."),
                    "differences": FieldShape(
                        differences, "What it says now, and said in the version asked for."
                    ),
                },
            )
            self.payloads[conflict] = graph.Entity(
                conflict,
                table,
                {"current": graph.Part(name), "differences": graph.Differing(name)},
            )
        there["userErrors"] = errors
        shown["userErrors"] = FieldShape(
            listed(shapes.required(ERROR)), "Why it was not done; empty if it was."
        )
        shapes.object_type(payload, f"What came of a change of a {words(name)}.", shown)
        none = mapping.Table("", mapping.Column(KEY, table.key.type), ())
        self.payloads[payload] = graph.Entity(payload, none, there)
        return payload

    # What others decide about

    def _proposes(self, attribute: str, target: type, word: Proposing, text: str) -> None:
        name, of = camel(attribute), word.of.__name__
        fields = {
            field: shape
            for field, shape in self._update(of, below=False).items()
            # Where it comes from, and who has checked it, is not for them to say.
            if not isinstance(self.written[of].fields.get(field), graph.Slots)
            and not self._appended(of, field)
        }
        options = self._options()
        del options["dryRun"]
        title = name[0].upper() + name[1:]
        input_ = self.shapes.input_type(f"{title}Input", text, {**fields, **options})
        table = self.entities[target.__name__].table
        payload = self._payload(target.__name__)
        change = graph.Proposes(word.function, of, payload, table.key)
        self._root(name, change, payload, input_, text)

    def _appended(self, name: str, field: str) -> bool:
        owned = self.written[name].fields.get(field)
        return isinstance(owned, graph.Owned) and self.editing[owned.written].appended

    def _accepts(self, attribute: str, target: type, word: Accepting, text: str) -> None:
        name = camel(attribute)
        table = self.entities[target.__name__].table
        paths = self.shapes.optional(listed(str))
        fields = {
            "id": FieldShape(ID, "What was proposed."),
            "only": FieldShape(
                paths, "Only these paths of its differences, and what is below them; all if null."
            ),
            "ifVersion": FieldShape(
                self.shapes.optional(int),
                "The `version` of the record that you saw: if there is another by now, nothing is "
                "done.",
            ),
        }
        title = name[0].upper() + name[1:]
        input_ = self.shapes.input_type(f"{title}Input", text, {**fields, **self._options()})
        payload = self._payload(target.__name__)
        id_ = id_of(target.__name__, table.key.name)
        change = graph.Accepts(word.steps, word.decide, id_, payload, table.key)
        self._root(name, change, payload, input_, text)

    # Actions

    def _acts(self, attribute: str, target: type, word: Action, text: str) -> None:
        name = camel(attribute)
        entity = self.declared[target.__name__]
        made = Derived(word.function, (), word.arguments, word.check, False, False, False, None)
        shape = read_field(attribute, object, made, text)
        given = [
            read_argument(each, said.annotation, said.description, said.default)
            for each, said in word.arguments.items()
        ]
        fields = {
            item.name: FieldShape(
                taken(self.shapes, item),
                item.description,
                default=UNSET if item.default is None else item.default,
            )
            for item in given
        }
        about = camel(word.about) if word.about else None
        if about:
            fields["ifVersion"] = FieldShape(self.shapes.optional(int), _VERSION_TEXT)
        assert shape.derived is not None
        function = graph.Function(
            word.function, (), tuple(self.asked(self.shapes, item) for item in given), word.check
        )
        table = self.entities[entity.name].table
        payload = self._payload(entity.name)
        change = graph.Acts(function, payload, table.key, about, table)
        title = name[0].upper() + name[1:]
        options = self._options()
        for taken_ in fields.keys() & options.keys():
            del options[taken_]
        input_ = self.shapes.input_type(f"{title}Input", text, {**fields, **options})
        self._root(name, change, payload, input_, text)


def _foreign(shape: Shape) -> bool:
    """Whether a relation is a foreign key of the very table."""
    relation = shape.relation
    return (
        relation is not None
        and relation.outward
        and len(relation.hops) == 1
        and " = " not in relation.hops[0]
    )


__all__ = ["Mutations", "Writer"]
