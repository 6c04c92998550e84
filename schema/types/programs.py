"""Programs: what is done inside, and where."""

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
from schema.types.eligibility import Audience, Match, Situation

if TYPE_CHECKING:
    from schema.types.activity_group_types import ActivityGroupType
    from schema.types.categories import Category
    from schema.types.completeness import Completeness
    from schema.types.counties import County
    from schema.types.institutions import Institution
    from schema.types.providers import Provider
    from schema.types.sources import DatePrecision, Provenance
    from schema.types.translations import Translation
    from schema.types.verifications import Freshness, Verification


class DeliveredBy(Enum):
    """How a program is organized and paid for."""

    STATE_PROGRAM = "STATE_PROGRAM"
    """The state runs it."""
    CONTRACTED_NONPROFIT = "CONTRACTED_NONPROFIT"
    """A nonprofit runs it under contract."""
    STATE_FUNDED_NONPROFITS = "STATE_FUNDED_NONPROFITS"
    """Nonprofits run it with the state's money."""
    GRANT_FUNDED = "GRANT_FUNDED"
    """A grant pays for it."""
    VOLUNTEER = "VOLUNTEER"
    """Volunteers run it."""
    NONPROFIT = "NONPROFIT"
    """A nonprofit runs it by its own means."""
    PRIVATE = "PRIVATE"
    """A private company runs it."""


class OperatorType(Enum):
    """Who runs a program."""

    STATE = "STATE"
    """A state agency."""
    NONPROFIT = "NONPROFIT"
    """A nonprofit organization."""
    VOLUNTEER_GROUP = "VOLUNTEER_GROUP"
    """A group of volunteers."""
    MIXED = "MIXED"
    """Several of these together."""
    PRIVATE = "PRIVATE"
    """A private company."""


class ProgramScope(Enum):
    """How widely a program runs."""

    STATEWIDE = "STATEWIDE"
    """In the whole state."""
    SOME_INSTITUTIONS = "SOME_INSTITUTIONS"
    """At several institutions."""
    INSTITUTION = "INSTITUTION"
    """At single institutions."""
    UNKNOWN = "UNKNOWN"
    """Nobody told us."""


class OfferingStatus(Enum):
    """Whether a program runs at an institution."""

    ACTIVE = "ACTIVE"
    """The source reports it running there on the date in `asOf`, which may be long ago."""
    ENDED = "ENDED"
    """It has ended there, or its institution has closed."""
    UNKNOWN = "UNKNOWN"
    """Nobody told us."""


class Evidence(Enum):
    """How we know that a program runs at an institution."""

    OPERATIONAL_CAPACITY_REPORTED = "OPERATIONAL_CAPACITY_REPORTED"
    """CDCR's SB 601 dashboard reports places in it."""
    PIA_WORKERS_REPORTED = "PIA_WORKERS_REPORTED"
    """The State Controller reports workers of the Prison Industry Authority there."""
    GRANT_2022_2025 = "GRANT_2022_2025"
    """A grant for 2022 to 2025 names the institution."""
    LISTED = "LISTED"
    """A list or page names it at this institution."""
    STATEWIDE_CLAIM = "STATEWIDE_CLAIM"
    """A source says that it runs at all institutions, without listing them."""


@entity(table="programs", implements=("Sourced",), translated="program_id")
class Program:
    """Something done with or for people inside, or their families."""

    id: ID
    slug: str = column(unique=True)
    """A readable stable name for links, such as `arts-in-corrections`."""
    name: str = localized(search=True)
    """Its name."""
    summary: str | None = localized(search=True)
    """What it is, in a sentence."""
    categories: Connection[Category] = many(
        "id = program_categories.program_id", "category_code = categories.code", group="category"
    )
    """The kinds of help it is; the classification is ours."""
    delivered_by: DeliveredBy | None
    """How it is organized and paid for; the classification is ours."""
    operator_name: str | None
    """Who runs it, as the source writes it."""
    operator_type: OperatorType | None
    """What kind of body runs it."""
    operator: Provider | None = join("operator_id")
    """Who runs it, where that is one organization of this directory."""
    audience: list[Audience] = column(group="audience")
    """Whom it is for, and nobody else; the classification is ours."""
    matches: Match = derived(
        "program_match", "id", for_=argument(Situation, "Somebody's situation.")
    )
    """Whether it is for somebody in this situation, and why."""
    fits: bool = derived(
        "program_fits",
        "audience",
        "scope",
        for_=argument(Situation, "Somebody's situation."),
    )
    """Whether it fits this situation for certain."""
    may_fit: bool = derived(
        "program_may_fit",
        "audience",
        "scope",
        for_=argument(Situation, "Somebody's situation."),
    )
    """Whether nothing is known to speak against it in this situation."""
    scope: ProgramScope = column(default=ProgramScope.UNKNOWN)
    """How widely it runs."""
    activity_group_type: ActivityGroupType | None = join("activity_group_type_code")
    """CDCR's class of activity groups that it belongs to, inferred by us."""
    offerings: Connection[ProgramOffering] = many("program_id")
    """Where it runs or ran, each with how we know."""
    institutions: Connection[Institution] = many(
        "id = ongoing_offerings.program_id", "institution_id = institutions.id", group="institution"
    )
    """Where it runs."""
    counties: Connection[County] = many(
        "id = ongoing_offerings.program_id",
        "institution_id = institutions.id",
        "county_fips = counties.fips",
        group="county",
    )
    """The counties it runs in."""
    verifications: Connection[Verification] = many("program_id")
    """Who checked this record and how, newest first; empty if nobody has."""
    translations: Connection[Translation] = many("program_id")
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


@entity(table="program_offerings", order=("-as_of",), implements=("Sourced",))
class ProgramOffering:
    """A program at an institution, with how we know."""

    id: ID
    program: Program = join("program_id")
    """The program."""
    institution: Institution = join("institution_id")
    """The institution."""
    county: County | None = join(
        "institution_id = institutions.id", "county_fips = counties.fips", group=True
    )
    """The county of the institution."""
    categories: Connection[Category] = many(
        "program_id = program_categories.program_id",
        "category_code = categories.code",
        group="category",
    )
    """The kinds of help that the program is; the classification is ours."""
    status: OfferingStatus = column(default=OfferingStatus.UNKNOWN)
    """Whether it runs there."""
    ended_on: date | None
    """The first day on which it runs no more, if that is known or announced."""
    yards: list[str]
    """The yards it runs on; empty if unknown."""
    capacity: int | None
    """How many people can take part."""
    evidence: Evidence
    """How we know."""
    as_of: date | None
    """When the source said so, as precise as `asOfPrecision` says; null if undated."""
    as_of_precision: DatePrecision | None
    """How much of `asOf` is known."""
    verifications: Connection[Verification] = many("offering_id")
    """Who checked this record and how, newest first; empty if nobody has."""
    freshness: Freshness = part()
    """When it was last checked, and how far that can be trusted."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
