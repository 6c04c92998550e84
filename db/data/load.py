"""The directory's files become its rows: read, check, stage, merge, report, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg

from db.connection import connected
from db.data import (
    inside,
    meanings,
    organizations,
    places,
    programs,
    schedules,
    sources,
    taxonomy,
    translations,
    visiting,
)
from db.data.alone import alone
from db.data.duplicates import COMPARED, Found, find_duplicates
from db.data.identity import identity
from db.data.indexes import drop_indexes, make_indexes
from db.data.intake import Intake, Key
from db.data.line import Line
from db.data.merge import TARGETS, merge, stage
from db.data.people import People, checked, respected, signed
from db.data.report import Conflict, FileReport, LoadError, Report
from db.data.sheet import Sheet, read
from db.data.words import words

__all__ = ["DIRECTORY", "LoadError", "Progress", "Report", "load", "silent"]

DIRECTORY = Path(__file__).parent

# The tables with most of the rows.
LARGE = (
    "locations",
    "providers",
    "services",
    "service_categories",
    "cost_options",
    "services_at_locations",
    "phones",
    "schedules",
)

# What is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

# A file stands below those that it refers to.
SHAPES = (
    sources.DATA_SETS,
    places.COUNTIES,
    places.ZIP_CODES,
    taxonomy.CATEGORIES,
    taxonomy.ADDED_CATEGORIES,
    taxonomy.SYNONYMS,
    taxonomy.ACTIVITY_GROUP_TYPES,
    taxonomy.AMENITIES,
    meanings.MEANINGS,
    organizations.OPERATORS,
    organizations.PROVIDERS,
    organizations.SERVICE_AREAS,
    inside.INSTITUTIONS,
    inside.CAMPS,
    inside.POPULATION,
    visiting.STATUSES,
    schedules.VISITING,
    visiting.CENTERS,
    visiting.FACTS,
    visiting.HOLIDAYS,
    programs.PROGRAMS,
    programs.OFFERINGS,
    programs.REENTRY_PROGRAMS,
    programs.REENTRY_COUNTIES,
    translations.ENUM_LABELS,
    translations.TRANSLATIONS,
)


def silent(doing: str, done: int, of: int) -> None:
    """The progress of a load that nobody watches."""


async def load(url: str, *, directory: Path = DIRECTORY, progress: Progress = silent) -> Report:
    """Load every file of a directory, or raise LoadError and change nothing.

    A second load of the same files changes nothing. Two loads at once happen one after the other.
    """
    steps = len(SHAPES) + len(TARGETS) + 1
    sheets: list[Sheet] = []
    for shape in SHAPES:
        progress(f"reading {shape.file}", len(sheets), steps)
        sheets.append(read(directory / shape.file, shape.columns.split()))
        if shape.ditto:
            sheets[-1].ditto(*shape.ditto)
    try:
        async with connected(url) as connection, alone(connection):
            intake = Intake(await words(connection))
            if not intake.words:
                raise LoadError("There are no tables yet: apply the migrations first.")
            for shape, sheet in zip(SHAPES, sheets, strict=True):
                intake.take(shape, sheet)
            # Rows are written table by table; what they keep of one another is worked out once.
            await connection.execute("set local directory.keeping = 'later'")
            # Nobody misses an index of a table in which there is nothing.
            new = not await connection.fetchval("select exists (select from services)")
            indexes = await drop_indexes(connection, LARGE) if new else ()
            if new:
                await connection.execute("select search_everything()")
            await signed(connection)
            outcomes, touched, people = await _merge(connection, intake, progress, steps)
            if outcomes:
                await connection.execute("select keep_everything()")
            await make_indexes(connection, indexes)
            await _record(connection, intake, sheets, outcomes)
            progress("finding duplicates", steps - 1, steps)
            # What is compared as it was before was found before.
            found = await find_duplicates(connection) if touched & COMPARED else None
            await checked(connection, TARGETS)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise LoadError(f"{error.table_name}: {error}: {error.detail}") from error
    progress("done", steps, steps)
    return _report(intake, sheets, outcomes, found, people.conflicts)


# What became of lines, by file and number: "inserted" or "changed". The rest said nothing new.
Outcomes = dict[tuple[str, int], str]


async def _merge(
    connection: asyncpg.Connection, intake: Intake, progress: Progress, steps: int
) -> tuple[Outcomes, set[str], People]:
    outcomes: Outcomes = {}
    touched: set[str] = set()
    tables = {shape.file: shape.table for shape in SHAPES}

    def note(table: str, keys: Iterable[Key], outcome: str) -> None:
        for key in keys:
            line = intake.origins[table].get(key)
            if line is None:
                continue  # what it refers to has been merged into what no line is about
            new = outcome == "inserted" and table == tables[line.file]
            if new or (line.file, line.number) not in outcomes:
                outcomes[line.file, line.number] = "inserted" if new else "changed"

    columns = {}
    for target in TARGETS:
        rows = intake.rows.get(target.table, {})
        columns[target.table] = await stage(connection, target, rows.values())
    people = await respected(connection, TARGETS, columns)
    for done, target in enumerate(TARGETS, start=len(SHAPES)):
        progress(f"merging {target.table}", done, steps)
        merged = await merge(connection, target, columns[target.table], held=people.any)
        note(target.table, merged.inserted, "inserted")
        note(target.table, merged.changed, "changed")
        for owner, key in merged.bereft:
            note(owner, [key], "changed")
        if merged:
            touched.add(target.table)
            await connection.execute(f"analyze {target.table}")
    return outcomes, touched, people


async def _record(
    connection: asyncpg.Connection, intake: Intake, sheets: list[Sheet], outcomes: Outcomes
) -> None:
    """Note what was taken from which file for which source, where anything was."""
    digests = {sheet.file: sheet.sha256 for sheet in sheets}
    groups: dict[tuple[str, UUID], list[Line]] = {}
    for line in intake.lines:
        if line.source_id:
            groups.setdefault((line.file, line.source_id), []).append(line)
    for (file, source_id), lines in groups.items():
        counts = _counted(file, lines, outcomes)
        if not (counts.inserted or counts.changed):
            continue
        before = await connection.fetchval(
            "select count(*) from imports where file = $1 and source_id = $2", file, source_id
        )
        await connection.execute(
            "insert into imports (id, source_id, file, sha256,"
            " rows_read, rows_inserted, rows_changed, rows_unchanged, rows_rejected)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            identity("imports", f"{file}/{source_id}/{before}"),
            source_id,
            file,
            digests[file],
            *counts.counts,
        )


def _counted(file: str, lines: list[Line], outcomes: Outcomes) -> FileReport:
    became = Counter(
        "rejected" if line.rejected else outcomes.get((line.file, line.number), "unchanged")
        for line in lines
    )
    return FileReport(file, len(lines), **became)


def _report(
    intake: Intake,
    sheets: list[Sheet],
    outcomes: Outcomes,
    duplicates: Found | None,
    conflicts: Sequence[Conflict],
) -> Report:
    lines: dict[str, list[Line]] = {sheet.file: [] for sheet in sheets}
    for line in intake.lines:
        lines[line.file].append(line)
    files = [_counted(file, each, outcomes) for file, each in lines.items()]
    return Report(files, intake.rejections, intake.remarks, duplicates, conflicts)
