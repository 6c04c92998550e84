"""Visitor centers: who receives families at the gate, and with what."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, join, localized, many
from schema.types import opening_hours
from schema.types.opening_hours import HoursState, OpeningHours

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.locations import Location
    from schema.types.phones import Phone
    from schema.types.providers import Provider
    from schema.types.schedules import Schedule, ScheduleException
    from schema.types.sources import DatePrecision, Source
    from schema.types.verifications import Verification


class VisitorCenterStatus(Enum):
    """Whether a visitor center receives visitors."""

    ACTIVE = "ACTIVE"
    """It receives visitors."""
    INACTIVE = "INACTIVE"
    """It receives nobody at present."""
    DEFUNCT = "DEFUNCT"
    """It is gone for good."""
    TEMPORARILY_CLOSED = "TEMPORARILY_CLOSED"
    """Closed, and expected to open again."""
    UNKNOWN = "UNKNOWN"
    """Nobody can say now: read the alert. It does not mean closed."""


@entity(table="visitor_centers", implements=("Sourced",))
class VisitorCenter:
    """A hospitality center for visitors at a prison (Penal Code 6350-6356)."""

    id: ID
    slug: str = column(unique=True)
    """A readable stable name for links, such as `friends-outside-sq`."""
    name: str = column(search=True)
    """What to call it: its operator and its prison."""
    institution: Institution = join("institution_id")
    """The prison it serves."""
    operator: Provider | None = join("operator_id")
    """The organization that runs it."""
    status: VisitorCenterStatus
    """Whether it receives visitors."""
    status_as_of: date | None
    """When that was said, as precise as `statusAsOfPrecision` says; null if undated."""
    status_as_of_precision: DatePrecision | None
    """How much of `statusAsOf` is known."""
    alert: str | None
    """Something visitors should know before they set out."""
    amenities: list[VisitorAmenity] = many(
        "id = visitor_center_amenities.visitor_center_id", "amenity_code = visitor_amenities.code"
    )
    """What it does for families; what is missing here is unknown."""
    phones: list[Phone] = many("visitor_center_id")
    """Telephone numbers."""
    hours_text: str | None
    """Opening hours in the source's own words."""
    schedules: list[Schedule] = many("visitor_center_id")
    """Opening hours as rules."""
    schedule_exceptions: list[ScheduleException] = many("visitor_center_id")
    """Days on which the rules do not hold."""
    opens_with_visiting: bool
    """True if its source says that it is open when its prison has visiting; so else it is not."""
    open_now: bool | None = opening_hours.open_now("centers_open_at")
    """Whether it is open now; null if unknown."""
    open_at: bool | None = opening_hours.open_at("centers_open_at")
    """Whether it is open at a moment; null if unknown."""
    hours_state: HoursState = opening_hours.hours_state()
    """Whether it is open, with a word for what is unknown."""
    hours: list[OpeningHours] = opening_hours.hours()
    """What holds on a day, or on some: rules, exceptions, holidays and closures together."""
    next_opening: OpeningHours | None = opening_hours.next_opening()
    """The next opening in nine weeks that is certain to come; a day, if hours are unknown."""
    hours_in_words: str | None = opening_hours.hours_in_words()
    """The rules of its hours in words, such as `Friday to Sunday, 07:30 to 15:30`."""
    van_notice_days: int | None
    """How many days ahead to ask for a ride from public transport."""
    child_care_max_age: int | None
    """The age up to which children are looked after."""
    location: Location | None = join("location_id")
    """The prison's address, since the center stands on its grounds."""
    location_note: str | None
    """Where on the grounds it is."""
    statutory: bool | None
    """Whether the law asks for it: where a prison holds more than 300 people (Penal Code 6351)."""
    population_used: int | None
    """The count of people in custody that this was decided by."""
    population_as_of: date | None
    """The month of that count, as precise as `populationAsOfPrecision` says."""
    population_as_of_precision: DatePrecision | None
    """How much of `populationAsOf` is known."""
    funder: str | None
    """Who pays for it."""
    verifications: Connection[Verification] = many("visitor_center_id")
    """Who checked this record and how, newest first; empty if nobody has."""
    source_date: date | None
    """The date that the source's data bears, as precise as `sourceDatePrecision` says."""
    source_date_precision: DatePrecision | None
    """How much of `sourceDate` is known."""
    source: Source = join("source_id")
    """The publication this was taken from."""
    source_record_id: str | None
    """What the source calls this record, if it calls it anything."""
    retrieved_at: date | None
    """The day the source was read, where that is known."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""


@entity(table="visitor_amenities", key="code", order=("label_en",), implements=("Sourced",))
class VisitorAmenity:
    """Something that visitor centers do for families."""

    id: ID
    code: str = column(unique=True)
    """A stable code, such as `CHILD_CARE`."""
    label: str = localized(en="label_en", es="label_es")
    """What to call it; in English where no Spanish label is known."""
    statutory: bool
    """True for the six that Penal Code 6352 asks for."""
    visitor_centers: Connection[VisitorCenter] = many(
        "code = visitor_center_amenities.amenity_code", "visitor_center_id = visitor_centers.id"
    )
    """The centers that offer it."""
    source: Source = join("source_id")
    """The publication this was taken from."""
    source_record_id: str | None
    """What the source calls this record, if it calls it anything."""
    retrieved_at: date | None
    """The day the source was read, where that is known."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
