"""What people tell of themselves is in no log, however their question ends."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import connect

from db import embedded
from db.database import Database
from db.discretion import discreet
from db.errors import DatabaseError, DatabaseFault
from resolvers.errors import Code
from resolvers.resolve import GraphQLRequest, resolve
from tests.db.scratch import connected, scratch
from tests.roads import codes_of, the_graph
from tests.serving import Serving, command, data_directory, serving
from web.discretion import keep_secrets

# Letters that no word of ours has next to each other.
SECRET = "qzjx"
SECRETS = ("qzj", SECRET)
MATCHING = """query ($for: Situation!) {
    services(filter: {mayFit: $for}, first: 3) { nodes { matches(for: $for) { verdict } } } }"""
SITUATION = {"languages": ["qzj"], "age": 30}
SEARCHING = "query ($text: String!) { search(text: $text) { edges { score } } }"

# A mistake of ours that quotes what it was given, in its words and in every part beside them.
INDISCREET = """
    create or replace function situation_of(
        own_audience text[], not_audience text[], has_record boolean, offences text[],
        own_gender text, age integer, days_since_release integer, referral text[], spoken text[],
        held text[], only_free boolean, county text, needs text[]
    ) returns situation language plpgsql stable as $$ begin
        raise exception 'somebody speaks %', spoken
            using detail = spoken::text, hint = spoken::text, errcode = 'XX001';
    end $$
"""


def held(text: str) -> list[str]:
    """The secrets that a text does not keep."""
    return [secret for secret in SECRETS if secret in text]


async def asked(database: Database, question: str, **variables: object) -> list[str]:
    """The codes of the errors of an answer."""
    answer = await resolve(the_graph(), database, GraphQLRequest(question, None, variables))
    return codes_of(json.loads(answer.body))


async def test_the_engine_logs_no_value_however_a_question_ends(
    loaded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    situation = {"for": SITUATION}
    wrong = {"for": {**SITUATION, "languages": ["qzj", SECRET]}}
    async with scratch(loaded_url) as url, connected(url) as other:
        database = await Database.open(url, connections=1, statement_timeout=1)
        assert await asked(database, MATCHING, **situation) == []
        assert await asked(database, MATCHING, **wrong) == [Code.BAD_USER_INPUT]
        assert await asked(database, MATCHING, **{"for": SECRET}) == [Code.BAD_VARIABLES]
        await asked(database, SEARCHING, text=SECRET)
        assert await asked(database, SEARCHING, text=SECRET * 90) == [Code.BAD_USER_INPUT]
        assert await asked(database, f"{{ {SECRET} }}") == [Code.GRAPHQL_VALIDATION_FAILED]
        async with other.transaction():
            await other.execute("lock table services in access exclusive mode")
            assert await asked(database, MATCHING, **situation) == [Code.STATEMENT_TIMEOUT]
        async with _terminated(other):
            assert await asked(database, MATCHING, **situation) == [Code.DATABASE_UNAVAILABLE]
        assert caplog.records == []
        await other.execute(INDISCREET)
        assert await asked(database, MATCHING, **situation) == [Code.INTERNAL_SERVER_ERROR]
        await other.execute("alter function service_match rename to gone")
        await database.close()
        database = await Database.open(url, connections=1)
        assert await asked(database, MATCHING, **situation) == [Code.INTERNAL_SERVER_ERROR]
        await database.close()
    told = [record.getMessage() for record in caplog.records if record.name.startswith("resolvers")]
    assert [message.splitlines()[0] for message in told] == ["a statement failed:"] * 2
    assert "sqlstate=XX001" in told[0]
    # What the statement itself is to blame for is told whole: it has no value in it.
    assert "service_match" in told[1]
    assert "does not exist" in told[1]
    assert held(caplog.text) == []
    assert not any(record.exc_info for record in caplog.records)


async def test_an_error_tells_where_and_not_what() -> None:
    async with scratch() as url:
        database = await Database.open(url, connections=1)
        for statement, value in (
            ("select to_json($1::int4)", SECRET),  # refused before it is sent
            ("select to_json(('{' || $1::text)::json)", SECRET),
            ("select to_json($1::text::regclass)", SECRET),
        ):
            with pytest.raises(DatabaseError) as caught:
                await database.fetch(statement, [value])
            told = discreet(caught.value)
            assert held(told) == []
            assert "database.py" in told
            assert type(caught.value).__name__ in told
        with pytest.raises(DatabaseFault) as fault:
            await database.fetch("select nothing_like_it($1::text)", [SECRET])
        assert "nothing_like_it(text) does not exist" in discreet(fault.value)
        await database.close()


@contextmanager
def logged(name: str) -> Iterator[io.StringIO]:
    """What a logger's own handler writes meanwhile, kept as our server keeps it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger(name)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(1)
    keep_secrets()
    keep_secrets()
    try:
        yield written
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_an_exception_that_nobody_caught_is_logged_without_its_words() -> None:
    with logged("uvicorn") as written:
        try:
            int(SECRET)
        except ValueError as error:
            logging.getLogger("uvicorn.error").error(
                "Exception in ASGI application\n", exc_info=error
            )
    assert held(written.getvalue()) == []
    assert "ValueError" in written.getvalue()
    assert "test_discretion.py" in written.getvalue()


def test_a_task_that_nobody_waited_for_is_logged_without_its_exception() -> None:
    async def fail() -> None:
        raise ValueError(SECRET)

    async def leave() -> None:
        failing = asyncio.ensure_future(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del failing

    with logged("") as written:
        asyncio.run(leave())
    assert "Task exception was never retrieved" in written.getvalue()
    assert held(written.getvalue()) == []


# The server as a whole

ROWS = """
    insert into sources (id, key, name) values ('00000000-0000-0000-0000-000000000001', 'S', 'S');
    insert into providers (id, slug, name, source_id)
    select source.id, 'p', 'P', source.id from sources source;
    insert into services (id, provider_id, name, languages, source_id)
    select id, id, 'A service', '{es}', id from sources;
"""


async def test_no_log_of_a_server_and_its_postgres_has_what_was_asked() -> None:
    with data_directory() as directory:
        assert command("migrate", data_directory=directory).returncode == 0
        settings: dict[str, object] = {"environment": "production", "log_level": "trace"}
        url = embedded.start(directory)
        async with connected(url) as other:
            await other.execute(ROWS)
            settings |= {"data_directory": directory, "statement_timeout_seconds": 1.0}
            with serving(**settings) as server:
                await _asked_of(server, other)
                said = server.said()
        postgres = (directory / "postgres.log").read_text()
    assert "GET /graphql" in said
    assert "a statement failed" in said
    assert held(said) == []
    assert "database system is ready" in postgres
    assert held(postgres) == []
    assert "ERROR" not in postgres
    assert "select" not in postgres


async def _asked_of(server: Serving, other: asyncpg.Connection) -> None:
    """Every way in which a situation can come, and every way in which that can end."""
    body = {"query": MATCHING, "variables": {"for": SITUATION}}
    in_url = {"query": MATCHING, "variables": json.dumps({"for": SITUATION})}
    wrong = {"query": MATCHING, "variables": {"for": {"languages": [SECRET]}}}

    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:

        async def codes(sent: object = body) -> list[str]:
            return codes_of((await client.post("/graphql", json=sent)).json())

        assert await codes() == []
        got = await client.get(f"/graphql?{urlencode(in_url)}")
        assert got.json() == (await client.post("/graphql", json=body)).json()
        await client.post("/graphql", json={"query": SEARCHING, "variables": {"text": SECRET}})
        await client.get(f"/nothing?{SECRET}")
        assert await codes(wrong) == ["BAD_USER_INPUT"]
        assert await codes({"query": f"{{ {SECRET}"}) == ["GRAPHQL_PARSE_FAILED"]
        assert await codes([SECRET]) == ["MALFORMED_BATCH"]
        answers = (await client.post("/graphql", json=[body, wrong])).json()
        assert [codes_of(answer) for answer in answers] == [[], ["BAD_USER_INPUT"]]
        twice = await client.get(f"/graphql?{SECRET}=1&{SECRET}=2")
        assert codes_of(twice.json()) == ["DUPLICATE_KEY"]
        for broken in (f"GET /?{SECRET} HTTP/9.9", f"GET /?{SECRET * 20_000} HTTP/1.1"):
            await _in_bytes(server, f"{broken}\r\nx-note: {SECRET}\r\n\r\n".encode())
        await client.post(
            "/graphql", content=f"{{{SECRET}", headers={"content-type": "application/json"}
        )
        await _over_a_socket(server, body)
        async with other.transaction():
            await other.execute("lock table services in access exclusive mode")
            assert await codes() == ["STATEMENT_TIMEOUT"]
        async with _terminated(other):
            assert await codes() == ["DATABASE_UNAVAILABLE"]
        await other.execute(INDISCREET)
        assert await codes() == ["INTERNAL_SERVER_ERROR"]


async def _in_bytes(server: Serving, request: bytes) -> None:
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request)
    # Whoever still sends when it hangs up may not get to read why.
    with suppress(ConnectionError):
        assert (await reader.read()).startswith(b"HTTP/1.1 4")
    writer.close()


async def _over_a_socket(server: Serving, body: object) -> None:
    address = server.url.replace("http", "ws") + f"/graphql?{SECRET}"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a kind of str
        for message in (
            {"type": "connection_init"},
            {"id": "1", "type": "subscribe", "payload": body},
        ):
            await socket.send(json.dumps(message))
        said: list[Any] = [json.loads(await socket.recv()) for _ in range(3)]
    assert [message["type"] for message in said] == ["connection_ack", "next", "complete"]


class _terminated:  # noqa: N801  # reads as a clause
    """Whoever reads services meanwhile is thrown out of Postgres, again and again."""

    def __init__(self, other: asyncpg.Connection) -> None:
        self.other = other
        self.lock = other.transaction()

    async def __aenter__(self) -> None:
        await self.lock.start()
        await self.other.execute("lock table services in access exclusive mode")
        self.thrower = asyncio.ensure_future(self._throw_out())

    async def _throw_out(self) -> None:
        while True:
            # Within a transaction Postgres would tell again what it told before.
            await self.other.execute(
                "select pg_stat_clear_snapshot();"
                " select pg_terminate_backend(pid) from pg_stat_activity"
                " where wait_event_type = 'Lock' and datname = current_database()"
            )
            await asyncio.sleep(0.02)

    async def __aexit__(self, *_: object) -> None:
        self.thrower.cancel()
        await asyncio.wait([self.thrower])
        await self.lock.rollback()
