"""Declarations are checked before anything is made of them: a slip is told by its own name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from enum import Enum

from schema.arguments import derived_arguments
from schema.entity import DeclarationError, Language, hop
from schema.scalars import SCALARS
from schema.shapes import Entity, Shape


def check(
    declared: Mapping[str, Entity],
    values: Mapping[str, Entity],
    interfaces: Mapping[str, Sequence[Shape]],
) -> None:
    """Raise DeclarationError for the first entity or value that cannot be what it says it is."""
    for value in values.values():
        if any(shape.key for shape in value.fields):
            raise DeclarationError(f"{value.name} has an 'id', so it is an entity.")
        _check(value, {**declared, **values})
    for entity in declared.values():
        if not any(shape.key for shape in entity.fields):
            raise DeclarationError(f"{entity.name} has no field 'id'.")
        _check(entity, {**declared, **values})
        for name in entity.declaration.implements:
            _check_interface(entity, name, interfaces)


def _check(entity: Entity, known: Mapping[str, Entity]) -> None:
    columns = {shape.column for shape in entity.fields if shape.column}
    columns |= {name for shape in entity.fields for name in (shape.localized or {}).values()}
    for name in entity.declaration.order:
        if name.removeprefix("-") not in columns:
            raise DeclarationError(
                f"{entity.name} is ordered by {name!r}, a column that no field of it has."
            )
    _check_near(entity, known)
    for shape in entity.fields:
        _check_field(entity, shape, known)


def _check_near(entity: Entity, known: Mapping[str, Entity]) -> None:
    said = entity.declaration
    if said.position is None and (said.place or said.everywhere):
        raise DeclarationError(f"{entity.name} has a place, but no position there.")
    for text in said.everywhere:
        hop(text)
    if said.place:
        end = [hop(text) for text in said.place][-1]
        keys = {(other.declaration.table, other.declaration.key) for other in known.values()}
        if (end.table, end.remote) not in keys:
            raise DeclarationError(
                f"The place of {entity.name} is a record, and {end.remote!r} is no key of "
                f"{end.table!r}."
            )


def _check_field(entity: Entity, shape: Shape, declared: Mapping[str, Entity]) -> None:
    place = f"{entity.name}.{shape.attribute}"
    if shape.part:
        target = declared.get(shape.target or "")
        if target is None or not target.is_value:
            raise DeclarationError(f"{place} is a part, so its type is a value.")
        if entity.large and not target.large:
            raise DeclarationError(f"{place} is a part of a large table; say so of {target.name}.")
    elif shape.facet is not None:
        if shape.target not in declared:
            raise DeclarationError(f"{place} is made of {shape.target}, which is no value.")
    elif shape.wording is not None or shape.past:
        pass  # made by us, of a text that is checked itself
    elif shape.localized is not None:
        _check_localized(place, entity, shape)
    elif shape.derived is not None:
        _check_derived(place, shape, declared)
        if shape.derived.where and entity.is_value:
            raise DeclarationError(f"{place} names the rows where it is true, which have no key.")
    elif shape.relation is not None:
        _check_relation(place, shape, declared)
    elif shape.target is not None:
        raise DeclarationError(f"{place} leads to {shape.target}; say how, with join or many.")
    elif shape.computed is not None:
        known = {field.attribute for field in entity.fields if field.column}
        for name, parameter in inspect.signature(shape.computed).parameters.items():
            if parameter.kind is not parameter.KEYWORD_ONLY and name not in known:
                raise DeclarationError(f"{place} is computed of {name!r}, which is no column.")
    elif not _is_value(shape.python):
        raise DeclarationError(f"{place} is of a type that no column has: {shape.python}.")


def _check_localized(place: str, entity: Entity, shape: Shape) -> None:
    if shape.python is not str or shape.array:
        raise DeclarationError(f"{place} is in several languages, so it is a text.")
    if len(shape.localized or {}) == 1 and entity.declaration.translated is None:
        raise DeclarationError(f"{place} is in one language only.")
    if entity.large and (shape.filterable or shape.orderable):
        raise DeclarationError(f"{place} is in several languages: no index serves that.")


def _check_derived(place: str, shape: Shape, declared: Mapping[str, Entity]) -> None:
    for item in derived_arguments(shape):
        if item.python is Language and item.default is not None:
            raise DeclarationError(f"{place} needs no default: the request has a language.")
    if shape.target is not None:
        if shape.target not in declared:
            raise DeclarationError(f"{place} is made of {shape.target}, which is no value.")
        return
    if not _is_value(shape.python):
        raise DeclarationError(f"{place} is of a type that no function has: {shape.python}.")
    if shape.derived is not None and shape.derived.where and shape.python is not bool:
        raise DeclarationError(f"{place} names the rows where it is true, but is not a truth.")
    if shape.derived and shape.derived.among and not issubclass(shape.python, Enum):
        raise DeclarationError(f"{place} asks whether it is among some words, and has no words.")
    required = [item for item in derived_arguments(shape) if not item.nullable]
    if required and (shape.orderable or shape.group):
        raise DeclarationError(f"{place} has no value to order or group by without an argument.")
    if required and shape.filterable and (shape.python is not bool or len(required) != 1):
        raise DeclarationError(f"{place} can be a filter only as the truth for one argument.")


def _check_relation(place: str, shape: Shape, declared: Mapping[str, Entity]) -> None:
    assert shape.relation is not None
    target = declared.get(shape.target or "")
    if target is None:
        raise DeclarationError(f"{place} leads to {shape.target}, which is no entity.")
    hops = shape.relation.hops
    if not hops:
        raise DeclarationError(f"{place} has no hops.")
    if len(hops) == 1 and " = " not in hops[0]:
        return
    table = hop(hops[-1]).table
    # A view is called after the table of which it shows a part: current_statuses.
    if not table.endswith(target.declaration.table):
        raise DeclarationError(
            f"{place} leads to {target.name}, whose table is {target.declaration.table!r}, "
            f"but its last hop ends in {table!r}."
        )


def _check_interface(entity: Entity, name: str, interfaces: Mapping[str, Sequence[Shape]]) -> None:
    if name not in interfaces:
        raise DeclarationError(f"{entity.name} implements {name}, which is no interface.")
    own = {shape.attribute: shape for shape in entity.fields}
    for promised in interfaces[name]:
        shape = own.get(promised.attribute)
        if shape is None:
            raise DeclarationError(
                f"{entity.name} implements {name} without a field {promised.attribute!r}."
            )
        if _type_of(shape) != _type_of(promised):
            raise DeclarationError(
                f"{entity.name}.{promised.attribute} is not of the type that {name} promises."
            )


def _type_of(shape: Shape) -> tuple[object, ...]:
    return (shape.python, shape.target, shape.to_one, shape.array, shape.nullable)


def _is_value(python: object) -> bool:
    return isinstance(python, type) and (issubclass(python, Enum) or python in SCALARS)
