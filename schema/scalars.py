"""One value: its Python type, its GraphQL name and its Postgres type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import Enum
from uuid import UUID

from graphql import GraphQLError
from strawberry import scalar
from strawberry.types.scalar import ScalarDefinition

from resolvers.graph import Scalar
from resolvers.plan.context import KeyOf

_RFC3339 = "https://www.rfc-editor.org/rfc/rfc3339"


def _text(value: object) -> object:
    """A text that Postgres can keep."""
    text = str(value)
    if "\0" in text:
        raise ValueError("A text may not contain the character NUL.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("A text may not contain half of a surrogate pair.")
    return text


def _enum(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def _same(value: object) -> object:
    return value


def _uuid(value: object) -> object:
    return UUID(str(value))


@dataclass(frozen=True, slots=True)
class Checked:
    """Reads a value, unless it makes no sense in its place; ValueError says why."""

    read: Callable[[object], object]
    check: Callable[[str], None]

    def __call__(self, value: object) -> object:
        found = self.read(value)
        self.check(str(found))
        return found


def _parser(name: str, read: Callable[[str], object], example: str) -> Callable[[object], object]:
    def parse(value: object) -> object:
        if isinstance(value, str):
            try:
                return read(value)
            except ValueError:
                pass  # said below, in our words
        raise GraphQLError(f"A {name} is written as in {example!r}.")

    return parse


def _date(text: str) -> date:
    if len(text) != 10:
        raise ValueError("not a calendar date")
    return date.fromisoformat(text)


def _datetime(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset from UTC")
    # Outside of these years a shift to UTC would leave the calendar.
    if not 1 < moment.year < 9999:
        raise ValueError("not in the calendar")
    return moment


def _time(text: str) -> time:
    moment = time.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError("a time of day has no offset")
    return moment


def _written(value: object) -> object:
    """Postgres has written the value already; Python writes what it has computed itself."""
    return value.isoformat() if isinstance(value, date | datetime | time) else value


class JSON:
    """A value of any type, as it is written in JSON. It is answered, and never asked with."""


SCALAR_MAP: Mapping[object, ScalarDefinition] = {
    JSON: scalar(
        name="JSON",
        description="A value of whatever type the field has that it is about (RFC 8259).",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
    ),
    date: scalar(
        name="Date",
        description="A calendar date such as `2026-07-03` (RFC 3339).",
        specified_by_url=_RFC3339,
        serialize=_written,
        parse_value=_parser("Date", _date, "2026-07-03"),
    ),
    datetime: scalar(
        name="DateTime",
        description="A moment with its offset from UTC, such as `2026-07-03T18:00:00Z` (RFC 3339).",
        specified_by_url=_RFC3339,
        serialize=_written,
        parse_value=_parser("DateTime", _datetime, "2026-07-03T18:00:00Z"),
    ),
    time: scalar(
        name="Time",
        description="A time of day on the clocks of the place, such as `15:30:00` (RFC 3339).",
        specified_by_url=_RFC3339,
        serialize=_written,
        parse_value=_parser("Time", _time, "15:30:00"),
    ),
}

SCALARS: Mapping[type, Scalar] = {
    str: Scalar("String", "text", _text),
    int: Scalar("Int", "int4", _same),
    float: Scalar("Float", "float8", _same),
    bool: Scalar("Boolean", "bool", _same),
    date: Scalar("Date", "date", _same),
    datetime: Scalar("DateTime", "timestamptz", _same),
    time: Scalar("Time", "time", _same),
    JSON: Scalar("JSON", "jsonb", _same),
}

# Keys are UUIDs, or natural keys such as a county's FIPS code.
UUID_KEY = Scalar("ID", "uuid", _uuid)
TEXT_KEY = Scalar("ID", "text", _text)


def id_of(type_name: str, key: str) -> Scalar:
    """The global id of a type, which Postgres is given as the key of a row, by that column."""
    scalar = UUID_KEY if key == "id" else TEXT_KEY
    return replace(scalar, read=KeyOf(type_name, scalar.read))


def scalar_of(python: type) -> Scalar:
    """The scalar of a Python type; an enum travels as text."""
    if issubclass(python, Enum):
        return Scalar(python.__name__, "text", _enum, few=True)
    return SCALARS[python]
