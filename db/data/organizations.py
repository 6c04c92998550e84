"""Operators and providers: who helps, with what, where, and for whom by where they live."""

from __future__ import annotations

from uuid import UUID

from db.data import contact, schedules
from db.data.identity import identity, slug
from db.data.intake import Intake, Shape, provenance
from db.data.line import Line
from db.data.meanings import ACCEPTED, Meaning, meant
from db.data.sources import cite

# What a service area is called that is no county.
_STATE = "California"

# What we may tell of an address. Where its source cannot be read on that, it is hidden.
_VISIBILITY = {"true": "PUBLIC", "false": "HIDDEN", "withheld": "HIDDEN"}


def _operator(line: Line, intake: Intake) -> None:
    cite(line, intake)
    name = line.needed("slug", line.text)
    id = identity("providers", f"operators/{name}")
    intake.once(line, "slug", "providers", id)
    words = intake.words["providers", "org_type"]
    values = {
        **dict.fromkeys(
            (
                "site_name",
                "website",
                "location_id",
                "county_fips",
            )
        ),
        "id": id,
        "slug": slug(name),
        "name": line.needed("name", line.text),
        "org_type": line.word("org_type", words),
        "languages": [],
        **provenance(line, name),
    }
    intake.add(line, "providers", values)
    intake.name("operators", str(values["name"]), id)


def _provider(line: Line, intake: Intake) -> None:
    cite(line, intake, "source_key")
    record = line.needed("provider_id", line.text)
    id = identity("providers", record)
    intake.once(line, "provider_id", "providers", id)
    name = line.needed("name", line.text)

    published = line.word("address_published", {word.upper() for word in _VISIBILITY})
    visibility = _VISIBILITY.get((published or "").lower(), "HIDDEN")
    county = intake.called(line, "county", "counties")
    features = intake.words["locations", "accessibility"]
    accessibility = line.items("accessibility_text", features)
    if published == "FALSE" and not any(
        line.cells[column] for column in ("address_1", "city", "zip", "latitude")
    ):
        visibility = "PUBLIC"  # nothing is hidden where there is nothing
    location_id = contact.location(
        line,
        intake,
        f"providers/{record}",
        street="address_1",
        unit="address_2",
        county_fips=county,
        visibility=visibility,
        accessibility=accessibility,
    )

    # A slug is read by everybody, so it may not tell the city of a hidden address.
    city = line.text("city") if visibility == "PUBLIC" else None
    languages = _languages(line)
    provider = {
        "id": id,
        "slug": slug(slug(name, city), id.hex[:6], limit=80),
        "name": name,
        "site_name": line.text("site_name"),
        "org_type": line.word("org_type", intake.words["providers", "org_type"]),
        "website": line.url("website"),
        "location_id": location_id,
        "county_fips": county,
        "languages": languages,
        **provenance(line, record),
    }
    intake.add(line, "providers", provider)
    contact.phone(line, intake, "provider_id", id)
    _service(line, intake, record, id, location_id, county, languages)


def _service(
    line: Line,
    intake: Intake,
    record: str,
    provider_id: UUID,
    location_id: UUID | None,
    county: object | None,
    languages: list[str],
) -> None:
    id = identity("services", record)
    offers = line.items("services")
    serves = line.items("serves")
    found = [*meant(intake, "SERVES", serves), *meant(intake, "SERVICES", offers)]
    site = line.text("site_name") or line.text("name")
    service = {
        "id": id,
        "provider_id": provider_id,
        "name": offers[0] if len(offers) == 1 else site,
        "offers": offers,
        "county_fips": county,
        "languages": languages,
        "serves": serves,
        **_eligibility(found),
        "hours_text": line.text("hours_text"),
        **provenance(line, record),
    }
    intake.add(line, "services", service)
    intake.name("services", record, id)
    schedules.spoken(line, intake, "service_id", id, "hours_text")
    for meaning in found:
        if meaning.criterion == "FEES":
            _cost_option(line, intake, id, meaning)
    for code in line.items("categories", intake.named("categories")):
        link: dict[str, object] = {"service_id": id, "category_code": code}
        intake.add(line, "service_categories", link, *link)
    if location_id:
        there = {
            "id": identity("services_at_locations", record),
            "service_id": id,
            "location_id": location_id,
            **provenance(line, record),
        }
        intake.add(line, "services_at_locations", there)


def _area(line: Line, intake: Intake) -> None:
    cite(line, intake)
    service = intake.needed(line, "provider_id", "services")
    # Said in a word, and not by a cell left empty: a gap may not make an area larger.
    county = None
    if line.cells["area"] != _STATE:
        county = line.needed("area", lambda column: intake.called(line, column, "counties"))
    record = f"{line.cells['provider_id']}/{county or _STATE}"
    id = identity("service_areas", record)
    intake.once(line, "area", "service_areas", id)
    values = {
        "id": id,
        "service_id": service,
        "county_fips": county,
        "description": line.text("description"),
        **provenance(line, record),
    }
    intake.add(line, "service_areas", values)


def _eligibility(found: list[Meaning]) -> dict[str, object]:
    """Who may come, as far as the words of the line say; what they do not say is unknown."""

    def codes(criterion: str) -> list[str]:
        return sorted({meaning.code for meaning in found if meaning.criterion == criterion})

    accepted, gender = codes("RECORD"), codes("GENDER")
    return {
        "audience": codes("AUDIENCE") or None,
        # Where words contradict one another, nothing is known.
        "accepts_people_with_records": ACCEPTED[accepted[0]] if len(accepted) == 1 else None,
        "gender": gender[0] if len(gender) == 1 else None,
        "referral_routes": codes("REFERRAL") or None,
    }


def _cost_option(line: Line, intake: Intake, service_id: UUID, meaning: Meaning) -> None:
    record = f"{service_id}/{meaning.code}"
    values = {
        "id": identity("cost_options", record),
        "service_id": service_id,
        "option": meaning.code,
        "note": meaning.note,
        # Whoever says what the word means, says what it costs.
        **provenance(meaning.line, record),
    }
    intake.add(line, "cost_options", values)


def _languages(line: Line) -> list[str]:
    codes = line.items("languages")
    if wrong := [
        code for code in codes if not (code.isascii() and code.isalpha() and len(code) < 4)
    ]:
        line.reject("languages", f"holds {', '.join(wrong)}, which is no ISO 639 code")
    return [code for code in codes if code not in wrong]


OPERATORS = Shape("operators.csv", "providers", "slug name org_type source", _operator)
PROVIDERS = Shape(
    "providers.csv",
    "providers",
    "provider_id name site_name org_type categories services address_1 address_2 city county state"
    " zip latitude longitude phone website languages hours_text accessibility_text serves"
    " address_published source_key source_date",
    _provider,
)
SERVICE_AREAS = Shape(
    "service_areas.csv", "service_areas", "provider_id area description source", _area
)
