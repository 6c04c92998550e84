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
    found = line.parsed(column, _number, "is no phone number")
    if found is None:
        return
    number, kind = found
    record = f"{owner_id}/{purpose or 'main'}"
    values = {
        "id": identity("phones", record),
        "number": number,
        "extension": extension,
        "kind": kind,
        "purpose": purpose,
        **dict.fromkeys(_OWNERS),
        owner: owner_id,
        **provenance(line, record),
    }
    intake.add(line, "phones", values)


def _number(text: str) -> tuple[str, str]:
    """A number as it is kept, and its kind."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException as error:
        raise ValueError(text) from error
    # A number that exists has a type. To ask for both would be to look it up twice.
    found = phonenumbers.number_type(number)
    if found == phonenumbers.PhoneNumberType.UNKNOWN:
        raise ValueError(text)
    kind = "TOLL_FREE" if found == phonenumbers.PhoneNumberType.TOLL_FREE else "VOICE"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), kind


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
    id = identity("locations", record)
    values = {
        "id": id,
        "address_visibility": visibility,
        "county_fips": county_fips,
        "state": line.matching("state", r"[A-Z]{2}", "is no state") or "CA",
        **known,
        **provenance(line, record),
    }
    intake.add(line, "locations", values)
    return id
