"""Providers: the community outside."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, join, many, part

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.completeness import Completeness
    from schema.types.counties import County
    from schema.types.duplicate_candidates import DuplicateCandidate
    from schema.types.locations import Location
    from schema.types.phones import Phone
    from schema.types.programs import Program
    from schema.types.services import Service
    from schema.types.sources import Provenance
    from schema.types.verifications import Freshness, Verification
    from schema.types.visitor_centers import VisitorCenter


class OrganizationType(Enum):
    """What kind of organization a provider is."""

    NONPROFIT = "NONPROFIT"
    """A nonprofit organization."""
    GOVERNMENT = "GOVERNMENT"
    """A public agency."""
    HEALTH_CENTER = "HEALTH_CENTER"
    """A federally qualified health center."""
    PRIVATE = "PRIVATE"
    """A private company."""


@entity(
    table="providers",
    aliases=True,
    large=True,
    implements=("Sourced",),
    listed=("listed", "id", "slug", "name"),
    position="position",
    place=("location_id = locations.id",),
    everywhere=("id = statewide_services.provider_id",),
)
class Provider:
    """An organization at one site that helps people coming home, or their families.

    One that has closed everything it offered is in no list, but found by its id, slug or name.
    """

    id: ID
    slug: str = column(unique=True)
    """A readable stable name for links."""
    # index: (name, id), and trigrams for search
    name: str = column(search=True, filter=True, order=True)
    """The organization's name, as its source writes it."""
    site_name: str | None
    """The name of this site or branch, where it has one of its own."""
    org_type: OrganizationType | None = column(
        filter=True, group=True
    )  # index: (org_type, name, id)
    """What kind of organization it is; null if unknown."""
    website: str | None
    """Web address."""
    languages: list[str] = column(filter=True, group="language")  # index: gin (languages)
    """Languages spoken there, as ISO 639 codes such as `es`; empty if unknown."""
    location: Location | None = join("location_id")
    """The place; null if its source gives none."""
    county_fips: str | None = column(filter=True, group=True)  # index: (county_fips, name, id)
    """FIPS code of the county it works in; null if unknown."""
    county: County | None = join("county_fips")
    """The county it works in; null if unknown."""
    services: Connection[Service] = many("provider_id")
    """What it offers."""
    categories: Connection[Category] = many(
        "id = listed_services.provider_id",
        "id = service_categories.service_id",
        "category_code = categories.code",
        group="category",
    )
    """The kinds of help it offers."""
    phones: list[Phone] = many("provider_id")
    """Telephone numbers."""
    visitor_centers: Connection[VisitorCenter] = many("operator_id")
    """The visitor centers that it runs."""
    programs: Connection[Program] = many("operator_id")
    """The programs that it runs inside."""
    duplicates: Connection[DuplicateCandidate] = many(
        "id = provider_duplicate_candidates.provider_id"
    )
    """Pairs of this and another provider that may be one and the same, the most likely first."""
    verifications: Connection[Verification] = many("provider_id")
    """Who checked this record and how, newest first; empty if nobody has."""
    freshness: Freshness = part()
    """When it was last checked, and how far that can be trusted."""
    completeness: Completeness = part()
    """How much of what people need to know of it is known."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
