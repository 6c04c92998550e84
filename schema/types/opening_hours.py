"""Opening hours: what holds on a day and at a moment, by all rules and exceptions together."""

from __future__ import annotations

import datetime as dt  # a field is called `date`
from enum import Enum
from typing import Any

from schema.entity import Language, argument, column, derived, given, localized, value
from schema.types.schedules import Weekday
from schema.types.visiting_statuses import VisitType

# So many days at a time.
LONGEST = 31
_FIRST, _LAST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)


class HoursState(Enum):
    """Whether something is open at a moment."""

    OPEN = "OPEN"
    """It is open."""
    CLOSED = "CLOSED"
    """It is closed."""
    UNKNOWN = "UNKNOWN"
    """Nobody told us, or not enough. It does not mean closed."""


@value(order=("day", "opens_at", "yard"))
class OpeningHours:
    """What holds on a day: an opening, or that there is none. A day has a row for each opening."""

    date: dt.date = column("day")
    """The day, on the clocks of the place. An opening that goes past midnight is of this day."""
    is_open: bool | None = column("open")
    """Whether it opens on this day; null if unknown."""
    opens_at: dt.datetime | None
    """When it opens; null if it does not, or if the hours are unknown."""
    closes_at: dt.datetime | None
    """When it closes; null if it does not open, or if nobody told us when."""
    opens: dt.time | None
    """When it opens, on the clocks of the place."""
    closes: dt.time | None
    """When it closes, on the clocks of the place; not later than `opens` means the next day."""
    timezone: str
    """The IANA time zone of the place, such as `America/Los_Angeles`."""
    visit_type: VisitType | None
    """The type of visit, where these are visiting hours."""
    yard: str | None
    """The yard, where visiting hours differ by yard; null means the whole institution."""
    is_exception: bool
    """True where an exception, a holiday or a closure holds instead of the regular hours."""
    reason: str | None = localized(en="reason", es="reason_es")
    """Why, if anybody said."""


@given()
class VisitingDay:
    """On which day somebody wants to visit: a date, or the next day of that name."""

    date: dt.date | None
    """The date."""
    weekday: Weekday | None
    """The day of the week: the next one, which may be today."""
    type: VisitType | None
    """The type of visit; in person if not given."""
    yard: str | None
    """The yard; any if not given."""


def _in_reach(name: str, day: dt.date) -> None:
    if not _FIRST <= day <= _LAST:
        raise ValueError(f"{name} is between the years {_FIRST.year} and {_LAST.year}.")


def a_moment(time: dt.datetime | None, **others: object) -> None:
    """Refuse a moment so far away that no zone's clocks are known."""
    if time is not None:
        _in_reach("`time`, or `openAt` as a filter,", time.date())


def some_days(**asked: Any) -> None:
    """Refuse what is neither a day nor some days after one another."""
    on, first, last = asked["on"], asked["from"], asked["to"]
    if on is not None and (first is not None or last is not None):
        raise ValueError("Give either `on`, or `from` and `to`.")
    if (first is None) is not (last is None):
        raise ValueError("`from` and `to` go together.")
    for name, day in (("on", on), ("from", first), ("to", last)):
        if day is not None:
            _in_reach(f"`{name}`", day)
    if first is not None and last is not None:
        if first > last:
            raise ValueError("`from` comes after `to`.")
        if (last - first).days >= LONGEST:
            raise ValueError(f"From `from` to `to` there are at most {LONGEST} days.")


def a_visiting_day(date: dt.date | None, weekday: object, type: object, yard: object) -> None:
    """Refuse what is no day, or two."""
    if (date is None) is (weekday is None):
        raise ValueError("`visitingOn` takes either a `date` or a `weekday`.")
    if date is not None:
        _in_reach("`visitingOn.date`", date)


_TIME: dict[str, Any] = {"time": argument(dt.datetime, "The moment.")}
_SOME_TIME: dict[str, Any] = {"time": argument(dt.datetime | None, "The moment; now if not given.")}
_DAYS: dict[str, Any] = {
    "on": argument(dt.date | None, "The day; today if none is given."),
    "from": argument(dt.date | None, "The first of some days, instead of `on`."),
    "to": argument(dt.date | None, f"The last of them; at most {LONGEST} days in all."),
}
_VISIT: dict[str, Any] = {
    "type": argument(VisitType | None, "The type of visit.", VisitType.IN_PERSON),
    "yard": argument(str | None, "The yard; any if not given."),
}
_LANGUAGE: dict[str, Any] = {"lang": argument(Language | None, "The language.")}


def open_now(where: str | None = None, *, visit: bool = False) -> Any:
    """Whether it is open now."""
    return derived("open_now", "id", where=where, **(_VISIT if visit else {}))


def open_at(where: str | None = None, *, visit: bool = False) -> Any:
    """Whether it is open at a moment."""
    return derived(
        "open_at", "id", check=a_moment, where=where, **_TIME, **(_VISIT if visit else {})
    )


def hours_state(*, visit: bool = False) -> Any:
    """The same in three words."""
    return derived("hours_state", "id", check=a_moment, **_SOME_TIME, **(_VISIT if visit else {}))


def hours(*, visit: bool = False) -> Any:
    """What holds on some days."""
    return derived("hours_on", "id", check=some_days, **_DAYS, **(_VISIT if visit else {}))


def next_opening(*, visit: bool = False) -> Any:
    """When it opens the next time."""
    return derived("next_opening", "id", **(_VISIT if visit else {}))


def hours_in_words(*, visit: bool = False) -> Any:
    """The rules, for people to read."""
    given = {**_LANGUAGE, **(_VISIT if visit else {})}
    return derived("hours_in_words", "id", filter=False, order=False, **given)


def visiting_on() -> Any:
    """Whether visiting is held on a day."""
    day = argument(VisitingDay, "The day.")
    return derived("visiting_on", "id", check=a_visiting_day, day=day)
