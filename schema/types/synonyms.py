"""Synonyms: what people call a kind of help, in both languages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, column, entity, join, part
from schema.types.search import SearchType

if TYPE_CHECKING:
    from schema.types.categories import Category
    from schema.types.sources import Provenance


@entity(table="synonyms", key="code", order=(), implements=("Sourced",))
class Synonym:
    """Words for one thing, by which searches find it; in either language."""

    id: ID
    code: str = column(unique=True)
    """A stable code, such as `FOOD_STAMPS`."""
    english: list[str]
    """What it is called in English."""
    spanish: list[str]
    """What it is called in Spanish."""
    category: Category | None = join("category_code")
    """The category that is meant, or that it is a part of; null if there is none."""
    record_type: SearchType | None
    """The type of record that is meant; null if it is a category, or only a word."""
    narrower: bool = column(default=False)
    """True if it is a part of the category, as dental care is of health care."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
