"""Subgraphs: each answers for what it owns, and finds what others name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLSchema, print_type

from db.database import Database
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest, Outcome
from schema.build import sdl
from schema.federation import subgraph
from schema.homes import homes_of, owners_of, subject_of
from schema.roles import Role
from schema.subgraphs import SUBGRAPHS
from tests.roads import audiences, both_roads, codes_of, the_graph


@cache
def part(*names: str) -> Graph:
    """The graph of these subgraphs as one."""
    return subgraph(the_graph(), names)


async def ask(
    database: Database, graph: Graph, text: str, variables: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """The whole response of a subgraph, agreed by both roads."""
    answer = await both_roads(database, GraphQLRequest(text, None, variables), graph)
    response: dict[str, Any] = json.loads(answer.body)
    return response


NAMED = """
    query($representations: [_Any!]!) {
        _entities(representations: $representations) {
            __typename
            ... on Institution { code name }
            ... on County { fips name }
            ... on PopulationCount { id }
        }
    }
"""


async def ids(database: Database) -> dict[str, str]:
    """The ids of some institutions by their codes."""
    text = "{ institutions(first: 100) { nodes { id code } } }"
    found = await ask(database, the_graph(), text)
    return {node["code"]: node["id"] for node in found["data"]["institutions"]["nodes"]}


async def test_a_mixed_batch_is_answered_in_the_order_it_is_named_by_one_statement(
    database: Database,
) -> None:
    known = await ids(database)
    named = [
        {"__typename": "County", "fips": "06037"},
        {"__typename": "Institution", "id": known["SQ"]},
        {"__typename": "Institution", "code": "CIM"},
        {"__typename": "County", "id": "County:06019"},
        {"__typename": "Institution", "code": "SQ"},
        {"__typename": "Institution", "id": known["SQ"]},
        {"__typename": "Node", "id": known["CIM"]},
        {"__typename": "Institution", "id": "Institution:00000000-0000-0000-0000-000000000000"},
        {"__typename": "Institution", "code": "NOWHERE"},
    ]
    before = database.statements
    found = await ask(database, part("institutions"), NAMED, {"representations": named})
    assert database.statements - before == 2  # one on each road
    assert "errors" not in found
    names = [
        entity and entity.get("code", entity.get("fips")) for entity in found["data"]["_entities"]
    ]
    assert names == ["06037", "SQ", "CIM", "06019", "SQ", "SQ", "CIM", None, None]


async def test_a_name_that_makes_no_sense_spoils_its_own_place_only(database: Database) -> None:
    known = await ids(database)
    wrong: list[object] = [
        {"__typename": "Nobody", "id": "x"},
        {"__typename": "Institution"},
        {"__typename": "Institution", "id": known["SQ"].replace("Institution", "County")},
        {"__typename": "Institution", "id": "Institution:not-a-uuid"},
        {"__typename": "Institution", "code": 7},
        {"__typename": "Institution", "code": "S\0Q"},
        {"__typename": "Node", "id": "Nobody:1"},
        {"__typename": "Node"},
        {"id": known["SQ"]},
        {"__typename": None},
        {"__typename": "Institution", "name": "San Quentin"},
        "Institution",
        7,
        [],
    ]
    right = {"__typename": "Institution", "code": "SQ"}
    named = [right, *(one for each in wrong for one in (each, right))]
    found = await ask(database, part("institutions"), NAMED, {"representations": named})
    entities = found["data"]["_entities"]
    assert [entity and entity["code"] for entity in entities] == ["SQ", *[None, "SQ"] * len(wrong)]
    assert codes_of(found) == ["BAD_REPRESENTATION"] * len(wrong)
    paths = [error["path"] for error in found["errors"]]
    assert paths == [["_entities", 2 * place + 1] for place in range(len(wrong))]


async def test_null_is_no_name(database: Database) -> None:
    for bad in ([None], None, {"__typename": ["Institution"]}):
        answer = await both_roads(
            database, GraphQLRequest(NAMED, None, {"representations": bad}), part("institutions")
        )
        response = json.loads(answer.body)
        if isinstance(bad, dict):
            # A single item is a list of one, by the specification.
            assert codes_of(response) == ["BAD_REPRESENTATION"]
        else:
            assert answer.outcome is Outcome.REFUSED
            assert codes_of(response) == ["BAD_VARIABLES"]


async def test_names_may_stand_in_the_document(database: Database) -> None:
    text = """{ _entities(representations: [
        {__typename: "Institution", code: "SQ"}, {__typename: "County", fips: "06037"}
    ]) { ... on Institution { name } ... on County { name } } }"""
    found = await ask(database, part("institutions"), text)
    assert [entity["name"] for entity in found["data"]["_entities"]] == [
        "San Quentin Rehabilitation Center",
        "Los Angeles",
    ]


async def test_a_batch_is_bounded(database: Database) -> None:
    limit = the_graph().limits.representations
    one = {"__typename": "County", "fips": "06037"}
    found = await ask(database, part("institutions"), NAMED, {"representations": [one] * limit})
    assert len(found["data"]["_entities"]) == limit
    before = database.statements
    text = NAMED
    found = await ask(
        database, part("institutions"), text, {"representations": [one] * (limit + 1)}
    )
    assert codes_of(found) == ["BAD_USER_INPUT"]
    assert database.statements == before


async def test_an_entity_of_another_subgraph_is_its_key_and_what_is_said_of_it_here(
    database: Database,
) -> None:
    known = await ids(database)
    text = """query($named: [_Any!]!) { _entities(representations: $named) { ... on Institution {
        id visitingNow visitorCenters(first: 1) { nodes { name institution { id } } }
    } } }"""
    named = [{"__typename": "Institution", "id": known["SQ"]}]
    found = await ask(database, part("visiting"), text, {"named": named})
    whole = """{ institution(code: "SQ") {
        id visitingNow visitorCenters(first: 1) { nodes { name institution { id } } }
    } }"""
    expected = await ask(database, the_graph(), whole)
    assert found["data"]["_entities"] == [expected["data"]["institution"]]


async def test_a_foreign_entity_is_named_by_its_id_only(database: Database) -> None:
    text = """query($named: [_Any!]!) { _entities(representations: $named) {
        ... on Institution { visitingNow } } }"""
    named = [{"__typename": "Institution", "code": "SQ"}]
    found = await ask(database, part("visiting"), text, {"named": named})
    assert found["data"]["_entities"] == [None]
    assert codes_of(found) == ["BAD_REPRESENTATION"]


async def test_a_node_of_another_subgraph_is_there_only_if_it_exists(database: Database) -> None:
    whole = await ask(database, the_graph(), "{ programs(first: 1) { nodes { id } } }")
    there = whole["data"]["programs"]["nodes"][0]["id"]
    missing = "Program:00000000-0000-0000-0000-000000000000"
    text = """query($there: ID!, $missing: ID!) {
        one: node(id: $there) { __typename id }
        none: node(id: $missing) { __typename id }
        both: nodes(ids: [$missing, $there]) { id }
    }"""
    variables = {"there": there, "missing": missing}
    found = await ask(database, part("institutions"), text, variables)
    assert found["data"] == {
        "one": {"__typename": "Program", "id": there},
        "none": None,
        "both": [None, {"id": there}],
    }


def test_others_ask_only_where_there_is_something_to_learn() -> None:
    keys = {name: sdl(part(name)) for name in SUBGRAPHS}
    county = 'type County implements Node & Sourced @key(fields: "id"'
    assert f"{county})" in keys["institutions"]  # which has their list
    assert f"{county})" in keys["providers"]  # which counts what is in them
    assert f"{county}, resolvable: false)" in keys["visiting"]
    assert 'type Program implements Node @key(fields: "id", resolvable: false)' in keys["visiting"]
    # One of them can tell anything by its id, and is asked for nodes.
    assert [name for name, text in keys.items() if "interface Node @key" in text] == [
        "institutions"
    ]
    assert [name for name, text in keys.items() if "  node(" in text] == ["institutions"]


async def test_rows_of_a_batch_count_like_all_others(database: Database) -> None:
    known = await ids(database)
    text = """query($named: [_Any!]!) { _entities(representations: $named) {
        ... on County { providers(first: 100) { nodes { services(first: 100) { nodes { id } } } } }
    } }"""
    named = [{"__typename": "County", "fips": "06037"}] * 10
    before = database.statements
    found = await ask(database, part("providers"), text, {"named": named})
    assert codes_of(found) == ["TOO_MANY_ROWS"]
    assert database.statements == before
    assert known


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_a_subgraph_tells_its_schema(database: Database, name: str) -> None:
    found = await ask(database, part(name), "{ _service { sdl } }")
    assert found == {"data": {"_service": {"sdl": sdl(part(name))}}}
    renamed = await ask(database, part(name), "{ about: _service { text: sdl } }")
    assert renamed == {"data": {"about": {"text": sdl(part(name))}}}


# What is read in the change log, which is one for all, is told by the whole directory only.
WHOLE = {("Query", "changes")}
BELOW = {"history"}
LOGGED = {"ChangesPage", "Upsert", "Tombstone", "EntityType", "ChangeOperation"}
LOGGED |= {"HistoryEntryConnection", "HistoryEntryEdge", "HistoryEntry"}


def test_every_field_has_a_home() -> None:
    homes = homes_of(the_graph())
    schema = the_graph().schema
    for name in (*the_graph().entities, "Query", "Mutation"):
        type_: Any = schema.type_map[name]
        for field in type_.fields:
            assert homes[name, field] or (name, field) in WHOLE or field in BELOW, f"{name}.{field}"
            assert homes[name, field] <= set(SUBGRAPHS)


def test_a_record_is_changed_in_one_place_only() -> None:
    homes = homes_of(the_graph())
    owners = owners_of(the_graph())
    for name, change in the_graph().changes.items():
        (home,) = homes["Mutation", name]
        assert home in owners[subject_of(the_graph(), change)]
        for served in SUBGRAPHS:
            mutation = part(served).schema.mutation_type
            assert mutation is not None
            assert (name in mutation.fields) is (served == home)
            assert (name in part(served).changes) is (served == home)


def test_what_is_sent_to_several_subgraphs_is_the_same_to_all() -> None:
    """A composer would leave out what not all of them have."""
    printed: dict[str, str] = {}
    several = 0
    for served in SUBGRAPHS:
        for name, type_ in part(served).schema.type_map.items():
            if isinstance(type_, GraphQLInputObjectType):
                several += name in printed
                assert printed.setdefault(name, print_type(type_)) == print_type(type_)
    assert several > 100


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.PARTNER])
def test_nobody_is_shown_what_they_may_not_change(role: Role) -> None:
    whole = audiences().graph(role)
    shown = {"Mutation.proposeProvider", "Mutation.withdrawProposal"}
    for served in SUBGRAPHS:
        seen = subgraph(whole, [served])
        fields = {f"Mutation.{name}" for name in seen.changes}
        assert fields == (shown if (role, served) == (Role.PARTNER, "providers") else set())
        assert ("type Mutation" in sdl(seen)) is bool(fields)


def test_who_may_change_something_is_told_to_routers() -> None:
    told = sdl(part("providers"))
    staff = '@requiresScopes(scopes: [["staff", "write"], ["admin", "write"]]) @tag(name: "staff")'
    assert f"  ): ProposalPayload! {staff}" in told.partition("acceptProposal(")[2][:300]
    partner = (
        '@requiresScopes(scopes: [["partner", "write"], ["staff", "write"], ["admin", "write"]])'
        ' @tag(name: "partner")'
    )
    assert f"  ): ProposalPayload! {partner}" in told.partition("proposeProvider(")[2][:300]
    # It is not a promise of one transaction for all, which the whole alone can give.
    assert "An operation is one transaction" in sdl(the_graph())
    assert "An operation is one transaction" not in told


def test_all_subgraphs_together_are_the_whole() -> None:
    together = part(*SUBGRAPHS).schema
    # What is told as it happens is told by the whole directory only.
    whole = the_graph().schema
    asked = GraphQLSchema(whole.query_type, whole.mutation_type)
    for name, type_ in asked.type_map.items():
        if name == "Query" or name in LOGGED:
            continue
        seen: Any = together.type_map[name]
        fields = set(getattr(type_, "fields", ())) - BELOW
        assert set(getattr(seen, "fields", ())) == fields, name


def test_a_name_that_no_subgraph_has_is_told() -> None:
    for names in ([], ["visiting", "nope"]):
        with pytest.raises(ValueError, match="The subgraphs are institutions, visiting"):
            subgraph(the_graph(), names)
    with pytest.raises(ValueError, match=r"2\.3 to 2\.12"):
        subgraph(the_graph(), ["visiting"], "3.0")
