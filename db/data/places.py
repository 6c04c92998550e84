"""Counties, by the codes and names that other files use."""

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
    intake.names["counties", fips] = fips
    intake.names["counties", name] = fips


COUNTIES = Shape("counties.csv", "counties", "fips name source", _county)
