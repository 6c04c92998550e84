"""Visitor service gaps: what the law asks for at a prison and is not known to be there."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Follows, column, entity, join

if TYPE_CHECKING:
    from schema.types.counties import County
    from schema.types.institutions import Institution
    from schema.types.visitor_centers import VisitorAmenity


class VisitorServiceGapKind(Enum):
    """What is missing at a prison."""

    NO_CENTER = "NO_CENTER"
    """There is no visitor center, or none that is not gone for good."""
    CENTER_NOT_ACTIVE = "CENTER_NOT_ACTIVE"
    """There is a visitor center, but it receives nobody at present."""
    CENTER_STATUS_UNKNOWN = "CENTER_STATUS_UNKNOWN"
    """Nobody can say whether the visitor center receives visitors, which does not mean closed."""
    MISSING_SERVICE = "MISSING_SERVICE"
    """No visitor center here is known to offer the service in `amenity`."""


@entity(
    table="visitor_service_gaps",
    key="key",
    order=("key",),
    unrecorded=Follows("a view: its rows follow from those of institutions, centers and counts"),
)
class VisitorServiceGap:
    """What Penal Code 6350-6356 asks for at a prison and is not known to be there.

    Section 6351 asks for a visitor center at each adult state prison with more than 300 people,
    section 6352 for six services at each center. Where nobody has counted the people there is no
    gap, because nobody knows whether the law asks for anything. This follows from other records,
    and is gone as soon as they say otherwise.
    """

    id: ID
    key: str = column(unique=True)
    """The prison's code and what is missing, such as `SQ/CHILD_CARE` or `SQ/NO_CENTER`."""
    institution: Institution = join("institution_id")
    """The prison."""
    county: County | None = join(
        "institution_id = institutions.id", "county_fips = counties.fips", group=True
    )
    """The county of the prison."""
    kind: VisitorServiceGapKind
    """What is missing."""
    amenity: VisitorAmenity | None = join("amenity_code")
    """The service that is missing; null where the center itself is."""
