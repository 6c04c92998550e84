"""API keys: who may ask for more than the public."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Role, entity, join

if TYPE_CHECKING:
    from schema.types.providers import Provider


class ApiKeyScope(Enum):
    """What an API key may be used for."""

    READ = "READ"
    """To ask."""
    WRITE = "WRITE"
    """To change what its role may change."""
    EXPORT = "EXPORT"
    """To take out whole lists as files."""


@entity(
    table="api_keys",
    role=Role.ADMIN,
    unrecorded="who made and revoked a key is known of the key; its hash is to be nowhere else",
)
class ApiKey:
    """A key with which a program says who it is. The key itself was shown once, and is not kept."""

    id: ID
    name: str
    """Whose it is, and what for."""
    role: Role
    """What its holder is to the directory."""
    scopes: list[ApiKeyScope]
    """What it may be used for."""
    provider: Provider | None = join("provider_id")
    """The organization whose records a partner may propose to change."""
    ending: str
    """Its last four characters, to know it by."""
    budget: int | None
    """How many requests it may send per minute to one server; null: as many as it likes."""
    created_at: datetime
    """When it was made."""
    expires_at: datetime | None
    """When it stops working by itself; null: never."""
    revoked_at: datetime | None
    """When it was revoked; null if it was not."""
