"""Who asks. What is not for everybody is declared with the least role that may see it."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """What somebody is to the directory. Each sees and may do all that those before it can."""

    PUBLIC = "PUBLIC"
    """Anybody."""
    PARTNER = "PARTNER"
    """An organization that is listed here, or works with those who are."""
    STAFF = "STAFF"
    """Who keeps the directory true."""
    ADMIN = "ADMIN"
    """Who decides who is staff."""

    def includes(self, other: Role) -> bool:
        """Whether this role may see what is for the other."""
        return _ORDER[self] >= _ORDER[other]


_ORDER = {role: place for place, role in enumerate(Role)}
