"""Everything one may change: a line per kind of record, and per action."""

from __future__ import annotations

from schema.entity import Role, accepting, action, argument, editing, only, proposing
from schema.types import (
    ActivityGroupType,
    Category,
    CostOption,
    Institution,
    LanguageNote,
    Location,
    Phone,
    PopulationCount,
    Program,
    ProgramOffering,
    Proposal,
    Provider,
    ReentryProgram,
    RequiredDocument,
    Schedule,
    ScheduleException,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    Source,
    Synonym,
    Translation,
    Verification,
    VisitingFact,
    VisitingHoliday,
    VisitingStatus,
    VisitorAmenity,
    VisitorCenter,
)


class Mutation:
    """What may be changed. An operation is one transaction: all of it is done, or nothing.

    What cannot be done as it was asked for is told in `userErrors`, with the path to what is wrong.
    """

    institution: Institution = editing(
        owned=("phones", "schedules", "schedule_exceptions", "translations", "verifications")
    )
    visitor_center: VisitorCenter = editing(
        owned=("phones", "schedules", "schedule_exceptions", "translations", "verifications"),
        linked=("amenities",),
    )
    program: Program = editing(
        owned=("offerings", "translations", "verifications"), linked=("categories",)
    )
    program_offering: ProgramOffering = editing(
        owned=("verifications",), fixed=("program", "institution")
    )
    reentry_program: ReentryProgram = editing(
        owned=("translations",), linked=("categories", "counties")
    )
    provider: Provider = editing(owned=("services", "phones", "verifications"))
    service: Service = editing(
        owned=(
            "at_locations",
            "phones",
            "schedules",
            "schedule_exceptions",
            "service_areas",
            "required_documents",
            "cost_options",
            "language_notes",
            "translations",
            "verifications",
        ),
        linked=("categories",),
    )
    service_at_location: ServiceAtLocation = editing(
        owned=("phones", "schedules", "schedule_exceptions", "capacities"), fixed=("service",)
    )
    service_area: ServiceArea = editing(fixed=("service",))
    service_capacity: ServiceCapacity = editing(fixed=("service_at_location",))
    required_document: RequiredDocument = editing(fixed=("service",))
    cost_option: CostOption = editing(fixed=("service",))
    language_note: LanguageNote = editing(fixed=("service",))
    location: Location = editing(owned=("phones",))
    phone: Phone = editing()
    schedule: Schedule = editing()
    schedule_exception: ScheduleException = editing()
    population_count: PopulationCount = editing(fixed=("institution",))
    category: Category = editing(owned=("synonyms", "translations"))
    activity_group_type: ActivityGroupType = editing(owned=("translations",))
    synonym: Synonym = editing()
    visitor_amenity: VisitorAmenity = editing()
    visiting_fact: VisitingFact = editing(owned=("translations",))
    visiting_holiday: VisitingHoliday = editing()
    visiting_status: VisitingStatus = editing(owned=("translations",), appended=True)
    verification: Verification = editing(appended=True)
    translation: Translation = editing()
    source: Source = editing()
    propose_provider: Proposal = only(Role.PARTNER, proposing("propose", Provider))
    """Proposes changes to your organization and to all that belongs to it. What is not given would
    stay as it is. Staff decide."""
    withdraw_proposal: Proposal = only(
        Role.PARTNER,
        action("withdraw_proposal", id=argument(Proposal, "What you proposed.")),
    )
    """Takes back what your organization proposed, while nobody has decided about it."""
    accept_proposal: Proposal = accepting("proposed_steps", "decide_proposal")
    """Does what was proposed, all of it or the part that is chosen."""
    reject_proposal: Proposal = action(
        "reject_proposal",
        id=argument(Proposal, "What was proposed."),
        decision=argument(str, "Why not, for whoever proposed it."),
    )
    """Does nothing of what was proposed."""
