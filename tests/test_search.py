"""What a search promises: pages, numbers, places, languages, and what nobody may find."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from html import unescape
from typing import Any

import pytest
import pytest_asyncio

from db.database import Database
from resolvers.resolve import GraphQLRequest, resolve
from tests.db.scratch import connected, scratch, stopped
from tests.roads import ask, codes_of, data_of, the_graph

SEARCH = """query (
    $text: String!, $lang: Language, $near: Near, $types: [SearchType!], $filter: SearchFilter,
    $first: Int, $after: String, $last: Int, $before: String
) {
    search(
        text: $text, lang: $lang, near: $near, types: $types, filter: $filter,
        first: $first, after: $after, last: $last, before: $before
    ) {
        totalCount
        complete
        facets {
            categories { code count }
            counties { fips count }
            languages { code count }
            types { type count }
        }
        edges {
            cursor score distanceMiles status titleHtml snippetHtml categories counties languages
            node { __typename ... on Node { id } ... on Institution { code } }
        }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}"""

Found = Mapping[str, Any]


async def search(database: Database, text: str, **variables: object) -> Found:
    """One page of what a text finds."""
    found: Found = (await data_of(database, SEARCH, {"text": text, **variables}))["search"]
    return found


# What has been walked through already, since nothing changes what the tests only read.
WALKED: dict[str, list[Found]] = {}


async def walked_once(database: Database, text: str, variables: dict[str, object]) -> list[Found]:
    """Everything that a text finds, of the directory that nobody changes."""
    key = json.dumps([text, variables])
    if key not in WALKED:
        WALKED[key] = await whole(database, text, **variables)
    return WALKED[key]


async def whole(database: Database, text: str, **variables: object) -> list[Found]:
    """Everything that a text finds, a page of a hundred at a time."""
    edges: list[Found] = []
    after = None
    while True:
        page = await search(database, text, first=100, after=after, **variables)
        edges += page["edges"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(edges)
            return edges
        after = page["pageInfo"]["endCursor"]


ASKED: list[tuple[str, dict[str, object]]] = [
    ("sober livng", {"lang": "ES"}),
    ("dental clinic", {"near": {"zip": "93101", "withinMiles": 100}}),
    ("shelter", {"filter": {"counties": ["06083", "06075"], "closed": False}}),
    ("food", {"types": ["SERVICE"], "filter": {"languages": ["es"]}}),
    ("employment", {"filter": {"categories": ["HOUSING"]}}),
    ("friends outside visitor center", {}),
]


@pytest.mark.parametrize(("text", "variables"), ASKED, ids=str)
async def test_pages_forward_and_backward_are_the_whole(
    text: str, variables: dict[str, object], database: Database
) -> None:
    edges = await walked_once(database, text, variables)
    assert len(edges) > 8
    dice = random.Random(text)
    for how, beyond, more, less, end in (
        ("first", "after", "hasNextPage", "hasPreviousPage", "endCursor"),
        ("last", "before", "hasPreviousPage", "hasNextPage", "startCursor"),
    ):
        walked: list[Found] = []
        cursor = None
        while True:
            size = dice.randint(len(edges) // 4 + 1, 100)
            page = await search(database, text, **variables, **{how: size, beyond: cursor})
            here = page["edges"]
            walked = walked + here if how == "first" else here + walked
            assert page["totalCount"] == len(edges)
            assert page["pageInfo"][less] is (cursor is not None)
            assert page["pageInfo"][more] is (len(walked) < len(edges))
            if not page["pageInfo"][more]:
                break
            cursor = page["pageInfo"][end]
        assert walked == edges


@pytest.mark.parametrize(("text", "variables"), ASKED, ids=str)
async def test_the_best_come_first_and_nothing_comes_twice(
    text: str, variables: dict[str, object], database: Database
) -> None:
    edges = await walked_once(database, text, variables)
    scores = [edge["score"] for edge in edges]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert len({edge["node"]["id"] for edge in edges}) == len(edges)


@pytest.mark.parametrize(("text", "variables"), ASKED, ids=str)
async def test_facets_count_what_is_on_all_pages(
    text: str, variables: dict[str, object], database: Database
) -> None:
    edges = await walked_once(database, text, variables)
    facets = (await search(database, text, first=1, **variables))["facets"]
    for name, key in (("categories", "code"), ("counties", "fips"), ("languages", "code")):
        counted = Counter(item for edge in edges for item in edge[name])
        listed = {facet[key]: facet["count"] for facet in facets[name]}
        assert listed == counted
        counts = [facet["count"] for facet in facets[name]]
        assert counts == sorted(counts, reverse=True)
    types = Counter(
        re.sub(r"(?<!^)([A-Z])", r"_\1", edge["node"]["__typename"]).upper() for edge in edges
    )
    assert {facet["type"]: facet["count"] for facet in facets["types"]} == types


@pytest.mark.parametrize(("text", "variables"), ASKED, ids=str)
async def test_what_is_marked_is_escaped_and_says_what_the_record_says(
    text: str, variables: dict[str, object], database: Database
) -> None:
    for edge in await walked_once(database, text, variables):
        for html in (edge["titleHtml"], edge["snippetHtml"]):
            assert not re.search(r"[<>\"']", re.sub(r"</?mark>", "", html or ""))
        assert edge["snippetHtml"] is None or "<mark>" in edge["snippetHtml"]


async def test_a_title_without_its_marks_is_the_name(database: Database) -> None:
    text = """{ search(text: "women's men's house & center", first: 100) { edges {
        titleHtml node {
            ... on Provider { name } ... on Service { name } ... on Institution { name }
            ... on VisitorCenter { name } ... on Program { name } ... on ReentryProgram { name }
            ... on Category { name: label } } } } }"""
    edges = (await data_of(database, text))["search"]["edges"]
    assert len(edges) > 20
    for edge in edges:
        assert unescape(re.sub(r"</?mark>", "", edge["titleHtml"])) == edge["node"]["name"]


# Filters


async def test_filters_keep_what_they_say(database: Database) -> None:
    narrow = await whole(database, "house", filter={"categories": ["HOUSING"], "languages": ["es"]})
    assert narrow
    assert all("es" in edge["languages"] for edge in narrow)
    text = '{ category(code: "HOUSING") { children { nodes { code } } } }'
    children = (await data_of(database, text))["category"]["children"]["nodes"]
    codes = {"HOUSING", *(child["code"] for child in children)}
    assert all(codes.intersection(edge["categories"]) for edge in narrow)
    every = await whole(database, "house")
    kept = {edge["node"]["id"] for edge in narrow}
    assert kept <= {
        edge["node"]["id"]
        for edge in every
        if "es" in edge["languages"] and codes.intersection(edge["categories"])
    }


async def test_a_type_that_is_not_asked_for_is_not_found(database: Database) -> None:
    edges = await whole(database, "prison", types=["INSTITUTION", "CATEGORY"])
    assert {edge["node"]["__typename"] for edge in edges} <= {"Institution", "Category"}
    assert edges


# Places


async def test_what_is_near_is_within_reach_and_the_nearer_of_equals_comes_first(
    database: Database,
) -> None:
    near = {"point": {"latitude": 34.0522, "longitude": -118.2437}, "withinMiles": 20}
    edges = await whole(database, "substance use treatment", near=near, types=["SERVICE"])
    assert len(edges) > 100
    placed = [edge for edge in edges if edge["distanceMiles"] is not None]
    assert all(edge["distanceMiles"] <= 20 for edge in placed)
    # What is as good as another loses a quarter of its score on the way to the edge.
    equals: dict[float, list[float]] = {}
    for edge in placed:
        alone = edge["score"] / (1 - 0.25 * edge["distanceMiles"] / 20)
        equals.setdefault(round(alone, 2), []).append(edge["distanceMiles"])
    assert max(map(len, equals.values())) > 50
    for distances in equals.values():
        assert all(here <= there + 0.1 for here, there in itertools.pairwise(distances))


async def test_a_zip_code_that_nobody_knows_is_refused_by_name(database: Database) -> None:
    for zip in ("99999", "90000", "1234", "93610-12", "٩٣٦١٠"):
        response = await ask(database, SEARCH, {"text": "food", "near": {"zip": zip}})
        assert codes_of(response) == ["BAD_USER_INPUT"]
        assert "`near.zip`" in response["errors"][0]["message"]


# Languages


@pytest.mark.parametrize(
    ("plain", "written"),
    [
        ("ninos", "NIÑOS"),
        ("ninos", "nin\u0303os"),
        ("clinica", "Clínica"),
        ("identificacion", "IDENTIFICACIÓN"),
        ("ano", "año"),
    ],
)
async def test_accents_capitals_and_tildes_make_no_difference(
    plain: str, written: str, database: Database
) -> None:
    assert await search(database, plain) == await search(database, written)


async def test_a_word_is_found_in_either_language_if_none_is_given(database: Database) -> None:
    for text in ("viviendas", "housing"):
        edges = (await search(database, text))["edges"]
        assert {"HOUSING"} <= {code for edge in edges for code in edge["categories"]}
        assert edges[0]["node"]["id"] == "Category:HOUSING"


# What is closed, and what is hidden


@pytest_asyncio.fixture(loop_scope="session")
async def changed(loaded_url: str) -> AsyncIterator[tuple[Database, str]]:
    """A directory with a hidden shelter, and a service that has ended."""
    async with scratch(loaded_url) as url:
        async with connected(url) as connection:
            await connection.execute("""
                update locations set address_visibility = 'HIDDEN', city = 'Xanadu', zip = '93610',
                    street = '1 Kubla Way', latitude = 37.12, longitude = -120.26
                where id = (select location_id from providers where name = 'Casa Serena' limit 1);
                update services set status = 'DEFUNCT'
                where id = (select s.id from services s join providers p on p.id = s.provider_id
                            where p.name = 'Guydance House');
                update providers set name = name || ' <b>"&'' Ex' where name = 'Guydance House';
                update services set name = 'Zarzuela', status = 'TEMPORARILY_CLOSED'
                where id = (select id from services where offers @> '{Emergency Shelter}'
                            order by id limit 1);
            """)
        database = await Database.open(stopped(url))
        yield database, url
        await database.close()


async def test_a_hidden_address_is_found_by_nothing(changed: tuple[Database, str]) -> None:
    database = changed[0]
    for text in ("xanadu", "kubla way", "xanadu casa serena", "93610"):
        found = await whole(database, text)
        assert not [edge for edge in found if "Xanadu" in json.dumps(edge)]
        everything = await search(database, text, first=100)
        assert "xanadu" not in json.dumps(everything).lower()
    named = await whole(database, "casa serena", types=["PROVIDER"])
    near = {"zip": "93610", "withinMiles": 5}
    assert named
    hidden = {edge["node"]["id"] for edge in named}
    nearby = await whole(database, "casa serena", near=near)
    assert hidden.isdisjoint(
        edge["node"]["id"] for edge in nearby if edge["distanceMiles"] is not None
    )


async def test_what_has_ended_is_found_by_its_name_only_and_says_so(
    changed: tuple[Database, str],
) -> None:
    database = changed[0]
    by_name = (await search(database, "zarzuela"))["edges"]
    assert [edge["status"] for edge in by_name[:1]] == ["TEMPORARILY_CLOSED"]
    closed = by_name[0]["node"]["id"]
    for text in ("emergency shelter", "showers", "meals", "housing"):
        assert closed not in {edge["node"]["id"] for edge in await whole(database, text)}
    open_ = await whole(database, "zarzuela", filter={"closed": False})
    assert closed not in {edge["node"]["id"] for edge in open_}
    only = await whole(database, "zarzuela", filter={"closed": True})
    assert [edge["node"]["id"] for edge in only] == [closed]


async def test_a_closed_prison_is_found_by_its_former_name_and_says_so(database: Database) -> None:
    edges = (await search(database, "california city correctional facility"))["edges"]
    assert (edges[0]["node"]["code"], edges[0]["status"]) == ("CAC", "CLOSED")


async def test_what_a_record_says_cannot_become_html(changed: tuple[Database, str]) -> None:
    edge = (await search(changed[0], "guydance house ex", types=["PROVIDER"]))["edges"][0]
    assert edge["titleHtml"] == (
        "<mark>Guydance</mark> <mark>House</mark> &lt;b&gt;&quot;&amp;&#39; <mark>Ex</mark>"
    )


# More than anybody can look at


async def test_of_what_is_too_much_a_share_is_ranked_and_the_answer_says_so(
    loaded_url: str,
) -> None:
    async with scratch(loaded_url) as url:
        async with connected(url) as connection:
            await connection.execute("""
                insert into providers (id, slug, name, source_id)
                select gen_random_uuid(), 'many-' || n, 'Zebra ' || repeat('House ', n % 7), s.id
                from generate_series(1, 12000) n, (select id from sources limit 1) s;
                insert into providers (id, slug, name, source_id)
                select gen_random_uuid(), 'the-one', 'Zebra', id from sources limit 1;
            """)
        database = await Database.open(url)
        try:
            found = await search(database, "zebra", first=1)
            assert found["complete"] is False
            assert 1000 <= found["totalCount"] <= 5000
            assert [facet["count"] for facet in found["facets"]["types"]] == [found["totalCount"]]
            again = await search(database, "zebra", first=1)
            assert again == found
            rare = await search(database, "zebra casa serena", first=1)
            assert rare["complete"] is True or rare["totalCount"] > 0
        finally:
            await database.close()


# Bad input


def texts(number: int) -> list[str]:
    """Texts that nobody would type, and some that somebody might."""
    dice = random.Random(number)
    planes = [
        (0x20, 0x7E),
        (0xA0, 0x24F),
        (0x300, 0x36F),  # combining marks
        (0x590, 0x6FF),  # written from right to left
        (0x900, 0xDFF),
        (0x2000, 0x20CF),  # spaces, joiners, directions
        (0x3040, 0x9FFF),
        (0xAC00, 0xD7A3),
        (0xE000, 0xF8FF),
        (0xFF00, 0xFFEF),
        (0x10000, 0x10FFF),
        (0x1D400, 0x1D7FF),
        (0x1F300, 0x1FAFF),
        (0x20000, 0x2A6DF),
        (0xE0000, 0xE01EF),
        (0x100000, 0x10FFFD),
    ]
    syntax = [
        "&",
        "|",
        "!",
        "(",
        ")",
        ":*",
        "<->",
        "<2>",
        "'",
        "''",
        "\\",
        "%",
        "_",
        '"',
        ":A",
        "$1",
    ]
    words = [
        "san",
        "quentin",
        "food",
        "sober",
        "HOUSING",
        "@HOUSING",
        "=sq",
        "#8",
        "%SERVICE",
        "or",
    ]
    made = []
    for _ in range(60):
        parts = []
        for _ in range(dice.randint(1, 12)):
            low, high = dice.choice(planes)
            parts.append(
                dice.choice(
                    [
                        "".join(chr(dice.randint(low, high)) for _ in range(dice.randint(1, 9))),
                        dice.choice(syntax),
                        dice.choice(words),
                        dice.choice(["\t", "\n", "\r\n", "\x01", "\x7f", "\u200b", "\ufeff"]),
                    ]
                )
            )
        made.append(dice.choice(["", " "]).join(parts)[:200])
    return made


@pytest.mark.parametrize("number", range(5))
async def test_any_text_is_answered_or_refused_by_name(number: int, database: Database) -> None:
    graph = the_graph()
    both = """query ($text: String!, $lang: Language) {
        search(text: $text, lang: $lang) { totalCount edges { titleHtml snippetHtml score } }
        suggest(text: $text, lang: $lang) { text textHtml nodeId } }"""
    answered = 0
    for place, text in enumerate(texts(number)):
        lang = (None, "EN", "ES")[place % 3]
        before = database.statements
        answer = await resolve(
            graph, database, GraphQLRequest(both, None, {"text": text, "lang": lang})
        )
        response = json.loads(answer.body)
        if "errors" in response:
            assert set(codes_of(response)) == {"BAD_USER_INPUT"}, text
            assert all("`text`" in error["message"] for error in response["errors"]), text
            assert database.statements == before, "nothing was to be asked"
        else:
            answered += 1
    assert answered > 20


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t", "...", "'\"\\", "%_", "&|!:*()<->", "🙂", "\u0301", "x" * 201, "é" * 5_000],
)
async def test_what_nothing_can_be_found_by_is_refused_before_postgres_is_asked(
    text: str, database: Database
) -> None:
    before = database.statements
    for root in ("search(text: $text) { totalCount }", "suggest(text: $text) { text }"):
        request = GraphQLRequest(f"query ($text: String!) {{ {root} }}", None, {"text": text})
        response = json.loads((await resolve(the_graph(), database, request)).body)
        assert codes_of(response) == ["BAD_USER_INPUT"]
        assert "`text`" in response["errors"][0]["message"]
    assert database.statements == before


async def test_nul_and_half_characters_are_refused(database: Database) -> None:
    for text in ("san\0quentin", "san \ud800"):
        response = await ask(database, SEARCH, {"text": text})
        assert codes_of(response) == ["BAD_USER_INPUT"]


async def test_signs_of_queries_are_only_signs(database: Database) -> None:
    plain = await search(database, "san quentin")
    for text in (
        "san & quentin",
        "'san' <-> quentin:*",
        "%san% quentin",
        "san\\quentin",
        "(san) !quentin",
    ):
        assert (await search(database, text)) == plain, text


async def test_nobody_can_ask_for_a_mark(database: Database) -> None:
    """Marks have signs that no word has."""
    assert (await search(database, "@LEGAL")) == (await search(database, "LEGAL"))
    assert (await search(database, "#8 #6 #4"))["edges"] == (await search(database, "8 6 4"))[
        "edges"
    ]
