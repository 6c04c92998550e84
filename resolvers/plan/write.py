"""An input becomes what is written, and that becomes one statement.

    updateShelf(input: {id: "Shelf:7", ifVersion: 3, name: "B", books: {create: [{title: "Emma"}]}})

is two steps, the second of which belongs to the first:

    with w0 as (
      update shelves t0 set name = r0.name
      from jsonb_to_recordset($1::jsonb) r0(".key" int4, ".version" int4, name text)
      where t0.id = r0.".key" and (r0.".version" is null or t0.version = r0.".version")
      returning t0.id
    )
    , w1 as (
      insert into books (id, shelf_id, title) select ... from jsonb_to_recordset($2::jsonb) ...
    )
    select row_to_json(r) from (select array(select w0.id from w0) as "w0", ...) r

Steps that set the same columns of the same table are one, so that a hundred rows take no more
statements than one does. Values never stand in the text; which columns are set, does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import orjson

from db.mapping import Column
from db.query import (
    AnyOf,
    Delete,
    Expression,
    From,
    Insert,
    Operation,
    Or,
    Param,
    Records,
    Ref,
    Select,
    Statement,
    Test,
    Update,
    Values,
    With,
    Within,
    Write,
    all_of,
)
from db.render import render
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Deed, Graph, Linked, Owned, Slot, Slots, Writes, Written

KEY, VERSION, OWNER = ".key", ".version", ".owner"
_VERSION = Column("version", "int4")

# A text that is longer says more than one field should.
LONGEST_TEXT = 20_000

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something cannot be done as it was asked for: `path` leads to it, inside the input."""

    path: Path
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """A row that is written. What a step owns has its key in the column `owner`."""

    deed: Deed
    written: Written
    key: object
    path: Path
    values: Mapping[Column, object] = field(default_factory=dict)
    version: int | None = None
    owner: Column | None = None
    owner_key: object = None


@dataclass(frozen=True, slots=True)
class Tie:
    """A row between two records, which says that they belong together."""

    linked: Linked
    near: Column
    key: object
    far: object
    there: bool
    path: Path


@dataclass(slots=True)
class Draft:
    """All that is written for one row of an input; `first` is the step that it is about."""

    steps: list[Step] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def first(self) -> Step:
        return self.steps[0]


def draft(graph: Graph, source: Writes, given: Mapping[str, object], path: Path) -> Draft:
    """What a row of an input asks for, and what is wrong with it."""
    made = Draft()
    reader = _Reader(graph, made)
    reader.row(graph.written[source.written], source.deed, given, path, None, None)
    return made


class _Reader:
    def __init__(self, graph: Graph, made: Draft) -> None:
        self.graph = graph
        self.made = made

    def row(
        self,
        written: Written,
        deed: Deed,
        given: Mapping[str, object],
        path: Path,
        owner: Column | None,
        owner_key: object,
    ) -> None:
        """A row, and after it all that belongs to it."""
        key = self._key(written, deed, given, path)
        values: dict[Column, object] = {}
        if deed is not Deed.ARCHIVE:
            for name, slot in written.fields.items():
                match slot:
                    case Slot() if name in given:
                        self._set(values, slot, given[name], (*path, name))
                    case Slots(inner) if name in given:
                        parts = given[name]
                        if not isinstance(parts, Mapping):
                            self._wrong((*path, name), "REQUIRED", "This cannot be null.")
                            continue
                        for part, each in inner.items():
                            if part in parts:
                                self._set(values, each, parts[part], (*path, name, part))
        version = given.get("ifVersion")
        step = Step(
            deed,
            written,
            key,
            path,
            values,
            version if isinstance(version, int) else None,
            owner,
            owner_key,
        )
        self.made.steps.append(step)
        for name, belonging in written.fields.items():
            inside = given.get(name)
            if inside is None or deed is Deed.ARCHIVE:
                continue
            if isinstance(belonging, Owned):
                self._owned(belonging, deed, inside, key, (*path, name))
            elif isinstance(belonging, Linked):
                self._linked(written, belonging, deed, inside, key, (*path, name))

    def _key(self, written: Written, deed: Deed, given: Mapping[str, object], path: Path) -> object:
        if deed is not Deed.CREATE:
            return self._read(written.id.read, given["id"], (*path, "id"))
        if written.named is None:
            return uuid4()
        slot = written.fields[written.named]
        assert isinstance(slot, Slot)
        return self._read(slot.scalar.read, given[written.named], (*path, written.named))

    def _set(self, values: dict[Column, object], slot: Slot, value: object, path: Path) -> None:
        if value is None:
            if slot.required:
                self._wrong(path, "REQUIRED", "This cannot be null.")
            values[slot.column] = None
        elif slot.column.array:
            items = value if isinstance(value, list | tuple) else [value]
            if len(items) > _ITEMS:
                self._wrong(path, "TOO_LONG", f"This may have {_ITEMS} items at most.")
                return
            values[slot.column] = [self._read(slot.scalar.read, item, path) for item in items]
        else:
            values[slot.column] = self._read(slot.scalar.read, value, path)

    def _read(self, read: object, value: object, path: Path) -> object:
        try:
            found = read(value)  # type: ignore[operator]  # a scalar's
        except FieldRefused as error:
            self._wrong(path, error.code, error.message)
        except ValueError as error:
            self._wrong(path, Code.BAD_USER_INPUT, str(error))
        else:
            if isinstance(found, str) and len(found) > LONGEST_TEXT:
                self._wrong(path, "TOO_LONG", f"A text may have {LONGEST_TEXT} characters here.")
            return found
        return None

    def _owned(self, owned: Owned, deed: Deed, inside: object, key: object, path: Path) -> None:
        written = self.graph.written[owned.written]
        if deed is Deed.CREATE:
            inside = {"create": inside}
        assert isinstance(inside, Mapping)
        for word, below in _WORDS.items():
            for number, row in enumerate(inside.get(word) or ()):
                place = (*path, str(number)) if deed is Deed.CREATE else (*path, word, str(number))
                self.row(written, below, row, place, owned.owner, key)

    def _linked(
        self,
        written: Written,
        linked: Linked,
        deed: Deed,
        inside: object,
        key: object,
        path: Path,
    ) -> None:
        if deed is Deed.CREATE:
            inside = {"add": inside}
        assert isinstance(inside, Mapping)
        for word, there in (("add", True), ("remove", False)):
            for number, each in enumerate(inside.get(word) or ()):
                place = (*path, str(number)) if deed is Deed.CREATE else (*path, word, str(number))
                far = self._read(linked.scalar.read, each, place)
                self.made.ties.append(Tie(linked, written.table.key, key, far, there, place))

    def _wrong(self, path: Path, code: str, message: str) -> None:
        self.made.faults.append(Fault(path, str(code), message))


_WORDS = {"create": Deed.CREATE, "update": Deed.UPDATE, "archive": Deed.ARCHIVE}
_ITEMS = 200


@dataclass(frozen=True, slots=True)
class Expected:
    """What a part of the statement has done if all went well: it returns the keys of its steps."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """One statement that does all that was drafted, its arguments, and what it should answer.

    Beside the keys that each part has written, under its name, it answers under the same name with
    a dot before it those of its records that were there.
    """

    statement: Statement
    arguments: tuple[object, ...]
    expected: tuple[Expected, ...]


def writing(graph: Graph, drafts: Sequence[Draft]) -> Writing:
    """The statement that does all of this."""
    return _Writer(graph).written(drafts)


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.withs: list[With] = []
        self.arguments: list[object] = []

    def written(self, drafts: Sequence[Draft]) -> Writing:
        steps: dict[object, list[Step]] = {}
        ties: dict[object, list[Tie]] = {}
        for each in drafts:
            for step in each.steps:
                kind = (step.deed, step.written.entity, tuple(step.values), step.owner)
                steps.setdefault(kind, []).append(step)
            for tie in each.ties:
                ties.setdefault((tie.linked.table, tie.linked.near, tie.there), []).append(tie)
        expected: list[Expected] = []
        columns: list[tuple[str | None, Expression]] = []
        for alike in steps.values():
            name, key = f"w{len(self.withs)}", alike[0].written.table.key
            self._write(name, self._step(alike))
            expected.append(Expected(name, tuple(alike)))
            returned = Select(((None, Ref(name, key.name)),), From(name, name))
            columns.append((name, Values(returned)))
            if alike[0].deed is not Deed.CREATE:
                columns.append((f".{name}", Values(self._there(alike))))
            if alike[0].deed is Deed.ARCHIVE:
                self._belongings(alike)
        for tied in ties.values():
            self._write(f"w{len(self.withs)}", self._tie(tied))
        select = Select(tuple(columns), with_=tuple(self.withs))
        statement = render(select)
        arguments = tuple(self.arguments[_number(param)] for param in statement.params)
        return Writing(statement, arguments, tuple(expected))

    def _write(self, name: str, write: Write) -> None:
        self.withs.append(With(name, write))

    def _param(self, value: object, type_: str) -> Param:
        self.arguments.append(value)
        return Param(len(self.arguments) - 1, type_)

    def _rows(
        self, alias: str, columns: Mapping[str, str], rows: Iterator[Mapping[str, object]]
    ) -> Records:
        param = self._param(orjson.dumps(list(rows), default=str), "jsonb")
        return Records(param, alias, tuple(columns.items()))

    def _step(self, alike: Sequence[Step]) -> Write:
        first = alike[0]
        table, key = first.written.table, first.written.table.key
        number = len(self.withs)
        row, target = f"r{number}", f"t{number}"
        types = {KEY: key.type, VERSION: "int4"}
        if first.owner is not None:
            types[OWNER] = first.owner.type
        set_ = [column for column in first.values if column.name != key.name]
        types |= {column.name: _type(column) for column in set_}
        source = self._rows(row, types, (_row(step) for step in alike))
        owner = first.owner.name if first.owner is not None else None
        if first.deed is Deed.CREATE:
            columns = [column.name for column in set_ if column.name != owner]
            values = [Ref(row, KEY), *(Ref(row, column) for column in columns)]
            names = [key.name, *columns]
            if owner is not None:
                names.append(owner)
                values.append(Ref(row, OWNER))
            select = Select(tuple((None, value) for value in values), source)
            return Insert(table.name, tuple(names), select, key.name)
        same = [Operation(Ref(target, key.name), "=", Ref(row, KEY))]
        if any(step.version is not None for step in alike):
            current = Operation(Ref(target, _VERSION.name), "=", Ref(row, VERSION))
            same.append(Or((Test(Ref(row, VERSION), "is null"), current)))  # type: ignore[arg-type]  # an expression, too
        if owner is not None:
            same.append(Operation(Ref(target, owner), "=", Ref(row, OWNER)))
        where = all_of(same)
        assert where is not None
        if first.deed is Deed.ARCHIVE:
            return Delete(table.name, target, source, where, key.name)
        changes = tuple((column.name, Ref(row, column.name)) for column in set_)
        if not changes:
            # Nothing of its own is changed, but what it owns: it is looked at, and locked.
            changes = ((key.name, Ref(target, key.name)),)
        return Update(table.name, target, changes, source, where, key.name)

    def _there(self, alike: Sequence[Step]) -> Select:
        table = alike[0].written.table
        keys = self._param([step.key for step in alike], f"{table.key.type}[]")
        alias = f"t{len(self.arguments)}"
        here = Ref(alias, table.key.name)
        return Select(((None, here),), From(table.name, alias), where=AnyOf(here, keys))

    def _belongings(self, alike: Sequence[Step]) -> None:
        """What goes with what is archived."""
        written = alike[0].written
        keys = self._param([step.key for step in alike], f"{written.table.key.type}[]")

        def archived(alias: str) -> Expression:
            return AnyOf(Ref(alias, written.table.key.name), keys)

        self._belonging(written, archived)

    def _belonging(self, written: Written, archived: object) -> None:
        for belonging in written.fields.values():
            if isinstance(belonging, Owned):
                child = self.graph.written[belonging.written]
                table, column = child.table.name, belonging.owner.name
                returning = child.table.key.name
            elif isinstance(belonging, Linked):
                child = None
                table, column, returning = belonging.table, belonging.near, belonging.near
            else:
                continue
            number = len(self.withs)
            inner, outer = f"s{number}", f"t{number}"
            key = written.table.key.name
            those = Select(
                ((None, Ref(inner, key)),),
                From(written.table.name, inner),
                where=archived(inner),  # type: ignore[operator]  # a condition on an alias
            )
            condition = Within(Ref(outer, column), (those,))
            self._write(f"w{number}", Delete(table, outer, None, condition, returning))
            if child is not None:

                def below(alias: str, column: str = column, those: Select = those) -> Expression:
                    return Within(Ref(alias, column), (those,))

                self._belonging(child, below)

    def _tie(self, tied: Sequence[Tie]) -> Write:
        linked = tied[0].linked
        number = len(self.withs)
        row, target = f"r{number}", f"t{number}"
        types = {KEY: tied[0].near.type, OWNER: linked.far.type}
        rows = ({KEY: tie.key, OWNER: tie.far} for tie in tied)
        source = self._rows(row, types, rows)
        if tied[0].there:
            select = Select(((None, Ref(row, KEY)), (None, Ref(row, OWNER))), source)
            names = (linked.near, linked.far.name)
            return Insert(linked.table, names, select, linked.near, unless_there=True)
        where = all_of(
            [
                Operation(Ref(target, linked.near), "=", Ref(row, KEY)),
                Operation(Ref(target, linked.far.name), "=", Ref(row, OWNER)),
            ]
        )
        assert where is not None
        return Delete(linked.table, target, source, where, linked.near)


def _row(step: Step) -> Mapping[str, object]:
    made: dict[str, object] = {KEY: step.key, VERSION: step.version}
    if step.owner is not None:
        made[OWNER] = step.owner_key
    return made | {column.name: value for column, value in step.values.items()}


def _type(column: Column) -> str:
    return f"{column.type}[]" if column.array else column.type


def _number(param: Param) -> int:
    assert isinstance(param.value, int)
    return param.value


__all__ = ["Draft", "Expected", "Fault", "Step", "Tie", "Writing", "draft", "writing"]
