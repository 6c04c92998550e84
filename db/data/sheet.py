"""A CSV file, read strictly: what is broken is refused whole, before anything is believed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.data.report import LoadError


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of a file, each with its number and its cells by column."""

    file: str
    sha256: str
    lines: list[tuple[int, dict[str, str]]]

    def ditto(self, column: str, words: Collection[str]) -> None:
        """Where a cell says `same`, it says what the line above says."""
        above = ""
        for _, cells in self.lines:
            if cells[column] in words:
                cells[column] = above
            above = cells[column]


def read(path: Path, columns: Sequence[str]) -> Sheet:
    """Read a file that has exactly these columns, in any order."""
    file = path.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LoadError(f"{file}:{line}: is not UTF-8") from error
    if "\0" in text:
        raise LoadError(f"{file}:{text.count(chr(10), 0, text.index(chr(0))) + 1}: a NUL byte")
    return Sheet(file, hashlib.sha256(content).hexdigest(), _lines(file, text, columns))


def _lines(file: str, text: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines = []
    try:
        head = next(reader, [])
        repeated = {name for name, times in Counter(head).items() if times > 1}
        if wrong := sorted({*columns} ^ {*head} | repeated):
            raise LoadError(f"{file}:1: columns missing, unknown or repeated: {', '.join(wrong)}")
        first = reader.line_num + 1  # a cell may hold line breaks: a row begins where one ended
        for row in reader:
            if row and len(row) != len(head):
                raise LoadError(f"{file}:{first}: {len(row)} cells, {len(head)} columns")
            if row:
                cells = (cell.strip() for cell in row)
                lines.append((first, dict(zip(head, cells, strict=True))))
            first = reader.line_num + 1
    except csv.Error as error:
        raise LoadError(f"{file}:{reader.line_num}: {error}") from error
    return lines
