"""Visiting statuses: whether visiting is on."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, derived, entity, join, localized, many, part

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.sources import Provenance
    from schema.types.translations import Translation
    from schema.types.verifications import FreshnessState


class VisitType(Enum):
    """A way of visiting."""

    IN_PERSON = "IN_PERSON"
    """A visit in the visiting room or yard."""
    VIDEO = "VIDEO"
    """A visit by video."""
    FAMILY_OVERNIGHT = "FAMILY_OVERNIGHT"
    """A family visit that lasts overnight."""
    NON_CONTACT = "NON_CONTACT"
    """A visit behind glass."""


class VisitingStatusCode(Enum):
    """Whether visiting is on."""

    OPEN = "OPEN"
    """Visiting is on."""
    OPEN_WITH_EXCEPTIONS = "OPEN_WITH_EXCEPTIONS"
    """Visiting is on, but not for every yard: read the exceptions."""
    LIMITED = "LIMITED"
    """Fewer visits than usual."""
    CLOSED = "CLOSED"
    """Visiting is off."""
    UNKNOWN = "UNKNOWN"
    """The source gave no status, which does not mean closed."""


@entity(
    table="visiting_statuses",
    order=("-last_updated",),
    implements=("Sourced",),
    translated="visiting_status_id",
)
class VisitingStatus:
    """What was said about visiting at an institution, and when.

    Of those whose time has come the newest one holds.
    """

    id: ID
    institution: Institution = join("institution_id")
    """The institution."""
    visit_type: VisitType
    """The type of visit it speaks of."""
    status: VisitingStatusCode
    """Whether visiting is on."""
    exceptions: str | None = localized()
    """For whom or how it is different, in a few words."""
    affected_yards: list[str]
    """The yards the exceptions speak of; empty where they are only in the words."""
    last_updated: datetime
    """When the publisher last changed it."""
    effective_from: datetime | None
    """From when on it holds, if that was said beforehand; null: since it was said."""
    freshness_state: FreshnessState = derived("visiting_status_freshness", "last_updated")
    """How old that is: FRESH for a week and AGING for a month, since visiting changes so often."""
    contact_email: str | None
    """Where to write about visiting, as published with the status."""
    translations: Connection[Translation] = many("visiting_status_id")
    """Its text in other languages."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
