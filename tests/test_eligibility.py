"""Who may come, against plain Python: verdicts, reasons and filters over generated services."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.database import Database
from resolvers.errors import Code
from resolvers.resolve import GraphQLRequest, resolve
from schema.types.eligibility import (
    AcceptedGender,
    Audience,
    Criterion,
    Document,
    Fee,
    Gender,
    Offence,
    ReferralRoute,
)
from schema.types.locations import AccessibilityFeature
from tests.db.scratch import connected, scratch, stopped
from tests.roads import codes_of, data_of, the_graph

SERVICES = 200
REENTRY_PROGRAMS = 50
PROGRAMS = 30
SITUATIONS = 50
COUNTIES = {"06019": "Fresno", "06037": "Los Angeles", "06075": "San Francisco"}
LANGUAGES = ["en", "es", "yue", "vi", "qaa"]

FITS, UNKNOWN, NO = "FITS", "UNKNOWN", "DOES_NOT_FIT"
CRITERIA = [criterion.value for criterion in Criterion]
WITH_RECORDS = {"INCARCERATED", "PAROLE", "PROBATION", "FORMERLY_INCARCERATED"}


@dataclass
class Rules:
    """What is known of who may come; None is unknown."""

    audience: set[str] | None = None
    audience_only: bool | None = None
    accepts_records: bool | None = None
    offences: set[str] | None = None
    gender: str | None = None
    ages: tuple[int | None, int | None] = (None, None)
    entry: tuple[int | None, int | None] = (None, None)
    routes: set[str] | None = None
    languages: set[str] | None = None
    noted: set[str] = field(default_factory=set)
    documents: set[str] | None = None
    fees: set[str] | None = None
    counties: set[str] | None = None
    everywhere: bool = False
    places: Sequence[set[str]] = ()
    conditions: str | None = None


def judged(rules: Rules, told: Mapping[str, Any]) -> dict[str, str]:
    """The verdict on each criterion that counts, by the rules as one would tell them to people."""
    found = {criterion: _judge(criterion, rules, told) for criterion in CRITERIA}
    return {criterion: verdict for criterion, verdict in found.items() if verdict is not None}


def whole(verdicts: Iterable[str]) -> str:
    """One bad verdict is enough, then one unknown; and of nothing, nothing is known."""
    given = set(verdicts)
    return next((each for each in (NO, UNKNOWN, FITS) if each in given), UNKNOWN)


def _judge(criterion: str, rules: Rules, told: Mapping[str, Any]) -> str | None:
    match criterion:
        case "AUDIENCE":
            return _audience(rules, told)
        case "RECORD":
            takes = rules.accepts_records
            if takes is None and rules.audience and rules.audience & WITH_RECORDS:
                takes = True
            if has_record(told) is True:
                return UNKNOWN if takes is None else FITS if takes else NO
            if takes is False:
                return UNKNOWN if has_record(told) is None else FITS
            return None
        case "OFFENCE":
            own = told.get("offences")
            if rules.offences is None:
                return UNKNOWN if own else None
            if own is not None and rules.offences & set(own):
                return NO
            if own is not None or has_record(told) is False:
                return FITS
            return UNKNOWN if rules.offences else None
        case "GENDER":
            gender = told.get("gender")
            if rules.gender in (None, "ANY"):
                return None if gender is None else UNKNOWN if rules.gender is None else FITS
            if gender in (None, "NONBINARY"):
                return UNKNOWN
            return FITS if gender == rules.gender else NO
        case "AGE":
            return _between(rules.ages, told.get("age"), asked_anyway=True)
        case "RELEASE":
            return _between(rules.entry, told.get("daysSinceRelease"), asked_anyway=False)
        case "REFERRAL":
            ways = set(told.get("referral") or ())
            if rules.routes is None:
                return UNKNOWN if ways else None
            if rules.routes & {"SELF", "ANY"} or rules.routes & ways or "ANY" in ways:
                return FITS
            return NO if ways else UNKNOWN
        case "LANGUAGE":
            if not told.get("languages"):
                return None
            sure = (rules.languages or set()) - rules.noted
            return FITS if sure & set(told["languages"]) else UNKNOWN
        case "DOCUMENTS":
            held = told.get("documents")
            if rules.documents is None:
                return None if held is None else UNKNOWN
            missing = rules.documents - {"NONE"} - set(held or ())
            if rules.documents == {"NONE"}:
                return FITS
            return UNKNOWN if held is None or missing else FITS
        case "FEES":
            if not told.get("onlyFree"):
                return None
            if rules.fees and "FREE" in rules.fees:
                return FITS
            return NO if rules.fees == {"FIXED"} else UNKNOWN
        case "COUNTY":
            if told.get("countyFips") is None:
                return None
            here = told["countyFips"] in (rules.counties or set())
            return FITS if rules.everywhere or here else UNKNOWN
        case "ACCESSIBILITY":
            needs = set(told.get("accessibility") or ())
            if not needs:
                return None
            return FITS if any(needs <= place for place in rules.places) else UNKNOWN
        case _:
            return UNKNOWN if rules.conditions else None


def has_record(told: Mapping[str, Any]) -> bool | None:
    """Whether somebody has a record, who may have said so in another way."""
    if told.get("hasRecord") is not None:
        return bool(told["hasRecord"])
    return True if told.get("offences") or set(told.get("audience") or ()) & WITH_RECORDS else None


def _audience(rules: Rules, told: Mapping[str, Any]) -> str | None:
    own, others = set(told.get("audience") or ()), set(told.get("notAudience") or ())
    gender = told.get("gender")
    speaks = bool(own or others)
    if rules.audience is None:
        return UNKNOWN if speaks else None
    if "PAROLE" in own:
        own |= {"FORMERLY_INCARCERATED"}
    if gender in ("FEMALE", "MALE"):
        woman = gender == "FEMALE"
        own |= {"WOMEN" if woman else "MEN"}
        others |= {"MEN" if woman else "WOMEN"}
    if rules.audience & own:
        return FITS
    if rules.audience_only and rules.audience <= others:
        return NO
    named = gender is not None and rules.audience & {"WOMEN", "MEN"}
    return UNKNOWN if rules.audience_only or speaks or named else None


def _between(
    bounds: tuple[int | None, int | None], value: int | None, *, asked_anyway: bool
) -> str | None:
    low, high = bounds
    if low is None and high is None:
        return UNKNOWN if asked_anyway and value is not None else None
    if value is None:
        return UNKNOWN
    inside = (low is None or low <= value) and (high is None or value <= high)
    return FITS if inside else NO


# What is generated


def words(draw: random.Random, enum: Any, most: int = 3, but: Sequence[str] = ()) -> list[str]:
    known = [member.value for member in enum if member.value not in but]
    return sorted(draw.sample(known, draw.randint(1, most)))


def maybe(draw: random.Random, make: Any, one_in: int = 2) -> Any:
    return make() if draw.randrange(one_in) == 0 else None


def bounds(draw: random.Random, low: int, high: int) -> tuple[int | None, int | None]:
    first, last = sorted((draw.randint(low, high), draw.randint(low, high)))
    return draw.choice([(None, None), (None, None), (first, None), (None, last), (first, last)])


def a_service(draw: random.Random) -> Rules:
    audience = maybe(draw, lambda: set(words(draw, Audience)))
    languages = draw.sample(LANGUAGES, draw.randint(0, 3))
    documents = maybe(draw, lambda: set(words(draw, Document, but=["NONE"])), 3)
    return Rules(
        audience=audience,
        audience_only=draw.choice([True, False, None]) if audience else None,
        accepts_records=draw.choice([True, False, None, None]),
        offences=maybe(draw, lambda: set(draw.choice([[], words(draw, Offence)])), 3),
        gender=draw.choice([None, None, "FEMALE", "MALE", "ANY"]),
        ages=bounds(draw, 0, 120),
        routes=maybe(draw, lambda: set(words(draw, ReferralRoute, 2))),
        languages=set(languages) or None,
        noted=set(languages[: draw.randint(0, 1)]),
        documents={"NONE"} if draw.randrange(8) == 0 else documents,
        fees=maybe(draw, lambda: set(words(draw, Fee, 2)), 2),
        counties=maybe(draw, lambda: {draw.choice(list(COUNTIES))}),
        places=[
            set(words(draw, AccessibilityFeature, 4)) if draw.randrange(2) else set()
            for _ in range(draw.randint(0, 2))
        ],
        conditions=maybe(draw, lambda: "an assessed need", 5),
    )


def a_reentry_program(draw: random.Random) -> Rules:
    return Rules(
        audience=maybe(draw, lambda: set(words(draw, Audience, 2))),
        audience_only=True,
        gender=draw.choice([None, None, "FEMALE", "MALE", "ANY"]),
        entry=bounds(draw, -400, 400),
        routes=maybe(draw, lambda: set(words(draw, ReferralRoute, 2))),
        counties=maybe(draw, lambda: set(draw.sample(list(COUNTIES), 2))),
        everywhere=draw.randrange(4) == 0,
        conditions=maybe(draw, lambda: "an assessed need", 5),
    )


def a_program(draw: random.Random) -> Rules:
    return Rules(
        audience=maybe(draw, lambda: set(words(draw, Audience, 2))),
        audience_only=True,
        everywhere=draw.randrange(2) == 0,
    )


def a_situation(draw: random.Random) -> dict[str, Any]:
    """A few things, or many, that somebody tells; some lists are empty."""
    groups = words(draw, Audience, 8)
    cut = draw.randint(0, len(groups))
    told: dict[str, Any] = {
        "audience": groups[:cut],
        "notAudience": groups[cut:] + draw.choice([[], words(draw, Audience, 12)]),
        "hasRecord": draw.choice([True, False]),
        "offences": draw.choice([[], words(draw, Offence)]),
        "gender": draw.choice([each.value for each in Gender]),
        "age": draw.randint(0, 120),
        "daysSinceRelease": draw.randint(-450, 450),
        "referral": draw.choice([["SELF"], [], words(draw, ReferralRoute)]),
        "languages": draw.sample(LANGUAGES, draw.randint(0, 2)),
        "documents": draw.choice([[], words(draw, Document, 9)]),
        "onlyFree": draw.choice([True, True, False]),
        "countyFips": draw.choice([*COUNTIES, "06001"]),
        "accessibility": draw.choice([[], words(draw, AccessibilityFeature, 2)]),
    }
    told["notAudience"] = sorted(set(told["notAudience"]) - set(told["audience"]))
    share = draw.choice([0.1, 0.3, 0.6])
    told = {name: value for name, value in told.items() if draw.random() < share}
    if told.get("hasRecord") is False:
        told.pop("offences", None)
    return told


# The directory that was generated


def _id(number: int) -> UUID:
    return UUID(int=number)


SOURCE = _id(1)


async def fill(connection: asyncpg.Connection, made: World) -> None:
    """Rows for all of it. What triggers gather is left to them."""
    await connection.execute("insert into sources (id, key, name) values ($1, 'S', 'S')", SOURCE)
    await connection.executemany(
        "insert into counties (fips, name, source_id) values ($1, $2, $3)",
        [(fips, name, SOURCE) for fips, name in COUNTIES.items()],
    )
    await connection.execute(
        "insert into providers (id, slug, name, source_id) values ($1, 'p', 'P', $1)", SOURCE
    )
    parts: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for number, (id, rules) in enumerate(made.services.items()):
        await connection.execute(
            "insert into services (id, provider_id, name, source_id, audience, audience_only,"
            " accepts_people_with_records, offence_exclusions, gender, minimum_age, maximum_age,"
            " referral_routes, languages, county_fips, conditions, interpretation_services)"
            " values ($1, $2, 'S', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            *(id, SOURCE, listed(rules.audience), rules.audience_only, rules.accepts_records),
            *(listed(rules.offences), rules.gender, *rules.ages, listed(rules.routes)),
            *(
                listed(rules.languages) or [],
                next(iter(rules.counties or ()), None),
                rules.conditions,
            ),
            "by telephone" if number % 7 == 0 else None,
        )
        for place, features in enumerate(rules.places):
            location = _id(10_000 + 10 * number + place)
            parts["locations"].append((location, listed(features), SOURCE))
            parts["at"].append((location, id, location, SOURCE))
        parts["documents"] += [(id, each, "a letter", SOURCE) for each in rules.documents or ()]
        parts["notes"] += [(id, each, "not always", SOURCE) for each in rules.noted]
        for fee in rules.fees or ():
            cents = 2050 if fee == "FIXED" and number % 2 else None
            parts["fees"].append((id, fee, cents, SOURCE))
    for name, sql in {
        "locations": "locations (id, accessibility, source_id) values ($1, $2, $3)",
        "at": "services_at_locations (id, service_id, location_id, source_id)"
        " values ($1, $2, $3, $4)",
        "documents": "required_documents (service_id, document, note, source_id)"
        " values ($1, $2, $3, $4)",
        "notes": "language_notes (service_id, language, note, source_id) values ($1, $2, $3, $4)",
        "fees": "cost_options (service_id, option, amount_cents, source_id)"
        " values ($1, $2, $3, $4)",
    }.items():
        await connection.executemany(f"insert into {sql}", parts[name])
    for number, (id, rules) in enumerate(made.reentry_programs.items()):
        await connection.execute(
            "insert into reentry_programs (id, slug, name, audience, gender, entry_from_days,"
            " entry_to_days, referral_routes, statewide, conditions, referral_route, source_id)"
            " values ($1, $2, 'R', $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            *(id, f"r-{number}", listed(rules.audience), rules.gender, *rules.entry),
            *(listed(rules.routes), rules.everywhere, rules.conditions),
            "by letter" if rules.routes else None,
            SOURCE,
        )
        await connection.executemany(
            "insert into reentry_program_counties (reentry_program_id, county_fips)"
            " values ($1, $2)",
            [(id, fips) for fips in rules.counties or ()],
        )
    await connection.executemany(
        "insert into programs (id, slug, name, audience, scope, source_id)"
        " values ($1, $2, 'P', $3, $4, $5)",
        [
            (id, f"p-{number}", listed(rules.audience) or [], _scope(rules), SOURCE)
            for number, (id, rules) in enumerate(made.programs.items())
        ],
    )


def _scope(rules: Rules) -> str:
    return "STATEWIDE" if rules.everywhere else "INSTITUTION"


def listed(items: set[str] | None) -> list[str] | None:
    return None if items is None else sorted(items)


@dataclass
class World:
    """What was generated, by id."""

    services: dict[UUID, Rules]
    reentry_programs: dict[UUID, Rules]
    programs: dict[UUID, Rules]
    situations: list[dict[str, Any]]
    # What was answered already, since several tests look at it.
    answered: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def rules(self, kind: str) -> dict[UUID, Rules]:
        """What is known of the records of a kind."""
        return {
            "services": self.services,
            "reentryPrograms": self.reentry_programs,
            "programs": self.programs,
        }[kind]

    @classmethod
    def made(cls, seed: int) -> World:
        draw = random.Random(seed)
        nothing: dict[str, Any] = {}
        everything = a_situation(random.Random(seed + 1))
        return cls(
            {_id(1000): Rules()} | {_id(1001 + n): a_service(draw) for n in range(SERVICES - 1)},
            {_id(2000 + n): a_reentry_program(draw) for n in range(REENTRY_PROGRAMS)},
            {_id(3000 + n): a_program(draw) for n in range(PROGRAMS)},
            [nothing, everything, *(a_situation(draw) for _ in range(SITUATIONS - 2))],
        )


Directory = tuple[Database, World, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def directory(migrated_url: str) -> AsyncIterator[Directory]:
    """A database with generated services, and what Python knows of them."""
    made = World.made(20260703)
    async with scratch(migrated_url) as url:
        async with connected(url) as connection:
            await fill(connection, made)
            await connection.execute("analyze")
        database = await Database.open(stopped(url))
        yield database, made, url
        await database.close()


JUDGED = """query ($for: Situation!, $after: String) {
    ROOT(first: 100, after: $after) {
        nodes { id fits(for: $for) mayFit(for: $for) matches(for: $for) {
            verdict reasons { place criterion verdict text es: text(lang: ES) } } }
        pageInfo { hasNextPage endCursor } } }"""
KEPT = """query ($for: Situation!) {
    fits: ROOT(filter: {fits: $for}, first: 100) { totalCount nodes { id } }
    mayFit: ROOT(filter: {mayFit: $for}, first: 100) { totalCount nodes { id } }
    unknown: ROOT(filter: {mayFit: $for, not: {fits: $for}}) { totalCount }
    no: ROOT(filter: {not: {mayFit: $for}}) { totalCount } }"""


async def answer(database: Database, text: str, **variables: object) -> Any:
    found = await resolve(the_graph(), database, GraphQLRequest(text, None, variables))
    response = json.loads(found.body)
    assert "errors" not in response, (response, variables)
    return response["data"]


async def all_of(directory: Directory, root: str, told: Mapping[str, Any]) -> list[Any]:
    """The records of a kind, with what is said of them in a situation."""
    database, made, _ = directory
    key = root, json.dumps(told)
    if key in made.answered:
        return made.answered[key]
    text, after, nodes, more = JUDGED.replace("ROOT", root), None, [], True
    while more:
        page = (await answer(database, text, **{"for": told, "after": after}))[root]
        nodes += page["nodes"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    made.answered[key] = nodes
    return nodes


@pytest.mark.parametrize("kind", ["services", "reentryPrograms", "programs"])
async def test_verdicts_and_reasons_are_those_of_python(directory: Directory, kind: str) -> None:
    _, made, _ = directory
    rules = made.rules(kind)
    seen: set[str] = set()
    for told in made.situations:
        nodes = await all_of(directory, kind, told)
        assert [node["id"].partition(":")[2] for node in nodes] == [str(id) for id in rules]
        for node, known in zip(nodes, rules.values(), strict=True):
            expected = judged(known, told)
            reasons = node["matches"]["reasons"]
            assert {each["criterion"]: each["verdict"] for each in reasons} == expected, (
                known,
                told,
            )
            assert [each["criterion"] for each in reasons] == [*expected]
            assert [CRITERIA[each["place"] - 1] for each in reasons] == [*expected]
            verdict = whole(expected.values())
            assert node["matches"]["verdict"] == verdict
            assert node["fits"] is (verdict == FITS)
            assert node["mayFit"] is (verdict != NO)
            seen |= {verdict, *expected}
    assert seen >= {FITS, UNKNOWN, NO, "AUDIENCE", "COUNTY", "FEES"}


@pytest.mark.parametrize("kind", ["services", "reentryPrograms", "programs"])
async def test_filters_keep_what_python_keeps(directory: Directory, kind: str) -> None:
    database, made, _ = directory
    rules = made.rules(kind)
    name = {"services": "Service", "reentryPrograms": "ReentryProgram", "programs": "Program"}[kind]
    for told in made.situations:
        verdicts = {id: whole(judged(known, told).values()) for id, known in rules.items()}
        kept = await answer(database, KEPT.replace("ROOT", kind), **{"for": told})
        sizes = {part: kept[part]["totalCount"] for part in kept}
        count = [*verdicts.values()].count
        assert sizes == {
            "fits": count(FITS),
            "mayFit": len(verdicts) - count(NO),
            "unknown": count(UNKNOWN),
            "no": count(NO),
        }
        fitting = {f"{name}:{id}" for id, verdict in verdicts.items() if verdict == FITS}
        possible = {f"{name}:{id}" for id, verdict in verdicts.items() if verdict != NO}
        assert {node["id"] for node in kept["fits"]["nodes"]} <= fitting
        assert {node["id"] for node in kept["mayFit"]["nodes"]} <= possible


async def test_of_what_nothing_is_known_nothing_is_said(directory: Directory) -> None:
    _, made, _ = directory
    for told in made.situations:
        (silent,) = [
            node for node in await all_of(directory, "services", told) if node["id"].endswith("3e8")
        ]
        assert silent["matches"]["verdict"] == UNKNOWN
        assert silent["mayFit"] is True
        assert silent["fits"] is False


async def test_both_roads_agree_on_a_situation(directory: Directory) -> None:
    database, made, _ = directory
    for told in made.situations[:5]:
        text = JUDGED.replace("ROOT", "services").replace("100", "10")
        await data_of(database, text, {"for": told})
        await data_of(database, KEPT.replace("ROOT", "programs"), {"for": told})


async def test_every_text_is_told_to_somebody_in_both_languages(directory: Directory) -> None:
    _, made, url = directory
    told_en: set[str] = set()
    told_es: set[str] = set()
    for kind in ("services", "reentryPrograms", "programs"):
        for told in made.situations:
            for node in await all_of(directory, kind, told):
                told_en |= {each["text"] for each in node["matches"]["reasons"]}
                told_es |= {each["es"] for each in node["matches"]["reasons"]}
    for text in told_en | told_es:
        assert text
        assert "{}" not in text
        assert ": ." not in text
    async with connected(url) as connection:
        texts = await connection.fetch("select code, text_en, text_es from reason_texts")
    for code, en, es in texts:
        for pattern, texts_told in ((en, told_en), (es, told_es)):
            somewhere = re.compile(".+".join(map(re.escape, pattern.split("{}"))))
            assert any(somewhere.search(text) for text in texts_told), code


async def test_what_tables_say_of_a_service_is_gathered(directory: Directory) -> None:
    _, made, url = directory
    async with connected(url) as connection:
        rows = await connection.fetch(
            "select id, documents, fees, noted_languages, accessibility, criteria from services"
        )
    for row in rows:
        rules = made.services[row["id"]]
        features = set().union(*rules.places)
        assert row["documents"] == listed(rules.documents)
        assert row["fees"] == listed(rules.fees)
        assert row["noted_languages"] == (sorted(rules.noted) or None)
        assert row["accessibility"] == (sorted(features) or None)
        takes = rules.accepts_records is not None or bool(
            rules.audience and rules.audience & WITH_RECORDS
        )
        known = {
            "AUDIENCE": rules.audience is not None,
            "RECORD": takes,
            "OFFENCE": rules.offences is not None,
            "GENDER": rules.gender is not None,
            "AGE": rules.ages != (None, None),
            "REFERRAL": rules.routes is not None,
            "LANGUAGE": rules.languages is not None,
            "DOCUMENTS": rules.documents is not None,
            "FEES": rules.fees is not None,
            "ACCESSIBILITY": bool(features),
            "CONDITION": rules.conditions is not None,
        }
        assert set(row["criteria"]) == {name for name, is_known in known.items() if is_known}


async def test_what_is_gathered_follows_every_change(migrated_url: str) -> None:
    one, two, place = _id(1000), _id(1001), _id(99)
    async with scratch(migrated_url) as url, connected(url) as connection:
        await fill(connection, World({one: Rules(), two: Rules()}, {}, {}, []))

        async def gathered(id: UUID) -> Any:
            return await connection.fetchrow(
                "select documents, accessibility from services where id = $1", id
            )

        assert await gathered(two) == (None, None)
        await connection.execute(
            "insert into required_documents (service_id, document, source_id)"
            " select s, d, $1 from unnest($2::uuid[]) s, unnest(array['TB_TEST', 'PHOTO_ID']) d",
            SOURCE,
            [one, two],
        )
        assert (await gathered(one))["documents"] == ["PHOTO_ID", "TB_TEST"]
        await connection.execute(
            "update required_documents set service_id = $1, document = 'RELEASE_PAPERS'"
            " where document = 'TB_TEST' and service_id = $2",
            two,
            one,
        )
        assert (await gathered(one))["documents"] == ["PHOTO_ID"]
        assert (await gathered(two))["documents"] == ["PHOTO_ID", "RELEASE_PAPERS", "TB_TEST"]
        await connection.execute("delete from required_documents where document = 'PHOTO_ID'")
        assert (await gathered(one))["documents"] is None
        await connection.execute(
            "insert into locations (id, accessibility, source_id) values ($1, '{RAMP}', $2)",
            place,
            SOURCE,
        )
        await connection.execute(
            "insert into services_at_locations (id, service_id, location_id, source_id)"
            " values ($1, $2, $1, $3)",
            place,
            one,
            SOURCE,
        )
        assert (await gathered(one))["accessibility"] == ["RAMP"]
        await connection.execute(
            "update locations set accessibility = '{TTY,RAMP}' where id = $1", place
        )
        assert (await gathered(one))["accessibility"] == ["RAMP", "TTY"]
        await connection.execute("update services_at_locations set service_id = $1", two)
        assert (await gathered(one))["accessibility"] is None
        assert (await gathered(two))["accessibility"] == ["RAMP", "TTY"]
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(
                "insert into required_documents (service_id, document, source_id)"
                " values ($1, 'NONE', $2)",
                two,
                SOURCE,
            )


async def test_two_who_write_at_once_are_both_gathered(migrated_url: str) -> None:
    insert = "insert into required_documents (service_id, document, source_id) values ($1, $2, $3)"
    service = _id(1000)
    async with scratch(migrated_url) as url, connected(url) as one, connected(url) as two:
        await fill(one, World({service: Rules()}, {}, {}, []))
        async with one.transaction():
            await one.execute(insert, service, "PHOTO_ID", SOURCE)
            other = asyncio.ensure_future(two.execute(insert, service, "TB_TEST", SOURCE))
            await asyncio.sleep(0.1)
        await other
        found = await one.fetchval("select documents from services where id = $1", service)
    assert found == ["PHOTO_ID", "TB_TEST"]


async def test_a_million_services_would_be_found_by_an_index(directory: Directory) -> None:
    _, _, url = directory
    columns = (
        "criteria, id, audience, audience_only, accepts_people_with_records, offence_exclusions,"
        " gender, minimum_age, maximum_age, referral_routes, languages, noted_languages, documents,"
        " fees, county_fips, accessibility, conditions"
    )
    # As the planner asks: what is not told is null, what is told is a parameter.
    told = "$1::text[], null, null::bool, null::text[], null::text, null::int4, null::int4,"
    told += " null::text[], $2::text[], null::text[], null::bool, null::text, null::text[]"
    async with connected(url) as connection:
        await connection.execute(
            "set plan_cache_mode = force_generic_plan; set enable_seqscan = off"
        )
        for condition, types, values, index in (
            (
                f"service_fits({columns}, {told})",
                "text[], text[]",
                "'{PAROLE}', '{es}'",
                "eligibility",
            ),
            ("accepts_age(ages, $1)", "integer", "17", "ages"),
        ):
            await connection.execute(
                f"prepare asked ({types}) as select count(*) from services where {condition}"
            )
            lines = await connection.fetch(f"explain execute asked ({values})")
            plan = "\n".join(line[0] for line in lines)
            assert f" services_{index}" in plan, plan
            # Looked into, and not called row by row.
            assert "service_fits(" not in plan
            assert "_verdict(" not in plan
            await connection.execute("deallocate asked")


async def test_every_word_of_our_lists_has_a_name(directory: Directory) -> None:
    _, _, url = directory
    async with connected(url) as connection:
        rows = await connection.fetch("select vocabulary, code from terms")
    named = defaultdict(set)
    for vocabulary, code in rows:
        named[vocabulary].add(code)
    for vocabulary, enum in {
        "AUDIENCE": Audience,
        "OFFENCE": Offence,
        "GENDER": AcceptedGender,
        "REFERRAL_ROUTE": ReferralRoute,
        "DOCUMENT": Document,
        "COST_OPTION": Fee,
        "ACCESSIBILITY": AccessibilityFeature,
    }.items():
        assert named.pop(vocabulary) == {member.value for member in enum}
    assert named.keys() == {"LANGUAGE"}


# What nobody's situation is

PLACES = (
    "query ($for: Situation!) { services(filter: {fits: $for}) { totalCount } }",
    "query ($for: Situation!) { services(filter: {mayFit: $for}) { totalCount } }",
    'query ($for: Situation!) { program(slug: "p-0") { matches(for: $for) { verdict } } }',
    'query ($for: Situation!) { reentryProgram(slug: "r-0") { fits(for: $for) } }',
)
WRONG: Sequence[tuple[dict[str, Any], str]] = (
    ({"age": -1}, "age"),
    ({"age": 121}, "age"),
    ({"age": 2**31 - 1}, "age"),
    ({"daysSinceRelease": -36_501}, "daysSinceRelease"),
    ({"daysSinceRelease": 36_501}, "daysSinceRelease"),
    ({"languages": ["xx"]}, "languages"),
    ({"languages": ["ES"]}, "languages"),
    ({"languages": ["es", ""]}, "languages"),
    ({"languages": ["español"]}, "languages"),
    ({"languages": ["\0"]}, "languages"),
    ({"languages": ["\ud800"]}, "languages"),
    ({"languages": ["es'; --"]}, "languages"),
    ({"languages": ["x" * 10_000]}, "languages"),
    ({"languages": [f"q{a}{b}" for a in "abcde" for b in "abcde"]}, "languages"),
    ({"languages": ["es"] * 1_001}, "languages"),
    ({"countyFips": ""}, "countyFips"),
    ({"countyFips": "06002"}, "countyFips"),
    ({"countyFips": "06117"}, "countyFips"),
    ({"countyFips": "48201"}, "countyFips"),
    ({"countyFips": "06019" * 2_000}, "countyFips"),
    ({"countyFips": "\0"}, "countyFips"),
    ({"audience": ["PAROLE"], "notAudience": ["PAROLE"]}, "notAudience"),
    ({"audience": ["PAROLE"] * 1_001}, "audience"),
    ({"notAudience": ["PAROLE"] * 1_001}, "notAudience"),
    ({"offences": ["ARSON"] * 1_001}, "offences"),
    ({"referral": ["SELF"] * 1_001}, "referral"),
    ({"documents": ["PHOTO_ID"] * 1_001}, "documents"),
    ({"accessibility": ["RAMP"] * 1_001}, "accessibility"),
    ({"hasRecord": False, "offences": ["ARSON"]}, "offences"),
)


@pytest.mark.parametrize(("told", "name"), WRONG, ids=lambda value: repr(value)[:40])
async def test_what_makes_no_sense_is_refused_by_name_before_it_is_asked(
    directory: Directory, told: dict[str, Any], name: str
) -> None:
    database, _, _ = directory
    for place, text in enumerate(PLACES):
        before = database.statements
        found = await resolve(the_graph(), database, GraphQLRequest(text, None, {"for": told}))
        response = json.loads(found.body)
        assert codes_of(response) == [Code.BAD_USER_INPUT]
        message = response["errors"][0]["message"]
        assert f"`{name}`" in message
        assert len(message) < 100
        # Whether there is such a program, is still asked.
        assert database.statements - before == (1 if place > 1 else 0)


@pytest.mark.parametrize("age", [-1, 121, 200])
async def test_an_age_that_nobody_has_is_refused(directory: Directory, age: int) -> None:
    database, _, _ = directory
    for text in (
        f"{{ services(filter: {{acceptsAge: {age}}}) {{ totalCount }} }}",
        f"{{ services(first: 1) {{ nodes {{ acceptsAge(age: {age}) }} }} }}",
    ):
        found = await resolve(the_graph(), database, GraphQLRequest(text))
        response = json.loads(found.body)
        assert codes_of(response) == [Code.BAD_USER_INPUT]
        assert "`age`" in response["errors"][0]["message"]


@pytest.mark.parametrize(
    "change",
    [
        "minimum_age = 30, maximum_age = 20",
        "minimum_age = -1",
        "maximum_age = 121",
        "audience = '{}'",
        "audience = '{NOBODY}'",
        "audience = null, audience_only = true",
        "referral_routes = '{}'",
        "offence_exclusions = '{JAYWALKING}'",
        "gender = 'NONBINARY'",
    ],
)
async def test_rules_that_contradict_themselves_are_not_kept(
    directory: Directory, change: str
) -> None:
    _, _, url = directory
    async with connected(url) as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"update services set {change} where id = $1", _id(1000))


# How much is free


async def test_a_count_of_beds_is_good_for_so_many_hours_and_then_unknown(
    migrated_url: str,
) -> None:
    made = World({_id(1000): Rules(places=[set()])}, {}, {}, [])
    # The clock stands at nine in the morning of July 3.
    counted = {
        "BED": ("2026-07-03 01:00-07", 24),
        "ROOM": ("2026-07-02 09:00-07", 24),  # at this very moment it is no longer good
        "APARTMENT": ("2026-07-02 09:00:01-07", 24),
        "PLACE": ("2026-06-01 09:00-07", 24 * 365),
        "APPOINTMENT": ("2026-07-03 10:00-07", 24),  # nobody has counted yet
    }
    good = {"BED", "APARTMENT", "PLACE"}
    async with scratch(migrated_url) as url:
        async with connected(url) as connection:
            await fill(connection, made)
            for unit, (at, hours) in counted.items():
                await connection.execute(
                    "insert into service_capacities (service_at_location_id, unit, available,"
                    " maximum, counted_at, expires_after_hours, source_id)"
                    f" values ($1, $2, 2, 5, '{at}', $3, $4)",
                    *(_id(10_000), unit, hours, SOURCE),
                )
            for wrong in (
                "available = 6",
                "expires_after_hours = 0",
                "maximum = 0",
                "available = -1",
                "unit = 'CHAIR'",
            ):
                with pytest.raises(asyncpg.CheckViolationError):
                    await connection.execute(f"update service_capacities set {wrong}")
        database = await Database.open(stopped(url))
        text = """query ($more: Int!) {
            services { nodes { atLocations { nodes { capacities {
                unit available lastAvailable maximum isCurrent expiresAt } } } } }
            free: services(filter: {atLocations: {some: {capacities: {some: {
                available: {gt: $more}, unit: {eq: BED}}}}}}) { totalCount }
            unknown: services(filter: {atLocations: {some: {capacities: {some: {
                available: {isNull: true}, unit: {eq: BED}}}}}}) { totalCount } }"""
        for more, free in ((1, 1), (2, 0)):
            data = await data_of(database, text, {"more": more})
            assert data["free"]["totalCount"] == free
            assert data["unknown"]["totalCount"] == 0
        (service,) = data["services"]["nodes"]
        (place,) = service["atLocations"]["nodes"]
        for each in place["capacities"]:
            current = each["unit"] in good
            assert each["available"] == (2 if current else None)
            assert each["isCurrent"] is current
            assert (each["lastAvailable"], each["maximum"]) == (2, 5)
        assert {each["unit"] for each in place["capacities"]} == counted.keys()
        expires = {each["unit"]: each["expiresAt"] for each in place["capacities"]}
        assert expires["BED"].startswith("2026-07-04T08:00:00")
        await database.close()
