"""Archived records: what has left the directory, and can be brought back."""

from __future__ import annotations

from datetime import datetime

from schema.entity import ID, Role, entity


@entity(
    table="archived_records",
    order=("-archived_at",),
    role=Role.STAFF,
    unrecorded="it is made of the change log itself",
)
class ArchivedRecord:
    """A record that somebody took out of the directory. What belonged to it is here by itself, too,
    and comes back together with it."""

    id: ID
    record_type: str
    """The type of the record."""
    record_id: str
    """The global id that it had, and has again when it is restored."""
    version: int
    """Its last version, to be restored."""
    called: str | None
    """What it was called, if it had a name."""
    archived_at: datetime
    """When it left."""
    archived_by: str | None
    """Who archived it."""
    why: str | None
    """Why, in their words."""
