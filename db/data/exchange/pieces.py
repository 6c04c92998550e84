"""Nested objects taken apart: each becomes a piece of its own, with what it is inside of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from db.data.exchange.standard import BACK, LISTS, ONES
from db.data.identity import NAMESPACE

# A text of thirty pages is none that anybody reads here; and no index would take it.
LONGEST = 100_000
# A record that has more inside is an attack, or a whole directory by mistake.
MOST_PIECES = 100_000


@dataclass(slots=True)
class Piece:
    """An object of HSDS without what is inside of it."""

    entity: str
    key: UUID
    object: dict[str, Any]
    place: str
    parents: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that cannot be taken."""

    place: str
    entity: str
    field: str | None
    value: object
    reason: str
    message: str
    row_kept: bool = False


def key_of(source: str, entity: str, said: object) -> UUID:
    """Our id for an id of theirs: the same, if it is a UUID.

    >>> key_of("A", "phone", "1554F2E2-a373-45db-a3fa-9fc48a61c15e")
    UUID('1554f2e2-a373-45db-a3fa-9fc48a61c15e')
    >>> key_of("A", "phone", "7") == key_of("A", "phone", 7) != key_of("B", "phone", "7")
    True
    """
    text = str(said)
    if len(text) == 36:
        try:
            return UUID(text)
        except ValueError:
            pass
    return uuid5(NAMESPACE, f"{source}/{entity}/{text}")


def pieces(
    source: str, entity: str, place: str, found: Mapping[str, Any]
) -> Iterator[Piece | Problem]:
    """All objects in an object. One that is refused takes with it what is inside of it."""
    yield from _Taker(source).take(entity, place, "", found, None)


class _Taker:
    def __init__(self, source: str) -> None:
        self.source = source
        self.count = 0

    def take(
        self,
        entity: str,
        place: str,
        path: str,
        found: Mapping[str, Any],
        parent: tuple[str, UUID, object] | None,
    ) -> Iterator[Piece | Problem]:
        at = f"{place} {path}".strip()
        self.count += 1
        if self.count > MOST_PIECES:
            if self.count == MOST_PIECES + 1:
                message = f"nests more than {MOST_PIECES:,} objects; the rest is left out"
                yield Problem(at, entity, None, None, "INVALID", message)
            return
        said = found.get("id")
        if said is None and parent is None:
            yield Problem(at, entity, "id", None, "MISSING", "has no id")
            return
        if said is not None and (not isinstance(said, str | int) or not str(said).strip()):
            yield Problem(at, entity, "id", said, "INVALID", "is no id")
            return
        inner = {name for name, _, _ in (*LISTS[entity], *ONES[entity])}
        plain = {
            name: value for name, value in found.items() if name not in inner and value is not None
        }
        if not _takeable(plain):
            name = next(name for name, value in plain.items() if not _takeable({name: value}))
            message = "holds what no text can: NUL, or half a sign"
            yield Problem(at, entity, name, None, "INVALID", message)
            return
        long = next((n for n, v in plain.items() if isinstance(v, str) and len(v) > LONGEST), None)
        if long is not None:
            message = f"has more than {LONGEST:,} characters"
            yield Problem(at, entity, long, plain[long][:100], "INVALID", message)
            return
        if said is None:
            # Nobody gave it an id: it is known by what it says, and where.
            assert parent is not None
            text = json.dumps(plain, sort_keys=True)
            key = uuid5(NAMESPACE, f"{parent[1]}/{entity}/{text}")
        else:
            key = key_of(self.source, entity, said)
        piece = Piece(entity, key, plain, at)
        if parent is not None and parent[0]:
            plain.setdefault(parent[0], parent[2])
            piece.parents.add(parent[1])
        ones = []
        for name, other, by in ONES[entity]:
            far = found.get(name)
            if far is None:
                continue
            if not isinstance(far, dict):
                yield Problem(at, entity, name, far, "INVALID", "is no object", row_kept=True)
                continue
            if far.get("id") is not None:
                plain.setdefault(by, far["id"])
            ones.append((name, other, far))
        for by in BACK[entity]:
            if (to := plain.get(by)) is not None:
                piece.parents.add(key_of(self.source, _target(by, plain), to))
        yield piece
        for name, other, far in ones:
            inside = f"{path}.{name}" if path else name
            yield from self.take(other, place, inside, far, ("", key, said))
        for name, other, by in LISTS[entity]:
            listed = found.get(name)
            if listed is None:
                continue
            if not isinstance(listed, list):
                yield Problem(at, entity, name, listed, "INVALID", "is no list", row_kept=True)
                continue
            for index, each in enumerate(listed):
                inside = f"{path}.{name}[{index}]" if path else f"{name}[{index}]"
                if not isinstance(each, dict):
                    where = f"{place} {inside}"
                    yield Problem(where, other, None, each, "INVALID", "is no object")
                    continue
                yield from self.take(other, place, inside, each, (by, key, said or str(key)))


_TARGETS = {
    "organization_id": "organization",
    "service_id": "service",
    "service_at_location_id": "service_at_location",
    "location_id": "location",
    "contact_id": "contact",
    "phone_id": "phone",
}


def _target(by: str, plain: Mapping[str, Any]) -> str:
    """What a field leads to. Of an attribute, or what is told of a change, the object says it."""
    if by in _TARGETS:
        return _TARGETS[by]
    said = plain.get("link_entity" if by == "link_id" else "resource_type")
    return said if isinstance(said, str) and said in LISTS else "service"


def _takeable(found: Mapping[str, object]) -> bool:
    """Whether Postgres can keep all texts in an object."""
    text = json.dumps(found, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text.replace("\\\\", "")
