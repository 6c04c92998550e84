"""Counties: what most people search by."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, derived, entity, many, part

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.institutions import Institution
    from schema.types.locations import Location
    from schema.types.providers import Provider
    from schema.types.reentry_programs import ReentryProgram
    from schema.types.service_counts import CategoryServices, ServiceCounts
    from schema.types.services import Service
    from schema.types.sources import Provenance


def a_fips(fips: str) -> None:
    """Refuse what is no FIPS code, such as one whose zero a spreadsheet took away."""
    if not re.fullmatch(r"\d{5}", fips, re.ASCII):
        raise ValueError("`fips` is five digits, such as 06037 for Los Angeles.")


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
    provider_count: int = derived("provider_count", "fips")
    """How many community providers are listed in it."""
    services: Connection[Service] = many("fips = services.county_fips")
    """The services offered in it."""
    service_counts: ServiceCounts = derived("service_counts", "fips")
    """How many services are listed in it, and how many of them somebody has checked. One whose
    county nobody knows is counted in none."""
    services_by_category: list[CategoryServices] = derived("services_by_category", "fips")
    """The same for each category of which there are any, the largest first."""
    categories_without_active_service: list[Category] = many(
        "fips = unserved_categories.county_fips",
        "category_code = categories.code",
        group="category_without_active_service",
    )
    """The kinds of help in the directory that no service listed in it is known to offer, not even
    in a narrower category. A service is listed unless it is known to be closed."""
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
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
