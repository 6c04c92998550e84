"""Addresses and telephone numbers, wherever they appear."""

from __future__ import annotations

from uuid import UUID

import phonenumbers

from db.data.identity import identity
from db.data.intake import Intake, provenance
from db.data.line import Line

_OWNERS = ("institution_id", "visitor_center_id", "provider_id")


def phone(
    line: Line,
    intake: Intake,
    owner: str,
    owner_id: UUID,
    *,
    column: str = "phone",
    purpose: str | None = None,
    extension: str | None = None,
) -> None:
    """The telephone number in a column, if it is one."""
    number = line.parsed(column, _number, "is no phone number")
    if number is None:
        return
    free = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.TOLL_FREE
    record = f"{owner_id}/{purpose or 'main'}"
    values = {
        "id": identity("phones", record),
        "number": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        "extension": extension,
        "kind": "TOLL_FREE" if free else "VOICE",
        "purpose": purpose,
        **dict.fromkeys(_OWNERS),
        owner: owner_id,
        **provenance(line, record),
    }
    intake.add(line, "phones", values)


def _number(text: str) -> phonenumbers.PhoneNumber:
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException as error:
        raise ValueError(text) from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(text)
    return number


def location(
    line: Line,
    intake: Intake,
    record: str,
    *,
    street: str = "street",
    unit: str | None = None,
    county_fips: object | None = None,
    visibility: str = "PUBLIC",
    accessibility: list[str] | None = None,
) -> UUID | None:
    """The place that a line describes, unless it says nothing of one."""
    latitude, longitude = line.decimal("latitude", 90), line.decimal("longitude", 180)
    if (latitude is None) != (longitude is None):
        latitude = longitude = None  # half a point is nowhere
    known = {
        "street": line.text(street),
        "unit": line.text(unit) if unit else None,
        "city": line.text("city"),
        "zip": line.matching("zip", r"\d{5}(-\d{4})?", "is no zip code"),
        "latitude": latitude,
        "longitude": longitude,
        "accessibility": accessibility or [],
    }
    if not any(value is not None and value != [] for value in known.values()):
        return None
    values = {
        "id": identity("locations", record),
        "address_visibility": visibility,
        "county_fips": county_fips,
        "state": line.matching("state", r"[A-Z]{2}", "is no state") or "CA",
        **known,
        **provenance(line, record),
    }
    intake.add(line, "locations", values)
    return identity("locations", record)
