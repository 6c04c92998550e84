"""Completeness: how much of what people need to know of a record is known."""

from __future__ import annotations

from enum import Enum

from schema.entity import column, value


class NeededField(Enum):
    """Something that people need to know of a record; of which kind of record, it says."""

    PHONE = "PHONE"
    """A number to call, not a fax: of providers, services (their provider's will do), institutions
    and visitor centers."""
    ADDRESS = "ADDRESS"
    """Where to go: of all but programs. An address that is withheld on purpose is not missing."""
    WEBSITE = "WEBSITE"
    """A web address: of providers and institutions."""
    HOURS = "HOURS"
    """Opening hours, in words or as rules: of services, visitor centers and, for visits,
    institutions."""
    VISITING_STATUS = "VISITING_STATUS"
    """Whether visiting is on: of institutions."""
    AMENITIES = "AMENITIES"
    """What it does for families: of visitor centers."""
    OPERATOR = "OPERATOR"
    """Who runs it: of visitor centers and programs."""
    DESCRIPTION = "DESCRIPTION"
    """What it is, in a sentence: of programs."""
    INSTITUTIONS = "INSTITUTIONS"
    """Where it runs: of programs."""
    AUDIENCE = "AUDIENCE"
    """Whom it is for: of programs."""
    OFFERS = "OFFERS"
    """What exactly is offered: of services."""
    CATEGORIES = "CATEGORIES"
    """What kind of help it is: of providers, services and programs."""
    LANGUAGES = "LANGUAGES"
    """The languages spoken: of providers and services."""


@value(large=True)
class Completeness:
    """How much of what people need to know of a record is known. Lists can be ordered by it."""

    score: int = column("completeness", filter=True, order=True)  # index: (completeness, id)
    """From 0 for a name and nothing else to 100; what people need most counts most."""
    missing: list[NeededField] = column(filter=True, group="missing")  # index: gin (missing)
    """What nobody told us, the most needed first."""
