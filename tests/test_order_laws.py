"""Orders against plain Python: any field, own or related, near or far, and how many there are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLInputObjectType
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.kinds import KINDS, PARTS
from tests.roads import data_of, the_graph
from tests.second_opinion import SecondOpinion, Step, World

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
ASKED = [name for name, kind in KINDS.items() if kind.root]

generated = settings(
    max_examples=5_000 if FUZZ else 250,
    derandomize=not FUZZ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


def step(
    draw: Any, oracle: SecondOpinion, name: str, depth: int = 3, within: str = ""
) -> dict[str, Any]:
    """One step of an order, of any field that the schema offers, here or in a part of this."""
    type_ = the_graph().schema.type_map[f"{within or name}Order"]
    assert isinstance(type_, GraphQLInputObjectType)
    fields = [field for field in type_.fields if field not in KINDS[name].derived]
    fields = [field for field in fields if depth or field not in KINDS[name].one]
    relations = [field for field in fields if field in (*KINDS[name].one, *KINDS[name].many)]
    field = draw(st.sampled_from(fields if not relations or draw(st.booleans()) else relations))
    if field in PARTS:
        return {field: step(draw, oracle, name, depth, PARTS[field])}
    if field in KINDS[name].one:
        return {field: step(draw, oracle, oracle.target(name, field), depth - 1)}
    direction = draw(st.sampled_from(["ASC", "DESC"]))
    return {field: {"count": direction} if field in KINDS[name].many else direction}


async def ends(world: World, name: str, order: Sequence[Step]) -> None:
    """The first and the last hundred are the same by GraphQL and by Python."""
    database, oracle = world
    root = KINDS[name].root
    text = f"""query ($order: [{name}Order!]) {{
        head: {root}(orderBy: $order, first: 100) {{ nodes {{ id }} }}
        tail: {root}(orderBy: $order, last: 100) {{ nodes {{ id }} }}
    }}"""
    data = await data_of(database, text, {"order": order})
    ids = [oracle.id(name, key) for key in oracle.sorted(name, oracle.listed(name), order)]
    assert [node["id"] for node in data["head"]["nodes"]] == ids[:100]
    assert [node["id"] for node in data["tail"]["nodes"]] == ids[-100:]


@generated
@given(drawn=st.data())
async def test_generated_orders_are_those_of_python(drawn: st.DataObject, world: World) -> None:
    ordered = [name for name in ASKED if f"{name}Order" in the_graph().schema.type_map]
    name = drawn.draw(st.sampled_from(ordered))
    order = [step(drawn.draw, world[1], name) for _ in range(drawn.draw(st.integers(1, 3)))]
    await ends(world, name, order)


@pytest.mark.parametrize("name", ASKED)
async def test_every_kind_has_an_order_of_its_own(name: str, world: World) -> None:
    database, oracle = world
    data = await data_of(database, f"{{ {KINDS[name].root}(first: 100) {{ nodes {{ id }} }} }}")
    ids = [oracle.id(name, key) for key in oracle.sorted(name, oracle.listed(name))]
    assert [node["id"] for node in data[KINDS[name].root]["nodes"]] == ids[:100]


@pytest.mark.parametrize(
    "order",
    [
        [{"openedYear": "ASC"}],
        [{"openedYear": "DESC"}],
        [{"parent": {"county": {"name": "DESC"}}}, {"campNumber": "ASC"}],
        [{"visitingStatus": {"lastUpdated": "DESC"}}],
        [{"visitingStatus": {"status": "ASC"}}, {"children": {"count": "DESC"}}],
        [{"population": {"inCustody": "DESC"}}],
        [{"parent": {"children": {"count": "DESC"}}}],
        [{"programs": {"count": "DESC"}}, {"code": "DESC"}],
        [{"name": "ASC"}, {"name": "DESC"}],
        [{"id": "DESC"}, {"name": "ASC"}],
    ],
    ids=str,
)
async def test_unknown_is_largest_and_the_last_direction_decides_between_equals(
    order: Sequence[Step], world: World
) -> None:
    await ends(world, "Institution", order)
