"""Everyone in the graph, introduced: a file per entity, from place to proof.

sources, counties, locations, categories, activity_group_types, providers, services,
institutions, population_counts, visiting_statuses, visitor_centers, visiting_facts,
visiting_holidays, programs, reentry_programs, phones, schedules, verifications, search, synonyms.
"""

from schema.types.activity_group_types import ActivityGroupType
from schema.types.categories import Category
from schema.types.counties import County
from schema.types.institutions import Institution
from schema.types.locations import Location
from schema.types.phones import Phone
from schema.types.population_counts import PopulationCount
from schema.types.programs import Program, ProgramOffering
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
from schema.types.services import Service, ServiceAtLocation
from schema.types.sourced import Sourced
from schema.types.sources import Import, Source
from schema.types.synonyms import Synonym
from schema.types.verifications import Verification
from schema.types.visiting_facts import VisitingFact
from schema.types.visiting_holidays import VisitingHoliday
from schema.types.visiting_statuses import VisitingStatus
from schema.types.visitor_centers import VisitorAmenity, VisitorCenter

__all__ = [
    "ActivityGroupType",
    "Category",
    "CategoryCount",
    "County",
    "CountyCount",
    "Import",
    "Institution",
    "LanguageCount",
    "Location",
    "Phone",
    "PopulationCount",
    "Program",
    "ProgramOffering",
    "Provider",
    "ReentryProgram",
    "Schedule",
    "ScheduleException",
    "Search",
    "SearchFacets",
    "SearchFilter",
    "SearchStatus",
    "SearchType",
    "Service",
    "ServiceAtLocation",
    "Source",
    "Sourced",
    "Suggestion",
    "Synonym",
    "TypeCount",
    "Verification",
    "VisitingFact",
    "VisitingHoliday",
    "VisitingStatus",
    "VisitorAmenity",
    "VisitorCenter",
]
