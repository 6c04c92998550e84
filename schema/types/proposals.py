"""Proposals: what somebody would change who may not, for staff to decide about."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Role, column, derived, entity, join, value
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.types.providers import Provider


class ProposalStatus(Enum):
    """What has become of a proposal."""

    PENDING = "PENDING"
    """Nobody has decided yet."""
    ACCEPTED = "ACCEPTED"
    """All of it was done."""
    PARTLY_ACCEPTED = "PARTLY_ACCEPTED"
    """A part of it was done, and the rest was not."""
    REJECTED = "REJECTED"
    """Nothing of it was done."""
    WITHDRAWN = "WITHDRAWN"
    """Whoever proposed it took it back."""


class ProposalOrigin(Enum):
    """Where a proposal comes from."""

    PARTNER = "PARTNER"
    """An organization, about itself."""
    FEED = "FEED"
    """A feed that says something else than people do."""


class ProposedDeed(Enum):
    """What would be done."""

    CREATE = "CREATE"
    """A new record, with this field."""
    UPDATE = "UPDATE"
    """Another value of a field."""
    ARCHIVE = "ARCHIVE"
    """A record leaves the directory."""
    ADD = "ADD"
    """A record is tied to another."""
    REMOVE = "REMOVE"
    """A record is tied to another no more."""


@value()
class ProposedDifference:
    """One thing that a proposal would change."""

    path: str
    """The way to it, to accept it and not all: names and numbers, with dots between."""
    deed: ProposedDeed
    """What would be done."""
    record_id: str | None
    """The global id of the record; null for one that is new."""
    field: str | None
    """The field; null where a record leaves."""
    old: JSON | None = column("old_value", filter=False, order=False)
    """What it says now."""
    new: JSON | None = column("new_value", filter=False, order=False)
    """What it would say."""
    changed_since: bool
    """Whether somebody has changed it since the version that whoever proposed this saw."""


@entity(
    table="proposals",
    order=("created_at",),
    role=Role.PARTNER,
    unrecorded="it is kept whole, with who decided and when",
    own="own_proposals",
)
class Proposal:
    """Changes to a record that somebody proposes. Partners see those of their own organization."""

    id: ID
    status: ProposalStatus
    """What has become of it."""
    origin: ProposalOrigin
    """Where it comes from."""
    record_type: str
    """The type of the record."""
    record_id: str
    """The global id of the record, for `node(id:)`."""
    provider: Provider | None = join("provider_id")
    """The organization that proposes it; null for a feed, and if it has left the directory."""
    proposer: str
    """Who proposed it: the name on the key or the token, or the source of a feed."""
    why: str | None
    """Why, in the words of whoever proposed it."""
    differences: list[ProposedDifference] = derived("proposed_differences", "steps")
    """What it would change, against what is said now."""
    decided_by: str | None
    """Who decided."""
    decided_at: datetime | None
    """When it was decided; null while it is pending."""
    decision: str | None
    """Why it was decided so."""
    created_at: datetime
    """When it was proposed."""
    updated_at: datetime
    """When anything about it last changed."""
