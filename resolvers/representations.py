"""Representations: how others name an entity of ours, by its type and one of its keys.

`{"__typename": "Place", "id": "Place:7"}` and `{"__typename": "Place", "code": "SEVEN"}` are two
names of one thing. A name that says nothing is remembered with the reason, so that one of them
spoils its own answer and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resolvers.errors import Code
from resolvers.graph import Entities, Id, Leaf

ANY = "_Any"
"""The scalar that a representation travels as."""


@dataclass(frozen=True, slots=True)
class Representation:
    """An entity by one of its keys; `kind` says which type and key, `Place.code` for example."""

    kind: str
    key: str
    refusal: tuple[Code, str] | None = None


def read(source: Entities, value: object) -> Representation:
    """What somebody sent, read. It never fails: what is wrong with it is a part of the result."""
    if not isinstance(value, Mapping):
        return _refused("A representation is an object with a `__typename` and a key.")
    name = value.get("__typename")
    if not isinstance(name, str):
        return _refused("A representation needs a `__typename`.")
    if name in source.abstract:
        name = str(value.get("id")).partition(":")[0]
    keys = source.keys.get(name)
    if keys is None:
        return _refused("No entity of this type is known here.")
    for field, known in keys.items():
        given = value.get(field)
        if given is not None:
            return _named(name, field, known, given)
    return _refused(f"A representation of {name} needs one of its keys: {', '.join(keys)}.")


def _named(name: str, field: str, known: Id | Leaf, given: object) -> Representation:
    wrong = f"This is not the {field} of a {name}."
    if not isinstance(given, str):
        return _refused(wrong)
    key = given
    if isinstance(known, Id):
        kind, colon, key = given.partition(":")
        if not colon or kind != name:
            return _refused(wrong)
    try:
        return Representation(f"{name}.{field}", str(known.scalar.read(key)))
    except ValueError:
        return _refused(wrong)


def _refused(message: str) -> Representation:
    return Representation("", "", (Code.BAD_REPRESENTATION, message))
