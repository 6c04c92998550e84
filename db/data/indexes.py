"""Indexes of tables that are being filled: made faster, and better, when all rows are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import asyncpg

# Those of constraints stay, and so do the rules.
_INDEXES = """
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index
    where indrelid::regclass::text = any ($1::text[]) and not indisunique and not indisexclusion
    order by 1
"""


async def drop_indexes(connection: asyncpg.Connection, tables: Iterable[str]) -> Sequence[str]:
    """Drop the indexes of tables, until the end of the transaction; gives what makes them again."""
    found = await connection.fetch(_INDEXES, list(tables))
    if found:
        await connection.execute(f"drop index {', '.join(index['name'] for index in found)}")
    return [index["definition"] for index in found]


async def make_indexes(
    connection: asyncpg.Connection,
    definitions: Sequence[str],
    told: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Make indexes again that were dropped before, and tell how many of them are done."""
    for done, definition in enumerate(definitions):
        told(done, len(definitions))
        await connection.execute(definition)
