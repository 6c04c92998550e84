"""Population counts: how many people an institution holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from schema.entity import ID, entity, join

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.sources import Source


@entity(table="population_counts", order=("-month",), implements=("Sourced",))
class PopulationCount:
    """How many people an institution held in a month."""

    id: ID
    institution: Institution = join("institution_id")
    """The institution."""
    month: date
    """The first day of the month."""
    in_custody: int
    """How many people were in custody."""
    source: Source = join("source_id")
    """The publication this was taken from."""
    source_record_id: str | None
    """What the source calls this record, if it calls it anything."""
    retrieved_at: date | None
    """The day the source was read, where that is known."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
