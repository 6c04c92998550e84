"""A draft becomes JSON that somebody else decides about, and a draft again when they have.

What is kept is what would be written, row by row and column by column, each with the path in the
input that it came from: by these paths a part of it is chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from db.mapping import Column
from resolvers.graph import Deed, Graph, Linked, Owned, Slot, Slots, Written
from resolvers.plan.context import KeyOf
from resolvers.plan.write import Draft, Step, Tie


def described(draft: Draft) -> dict[str, object]:
    """All that a draft would write."""
    return {
        "steps": [_step(step) for step in draft.steps],
        "ties": [_tie(tie) for tie in draft.ties],
    }


def _step(step: Step) -> dict[str, object]:
    written = step.written
    names = {slot.column.name: (field, slot) for field, slot in _slots(written)}
    return {
        "deed": step.deed.value,
        "type": written.entity,
        "table": written.table.name,
        "key_column": written.table.key.name,
        "key": str(step.key),
        "path": step.path,
        "version": step.version,
        "owner": None if step.owner is None else step.owner.name,
        "owner_key": None if step.owner is None else str(step.owner_key),
        "values": {
            names[column.name][0]: {
                "column": column.name,
                "value": value,
                "form": _form(names[column.name][1]),
            }
            for column, value in step.values.items()
        },
    }


def _tie(tie: Tie) -> dict[str, object]:
    return {
        "table": tie.linked.table,
        "near": tie.linked.near,
        "key": str(tie.key),
        "far": str(tie.far),
        "form": _id(tie.linked.scalar.read),
        "field": next((part for part in reversed(tie.path) if not part.isdigit()), ""),
        "there": tie.there,
        "path": tie.path,
    }


def redrafted(
    graph: Graph, kept: Mapping[str, Any], chosen: Collection[str] | None
) -> tuple[Draft, set[str]]:
    """The draft again, or only what is below the paths chosen; and the paths that lead nowhere."""
    made = Draft()
    left = set(chosen or ())

    def wanted(path: str) -> bool:
        if chosen is None:
            return True
        hits = {each for each in chosen if path == each or path.startswith(f"{each}.")}
        left.difference_update(hits)
        return bool(hits)

    by_table = {written.table.name: written for written in graph.written.values()}
    for each in kept["steps"]:
        written = by_table.get(each["table"])
        if written is None:
            continue  # of what cannot be written by hand, only a feed can say anything
        deed = Deed(each["deed"])
        columns = {slot.column.name: slot.column for _, slot in _slots(written)}
        path = ".".join(each["path"])
        values: dict[Column, object] = {
            columns[value["column"]]: value["value"]
            for field, value in each["values"].items()
            if value["column"] in columns
            if deed is Deed.CREATE or wanted(f"{path}.{field}" if path else field)
        }
        # The first is what all the others belong to; of what is only changed, something has to be.
        if made.steps and not (values if deed is Deed.UPDATE else wanted(path)):
            continue
        made.steps.append(
            Step(
                deed,
                written,
                each["key"],
                tuple(each["path"]),
                values,
                owner=_owner(graph, written, each["owner"]),
                owner_key=each["owner_key"],
            )
        )
    for each in kept["ties"]:
        if wanted(".".join(each["path"])):
            linked, near = _linked(graph, each["table"], each["near"])
            path_ = tuple(each["path"])
            made.ties.append(Tie(linked, near, each["key"], each["far"], each["there"], path_))
    return made, left


def _slots(written: Written) -> list[tuple[str, Slot]]:
    """Which field sets which column; one inside a part has the part's name before it."""
    found: list[tuple[str, Slot]] = []
    for name, field in written.fields.items():
        if isinstance(field, Slot):
            found.append((name, field))
        elif isinstance(field, Slots):
            found += [(f"{name}.{inner}", slot) for inner, slot in field.slots.items()]
    return found


def _linked(graph: Graph, table: str, near: str) -> tuple[Linked, Column]:
    for written in graph.written.values():
        for field in written.fields.values():
            if isinstance(field, Linked) and (field.table, field.near) == (table, near):
                return field, written.table.key
    raise KeyError(table)


def _owner(graph: Graph, child: Written, name: str | None) -> Column | None:
    for written in graph.written.values():
        for field in written.fields.values():
            if isinstance(field, Owned) and (field.written, field.owner.name) == (
                child.entity,
                name,
            ):
                return field.owner
    return None


def _form(slot: Slot) -> str:
    """How the value is told to clients; `spelled` in the migrations knows these."""
    if slot.column.array:
        return ""
    return "timestamptz" if slot.column.type == "timestamptz" else _id(slot.scalar.read)


def _id(read: object) -> str:
    return f"{read.type_name}:" if isinstance(read, KeyOf) else ""
