"""An Accept-Language header becomes the one language we answer in, or none."""

from __future__ import annotations

import re
from functools import lru_cache

from schema.entity import Language

LONGEST = 1000
"""A header of more bytes than this asks for nothing; those of browsers have less than 200."""

# A range with its quality, such as `es-MX;q=0.8` (RFC 9110, 12.5.4 and 12.4.2; RFC 4647, 2.1).
_RANGE = re.compile(
    rb"[ \t]*(?P<name>\*|[a-z]{1,8})(-[a-z0-9]{1,8})*[ \t]*"
    rb"(;[ \t]*q=(?P<quality>0(\.[0-9]*)?|1(\.0*)?)[ \t]*)?",
    re.IGNORECASE,
)


def spoken(accept_language: bytes | None) -> Language | None:
    """The language that a client likes best, of those we have; None if it names none of them.

    A variant asks for its language: es-MX, es-419 and es are all Spanish to us. Of two that are
    equally liked the one that is named first wins, and one that is named wins over `*`. What cannot
    be read is passed over.

    >>> spoken(b"es-MX,es;q=0.9,en;q=0.8").name
    'ES'
    >>> spoken(b"fr, en;q=0.5, *;q=0.1").name
    'EN'
    >>> spoken(b"fr, *;q=0.5, en;q=0").name
    'ES'
    >>> spoken(b"fr, de;q=0.5") is None
    True
    """
    if accept_language is None or len(accept_language) > LONGEST:
        return None
    return _best(accept_language)


@lru_cache(maxsize=512)
def _best(accept_language: bytes) -> Language | None:
    liked: dict[str, float] = {}
    for part in accept_language.split(b","):
        if found := _RANGE.fullmatch(part):
            name = found["name"].decode().upper()
            liked[name] = max(liked.get(name, 0), float(found["quality"] or 1))
    others = liked.pop("*", 0)
    ours = Language.__members__
    # The first of those that are liked best.
    best = max(
        (name for name in (*liked, *ours) if name in ours),
        key=lambda name: liked.get(name, others),
    )
    return ours[best] if liked.get(best, others) > 0 else None
