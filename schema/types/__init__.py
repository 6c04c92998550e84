"""Everyone in the graph, introduced: a file per entity, from place to proof.

sources, counties, zip_codes, locations, categories, activity_group_types, providers, services,
service_areas, institutions, population_counts, visiting_statuses, visiting_status_changes,
visitor_centers, visitor_service_gaps, visiting_facts, visiting_holidays, programs,
reentry_programs, phones, schedules, verifications, completeness, service_counts, enums,
translations, duplicate_candidates, opening_hours, eligibility, search, synonyms, api_keys, me,
import_runs.
"""

from schema.types.activity_group_types import ActivityGroupType
from schema.types.api_keys import ApiKey
from schema.types.archived_records import ArchivedRecord
from schema.types.categories import Category
from schema.types.completeness import Completeness
from schema.types.counties import County
from schema.types.duplicate_candidates import DuplicateCandidate
from schema.types.eligibility import (
    CostOption,
    LanguageNote,
    Match,
    MatchReason,
    RequiredDocument,
    ServiceCapacity,
)
from schema.types.enums import EnumType, EnumValue
from schema.types.import_runs import ImportRejection, ImportRun
from schema.types.institutions import Institution
from schema.types.locations import ConfidentialAddress, Location
from schema.types.me import Me
from schema.types.opening_hours import OpeningHours
from schema.types.phones import Phone
from schema.types.population_counts import PopulationCount
from schema.types.programs import Program, ProgramOffering
from schema.types.proposals import Proposal, ProposedDifference
from schema.types.providers import Provider
from schema.types.reentry_programs import ReentryProgram
from schema.types.schedules import Schedule, ScheduleException
from schema.types.search import (
    CategoryCount,
    CountyCount,
    LanguageCount,
    Search,
    SearchFacets,
    SearchFilter,
    SearchStatus,
    SearchType,
    Suggestion,
    TypeCount,
)
from schema.types.service_areas import ServiceArea
from schema.types.service_counts import CategoryServices, ServiceCounts
from schema.types.services import Service, ServiceAtLocation
from schema.types.sourced import Sourced
from schema.types.sources import Import, Provenance, Source
from schema.types.synonyms import Synonym
from schema.types.translations import Translation
from schema.types.user_errors import UserError
from schema.types.verifications import Freshness, Verification
from schema.types.visiting_facts import VisitingFact
from schema.types.visiting_holidays import VisitingHoliday
from schema.types.visiting_status_changes import VisitingStatusChange
from schema.types.visiting_statuses import VisitingStatus
from schema.types.visitor_centers import VisitorAmenity, VisitorCenter
from schema.types.visitor_service_gaps import VisitorServiceGap
from schema.types.zip_codes import ZipCode

__all__ = [
    "ActivityGroupType",
    "ApiKey",
    "ArchivedRecord",
    "Category",
    "CategoryCount",
    "CategoryServices",
    "Completeness",
    "ConfidentialAddress",
    "CostOption",
    "County",
    "CountyCount",
    "DuplicateCandidate",
    "EnumType",
    "EnumValue",
    "Freshness",
    "Import",
    "ImportRejection",
    "ImportRun",
    "Institution",
    "LanguageCount",
    "LanguageNote",
    "Location",
    "Match",
    "MatchReason",
    "Me",
    "OpeningHours",
    "Phone",
    "PopulationCount",
    "Program",
    "ProgramOffering",
    "Proposal",
    "ProposedDifference",
    "Provenance",
    "Provider",
    "ReentryProgram",
    "RequiredDocument",
    "Schedule",
    "ScheduleException",
    "Search",
    "SearchFacets",
    "SearchFilter",
    "SearchStatus",
    "SearchType",
    "Service",
    "ServiceArea",
    "ServiceAtLocation",
    "ServiceCapacity",
    "ServiceCounts",
    "Source",
    "Sourced",
    "Suggestion",
    "Synonym",
    "Translation",
    "TypeCount",
    "UserError",
    "Verification",
    "VisitingFact",
    "VisitingHoliday",
    "VisitingStatus",
    "VisitingStatusChange",
    "VisitorAmenity",
    "VisitorCenter",
    "VisitorServiceGap",
    "ZipCode",
]
