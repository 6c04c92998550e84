"""What decides about hours, one rule at a time; all of them together are in test_hours.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import pytest_asyncio

from tests.db.scratch import connected, scratch, stopped

HERE = ZoneInfo("America/Los_Angeles")
FRIDAY = date(2026, 7, 3)  # the tests' clock stands at nine in the morning


class Town:
    """A few places to give hours to, in a transaction that is rolled back."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def add(self, table: str, **values: Any) -> UUID:
        """A row of a table, with the town's source."""
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        added: UUID = await self.connection.fetchval(
            f"insert into {table} (id, source_id, {names})"
            f" select gen_random_uuid(), s.id, {marks} from sources s returning id",
            *values.values(),
        )
        return added

    async def service(self, status: str | None = None) -> UUID:
        provider = await self.connection.fetchval("select id from providers")
        return await self.add("services", provider_id=provider, name="Help", status=status)

    async def place_of(self, service: UUID) -> UUID:
        location = await self.add("locations", city="Fresno")
        return await self.add("services_at_locations", service_id=service, location_id=location)

    async def prison(self, code: str = "P", **values: Any) -> UUID:
        kind = {"institution_type": "STATE_PRISON", "status": "OPEN"} | values
        return await self.add("institutions", code=code, name=code, **kind)

    async def center(self, prison: UUID, **values: Any) -> UUID:
        given = {"status": "ACTIVE", "opens_with_visiting": True} | values
        return await self.add(
            "visitor_centers", slug="center", name="Center", institution_id=prison, **given
        )

    async def weekly(
        self, owner: UUID, byday: str | None, hours: str | None, /, **values: Any
    ) -> UUID:
        """`weekly(owner, "MO,TU", "08:00-17:00")`; hours and days may be unknown."""
        opens, _, closes = (hours or "").partition("-")
        return await self.add(
            "schedules",
            **{await self.kind(owner): owner},
            freq="WEEKLY" if byday else None,
            byday=byday,
            opens_at=time.fromisoformat(opens) if opens else None,
            closes_at=time.fromisoformat(closes) if closes else None,
            **values,
        )

    async def exception(
        self, owner: UUID, first: date, last: date, hours: str | None = None, /, **values: Any
    ) -> UUID:
        opens, _, closes = (hours or "").partition("-")
        return await self.add(
            "schedule_exceptions",
            **{await self.kind(owner): owner},
            starts_on=first,
            ends_on=last,
            closed=not hours,
            opens_at=time.fromisoformat(opens) if opens else None,
            closes_at=time.fromisoformat(closes) if closes else None,
            **values,
        )

    async def kind(self, owner: UUID) -> str:
        found: str = await self.connection.fetchval(
            """
            select case when exists (select from services where id = $1) then 'service_id'
                        when exists (select from institutions where id = $1) then 'institution_id'
                        when exists (select from visitor_centers where id = $1)
                            then 'visitor_center_id'
                        else 'service_at_location_id' end
            """,
            owner,
        )
        return found

    async def visiting(self, prison: UUID, status: str, said: str, /, **values: Any) -> UUID:
        return await self.add(
            "visiting_statuses",
            institution_id=prison,
            status=status,
            last_updated=at(said),
            **({"visit_type": "IN_PERSON"} | values),
        )

    async def state(self, owner: UUID, moment: str, **asked: str) -> str:
        found: str = await self.connection.fetchval(
            "select hours_state($1, $2, $3, $4)",
            owner,
            at(moment),
            asked.get("type"),
            asked.get("yard"),
        )
        return found

    async def states(self, owner: UUID, *moments: str, **asked: str) -> str:
        """The first letters of the states at these moments."""
        return "".join([(await self.state(owner, moment, **asked))[0] for moment in moments])

    async def days(self, owner: UUID, first: date, last: date, **asked: str) -> list[Any]:
        """The rows of some days: the day of the month, whether open, and its hours."""
        rows = await self.connection.fetch(
            "select *, extract(day from day)::integer as date"
            " from hours_on($1, null, $2, $3, $4, $5) order by day, opens_at, yard",
            owner,
            first,
            last,
            asked.get("type"),
            asked.get("yard"),
        )
        return [
            (
                row["date"],
                row["open"],
                f"{row['opens']:%H:%M}-{row['closes']:%H:%M}" if row["opens"] else None,
                row["yard"],
                row["reason"],
            )
            for row in rows
        ]

    async def next(self, owner: UUID) -> datetime | None:
        found: datetime | None = await self.connection.fetchval(
            "select opens_at from next_opening($1)", owner
        )
        return found and found.astimezone(HERE)

    async def words(self, owner: UUID, language: str = "EN") -> str:
        found: str = await self.connection.fetchval(
            "select hours_in_words($1, $2)", owner, language
        )
        return found


def at(moment: str) -> datetime:
    """`03 10:00` is in July 2026; otherwise a whole date and time of California."""
    text = moment if "-" in moment else f"2026-07-{moment}"
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def empty(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with scratch(migrated_url) as url, connected(stopped(url)) as connection:
        await connection.execute(
            """
            insert into sources (id, key, name) values (gen_random_uuid(), 'test', 'Test');
            insert into providers (id, slug, name, source_id)
            select gen_random_uuid(), 'test', 'Test', id from sources;
            insert into visiting_holidays
                (code, label_en, label_es, month, day, week, weekday, source_id)
            select code, code, label_es, month, day, week, weekday, id from sources, (values
                ('FOURTH', 'Cuatro', 7, 4, null::integer, null),
                ('THANKS', 'Gracias', 11, null, 4, 'TH'))
                h (code, label_es, month, day, week, weekday);
            """
        )
        yield connection


@pytest_asyncio.fixture(loop_scope="session")
async def town(empty: asyncpg.Connection) -> AsyncIterator[Town]:
    transaction = empty.transaction()
    await transaction.start()
    yield Town(empty)
    await transaction.rollback()


async def test_nothing_said_is_unknown_and_never_closed(town: Town) -> None:
    service = await town.service()
    assert await town.state(service, "03 10:00") == "UNKNOWN"
    assert await town.days(service, FRIDAY, FRIDAY) == [(3, None, None, None, None)]
    assert await town.next(service) is None


async def test_an_exception_has_the_first_word(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "TH,FR,SA", "08:00-17:00")
    await town.exception(service, FRIDAY, FRIDAY, reason="Painters")
    await town.exception(service, date(2026, 7, 4), date(2026, 7, 4), "20:00-02:00")
    assert await town.states(service, "02 10:00", "03 10:00", "04 10:00", "04 21:00") == "OCCO"
    # What opens on the fourth goes on into the fifth.
    assert await town.states(service, "05 01:59", "05 02:00") == "OC"
    assert await town.days(service, date(2026, 7, 2), date(2026, 7, 4)) == [
        (2, True, "08:00-17:00", None, None),
        (3, False, None, None, "Painters"),
        (4, True, "20:00-02:00", None, None),
    ]


async def test_a_closure_does_not_end_the_night_before(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "TH,FR", "22:00-04:00")
    await town.exception(service, FRIDAY, FRIDAY)
    assert await town.states(service, "03 03:59", "03 04:00", "03 23:00", "04 01:00") == "OCCC"


async def test_unknown_days_are_closed_only_outside_of_the_hours(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, None, "08:00-17:00")
    assert await town.states(service, "03 07:59", "03 08:00", "03 16:59", "03 17:00") == "CUUC"
    assert await town.days(service, FRIDAY, FRIDAY) == [(3, None, "08:00-17:00", None, None)]


async def test_unknown_hours_are_closed_only_on_other_days(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "FR", None)
    assert await town.states(service, "02 23:59", "03 00:00", "03 23:59", "04 00:00") == "CUUC"
    assert await town.days(service, FRIDAY, date(2026, 7, 4)) == [
        (3, True, None, None, None),
        (4, False, None, None, None),
    ]


async def test_what_has_begun_and_has_no_known_end_is_unknown_until_midnight(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "FR", "17:30-")
    assert await town.states(service, "03 17:29", "03 17:30", "03 23:59", "04 00:00") == "CUUC"


async def test_information_that_is_no_longer_good_is_unknown(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "FR", "08:00-17:00", valid_to=FRIDAY)
    assert await town.states(service, "03 10:00", "03 18:00", "10 10:00", "06 10:00") == "OCUU"
    # A service that has ended is closed: somebody told us so.
    ended = await town.service()
    await town.weekly(ended, "FR", "08:00-17:00", until=FRIDAY)
    assert await town.states(ended, "03 10:00", "10 10:00") == "OC"


async def test_hours_change_on_the_day_they_were_said_to(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "MO,FR", "08:00-17:00", valid_to=date(2026, 7, 5))
    await town.weekly(service, "MO,TU", "10:00-12:00", valid_from=date(2026, 7, 6))
    assert await town.states(service, "03 09:00", "06 09:00", "06 11:00", "10 11:00") == "OCOC"
    words = await town.words(service)
    assert words == (
        "Monday and Friday, 08:00 to 17:00 (until 2026-07-05);"
        " Monday and Tuesday, 10:00 to 12:00 (from 2026-07-06)"
    )


async def test_a_season_replaces_regular_hours_while_it_lasts(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "FR,SA", "08:00-17:00")
    season = {"valid_from": FRIDAY, "valid_to": date(2026, 7, 10)}
    await town.weekly(service, "FR", "20:00-22:00", kind="SEASONAL", **season)
    moments = ("03 10:00", "03 21:00", "04 10:00", "11 10:00")
    assert await town.states(service, *moments) == "COCO"


async def test_a_holiday_replaces_all_others_and_says_nothing_of_other_days(town: Town) -> None:
    prison = await town.prison()
    await town.weekly(prison, "FR,SA,SU", "08:00-14:00", visit_type="IN_PERSON")
    await town.weekly(prison, None, "09:00-10:00", visit_type="IN_PERSON", kind="HOLIDAY")
    assert await town.states(prison, "04 08:30", "04 09:30", "03 08:30", "03 15:00") == "COOC"
    assert await town.days(prison, FRIDAY, date(2026, 7, 4)) == [
        (3, True, "08:00-14:00", None, None),
        (4, True, "09:00-10:00", None, "FOURTH"),
    ]
    # The fourth Thursday of November, and no other.
    assert await town.states(prison, "2026-11-26 09:30", "2026-11-19 09:30") == "OC"
    assert await town.words(prison, "ES") == (
        "de viernes a domingo, de 08:00 a 14:00; días festivos de visita, de 09:00 a 10:00"
    )


async def test_somebody_elses_holidays_are_unknown(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "MO", "08:00-17:00")
    await town.weekly(service, None, "09:00-10:00", kind="HOLIDAY")
    assert await town.states(service, "03 09:30", "03 11:00", "06 11:00") == "UCO"


@pytest.mark.parametrize("hours", ["00:00-23:59", "00:00-00:00"])
async def test_around_the_clock_is_written_in_two_ways(town: Town, hours: str) -> None:
    service = await town.service()
    await town.weekly(service, "MO,TU,WE,TH,FR,SA,SU", hours)
    assert await town.states(service, "03 00:00", "03 23:59", "03 23:59:59", "04 00:00") == "OOOO"
    assert await town.words(service) == "every day, 24 hours"
    assert await town.words(service, "ES") == "todos los días, las 24 horas"
    # What never closes does not open.
    assert await town.next(service) is None


async def test_openings_that_touch_are_one(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "FR", "08:00-12:00")
    await town.weekly(service, "FR", "12:00-14:00")
    await town.weekly(service, "FR", "13:00-15:00")
    await town.weekly(service, "FR", "18:00-20:00")
    assert await town.days(service, FRIDAY, FRIDAY) == [
        (3, True, "08:00-15:00", None, None),
        (3, True, "18:00-20:00", None, None),
    ]
    assert await town.next(service) == at("03 18:00")


async def test_the_next_opening_may_be_weeks_away_but_not_a_year(town: Town) -> None:
    service, never = await town.service(), await town.service()
    values = {"freq": "MONTHLY", "opens_at": time(9), "closes_at": time(10)}
    await town.add("schedules", service_id=service, bymonthday="31", **values)
    await town.add("schedules", service_id=never, byyearday="1", bymonthday="1", **values)
    assert await town.next(service) == at("31 09:00")
    await town.exception(service, date(2026, 7, 31), date(2026, 7, 31))
    assert await town.next(service) == at("2026-08-31 09:00")
    assert await town.next(never) is None


async def test_a_place_without_hours_of_its_own_has_those_of_its_service(town: Town) -> None:
    service = await town.service()
    plain, own = await town.place_of(service), await town.place_of(service)
    await town.weekly(service, "FR", "08:00-17:00")
    await town.weekly(own, "FR", "18:00-20:00")
    assert await town.states(plain, "03 10:00", "03 19:00") == "OC"
    assert await town.states(own, "03 10:00", "03 19:00") == "CO"
    # What closes the service closes all its places, unless one says otherwise.
    await town.exception(service, FRIDAY, FRIDAY, reason="Holiday")
    await town.exception(own, FRIDAY, FRIDAY, "06:00-07:00")
    assert await town.states(plain, "03 10:00", "03 19:00") == "CC"
    assert await town.states(own, "03 06:30", "03 19:00") == "OC"
    assert await town.words(plain) == "Friday, 08:00 to 17:00"
    assert await town.words(own) == "Friday, 18:00 to 20:00"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (None, "OPEN"),
        ("ACTIVE", "OPEN"),
        ("INACTIVE", "CLOSED"),
        ("DEFUNCT", "CLOSED"),
        ("TEMPORARILY_CLOSED", "CLOSED"),
    ],
)
async def test_a_service_that_is_not_on_offer_is_not_open(
    town: Town, status: str | None, state: str
) -> None:
    service = await town.service(status)
    place = await town.place_of(service)
    await town.weekly(service, "FR", "08:00-17:00")
    assert await town.state(service, "03 10:00") == state
    assert await town.state(place, "03 10:00") == state
    for function, owner in (("services_open_at", service), ("places_open_at", place)):
        found = await town.connection.fetch(f"select {function}($1) as id", at("03 10:00"))
        assert [row["id"] for row in found] == ([owner] if state == "OPEN" else [])


async def test_who_is_open_at_a_place_is_the_same_at_once_and_one_by_one(town: Town) -> None:
    places = []
    for number in range(40):
        service = await town.service("DEFUNCT" if number % 7 == 3 else None)
        places += [await town.place_of(service), await town.place_of(service)]
        await town.weekly(service, "FR", "08:00-17:00")
        if number % 2:
            await town.weekly(places[-1], "FR", "16:00-20:00")
        if number % 3 == 0:
            await town.exception(service, FRIDAY, FRIDAY)
        if number % 5 == 0:
            await town.exception(places[-1], FRIDAY, FRIDAY, "09:00-21:00")
        if number % 11 == 0:
            await town.exception(places[-2], FRIDAY, FRIDAY)
    for moment in ("03 07:00", "03 10:00", "03 16:30", "03 19:00", "04 10:00"):
        found = await town.connection.fetch("select places_open_at($1) as id", at(moment))
        expected = {place for place in places if await town.state(place, moment) == "OPEN"}
        assert {row["id"] for row in found} == expected
        assert len(found) == len(expected)


async def test_a_center_opens_with_visiting_if_its_source_says_so(town: Town) -> None:
    prison = await town.prison()
    center = await town.center(prison)
    assert await town.state(center, "03 10:00") == "UNKNOWN"
    await town.weekly(prison, "FR,SA", None, visit_type="IN_PERSON")
    await town.weekly(prison, "TU", "08:00-17:00", visit_type="VIDEO")
    # On which days is known, and so that it is closed on others; at what hours is not.
    assert await town.states(center, "03 10:00", "06 10:00", "07 10:00") == "UCC"
    await town.exception(prison, FRIDAY, FRIDAY, reason="Fog")
    assert await town.days(center, FRIDAY, FRIDAY) == [(3, False, None, None, "Fog")]
    await town.weekly(center, "FR,SA", "07:30-15:30")
    assert await town.states(center, "03 10:00", "04 10:00", "04 16:00") == "COC"


async def test_a_center_of_its_own_does_not_look_at_visiting(town: Town) -> None:
    prison = await town.prison()
    center = await town.center(prison, opens_with_visiting=False)
    await town.weekly(prison, "FR", "08:00-17:00", visit_type="IN_PERSON")
    await town.visiting(prison, "CLOSED", "01 08:00")
    assert await town.state(center, "03 10:00") == "UNKNOWN"


async def test_a_visiting_status_holds_from_when_it_was_said_until_the_next(town: Town) -> None:
    prison = await town.prison()
    center = await town.center(prison)
    await town.weekly(prison, "FR,SA,SU", "08:00-17:00", visit_type="IN_PERSON")
    await town.weekly(prison, "FR,SA,SU", "08:00-17:00", visit_type="VIDEO")
    await town.visiting(prison, "CLOSED", "03 10:00", exceptions="Quarantine")
    await town.visiting(prison, "OPEN", "05 09:00")
    moments = ("03 09:59", "03 10:00", "04 10:00", "05 08:59", "05 09:00")
    assert await town.states(prison, *moments) == "OCCCO"
    assert await town.states(center, *moments) == "OCCCO"
    assert await town.states(prison, *moments, type="VIDEO") == "OOOOO"
    assert await town.days(prison, FRIDAY, date(2026, 7, 5)) == [
        (3, False, None, None, "Quarantine"),
        (4, False, None, None, "Quarantine"),
        (5, True, "08:00-17:00", None, None),
    ]


@pytest.mark.parametrize("status", ["OPEN", "OPEN_WITH_EXCEPTIONS", "LIMITED", "UNKNOWN"])
async def test_no_other_visiting_status_opens_or_closes(town: Town, status: str) -> None:
    prison = await town.prison()
    await town.visiting(prison, status, "01 08:00")
    assert await town.state(prison, "03 10:00") == "UNKNOWN"
    await town.weekly(prison, "FR", "08:00-17:00", visit_type="IN_PERSON")
    assert await town.states(prison, "03 10:00", "04 10:00") == "OC"


async def test_a_yard_with_exceptions_is_unknown_and_the_others_are_not(town: Town) -> None:
    prison = await town.prison()
    await town.weekly(prison, "FR", "08:00-17:00", visit_type="IN_PERSON")
    await town.visiting(
        prison, "OPEN_WITH_EXCEPTIONS", "01 08:00", exceptions="Not B", affected_yards=["B"]
    )
    assert await town.state(prison, "03 10:00", yard="A") == "OPEN"
    assert await town.state(prison, "03 10:00", yard="B") == "UNKNOWN"
    assert await town.state(prison, "03 18:00", yard="B") == "CLOSED"
    assert await town.days(prison, FRIDAY, FRIDAY, yard="B") == [
        (3, None, "08:00-17:00", None, "Not B")
    ]


async def test_a_yard_has_hours_of_its_own_or_those_of_all(town: Town) -> None:
    prison = await town.prison()
    await town.weekly(prison, "FR,SA", "08:00-12:00", visit_type="IN_PERSON")
    await town.weekly(prison, "FR", "13:00-15:00", visit_type="IN_PERSON", yard="B")
    assert await town.states(prison, "03 10:00", "03 14:00", "04 10:00", yard="A") == "OCO"
    assert await town.states(prison, "03 10:00", "03 14:00", "04 10:00", yard="B") == "COC"
    # Who asks for no yard is told of all.
    assert await town.states(prison, "03 10:00", "03 14:00", "04 10:00") == "OOO"
    assert await town.days(prison, FRIDAY, date(2026, 7, 4)) == [
        (3, True, "08:00-12:00", None, None),
        (3, True, "13:00-15:00", "B", None),
        (4, True, "08:00-12:00", None, None),
    ]
    await town.exception(prison, FRIDAY, FRIDAY, yard="B", reason="Search")
    assert await town.days(prison, FRIDAY, FRIDAY) == [
        (3, True, "08:00-12:00", None, None),
        (3, False, None, "B", "Search"),
    ]
    assert await town.states(prison, "03 10:00", "03 14:00") == "OC"
    assert await town.state(prison, "03 10:00", yard="B") == "CLOSED"
    await town.exception(prison, FRIDAY, FRIDAY, reason="Lockdown")
    assert await town.states(prison, "03 10:00", "03 14:00") == "CC"
    # Those outside open if any yard has visitors.
    center = await town.center(prison)
    assert await town.states(center, "03 10:00", "04 10:00") == "CO"


async def test_one_yard_closed_does_not_close_the_center(town: Town) -> None:
    prison = await town.prison()
    center = await town.center(prison)
    await town.weekly(prison, "FR", "08:00-12:00", visit_type="IN_PERSON")
    await town.weekly(prison, "TU", "08:00-12:00", visit_type="IN_PERSON", yard="B")
    await town.exception(prison, FRIDAY, FRIDAY, yard="B")
    assert await town.states(center, "03 10:00", "07 10:00", "08 10:00") == "OOC"


async def test_types_of_visit_are_apart(town: Town) -> None:
    prison = await town.prison()
    await town.weekly(prison, "FR", "08:00-12:00", visit_type="IN_PERSON")
    await town.weekly(prison, "FR", "13:00-15:00", visit_type="VIDEO")
    assert await town.states(prison, "03 10:00", "03 14:00") == "OC"
    assert await town.states(prison, "03 10:00", "03 14:00", type="VIDEO") == "CO"
    assert await town.state(prison, "03 10:00", type="NON_CONTACT") == "UNKNOWN"
    # What is said of all types is beaten by what is said of one.
    await town.exception(prison, FRIDAY, FRIDAY, reason="Lockdown")
    await town.exception(prison, FRIDAY, FRIDAY, "18:00-19:00", visit_type="VIDEO")
    assert await town.states(prison, "03 10:00", "03 18:30") == "CC"
    assert await town.states(prison, "03 14:00", "03 18:30", type="VIDEO") == "CO"
    assert await town.state(prison, "03 10:00", type="NON_CONTACT") == "CLOSED"


@pytest.mark.parametrize(
    ("status", "states"),
    [
        ("ACTIVE", "OOC"),
        ("INACTIVE", "OCC"),
        ("DEFUNCT", "OCC"),
        ("TEMPORARILY_CLOSED", "OCC"),
        # Nobody can say whether it opens; when it never did it is closed.
        ("UNKNOWN", "UUC"),
    ],
)
async def test_the_status_of_a_center_overrides_its_hours(
    town: Town, status: str, states: str
) -> None:
    since = {"status_as_of": date(2026, 7, 4), "status_as_of_precision": "DAY"}
    center = await town.center(await town.prison(), status=status, alert="Read this", **since)
    await town.weekly(center, "FR,SA", "08:00-17:00")
    assert await town.states(center, "03 10:00", "04 10:00", "04 18:00") == states
    reasons = {
        reason for *_, reason in await town.days(center, date(2026, 7, 4), FRIDAY + timedelta(1))
    }
    assert reasons == ({None} if status == "ACTIVE" else {"Read this"})


@pytest.mark.parametrize(
    ("precision", "states"), [("DAY", "OCC"), ("MONTH", "OOC"), ("YEAR", "OOO")]
)
async def test_a_closed_institution_is_closed_when_that_is_certain(
    town: Town, precision: str, states: str
) -> None:
    closed: dict[str, Any] = {"closed_on": date(2026, 7, 1), "closed_on_precision": precision}
    prison = await town.prison(status="CLOSED", **closed)
    await town.weekly(prison, "TU,FR", "08:00-17:00", visit_type="IN_PERSON")
    moments = ("2026-06-30 10:00", "03 10:00", "2026-08-04 10:00")
    assert await town.states(prison, *moments) == states
    unknown = await town.prison("Q", status="CLOSED")
    assert await town.states(unknown, *moments) == "CCC"


async def test_visiting_is_held_on_a_day_whatever_its_hours(town: Town) -> None:
    prison = await town.prison()

    async def held(day: date | None, weekday: str | None = None) -> bool | None:
        found: bool | None = await town.connection.fetchval(
            "select visiting_on($1, $2, $3, null, null)", prison, day, weekday
        )
        return found

    assert await held(FRIDAY) is None
    await town.weekly(prison, "FR,SU", None, visit_type="IN_PERSON")
    assert [await held(FRIDAY), await held(date(2026, 7, 4))] == [True, False]
    # The next day of that name, which may be today.
    await town.exception(prison, FRIDAY, FRIDAY)
    assert [await held(None, day) for day in ("FR", "SU", "TU")] == [False, True, False]
    assert await held(date(2026, 7, 10)) is True


async def test_more_than_a_page_of_openings_is_refused(town: Town) -> None:
    service = await town.service()
    for hour in range(8, 20, 3):
        await town.weekly(service, "MO,TU,WE,TH,FR,SA,SU", f"{hour:02}:00-{hour + 1:02}:00")
    assert len(await town.days(service, FRIDAY, date(2026, 7, 27))) == 100
    with pytest.raises(asyncpg.PostgresError, match="Ask for fewer days") as refused:
        await town.days(service, FRIDAY, date(2026, 7, 28))
    assert refused.value.sqlstate == "CR001"


async def test_weeks_are_those_of_the_calendar_from_either_end(town: Town) -> None:
    """Also those that dateutil forgets: the first week of the next year, counted from its end."""
    rows = await town.connection.fetch(
        "select day::date, year_weeks(week_middle(day::date, 0)) as weeks"
        " from generate_series(timestamp '2019-12-01', '2033-02-01', interval '1 day') day"
    )
    for day, (forward, backward) in rows:
        year, week, _ = day.isocalendar()
        assert forward == week
        assert backward == week - date(year, 12, 28).isocalendar().week - 1


async def test_nothing_changes_by_itself_before_the_next_instant(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "FR", "08:00-17:00")
    await town.weekly(service, "SU", "09:45-10:30")
    for now, then in (
        ("03 09:00", "03 09:45"),
        ("03 09:45", "03 10:30"),
        ("03 10:30", "03 17:00"),
        ("03 17:00", "04 00:00"),
        ("2026-11-01 00:00", "2026-11-01 08:00"),
    ):
        await town.connection.execute(f"set local directory.clock = '{at(now).isoformat()}'")
        assert await town.connection.fetchval("select next_change_of_hours()") == at(then)


@pytest.mark.parametrize(
    "values",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": "America/Los_Angles"},
        {"timezone": "PST"},
        {"timezone": "Etc/GMT+8"},
        {"byday": "1MO"},
        {"byday": "XX"},
        {"byday": "MO,"},
        {"freq": "MONTHLY", "byday": "6MO"},
        {"bymonthday": "1"},
        {"freq": "MONTHLY", "byday": None, "bymonthday": "32"},
        {"freq": "MONTHLY", "byweekno": "1"},
        {"byweekno": "54"},
        {"byyearday": "367"},
        {"byyearday": "0"},
        {"freq": "DAILY"},
        {"freq": None},
        {"byday": None},
        {"interval": 2},
        {"interval": 0, "dtstart": FRIDAY},
        {"count": 3},
        {"count": 3, "until": FRIDAY, "dtstart": FRIDAY},
        {"dtstart": date(1, 1, 1)},
        {"dtstart": FRIDAY, "until": date(2026, 7, 2)},
        {"closes_at": time(17), "opens_at": None},
        {"kind": "SEASONAL"},
        {"kind": "SEASONAL", "valid_from": FRIDAY},
        {"valid_from": FRIDAY, "valid_to": date(2026, 7, 2)},
        {"visit_type": "IN_PERSON"},
        {"yard": "A"},
        {"yard": ""},
        {"wkst": "XX"},
    ],
    ids=str,
)
async def test_a_rule_that_means_nothing_is_refused(town: Town, values: dict[str, Any]) -> None:
    good = {"freq": "WEEKLY", "byday": "MO", "opens_at": time(8), "closes_at": time(9)}
    service = await town.service()
    await town.add("schedules", service_id=service, **good)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await town.add("schedules", service_id=service, **(good | values))
    assert refused.value.sqlstate[:2] in ("22", "23")


async def test_a_place_is_in_one_zone(town: Town) -> None:
    service = await town.service()
    await town.weekly(service, "MO", "08:00-09:00")
    with pytest.raises(asyncpg.ExclusionViolationError):
        await town.weekly(service, "TU", "08:00-09:00", timezone="America/New_York")


async def test_two_exceptions_for_one_day_need_different_yards_or_types(town: Town) -> None:
    prison = await town.prison()
    for values in (
        {},
        {"yard": "A"},
        {"visit_type": "VIDEO"},
        {"yard": "A", "visit_type": "VIDEO"},
    ):
        await town.exception(prison, FRIDAY, date(2026, 7, 9), **values)
    with pytest.raises(asyncpg.PostgresError, match="another exception for the same visits"):
        await town.exception(prison, date(2026, 7, 9), date(2026, 7, 9), yard="A")


@pytest.mark.parametrize(
    ("values", "english", "spanish"),
    [
        ({"byday": "FR,SA,SU"}, "Friday to Sunday", "de viernes a domingo"),
        ({"byday": "SU,MO,TU"}, "Sunday to Tuesday", "de domingo a martes"),
        ({"byday": "MO,WE,FR"}, "Monday, Wednesday and Friday", "lunes, miércoles y viernes"),
        ({"byday": "SA,SU"}, "Saturday and Sunday", "sábado y domingo"),
        (
            {"byday": "MO,TU,WE,FR"},
            "Monday to Wednesday and Friday",
            "de lunes a miércoles y viernes",
        ),
        ({"byday": "MO,TU,WE,TH,FR,SA,SU"}, "every day", "todos los días"),
        ({"dtstart": FRIDAY}, "Friday", "viernes"),
        (
            {"byday": "TU", "interval": 2, "dtstart": date(2026, 6, 2)},
            "every 2 weeks, Tuesday",
            "cada 2 semanas, martes",
        ),
        (
            {"freq": "MONTHLY", "byday": "1SU,-1FR"},
            "first Sunday and last Friday of the month",
            "primer domingo y último viernes del mes",
        ),
        (
            {"freq": "MONTHLY", "bymonthday": "1,15,-1"},
            "day 1, day 15 and day 1 from the end of the month",
            "día 1, día 15 y día 1 desde el final del mes",
        ),
        (
            {"freq": "MONTHLY", "dtstart": FRIDAY, "interval": 3},
            "every 3 months, day 3 of the month",
            "cada 3 meses, día 3 del mes",
        ),
        (
            {"byday": "MO", "byweekno": "1,-1"},
            "Monday, week 1 and week 1 from the end of the year",
            "lunes, semana 1 y semana 1 desde el final del año",
        ),
        ({"freq": None}, "days unknown", "días no conocidos"),
    ],
    ids=str,
)
async def test_days_in_words(
    town: Town, values: dict[str, Any], english: str, spanish: str
) -> None:
    service = await town.service()
    hours = {"opens_at": time(7, 30), "closes_at": time(15, 30)}
    await town.add("schedules", service_id=service, **({"freq": "WEEKLY"} | hours | values))
    assert await town.words(service) == f"{english}, 07:30 to 15:30"
    assert await town.words(service, "ES") == f"{spanish}, de 07:30 a 15:30"


@pytest.mark.parametrize(
    ("hours", "english", "spanish"),
    [
        ("07:30-15:30", "07:30 to 15:30", "de 07:30 a 15:30"),
        ("22:00-02:00", "22:00 to 02:00", "de 22:00 a 02:00"),
        ("08:00-23:59", "08:00 to 24:00", "de 08:00 a 24:00"),
        ("12:00-", "from 12:00", "desde las 12:00"),
        (None, "hours unknown", "horario no conocido"),
    ],
)
async def test_hours_in_words(town: Town, hours: str | None, english: str, spanish: str) -> None:
    service = await town.service()
    await town.weekly(service, "FR", hours)
    assert await town.words(service) == f"Friday, {english}"
    assert await town.words(service, "ES") == f"viernes, {spanish}"


async def test_hours_of_the_same_days_are_told_together(town: Town) -> None:
    service = await town.service()
    for day, hours in (("MO,TU", "13:00-17:00"), ("MO,TU", "08:00-12:00"), ("FR", "08:00-12:00")):
        await town.weekly(service, day, hours)
    assert await town.words(service) == (
        "Monday and Tuesday, 08:00 to 12:00 and 13:00 to 17:00; Friday, 08:00 to 12:00"
    )
    assert await town.connection.fetchval("select hours_in_words($1, null)", service) == (
        await town.words(service)
    )
