"""The laws of paging: any way through a list is the list, exactly once and in order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.database import Database
from resolvers.resolve import GraphQLRequest, resolve
from tests.db.scratch import connected, scratch
from tests.roads import ask, codes_of, data_of, the_graph

# Lists of at most a hundred, so that one page is all: by names, by numbers with nulls among them,
# in mixed directions, by what is related, by how much is related.
LISTS = [
    ("institutions", "[]"),
    ("institutions", "[{openedYear: ASC}]"),
    ("institutions", "[{openedYear: DESC}, {code: ASC}]"),
    ("institutions", "[{status: DESC}, {designCapacity: ASC}, {openedYear: DESC}]"),
    ("institutions", "[{county: {name: DESC}}, {name: ASC}]"),
    ("institutions", "[{population: {inCustody: DESC}}]"),
    ("institutions", "[{programs: {count: DESC}}]"),
    ("institutions", "[{visitorCenters: {count: ASC}}, {location: {city: DESC}}]"),
    ("institutions", "[{reentryHub: ASC}, {closedOn: DESC}]"),
    ("institutions", "[{id: DESC}]"),
    ("programs", "[{deliveredBy: DESC}]"),
    ("programs", "[{operator: {name: ASC}}, {updatedAt: DESC}]"),
    ("visitorCenters", "[{vanNoticeDays: DESC}, {populationUsed: DESC}]"),
    ("visitingStatuses", "[]"),
    ("visitingStatuses", "[{lastUpdated: ASC}]"),
    ("categories", "[{code: DESC}]"),
    ("counties", "[]"),
]

quickly = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
PAGE = f"edges {{ cursor node {{ id }} }} nodes {{ id }} {INFO}"
VARIABLES = "($first: Int, $last: Int, $after: String, $before: String)"
ARGUMENTS = "first: $first, last: $last, after: $after, before: $before"


async def page(database: Database, root: str, order: str, **arguments: object) -> Mapping[str, Any]:
    """One page of a list, both as edges and as nodes."""
    text = f"query {VARIABLES} {{ {root}(orderBy: {order}, {ARGUMENTS}) {{ {PAGE} }} }}"
    data = await data_of(database, text, arguments)
    found: Mapping[str, Any] = data[root]
    assert found["nodes"] == [edge["node"] for edge in found["edges"]]
    cursors = [edge["cursor"] for edge in found["edges"]]
    assert found["pageInfo"]["startCursor"] == (cursors[0] if cursors else None)
    assert found["pageInfo"]["endCursor"] == (cursors[-1] if cursors else None)
    return found


@pytest.mark.parametrize(("root", "order"), LISTS)
@quickly
@given(size=st.integers(1, 100))
async def test_walking_forward_gives_the_whole_list_once_in_order(
    root: str, order: str, size: int, database: Database
) -> None:
    whole = (await page(database, root, order, first=100))["edges"]
    walked: list[object] = []
    after = None
    for _ in whole:
        found = await page(database, root, order, first=size, after=after)
        walked += found["edges"]
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert found["pageInfo"]["hasNextPage"] is (len(walked) < len(whole))
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert walked == whole


@pytest.mark.parametrize(("root", "order"), LISTS)
@quickly
@given(size=st.integers(1, 100))
async def test_walking_backward_gives_the_same_list_from_its_end(
    root: str, order: str, size: int, database: Database
) -> None:
    whole = (await page(database, root, order, first=100))["edges"]
    walked: list[object] = []
    before = None
    for _ in whole:
        found = await page(database, root, order, last=size, before=before)
        walked = found["edges"] + walked
        assert found["pageInfo"]["hasNextPage"] is (before is not None)
        assert found["pageInfo"]["hasPreviousPage"] is (len(walked) < len(whole))
        if not found["pageInfo"]["hasPreviousPage"]:
            break
        before = found["pageInfo"]["startCursor"]
    assert walked == whole


@pytest.mark.parametrize(("root", "order"), LISTS)
@quickly
@given(drawn=st.data())
async def test_two_cursors_are_a_window(
    root: str, order: str, drawn: st.DataObject, database: Database
) -> None:
    whole = (await page(database, root, order, first=100))["edges"]
    places = st.none() | st.integers(0, len(whole) - 1)
    after, before = drawn.draw(places), drawn.draw(places)
    size, backward = drawn.draw(st.integers(0, 12)), drawn.draw(st.booleans())
    found = await page(
        database,
        root,
        order,
        **{"last" if backward else "first": size},
        after=None if after is None else whole[after]["cursor"],
        before=None if before is None else whole[before]["cursor"],
    )
    window = whole[0 if after is None else after + 1 : before]
    more = len(window) > size
    assert found["edges"] == (window[len(window) - size :] if backward and more else window[:size])
    # The rows of the cursors themselves are there, outside the window.
    assert found["pageInfo"]["hasNextPage"] is ((more and not backward) or before is not None)
    assert found["pageInfo"]["hasPreviousPage"] is ((more and backward) or after is not None)


@quickly
@given(size=st.integers(1, 9))
async def test_lists_within_lists_are_paged_like_any_other(size: int, database: Database) -> None:
    offerings = "programOfferings(orderBy: [{asOf: DESC}, {program: {slug: ASC}}], "
    text = f"""query ($size: Int) {{ institutions(filter: {{status: {{eq: OPEN}}}}, first: 40) {{
      nodes {{
        code
        all: {offerings} first: 100) {{ totalCount edges {{ cursor node {{ id }} }} }}
        page: {offerings} first: $size) {{ {PAGE} }}
        end: {offerings} last: $size) {{ {PAGE} }}
      }}
    }} }}"""
    for prison in (await data_of(database, text, {"size": size}))["institutions"]["nodes"]:
        whole = prison["all"]["edges"]
        assert len(whole) == prison["all"]["totalCount"]
        assert prison["page"]["edges"] == whole[:size]
        assert prison["page"]["pageInfo"]["hasNextPage"] is (len(whole) > size)
        assert prison["end"]["edges"] == whole[-size:]
        assert prison["end"]["pageInfo"]["hasPreviousPage"] is (len(whole) > size)


async def test_a_nested_list_is_walked_by_its_own_cursors(database: Database) -> None:
    text = """query ($after: String) { institution(code: "SQ") {
      programs(first: 3, after: $after) {
        nodes { slug }
        pageInfo { hasNextPage endCursor }
        totalCount
      }
    } }"""
    walked: list[str] = []
    after = None
    for _ in range(100):
        found = (await data_of(database, text, {"after": after}))["institution"]["programs"]
        walked += [node["slug"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert len(walked) == len(set(walked)) == found["totalCount"]


async def test_a_page_has_twenty_if_nobody_says_how_many(database: Database) -> None:
    text = """{
      institutions { nodes { code } edges { cursor } pageInfo { hasNextPage } }
      county(fips: "06037") { providers { nodes { slug } } }
      providers { groupBy(keys: COUNTY) { count } }
      search(text: "center") { nodes { __typename } }
    }"""
    found = await data_of(database, text)
    assert len(found["institutions"]["nodes"]) == len(found["institutions"]["edges"]) == 20
    assert found["institutions"]["pageInfo"]["hasNextPage"] is True
    assert len(found["county"]["providers"]["nodes"]) == 20
    assert len(found["providers"]["groupBy"]) == 20
    assert len(found["search"]["nodes"]) == 20


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("first: 101", "PAGE_TOO_LARGE"),
        ("last: 101", "PAGE_TOO_LARGE"),
        ("first: 2147483647", "PAGE_TOO_LARGE"),
        ("first: -1", "BAD_USER_INPUT"),
        ("last: -1", "BAD_USER_INPUT"),
        ("first: 1, last: 1", "BAD_USER_INPUT"),
        ('after: ""', "BAD_CURSOR"),
        ('before: "nonsense"', "BAD_CURSOR"),
    ],
)
@pytest.mark.parametrize(
    "asked",
    [
        "{ institutions(%s) { nodes { code } } }",
        "{ institutions(%s) { edges { cursor } pageInfo { endCursor } } }",
        "{ institutions(%s) { totalCount } }",
        "{ institutions(%s) { pageInfo { hasNextPage } } }",
        "{ institutions(%s) { __typename } }",
        '{ county(fips: "06037") { providers(%s) { nodes { slug } } } }',
        '{ county(fips: "06037") { providers(%s) { aggregate { count } } } }',
        "{ counties(first: 2) { edges { node { services(%s) { nodes { id } } } } } }",
        '{ search(text: "center", %s) { nodes { __typename } } }',
        '{ search(text: "center", %s) { facets { types { count } } } }',
    ],
)
async def test_a_page_that_makes_no_sense_is_refused_at_every_level(
    asked: str, arguments: str, code: str, database: Database
) -> None:
    assert set(codes_of(await ask(database, asked % arguments))) == {code}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("{ institutions { groupBy(keys: STATUS, first: 101) { count } } }", "PAGE_TOO_LARGE"),
        ("{ institutions { groupBy(keys: [], first: 1) { count } } }", "BAD_USER_INPUT"),
        ('{ suggest(text: "center", first: 21) { text } }', "BAD_USER_INPUT"),
        ('{ suggest(text: "center", first: 0) { text } }', "BAD_USER_INPUT"),
    ],
)
async def test_groups_and_suggestions_have_limits_of_their_own(
    asked: str, code: str, database: Database
) -> None:
    assert codes_of(await ask(database, asked)) == [code]


async def test_a_field_with_two_faults_is_refused_once(database: Database) -> None:
    text = """{
      institutions(first: -1, after: "x", filter: {openedYear: {eq: null}}) {
        totalCount
        groupBy(keys: [], first: 101) { count }
      }
      county(fips: "06037") { name }
    }"""
    response = await ask(database, text)
    assert codes_of(response) == ["BAD_USER_INPUT"]
    assert response["data"] == {"institutions": None, "county": {"name": "Los Angeles"}}


async def test_a_cursor_belongs_to_one_order(database: Database) -> None:
    by_name = (await page(database, "institutions", "[]", first=1))["pageInfo"]["endCursor"]
    for order in ("[{name: DESC}]", "[{code: ASC}]", "[{name: ASC}, {code: ASC}]"):
        text = (
            f"""{{ institutions(after: "{by_name}", orderBy: {order}) {{ nodes {{ code }} }} }}"""
        )
        assert codes_of(await ask(database, text)) == ["BAD_CURSOR"]
    same = f"""{{ institutions(after: "{by_name}", orderBy: [{{name: ASC}}]) {{ totalCount }} }}"""
    assert codes_of(await ask(database, same)) == []


@pytest.fixture
async def changing(loaded_url: str) -> AsyncIterator[tuple[Database, str]]:
    """A directory of one's own, to be changed, and its URL."""
    async with scratch(loaded_url) as url:
        database = await Database.open(url)
        yield database, url
        await database.close()


async def test_rows_that_come_and_go_move_no_page(changing: tuple[Database, str]) -> None:
    database, url = changing
    text = """query ($after: String) { programs(first: 5, after: $after) {
      edges { cursor node { slug name } } pageInfo { hasPreviousPage } } }"""

    async def ask_after(after: str | None) -> dict[str, Any]:
        request = GraphQLRequest(text, None, {"after": after})
        body = json.loads((await resolve(the_graph(), database, request)).body)
        found: dict[str, Any] = body["data"]["programs"]
        return found

    first = (await ask_after(None))["edges"]
    cursor = first[-1]["cursor"]
    second = (await ask_after(cursor))["edges"]
    names = [first[1]["node"]["name"] + "!", second[1]["node"]["name"] + "!"]
    async with connected(url) as connection:
        # One before the cursor and one after it; and the cursor's own row takes another name.
        for slug, name in zip(("new-before", "new-after"), names, strict=True):
            await connection.execute(
                "insert into programs (id, slug, name, source_id)"
                " select gen_random_uuid(), $1, $2, min(source_id::text)::uuid from programs",
                slug,
                name,
            )
        await connection.execute(
            "update programs set name = 'Zzz' where slug = $1", first[-1]["node"]["slug"]
        )
    again = await ask_after(cursor)
    slugs = [edge["node"]["slug"] for edge in second]
    assert [edge["node"]["slug"] for edge in again["edges"]] == [
        *slugs[:2],
        "new-after",
        *slugs[2:4],
    ]
    assert again["pageInfo"]["hasPreviousPage"] is True
