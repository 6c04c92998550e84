"""Hours against a second opinion: python-dateutil's recurrences, and a clock that is watched.

Places with random rules and exceptions, in zones whose clocks change at odd times, are asked in one
statement for thousands of moments and days. Python answers the same without any of our SQL: a rule
is the set of days that `dateutil.rrule` makes of it, and a moment is looked at minute by minute.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import asyncpg
import pytest_asyncio
from dateutil import rrule

from db.data.identity import NAMESPACE
from tests.db.scratch import connected, scratch

DAY = timedelta(days=1)
Span = tuple[datetime, datetime]
Row = tuple[date, bool | None, datetime | None, datetime | None]
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FIRST, LAST = date(2025, 1, 1), date(2027, 12, 31)

# Clocks that change at two, at midnight, back into the evening before, by half an hour, or never.
ZONES = (
    "America/Los_Angeles",
    "America/Los_Angeles",
    "America/New_York",
    "America/Havana",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Asia/Kathmandu",
)


@dataclass(frozen=True)
class Rule:
    """A schedule, by the names of its columns."""

    freq: str | None
    opens_at: time | None
    closes_at: time | None
    kind: str = "REGULAR"
    interval: int = 1
    byday: tuple[str, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    wkst: str | None = None
    dtstart: date | None = None
    until: date | None = None
    count: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    @cached_property
    def days(self) -> frozenset[date]:
        """The days it recurs on, by dateutil."""
        # Numbered and plain weekdays are two conditions to dateutil. In RFC 5545 they are a list.
        plain = [word for word in self.byday if len(word) == 2]
        numbered = [word for word in self.byday if len(word) > 2]
        found = sorted(
            {
                day
                for words in ([plain, numbered] if plain and numbered else [self.byday])
                for day in self._days(words)
            }
        )
        return frozenset(found[: self.count])

    def _days(self, words: Any) -> Iterator[date]:
        byday = [_weekday(word) for word in words]
        if self.freq == "WEEKLY" and self.byweekno and not byday and not self.byyearday:
            # What a rule does not say, its first day does; dateutil forgets that beside BYWEEKNO.
            assert self.dtstart
            byday = [_weekday(WEEKDAYS[self.dtstart.weekday()])]
        rule = rrule.rrule(
            rrule.WEEKLY if self.freq == "WEEKLY" else rrule.MONTHLY,
            dtstart=datetime.combine(self.dtstart or FIRST - 40 * DAY, time()),
            interval=self.interval,
            wkst=_weekday(self.wkst or "MO"),
            byweekday=byday or None,
            bymonthday=self.bymonthday or None,
            byweekno=self.byweekno or None,
            byyearday=self.byyearday or None,
            until=datetime.combine(min(self.until or LAST, LAST), time()),
        )
        return (moment.date() for moment in rule)

    @property
    def end(self) -> date:
        """The last day of the recurrence."""
        if self.count:
            return max(self.days) if len(self.days) == self.count else date.max
        return self.until or date.max

    def values(self) -> dict[str, object]:
        def joined(items: tuple[object, ...]) -> str | None:
            return ",".join(map(str, items)) or None

        listed = ("byday", "bymonthday", "byweekno", "byyearday")
        return {
            name: joined(getattr(self, name)) if name in listed else getattr(self, name)
            for name in self.__dataclass_fields__
        }


@cache
def _weekday(word: str) -> Any:
    day = getattr(rrule, word[-2:])
    return day(int(word[:-2])) if len(word) > 2 else day


@dataclass(frozen=True)
class Exceptional:
    """A schedule's exception."""

    starts_on: date
    ends_on: date
    opens_at: time | None = None
    closes_at: time | None = None


@dataclass(frozen=True)
class Said:
    """What a rule or an exception says of a day."""

    day: date
    open: bool | None
    opens: datetime | None = None
    closes: datetime | None = None

    @property
    def span(self) -> Span:
        """From when to when it may be open."""
        midnight = datetime.combine(self.day, time())
        return self.opens or midnight, self.closes or midnight + DAY

    @property
    def certain(self) -> bool:
        return bool(self.open and self.opens and self.closes)


def said(day: date, open_: bool | None, opens: time | None, closes: time | None) -> Said:
    if opens is None:
        return Said(day, open_)
    begins = datetime.combine(day, opens)
    if closes is None:
        return Said(day, open_, begins)
    if closes == time(23, 59):
        return Said(day, open_, begins, datetime.combine(day + DAY, time()))
    ends = datetime.combine(day, closes)
    return Said(day, open_, begins, ends if closes > opens else ends + DAY)


@dataclass(frozen=True)
class Place:
    """Somewhere with rules and exceptions, in a zone."""

    id: UUID
    zone: str
    rules: tuple[Rule, ...]
    exceptions: tuple[Exceptional, ...] = field(default=())

    def voices(self, day: date) -> list[Said]:
        """Whose word counts about a day."""
        for each in self.exceptions:
            if each.starts_on <= day <= each.ends_on:
                return [said(day, each.opens_at is not None, each.opens_at, each.closes_at)]
        valid = [
            rule
            for rule in self.rules
            if (rule.valid_from or date.min) <= day <= (rule.valid_to or date.max)
        ]
        known = [(rule, None if rule.freq is None else day in rule.days) for rule in valid]
        holidays = [each for each in known if each[0].kind == "HOLIDAY" and each[1]]
        seasons = [
            (rule, open_)
            for rule, open_ in known
            if rule.kind == "SEASONAL" and (rule.dtstart or date.min) <= day <= rule.end
        ]
        regular = [
            (rule, open_)
            for rule, open_ in known
            if rule.kind == "REGULAR" or (rule.kind == "HOLIDAY" and open_ is None)
        ]
        heard = holidays or seasons or regular
        return [said(day, open_, rule.opens_at, rule.closes_at) for rule, open_ in heard]

    def state(self, moment: datetime) -> str:
        clock = shown(moment, self.zone)
        today = self.voices(clock.date())
        words = today + self.voices(clock.date() - DAY)
        within = [word for word in words if word.span[0] <= clock < word.span[1]]
        if any(word.certain for word in within):
            return "OPEN"
        if any(word.open is not False for word in within) or not today:
            return "UNKNOWN"
        return "CLOSED"

    def openings(self, day: date) -> set[Row]:
        """The rows of a day."""
        voices = self.voices(day)
        rows: set[Row] = set()
        for open_ in (True, None):
            heard = [word for word in voices if word.open is open_ and word.closes]
            for span in merged([word.span for word in heard]):
                begins, ends = (first_shown(each, self.zone) for each in span)
                if begins < ends:
                    rows.add((day, open_, begins, ends))
        for word in voices:
            if word.open is not False and not word.closes:
                since = word.opens and first_shown(word.opens, self.zone)
                rows.add((day, word.open, since, None))
        return rows or {(day, False if voices else None, None, None)}


def merged(spans: list[Span]) -> list[Span]:
    """Spans that touch or overlap become one."""
    found: list[Span] = []
    for begins, ends in sorted(spans):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(ends, found[-1][1]))
        else:
            found.append((begins, ends))
    return found


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def shown(moment: datetime, zone: str) -> datetime:
    """The latest time that a clock in the zone has shown until now, looked at every minute."""
    if local(moment, zone) - local(moment - timedelta(hours=3), zone) == timedelta(hours=3):
        return local(moment, zone)
    return max(local(moment - timedelta(minutes=n), zone) for n in range(181))


def first_shown(wanted: datetime, zone: str) -> datetime:
    """When a clock in the zone first shows this time or a later one."""
    about = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if local(about + DAY, zone) - local(about - DAY, zone) == 2 * DAY:
        return about
    minutes = (about + timedelta(minutes=n) for n in range(-180, 181))
    return next(minute for minute in minutes if local(minute, zone) >= wanted)


# Random places


def some_rule(rng: random.Random) -> Rule:
    opens, closes = some_hours(rng)
    if rng.random() < 0.05:
        return Rule(None, opens, closes)
    values: dict[str, Any] = {"freq": rng.choice(["WEEKLY", "WEEKLY", "WEEKLY", "MONTHLY"])}
    day = FIRST + rng.randrange(500) * DAY
    if rng.random() < 0.4:
        values["dtstart"] = day
        if rng.random() < 0.6:
            values["interval"] = rng.choice([1, 2, 2, 3, 5])
        ending = rng.random()
        if ending < 0.3:
            values["until"] = day + rng.randrange(600) * DAY
        elif ending < 0.6:
            values["count"] = rng.choice([1, 2, 5, 20, 60])
    if values["freq"] == "WEEKLY":
        values["byday"] = tuple(rng.sample(WEEKDAYS, rng.randint(1, 6)))
        if "dtstart" in values and rng.random() < 0.2:
            del values["byday"]
        if rng.random() < 0.15:
            # dateutil forgets the first week of the next year when it is counted from the end.
            numbers = [n for n in range(-51, 54) if n]
            values["byweekno"] = tuple(rng.sample(numbers, rng.randint(3, 40)))
    else:
        parts = rng.sample(["byday", "bymonthday", "both", "start"], 1)[0]
        if parts in ("byday", "both"):
            places = ["", "1", "2", "3", "4", "5", "-1", "-2", "-5", "+1"]
            words = [rng.choice(places) + word for word in WEEKDAYS]
            values["byday"] = tuple(rng.sample(words, rng.randint(1, 5)))
        if parts in ("bymonthday", "both"):
            numbers = [n for n in range(-31, 32) if n]
            values["bymonthday"] = tuple(rng.sample(numbers, rng.randint(1, 12)))
        if parts == "start":
            values.setdefault("dtstart", day)
    if rng.random() < 0.1:
        values["byyearday"] = tuple(rng.sample([n for n in range(-366, 367) if n], 250))
    if rng.random() < 0.3:
        values["wkst"] = rng.choice(WEEKDAYS)
    if rng.random() < 0.2:
        values["valid_from"] = FIRST + rng.randrange(500) * DAY
        values["valid_to"] = values["valid_from"] + rng.randrange(500) * DAY
    kind = rng.random()
    if kind < 0.15:
        values["kind"] = "SEASONAL"
        values.setdefault("valid_from", FIRST + rng.randrange(500) * DAY)
        values.setdefault("valid_to", values["valid_from"] + rng.randrange(300) * DAY)
    elif kind < 0.25:
        values["kind"] = "HOLIDAY"
    return Rule(opens_at=opens, closes_at=closes, **values)


def some_hours(rng: random.Random) -> tuple[time | None, time | None]:
    kind = rng.random()
    if kind < 0.05:
        return None, None
    # Most clocks change between midnight and three.
    opens = time(rng.choice([0, 0, 1, 2, 3, 7, 9, 12, 20, 22, 23]), rng.choice([0, 0, 15, 30, 59]))
    if kind < 0.1:
        return opens, None
    closes = time(rng.choice([0, 1, 2, 3, 5, 12, 15, 17, 22]), rng.choice([0, 0, 15, 30, 45]))
    if kind < 0.15:
        return time(0), time(23, 59)
    if kind < 0.18:
        return opens, opens
    return opens, closes


def some_place(rng: random.Random, number: int) -> Place:
    exceptions = []
    day = FIRST
    while rng.random() < 0.6 and day < LAST - 300 * DAY:
        day += rng.randrange(1, 200) * DAY
        ends = day + rng.choice([0, 0, 1, 6, 20]) * DAY
        opens, closes = some_hours(rng)
        hours = (opens, closes) if rng.random() < 0.5 and opens and closes else (None, None)
        exceptions.append(Exceptional(day, ends, *hours))
        day = ends
    return Place(
        uuid5(NAMESPACE, f"place {number}"),
        rng.choice(ZONES),
        tuple(some_rule(rng) for _ in range(rng.choice([1, 1, 2, 3, 4]))),
        tuple(exceptions),
    )


def changes(zone: str) -> list[datetime]:
    """The hours in which the clocks of a zone change."""
    hours = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(3 * 8766)]
    offsets = [moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in hours]
    return [hours[n] for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]]


CHANGES = {zone: changes(zone) for zone in ZONES}


def some_moments(rng: random.Random, place: Place, number: int) -> Iterator[datetime]:
    """Moments when something may happen."""
    for _ in range(number):
        kind = rng.random()
        day = FIRST + rng.randrange((LAST - FIRST).days) * DAY
        if kind < 0.4 and CHANGES[place.zone]:
            yield rng.choice(CHANGES[place.zone]) + timedelta(minutes=rng.randrange(-240, 240))
            continue
        if kind < 0.5 and place.exceptions:
            day = rng.choice(place.exceptions).starts_on + rng.randrange(-2, 3) * DAY
        elif kind < 0.7:
            days = sorted(rng.choice(place.rules).days) if place.rules[0].freq else []
            day = rng.choice(days) if days else day
        clock = rng.choice([time(rng.randrange(24), rng.randrange(60)), *_times(place)])
        moment = datetime.combine(day, clock, tzinfo=ZoneInfo(place.zone)).astimezone(UTC)
        yield moment + timedelta(minutes=rng.choice([-1, 0, 0, 1]))


def _times(place: Place) -> list[time]:
    return [at for rule in place.rules for at in (rule.opens_at, rule.closes_at) if at]


RNG = random.Random(5545)
PLACES = [some_place(RNG, number) for number in range(300)]
MOMENTS = [(place, moment) for place in PLACES for moment in some_moments(RNG, place, 20)]
MONTHS = [(place, FIRST + RNG.randrange(1_064) * DAY) for place in PLACES]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def places(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A database with these places, each a service."""
    async with scratch(migrated_url) as url, connected(url) as connection:
        await connection.execute(
            """
            insert into sources (id, key, name) values (gen_random_uuid(), 'test', 'Test');
            insert into providers (id, slug, name, source_id)
            select gen_random_uuid(), 'test', 'Test', id from sources;
            """
        )
        await connection.executemany(
            "insert into services (id, provider_id, name, source_id)"
            " select $1, p.id, 'Test', p.source_id from providers p",
            [(place.id,) for place in PLACES],
        )
        await insert(
            connection,
            "schedules",
            [
                {"service_id": place.id, "timezone": place.zone, **rule.values()}
                for place in PLACES
                for rule in place.rules
            ],
        )
        await insert(
            connection,
            "schedule_exceptions",
            [
                {
                    "service_id": place.id,
                    "starts_on": each.starts_on,
                    "ends_on": each.ends_on,
                    "closed": each.opens_at is None,
                    "opens_at": each.opens_at,
                    "closes_at": each.closes_at,
                }
                for place in PLACES
                for each in place.exceptions
            ],
        )
        # As the server asks.
        await connection.execute("set jit = off; set plan_cache_mode = force_generic_plan; analyze")
        yield connection


async def insert(connection: asyncpg.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = ", ".join(f'"{name}"' for name in rows[0])
    marks = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
    await connection.executemany(
        f"insert into {table} (id, source_id, {names})"
        f" select gen_random_uuid(), s.id, {marks} from sources s",
        [tuple(row.values()) for row in rows],
    )


def test_the_places_have_everything_that_a_rule_can_have() -> None:
    rules = [rule for place in PLACES for rule in place.rules]
    for part in (
        "byday",
        "bymonthday",
        "byweekno",
        "byyearday",
        "wkst",
        "dtstart",
        "until",
        "count",
    ):
        assert sum(1 for rule in rules if getattr(rule, part)) > 20, part
    assert {rule.kind for rule in rules} == {"REGULAR", "SEASONAL", "HOLIDAY"}
    assert any(word.startswith("-") for rule in rules for word in rule.byday)
    assert sum(1 for rule in rules if rule.interval > 1) > 20
    assert len(MOMENTS) >= 5_000


async def test_every_moment_is_as_the_second_opinion_has_it(places: asyncpg.Connection) -> None:
    found = await places.fetch(
        "select hours_state(place, moment) as state, open_at(place, moment) as open"
        " from unnest($1::uuid[], $2::timestamptz[]) with ordinality m(place, moment, n)"
        " order by n",
        [place.id for place, _ in MOMENTS],
        [moment for _, moment in MOMENTS],
    )
    expected = [place.state(moment) for place, moment in MOMENTS]
    wrong = [
        (str(place), moment, row["state"], state)
        for (place, moment), row, state in zip(MOMENTS, found, expected, strict=True)
        if row["state"] != state
    ]
    assert wrong == []
    truths = {"OPEN": True, "CLOSED": False, "UNKNOWN": None}
    assert [row["open"] for row in found] == [truths[state] for state in expected]
    # None of the three is rare, so that agreement means something.
    assert min(expected.count(state) for state in truths) > 300


async def test_every_day_has_the_openings_of_the_second_opinion(places: asyncpg.Connection) -> None:
    found = await places.fetch(
        "select n, h.day, h.open, h.opens_at, h.closes_at"
        " from unnest($1::uuid[], $2::date[]) with ordinality m(place, first, n),"
        " hours_on(place, null, first, first + 30) h",
        [place.id for place, _ in MONTHS],
        [first for _, first in MONTHS],
    )
    rows: dict[int, set[Any]] = {}
    for number, *row in found:
        rows.setdefault(number, set()).add(tuple(row))
    for number, (place, first) in enumerate(MONTHS, start=1):
        expected = set().union(*(place.openings(first + n * DAY) for n in range(31)))
        assert rows[number] == expected, (place, first)
    assert len(found) == sum(map(len, rows.values()))


async def test_all_at_once_are_the_same_as_one_by_one(places: asyncpg.Connection) -> None:
    for moment in [moment for _, moment in MOMENTS[::500]]:
        at_once = await places.fetch("select services_open_at($1) as id order by 1", moment)
        expected = sorted(place.id for place in PLACES if place.state(moment) == "OPEN")
        assert [row["id"] for row in at_once] == expected


async def test_clocks_and_moments_are_one_law(places: asyncpg.Connection) -> None:
    """A time has come exactly if the clock has shown it, in every zone, around every change."""
    law = """
        with days as (
            select name as zone, day
            from pg_timezone_names,
                 generate_series(timestamptz '2026-01-01Z', '2026-12-31Z', interval '1 day') day
            where name ~ '^(America|Europe|Asia|Australia|Pacific|Atlantic|Africa)/'
        ), moments as (
            select zone, day - interval '30 hours' + n * interval '11 minutes' as moment
            from days, generate_series(0, 260) n
            where day at time zone zone - (day - interval '1 day') at time zone zone
                  <> interval '1 day'
        ), clocks as (
            select zone, moment, wall_clock(moment, zone) as clock,
                   moment at time zone zone + later * interval '1 minute' as wanted
            from moments, unnest(array[-20, 0, 50]) later
        )
        select count(*) as asked,
               count(*) filter (
                   where (instant_of(wanted, zone) <= moment) <> (wanted <= clock)) as wrong
        from clocks
    """
    asked, wrong = await places.fetchrow(law)
    assert asked > 100_000
    assert wrong == 0
