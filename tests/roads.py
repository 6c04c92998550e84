"""A question goes down both roads, which have to agree to the last key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from db.database import Database
from resolvers.graph import Graph
from resolvers.resolve import Answer, GraphQLRequest, resolve
from schema.audiences import Audiences
from schema.roles import Role


@cache
def audiences() -> Audiences:
    """The directory as each role sees it, built once for all tests."""
    return Audiences()


def the_graph() -> Graph:
    """The graph of the directory, with all that anybody may see of it."""
    return audiences().graph(Role.ADMIN)


async def both_roads(
    database: Database, request: GraphQLRequest, graph: Graph | None = None
) -> Answer:
    """The answer, given alike on either road, for one statement each at the most."""
    made = graph or the_graph()
    for left in reversed(range(20)):
        before = database.statements
        answer = await resolve(made, database, request)
        between = database.statements
        forced = await resolve(made, database, request, computed=True)
        after = database.statements
        assert answer.outcome is forced.outcome
        assert between - before == after - between <= 1
        alike = ordered(answer.body) == ordered(forced.body)
        if alike or not left or not moves(answer):
            break
    assert alike, (answer.body, forced.body)
    return answer


def moves(answer: Answer) -> bool:
    """Whether an answer can be another one a moment later, for transactions of other databases."""
    return answer.reads is not None and "changes_since" in answer.reads.functions


async def ask(
    database: Database, text: str, variables: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """The whole response to an operation, agreed by both roads."""
    answer = await both_roads(database, GraphQLRequest(text, None, variables))
    response: dict[str, Any] = json.loads(answer.body)
    return response


async def data_of(
    database: Database, text: str, variables: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """The data of an operation that has no errors."""
    response = await ask(database, text, variables)
    assert "errors" not in response, response["errors"]
    data: dict[str, Any] = response["data"]
    return data


def codes_of(response: Mapping[str, Any]) -> list[str]:
    """The codes of a response's errors."""
    return [error["extensions"]["code"] for error in response.get("errors", ())]


def ordered(body: bytes) -> str:
    """JSON without its white space, in which the order of keys still matters."""
    return json.dumps(json.loads(body), ensure_ascii=False)
