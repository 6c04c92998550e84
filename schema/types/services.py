"""Services: what providers offer, and where one goes for it."""

from __future__ import annotations

from datetime import datetime
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
from schema.types.eligibility import (
    AcceptedGender,
    Audience,
    Criterion,
    Document,
    Fee,
    Match,
    Offence,
    ReferralRoute,
    Situation,
    an_age,
)
from schema.types.locations import AccessibilityFeature
from schema.types.opening_hours import HoursState, OpeningHours

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.completeness import Completeness
    from schema.types.counties import County
    from schema.types.eligibility import (
        CostOption,
        LanguageNote,
        RequiredDocument,
        ServiceCapacity,
    )
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


# What is known of who may come, as the functions of Postgres take it.
_RULES = (
    "audience",
    "audience_only",
    "accepts_people_with_records",
    "offence_exclusions",
    "gender",
    "minimum_age",
    "maximum_age",
    "referral_routes",
    "languages",
    "noted_languages",
    "documents",
    "fees",
)


@entity(
    table="services",
    aliases=True,
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
    alert: str | None = localized()
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
    """Whom the source says it serves, in codes made of its words; empty if unknown."""
    language_notes: list[LanguageNote] = many("service_id")
    """What else is known of some of the languages."""
    interpretation_services: str | None
    """Help by interpreters, in the source's words; null if unknown."""
    eligibility_description: str | None
    """Who may come, in the source's own words; null if unknown."""
    # index: gin, of several columns, any of which it finds
    audience: list[Audience] | None = column(filter=True, group="audience")
    """Groups that the source names as those it serves, coded by us; null if unknown."""
    audience_only: bool | None
    """True if nobody else may come; null if unknown."""
    # index: (accepts_people_with_records, name, id)
    accepts_people_with_records: bool | None = column(filter=True, group=True)
    """Whether people with a criminal record may come; null if unknown."""
    offence_exclusions: list[Offence] | None = column(filter=True)  # index: gin
    """Offences for which people are turned away; empty if none, null if unknown."""
    gender: AcceptedGender | None = column(filter=True, group=True)  # index: (gender, name, id)
    """People of which gender may come; null if unknown."""
    minimum_age: int | None
    """From which age on people may come; null if unknown, or if there is no such limit."""
    maximum_age: int | None
    """Up to which age people may come; null if unknown, or if there is no such limit."""
    accepts_age: bool | None = derived(  # index: gist (ages)
        "accepts_age",
        "ages",
        check=an_age,
        filter=True,
        age=argument(int, "An age in years."),
    )
    """Whether people of this age may come; null if nothing is known about age."""
    referral_routes: list[ReferralRoute] | None = column(
        filter=True, group="referral_route"
    )  # index: gin
    """Who can send one; null if unknown."""
    application_process: str | None
    """How one applies, in the source's words; null if unknown."""
    documents: list[Document] | None = column(
        filter=True, group="document", written=False
    )  # index: gin
    """Papers that one has to bring; null if unknown."""
    required_documents: list[RequiredDocument] = many("service_id")
    """The same with their names and notes; empty if unknown."""
    fees: list[Fee] | None = column(filter=True, group="fee", written=False)  # index: gin
    """In which ways it is paid for; null if unknown."""
    fees_description: str | None
    """What it costs, in the source's words; null if unknown."""
    cost_options: list[CostOption] = many("service_id")
    """What it costs, with prices and notes; empty if unknown."""
    accessibility: list[AccessibilityFeature] | None = column(
        filter=True, group="accessibility_feature", written=False
    )  # index: gin
    """What one of its places has for people with a disability; null if unknown."""
    conditions: str | None
    """What is asked for beside, and no code says, in the source's words."""
    criteria: list[Criterion] = column(filter=True, group="criterion", written=False)  # index: gin
    """What is known of who may come, beside the county; empty if nothing is."""
    matches: Match = derived(
        "service_match", "id", for_=argument(Situation, "Somebody's situation.")
    )
    """Whether it fits somebody in this situation, and why."""
    fits: bool = derived(  # index: gin (criteria), by all that a situation speaks of
        "service_fits",
        "criteria",
        "id",
        *_RULES,
        "county_fips",
        "accessibility",
        "conditions",
        filter=True,
        for_=argument(Situation, "Somebody's situation."),
    )
    """Whether it fits this situation for certain: everything that matters is known and fits."""
    may_fit: bool = derived(  # true of nearly all rows, so that a page is found at once
        "service_may_fit",
        *_RULES,
        "conditions",
        filter=True,
        for_=argument(Situation, "Somebody's situation."),
    )
    """Whether nothing is known to speak against it in this situation."""
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
    aliases=True,
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
    capacities: list[ServiceCapacity] = many("service_at_location_id")
    """How much is free there; empty if nobody counts."""
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
