"""Service counts: how many services there are, and how far their last checks can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.entity import derived, join, value

if TYPE_CHECKING:
    from schema.types.categories import Category


@value()
class ServiceCounts:
    """How many services are listed somewhere, and how many of them somebody has checked.

    Those that are known to be closed are not counted.
    """

    total: int
    """How many there are."""
    verified: int
    """How many were checked lately enough: FRESH or AGING."""
    stale: int
    """How many were checked too long ago, or found to have closed: STALE."""
    never_verified: int
    """How many nobody has checked: NEVER_VERIFIED."""
    verified_share: float | None = derived("share", "verified", "total")
    """`verified` as a share of `total`, from 0 to 1; null if there are none."""
    stale_share: float | None = derived("share", "stale", "total")
    """`stale` as a share of `total`, from 0 to 1; null if there are none."""


@value(order=("-total", "category_code"))
class CategoryServices:
    """How many services of one category are listed somewhere, and how many somebody has checked.

    Those that are known to be closed are not counted, nor those of narrower categories.
    """

    category_code: str
    """The category's code."""
    category: Category = join("category_code")
    """The category."""
    total: int
    """How many there are."""
    verified: int
    """How many were checked lately enough: FRESH or AGING."""
    stale: int
    """How many were checked too long ago, or found to have closed: STALE."""
    never_verified: int
    """How many nobody has checked: NEVER_VERIFIED."""
    verified_share: float | None = derived("share", "verified", "total")
    """`verified` as a share of `total`, from 0 to 1."""
    stale_share: float | None = derived("share", "stale", "total")
    """`stale` as a share of `total`, from 0 to 1."""
