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
    # A text in several languages: its columns, the one that is always there first; and the column
    # of a translation that points here.
    texts: Mapping[str, str] = field(default_factory=dict)
    translated: str = ""
    # key of groupBy: the list, or the relation to many, each of whose items is a group
    groups: Mapping[str, str] = field(default_factory=dict)
    # What functions make of a record. Who looks at those has an oracle of their own.
    derived: frozenset[str] = frozenset()
    # the fields by which one finds what no list shows; empty if lists show everything
    unlisted_by: tuple[str, ...] = ()


# Fields whose object is made of columns of the same row, and its type.
PARTS = {"provenance": "Provenance", "freshness": "Freshness", "completeness": "Completeness"}
PARTS["confidential"] = "ConfidentialAddress"

_SOURCE = {"source": "Source by source_id"}  # in the part `provenance`
_SERVICE = {"service": "Service by service_id"}
_OWN_PHONES = "Phone over phones.{}>id"
_OWN_HOURS = "Schedule over schedules.{}>id"
_OWN_EXCEPTIONS = "ScheduleException over schedule_exceptions.{}>id"
_OWN = "{} over {}.service_id>id"
_MATCHES = frozenset({"fits", "mayFit"})
_CHECKS = "Verification over verifications.{}>id"
_TRANSLATIONS = "Translation over translations.{}>id"
_TRUST = {  # in the parts `freshness` and `completeness`
    "score": "completeness",
    "state": "freshness_state",
    "method": "verification_method",
    "outcome": "verification_outcome",
    "nextDueAt": "verification_due_at",
}


# Filters that are themselves an argument: whether something is so at a moment or on a day. Their
# second opinion is that of hours, in tests/db/test_hours.py.
ASKED_WITH = frozenset({"openNow", "openAt", "visitingOn"})


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
            "servedBy": "Service over served_counties.county_fips>service_id",
            "reentryPrograms": (
                "ReentryProgram over reentry_program_counties.county_fips>reentry_program_id"
            ),
            "locations": "Location over locations.public_county_fips>id",
            "categoriesWithoutActiveService": (
                "Category over unserved_categories.county_fips>category_code"
            ),
        },
        groups={"categoryWithoutActiveService": "categoriesWithoutActiveService"},
    ),
    "ZipCode": Kind("zip_codes", "", "zip", one=_SOURCE),
    "Location": Kind(
        "locations",
        "public_city",
        root="locations",
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
            "translations": _TRANSLATIONS.format("category_code"),
            "children": "Category over categories.parent_code>code",
            "services": "Service over service_categories.category_code>service_id",
            "providers": (
                "Provider over service_categories.category_code>service_id,"
                " listed_services.id>provider_id"
            ),
            "programs": "Program over program_categories.category_code>program_id",
            "reentryPrograms": (
                "ReentryProgram over reentry_program_categories.category_code>reentry_program_id"
            ),
            "synonyms": "Synonym over synonyms.category_code>code",
        },
        texts={"label": "label_en label_es"},
        translated="category_code",
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
        many={
            "translations": _TRANSLATIONS.format("activity_group_type_code"),
            "programs": "Program over programs.activity_group_type_code>id",
        },
        texts={"label": "label"},
        translated="activity_group_type_code",
    ),
    "Provider": Kind(
        "providers",
        "name",
        root="providers",
        one={"location": "Location by location_id", "county": "County by county_fips"} | _SOURCE,
        many={
            "services": "Service over services.provider_id>id",
            "categories": (
                "Category over listed_services.provider_id>id,"
                " service_categories.service_id>category_code"
            ),
            "phones": _OWN_PHONES.format("provider_id"),
            "visitorCenters": "VisitorCenter over visitor_centers.operator_id>id",
            "programs": "Program over programs.operator_id>id",
            "duplicates": "DuplicateCandidate over provider_duplicate_candidates.provider_id>id",
            "verifications": _CHECKS.format("provider_id"),
        },
        groups={"language": "languages", "category": "categories"},
        columns=_TRUST,
        unlisted_by=("id", "slug", "name"),
    ),
    "DuplicateCandidate": Kind(
        "duplicate_candidates",
        "-score",
        root="duplicateCandidates",
        one={"left": "Provider by left_id", "right": "Provider by right_id"},
        groups={"reason": "reasons"},
    ),
    "Proposal": Kind(
        "proposals",
        "created_at",
        root="proposals",
        one={"provider": "Provider by provider_id"},
        derived=frozenset({"differences"}),
    ),
    "ArchivedRecord": Kind("archived_records", "-archived_at", root="archivedRecords"),
    "ImportRun": Kind(
        "import_runs",
        "-started_at",
        root="importRuns",
        one={"source": "Source by source_id"},
        many={"rejections": "ImportRejection over import_rejections.run_id>id"},
    ),
    "ImportRejection": Kind("import_rejections", "number", one={"run": "ImportRun by run_id"}),
    "ApiKey": Kind("api_keys", "name", root="apiKeys", one={"provider": "Provider by provider_id"}),
    "Service": Kind(
        "services",
        "name",
        root="services",
        one={"provider": "Provider by provider_id", "county": "County by county_fips"} | _SOURCE,
        many={
            "translations": _TRANSLATIONS.format("service_id"),
            "serviceAreas": "ServiceArea over service_areas.service_id>id",
            "servedCounties": "County over served_counties.service_id>county_fips",
            "categories": "Category over service_categories.service_id>category_code",
            "atLocations": "ServiceAtLocation over services_at_locations.service_id>id",
            "phones": _OWN_PHONES.format("service_id"),
            "schedules": _OWN_HOURS.format("service_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("service_id"),
            "verifications": _CHECKS.format("service_id"),
            "languageNotes": _OWN.format("LanguageNote", "language_notes"),
            "requiredDocuments": _OWN.format("RequiredDocument", "required_documents"),
            "costOptions": _OWN.format("CostOption", "cost_options"),
        },
        derived=_MATCHES | {"acceptsAge"},
        texts={"hoursText": "hours_text"},
        translated="service_id",
        groups={
            "language": "languages",
            "category": "categories",
            "audience": "audience",
            "referralRoute": "referralRoutes",
            "document": "documents",
            "fee": "fees",
            "accessibilityFeature": "accessibility",
            "criterion": "criteria",
            "servedCounty": "servedCounties",
        },
        columns=_TRUST,
        unlisted_by=("id", "name", "status"),
    ),
    "ServiceArea": Kind(
        "service_areas",
        "county_fips",
        one={"service": "Service by service_id", "county": "County by county_fips"} | _SOURCE,
    ),
    "LanguageNote": Kind("language_notes", "language", one=_SERVICE | _SOURCE),
    "RequiredDocument": Kind("required_documents", "document", one=_SERVICE | _SOURCE),
    "CostOption": Kind("cost_options", "option", one=_SERVICE | _SOURCE),
    "ServiceAtLocation": Kind(
        "services_at_locations",
        root="servicesAtLocations",
        one={"service": "Service by service_id", "location": "Location by location_id"} | _SOURCE,
        many={
            "phones": _OWN_PHONES.format("service_at_location_id"),
            "schedules": _OWN_HOURS.format("service_at_location_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("service_at_location_id"),
            "capacities": "ServiceCapacity over service_capacities.service_at_location_id>id",
        },
        unlisted_by=("id",),
    ),
    "ServiceCapacity": Kind(
        "service_capacities",
        "unit",
        one={"serviceAtLocation": "ServiceAtLocation by service_at_location_id"} | _SOURCE,
        columns={"lastAvailable": "available"},
        derived=frozenset({"available", "expiresAt", "isCurrent"}),
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
            "translations": _TRANSLATIONS.format("institution_id"),
            "children": "Institution over institutions.parent_id>id",
            "phones": _OWN_PHONES.format("institution_id"),
            "visitingStatuses": "VisitingStatus over visiting_statuses.institution_id>id",
            "visitorCenters": "VisitorCenter over visitor_centers.institution_id>id",
            "visitorServiceGaps": "VisitorServiceGap over visitor_service_gaps.institution_id>key",
            "schedules": _OWN_HOURS.format("institution_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("institution_id"),
            "programOfferings": "ProgramOffering over program_offerings.institution_id>id",
            "programs": "Program over ongoing_offerings.institution_id>program_id",
            "programCategories": (
                "Category over ongoing_offerings.institution_id>program_id,"
                " program_categories.program_id>category_code"
            ),
            "populationCounts": "PopulationCount over population_counts.institution_id>id",
            "verifications": _CHECKS.format("institution_id"),
        },
        texts={
            "statusNote": "status_note",
            "openedNote": "opened_note",
            "deactivations": "deactivations",
        },
        translated="institution_id",
        groups={"securityLevel": "securityLevels", "programCategory": "programCategories"},
        columns=_TRUST,
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
        many={"translations": _TRANSLATIONS.format("visiting_status_id")},
        texts={"exceptions": "exceptions"},
        translated="visiting_status_id",
    ),
    "VisitorCenter": Kind(
        "visitor_centers",
        "name",
        root="visitorCenters",
        one={
            "institution": "Institution by institution_id",
            "county": "County by county_of_institution",
            "operator": "Provider by operator_id",
            "location": "Location by location_id",
        }
        | _SOURCE,
        many={
            "translations": _TRANSLATIONS.format("visitor_center_id"),
            "amenities": (
                "VisitorAmenity over visitor_center_amenities.visitor_center_id>amenity_code"
            ),
            "missingServices": (
                "VisitorAmenity over lacked_visitor_services.visitor_center_id>amenity_code"
            ),
            "phones": _OWN_PHONES.format("visitor_center_id"),
            "schedules": _OWN_HOURS.format("visitor_center_id"),
            "scheduleExceptions": _OWN_EXCEPTIONS.format("visitor_center_id"),
            "verifications": _CHECKS.format("visitor_center_id"),
        },
        texts={"alert": "alert", "hoursText": "hours_text", "locationNote": "location_note"},
        translated="visitor_center_id",
        groups={"amenity": "amenities", "missingService": "missingServices"},
        columns=_TRUST,
        unlisted_by=("id", "slug", "name", "status"),
    ),
    "VisitorServiceGap": Kind(
        "visitor_service_gaps",
        "key",
        "key",
        "visitorServiceGaps",
        one={
            "institution": "Institution by institution_id",
            "county": "County by county_of_institution",
            "amenity": "VisitorAmenity by amenity_code",
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
        texts={"label": "label_en label_es"},
    ),
    "VisitingFact": Kind(
        "visiting_facts",
        "",
        "key",
        "visitingFacts",
        one=_SOURCE,
        many={"translations": _TRANSLATIONS.format("visiting_fact_key")},
        texts={"value": "value"},
        translated="visiting_fact_key",
    ),
    "VisitingHoliday": Kind(
        "visiting_holidays",
        "month",
        "code",
        "visitingHolidays",
        one=_SOURCE,
        texts={"label": "label_en label_es"},
    ),
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
            "translations": _TRANSLATIONS.format("program_id"),
            "categories": "Category over program_categories.program_id>category_code",
            "offerings": "ProgramOffering over program_offerings.program_id>id",
            "institutions": "Institution over ongoing_offerings.program_id>institution_id",
            "counties": (
                "County over ongoing_offerings.program_id>institution_id,"
                " institutions.id>county_fips"
            ),
            "verifications": _CHECKS.format("program_id"),
        },
        texts={"name": "name", "summary": "summary"},
        translated="program_id",
        groups={
            "audience": "audience",
            "category": "categories",
            "institution": "institutions",
            "county": "counties",
        },
        columns=_TRUST,
        derived=_MATCHES,
    ),
    "ProgramOffering": Kind(
        "program_offerings",
        "-as_of",
        root="programOfferings",
        one={
            "program": "Program by program_id",
            "institution": "Institution by institution_id",
            "county": "County by county_of_institution",
        }
        | _SOURCE,
        many={
            "categories": (
                "Category over program_offerings.id>program_id,"
                " program_categories.program_id>category_code"
            ),
            "verifications": _CHECKS.format("offering_id"),
        },
        groups={"category": "categories"},
        columns=_TRUST,
    ),
    "ReentryProgram": Kind(
        "reentry_programs",
        "name",
        root="reentryPrograms",
        one=_SOURCE,
        many={
            "translations": _TRANSLATIONS.format("reentry_program_id"),
            "categories": (
                "Category over reentry_program_categories.reentry_program_id>category_code"
            ),
            "counties": "County over reentry_program_counties.reentry_program_id>county_fips",
        },
        texts={
            "name": "name",
            "eligibility": "eligibility",
            "referralRoute": "referral_route",
            "serviceAreas": "service_areas",
        },
        translated="reentry_program_id",
        groups={
            "category": "categories",
            "county": "counties",
            "referralRouteCode": "referralRoutes",
        },
        derived=_MATCHES,
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
    "EnumType": Kind(
        "enums",
        "name",
        "name",
        "enums",
        one=_SOURCE,
        many={"values": "EnumValue over enum_values.enum_name>key"},
    ),
    "EnumValue": Kind(
        "enum_values",
        "place",
        "key",
        one={"enum": "EnumType by enum_name"} | _SOURCE,
        many={"translations": _TRANSLATIONS.format("enum_value_key")},
        texts={"label": "label"},
        translated="enum_value_key",
    ),
    "Translation": Kind(
        "translations",
        "field,language",
        root="translations",
        one={
            "institution": "Institution by institution_id",
            "visitingStatus": "VisitingStatus by visiting_status_id",
            "visitorCenter": "VisitorCenter by visitor_center_id",
            "visitingFact": "VisitingFact by visiting_fact_key",
            "program": "Program by program_id",
            "reentryProgram": "ReentryProgram by reentry_program_id",
            "service": "Service by service_id",
            "category": "Category by category_code",
            "activityGroupType": "ActivityGroupType by activity_group_type_code",
            "enumValue": "EnumValue by enum_value_key",
        }
        | _SOURCE,
    ),
}
LINKS = (
    "provider_duplicate_candidates",
    "ongoing_offerings",
    "service_categories",
    "program_categories",
    "reentry_program_categories",
    "reentry_program_counties",
    "visitor_center_amenities",
    "lacked_visitor_services",
    "unserved_categories",
    "served_counties",
)
