"""API keys: made, shown once, known by their hash, and revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from db.connection import answering
from db.database import Database
from db.errors import BadValue

TABLE = "api_keys"

# So that a key that was published by mistake is found by those who look for such things.
PREFIX = "crd_"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a key, and for how many seconds more; None: until it is revoked."""

    id: str
    name: str
    role: str
    scopes: tuple[str, ...]
    provider: str | None
    budget: int | None
    seconds: float | None


async def holder(database: Database, key: str) -> Holder | None:
    """Who holds this key; None if nobody does, or no longer."""
    found = await database.fetch("select key_holder($1::bytea)", (_hash(key),))
    said: dict[str, Any] | None = orjson.loads(found)
    return None if said is None else Holder(**{**said, "scopes": tuple(said["scopes"])})


async def create(
    url: str,
    name: str,
    role: str,
    scopes: Sequence[str],
    *,
    provider: str | None = None,
    budget: int | None = None,
    expires_at: datetime | None = None,
) -> str:
    """A new key. Nobody can show it again."""
    # 256 random bits: nobody guesses them, so a fast hash is as good as a slow one.
    key = PREFIX + secrets.token_urlsafe(32)
    async with answering(url) as line:
        speaks_for = None
        if provider is not None:
            speaks_for = await line.fetchval("select id from providers where slug = $1", provider)
            if speaks_for is None:
                raise BadValue(f"There is no provider {provider}.")
        await line.execute(
            "insert into api_keys"
            " (name, role, scopes, provider_id, hash, ending, budget, expires_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8)",
            name,
            role,
            list(scopes),
            speaks_for,
            _hash(key),
            key[-4:],
            budget,
            expires_at,
        )
    return key


async def revoke(url: str, id_: UUID) -> bool:
    """Revoke a key, at once and for good; false if there is none that could be."""
    async with answering(url) as line:
        done = await line.fetchval(
            "update api_keys set revoked_at = now() where id = $1 and revoked_at is null"
            " returning true",
            id_,
        )
    return bool(done)


async def known(url: str) -> Sequence[tuple[UUID, str, str, str, str]]:
    """All keys: id, name, role, the last characters, and whether it still opens anything."""
    async with answering(url) as line:
        rows = await line.fetch(
            "select id, name, role, ending, case when revoked_at is not null then 'revoked'"
            " when expires_at <= now() then 'expired' else 'valid' end"
            " from api_keys order by name, id"
        )
    return [tuple(row) for row in rows]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
