"""Everything one may ask: the menu, a line per dish."""

from __future__ import annotations

from schema.changes import ChangesPage
from schema.entity import Connection, Language, argument, asker, derived, every, one, ranked, since
from schema.near import Near
from schema.types import (
    ActivityGroupType,
    ApiKey,
    ArchivedRecord,
    Category,
    CategoryServices,
    County,
    DuplicateCandidate,
    EnumType,
    Import,
    ImportRun,
    Institution,
    Location,
    Me,
    Program,
    ProgramOffering,
    Proposal,
    Provider,
    ReentryProgram,
    Search,
    SearchFacets,
    SearchFilter,
    SearchType,
    Service,
    ServiceAtLocation,
    ServiceCounts,
    Source,
    Suggestion,
    Translation,
    Verification,
    VisitingFact,
    VisitingHoliday,
    VisitingStatus,
    VisitorAmenity,
    VisitorCenter,
    VisitorServiceGap,
    ZipCode,
)
from schema.types.counties import a_fips
from schema.types.search import a_beginning, a_text


class Query:
    """Where every question starts. A connection gives 20 at a time, and up to 100 if asked."""

    institution: Institution | None = one("code")
    """A prison, camp or reentry facility by its code, such as `SQ`."""
    institutions: Connection[Institution] = every()
    """Prisons, camps and reentry facilities."""
    visiting_statuses: Connection[VisitingStatus] = every()
    """Everything that was said about visiting, newest first."""
    visiting_facts: Connection[VisitingFact] = every()
    """Statewide rules of visiting."""
    visiting_holidays: Connection[VisitingHoliday] = every()
    """Days on which prisons receive visitors beside the weekends."""
    visitor_center: VisitorCenter | None = one("slug")
    """A visitor center by its slug."""
    visitor_centers: Connection[VisitorCenter] = every()
    """Centers that receive visitors at prisons."""
    visitor_amenities: Connection[VisitorAmenity] = every()
    """What visitor centers do for families."""
    visitor_service_gaps: Connection[VisitorServiceGap] = every()
    """What Penal Code 6350-6356 asks for at prisons and is not known to be there."""
    program: Program | None = one("slug")
    """A program by its slug, such as `arts-in-corrections`."""
    programs: Connection[Program] = every()
    """Programs inside, and for families."""
    program_offerings: Connection[ProgramOffering] = every()
    """Which program runs where, and how we know."""
    activity_group_types: Connection[ActivityGroupType] = every()
    """CDCR's classes of activity groups."""
    reentry_program: ReentryProgram | None = one("slug")
    """A reentry program by its slug, such as `stop`."""
    reentry_programs: Connection[ReentryProgram] = every()
    """State programs that people enter on or near release."""
    provider: Provider | None = one("slug")
    """A community provider by its slug."""
    providers: Connection[Provider] = every()
    """Community providers."""
    archived_records: Connection[ArchivedRecord] = every()
    """What people have taken out of the directory, newest first."""
    proposals: Connection[Proposal] = every()
    """What partners and feeds would change, oldest first; partners see what they proposed."""
    duplicate_candidates: Connection[DuplicateCandidate] = every()
    """Providers that may be one and the same, the most likely first."""
    services: Connection[Service] = every()
    """What community providers offer."""
    service_counts: ServiceCounts | None = derived("service_counts")
    """How many services are listed in the state, and how many of them somebody has checked."""
    services_by_category: list[CategoryServices] | None = derived("services_by_category")
    """The same for each category of which there are any, the largest first."""
    services_at_locations: Connection[ServiceAtLocation] = every()
    """Services where one can go for them: a service at two places is two of these."""
    locations: Connection[Location] = every()
    """Places, with as much of their address as the public may know."""
    category: Category | None = one("code")
    """A kind of help by its code, such as `HOUSING`."""
    categories: Connection[Category] = every()
    """Kinds of help."""
    county: County | None = one("fips", check=a_fips)
    """A county by its FIPS code, such as `06037`; null if there is none of that code."""
    counties: Connection[County] = every()
    """The counties of California."""
    zip_code: ZipCode | None = one("zip")
    """A zip code of California by its five digits."""
    source: Source | None = one("key")
    """A source by its key, such as `SAMHSA_MH`."""
    sources: Connection[Source] = every()
    """Where the facts come from."""
    imports: Connection[Import] = every()
    """What was loaded from them, newest first."""
    import_runs: Connection[ImportRun] = every()
    """Imports of files, also those that failed, newest first."""
    enum: EnumType | None = one("name")
    """What the values of an enum of this schema are called, such as `VisitingStatusCode`."""
    enums: Connection[EnumType] = every()
    """What the values of all enums are called: ask once, and keep it."""
    translations: Connection[Translation] = every()
    """Texts of records in another language; those that nobody has reviewed yet, for example."""
    verifications: Connection[Verification] = every()
    """Who checked which record and how, newest first."""
    me: Me | None = asker()
    """Who you are to the directory."""
    api_keys: Connection[ApiKey] = every()
    """Keys with which programs say who they are."""
    changes: ChangesPage = since(
        "changes_since",
        county=argument(
            County | None,
            "Only records that are in this county, by its id: institutions, locations, providers "
            "and services. What has changed and is elsewhere comes as a tombstone, as it may have "
            "been here.",
        ),
    )
    """What was added, changed or removed since a cursor, for those who keep a copy: each record
    once, in its last state. Ask without `since` for a cursor first, then fetch what you keep, and
    then ask again and again, each time with the last cursor. While `hasMore`, there is more now."""
    search: (
        Connection[
            Institution | VisitorCenter | Program | ReentryProgram | Provider | Service | Category
        ]
        | None
    ) = ranked(
        "search",
        Search,
        SearchFacets,
        check=a_text,
        complete="complete",
        text=argument(str, "What somebody types: a name, a code, a need, a place."),
        lang=argument(
            Language | None,
            "The language of the text, and preferably of the help; either one if not given.",
        ),
        near=argument(Near | None, "Only what is near a place, the nearer the better."),
        types=argument(list[SearchType] | None, "Only records of these types."),
        filter=argument(SearchFilter | None, "Which of the records that the text finds."),
    )
    """Records of all types by a text, which may be misspelt, best first."""
    suggest: list[Suggestion] | None = derived(
        "suggest",
        check=a_beginning,
        text=argument(str, "What somebody has typed so far; its last word may be incomplete."),
        lang=argument(Language | None, "The language of the text; either one if not given."),
        first=argument(int | None, "How many to suggest, at most 20; 8 if not given.", 8),
    )
    """What somebody who is still typing may mean, the likeliest first. For less than three letters
    that is an institution, a visitor center, a program or a category."""
