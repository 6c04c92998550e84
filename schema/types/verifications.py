"""Verifications: somebody checked."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, column, derived, entity, join, value

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.programs import Program, ProgramOffering
    from schema.types.providers import Provider
    from schema.types.services import Service
    from schema.types.visitor_centers import VisitorCenter


class VerificationMethod(Enum):
    """How a record was checked."""

    PHONE = "PHONE"
    """By telephone."""
    SITE_VISIT = "SITE_VISIT"
    """By going there."""
    WEBSITE = "WEBSITE"
    """On its website."""
    EMAIL = "EMAIL"
    """By e-mail."""
    PARTNER_FEED = "PARTNER_FEED"
    """By a partner who keeps the record."""
    IMPORT = "IMPORT"
    """By a source that states when it checked."""


class VerificationOutcome(Enum):
    """What a check found."""

    CONFIRMED = "CONFIRMED"
    """All of it still held."""
    CHANGED = "CHANGED"
    """Something had changed, and was corrected."""
    UNREACHABLE = "UNREACHABLE"
    """Nobody could be reached."""
    CLOSED = "CLOSED"
    """It had closed."""


class FreshnessState(Enum):
    """How far a check of a record can be trusted, by how long ago it was."""

    FRESH = "FRESH"
    """Checked lately: within 90 days for providers, services and visitor centers, within 180 days
    for institutions and programs, or until the date on which the next check was said to be due."""
    AGING = "AGING"
    """Checked a while ago: within twice that time."""
    STALE = "STALE"
    """Checked longer ago, or found to have closed."""
    NEVER_VERIFIED = "NEVER_VERIFIED"
    """Nobody has said that they checked it and reached anybody. An import is no check."""


@value(large=True)
class Freshness:
    """When a record was last checked, and how far that can be trusted now.

    Who reached nobody has not checked. What was found to have closed is STALE.
    """

    state: FreshnessState = derived(
        "freshness_state",
        "fresh_until",
        "aging_until",
        filter=True,
        group=True,
        among="freshness_among",  # index: (aging_until, fresh_until)
    )
    """How far the last check can be trusted."""
    verified_at: datetime | None = column(filter=True, order=True)  # index: (verified_at, id)
    """When it was last checked; null if it never was."""
    method: VerificationMethod | None = column("verification_method")
    """How it was checked then."""
    outcome: VerificationOutcome | None = column("verification_outcome")
    """What was found then."""
    # index: (verification_due_at, id)
    next_due_at: datetime | None = column("verification_due_at", filter=True, order=True)
    """When the next check is due: as somebody said, or else when the last one is no longer fresh;
    null if it was never checked."""


@entity(table="verifications", order=("-verified_at",))
class Verification:
    """Somebody checked a record. It belongs to exactly one of the records below."""

    id: ID
    method: VerificationMethod
    """How it was checked."""
    outcome: VerificationOutcome
    """What was found."""
    verified_at: datetime
    """When it was checked."""
    next_due_at: datetime | None
    """When it should be checked again."""
    note: str | None
    """What was found, in words."""
    institution: Institution | None = join("institution_id")
    """The institution that was checked."""
    visitor_center: VisitorCenter | None = join("visitor_center_id")
    """The visitor center that was checked."""
    program: Program | None = join("program_id")
    """The program that was checked."""
    offering: ProgramOffering | None = join("offering_id")
    """The offering of a program that was checked."""
    provider: Provider | None = join("provider_id")
    """The provider that was checked."""
    service: Service | None = join("service_id")
    """The service that was checked."""
    created_at: datetime
    """When this was recorded."""
