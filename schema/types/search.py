"""Search: what a text finds among records of several types, and how it is asked."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import column, derived, facet, given, join, value

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.counties import County


class SearchType(Enum):
    """A type of record that a search finds."""

    INSTITUTION = "INSTITUTION"
    """A prison, camp or reentry facility."""
    VISITOR_CENTER = "VISITOR_CENTER"
    """A center that receives visitors at a prison."""
    PROGRAM = "PROGRAM"
    """A program inside, or for families."""
    REENTRY_PROGRAM = "REENTRY_PROGRAM"
    """A state program that people enter on or near release."""
    PROVIDER = "PROVIDER"
    """A community provider."""
    SERVICE = "SERVICE"
    """What a provider offers."""
    CATEGORY = "CATEGORY"
    """A kind of help."""


class SearchStatus(Enum):
    """Whether what was found is there, in words that fit records of all types."""

    ACTIVE = "ACTIVE"
    """It is open, or on offer."""
    INACTIVE = "INACTIVE"
    """It is not on offer at present."""
    TEMPORARILY_CLOSED = "TEMPORARILY_CLOSED"
    """Closed, and expected to open again."""
    CLOSED = "CLOSED"
    """Gone for good."""


@given()
class SearchFilter:
    """Which of the records that a text finds to keep: all of the given conditions hold."""

    counties: list[str] | None
    """In one of these counties, by FIPS code such as `06037`."""
    categories: list[str] | None
    """In one of these categories, by code such as `HOUSING`, or in a narrower one."""
    languages: list[str] | None
    """In one of these languages, as ISO 639 codes such as `es`."""
    closed: bool | None
    """True: only what is closed, for now or for good. False: nothing of that."""


@value(order=("-score", "kind", "key"))
class Search:
    """A record that a text has found, and how well it answers."""

    kind: str
    """Its type."""
    key: str
    """Its key."""
    score: float
    """How well it answers, from 0 to 1: how much of the text was found, and where."""
    distance_miles: float | None
    """How far it is from `near`; null if that is not given or it is not known where it is."""
    status: SearchStatus | None
    """Whether it is there; null if unknown. What is closed is found by its name only."""
    categories: list[str]
    """Codes of the categories that it is in."""
    counties: list[str]
    """FIPS codes of the counties that it is in; those of a program are of where it runs."""
    languages: list[str]
    """Languages in which it is known to help, as ISO 639 codes such as `es`."""
    title_html: str = derived("search_marked", "title", "sought", "concepts")
    """Its name, as HTML in which what was found is in `<mark>` and all else is escaped."""
    snippet_html: str | None = derived(
        "search_snippet", "kind", "key", "sought", "concepts", "spoken"
    )
    """What else of it was found, as `titleHtml`; null if nothing."""


@value()
class CategoryCount:
    """How many of the records that were found are in a category."""

    code: str = column("value")
    """The category's code."""
    category: Category = join("value")
    """The category."""
    count: int
    """How many."""


@value()
class CountyCount:
    """How many of the records that were found are in a county."""

    fips: str = column("value")
    """The county's FIPS code."""
    county: County = join("value")
    """The county."""
    count: int
    """How many."""


@value()
class LanguageCount:
    """How many of the records that were found speak a language."""

    code: str = column("value")
    """The language, as an ISO 639 code such as `es`."""
    count: int
    """How many."""


@value()
class TypeCount:
    """How many of the records that were found are of a type."""

    type: SearchType = column("value")
    """The type."""
    count: int
    """How many."""


@value()
class SearchFacets:
    """How many of all the records that were found have what in common, the largest number first."""

    categories: list[CategoryCount] = facet("categories")
    """The kinds of help that they are; one record may be of several."""
    counties: list[CountyCount] = facet("counties")
    """The counties that they are in; a program may be in several."""
    languages: list[LanguageCount] = facet("languages")
    """The languages in which they are known to help."""
    types: list[TypeCount] = facet("kind")
    """Their types."""


@value(order=("-score", "text"))
class Suggestion:
    """What somebody who is still typing may mean."""

    text: str
    """A name of a record, or of several; what a search for it finds."""
    text_html: str
    """The same as HTML, in which what was typed is in `<mark>` and all else is escaped."""
    type: SearchType
    """The type of the record."""
    node_id: str | None
    """The record's global id; null where several are called so."""
    score: float
    """How likely it is, from 0 to 1."""


# Nobody types more than this, and a ranking of so many words would mean nothing.
LONGEST = 200

# More suggestions than fit below a line that somebody types in.
MOST = 20

# How codes are written, and an example: what is written otherwise cannot be meant.
CODES = {
    "counties": (r"\d{5}", "06037"),
    "categories": (r"[A-Z][A-Z0-9_]*", "HOUSING"),
    "languages": (r"[a-z]{2,3}", "es"),
}


def a_text(text: str, **others: object) -> None:
    """Refuse what nothing can be found by."""
    if len(text) > LONGEST:
        raise ValueError(f"`text` has more than {LONGEST} characters.")
    if not any(map(str.isalnum, text)):
        raise ValueError("`text` has no letter or digit to look for.")
    for name, items in others.items():
        if not isinstance(items, list | tuple):
            continue
        if not items:
            raise ValueError(f"`{name}` is an empty list, in which nothing can be.")
        form, example = CODES.get(name, ("", ""))
        if form and not all(re.fullmatch(form, item) for item in items):
            raise ValueError(f"`{name}` holds what is no code such as {example}.")


def a_beginning(text: str, first: int | None, **others: object) -> None:
    """Refuse what nothing can be suggested for."""
    a_text(text)
    if first is not None and not 1 <= first <= MOST:
        raise ValueError(f"`first` is between 1 and {MOST}.")
