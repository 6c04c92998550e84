"""What goes wrong while something is changed, each by its real occurrence.

Nothing is done by halves, nothing is done twice, and whoever asks again with the same key learns
what came of it. The server reaches Postgres by way of a relay, which cuts the line at the very
moment that a test is about.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_nullable_type,
    is_list_type,
    is_required_input_field,
)
from websockets.exceptions import ConnectionClosed

from db import api_keys, embedded
from db.database import Database
from db.migrate import migrate
from db.roles import prepare, role_name
from resolvers.change import Changer
from resolvers.graph import Graph
from resolvers.parse import parse
from resolvers.resolve import GraphQLRequest, resolve
from schema.audiences import reaches
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.relay import Relay, Trap
from tests.roads import audiences
from tests.serving import Serving, data_directory, serving
from tests.streams import EVENTS, socket
from web.application import application

CREATE = """mutation Create($input: CreateProviderInput!) { made: createProvider(input: $input) {
  provider { id slug name version phones { number } } userErrors { path code message }
} }"""
UPDATE = """mutation Update($input: UpdateProviderInput!) { made: updateProvider(input: $input) {
  provider { id name version } userErrors { path code }
} }"""
CREATE_MANY = """mutation ($input: CreateProvidersInput!) { made: createProviders(input: $input) {
  results { provider { id } userErrors { path code } }
} }"""
CALL = """mutation ($input: CreatePhoneInput!) { made: createPhone(input: $input) {
  phone { id } userErrors { code }
} }"""

# The server's own; small, so that it is soon reached.
POOL, PATIENCE, TIMEOUT = 2, 0.5, 4.0


@dataclass(frozen=True)
class Place:
    """A directory, a server that reaches it by way of a relay, and who may change it."""

    database: str
    relay: Relay
    by_relay: str
    server: Serving
    http: httpx.AsyncClient
    staff: str

    async def send(
        self,
        query: str,
        input_: Mapping[str, object] | None = None,
        *,
        shown: str | None = None,
        server: Serving | None = None,
        **headers: str,
    ) -> httpx.Response:
        """What is answered to an operation."""
        return await self.http.post(
            f"{(server or self.server).url}/graphql",
            json={"query": query, "variables": {"input": input_}},
            headers={"authorization": f"Bearer {shown or self.staff}", **headers},
        )

    async def made(self, query: str, input_: Mapping[str, object]) -> Any:
        """The payload of a change that nothing stands in the way of."""
        answer = (await self.send(query, input_)).json()
        assert "errors" not in answer, answer
        assert answer["data"]["made"].get("userErrors", []) == []
        return answer["data"]["made"]

    async def asked(self, query: str, *arguments: object) -> Any:
        async with connected(self.database) as connection:
            return await connection.fetchval(query, *arguments)

    async def state(self) -> tuple[int, int]:
        """How much has been done: lines of the log, and keys that are kept."""
        return (
            await self.asked("select count(*) from changes where entity not like 'search%'"),
            await self.asked("select count(*) from idempotency_keys"),
        )

    async def until(self, query: str, *arguments: object) -> None:
        """Until Postgres says yes."""
        async with connected(self.database) as connection, asyncio.timeout(30):
            while not await connection.fetchval(query, *arguments):  # noqa: ASYNC110  # Postgres has no event for it
                await asyncio.sleep(0.02)

    async def until_blocked(self, count: int = 1) -> None:
        """Until so many sessions of servers wait for a lock."""
        await self.until(f"select count(*) = $1 from ({_SESSIONS}) s where waits = 'Lock'", count)

    @asynccontextmanager
    async def locked(self, *ids: str) -> AsyncIterator[asyncpg.Connection]:
        """Somebody else is in the middle of changing these providers."""
        async with connected(self.database) as connection:
            await connection.execute("begin")
            await connection.fetch(
                "select from providers where id = any ($1) order by id for update",
                [UUID(each.partition(":")[2]) for each in ids],
            )
            try:
                yield connection
            finally:
                await connection.execute("rollback")


_SESSIONS = """
    select pid, state, wait_event_type as waits from pg_stat_activity
    where application_name = 'directory' and datname = current_database()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(migrated_url: str) -> AsyncIterator[Place]:
    async with scratch(migrated_url) as url, here(url) as made:
        yield made


@asynccontextmanager
async def here(url: str) -> AsyncIterator[Place]:
    """A server of an empty directory, by way of a relay."""
    relay = Relay(url)
    staff = await api_keys.create(url, "ana", "STAFF", ["READ", "WRITE"])
    async with (
        relay.open() as by_relay,
        httpx.AsyncClient(timeout=60) as http,
        served(by_relay) as server,
    ):
        made = Place(url, relay, by_relay, server, http, staff)
        await made.made(CREATE, {"slug": "first", "name": "First"})
        yield made


@asynccontextmanager
async def served(url: str, patience: float = TIMEOUT) -> AsyncIterator[Serving]:
    """A server; it is started and ended while the relay goes on."""
    running = serving(
        database_url=url,
        environment="production",
        pool_size=POOL,
        pool_wait_seconds=PATIENCE,
        statement_timeout_seconds=patience,
    )
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


def code_of(response: httpx.Response) -> tuple[int, str]:
    """The status of a refusal, and its code."""
    answer = response.json()
    assert answer.get("data") is None, answer
    return response.status_code, answer["errors"][0]["extensions"]["code"]


async def created(place: Place, slug: str) -> str:
    made = await place.made(CREATE, {"slug": slug, "name": slug})
    id_: str = made["provider"]["id"]
    return id_


# Postgres, and the line to it


async def test_a_commit_that_never_arrives_is_not_done(place: Place) -> None:
    asked = {"slug": "lost", "name": "Lost", "idempotencyKey": "lost"}
    before = await place.state()
    place.relay.set(Trap.LOST)
    assert code_of(await place.send(CREATE, asked)) == (503, "OUTCOME_UNKNOWN")
    await place.until(f"select count(*) = 0 from ({_SESSIONS}) s where state <> 'idle'")
    assert await place.state() == before
    first = await place.made(CREATE, asked)
    assert first == await place.made(CREATE, asked)
    assert await place.asked("select count(*) from providers where slug = 'lost'") == 1


async def test_a_commit_that_is_not_answered_is_done_once(place: Place) -> None:
    """Whoever asks again with the same key is told what the first should have been told."""
    asked = {"slug": "unheard", "name": "Unheard", "idempotencyKey": "unheard"}
    place.relay.set(Trap.UNANSWERED)
    assert code_of(await place.send(CREATE, asked)) == (503, "OUTCOME_UNKNOWN")
    await place.until("select count(*) = 1 from providers where slug = 'unheard'")
    kept = await place.asked("select answer from idempotency_keys where key = 'unheard'")
    id_ = json.loads(kept)["provider"]["id"]
    # Meanwhile somebody else changes it: that is not what the first was told.
    await place.made(UPDATE, {"id": id_, "name": "Heard"})
    assert await place.made(CREATE, asked) == json.loads(kept)
    lines = "select count(*) from changes where key = $1 and operation = 'INSERT'"
    assert await place.asked(lines, id_.partition(":")[2]) == 1


async def test_who_is_killed_between_the_write_and_the_commit_has_done_nothing(
    place: Place,
) -> None:
    asked = {"slug": "killed", "name": "Killed", "idempotencyKey": "killed"}
    before = await place.state()
    place.relay.set(Trap.HELD)
    sending = asyncio.create_task(place.send(CREATE, asked))
    async with asyncio.timeout(30):
        await place.relay.caught.wait()
    ended = await place.asked(
        f"select count(pg_terminate_backend(pid, 10000)) from ({_SESSIONS}) s"
        " where state = 'idle in transaction'"
    )
    assert ended == 1
    place.relay.free.set()
    assert code_of(await sending) == (503, "OUTCOME_UNKNOWN")
    assert await place.state() == before
    assert (await place.made(CREATE, asked))["provider"]["slug"] == "killed"


async def test_who_is_killed_while_it_writes_has_done_nothing(place: Place) -> None:
    one, two = await created(place, "written-one"), await created(place, "written-two")
    text = """mutation ($input: UpdateProvidersInput!) {
      made: updateProviders(input: $input) { results { provider { name } userErrors { code } } }
    }"""
    rows = [{"id": one, "name": "Both"}, {"id": two, "name": "Both"}]
    asked = {"rows": rows, "allOrNothing": True, "idempotencyKey": "written"}
    before = await place.state()
    async with place.locked(two):
        sending = asyncio.create_task(place.send(text, asked))
        await place.until_blocked()
        killed = (
            f"select count(pg_terminate_backend(pid)) from ({_SESSIONS}) s where waits = 'Lock'"
        )
        assert await place.asked(killed) == 1
        assert code_of(await sending) == (503, "DATABASE_UNAVAILABLE")
    assert await place.state() == before
    answer = (await place.send(text, asked)).json()["data"]["made"]["results"]
    assert [each["provider"]["name"] for each in answer] == ["Both", "Both"]


async def test_a_session_that_was_ended_while_it_rested_is_replaced(place: Place) -> None:
    await created(place, "before-the-end")
    await place.asked(f"select count(pg_terminate_backend(pid, 10000)) from ({_SESSIONS}) s")
    await created(place, "after-the-end")


async def test_postgres_as_a_whole_may_be_killed_before_and_after_a_commit() -> None:
    """One of its own: nobody else lives there."""
    with data_directory() as directory:
        url = await asyncio.to_thread(embedded.start, directory)
        await migrate(url)
        await prepare(url, reaches(audiences()))
        async with here(url) as place:
            lost = {"slug": "lost", "name": "Lost", "idempotencyKey": "lost"}
            place.relay.set(Trap.HELD)
            sending = asyncio.create_task(place.send(CREATE, lost))
            async with asyncio.timeout(30):
                await place.relay.caught.wait()
            await killed(directory, url)
            place.relay.free.set()
            assert code_of(await sending) == (503, "OUTCOME_UNKNOWN")
            assert await place.asked("select count(*) from providers where slug = 'lost'") == 0
            kept = {"slug": "kept", "name": "Kept", "idempotencyKey": "kept"}
            place.relay.set(Trap.UNANSWERED)
            assert code_of(await place.send(CREATE, kept)) == (503, "OUTCOME_UNKNOWN")
            await place.until("select count(*) = 1 from providers where slug = 'kept'")
            await killed(directory, url)
            first = await place.asked("select answer from idempotency_keys where key = 'kept'")
            assert await place.made(CREATE, kept) == json.loads(first)
            assert (await place.made(CREATE, lost))["provider"]["slug"] == "lost"
            assert await place.asked("select count(*) from providers") == 3


async def killed(directory: Path, url: str) -> None:
    """Kill the Postgres of a directory, and wait until there is another one."""
    note = directory / "postgres" / "postmaster.pid"
    before = int(note.read_text().split()[0])
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.05)
            # Its backends end a moment after it.
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with connected(url) as connection:
                    started = await connection.fetchval("select pg_postmaster_start_time()")
                if started and int(note.read_text().split()[0]) != before:
                    return


# Clients, and the server


async def test_a_client_that_hangs_up_leaves_nothing_behind(place: Place) -> None:
    """More of them than there are sessions, each in the middle of what it asked for."""
    id_ = await created(place, "hung-up")
    before = await place.state()
    async with place.locked(id_):
        for _ in range(POOL + 1):
            sending = asyncio.create_task(place.send(UPDATE, {"id": id_, "name": "Gone"}))
            await place.until_blocked()
            sending.cancel()
            await asyncio.wait([sending])
            await place.until_blocked(0)
    assert await place.state() == before
    changed = await place.made(UPDATE, {"id": id_, "name": "Here"})
    assert changed["provider"] == {"id": id_, "name": "Here", "version": 2}


async def test_a_server_that_is_asked_to_end_says_what_it_knows(place: Place) -> None:
    """What was under way is not done; of what was being committed, nobody can say."""
    id_ = await created(place, "ended")
    asked = {"slug": "ending", "name": "Ending", "idempotencyKey": "ending"}
    # It is asked to end before anything else comes to an end.
    async with served(place.by_relay, 30.0) as server:
        warm = await place.send(UPDATE, {"id": id_, "name": "Warm"}, server=server)
        assert warm.status_code == 200
        before = await place.state()
        async with place.locked(id_):
            writing = asyncio.create_task(
                place.send(UPDATE, {"id": id_, "name": "Never"}, server=server)
            )
            await place.until_blocked()
            place.relay.set(Trap.HELD)
            committing = asyncio.create_task(place.send(CREATE, asked, server=server))
            async with asyncio.timeout(30):
                await place.relay.caught.wait()
            server.process.terminate()
            assert code_of(await writing) == (503, "SHUTTING_DOWN")
            assert code_of(await committing) == (503, "OUTCOME_UNKNOWN")
            place.relay.free.set()
    await place.until_blocked(0)
    assert await place.asked("select name from providers where slug = 'ended'") == "Warm"
    # Another server knows.
    assert (await place.made(CREATE, asked))["provider"]["slug"] == "ending"
    assert await place.asked("select count(*) from providers where slug = 'ending'") == 1
    lines, keys = await place.state()
    assert (lines, keys) == (before[0] + 1, before[1] + 1)


async def test_who_waits_too_long_for_a_lock_has_done_nothing(place: Place) -> None:
    """And whoever finds all sessions waiting is told so, while others are answered."""
    id_ = await created(place, "waited-for")
    before = await place.state()
    async with place.locked(id_):
        waiting = [
            asyncio.create_task(
                place.send(UPDATE, {"id": id_, "name": "Late", "idempotencyKey": f"late-{number}"})
            )
            for number in range(POOL)
        ]
        await place.until_blocked(POOL)
        busy = await place.send(CREATE, {"slug": "too-many", "name": "Too many"})
        assert code_of(busy) == (503, "DATABASE_BUSY")
        assert int(busy.headers["retry-after"]) > 0
        public = await place.http.post(
            f"{place.server.url}/graphql", json={"query": "{ providers { totalCount } }"}
        )
        assert public.status_code == 200
        for each in waiting:
            assert code_of(await each) == (504, "STATEMENT_TIMEOUT")
    assert await place.state() == before
    await place.made(UPDATE, {"id": id_, "name": "In time", "idempotencyKey": "late-0"})


# Others who change the same


ANA = Changer("ana", "STAFF", "r-1", "ana", writes=True)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return audiences().graph(Role.STAFF)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict(place: Place) -> AsyncIterator[Database]:
    """The same directory, where transactions have to be serializable."""
    level = "default_transaction_isolation=serializable"
    url = f"{place.database}{'&' if '?' in place.database else '?'}{level}"
    opened = await Database.open(url, role=role_name("STAFF"))
    yield opened
    await opened.close()


async def answered(graph: Graph, database: Database, text: str, input_: object) -> Any:
    request = GraphQLRequest(text, None, {"input": input_}, changer=ANA)
    return json.loads((await resolve(graph, database, request)).body)


async def test_what_could_not_be_serialized_is_begun_again(
    place: Place, graph: Graph, strict: Database
) -> None:
    """Somebody else changes a record after our transaction has begun to see what there is."""
    id_ = await created(place, "serial")
    before = strict.statements
    async with connected(place.database) as other:
        await other.execute("begin")
        await other.execute(
            "update providers set website = 'https://a.example' where slug = 'serial'"
        )
        asked = {"id": id_, "name": "Begun again", "idempotencyKey": "serial"}
        writing = asyncio.create_task(answered(graph, strict, UPDATE, asked))
        await place.until_blocked()
        await other.execute("commit")
    answer = await writing
    assert answer["data"]["made"]["provider"] == {"id": id_, "name": "Begun again", "version": 3}
    # Settings, key, why and the write twice over, and once what is read back and kept.
    assert strict.statements - before == 10


async def test_a_version_that_is_gone_is_a_conflict_however_strict(
    place: Place, graph: Graph, strict: Database
) -> None:
    id_ = await created(place, "strict")
    asked = [{"id": id_, "ifVersion": 1, "name": f"Name {number}"} for number in range(8)]
    answers = await asyncio.gather(*(answered(graph, strict, UPDATE, each) for each in asked))
    told = [
        answer["errors"][0]["extensions"]["code"]
        if "errors" in answer
        else [error["code"] for error in answer["data"]["made"]["userErrors"]]
        for answer in answers
    ]
    assert told.count([]) == 1
    assert all(each in ([], ["CONFLICT"], "DATABASE_BUSY") for each in told)
    assert await place.asked("select version from providers where slug = 'strict'") == 2


async def test_a_deadlock_is_begun_again(place: Place, graph: Graph) -> None:
    """Two hold what the other waits for; Postgres ends ours, and it is done when the other is."""
    one, two = await created(place, "dead-one"), await created(place, "dead-two")
    text = """mutation ($a: UpdateProviderInput!, $b: UpdateProviderInput!) {
      a: updateProvider(input: $a) { ...told } b: updateProvider(input: $b) { ...told }
    } fragment told on ProviderPayload { provider { name version } userErrors { code } }"""
    variables = {"a": {"id": one, "name": "Ours"}, "b": {"id": two, "name": "Ours"}}
    request = GraphQLRequest(text, None, variables, changer=ANA)
    # Postgres looks once, so long after a session has begun to wait; ours is the one to look.
    url = f"{place.database}{'&' if '?' in place.database else '?'}deadlock_timeout=2s"
    database = await Database.open(url, role=role_name("STAFF"), statement_timeout=30)
    async with place.locked(two) as other:
        await other.execute("set local deadlock_timeout = '1min'")
        writing = asyncio.create_task(resolve(graph, database, request))
        await place.until_blocked()
        # It waits for ours, until Postgres has ended that.
        await other.execute("update providers set name = 'Theirs' where slug = 'dead-one'")
        await other.execute("commit")
        await other.execute("begin")
    data = json.loads((await writing).body)["data"]
    assert data["a"]["provider"] == {"name": "Ours", "version": 3}
    assert data["b"]["provider"] == {"name": "Ours", "version": 2}
    # After that it was opened: settings, why, and a write that is read back, twice over; the first
    # time the second write came to nothing.
    assert database.statements == 1 + 5 + 6
    await database.close()


async def test_what_is_refused_again_and_again_is_given_up(place: Place) -> None:
    """Four times it is begun; then somebody is told, and nothing is done."""
    async with connected(place.database) as connection:
        await connection.execute(
            """
            create sequence tries;
            grant usage on sequence tries to public;
            create function contend() returns trigger language plpgsql as $$
            begin
                perform nextval('tries');
                raise serialization_failure;
            end $$;
            create trigger contend before insert on providers for each row
                when (new.slug = 'contended') execute function contend();
            """
        )
    before = await place.state()
    asked = {"slug": "contended", "name": "Contended", "idempotencyKey": "contended"}
    try:
        refused = await place.send(CREATE, asked)
    finally:
        await place.asked("drop function contend cascade")
    assert code_of(refused) == (503, "DATABASE_BUSY")
    assert "Nothing was done" in refused.json()["errors"][0]["message"]
    assert await place.asked("select last_value from tries") == 4
    assert await place.state() == before
    assert (await place.made(CREATE, asked))["provider"]["slug"] == "contended"


# Bad input


def row(number: int) -> dict[str, object]:
    return {"slug": f"r-{number}", "name": "R"}


async def test_bad_input_is_refused_and_nothing_is_done(place: Place) -> None:
    before = await place.state()
    for asked in (
        {"slug": "nul", "name": "NUL \0"},
        {"slug": "nul\0", "name": "NUL"},
        {"slug": "nul", "name": "NUL", "county": "County:06\0"},
        {"slug": "nul", "name": "NUL", "languages": ["e\0"]},
        {"slug": "nul", "name": "NUL", "idempotencyKey": "nul\0"},
        {"slug": "nul", "name": "NUL", "phones": [{"number": "\0", "kind": "VOICE"}]},
    ):
        answer = (await place.send(CREATE, asked)).json()
        assert answer["data"]["made"]["provider"] is None, asked
        assert answer["data"]["made"]["userErrors"], asked
    assert await place.state() == before


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b'{"query": "%s", "variables": {"input": {"slug": "a", "name": "\\ud800"}}}', 400),
        (b'{"query": "%s", "variables": {"input": {"slug": "a", "name": "\xed\xa0\x80"}}}', 400),
    ],
)
async def test_half_a_character_is_no_text(place: Place, body: bytes, refusal: int) -> None:
    before = await place.state()
    answer = await place.http.post(
        f"{place.server.url}/graphql",
        content=body % CREATE.replace("\n", " ").encode(),
        headers={"authorization": f"Bearer {place.staff}", "content-type": "application/json"},
    )
    assert code_of(answer) == (refusal, "MALFORMED_JSON")
    assert await place.state() == before


async def test_too_much_is_refused_and_nothing_is_done(place: Place) -> None:
    before = await place.state()
    long = await place.send(CREATE, {"slug": "long", "name": "x" * 500_000})
    assert code_of(long) == (413, "BODY_TOO_LARGE")
    # Who goes on for that long may be cut off before it listens.
    with suppress(httpx.ReadError, httpx.WriteError):
        longer = await place.send(CREATE, {"slug": "long", "name": "x" * 10_000_000})
        assert code_of(longer) == (413, "BODY_TOO_LARGE")
    many = await place.send(CREATE_MANY, {"rows": [row(number) for number in range(1000)]})
    (told,) = many.json()["data"]["made"]["results"]
    assert told["userErrors"] == [{"path": ["rows"], "code": "BAD_USER_INPUT"}]
    empty: list[object] = [{} for _ in range(10_001)]
    assert code_of(await place.send(CREATE_MANY, {"rows": empty})) == (200, "BAD_VARIABLES")
    parts = [{"name": "s", "requiredDocuments": [{"document": "PHOTO_ID"}] * 200}] * 20
    wide = await place.send(CREATE, {"slug": "wide", "name": "Wide", "services": parts})
    assert wide.json()["data"]["made"]["provider"] is None
    deep: object = {}
    for _ in range(200):
        deep = {"create": [deep]}
    nested = await place.send(UPDATE, {"id": "Provider:x", "phones": deep})
    assert code_of(nested) == (400, "MALFORMED_REQUEST")
    assert await place.state() == before


# Who may not


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def others(place: Place) -> Mapping[str, str]:
    """Keys of those who may change nothing, whatever their scopes say."""
    found = {}
    for role in (Role.PUBLIC, Role.PARTNER):
        found[role.value] = await api_keys.create(
            place.database, role.value, role.value, ["READ", "WRITE"]
        )
    return found


async def test_a_key_of_staff_that_may_only_read_changes_nothing(place: Place) -> None:
    reader = await api_keys.create(place.database, "bo", "STAFF", ["READ"])
    before = await place.state()
    asked = {"slug": "no", "name": "No"}
    refused = await place.send(CREATE, asked, shown=reader)
    assert code_of(refused) == (200, "FORBIDDEN")
    dry = await place.send(CREATE, {**asked, "dryRun": True}, shown=reader)
    assert code_of(dry) == (200, "FORBIDDEN")
    one = {"query": CREATE, "variables": {"input": asked}}
    together = await place.http.post(
        f"{place.server.url}/graphql",
        json=[one, {"query": "{ me { role } }"}],
        headers={"authorization": f"Bearer {reader}"},
    )
    first, second = together.json()
    assert first["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert second == {"data": {"me": {"role": "STAFF"}}}
    headers = {"authorization": f"Bearer {reader}"}
    async with socket(place.server.url, additional_headers=headers) as ours:
        await ours.say({"id": "1", "type": "subscribe", "payload": one})
        told = await ours.hear()
    assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
    assert await place.state() == before


async def test_a_key_that_is_revoked_or_expired_changes_nothing_more(place: Place) -> None:
    until = datetime.now(UTC) + timedelta(seconds=1)
    short = await api_keys.create(place.database, "cy", "STAFF", ["WRITE"], expires_at=until)
    fired = await api_keys.create(place.database, "di", "STAFF", ["WRITE"])
    headers = {"authorization": f"Bearer {fired}"}
    async with socket(place.server.url, additional_headers=headers) as ours:
        done = 0
        (id_,) = [row[0] for row in await api_keys.known(place.database) if row[1] == "di"]
        for name, key in (("short", short), ("fired", fired)):
            if key is fired:
                await ours.subscribe("1", CREATE, variables={"input": {"slug": "by", "name": "By"}})
                assert (await ours.next("1"))["data"]["made"]["userErrors"] == []
                assert (await ours.hear())["type"] == "complete"
                await api_keys.revoke(place.database, id_)
            async with asyncio.timeout(30):
                while True:
                    asked = {"slug": f"{name}-{done}", "name": "By"}
                    answer = await place.send(CREATE, asked, shown=key)
                    if answer.status_code == 401:
                        break
                    assert answer.json()["data"]["made"]["userErrors"] == []
                    done += 1
        # The socket was opened while the key was good. It does nothing more, and is closed.
        late: dict[str, object] = {"input": {"slug": "z", "name": "Z"}}
        with suppress(ConnectionClosed):
            asked_late = {"query": CREATE, "variables": late}
            await ours.say({"id": "2", "type": "subscribe", "payload": asked_late})
        assert (await ours.ended())[0] == 4401
    lines = "select count(*) from changes where entity = 'providers' and actor = any ($1)"
    assert await place.asked(lines, ["cy", "di"]) == done + 1


# Ways to ask


async def test_a_link_changes_nothing(place: Place) -> None:
    before = await place.state()
    params = {"query": CREATE, "variables": json.dumps({"input": {"slug": "l", "name": "L"}})}
    headers = {"authorization": f"Bearer {place.staff}"}
    url = f"{place.server.url}/graphql"
    got = await place.http.get(url, params=params, headers=headers)
    assert code_of(got) == (405, "METHOD_NOT_ALLOWED")
    assert got.headers["allow"] == "POST"
    assert (await place.http.head(url, params=params, headers=headers)).status_code == 405
    events = await place.http.get(url, params=params, headers={**headers, "accept": EVENTS})
    assert "METHOD_NOT_ALLOWED" in events.text
    assert await place.state() == before


async def test_a_document_by_its_hash_changes_by_post_alone(place: Place) -> None:
    digest = hashlib.sha256(CREATE.encode()).hexdigest()
    known = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    variables = {"input": {"slug": "hashed", "name": "Hashed"}}
    headers = {"authorization": f"Bearer {place.staff}"}
    url = f"{place.server.url}/graphql"
    taught = {"query": CREATE, "extensions": known, "variables": {**variables}}
    assert (await place.http.post(url, json=taught, headers=headers)).status_code == 200
    before = await place.state()
    got = await place.http.get(
        url,
        params={"extensions": json.dumps(known), "variables": json.dumps(variables)},
        headers=headers,
    )
    assert code_of(got) == (405, "METHOD_NOT_ALLOWED")
    assert await place.state() == before
    variables["input"]["slug"] = "hashed-again"
    posted = {"extensions": known, "variables": variables}
    answer = (await place.http.post(url, json=posted, headers=headers)).json()
    assert answer["data"]["made"]["provider"]["slug"] == "hashed-again"


async def test_what_is_asked_for_as_a_file_is_not_done(place: Place) -> None:
    before = await place.state()
    for accept in ("text/csv", "application/x-ndjson", "application/geo+json"):
        answer = await place.send(CREATE, {"slug": "f", "name": "F"}, accept=accept)
        assert code_of(answer) == (400, "NOT_EXPORTABLE")
    sql = await place.send(CREATE, {"slug": "f", "name": "F"}, accept="application/sql")
    assert code_of(sql) == (406, "NOT_ACCEPTABLE")
    assert await place.state() == before


async def test_what_is_explained_is_not_done(place: Place, graph: Graph, strict: Database) -> None:
    """As developers ask for it; in production there is nothing of the kind."""
    before, statements = await place.state(), strict.statements
    whole = application(graph, strict, _nothing, max_body_bytes=100_000, development=True)
    asked = {"query": CREATE, "variables": {"input": {"slug": "e", "name": "E"}}}
    transport = httpx.ASGITransport(whole)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        headers = {"accept": "application/sql"}
        one = await client.post("/graphql", json=asked, headers=headers)
        several = await client.post("/graphql", json=[asked, asked], headers=headers)
        link = await client.get(
            "/graphql",
            params={"query": CREATE, "variables": json.dumps(asked["variables"])},
            headers=headers,
        )
    assert (one.status_code, several.status_code, link.status_code) == (200, 400, 405)
    assert "nothing to ask Postgres" in one.text
    assert (await place.state(), strict.statements) == (before, statements)


async def _nothing() -> list[object]:
    return []


async def test_the_same_change_is_done_as_often_as_it_is_asked_for(place: Place) -> None:
    """Who asks for the same may share an answer; a change is another one each time."""
    id_ = await created(place, "called")
    payload = {
        "query": CALL,
        "variables": {"input": {"provider": id_, "number": "+15595550100", "kind": "VOICE"}},
    }
    headers = {"authorization": f"Bearer {place.staff}"}
    url = f"{place.server.url}/graphql"
    told = set()
    async with socket(place.server.url, additional_headers=headers) as ours:
        for name in ("1", "2", "3"):
            await ours.say({"id": name, "type": "subscribe", "payload": payload})
        ended = 0
        while ended < 3:
            heard = await ours.hear()
            if heard["type"] == "complete":
                ended += 1
            else:
                told.add(heard["payload"]["data"]["made"]["phone"]["id"])
    for batch in (payload, [payload, payload]):
        answer = (await place.http.post(url, json=batch, headers=headers)).json()
        for each in answer if isinstance(answer, list) else [answer]:
            told.add(each["data"]["made"]["phone"]["id"])
    for _ in range(2):
        answer_ = await place.http.post(url, json=payload, headers={**headers, "accept": EVENTS})
        (line,) = [
            line.removeprefix("data: ")
            for line in answer_.text.splitlines()
            if line.startswith("data: {")
        ]
        told.add(json.loads(line)["data"]["made"]["phone"]["id"])
    assert len(told) == 8
    count = "select count(*) from phones where provider_id = $1::text::uuid"
    assert await place.asked(count, id_.partition(":")[2]) == 8


# Those who are not staff


LITERALS = {"Int": "1", "Float": "1", "Boolean": "true", "Date": '"2026-07-01"', "Time": '"09:00"'}


def least(type_: GraphQLInputType) -> str:
    """The least that an input can say."""
    bare = get_nullable_type(type_)
    if isinstance(bare, GraphQLInputObjectType):
        needed = (
            f"{name}: {least(field.type)}"
            for name, field in bare.fields.items()
            if is_required_input_field(field)
        )
        return f"{{{', '.join(needed)}}}"
    if isinstance(bare, GraphQLEnumType):
        return str(next(iter(bare.values)))
    if is_list_type(bare):
        return "[]"
    return LITERALS.get(str(bare), '"2026-07-01T09:00:00Z"')


def ways(name: str, graph: Graph) -> list[str]:
    """What staff may send to change something: by its name, by another one, and by a fragment."""
    type_ = graph.schema.mutation_type
    assert type_ is not None
    argument = type_.fields[name].args["input"]
    asked = f"{name}(input: {least(argument.type)}) {{ __typename }}"
    return [
        f"mutation {{ {asked} }}",
        f"mutation {{ me: {asked} }}",
        f"mutation {{ ...all }} fragment all on Mutation {{ {asked} }}",
    ]


async def test_what_staff_may_change_others_do_not_know_of(
    place: Place, graph: Graph, others: Mapping[str, str]
) -> None:
    """Every change there is, in every way: refused before anything is asked of Postgres, even if
    somebody were taken for one who may write."""
    assert len(graph.changes) > 100
    for role in (Role.PUBLIC, Role.PARTNER):
        theirs = audiences().graph(role)
        closed = graph.changes.keys() - theirs.changes.keys()
        assert closed >= graph.changes.keys() - {"proposeProvider", "withdrawProposal"}
        texts = [text for name in sorted(closed) for text in ways(name, graph)]
        database = await Database.open(place.database, role=role_name(role.value))
        before = database.statements
        for text in texts:
            parse(graph, text)
            answer = await resolve(theirs, database, GraphQLRequest(text, changer=ANA))
            errors = json.loads(answer.body)["errors"]
            codes = {error["extensions"]["code"] for error in errors}
            assert codes == {"GRAPHQL_VALIDATION_FAILED"}
        assert database.statements == before
        await database.close()


async def test_nobody_else_changes_anything_whatever_their_key_says(
    place: Place, graph: Graph, others: Mapping[str, str]
) -> None:
    before = await place.state()
    # What partners may do is tried in test_proposals.py.
    closed = [name for name in graph.changes if name not in ("proposeProvider", "withdrawProposal")]
    texts = [ways(name, graph)[number % 3] for number, name in enumerate(closed)]
    texts += ["{ __typename ... on ProviderPayload { __typename } }"]
    batches = [texts[start : start + 10] for start in range(0, len(texts), 10)]
    for shown in (None, *others.values()):
        headers = {"authorization": f"Bearer {shown}"} if shown else {}
        for batch in batches if shown else batches[:2]:
            answers = await place.http.post(
                f"{place.server.url}/graphql",
                json=[{"query": text} for text in batch],
                headers=headers,
            )
            codes = {answer["errors"][0]["extensions"]["code"] for answer in answers.json()}
            assert codes == {"GRAPHQL_VALIDATION_FAILED"}
        async with socket(place.server.url, additional_headers=headers) as ours:
            await ours.say({"id": "1", "type": "subscribe", "payload": {"query": texts[0]}})
            heard = await ours.hear()
        assert heard["type"] == "error"
        assert heard["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        text = """{
          __schema { mutationType { name } types { name } }
          mutation: __type(name: "Mutation") { name }
          payload: __type(name: "ProviderPayload") { name }
          input: __type(name: "CreateProviderInput") { name }
        }"""
        told = await place.http.post(
            f"{place.server.url}/graphql", json={"query": text}, headers=headers
        )
        data = told.json()["data"]
        assert data["payload"] is data["input"] is None
        names = {each["name"] for each in data["__schema"]["types"]}
        payloads = {name for name in names if name.endswith("Payload")}
        if shown == others["PARTNER"]:
            # Of what they may do there is no more to be seen than that.
            assert payloads == {"ProposalPayload"}
            continue
        assert data["__schema"]["mutationType"] is data["mutation"] is None
        assert not [name for name in names if name.endswith(("Payload", "Creation", "Archival"))]
    assert await place.state() == before
