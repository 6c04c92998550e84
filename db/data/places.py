"""Counties, by the codes and names that other files use, and zip codes."""

from __future__ import annotations

from db.data.intake import Intake, Shape, provenance
from db.data.line import Line
from db.data.sources import cite


def _county(line: Line, intake: Intake) -> None:
    cite(line, intake)
    fips = line.needed(
        "fips", lambda column: line.matching(column, r"06\d{3}", "is no code of a county here")
    )
    intake.once(line, "fips", "counties", fips)
    name = line.needed("name", line.text)
    values = {"fips": fips, "name": name, **provenance(line, fips)}
    intake.add(line, "counties", values, "fips")
    intake.name("counties", fips, fips)
    intake.name("counties", name, fips)


def _zip_code(line: Line, intake: Intake) -> None:
    cite(line, intake)
    zip = line.needed(
        "zip", lambda column: line.matching(column, r"9[0-6]\d{3}", "is no zip code of California")
    )
    intake.once(line, "zip", "zip_codes", zip)
    values = {
        "zip": zip,
        "latitude": line.needed("latitude", lambda column: line.decimal(column, 90)),
        "longitude": line.needed("longitude", lambda column: line.decimal(column, 180)),
        "approximate": line.needed("approximate", line.boolean),
        **provenance(line, zip),
    }
    intake.add(line, "zip_codes", values, "zip")


COUNTIES = Shape("counties.csv", "counties", "fips name source", _county)
ZIP_CODES = Shape(
    "zip_codes.csv",
    "zip_codes",
    "zip latitude longitude approximate source",
    _zip_code,
    ditto=("source", frozenset({"same"})),
)
