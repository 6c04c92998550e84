"""Who owns what: the types of the graph, dealt out to the subgraphs that answer for them.

A field lives where its foreign key lives, so little has to be said: who owns an entity owns its
columns, and what points to it from a table of somebody else's is a field of that somebody's.
What nobody owns (places, phones, hours, sources, categories) everybody may read and answers alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema import types


@dataclass(frozen=True, slots=True)
class Subgraph:
    """What one subgraph answers for.

    `entities` are its own. `lists` are entities of everybody's whose root fields it has. `tables`
    are those between entities, and views; who has them has the fields that lead through them.
    `answers` are fields of others, and root fields, that functions make of tables of its own.
    """

    entities: tuple[type, ...]
    lists: tuple[type, ...] = ()
    tables: tuple[str, ...] = ()
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


SUBGRAPHS: Mapping[str, Subgraph] = {
    "institutions": Subgraph(
        entities=(
            types.Institution,
            types.PopulationCount,
            types.Import,
            types.ImportRun,
            types.ImportRejection,
            types.EnumType,
            types.EnumValue,
            types.ApiKey,
            types.ArchivedRecord,
        ),
        lists=(
            types.County,
            types.ZipCode,
            types.Location,
            types.Source,
            types.Translation,
            types.Verification,
        ),
        tables=("current_population_counts",),
        # In one place only: where several subgraphs share a field, Apollo's planner thinks that it
        # need not go from one to another, and finds no plan for `node(id:) { ... on Sourced }`.
        answers={"Query": ("node", "nodes", "me")},
    ),
    "visiting": Subgraph(
        entities=(
            types.VisitorCenter,
            types.VisitorAmenity,
            types.VisitorServiceGap,
            types.VisitingStatus,
            types.VisitingFact,
        ),
        lists=(types.VisitingHoliday,),
        tables=(
            "current_visiting_statuses",
            "visitor_center_amenities",
            "lacked_visitor_services",
        ),
        answers={
            "Institution": (
                "visitingNow",
                "visitingAt",
                "visitingState",
                "visitingOn",
                "visitingHours",
                "nextVisiting",
                "visitingInWords",
            ),
        },
    ),
    "programs": Subgraph(
        entities=(
            types.Program,
            types.ProgramOffering,
            types.ReentryProgram,
            types.ActivityGroupType,
        ),
        tables=(
            "program_categories",
            "reentry_program_categories",
            "reentry_program_counties",
            "ongoing_offerings",
        ),
    ),
    "providers": Subgraph(
        entities=(
            types.Provider,
            types.Service,
            types.ServiceAtLocation,
            types.ServiceArea,
            types.ServiceCapacity,
            types.CostOption,
            types.LanguageNote,
            types.RequiredDocument,
            types.DuplicateCandidate,
            types.Proposal,
            types.Synonym,
        ),
        lists=(types.Category,),
        tables=(
            "service_categories",
            "listed_services",
            "statewide_services",
            "served_counties",
            "unserved_categories",
            "provider_duplicate_candidates",
        ),
        answers={
            "County": ("providerCount", "serviceCounts", "servicesByCategory"),
            "Query": ("serviceCounts", "servicesByCategory", "search", "suggest"),
        },
    ),
}

# What is for those who keep the directory, and for partners of theirs, not for everybody's pages:
# a contract leaves it out by its tag. What leads to a type that is tagged is tagged with it.
TAGS: Mapping[str, tuple[str, ...]] = {
    "staff": (
        "DuplicateCandidate",
        "Import",
        "ImportRejection",
        "ImportRun",
        "ArchivedRecord",
    ),
    "partner": (
        "Proposal",
        "Query.translations",
        "Query.verifications",
        "Query.sources",
        "Query.locations",
    ),
}
