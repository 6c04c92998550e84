"""The root fields of mutations: for each kind of record what may be done to it, and each action."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from strawberry import ID, UNSET

from resolvers import graph
from resolvers.change import INPUT
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
from schema.inputs import VERSION_TEXT, Inputs
from schema.payloads import Payloads
from schema.scalars import id_of, scalar_of
from schema.shapes import (
    WRITES,
    ArgumentShape,
    Entity,
    FieldShape,
    Shapes,
    camel,
    listed,
    one_of,
    read_argument,
    read_field,
    unwrap,
)

_KEY_TEXT = (
    "A word of your own for this change. Sent again with the same word, it is not done again, but "
    "answered as it was the first time."
)
_DRY_TEXT = "Only say what would come of it, and change nothing."
_WHY_TEXT = "Why, for the history of the record."

_Asked = Callable[[Shapes, Any], graph.Argument]


@dataclass(frozen=True, slots=True)
class Mutations:
    """What there is to be changed, as the planner and as clients see it."""

    changes: Mapping[str, graph.Change]
    written: Mapping[str, graph.Written]
    payloads: Mapping[str, graph.Entity]
    fields: Mapping[str, FieldShape]


class Writer:
    """Makes the root fields of a menu."""

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
        editing = {hint.__name__: word for _, hint, word in self.lines if isinstance(word, Editing)}
        self.inputs = Inputs(shapes, declared, entities, editing)
        self.payloads = Payloads(shapes, entities)
        self.changes: dict[str, graph.Change] = {}
        self.fields: dict[str, FieldShape] = {}

    def made(self) -> Mutations:
        """All of it."""
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
        return Mutations(self.changes, self.inputs.written, self.payloads.made, self.fields)

    def _edits(self, attribute: str, entity: Entity, word: Editing) -> None:
        name, called = entity.name, one_of(entity.name)
        creation = self.inputs.creation(name)
        create = f"Adds {called}."
        self._writes(graph.Deed.CREATE, entity, creation, create, f"{name}Creation")
        if word.appended:
            return
        text = f"Changes {called}; what is not given stays as it is."
        update = self.inputs.update(name)
        self._writes(graph.Deed.UPDATE, entity, update, text, f"{name}Update")
        text = (
            f"Takes {called} out of the directory, with all that belongs to it. History keeps "
            "it, and can bring it back."
        )
        self._writes(graph.Deed.ARCHIVE, entity, self.inputs.which(), text, "Archival")
        self._restores(entity)

    def _restores(self, entity: Entity) -> None:
        name, called = entity.name, one_of(entity.name)
        text = (
            f"Makes {called} say what a version of it said. One that was archived comes back, "
            "with all that left together with it."
        )
        fields = {
            "id": FieldShape(ID, "The record."),
            "version": FieldShape(int, "The version, as its history has it."),
            "ifVersion": FieldShape(self.shapes.optional(int), VERSION_TEXT),
        }
        input_ = self.shapes.input_type(f"Restore{name}Input", text, {**fields, **self._options()})
        table, payload = self.entities[name].table, self.payloads.of(name)
        read = self.inputs.written[name].id.read
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
        payload = self.payloads.of(name)
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

    # What others decide about

    def _proposes(self, attribute: str, target: type, word: Proposing, text: str) -> None:
        name, of = camel(attribute), word.of.__name__
        fields = {
            field: shape
            for field, shape in self.inputs.update(of).items()
            # Where it comes from, and who has checked it, is not for them to say.
            if not isinstance(self.inputs.written[of].fields.get(field), graph.Slots)
            and not self.inputs.appended(of, field)
        }
        options = self._options()
        del options["dryRun"]
        title = name[0].upper() + name[1:]
        input_ = self.shapes.input_type(f"{title}Input", text, {**fields, **options})
        table = self.entities[target.__name__].table
        payload = self.payloads.of(target.__name__)
        change = graph.Proposes(word.function, of, payload, table.key)
        self._root(name, change, payload, input_, text)

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
        payload = self.payloads.of(target.__name__)
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
            fields["ifVersion"] = FieldShape(self.shapes.optional(int), VERSION_TEXT)
        assert shape.derived is not None
        function = graph.Function(
            word.function, (), tuple(self.asked(self.shapes, item) for item in given), word.check
        )
        table = self.entities[entity.name].table
        payload = self.payloads.of(entity.name)
        change = graph.Acts(function, payload, table.key, about, table)
        title = name[0].upper() + name[1:]
        options = self._options()
        for taken_ in fields.keys() & options.keys():
            del options[taken_]
        input_ = self.shapes.input_type(f"{title}Input", text, {**fields, **options})
        self._root(name, change, payload, input_, text)


__all__ = ["Mutations", "Writer"]
