"""Import runs: what became of a file that somebody imported, and what was not taken of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, Role, column, entity, join, many

if TYPE_CHECKING:
    from schema.types.sources import Source


class ImportKind(Enum):
    """What form a file has that is imported."""

    HSDS = "HSDS"
    """HSDS 3: JSON, or tables with a datapackage.json."""
    CSV = "CSV"
    """One table, whose columns are called as the fields of one type are."""


class ImportState(Enum):
    """How far an import has come."""

    RECEIVING = "RECEIVING"
    """Parts of the file are still to come."""
    WAITING = "WAITING"
    """All of the file is here, and no server has begun to read it."""
    STAGING = "STAGING"
    """It is being read, or was stopped while it was. What a client asked for goes on by itself, and
    a file at the command line when it is begun again."""
    CHECKED = "CHECKED"
    """It was read to its end and changed nothing: a dry run, or it is being applied, or was stopped
    while it was."""
    APPLIED = "APPLIED"
    """What it brought is in the directory."""
    FAILED = "FAILED"
    """The file was refused, and nothing was changed."""
    CANCELLED = "CANCELLED"
    """Somebody ended it, or its parts ceased to come, and nothing was changed."""


class ImportRejectionReason(Enum):
    """Why an import did not take something."""

    INVALID = "INVALID"
    """It is not what can be in this field."""
    MISSING = "MISSING"
    """Something is not there that there has to be."""
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"
    """It leads to a record that there is not."""
    DUPLICATE = "DUPLICATE"
    """It was said before, in the same file."""
    CONSTRAINT = "CONSTRAINT"
    """A rule of the directory forbids it."""
    CONFLICT = "CONFLICT"
    """Somebody has changed or checked the record since the date that the file bears; or no file
    changes it, as those of prisons, visitor centers and programs."""


@entity(
    table="import_runs",
    order=("-started_at",),
    large=True,
    role=Role.STAFF,
    unrecorded="it is itself a record of what happened, and changes while it does",
)
class ImportRun:
    """One import of one file, also one that failed; what it brought is an `Import` as well."""

    id: ID
    kind: ImportKind
    """What form the file has."""
    about: str | None
    """The type of its rows, or the key of the source that new records are from."""
    # index: (state, started_at, id)
    state: ImportState = column(filter=True, group=True)
    """How far it has come."""
    dry_run: bool
    """Whether it was only to tell what it would do."""
    # index: (file, started_at, id)
    file: str = column(filter=True)
    """The name of the file, or of the folder."""
    sha256: str
    """The SHA-256 of the whole file, as 64 hexadecimal digits; of its first part, while others are
    still to come."""
    actor: str
    """Who changed what it changed, as the history of records tells it."""
    started_by: str | None
    """Who asked for it, by the name on a key or a token; null at the command line."""
    why: str | None
    """Why, as the history of records tells it."""
    dated: datetime | None
    """How old the file is where it does not say so itself, as whoever asked for it said."""
    bytes: int | None
    """How much of the file has come; null at the command line."""
    tries: int
    """How often a server has begun it, or gone on with it after another was stopped."""
    step: str | None
    """What is being done right now, or was last; null at the command line."""
    step_done: int | None
    """How much of that is done."""
    step_of: int | None
    """Of how much; null where nobody knows yet."""
    source: Source | None = join("source_id")
    """The source of what was new; null if it never came so far."""
    rows_read: int
    """How many rows, or objects of a list, of the file were read."""
    rows_staged: int
    """How many records were found in them: an object may nest many."""
    rows_inserted: int
    """How many rows it added to the directory, or would add."""
    rows_changed: int
    """How many it changed, or would change."""
    rows_unchanged: int
    """How many were as it says."""
    rows_rejected: int
    """How many it did not take."""
    rows_conflicting: int
    """How many it left as they are, because somebody knows better."""
    error: str | None
    """Why the file was refused, or its import ended without anybody's asking; else null."""
    rejections: Connection[ImportRejection] = many("run_id")
    """What was not taken, in the order of the file; of very much only the first."""
    # index: (started_at, id)
    started_at: datetime = column(filter=True, order=True)
    """When it began."""
    finished_at: datetime | None
    """When it came to its end; null if it has not."""


@entity(
    table="import_rejections",
    order=("number",),
    large=True,
    role=Role.STAFF,
    unrecorded="it is written once, with the run that it is of",
)
class ImportRejection:
    """A row that an import did not take, or a value without which it took the row."""

    id: ID
    run: ImportRun = join("run_id")
    """The import."""
    number: int = column(order=True)
    """Which one of its rejections it is, from 1 on."""
    place: str
    """Where it is in the file: a line, or the path within an object."""
    entity: str | None
    """What it is, such as `phone`, in the words of the file's form."""
    field: str | None
    """Which field of it; null if it is about the whole."""
    value: str | None
    """The beginning of its value."""
    # index: (reason, run_id, number)
    reason: ImportRejectionReason = column(filter=True, group=True)
    """Why, in a word."""
    message: str
    """Why, in words."""
    row_kept: bool
    """Whether the row was taken without the value."""
