"""Whoever looks for a hidden place finds the same, wherever it is.

There are directories alike but for two places: in one they are in Los Angeles, in another in
Eureka, in the third nobody knows where they are. One place hides its whole address, the other all
but its city. If any answer to anybody's question told where they are, it would be another answer
in another of the directories.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from db.data.identity import identity
from db.database import Database
from resolvers.resolve import GraphQLRequest, resolve
from tests.db.scratch import connected, scratch
from tests.roads import the_graph
from tests.test_place import Point, near

LOS_ANGELES = (34.0437, -118.2512)
EUREKA = (40.7989, -124.1591)


@dataclass(frozen=True)
class Spot:
    """Where the two places really are."""

    street: str | None = None
    city: str | None = None
    county_fips: str | None = None
    zip: str | None = None
    point: Point | None = None


SPOTS = {
    "south": Spot("801 S Olive St", "Los Angeles", "06037", "90014", LOS_ANGELES),
    "north": Spot("314 E St", "Eureka", "06023", "95501", EUREKA),
    "nowhere": Spot(),
}

HIDE = """
    update locations set address_visibility = $2, street = $3, unit = 'B',
        city = case when $2 = 'HIDDEN' then $4 else city end,
        county_fips = case when $2 = 'HIDDEN' then $5 else county_fips end,
        zip = $6, latitude = $7, longitude = $8, transportation = $3
    where source_record_id = $1
"""
# A provider with a public address of each, that is about to hide it.
HIDING = {"HIDDEN": "providers/THRIVE-SB-105", "CITY_ONLY": "providers/SAMHSA-MH-0413"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worlds(loaded_url: str) -> AsyncIterator[dict[str, Database]]:
    """The directories, and one in which nothing is hidden, to see that the questions do ask."""
    async with AsyncExitStack() as stack:
        opened = {}
        for name, spot in {**SPOTS, "open": SPOTS["south"]}.items():
            url = await stack.enter_async_context(scratch(loaded_url))
            async with connected(url) as connection:
                for visibility, record in HIDING.items():
                    shown = "PUBLIC" if name == "open" else visibility
                    done = await connection.execute(
                        HIDE,
                        record,
                        shown,
                        spot.street,
                        spot.city,
                        spot.county_fips,
                        spot.zip,
                        *(spot.point or (None, None)),
                    )
                    assert done == "UPDATE 1"
            opened[name] = await Database.open(url)
            stack.push_async_callback(opened[name].close)
        yield opened


CIRCLE = """query ($near: Near!, $zip: String!, $city: String!, $county: String!) {
    providers(near: $near, first: 30) {
        edges { cursor distanceMiles node { id } } totalCount
        pageInfo { hasNextPage endCursor } groupBy(keys: [COUNTY_FIPS]) { key { countyFips } count }
    }
    last: providers(near: $near, last: 5) { edges { cursor distanceMiles node { id } } }
    services(near: $near, first: 30) {
        edges { distanceMiles node { id } } totalCount aggregate { count }
    }
    servicesAtLocations(near: $near, first: 30) {
        edges { distanceMiles node { id } } totalCount
        groupBy(keys: [LOCATION]) { key { location { id } } count }
    }
    locations(near: $near, first: 30) {
        edges { distanceMiles node { id street zip } } totalCount
        groupBy(keys: [PROVENANCE_SOURCE]) {
            count aggregate { latitude { min max avg } longitude { sum } }
        }
    }
    ordered: locations(near: $near, orderBy: [{city: DESC}], first: 10) {
        edges { cursor distanceMiles node { id } } }
    byName: providers(near: $near, orderBy: [{name: ASC}], first: 10) {
        edges { cursor distanceMiles node { id } } pageInfo { hasNextPage } }
    inZip: locations(near: $near, filter: {zip: {eq: $zip}}) { totalCount }
    inCity: providers(near: $near, filter: {location: {city: {eq: $city}}}) { totalCount }
    notIn: providers(near: $near, filter: {not: {location: {city: {eq: $city}}}}) { totalCount }
    anyOf: providers(near: $near, filter: {or: [{location: {zip: {eq: $zip}}},
        {location: {countyFips: {eq: $county}}}]}) { totalCount }
    county(fips: $county) {
        locations(near: $near) { totalCount }
        services(near: $near, first: 5) { edges { distanceMiles node { id } } totalCount }
    }
}"""

ANYWHERE = """query ($zip: String!, $city: String!, $county: String!, $ids: [ID!]!) {
    nodes(ids: $ids) { id ... on Location {
        street unit city zip county { name } countyFips latitude longitude transportation
        addressVisibility providers { nodes { name slug } }
    } ... on Provider { slug location { street city zip latitude longitude } } }
    inZip: locations(filter: {zip: {eq: $zip}}) { totalCount nodes { id } }
    inCity: locations(filter: {city: {eq: $city}}) { totalCount aggregate { latitude { avg } } }
    providers(filter: {location: {county: {fips: {eq: $county}}}}) { totalCount }
    county(fips: $county) { locations { totalCount aggregate { count } } }
    last: locations(orderBy: [{city: ASC}], last: 30) { edges { cursor node { id } } }
    counties(first: 100, orderBy: [{locations: {count: DESC}}]) {
        nodes { fips locations { totalCount } } }
}"""


def circles() -> Iterator[dict[str, Any]]:
    """Circles small and large on a grid over each of the places."""
    for spot in SPOTS.values():
        if spot.point is None:
            continue
        asked = {"zip": spot.zip, "city": spot.city, "county": spot.county_fips}
        latitude, longitude = spot.point
        yield {"near": {"zip": spot.zip, "withinMiles": 1}, **asked}
        for step in (0.001, 0.03):
            for north, east in ((0, 0), (1, 0), (0, 1), (-1, -1)):
                middle = (latitude + north * step, longitude + east * step)
                for miles in (0.2, 4.0):
                    yield {"near": near(middle, miles), **asked}


async def told(database: Database, text: str, variables: Mapping[str, Any]) -> bytes:
    return (await resolve(the_graph(), database, GraphQLRequest(text, None, variables))).body


async def told_alike(
    worlds: Mapping[str, Database], text: str, variables: Mapping[str, Any]
) -> bytes:
    """The one answer of all directories in which the places are hidden."""
    answers = {name: await told(worlds[name], text, variables) for name in SPOTS}
    assert b'"errors"' not in answers["south"], answers["south"]
    assert answers["south"] == answers["north"] == answers["nowhere"], variables
    return answers["south"]


async def test_no_circle_tells_where_a_hidden_place_is(worlds: dict[str, Database]) -> None:
    differ = 0
    for variables in circles():
        answer = await told_alike(worlds, CIRCLE, variables)
        differ += answer != await told(worlds["open"], CIRCLE, variables)
    # Where nothing is hidden, the same questions find both of them.
    assert differ >= 10


async def test_no_cursor_tells_where_a_hidden_place_is(worlds: dict[str, Database]) -> None:
    """A cursor may be forged, to stand exactly where a hidden place would be."""
    text = """query ($near: Near!, $at: String) {
        next: providers(near: $near, first: 3, after: $at) {
            edges { cursor node { id } } pageInfo { hasPreviousPage } }
        last: providers(near: $near, last: 3, before: $at) {
            nodes { id } pageInfo { hasNextPage } } }"""
    variables = {"near": near((LOS_ANGELES[0] + 0.02, LOS_ANGELES[1]), 5)}
    genuine = json.loads(await told_alike(worlds, text, variables))["data"]["next"]["edges"][0]
    order, _, key = json.loads(base64.b64decode(genuine["cursor"]))
    exact = 2 * math.sin(math.radians(0.02) / 2)
    for distance in (exact, exact * (1 - 1e-9), exact * (1 + 1e-9), 0.0, None):
        cursor = base64.b64encode(json.dumps([order, distance, key]).encode()).decode()
        await told_alike(worlds, text, {**variables, "at": cursor})


async def test_no_filter_order_count_or_field_tells_where_a_hidden_place_is(
    worlds: dict[str, Database],
) -> None:
    ids = [f"Location:{identity('locations', record)}" for record in HIDING.values()]
    for record in HIDING.values():
        _, _, provider = record.partition("/")
        ids.append(f"Provider:{identity('providers', provider)}")
    for spot in SPOTS.values():
        if spot.point is not None:
            asked = {"zip": spot.zip, "city": spot.city, "county": spot.county_fips, "ids": ids}
            answer = await told_alike(worlds, ANYWHERE, asked)
            assert None not in json.loads(answer)["data"]["nodes"]
            assert answer != await told(worlds["open"], ANYWHERE, asked)


@pytest.mark.parametrize("name", SPOTS)
async def test_a_hidden_place_has_no_position(name: str, worlds: dict[str, Database]) -> None:
    told = await worlds[name].fetch(
        "select to_json(count(position)) from locations where address_visibility <> 'PUBLIC'", ()
    )
    assert told == b"0"
