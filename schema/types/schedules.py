"""Schedules: opening hours as rules, and the days on which they do not hold."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, column, entity, join, part
from schema.types.visiting_statuses import VisitType

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.services import Service, ServiceAtLocation
    from schema.types.sources import Provenance
    from schema.types.visitor_centers import VisitorCenter


class ScheduleKind(Enum):
    """Which days a schedule speaks of."""

    REGULAR = "REGULAR"
    """Ordinary days."""
    SEASONAL = "SEASONAL"
    """A part of the year, in which they hold instead of the regular ones."""
    HOLIDAY = "HOLIDAY"
    """Holidays, on which they hold instead of all others. At a prison: the visiting holidays."""


class Frequency(Enum):
    """How a schedule recurs (RFC 5545)."""

    WEEKLY = "WEEKLY"
    """Every week, or every `interval` weeks."""
    MONTHLY = "MONTHLY"
    """Every month, or every `interval` months."""


class Weekday(Enum):
    """A day of the week (RFC 5545)."""

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


@entity(table="schedules", order=("kind", "opens_at"), implements=("Sourced",))
class Schedule:
    """Opening hours as one rule of recurrence (RFC 5545). It belongs to exactly one record."""

    id: ID
    kind: ScheduleKind = column(default=ScheduleKind.REGULAR)
    """Which days it speaks of."""
    description: str | None
    """The hours in words."""
    visit_type: VisitType | None
    """The type of visit they are for, where they are visiting hours."""
    yard: str | None
    """The yard they are for; null means all that have none of their own."""
    timezone: str = column(default="America/Los_Angeles")
    """The IANA time zone of the hours, such as `America/Los_Angeles`."""
    opens_at: time | None
    """When it opens, local time; null where only the days are known."""
    closes_at: time | None
    """When it closes, local time; not after `opensAt` means the next day, and 23:59 midnight."""
    freq: Frequency | None
    """How it recurs; null where the days are unknown, and for the visiting holidays."""
    interval: int = column(default=1)
    """Every how many weeks or months."""
    byday: str | None
    """Days of the week, such as `FR,SA,SU`, or of the month, such as `1SU`."""
    bymonthday: str | None
    """Days of the month, such as `1,15`."""
    byweekno: str | None
    """Weeks of the year."""
    byyearday: str | None
    """Days of the year."""
    wkst: Weekday | None
    """The day a week begins on."""
    dtstart: date | None
    """The first day of the recurrence."""
    until: date | None
    """The last day of the recurrence."""
    count: int | None
    """How many times it recurs."""
    valid_from: date | None
    """The first day for which this information is good."""
    valid_to: date | None
    """The last day for which this information is good."""
    institution: Institution | None = join("institution_id")
    """The institution whose visiting hours these are."""
    visitor_center: VisitorCenter | None = join("visitor_center_id")
    """The visitor center whose hours these are."""
    service: Service | None = join("service_id")
    """The service whose hours these are."""
    service_at_location: ServiceAtLocation | None = join("service_at_location_id")
    """The service at a place whose hours these are."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""


@entity(table="schedule_exceptions", order=("starts_on",), implements=("Sourced",))
class ScheduleException:
    """Days on which the regular schedule does not hold. It beats every rule."""

    id: ID
    starts_on: date
    """The first of these days."""
    ends_on: date
    """The last of these days."""
    visit_type: VisitType | None
    """The type of visit it is about; null means every type."""
    yard: str | None
    """The yard it is about; null means all."""
    closed: bool
    """True if it is closed all day; otherwise the hours below hold."""
    opens_at: time | None
    """When it opens instead, local time."""
    closes_at: time | None
    """When it closes instead, local time; earlier than `opensAt` means on the next day."""
    reason: str | None
    """Why."""
    institution: Institution | None = join("institution_id")
    """The institution whose visiting hours change."""
    visitor_center: VisitorCenter | None = join("visitor_center_id")
    """The visitor center whose hours change."""
    service: Service | None = join("service_id")
    """The service whose hours change."""
    service_at_location: ServiceAtLocation | None = join("service_at_location_id")
    """The service at a place whose hours change."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
