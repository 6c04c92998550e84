"""Schedules and their exceptions, whoever's they are; and the visiting days of institutions."""

from __future__ import annotations

import re
from datetime import date, time
from uuid import UUID

from db.data import hours
from db.data.identity import identity
from db.data.intake import Intake, Row, Shape, provenance
from db.data.line import Line
from db.data.sources import cite

_OWNERS = ("institution_id", "visitor_center_id", "service_id", "service_at_location_id")

# A notice is a closure only where it says until when.
_CLOSED_UNTIL = re.compile(r"\bclosed until (?P<day>\d{4}-\d{2}-\d{2})\b", re.ASCII | re.IGNORECASE)


def schedule(
    line: Line,
    intake: Intake,
    owner: str,
    owner_id: UUID,
    record: str,
    *,
    byday: str | None,
    opens_at: time | None,
    closes_at: time | None,
    kind: str = "REGULAR",
    visit_type: str | None = None,
    yard: str | None = None,
    description: str | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> None:
    """One rule of hours, on days of every week; `byday` is None where the days are not known."""
    values = {
        "id": identity("schedules", f"{owner_id}/{record}"),
        **dict.fromkeys(_OWNERS),
        owner: owner_id,
        "kind": kind,
        "visit_type": visit_type,
        "yard": yard,
        "description": description,
        "opens_at": opens_at,
        "closes_at": closes_at,
        "freq": "WEEKLY" if byday else None,
        "byday": byday,
        "valid_from": valid_from,
        "valid_to": valid_to,
        **provenance(line, f"{owner_id}/{record}"),
    }
    intake.add(line, "schedules", values)


def spoken(line: Line, intake: Intake, owner: str, owner_id: UUID, column: str) -> None:
    """The rules that a text about hours is, if it can be read; otherwise it stays a text."""
    text = line.text(column)
    if text is None:
        return
    try:
        rules = hours.read(text)
    except hours.Unreadable as reason:
        line.leave(column, str(reason))
        return
    for number, rule in enumerate(rules, start=1):
        schedule(
            line,
            intake,
            owner,
            owner_id,
            str(number),
            byday=",".join(rule.days) if rule.days else None,
            opens_at=rule.opens,
            closes_at=rule.closes,
            description=text,
        )


def receiving(line: Line, intake: Intake, center: UUID, institution: UUID) -> None:
    """The hours of a visitor center, on the days on which its prison has visiting."""
    opens_at = line.parsed("opens_at", time.fromisoformat, "is no time such as 07:30")
    closes_at = line.parsed("closes_at", time.fromisoformat, "is no time such as 15:30")
    if opens_at is None or closes_at is None:
        return
    for rule in _visiting_rules(intake, institution):
        schedule(
            line,
            intake,
            "visitor_center_id",
            center,
            "/".join(str(rule[part]) for part in ("kind", "byday") if rule[part]),
            byday=rule["byday"],  # type: ignore[arg-type]  # as it was written above
            opens_at=opens_at,
            closes_at=closes_at,
            kind=str(rule["kind"]),
            description=line.text("schedule_text"),
            valid_from=rule["valid_from"],  # type: ignore[arg-type]  # as it was written above
        )


def closure(line: Line, intake: Intake, center: UUID, column: str, since: date | None) -> None:
    """The days on which a center is closed by a notice that says until when."""
    notice = line.text(column)
    until = _CLOSED_UNTIL.search(notice or "")
    if until is None:
        return
    try:
        last = date.fromisoformat(until["day"])
    except ValueError:
        line.leave(column, "closes until a day that no calendar has")
        return
    if since is None or since > last:
        line.leave(column, "does not say since when it is closed")
        return
    values = {
        "id": identity("schedule_exceptions", f"{center}/{since}"),
        "visitor_center_id": center,
        "starts_on": since,
        "ends_on": last,
        "closed": True,
        "reason": notice,
        **provenance(line, f"{center}/{since}"),
    }
    intake.add(line, "schedule_exceptions", values)


def _visiting_rules(intake: Intake, institution: UUID) -> list[Row]:
    return [
        row
        for row in intake.rows.get("schedules", {}).values()
        if row["institution_id"] == institution and row["visit_type"] == "IN_PERSON"
    ]


def _visiting(line: Line, intake: Intake) -> None:
    cite(line, intake)
    types = intake.words["schedules", "visit_type"]
    visit_type = line.needed("visit_type", lambda column: line.word(column, types))
    kinds = intake.words["schedules", "kind"]
    kind = line.needed("kind", lambda column: line.word(column, kinds))
    # The visiting holidays are days of their own.
    days = None if kind == "HOLIDAY" else line.needed("byday", lambda _: _days(line))
    opens_at = line.parsed("opens_at", time.fromisoformat, "is no time such as 07:30")
    closes_at = line.parsed("closes_at", time.fromisoformat, "is no time such as 15:30")
    for institution in _whose(line, intake, visit_type, kind):
        schedule(
            line,
            intake,
            "institution_id",
            institution,
            "/".join(filter(None, (visit_type, line.text("yard"), kind, days))),
            byday=days,
            opens_at=opens_at,
            closes_at=closes_at if opens_at else None,
            kind=kind,
            visit_type=visit_type,
            yard=line.text("yard"),
            description=line.text("description"),
            valid_from=line.day("valid_from"),
            valid_to=line.day("valid_to"),
        )


def _days(line: Line) -> str | None:
    day = f"({'|'.join(hours.DAYS)})"
    return line.matching("byday", f"({day},)*{day}", "is not a list of days such as FR,SA,SU")


def _whose(line: Line, intake: Intake, visit_type: str, kind: str) -> list[UUID]:
    """The institution that a line names, or all of a type that have no line of their own above."""
    cell = line.cells["institutions"]
    if cell not in intake.words["institutions", "institution_type"]:
        institution = intake.needed(line, "institutions", "institutions")
        intake.name("visiting", f"{institution}/{visit_type}/{kind}", institution)
        return [institution]
    return [
        row["id"]
        for row in intake.rows.get("institutions", {}).values()
        if isinstance(row["id"], UUID)
        and row["institution_type"] == cell
        and row["status"] in ("OPEN", "CLOSING")
        and f"{row['id']}/{visit_type}/{kind}" not in intake.named("visiting")
    ]


VISITING = Shape(
    "visiting_schedules.csv",
    "schedules",
    "institutions visit_type yard kind byday opens_at closes_at valid_from valid_to description"
    " source",
    _visiting,
)
