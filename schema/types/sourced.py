"""Sourced: what every record says of its origin."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from schema.entity import ID, interface

if TYPE_CHECKING:
    from schema.types.sources import Source


@interface
class Sourced:
    """A record that says where it comes from and when it came here."""

    id: ID
    """The global id."""
    source: Source
    """The publication this was taken from."""
    source_record_id: str | None
    """What the source calls this record, if it calls it anything."""
    retrieved_at: date | None
    """The day the source was read, where that is known."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
