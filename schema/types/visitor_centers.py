"""Visitor centers: who receives families at the gate, and with what."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import (
    ID,
    Connection,
    argument,
    column,
    derived,
    entity,
    join,
    localized,
    many,
    part,
)
from schema.types import opening_hours
from schema.types.opening_hours import HoursState, OpeningHours

if TYPE_CHECKING:
    from schema.types.completeness import Completeness
    from schema.types.counties import County
    from schema.types.institutions import Institution
    from schema.types.locations import Location
    from schema.types.phones import Phone
    from schema.types.providers import Provider
    from schema.types.schedules import Schedule, ScheduleException
    from schema.types.sources import DatePrecision, Provenance
    from schema.types.translations import Translation
    from schema.types.verifications import Freshness, Verification


_ON = argument(date | None, "As of this day; now, if not given.")


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


@entity(
    table="visitor_centers",
    translated="visitor_center_id",
    implements=("Sourced",),
    listed=("listed", "id", "slug", "name", "status"),
    position="position",
    place=("location_id = locations.id",),
)
class VisitorCenter:
    """A hospitality center for visitors at a prison (Penal Code 6350-6356).

    One that is closed stays in lists, with its status and alert, since its visitors look for it;
    one that is gone for good is found by its id, slug, name or status only.
    """

    id: ID
    slug: str = column(unique=True)
    """A readable stable name for links, such as `friends-outside-sq`."""
    name: str = column(search=True)
    """What to call it: its operator and its prison."""
    institution: Institution = join("institution_id")
    """The prison it serves."""
    county: County | None = join(
        "institution_id = institutions.id", "county_fips = counties.fips", group=True
    )
    """The county of the prison."""
    operator: Provider | None = join("operator_id")
    """The organization that runs it."""
    status: VisitorCenterStatus = column(default=VisitorCenterStatus.UNKNOWN)
    """Whether it receives visitors."""
    status_as_of: date | None
    """When that was said, as precise as `statusAsOfPrecision` says; null if undated."""
    status_as_of_precision: DatePrecision | None
    """How much of `statusAsOf` is known."""
    alert: str | None = localized()
    """Something visitors should know before they set out."""
    amenities: list[VisitorAmenity] = many(
        "id = visitor_center_amenities.visitor_center_id",
        "amenity_code = visitor_amenities.code",
        group="amenity",
    )
    """What it does for families; what is missing here is unknown."""
    phones: list[Phone] = many("visitor_center_id")
    """Telephone numbers."""
    hours_text: str | None = localized()
    """Opening hours in the source's own words."""
    schedules: list[Schedule] = many("visitor_center_id")
    """Opening hours as rules."""
    schedule_exceptions: list[ScheduleException] = many("visitor_center_id")
    """Days on which the rules do not hold."""
    opens_with_visiting: bool = column(default=False)
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
    location_note: str | None = localized()
    """Where on the grounds it is."""
    statutory: bool | None = derived("visitor_center_required", "institution_id", on=_ON)
    """Whether the law asks for it: at an adult state prison with more than 300 people, by the
    newest count (Penal Code 6351). Null where nobody has counted them."""
    missing_services: list[VisitorAmenity] = many(
        "id = lacked_visitor_services.visitor_center_id",
        "amenity_code = visitor_amenities.code",
        group="missing_service",
    )
    """Of the six services that the law asks of a center (Penal Code 6352), those it is not known
    to offer, which does not mean that it does not. It owes them while `statutory` is true."""
    population_used: int | None = derived("population_used", "institution_id", on=_ON)
    """The count of people in custody that `statutory` was decided by."""
    population_as_of: date | None = derived("population_as_of", "institution_id", on=_ON)
    """The first day of the month of that count."""
    funder: str | None
    """Who pays for it."""
    verifications: Connection[Verification] = many("visitor_center_id")
    """Who checked this record and how, newest first; empty if nobody has."""
    translations: Connection[Translation] = many("visitor_center_id")
    """Its texts in other languages."""
    freshness: Freshness = part()
    """When it was last checked, and how far that can be trusted."""
    completeness: Completeness = part()
    """How much of what people need to know of it is known."""
    provenance: Provenance = part()
    """Where this was taken from."""
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
    """What to call it."""
    statutory: bool
    """True for the six that Penal Code 6352 asks for."""
    visitor_centers: Connection[VisitorCenter] = many(
        "code = visitor_center_amenities.amenity_code", "visitor_center_id = visitor_centers.id"
    )
    """The centers that offer it."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
