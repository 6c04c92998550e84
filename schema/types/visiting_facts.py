"""Visiting facts: statewide rules, and how to reach the office."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, localized, many, part

if TYPE_CHECKING:
    from schema.types.sources import Provenance
    from schema.types.translations import Translation


@entity(
    table="visiting_facts",
    key="key",
    order=(),
    implements=("Sourced",),
    translated="visiting_fact_key",
)
class VisitingFact:
    """A statewide rule of visiting, or how to reach CDCR's office for it, in words."""

    id: ID
    key: str = column(unique=True)
    """What it is about, such as `request_window_opens`."""
    value: str = localized(search=True)
    """What the source says."""
    valid_from: date | None
    """Since when."""
    translations: Connection[Translation] = many("visiting_fact_key")
    """Its text in other languages."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
