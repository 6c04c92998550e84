"""How people hear of an import: a line now and then while it goes on, and a report at its end."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from db.data.exchange.pieces import Problem
from db.data.exchange.runs import Run, Told, short

Say = Callable[[str], None]

# On a screen. All that are kept are in the database, and in the file of errors.
_SHOWN = 50


def paced(say: Say, *, every: float = 1.0) -> Told:
    """Progress as lines, at most one in so many seconds."""
    began = time.monotonic()
    last = began - every
    first = 0

    def told(doing: str, done: int, of: int) -> None:
        nonlocal last, first
        now = time.monotonic()
        if now - last < every:
            return
        last = now
        amount = f" {done:,}" + (f" of {of:,}" if of else "")
        rate = f", {(done - first) / (now - began):,.0f} a second" if now > began + every else ""
        say(f"{doing}{amount if done or of else ''}{rate}")

    return told


def told_of(run: Run, errors: Path | None, say: Say, warn: Say) -> None:
    """The report, with what was not taken."""
    if run.resumed:
        warn("It went on where it was.")
    for problem in run.problems[:_SHOWN]:
        warn(line_of(problem))
    if run.rejections > _SHOWN:
        rest = run.rejections - _SHOWN
        warn(f"... and {rest:,} more: the first {len(run.problems):,} are among importRejections.")
    say(str(run))
    if errors is not None:
        write(errors, run.problems)


def line_of(problem: Problem) -> str:
    """What was not taken, in a line."""
    value = "" if problem.value is None else f" = {short(problem.value)!r}"
    fate = "value left out" if problem.row_kept else "left out"
    if problem.reason == "CONFLICT":
        fate = "left as it is"
    what = f"{problem.entity}.{problem.field}" if problem.field else problem.entity
    return f"{problem.place}: {what}{value}: {problem.message} ({problem.reason}, {fate})"


def write(path: Path, problems: Iterable[Problem]) -> None:
    """What was not taken, as a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["place", "entity", "field", "value", "reason", "message", "rowKept"])
        for each in problems:
            value = "" if each.value is None else short(each.value)
            kept = "true" if each.row_kept else "false"
            row = [each.place, each.entity, each.field or "", _plain(value), each.reason]
            lines.writerow([*row, each.message, kept])


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
