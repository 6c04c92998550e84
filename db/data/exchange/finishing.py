"""How a run comes to its end: applied, undone because it was a dry run, or failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from db.data.alone import alone
from db.data.exchange.runs import Run, failed, finish, reject
from db.data.identity import identity
from db.data.report import LoadError

# Postgres went away, or was told to, or others changed the same: the run goes on another time.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
)


@asynccontextmanager
async def failing(line: asyncpg.Connection, run: Run) -> AsyncIterator[None]:
    """What goes wrong inside is noted with the run."""
    try:
        yield
    except LoadError as error:
        await failed(line, run, str(error))
        raise
    except asyncpg.PostgresError as error:
        if not isinstance(error, LOST):
            await failed(line, run, str(error) or type(error).__name__)
        raise


class _Undone(Exception):  # noqa: N818  a dry run ends like this
    """What was done is to be undone."""


async def applied_or_undone(
    line: asyncpg.Connection, run: Run, write: Callable[[], Awaitable[UUID]]
) -> None:
    """All that `write` does, in one transaction; for a dry run it is undone, and told."""
    before = (run.rejections, len(run.problems))
    try:
        async with alone(line):
            source_id = await write()
            if run.dry_run:
                raise _Undone
            await _noted(line, run, source_id)
            await finish(line, run, "APPLIED")
    except _Undone:
        # What it told was undone, too: it is told again, to stay.
        run.source_id = None
        problems = run.problems[before[1] :]
        run.rejections, run.problems = before[0], run.problems[: before[1]]
        async with line.transaction():
            await reject(line, run, problems)
            await finish(line, run, "CHECKED")


async def source_of(line: asyncpg.Connection, run: Run, key: str) -> UUID:
    """The source of all that is new. One that is there stays as it is."""
    known: UUID | None = await line.fetchval("select id from sources where key = $1", key)
    if known is None:
        known = identity("sources", key)
        await line.execute(
            "insert into sources (id, key, name) values ($1, $2, $3)", known, key, run.file
        )
    # Noted at the end: whoever notes how far it has come would wait for us, or we for them.
    run.source_id = known
    return known


async def _noted(line: asyncpg.Connection, run: Run, source_id: UUID) -> None:
    """An import that changed something is told among all others."""
    if not (run.inserted or run.changed):
        return
    counts = (run.inserted, run.changed, run.unchanged, run.rejected)
    await line.execute(
        "insert into imports (id, source_id, file, sha256, rows_read, rows_inserted, rows_changed,"
        " rows_unchanged, rows_rejected) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        run.id,
        source_id,
        run.file,
        run.sha256,
        sum(counts),
        *counts,
    )
