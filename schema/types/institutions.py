"""Institutions: prisons, camps and community reentry facilities."""

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
from schema.types.visiting_statuses import VisitType

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.completeness import Completeness
    from schema.types.counties import County
    from schema.types.locations import Location
    from schema.types.phones import Phone
    from schema.types.population_counts import PopulationCount
    from schema.types.programs import Program, ProgramOffering
    from schema.types.schedules import Schedule, ScheduleException
    from schema.types.sources import DatePrecision, Provenance
    from schema.types.translations import Translation
    from schema.types.verifications import Freshness, Verification
    from schema.types.visiting_statuses import VisitingStatus
    from schema.types.visitor_centers import VisitorCenter
    from schema.types.visitor_service_gaps import VisitorServiceGap


class InstitutionType(Enum):
    """What kind of institution it is."""

    STATE_PRISON = "STATE_PRISON"
    """A state prison."""
    CONSERVATION_CAMP = "CONSERVATION_CAMP"
    """A camp whose people fight fires."""
    COMMUNITY_REENTRY_FACILITY = "COMMUNITY_REENTRY_FACILITY"
    """A facility in the community for the last months of a sentence."""
    STATE_HOSPITAL_UNIT = "STATE_HOSPITAL_UNIT"
    """A unit within a state hospital."""


class InstitutionStatus(Enum):
    """Whether an institution holds people."""

    OPEN = "OPEN"
    """It holds people."""
    CLOSING = "CLOSING"
    """It still holds people, and its closure is announced."""
    CLOSED = "CLOSED"
    """It holds nobody any more."""
    DEACTIVATED_UNIT = "DEACTIVATED_UNIT"
    """A unit of another institution that is no longer used."""


class PopulationGender(Enum):
    """Whom an institution holds."""

    MALE = "MALE"
    """Men."""
    FEMALE = "FEMALE"
    """Women."""
    MIXED = "MIXED"
    """Men and women."""


class PopulationAge(Enum):
    """Whether an institution holds adults."""

    ADULT = "ADULT"
    """Adults."""
    JUVENILE = "JUVENILE"
    """Young people under 18."""


class SecurityLevel(Enum):
    """A level of security, from I (lowest) to IV, or a special unit."""

    I = "I"  # noqa: E741  # the level's name
    """Open dormitories with little perimeter security."""
    II = "II"
    """Open dormitories with a secure perimeter."""
    III = "III"
    """Cells and a secure perimeter with armed coverage."""
    IV = "IV"
    """Cells and armed coverage inside and outside."""
    RHU = "RHU"
    """Restricted housing unit."""
    RECEPTION = "RECEPTION"
    """Reception center, where sentences begin."""


class FemaSecurityClass(Enum):
    """FEMA's class of security."""

    MINIMUM = "MINIMUM"
    """Minimum security."""
    MEDIUM = "MEDIUM"
    """Medium security."""
    MAXIMUM = "MAXIMUM"
    """Maximum security."""


@entity(
    table="institutions",
    translated="institution_id",
    implements=("Sourced",),
    position="position",
    place=("location_id = locations.id",),
)
class Institution:
    """A California state prison, conservation camp or community reentry facility."""

    id: ID
    code: str = column(unique=True)
    """CDCR's short code, such as `SQ`; camps have one made of their name, such as `CAMP-ACTON`."""
    aliases: list[str]
    """Other codes it goes by, such as `SQRC`."""
    name: str = column(search=True)
    """Its official name."""
    alternate_names: list[str]
    """Other names people know it by."""
    institution_type: InstitutionType
    """What kind of institution it is."""
    parent: Institution | None = join("parent_id")
    """The institution it is a part of, if known."""
    children: Connection[Institution] = many("id = institutions.parent_id")
    """Institutions that are part of it."""
    population_gender: PopulationGender | None
    """Whom it holds; null if unknown."""
    population_age: PopulationAge | None
    """Whether it holds adults, by FEMA; null if unknown."""
    status: InstitutionStatus
    """Whether it holds people."""
    status_note: str | None = localized()
    """What else is known of that."""
    status_as_of: date | None
    """When the source said so, as precise as `statusAsOfPrecision` says."""
    status_as_of_precision: DatePrecision | None
    """How much of `statusAsOf` is known."""
    opened_year: int | None
    """The year it opened."""
    opened_note: str | None = localized()
    """Where sources differ on that, or what stood there before."""
    closed_on: date | None
    """When it closed or is to close, as precise as `closedOnPrecision` says."""
    closed_on_precision: DatePrecision | None
    """How much of `closedOn` is known."""
    deactivations: str | None = localized()
    """Which parts are no longer used, in the source's words."""
    website: str | None
    """Web address."""
    location: Location | None = join("location_id")
    """Where it is."""
    county: County | None = join("county_fips")
    """The county it is in."""
    security_levels: list[SecurityLevel] = column(group="security_level")
    """Levels of security it has, by CDCR's plan of May 2026; empty if unknown."""
    fema_security_class: FemaSecurityClass | None
    """FEMA's class of security, which is not CDCR's level."""
    design_capacity: int | None
    """How many people it was designed for, by CDCR."""
    design_capacity_as_of: date | None
    """When that was so, as precise as `designCapacityAsOfPrecision` says."""
    design_capacity_as_of_precision: DatePrecision | None
    """How much of `designCapacityAsOf` is known."""
    fema_capacity: int | None
    """How many people it can hold, by FEMA; known for some camps."""
    cell_beds: int | None
    """Beds in cells, of the design capacity."""
    dorm_beds: int | None
    """Beds in dormitories, of the design capacity."""
    camp_number: int | None
    """A conservation camp's number."""
    camps_supervised: int | None
    """How many conservation camps report to it; which ones, no source says."""
    reentry_hub: bool | None
    """True if CDCR names it a reentry hub; null if unknown."""
    california_model: bool | None
    """True if it takes part in the California Model; null if unknown."""
    fema_facility_id: str | None = column(unique=True)
    """FEMA's number for it."""
    phones: list[Phone] = many("institution_id")
    """Telephone numbers, of the switchboard and of visiting."""
    visiting_status: VisitingStatus | None = join(
        "id = current_visiting_statuses.institution_id",
        given={"type": ("visit_type", VisitType.IN_PERSON)},
    )
    """What holds now for one type of visit; null if nothing was ever said, which is not closed."""
    visiting_statuses: Connection[VisitingStatus] = many("institution_id")
    """Everything that was said about visiting, newest first."""
    visitor_centers: Connection[VisitorCenter] = many("institution_id")
    """The hospitality centers that receive visitors here."""
    visitor_center_required: bool | None = derived(
        "visitor_center_required",
        "id",
        on=argument(date | None, "As of this day; now, if not given."),
    )
    """Whether the law asks for a visitor center here: at an adult state prison with more than 300
    people, by the newest count (Penal Code 6351). Null where nobody has counted them."""
    visitor_service_gaps: list[VisitorServiceGap] = many("institution_id")
    """What the law asks for here (Penal Code 6351 and 6352) and is not known to be there."""
    schedules: list[Schedule] = many("institution_id")
    """Visiting hours as rules."""
    schedule_exceptions: list[ScheduleException] = many("institution_id")
    """Days on which the rules do not hold."""
    visiting_now: bool | None = opening_hours.open_now(visit=True)
    """Whether visiting is on now; null if unknown."""
    visiting_at: bool | None = opening_hours.open_at(visit=True)
    """Whether visiting is on at a moment; null if unknown."""
    visiting_state: HoursState = opening_hours.hours_state(visit=True)
    """Whether visiting is on, with a word for what is unknown."""
    visiting_on: bool | None = opening_hours.visiting_on()
    """Whether visiting is held on a day, at hours that may be unknown; null if unknown."""
    visiting_hours: list[OpeningHours] = opening_hours.hours(visit=True)
    """What holds on a day, or on some: rules, exceptions, holidays and closures together."""
    next_visiting: OpeningHours | None = opening_hours.next_opening(visit=True)
    """The next visiting in nine weeks that is certain to come; a day, if hours are unknown."""
    visiting_in_words: str | None = opening_hours.hours_in_words(visit=True)
    """The rules of visiting in words, such as `Friday to Sunday, 07:30 to 15:30`."""
    program_offerings: Connection[ProgramOffering] = many("institution_id")
    """The programs that run or ran here, each with how we know."""
    programs: Connection[Program] = many(
        "id = ongoing_offerings.institution_id", "program_id = programs.id"
    )
    """The programs that run here."""
    program_categories: Connection[Category] = many(
        "id = ongoing_offerings.institution_id",
        "program_id = program_categories.program_id",
        "category_code = categories.code",
        group="program_category",
    )
    """The kinds of help that the programs here are; the classification is ours."""
    population: PopulationCount | None = join("id = current_population_counts.institution_id")
    """The newest count of people in custody."""
    population_counts: Connection[PopulationCount] = many("institution_id")
    """People in custody month by month, newest first."""
    verifications: Connection[Verification] = many("institution_id")
    """Who checked this record and how, newest first; empty if nobody has."""
    translations: Connection[Translation] = many("institution_id")
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
