"""Sources: those that publish data sets, and the citations of every other file."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from db.data.identity import identity, slug
from db.data.intake import Intake, Shape
from db.data.line import Line

_WWW = re.compile(r"https?://(?:www\.)?(?P<host>[^\s;,)/]+)[^\s;,)]*")

# A page whose scheme is left out, as people write them.
_BARE = re.compile(r"(?<![\w/.@-])(?:[a-z0-9-]+\.)+(?:com|org|gov|us)(?:/[^\s;,)]+)?")

# Repositories that citations name like this: "via mbecica/cdcr_facility_data".
_REPOSITORIES = re.compile(
    r"(?<![\w/])(mbecica/cdcr_facility_data|mbecica/ca_prison_climate_justice"
    r"|uclalawcovid19behindbars/facility_data)"
)

# A licence that a citation states itself.
_LICENCES = {"CC BY 4.0": "CC BY 4.0", "public domain": "public domain"}


def cite(line: Line, intake: Intake, column: str = "source") -> None:
    """The source that a line names, and its date, as the first thing that is read of it."""
    if "source_date" in line.cells:
        line.source_date = line.partial("source_date")
    citation = line.needed(column, line.text)
    if known := intake.named("sources").get(citation):
        line.source_id = known  # type: ignore[assignment]  # names of sources are their ids
        return
    digest = hashlib.sha256(citation.encode()).hexdigest()[:8]
    url = _WWW.search(citation)
    key = f"{url['host'] if url else slug(citation, limit=40)}-{digest}"
    line.source_id = identity("sources", key)
    intake.name("sources", citation, line.source_id)
    values = {
        **dict.fromkeys(_PUBLISHED),
        "id": line.source_id,
        "key": key,
        "name": citation,
        "url": _address(citation),
        "licence": next((name for text, name in _LICENCES.items() if text in citation), None),
    }
    intake.add(line, "sources", values)


def _address(citation: str) -> str | None:
    """Where the first of those that a citation names can be read."""
    found = [
        (match.start(), scheme + match[0])
        for pattern, scheme in (
            (_WWW, ""),
            (_BARE, "https://"),
            (_REPOSITORIES, "https://github.com/"),
        )
        if (match := pattern.search(citation))
    ]
    return min(found)[1] if found else None


def _file(repository: str, commit: str | None, path: str | None) -> str:
    """Where a data set can be read as it was read here; for several files, their folder."""
    url = f"https://github.com/{repository}"
    if not (commit and path):
        return url
    folder, _, name = path.rpartition("/")
    several = "*" in name
    return f"{url}/{'tree' if several else 'blob'}/{commit}/{quote(folder if several else path)}"


_PUBLISHED = (
    "publisher",
    "repository",
    "path",
    "repository_commit",
    "data_date",
    "data_date_precision",
    "coverage",
    "known_gaps",
)


def _data_set(line: Line, intake: Intake) -> None:
    key = line.needed("source_key", line.text)
    line.source_id = identity("sources", key)
    intake.once(line, "source_key", "sources", line.source_id)
    data_date, precision = line.partial("data_date")
    repository, path = line.text("repository"), line.text("path")
    commit = line.matching("repository_commit", r"[0-9a-f]{40}", "is not 40 hexadecimal digits")
    values = {
        "id": line.source_id,
        "key": key,
        "name": line.needed("dataset", line.text),
        "publisher": line.text("publisher"),
        "url": _file(repository, commit, path) if repository else None,
        "repository": repository,
        "path": path,
        "repository_commit": commit,
        "data_date": data_date,
        "data_date_precision": precision,
        "licence": line.text("licence"),
        "coverage": line.text("coverage"),
        "known_gaps": line.text("known_gaps"),
    }
    intake.add(line, "sources", values)
    intake.name("sources", key, line.source_id)


DATA_SETS = Shape(
    "provider_sources.csv",
    "sources",
    "source_key publisher dataset repository path data_date repository_commit licence coverage"
    " known_gaps",
    _data_set,
    ditto=("licence", frozenset({"as above"})),
)
