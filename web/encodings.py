"""An Accept-Encoding header becomes the one way to compress that the client reads best, or none."""

from __future__ import annotations

import gzip
from enum import Enum
from functools import lru_cache

import brotli
import zstandard

SMALLEST = 1000
"""Bytes below which an answer is sent as it is: it fits into one packet either way."""


class Encoding(Enum):
    """A way to compress; where a client has no preference, the earlier member wins."""

    ZSTD = "zstd"
    BROTLI = "br"
    GZIP = "gzip"

    def __call__(self, body: bytes) -> bytes:
        """The body in fewer bytes, the same ones each time."""
        match self:
            case Encoding.ZSTD:
                return zstandard.compress(body, 6)
            case Encoding.BROTLI:
                return bytes(brotli.compress(body, quality=5))
            case Encoding.GZIP:
                return gzip.compress(body, 6, mtime=0)


@lru_cache(maxsize=512)
def negotiate(accepted: bytes | None) -> Encoding | None:
    """The best encoding for a client (RFC 9110, 12.5.3); None for the body as it is.

    >>> negotiate(b"gzip, deflate, br;q=0.9").name, negotiate(b"gzip, zstd, br").name
    ('GZIP', 'ZSTD')
    >>> negotiate(b"*;q=0.1").name, negotiate(b"zstd;q=0, identity"), negotiate(None)
    ('ZSTD', None, None)
    """
    if not accepted:
        return None
    weights = dict(filter(None, map(_weight, accepted.decode("latin-1").lower().split(","))))
    anything = weights.get("*", 0.0)
    weighed = {each: weights.get(each.value, anything) for each in Encoding}
    best = max(Encoding, key=lambda each: weighed[each])
    # As it is, unless somebody says otherwise: but no client asks for that who can do better.
    return best if weighed[best] > 0 and weighed[best] >= weights.get("identity", 0.0) else None


def _weight(part: str) -> tuple[str, float] | None:
    name, _, parameter = part.partition(";")
    key, _, value = parameter.strip().partition("=")
    try:
        return name.strip(), float(value) if key.strip() == "q" else 1.0
    except ValueError:
        return None
