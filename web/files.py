"""Rows of an export become the bytes of a file: CSV, JSON line by line, or GeoJSON.

    {"name": "Arts", "location": {"city": "San Rafael"}, "languages": ["en", "es"]}

as CSV is

    name,location.city,languages
    Arts,San Rafael,en; es
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import orjson

from resolvers.export import Column, Row
from web.media_types import MediaType

Keys = tuple[str, ...]


class File(Protocol):
    """A format: what comes before the rows, the rows of a page, and what comes after them."""

    suffix: str

    def begin(self) -> bytes: ...

    def page(self, rows: Sequence[Row]) -> bytes: ...

    def end(self) -> bytes: ...

    def broken(self, error: bytes) -> bytes:
        """What is said where it breaks off."""
        ...


class Csv:
    """RFC 4180, with a header. What a row may have several of is joined by semicolons."""

    suffix = "csv"

    def __init__(self, columns: Sequence[Column]) -> None:
        self._keys = list(dict.fromkeys(column.keys for column in columns))
        self._several = {column.keys for column in columns if column.several}

    def begin(self) -> bytes:
        return _written([[".".join(keys) for keys in self._keys]])

    def page(self, rows: Sequence[Row]) -> bytes:
        return _written([[self._cell(row, keys) for keys in self._keys] for row in rows])

    def end(self) -> bytes:
        return b""

    def broken(self, error: bytes) -> bytes:
        return b""

    def _cell(self, row: Row, keys: Keys) -> str:
        values = [_text(value) for value in _values(row, keys)]
        return "; ".join(map(_item, values) if keys in self._several else values)


class Ndjson:
    """A row per line, as the answer to the operation has it."""

    suffix = "ndjson"

    def begin(self) -> bytes:
        return b""

    def page(self, rows: Sequence[Row]) -> bytes:
        return b"".join(orjson.dumps(row) + b"\n" for row in rows)

    def end(self) -> bytes:
        return b""

    def broken(self, error: bytes) -> bytes:
        return error + b"\n"


class GeoJson:
    """RFC 7946: a feature per row, at the first coordinates that it has; all else is properties."""

    suffix = "geojson"

    def __init__(self, columns: Sequence[Column]) -> None:
        self._places = places(columns)
        self._ids = [each.keys for each in columns if each.field == "id" and len(each.keys) == 1]
        self._separator = b""

    def begin(self) -> bytes:
        return b'{"type":"FeatureCollection","features":[\n'

    def page(self, rows: Sequence[Row]) -> bytes:
        page = b",\n".join(orjson.dumps(self._feature(row)) for row in rows)
        if not page:
            return b""
        separator, self._separator = self._separator, b",\n"
        return separator + page

    def end(self) -> bytes:
        return b"\n]}\n"

    def broken(self, error: bytes) -> bytes:
        return b""

    def _feature(self, row: Row) -> Mapping[str, object]:
        geometry = None
        for latitude, longitude in self._places:
            # East before north.
            position = [*_values(row, longitude), *_values(row, latitude)]
            if len(position) == 2 and None not in position:
                geometry = {"type": "Point", "coordinates": position}
                break
        made: dict[str, object] = {"type": "Feature", "geometry": geometry, "properties": row}
        for keys in self._ids:
            made["id"] = row.get(keys[0])
        return made


def file(media_type: MediaType, columns: Sequence[Column]) -> File:
    """The file to write in a format."""
    match media_type:
        case MediaType.CSV:
            return Csv(columns)
        case MediaType.GEOJSON:
            return GeoJson(columns)
        case _:
            return Ndjson()


def places(columns: Sequence[Column]) -> list[tuple[Keys, Keys]]:
    """Where in a row there are coordinates, of which it has only one pair."""
    single = [column for column in columns if not column.several]
    east = {each.keys[:-1]: each.keys for each in single if each.field == "longitude"}
    return [
        (each.keys, east[each.keys[:-1]])
        for each in single
        if each.field == "latitude" and each.keys[:-1] in east
    ]


def _written(rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _item(text: str) -> str:
    """One of several in a cell, in quotes if it would read as more than one, or as less.

    >>> print(_item("en"), _item("Wait; then call"))
    en "Wait; then call"
    """
    plain = ";" not in text and not text.startswith('"') and text == text.strip()
    return text if plain else '"' + text.replace('"', '""') + '"'


def _values(value: object, keys: Keys) -> Iterator[object]:
    """What is found at these keys; of a list, in each of its items.

    >>> list(_values({"a": [{"b": 1}, {"b": None}, {"b": [2, 3]}]}, ("a", "b")))
    [1, None, 2, 3]
    """
    if isinstance(value, list):
        for item in value:
            yield from _values(item, keys)
    elif not keys:
        yield value
    elif isinstance(value, dict) and keys[0] in value:
        yield from _values(value[keys[0]], keys[1:])


# What a spreadsheet takes for the beginning of a formula, also as typed with East Asian keyboards.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def _text(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula.

    >>> _text("=1+1"), _text("+1 916 555 0100"), _text("-118.2"), _text(True), _text(None)
    ("'=1+1", "'+1 916 555 0100", '-118.2', 'true', '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        risky = value.startswith(_FORMULA) and not _NUMBER.fullmatch(value)
        return f"'{value}" if risky else value
    return orjson.dumps(value).decode()
