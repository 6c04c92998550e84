"""Records that may be one and the same: the database finds them, and people are told how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from db.connection import connected
from db.data.alone import alone

# The tables of which providers are compared.
COMPARED = frozenset({"locations", "providers", "phones"})


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found: pairs compared, and candidates that came, changed and went."""

    compared: int
    added: int
    changed: int
    removed: int

    def __str__(self) -> str:
        return (
            f"{self.compared:,} pairs compared; candidates: {self.added:,} new,"
            f" {self.changed:,} changed, {self.removed:,} gone."
        )


@dataclass(frozen=True, slots=True)
class Band:
    """The candidates of one band of scores, by what became of them."""

    score: float
    pending: int
    merged: int
    not_duplicate: int


@dataclass(frozen=True, slots=True)
class Queue:
    """What was found, and what now waits for people to decide."""

    found: Found
    bands: Sequence[Band]

    def __str__(self) -> str:
        lines = [str(self.found), "", "score     pending     merged   no duplicate"]
        lines += [
            f"{each.score:>5.2f} {each.pending:>11,} {each.merged:>10,} {each.not_duplicate:>14,}"
            for each in self.bands
        ]
        return "\n".join(lines)


async def find_duplicates(connection: asyncpg.Connection) -> Found:
    """Compare all providers anew. What people decided stays."""
    found = Found(**await connection.fetchrow("select * from find_duplicates()"))
    if found.added or found.removed:
        await connection.execute("analyze duplicate_candidates")
    return found


async def refresh(url: str) -> Queue:
    """Find duplicates by hand, and count the queue from its most certain end, by 0.05."""
    async with connected(url) as connection, alone(connection):
        found = await find_duplicates(connection)
        rows = await connection.fetch(
            "select floor(score * 20 + 1e-9) / 20 as score,"
            " count(*) filter (where decision = 'PENDING') as pending,"
            " count(*) filter (where decision = 'MERGED') as merged,"
            " count(*) filter (where decision = 'NOT_DUPLICATE') as not_duplicate"
            " from duplicate_candidates group by 1 order by 1 desc"
        )
    return Queue(found, [Band(**row) for row in rows])
