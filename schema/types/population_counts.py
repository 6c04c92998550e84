"""Population counts: how many people an institution holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from schema.entity import ID, entity, join, part

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.sources import Provenance


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
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
