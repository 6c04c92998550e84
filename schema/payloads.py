"""What comes of a change: the record as it is now, what stands in its way, and what was wrong."""

from __future__ import annotations

from collections.abc import Mapping

from db import mapping
from resolvers import graph
from resolvers.plan.history import DIFFERENCE
from resolvers.plan.outcome import CONFLICT, ERRORS, KEY
from schema.shapes import FieldShape, Shapes, listed, one_of

ERROR = "UserError"


class Payloads:
    """Makes payloads, one for each kind of record."""

    def __init__(self, shapes: Shapes, entities: Mapping[str, graph.Entity]) -> None:
        self.shapes = shapes
        self.entities = entities
        self.made: dict[str, graph.Entity] = {}

    def of(self, name: str) -> str:
        """The type of what came of a change of an entity."""
        payload, conflict = f"{name}Payload", f"{name}Conflict"
        if payload in self.made:
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
                f"That {one_of(name)} has been changed since the version that was asked for.",
                {
                    "current": FieldShape(shapes.required(name), "The record as it is now."),
                    "differences": FieldShape(
                        differences, "What it says now, and said in the version asked for."
                    ),
                },
            )
            self.made[conflict] = graph.Entity(
                conflict,
                table,
                {"current": graph.Part(name), "differences": graph.Differing(name)},
            )
        there["userErrors"] = errors
        shown["userErrors"] = FieldShape(
            listed(shapes.required(ERROR)), "Why it was not done; empty if it was."
        )
        shapes.object_type(payload, f"What came of a change of {one_of(name)}.", shown)
        none = mapping.Table("", mapping.Column(KEY, table.key.type), ())
        self.made[payload] = graph.Entity(payload, none, there)
        return payload
