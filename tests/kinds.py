"""Every kind of record with its columns, keys and relations, as one would draw them on a board.

The schema declares the same, and the engine reads it there; this is the second opinion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """An entity, as one would explain it to somebody at the whiteboard."""

    table: str
    order: str = ""
    key: str = "id"
    root: str = ""
    # field: "Kind by the column that holds its key"
    one: Mapping[str, str] = field(default_factory=dict)
    # field: "Kind over table.column there>column onwards, ..."
    many: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


_SOURCE = {"source": "Source by source_id"}
_OWN_PHONES = "Phone over phones.{}>id"
_OWN_HOURS = "Schedule over schedules.{}>id"
_OWN_EXCEPTIONS = "ScheduleException over schedule_exceptions.{}>id"
_CHECKS = "Verification over verifications.{}>id"


def _schedule(table: str, order: str) -> Kind:
    owners = {
        "institution": "Institution by institution_id",
        "visitorCenter": "VisitorCenter by visitor_center_id",
        "service": "Service by service_id",
        "serviceAtLocation": "ServiceAtLocation by service_at_location_id",
    }
    return Kind(table, order, one=owners | _SOURCE)


KINDS = {
    "Source": Kind(
        "sources",
        "key",
        root="sources",
        many={
            "imports": "Import over imports.source_id>id",
            "providers": "Provider over providers.source_id>id",
            "institutions": "Institution over institutions.source_id>id",
        },
    ),
    "Import": Kind("imports", "-imported_at", root="imports", one=_SOURCE),
    "County": Kind(
        "counties",
        "name",
        "fips",
        "counties",
        one=_SOURCE,
        many={
            "institutions": "Institution over institutions.county_fips>id",
            "providers": "Provider over providers.county_fips>id",
            "services": "Service over services.county_fips>id",
            "reentryPrograms": (
                "ReentryProgram over reentry_program_counties.county_fips>reentry_program_id"
            ),
            "locations": "Location over locations.public_county_fips>id",
        },
    ),
    "Location": Kind(
        "locations",
        "public_city",
        one={"county": "County by public_county_fips"} | _SOURCE,
        many={
            "phones": _OWN_PHONES.format("location_id"),
            "institutions": "Institution over institutions.location_id>id",
            "visitorCenters": "VisitorCenter over visitor_centers.location_id>id",
            "providers": "Provider over providers.location_id>id",
            "servicesAtLocation": "ServiceAtLocation over services_at_locations.location_id>id",
        },
        columns={"city": "public_city", "zip": "public_zip", "countyFips": "public_county_fips"},
    ),
    "Category": Kind(
        "categories",
        "label_en",
        "code",
        "categories",
        one={"parent": "Category by parent_code"} | _SOURCE,
        many={
            "children": "Category over categories.parent_code>code",
            "services": "Service over service_categories.category_code>service_id",
            "providers": (
                "Provider over service_categories.category_code>service_id, services.id>provider_id"
            ),
            "programs": "Program over program_categories.category_code>program_id",
            "reentryPrograms": (
                "ReentryProgram over reentry_program_categories.category_code>reentry_program_id"
            ),
            "synonyms": "Synonym over synonyms.category_code>code",
        },
    ),
    "Synonym": Kind(
        "synonyms",
        key="code",
        one={"category": "Category by category_code"} | _SOURCE,
    ),
    "ActivityGroupType": Kind(
        "activity_group_types",
        "label",
        "code",
        "activityGroupTypes",
        one=_SOURCE,
        many={"programs": "Program over programs.activity_group_type_code>id"},
    ),
    "Provider": Kind(
        "providers",
        "name",
        root="providers",
        one={"location": "Location by location_id", "county": "County by county_fips"} | _SOURCE,
        many={
            "services": "Service over services.provider_id>id",
            "categories": (
                "Category over services.provider_id>id, service_categories.service_id>category_code"
            ),
            "phones": _OWN_PHONES.format("provider_id"),
            "visitorCenters": "VisitorCenter over visitor_centers.operator_id>id",
            "programs": "Program over programs.operator_id>id",
            "verifications": _CHECKS.format("provider_id"),
        },
    ),
    "Service": Kind(
        "services",
        "name",
        root="services",
        one={"provider": "Provider by provider_id", "county": "County by county_fips"} | _SOURCE,
        many={
            "categories": "Category over service_categories.service_id>category_code",
            "atLocations": "ServiceAtLocation over services_at_locations.service_id>id",
            "phones": _OWN_PHONES.format("service_id"),
            "schedules": _OWN_HOURS.format("service_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("service_id"),
            "verifications": _CHECKS.format("service_id"),
        },
    ),
    "ServiceAtLocation": Kind(
        "services_at_locations",
        one={"service": "Service by service_id", "location": "Location by location_id"} | _SOURCE,
        many={
            "phones": _OWN_PHONES.format("service_at_location_id"),
            "schedules": _OWN_HOURS.format("service_at_location_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("service_at_location_id"),
        },
    ),
    "Institution": Kind(
        "institutions",
        "name",
        root="institutions",
        one={
            "parent": "Institution by parent_id",
            "location": "Location by location_id",
            "county": "County by county_fips",
            "visitingStatus": "VisitingStatus by newest_visiting_status",
            "population": "PopulationCount by newest_population_count",
        }
        | _SOURCE,
        many={
            "children": "Institution over institutions.parent_id>id",
            "phones": _OWN_PHONES.format("institution_id"),
            "visitingStatuses": "VisitingStatus over visiting_statuses.institution_id>id",
            "visitorCenters": "VisitorCenter over visitor_centers.institution_id>id",
            "schedules": _OWN_HOURS.format("institution_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("institution_id"),
            "programOfferings": "ProgramOffering over program_offerings.institution_id>id",
            "programs": "Program over program_offerings.institution_id>program_id",
            "populationCounts": "PopulationCount over population_counts.institution_id>id",
            "verifications": _CHECKS.format("institution_id"),
        },
    ),
    "PopulationCount": Kind(
        "population_counts",
        "-month",
        one={"institution": "Institution by institution_id"} | _SOURCE,
    ),
    "VisitingStatus": Kind(
        "visiting_statuses",
        "-last_updated",
        root="visitingStatuses",
        one={"institution": "Institution by institution_id"} | _SOURCE,
    ),
    "VisitorCenter": Kind(
        "visitor_centers",
        "name",
        root="visitorCenters",
        one={
            "institution": "Institution by institution_id",
            "operator": "Provider by operator_id",
            "location": "Location by location_id",
        }
        | _SOURCE,
        many={
            "amenities": (
                "VisitorAmenity over visitor_center_amenities.visitor_center_id>amenity_code"
            ),
            "phones": _OWN_PHONES.format("visitor_center_id"),
            "schedules": _OWN_HOURS.format("visitor_center_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("visitor_center_id"),
            "verifications": _CHECKS.format("visitor_center_id"),
        },
    ),
    "VisitorAmenity": Kind(
        "visitor_amenities",
        "label_en",
        "code",
        "visitorAmenities",
        one=_SOURCE,
        many={
            "visitorCenters": (
                "VisitorCenter over visitor_center_amenities.amenity_code>visitor_center_id"
            )
        },
    ),
    "VisitingFact": Kind("visiting_facts", "", "key", "visitingFacts", one=_SOURCE),
    "VisitingHoliday": Kind("visiting_holidays", "month", "code", "visitingHolidays", one=_SOURCE),
    "Program": Kind(
        "programs",
        "name",
        root="programs",
        one={
            "operator": "Provider by operator_id",
            "activityGroupType": "ActivityGroupType by activity_group_type_code",
        }
        | _SOURCE,
        many={
            "categories": "Category over program_categories.program_id>category_code",
            "offerings": "ProgramOffering over program_offerings.program_id>id",
            "institutions": "Institution over program_offerings.program_id>institution_id",
            "verifications": _CHECKS.format("program_id"),
        },
    ),
    "ProgramOffering": Kind(
        "program_offerings",
        "-as_of",
        root="programOfferings",
        one={"program": "Program by program_id", "institution": "Institution by institution_id"}
        | _SOURCE,
        many={"verifications": _CHECKS.format("offering_id")},
    ),
    "ReentryProgram": Kind(
        "reentry_programs",
        "name",
        root="reentryPrograms",
        one=_SOURCE,
        many={
            "categories": (
                "Category over reentry_program_categories.reentry_program_id>category_code"
            ),
            "counties": "County over reentry_program_counties.reentry_program_id>county_fips",
        },
    ),
    "Phone": Kind(
        "phones",
        "number",
        one={
            "institution": "Institution by institution_id",
            "visitorCenter": "VisitorCenter by visitor_center_id",
            "provider": "Provider by provider_id",
            "service": "Service by service_id",
            "location": "Location by location_id",
            "serviceAtLocation": "ServiceAtLocation by service_at_location_id",
        }
        | _SOURCE,
    ),
    "Schedule": _schedule("schedules", "kind,opens_at"),
    "ScheduleException": _schedule("schedule_exceptions", "starts_on"),
    "Verification": Kind(
        "verifications",
        "-verified_at",
        root="verifications",
        one={
            "institution": "Institution by institution_id",
            "visitorCenter": "VisitorCenter by visitor_center_id",
            "program": "Program by program_id",
            "offering": "ProgramOffering by offering_id",
            "provider": "Provider by provider_id",
            "service": "Service by service_id",
        },
    ),
}
LINKS = (
    "service_categories",
    "program_categories",
    "reentry_program_categories",
    "reentry_program_counties",
    "visitor_center_amenities",
)
