"""Before anything is timed, all servers have to answer alike: nobody is fast by saying less."""

from __future__ import annotations

import re
from datetime import datetime

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class DisagreementError(Exception):
    """Two servers answer the same question differently."""


def content(value: object) -> object:
    """What an answer says, without what servers may word as they like.

    Cursors are anybody's own. An alias `name__first` stands for a list of which the question means
    the first. An instant can be written with any number of zeros.

    >>> content({"status__first": [{"at": "2026-01-02T03:04:05.000+00:00"}], "endCursor": "x"})
    {'status': {'at': datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)}}
    """
    if isinstance(value, dict):
        said: dict[str, object] = {}
        for key, part in value.items():
            name, _, first = key.partition("__")
            if first == "first":
                assert isinstance(part, list)
                said[name] = content(part[0]) if part else None
            elif key != "endCursor":
                said[key] = content(part)
        return said
    if isinstance(value, list):
        return [content(part) for part in value]
    if isinstance(value, str) and _INSTANT.match(value):
        return datetime.fromisoformat(value)
    return value


def agree(one: object, other: object, path: str = "") -> None:
    """Raise, saying where, unless two contents are the same."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key, part in one.items():
            agree(part, other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, part in enumerate(one):
            agree(part, other[index], f"{path}[{index}]")
    elif one != other:
        raise DisagreementError(f"At {path}: {str(one)[:200]!r} is not {str(other)[:200]!r}.")
