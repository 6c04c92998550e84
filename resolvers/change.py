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

from db.database import Database
from db.errors import Contended
from db.transaction import Transaction
from db.writing import CALLED, CLAIM, KEEP, WHY
from resolvers.deeds import Deeds, plain
from resolvers.errors import Code
from resolvers.graph import (
    Accepts,
    Acts,
    Change,
    Deed,
    Graph,
    Writes,
)
from resolvers.plan.context import Bound
from resolvers.plan.outcome import OUTCOME, Outcome, Reading
from resolvers.plan.plan import Plan
from resolvers.plan.values import Lookout, Tree, Variables, value_of
from resolvers.plan.write import Fault

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
        dry = given.get("dryRun") is True and not _runs_dry(reading.change)
        key = given.get("idempotencyKey")
        if isinstance(key, str) and not dry:
            kept = await self._claim(transaction, reading, given, key)
            if kept is not None:
                return kept
        said = (plain(given.get("why") or ""), "on" if _archives(reading.change) else "off")
        if said != self.said:
            await transaction.fetch(WHY, said)
            self.said = said
        if dry:
            await transaction.keep("field")
        outcomes = await Deeds(self.graph, transaction).done(reading.change, given)
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


def _runs_dry(change: Change) -> bool:
    """Whether a function is told itself that it is to be a dry run: what it does then stays."""
    return isinstance(change, Acts) and any(
        argument.name == "dryRun" for argument in change.function.arguments
    )


def _archives(change: Change) -> bool:
    return isinstance(change, Accepts) or (
        isinstance(change, Writes) and change.deed is not Deed.CREATE
    )


def _together(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The outcomes of rows, of which none stays."""
    fault = Fault((), "ROLLED_BACK", "Nothing was done, since other rows could not be done.")
    return tuple(
        outcome if outcome.faults else replace(outcome, key=None, faults=(fault,))
        for outcome in outcomes
    )


def _settled(tree: Tree, variables: Variables) -> object:
    """An argument's value, now that there are variables."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {name: _settled(part, variables) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_settled(part, variables) for part in tree]
    return value_of(tree, variables)
