"""The rows that lines become, and what lines of other files refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from db.data.line import Line, RowRejected
from db.data.report import Rejection, Remark
from db.data.sheet import Sheet
from db.data.words import Words

Key = tuple[object, ...]
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Shape:
    """A file, the table that it is about, its columns, and what makes rows of each line."""

    file: str
    table: str
    columns: str  # separated by spaces
    take: Callable[[Line, Intake], None]
    # A column in which a word such as "same" repeats the line above.
    ditto: tuple[str, frozenset[str]] | None = None
    # A column of the table that may refer to lines further down, and the cell it is read from.
    ahead: tuple[str, str] | None = None


@dataclass(slots=True)
class Intake:
    """Everything one load has read, by table; each row remembers the line it came from."""

    words: Words
    rejections: list[Rejection] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    rows: dict[str, dict[Key, Row]] = field(default_factory=dict)
    origins: dict[str, dict[Key, Line]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    # What other files call a thing, to what we call it, by table: "counties", "Marin" -> "06041".
    names: dict[str, dict[str, object]] = field(default_factory=dict)

    def take(self, shape: Shape, sheet: Sheet) -> None:
        """Make rows of every line. A line that is refused leaves none."""
        for number, cells in sheet.lines:
            line = Line(sheet.file, number, cells, self.rejections, self.remarks)
            self.lines.append(line)
            try:
                shape.take(line, self)
            except RowRejected:
                line.rejected = True
                self._forget(line)
        if shape.ahead:
            self._settle(shape.table, *shape.ahead)

    def _settle(self, table: str, column: str, cell: str) -> None:
        """Leave out what refers to a row that never came."""
        rows = self.rows.get(table, {})
        for key, row in rows.items():
            if row[column] is not None and (row[column],) not in rows:
                self.origins[table][key].reject(cell, f"is not in {table}")
                rows[key] = {**row, column: None}

    def _forget(self, line: Line) -> None:
        for table, origins in self.origins.items():
            # A source stays: the next line may cite it too.
            for key in [key for key, origin in origins.items() if origin is line]:
                if table != "sources":
                    del origins[key], self.rows[table][key]

    def add(self, line: Line, table: str, values: Row, *key: str) -> None:
        """A row of a table. Its key is `id`, or the columns named."""
        identity = tuple(values[column] for column in key or ("id",))
        self.rows.setdefault(table, {})[identity] = values
        self.origins.setdefault(table, {})[identity] = line

    def once(self, line: Line, column: str, table: str, identity: object) -> None:
        """Refuse a line that says again what a line before it has said."""
        if before := self.origins.get(table, {}).get((identity,)):
            raise line.refuse(column, f"repeats line {before.number} of {before.file}")

    def called(self, line: Line, column: str, table: str) -> object | None:
        """What a cell refers to in another table."""
        cell = line.cells[column]
        found = self.named(table).get(cell)
        if cell and found is None:
            line.reject(column, f"is not in {table}")
        return found

    def needed(self, line: Line, column: str, table: str) -> UUID:
        """What a cell refers to, without which the row cannot be."""
        found = line.needed(column, lambda column: self.called(line, column, table))
        assert isinstance(found, UUID)
        return found

    def name(self, table: str, name: str, found: object) -> None:
        """Let other files refer to something by this name."""
        self.names.setdefault(table, {})[name] = found

    def named(self, table: str) -> Mapping[str, object]:
        """Every name in a table."""
        return self.names.get(table, {})


def provenance(
    line: Line, record: str | None, *, retrieved_at: date | None = None
) -> dict[str, object]:
    """The columns that say where a row comes from."""
    return {
        "source_id": line.source_id,
        "source_date": line.source_date[0],
        "source_date_precision": line.source_date[1],
        "source_record_id": record,
        "retrieved_at": retrieved_at,
    }
