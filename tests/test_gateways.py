"""Behind a router the four subgraphs are the whole again: every example is answered alike.

Real servers, each of one subgraph, stand behind two real routers, Hive Gateway with the planner of
Hive Router and Apollo's gateway. The neighbors' two subgraphs are in the same graph. How often a
router asks subgraphs for an example is in `federation/requests.json`, so that a change of it shows:
`pytest tests/test_gateways.py --write-examples` writes it anew.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from db import api_keys
from db.database import Database
from db.roles import role_name
from federation.node import Composed, Job, compose, free_port, install, router
from resolvers.change import Changer
from resolvers.resolve import GraphQLRequest, resolve
from schema.build import sdl
from schema.federation import subgraph
from schema.roles import Role
from schema.subgraphs import SUBGRAPHS
from tests.db.scratch import connected, scratch, stopped
from tests.neighbors import SCHEMAS, neighbor
from tests.node import or_skipped
from tests.roads import audiences, the_graph
from tests.serving import serving
from tests.test_operations import EXAMPLES

ROUTERS = ("hive", "apollo")

REQUESTS = Path(__file__).parent / "federation" / "requests.json"

# A router refuses by itself what does not fit the schema, with codes of its own.
_REFUSED = "the router itself refuses it, with a code of its own"
# A subgraph that refuses a request as a whole has failed for the router, which answers the rest.
_FAILED = "a refused request is one subgraph's failure, and what it would have answered is null"
# The whole tells a list's first error, which makes the list null; a router is told all of them.
_EACH = "an argument that makes no sense is refused once for each row that it is asked of"

# What is answered otherwise than by the whole, and why that is so.
OTHERWISE: Mapping[str, Mapping[str, str]] = {
    "refusals/bad-variables": dict.fromkeys(ROUTERS, _REFUSED),
    "refusals/deferred": dict.fromkeys(ROUTERS, _REFUSED),
    "refusals/streamed": dict.fromkeys(ROUTERS, _REFUSED),
    "refusals/which-operation": dict.fromkeys(ROUTERS, _REFUSED),
    "refusals/cycles-times-pages": dict.fromkeys(ROUTERS, _FAILED),
    "place/no-such-zip": dict.fromkeys(ROUTERS, _FAILED),
    "refusals/null-goes-up": dict.fromkeys(ROUTERS, _EACH),
    "introspection/beside-data": {"hive": "it answers introspection, and nothing beside it"},
}


@dataclass(frozen=True)
class Answered:
    """A router's response, and how often it asked subgraphs for it."""

    body: dict[str, Any]
    requests: int


@dataclass(frozen=True)
class Router:
    """A router to be asked."""

    client: httpx.AsyncClient
    url: str
    key: str

    async def ask(
        self,
        request: GraphQLRequest,
        *,
        shown: bool = True,
        key: str | None = None,
        id_: str | None = None,
    ) -> Answered:
        """Its answer to somebody who shows a key, or none; that which opens everything, if no
        other is given. `id_` is what they call their request."""
        asked: dict[str, object] = {"query": request.text}
        if request.operation_name is not None:
            asked["operationName"] = request.operation_name
        if request.variables is not None:
            asked["variables"] = request.variables
        headers = {"authorization": f"Bearer {key or self.key}"} if shown else {}
        if id_ is not None:
            headers["x-request-id"] = id_
        if request.language is not None:
            headers["accept-language"] = request.language.value
        response = await self.client.post(self.url, json=asked, headers=headers)
        return Answered(response.json(), int(response.headers.get("subgraph-requests", 0)))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def directory(loaded_url: str) -> AsyncIterator[str]:
    """The database behind the subgraphs."""
    async with scratch(loaded_url) as url:
        yield stopped(url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def routers(directory: str) -> AsyncIterator[dict[str, Router]]:
    """Both routers, over the same subgraphs."""
    with or_skipped("NO ROUTER WAS ASKED ANYTHING"):
        await asyncio.to_thread(install)
    async with AsyncExitStack() as stack:
        url = directory
        key = await api_keys.create(url, "The routers'", Role.ADMIN.value, ["READ"])
        processes = stack.enter_context(ExitStack())

        def serve(name: str) -> str:
            settings = {"environment": "production", "pool_size": 2, "subgraphs": name}
            server = serving(**settings, database_url=url)
            return processes.enter_context(server).url + "/graphql"

        served = await asyncio.gather(*(asyncio.to_thread(serve, name) for name in SUBGRAPHS))
        urls = dict(zip(SUBGRAPHS, served, strict=True))
        for name in SCHEMAS:
            urls[name] = await stack.enter_async_context(neighbor(name))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=120))

        def job(composer: str, version: str) -> Job:
            told = {name: schema.as_str() for name, schema in SCHEMAS.items()}
            told |= {name: sdl(subgraph(the_graph(), [name], version)) for name in SUBGRAPHS}
            return Job(
                composer,
                [{"name": name, "url": at, "sdl": told[name]} for name, at in urls.items()],
            )

        # The Guild's composer knows no newer version. Apollo's gateway knows nothing that is about
        # who may see what; the subgraphs see to that anyway.
        made = await asyncio.to_thread(compose, [job("guild", "2.9"), job("apollo", "2.4")])

        def start(name: str, composed: Composed) -> Router:
            assert composed.supergraph is not None, composed.errors
            running = router(f"{name}.mjs", composed.supergraph, free_port())
            return Router(client, processes.enter_context(running), key)

        started = await asyncio.gather(
            *(asyncio.to_thread(start, *each) for each in zip(ROUTERS, made, strict=True))
        )
        yield dict(zip(ROUTERS, started, strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def answers(routers: Mapping[str, Router]) -> Mapping[str, Mapping[str, Answered]]:
    """What each router answers to each example."""
    few = asyncio.Semaphore(6)

    async def ask(name: str, request: GraphQLRequest) -> Answered:
        async with few:
            return await routers[name].ask(request)

    asked = [(str(example), name) for example in EXAMPLES for name in ROUTERS]
    given = await asyncio.gather(
        *(ask(name, example.request()) for example in EXAMPLES for name in ROUTERS)
    )
    answers: dict[str, dict[str, Answered]] = {}
    for (example, name), answer in zip(asked, given, strict=True):
        answers.setdefault(example, {})[name] = answer
    return answers


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_is_answered_as_by_the_whole(
    example: Any, answers: Mapping[str, Mapping[str, Answered]]
) -> None:
    expected = json.loads(example.answer.read_bytes())
    otherwise = OTHERWISE.get(str(example), {})
    for name, answer in answers[str(example)].items():
        if name in otherwise:
            # Were it as by the whole, it would have to leave the list.
            assert _compared(answer.body) != _compared(expected), name
            assert answer.body.get("errors") or name == "hive", name
        else:
            assert _compared(answer.body) == _compared(expected), name


@pytest.mark.parametrize("name", ROUTERS)
async def test_a_refusal_that_differs_is_still_the_same_refusal(
    name: str, answers: Mapping[str, Mapping[str, Answered]]
) -> None:
    for example in EXAMPLES:
        reason = OTHERWISE.get(str(example), {}).get(name)
        body = answers[str(example)][name].body
        if reason == _REFUSED:
            assert body.get("data") is None
            assert body["errors"]
        elif reason in (_FAILED, _EACH):
            expected = json.loads(example.answer.read_bytes())
            assert _codes(body) == _codes(expected), example


def test_how_often_subgraphs_are_asked_is_known(
    answers: Mapping[str, Mapping[str, Answered]], pytestconfig: pytest.Config
) -> None:
    asked = {
        example: {name: answer.requests for name, answer in given.items()}
        for example, given in answers.items()
    }
    if pytestconfig.getoption("--write-examples", default=False):
        lines = (f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in asked.items())
        REQUESTS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    known = json.loads(REQUESTS.read_text())
    assert asked.keys() == known.keys()
    for example, given in asked.items():
        assert given["apollo"] == known[example]["apollo"], example
        # Of plans that it takes for equally good, Hive's planner makes one or the other.
        assert abs(given["hive"] - known[example]["hive"]) <= 1, example


@pytest.mark.parametrize("name", ROUTERS)
async def test_neighbors_add_to_everything_that_has_an_id_and_to_what_has_a_code(
    name: str, routers: Mapping[str, Router]
) -> None:
    text = """{
        institution(code: "SQ") { id visits letters county { number visits } }
        node(id: "County:06037") { visits ... on County { name number } }
        providers(first: 2) { nodes { id visits } }
        mostVisited { __typename id visits ... on County { name } ... on Category { label } }
        countiesKnown
    }"""
    answer = await routers[name].ask(GraphQLRequest(text))
    assert "errors" not in answer.body
    data = answer.body["data"]
    prison = data["institution"]
    assert prison["visits"] == len(prison["id"])
    assert prison["letters"] == 2
    assert prison["county"] == {"number": 41, "visits": len("County:06041")}
    assert data["node"] == {"visits": 12, "name": "Los Angeles", "number": 37}
    assert [each["visits"] for each in data["providers"]["nodes"]] == [
        len(each["id"]) for each in data["providers"]["nodes"]
    ]
    assert data["mostVisited"] == [
        {"__typename": "County", "id": "County:06037", "visits": 12, "name": "Los Angeles"},
        {"__typename": "Category", "id": "Category:HOUSING", "visits": 16, "label": "Housing"},
    ]
    assert data["countiesKnown"] == 58


@pytest.mark.parametrize("name", ROUTERS)
async def test_a_router_opens_nothing_to_those_who_show_no_key(
    name: str, routers: Mapping[str, Router]
) -> None:
    text = """{ duplicateCandidates(first: 1) { totalCount } county(fips: "06037") { name } }"""
    shown = await routers[name].ask(GraphQLRequest(text))
    assert shown.body["data"]["duplicateCandidates"]["totalCount"] > 0
    hidden = await routers[name].ask(GraphQLRequest(text), shown=False)
    assert (hidden.body.get("data") or {}).get("duplicateCandidates") is None
    assert hidden.body["errors"]


# Whoever changes something: the role, which is the one that the servers know from the examples, and
# the scopes. The partner speaks for `PARTNER`.
PEOPLE = {
    "staff": (Role.ADMIN, ["READ", "WRITE"]),
    "reader": (Role.ADMIN, ["READ"]),
    "partner": (Role.PARTNER, ["READ", "WRITE"]),
}
PARTNER = "6153beae-1ff2-58da-81f1-4b558ba98f58"
ERRORS = "userErrors { path code message }"

Ask = Callable[[str, str, Mapping[str, object]], Awaitable[Mapping[str, Any]]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keys(directory: str) -> dict[str, str]:
    """The keys of those people."""
    async with connected(directory) as line:
        slug = await line.fetchval("select slug from providers where id = $1", UUID(PARTNER))
    return {
        who: await api_keys.create(
            directory, who, role.value, scopes, provider=slug if who == "partner" else None
        )
        for who, (role, scopes) in PEOPLE.items()
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alone(loaded_url: str) -> AsyncIterator[Ask]:
    """The whole directory, in a database of its own."""
    everybody = audiences()
    async with AsyncExitStack() as stack:
        url = stopped(await stack.enter_async_context(scratch(loaded_url)))
        databases = {
            role: await Database.open(url, role=role_name(role.value))
            for role in (Role.PUBLIC, Role.PARTNER, Role.ADMIN)
        }
        for database in databases.values():
            stack.push_async_callback(database.close)

        async def ask(who: str, text: str, variables: Mapping[str, object]) -> Mapping[str, Any]:
            role, scopes = PEOPLE.get(who, (Role.PUBLIC, []))
            speaks_for = PARTNER if who == "partner" else ""
            changer = Changer(who, role.value, "r", who, "WRITE" in scopes, speaks_for)
            request = GraphQLRequest(text, None, variables, changer=changer)
            graph = the_graph() if role is Role.ADMIN else everybody.graph(role)
            answer = await resolve(graph, databases[role], request)
            body: dict[str, Any] = json.loads(answer.body)
            return body

        yield ask


async def story(ask: Ask, name: str, code: str) -> list[Mapping[str, Any]]:
    """What everybody is told while they change this and that; `name` is new, `code` a prison."""
    told: list[Mapping[str, Any]] = []

    async def one(who: str, text: str, **variables: object) -> Any:
        told.append(await ask(who, text, variables))
        return told[-1].get("data") or {}

    # Created by one subgraph, with what belongs to it, and told by others, too.
    create = f"""mutation ($input: CreateProviderInput!) {{ createProvider(input: $input) {{
        provider {{
            id slug version county {{ name }} phones {{ number }} programs {{ totalCount }}
            services {{ nodes {{ name categories {{ nodes {{ label }} }} }} }}
        }} {ERRORS}
    }} }}"""
    service = {"name": "Beds", "categories": ["Category:HOUSING"]}
    input_ = {
        "slug": name,
        "name": "New",
        "county": "County:06019",
        "services": [service],
        "phones": [{"number": "+15595550111", "kind": "VOICE"}],
        "idempotencyKey": f"once {name}",
    }
    made = await one("staff", create, input=input_)
    provider = made["createProvider"]["provider"]["id"]
    await one("staff", create, input=input_)
    await one("staff", create, input={**input_, "name": "Newer"})
    # One that is only tried.
    await one(
        "staff",
        create.replace("programs { totalCount }", ""),
        input={"slug": f"{name}-2", "name": "Tried", "dryRun": True},
    )
    # What nobody owns is changed in one place, and belongs to what others own.
    phone = f"""mutation ($provider: ID!, $number: String!) {{
        createLocation(input: {{street: "1 A Street", city: "Fresno", countyFips: "06019"}}) {{
            location {{ street city }} {ERRORS}
        }}
        createPhone(input: {{provider: $provider, number: $number, kind: VOICE}}) {{
            phone {{ number provider {{ name services {{ totalCount }} }} }} {ERRORS}
        }}
    }}"""
    await one("staff", phone, provider=provider, number="+15595550112")
    await one("staff", phone, provider=provider, number="no number")
    # Somebody was first.
    update = f"""mutation ($input: UpdateProviderInput!) {{ updateProvider(input: $input) {{
        provider {{ name version }} {ERRORS}
        conflict {{
            current {{ name county {{ name }} phones {{ number }} }} differences {{ field old new }}
        }}
    }} }}"""
    change = {"id": provider, "ifVersion": 1, "name": "Changed"}
    await one("staff", update, input=change)
    await one("staff", update, input=change)
    # Of two fields of one subgraph both are done, or none.
    await one(
        "staff",
        f"""mutation ($id: ID!, $slug: String!) {{
            updateProvider(input: {{id: $id, name: "Undone"}}) {{ provider {{ name }} {ERRORS} }}
            createProvider(input: {{slug: $slug, name: "Again"}}) {{ provider {{ name }} {ERRORS} }}
        }}""",
        id=provider,
        slug=name,
    )
    # A prison closes, and with it what other subgraphs tell of it.
    text = "query ($code: String!) { institution(code: $code) { id } }"
    prison = await one("staff", text, code=code)
    await one(
        "staff",
        f"""mutation ($id: ID!) {{
            closeInstitution(input: {{institution: $id, closedOn: "2026-07-03"}}) {{
                institution {{
                    code status visitingNow visitorCenters {{ nodes {{ name status }} }}
                    programs {{ totalCount }} county {{ name }}
                    programOfferings(first: 2) {{ nodes {{ status endedOn program {{ name }} }} }}
                }} {ERRORS}
            }}
        }}""",
        id=prison["institution"]["id"],
    )
    # A partner proposes, and staff accept.
    proposed = await one(
        "partner",
        f"""mutation ($id: ID!, $website: String!) {{
            proposeProvider(input: {{id: $id, website: $website}}) {{
                proposal {{ id status differences {{ path new }} }} {ERRORS}
            }}
        }}""",
        id=f"Provider:{PARTNER}",
        website=f"https://example.org/{name}",
    )
    await one("partner", "{ proposals { totalCount nodes { status why } } }")
    await one(
        "staff",
        f"""mutation ($id: ID!) {{ acceptProposal(input: {{id: $id}}) {{
            proposal {{ status decidedBy provider {{ website county {{ name }} }} }} {ERRORS}
        }} }}""",
        id=proposed["proposeProvider"]["proposal"]["id"],
    )
    # Everybody reads it.
    await one(
        "anybody",
        """query ($slug: String!, $code: String!) {
            provider(slug: $slug) { name phones { number } services { nodes { name } } }
            institution(code: $code) { status visitingNow programs { totalCount } }
        }""",
        slug=name,
        code=code,
    )
    # Those who may not.
    for who in ("anybody", "reader", "partner"):
        await one(who, create, input={"slug": f"{name}-3", "name": "No"})
    return told


PRISONS = dict(zip(ROUTERS, ("VSP", "CIM"), strict=True))


@pytest.mark.parametrize("name", ROUTERS)
@pytest.mark.usefixtures("answers")  # which are of the directory as it is before
async def test_what_is_changed_through_a_router_is_changed_as_by_the_whole(
    name: str, routers: Mapping[str, Router], keys: Mapping[str, str], alone: Ask
) -> None:
    async def ask(who: str, text: str, variables: Mapping[str, object]) -> Mapping[str, Any]:
        request = GraphQLRequest(text, None, variables)
        key = keys.get(who)
        return (await routers[name].ask(request, shown=key is not None, key=key)).body

    told = await story(ask, f"new-{name}", PRISONS[name])
    whole = await story(alone, f"new-{name}", PRISONS[name])
    *done, anybody, reader, partner = told
    assert [_unnamed(each) for each in done] == [_unnamed(each) for each in whole[: len(done)]]
    assert not any("errors" in each for each in done)
    # A router says where the error is, and the whole only that the request is refused.
    for refused, by_whole in zip((anybody, reader, partner), whole[len(done) :], strict=True):
        assert refused.get("data") is None
        assert _codes(refused) == _codes(by_whole)
    assert _codes(reader) == {"FORBIDDEN"}


@pytest.mark.parametrize("name", ROUTERS)
@pytest.mark.usefixtures("answers")
async def test_what_several_subgraphs_change_is_not_one_transaction(
    name: str,
    routers: Mapping[str, Router],
    keys: Mapping[str, str],
    alone: Ask,
    directory: str,
) -> None:
    text = f"""mutation ($slug: String!) {{
        createProgram(input: {{slug: $slug, name: "Done"}}) {{ program {{ slug }} {ERRORS} }}
        createProvider(input: {{slug: "No slug", name: "No"}}) {{ provider {{ slug }} {ERRORS} }}
    }}"""
    given = {"slug": f"half-{name}"}
    request = GraphQLRequest(text, None, given)
    answer = await routers[name].ask(request, key=keys["staff"], id_=f"half of {name}")
    assert "errors" not in answer.body
    assert answer.body["data"]["createProgram"] == {"program": given, "userErrors": []}
    whole = await alone("staff", text, given)
    assert [each["code"] for each in whole["data"]["createProgram"]["userErrors"]] == [
        "ROLLED_BACK"
    ]
    assert answer.body["data"]["createProvider"] == whole["data"]["createProvider"]
    # Each subgraph puts the client's own word for it on record.
    async with connected(directory) as line:
        logged = "select distinct entity from changes where request = $1"
        recorded = {row["entity"] for row in await line.fetch(logged, f"half of {name}")}
    assert "programs" in recorded
    assert "providers" not in recorded
    # What is only tried, others know nothing of: they tell what is, and not what would be.
    tried = """mutation ($id: ID!) {
        closeInstitution(input: {institution: $id, closedOn: "2026-07-03", dryRun: true}) {
            institution { status programs { totalCount } }
        }
    }"""
    found = await alone("anybody", '{ institution(code: "SQ") { id programs { totalCount } } }', {})
    prison = found["data"]["institution"]
    of_id = {"id": prison["id"]}
    answer = await routers[name].ask(GraphQLRequest(tried, None, of_id), key=keys["staff"])
    whole = await alone("staff", tried, of_id)
    assert whole["data"]["closeInstitution"]["institution"] == {
        "status": "CLOSED",
        "programs": {"totalCount": 0},
    }
    assert prison["programs"]["totalCount"] > 0
    assert answer.body["data"]["closeInstitution"]["institution"] == {
        "status": "CLOSED",
        "programs": prison["programs"],
    }


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _unnamed(body: Mapping[str, Any]) -> str:
    """A response in which ids are numbers: what is new has another id in each database."""
    found: dict[str, str] = {}
    return _UUID.sub(
        lambda hit: found.setdefault(hit[0], str(len(found))), json.dumps(body["data"])
    )


def _compared(body: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The data, key by key in its order, and where which errors are."""
    errors = [json.dumps([each.get("path"), _code(each)]) for each in body.get("errors", ())]
    # Not in their order: whoever asks several servers is told of errors as they come.
    return json.dumps(body.get("data"), ensure_ascii=False), sorted(errors)


def _codes(body: Mapping[str, Any]) -> set[str | None]:
    return {_code(each) for each in body.get("errors", ())}


def _code(error: Mapping[str, Any]) -> str | None:
    code: str | None = error.get("extensions", {}).get("code")
    return code
