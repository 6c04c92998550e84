"""Which field of an input is to blame for what Postgres refuses: constraints know their columns."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from db.constraints import ABOUT
from db.errors import BadValue, RefusedValue
from db.transaction import Transaction
from resolvers.errors import Code
from resolvers.graph import Slot, Slots, Written
from resolvers.plan.write import Draft, Fault

GONE = "There is no such record here."

_CODES = {
    "23502": "REQUIRED",
    "23503": "NOT_FOUND",
    "23505": "TAKEN",
    "23514": "NOT_ALLOWED",
    "23P01": "OVERLAPS",
}


async def blame(transaction: Transaction, one: Draft, error: BadValue) -> Fault:
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
        return Fault(_common(ties), code_of(error), message)
    steps = [step for step in one.steps if step.written.table.name == error.table]
    step = steps[0] if steps else one.first
    if len(steps) > 1:
        # Which of several it is, Postgres does not say; but that it is one of these.
        inner = _common([step.path for step in steps])
        return Fault(inner, code_of(error), message)
    code = code_of(error)
    if step.owner is not None and step.owner.name in columns:
        return Fault((*one.first.path, "id"), "NOT_FOUND", GONE)
    for column in columns:
        path = _field_of(step.written, column)
        if path:
            return Fault((*step.path, *path), code, message)
    if error.sqlstate == "23503" and not steps:
        # What still refers to it is no part of it.
        code = "IN_USE"
        others = (error.table or "other records").replace("_", " ")
        message = f"Others still refer to this: {others}."
    return Fault(step.path, code, message)


def code_of(error: BadValue) -> str:
    """What clients are told by the code of a fault."""
    if isinstance(error, RefusedValue):
        return "NOT_ALLOWED"
    return _CODES.get(error.sqlstate or "", str(Code.BAD_USER_INPUT))


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
