"""Meanings: what the words of sources say about who may come, in our codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from db.data.identity import identity
from db.data.intake import Intake, Shape, provenance
from db.data.line import Line
from db.data.sources import cite

# The column that a criterion's codes are for; those of RECORD stand for true and false.
_COLUMNS = {
    "AUDIENCE": ("services", "audience"),
    "GENDER": ("services", "gender"),
    "REFERRAL": ("services", "referral_routes"),
    "FEES": ("cost_options", "option"),
}
ACCEPTED = {"ACCEPTED": True, "REFUSED": False}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one word says about one criterion."""

    criterion: str
    code: str
    note: str | None
    line: Line


def _meaning(line: Line, intake: Intake) -> None:
    cite(line, intake)

    def word(column: str) -> str | None:
        return line.word(column, intake.words["meanings", column])

    said_in = line.needed("said_in", word)
    said = line.needed("word", line.text)
    alone = line.needed("alone", line.boolean)
    criterion = line.needed("criterion", word)
    codes = intake.words[_COLUMNS[criterion]] if criterion in _COLUMNS else set(ACCEPTED)
    code = line.needed("code", lambda column: line.word(column, codes))
    record = f"{said_in}/{said}/{alone}/{criterion}/{code}"
    id = identity("meanings", record)
    intake.once(line, "word", "meanings", id)
    values = {
        "id": id,
        "said_in": said_in,
        "word": said,
        "alone": alone,
        "criterion": criterion,
        "code": code,
        "note": line.text("note"),
        **provenance(line, record),
    }
    intake.add(line, "meanings", values)
    key = f"{said_in}/{'alone' if alone else 'among others'}/{said}"
    known = intake.named("meanings").get(key, [])
    assert isinstance(known, list)
    intake.name("meanings", key, [*known, Meaning(criterion, code, line.text("note"), line)])


def meant(intake: Intake, said_in: str, words: Sequence[str]) -> Iterator[Meaning]:
    """What these words, all that a record says there, mean."""
    for word in words:
        for how in ("among others", *(["alone"] if len(words) == 1 else [])):
            found = intake.named("meanings").get(f"{said_in}/{how}/{word}", [])
            assert isinstance(found, list)
            yield from found


MEANINGS = Shape(
    "meanings.csv", "meanings", "said_in word alone criterion code note source", _meaning
)
