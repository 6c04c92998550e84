"""A value as Postgres writes it in JSON becomes the Python value that asyncpg sends, by type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    if "\0" in value:
        raise ValueError("Postgres keeps no NUL in a text")
    value.encode()  # half of a surrogate pair is a ValueError, too
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _bounded(bits: int) -> Callable[[object], int]:
    limit = 1 << (bits - 1)

    def read(value: object) -> int:
        number = _integer(value)
        if not -limit <= number < limit:
            raise ValueError(f"{number} does not fit into {bits} bits")
        return number

    return read


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not a truth value")
    return value


# Each raises TypeError, ValueError or OverflowError for what is not such a value.
READ: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "uuid": lambda value: UUID(_text(value)),
    "int2": _bounded(16),
    "int4": _bounded(32),
    "int8": _bounded(64),
    "float8": _number,
    "numeric": lambda value: Decimal(str(value)),
    "bool": _boolean,
    "date": lambda value: date.fromisoformat(_text(value)),
    "time": lambda value: time.fromisoformat(_text(value)),
    "timestamptz": lambda value: datetime.fromisoformat(_text(value)),
}
