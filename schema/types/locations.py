"""Locations: as much of an address as the public may know."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, Role, column, entity, join, many, only, part, value

if TYPE_CHECKING:
    from schema.types.counties import County
    from schema.types.institutions import Institution
    from schema.types.phones import Phone
    from schema.types.providers import Provider
    from schema.types.services import ServiceAtLocation
    from schema.types.sources import Provenance
    from schema.types.visitor_centers import VisitorCenter


class LocationType(Enum):
    """What kind of place a location is."""

    PHYSICAL = "PHYSICAL"
    """A place one can go to."""
    POSTAL = "POSTAL"
    """An address for letters only."""
    VIRTUAL = "VIRTUAL"
    """Online or by telephone."""
    MOBILE = "MOBILE"
    """A van or clinic that moves."""


class AddressVisibility(Enum):
    """How much of its address a place lets the public know."""

    PUBLIC = "PUBLIC"
    """Everything that is known."""
    CITY_ONLY = "CITY_ONLY"
    """City and county; no street, zip or coordinates."""
    HIDDEN = "HIDDEN"
    """Nothing at all, as for shelters from violence: call first."""


class AccessibilityFeature(Enum):
    """Something that makes a place usable for people with a disability."""

    WHEELCHAIR = "WHEELCHAIR"
    """Usable in a wheelchair."""
    WHEELCHAIR_VAN = "WHEELCHAIR_VAN"
    """A van that takes wheelchairs."""
    RAMP = "RAMP"
    """A ramp at the entrance."""
    ELEVATOR = "ELEVATOR"
    """An elevator."""
    RESTROOM = "RESTROOM"
    """An accessible restroom."""
    DISABLED_PARKING = "DISABLED_PARKING"
    """Parking reserved for people with a disability."""
    DEAF_INTERPRETER = "DEAF_INTERPRETER"
    """An interpreter for deaf people."""
    TTY = "TTY"
    """A text telephone."""
    TAPE_BRAILLE = "TAPE_BRAILLE"
    """Information on tape or in Braille."""
    CD = "CD"
    """Information on compact disc."""


@value(large=True)
class ConfidentialAddress:
    """An address that may be withheld from the public, for the safety of whoever lives there."""

    street: str | None
    """Street and number; null if unknown."""
    unit: str | None
    """Suite, floor or room; null if there is none, or unknown."""
    city: str | None
    """City; null if unknown."""
    county_fips: str | None
    """FIPS code of the county; null if unknown."""
    zip: str | None
    """Zip code, five digits or nine; null if unknown."""
    latitude: float | None
    """Degrees north (WGS 84); null if unknown."""
    longitude: float | None
    """Degrees east (WGS 84), so negative in California; null if unknown."""
    transportation: str | None
    """How to get there; null if unknown."""


@entity(
    table="locations",
    order=("public_city",),
    large=True,
    implements=("Sourced",),
    position="position",
)
class Location:
    """A place, with as much of its address as the public may know."""

    id: ID
    location_type: LocationType = column(default=LocationType.PHYSICAL)
    """What kind of place it is."""
    address_visibility: AddressVisibility = column(default=AddressVisibility.PUBLIC)
    """How much of the address is told here."""
    # The public_* columns only: Postgres empties them where the address is not public.
    street: str | None = column("public_street", written="street")
    """Street and number; null if unknown or not public."""
    unit: str | None = column("public_unit", written="unit")
    """Suite, floor or room; null if unknown or not public."""
    city: str | None = column(
        "public_city", filter=True, order=True, written="city"
    )  # index: (public_city, id)
    """City; null if unknown or hidden."""
    state: str = column(default="CA")
    """State, as two letters."""
    zip: str | None = column("public_zip", filter=True, written="zip")  # index: (public_zip, id)
    """Zip code, five digits or nine; null if unknown or not public."""
    county_fips: str | None = column(
        "public_county_fips", filter=True, written="county_fips"
    )  # index: (public_county_fips, public_city, id)
    """FIPS code of the county; null if unknown or hidden."""
    county: County | None = join("public_county_fips = counties.fips")
    """The county; null if unknown or hidden."""
    latitude: float | None = column("public_latitude", written="latitude")
    """Degrees north (WGS 84); null if unknown or not public."""
    longitude: float | None = column("public_longitude", written="longitude")
    """Degrees east (WGS 84), so negative in California; null if unknown or not public."""
    transportation: str | None = column("public_transportation", written="transportation")
    """How to get there; null if unknown or not public."""
    confidential: ConfidentialAddress = only(Role.STAFF, part())
    """The address as it is, whatever the public may know of it. Never pass it on."""
    accessibility: list[AccessibilityFeature]
    """What is known to be accessible; what is missing is unknown, not denied."""
    phones: list[Phone] = many("location_id")
    """Telephone numbers of the place itself."""
    institutions: Connection[Institution] = many("location_id")
    """The institutions at this place."""
    visitor_centers: Connection[VisitorCenter] = many("location_id")
    """The visitor centers at this place."""
    providers: Connection[Provider] = many("location_id")
    """The providers at this place."""
    services_at_location: Connection[ServiceAtLocation] = many("location_id")
    """What one can go there for."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
