"""Visiting status changes: that visiting is on or off from now on, as it is told to followers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import join, value

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.visiting_statuses import VisitingStatus, VisitType


@value()
class VisitingStatusChange:
    """That another visiting status holds or will hold at an institution, for one type of visit."""

    cursor: str
    """Its place among all changes, to go on from there with `after`."""
    at: datetime
    """When it was recorded here."""
    institution: Institution = join("institution_id")
    """The institution."""
    visit_type: VisitType
    """The type of visit."""
    visiting_status: VisitingStatus | None = join("visiting_status_id")
    """What holds now, or from `effectiveFrom` on if that lies ahead; null if it was cleared."""
    cleared: bool
    """True if what was said was taken back, and nothing holds now: which is neither open nor
    closed."""
