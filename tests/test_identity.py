"""Who shows a key or a token sees more, on every server, until it is revoked; nobody else does."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from db import api_keys
from db.database import Database
from db.errors import NotGranted
from db.roles import role_name
from schema.build import sdl
from schema.roles import Role
from tests.db.scratch import scratch, stopped
from tests.issuer import TheIssuer, issuing, part
from tests.roads import audiences
from tests.serving import Serving, command, serving
from tests.test_grants import ask as ask_graph
from tests.test_grants import everything

PEM = Encoding.PEM
SUBJECT = PublicFormat.SubjectPublicKeyInfo

QUEUE = "{ duplicateCandidates(first: 1) { totalCount } }"
SECRET = "{ locations(first: 1) { nodes { confidential { street } } } }"
TYPES = "{ __schema { types { name } } }"


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
    """Two servers of one directory, which trust one issuer."""
    settings = {
        "database_url": directory_url,
        "jwt_issuer": issuer.url,
        "environment": "production",
    }
    with serving(**settings) as one, serving(**settings) as other:
        yield one, other


def ask(server: Serving, query: str, shown: str | None = None, **more: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {shown}"} if shown else {}
    return httpx.post(
        f"{server.url}/graphql", json={"query": query}, headers={**headers, **more}, timeout=30
    )


def fetch(url: str, query: str | None = None, **headers: str) -> httpx.Response:
    return httpx.get(url, params={"query": query} if query else {}, headers=headers, timeout=30)


def code_of(response: httpx.Response) -> str:
    code: str = response.json()["errors"][0]["extensions"]["code"]
    return code


async def key_of(url: str, role: Role, **more: Any) -> str:
    return await api_keys.create(url, f"A {role.value}", role.value, ["READ"], **more)


async def test_each_role_has_a_schema_of_its_own(
    servers: tuple[Serving, Serving], directory_url: str
) -> None:
    server, _ = servers
    shown: dict[Role, str | None] = {Role.PUBLIC: None}
    for role in (Role.PARTNER, Role.STAFF, Role.ADMIN):
        shown[role] = await key_of(directory_url, role)
    seen = {
        role: {each["name"] for each in ask(server, TYPES, key).json()["data"]["__schema"]["types"]}
        for role, key in shown.items()
    }
    assert "DuplicateCandidate" not in seen[Role.PUBLIC] | seen[Role.PARTNER]
    assert "ConfidentialAddress" not in seen[Role.PUBLIC] | seen[Role.PARTNER]
    assert {"DuplicateCandidate", "ConfidentialAddress"} <= seen[Role.STAFF] & seen[Role.ADMIN]
    assert "ApiKey" in seen[Role.ADMIN] - seen[Role.STAFF]
    for role, key in shown.items():
        headers = {"x-api-key": key} if key else {}
        printed = fetch(f"{server.url}/schema.graphql", **headers).text
        assert printed == sdl(audiences().graph(role))


async def test_what_is_for_staff_does_not_exist_for_others(
    servers: tuple[Serving, Serving], directory_url: str
) -> None:
    server, _ = servers
    partner = await key_of(directory_url, Role.PARTNER)
    staff = await key_of(directory_url, Role.STAFF)
    for query in (QUEUE, SECRET, "{ providers(filter: {duplicates: {some: {}}}) { totalCount } }"):
        for shown in (None, partner):
            answer = ask(server, query, shown)
            assert code_of(answer) == "GRAPHQL_VALIDATION_FAILED"
            assert "data" not in answer.json()
        assert "errors" not in ask(server, query, staff).json()
    admin = await key_of(directory_url, Role.ADMIN)
    keys = "{ apiKeys { nodes { name role ending } } }"
    assert code_of(ask(server, keys, staff)) == "GRAPHQL_VALIDATION_FAILED"
    assert {"name": "A STAFF", "role": "STAFF", "ending": staff[-4:]} in ask(
        server, keys, admin
    ).json()["data"]["apiKeys"]["nodes"]


async def test_postgres_itself_refuses_what_a_role_may_not_see(directory_url: str) -> None:
    forbidden = {
        Role.PUBLIC: ["duplicate_candidates", "api_keys", "provider_keys", "searchable"],
        Role.PARTNER: ["duplicate_candidates", "api_keys"],
        Role.STAFF: ["api_keys"],
    }
    for role, tables in forbidden.items():
        database = await Database.open(stopped(directory_url), role=role_name(role.value))
        for table in tables:
            with pytest.raises(Exception, match="may not be read"):
                await database.fetch(f"select to_json(array(select t::text from {table} t))", ())
        if role is not Role.STAFF:
            for column in ("street", "city", "zip", "latitude", "county_fips"):
                statement = f"select to_json(array(select {column}::text from locations))"
                with pytest.raises(Exception, match="may not be read"):
                    await database.fetch(statement, ())
            await database.fetch("select to_json(array(select public_street from locations))", ())
        with pytest.raises(NotGranted):
            async with database.transaction({}) as transaction:
                await transaction.fetch("insert into counties (fips) values ('06001')", ())
        await database.close()


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.STAFF], ids=lambda role: role.value)
async def test_a_role_can_read_all_that_its_schema_has(directory_url: str, role: Role) -> None:

    graph = audiences().graph(role)
    database = await Database.open(stopped(directory_url), role=role_name(role.value))
    for field in everything(graph, "Query"):
        found = await ask_graph(graph, database, f"{{ {field} }}")
        assert "errors" not in found, (field, found["errors"])
    for entity in graph.entities.values():
        key = entity.table.key.name
        rows = await database.fetch(
            f"select to_json(array(select '{entity.name}:' || {key} from {entity.table.name}"
            f" order by {key} limit 3))",
            (),
        )
        fields = everything(graph, entity.name)
        for start in range(0, len(fields), 25):
            inner = " ".join(fields[start : start + 25])
            text = f"""query($ids: [ID!]!) {{
                nodes(ids: $ids) {{ ... on {entity.name} {{ {inner} }} }} }}"""
            found = await ask_graph(graph, database, text, ids=json.loads(rows))
            assert "errors" not in found, (entity.name, inner, found["errors"])
    await database.close()


async def test_a_key_opens_until_it_is_revoked_on_every_server_at_once(
    servers: tuple[Serving, Serving], directory_url: str
) -> None:
    staff = await key_of(directory_url, Role.STAFF)
    for server in servers:
        assert ask(server, QUEUE, staff).status_code == 200
        assert ask(server, QUEUE, **{"x-api-key": staff}).status_code == 200
    (id_,) = [row[0] for row in await api_keys.known(directory_url) if row[3] == staff[-4:]]
    assert await api_keys.revoke(directory_url, id_)
    assert not await api_keys.revoke(directory_url, id_)
    await asyncio.sleep(0.2)
    for server in servers:
        answer = ask(server, QUEUE, staff)
        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_expires_and_has_a_budget(
    servers: tuple[Serving, Serving], directory_url: str
) -> None:
    server, _ = servers
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    short = await key_of(directory_url, Role.STAFF, expires_at=soon)
    assert ask(server, QUEUE, short).status_code == 200
    await asyncio.sleep(2)
    assert code_of(ask(server, QUEUE, short)) == "UNAUTHENTICATED"
    modest = await key_of(directory_url, Role.PARTNER, budget=3)
    answers = [ask(server, TYPES, modest) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert code_of(answers[-1]) == "BUDGET_SPENT"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 20


async def test_a_list_costs_as_much_as_its_operations(
    servers: tuple[Serving, Serving], directory_url: str
) -> None:
    server, _ = servers
    modest = await key_of(directory_url, Role.PARTNER, budget=6)
    headers = {"authorization": f"Bearer {modest}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
        # The second list has begun with one left, and owes the rest.
        for _ in range(2):
            answers = (await client.post("/graphql", json=[{"query": TYPES}] * 5)).json()
            assert [answer.keys() for answer in answers] == [{"data"}] * 5
        spent = await client.post("/graphql", json=[{"query": TYPES}])
    assert (spent.status_code, code_of(spent)) == (429, "BUDGET_SPENT")
    assert 10 < int(spent.headers["retry-after"]) <= 60


async def test_only_the_hash_of_a_key_is_kept(directory_url: str) -> None:
    key = await key_of(directory_url, Role.STAFF)
    line = await asyncpg.connect(directory_url)
    rows = await line.fetch("select k::text from api_keys k")
    await line.close()
    assert rows
    assert not [row for (row,) in rows if key in row]


def test_a_key_is_made_listed_and_revoked_from_the_command_line(directory_url: str) -> None:
    settings = {"database_url": directory_url}
    made = command("keys", "create", "County of Fresno", "--role", "partner", **settings)
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert key.startswith("crd_")
    assert len(key) > 40
    listed = command("keys", "list", **settings).stdout
    (line,) = [line for line in listed.splitlines() if line.endswith("County of Fresno")]
    assert key not in listed
    assert f"…{key[-4:]}  valid" in line
    id_ = line.split()[0]
    assert command("keys", "revoke", id_, **settings).returncode == 0
    again = command("keys", "revoke", id_, **settings)
    assert again.returncode == 1
    assert "revoked before" in again.stderr
    stranger = ("--role", "partner", "--provider", "nobody")
    unknown = command("keys", "create", "x", *stranger, **settings)
    assert unknown.returncode == 1
    assert "no provider nobody" in unknown.stderr


def test_a_token_of_the_issuer_is_trusted(
    servers: tuple[Serving, Serving], issuer: TheIssuer
) -> None:
    server, _ = servers
    assert ask(server, QUEUE, issuer.token()).status_code == 200
    partner = issuer.token(scope="partner read")
    assert code_of(ask(server, QUEUE, partner)) == "GRAPHQL_VALIDATION_FAILED"
    assert ask(server, TYPES, issuer.token(scope=None)).status_code == 200
    assert ask(server, QUEUE, issuer.token(scope=["read", "staff"])).status_code == 200


def test_a_token_that_is_wrong_in_any_way_opens_nothing(
    servers: tuple[Serving, Serving], issuer: TheIssuer
) -> None:
    server, _ = servers
    now = datetime.now(UTC)
    good = issuer.token()
    head, _, signature = good.split(".")
    stranger = rsa.generate_private_key(65537, 2048)
    claims = {"iss": issuer.url, "aud": "directory", "sub": "x", "scope": "admin"}
    soon = {**claims, "exp": int(now.timestamp()) + 300}
    unsigned = f"{part({'alg': 'none', 'kid': 'one'})}.{part(soon)}."
    # As if what everybody can read were a secret that only the issuer knows. PyJWT would not sign
    # like that, so whoever forges does it by hand.
    public = issuer.keys["one"].public_key().public_bytes(PEM, SUBJECT)
    forged = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(soon)}"
    mac = hmac.digest(public, forged.encode(), "sha256")
    confused = f"{forged}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    unknown = part({"alg": "RS256", "kid": "two"})
    wrong = {
        "expired": issuer.token(exp=now - timedelta(minutes=5)),
        "not yet": issuer.token(nbf=now + timedelta(minutes=5)),
        "of another issuer": issuer.token(iss="http://elsewhere"),
        "for somebody else": issuer.token(aud="elsewhere"),
        "without an end": issuer.token(exp=None),
        "of nobody": issuer.token(sub=None),
        "signed by a stranger": issuer.token(key=stranger),
        "of an unknown key": good.replace(head, unknown),
        "not signed": unsigned,
        "signed with what everybody knows": confused,
        "with another body": f"{head}.{part(soon)}.{signature}",
        "cut off": good[:-10],
        "no token": "hello",
        "two dots": "..",
        "long": "x" * 10_000,
    }
    for what, token in wrong.items():
        answer = ask(server, QUEUE, token)
        assert answer.status_code == 401, what
        assert code_of(answer) == "UNAUTHENTICATED", what
        assert "Traceback" not in answer.text
    for header in ("Basic eDp5", "Bearer", ""):
        assert code_of(ask(server, TYPES, authorization=header)) == "UNAUTHENTICATED", header
    both = {"authorization": f"Bearer {good}", "x-api-key": "crd_x"}
    assert code_of(ask(server, TYPES, **both)) == "UNAUTHENTICATED"
    assert server.process.poll() is None


def test_a_new_key_of_the_issuer_is_found_and_an_old_one_is_forgotten(
    directory_url: str, issuer: TheIssuer
) -> None:
    own = TheIssuer()
    thread = threading.Thread(target=own.server.serve_forever, daemon=True)
    thread.start()
    with serving(
        database_url=directory_url, jwt_issuer=own.url, environment="production"
    ) as server:
        assert ask(server, QUEUE, own.token()).status_code == 200
        own.add("two", ec.generate_private_key(ec.SECP256R1()))
        old = own.token("one")
        del own.keys["one"]
        asked = own.asked
        time.sleep(5.5)
        assert ask(server, QUEUE, own.token("two")).status_code == 200
        assert own.asked == asked + 1
        # Another one of the old key, since the one above was never shown.
        assert ask(server, QUEUE, old).status_code == 401
        for _ in range(5):
            assert ask(server, QUEUE, own.token("two").replace(".", "x.", 1)).status_code == 401
        assert own.asked <= asked + 2
        own.server.shutdown()
        own.server.server_close()
        # What was known holds on while the issuer is away.
        assert ask(server, QUEUE, own.token("two")).status_code == 200
    thread.join()


def test_what_staff_were_answered_is_never_given_to_others(
    servers: tuple[Serving, Serving], issuer: TheIssuer
) -> None:
    server, _ = servers
    token = issuer.token()
    query = "{ counties(first: 1) { nodes { name } } }"
    url = f"{server.url}/graphql"
    shown = {"authorization": f"Bearer {token}"}
    theirs = fetch(url, QUEUE, **shown)
    assert theirs.headers["cache-control"] == "private, no-cache"
    for _ in range(2):
        assert code_of(fetch(url, QUEUE)) == "GRAPHQL_VALIDATION_FAILED"
    known = {"if-none-match": theirs.headers["etag"]}
    assert fetch(url, QUEUE, **shown, **known).status_code == 304
    ours = fetch(url, query)
    assert ours.headers["cache-control"] == "no-cache"
    assert "authorization" in ours.headers["vary"]
    stolen = fetch(url, QUEUE, **known)
    assert stolen.status_code == 200
    assert code_of(stolen) == "GRAPHQL_VALIDATION_FAILED"


async def test_everybody_can_ask_who_they_are(
    servers: tuple[Serving, Serving], issuer: TheIssuer, directory_url: str
) -> None:
    server, _ = servers
    query = "{ me { role name scopes } again: me { as: role } }"
    anybody = ask(server, query)
    public: dict[str, object] = {"role": "PUBLIC", "name": None, "scopes": []}
    assert anybody.json() == {"data": {"me": public, "again": {"as": "PUBLIC"}}}
    one, other = [await key_of(directory_url, Role.STAFF) for _ in range(2)]
    await api_keys.create(directory_url, "Another", "STAFF", ["READ", "WRITE"])
    for key in (one, other, one):
        told = ask(server, query, key).json()["data"]
        assert told["me"] == {"role": "STAFF", "name": "A STAFF", "scopes": ["READ"]}
    token = ask(server, query, issuer.token(sub="Ana"))
    assert token.json()["data"]["me"] == {"role": "STAFF", "name": "Ana", "scopes": ["READ"]}
    again = fetch(f"{server.url}/graphql", query, authorization=f"Bearer {one}")
    assert again.headers["cache-control"] == "no-store"
    assert "etag" not in again.headers
