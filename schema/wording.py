"""Wording: in which language a text is answered, and how it came into it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from schema.entity import Language, value


class TranslationMethod(Enum):
    """How a text came from one language into another."""

    HUMAN = "HUMAN"
    """A person translated it."""
    MACHINE = "MACHINE"
    """A machine translated it."""


@value()
class Wording:
    """In which language a text is answered, and how it came into it."""

    language: Language
    """The language it is in."""
    is_fallback: bool
    """True if the text is not known in the language that was asked for."""
    method: TranslationMethod | None
    """How it was translated; null where its source has it in this language."""
    reviewed_at: datetime | None
    """When a person last checked the translation; null if nobody has."""
