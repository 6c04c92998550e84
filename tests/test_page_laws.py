"""The laws of paging where rows are many, values missing, and records gone while one reads."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from db.database import Database
from tests.db.scratch import connected, scratch
from tests.kinds import KINDS
from tests.roads import data_of
from tests.second_opinion import Step, World

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"

# Longer than any page; null in any place; directions mixed; related values, near and far; counts.
WALKS: list[tuple[str, list[Step]]] = [
    ("ProgramOffering", []),
    ("ProgramOffering", [{"capacity": "DESC"}, {"asOf": "ASC"}, {"evidence": "DESC"}]),
    ("ProgramOffering", [{"institution": {"parent": {"county": {"name": "ASC"}}}}]),
    ("ProgramOffering", [{"program": {"operator": {"name": "DESC"}}}, {"capacity": "ASC"}]),
    ("ProgramOffering", [{"institution": {"visitingStatus": {"lastUpdated": "DESC"}}}]),
    ("ProgramOffering", [{"program": {"institutions": {"count": "ASC"}}}, {"id": "DESC"}]),
    ("Institution", [{"parent": {"children": {"count": "DESC"}}}, {"closedOn": "ASC"}]),
    ("Institution", [{"reentryHub": "DESC"}, {"openedYear": "ASC"}, {"statusNote": "DESC"}]),
    ("County", [{"providers": {"count": "DESC"}}, {"name": "ASC"}]),
    ("Verification", [{"nextDueAt": "ASC"}, {"verifiedAt": "DESC"}]),
    ("VisitingStatus", [{"exceptions": "DESC"}]),
]

generated = settings(
    max_examples=300 if FUZZ else 6,
    derandomize=not FUZZ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


async def page(
    database: Database, name: str, order: Sequence[Step], **arguments: object
) -> Mapping[str, Any]:
    """One page, whose edges, nodes and ends say the same."""
    text = f"""query ($order: [{name}Order!], $first: Int, $after: String, $last: Int,
                      $before: String) {{
        found: {KINDS[name].root}(orderBy: $order, first: $first, after: $after, last: $last,
                                  before: $before) {{
            nodes {{ id }}
            edges {{ cursor node {{ id }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
        }}
    }}"""
    found: Mapping[str, Any] = (await data_of(database, text, {"order": order, **arguments}))[
        "found"
    ]
    cursors = [edge["cursor"] for edge in found["edges"]] or [None]
    assert found["nodes"] == [edge["node"] for edge in found["edges"]]
    assert found["pageInfo"]["startCursor"] == cursors[0]
    assert found["pageInfo"]["endCursor"] == cursors[-1]
    return found


@pytest.mark.parametrize(("name", "order"), WALKS, ids=str)
@generated
@given(drawn=st.data())
async def test_generated_walks_meet_every_record_once_in_the_order_of_python(
    name: str, order: list[Step], drawn: st.DataObject, world: World
) -> None:
    database, oracle = world
    ids = [oracle.id(name, key) for key in oracle.sorted(name, oracle.listed(name), order)]
    size = drawn.draw(st.integers(len(ids) // 12 + 1, 100))
    backward = drawn.draw(st.booleans())
    how, beyond = ("last", "before") if backward else ("first", "after")
    more, less = ("hasPreviousPage", "hasNextPage")[:: 1 if backward else -1]
    walked: list[str] = []
    cursor = None
    while True:
        found = await page(database, name, order, **{how: size, beyond: cursor})
        here = [node["id"] for node in found["nodes"]]
        walked = here + walked if backward else walked + here
        info = found["pageInfo"]
        assert info[more] is (len(walked) < len(ids))
        assert info[less] is (cursor is not None)
        if not info[more]:
            break
        cursor = info["startCursor" if backward else "endCursor"]
    assert walked == ids


async def test_an_empty_page_still_knows_what_lies_around_it(world: World) -> None:
    database = world[0]
    whole = (await page(database, "Institution", [], first=100))["edges"]
    cursors = [edge["cursor"] for edge in whole]
    for arguments, more, less in (
        ({"first": 0}, True, False),
        ({"last": 0}, False, True),
        ({"first": 0, "after": cursors[3]}, True, True),
        ({"last": 0, "before": cursors[3]}, True, True),
        ({"first": 0, "after": cursors[-1]}, False, True),
        ({"first": 5, "after": cursors[-1]}, False, True),
        ({"last": 5, "before": cursors[0]}, True, False),
        ({"first": 5, "after": cursors[3], "before": cursors[4]}, True, True),
        ({"last": 5, "after": cursors[9], "before": cursors[2]}, True, True),
    ):
        found = await page(database, "Institution", [], **arguments)
        assert found["edges"] == []
        assert (found["pageInfo"]["hasNextPage"], found["pageInfo"]["hasPreviousPage"]) == (
            more,
            less,
        ), arguments


async def test_one_list_read_twice_in_an_operation_is_two_pages(world: World) -> None:
    text = """query ($size: Int) { counties(first: 100) { nodes {
        short: providers(first: $size, orderBy: [{name: DESC}]) { nodes { id } totalCount }
        long: providers(first: 100, orderBy: [{name: DESC}]) { nodes { id } }
        end: providers(last: $size, orderBy: [{name: DESC}]) { edges { node { id } } }
        few: providers(first: 1, filter: {orgType: {isNull: true}}) { totalCount }
    } } }"""
    database, oracle = world
    nodes = (await data_of(database, text, {"size": 3}))["counties"]["nodes"]
    counties = oracle.sorted("County", oracle.rows["County"])
    unknown = oracle.kept("Provider", {"orgType": {"isNull": True}})
    for key, node in zip(counties, nodes, strict=True):
        here = oracle.related("County", "providers")[key]
        there = oracle.sorted("Provider", here, [{"name": "DESC"}])
        ids = [{"id": oracle.id("Provider", one)} for one in there]
        assert node["long"]["nodes"] == ids[:100]
        assert node["short"] == {"nodes": ids[:3], "totalCount": len(ids)}
        assert [edge["node"] for edge in node["end"]["edges"]] == ids[-3:]
        assert node["few"]["totalCount"] == len(unknown & set(here))


@pytest_asyncio.fixture(loop_scope="session")
async def changing(loaded_url: str) -> AsyncIterator[tuple[Database, str]]:
    """A directory of one's own, to be changed, and its URL."""
    async with scratch(loaded_url) as url:
        database = await Database.open(url)
        yield database, url
        await database.close()


@pytest.mark.parametrize(
    "order",
    [[], [{"capacity": "DESC"}, {"asOf": "ASC"}], [{"institution": {"name": "ASC"}}]],
    ids=str,
)
async def test_a_cursor_outlives_its_record(
    order: list[Step], changing: tuple[Database, str]
) -> None:
    database, url = changing
    async with connected(url) as connection:
        # Few enough for one page to show them all.
        await connection.execute(
            "delete from program_offerings where id not in"
            " (select id from program_offerings order by md5(id::text) limit 60)"
        )
    whole = (await page(database, "ProgramOffering", order, first=100))["edges"]
    gone = {place: whole[place]["cursor"] for place in (0, 30, 59)}
    async with connected(url) as connection:
        keys = [whole[place]["node"]["id"].partition(":")[2] for place in gone]
        await connection.execute("delete from program_offerings where id = any($1::uuid[])", keys)
    left = [edge for place, edge in enumerate(whole) if place not in gone]

    found = await page(database, "ProgramOffering", order, first=4, after=gone[30])
    assert found["edges"] == left[29:33]
    found = await page(database, "ProgramOffering", order, last=4, before=gone[30])
    assert found["edges"] == left[25:29]
    # Where the first and the last record are gone, nothing lies beyond the cursors they left.
    found = await page(database, "ProgramOffering", order, first=4, after=gone[0])
    assert (found["edges"], found["pageInfo"]["hasPreviousPage"]) == (left[:4], False)
    found = await page(database, "ProgramOffering", order, last=4, before=gone[59])
    assert (found["edges"], found["pageInfo"]["hasNextPage"]) == (left[-4:], False)
