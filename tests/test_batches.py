"""A list of operations: answered in its order, each as if it had been sent alone, and bounded."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from db.database import Database
from tests.db.scratch import connected, scratch, stopped
from tests.roads import the_graph
from tests.serving import Serving, listened, serving
from web.application import application

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"

NAME = {"query": '{ institution(code: "SQ") { name } }'}
ITS_NAME = {"data": {"institution": {"name": "San Quentin Rehabilitation Center"}}}


@pytest.fixture(scope="module")
def client(served: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=30) as opened:
        yield opened


def post(client: httpx.Client, body: object, accept: str = JSON) -> httpx.Response:
    return client.post("/graphql", json=body, headers={"accept": accept})


def code(answer: Any) -> str:
    found: str = answer["errors"][0]["extensions"]["code"]
    return found


def test_operations_are_answered_in_their_order_each_for_itself(client: httpx.Client) -> None:
    text = "query Q($code: String!) { institution(code: $code) { code } }"
    hash_ = hashlib.sha256(text.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_}}
    unknown = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
    named = "query A { __typename } query B { counties { totalCount } }"
    batch = [
        {"query": text, "variables": {"code": "CAL"}, "extensions": extensions},
        NAME,
        {"query": "{ nothing }"},
        {"qeury": "a typo"},
        {"variables": {"code": "SQ"}, "extensions": extensions},
        unknown,
        {"query": named, "operationName": "B"},
        {"query": '{ node(id: "nonsense") { id } }'},
    ]
    for accept in (JSON, GRAPHQL):
        response = post(client, batch, accept)
        # What became of each is in its answer; the list itself has been answered.
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"
        answers = response.json()
        assert answers[0] == {"data": {"institution": {"code": "CAL"}}}
        assert answers[1] == ITS_NAME
        assert code(answers[2]) == "GRAPHQL_VALIDATION_FAILED"
        assert code(answers[3]) == "MALFORMED_REQUEST"
        assert answers[4] == {"data": {"institution": {"code": "SQ"}}}
        assert code(answers[5]) == "PERSISTED_QUERY_NOT_FOUND"
        assert answers[6] == {"data": {"counties": {"totalCount": 58}}}
        assert code(answers[7]) == "BAD_ID"
        assert answers[7]["data"] == {"node": None}
        assert len(answers) == len(batch)


def test_what_is_told_as_it_happens_is_not_told_in_a_list(client: httpx.Client) -> None:
    listening = {"query": "subscription { entityChanged { operation } }"}
    live = {"query": f"query @live {NAME['query']}"}
    for accept in (JSON, f"{JSON}, text/event-stream"):
        answers = post(client, [listening, NAME, live], accept).json()
        assert code(answers[0]) == code(answers[2]) == "STREAM_NOT_ACCEPTED"
        assert answers[1] == ITS_NAME
    # Who takes nothing but a stream is told there why a list has none.
    told = post(client, [NAME], "text/event-stream")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert "MALFORMED_BATCH" in told.text


def test_a_list_of_one_is_answered_by_a_list_of_one(client: httpx.Client) -> None:
    assert post(client, [NAME]).json() == [ITS_NAME]


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ([], "MALFORMED_BATCH"),
        ([NAME, None], "MALFORMED_BATCH"),
        ([NAME, "{ __typename }"], "MALFORMED_BATCH"),
        ([[NAME]], "MALFORMED_BATCH"),
        ([NAME, [NAME]], "MALFORMED_BATCH"),
        ([NAME] * 11, "BATCH_TOO_LARGE"),
    ],
    ids=["empty", "with null", "with a text", "nested", "half nested", "of eleven"],
)
def test_what_is_no_list_of_few_operations_is_refused_as_a_whole(
    client: httpx.Client, body: object, refused: str
) -> None:
    for accept in (JSON, GRAPHQL):
        response = post(client, body, accept)
        assert response.status_code == 400
        assert code(response.json()) == refused


def test_a_list_may_have_ten_operations(client: httpx.Client) -> None:
    assert post(client, [NAME] * 10).json() == [ITS_NAME] * 10


WIDE = """query Wide { institutions(first: 100) { nodes { programs(first: 99) { nodes {
  offerings(first: 7) { totalCount nodes { id } } } } } } }"""


def test_together_they_may_return_as_many_rows_as_one(client: httpx.Client) -> None:
    alone = post(client, [{"query": WIDE}])
    assert "data" in alone.json()[0], alone.text
    response = post(client, [{"query": WIDE}, {"query": WIDE}])
    assert (response.status_code, code(response.json())) == (400, "BATCH_TOO_LARGE")
    # One that is refused weighs nothing.
    assert len(post(client, [{"query": WIDE}, {"query": WIDE + "{"}]).json()) == 2


def test_a_get_has_no_lists(client: httpx.Client) -> None:
    response = client.get("/graphql?[%7B%22query%22:%22%7B__typename%7D%22%7D]")
    assert response.status_code == 400


def test_a_list_is_answered_in_a_language_and_compressed(client: httpx.Client) -> None:
    query = {"query": "{ categories(first: 100) { nodes { code label } } }"}
    headers = {"accept-language": "es", "accept-encoding": "gzip"}
    request = client.build_request("POST", "/graphql", json=[query, NAME], headers=headers)
    response = client.send(request, stream=True)
    labels, name = json.loads(gzip.decompress(b"".join(response.iter_raw())))
    assert {"code": "HOUSING", "label": "Vivienda"} in labels["data"]["categories"]["nodes"]
    assert name == ITS_NAME
    assert response.headers["content-language"] == "es"
    assert "accept-language" in response.headers["vary"]


def test_what_is_about_a_person_makes_the_list_nobodys_to_keep(client: httpx.Client) -> None:
    private = {"query": '{ program(slug: "isudt") { fits(for: {audience: [PAROLE]}) } }'}
    assert post(client, [NAME, private]).headers["cache-control"] == "no-store"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def small(loaded_url: str) -> AsyncIterator[tuple[Serving, str]]:
    """A server with one connection to Postgres, that takes lists of two; and its database."""
    async with scratch(loaded_url) as url:
        settings = {"database_url": stopped(url), "pool_size": 1, "max_batch": 2}
        with serving(**settings, environment="production") as running:
            yield running, url


async def test_an_answer_that_is_kept_is_found_by_lists_and_by_those_who_ask_alone(
    small: tuple[Serving, str],
) -> None:
    running, url = small
    alone, listed = (
        {"query": "{ counties(first: 1) { nodes { name } } }", "variables": {}},
        {"query": "{ counties(first: 2) { nodes { name } } }", "variables": {}},
    )
    headers = {"content-type": JSON}
    async with httpx.AsyncClient(base_url=running.url, headers=headers, timeout=30) as client:

        async def ask(body: object) -> Any:
            # Without spaces, as JavaScript writes it.
            content = json.dumps(body, separators=(",", ":"))
            return (await client.post("/graphql", content=content)).json()

        # Once it hears of changes, a server keeps what it has answered.
        await listened(url)
        for _ in range(20):
            one = await ask(alone)
            _, two = await ask([alone, listed])
        async with connected(url) as connection, connection.transaction():
            await connection.execute("lock table counties in access exclusive mode")
            assert await ask([listed, alone]) == [two, one]
            assert await ask(listed) == two


async def test_how_many_is_a_setting(small: tuple[Serving, str]) -> None:
    async with httpx.AsyncClient(base_url=small[0].url, timeout=30) as client:
        assert (await client.post("/graphql", json=[NAME] * 2)).json() == [ITS_NAME] * 2
        refused = await client.post("/graphql", json=[NAME] * 3)
        assert code(refused.json()) == "BATCH_TOO_LARGE"


async def test_lists_can_be_turned_off(database: Database) -> None:
    whole = application(
        the_graph(), database, _nothing, max_body_bytes=1000, development=False, max_batch=0
    )
    transport = httpx.ASGITransport(whole)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        refused = await client.post("/graphql", json=[NAME])
        assert (refused.status_code, code(refused.json())) == (400, "BATCHING_NOT_SUPPORTED")
        assert (await client.post("/graphql", json=NAME)).json() == ITS_NAME


async def _nothing() -> list[object]:
    return []
