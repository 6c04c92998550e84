"""A subgraph's server needs to read its own tables, and is granted nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from graphql import (
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from db.database import Database
from db.grants import grants
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest
from schema.federation import subgraph
from schema.homes import EVERYWHERE, owners_of
from schema.reach import reach_of
from schema.subgraphs import SUBGRAPHS
from tests.db.scratch import scratch, stopped
from tests.roads import both_roads, codes_of, the_graph


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=list(SUBGRAPHS))
async def restricted(
    request: pytest.FixtureRequest, loaded_url: str
) -> AsyncIterator[tuple[str, Graph, Database]]:
    """A subgraph, and its database as a role that has what `grants` prints and nothing else."""
    name = request.param
    served = subgraph(the_graph(), [name])
    reach = reach_of(served, [name])
    role = f"role_{uuid4().hex[:8]}"
    async with scratch(loaded_url) as url:
        line = await asyncpg.connect(url)
        await line.execute(f"create role {role} login password 'secret'")
        for statement in await grants(url, role, reach):
            await line.execute(statement)
        as_role = re.sub(r"//[^@/]*@", f"//{role}:secret@", url)
        assert as_role != url
        database = await Database.open(stopped(as_role))
        yield name, served, database
        await database.close()
        await line.execute(f"drop owned by {role}; drop role {role}")
        await line.close()


Restricted = tuple[str, Graph, Database]


async def ask(served: Graph, database: Database, text: str, **variables: Any) -> dict[str, Any]:
    answer = await both_roads(database, GraphQLRequest(text, None, variables), served)
    response: dict[str, Any] = json.loads(answer.body)
    return response


def everything(served: Graph, name: str) -> list[str]:
    """Each field of a type that needs no argument, with what is below it."""
    type_ = served.schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    found = []
    for field_name, field in type_.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        target = get_named_type(field.type)
        if is_leaf_type(target):
            found.append(field_name)
        elif target.name.endswith("Connection"):
            found.append(f"{field_name}(first: 3) {{ totalCount nodes {{ __typename }} }}")
        elif "id" in getattr(target, "fields", ()):
            found.append(f"{field_name} {{ id }}")
        else:
            found.append(f"{field_name} {{ {' '.join(everything(served, target.name))} }}")
    return found


async def test_its_role_can_answer_every_field(restricted: Restricted, database: Database) -> None:
    _, served, own = restricted
    asked = 0
    for entity in served.entities.values():
        key = entity.table.key.name
        rows = await database.fetch(
            f"select to_json(array(select '{entity.name}:' || {key} from {entity.table.name}"
            f" order by {key} limit 5))",
            (),
        )
        named = [{"__typename": entity.name, "id": id_} for id_ in json.loads(rows)]
        fields = everything(served, entity.name)
        asked += len(fields)
        for start in range(0, len(fields), 25):
            inner = " ".join(fields[start : start + 25])
            text = f"""query($named: [_Any!]!) {{
                _entities(representations: $named) {{ ... on {entity.name} {{ {inner} }} }} }}"""
            found = await ask(served, own, text, named=named)
            assert "errors" not in found, (entity.name, inner, found["errors"])
            assert None not in found["data"]["_entities"]
    assert asked > 100


async def test_its_role_can_answer_every_root_field(restricted: Restricted) -> None:
    name, served, database = restricted
    fields = [field for field in everything(served, "Query") if not field.startswith("_")]
    for field in fields:
        found = await ask(served, database, f"{{ {field} }}")
        assert "errors" not in found, (name, field, found["errors"])
    if name == "institutions":
        text = """{ nodes(ids: ["County:06037", "Program:7c6ad1b5-8d3e-5f0a-9a37-2f0f6f0c1b11"]) {
            id __typename
        } }"""
        found = await ask(served, database, text)
        assert found["data"]["nodes"] == [{"id": "County:06037", "__typename": "County"}, None]
    if name == "providers":
        text = """{ search(text: "housing fresno") { totalCount facets { types { count } } edges {
            titleHtml snippetHtml node { __typename ... on Provider { name } ... on Program { id } }
        } } suggest(text: "hous") { text } }"""
        found = await ask(served, database, text)
        assert "errors" not in found, found["errors"]
        assert found["data"]["search"]["totalCount"] > 0


async def test_its_role_can_read_nothing_else(restricted: Restricted, database: Database) -> None:
    name, served, own = restricted
    owners = owners_of(the_graph())
    others = {
        entity.table.name: entity
        for entity in the_graph().entities.values()
        if owners[entity.name] != EVERYWHERE and name not in owners[entity.name]
    }
    assert len(others) > 10
    reach = reach_of(served, [name])
    for table, entity in others.items():
        assert table not in reach.tables
        with pytest.raises(Exception, match="may not be read"):
            await own.fetch(f"select to_json(array(select t::text from {table} t))", ())
        # Of some it may know a key and what it leads to, or is listed by.
        assert len(reach.columns.get(table, ())) <= 3, (table, entity)


# A question of each subgraph whose filter looks where another one is at home.
BEYOND = {
    "institutions": 'institutions(filter: {visitorCenters: {some: {name: {contains: "x"}}}})',
    "visiting": 'visitorCenters(filter: {operator: {name: {contains: "x"}}})',
    "programs": 'programs(filter: {operator: {name: {contains: "x"}}})',
    "providers": 'providers(filter: {programs: {some: {name: {contains: "x"}}}})',
}


async def test_a_filter_that_looks_further_is_told_so(restricted: Restricted) -> None:
    name, served, database = restricted
    assert codes_of(await ask(served, database, f"{{ {BEYOND[name]} {{ totalCount }} }}")) == [
        "NOT_GRANTED"
    ]
