"""Counties: what most people search by."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, join, many

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.locations import Location
    from schema.types.providers import Provider
    from schema.types.reentry_programs import ReentryProgram
    from schema.types.services import Service
    from schema.types.sources import Source


@entity(table="counties", key="fips", implements=("Sourced",))
class County:
    """One of the 58 counties of California."""

    id: ID
    fips: str = column(unique=True)
    """The five digits of its FIPS code, such as `06037` for Los Angeles."""
    name: str = column(unique=True, search=True)
    """Its name without the word County, such as `Los Angeles`."""
    institutions: Connection[Institution] = many("fips = institutions.county_fips")
    """The prisons, camps and reentry facilities in it."""
    providers: Connection[Provider] = many("fips = providers.county_fips")
    """The community providers that work in it."""
    services: Connection[Service] = many("fips = services.county_fips")
    """The services offered in it."""
    served_by: Connection[Service] = many(
        "fips = served_counties.county_fips", "service_id = services.id"
    )
    """The services for its people, wherever they are offered, statewide ones among them."""
    reentry_programs: Connection[ReentryProgram] = many(
        "fips = reentry_program_counties.county_fips", "reentry_program_id = reentry_programs.id"
    )
    """The reentry programs with sites in it; statewide ones are not repeated here."""
    locations: Connection[Location] = many("fips = locations.public_county_fips")
    """The places in it whose address is not hidden."""
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
