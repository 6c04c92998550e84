"""Penal Code 6350-6356 as a rule, against the files themselves and against plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from db.database import Database
from tests.roads import data_of
from tests.second_opinion import World
from tests.sheets import sheet

SIX = (
    "transportation_from_transit",
    "child_care",
    "emergency_clothing",
    "visiting_information",
    "referrals",
    "sheltered_waiting",
)


def counts() -> Mapping[str, Mapping[str, int]]:
    """How many people each prison holds, by month."""
    found: dict[str, dict[str, int]] = {}
    for row in sheet("institution_population.csv"):
        found.setdefault(row["code"], {})[row["month"]] = int(row["in_custody"])
    return found


async def test_our_rule_says_what_the_compiler_of_the_file_says(database: Database) -> None:
    text = """{ visitorCenters(first: 100) { nodes {
        institution { code visitorCenterRequired } statutory populationUsed populationAsOf
    } } }"""
    nodes = (await data_of(database, text))["visitorCenters"]["nodes"]
    claimed = {
        row["institution_code"]: (
            row["required_by_statute"] == "true",
            int(row["population_used"]),
            f"{row['population_date']}-01",
        )
        for row in sheet("visitor_centers.csv")
    }
    assert len(claimed) == len(nodes) == 31
    assert {
        node["institution"]["code"]: (
            node["statutory"],
            node["populationUsed"],
            node["populationAsOf"],
        )
        for node in nodes
    } == claimed
    assert [code for code, (asked, *_) in claimed.items() if not asked] == ["CRC"]
    assert all(node["institution"]["visitorCenterRequired"] is node["statutory"] for node in nodes)


async def test_it_is_decided_by_the_count_of_the_day(database: Database) -> None:
    days = [date(2025, 12, 31) + timedelta(days=offset) for offset in range(0, 240, 20)]
    asked = " ".join(
        f'd{number}: statutory(on: "{day}") p{number}: populationUsed(on: "{day}")'
        for number, day in enumerate(days)
    )
    text = f"{{ visitorCenters(first: 100) {{ nodes {{ institution {{ code }} {asked} }} }} }}"
    nodes = (await data_of(database, text))["visitorCenters"]["nodes"]
    for node in nodes:
        known = counts()[node["institution"]["code"]]
        for number, day in enumerate(days):
            months = [month for month in known if month <= f"{day:%Y-%m}"]
            held = known[max(months)] if months else None
            assert node[f"p{number}"] == held
            assert node[f"d{number}"] is (None if held is None else held > 300)


async def test_crc_stopped_being_asked_for_in_may(database: Database) -> None:
    text = """query ($day: Date) { visitorCenter(slug: "friends-outside-crc") {
        statutory(on: $day) populationUsed(on: $day) populationAsOf(on: $day) } }"""
    expected = {
        "2026-01-01": (True, "2026-01-01"),
        "2026-04-30": (True, "2026-04-01"),
        "2026-05-01": (False, "2026-05-01"),
        "9999-12-31": (False, "2026-06-01"),
        "2025-12-31": (None, None),
        "0001-01-01": (None, None),
        None: (False, "2026-06-01"),
    }
    for day, (asked, month) in expected.items():
        center = (await data_of(database, text, {"day": day}))["visitorCenter"]
        assert (center["statutory"], center["populationAsOf"]) == (asked, month), day


async def test_only_adult_state_prisons_are_asked(database: Database) -> None:
    text = """{ institutions(first: 100) { nodes { code status institutionType
        visitorCenterRequired } } }"""
    nodes = (await data_of(database, text))["institutions"]["nodes"]
    newest = {code: known[max(known)] for code, known in counts().items()}
    for node in nodes:
        prison = node["institutionType"] == "STATE_PRISON" and node["status"] != "CLOSED"
        assert node["visitorCenterRequired"] is (prison and newest[node["code"]] > 300)
    assert sum(node["visitorCenterRequired"] for node in nodes) == 30


async def test_a_prison_that_closed_is_asked_until_then_if_anybody_counted(world: World) -> None:
    """DVI was counted in August 2021 and closed on 2021-09-30; of CCC only the year is known."""
    text = """query ($day: Date) {
        counted: institution(code: "DVI") { visitorCenterRequired(on: $day) }
        never: institution(code: "CCC") { visitorCenterRequired(on: $day) }
    }"""
    expected = {
        "2021-07-31": (None, None),
        "2021-08-01": (True, None),
        "2021-09-29": (True, None),
        "2021-09-30": (False, None),
        "2023-12-30": (False, None),
        "2023-12-31": (False, False),
        None: (False, False),
    }
    for day, (counted, never) in expected.items():
        data = await data_of(world[0], text, {"day": day})
        assert data["counted"]["visitorCenterRequired"] is counted, day
        assert data["never"]["visitorCenterRequired"] is never, day


async def test_exactly_three_hundred_is_not_more_than_three_hundred(world: World) -> None:
    text = """{ institutions(filter: {code: {in: ["ASP", "CIW", "VSP", "CAMP-ACTON"]}}) {
        nodes { code population { inCustody } visitorCenterRequired } } }"""
    nodes = (await data_of(world[0], text))["institutions"]["nodes"]
    assert {
        node["code"]: (
            node["population"] and node["population"]["inCustody"],
            node["visitorCenterRequired"],
        )
        for node in nodes
    } == {
        "ASP": (300, False),
        "CIW": (301, True),
        "VSP": (None, None),
        "CAMP-ACTON": (400, False),
    }


async def test_the_real_centers_lack_nothing_that_their_file_knows_of(database: Database) -> None:
    assert all(row[service] == "true" for row in sheet("visitor_centers.csv") for service in SIX)
    text = """{
        visitorServiceGaps { totalCount }
        visitorCenters(filter: {missingServices: {some: {}}}) { totalCount }
        institutions(filter: {visitorServiceGaps: {none: {}}}) { totalCount }
        all: institutions { totalCount }
    }"""
    data = await data_of(database, text)
    assert data["visitorServiceGaps"]["totalCount"] == data["visitorCenters"]["totalCount"] == 0
    assert data["institutions"] == data["all"]


async def test_gaps_are_those_of_python(world: World) -> None:
    database, oracle = world
    text = """{ visitorServiceGaps(first: 100) {
        totalCount
        nodes { key kind institution { id } amenity { id } }
        groupBy(keys: [KIND]) { key { kind } count }
    } }"""
    found = (await data_of(database, text))["visitorServiceGaps"]
    rows = oracle.rows["VisitorServiceGap"]
    assert found["totalCount"] == len(rows) == len(found["nodes"])
    assert {group["key"]["kind"] for group in found["groupBy"]} == {
        "NO_CENTER",
        "CENTER_NOT_ACTIVE",
        "CENTER_STATUS_UNKNOWN",
        "MISSING_SERVICE",
    }
    for node in found["nodes"]:
        row = rows[node["key"]]
        amenity = row["amenity_code"] and {"id": f"VisitorAmenity:{row['amenity_code']}"}
        assert node == {
            "key": row["key"],
            "kind": row["kind"],
            "institution": {"id": f"Institution:{row['institution_id']}"},
            "amenity": amenity,
        }


async def test_a_second_center_fills_the_gaps_of_the_first(world: World) -> None:
    """What one center at a prison offers is not missing at the prison, but at the other center."""
    text = """{ institutions(filter: {visitorCenters: {some: {name: {eq: "Second center"}}}}) {
        nodes { visitorCenterRequired visitorServiceGaps { kind amenity { code } }
                visitorCenters { nodes { slug status missingServices { code } } } } } }"""
    nodes = (await data_of(world[0], text))["institutions"]["nodes"]
    assert len(nodes) == 6
    for node in nodes:
        centers = node["visitorCenters"]["nodes"]
        lacked = {one["slug"]: {each["code"] for each in one["missingServices"]} for one in centers}
        second = next(slug for slug in lacked if slug.startswith("second"))
        assert len(lacked[second]) >= 5
        # The second one is UNKNOWN, so that it may be open.
        maybe = [lacked[one["slug"]] for one in centers if one["status"] in ("ACTIVE", "UNKNOWN")]
        gaps = {gap["amenity"]["code"] for gap in node["visitorServiceGaps"] if gap["amenity"]}
        assert gaps == (set.intersection(*maybe) if node["visitorCenterRequired"] else set())


async def test_a_gap_is_a_record_with_an_id_of_its_own(world: World) -> None:
    database, oracle = world
    ids = sorted(oracle.id("VisitorServiceGap", key) for key in oracle.rows["VisitorServiceGap"])
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
    data = await data_of(database, text, {"ids": [*ids[:3], "VisitorServiceGap:SQ/NOTHING"]})
    expected = [{"id": id, "__typename": "VisitorServiceGap"} for id in ids[:3]]
    assert data["nodes"] == [*expected, None]
