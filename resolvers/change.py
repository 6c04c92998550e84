"""A mutation is carried out: one transaction for the operation, and for each of its root fields, in
their order, a statement that writes and a statement that reads back.

All of an operation is done, or nothing: where a field cannot do what it was asked for, all others
say so, too. Only of many rows some may be done and others not, unless the client wants all or none.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from db.constraints import ABOUT
from db.database import Database, Transaction
from db.errors import BadValue, Contended, RefusedValue
from db.writing import CALLED, CLAIM, KEEP, WHY, called, locked
from resolvers.errors import Code, FieldRefused
from resolvers.graph import (
    Accepts,
    Acts,
    Change,
    Deed,
    Graph,
    Proposes,
    Slot,
    Slots,
    Writes,
    Written,
)
from resolvers.plan.context import Bound, ListOf
from resolvers.plan.outcome import (
    CONFLICT,
    ERRORS,
    KEY,
    NUMBER,
    OUTCOME,
    VERSION,
    Reading,
)
from resolvers.plan.plan import Plan
from resolvers.plan.propose import described, redrafted
from resolvers.plan.values import Lookout, Tree, Variables, value_of
from resolvers.plan.write import Draft, Fault, Step, draft, writing

__all__ = ["CALLED", "INPUT", "NOBODY", "Changer", "change"]

INPUT = "input"
"""The one argument of every root field of a mutation."""

# How often an operation is begun again because others changed the same, and the longest pause
# before that, in seconds; it is drawn anew each time, so that two do not meet again.
_TRIES = 4
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Changer:
    """Who changes something, in which role, by which request: the change log keeps it."""

    name: str = ""
    role: str = ""
    request: str = ""
    # Under which name their keys of idempotency are kept.
    id: str = ""
    writes: bool = False

    # The organization that they speak for, by its key.
    speaks_for: str = ""

    def settings(self) -> dict[str, str]:
        """What Postgres is told of them."""
        return {
            "directory.speaks_for": self.speaks_for,
            "directory.actor": self.name,
            "directory.role": self.role,
            "directory.request": self.request,
        }


NOBODY = Changer()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one row: the key of the record, or why there is none."""

    key: object = None
    faults: tuple[Fault, ...] = ()
    conflict: object = None
    version: int | None = None

    def told(self, number: int) -> Mapping[str, object]:
        """As the statement that reads it back is given it."""
        return {
            NUMBER: number,
            KEY: self.key,
            ERRORS: [
                {"path": each.path, "code": each.code, "message": each.message}
                for each in self.faults
            ],
            CONFLICT: self.conflict,
            VERSION: self.version,
        }


@dataclass(frozen=True, slots=True)
class _Done:
    outcomes: tuple[Outcome, ...]
    answer: bytes
    failed: bool


async def change(
    graph: Graph,
    database: Database,
    planned: Plan,
    variables: Variables,
    changer: Changer,
) -> bytes:
    """Do what an operation asks for; answers what was read back, by response key."""
    tries = 0
    while True:
        try:
            return await _Change(graph, database, planned, variables, changer).made()
        except Contended:
            tries += 1
            if tries == _TRIES:
                raise
            await asyncio.sleep(random.uniform(0, _PAUSE * 2**tries))


class _Refused(Exception):  # noqa: N818  # a turn of the road: all is undone
    """A field cannot do what it was asked for."""

    def __init__(self, number: int, outcomes: tuple[Outcome, ...]) -> None:
        super().__init__()
        self.number = number
        self.outcomes = outcomes


class _Change:
    def __init__(
        self,
        graph: Graph,
        database: Database,
        planned: Plan,
        variables: Variables,
        changer: Changer,
    ) -> None:
        self.graph = graph
        self.database = database
        self.readings = planned.readings
        self.variables = variables
        self.changer = changer
        # Looked at anew for each request: what an input says makes no other plan.
        self.lookout = Lookout(variables)
        # What was said last of why something is done, and of whether it archives.
        self.said = ("", "off")

    async def made(self) -> bytes:
        settings = self.changer.settings()
        try:
            async with self.database.transaction(settings) as transaction:
                answers = []
                for number, reading in enumerate(self.readings):
                    done = await self._field(transaction, reading)
                    if done.failed:
                        raise _Refused(number, done.outcomes)
                    answers.append(done.answer)
        except _Refused as refused:
            answers = await self._undone(settings, refused)
        pairs = zip(self.readings, answers, strict=True)
        return b"{%b}" % b",".join(
            b"%b:%b" % (orjson.dumps(reading.column), answer) for reading, answer in pairs
        )

    async def _undone(self, settings: Mapping[str, str], refused: _Refused) -> list[bytes]:
        """What all fields say where one could not do what it was asked for."""
        culprit = self.readings[refused.number].key
        fault = Fault((), "ROLLED_BACK", f"Nothing was done, since `{culprit}` could not be done.")
        async with self.database.transaction(settings) as transaction:
            return [
                await self._read(
                    transaction,
                    reading,
                    refused.outcomes if number == refused.number else (Outcome(faults=(fault,)),),
                )
                for number, reading in enumerate(self.readings)
            ]

    async def _field(self, transaction: Transaction, reading: Reading) -> _Done:
        """One root field: a statement that writes, and one that reads back."""
        given = self._input(reading)
        dry = given.get("dryRun") is True
        key = given.get("idempotencyKey")
        if isinstance(key, str) and not dry:
            kept = await self._claim(transaction, reading, given, key)
            if kept is not None:
                return kept
        said = (_cleaned(given.get("why") or ""), "on" if _archives(reading.change) else "off")
        if said != self.said:
            await transaction.fetch(WHY, said)
            self.said = said
        if dry:
            await transaction.keep("field")
        outcomes = await self._written(transaction, reading, given)
        many = isinstance(reading.change, Writes) and reading.change.many
        strict = not many or given.get("allOrNothing") is True
        failed = strict and any(outcome.faults for outcome in outcomes)
        if failed:
            return _Done(_together(outcomes), b"", failed)
        answer = await self._read(transaction, reading, outcomes)
        if dry:
            await transaction.undo("field")
        elif isinstance(key, str):
            await transaction.fetch(KEEP, (self.changer.id, key, answer))
        return _Done(outcomes, answer, failed)

    def _input(self, reading: Reading) -> dict[str, object]:
        type_ = self.graph.schema.mutation_type
        assert type_ is not None
        arguments = self.lookout.arguments(reading.node.arguments, type_.fields[reading.name].args)
        given = _settled(arguments[INPUT], self.variables)
        assert isinstance(given, dict)
        return given

    async def _claim(
        self,
        transaction: Transaction,
        reading: Reading,
        given: Mapping[str, object],
        key: str,
    ) -> _Done | None:
        """What was answered before to whoever came with this key; None if nobody has."""
        path = ("idempotencyKey",)
        if not 0 < len(key) <= 200 or not key.isascii() or not key.isprintable():
            message = "A key has from 1 to 200 plain characters."
            fault = Fault(path, Code.BAD_USER_INPUT, message)
            return _Done((Outcome(faults=(fault,)),), b"", failed=True)
        asked = [reading.name, given, reading.statement.text, self._bound(reading, None)]
        print_ = hashlib.sha256(orjson.dumps(asked, default=str)).hexdigest()
        said = await transaction.fetch(CLAIM, (self.changer.id, key, print_))
        kept = orjson.loads(said)
        if kept is None:
            return None
        if not kept["same"]:
            message = "This key came with something else before. Take a new one for a new change."
            fault = Fault(path, "KEY_REUSED", message)
            return _Done((Outcome(faults=(fault,)),), b"", failed=True)
        return _Done((), orjson.dumps(kept["answer"]), failed=False)

    async def _read(
        self, transaction: Transaction, reading: Reading, outcomes: Sequence[Outcome]
    ) -> bytes:
        return await transaction.fetch(reading.statement.text, self._bound(reading, outcomes))

    def _bound(self, reading: Reading, outcomes: Sequence[Outcome] | None) -> list[object]:
        told = [outcome.told(number) for number, outcome in enumerate(outcomes or ())]
        come = {**self.variables, str(OUTCOME.path[0]): orjson.dumps(told, default=str)}
        return [each.bind(come) if isinstance(each, Bound) else each for each in reading.arguments]

    # What is written

    async def _written(
        self, transaction: Transaction, reading: Reading, given: Mapping[str, object]
    ) -> tuple[Outcome, ...]:
        change = reading.change
        if isinstance(change, Acts):
            return (await self._act(transaction, change, given),)
        if isinstance(change, Proposes):
            return (await self._propose(transaction, change, given),)
        if isinstance(change, Accepts):
            return (await self._accept(transaction, change, given),)
        if not change.many:
            return (await self._alone(transaction, draft(self.graph, change, given, ())),)
        rows = given["rows"]
        assert isinstance(rows, list)
        if not 0 < len(rows) <= self.graph.limits.page:
            message = f"From 1 to {self.graph.limits.page} rows are taken at a time."
            return (Outcome(faults=(Fault(("rows",), Code.BAD_USER_INPUT, message),)),)
        drafts = [
            draft(self.graph, change, row, ("rows", str(number))) for number, row in enumerate(rows)
        ]
        return await self._many(transaction, change, drafts)

    async def _many(
        self, transaction: Transaction, change: Writes, drafts: Sequence[Draft]
    ) -> tuple[Outcome, ...]:
        """All at once, as they should be; one by one only where something is wrong with some."""
        if change.deed is not Deed.CREATE:
            seen: set[object] = set()
            for each in drafts:
                if each.first.key in seen:
                    message = "This record is in another row already."
                    each.faults.append(Fault((*each.first.path, "id"), "REPEATED", message))
                seen.add(each.first.key)
        good = [each for each in drafts if not each.faults]
        outcomes: dict[int, Outcome] = {
            id(each): Outcome(faults=tuple(each.faults)) for each in drafts if each.faults
        }
        if good:
            await transaction.keep("rows")
            try:
                well = not await self._attempt(transaction, good)
            except BadValue:
                well = False
            if not well:
                await transaction.undo("rows")
                for each in good:
                    outcomes[id(each)] = await self._alone(transaction, each)
            else:
                outcomes |= {id(each): Outcome(_there(each)) for each in good}
        return tuple(outcomes[id(each)] for each in drafts)

    async def _alone(self, transaction: Transaction, one: Draft) -> Outcome:
        """One row: it is written, or nothing of it is."""
        if one.faults:
            return Outcome(faults=tuple(one.faults))
        await transaction.keep("row")
        try:
            missing = await self._attempt(transaction, [one])
        except BadValue as error:
            await transaction.undo("row")
            return Outcome(faults=(await self._fault(transaction, one, error),))
        if not missing:
            return Outcome(_there(one))
        await transaction.undo("row")
        first = one.first
        faults = tuple(
            Fault((*step.path, "ifVersion"), "CONFLICT", _OUTDATED)
            if there
            else Fault((*step.path, "id"), "NOT_FOUND", _GONE)
            for step, there in missing
        )
        outdated = any(step is first and there for step, there in missing)
        return Outcome(
            faults=faults,
            conflict=first.key if outdated else None,
            version=first.version if outdated else None,
        )

    async def _attempt(
        self, transaction: Transaction, drafts: Sequence[Draft]
    ) -> list[tuple[Step, bool]]:
        """Write; answers the steps that were not, each with whether its record is there at all."""
        made = writing(self.graph, drafts)
        said = orjson.loads(await transaction.fetch(made.statement.text, made.arguments))
        missing: list[tuple[Step, bool]] = []
        for expected in made.expected:
            written = {str(key) for key in said[expected.name]}
            there = {str(key) for key in said.get(f".{expected.name}", ())}
            missing += [
                (step, str(step.key) in there)
                for step in expected.steps
                if str(step.key) not in written
            ]
        return missing

    async def _act(
        self, transaction: Transaction, acts: Acts, given: Mapping[str, object]
    ) -> Outcome:
        """A function of Postgres does it."""
        arguments: list[object] = []
        values: dict[str, object] = {}
        faults: list[Fault] = []
        for each in acts.function.arguments:
            value = given.get(each.name, each.default)
            assert each.scalar is not None
            read = ListOf(each.scalar.read) if each.array else each.scalar.read
            try:
                found = None if value is None else read(value)
                arguments.append(found)
                values[each.parameter] = found
            except FieldRefused as error:
                faults.append(Fault((each.name,), error.code, error.message))
            except ValueError as error:
                faults.append(Fault((each.name,), Code.BAD_USER_INPUT, str(error)))
        if not faults and acts.function.check is not None:
            try:
                acts.function.check(**values)
            except ValueError as error:
                faults.append(Fault((), Code.BAD_USER_INPUT, str(error)))
        if faults:
            return Outcome(faults=tuple(faults))
        await transaction.keep("row")
        version = given.get("ifVersion")
        if isinstance(version, int) and acts.table is not None:
            about = values[_parameter(acts)]
            now = orjson.loads(await transaction.fetch(locked(acts.table), (str(about),)))
            if now is not None and now != version:
                fault = Fault(("ifVersion",), "CONFLICT", _OUTDATED)
                return Outcome(faults=(fault,), conflict=about, version=version)
        try:
            key = await transaction.fetch(_call(acts), (*acts.words, *arguments))
        except BadValue as error:
            await transaction.undo("row")
            path = (error.column,) if error.column else ()
            return Outcome(faults=(Fault(path, _code(error), str(error)),))
        return Outcome(orjson.loads(key))

    async def _called(
        self, transaction: Transaction, function: str, arguments: Mapping[str, tuple[str, object]]
    ) -> object | Fault:
        """What a function answers that writes or refuses to."""
        types = [type_ for type_, _ in arguments.values()]
        values = [value for _, value in arguments.values()]
        await transaction.keep("row")
        try:
            said: object = orjson.loads(await transaction.fetch(called(function, types), values))
        except BadValue as error:
            await transaction.undo("row")
            return Fault((error.column,) if error.column else (), _code(error), str(error))
        return said

    async def _propose(
        self, transaction: Transaction, proposes: Proposes, given: Mapping[str, object]
    ) -> Outcome:
        """What would be written is kept for others to decide about."""
        made = draft(self.graph, Writes(Deed.UPDATE, proposes.written, proposes.payload), given, ())
        if not made.faults and not (made.first.values or made.steps[1:] or made.ties):
            made.faults.append(Fault((), "REQUIRED", "Nothing would be changed."))
        if made.faults:
            return Outcome(faults=tuple(made.faults))
        why = given.get("why")
        said = await self._called(
            transaction,
            proposes.function,
            {
                "type": ("text", proposes.written),
                "key": ("text", str(made.first.key)),
                "steps": ("jsonb", orjson.dumps(described(made), default=str)),
                "why": ("text", None if why is None else _cleaned(why)),
            },
        )
        return Outcome(faults=(said,)) if isinstance(said, Fault) else Outcome(said)

    async def _accept(
        self, transaction: Transaction, accepts: Accepts, given: Mapping[str, object]
    ) -> Outcome:
        """What was proposed is written, all of it or the part that was chosen."""
        try:
            key = accepts.id.read(given["id"])
        except FieldRefused as error:
            return Outcome(faults=(Fault(("id",), error.code, error.message),))
        type_ = accepts.key.type
        kept = await self._called(transaction, accepts.steps, {"id": (type_, key)})
        if isinstance(kept, Fault):
            return Outcome(faults=(kept,))
        assert isinstance(kept, dict)
        chosen = given.get("only")
        assert chosen is None or isinstance(chosen, list | tuple)
        made, nowhere = redrafted(self.graph, kept, None if chosen is None else set(chosen))
        if nowhere:
            message = f"Nothing was proposed at {', '.join(sorted(nowhere))[:200]}."
            return Outcome(faults=(Fault(("only",), "NOT_FOUND", message),))
        version = given.get("ifVersion")
        if isinstance(version, int):
            made.steps[0] = replace(made.first, version=version)
        outcome = await self._alone(transaction, made)
        if outcome.faults:
            return replace(outcome, key=None)
        whole, _ = redrafted(self.graph, kept, None)
        all_ = _size(made) == _size(whole)
        why = given.get("why")
        said = await self._called(
            transaction,
            accepts.decide,
            {
                "id": (type_, key),
                "status": ("text", "ACCEPTED" if all_ else "PARTLY_ACCEPTED"),
                "why": ("text", None if why is None else _cleaned(why)),
            },
        )
        return Outcome(faults=(said,)) if isinstance(said, Fault) else Outcome(said)

    # What Postgres refuses

    async def _fault(self, transaction: Transaction, one: Draft, error: BadValue) -> Fault:
        """Which field of an input is to blame for what Postgres refuses."""
        columns: list[str] = [error.column] if error.column else []
        message = str(error)
        if error.constraint and error.table:
            said = orjson.loads(await transaction.fetch(ABOUT, (error.constraint, error.table)))
            if said is not None:
                columns = said["columns"]
                message = said["comment"] or message
        ties = [tie.path for tie in one.ties if tie.linked.table == error.table]
        if ties:
            return Fault(_common(ties), _code(error), message)
        steps = [step for step in one.steps if step.written.table.name == error.table]
        step = steps[0] if steps else one.first
        if len(steps) > 1:
            # Which of several it is, Postgres does not say; but that it is one of these.
            inner = _common([step.path for step in steps])
            return Fault(inner, _code(error), message)
        code = _code(error)
        if step.owner is not None and step.owner.name in columns:
            return Fault((*one.first.path, "id"), "NOT_FOUND", _GONE)
        for column in columns:
            path = _field_of(step.written, column)
            if path:
                return Fault((*step.path, *path), code, message)
        if error.sqlstate == "23503" and not steps:
            # What still refers to it is no part of it.
            code = "IN_USE"
            message = "Other records still refer to this."
        return Fault(step.path, code, message)


_OUTDATED = "It has been changed since the version that you saw."
_GONE = "There is no such record here."

_CODES = {
    "23502": "REQUIRED",
    "23503": "NOT_FOUND",
    "23505": "TAKEN",
    "23514": "NOT_ALLOWED",
    "23P01": "OVERLAPS",
}


def _code(error: BadValue) -> str:
    if isinstance(error, RefusedValue):
        return "NOT_ALLOWED"
    return _CODES.get(error.sqlstate or "", str(Code.BAD_USER_INPUT))


def _call(acts: Acts) -> str:
    types = ["text"] * len(acts.words)
    for each in acts.function.arguments:
        assert each.scalar is not None
        types.append(f"{each.scalar.postgres}[]" if each.array else each.scalar.postgres)
    return called(acts.function.name, types)


def _parameter(acts: Acts) -> str:
    return next(each.parameter for each in acts.function.arguments if each.name == acts.about)


def _archives(change: Change) -> bool:
    return isinstance(change, Accepts) or (
        isinstance(change, Writes) and change.deed is not Deed.CREATE
    )


def _size(one: Draft) -> int:
    """How much a draft would write."""
    rows = sum(step.deed is not Deed.UPDATE for step in one.steps)
    return rows + sum(len(step.values) for step in one.steps) + len(one.ties)


def _there(one: Draft) -> object:
    """The key of what is there now."""
    return None if one.first.deed is Deed.ARCHIVE else one.first.key


def _together(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The outcomes of rows, of which none stays."""
    fault = Fault((), "ROLLED_BACK", "Nothing was done, since other rows could not be done.")
    return tuple(
        outcome if outcome.faults else replace(outcome, key=None, faults=(fault,))
        for outcome in outcomes
    )


def _field_of(written: Written, column: str) -> tuple[str, ...]:
    """The way to the field of an input that sets a column."""
    for name, field in written.fields.items():
        if isinstance(field, Slot) and field.column.name == column:
            return (name,)
        if isinstance(field, Slots):
            for inner, slot in field.slots.items():
                if slot.column.name == column:
                    return (name, inner)
    return ()


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """How far ways go together."""
    found: list[str] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return tuple(found)


def _settled(tree: Tree, variables: Variables) -> object:
    """An argument's value, now that there are variables."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {name: _settled(part, variables) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_settled(part, variables) for part in tree]
    return value_of(tree, variables)


def _cleaned(text: object) -> str:
    """A reason as the log can keep it."""
    return str(text).replace("\0", "").encode(errors="replace").decode()[:1000]
