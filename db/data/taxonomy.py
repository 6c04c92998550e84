"""Categories and their synonyms, activity group types and visitor amenities: words with labels."""

from __future__ import annotations

from db.data.intake import Intake, Shape, provenance
from db.data.line import Line
from db.data.sources import cite

_CODE = r"[A-Z][A-Z0-9_]*"


def _code(line: Line, intake: Intake, table: str) -> str:
    cite(line, intake)
    code = line.needed("code", lambda column: line.matching(column, _CODE, "is no code"))
    intake.once(line, "code", table, code)
    intake.name(table, code, code)
    return code


def _directory_category(line: Line, intake: Intake) -> None:
    _category(line, intake, "DIRECTORY", line.items("open_eligibility_ids"))


def _added_category(line: Line, intake: Intake) -> None:
    words = intake.words["categories", "vocabulary"]
    vocabulary = line.needed("vocabulary", lambda column: line.word(column, words))
    _category(line, intake, vocabulary, [])


def _category(line: Line, intake: Intake, vocabulary: str, terms: list[str]) -> None:
    code = _code(line, intake, "categories")
    values = {
        "code": code,
        "vocabulary": vocabulary,
        "label_en": line.needed("label_en", line.text),
        "label_es": line.text("label_es"),
        "parent_code": line.text("parent"),
        "open_eligibility_ids": terms,
        **provenance(line, code),
    }
    intake.add(line, "categories", values, "code")


def _synonym(line: Line, intake: Intake) -> None:
    code = _code(line, intake, "synonyms")
    phrases = {language: _phrases(line, language) for language in ("english", "spanish")}
    if not any(phrases.values()):
        raise line.refuse("english", "is empty, and so is spanish")
    values = {
        "code": code,
        "category_code": intake.called(line, "category", "categories"),
        "record_type": line.word("record_type", intake.words["synonyms", "record_type"]),
        "narrower": line.boolean("narrower") or False,
        **phrases,
        **provenance(line, code),
    }
    if values["category_code"] and values["record_type"]:
        line.reject("record_type", "is given beside a category")
        values["record_type"] = None
    intake.add(line, "synonyms", values, "code")


def _phrases(line: Line, column: str) -> list[str]:
    """What people say, apart from what has no letter or digit to look for."""
    said = line.items(column)
    if empty := [phrase for phrase in said if not any(map(str.isalnum, phrase))]:
        line.reject(column, f"holds {', '.join(empty)}, which is no word")
    return [phrase for phrase in said if phrase not in empty]


def _activity_group_type(line: Line, intake: Intake) -> None:
    code = _code(line, intake, "activity_group_types")
    label = line.needed("label", line.text)
    values = {"code": code, "label": label, **provenance(line, code)}
    intake.add(line, "activity_group_types", values, "code")
    intake.name("activity_group_types", label, code)


def _amenity(line: Line, intake: Intake) -> None:
    code = _code(line, intake, "visitor_amenities")
    values = {
        "code": code,
        "label_en": line.needed("label_en", line.text),
        "label_es": line.text("label_es"),
        "statutory": line.needed("statutory", line.boolean),
        **provenance(line, code),
    }
    intake.add(line, "visitor_amenities", values, "code")


CATEGORIES = Shape(
    "provider_categories.csv",
    "categories",
    "code label_en label_es parent open_eligibility_ids source",
    _directory_category,
    ahead=("parent_code", "parent"),
)
ADDED_CATEGORIES = Shape(
    "added_categories.csv",
    "categories",
    "code vocabulary label_en label_es parent source",
    _added_category,
    ahead=("parent_code", "parent"),
)
SYNONYMS = Shape(
    "synonyms.csv",
    "synonyms",
    "code category record_type narrower english spanish source",
    _synonym,
)
ACTIVITY_GROUP_TYPES = Shape(
    "activity_group_types.csv",
    "activity_group_types",
    "code label source",
    _activity_group_type,
)
AMENITIES = Shape(
    "visitor_amenities.csv",
    "visitor_amenities",
    "code label_en label_es statutory source",
    _amenity,
)
