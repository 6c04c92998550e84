"""Texts of records in another language, and what the values of enums are called."""

from __future__ import annotations

from collections.abc import Iterator

from db.data.identity import identity
from db.data.intake import Intake, Key, Row, Shape, provenance
from db.data.line import Line
from db.data.sources import cite

# The column of a translation that points to a record of this table.
_OWNERS = {
    "institutions": "institution_id",
    "visiting_statuses": "visiting_status_id",
    "visitor_centers": "visitor_center_id",
    "visiting_facts": "visiting_fact_key",
    "programs": "program_id",
    "reentry_programs": "reentry_program_id",
    "services": "service_id",
    "categories": "category_code",
    "activity_group_types": "activity_group_type_code",
    "enum_values": "enum_value_key",
}


def _translation(line: Line, intake: Intake) -> None:
    cite(line, intake)
    table = line.needed("table", line.text)
    if table not in _OWNERS:
        raise line.refuse("table", f"is none of {', '.join(sorted(_OWNERS))}")
    language = _language(line, intake)
    field = line.needed("field", line.text)
    original = line.needed("original", line.text)
    text = line.needed("text", line.text)
    records = list(_records(line, intake, table))
    if not any(isinstance(row.get(field), str) for _, row in records):
        raise line.refuse("field", f"is no text of {table}")
    found = [(key, row) for key, row in records if row.get(field) == original]
    if not found:
        raise line.refuse("original", f"is not what {table} say now")
    for key, _ in found:
        _add(line, intake, (table, *key), _called(field), language, original, text)


def _called(column: str) -> str:
    """What the schema calls a column: status_note is statusNote, and label_en is label."""
    head, *tail = column.removesuffix("_en").split("_")
    return head + "".join(part.title() for part in tail)


def _language(line: Line, intake: Intake) -> str:
    others = intake.words["translations", "language"] - {"EN"}
    return line.needed("language", lambda column: line.word(column, others))


def _records(line: Line, intake: Intake, table: str) -> Iterator[tuple[Key, Row]]:
    """The record that a line names, or all of its table: each that says the same is meant."""
    record = line.text("record")
    known = False
    for key, row in intake.rows.get(table, {}).items():
        if record is None or row["source_record_id"] == record:
            known = True
            yield key, row
    if record is not None and not known:
        raise line.refuse("record", f"is not in {table}")


def _add(
    line: Line,
    intake: Intake,
    owner: Key,
    field: str,
    language: str,
    original: str,
    text: str,
) -> None:
    table, key = owner
    record = f"{table}/{key}/{field}/{language}"
    id = identity("translations", record)
    intake.once(line, "text", "translations", id)
    methods = intake.words["translations", "method"]
    values = {
        "id": id,
        **dict.fromkeys(_OWNERS.values()),
        _OWNERS[str(table)]: key,
        "field": field,
        "language": language,
        "original": original,
        "text": text,
        "method": line.needed("method", lambda column: line.word(column, methods)),
        "reviewed_at": line.moment("reviewed_at"),
        **provenance(line, record),
    }
    intake.add(line, "translations", values)


def _enum_value(line: Line, intake: Intake) -> None:
    cite(line, intake)
    enum = line.needed(
        "enum", lambda column: line.matching(column, r"[A-Z][A-Za-z0-9]*", "is no name of an enum")
    )
    value = line.needed(
        "value", lambda column: line.matching(column, r"[A-Z][A-Z0-9_]*", "is no value of an enum")
    )
    key = f"{enum}.{value}"
    intake.once(line, "value", "enum_values", key)
    enums, values = intake.rows.get("enums", {}), intake.rows.get("enum_values", {})
    # As the schema has it, where nobody found a better word: IN_PERSON is "In person".
    label = line.text("label_en") or value.replace("_", " ").capitalize()
    row = {
        "key": key,
        "enum_name": enum,
        "value": value,
        "place": 1 + sum(other["enum_name"] == enum for other in values.values()),
        "label": label,
        **provenance(line, key),
    }
    if text := line.text("label_es"):
        _add(line, intake, ("enum_values", key), "label", "ES", label, text)
    if (enum,) not in enums:
        intake.add(line, "enums", {"name": enum, **provenance(line, enum)}, "name")
    intake.add(line, "enum_values", row, "key")


ENUM_LABELS = Shape(
    "enum_labels.csv",
    "enum_values",
    "enum value label_en label_es method reviewed_at source",
    _enum_value,
    ditto=("source", frozenset({"same"})),
)
TRANSLATIONS = Shape(
    "translations.csv",
    "translations",
    "table record field language original text method reviewed_at source",
    _translation,
    ditto=("source", frozenset({"same"})),
)
