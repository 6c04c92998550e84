"""Behind a router the four subgraphs are the whole again: every example is answered alike.

Real servers, each of one subgraph, stand behind two real routers, Hive Gateway with the planner of
Hive Router and Apollo's gateway. The neighbors' two subgraphs are in the same graph. How often a
router asks subgraphs for an example is in `federation/requests.json`, so that a change of it shows:
`pytest tests/test_gateways.py --write-examples` writes it anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from db import api_keys
from federation.node import Composed, Job, compose, free_port, install, router
from resolvers.resolve import GraphQLRequest
from schema.build import sdl
from schema.federation import subgraph
from schema.roles import Role
from schema.subgraphs import SUBGRAPHS
from tests.db.scratch import scratch, stopped
from tests.neighbors import SCHEMAS, neighbor
from tests.node import or_skipped
from tests.roads import the_graph
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

    async def ask(self, request: GraphQLRequest, *, shown: bool = True) -> Answered:
        """Its answer to somebody who shows a key that opens everything, or none."""
        asked: dict[str, object] = {"query": request.text}
        if request.operation_name is not None:
            asked["operationName"] = request.operation_name
        if request.variables is not None:
            asked["variables"] = request.variables
        headers = {"authorization": f"Bearer {self.key}"} if shown else {}
        if request.language is not None:
            headers["accept-language"] = request.language.value
        response = await self.client.post(self.url, json=asked, headers=headers)
        return Answered(response.json(), int(response.headers.get("subgraph-requests", 0)))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def routers(loaded_url: str) -> AsyncIterator[dict[str, Router]]:
    """Both routers, over the same subgraphs."""
    with or_skipped("NO ROUTER WAS ASKED ANYTHING"):
        await asyncio.to_thread(install)
    async with AsyncExitStack() as stack:
        url = stopped(await stack.enter_async_context(scratch(loaded_url)))
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
