"""What a load did, told so that people can act on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from db.data.duplicates import Found

# A value is shown to say which one is meant, not to be copied from here.
SHOWN = 60


class LoadError(Exception):
    """A file is broken in a way that leaves no row to trust. Nothing was changed."""


def _shown(value: str) -> str:
    return repr(value if len(value) <= SHOWN else value[: SHOWN - 1] + "…")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A value that was refused. Without it the row is kept, unless the row cannot be without."""

    file: str
    line: int
    column: str
    value: str
    reason: str
    row_kept: bool

    def __str__(self) -> str:
        fate = "value left out" if self.row_kept else "row left out"
        place = f"{self.file}:{self.line}: {self.column}"
        return f"{place} = {_shown(self.value)}: {self.reason} ({fate})"


@dataclass(frozen=True, slots=True)
class Remark:
    """A text that was kept as it is, because nothing more could be made of it."""

    file: str
    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.column} = {_shown(self.value)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A record that people have changed, and in what the files say otherwise; no columns: they have
    it, and people removed it."""

    table: str
    key: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        what = ", ".join(self.columns) if self.columns else "removed"
        return f"{self.table} {self.key}: {what}"


@dataclass(slots=True)
class FileReport:
    """What became of the rows of one file."""

    file: str
    read: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def counts(self) -> tuple[int, ...]:
        return self.read, self.inserted, self.changed, self.unchanged, self.rejected


@dataclass(frozen=True, slots=True)
class Report:
    """What became of every file, which values were refused or stay mere text, what may be there
    twice, and what people have otherwise."""

    files: list[FileReport] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    duplicates: Found | None = None
    conflicts: Sequence[Conflict] = ()

    @property
    def total(self) -> FileReport:
        sums = (sum(counts) for counts in zip(*(each.counts for each in self.files), strict=True))
        return FileReport("together", *sums)

    def __str__(self) -> str:
        rows = [*self.files, self.total]
        width = max(len(each.file) for each in rows)
        lines = [f"{'':{width}}       read   inserted    changed  unchanged   rejected"]
        lines += [
            f"{each.file:{width}} " + " ".join(f"{count:>10,}" for count in each.counts)
            for each in rows
        ]
        if self.rejections:
            lines += ["", "Rejected:", *(f"  {each}" for each in self.rejections)]
        if self.duplicates:
            lines += ["", f"Duplicates: {self.duplicates}"]
        if self.conflicts:
            lines += ["", "Left as people have it:", *(f"  {each}" for each in self.conflicts)]
        if self.remarks:
            lines += ["", "Kept as text only:", *(f"  {each}" for each in self.remarks)]
        return "\n".join(lines)
