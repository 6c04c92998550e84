"""One line of a file: its text becomes values, or reasons why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from db.data.report import Rejection, Remark

Value = TypeVar("Value")

# Months and years are kept as their first day, beside what is known of them.
_PRECISIONS = {"YEAR": "{}-01-01", "MONTH": "{}-01", "DAY": "{}"}
_DATE = re.compile(r"(?P<YEAR>\d{4})(?P<MONTH>-\d{2})?(?P<DAY>-\d{2})?", re.ASCII)

# Postgres' integer.
_LARGEST = 2**31 - 1


class RowRejected(Exception):  # noqa: N818  not a failure of the load
    """A row lacks what it cannot be without; why is among the rejections."""


@dataclass(slots=True)
class Line:
    """A line that is being read. A value that cannot be read is noted, and is None."""

    file: str
    number: int
    cells: Mapping[str, str]
    rejections: list[Rejection]
    remarks: list[Remark]
    source_id: UUID | None = None
    # What the source's data bears, and how much of it is known.
    source_date: tuple[date | None, str | None] = (None, None)
    rejected: bool = False

    def reject(self, column: str, reason: str) -> None:
        """Note that the value of a column is left out."""
        self._note(column, reason, kept=True)

    def refuse(self, column: str, reason: str) -> RowRejected:
        """Note that the row is left out because of this column: `raise line.refuse(...)`."""
        self._note(column, reason, kept=False)
        return RowRejected(reason)

    def _note(self, column: str, reason: str, *, kept: bool) -> None:
        cell = self.cells[column]
        self.rejections.append(Rejection(self.file, self.number, column, cell, reason, kept))

    def leave(self, column: str, reason: str) -> None:
        """Note that a text is kept as it is, and that nothing more was made of it."""
        cell = self.cells[column]
        self.remarks.append(Remark(self.file, self.number, column, cell, reason))

    def text(self, column: str) -> str | None:
        return self.cells[column] or None

    def needed(self, column: str, read: Callable[[str], Value | None]) -> Value:
        """What `read` makes of a column that the row cannot be without: `needed("name", text)`."""
        noted = len(self.rejections)
        value = read(column)
        if value is not None:
            return value
        reason = self.rejections[noted].reason if len(self.rejections) > noted else "is empty"
        del self.rejections[noted:]
        raise self.refuse(column, reason)

    def parsed(self, column: str, parse: Callable[[str], Value], reason: str) -> Value | None:
        """What `parse` makes of a cell; its ValueError is our reason."""
        cell = self.cells[column]
        if not cell:
            return None
        try:
            return parse(cell)
        except ValueError:
            self.reject(column, reason)
            return None

    def matching(self, column: str, pattern: str, reason: str) -> str | None:
        cell = self.cells[column]
        if not cell or re.fullmatch(pattern, cell, re.ASCII):
            return cell or None
        self.reject(column, reason)
        return None

    def integer(self, column: str, low: int = 0, high: int = _LARGEST) -> int | None:
        reason = f"is not a whole number from {low:,} to {high:,}"
        text = self.matching(column, r"-?\d{1,10}", reason)
        if text is None or low <= int(text) <= high:
            return None if text is None else int(text)
        self.reject(column, reason)
        return None

    def decimal(self, column: str, bound: int) -> float | None:
        reason = f"is not a number from -{bound} to {bound}"
        text = self.matching(column, r"-?\d{1,3}(\.\d{1,15})?", reason)
        if text is None or abs(float(text)) <= bound:
            return None if text is None else float(text)
        self.reject(column, reason)
        return None

    def boolean(self, column: str) -> bool | None:
        known = {"true": True, "false": False, "": None}
        cell = self.cells[column]
        if cell not in known:
            self.reject(column, "is neither true nor false")
        return known.get(cell)

    def word(self, column: str, words: Collection[str]) -> str | None:
        """One of these words, in whatever case."""
        cell = self.cells[column].upper()
        if cell and cell not in words:
            self.reject(column, f"is none of {', '.join(sorted(words))}")
        return cell if cell in words else None

    def items(self, column: str, words: Collection[str] | None = None) -> list[str]:
        """A list whose items are joined with `|`, without repeats; of these words, if given."""
        found = list(dict.fromkeys(filter(None, map(str.strip, self.cells[column].split("|")))))
        if words is None:
            return found
        if unknown := [item for item in found if item not in words]:
            self.reject(column, f"holds {', '.join(unknown)}, which nobody knows")
        return [item for item in found if item in words]

    def day(self, column: str) -> date | None:
        return self.parsed(column, date.fromisoformat, "is not a date such as 2026-06-30")

    def moment(self, column: str) -> datetime | None:
        def parse(cell: str) -> datetime:
            moment = datetime.fromisoformat(cell)
            if moment.tzinfo is None:
                raise ValueError(cell)
            return moment

        reason = "is not a time with its offset, such as 2026-06-30T09:00:00-07:00"
        return self.parsed(column, parse, reason)

    def partial(self, column: str, precision: str | None = None) -> tuple[date | None, str | None]:
        """A date cut to what is known of it, such as 2026-06, and how much that is."""
        cell = self.cells[column]
        parts = _DATE.fullmatch(cell)
        known = parts.lastgroup if parts else None
        if known is None:
            if cell:
                self.reject(column, "is not a date such as 2026, 2026-06 or 2026-06-30")
            return None, None
        full = self.parsed(
            column,
            lambda cell: date.fromisoformat(_PRECISIONS[known].format(cell)),
            "is no date of the calendar",
        )
        return (full, precision or known) if full else (None, None)

    def url(self, column: str) -> str | None:
        return self.matching(column, r"https?://\S+", "is no web address")
