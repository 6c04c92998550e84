"""Zip codes: which point stands for each of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, column, entity, part

if TYPE_CHECKING:
    from schema.types.sources import Provenance


@entity(table="zip_codes", key="zip", order=(), implements=("Sourced",))
class ZipCode:
    """A zip code of California, and the point that stands for it in `near`."""

    id: ID
    zip: str = column(unique=True)
    """Its five digits."""
    latitude: float
    """Degrees north (WGS 84)."""
    longitude: float
    """Degrees east (WGS 84), so negative."""
    approximate: bool
    """True where the point is that of its town, as for zip codes of post office boxes."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
