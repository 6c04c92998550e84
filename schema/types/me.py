"""Me: who asks, as the server knows them."""

from __future__ import annotations

from schema.entity import Role, value
from schema.types.api_keys import ApiKeyScope


@value()
class Me:
    """Whoever asks. Who shows neither a key nor a token is the public."""

    role: Role
    """What you are to the directory."""
    name: str | None
    """Who you are, as your key or your token says."""
    scopes: list[ApiKeyScope]
    """What you may do with your key or your token."""
    provider: str | None
    """The key of the organization that you speak for, if you speak for one."""
