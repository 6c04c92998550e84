"""Translations: texts of records in another language, and how they came into it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from schema.entity import ID, Language, column, entity, join, part
from schema.wording import TranslationMethod

if TYPE_CHECKING:
    from schema.types.activity_group_types import ActivityGroupType
    from schema.types.categories import Category
    from schema.types.enums import EnumValue
    from schema.types.institutions import Institution
    from schema.types.programs import Program
    from schema.types.reentry_programs import ReentryProgram
    from schema.types.services import Service
    from schema.types.sources import Provenance
    from schema.types.visiting_facts import VisitingFact
    from schema.types.visiting_statuses import VisitingStatus
    from schema.types.visitor_centers import VisitorCenter


@entity(table="translations", order=("field", "language"), large=True, implements=("Sourced",))
class Translation:
    """A text of a record in another language. It belongs to exactly one of the records below."""

    id: ID
    field: str = column(filter=True)  # index: (field, language, id)
    """Which text of the record it is: the name of its field, such as `statusNote`."""
    language: Language
    """The language it is in."""
    original: str
    """The text that was translated; if the record has another by now, this is not shown there."""
    text: str
    """The translation."""
    method: TranslationMethod = column(filter=True, group=True)  # index: (method, ...)
    """How it was translated."""
    reviewed_at: datetime | None = column(filter=True)  # index: (reviewed_at, ...)
    """When a person last checked it; null if nobody has."""
    institution: Institution | None = join("institution_id")
    """The institution whose text it is."""
    visiting_status: VisitingStatus | None = join("visiting_status_id")
    """The visiting status whose text it is."""
    visitor_center: VisitorCenter | None = join("visitor_center_id")
    """The visitor center whose text it is."""
    visiting_fact: VisitingFact | None = join("visiting_fact_key")
    """The statewide rule whose text it is."""
    program: Program | None = join("program_id")
    """The program whose text it is."""
    reentry_program: ReentryProgram | None = join("reentry_program_id")
    """The reentry program whose text it is."""
    service: Service | None = join("service_id")
    """The service whose text it is."""
    category: Category | None = join("category_code")
    """The category whose label it is."""
    activity_group_type: ActivityGroupType | None = join("activity_group_type_code")
    """The class of activity groups whose label it is."""
    enum_value: EnumValue | None = join("enum_value_key")
    """The value of an enum whose label it is."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
