"""Categories: what help is called, for services and programs alike."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import ID, Connection, column, entity, join, localized, many, part

if TYPE_CHECKING:
    from schema.types.programs import Program
    from schema.types.providers import Provider
    from schema.types.reentry_programs import ReentryProgram
    from schema.types.services import Service
    from schema.types.sources import Provenance
    from schema.types.synonyms import Synonym
    from schema.types.translations import Translation


class CategoryVocabulary(Enum):
    """Which list a category belongs to."""

    DIRECTORY = "DIRECTORY"
    """The categories of the directory of community resources."""
    PROGRAM = "PROGRAM"
    """Classes that only programs use, such as `ARTS`."""


@entity(
    table="categories",
    key="code",
    order=("label_en",),
    implements=("Sourced",),
    translated="category_code",
)
class Category:
    """A kind of help, such as housing or legal services."""

    id: ID
    code: str = column(unique=True)
    """A stable code, such as `HOUSING_SOBER_LIVING`."""
    vocabulary: CategoryVocabulary
    """Which list it belongs to."""
    label: str = localized(en="label_en", es="label_es", search=True)
    """What to call it."""
    open_eligibility_ids: list[str]
    """The nearest terms of the Open Eligibility taxonomy 2.0; the mapping is ours."""
    parent: Category | None = join("parent_code")
    """The wider category, if there is one."""
    children: Connection[Category] = many("code = categories.parent_code")
    """The narrower categories."""
    services: Connection[Service] = many(
        "code = service_categories.category_code", "service_id = services.id"
    )
    """The services in this category itself; those of narrower ones are not repeated here."""
    providers: Connection[Provider] = many(
        "code = service_categories.category_code",
        "service_id = listed_services.id",
        "provider_id = providers.id",
    )
    """The providers with a service in this category."""
    programs: Connection[Program] = many(
        "code = program_categories.category_code", "program_id = programs.id"
    )
    """The programs in this category."""
    reentry_programs: Connection[ReentryProgram] = many(
        "code = reentry_program_categories.category_code",
        "reentry_program_id = reentry_programs.id",
    )
    """The reentry programs in this category."""
    synonyms: list[Synonym] = many("category_code")
    """What else people call it, or a part of it."""
    translations: Connection[Translation] = many("category_code")
    """Its label in other languages, where its source has none in them."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
