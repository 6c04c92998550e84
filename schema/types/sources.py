"""Where facts come from: sources, and what was imported from them."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, derived, entity, join, many, value

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.providers import Provider


class DatePrecision(Enum):
    """How much of a date is known; the rest of it is filled up with ones."""

    DAY = "DAY"
    """The day is known."""
    MONTH = "MONTH"
    """Only the month is known, so the day says 01."""
    YEAR = "YEAR"
    """Only the year is known, so it says 1 January."""


@entity(table="sources", order=("key",))
class Source:
    """A publication that facts were taken from: a data set, a page, a statute."""

    id: ID
    key: str = column(unique=True)
    """A short stable name, such as `SAMHSA_MH`."""
    name: str = column(search=True)
    """The data set's title, or the citation as it was noted."""
    publisher: str | None
    """Who publishes it."""
    url: str | None
    """Where it was read, if the citation names a page."""
    repository: str | None
    """The public GitHub repository a copy was taken from, as `owner/name`."""
    path: str | None
    """The file within that repository."""
    repository_commit: str | None
    """The commit of that repository, as 40 hexadecimal digits."""
    data_date: date | None
    """The date that the data itself bears, as precise as `dataDatePrecision` says."""
    data_date_precision: DatePrecision | None
    """How much of `dataDate` is known."""
    licence: str | None
    """Under what terms, in the source's words; null where it states none."""
    coverage: str | None
    """What part of the publication is here."""
    known_gaps: str | None
    """What is known to be missing from it."""
    synthetic: bool = column(default=False)
    """True if the rows were invented for benchmarks and describe nothing real."""
    imports: Connection[Import] = many("source_id")
    """What has been loaded from it, newest first."""
    providers: Connection[Provider] = many("source_id")
    """The providers it lists."""
    institutions: Connection[Institution] = many("source_id")
    """The institutions it describes."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here."""


@entity(table="imports", order=("-imported_at",))
class Import:
    """What one load took from one file for one source."""

    id: ID
    source: Source = join("source_id")
    """The source of these rows."""
    file: str
    """The file's name, such as `providers.csv`."""
    sha256: str
    """The SHA-256 of the whole file, as 64 hexadecimal digits."""
    rows_read: int
    """How many rows the file held for this source."""
    rows_inserted: int
    """How many of them were new."""
    rows_changed: int
    """How many of them changed a record that was there."""
    rows_unchanged: int
    """How many of them said nothing new."""
    rows_rejected: int
    """How many of them were refused, each for a reason in the load's report."""
    imported_at: datetime
    """When the load happened."""


@value(large=True, written=True)
class Provenance:
    """Where a record was taken from, when, and under what terms."""

    source: Source = join("source_id")
    """The publication."""
    source_url: str | None = derived("source_url", "source_id")
    """Where to read it; null if the publication is cited without an address."""
    source_record_id: str | None
    """What the source calls this record, if it calls it anything."""
    source_date: date | None
    """The date that the source's data bears, as precise as `sourceDatePrecision` says."""
    source_date_precision: DatePrecision | None
    """How much of `sourceDate` is known."""
    retrieved_at: date | None
    """The day the source was read, where that is known."""
    licence: str | None = derived("source_licence", "source_id")
    """Under what terms, in the source's words; null where it states none."""
