"""What may be said of an order, and what may not; `test_order_laws.py` says what comes of it."""

from __future__ import annotations

import pytest

from db.database import Database
from tests.roads import ask, codes_of, data_of


async def test_an_order_may_be_one_step_none_or_null(database: Database) -> None:
    text = """{
      one: institutions(orderBy: {name: ASC}) { nodes { code } }
      none: institutions(orderBy: []) { nodes { code } }
      null: institutions(orderBy: null) { nodes { code } }
      missing: institutions { nodes { code } }
    }"""
    found = await data_of(database, text)
    assert found["one"] == found["none"] == found["null"] == found["missing"]


@pytest.mark.parametrize(
    "order",
    ["{}", "{name: ASC, code: ASC}", "{name: null}", "{county: {}}", "{programs: {}}"],
)
async def test_a_step_is_exactly_one_field_with_a_direction(order: str, database: Database) -> None:
    text = f"{{ institutions(orderBy: [{order}]) {{ nodes {{ code }} }} }}"
    assert set(codes_of(await ask(database, text))) == {"GRAPHQL_VALIDATION_FAILED"}


async def test_large_tables_offer_only_orders_that_an_index_serves(database: Database) -> None:
    text = "{ providers(orderBy: [{services: {count: DESC}}]) { nodes { slug } } }"
    assert set(codes_of(await ask(database, text))) == {"GRAPHQL_VALIDATION_FAILED"}
