"""Which words a column may hold, read from its check constraint, so that they are written once."""

from __future__ import annotations

import re
from collections.abc import Mapping

import asyncpg

# As Postgres prints `check (status in ('A', 'B'))` and `check (levels <@ array['I', 'II'])`.
_CHECK = re.compile(
    r"CHECK \(\((?P<column>\w+) (?:= ANY \(|<@ )ARRAY\[(?P<words>'[^\]]*)\]\)?\)\)", re.ASCII
)

Words = Mapping[tuple[str, str], frozenset[str]]


async def words(connection: asyncpg.Connection) -> Words:
    """The words by table and column."""
    rows = await connection.fetch(
        "select conrelid::regclass::text as table, pg_get_constraintdef(oid) as definition"
        " from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace"
    )
    found = {}
    for row in rows:
        if check := _CHECK.fullmatch(row["definition"]):
            listed = re.findall(r"'((?:[^']|'')*)'::text", check["words"])
            found[row["table"], check["column"]] = frozenset(listed)
    return found
