"""Visiting holidays: days on which prisons receive visitors beside the weekends."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, column, entity, localized, part

if TYPE_CHECKING:
    from schema.types.sources import Provenance


class Weekday(Enum):
    """A day of the week, as RFC 5545 abbreviates it."""

    MO = "MO"
    """Monday."""
    TU = "TU"
    """Tuesday."""
    WE = "WE"
    """Wednesday."""
    TH = "TH"
    """Thursday."""
    FR = "FR"
    """Friday."""
    SA = "SA"
    """Saturday."""
    SU = "SU"
    """Sunday."""


@entity(table="visiting_holidays", key="code", order=("month",), implements=("Sourced",))
class VisitingHoliday:
    """A holiday on which visiting is held: a day of a month, or its nth weekday."""

    id: ID
    code: str = column(unique=True)
    """A stable code, such as `THANKSGIVING`."""
    label: str = localized(en="label_en", es="label_es")
    """Its name."""
    month: int
    """The month, from 1 to 12."""
    day: int | None
    """The day of the month, where it is always the same."""
    week: int | None
    """Which one of the month's weekdays it is, from 1, where the day changes."""
    weekday: Weekday | None
    """The weekday that `week` counts."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
