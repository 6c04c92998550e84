"""Runs: one import of one file, which goes on where it was, and is told of when it is over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from db.data.exchange.pieces import Piece, Problem
from db.data.report import LoadError

# What is told of a run as it goes: what is being done, how much of it, of how much.
Told = Callable[[str, int, int], None]

# Of very many refused rows these are told; a person who reads them sees what is wrong.
KEPT = 10_000
_SHOWN = 100


class Cancelled(LoadError):  # noqa: N818  # a turn of the road
    """Somebody has ended the run while it went on."""


class Busy(LoadError):  # noqa: N818  # likewise
    """Somebody else imports the same file right now."""


@dataclass(slots=True)
class Run:
    """An import under way."""

    id: UUID
    file: str
    sha256: str
    dry_run: bool
    state: str = "STAGING"
    rows_read: int = 0
    rows_staged: int = 0
    rejections: int = 0
    rejected: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    conflicting: int = 0
    source_id: UUID | None = None
    resumed: bool = False
    problems: list[Problem] = field(default_factory=list)
    # What came of each kind of record: inserted, changed, unchanged.
    counts: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        return f"import:{self.file}"

    def __str__(self) -> str:
        width = max([len(name) for name in (*self.counts, "together")])
        lines = [f"{'':{width}}   inserted    changed  unchanged"]
        together = (self.inserted, self.changed, self.unchanged)
        lines += [
            f"{name:{width}} " + " ".join(f"{count:>10,}" for count in counts)
            for name, counts in (*self.counts.items(), ("together", together))
        ]
        lines.append(
            f"{self.rows_read:,} rows read, {self.rows_staged:,} records found in them,"
            f" {self.rejected:,} rejected, {self.conflicting:,} in conflict"
        )
        if self.dry_run:
            lines.append("It was a dry run: nothing was changed.")
        return "\n".join(lines)


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of a file, or of all files of a folder with their names."""
    found = hashlib.sha256()
    for path in paths:
        if path.is_dir():
            for inner in sorted(each for each in path.rglob("*") if each.is_file()):
                found.update(f"{inner.relative_to(path)}\0{digest([inner])}\n".encode())
        else:
            with path.open("rb") as file:
                while read := file.read(1 << 20):
                    found.update(read)
    return found.hexdigest()


def lock_of(sha256: str) -> int:
    """The lock of Postgres that whoever imports a file holds."""
    return int.from_bytes(bytes.fromhex(sha256[:16]), signed=True)


async def begin(
    line: asyncpg.Connection,
    kind: str,
    path: Path,
    *,
    dry_run: bool,
    about: str | None = None,
    asked: UUID | None = None,
) -> Run:
    """A new run of this file, or the one that did not come to its end.

    What a client has `asked` for is a run already, and nobody else's.
    """
    try:
        sha256 = digest([path])
    except OSError as error:
        raise LoadError(f"{path.name}: cannot be read: {error.strerror}") from error
    await line.execute("select set_config('directory.actor', $1, false)", f"import:{path.name}")
    await line.execute("select set_config('directory.role', '', false)")
    # Two who import the same file at once would take it for one run that goes on.
    if not await line.fetchval("select pg_try_advisory_lock($1)", lock_of(sha256)):
        raise Busy(f"{path.name}: is being imported right now")
    if asked is not None:
        row = await line.fetchrow(_TAKE, asked, about, sha256)
        if row is None:
            raise Cancelled(f"{path.name}: its import is over")
        await line.execute("select set_config('directory.why', $1, false)", row["why"] or "")
        return _under_way(row, path.name)
    row = await line.fetchrow(
        "select * from import_runs where sha256 = $1 and kind = $2"
        " and about is not distinct from $3 and state in ('STAGING', 'CHECKED')"
        " and finished_at is null and started_by is null"
        " order by started_at desc limit 1",
        sha256,
        kind,
        about,
    )
    if row is not None:
        # Whoever asks now decides whether it is applied.
        row = await line.fetchrow(
            "update import_runs set dry_run = $2, file = $3, actor = $4 where id = $1 returning *",
            row["id"],
            dry_run,
            path.name,
            f"import:{path.name}",
        )
        return _under_way(row, path.name)
    id_ = await line.fetchval(
        "insert into import_runs (kind, about, dry_run, file, sha256, actor)"
        " values ($1, $2, $3, $4, $5, $6) returning id",
        kind,
        about,
        dry_run,
        path.name,
        sha256,
        f"import:{path.name}",
    )
    return Run(id_, path.name, sha256, dry_run)


# Read from the beginning, or gone on with.
_TAKE = """
    update import_runs
    set state = case state when 'WAITING' then 'STAGING' else state end, about = $2
    where id = $1 and sha256 = $3 and finished_at is null and state <> 'RECEIVING' returning *
"""


def _under_way(row: asyncpg.Record, file: str) -> Run:
    return Run(
        row["id"],
        file,
        row["sha256"],
        row["dry_run"],
        state=row["state"],
        rows_read=row["rows_read"],
        rows_staged=row["rows_staged"],
        rejections=row["rejections"],
        rejected=row["rows_rejected"],
        resumed=True,
    )


_STAGE = """
    insert into import_rows as s (run_id, number, entity, key, object, parents, place)
    select $1, $2 + number, entity, key, object, parents, place
    from unnest($3::text[], $4::uuid[], $5::jsonb[], $6::text[], $7::text[])
        with ordinality as t (entity, key, object, parents_text, place, number)
    cross join lateral (select parents_text::uuid[] as parents) p
    on conflict (run_id, entity, key) do update
        -- What was said first stays; what is the same, or new, is added.
        set object = excluded.object || s.object,
            parents = array(select distinct p from unnest(s.parents || excluded.parents) p
                            order by p)
"""

_AGAIN = """
    select s.entity, s.key, s.object::text from import_rows s
    join unnest($2::text[], $3::uuid[]) as t (entity, key) on (s.entity, s.key) = (t.entity, t.key)
    where s.run_id = $1
"""


async def stage(
    line: asyncpg.Connection,
    run: Run,
    rows: int,
    found: Iterable[Piece | Problem],
    *,
    alike: bool = True,
) -> None:
    """Keep a batch of what was found in so many rows, for good.

    What is found again and says the same is one, unless nothing may be `alike`.
    """
    batch: dict[tuple[str, UUID], Piece] = {}
    problems: list[Problem] = []
    rejected = 0
    given = list(found)
    keys = list({(each.entity, each.key): None for each in given if isinstance(each, Piece)})
    known: dict[tuple[str, UUID], dict[str, Any]] = {
        (entity, key): json.loads(text)
        for entity, key, text in await line.fetch(
            _AGAIN, run.id, [entity for entity, _ in keys], [key for _, key in keys]
        )
    }
    new = 0
    for piece in given:
        if isinstance(piece, Problem):
            problems.append(piece)
            rejected += not piece.row_kept
            continue
        name = (piece.entity, piece.key)
        before = known.get(name)
        if before is None:
            known[name] = piece.object
            batch[name] = piece
            new += 1
            continue
        if problem := _differs(piece, before, alike=alike):
            problems.append(problem)
            rejected += 1
            continue
        known[name] = {**piece.object, **before}
        if name in batch:
            batch[name].object = known[name]
            batch[name].parents |= piece.parents
        else:
            batch[name] = piece
    async with line.transaction():
        pieces = list(batch.values())
        await line.execute(
            _STAGE,
            run.id,
            run.rows_staged,
            [piece.entity for piece in pieces],
            [piece.key for piece in pieces],
            [json.dumps(piece.object) for piece in pieces],
            ["{" + ",".join(sorted(map(str, piece.parents))) + "}" for piece in pieces],
            [piece.place for piece in pieces],
        )
        run.rows_read += rows
        run.rows_staged += new
        run.rejected += rejected
        await reject(line, run, problems)
        await _write(
            line,
            run,
            "rows_read = $2, rows_staged = $3, rows_rejected = $4, rejections = $5",
            run.rows_read,
            run.rows_staged,
            run.rejected,
            run.rejections,
        )


def _differs(piece: Piece, before: dict[str, Any], *, alike: bool) -> Problem | None:
    """What an object says otherwise than it was said before. By what it is found may differ."""
    if not alike:
        message = "was said before: what was said first counts"
        return Problem(piece.place, piece.entity, "id", piece.key, "DUPLICATE", message)
    for name, value in piece.object.items():
        if name in before and before[name] != value and not name.endswith("_id"):
            message = "was said before, and otherwise: what was said first counts"
            return Problem(piece.place, piece.entity, name, value, "DUPLICATE", message)
    return None


async def reject(line: asyncpg.Connection, run: Run, problems: Iterable[Problem]) -> None:
    """Tell what is not taken: the first are kept, and all are counted.

    How many there are is noted with the rest: while a run is written, others have to wait.
    """
    rows = []
    for each in problems:
        run.rejections += 1
        run.problems.append(each)
        if len(run.problems) > KEPT:
            run.problems.pop()
        if run.rejections <= KEPT:
            value = None if each.value is None else short(each.value)
            rows.append(
                (
                    run.id,
                    run.rejections,
                    each.place[:300],
                    each.entity,
                    each.field,
                    value,
                    each.reason,
                    each.message[:500],
                    each.row_kept,
                )
            )
    await line.executemany(
        "insert into import_rejections"
        " (run_id, number, place, entity, field, value, reason, message, row_kept)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        rows,
    )


def short(value: object) -> str:
    """The beginning of a value, to show it."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = text.replace("\0", "␀").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


async def _write(line: asyncpg.Connection, run: Run, columns: str, *values: object) -> None:
    """Note something with a run. Raises Cancelled if it is over, so that all else is undone."""
    there = await line.fetchval(
        f"update import_runs set {columns} where id = $1 and finished_at is null returning true",
        run.id,
        *values,
    )
    if there is None:
        raise Cancelled(f"{run.file}: its import was cancelled")


async def checked(line: asyncpg.Connection, run: Run) -> None:
    """All of the file is staged."""
    await _write(line, run, "state = 'CHECKED'")
    await line.execute("analyze import_rows")
    run.state = "CHECKED"


async def finish(line: asyncpg.Connection, run: Run, state: str, error: str | None = None) -> None:
    """Note what became of a run. What was staged for it is not needed any more."""
    await _write(
        line,
        run,
        "state = $2, error = $3, finished_at = greatest(now(), started_at), rows_rejected = $4,"
        " rows_inserted = $5, rows_changed = $6, rows_unchanged = $7, rows_conflicting = $8,"
        " source_id = $9, rejections = $10",
        state,
        error,
        run.rejected,
        run.inserted,
        run.changed,
        run.unchanged,
        run.conflicting,
        run.source_id,
        run.rejections,
    )
    await line.execute("delete from import_rows where run_id = $1", run.id)
    run.state = state


async def failed(line: asyncpg.Connection, run: Run, error: str) -> None:
    """Note that a run came to nothing."""
    # If Postgres is gone, too, the run is found as it was, and goes on from there.
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Cancelled):
        run.source_id = None
        await finish(line, run, "FAILED", error[:2000])


def batches(found: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The items of an iterator, so many at a time."""
    batch: list[Any] = []
    for each in found:
        batch.append(each)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
