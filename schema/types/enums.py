"""Enums: what the words of this schema are called by people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, join, localized, many, part

if TYPE_CHECKING:
    from schema.types.sources import Provenance
    from schema.types.translations import Translation


@entity(table="enums", key="name", implements=("Sourced",))
class EnumType:
    """An enum of this schema: ask once what its values are called, and keep it."""

    id: ID
    name: str = column(unique=True)
    """Its name in the schema, such as `VisitingStatusCode`."""
    values: list[EnumValue] = many("enum_name")
    """Its values, in the order in which they are declared."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""


@entity(
    table="enum_values",
    key="key",
    order=("place",),
    implements=("Sourced",),
    translated="enum_value_key",
)
class EnumValue:
    """A value of an enum, and what people call it."""

    id: ID
    enum_name: str
    """The enum's name in the schema."""
    enum: EnumType = join("enum_name")
    """The enum."""
    value: str
    """The value, such as `OPEN_WITH_EXCEPTIONS`."""
    place: int
    """Its place among the values of its enum, from 1."""
    label: str = localized(search=True)
    """What to call it."""
    translations: Connection[Translation] = many("enum_value_key")
    """Its label in other languages."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
