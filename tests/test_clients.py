"""The client libraries that people use, asking the real server.

Each asks what a family's phone asks, pages through a list, fetches a record again by its id, is
told why it is refused, and what happens while it listens; answers are compared with those of the
committed examples. Their programs are in `clients/`. To add one, name its package in
`clients/package.json`, run `npm run lock` there, write a program that tells what it found, and a
test here.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from gql import Client, gql
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.typing import Subprotocol

from db import api_keys
from db.database import Database
from tests.db.scratch import connected, scratch
from tests.issuer import LEEWAY, TheIssuer, issuing
from tests.node import Clients
from tests.roads import data_of
from tests.serving import Serving, command, serving
from tests.streams import socket
from tests.test_operations import FOLDER, Example

MOBILE = Example(FOLDER / "queries" / "1-family-plans-a-visit.graphql")
LOS_ANGELES = "County:06037"

PAGE = """
query Counties($first: Int!, $after: String) {
  counties(first: $first, after: $after) {
    edges { node { name } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

NODE = "query County($id: ID!) { node(id: $id) { __typename id ... on County { name } } }"

WRONG = "query Wrong { institution(code: 5) { name } }"
REFUSED = ["GRAPHQL_VALIDATION_FAILED"]


def work(server: Serving) -> dict[str, Any]:
    """What a client is given to do."""
    request = MOBILE.request()
    return {
        "url": f"{server.url}/graphql",
        "mobile": {"query": request.text, "variables": request.variables},
        "page": {"query": PAGE, "variables": {"first": 20}},
        "node": {"query": NODE, "variables": {"id": LOS_ANGELES}},
        "wrong": {"query": WRONG},
    }


def untyped(value: Any) -> Any:
    """An answer without the types of its objects, which caches ask for."""
    if isinstance(value, dict):
        return {key: untyped(part) for key, part in value.items() if key != "__typename"}
    return [untyped(part) for part in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def visit() -> Any:
    """The answer that is committed for the phone's question."""
    return json.loads(MOBILE.answer.read_bytes())["data"]


@pytest.fixture(scope="module")
def county() -> Any:
    """The answer that is committed for a record by its id."""
    return json.loads((FOLDER / "nodes" / "node.json").read_bytes())["data"]["county"]


@pytest.fixture(scope="module")
async def names(database: Database) -> list[str]:
    """What there is to page through, in one page."""
    data = await data_of(database, "{ counties(first: 100) { nodes { name } } }")
    found = [node["name"] for node in data["counties"]["nodes"]]
    assert len(found) == 58
    return found


@pytest.fixture(scope="module")
def apollo(libraries: Clients, served: Serving) -> Any:
    return libraries.run("apollo.mjs", json.dumps(work(served)))


def test_apollo_client(apollo: Any, visit: Any, county: Any, names: list[str]) -> None:
    assert apollo["mobile"] == visit
    assert apollo["pages"] == names
    assert apollo["node"] == county
    assert apollo["refused"] == REFUSED


def test_apollo_client_sends_a_query_once_and_then_a_url_by_its_hash(
    apollo: Any, visit: Any
) -> None:
    assert apollo["persisted"] == [visit, visit]
    unknown, whole, known = apollo["byHash"]
    assert [each["method"] for each in apollo["byHash"]] == ["GET", "POST", "GET"]
    assert "query" in json.loads(whole["body"])
    assert unknown["url"] == known["url"]
    parameters = parse_qs(urlsplit(known["url"]).query)
    assert "query" not in parameters
    assert len(known["url"]) < 400


def test_apollo_client_sends_several_operations_at_once(
    apollo: Any, visit: Any, county: Any
) -> None:
    assert apollo["batched"] == {"mobile": visit, "node": county, "refused": REFUSED}
    (batch,) = apollo["batches"]
    assert len(json.loads(batch["body"])) == 3
    assert batch["status"] == 200


@pytest.fixture(scope="module")
def urql(libraries: Clients, served: Serving) -> Any:
    return libraries.run("urql.mjs", json.dumps(work(served)))


@pytest.mark.parametrize("method", ["post", "get"])
def test_urql(urql: Any, visit: Any, county: Any, names: list[str], method: str) -> None:
    assert urql[method] == {"mobile": visit, "pages": names, "node": county, "refused": REFUSED}
    # It would take a stream, and is given what it asks for first.
    sent = [each for each in urql["requests"] if each["method"] == method.upper()]
    assert sent
    for each in sent:
        assert "text/event-stream" in each["accept"]
        assert each["type"] == "application/graphql-response+json; charset=utf-8"


@pytest.fixture(scope="module")
def documents(libraries: Clients, served: Serving) -> str:
    """The manifest of what Relay's compiler has taken out of an app, reading our schema."""
    schema = httpx.get(f"{served.url}/schema.graphql").text
    (libraries.folder / "schema.graphql").write_text(schema)
    text = re.sub(r"query \w+", "query MobileQuery", MOBILE.request().text)
    module = "import { graphql } from 'relay-runtime';\n\ngraphql`\n%s`;\n"
    (libraries.folder / "relay" / "Mobile.js").write_text(module % text)
    (libraries.folder / "relay" / "made").mkdir()
    libraries.said("relay-compiler", "relay.config.json")
    return str(libraries.folder / "relay" / "documents.json")


def test_relay(
    libraries: Clients,
    served: Serving,
    served_url: str,
    documents: str,
    visit: Any,
    names: list[str],
) -> None:
    """Its compiler leaves only hashes in the app, and its runtime pages and refetches with them."""
    imported = command("documents", "import", documents, database_url=served_url)
    assert imported.returncode == 0, imported.stderr
    found = libraries.run("relay.mjs", json.dumps(work(served)))
    assert found["mobile"] == visit
    assert found["pages"] == names
    assert found["before"] == found["after"] == {"id": LOS_ANGELES, "name": "Los Angeles"}
    for each in found["requests"]:
        assert json.loads(each["body"]).keys() == {"documentId", "variables"}


def test_graphql_code_generator(
    libraries: Clients, served: Serving, visit: Any, county: Any, names: list[str]
) -> None:
    """Its types, from our JSON, let a strict program through, and stop one that is wrong."""
    (libraries.folder / "schema.json").write_text(httpx.get(f"{served.url}/schema.json").text)
    module = "import { graphql } from './made/gql.js';\n\nexport const Mobile = graphql(`\n%s`);\n"
    (libraries.folder / "typed" / "mobile.ts").write_text(module % MOBILE.request().text)
    libraries.said("graphql-codegen", "--config", "codegen.json")
    libraries.said("tsc", "--project", "tsconfig.json")
    found = libraries.run("typed/run/directory.js", json.dumps(work(served)))
    assert untyped(found["mobile"]) == visit
    assert found["name"] == "Calipatria State Prison"
    assert found["days"] == [7]
    assert "CHILD_CARE" in found["codes"]
    assert found["pages"] == names
    assert (found["node"], found["county"]) == (county, "Los Angeles")
    wrong = libraries.done("tsc", "--project", "tsconfig.wrong.json")
    assert wrong.returncode != 0
    lines = re.findall(r"wrong\.ts\((\d+),\d+\): error", wrong.stdout)
    assert [int(line) for line in lines] == [9, 10, 11, 11], wrong.stdout


async def test_gql(served: Serving, visit: Any, county: Any, names: list[str]) -> None:
    transport = HTTPXAsyncTransport(f"{served.url}/graphql")
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        assert isinstance(session, AsyncClientSession)
        request = MOBILE.request()
        query = gql(request.text)
        query.variable_values = dict(request.variables or {})
        assert await session.execute(query) == visit
        found: list[str] = []
        after: str | None = None
        while True:
            query = gql(PAGE)
            query.variable_values = {"first": 20, "after": after}
            page = (await session.execute(query))["counties"]
            found += [edge["node"]["name"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert found == names
        query = gql(NODE)
        query.variable_values = {"id": LOS_ANGELES}
        assert (await session.execute(query))["node"] == county
    # Without our schema it sends what is wrong, and is told so.
    async with Client(transport=transport) as session:
        with pytest.raises(TransportQueryError) as refused:
            await session.execute(gql(WRONG))
    codes = [error["extensions"]["code"] for error in refused.value.errors or []]
    assert codes == REFUSED


# What is told as it happens

CHANGED = """
subscription Changed($ids: [ID!]!) {
  entityChanged(ids: $ids) { cursor operation node { id ... on Institution { statusNote } } }
}
"""
SAN_QUENTIN = "Institution:8a811c7b-5d93-5bbe-bdd3-68153f9d8af6"


@pytest.fixture(scope="module")
def issuer() -> Iterator[TheIssuer]:
    with issuing() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(loaded_url: str, issuer: TheIssuer) -> AsyncIterator[tuple[Serving, str]]:
    """A server of a directory that changes, and its database."""
    async with scratch(loaded_url) as url:
        settings = {"database_url": url, "jwt_issuer": issuer.url, "environment": "production"}
        with serving(**settings) as running:
            yield running, url


@asynccontextmanager
async def changing(url: str) -> AsyncIterator[None]:
    """Meanwhile a record changes, again and again, so that nobody who listens has come too late."""

    async def change() -> None:
        async with connected(url) as connection:
            for number in itertools.count():
                await connection.execute(
                    "update institutions set status_note = $1 where code = 'SQ'", str(number)
                )
                await asyncio.sleep(0.1)

    task = asyncio.ensure_future(change())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def hold(events: Any) -> None:
    """Check that two changes were told, one after the other; a record is told as it is by then."""
    first, second = (event["entityChanged"] for event in events)
    for event in (first, second):
        assert event["operation"] == "UPDATE"
        assert event["node"]["id"] == SAN_QUENTIN
    assert first["cursor"] != second["cursor"]
    assert int(first["node"]["statusNote"]) <= int(second["node"]["statusNote"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pushed(libraries: Clients, told: tuple[Serving, str], documents: str) -> Any:
    server, url = told
    imported = command("documents", "import", documents, database_url=url)
    assert imported.returncode == 0, imported.stderr
    changed = {"query": CHANGED, "variables": {"ids": [SAN_QUENTIN]}}
    async with changing(url):
        asked = json.dumps({**work(server), "changed": changed})
        return await asyncio.to_thread(libraries.run, "pushed.mjs", asked)


@pytest.mark.parametrize("client", ["graphqlWs", "graphqlSse", "apollo", "urql", "relay"])
def test_a_client_is_told_what_happens(pushed: Any, client: str) -> None:
    hold(pushed[client])


HISTORY = """
subscription Changed($ids: [ID!]!) {
  entityChanged(ids: $ids) { node { ... on Institution { history { totalCount } } } }
}
"""


async def test_graphql_ws_shows_a_key_and_goes_on_with_a_new_token(
    libraries: Clients, told: tuple[Serving, str], issuer: TheIssuer
) -> None:
    server, url = told
    key = await api_keys.create(url, "Ana", "STAFF", ["READ"])
    # The first of a role waits for its schema, and the token below does not.
    async with socket(server.url, payload={"x-api-key": key}):
        pass
    soon = datetime.now(UTC) + timedelta(seconds=8) - LEEWAY
    asked = json.dumps(
        {
            "url": f"{server.url}/graphql",
            "history": {"query": HISTORY, "variables": {"ids": [SAN_QUENTIN]}},
            "key": key,
            "tokens": [issuer.token(exp=soon), issuer.token()],
        }
    )
    async with changing(url), asyncio.timeout(60):
        with libraries.begun("node", "keyed.mjs", asked) as client:
            assert client.stdout is not None
            assert await asyncio.to_thread(client.stdout.readline) == "listening\n"
            ((id_, *_),) = await api_keys.known(url)
            assert await api_keys.revoke(url, id_)
            said = json.loads(await asyncio.to_thread(client.stdout.read))
    keyed, renewed = said["keyed"], said["renewed"]
    # A key that was revoked is not tried again.
    assert (keyed["connected"], keyed["closed"]) == (1, [4401])
    assert keyed["error"]["code"] == 4401
    assert "revoked" in keyed["error"]["reason"]
    assert renewed["error"] is None
    assert (renewed["connected"], renewed["closed"][0]) == (2, 4403)
    assert {connection for connection, _ in renewed["heard"]} == {1, 2}
    assert all(count for _, count in keyed["heard"] + renewed["heard"])


async def test_gql_is_told_what_happens(told: tuple[Serving, str]) -> None:
    server, url = told
    at = f"{server.url.replace('http', 'ws')}/graphql"
    transport = WebsocketsTransport(at, subprotocols=[Subprotocol("graphql-transport-ws")])
    query = gql(CHANGED)
    query.variable_values = {"ids": [SAN_QUENTIN]}
    events: list[Any] = []
    async with changing(url), asyncio.timeout(30), Client(transport=transport) as session:
        assert isinstance(session, AsyncClientSession)
        async with aclosing(session.subscribe(query)) as stream:
            async for event in stream:
                events.append(event)
                if len(events) == 2:
                    break
    hold(events)
