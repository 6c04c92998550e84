"""Near: how a client says around which place to look. Distances are great-circle ones."""

from __future__ import annotations

import re

from schema.entity import given

# In miles: how far one may look at all, and where nobody says, how far we do.
NEAREST = 0.01
FARTHEST = 500.0
NEAR = 50.0


def a_place(
    zip: str | None, latitude: float | None, longitude: float | None, within_miles: float | None
) -> None:
    """Refuse what is no place, or no distance."""
    if (zip is None) is (latitude is None):
        raise ValueError("`near` takes either a `zip` or a `point`.")
    if zip is not None and not re.fullmatch(r"\d{5}(-\d{4})?", zip, re.ASCII):
        raise ValueError("`near.zip` is five digits, such as 93610.")
    if zip is not None and not "900" <= zip[:3] <= "961":
        raise ValueError("`near.zip` is a zip code of California, from 90001 to 96162.")
    if latitude is not None and not -90 <= latitude <= 90:
        raise ValueError("`near.point.latitude` is between -90 and 90.")
    if longitude is not None and not -180 <= longitude <= 180:
        raise ValueError("`near.point.longitude` is between -180 and 180.")
    if within_miles is not None and not NEAREST <= within_miles <= FARTHEST:
        raise ValueError(f"`near.withinMiles` is from {NEAREST:g} to {FARTHEST:g}.")


@given()
class Point:
    """A place on Earth (WGS 84)."""

    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east, so negative in California."""


@given(check=a_place)
class Near:
    """Around which place to look, and how far: a zip code or a point."""

    zip: str | None
    """A zip code of California, which stands for a point in its middle."""
    point: Point | None
    """A point, such as where a phone is."""
    within_miles: float | None
    """How far from there at the most, in miles, from 0.01 to 500; 50 if not given."""
