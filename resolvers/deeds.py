"""What a root field of a mutation asks for is done: rows are written, or a function acts.

Each row is written whole or not at all. What Postgres refuses is undone up to the place that was
noted before, so that the transaction goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from db.errors import BadValue
from db.transaction import Transaction
from db.writing import called, locked
from resolvers.blame import GONE, blame, code_of
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Accepts, Acts, Change, Deed, Graph, Proposes, Writes
from resolvers.plan.context import ListOf
from resolvers.plan.outcome import Outcome
from resolvers.plan.propose import described, redrafted
from resolvers.plan.write import Draft, Fault, Step, draft, writing

_OUTDATED = "It has been changed since the version that you saw."


class Deeds:
    """Does what root fields ask for, in one transaction."""

    def __init__(self, graph: Graph, transaction: Transaction) -> None:
        self.graph = graph
        self.transaction = transaction

    async def done(self, change: Change, given: Mapping[str, object]) -> tuple[Outcome, ...]:
        """What came of it: an outcome, or one for each row."""
        if isinstance(change, Acts):
            return (await self._act(change, given),)
        if isinstance(change, Proposes):
            return (await self._propose(change, given),)
        if isinstance(change, Accepts):
            return (await self._accept(change, given),)
        if not change.many:
            return (await self._alone(draft(self.graph, change, given, ())),)
        rows = given["rows"]
        assert isinstance(rows, list)
        if not 0 < len(rows) <= self.graph.limits.page:
            message = f"From 1 to {self.graph.limits.page} rows are taken at a time."
            return (Outcome(faults=(Fault(("rows",), Code.BAD_USER_INPUT, message),)),)
        drafts = [
            draft(self.graph, change, row, ("rows", str(number))) for number, row in enumerate(rows)
        ]
        return await self._many(change, drafts)

    async def _many(self, change: Writes, drafts: Sequence[Draft]) -> tuple[Outcome, ...]:
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
            await self.transaction.keep("rows")
            try:
                well = not await self._attempt(good)
            except BadValue:
                well = False
            if not well:
                await self.transaction.undo("rows")
                for each in good:
                    outcomes[id(each)] = await self._alone(each)
            else:
                outcomes |= {id(each): Outcome(_there(each)) for each in good}
        return tuple(outcomes[id(each)] for each in drafts)

    async def _alone(self, one: Draft) -> Outcome:
        """One row: it is written, or nothing of it is."""
        if one.faults:
            return Outcome(faults=tuple(one.faults))
        await self.transaction.keep("row")
        try:
            missing = await self._attempt([one])
        except BadValue as error:
            await self.transaction.undo("row")
            return Outcome(faults=(await blame(self.transaction, one, error),))
        if not missing:
            return Outcome(_there(one))
        await self.transaction.undo("row")
        first = one.first
        faults = tuple(
            Fault((*step.path, "ifVersion"), "CONFLICT", _OUTDATED)
            if there
            else Fault((*step.path, "id"), "NOT_FOUND", GONE)
            for step, there in missing
        )
        outdated = any(step is first and there for step, there in missing)
        return Outcome(
            faults=faults,
            conflict=first.key if outdated else None,
            version=first.version if outdated else None,
        )

    async def _attempt(self, drafts: Sequence[Draft]) -> list[tuple[Step, bool]]:
        """Write; answers the steps that were not, each with whether its record is there at all."""
        made = writing(self.graph, drafts)
        said = orjson.loads(await self.transaction.fetch(made.statement.text, made.arguments))
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

    async def _act(self, acts: Acts, given: Mapping[str, object]) -> Outcome:
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
        version = given.get("ifVersion")
        if isinstance(version, int) and acts.table is not None:
            about = values[_parameter(acts)]
            now = orjson.loads(await self.transaction.fetch(locked(acts.table), (str(about),)))
            if now is not None and now != version:
                fault = Fault(("ifVersion",), "CONFLICT", _OUTDATED)
                return Outcome(faults=(fault,), conflict=about, version=version)
        words = [("text", word) for word in acts.words]
        said = await self._called(
            acts.function.name, *words, *zip(_types(acts), arguments, strict=True)
        )
        return _answered(said)

    async def _called(self, function: str, *arguments: tuple[str, object]) -> object | Fault:
        """What a function answers that writes or refuses to, given values each with its type."""
        types = [type_ for type_, _ in arguments]
        values = [value for _, value in arguments]
        await self.transaction.keep("row")
        try:
            said: object = orjson.loads(
                await self.transaction.fetch(called(function, types), values)
            )
        except BadValue as error:
            await self.transaction.undo("row")
            return Fault((error.column,) if error.column else (), code_of(error), str(error))
        return said

    async def _propose(self, proposes: Proposes, given: Mapping[str, object]) -> Outcome:
        """What would be written is kept for others to decide about."""
        made = draft(self.graph, Writes(Deed.UPDATE, proposes.written, proposes.payload), given, ())
        if not made.faults and not (made.first.values or made.steps[1:] or made.ties):
            made.faults.append(Fault((), "REQUIRED", "Nothing would be changed."))
        if made.faults:
            return Outcome(faults=tuple(made.faults))
        why = given.get("why")
        said = await self._called(
            proposes.function,
            ("text", proposes.written),
            ("text", str(made.first.key)),
            ("jsonb", orjson.dumps(described(made), default=str)),
            ("text", None if why is None else plain(why)),
        )
        return _answered(said)

    async def _accept(self, accepts: Accepts, given: Mapping[str, object]) -> Outcome:
        """What was proposed is written, all of it or the part that was chosen."""
        try:
            key = accepts.id.read(given["id"])
        except FieldRefused as error:
            return Outcome(faults=(Fault(("id",), error.code, error.message),))
        type_ = accepts.key.type
        kept = await self._called(accepts.steps, (type_, key))
        if isinstance(kept, Fault):
            return Outcome(faults=(kept,))
        assert isinstance(kept, dict)
        chosen = given.get("only")
        assert chosen is None or isinstance(chosen, list | tuple)
        whole, _ = redrafted(self.graph, kept, None)
        if not whole.steps:
            message = "Nothing of this can be written by hand."
            return Outcome(faults=(Fault((), "NOT_ALLOWED", message),))
        made, nowhere = redrafted(self.graph, kept, None if chosen is None else set(chosen))
        if nowhere:
            message = f"Nothing was proposed at {', '.join(sorted(nowhere))[:200]}."
            return Outcome(faults=(Fault(("only",), "NOT_FOUND", message),))
        version = given.get("ifVersion")
        if isinstance(version, int):
            made.steps[0] = replace(made.first, version=version)
        outcome = await self._alone(made)
        if outcome.faults:
            return replace(outcome, key=None)
        all_ = _size(made) == _size(whole)
        why = given.get("why")
        said = await self._called(
            accepts.decide,
            (type_, key),
            ("text", "ACCEPTED" if all_ else "PARTLY_ACCEPTED"),
            ("text", None if why is None else plain(why)),
        )
        return _answered(said)


def _answered(said: object | Fault) -> Outcome:
    """What came of it, by what a function answers: a key, or why not."""
    return Outcome(faults=(said,)) if isinstance(said, Fault) else Outcome(said)


def _types(acts: Acts) -> list[str]:
    """What Postgres is told of the arguments."""
    types = []
    for each in acts.function.arguments:
        assert each.scalar is not None
        types.append(f"{each.scalar.postgres}[]" if each.array else each.scalar.postgres)
    return types


def _parameter(acts: Acts) -> str:
    return next(each.parameter for each in acts.function.arguments if each.name == acts.about)


def _size(one: Draft) -> int:
    """How much a draft would write."""
    rows = sum(step.deed is not Deed.UPDATE for step in one.steps)
    return rows + sum(len(step.values) for step in one.steps) + len(one.ties)


def _there(one: Draft) -> object:
    """The key of what is there now."""
    return None if one.first.deed is Deed.ARCHIVE else one.first.key


def plain(text: object) -> str:
    """A reason as the log can keep it."""
    return str(text).replace("\0", "").encode(errors="replace").decode()[:1000]
