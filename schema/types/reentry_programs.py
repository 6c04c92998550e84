"""Reentry programs: what people enter on or near release."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, argument, column, derived, entity, localized, many, part
from schema.types.eligibility import (
    AcceptedGender,
    Audience,
    Match,
    ReferralRoute,
    Situation,
)

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.counties import County
    from schema.types.sources import Provenance
    from schema.types.translations import Translation


class Residential(Enum):
    """Whether one lives at a program."""

    YES = "YES"
    """One lives there."""
    SOME = "SOME"
    """Some of its parts are residential."""
    NO = "NO"
    """One comes by day."""


# What is known of who may enter, as the functions of Postgres take it.
_RULES = (
    "id",
    "audience",
    "gender",
    "entry_from_days",
    "entry_to_days",
    "referral_routes",
    "statewide",
    "conditions",
)


@entity(table="reentry_programs", implements=("Sourced",), translated="reentry_program_id")
class ReentryProgram:
    """A state program that people enter on or near release; it runs in counties."""

    id: ID
    slug: str = column(unique=True)
    """A readable stable name for links, such as `stop`."""
    name: str = localized(search=True)
    """Its name."""
    categories: Connection[Category] = many(
        "id = reentry_program_categories.reentry_program_id",
        "category_code = categories.code",
        group="category",
    )
    """The kinds of help it is; the classification is ours."""
    residential: Residential | None
    """Whether one lives there; null if unknown."""
    max_length_days: int | None
    """The longest stay, in days."""
    eligibility: str | None = localized()
    """Who may enter, in the source's words."""
    audience: list[Audience] | None
    """Who may enter, and nobody else, coded by us from these words; null if they do not say."""
    gender: AcceptedGender | None
    """People of which gender may enter; null if unknown."""
    entry_from_days: int | None
    """The first day on which one can enter, counted from the release; before it if negative."""
    entry_to_days: int | None
    """The last day on which one can enter, counted from the release; before it if negative."""
    conditions: str | None
    """What those words ask for beside, and no code says."""
    referral_route: str | None = localized()
    """How one gets in, in the source's words."""
    referral_routes: list[ReferralRoute] | None = column(group="referral_route_code")
    """Who can send one, coded by us from these words; null if they do not say."""
    application_process: str | None
    """How one applies, such as by which form."""
    matches: Match = derived(
        "reentry_program_match",
        "id",
        for_=argument(Situation, "Somebody's situation."),
    )
    """Whether somebody in this situation can enter, and why."""
    fits: bool = derived(
        "reentry_program_fits",
        *_RULES,
        for_=argument(Situation, "Somebody's situation."),
    )
    """Whether it fits this situation for certain."""
    may_fit: bool = derived(
        "reentry_program_may_fit",
        *_RULES,
        for_=argument(Situation, "Somebody's situation."),
    )
    """Whether nothing is known to speak against it in this situation."""
    service_areas: str | None = localized()
    """Where it runs, in the source's words."""
    statewide: bool = column(default=False)
    """True if the source says it runs in the whole state."""
    counties: Connection[County] = many(
        "id = reentry_program_counties.reentry_program_id",
        "county_fips = counties.fips",
        group="county",
    )
    """The counties in which it has sites; empty if it is statewide or they are unknown."""
    translations: Connection[Translation] = many("reentry_program_id")
    """Its texts in other languages."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
