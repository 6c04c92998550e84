"""Programs, where they run, and reentry programs."""

from __future__ import annotations

from uuid import UUID

from db.data.identity import identity
from db.data.intake import Intake, Shape, provenance
from db.data.line import Line
from db.data.sources import cite

_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
_RESIDENTIAL = {"TRUE": "YES", "SOME": "SOME", "FALSE": "NO"}


def _slug(line: Line, intake: Intake, table: str) -> tuple[str, UUID]:
    cite(line, intake)
    slug = line.needed("slug", lambda column: line.matching(column, _SLUG, "is no slug"))
    id = identity(table, slug)
    intake.once(line, "slug", table, id)
    return slug, id


def _categories(line: Line, intake: Intake, table: str, owner: str, id: UUID) -> None:
    for code in line.items("category", intake.named("categories")):
        link: dict[str, object] = {owner: id, "category_code": code}
        intake.add(line, table, link, *link)


def _program(line: Line, intake: Intake) -> None:
    slug, id = _slug(line, intake, "programs")

    def word(column: str, of: str) -> str | None:
        return line.word(column, intake.words["programs", of])

    operator = line.text("operator")
    values = {
        "id": id,
        "slug": slug,
        "name": line.needed("name", line.text),
        "summary": line.text("summary"),
        "delivered_by": word("delivery", "delivered_by"),
        "operator_name": operator,
        "operator_type": word("operator_type", "operator_type"),
        "operator_id": intake.named("operators").get(operator or ""),
        "audience": line.items("audience", intake.words["programs", "audience"]),
        "scope": word("scope", "scope") or "UNKNOWN",
        "activity_group_type_code": intake.called(
            line, "activity_group_type_inferred", "activity_group_types"
        ),
        **provenance(line, slug),
    }
    intake.add(line, "programs", values)
    _categories(line, intake, "program_categories", "program_id", id)
    intake.name("programs", slug, id)


def _offering(line: Line, intake: Intake) -> None:
    cite(line, intake)
    program = intake.needed(line, "program_slug", "programs")
    institution = intake.needed(line, "institution_code", "institutions")
    record = f"{line.cells['institution_code']}/{line.cells['program_slug']}"
    id = identity("program_offerings", record)
    intake.once(line, "program_slug", "program_offerings", id)
    kinds = intake.words["program_offerings", "evidence"]
    as_of, precision = line.partial("as_of")
    closed = intake.rows["institutions"][institution,]["status"] in ("CLOSED", "DEACTIVATED_UNIT")
    values = {
        "id": id,
        "program_id": program,
        "institution_id": institution,
        "status": "ENDED" if closed else "ACTIVE",
        "evidence": line.needed("evidence", lambda column: line.word(column, kinds)),
        "as_of": as_of,
        "as_of_precision": precision,
        **provenance(line, record),
    }
    intake.add(line, "program_offerings", values)


def _reentry_program(line: Line, intake: Intake) -> None:
    slug, id = _slug(line, intake, "reentry_programs")
    residential = line.word("residential", _RESIDENTIAL)
    areas = line.text("service_areas")
    words = intake.words
    first, last = (
        line.integer(column, -36_500, 36_500) for column in ("entry_from_days", "entry_to_days")
    )
    if first is not None and last is not None and first > last:
        line.reject("entry_from_days", "comes after entry_to_days")
        first = last = None
    values = {
        "id": id,
        "slug": slug,
        "name": line.needed("name", line.text),
        "residential": _RESIDENTIAL[residential] if residential else None,
        "max_length_days": line.integer("max_length_days", 1),
        "eligibility": line.text("eligibility"),
        "referral_route": line.text("referral_route"),
        "service_areas": areas,
        "audience": line.items("audience", words["reentry_programs", "audience"]) or None,
        "gender": line.word("gender", words["reentry_programs", "gender"]),
        "entry_from_days": first,
        "entry_to_days": last,
        "referral_routes": line.items(
            "referral_routes", words["reentry_programs", "referral_routes"]
        )
        or None,
        "application_process": line.text("application_process"),
        "conditions": line.text("conditions"),
        "statewide": areas == "statewide",
        **provenance(line, slug),
    }
    intake.add(line, "reentry_programs", values)
    _categories(line, intake, "reentry_program_categories", "reentry_program_id", id)
    intake.name("reentry_programs", slug, id)


def _reentry_county(line: Line, intake: Intake) -> None:
    cite(line, intake)
    values: dict[str, object] = {
        "reentry_program_id": intake.needed(line, "slug", "reentry_programs"),
        "county_fips": line.needed(
            "county", lambda column: intake.called(line, column, "counties")
        ),
        "sites": line.needed("sites", lambda column: line.integer(column, 1)),
    }
    key = ("reentry_program_id", "county_fips")
    if tuple(values[column] for column in key) in intake.rows.get("reentry_program_counties", {}):
        raise line.refuse("county", "is listed twice for this program")
    intake.add(line, "reentry_program_counties", values, *key)


PROGRAMS = Shape(
    "programs.csv",
    "programs",
    "slug name category delivery operator operator_type audience scope"
    " activity_group_type_inferred summary source",
    _program,
)
OFFERINGS = Shape(
    "institution_programs.csv",
    "program_offerings",
    "institution_code program_slug as_of evidence source",
    _offering,
)
REENTRY_PROGRAMS = Shape(
    "reentry_programs.csv",
    "reentry_programs",
    "slug name category residential max_length_days eligibility referral_route service_areas"
    " audience gender entry_from_days entry_to_days referral_routes application_process conditions"
    " source",
    _reentry_program,
)
REENTRY_COUNTIES = Shape(
    "reentry_program_counties.csv",
    "reentry_program_counties",
    "slug county sites source",
    _reentry_county,
)
