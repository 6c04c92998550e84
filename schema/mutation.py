"""Everything one may change: a line per kind of record, and per action."""

from __future__ import annotations

from datetime import date, datetime
from typing import get_type_hints

from schema.entity import Editing, Role, accepting, action, argument, editing, only, proposing
from schema.types import (
    ActivityGroupType,
    Category,
    CostOption,
    DuplicateCandidate,
    ImportRun,
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
from schema.types.import_runs import ImportKind
from schema.types.verifications import VerificationMethod, VerificationOutcome
from schema.types.visiting_statuses import VisitingStatusCode, VisitType

_CONTENT = "A part of the file, or all of it: as large as a request may be."
_BASE64 = "Whether this part is written in base64, as what is no text has to be."
_MORE = "Whether other parts are to come."


def _importable(format: ImportKind | str, type: str | None, **_: object) -> None:
    """Whether a file of this form has rows of this type."""
    table = ImportKind(format) is ImportKind.CSV
    if table and type is None:
        raise ValueError("The rows of a CSV are of one `type`: say which.")
    if table and type not in edited():
        raise ValueError(f"The `type` of a CSV is one of {', '.join(edited())}.")
    if not table and type is not None:
        raise ValueError("HSDS says itself of what `type` each record is.")


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
    verification: Verification = editing(appended=True, alone=False)
    translation: Translation = editing()
    source: Source = editing()
    publish_visiting_status: VisitingStatus = action(
        "publish_visiting_status",
        institution=argument(Institution, "Where."),
        visit_type=argument(VisitType, "For which type of visit."),
        status=argument(VisitingStatusCode, "Whether visiting is on."),
        exceptions=argument(str | None, "For whom or how it is different, in a few words."),
        affected_yards=argument(list[str] | None, "The yards that the exceptions speak of."),
        from_date=argument(date | None, "From this day on; from now on, if not given."),
        contact_email=argument(str | None, "Where to write about visiting."),
        source=argument(Source | None, "Who says so; the staff, if not given."),
    )
    """Says whether visiting is on, from now or from a day on. What was said before is history."""
    close_institution: Institution = action(
        "close_institution",
        about="institution",
        institution=argument(Institution, "Which closes."),
        closed_on=argument(date, "The day on which it closes, or has closed."),
        note=argument(str | None, "What else is known of that."),
        source=argument(Source | None, "Who says so; the staff, if not given."),
    )
    """Closes an institution: visiting, programs, visitor centers and hours there end with that day,
    and stay history. Of a day to come it is CLOSING until you say it again on that day."""
    record_verification: Verification = action(
        "record_verification",
        method=argument(VerificationMethod, "How it was checked."),
        outcome=argument(VerificationOutcome, "What was found."),
        institution=argument(Institution | None, "What was checked: one of these six."),
        visitor_center=argument(VisitorCenter | None, "What was checked: one of these six."),
        program=argument(Program | None, "What was checked: one of these six."),
        offering=argument(ProgramOffering | None, "What was checked: one of these six."),
        provider=argument(Provider | None, "What was checked: one of these six."),
        service=argument(Service | None, "What was checked: one of these six."),
        verified_at=argument(datetime | None, "When; now, if not given."),
        note=argument(str | None, "What was found. Never who was asked, nor who asked."),
        next_due_at=argument(
            datetime | None, "When the next check is due; by the rule for its kind, if not given."
        ),
    )
    """Notes that somebody has checked a record."""
    merge_providers: Provider = action(
        "merge_providers",
        about="kept",
        kept=argument(Provider, "The one that stays."),
        merged=argument(Provider, "The one that is the same, and goes."),
        reason=argument(str | None, "How you know."),
    )
    """Makes one provider of two: all that refers to one leads to the other, which takes what it
    does not know itself. The old id and slug answer as the one that stays."""
    merge_services: Service = action(
        "merge_services",
        about="kept",
        kept=argument(Service, "The one that stays."),
        merged=argument(Service, "The one that is the same, and goes."),
        reason=argument(str | None, "How you know."),
    )
    """Makes one service of two of a provider."""
    keep_apart: DuplicateCandidate = action(
        "keep_apart",
        candidate=argument(DuplicateCandidate, "The pair."),
        reason=argument(str | None, "How you know."),
    )
    """Notes that two providers which look alike are two."""
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
    start_import: ImportRun = action(
        "start_import",
        check=_importable,
        format=argument(ImportKind, "What form the file has."),
        file=argument(str, "What the file is called. Records' histories tell it."),
        content=argument(str, _CONTENT),
        base64=argument(bool, _BASE64, False),
        more=argument(bool, _MORE, False),
        type=argument(str | None, "Of a CSV: the type of its rows, such as `Service`."),
        source=argument(
            str | None,
            "The key of the source of what is new; else it follows from the file's name.",
        ),
        dated=argument(
            datetime | None,
            "How old the file is, where it does not say so itself. What people have changed or "
            "checked since stays as it is.",
        ),
        dry_run=argument(
            bool,
            "Read and check the file, and tell what would come of it; nothing else is changed. The "
            "import itself is there.",
            False,
        ),
    )
    """Imports a file: all that can be taken of it at once, or nothing. What becomes of it is to be
    asked of the import, which a server takes when all parts of the file have come."""
    continue_import: ImportRun = action(
        "continue_import",
        id=argument(ImportRun, "The import."),
        part=argument(int, "Which part this is: from 2 on. One that has come before is no error."),
        content=argument(str, _CONTENT),
        base64=argument(bool, _BASE64, False),
        more=argument(bool, _MORE, False),
    )
    """Sends another part of a file."""
    cancel_import: ImportRun = action("cancel_import", id=argument(ImportRun, "The import."))
    """Ends an import that is not over. Nothing of it is in the directory."""


def edited() -> tuple[str, ...]:
    """The types of which records are edited one by one, and come in tables."""
    lines = [(of, getattr(Mutation, each)) for each, of in get_type_hints(Mutation).items()]
    return tuple(of.__name__ for of, word in lines if isinstance(word, Editing) and word.alone)
