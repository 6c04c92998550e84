"""Subscriptions over server-sent events and WebSockets: real servers, real writers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket as sockets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.typing import Subprotocol

from db.changes import Changes
from db.database import Database
from db.horizon import Horizon
from resolvers.resolve import GraphQLRequest
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.roads import the_graph
from tests.serving import Serving, serving
from tests.streams import EVENTS, URQL, following, socket
from web.admission import Admission
from web.answers import Answers
from web.documents import Documents
from web.identity import Identity
from web.sockets import Sockets
from web.subscriptions import Bounds, Streams
from web.vigil import Vigil

SQ = "Institution:8a811c7b-5d93-5bbe-bdd3-68153f9d8af6"

CHANGED = """subscription Changed($ids: [ID!], $types: [EntityType!], $after: String) {
  entityChanged(ids: $ids, types: $types, after: $after) {
    cursor operation id type
    node { id ... on Institution { statusNote } }
  }
}"""
VISITING = """subscription ($at: [ID!]) {
  visitingStatusChanged(institutions: $at) {
    cursor visitType cleared institution { code } visitingStatus { status exceptions }
  }
}"""


@dataclass(frozen=True)
class Two:
    """Two servers of one directory, and the way to change it behind their backs."""

    one: str
    other: str
    database: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(loaded_url: str) -> AsyncIterator[str]:
    """A directory that everybody here changes."""
    async with scratch(loaded_url) as url:
        yield url


@pytest.fixture(scope="module")
def two(database: str) -> Iterator[Two]:
    with (
        serving(database_url=database, environment="production") as one,
        serving(database_url=database, environment="production") as other,
    ):
        yield Two(one.url, other.url, database)


@pytest.fixture(scope="module")
def hasty(database: str) -> Iterator[Serving]:
    """A server that has little patience, and little room."""
    with serving(
        database_url=database,
        environment="production",
        keep_alive_seconds=2.0,
        slow_client_seconds=1.5,
        max_subscriptions=6,
        max_subscriptions_per_socket=3,
    ) as server:
        yield server


async def run(url: str, *statements: str) -> None:
    """Each statement in a transaction of its own."""
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)


def note(text: str) -> str:
    return f"update institutions set status_note = '{text}' where code = 'SQ'"


def said(status: str, code: str = "SQ", when: str = "clock_timestamp()") -> str:
    return (
        "insert into visiting_statuses"
        " (id, institution_id, visit_type, status, last_updated, source_id)"
        f" select gen_random_uuid(), id, 'VIDEO', '{status}', {when}, source_id"
        f" from institutions where code = '{code}'"
    )


def notes(*responses: Any) -> list[str]:
    return [each["data"]["entityChanged"]["node"]["statusNote"] for each in responses]


def codes(response: Any) -> list[str]:
    return [error["extensions"]["code"] for error in response["errors"]]


async def test_every_server_tells_what_has_changed(two: Two) -> None:
    async with (
        following(two.one, CHANGED, {"ids": [SQ]}) as one,
        following(two.other, CHANGED, {"ids": [SQ]}, get=True) as other,
    ):
        await run(two.database, note("told"))
        for stream in (one, other):
            event = (await stream.next())["data"]["entityChanged"]
            assert event.pop("cursor") == stream.last
            assert event == {
                "operation": "UPDATE",
                "id": SQ,
                "type": "INSTITUTION",
                "node": {"id": SQ, "statusNote": "told"},
            }


async def test_a_socket_is_told_the_same(two: Two) -> None:
    async with socket(two.one) as ours:
        await ours.subscribe("a", CHANGED, variables={"ids": [SQ]})
        await run(two.database, note("on a socket"))
        assert notes(await ours.next("a")) == ["on a socket"]
        await ours.say({"type": "complete", "id": "a"})
        await run(two.database, note("nobody is told"))
        # The same id can be used again, and what was stopped is.
        await ours.subscribe("a", CHANGED, variables={"ids": [SQ]})
        await run(two.database, note("again"))
        assert notes(await ours.next("a")) == ["again"]


ADDED = """
    insert into phones (id, number, kind, institution_id, source_id)
    select '00000000-0000-0000-0000-00000000000%d', '+14155550100', 'VOICE', id, source_id
    from institutions where code = 'SQ'
"""


async def test_records_come_and_go(two: Two) -> None:
    query = "subscription { entityChanged(types: [PHONE]) { operation id node { id } } }"
    async with following(two.one, query) as stream:
        await run(
            two.database,
            note("not a phone"),
            ADDED % 1,
            "delete from phones where id = '00000000-0000-0000-0000-000000000001'",
        )
        id_ = "Phone:00000000-0000-0000-0000-000000000001"
        told = [(await stream.next())["data"]["entityChanged"] for _ in range(2)]
    assert [(each["operation"], each["id"]) for each in told] == [("INSERT", id_), ("DELETE", id_)]
    # Told after both, perhaps: then it was gone already when it was said that it had come.
    assert told[0]["node"] in (None, {"id": id_})
    assert told[1]["node"] is None


async def test_whether_visiting_is_on_is_told_as_it_holds_now(two: Two) -> None:
    async with (
        following(two.one, VISITING, {"at": [SQ]}) as stream,
        following(two.other, VISITING) as everywhere,
    ):
        await run(two.database, said("CLOSED", "CAL"))
        event = (await everywhere.next())["data"]["visitingStatusChanged"]
        assert event["institution"]["code"] == "CAL"
        # Said of the past: what holds now is what held before.
        await run(two.database, said("LIMITED"), said("OPEN", when="'2020-01-01'"))
        for each in (stream, everywhere):
            event = (await each.next())["data"]["visitingStatusChanged"]
            assert (event["institution"]["code"], event["visitType"]) == ("SQ", "VIDEO")
            assert event["visitingStatus"]["status"] == "LIMITED"
            assert event["cleared"] is False
        await run(two.database, said("OPEN"))
        event = (await stream.next())["data"]["visitingStatusChanged"]
        assert event["visitingStatus"]["status"] == "OPEN"
        # Nobody may, but a migration could: take back all that was ever said.
        await run(
            two.database,
            "alter table visiting_statuses disable trigger append_only;"
            "delete from visiting_statuses where visit_type = 'VIDEO'"
            " and institution_id = (select id from institutions where code = 'SQ');"
            "alter table visiting_statuses enable trigger append_only",
        )
        event = (await stream.next())["data"]["visitingStatusChanged"]
        assert (event["visitType"], event["cleared"]) == ("VIDEO", True)
        assert event["visitingStatus"] is None


# Negotiation


async def ask(url: str, query: str, accept: str, **more: object) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        return await client.post(
            "/graphql", json={"query": query, **more}, headers={"accept": accept}
        )


async def test_urql_is_answered_in_json_and_streamed_only_what_is_a_stream(two: Two) -> None:
    response = await ask(two.one, '{ institution(code: "SQ") { name } }', URQL)
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    assert response.json()["data"]["institution"]["name"].startswith("San Quentin")
    async with following(two.one, CHANGED, {"ids": [SQ]}, accept=URQL) as stream:
        await run(two.database, note("for urql"))
        assert notes(await stream.next()) == ["for urql"]


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/event-stream;q=0, */*"])
@pytest.mark.parametrize("query", [CHANGED, "query @live { counties(first: 1) { totalCount } }"])
async def test_who_does_not_say_that_he_reads_streams_gets_none(
    two: Two, query: str, accept: str
) -> None:
    response = await ask(two.one, query, accept)
    assert (response.status_code, codes(response.json())) == (406, ["STREAM_NOT_ACCEPTED"])


async def test_a_stream_is_no_head(two: Two) -> None:
    async with httpx.AsyncClient(base_url=two.one) as client:
        for headers in ({"accept": EVENTS}, {"accept": URQL}):
            response = await client.head("/graphql", params={"query": CHANGED}, headers=headers)
            assert response.status_code == 406


async def test_who_reads_only_streams_is_answered_in_one(two: Two) -> None:
    query = "{ counties(first: 1) { totalCount } }"
    for _ in range(2):
        # Even if the answer to others is kept.
        response = await ask(two.one, query, "application/json", variables=None)
        assert response.headers["content-type"].startswith("application/json")
        async with following(two.one, query) as stream:
            assert await stream.next() == {"data": {"counties": {"totalCount": 58}}}
            assert (await stream.any()).event == "complete"
    for query in ("{ nothing }", "subscription { nothing }", "{"):
        async with following(two.one, query) as stream:
            code = "GRAPHQL_PARSE_FAILED" if query == "{" else "GRAPHQL_VALIDATION_FAILED"
            assert codes(await stream.next()) == [code]
            assert (await stream.any()).event == "complete"


# Refusals

REFUSED = [
    (
        "subscription { entityChanged { id } visitingStatusChanged { cursor } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    (
        "subscription { a: entityChanged { id } b: entityChanged { id } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    ("subscription { entityChanged @skip(if: true) { id } }", "GRAPHQL_VALIDATION_FAILED"),
    ("subscription { entityChanged(ids: []) { id } }", "BAD_USER_INPUT"),
    ("subscription { entityChanged(types: []) { id } }", "BAD_USER_INPUT"),
    ('subscription { entityChanged(ids: ["x"]) { id } }', "BAD_ID"),
    ('subscription { entityChanged(ids: ["Institution:x"]) { id } }', "BAD_ID"),
    ('subscription { entityChanged(ids: ["Nothing:x"]) { id node { id } } }', "BAD_ID"),
    (
        'subscription { entityChanged(ids: ["County:06001"], types: [PHONE]) { node { id } } }',
        "BAD_USER_INPUT",
    ),
    (
        "subscription { entityChanged(ids: [%s]) { id } }" % ('"County:06001" ' * 101),
        "BAD_USER_INPUT",
    ),
    ('subscription { visitingStatusChanged(institutions: ["County:06001"]) { cursor } }', "BAD_ID"),
    ('subscription { entityChanged(after: "x") { id } }', "BAD_CURSOR"),
    ('subscription { entityChanged(after: "999999999.1") { id } }', "BAD_CURSOR"),
    ('subscription { entityChanged(after: "3.1") { id } }', "CURSOR_EXPIRED"),
    (
        "subscription { entityChanged { node { %s } } }" % ("... { " * 40 + "id" + " }" * 40),
        "TOO_DEEP",
    ),
    ("subscription ($a: [ID!]) { entityChanged(ids: $a) { id } }", "BAD_VARIABLES"),
    (
        "subscription { entityChanged { node { ... on Institution { programs(first: 100) { nodes"
        " { offerings(first: 100) { nodes { id } } } } } } } }",
        "TOO_MANY_ROWS",
    ),
]


@pytest.mark.parametrize(("query", "code"), REFUSED, ids=[code for _, code in REFUSED])
async def test_what_cannot_be_followed_is_refused_at_once(two: Two, query: str, code: str) -> None:
    variables = {"a": 7.5} if "$a" in query else None
    response = await ask(two.one, query, URQL, variables=variables)
    assert (response.status_code, codes(response.json())) == (400, [code])
    async with socket(two.one) as ours:
        await ours.say(
            {"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}}
        )
        heard = await ours.hear()
        assert (heard["type"], heard["id"]) == ("error", "1")
        assert codes({"errors": heard["payload"]}) == [code]


async def test_an_event_has_errors_of_its_own(two: Two) -> None:
    """What one field is refused for, and what only Python can make, as in any other answer."""
    long = "a" * 70
    node = "node { ... on Institution { statusNote visitorCenters(first: 101) { totalCount } } }"
    query = f'subscription {{ entityChanged(ids: ["{SQ}"]) {{ {long}: operation at {node} }} }}'
    async with following(two.one, query) as stream:
        await run(two.database, note("partly"))
        response = await stream.next()
    assert response["data"]["entityChanged"][long] == "UPDATE"
    # The list can never be null, so what is refused takes the record with it.
    assert response["data"]["entityChanged"]["node"] is None
    assert codes(response) == ["PAGE_TOO_LARGE"]
    assert response["errors"][0]["path"] == ["entityChanged", "node", "visitorCenters"]


# Coming back


async def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(two: Two) -> None:
    async with following(two.one, CHANGED, {"ids": [SQ]}) as stream:
        await run(two.database, note("seen 1"), note("seen 2"))
        await stream.next()
        second = (await stream.next())["data"]["entityChanged"]["cursor"]
        assert second == stream.last
    await run(two.database, note("missed 1"), ADDED % 2, note("missed 2"))
    async with following(two.other, CHANGED, {"ids": [SQ]}, last=second) as stream:
        await run(two.database, note("new"))
        cursors = [(await stream.next())["data"]["entityChanged"]["cursor"] for _ in range(3)]
    async with socket(two.other) as ours:
        await ours.say(
            {
                "id": "1",
                "type": "subscribe",
                "payload": {"query": CHANGED, "variables": {"ids": [SQ], "after": second}},
            }
        )
        assert [
            (await ours.next("1"))["data"]["entityChanged"]["cursor"] for _ in range(3)
        ] == cursors
        await run(two.database, note("last"))
        assert notes(await ours.next("1")) == ["last"]


async def test_one_can_come_back_before_anything_has_happened(two: Two) -> None:
    async with following(two.one, CHANGED, {"ids": [SQ]}, get=True) as stream:
        first = await stream.any()
        assert (first.event, first.data) == (None, None)
        assert first.id is not None
    await run(two.database, note("meanwhile"))
    # The header wins over the argument, which a browser sends each time as it was.
    variables = {"ids": [SQ], "after": "3.1"}
    async with following(two.one, CHANGED, variables, last=first.id, get=True) as stream:
        assert notes(await stream.next()) == ["meanwhile"]


async def test_lines_that_are_cut_lose_nothing(two: Two) -> None:
    """Every connection of both servers is cut, again and again, while somebody writes."""
    writes = 25

    async def cut() -> None:
        async with connected(two.database) as connection:
            for _ in range(5):
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'directory' and datname = current_database()"
                )
                await asyncio.sleep(0.15)

    async def write() -> None:
        async with connected(two.database) as connection:
            for number in range(writes):
                await connection.execute(
                    "insert into service_areas (id, service_id, county_fips, source_id)"
                    " select gen_random_uuid(), s.id, $1, s.source_id from services s where"
                    " not exists (select from service_areas a where a.service_id = s.id) limit 1",
                    f"06{2 * number + 1:03}",
                )
                await asyncio.sleep(0.02)

    query = "subscription { entityChanged(types: [SERVICE_AREA]) { cursor operation } }"
    async with (
        following(two.one, query) as stream,
        socket(two.other, ping_interval=None) as ours,
    ):
        await ours.subscribe("1", query)
        await asyncio.gather(write(), cut())
        one = [(await stream.next())["data"]["entityChanged"]["cursor"] for _ in range(writes)]
        other = [(await ours.next("1"))["data"]["entityChanged"]["cursor"] for _ in range(writes)]
    assert one == other
    assert len(set(one)) == writes


async def test_a_load_is_told_line_by_line(two: Two) -> None:
    """Thousands of records in one transaction; the client sees all, as quickly as it reads."""
    query = "subscription { entityChanged(types: [ZIP_CODE]) { cursor node { id } } }"
    async with following(two.one, query) as stream:
        await run(two.database, "update zip_codes set approximate = not approximate")
        async with connected(two.database) as connection:
            count = await connection.fetchval("select count(*) from zip_codes")
        cursors = [(await stream.next())["data"]["entityChanged"]["cursor"] for _ in range(count)]
    assert len(set(cursors)) == count > 2000


# Sockets


async def test_a_socket_answers_queries_and_questions_about_the_schema(two: Two) -> None:
    async with socket(two.one) as ours:
        for id_, query, answer in (
            ("a", '{ institution(code: "SQ") { code } }', {"institution": {"code": "SQ"}}),
            (
                "b",
                "{ __schema { subscriptionType { name } } }",
                {"__schema": {"subscriptionType": {"name": "Subscription"}}},
            ),
        ):
            await ours.say({"id": id_, "type": "subscribe", "payload": {"query": query}})
            assert await ours.next(id_) == {"data": answer}
            assert await ours.hear() == {"id": id_, "type": "complete"}
        text = "{ counties(first: 1) { totalCount } }"
        hash_ = hashlib.sha256(text.encode()).hexdigest()
        sent = {"persistedQuery": {"version": 1, "sha256Hash": hash_}}
        await ours.say(
            {"id": "c", "type": "subscribe", "payload": {"query": text, "extensions": sent}}
        )
        assert (await ours.next("c"))["data"] == {"counties": {"totalCount": 58}}
        assert (await ours.hear())["type"] == "complete"
        await ours.say({"id": "d", "type": "subscribe", "payload": {"extensions": sent}})
        assert (await ours.next("d"))["data"] == {"counties": {"totalCount": 58}}


async def test_a_socket_speaks_the_language_of_its_handshake(two: Two) -> None:
    async with socket(two.one, additional_headers={"accept-language": "es"}) as ours:
        query = '{ category(code: "HOUSING") { label labelWording { language } } }'
        await ours.say({"id": "1", "type": "subscribe", "payload": {"query": query}})
        response = await ours.next("1")
        assert response["data"]["category"]["labelWording"]["language"] == "ES"


BROKEN: list[tuple[list[object], int]] = [
    (["{"], 4400),
    (["[]"], 4400),
    (["null"], 4400),
    ([b"{}"], 4400),
    ([{}], 4400),
    ([{"type": "nothing"}], 4400),
    ([{"type": ["connection_init"]}], 4400),
    ([{"type": "connection_init", "payload": 1}], 4400),
    ([{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}], 4401),
    ([{"type": "connection_init"}, {"type": "connection_init"}], 4429),
    ([{"type": "connection_init"}, {"type": "subscribe", "payload": {"query": "{ a }"}}], 4400),
    ([{"type": "connection_init"}, {"type": "subscribe", "id": 7, "payload": {}}], 4400),
    ([{"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": []}], 4400),
    ([{"type": "connection_init"}, {"type": "complete"}], 4400),
    (
        [
            {"type": "connection_init"},
            *[{"type": "subscribe", "id": "1", "payload": {"query": CHANGED}}] * 2,
        ],
        4409,
    ),
    ([" " * 200_000], 1009),
]


@pytest.mark.parametrize(("messages", "code"), BROKEN)
async def test_what_is_no_message_of_the_protocol_ends_the_socket(
    two: Two, messages: list[object], code: int
) -> None:
    async with socket(two.one, begin=False) as ours:
        for message in messages:
            plain = isinstance(message, str | bytes)
            await ours.connection.send(message if plain else json.dumps(message))  # type: ignore[arg-type]
        assert (await ours.ended())[0] == code


@pytest.mark.parametrize("protocols", [None, [Subprotocol("graphql-ws")]])
async def test_another_protocol_is_not_spoken(two: Two, protocols: object) -> None:
    async with socket(two.one, begin=False, subprotocols=protocols) as ours:
        assert await ours.ended() == (4406, "Subprotocol not acceptable")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"query": 7},
        {"query": "{ __typename }", "variables": []},
        {"query": "{ __typename }", "operationName": 1},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
    ],
)
async def test_a_request_that_is_none_is_refused_and_the_socket_goes_on(
    two: Two, payload: object
) -> None:
    async with socket(two.one) as ours:
        await ours.say({"id": "1", "type": "subscribe", "payload": payload})
        heard = await ours.hear()
        assert (heard["type"], heard["id"]) == ("error", "1")
        assert codes({"errors": heard["payload"]})[0] in (
            "MALFORMED_REQUEST",
            "PERSISTED_QUERY_NOT_FOUND",
        )
        await ours.subscribe("1", CHANGED)


async def test_only_trusted_documents_are_followed_where_nothing_else_is(database: str) -> None:
    with serving(database_url=database, environment="production", documents="trusted") as server:
        async with socket(server.url) as ours:
            await ours.say({"id": "1", "type": "subscribe", "payload": {"query": CHANGED}})
            assert codes({"errors": (await ours.hear())["payload"]}) == ["DOCUMENT_NOT_TRUSTED"]
        async with following(server.url, CHANGED) as stream:
            assert codes(await stream.next()) == ["DOCUMENT_NOT_TRUSTED"]


# Bounds


async def test_a_flood_is_refused_and_those_who_were_first_go_on(
    hasty: Serving, database: str
) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(socket(hasty.url))
        other = await stack.enter_async_context(socket(hasty.url))
        for ours in (one, other):
            for id_ in ("1", "2", "3"):
                await ours.subscribe(id_, CHANGED, variables={"ids": [SQ]})
            await ours.say({"id": "4", "type": "subscribe", "payload": {"query": CHANGED}})
            assert codes({"errors": (await ours.hear())["payload"]}) == ["TOO_MANY_SUBSCRIPTIONS"]
        for _ in range(30):
            response = await ask(hasty.url, CHANGED, URQL)
            assert response.status_code == 429
            assert codes(response.json()) == ["TOO_MANY_SUBSCRIPTIONS"]
            assert response.headers["retry-after"]
        # Whoever asks an ordinary question is answered.
        assert (await ask(hasty.url, "{ __typename }", URQL)).status_code == 200
        await run(database, note("through the flood"))
        for ours in (one, other):
            assert {(await ours.hear())["id"] for _ in range(3)} == {"1", "2", "3"}
        # Where somebody leaves there is room again.
        await one.say({"type": "complete", "id": "1"})
        await one.subscribe("5", CHANGED, variables={"ids": [SQ]})
        more = [await stack.enter_async_context(socket(hasty.url)) for _ in range(4)]
        async with socket(hasty.url, begin=False) as ours:
            await ours.say({"type": "connection_init"})
            assert (await ours.ended())[0] == 1013
        assert len(more) == 4


async def room(server: Serving) -> None:
    """Wait until the server has noticed that all clients are gone."""
    ids = ("1", "2", "3")
    async with asyncio.timeout(20):
        while True:
            heard = []
            async with socket(server.url) as one, socket(server.url) as other:
                for ours in (one, other):
                    for id_ in ids:
                        payload = {"query": CHANGED}
                        await ours.say({"id": id_, "type": "subscribe", "payload": payload})
                    await ours.say({"type": "ping"})
                    heard.append(await ours.hear())
                for ours, first in ((one, heard[0]), (other, heard[1])):
                    # What we have taken is given back before we go.
                    for id_ in ids:
                        await ours.say({"id": id_, "type": "complete"})
                    await ours.say({"type": "ping"})
                    while first["type"] != "pong":
                        first = await ours.hear()
                    await ours.hear()
            if all(each["type"] == "pong" for each in heard):
                return


async def test_who_hangs_up_leaves_room(hasty: Serving) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(6):
            await stack.enter_async_context(following(hasty.url, CHANGED))
        assert (await ask(hasty.url, CHANGED, URQL)).status_code == 429
    await room(hasty)


_SOURCE = "source { name knownGaps coverage licence url publisher }"
_SOURCES = " ".join(f"a{number}: {_SOURCE}" for number in range(29))
_NODE = f"node {{ ... on ZipCode {{ provenance {{ {_SOURCES} }} }} }}"
FAT = f"subscription {{ entityChanged(types: [ZIP_CODE]) {{ {_NODE} }} }}"


def narrow(url: str) -> sockets.socket:
    """A connection that holds little of what its owner does not read."""
    made = sockets.socket()
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 8192)
    made.connect(("127.0.0.1", httpx.URL(url).port))
    made.setblocking(False)
    return made


@asynccontextmanager
async def raw(
    connection: sockets.socket,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, byte by byte."""
    reader, writer = await asyncio.open_connection(sock=connection, limit=2**14)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def let_go(server: Serving, what: str) -> None:
    async with asyncio.timeout(30):
        while f"a client that does not read its {what} was let go" not in server.said():  # noqa: ASYNC110  # only the log says so
            await asyncio.sleep(0.05)


async def test_a_slow_reader_of_a_stream_is_let_go_with_a_reason(
    hasty: Serving, database: str
) -> None:
    await room(hasty)
    body = json.dumps({"query": FAT}).encode()
    async with raw(narrow(hasty.url)) as (reader, writer):
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: here\r\naccept: text/event-stream\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert b" 200 " in await reader.readline()
        # Not refused: what is told first is where to go on from.
        assert b"id: " in await reader.readuntil(b"id: ")
        await run(database, "update zip_codes set approximate = not approximate")
        await let_go(hasty, "stream")
        rest = b""
        async with asyncio.timeout(30):
            while b"event: complete" not in rest:
                chunk = await reader.read(2**16)
                assert chunk, rest[-500:]
                rest = rest[-2000:] + chunk
    assert b'"code":"TOO_SLOW"' in rest


async def test_a_slow_reader_of_a_socket_is_let_go_with_a_reason(
    hasty: Serving, database: str
) -> None:
    await room(hasty)
    async with socket(
        hasty.url, sock=narrow(hasty.url), max_queue=1, compression=None, ping_interval=None
    ) as ours:
        await ours.subscribe("1", FAT)
        await run(database, "update zip_codes set approximate = not approximate")
        await let_go(hasty, "socket")
        assert await ours.ended() == (4408, "You do not read what you are told")


async def test_a_stream_gives_signs_of_life(hasty: Serving) -> None:
    await room(hasty)
    async with following(hasty.url, CHANGED) as stream:
        await stream.any()
        assert stream.alive == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await stream.any()
        assert stream.alive > 1


async def test_a_socket_that_nobody_holds_is_closed(hasty: Serving) -> None:
    """Its other end neither speaks nor answers a ping, and does not say that it is gone."""
    await room(hasty)
    async with raw(narrow(hasty.url)) as (reader, writer):
        writer.write(
            b"GET /graphql HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        # connection_init, in a frame that is masked with nothing.
        init = b'{"type":"connection_init"}'
        writer.write(bytes([0x81, 0x80 | len(init), 0, 0, 0, 0]) + init)
        async with asyncio.timeout(20):
            heard = await reader.read()
    assert b"connection_ack" in heard
    assert b"keepalive ping timeout" in heard


async def test_all_who_ask_the_same_are_told_by_one_statement(loaded_url: str) -> None:
    query = f'subscription {{ entityChanged(ids: ["{SQ}"]) {{ cursor node {{ id }} }} }}'
    async with scratch(loaded_url) as url:
        database = await Database.open(url)
        changes = Changes(database)
        listening = asyncio.create_task(changes.listen())
        await asyncio.wait_for(changes.changed((), None), 20)
        streams = _streams(database, changes, Bounds())
        async with AsyncExitStack() as stack:
            opened = [
                await stack.enter_async_context(streams.stream(GraphQLRequest(query)))
                for _ in range(50)
            ]
            for messages in opened:
                assert (await anext(messages)).body is None
            before = database.statements
            await run(url, note("to all"))
            told = [(await anext(messages)).body for messages in opened]
            assert len(set(told)) == 1
            # One for the events, and the log was looked at once or twice.
            assert database.statements - before < 5
        assert streams.open_ == 0
        listening.cancel()
        await asyncio.wait([listening])
        await database.close()


def _streams(database: Database, changes: Changes, bounds: Bounds) -> Streams:
    horizon, documents = Horizon(database, changes), Documents(database, changes)
    answers = Answers(changes, horizon, weight=0)
    return Streams(the_graph(), database, changes, horizon, answers, documents, bounds)


async def alone(bounds: Bounds, *messages: object, then: object = None) -> list[dict[str, Any]]:
    """What a socket says to somebody who says this and `then` the same, again and again."""
    nowhere = Database("postgresql://never-asked")
    changes = Changes(nowhere)
    streams, identity = _streams(nowhere, changes, bounds), Identity(nowhere, changes)

    async def streams_for(role: Role) -> Streams:
        return streams

    speak = Sockets(Admission(identity, Vigil(identity, changes)), streams_for)
    ours: asyncio.Queue[Any] = asyncio.Queue()
    said: list[Any] = []

    async def send(event: Any) -> None:
        said.append(event)

    ours.put_nowait({"type": "websocket.connect"})
    for message in messages:
        ours.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
    scope = {"type": "websocket", "headers": [], "subprotocols": ["graphql-transport-ws"]}

    async def receive() -> Any:
        if ours.empty() and then is not None:
            await asyncio.sleep(0.02)
            return {"type": "websocket.receive", "text": json.dumps(then)}
        return await ours.get()

    async with asyncio.timeout(20):
        await speak(scope, receive, send)
    return said


async def test_a_socket_that_does_not_begin_or_asks_nothing_ends() -> None:
    bounds = Bounds(beginning=0.1, idle=0.1)
    *_, closed = await alone(bounds)
    assert (closed["code"], closed["reason"]) == (4408, "Connection initialisation timeout")
    *_, closed = await alone(bounds, then={"type": "ping"})
    assert (closed["code"], closed["reason"]) == (4408, "Connection initialisation timeout")
    *_, closed = await alone(bounds, {"type": "connection_init"})
    assert (closed["code"], closed["reason"]) == (4408, "Nothing was asked for a long time")


async def test_a_server_that_ends_says_so_to_all_who_listen(database: str) -> None:
    with serving(database_url=database, environment="production") as server:
        async with following(server.url, CHANGED) as stream, socket(server.url) as ours:
            await ours.subscribe("1", CHANGED)
            started = time.monotonic()
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            assert codes(await stream.next()) == ["SHUTTING_DOWN"]
            assert (await stream.any()).event == "complete"
            assert (await ours.ended())[0] == 1012
            await stopping
        assert time.monotonic() - started < 3
        assert "Traceback" not in server.said()
