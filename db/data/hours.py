"""Opening hours in a source's own words become rules, or a reason why not. Nothing is guessed.

>>> for rule in read("Monday - Thursday, 8:30am to 4pm, Friday 9am-12pm"):
...     print(rule)
MO,TU,WE,TH 08:30-16:00
FR 09:00-12:00

A text is read whole or not at all: what it says besides hours may change what they mean.

>>> read("Monday-Friday, 9:00am to 5:00pm for intakes.")
Traceback (most recent call last):
db.data.hours.Unreadable: says more than hours
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from itertools import pairwise

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

# As HSDS writes 24 hours.
_ALL_DAY = (time(0), time(23, 59))

# What may come after midnight: a night, not a slip of the pen.
_NIGHT_BEGINS, _NIGHT_ENDS = time(12), time(6)

_AROUND_THE_CLOCK = re.compile(
    r"24 hours?(/day|( per day|,|/)?[/ ]*7 ?days( per week)?| per day/7 days per week)\.?",
    re.ASCII | re.IGNORECASE,
)

_TOKEN = re.compile(
    r"""(?P<day>mon|tues?|wed|weds|thu|thurs?|fri|sat|sun)(?:(?<=mon|fri|sun)days?|(?<=tues)days?
            |(?<=wed)nesdays?|(?<=thurs)days?|(?<=sat)urdays?)?(?![a-z])
      | (?P<time>\d{1,2}(?::\d{2})?\ ?(?:[ap]m)?)(?![\d:])
      | (?P<to>-|to\b|through\b)
      | (?P<more>,|;|\.|and\b|&|/|:|from\b)
      | (?P<daily>daily\b)
      | (?P<closed>closed\b)""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))? ?([ap]m)?", re.ASCII | re.IGNORECASE)

# What may follow without changing anything that was said before.
_HARMLESS = re.compile(r"( and by appointment| \(drop-in\))?[ .,]*$", re.ASCII | re.IGNORECASE)


class Unreadable(ValueError):  # noqa: N818  not an error: the text stays what it is
    """The words are not only hours, or not clear; the message says which."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Hours on some days of every week. What is None is not known."""

    days: tuple[str, ...] | None
    opens: time | None
    closes: time | None

    def __str__(self) -> str:
        days = ",".join(self.days) if self.days else "?"
        return f"{days} {_written(self.opens)}-{_written(self.closes)}"


Spans = list[tuple[time | None, time | None]]


def read(text: str) -> list[Rule]:
    """The rules that a text is. Raises Unreadable.

    >>> read("Wed 17:30-17:30")[0].closes is None  # a meeting whose end nobody gave
    True
    """
    if not re.search(r"\d|day", text, re.ASCII):
        raise Unreadable("names no hours")
    if _AROUND_THE_CLOCK.fullmatch(text):
        return [Rule(DAYS, *_ALL_DAY)]
    return _rules(_Reading(_tokens(_HARMLESS.sub("", text))).statements())


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token = _TOKEN.match(text, position)
        if token is None or token.lastgroup is None:
            raise Unreadable("says more than hours")
        found.append((token.lastgroup, token[0]))
        position = token.end()
    return found


class _Reading:
    """Words read from left to right: days, then hours, and so on."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0

    def statements(self) -> list[tuple[list[str] | None, Spans]]:
        said: list[tuple[list[str] | None, Spans]] = []
        closed: set[str] = set()
        while self.kind() is not None:
            if self.kind() == "closed":
                self.at += 1
                closed.update(self.days())
            else:
                days = None if self.kind() == "time" else self.days()
                said.append((days, self.spans()))
            self.skip()
        if any(closed.intersection(days or DAYS) for days, _ in said):
            raise Unreadable("says two things about one day")
        if len(said) > 1 and any(days is None for days, _ in said):
            raise Unreadable("leaves open which hours are whose")
        return said

    def kind(self) -> str | None:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else None

    def skip(self) -> None:
        while self.kind() == "more":
            self.at += 1

    def days(self) -> list[str]:
        if self.kind() == "daily":
            self.at += 1
            self.skip()
            return list(DAYS)
        found: list[str] = []
        while self.kind() == "day":
            first = last = self.day()
            if self.kind() == "to":
                self.at += 1
                last = self.day()
            # From Sunday to Thursday the week begins in between.
            found += DAYS[first : last + 1] if first <= last else DAYS[first:] + DAYS[: last + 1]
            self.skip()
        if not found:
            raise Unreadable("says more than hours")
        return found

    def day(self) -> int:
        if self.kind() != "day":
            raise Unreadable("is not clear about its days")
        word = self.tokens[self.at][1][:2].upper()
        self.at += 1
        return DAYS.index(word)

    def spans(self) -> Spans:
        found: Spans = []
        while self.kind() == "time":
            opens = self.tokens[self.at][1]
            self.at += 1
            if self.kind() != "to" or self.tokens[self.at + 1 : self.at + 2] == []:
                raise Unreadable("says when it opens, not when it closes")
            self.at += 1
            if self.kind() != "time":
                raise Unreadable("says more than hours")
            found.append(_span(opens, self.tokens[self.at][1]))
            self.at += 1
            self.skip()
        return found or [(None, None)]


def _span(opens: str, closes: str) -> tuple[time, time | None]:
    first, first_half = _clock(opens)
    last, last_half = _clock(closes)
    if first_half is None and last_half is not None:
        # `8:30-5:00pm`: in the same half of the day it would close before it opens.
        if last_half != "pm" or _time(*first, "pm") < _time(*last, "pm") or first[0] > 12:
            raise Unreadable("leaves open whether it is morning or afternoon")
        first_half = "am"
    if (first_half is None) != (last_half is None) or (first_half is None and ":" not in opens):
        raise Unreadable("leaves open whether it is morning or afternoon")
    begins, ends = _time(*first, first_half), _time(*last, last_half)
    if begins == ends == time(0):
        raise Unreadable("may mean all day or not at all")
    if begins == ends:
        return begins, None
    if ends < begins and not (begins >= _NIGHT_BEGINS and ends <= _NIGHT_ENDS):
        raise Unreadable("closes before it opens")
    return begins, ends


def _clock(text: str) -> tuple[tuple[int, int], str | None]:
    found = _TIME.fullmatch(text)
    assert found
    return (int(found[1]), int(found[2] or 0)), found[3].lower() if found[3] else None


def _time(hour: int, minute: int, half: str | None) -> time:
    try:
        if half is None:
            return time(hour, minute)
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        return time(hour % 12 + (12 if half == "pm" else 0), minute)
    except ValueError as error:
        raise Unreadable("has a time that no clock shows") from error


def _rules(said: Iterable[tuple[list[str] | None, Spans]]) -> list[Rule]:
    """Each span once, with all of its days; refused if two of a day overlap."""
    hours: dict[str | None, set[tuple[time | None, time | None]]] = {}
    together: dict[tuple[time | None, time | None], dict[str | None, None]] = {}
    for days, spans in said:
        of: list[str | None] = [*days] if days else [None]
        for span in spans:
            for day in of:
                hours.setdefault(day, set()).add(span)
                together.setdefault(span, {})[day] = None
    if any(_overlap(spans) for spans in hours.values()):
        raise Unreadable("says two things about one day")
    return [
        Rule(None if None in of else tuple(day for day in DAYS if day in of), *span)
        for span, of in together.items()
    ]


def _overlap(spans: Iterable[tuple[time | None, time | None]]) -> bool:
    """Whether any two overlap; what has no end is a moment here."""
    known = list(spans)
    if (None, None) in known:
        return len(known) > 1
    ordered = sorted((begins, ends or begins) for begins, ends in known if begins)
    return any(later < ends or ends < begins for (begins, ends), (later, _) in pairwise(ordered))


def _written(moment: time | None) -> str:
    return moment.strftime("%H:%M") if moment else "?"
