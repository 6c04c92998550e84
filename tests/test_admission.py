"""Who is told what happens: shown over a socket, and at an end when it opens nothing any more."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from db import api_keys
from db.changes import Changes
from db.database import Database
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.issuer import LEEWAY, TheIssuer, issuing
from tests.serving import Serving, command, serving
from tests.streams import Events, Socket, following, last, socket
from web.identity import Caller, Identity, Issuer
from web.refusals import Unauthenticated
from web.vigil import Vigil

CHANGED = "subscription { entityChanged(types: [INSTITUTION]) { node { id } } }"
LIVE = 'query @live { institution(code: "SQ") { statusNote } }'
ME = "{ me { role name scopes } }"
SECRET = """subscription { entityChanged(types: [LOCATION]) {
  node { ... on Location { confidential { street } } }
} }"""
QUEUE = "query @live { duplicateCandidates(first: 1) { totalCount } }"


@dataclass(frozen=True)
class Two:
    """Two servers of one directory, which trust one issuer."""

    one: str
    other: str
    database: str
    issuer: TheIssuer

    async def key(self, role: Role, **more: Any) -> str:
        scopes = more.pop("scopes", ["READ"])
        return await api_keys.create(self.database, f"A {role.value}", role.value, scopes, **more)

    async def id_of(self, key: str) -> UUID:
        (id_,) = [row[0] for row in await api_keys.known(self.database) if row[3] == key[-4:]]
        return id_

    async def change(self, statement: str, *arguments: object) -> None:
        async with connected(self.database) as connection:
            await connection.execute(statement, *arguments)

    async def tell(self, note: str) -> None:
        await self.change("update institutions set status_note = $1 where code = 'SQ'", note)


@pytest.fixture(scope="module")
def issuer() -> Iterator[TheIssuer]:
    with issuing() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def directory_url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as url:
        yield url


@pytest.fixture(scope="module")
def servers(directory_url: str, issuer: TheIssuer) -> Iterator[tuple[Serving, Serving]]:
    settings = {
        "database_url": directory_url,
        "jwt_issuer": issuer.url,
        "environment": "production",
    }
    with serving(**settings) as one, serving(**settings) as other:
        # The first of a role waits for its schema, and nobody here waits for long.
        for server in (one, other):
            for scope in ("partner", "staff"):
                shown = bearer(issuer.token(scope=scope))
                answered = httpx.get(f"{server.url}/schema.graphql", headers=shown, timeout=120)
                assert answered.status_code == 200
        yield one, other


@pytest.fixture
def two(servers: tuple[Serving, Serving], directory_url: str, issuer: TheIssuer) -> Iterator[Two]:
    yield Two(servers[0].url, servers[1].url, directory_url, issuer)
    for server in servers:
        assert "Traceback" not in server.said()


def bearer(shown: str) -> dict[str, str]:
    return {"authorization": f"Bearer {shown}"}


async def answer(ours: Socket, query: str, id_: str = "1") -> Any:
    """What is answered to a query: its response, or its errors."""
    await ours.say({"id": id_, "type": "subscribe", "payload": {"query": query}})
    heard = await ours.hear()
    if heard["type"] == "error":
        return {"errors": heard["payload"]}
    assert await ours.hear() == {"id": id_, "type": "complete"}
    return heard["payload"]


def codes(response: Any) -> list[str]:
    return [error["extensions"]["code"] for error in response["errors"]]


# What runs ends


@dataclass(frozen=True)
class Told:
    """Somebody who is told everything in every way, on both servers."""

    streams: list[Events]
    sockets: list[Socket]

    async def ended(self) -> set[tuple[int | None, str | None]]:
        """All of it has ended; returns how the sockets have."""
        for stream in self.streams:
            assert await last(stream) == ["UNAUTHENTICATED"]
        return {await ours.ended() for ours in self.sockets}


async def told(two: Two, stack: AsyncExitStack, shown: str) -> Told:
    streams, sockets = [], []
    for url in (two.one, two.other):
        events = await stack.enter_async_context(following(url, CHANGED, shown=shown))
        # Where it begins: from then on it is followed.
        assert (await events.any()).event is None
        alive = await stack.enter_async_context(following(url, LIVE, shown=shown))
        await alive.next()
        streams += [events, alive]
        by_payload = await stack.enter_async_context(socket(url, payload=bearer(shown)))
        by_headers = await stack.enter_async_context(
            socket(url, additional_headers={"x-api-key": shown})
        )
        for ours in (by_payload, by_headers):
            await ours.subscribe("1", CHANGED)
        sockets += [by_payload, by_headers]
    return Told(streams, sockets)


async def test_what_runs_ends_on_every_server_when_its_key_is_revoked(two: Two) -> None:
    staff, partner = await two.key(Role.STAFF), await two.key(Role.PARTNER)
    async with AsyncExitStack() as stack:
        theirs = await told(two, stack, staff)
        others = await told(two, stack, partner)
        anybody = await stack.enter_async_context(following(two.other, CHANGED))
        id_ = await two.id_of(staff)
        done = await asyncio.to_thread(
            command, "keys", "revoke", str(id_), database_url=two.database
        )
        assert done.returncode == 0, done.stderr
        reason = "This API key opens nothing: it is unknown, expired or revoked."
        assert await theirs.ended() == {(4401, reason)}
        # Everybody else goes on, and they cannot come back.
        await two.tell("for those who may hear it")
        for stream in (*others.streams, anybody):
            assert "errors" not in await stream.next()
        for ours in others.sockets:
            assert "errors" not in await ours.next("1")
        async with socket(two.one, begin=False) as ours:
            await ours.say({"type": "connection_init", "payload": bearer(staff)})
            assert await ours.ended() == (4403, reason)


async def test_what_runs_ends_when_its_key_expires(two: Two) -> None:
    key = await two.key(Role.STAFF, expires_at=datetime.now(UTC) + timedelta(days=1))
    id_ = await two.id_of(key)
    async with AsyncExitStack() as stack:
        theirs = await told(two, stack, key)
        # Sooner than it was to: from here on nobody is told anything but the time.
        soon = datetime.now(UTC) + timedelta(seconds=0.7)
        await two.change("update api_keys set expires_at = $1 where id = $2", soon, id_)
        ended = await theirs.ended()
        assert ended == {(4401, "What was shown has expired.")}
        assert datetime.now(UTC) >= soon


async def test_what_runs_ends_when_its_token_expires(two: Two) -> None:
    expired = datetime.now(UTC) + timedelta(seconds=4) - LEEWAY
    token = two.issuer.token(exp=expired)
    async with AsyncExitStack() as stack:
        stream = await stack.enter_async_context(following(two.one, CHANGED, shown=token))
        ours = await stack.enter_async_context(socket(two.other, payload=bearer(token)))
        await ours.subscribe("1", CHANGED)
        await stream.any()
        assert await last(stream) == ["UNAUTHENTICATED"]
        # Whoever comes back may have another token by then.
        assert await ours.ended() == (4403, "What was shown has expired.")


@pytest.mark.parametrize(
    "change",
    [
        "role = 'PARTNER'",
        "scopes = '{READ}'",
        "provider_id = (select id from providers order by id offset 1 limit 1)",
    ],
)
async def test_what_runs_ends_when_it_would_be_told_to_somebody_else(two: Two, change: str) -> None:
    async with connected(two.database) as connection:
        slug = await connection.fetchval("select slug from providers order by id limit 1")
    key = await two.key(Role.STAFF, scopes=["READ", "WRITE"], provider=slug)
    id_ = await two.id_of(key)
    async with AsyncExitStack() as stack:
        theirs = await told(two, stack, key)
        # Of no consequence to what they are told.
        await two.change("update api_keys set budget = 1000 where id = $1", id_)
        await two.tell(f"before {change}"[:40])
        for stream in theirs.streams:
            assert "errors" not in await stream.next()
        for ours in theirs.sockets:
            await ours.next("1")
        await two.change(f"update api_keys set {change} where id = $1", id_)
        assert {code for code, _ in await theirs.ended()} == {4401}


async def test_what_is_revoked_while_nobody_can_hear_it_ends_all_the_same(two: Two) -> None:
    key = await two.key(Role.STAFF)
    id_ = await two.id_of(key)
    async with AsyncExitStack() as stack:
        theirs = await told(two, stack, key)
        async with connected(two.database) as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'directory' and datname = current_database()"
            )
            await connection.execute("update api_keys set revoked_at = now() where id = $1", id_)
        assert {code for code, _ in await theirs.ended()} == {4401}


@dataclass(frozen=True)
class Watch:
    """A vigil of a directory of its own."""

    url: str
    database: Database
    changes: Changes
    identity: Identity
    vigil: Vigil

    async def revoke(self, key: str) -> None:
        (id_,) = [row[0] for row in await api_keys.known(self.url) if row[3] == key[-4:]]
        assert await api_keys.revoke(self.url, id_)


@asynccontextmanager
async def watch(url: str, issuer: TheIssuer, *, hears: bool = True) -> AsyncIterator[Watch]:
    async with scratch(url) as made:
        database = await Database.open(made)
        changes = Changes(database)
        listening = asyncio.create_task(changes.listen() if hears else asyncio.sleep(0))
        if hears:
            await asyncio.wait_for(changes.changed((), None), 20)
        identity = Identity(database, changes, Issuer(issuer.url, "directory", issuer.url))
        try:
            yield Watch(made, database, changes, identity, Vigil(identity, changes))
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            await database.close()


async def over(waiting: Awaitable[Unauthenticated]) -> str:
    """Why it is over."""
    return (await asyncio.wait_for(waiting, 20)).detail


async def test_all_who_show_one_key_are_looked_after_by_one_statement(
    loaded_url: str, issuer: TheIssuer
) -> None:
    async with watch(loaded_url, issuer) as its:
        key, other = [await api_keys.create(its.url, "A key", "STAFF", ["READ"]) for _ in range(2)]
        await settled(its.changes)
        caller, stranger = await its.identity.known(key), await its.identity.known(other)
        before = its.database.statements
        waiting = [asyncio.create_task(its.vigil.over(key, caller)) for _ in range(1000)]
        apart = asyncio.create_task(its.vigil.over(other, stranger))
        # Nobody need ask: it is known, and nothing has changed.
        await asyncio.sleep(0.2)
        assert its.database.statements == before
        # Who leaves takes nobody along.
        waiting.pop(0).cancel()
        await its.revoke(key)
        assert len({await over(each) for each in waiting}) == 1
        await asyncio.sleep(0.1)
        assert its.database.statements - before == 2  # one for each key
        assert not apart.done()
        apart.cancel()
        await asyncio.wait([apart])


async def settled(changes: Changes) -> None:
    """Wait until what was written is heard, and all of it."""
    moment: int | None = -1
    while moment != changes.moment:
        moment = changes.moment
        await asyncio.sleep(0.2)


async def test_where_changes_are_never_heard_a_key_is_looked_at_all_the_same(
    loaded_url: str, issuer: TheIssuer
) -> None:
    async with watch(loaded_url, issuer, hears=False) as its:
        key = await api_keys.create(its.url, "A key", "STAFF", ["READ"])
        waiting = asyncio.create_task(its.vigil.over(key, await its.identity.known(key)))
        await asyncio.sleep(0.1)
        await its.revoke(key)
        assert "revoked" in await over(waiting)


async def test_what_has_run_out_is_over_even_if_nobody_can_be_asked(issuer: TheIssuer) -> None:
    nowhere = Database("postgresql://127.0.0.1:1/never-asked")
    changes = Changes(nowhere)
    vigil = Vigil(Identity(nowhere, changes), changes)
    caller = Caller(Role.STAFF, "Ana", until=time.monotonic() + 0.2)
    assert await over(vigil.over("crd_x", caller)) == "What was shown has expired."


async def test_a_token_is_over_when_its_issuer_has_withdrawn_the_key(
    loaded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("_VERIFIED", 0.0), ("_LIFESPAN", 0.1), ("_AGAIN", 0.1)):
        monkeypatch.setattr(f"web.identity.{name}", seconds)
    monkeypatch.setattr("web.vigil._AGAIN", 0.1)
    with issuing() as own:
        async with watch(loaded_url, own) as its:
            token = own.token()
            waiting = asyncio.create_task(its.vigil.over(token, await its.identity.known(token)))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            own.keys["two"] = own.keys.pop("one")
            assert "does not have" in await over(waiting)


# Who speaks on a socket


@pytest.mark.parametrize("name", ["authorization", "Authorization", "x-api-key", "X-API-Key"])
@pytest.mark.parametrize("nested", [False, True])
async def test_a_key_can_be_shown_by_the_first_message(two: Two, name: str, nested: bool) -> None:
    key = await two.key(Role.STAFF)
    shown = {name: key if name.lower() == "x-api-key" else f"Bearer {key}", "locale": "es"}
    async with socket(two.one, payload={"headers": shown} if nested else shown) as ours:
        told = (await answer(ours, ME))["data"]["me"]
        assert told == {"role": "STAFF", "name": "A STAFF", "scopes": ["READ"]}


async def test_a_token_can_be_shown_by_the_first_message(two: Two) -> None:
    async with socket(two.one, payload=bearer(two.issuer.token(sub="Ana"))) as ours:
        assert (await answer(ours, ME))["data"]["me"]["name"] == "Ana"


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"locale": "es"}, {"headers": None}, {"authorization": None, "headers": {}}],
)
async def test_who_shows_nothing_is_the_public(two: Two, payload: object) -> None:
    async with socket(two.one, payload=payload) as ours:
        assert (await answer(ours, ME))["data"]["me"]["role"] == "PUBLIC"
        assert codes(await answer(ours, QUEUE)) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_each_role_follows_by_its_own_schema(two: Two) -> None:
    shown = {role: await two.key(role) for role in (Role.PARTNER, Role.STAFF, Role.ADMIN)}
    for role, key in shown.items():
        async with socket(two.one, payload=bearer(key)) as ours:
            if role is Role.PARTNER:
                for query in (QUEUE, SECRET):
                    assert codes(await answer(ours, query)) == ["GRAPHQL_VALIDATION_FAILED"]
                continue
            await ours.say({"id": "1", "type": "subscribe", "payload": {"query": QUEUE}})
            assert (await ours.next("1"))["data"]["duplicateCandidates"]["totalCount"] >= 0
            await ours.subscribe("2", SECRET)
            await two.change(
                "update locations set updated_at = clock_timestamp() where id ="
                " (select id from locations order by id limit 1)"
            )
            heard = await ours.hear()
            while heard["id"] != "2":
                heard = await ours.hear()
            assert "errors" not in heard["payload"]


async def test_what_opens_nothing_is_refused_and_nobody_is_the_public_by_mistake(
    two: Two,
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=5)
    good, other = await two.key(Role.STAFF), await two.key(Role.STAFF)
    short = await two.key(Role.STAFF, expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
    revoked = await two.key(Role.STAFF)
    assert await api_keys.revoke(two.database, await two.id_of(revoked))
    await asyncio.sleep(0.7)
    refused: list[dict[str, Any]] = [
        bearer("crd_nobody"),
        bearer(short),
        bearer(revoked),
        bearer(two.issuer.token(exp=past)),
        bearer(two.issuer.token(aud="elsewhere")),
        bearer(two.issuer.unsigned()),
        bearer("hello"),
        bearer("é" * 50),
        bearer(good[:-1]),
        bearer("x" * 10_000),
        {"authorization": ""},
        {"authorization": good},
        {"authorization": f"Basic {good}"},
        {"x-api-key": ""},
        {"headers": {"x-api-key": "crd_nobody"}},
        # Two who contradict one another.
        {**bearer(good), "x-api-key": other},
        {**bearer(good), "headers": bearer(other)},
        {**bearer(good), "Authorization": "Bearer crd_nobody"},
    ]
    broken: list[dict[str, Any]] = [
        {"authorization": 5},
        {"x-api-key": [good]},
        {"headers": "authorization"},
        {"headers": ""},
        {"headers": [bearer(good)]},
    ]
    for payload in (*refused, *broken):
        async with socket(two.one, begin=False) as ours:
            await ours.say({"type": "connection_init", "payload": payload})
            await ours.say({"id": "1", "type": "subscribe", "payload": {"query": ME}})
            with pytest.raises(Exception, match="received 4"):
                await ours.hear()
            code, reason = await ours.ended()
            assert code == (4403 if payload in refused else 4400), payload
            assert reason


async def test_headers_and_the_first_message_say_the_same_or_nothing(two: Two) -> None:
    one, other = await two.key(Role.STAFF), await two.key(Role.PARTNER)
    same: list[Any] = [None, {}, bearer(one), {"x-api-key": one}]
    for payload in same:
        async with socket(two.one, additional_headers=bearer(one), payload=payload) as ours:
            assert (await answer(ours, ME))["data"]["me"]["role"] == "STAFF"
    for payload in (bearer(other), bearer("crd_nobody"), {"authorization": ""}):
        async with socket(two.one, additional_headers=bearer(one), begin=False) as ours:
            await ours.say({"type": "connection_init", "payload": payload})
            assert (await ours.ended())[0] == 4403
    # Wrong headers cannot be mended: there is no socket.
    with pytest.raises(InvalidStatus, match="403"):
        async with socket(two.one, additional_headers=bearer("crd_nobody"), payload=bearer(one)):
            pass


async def test_what_is_asked_over_a_socket_is_charged(two: Two) -> None:
    modest = await two.key(Role.PARTNER, budget=3)
    async with socket(two.one, payload=bearer(modest)) as ours:
        assert "data" in await answer(ours, ME)
        assert "data" in await answer(ours, ME)
        assert codes(await answer(ours, ME)) == ["BUDGET_SPENT"]
        async with socket(two.one, begin=False) as more:
            await more.say({"type": "connection_init", "payload": bearer(modest)})
            assert await more.ended() == (1013, "This key may send 3 requests per minute.")


async def test_what_is_changed_over_a_socket_is_on_record(two: Two) -> None:
    key = await two.key(Role.STAFF, scopes=["READ", "WRITE"])
    mutation = """mutation { createProvider(input: {slug: "by-a-socket", name: "By a socket"}) {
      provider { id } userErrors { code } } }"""
    async with socket(two.one, payload=bearer(key)) as ours:
        made = (await answer(ours, mutation))["data"]["createProvider"]
        assert made["userErrors"] == []
        told = f"{{ node(id: {json.dumps(made['provider']['id'])}) {{ ... on Provider {{"
        history = await answer(ours, f"{told} history {{ nodes {{ actor }} }} }} }} }}")
        assert history["data"]["node"]["history"]["nodes"] == [{"actor": "A STAFF"}]
