"""The judged questions, read; and how good a list of records is as an answer to one.

nDCG@10 compares the first ten records with the best ten there could be: 1 is perfect. A record that
is worth g counts 2^g - 1, and the less the further down it stands. Success@3 says whether one of
the first three is worth 2 or more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from pathlib import Path

FILE = Path(__file__).parent / "judged.txt"

# A kind of record and its natural key: ("institution", "SQ"), or ("text", "what is suggested").
Record = tuple[str, str]


@dataclass(frozen=True)
class Rule:
    """What some records of a kind are worth: those with these keys, or with such words."""

    worth: int
    kind: str
    keys: tuple[str, ...] = ()
    words: re.Pattern[str] | None = None


@dataclass
class Question:
    """What somebody types, and which records answer it."""

    text: str
    lang: str | None
    near: str | None
    prefix: bool
    held_out: bool
    rules: list[Rule] = field(default_factory=list)

    def worths(self, words: Mapping[Record, str]) -> dict[Record, int]:
        """What each record is worth that is worth anything; the best rule counts."""
        found: dict[Record, int] = {}
        for rule in self.rules:
            keys = rule.keys or [
                key
                for (kind, key), said in words.items()
                if kind == rule.kind and rule.words and rule.words.search(said)
            ]
            for key in keys:
                record = (rule.kind, key)
                assert rule.kind == "text" or record in words, f"there is no {record}"
                found[record] = max(found.get(record, 0), rule.worth)
        return found


@dataclass(frozen=True)
class Figures:
    """How good the answers to some questions are, from 0 to 1."""

    ndcg: float
    success: float

    @classmethod
    def of(cls, measured: Sequence[tuple[float, float]]) -> Figures:
        """The mean of each."""
        ndcg, success = (sum(each) / len(measured) for each in zip(*measured, strict=True))
        return cls(ndcg, success)


def read(file: Path = FILE) -> list[Question]:
    """The questions of a file."""
    questions: list[Question] = []
    for line in file.read_text().splitlines():
        if line.startswith("? "):
            text, *notes = re.split(r" \[(?=[^\]]*\]$|[^\]]*\] \[)", line[2:])
            said = [note.rstrip("]") for note in notes]
            lang = next((note.upper() for note in said if note in ("es", "en")), None)
            near = next((note[5:] for note in said if note.startswith("near ")), None)
            held_out = len(questions) % 3 == 0
            questions.append(Question(text, lang, near, "prefix" in said, held_out))
        elif line.startswith("  ") and not line.startswith("  #"):
            worth, kind, rest = line.split(maxsplit=2)
            questions[-1].rules.append(
                Rule(int(worth), kind, words=re.compile(rest[2:], re.IGNORECASE))
                if rest.startswith("~ ")
                else Rule(int(worth), kind, (rest,) if kind == "text" else tuple(rest.split()))
            )
    return questions


def measure(found: Sequence[int], worths: Sequence[int]) -> tuple[float, float]:
    """nDCG@10 and success@3 of what was found, by its worths and those of all there is."""
    best = _gain(sorted(worths, reverse=True)[:10])
    return _gain(found[:10]) / best, float(any(worth >= 2 for worth in found[:3]))


def _gain(worths: Sequence[int]) -> float:
    return sum((2.0**worth - 1) / log2(place + 2) for place, worth in enumerate(worths))
