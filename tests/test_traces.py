"""ftv1: a subgraph gives a trace to a router that asks for it, to nobody else, and keeps none."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from db.database import Database
from federation.node import ask, install
from resolvers.resolve import GraphQLRequest
from resolvers.traces import traced
from schema.federation import subgraph
from tests.db.scratch import scratch, stopped
from tests.node import or_skipped
from tests.roads import the_graph
from tests.serving import serving

ASKED = {"apollo-federation-include-trace": "ftv1"}

QUERY = """query {
    prison: institution(code: "SQ") { name }
    ...Rest
}
fragment Rest on Query {
    counties(first: 1) { totalCount }
    institutions(first: 101) { totalCount }
}"""


def read(*traces: str) -> list[Any]:
    """Traces, as Apollo's own library reads them."""
    with or_skipped("NOBODY READ A TRACE"):
        install()
    found: list[Any] = ask("trace.mjs", list(traces))
    return found


async def test_a_trace_says_how_long_each_root_field_took_and_what_went_wrong(
    database: Database,
) -> None:
    before = time.time()
    graph = subgraph(the_graph(), ["institutions"])
    answer = await traced(graph, database, GraphQLRequest(QUERY))
    refused = await traced(graph, database, GraphQLRequest("{ nothing }"))
    after = time.time()
    body = json.loads(answer.body)
    assert list(body) == ["errors", "data", "extensions"]
    assert answer.private
    assert answer.reads is None
    said = json.loads(refused.body)
    trace, nothing = read(body["extensions"]["ftv1"], said["extensions"]["ftv1"])
    assert before - 1 <= trace["startTime"]["seconds"] <= trace["endTime"]["seconds"] <= after
    prison, counties, institutions = trace["root"]["child"]
    for node in (prison, counties, institutions):
        assert 0 < node["startTime"] <= node["endTime"] <= trace["durationNs"]
        assert node["parentType"] == "Query"
    assert prison["responseName"] == "prison"
    assert prison["originalFieldName"] == "institution"
    assert prison["type"] == "Institution"
    assert counties["type"] == "CountyConnection"
    assert "originalFieldName" not in counties
    (error,) = institutions["error"]
    assert error["message"] == body["errors"][0]["message"]
    assert json.loads(error["json"]) == body["errors"][0]
    assert "error" not in prison
    (error,) = nothing["root"]["error"]
    assert json.loads(error["json"])["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "child" not in nothing["root"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as own:
        yield stopped(own)


def test_a_trace_is_told_to_who_asks_a_subgraph_for_it_and_never_kept(url: str) -> None:
    asked = {"query": '{ county(fips: "06037") { name } }'}
    plain = {"data": {"county": {"name": "Los Angeles"}}}
    settings = {"database_url": url, "environment": "production"}
    with (
        serving(**settings, subgraphs="institutions") as part,
        serving(**settings) as whole,
        httpx.Client(timeout=30) as client,
    ):
        for _ in range(3):
            assert client.post(f"{part.url}/graphql", json=asked).json() == plain
            traces = set()
            for _ in range(2):
                answer = client.post(f"{part.url}/graphql", json=asked, headers=ASKED)
                assert answer.headers["cache-control"] == "no-store"
                assert answer.json()["data"] == plain["data"]
                traces.add(answer.json()["extensions"]["ftv1"])
            assert len(traces) == 2
        by_url = client.get(f"{part.url}/graphql", params=asked, headers=ASKED)
        assert by_url.headers["cache-control"] == "no-store"
        assert "etag" not in by_url.headers
        assert client.get(f"{part.url}/graphql", params=asked).json() == plain
        for other in ({"apollo-federation-include-trace": "ftv2"}, {}):
            assert client.post(f"{part.url}/graphql", json=asked, headers=other).json() == plain
        assert client.post(f"{whole.url}/graphql", json=asked, headers=ASKED).json() == plain
