"""HTTP: methods, media types, limits, hostile requests; and the process around it."""

from __future__ import annotations

import asyncio
import csv
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import asyncpg
import httpx
import pytest
from graphql import (
    build_client_schema,
    build_schema,
    get_introspection_query,
    print_schema,
)

from db.changes import Changes
from db.database import Database
from db.horizon import Horizon
from resolvers.graph import Graph
from schema.build import build
from server import Settings
from tests.db.scratch import scratch
from tests.serving import ROOT, Serving, command, data_directory, serving
from web import graphiql
from web.answers import Answers
from web.application import application
from web.documents import Documents
from web.export import ExportBounds, Exports, Turns
from web.refusals import Refusal
from web.subscriptions import Bounds, Streams
from web.view import View

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"

SAN_QUENTIN = '{ institution(code: "SQ") { name } }'
ITS_NAME = {"data": {"institution": {"name": "San Quentin Rehabilitation Center"}}}


@pytest.fixture(scope="module")
async def url(loaded_url: str) -> AsyncIterator[str]:
    """The URL of the Postgres of all servers here but those whose claim is about another."""
    async with scratch(loaded_url) as copied:
        yield copied


@pytest.fixture
async def empty() -> AsyncIterator[str]:
    """The URL of a database without tables."""
    async with scratch() as made:
        yield made


@pytest.fixture(scope="module")
def server(url: str) -> Iterator[Serving]:
    with serving(database_url=url) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as opened:
        yield opened


def code(response: httpx.Response) -> str:
    """The code of the one error in a response."""
    (error,) = response.json()["errors"]
    found: str = error["extensions"]["code"]
    return found


def post(
    client: httpx.Client, body: bytes | str, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """A POST of this body, as JSON unless the headers say otherwise."""
    given = {"content-type": JSON, **(headers or {})}
    return client.post("/graphql", content=body, headers=given)


def ask(client: httpx.Client, query: str, accept: str = JSON, **more: Any) -> httpx.Response:
    """A POST of an operation."""
    return post(client, json.dumps({"query": query, **more}), {"accept": accept})


# Ways to ask


def test_a_post_and_a_get_give_the_same_answer(client: httpx.Client) -> None:
    posted = ask(client, SAN_QUENTIN)
    got = client.get("/graphql", params={"query": SAN_QUENTIN})
    assert posted.json() == ITS_NAME
    assert (got.status_code, got.content) == (posted.status_code, posted.content)


def test_a_get_carries_variables_as_json(client: httpx.Client) -> None:
    query = "query Q($code: String!) { institution(code: $code) { name } } query R { __typename }"
    parameters = {"query": query, "variables": '{"code": "SQ"}', "operationName": "Q"}
    assert client.get("/graphql", params=parameters).json() == ITS_NAME


def test_a_head_is_a_get_without_its_body(client: httpx.Client) -> None:
    parameters = {"query": SAN_QUENTIN}
    head = client.head("/graphql", params=parameters)
    assert head.content == b""
    expected = client.get("/graphql", params=parameters).headers["content-length"]
    assert head.headers["content-length"] == expected


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(client: httpx.Client, method: str) -> None:
    response = client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST"
    assert code(response) == "METHOD_NOT_ALLOWED"


async def test_a_get_cannot_change_anything() -> None:
    graph = Graph(build_schema("type Query { a: Int } type Mutation { a: Int }"), {}, {})
    database = Database("postgresql://never-asked")
    changes = Changes(database)
    horizon, documents = Horizon(database, changes), Documents(database, changes)
    answers = Answers(changes, horizon, weight=0)
    view = View(
        graph,
        database,
        graphiql.page(),
        answers,
        documents,
        Streams(graph, database, changes, horizon, answers, documents, Bounds()),
        Exports(graph, database, ExportBounds(), Turns()),
        max_body_bytes=1000,
        development=False,
    )
    transport = httpx.ASGITransport(view)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        response = await client.get("/graphql", params={"query": "mutation { a }"})
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "POST"


def test_one_keeps_a_connection_for_many_questions(server: Serving) -> None:
    body = json.dumps({"query": SAN_QUENTIN}).encode()
    one = (
        b"POST /graphql HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(body), body)
    )
    answers = asyncio.run(raw(server, [one + one[:40], one[40:] + one], until=3))
    assert answers.count(b"HTTP/1.1 200") == 3
    assert answers.count(b"San Quentin") == 3


def test_a_body_may_arrive_byte_by_byte(server: Serving) -> None:
    body = json.dumps({"query": SAN_QUENTIN}).encode()
    head = b"POST /graphql HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
    head += b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
    answers = asyncio.run(raw(server, [head, *(bytes([each]) for each in body)], until=2))
    assert b"HTTP/1.1 100" in answers
    assert b"San Quentin" in answers


async def raw(server: Serving, parts: list[bytes], until: int) -> bytes:
    """What comes back for these bytes, until so many responses have begun and all is quiet."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    found = b""
    async with asyncio.timeout(10):
        while found.count(b"HTTP/1.1 ") < until or not found.endswith((b"}", b".")):
            chunk = await reader.read(65536)
            if not chunk:
                break
            found += chunk
    writer.close()
    return found


# Media types


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        ("text/event-stream, multipart/mixed, application/json;q=0.1", JSON),
        ("TEXT/HTML;q=0.9, Application/GraphQL-Response+JSON", GRAPHQL),
        ("nonsense, ;;, */*;q=nonsense, application/json", JSON),
    ],
)
def test_a_client_gets_the_media_type_it_prefers(
    client: httpx.Client, accept: str | None, chosen: str
) -> None:
    request = client.build_request("POST", "/graphql", json={"query": "{ __typename }"})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = client.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{chosen}; charset=utf-8"
    assert "accept" in response.headers["vary"]


@pytest.mark.parametrize("accept", ["image/png", "application/xml", f"{JSON};q=0", "text/html"])
def test_a_client_that_accepts_nothing_we_have_is_told_so(
    client: httpx.Client, accept: str
) -> None:
    response = ask(client, "{ __typename }", accept)
    assert (response.status_code, code(response)) == (406, "NOT_ACCEPTABLE")


def test_accept_may_come_in_several_lines(client: httpx.Client) -> None:
    headers = [("content-type", JSON), ("accept", "image/png"), ("accept", GRAPHQL)]
    response = client.post("/graphql", content='{"query": "{ __typename }"}', headers=headers)
    assert response.headers["content-type"].startswith(GRAPHQL)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"],
)
def test_a_body_that_is_not_said_to_be_json_is_not_read(
    client: httpx.Client, content_type: str
) -> None:
    response = post(client, '{"query": "{ __typename }"}', {"content-type": content_type})
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_compressed_body_is_not_taken_for_json(client: httpx.Client) -> None:
    response = post(client, b"\x1f\x8b", {"content-encoding": "gzip"})
    assert response.status_code == 415


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; charset=utf-8", 'Application/JSON ;charset="UTF-8"']
)
def test_json_is_utf_8_however_it_is_written(client: httpx.Client, content_type: str) -> None:
    query = '{ __type(name: "Niño 🏃") { name } }'
    body = json.dumps({"query": query}, ensure_ascii=False).encode()
    assert post(client, body, {"content-type": content_type}).json() == {"data": {"__type": None}}


# Statuses


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", None, "OPERATION_NOT_FOUND"),
        ("query Q($id: ID!) { node(id: $id) { id } }", {"id": None}, "BAD_VARIABLES"),
    ],
)
def test_a_refused_operation_is_200_as_json_and_400_as_graphql(
    client: httpx.Client, query: str, variables: object, expected: str
) -> None:
    for accept, status in ((JSON, 200), (GRAPHQL, 400)):
        response = ask(client, query, accept, variables=variables)
        assert (response.status_code, code(response)) == (status, expected)
        assert "data" not in response.json()


def test_a_partial_answer_is_a_partial_success(client: httpx.Client) -> None:
    query = '{ institution(code: "SQ") { name } node(id: "nonsense") { id } }'
    for accept, status in ((JSON, 200), (GRAPHQL, 294)):
        response = ask(client, query, accept)
        assert response.status_code == status
        assert response.json()["data"] == {**ITS_NAME["data"], "node": None}


# What is not a request


MALFORMED = {
    "nothing": b"",
    "half an object": b'{"query": "{ __typename',
    "not JSON": b"query { __typename }",
    "not UTF-8": b'{"query": "\xff\xfe"}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "a lone surrogate": b'{"query": "{ a(b: \\"\\ud800\\") }"}',
    "NaN": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "a number of 5,000 digits": b'{"query": "{ __typename }", "variables": {"a": %b}}'
    % (b"1" * 5000),
    "5,000 brackets": b"[" * 5000 + b"]" * 5000,
    "5,000 objects": b'{"query": "{ __typename }", "variables": '
    + b'{"a":' * 5000
    + b"1"
    + b"}" * 5001,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_not_json_is_refused(client: httpx.Client, body: bytes) -> None:
    for accept in (JSON, GRAPHQL):
        response = post(client, body, {"accept": accept})
        assert (response.status_code, code(response)) == (400, "MALFORMED_JSON")
        assert response.headers["content-type"].startswith(accept)


WRONG_TYPES: dict[str, tuple[object, ...]] = {
    "query": (None, 1, True, [], {}),
    "operationName": (1, True, [], {}),
    "variables": ("x", 1, True, []),
    "extensions": ("x", 1, True, []),
}

NO_REQUESTS: dict[str, object] = {
    "null": None,
    "a number": 1,
    "a string": "{ __typename }",
    "no query": {},
    "a typo": {"qeury": "{ __typename }"},
    **{
        f"{name} is {value!r}": {"query": "{ __typename }", name: value}
        for name, values in WRONG_TYPES.items()
        for value in values
    },
    "variables are 200 levels deep": {
        "query": "{ __typename }",
        "variables": json.loads('{"a":' * 200 + "1" + "}" * 200),
    },
}


@pytest.mark.parametrize("body", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
def test_json_that_is_no_request_is_refused(client: httpx.Client, body: object) -> None:
    response = post(client, json.dumps(body))
    assert (response.status_code, code(response)) == (400, "MALFORMED_REQUEST")


def test_null_is_the_same_as_nothing(client: httpx.Client) -> None:
    nothing: dict[str, Any] = {"operationName": None, "variables": None, "extensions": None}
    assert ask(client, SAN_QUENTIN, **nothing).json() == ITS_NAME
    assert ask(client, SAN_QUENTIN, operationName="").json() == ITS_NAME
    parameters = {"query": SAN_QUENTIN, "operationName": "", "variables": "", "extensions": ""}
    assert client.get("/graphql", params=parameters).json() == ITS_NAME


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query",
        "query=%ff",
        "query=%ED%A0%80",
        "query={__typename}&variables=[]",
        "query={__typename}&variables={",
        "query={__typename}&variables=1",
        "query={__typename}&extensions=%22x%22",
        "&&&=&=;",
    ],
)
def test_a_url_that_is_no_request_is_refused(client: httpx.Client, query_string: str) -> None:
    response = client.get(f"/graphql?{query_string}", headers={"accept": GRAPHQL})
    assert response.status_code == 400
    refused = {"MALFORMED_JSON", "MALFORMED_REQUEST", "GRAPHQL_PARSE_FAILED", "DUPLICATE_KEY"}
    assert code(response) in refused


HOSTILE = [
    "\0",
    "\x01",
    "'; drop table institutions; --",
    '"',
    "\\",
    "$1",
    "%",
    "🏳️‍🌈",
    "a" * 20_000,
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value[:20]))
def test_a_hostile_value_is_only_a_value(client: httpx.Client, value: str) -> None:
    query = """
        query Q($code: String!, $id: ID!) {
          institution(code: $code) { name }
          node(id: $id) { id }
        }
    """
    response = ask(client, query, GRAPHQL, variables={"code": value, "id": value, "more": value})
    assert response.status_code == 294
    assert response.json()["data"] == {"institution": None, "node": None}
    assert "INTERNAL" not in response.text


@pytest.mark.parametrize("value", [2**31, -(2**63), 2**64, 1e308, 0.5, True, "1", [1], {"a": 1}])
def test_a_number_that_does_not_fit_is_refused(client: httpx.Client, value: object) -> None:
    query = "query Q($v: Int) { institutions(first: $v) { totalCount } }"
    response = ask(client, query, GRAPHQL, variables={"v": value})
    assert (response.status_code, code(response)) == (400, "BAD_VARIABLES")


TWICE = {
    "the query": '{"query": "{ a }", "query": "{ __typename }"}',
    "with another key between": '{"query": "{ a }", "variables": null, "query": "{ __typename }"}',
    "with spaces": '{"query" : "{ __typename }" , "query"  :"{ __typename }"}',
    "the variables": '{"query": "{ __typename }", "variables": {}, "variables": {"a": 1}}',
    "a variable": '{"query": "{ __typename }", "variables": {"a": 1, "a": 1}}',
    "deep inside": '{"query": "{ __typename }", "variables": {"a": [{"b": [{"c": 1, "c": 2}]}]}}',
    "one of them hidden": r'{"query": "{ a }", "qu\u0065ry": "{ __typename }"}',
    "a colon hidden": r'{"query": "{ a }", "query": "{ a\u003a __typename }"}',
    "the empty key": '{"query": "{ __typename }", "variables": {"": 1, "": 2}}',
    "in a list": '[{"query": "{ __typename }"}, {"query": "{ a }", "query": "{ __typename }"}]',
}


@pytest.mark.parametrize("body", TWICE.values(), ids=TWICE.keys())
def test_of_two_values_for_one_key_none_is_taken(client: httpx.Client, body: str) -> None:
    response = post(client, body, {"accept": GRAPHQL})
    assert (response.status_code, code(response)) == (400, "DUPLICATE_KEY")


ONCE = {
    "colons in texts": json.dumps(
        {"query": "{ a: __typename }", "variables": {"::": ":", "b": []}}
    ),
    "hidden colons": r'{"query": "{ a\u003a __typename }", "variables": {"\u003A": "\\u003a"}}',
    "equal keys of two objects": json.dumps(
        {"query": "{ a: __typename }", "variables": {"a": {"a": [{"a": 1}, {"a": 2}]}}}
    ),
}


@pytest.mark.parametrize("body", ONCE.values(), ids=ONCE.keys())
def test_a_colon_alone_makes_no_key(client: httpx.Client, body: str) -> None:
    assert post(client, body).json() == {"data": {"a": "Query"}}


@pytest.mark.parametrize(
    "query_string",
    [
        "query={a}&query={__typename}",
        "query={__typename}&variables={%22a%22:1,%22a%22:2}",
        "query={__typename}&x=1&x=1",
    ],
)
def test_nor_of_two_values_in_a_url(client: httpx.Client, query_string: str) -> None:
    response = client.get(f"/graphql?{query_string}")
    assert (response.status_code, code(response)) == (400, "DUPLICATE_KEY")


# Limits


def padded(length: int) -> bytes:
    """A request whose body has this length."""
    body = json.dumps({"query": SAN_QUENTIN}).encode()
    return body + b" " * (length - len(body))


def test_a_body_may_have_100_000_bytes_and_not_one_more(client: httpx.Client) -> None:
    assert post(client, padded(100_000)).json() == ITS_NAME
    for longer in (100_001, 500_000, 5_000_000):
        try:
            response = post(client, padded(longer))
        except httpx.TransportError:
            assert longer > 1_000_000  # cut off while it was still sending
        else:
            assert (response.status_code, code(response)) == (413, "BODY_TOO_LARGE")


def test_a_body_that_does_not_say_its_length_is_limited_too(client: httpx.Client) -> None:
    def chunks(length: int) -> Iterator[bytes]:
        whole = padded(length)
        yield from (whole[i : i + 1000] for i in range(0, length, 1000))

    headers = {"content-type": JSON}
    fits = client.post("/graphql", content=chunks(100_000), headers=headers)
    assert fits.json() == ITS_NAME
    too_long = client.post("/graphql", content=chunks(101_000), headers=headers)
    assert (too_long.status_code, code(too_long)) == (413, "BODY_TOO_LARGE")


def test_a_url_may_not_go_on_forever(server: Serving) -> None:
    url = b"/graphql?" + urlencode({"query": SAN_QUENTIN + " " * 70_000}).encode()
    answer = asyncio.run(raw(server, [b"GET " + url + b" HTTP/1.1\r\nhost: here\r\n\r\n"], until=1))
    assert answer.startswith(b"HTTP/1.1 414")
    assert b"URL_TOO_LONG" in answer


# Development and production


def test_developers_see_how_long_each_stage_took(client: httpx.Client) -> None:
    timing = ask(client, '{ institution(code: "CMC") { openedNote } }').headers["server-timing"]
    assert re.findall(r"(\w+);dur=\d+\.\d+", timing) == ["parse", "plan", "fetch"]


def test_developers_see_the_sql_and_its_plan(client: httpx.Client) -> None:
    response = ask(client, SAN_QUENTIN, "application/sql")
    assert response.headers["content-type"].startswith("application/sql")
    assert "from institutions" in response.text
    assert "Execution Time" in response.text


def test_in_production_neither_is_shown(url: str) -> None:
    with serving(database_url=url, environment="production") as production:
        graphql = f"{production.url}/graphql"
        body = {"query": SAN_QUENTIN}
        refused = httpx.post(graphql, json=body, headers={"accept": "application/sql"})
        assert refused.status_code == 406
        answer = httpx.post(graphql, json=body)
        assert answer.json() == ITS_NAME
        assert "server-timing" not in answer.headers


# Beside the graph


def test_a_ready_server_says_so(client: httpx.Client) -> None:
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


def test_the_schema_can_be_read_as_text(client: httpx.Client) -> None:
    served = client.get("/schema.graphql").text
    assert "type Institution implements Node" in served
    assert command("schema", "--role", "public").stdout == served


def test_the_schema_can_be_read_as_json(client: httpx.Client) -> None:
    served = client.get("/schema.json").json()
    schema = build_client_schema(served["data"])
    assert print_schema(schema) + "\n" == client.get("/schema.graphql").text
    # It is what a tool that asks for it would be answered.
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        one_of=True,
    )
    assert ask(client, query).json()["data"] == served["data"]


@pytest.mark.parametrize("path", ["/schema.graphql", "/schema.json"])
def test_the_schema_is_sent_once(client: httpx.Client, path: str) -> None:
    plain = client.get(path, headers={"accept-encoding": "identity"})
    small = client.get(path, headers={"accept-encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(plain.content) / 4
    assert small.content == plain.content
    assert small.headers["etag"] != plain.headers["etag"]
    for response, encoding in ((plain, "identity"), (small, "gzip")):
        assert response.headers["vary"] == "accept-encoding, authorization, x-api-key"
        known = {"accept-encoding": encoding, "if-none-match": response.headers["etag"]}
        again = client.get(path, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == response.headers["etag"]
    head = client.head(path, headers={"accept-encoding": "identity"})
    assert int(head.headers["content-length"]) == len(plain.content)


def test_the_root_leads_to_the_graph(client: httpx.Client) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


def test_what_is_not_there_is_not_found(client: httpx.Client) -> None:
    for path in ("/nothing", "/graphql/", "/graphiql/../server.py", "/graphiql/%2e%2e/graphiql.py"):
        assert client.get(path).status_code == 404


def test_a_production_server_waits_for_its_tables(empty: str) -> None:
    with serving(database_url=empty, environment="production") as bare:
        assert httpx.get(f"{bare.url}/healthz").status_code == 200
        ready = httpx.get(f"{bare.url}/readyz")
        assert ready.status_code == 503
        assert "migrations are pending" in ready.json()["reason"]
        assert command("migrate", database_url=empty).returncode == 0
        assert httpx.get(f"{bare.url}/readyz").status_code == 200


async def test_a_socket_has_the_same_answers(url: str) -> None:
    graph, database = build(), Database(url)
    whole = application(graph, database, _nothing, max_body_bytes=100_000, development=True)
    protocol = "graphql-transport-ws"
    scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": [protocol]}
    ours: asyncio.Queue[Any] = asyncio.Queue()
    theirs: asyncio.Queue[Any] = asyncio.Queue()
    for event in (
        {"type": "websocket.connect"},
        _text({"type": "connection_init"}),
        _text({"id": "1", "type": "subscribe", "payload": {"query": SAN_QUENTIN}}),
    ):
        ours.put_nowait(event)
    speaking = asyncio.ensure_future(whole(scope, ours.get, theirs.put))
    async with asyncio.timeout(10):
        assert (await theirs.get())["subprotocol"] == protocol
        said = [json.loads((await theirs.get())["text"]) for _ in range(3)]
        ours.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await speaking
    assert said == [
        {"type": "connection_ack"},
        {"id": "1", "type": "next", "payload": ITS_NAME},
        {"id": "1", "type": "complete"},
    ]
    await database.close()


def _text(message: object) -> dict[str, object]:
    return {"type": "websocket.receive", "text": json.dumps(message)}


async def _nothing() -> list[object]:
    return []


# Waiting


def one_of_many(number: int) -> dict[str, object]:
    """A question like others, that does not share an answer with them."""
    return {"query": SAN_QUENTIN, "extensions": {"number": number}}


def forgetting(url: str, **settings: object) -> AbstractContextManager[Serving]:
    """A server that asks Postgres whenever it is asked: as in production, it loads nothing."""
    return serving(database_url=url, environment="production", answer_cache_bytes=0, **settings)


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Nobody can read institutions meanwhile. What it gives is a connection to look on from."""
    holder, onlooker = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        async with holder.transaction():
            await holder.execute("lock table institutions in access exclusive mode")
            yield onlooker
    finally:
        await holder.close()
        await onlooker.close()


async def blocked(connection: asyncpg.Connection) -> int:
    """How many questions wait for that lock; a server that learns what views speak of may, too."""
    found: int = await connection.fetchval(
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
        " and query like 'select row_to_json%'"
    )
    return found


# The server waits two seconds for what is under way, and would wait ten for a statement.
PATIENT = 8


async def until_blocked(connection: asyncpg.Connection, count: int) -> None:
    # As long as it takes on a machine that has other things to do.
    async with asyncio.timeout(60):
        while True:
            if await blocked(connection) == count:
                return
            await asyncio.sleep(0.02)


async def test_a_client_that_hangs_up_cancels_its_statement(url: str) -> None:
    with forgetting(url) as forgetful:
        async with httpx.AsyncClient(base_url=forgetful.url) as client:
            await client.post("/graphql", json={"query": SAN_QUENTIN})
            async with locked(url) as connection:
                asked = asyncio.create_task(client.post("/graphql", json={"query": SAN_QUENTIN}))
                await until_blocked(connection, 1)
                asked.cancel()
                await asyncio.wait([asked])
                await until_blocked(connection, 0)
            again = await client.post("/graphql", json={"query": SAN_QUENTIN})
            assert again.json() == ITS_NAME


async def test_a_busy_database_is_said_to_be_busy(url: str) -> None:
    with forgetting(url, pool_size=1, pool_wait_seconds=0.2) as small:
        async with httpx.AsyncClient(base_url=small.url) as client:
            async with locked(url) as connection:
                first = asyncio.create_task(client.post("/graphql", json=one_of_many(1)))
                await until_blocked(connection, 1)
                second = await client.post("/graphql", json=one_of_many(2))
            assert (second.status_code, code(second)) == (503, "DATABASE_BUSY")
            assert second.headers["retry-after"] == "1"
            assert (await first).json() == ITS_NAME


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_told_to_stop_answers_what_it_was_asked(url: str, workers: int) -> None:
    with forgetting(url, workers=workers) as stopping:
        async with httpx.AsyncClient(base_url=stopping.url, timeout=30) as client:
            async with locked(url) as connection:
                asked = [
                    asyncio.create_task(client.post("/graphql", json=one_of_many(number)))
                    for number in range(4)
                ]
                await until_blocked(connection, 4)
                stopped = asyncio.create_task(asyncio.to_thread(stopping.stop))
                await asyncio.sleep(1)
            for answer in await asyncio.gather(*asked):
                assert answer.json() == ITS_NAME
            assert await stopped < PATIENT


async def test_a_server_told_to_stop_does_not_wait_forever(url: str) -> None:
    with forgetting(url) as stopping:
        async with httpx.AsyncClient(base_url=stopping.url, timeout=30) as client:
            await client.post("/graphql", json={"query": SAN_QUENTIN})
            async with locked(url) as connection:
                asked = asyncio.create_task(client.post("/graphql", json={"query": SAN_QUENTIN}))
                await until_blocked(connection, 1)
                assert await asyncio.to_thread(stopping.stop) < PATIENT
                answer = await asked
                assert (answer.status_code, code(answer)) == (503, "SHUTTING_DOWN")
                await until_blocked(connection, 0)


# The command line


def test_tables_come_first_and_only_once(empty: str) -> None:
    planned = command("migrate", "--plan", database_url=empty)
    assert planned.stdout.startswith("pending 0001_")
    applied = command("migrate", database_url=empty)
    assert applied.stdout == planned.stdout.replace("pending", "applied")
    again = command("migrate", database_url=empty)
    assert again.stdout == "The tables are up to date.\n"


def lines_of_all_files() -> str:
    """How many rows there are to load, as people write it."""
    files = (ROOT / "db" / "data").glob("*.csv")
    texts = [file.read_text(encoding="utf-8").splitlines(keepends=True) for file in files]
    return f"{sum(len(list(csv.DictReader(text))) for text in texts):,}"


def test_a_second_load_changes_nothing_and_clean_data_drops_it_all() -> None:
    every = lines_of_all_files()
    with data_directory() as fresh:
        first = command("load", data_directory=fresh)
        assert re.search(rf"together +{every} +{every} +0 +0 +\d+\n", first.stdout), first.stderr
        queue = command("duplicates", data_directory=fresh)
        assert re.search(r"^ 0\.95 +\d+ +0 +0$", queue.stdout, re.M), queue.stdout
        second = command("load", data_directory=fresh)
        assert re.search(rf"together +{every} +0 +0 +{every} +\d+\n", second.stdout), second.stderr
        assert command("clean-data", data_directory=fresh).returncode == 0
        assert not fresh.exists()


async def test_a_large_directory_can_be_made_up(loaded_url: str) -> None:
    async with scratch(loaded_url) as copied:
        made = command("synthesize", "--providers", "500", database_url=copied)
        assert made.returncode == 0, made.stderr


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"port": "eighty"}, "PORT"),
        ({"environment": "staging"}, "ENVIRONMENT"),
        ({"database_url": "postgresql://127.0.0.1:1/nowhere"}, "database"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(settings: dict[str, object], told: str) -> None:
    failed = command("migrate", **settings)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: ")
    assert failed.stderr.count("\n") == 1
    assert told in failed.stderr


# Documents


class Asked(dict[str, str]):
    """An environment that has nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __contains__(self, name: object) -> bool:
        self.names.append(str(name))
        return False


def test_every_setting_is_documented() -> None:
    asked = Asked()
    Settings.read(asked)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in asked.names if f"`{name}`" not in readme] == []


def test_every_refusal_is_documented() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    codes = [refusal.code for refusal in Refusal.__subclasses__()]
    assert codes
    assert [each for each in codes if f"`{each}`" not in readme] == []
