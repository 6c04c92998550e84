"""What a record said before: the types that clients see of it."""

from __future__ import annotations

import inspect
from datetime import datetime

from resolvers.plan.history import DIFFERENCE, ENTRY
from schema.changes import ChangeOperation
from schema.entity import Language
from schema.scalars import JSON
from schema.shapes import FieldShape, Shapes, listed

_TEXT = """
Something that has happened to a record. What was changed is told by the fields that you may see;
what follows from elsewhere, or what only other records say, is not among it.
"""


def history_types(shapes: Shapes) -> None:
    """The types of lists of what has happened to a record."""
    text = shapes.optional(str)
    shapes.declared_enum(ChangeOperation)
    shapes.object_type(
        DIFFERENCE,
        "A field of which a record said something else afterwards.",
        {
            "field": FieldShape(
                str, "The name of the field; one inside a part has the part's before it, and a dot."
            ),
            "language": FieldShape(
                shapes.optional(Language), "The language of the text, if it is one in several."
            ),
            "old": FieldShape(
                shapes.optional(JSON), "What it said before; a record is told by its global id."
            ),
            "new": FieldShape(shapes.optional(JSON), "What it said after; null if it was removed."),
        },
    )
    shapes.object_type(
        ENTRY,
        inspect.cleandoc(_TEXT),
        {
            "at": FieldShape(datetime, "When."),
            "operation": FieldShape(ChangeOperation, "What has happened."),
            "actor": FieldShape(text, "Who did it; null where nobody said."),
            "role": FieldShape(text, "In which role."),
            "request": FieldShape(text, "In which request, or by which load."),
            "why": FieldShape(text, "Why; null where nobody said."),
            "version": FieldShape(
                shapes.optional(int),
                "The version of the record that this began; null where it ended, and from before "
                "versions were counted.",
            ),
            "differences": FieldShape(
                listed(shapes.required(DIFFERENCE)),
                "What was changed; nothing where it was added, as all of it was new.",
            ),
        },
    )
    edge = {
        "cursor": FieldShape(str, "Its place in this order, for `after` and `before`."),
        "node": FieldShape(shapes.required(ENTRY), "What has happened."),
    }
    shapes.object_type(f"{ENTRY}Edge", "Something that has happened, and its place.", edge)
    shapes.object_type(
        f"{ENTRY}Connection",
        "What has happened to a record, newest first, page by page.",
        {
            "edges": FieldShape(
                listed(shapes.required(f"{ENTRY}Edge")), "This page, with cursors."
            ),
            "nodes": FieldShape(listed(shapes.required(ENTRY)), "This page, without cursors."),
            "pageInfo": FieldShape(shapes.required("PageInfo"), "What lies around this page."),
            "totalCount": FieldShape(int, "How often anything has happened to it."),
        },
    )
