"""Trusted documents: operations that are known by their hash before anybody sends them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from db.connection import connected
from db.database import Database

TABLE = "trusted_documents"


@dataclass(frozen=True, slots=True)
class Document:
    """An operation, under the SHA-256 of its text."""

    hash: str
    text: str
    name: str | None = None


async def read(database: Database) -> dict[str, str]:
    """The texts of all trusted documents, by hash."""
    found = await database.fetch(
        "select coalesce(json_object_agg(hash, text), '{}') from trusted_documents", ()
    )
    texts: dict[str, str] = orjson.loads(found)
    return texts


async def replace(url: str, documents: Iterable[Document], *, forget: bool) -> tuple[int, int]:
    """Trust these, too; if the others are to be forgotten, nothing but these.

    Says how many were new, and how many went. All of it happens or nothing does.
    """
    rows = [(each.hash, each.text, each.name) for each in documents]
    async with connected(url) as connection, connection.transaction():
        gone = 0
        if forget:
            kept = [row[0] for row in rows]
            status = await connection.execute(
                "delete from trusted_documents where hash <> all($1::text[])", kept
            )
            gone = int(status.rpartition(" ")[2])
        added = await connection.fetch(
            "insert into trusted_documents (hash, text, name)"
            " select * from unnest($1::text[], $2::text[], $3::text[])"
            " on conflict do nothing returning hash",
            *([row[column] for row in rows] for column in range(3)),
        )
    return len(added), gone
