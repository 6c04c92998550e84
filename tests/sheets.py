"""The directory's files, read without its loader."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

from db.data.load import DIRECTORY


def sheet(name: str) -> Sequence[Mapping[str, str]]:
    """The lines of a file, by column."""
    with (DIRECTORY / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
