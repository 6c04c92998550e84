"""Accept-Language decides where no argument does, and answers say when it did."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from db.database import Database
from schema.entity import Language
from tests.roads import the_graph
from web.application import application
from web.languages import LONGEST, spoken

EN, ES = Language.EN, Language.ES


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, None),
        (b"es", ES),
        (b"ES-mx", ES),
        (b"es-419, en;q=0.9", ES),
        (b"en-US,en;q=0.9,es;q=0.8", EN),
        (b"en;q=0.8, es;q=0.9", ES),
        (b"es, en", ES),
        (b"en, es", EN),
        (b"fr, es;q=0.2", ES),
        (b"fr;q=1.0, de", None),
        (b"*", EN),
        (b"es;q=0.5, *", EN),
        (b"*, es", ES),
        (b"*;q=0.5, en;q=0.1", ES),
        (b"*;q=0", None),
        (b"es;q=0", None),
        (b"es;q=0, en;q=0", None),
        (b"es;q=0.000", None),
        (b"es;q=1.000", ES),
        (b" \tes \t; \tq=0.5 \t,\ten ; Q=0.4", ES),
        (b"es;q=0.1, es-MX;q=0.9, en;q=0.5", ES),
        (b"es;q=abc, en;q=0.1", EN),
        (b"es;q=2, en;q=0.1", EN),
        (b"es;q=-1", None),
        (b"es;q=nan", None),
        (b"es;q=0.5.5", None),
        (b"es;level=1, en", EN),
        (b"es_MX", None),
        (b"espanol", None),
        (b"", None),
        (b",,,;;;q=,", None),
        (b"\xc3\xb1, es;q=0.5", ES),
        (b"es\x00, en", EN),
        (b"\xff" * 100, None),
        (b"es" + b"-a" * 400, ES),
        (b"es, " + b"x" * LONGEST, None),
        (b"es," * 5_000, None),
        (b"a" * 10_000, None),
        (b"es;q=0." + b"9" * 500, ES),
    ],
)
def test_a_header_asks_for_a_language(header: bytes | None, language: Language | None) -> None:
    assert spoken(header) is language


qualities = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
names = st.sampled_from(["en", "es", "EN-us", "es-MX", "es-419", "fr", "de-CH", "zh-Hant-TW", "*"])
ranges = st.lists(st.tuples(names, qualities), max_size=8, unique_by=lambda each: each[1])


def written(liked: Sequence[tuple[str, float]], between: str = ", ") -> bytes:
    return between.join(f"{name};q={quality:.3f}" for name, quality in liked).encode()


def best(liked: Sequence[tuple[str, float]]) -> Language | None:
    """What RFC 9110 says of ranges whose qualities all differ."""
    of = {
        language: [quality for name, quality in liked if name.lower()[:2] == language.value.lower()]
        for language in Language
    }
    others = max((quality for name, quality in liked if name == "*"), default=0.0)
    scores = {language: max(own) if own else others for language, own in of.items()}
    highest = max(scores.values())
    ours = [language for language, score in scores.items() if score == highest]
    return ours[0] if highest > 0 else None


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(ranges, st.randoms(use_true_random=False))
def test_the_language_that_is_liked_best_wins_in_whatever_order(
    liked: list[tuple[str, float]], random: Any
) -> None:
    expected = best(liked)
    assert spoken(written(liked)) is expected
    random.shuffle(liked)
    assert spoken(written(liked, ",\t ")) is expected
    assert spoken(written(liked).upper()) is expected
    assert spoken(written([*liked, ("fr", 1.0)])) is expected


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.binary(max_size=60) | st.text("ens*-;q=.019, \t", max_size=40).map(str.encode))
def test_no_header_is_too_strange(header: bytes) -> None:
    assert spoken(header) in (EN, ES, None)
    assert spoken(b"zz;q=1," + header) in (EN, ES, None)


# Over HTTP

CATEGORY = '{ category(code: "HOUSING") { label } }'


@pytest_asyncio.fixture(loop_scope="session")
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    graph = the_graph()
    whole = application(graph, database, _nothing, max_body_bytes=10_000, development=True)
    transport = httpx.ASGITransport(whole)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as opened:
        del opened.headers["accept"]
        yield opened


async def sent(client: httpx.AsyncClient, query: str, *accepted: bytes) -> httpx.Response:
    """What is answered, alike by GET and by POST."""
    headers = [(b"accept-language", value) for value in accepted]
    got = await client.get("/graphql", params={"query": query}, headers=headers)
    posted = await client.post("/graphql", json={"query": query}, headers=headers)
    assert got.content == posted.content
    for name in ("vary", "content-language"):
        assert got.headers.get(name) == posted.headers.get(name)
    return posted


@pytest.mark.parametrize(
    ("accepted", "label", "language"),
    [
        ((), "Housing", "en"),
        ((b"es-MX,es;q=0.9,en;q=0.8",), "Vivienda", "es"),
        ((b"en-US",), "Housing", "en"),
        ((b"fr",), "Housing", "en"),
        ((b"fr", b"es"), "Vivienda", "es"),
        ((b"es;q=abc",), "Housing", "en"),
        ((b"es," * 4_000,), "Housing", "en"),
        (("español, es".encode("latin-1"),), "Vivienda", "es"),
    ],
)
async def test_a_client_is_answered_in_its_language_and_told_so(
    client: httpx.AsyncClient, accepted: tuple[bytes, ...], label: str, language: str
) -> None:
    response = await sent(client, CATEGORY, *accepted)
    assert response.json() == {"data": {"category": {"label": label}}}
    assert (
        response.headers["vary"]
        == "accept, accept-encoding, authorization, x-api-key, accept-language"
    )
    assert response.headers["content-language"] == language


@pytest.mark.parametrize(
    "query",
    [
        '{ category(code: "HOUSING") { label(lang: ES) } }',
        '{ category(code: "HOUSING") { code } }',
        "{ __schema { queryType { name } } }",
        "{ nothing }",
        "{",
    ],
)
async def test_an_answer_that_is_the_same_in_every_language_says_nothing_of_it(
    client: httpx.AsyncClient, query: str
) -> None:
    answers = [await sent(client, query, *accepted) for accepted in ((), (b"es",), (b"en",))]
    assert len({answer.content for answer in answers}) == 1
    for answer in answers:
        assert answer.headers["vary"] == "accept, accept-encoding, authorization, x-api-key"
        assert "content-language" not in answer.headers


async def test_a_partial_answer_says_its_language_too(client: httpx.AsyncClient) -> None:
    query = '{ category(code: "HOUSING") { label } node(id: "nonsense") { id } }'
    response = await sent(client, query, b"es")
    assert response.json()["data"]["category"] == {"label": "Vivienda"}
    assert response.headers["content-language"] == "es"


async def test_a_socket_is_answered_in_the_language_of_its_headers(database: Database) -> None:
    graph = the_graph()
    whole = application(graph, database, _nothing, max_body_bytes=10_000, development=True)
    for headers, label in (([], "Housing"), ([(b"accept-language", b"es-MX")], "Vivienda")):
        said = await _over_a_socket(whole, headers)
        assert said["payload"] == {"data": {"category": {"label": label}}}


async def _over_a_socket(whole: Any, headers: list[tuple[bytes, bytes]]) -> Any:
    """The second thing that a socket says: the answer."""
    protocol = "graphql-transport-ws"
    scope: dict[str, object] = {"type": "websocket", "path": "/graphql", "headers": headers}
    scope["subprotocols"] = [protocol]
    ours: asyncio.Queue[Any] = asyncio.Queue()
    theirs: asyncio.Queue[Any] = asyncio.Queue()
    ours.put_nowait({"type": "websocket.connect"})
    for message in (
        {"type": "connection_init"},
        {"id": "1", "type": "subscribe", "payload": {"query": CATEGORY}},
    ):
        ours.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
    speaking = asyncio.ensure_future(whole(scope, ours.get, theirs.put))
    async with asyncio.timeout(10):
        assert (await theirs.get())["subprotocol"] == protocol
        said = [json.loads((await theirs.get())["text"]) for _ in range(2)]
        ours.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await speaking
    return said[1]


async def _nothing() -> list[object]:
    return []
