"""What is near, of one place or of several, against plain Python on a round earth."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from db.data.synthesize import synthesize
from db.database import Database
from resolvers.resolve import GraphQLRequest, explain
from tests.db.scratch import connected, scratch
from tests.kinds import KINDS
from tests.roads import ask, codes_of, data_of, the_graph
from tests.second_opinion import SecondOpinion, World, answered_twice
from tests.test_page_laws import FUZZ

Point = tuple[float, float]

# The mean radius of the earth.
RADIUS = 6371.0088 / 1.609344

EUREKA = (40.8021, -124.1637)
FRESNO = (36.7378, -119.7871)
LOS_ANGELES = (34.0522, -118.2437)
SANTA_BARBARA = (34.4208, -119.6982)
AT_SEA = (33.0, -130.0)
MIDDLES = (EUREKA, FRESNO, LOS_ANGELES, SANTA_BARBARA, AT_SEA)

NEAR_KINDS = (
    "Institution",
    "VisitorCenter",
    "Provider",
    "Service",
    "ServiceAtLocation",
    "Location",
)


def haversine(here: Point, there: Point) -> float:
    """How far it is from here to there, in miles, by the formula of navigators."""
    (south, west), (north, east) = (map(math.radians, here), map(math.radians, there))
    half = math.sin((north - south) / 2) ** 2
    half += math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * RADIUS * math.asin(math.sqrt(half))


class Map:
    """Where everything is, as far as the public may know, in plain Python."""

    def __init__(self, oracle: SecondOpinion) -> None:
        rows = oracle.rows
        known = {
            key: (row["public_latitude"], row["public_longitude"])
            for key, row in rows["Location"].items()
            if row["public_latitude"] is not None
        }
        # Of nothing hidden the test itself could tell where it is.
        for key in known:
            assert rows["Location"][key]["address_visibility"] == "PUBLIC"
        self.places: dict[str, dict[Any, list[Point]]] = {
            name: {
                key: [known[row["location_id"]]] if row["location_id"] in known else []
                for key, row in rows[name].items()
            }
            for name in ("Institution", "VisitorCenter", "Provider", "ServiceAtLocation")
        }
        self.places["Location"] = {
            key: [known[key]] if key in known else [] for key in rows["Location"]
        }
        self.places["Service"] = {
            key: [place for one in there for place in self.places["ServiceAtLocation"][one]]
            for key, there in oracle.related("Service", "atLocations").items()
        }
        statewide = {
            row["service_id"] for row in rows["ServiceArea"].values() if row["county_fips"] is None
        }
        self.everywhere: dict[str, set[Any]] = {name: set() for name in NEAR_KINDS}
        self.everywhere["Service"] = statewide
        self.everywhere["Provider"] = {rows["Service"][key]["provider_id"] for key in statewide}

    def found(self, name: str, keys: Iterable[Any], middle: Point, miles: float) -> dict[Any, Any]:
        """How far each of these is that is inside the circle; None if it is near to everybody."""
        found: dict[Any, float | None] = {}
        for key in keys:
            distance = min((haversine(middle, at) for at in self.places[name][key]), default=None)
            if distance is not None and distance <= miles:
                found[key] = distance
            elif key in self.everywhere[name]:
                found[key] = None
        return found


# A service at several places is as far away as the nearest of them. The sources have none, so what
# is offered around Santa Barbara is offered at two more places, wherever these may be.
SEVERAL = """
    insert into services_at_locations (id, service_id, location_id, source_id)
    select gen_random_uuid(), s.id, l.id, s.source_id
    from services s cross join lateral (
        select id from locations order by md5(s.id::text || id::text) limit 2) l
    where county_fips = '06083'
    on conflict do nothing
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(loaded_url: str) -> AsyncIterator[World]:
    """The directory, with services at several places, to be asked by GraphQL and by Python."""
    async with scratch(loaded_url) as url:
        async with connected(url) as connection:
            added = await connection.execute(SEVERAL)
        async with answered_twice(url) as opened:
            several = [
                places
                for places in opened[1].related("Service", "atLocations").values()
                if len(places) > 1
            ]
            assert len(several) > 500, added
            yield opened


@pytest.fixture(scope="module")
def atlas(world: World) -> Map:
    return Map(world[1])


def near(middle: Point, miles: float | None = None) -> dict[str, Any]:
    """The argument `near`."""
    point = dict(zip(("latitude", "longitude"), middle, strict=True))
    return {"point": point, "withinMiles": miles}


async def page(database: Database, name: str, **arguments: object) -> Mapping[str, Any]:
    """One page of what is near."""
    order = (f", $order: [{name}Order!]", ", orderBy: $order") if "order" in arguments else ("", "")
    text = f"""query ($near: Near, $filter: {name}Filter, $first: Int, $after: String, $last: Int,
                      $before: String{order[0]}) {{
        found: {KINDS[name].root}(near: $near, filter: $filter, first: $first, after: $after,
                                  last: $last, before: $before{order[1]}) {{
            edges {{ cursor distanceMiles node {{ id }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            totalCount aggregate {{ count }}
        }}
    }}"""
    return (await data_of(database, text, arguments))["found"]  # type: ignore[no-any-return]


async def walk(database: Database, name: str, *, size: int = 100, **arguments: object) -> list[Any]:
    """All edges of what is near, page by page."""
    edges: list[Any] = []
    found: Mapping[str, Any] = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while found["pageInfo"]["hasNextPage"]:
        after = found["pageInfo"]["endCursor"]
        found = await page(database, name, first=size, after=after, **arguments)
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        edges += found["edges"]
        assert found["totalCount"] == found["aggregate"]["count"]
    assert found["totalCount"] == len(edges)
    return edges


def agree(name: str, edges: list[Any], expected: Mapping[Any, Any]) -> None:
    """That a list has what Python found, as far away as it says, the nearest first."""
    ids = [edge["node"]["id"] for edge in edges]
    assert sorted(ids) == sorted(f"{name}:{key}" for key in expected)
    far = {f"{name}:{key}": distance for key, distance in expected.items()}
    for edge in edges:
        distance = far[edge["node"]["id"]]
        if distance is None:
            assert edge["distanceMiles"] is None
        else:
            assert edge["distanceMiles"] == pytest.approx(distance, abs=0.0051)
    # What is everywhere comes last; between equals, as at one address, the key decides.
    places = [(far[id] is None, round(far[id] or 0, 7), id) for id in ids]
    assert places == sorted(places)


@pytest.mark.parametrize("name", NEAR_KINDS)
async def test_distances_are_those_of_a_round_earth_and_the_nearest_comes_first(
    name: str, world: World, atlas: Map
) -> None:
    database, oracle = world
    for middle, miles in ((LOS_ANGELES, 3.0), (FRESNO, 60.0), (EUREKA, 50.0), (AT_SEA, 500.0)):
        if middle == AT_SEA and name not in ("Institution", "VisitorCenter"):
            continue
        edges = await walk(database, name, near=near(middle, miles))
        agree(name, edges, atlas.found(name, oracle.listed(name), middle, miles))


generated = settings(
    max_examples=200 if FUZZ else 5,
    derandomize=not FUZZ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)

# Filters on the row itself and across relations, with few and with many to find.
FILTERS: Mapping[str, list[dict[str, Any]]] = {
    "Institution": [{}, {"status": {"eq": "OPEN"}}, {"visitorCenters": {"some": {}}}],
    "VisitorCenter": [{}, {"institution": {"reentryHub": {"eq": True}}}],
    "Provider": [
        {},
        {"countyFips": {"eq": "06083"}},
        {"services": {"some": {"categories": {"some": {"code": {"eq": "LEGAL"}}}}}},
    ],
    "Service": [
        {},
        {"languages": {"has": "es"}},
        {"categories": {"some": {"code": {"in": ["MENTAL_HEALTH", "LEGAL"]}}}},
        {"servedCounties": {"some": {"fips": {"eq": "06087"}}}},
        {"not": {"countyFips": {"isNull": True}}},
    ],
    "ServiceAtLocation": [{}, {"service": {"countyFips": {"eq": "06037"}}}],
    "Location": [{}, {"city": {"eq": "Los Angeles"}}],
}


@pytest.mark.parametrize("name", NEAR_KINDS)
@generated
@given(drawn=st.data())
async def test_generated_walks_by_distance_meet_each_record_once_in_either_direction(
    name: str, drawn: st.DataObject, world: World, atlas: Map
) -> None:
    database, oracle = world
    middle = drawn.draw(st.sampled_from(MIDDLES))
    few = name in ("Institution", "VisitorCenter")
    miles = drawn.draw(st.sampled_from((20.0, 120.0, 500.0) if few else (0.5, 4.0, 12.0)))
    wanted = drawn.draw(st.sampled_from(FILTERS[name]))
    arguments = {"near": near(middle, miles), "filter": wanted}
    expected = atlas.found(name, oracle.kept(name, wanted), middle, miles)

    forward = await walk(database, name, size=min(100, max(2, len(expected) // 5)), **arguments)
    agree(name, forward, expected)

    size = drawn.draw(st.integers(min(100, len(expected) // 4 + 1), 100))
    backward: list[Any] = []
    cursor, more = None, True
    while more:
        found = await page(database, name, last=size, before=cursor, **arguments)
        backward = found["edges"] + backward
        info = found["pageInfo"]
        assert info["hasNextPage"] is (cursor is not None)
        cursor, more = info["startCursor"], info["hasPreviousPage"]
    assert backward == forward

    if forward:
        # Between two cursors is what lies between them.
        ends = sorted(drawn.draw(st.integers(0, len(forward) - 1)) for _ in range(2))
        after, before = (forward[end]["cursor"] for end in ends)
        found = await page(database, name, first=100, after=after, before=before, **arguments)
        assert found["edges"] == forward[ends[0] + 1 : ends[1]][:100]


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("Institution", [{"name": "DESC"}]),
        ("VisitorCenter", [{"institution": {"designCapacity": "ASC"}}]),
        ("Provider", [{"name": "ASC"}]),
        ("Service", [{"name": "DESC"}]),
        ("Location", [{"city": "ASC"}]),
    ],
)
async def test_an_order_of_ones_own_has_the_same_rows_and_their_distances(
    name: str, order: list[dict[str, Any]], world: World, atlas: Map
) -> None:
    database, oracle = world
    miles = 150.0 if name in ("Institution", "VisitorCenter") else 1.0
    expected = atlas.found(name, oracle.listed(name), SANTA_BARBARA, miles)
    edges = await walk(database, name, size=50, near=near(SANTA_BARBARA, miles), order=order)
    keys = oracle.sorted(name, expected, order)
    assert [edge["node"]["id"] for edge in edges] == [f"{name}:{key}" for key in keys]
    for edge, key in zip(edges, keys, strict=True):
        distance = expected[key]
        assert edge["distanceMiles"] == (distance and pytest.approx(distance, abs=0.0051))


async def test_lists_of_one_record_are_asked_for_what_is_near(world: World, atlas: Map) -> None:
    database, oracle = world
    text = """query ($near: Near) { counties(first: 100) { nodes { id
        services(near: $near, first: 2) { edges { distanceMiles node { id } } totalCount }
        served: servedBy(near: $near, last: 2) { edges { node { id } } totalCount }
        institutions(near: $near) { edges { distanceMiles node { id } } totalCount }
    } } }"""
    data = await data_of(database, text, {"near": near(SANTA_BARBARA, 120)})
    relations = {"services": "services", "served": "servedBy", "institutions": "institutions"}
    counted = 0
    for node in data["counties"]["nodes"]:
        fips = node["id"].partition(":")[2]
        for alias, relation in relations.items():
            name = oracle.target("County", relation)
            there = oracle.listed(name).intersection(oracle.related("County", relation)[fips])
            expected = atlas.found(name, there, SANTA_BARBARA, 120)
            assert node[alias]["totalCount"] == len(expected)
            counted += len(expected)
            order = sorted(expected, key=lambda key: (expected[key] is None, expected[key], key))
            ids = [edge["node"]["id"] for edge in node[alias]["edges"]]
            some = order[-2:] if alias == "served" else order[: len(ids)]
            assert ids == [f"{name}:{key}" for key in some]
    assert counted > 1000


async def test_groups_of_what_is_near_are_those_of_its_rows(world: World, atlas: Map) -> None:
    database, oracle = world
    text = """query ($near: Near) { services(near: $near) {
        totalCount groupBy(keys: [COUNTY_FIPS], first: 100) { key { countyFips } count } } }"""
    expected: dict[Any, int] = {}
    for key in atlas.found("Service", oracle.listed("Service"), LOS_ANGELES, 50):
        fips = oracle.rows["Service"][key]["county_fips"]
        expected[fips] = expected.get(fips, 0) + 1
    found = (await data_of(database, text, {"near": near(LOS_ANGELES)}))["services"]
    assert {group["key"]["countyFips"]: group["count"] for group in found["groupBy"]} == expected
    assert found["totalCount"] == sum(expected.values())


async def test_a_zip_code_is_the_point_that_stands_for_it(database: Database) -> None:
    zips = json.loads(await database.fetch("select json_agg(z order by zip) from zip_codes z", ()))
    assert len(zips) == 2593
    assert sum(zip_["approximate"] for zip_ in zips) == 791
    for zip_ in (zips[0], zips[1500], zips[2592]):
        point = near((zip_["latitude"], zip_["longitude"]), 60)
        there = await page(database, "Service", first=5, near=point)
        for written in (zip_["zip"], f"{zip_['zip']}-1234"):
            asked = {"zip": written, "withinMiles": 60}
            assert await page(database, "Service", first=5, near=asked) == there


async def test_our_own_addresses_lie_around_the_points_of_their_zip_codes(
    database: Database,
) -> None:
    pairs = await database.fetch(
        "select json_agg(json_build_array(array[l.public_latitude, l.public_longitude],"
        "                                 array[z.latitude, z.longitude]))"
        " from locations l join zip_codes z on z.zip = left(l.public_zip, 5)"
        " where l.public_latitude is not null",
        (),
    )
    far = sorted(haversine(here, there) for here, there in json.loads(pairs))
    assert len(far) > 2000
    assert far[len(far) // 2] < 2
    assert far[len(far) * 95 // 100] < 12


@pytest_asyncio.fixture(loop_scope="session")
async def changing(loaded_url: str) -> AsyncIterator[tuple[Database, str]]:
    """A directory of one's own, to be changed, and its URL."""
    async with scratch(loaded_url) as url:
        database = await Database.open(url)
        yield database, url
        await database.close()


async def test_a_place_that_moves_or_hides_is_where_it_is_now(
    changing: tuple[Database, str],
) -> None:
    database, url = changing
    kinds = ("Provider", "Service", "ServiceAtLocation", "Location")

    async def seen(middle: Point) -> list[float | None]:
        found = []
        for name in kinds:
            edges = (await page(database, name, first=100, near=near(middle, 1)))["edges"]
            distances = [edge["distanceMiles"] for edge in edges]
            found.append(next((one for one in distances if one is not None), None))
        return found

    async with connected(url) as connection:
        assert await seen(AT_SEA) == [None] * 4
        await connection.execute(
            "update locations set latitude = $1, longitude = $2 where id = (select location_id"
            " from services_at_locations order by id limit 1)",
            *AT_SEA,
        )
        assert await seen(AT_SEA) == [0.0] * 4
        for visibility in ("CITY_ONLY", "PUBLIC", "HIDDEN", "PUBLIC"):
            await connection.execute(
                "update locations set address_visibility = $1 where latitude = $2",
                visibility,
                AT_SEA[0],
            )
            shown = 0.0 if visibility == "PUBLIC" else None
            assert await seen(AT_SEA) == [shown] * 4, visibility
        await connection.execute(
            "update locations set latitude = null, longitude = null where latitude = $1", AT_SEA[0]
        )
        assert await seen(AT_SEA) == [None] * 4
        # Nor has anything but a public place a position that a mistake elsewhere could tell.
        assert await connection.fetchval(
            "select bool_and((position is null) = (public_latitude is null)) from locations"
        )


# What is wrong with it, and whether only the database can know.
NO_PLACE: list[tuple[dict[str, Any], str, bool]] = [
    ({}, "`near` takes either", False),
    ({"zip": "93610", **near(FRESNO)}, "`near` takes either", False),
    ({"zip": "9361"}, "`near.zip` is five digits", False),
    ({"zip": "93610-12"}, "`near.zip` is five digits", False),
    ({"zip": " 93610"}, "`near.zip` is five digits", False),
    ({"zip": "93610\n"}, "`near.zip` is five digits", False),
    ({"zip": "９３６１０"}, "`near.zip` is five digits", False),
    ({"zip": "%"}, "`near.zip` is five digits", False),
    ({"zip": "9" * 10_000}, "`near.zip` is five digits", False),
    ({"zip": "10001"}, "`near.zip` is a zip code of California", False),
    ({"zip": "97201-0001"}, "`near.zip` is a zip code of California", False),
    ({"zip": "90000"}, "`near.zip` 90000 is no zip code of California that we know", True),
    (near((90.0001, 0)), "`near.point.latitude`", False),
    (near((-91, 0)), "`near.point.latitude`", False),
    (near((1e308, 0)), "`near.point.latitude`", False),
    (near((0, 180.5)), "`near.point.longitude`", False),
    (near((0, -1e9)), "`near.point.longitude`", False),
    (near(FRESNO, 0), "`near.withinMiles`", False),
    (near(FRESNO, 5e-324), "`near.withinMiles`", False),
    (near(FRESNO, -3), "`near.withinMiles`", False),
    (near(FRESNO, 500.001), "`near.withinMiles`", False),
    (near(FRESNO, 10_000), "`near.withinMiles`", False),
]


@pytest.mark.parametrize(("asked", "message", "known_late"), NO_PLACE, ids=str)
async def test_what_is_no_place_is_refused_by_the_name_of_the_argument(
    asked: dict[str, Any], message: str, known_late: bool, database: Database
) -> None:
    text = "query ($near: Near) { services(near: $near) { nodes { id } } }"
    before = database.statements
    response = await ask(database, text, {"near": asked})
    assert codes_of(response) == ["BAD_USER_INPUT"]
    assert message in response["errors"][0]["message"]
    assert (database.statements > before) is known_late


@pytest.mark.parametrize(
    "asked",
    [near((90, 0)), near((-90, 180)), near((0, -180), 500), near((37, -120), 0.01)],
    ids=str,
)
async def test_where_nobody_is_nobody_is_found(asked: dict[str, Any], database: Database) -> None:
    found = await page(database, "Institution", near=asked)
    assert (found["edges"], found["totalCount"]) == ([], 0)


async def test_the_whole_state_is_not_farther_than_one_may_ask(database: Database) -> None:
    found = await page(database, "Institution", near=near(FRESNO, 500))
    every = (await data_of(database, "{ institutions { totalCount } }"))["institutions"]
    assert found["totalCount"] == every["totalCount"]


SYNTHETIC = ", filter: {provenance: {source: {synthetic: {eq: true}}}}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def large(loaded_url: str) -> AsyncIterator[Database]:
    """A directory of ten thousand synthetic providers, and the real ones."""
    async with scratch(loaded_url) as url:
        await synthesize(url, providers=10_000)
        opened = await Database.open(url)
        yield opened
        await opened.close()


@pytest.mark.parametrize("name", ["Provider", "Service", "ServiceAtLocation", "Location"])
@pytest.mark.parametrize(
    "wanted", ["", ", filter: {provenance: {source: {synthetic: {eq: true}}}}"], ids=repr
)
async def test_what_is_near_is_read_from_the_index_in_its_order(
    name: str, wanted: str, large: Database
) -> None:
    text = f"""{{ found: {KINDS[name].root}(
        near: {{point: {{latitude: 34.0522, longitude: -118.2437}}}}{wanted}, first: 10) {{
        edges {{ distanceMiles node {{ id }} }} pageInfo {{ hasNextPage }} }} }}"""
    plan = await explain(the_graph(), large, GraphQLRequest(text))
    walked = re.findall(
        r"Index Scan using locations_position_idx on locations \w+ .*?rows=(\d+)"
        r"(?:(?!->).)*?Order By: \(\"?position\"? <->",
        plan,
        re.S,
    )
    # Of thousands in the circle it looked at hardly more than it shows.
    assert walked, plan
    assert float(walked[0]) < 100
    assert not re.search(r"Seq Scan on (services|providers|locations)", plan), plan
