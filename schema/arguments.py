"""Filters, orders, aggregates and groups, derived from the entities.

Names follow from what they are for: InstitutionFilter, InstitutionOrder, InstitutionAggregate,
InstitutionGroup, InstitutionGroupKey, and InstitutionRelationFilter for `some`, `none`, `every`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from schema.entity import ID
from schema.shapes import (
    Entity,
    FieldShape,
    Given,
    Shape,
    Shapes,
    listed,
    read_argument,
    read_given,
)

_ORDERED = (int, float, date, datetime, time)
_MEASURED = {int: "Int", float: "Float", date: "Date", datetime: "DateTime"}


class SortDirection(Enum):
    """Which way to sort. Null sorts as if it were larger than every value."""

    ASC = "ASC"
    """Smallest first; null last."""
    DESC = "DESC"
    """Largest first; null first."""


def filters(shapes: Shapes, entity: Entity) -> None:
    """The filter of an entity, and the one that other entities' lists of it have."""
    name = f"{entity.name}Filter"
    own: dict[str, FieldShape] = {
        "and": FieldShape(shapes.list_of(name), "All of these hold."),
        "or": FieldShape(shapes.list_of(name), "At least one of these holds."),
        "not": FieldShape(
            shapes.ref(name), "This does not hold; where a value is unknown it does not, either."
        ),
    }
    for field in entity.fields:
        asked = required(field)
        if field.filterable and asked:
            annotation = taken(shapes, asked[0])
            own[field.name] = FieldShape(shapes.optional(annotation), field.description)
        elif field.filterable and field.derived is not None and field.derived.where:
            rest = "As a filter, false keeps all others."
            own[field.name] = FieldShape(shapes.optional(bool), f"{field.description} {rest}")
        elif field.filterable:
            operators = _operators(shapes, field.python, field)
            also = " It is looked for in both languages." if field.localized else ""
            own[field.name] = FieldShape(operators, field.description + also)
        elif field.part:
            if _filterable(shapes.entities[field.target or ""]):
                own[field.name] = FieldShape(shapes.ref(f"{field.target}Filter"), field.description)
        elif field.target is not None and field.relation is not None:
            related = f"{field.target}Filter" if field.to_one else f"{field.target}RelationFilter"
            own[field.name] = FieldShape(shapes.ref(related), field.description)
    shapes.input_type(
        name, f"Which {entity.plural} to keep: all of the given conditions hold.", own
    )
    quantified = {
        "some": "At least one of them matches.",
        "none": "None of them matches.",
        "every": "All of them match; so it is if there are none.",
    }
    shapes.input_type(
        f"{entity.name}RelationFilter",
        f"A condition on the {entity.plural} that belong to a record.",
        {
            word: FieldShape(shapes.ref(name), description)
            for word, description in quantified.items()
        },
    )


def _filterable(entity: Entity) -> bool:
    return any(field.filterable or field.relation is not None for field in entity.fields)


def derived_arguments(field: Shape) -> Iterator[Given]:
    """What the function behind a field is asked with."""
    if field.derived is not None:
        for name, said in field.derived.arguments.items():
            yield read_argument(name, said.annotation, said.description, said.default)


def required(field: Shape) -> list[Given]:
    """What the function behind a field cannot do without."""
    return [item for item in derived_arguments(field) if not item.nullable]


def taken(shapes: Shapes, item: Given) -> object:
    """The type of an argument; an input object is made the first time it is needed."""
    annotation: Any = item.python
    if hasattr(annotation, "__given__"):
        annotation = _given(shapes, annotation)
    elif hasattr(annotation, "__entity__"):
        annotation = ID
    elif issubclass(annotation, Enum):
        shapes.declared_enum(annotation)
    if item.array:
        annotation = listed(annotation)
    return shapes.optional(annotation) if item.nullable else annotation


def _given(shapes: Shapes, cls: type) -> type:
    if cls.__name__ not in shapes.classes:
        fields = {
            item.name: FieldShape(taken(shapes, item), item.description)
            for item in read_given(cls, shapes.known)
        }
        shapes.input_type(cls.__name__, inspect.cleandoc(cls.__doc__ or ""), fields)
    return shapes.required(cls.__name__)


def _operators(shapes: Shapes, python: type, field: Shape) -> object:
    """The filter type of a kind of value, made the first time it is needed."""
    base = "ID" if field.key else python.__name__ if issubclass(python, Enum) else _NAMES[python]
    if field.array:
        name = f"{base}ListFilter"
        operators: dict[str, tuple[Any, str]] = {
            "has": (python, "The list has this item."),
            "hasSome": (listed(python), "The list has at least one of these items."),
            "hasEvery": (listed(python), "The list has all of these items."),
        }
        description = f"A condition on a list of {base} values."
    else:
        value: Any = ID if field.key else python
        searched = "Search" if field.search else ""
        null = "OrNull" if field.nullable else ""
        name = f"{base}{searched}{null}Filter"
        operators = {
            "eq": (value, "It equals this."),
            "in": (listed(value), "It is one of these; an empty list matches nothing."),
        }
        if python in _ORDERED and not field.key:
            operators |= {
                "lt": (value, "It is less than this."),
                "lte": (value, "It is at most this."),
                "gt": (value, "It is greater than this."),
                "gte": (value, "It is at least this."),
            }
        if field.search:
            operators |= {
                "contains": (value, "It contains this, in capitals or not."),
                "startsWith": (value, "It starts with this, in capitals or not."),
            }
        if field.nullable:
            operators["isNull"] = (bool, "Whether it is unknown.")
        description = f"A condition on a value of type {base}."
    fields = {
        operator: FieldShape(shapes.optional(type_), text)
        for operator, (type_, text) in operators.items()
    }
    return shapes.input_type(name, description, fields)


_NAMES: dict[type, str] = {
    str: "String",
    int: "Int",
    float: "Float",
    bool: "Boolean",
    date: "Date",
    datetime: "DateTime",
    time: "Time",
}


def orders(shapes: Shapes, entity: Entity) -> bool:
    """The order of an entity; False if it has none but its own."""
    fields = dict(_steps(shapes, entity))
    if fields:
        description = f"One step of an order of {entity.plural}: exactly one field."
        shapes.input_type(f"{entity.name}Order", description, fields, one_of=True)
    return bool(fields)


def _steps(shapes: Shapes, entity: Entity) -> Iterator[tuple[str, FieldShape]]:
    direction = shapes.optional(SortDirection)
    for field in entity.fields:
        if field.orderable:
            also = " In the language of the request." if field.localized else ""
            yield field.name, FieldShape(direction, field.description + also)
        elif field.part:
            if shapes.has_order(field.target):
                yield (
                    field.name,
                    FieldShape(shapes.ref(f"{field.target}Order"), field.description),
                )
        elif field.relation is None or entity.large:
            continue
        elif field.to_one:
            if shapes.has_order(field.target):
                yield (
                    field.name,
                    FieldShape(shapes.ref(f"{field.target}Order"), field.description),
                )
        else:
            count = shapes.input_type(
                "CountOrder",
                "An order by how many there are.",
                {"count": FieldShape(direction, "By their number.")},
                one_of=True,
            )
            yield field.name, FieldShape(count, field.description)


def aggregates(shapes: Shapes, entity: Entity) -> None:
    """Numbers about many rows: their count and, of what can be measured, its statistics."""
    count = {"count": FieldShape(int, f"How many {entity.plural} there are.")}
    measured = _measured(shapes, entity)
    if entity.is_value:
        if measured:
            shapes.object_type(
                f"{entity.name}Aggregate", f"Numbers about the {entity.plural} of many.", measured
            )
        return
    shapes.object_type(
        f"{entity.name}Aggregate", f"Numbers about {entity.plural}.", {**count, **measured}
    )
    keys = {name: field for name, field, _ in groups(shapes, entity)}
    if not keys:
        return
    shapes.enum_type(
        f"{entity.name}GroupBy",
        f"What {entity.plural} can be grouped by.",
        {name: field.description for name, field in keys.items()},
    )
    shapes.object_type(
        f"{entity.name}GroupKey",
        f"What the {entity.plural} of a group have in common; null where not grouped by it.",
        {
            name: FieldShape(
                shapes.optional(shapes.ref(field.target) if field.target else field.python),
                field.description,
            )
            for name, field in keys.items()
        },
    )
    shapes.object_type(
        f"{entity.name}Group",
        f"A group of {entity.plural}.",
        {
            "key": FieldShape(
                shapes.required(f"{entity.name}GroupKey"), "What they have in common."
            ),
            "count": FieldShape(int, "How many they are."),
            "aggregate": FieldShape(
                shapes.required(f"{entity.name}Aggregate"), "Numbers about them."
            ),
        },
    )


def _measured(shapes: Shapes, entity: Entity) -> dict[str, FieldShape]:
    """What of an entity, and of its parts, has a smallest, a largest or a mean."""
    found = {}
    for field in entity.fields:
        if field.measurable:
            annotation = _statistics(shapes, field.python)
        elif field.part and _measured(shapes, shapes.entities[field.target or ""]):
            annotation = shapes.required(f"{field.target}Aggregate")
        else:
            continue
        found[field.name] = FieldShape(annotation, field.description)
    return found


def groups(shapes: Shapes, entity: Entity) -> Iterator[tuple[str, Shape, Entity]]:
    """The keys that rows can be grouped by; those of a part are called after the part, too."""
    for field in entity.fields:
        if field.group is not None:
            yield field.group, field, entity
        elif field.part:
            assert field.target is not None
            for name, inner, owner in groups(shapes, shapes.entities[field.target]):
                yield field.name + name[0].upper() + name[1:], inner, owner


def _statistics(shapes: Shapes, python: type) -> object:
    name = _MEASURED[python]
    fields = {
        "min": FieldShape(shapes.optional(python), "The smallest; null if there is none."),
        "max": FieldShape(shapes.optional(python), "The largest; null if there is none."),
    }
    if python in (int, float):
        fields |= {
            "avg": FieldShape(shapes.optional(float), "The mean; null if there is none."),
            "sum": FieldShape(shapes.optional(float), "The sum; null if there is none."),
        }
    return shapes.object_type(f"{name}Statistics", f"Statistics of values of type {name}.", fields)
