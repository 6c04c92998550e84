"""Institutions, camps and population counts."""

from __future__ import annotations

from db.data import contact
from db.data.identity import identity, slug
from db.data.intake import Intake, Shape, provenance
from db.data.line import Line
from db.data.sources import cite

# No column says so, but the status note does: "Unit of Folsom State Prison".
_PARENTS = {"FWF": "FOL"}

_CODE = r"[A-Z0-9]+(-[A-Z0-9]+)*"


def _institution(line: Line, intake: Intake) -> None:
    cite(line, intake)
    code = line.needed("code", lambda column: line.matching(column, _CODE, "is no code"))
    id = identity("institutions", code)
    intake.once(line, "code", "institutions", id)

    def word(column: str, of: str) -> str | None:
        return line.word(column, intake.words["institutions", of])

    status = line.needed("status", lambda column: word(column, "status"))
    closed_on, closed_precision = line.partial(
        "closed_on", word("closed_on_precision", "closed_on_precision")
    )
    if closed_on and status not in ("CLOSED", "DEACTIVATED_UNIT"):
        line.reject("closed_on", f"is given for an institution that is {status}")
        closed_on = closed_precision = None
    county = intake.called(line, "county_fips", "counties")
    capacity_date, capacity_precision = line.partial("design_capacity_date")
    values = {
        "id": id,
        "code": code,
        "aliases": line.items("alias_codes"),
        "name": line.needed("name", line.text),
        "alternate_names": line.items("alternate_names"),
        "institution_type": line.needed(
            "institution_type", lambda column: word(column, "institution_type")
        ),
        "parent_id": intake.named("institutions").get(_PARENTS.get(code, "")),
        "population_gender": word("population_gender", "population_gender"),
        "population_age": None,
        "status": status,
        "status_note": line.text("status_note"),
        "status_as_of": line.source_date[0],
        "status_as_of_precision": line.source_date[1],
        "opened_year": line.integer("opened_year", 1850, 2100),
        "opened_note": line.text("opened_note"),
        "closed_on": closed_on,
        "closed_on_precision": closed_precision,
        "deactivations": line.text("deactivations"),
        "location_id": contact.location(line, intake, f"institutions/{code}", county_fips=county),
        "county_fips": county,
        "website": line.url("website"),
        "security_levels": line.items(
            "security_levels", intake.words["institutions", "security_levels"]
        ),
        "fema_security_class": word("security_class_fema", "fema_security_class"),
        "design_capacity": line.integer("design_capacity"),
        "design_capacity_as_of": capacity_date,
        "design_capacity_as_of_precision": capacity_precision,
        "fema_capacity": None,
        "cell_beds": line.integer("cell_beds"),
        "dorm_beds": line.integer("dorm_beds"),
        "camp_number": None,
        "camps_supervised": line.integer("conservation_camps"),
        "reentry_hub": line.boolean("reentry_hub"),
        "california_model": line.boolean("california_model"),
        "fema_facility_id": line.text("fema_facility_id"),
        **provenance(line, code),
    }
    intake.add(line, "institutions", values)
    contact.phone(line, intake, "institution_id", id)
    intake.name("institutions", code, id)


def _camp(line: Line, intake: Intake) -> None:
    cite(line, intake)
    name = line.needed("name", line.text)
    short = slug(name).replace("-conservation", "").replace("-fire", "").removesuffix("-camp")
    code = f"CAMP-{short}".upper()
    if line.cells["institution_type"] != "CONSERVATION_CAMP":
        code = "".join(word[0] for word in name.split())  # such as MFCRF
    id = identity("institutions", code)
    intake.once(line, "name", "institutions", id)

    def word(column: str, of: str) -> str | None:
        return line.word(column, intake.words["institutions", of])

    county = intake.called(line, "county_fips", "counties")
    reported_on, reported_precision = line.partial("status_reported_on")
    verified = line.boolean("status_verified")
    values = {
        "id": id,
        "code": code,
        "aliases": [],
        "name": name,
        "alternate_names": [],
        "institution_type": line.needed(
            "institution_type", lambda column: word(column, "institution_type")
        ),
        "parent_id": None,
        "population_gender": None,
        "population_age": word("population_class", "population_age"),
        "status": line.needed("status_reported", lambda column: word(column, "status")),
        "status_note": None if verified else "As reported by FEMA; not verified.",
        "status_as_of": reported_on,
        "status_as_of_precision": reported_precision,
        "opened_year": None,
        "opened_note": None,
        "closed_on": None,
        "closed_on_precision": None,
        "deactivations": None,
        "location_id": contact.location(line, intake, f"institutions/{code}", county_fips=county),
        "county_fips": county,
        "website": None,
        "security_levels": [],
        "fema_security_class": None,
        "design_capacity": None,
        "design_capacity_as_of": None,
        "design_capacity_as_of_precision": None,
        "fema_capacity": line.integer("capacity"),
        "cell_beds": None,
        "dorm_beds": None,
        "camp_number": line.integer("camp_number"),
        "camps_supervised": None,
        "reentry_hub": None,
        "california_model": None,
        "fema_facility_id": line.text("fema_facility_id"),
        **provenance(line, line.text("fema_facility_id"), retrieved_at=line.source_date[0]),
    }
    intake.add(line, "institutions", values)
    contact.phone(line, intake, "institution_id", id)
    intake.name("institutions", code, id)


def _population(line: Line, intake: Intake) -> None:
    cite(line, intake)
    institution = intake.needed(line, "code", "institutions")
    month, _ = line.partial("month")
    if month is None or month.day != 1:
        raise line.refuse("month", "is not a month such as 2026-06")
    id = identity("population_counts", f"{institution}/{month}")
    intake.once(line, "month", "population_counts", id)
    values = {
        "id": id,
        "institution_id": institution,
        "month": month,
        "in_custody": line.needed("in_custody", line.integer),
        **provenance(line, f"{line.cells['code']}/{line.cells['month']}"),
    }
    intake.add(line, "population_counts", values)


INSTITUTIONS = Shape(
    "institutions.csv",
    "institutions",
    # in_custody is the last month of institution_population.csv, and is taken from there.
    "code alias_codes name alternate_names institution_type population_gender status opened_year"
    " opened_note closed_on closed_on_precision status_note street city county county_fips state"
    " zip phone website latitude longitude security_class_fema security_levels design_capacity"
    " design_capacity_date cell_beds dorm_beds conservation_camps in_custody in_custody_date"
    " deactivations reentry_hub california_model fema_facility_id source source_date",
    _institution,
)
CAMPS = Shape(
    "conservation_camps.csv",
    "institutions",
    "name camp_number institution_type status_reported status_reported_on status_verified street"
    " city county county_fips state zip phone population_class capacity latitude longitude"
    " fema_facility_id source source_date",
    _camp,
)
POPULATION = Shape(
    "institution_population.csv",
    "population_counts",
    "code month in_custody source",
    _population,
)
