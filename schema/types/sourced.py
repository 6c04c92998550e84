"""Sourced: what every record says of its origin."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, interface

if TYPE_CHECKING:
    from schema.types.sources import Provenance


@interface
class Sourced:
    """A record that says where it comes from and when it came here."""

    id: ID
    """The global id."""
    provenance: Provenance
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
