"""Generated operations: both roads agree, nothing is our fault, and nobody asks twice.

`make test` takes the same thousand every time; `make fuzz` takes many more, new ones each time.
"""

from __future__ import annotations

import json
import os

import pytest
from graphql import GraphQLObjectType, get_named_type, is_required_argument
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from db.database import Database
from resolvers.graph import Every, Leaf
from resolvers.resolve import GraphQLRequest, Outcome
from tests.generated import Known, requests
from tests.roads import both_roads, codes_of, data_of, the_graph

# What is given to arguments that a field cannot be without.
GIVEN = {
    "Int": "17",
    "DateTime": '"2026-07-03T18:00:00Z"',
    "VisitingDay": "{weekday: SU}",
    "Situation": '{audience: [PAROLE], languages: ["es"]}',
}

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"

generated = settings(
    max_examples=20_000 if FUZZ else 1_000,
    derandomize=not FUZZ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Explaining a failure takes long, and its smallest example explains itself.
    phases=(Phase.generate, Phase.shrink),
)


@pytest.fixture(scope="session")
async def known(database: Database) -> Known:
    """Values that are really there, so that questions find something."""
    graph = the_graph()
    found = Known(id=[], name=[])
    for root, source in graph.roots.items():
        if not isinstance(source, Every):
            continue
        entity = graph.entities[source.entity]
        leaves = [name for name, field in entity.fields.items() if isinstance(field, Leaf)]
        leaves = [name for name in leaves if name not in ("createdAt", "updatedAt", "importedAt")]
        text = f"{{ {root}(first: 5) {{ edges {{ cursor node {{ id {' '.join(leaves)} }} }} }} }}"
        edges = (await data_of(database, text))[root]["edges"]
        found[f"{entity.name}.cursor"] = [edge["cursor"] for edge in edges]
        for edge in edges:
            for name, value in edge["node"].items():
                values = value if isinstance(value, list) else [value]
                kept = found.setdefault(f"{entity.name}.{name}", [])
                kept += [item for item in values if item is not None and item not in kept]
                if name in ("id", "name", "slug", "code", "fips"):
                    found["id" if name == "id" else "name"].append(value)
    return found


@generated
@given(drawn=st.data())
async def test_generated_operations_agree_on_both_roads(
    drawn: st.DataObject, database: Database, known: Known
) -> None:
    request = drawn.draw(requests(the_graph().schema, known))
    answer = await both_roads(database, request)
    response = json.loads(answer.body)
    assert "INTERNAL_SERVER_ERROR" not in codes_of(response)
    assert answer.outcome is not Outcome.UNAVAILABLE
    if answer.outcome is Outcome.DATA:
        assert "errors" not in response


async def test_every_field_of_the_schema_is_answered(database: Database) -> None:
    """What chance may miss: each field once, asked of real rows."""
    schema = the_graph().schema
    assert schema.query_type is not None
    for root, field in schema.query_type.fields.items():
        if not root.endswith("s") or root == "nodes":
            continue
        node = get_named_type(field.type)
        assert isinstance(node, GraphQLObjectType)
        entity = schema.type_map[node.name.removesuffix("Connection")]
        assert isinstance(entity, GraphQLObjectType)
        names = []
        for name, part in entity.fields.items():
            inner = get_named_type(part.type)
            given = ", ".join(
                f"{argument}: {GIVEN[get_named_type(taken.type).name]}"
                for argument, taken in part.args.items()
                if is_required_argument(taken)
            )
            asked = f"{name}({given})" if given else name
            names.append(f"{asked} {{ __typename }}" if hasattr(inner, "fields") else asked)
        text = f"{{ {root}(first: 3) {{ nodes {{ {' '.join(names)} }} }} }}"
        if node is entity:  # what functions return, and not a connection
            text = f"{{ {root} {{ {' '.join(names)} }} }}"
        answer = await both_roads(database, GraphQLRequest(text))
        assert answer.outcome is Outcome.DATA
