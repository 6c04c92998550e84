"""Visiting statuses, visitor centers and facts about visiting."""

from __future__ import annotations

import re

from db.data import contact, schedules
from db.data.identity import identity, slug
from db.data.intake import Intake, Shape, provenance
from db.data.line import Line
from db.data.sources import cite

_AMENITIES = {
    "transportation_from_transit": "TRANSIT_SHUTTLE",
    "child_care": "CHILD_CARE",
    "emergency_clothing": "EMERGENCY_CLOTHING",
    "visiting_information": "VISITING_INFORMATION",
    "referrals": "REFERRALS",
    "sheltered_waiting": "SHELTERED_WAITING",
}

# What a center says that is open when its prison has visiting.
_WITH_VISITING = re.compile(r"\bvisiting (days|hours)\b", re.ASCII | re.IGNORECASE)


def _status(line: Line, intake: Intake) -> None:
    cite(line, intake)
    institution = intake.needed(line, "institution_code", "institutions")
    types = intake.words["visiting_statuses", "visit_type"]
    visit_type = line.needed("visit_type", lambda column: line.word(column, types))
    # A page without a status says nothing about it, and least of all that visiting is off.
    status = line.word("status", intake.words["visiting_statuses", "status"]) or "UNKNOWN"
    said = "\n".join(line.cells.values())
    # What was said is never rewritten: other words at the same time are another record.
    id = identity("visiting_statuses", said)
    intake.once(line, "institution_code", "visiting_statuses", id)
    values = {
        "id": id,
        "institution_id": institution,
        "visit_type": visit_type,
        "status": status,
        "exceptions": line.text("exceptions_summary"),
        "last_updated": line.needed("last_updated", line.moment),
        "contact_email": line.matching(
            "visiting_email", r"[^@\s]+@[^@\s]+", "is no e-mail address"
        ),
        **provenance(line, line.cells["institution_code"]),
    }
    intake.add(line, "visiting_statuses", values)
    extension = line.matching("visiting_phone_ext", r"\d{1,10}", "is no extension")
    contact.phone(
        line,
        intake,
        "institution_id",
        institution,
        column="visiting_phone",
        purpose="Visiting",
        extension=extension,
    )


def _center(line: Line, intake: Intake) -> None:
    cite(line, intake)
    institution = intake.needed(line, "institution_code", "institutions")
    code = line.cells["institution_code"]
    operator = line.text("operator")
    id = identity("visitor_centers", f"{slug(operator)}/{code}")
    intake.once(line, "institution_code", "visitor_centers", id)
    location_id = identity("locations", f"institutions/{code}")
    if not line.boolean("address_is_institution_address"):
        county = intake.called(line, "county", "counties")
        own = contact.location(line, intake, f"visitor_centers/{code}", county_fips=county)
        location_id = own or location_id
    status_as_of, status_precision = line.partial("status_as_of")
    values = {
        "id": id,
        "slug": slug(operator or "visitor-center", code),
        "institution_id": institution,
        "operator_id": intake.called(line, "operator", "operators"),
        "name": line.needed("name", line.text),
        "status": line.word("status", intake.words["visitor_centers", "status"]) or "UNKNOWN",
        "status_as_of": status_as_of,
        "status_as_of_precision": status_precision,
        "alert": line.text("alert"),
        "funder": line.text("funder"),
        "location_id": location_id,
        "location_note": line.text("location_note"),
        "hours_text": line.text("schedule_text"),
        "opens_with_visiting": bool(_WITH_VISITING.search(line.cells["schedule_text"])),
        "van_notice_days": line.parsed(
            "transport_advance_notice", _days, "is not a number of days such as P7D"
        ),
        "child_care_max_age": line.integer("child_care_max_age", 0, 17),
        **provenance(line, code),
    }
    intake.add(line, "visitor_centers", values)
    for column, amenity in _AMENITIES.items():
        if line.boolean(column):
            link: dict[str, object] = {"visitor_center_id": id, "amenity_code": amenity}
            intake.add(line, "visitor_center_amenities", link, *link)
    contact.phone(line, intake, "visitor_center_id", id)
    schedules.receiving(line, intake, id, institution)
    since = status_as_of if status_precision == "DAY" else None
    schedules.closure(line, intake, id, "alert", since)


def _days(duration: str) -> int:
    days = re.fullmatch(r"P(\d{1,3})D", duration, re.ASCII)
    if not days:
        raise ValueError(duration)
    return int(days[1])


def _fact(line: Line, intake: Intake) -> None:
    cite(line, intake)
    key = line.needed("key", lambda column: line.matching(column, r"[a-z][a-z0-9_]*", "is no key"))
    intake.once(line, "key", "visiting_facts", key)
    values = {
        "key": key,
        "value": line.needed("value", line.text),
        "valid_from": line.day("valid_from"),
        **provenance(line, key),
    }
    intake.add(line, "visiting_facts", values, "key")


def _holiday(line: Line, intake: Intake) -> None:
    cite(line, intake)
    code = line.needed("code", lambda column: line.matching(column, r"[A-Z][A-Z_]*", "is no code"))
    intake.once(line, "code", "visiting_holidays", code)
    values = {
        "code": code,
        "label_en": line.needed("label_en", line.text),
        "label_es": line.text("label_es"),
        "month": line.needed("month", lambda column: line.integer(column, 1, 12)),
        "day": line.integer("day", 1, 31),
        "week": line.integer("week", 1, 5),
        "weekday": line.word("weekday", intake.words["visiting_holidays", "weekday"]),
        **provenance(line, code),
    }
    intake.add(line, "visiting_holidays", values, "code")


STATUSES = Shape(
    "visiting_status.csv",
    "visiting_statuses",
    "institution_code visit_type status last_updated visiting_phone visiting_phone_ext"
    " visiting_email exceptions_summary source",
    _status,
)
CENTERS = Shape(
    "visitor_centers.csv",
    "visitor_centers",
    # required_by_statute, population_used and population_date are what our own rule makes of
    # institution_population.csv, and are taken from there.
    "institution_code name operator operator_type funder required_by_statute population_used"
    " population_date location_note phone status status_as_of alert schedule_text opens_at"
    " closes_at transportation_from_transit transport_advance_notice child_care child_care_max_age"
    " emergency_clothing visiting_information referrals sheltered_waiting street city county state"
    " zip address_is_institution_address latitude longitude source source_date",
    _center,
)
FACTS = Shape(
    "visiting_facts.csv",
    "visiting_facts",
    "key value valid_from source",
    _fact,
    ditto=("source", frozenset({"same"})),
)
HOLIDAYS = Shape(
    "visiting_holidays.csv",
    "visiting_holidays",
    "code label_en label_es month day week weekday source",
    _holiday,
)
