"""Service areas: whom a service is for by where they live, which is not where the service is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, column, entity, join, part

if TYPE_CHECKING:
    from schema.types.counties import County
    from schema.types.services import Service
    from schema.types.sources import Provenance


@entity(table="service_areas", order=("county_fips",), implements=("Sourced",))
class ServiceArea:
    """A county, or the whole state, whose people a service is for."""

    id: ID
    service: Service = join("service_id")
    """The service."""
    county_fips: str | None
    """FIPS code of the county; null for the whole state."""
    county: County | None = join("county_fips")
    """The county; null for the whole state."""
    statewide: bool = column(written=False)
    """True for the whole state."""
    description: str | None
    """How we know."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
