"""Duplicate candidates: two providers that may be one, for people to decide."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Role, column, entity, join

if TYPE_CHECKING:
    from schema.types.providers import Provider


class DuplicateReason(Enum):
    """What speaks for, or against, two records being about the same organization at one place."""

    SAME_NAME = "SAME_NAME"
    """The same name, apart from capitals, accents, abbreviations and words such as Inc."""
    SIMILAR_NAME = "SIMILAR_NAME"
    """A similar name; it counts for as much as it is similar."""
    SAME_ADDRESS = "SAME_ADDRESS"
    """The same street and number, however it is written."""
    NEARBY = "NEARBY"
    """Another address, or none, but within a hundred meters."""
    SAME_PHONE = "SAME_PHONE"
    """The same telephone number."""
    CHAIN_PHONE = "CHAIN_PHONE"
    """The same telephone number, which more than six providers have."""
    SAME_WEBSITE = "SAME_WEBSITE"
    """A website on the same host."""
    CHAIN_WEBSITE = "CHAIN_WEBSITE"
    """A website on the same host, on which more than six providers have theirs."""
    SAME_SOURCE = "SAME_SOURCE"
    """Against it: one source lists both, and not as the same name at one address."""
    DIFFERENT_ADDRESS = "DIFFERENT_ADDRESS"
    """Against it: the addresses are known, and are not near each other."""
    DIFFERENT_SUITE = "DIFFERENT_SUITE"
    """Against it: in one building, but not behind the same door."""
    DIFFERENT_NUMBER = "DIFFERENT_NUMBER"
    """Against it: the names are numbered, and differently, as those of vans and clinics are."""
    DIFFERENT_SITE_NAME = "DIFFERENT_SITE_NAME"
    """Against it, a little: both name their site or program, and differently."""
    ONE_IS_MOBILE = "ONE_IS_MOBILE"
    """Against it: one is a van or a mobile clinic, by its name, and the other is not."""


class DuplicateDecision(Enum):
    """What people decided about two records."""

    PENDING = "PENDING"
    """Nobody has decided yet."""
    MERGED = "MERGED"
    """They were one, and now are."""
    NOT_DUPLICATE = "NOT_DUPLICATE"
    """They are two, and stay so."""


@entity(table="duplicate_candidates", order=("-score",), large=True, role=Role.STAFF)
class DuplicateCandidate:
    """Two providers that may be the same organization at the same place.

    They are compared by what the public may read: a hidden address takes no part.
    """

    id: ID
    left: Provider = join("left_id")
    """One of them; which is left and which is right means nothing."""
    right: Provider = join("right_id")
    """The other one."""
    # index: (score, id)
    score: float = column(filter=True, order=True)
    """From 0.5 to 1, what the reasons weigh together. It orders a queue; it is no probability."""
    reasons: list[DuplicateReason] = column(filter=True, group="reason")  # index: gin (reasons)
    """What speaks for it and against it."""
    # index: (decision, score, id)
    decision: DuplicateDecision = column(filter=True, group=True)
    """What people decided; it stays, whatever is found later."""
    decided_at: datetime | None
    """When they did."""
    decision_note: str | None
    """Why, as whoever decided it wrote."""
    created_at: datetime
    """When these two were first found together."""
    updated_at: datetime
    """When the score, the reasons or the decision last changed."""
