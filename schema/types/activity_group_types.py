"""Activity group types: CDCR's own classes of groups inside."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, localized, many, part

if TYPE_CHECKING:
    from schema.types.programs import Program
    from schema.types.sources import Provenance
    from schema.types.translations import Translation


@entity(
    table="activity_group_types",
    key="code",
    order=("label",),
    implements=("Sourced",),
    translated="activity_group_type_code",
)
class ActivityGroupType:
    """One of the 16 classes into which CDCR sorts Inmate Activity Groups."""

    id: ID
    code: str = column(unique=True)
    """A stable code, such as `VETERANS_SUPPORT`."""
    label: str = localized(search=True)
    """CDCR's name for it."""
    programs: Connection[Program] = many("code = programs.activity_group_type_code")
    """The programs that we count in this class."""
    translations: Connection[Translation] = many("activity_group_type_code")
    """Its label in other languages."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
