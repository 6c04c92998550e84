"""An Accept header becomes the one media type we answer in, or none."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import NamedTuple


class MediaType(Enum):
    """What /graphql can answer in; where a client has no preference, the earlier member wins."""

    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    HTML = "text/html"
    SQL = "application/sql"
    CSV = "text/csv"
    NDJSON = "application/x-ndjson"
    GEOJSON = "application/geo+json"


RESPONSES = (MediaType.JSON, MediaType.GRAPHQL)
EXPORTS = (MediaType.CSV, MediaType.NDJSON, MediaType.GEOJSON)


class Range(NamedTuple):
    """One element of an Accept header, such as `text/*;q=0.5`."""

    type: str
    subtype: str
    quality: float

    def precision(self, media_type: MediaType) -> int:
        """How exactly this range names the media type: 3 exactly, 2 `type/*`, 1 `*/*`, 0 not."""
        kind, _, subtype = media_type.value.partition("/")
        if (self.type, self.subtype) == (kind, subtype):
            return 3
        if (self.type, self.subtype) == (kind, "*"):
            return 2
        return int((self.type, self.subtype) == ("*", "*"))


@lru_cache(maxsize=512)
def negotiate(accept: bytes | None, offered: tuple[MediaType, ...]) -> MediaType | None:
    """The best of the offered types (RFC 9110, 12.5.1).

    Of two types with the same quality, the one the client spelled out more exactly wins, and of
    two it spelled out equally, GraphQL's own: only that one lets a client trust a status of 4xx.

    >>> negotiate(b"application/json, application/graphql-response+json", RESPONSES).name
    'GRAPHQL'
    >>> negotiate(b"application/graphql-response+json;q=0.5, */*", RESPONSES).name
    'JSON'
    >>> negotiate(b"image/png", RESPONSES) is None
    True
    """
    if accept is None:
        return offered[0]
    ranges = [parsed for part in accept.decode("latin-1").split(",") if (parsed := _parse(part))]
    best: tuple[tuple[float, int, bool], MediaType] | None = None
    for media_type in offered:
        precision, quality = max(
            ((each.precision(media_type), each.quality) for each in ranges), default=(0, 0.0)
        )
        if precision == 0 or quality == 0:
            continue
        score = (quality, precision, precision == 3 and media_type is MediaType.GRAPHQL)
        if best is None or score > best[0]:
            best = (score, media_type)
    return best[1] if best else None


@lru_cache(maxsize=512)
def accepts_events(accept: bytes | None) -> bool:
    """Whether a client says, in so many words, that it can read a stream of events.

    >>> accepts_events(b"application/json, text/event-stream"), accepts_events(b"*/*")
    (True, False)
    """
    ranges = [_parse(part) for part in (accept or b"").decode("latin-1").split(",")]
    return any(
        (each.type, each.subtype) == ("text", "event-stream") and each.quality > 0
        for each in ranges
        if each
    )


def _parse(part: str) -> Range | None:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    kind, slash, subtype = name.partition("/")
    if not slash:
        return None
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                return None
    return Range(kind, subtype, quality)


@lru_cache(maxsize=128)
def is_json(content_type: bytes | None) -> bool:
    """Whether a body of this Content-Type is JSON in UTF-8, the only encoding JSON has."""
    name, *parameters = (content_type or b"").decode("latin-1").lower().split(";")
    charsets = [p.strip()[8:].strip('"') for p in parameters if p.strip().startswith("charset=")]
    return name.strip() == MediaType.JSON.value and all(c in ("utf-8", "utf8") for c in charsets)
