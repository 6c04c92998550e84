"""A directory in which there is little, for what people do to it, and what staff does there."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from tests.db.scratch import connected, scratch, stopped

SOURCE = UUID(int=1)
SPACE = UUID(int=2)
# The day on which the tests' clock stands.
TODAY = date(2026, 7, 3)

PEOPLE = """
set directory.actor = 'key:ana';
set directory.role = 'STAFF';
"""

TOWN = f"""
insert into sources (id, key, name) values ('{SOURCE}', 'TEST', 'A test');
insert into counties (fips, name, source_id) values ('06001', 'Alameda', '{SOURCE}');
insert into categories (code, vocabulary, label_en, source_id)
    select code, 'DIRECTORY', code, '{SOURCE}' from unnest(array['FOOD', 'HOUSING']) code;
insert into visitor_amenities (code, label_en, statutory, source_id)
    values ('CHILD_CARE', 'Child care', true, '{SOURCE}');
"""


def key(name: str) -> UUID:
    """The id of something in these tests, by a name for it."""
    return uuid5(SPACE, name)


@asynccontextmanager
async def town(template: str) -> AsyncIterator[str]:
    """A directory in which there is little, on a day that does not pass."""
    async with scratch(template) as made:
        async with connected(made) as connection:
            await connection.execute(TOWN)
        yield stopped(made)


async def add(connection: asyncpg.Connection, table: str, called: str, /, **values: Any) -> UUID:
    """A row of a table, with an id made of a name."""
    id = key(called)
    values = {"id": id, "source_id": SOURCE, **values}
    marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await connection.execute(
        f"insert into {table} ({', '.join(values)}) values ({marks})", *values.values()
    )
    return id


async def provider(connection: asyncpg.Connection, name: str, /, **values: Any) -> UUID:
    return await add(connection, "providers", name, slug=name.lower(), name=name, **values)


async def phone(connection: asyncpg.Connection, owner: str, number: str, **values: Any) -> UUID:
    return await add(
        connection,
        "phones",
        f"{owner} {number} {values}",
        number=number,
        kind="VOICE",
        provider_id=key(owner),
        **values,
    )


def pair(one: str, other: str) -> UUID:
    """The id of two providers that look alike."""
    return pair_of(key(one), key(other))


def pair_of(*two: UUID) -> UUID:
    return UUID(hashlib.md5("".join(map(str, sorted(two))).encode()).hexdigest())


async def alike(connection: asyncpg.Connection, one: UUID, other: UUID) -> None:
    """Two providers that look alike."""
    await connection.execute(
        "insert into duplicate_candidates (id, left_id, right_id, score, reasons)"
        " values ($1, $2, $3, 0.9, '{SAME_NAME}')",
        pair_of(one, other),
        *sorted([one, other]),
    )


async def prison(connection: asyncpg.Connection, code: str, **values: Any) -> UUID:
    values = {"institution_type": "STATE_PRISON", "status": "OPEN", **values}
    return await add(connection, "institutions", code, code=code, name=code, **values)


MERGE = "select merge_providers($1, $2, $3)"


async def merge(connection: asyncpg.Connection, kept: str, merged: str) -> UUID:
    got: UUID = await connection.fetchval(MERGE, key(kept), key(merged), "the same door")
    return got
