"""What was merged answers to its old names, and says under which new one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from db.change_log import Line
from db.database import Database
from db.roles import role_name
from resolvers.events import subscribe, tell
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest
from schema.federation import subgraph
from schema.roles import Role
from tests.db.scratch import connected
from tests.roads import audiences, both_roads, the_graph
from tests.town import PEOPLE, add, key, merge, phone, provider, town


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(migrated_url: str) -> AsyncIterator[str]:
    """A directory with one provider that was three, and one that is itself."""
    async with town(migrated_url) as made:
        async with connected(made) as staff:
            await staff.execute(PEOPLE)
            for name in ("Kept", "Gone", "Before", "Other"):
                await provider(staff, name)
                await phone(staff, name, "+15105550001")
            for name in ("one", "two"):
                await add(staff, "services", name, provider_id=key("Gone"), name=name)
            await merge(staff, "Gone", "Before")
            await merge(staff, "Kept", "Gone")
            await staff.fetchval("select merge_services($1, $2)", key("one"), key("two"))
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def public(url: str) -> AsyncIterator[Database]:
    """The directory as the public reads it."""
    opened = await Database.open(url, role=role_name(Role.PUBLIC.value))
    yield opened
    await opened.close()


async def ask(
    database: Database,
    text: str,
    variables: Mapping[str, object] | None = None,
    graph: Graph | None = None,
) -> dict[str, Any]:
    """The data of an answer in one statement, alike on either road."""
    asked = GraphQLRequest(text, None, variables)
    answer = await both_roads(database, asked, graph or audiences().graph(Role.PUBLIC))
    response = json.loads(answer.body)
    assert "errors" not in response, response
    data: dict[str, Any] = response["data"]
    return data


def named(name: str, type_: str = "Provider") -> str:
    return f"{type_}:{key(name)}"


@pytest.mark.parametrize("name", ["Kept", "Gone", "Before"])
async def test_by_every_id_it_had_and_by_every_slug(public: Database, name: str) -> None:
    kept = {"id": named("Kept"), "name": "Kept", "phones": [{"number": "+15105550001"}]}
    fields = "{ id name phones { number } }"
    by_id = f"query($id: ID!) {{ node(id: $id) {{ ... on Provider {fields} }} }}"
    assert await ask(public, by_id, {"id": named(name)}) == {"node": kept}
    by_ids = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Provider {fields} }} }}"
    ids = [named("Other"), named(name), named("nobody"), named(name)]
    found = (await ask(public, by_ids, {"ids": ids}))["nodes"]
    assert [found[0]["name"], *found[1:]] == ["Other", kept, None, kept]
    by_slug = f"query($slug: String!) {{ provider(slug: $slug) {fields} }}"
    assert await ask(public, by_slug, {"slug": name.lower()}) == {"provider": kept}


async def test_nobody_is_meant_by_a_name_that_nobody_had(public: Database) -> None:
    text = f'''{{ node(id: "{named("nobody")}") {{ id }} provider(slug: "nobody") {{ id }} }}'''
    assert await ask(public, text) == {"node": None, "provider": None}
    # A slug is no id, and an id of another type is not one of this.
    text = f'''{{ provider(slug: "{key("Gone")}") {{ id }}
        node(id: "{named("Gone", "Service")}") {{ id }} }}'''
    assert await ask(public, text) == {"node": None, "provider": None}


async def test_services_too(public: Database) -> None:
    text = f'''{{ node(id: "{named("two", "Service")}") {{ id ... on Service {{ name }} }} }}'''
    assert await ask(public, text) == {"node": {"id": named("one", "Service"), "name": "one"}}


async def test_what_other_subgraphs_name_by_an_old_id(public: Database) -> None:
    text = """query($them: [_Any!]!) {
        _entities(representations: $them) { ... on Provider { id %s } }
    }"""
    ids = [named("Gone"), named("Kept"), named("Before"), named("Other")]
    them = {"them": [{"__typename": "Provider", "id": each} for each in ids]}
    found = await ask(public, text % "slug", them, subgraph(the_graph(), ["providers"]))
    assert [each["slug"] for each in found["_entities"]] == ["kept", "kept", "kept", "other"]
    slugs = {"them": [{"__typename": "Provider", "slug": each} for each in ("gone", "kept", "no")]}
    found = await ask(public, text % "slug", slugs, subgraph(the_graph(), ["providers"]))
    assert [each and each["slug"] for each in found["_entities"]] == ["kept", "kept", None]
    # Where providers are others' to tell, what is ours about them is that of the new one.
    fields = "visitorCenters { totalCount }"
    found = await ask(public, text % fields, them, subgraph(the_graph(), ["visiting"]))
    assert [each["id"] for each in found["_entities"]] == [
        named("Kept"),
        named("Kept"),
        named("Kept"),
        named("Other"),
    ]


async def test_whoever_keeps_a_copy_is_told_where_it_is_now(url: str, public: Database) -> None:
    page = """query($since: String) { changes(since: $since, types: [PROVIDER], first: 100) {
        upserts { id } tombstones { id mergedInto } hasMore cursor } }"""
    async with connected(url) as connection:
        first = await connection.fetchval("select xid || '.' || seq from changes order by xid, seq")
        now = await connection.fetchval("select pg_current_xact_id()::text")
    async with asyncio.timeout(20):
        while True:
            told = (await ask(public, page, {"since": first}))["changes"]
            if int(told["cursor"].partition(".")[0]) > int(now):
                break
            await asyncio.sleep(0.05)
    gone = {each["id"]: each["mergedInto"] for each in told["tombstones"]}
    assert gone == {named("Gone"): named("Kept"), named("Before"): named("Kept")}
    assert {each["id"] for each in told["upserts"]} == {named("Kept"), named("Other")}


async def test_whoever_follows_is_told_where_it_is_now(public: Database) -> None:
    text = """subscription { entityChanged(types: [PROVIDER, COUNTY]) {
        operation id mergedInto node { id } } }"""
    graph = audiences().graph(Role.PUBLIC)
    asked = subscribe(graph, GraphQLRequest(text))
    lines = [
        Line((1, n), "providers", str(key(name)), "DELETE", "2026-07-03T09:00:00Z")
        for n, name in enumerate(("Gone", "nobody", "Kept"))
    ]
    lines.append(Line((1, 9), "counties", "06001", "UPDATE", "2026-07-03T09:00:00Z"))
    for computed in (False, True):
        events = await tell(graph, public, asked, lines, computed=computed)
        told = [json.loads(event.body)["data"]["entityChanged"] for event in events]
        assert [(each["mergedInto"], each["node"]) for each in told] == [
            (named("Kept"), None),
            (None, None),
            (None, {"id": named("Kept")}),
            (None, {"id": "County:06001"}),
        ]


async def test_pages_go_on_where_a_merge_takes_a_record_away(migrated_url: str) -> None:
    page = """query($after: String) { providers(first: 2, after: $after) {
        nodes { name services(first: 5) { nodes { name } } }
        pageInfo { endCursor hasNextPage } } }"""
    async with town(migrated_url) as url, connected(url) as staff:
        await staff.execute(PEOPLE)
        for name in "ABCDEF":
            await provider(staff, name)
            await add(staff, "services", f"of {name}", provider_id=key(name), name=f"of {name}")
        database = await Database.open(url)
        try:
            seen, after = await _next(database, page, None)
            # The one that the cursor is of, and one that is still to come.
            await merge(staff, "A", "B")
            await merge(staff, "E", "D")
            while after is not None:
                more, after = await _next(database, page, after)
                seen |= more
        finally:
            await database.close()
    assert seen == {
        "A": {"of A"},
        "B": {"of B"},
        "C": {"of C"},
        "E": {"of D", "of E"},
        "F": {"of F"},
    }


async def _next(
    database: Database, page: str, after: str | None
) -> tuple[dict[str, set[str]], str | None]:
    found = (await ask(database, page, {"after": after}, the_graph()))["providers"]
    seen = {
        node["name"]: {each["name"] for each in node["services"]["nodes"]}
        for node in found["nodes"]
    }
    info = found["pageInfo"]
    return seen, info["endCursor"] if info["hasNextPage"] else None


async def test_nothing_but_names_may_be_read_of_it(url: str) -> None:
    async with connected(url) as connection:
        await connection.execute("set role directory_public")
        assert await connection.fetchval("select count(value) from aliases") == 5
        for text in ("select reason from aliases", "delete from aliases"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(text)
