"""Services: what providers offer, and where one goes for it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, join, localized, many, part
from schema.types import opening_hours
from schema.types.opening_hours import HoursState, OpeningHours

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.completeness import Completeness
    from schema.types.counties import County
    from schema.types.locations import Location
    from schema.types.phones import Phone
    from schema.types.providers import Provider
    from schema.types.schedules import Schedule, ScheduleException
    from schema.types.service_areas import ServiceArea
    from schema.types.sources import Provenance
    from schema.types.translations import Translation
    from schema.types.verifications import Freshness, Verification


class ServiceStatus(Enum):
    """Whether a service is on offer, in the words of HSDS."""

    ACTIVE = "ACTIVE"
    """On offer."""
    INACTIVE = "INACTIVE"
    """Not on offer at present."""
    DEFUNCT = "DEFUNCT"
    """Gone for good."""
    TEMPORARILY_CLOSED = "TEMPORARILY_CLOSED"
    """Closed, and expected to open again."""


@entity(
    table="services",
    large=True,
    translated="service_id",
    implements=("Sourced",),
    listed=("listed", "id", "name", "status"),
    position="position",
    place=("id = services_at_locations.service_id", "location_id = locations.id"),
    everywhere=("id = statewide_services.service_id",),
)
class Service:
    """What a provider offers at a site. Lists show what is on offer and what may be.

    What is inactive, closed or gone is found by its id, its name or its status.
    """

    id: ID
    # index: (name, id), and trigrams for search
    name: str = column(search=True, filter=True, order=True)
    """What is offered, if the source names one thing; otherwise the name of the site."""
    offers: list[str]
    """Everything the source says is offered here, in its words."""
    status: ServiceStatus | None = column(filter=True, group=True)  # index: (status, name, id)
    """Whether it is on offer; null if unknown, which is not the same as closed."""
    alert: str | None
    """What people should know before they set out."""
    provider: Provider = join("provider_id")
    """Who offers it."""
    categories: Connection[Category] = many(
        "id = service_categories.service_id", "category_code = categories.code", group="category"
    )
    """The kinds of help it is."""
    county_fips: str | None = column(filter=True, group=True)  # index: (county_fips, name, id)
    """FIPS code of the county it is offered in; null if unknown."""
    county: County | None = join("county_fips")
    """The county it is offered in; null if unknown. Whom it is for is in `serviceAreas`."""
    service_areas: list[ServiceArea] = many("service_id")
    """Whom it is for by where they live; empty if unknown."""
    served_counties: Connection[County] = many(
        "id = served_counties.service_id", "county_fips = counties.fips", group="served_county"
    )
    """The counties whose people it is for, all of them if it is statewide; none if unknown."""
    languages: list[str] = column(filter=True, group="language")  # index: gin (languages)
    """Languages it is given in, as ISO 639 codes such as `es`; empty if unknown."""
    serves: list[str] = column(filter=True)  # index: gin (serves)
    """Who may come, such as `EX_OFFENDERS` or `VETERANS`; empty if unknown."""
    hours_text: str | None = localized()
    """Opening hours in the source's own words."""
    at_locations: Connection[ServiceAtLocation] = many("service_id")
    """Where one goes for it."""
    phones: list[Phone] = many("service_id")
    """Telephone numbers of this service, beside those of its provider."""
    schedules: list[Schedule] = many("service_id")
    """Opening hours as rules."""
    schedule_exceptions: list[ScheduleException] = many("service_id")
    """Days on which the rules do not hold."""
    open_now: bool | None = opening_hours.open_now("services_open_at")
    """Whether it is open now; null if unknown."""
    open_at: bool | None = opening_hours.open_at("services_open_at")
    """Whether it is open at a moment; null if unknown."""
    hours_state: HoursState = opening_hours.hours_state()
    """Whether it is open, with a word for what is unknown."""
    hours: list[OpeningHours] = opening_hours.hours()
    """What holds on a day, or on some: rules, exceptions, holidays and closures together."""
    next_opening: OpeningHours | None = opening_hours.next_opening()
    """The next opening in nine weeks that is certain to come; a day, if hours are unknown."""
    hours_in_words: str | None = opening_hours.hours_in_words()
    """The rules of its hours in words, such as `Friday to Sunday, 07:30 to 15:30`."""
    verifications: Connection[Verification] = many("service_id")
    """Who checked this record and how, newest first; empty if nobody has."""
    translations: Connection[Translation] = many("service_id")
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


@entity(
    table="services_at_locations",
    order=(),
    large=True,
    implements=("Sourced",),
    listed=("listed", "id"),
    position="position",
    place=("location_id = locations.id",),
)
class ServiceAtLocation:
    """A service at a place where one can go for it, in lists as long as the service is."""

    id: ID
    service: Service = join("service_id")
    """The service."""
    location: Location = join("location_id")
    """The place."""
    phones: list[Phone] = many("service_at_location_id")
    """Telephone numbers of this service at this place."""
    schedules: list[Schedule] = many("service_at_location_id")
    """Opening hours there, as rules; without any of its own, those of the service hold."""
    schedule_exceptions: list[ScheduleException] = many("service_at_location_id")
    """Days on which the rules do not hold; those of its service count, too."""
    open_now: bool | None = opening_hours.open_now("places_open_at")
    """Whether it is open now; null if unknown."""
    open_at: bool | None = opening_hours.open_at("places_open_at")
    """Whether it is open at a moment; null if unknown."""
    hours_state: HoursState = opening_hours.hours_state()
    """Whether it is open, with a word for what is unknown."""
    hours: list[OpeningHours] = opening_hours.hours()
    """What holds on a day, or on some: rules, exceptions, holidays and closures together."""
    next_opening: OpeningHours | None = opening_hours.next_opening()
    """The next opening in nine weeks that is certain to come; a day, if hours are unknown."""
    hours_in_words: str | None = opening_hours.hours_in_words()
    """The rules of its hours in words, such as `Friday to Sunday, 07:30 to 15:30`."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
