"""A subgraph's server reads and writes its own tables, and is granted nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

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
from resolvers.change import Changer
from resolvers.graph import Deed, Graph, Slot, Slots, Writes, Written
from resolvers.resolve import GraphQLRequest, resolve
from schema.federation import subgraph
from schema.homes import EVERYWHERE, owners_of
from schema.reach import reach_of
from schema.subgraphs import SUBGRAPHS
from tests.db.scratch import connected, scratch, stopped
from tests.roads import both_roads, codes_of, the_graph


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=list(SUBGRAPHS))
async def place(request: pytest.FixtureRequest, loaded_url: str) -> AsyncIterator[tuple[str, str]]:
    """A subgraph, and a database of its own, as its owner sees it."""
    async with scratch(loaded_url) as url:
        yield request.param, url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def restricted(place: tuple[str, str]) -> AsyncIterator[tuple[str, Graph, Database]]:
    """A subgraph, and its database as a role that has what `grants` prints and nothing else."""
    name, url = place
    served = subgraph(the_graph(), [name])
    reach = reach_of(served, [name])
    role = f"role_{uuid4().hex[:8]}"
    async with connected(url) as line:
        await line.execute(f"create role {role} login password 'secret'")
        for statement in await grants(url, role, reach):
            await line.execute(statement)
        as_role = re.sub(r"//[^@/]*@", f"//{role}:secret@", url)
        assert as_role != url
        database = await Database.open(stopped(as_role))
        yield name, served, database
        await database.close()
        await line.execute(f"drop owned by {role}; drop role {role}")


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
    # What records said is one log for all; who said it and why, it does not read there.
    assert reach.columns["changes"] == {"xid", "seq", "entity", "key", "old"}
    with pytest.raises(Exception, match="may not be read"):
        await own.fetch("select to_json(array(select actor from changes))", ())


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


KEEPER = Changer("ana", "ADMIN", "r", "ana", writes=True)


async def change(served: Graph, database: Database, text: str, **variables: Any) -> dict[str, Any]:
    """The data of a mutation that no role and no schema refuses."""
    speaks_for = str(variables.get("provider", "")).removeprefix("Provider:")
    changer = replace(KEEPER, speaks_for=speaks_for)
    request = GraphQLRequest(text, None, variables, changer=changer)
    answer = await resolve(served, database, request)
    response: dict[str, Any] = json.loads(answer.body)
    assert "errors" not in response, (text, variables, response["errors"])
    data: dict[str, Any] = response["data"]
    return data


def as_sent(written: Written, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row, as the input of its kind takes it."""
    found: dict[str, Any] = {}
    for name, slot in written.fields.items():
        if isinstance(slot, Slots):
            inner = {field: _value(each, row) for field, each in slot.slots.items()}
            found[name] = {field: value for field, value in inner.items() if value is not None}
        elif isinstance(slot, Slot):
            value = _value(slot, row)
            if value is not None:
                found[name] = value
    return found


def _value(slot: Slot, row: Mapping[str, Any]) -> Any:
    value = row[slot.column.name]
    if value is None or slot.scalar.name != "ID":
        return value
    type_name = getattr(slot.scalar.read, "type_name", "")
    if isinstance(value, list):
        return [f"{type_name}:{each}" for each in value]
    return f"{type_name}:{value}"


async def test_its_role_can_change_all_that_is_changed_here(restricted: Restricted) -> None:
    """A record of each kind is changed, taken out, brought back, and added again as it was."""
    _, served, own = restricted
    done = set()
    for kind, written in sorted(served.written.items()):
        if f"update{kind}" not in served.changes:
            continue
        table, key = written.table.name, written.table.key.name
        rows = f"select to_json(array(select to_json(t) from {table} t order by {key} limit 1))"
        for row in json.loads(await own.fetch(rows, ())):
            await _changed(served, own, written, row)
            done.add(kind)
    kinds = {
        each.written
        for each in served.changes.values()
        if isinstance(each, Writes) and each.deed is Deed.UPDATE
    }
    # Of these the directory has none as it is loaded; they are among the stories below.
    assert kinds - done <= {"LanguageNote", "RequiredDocument", "ServiceCapacity"}


async def _changed(served: Graph, own: Database, written: Written, row: Mapping[str, Any]) -> None:
    kind, id_ = written.entity, f"{written.entity}:{row[written.table.key.name]}"
    field = f"{kind[0].lower()}{kind[1:]}"

    async def one(verb: str, input_: Mapping[str, Any], fields: str = "") -> Any:
        text = f"""mutation ($input: {verb.title()}{kind}Input!) {{
            made: {verb}{kind}(input: $input) {{ {fields} userErrors {{ code message path }} }}
        }}"""
        return (await change(served, own, text, input=input_))["made"]

    now, version = f"{field} {{ id version }}", row["version"]
    seen = await one("update", {"id": id_, "ifVersion": version, "why": "It was checked"}, now)
    assert seen == {field: {"id": id_, "version": version}, "userErrors": []}
    fields = "conflict { current { id } differences { field old new } }"
    late = await one("update", {"id": id_, "ifVersion": version + 1}, fields)
    assert late["conflict"] == {"current": {"id": id_}, "differences": []}
    assert [each["code"] for each in late["userErrors"]] == ["CONFLICT"]
    gone = await one("archive", {"id": id_, "why": "It is not there"})
    assert {each["code"] for each in gone["userErrors"]} <= {"IN_USE"}
    back = await one("restore", {"id": id_, "version": version}, now)
    assert back["userErrors"] == []
    assert back[field]["id"] == id_
    await one("archive", {"id": id_, "why": "It is not there"})
    given = {**as_sent(written, row), "idempotencyKey": f"again {kind}"}
    made = await one("create", given, now)
    taken = [each["code"] for each in made["userErrors"]]
    assert taken == [] or (gone["userErrors"] and taken == ["TAKEN"]), made
    assert await one("create", given, now) == made or taken, "answered as the first time"


TOLD = "userErrors { code message path }"
CHECKED = '{method: PHONE, outcome: CONFIRMED, verifiedAt: "2026-07-01T12:00:00Z"}'
PHONE = '{number: "+15595550199", kind: VOICE}'
# What is done in each subgraph beside that: what belongs to records, and the actions.
STORIES = {
    "institutions": f"""mutation ($institution: ID!) {{
        createInstitution(input: {{
            code: "NEW", name: "New", institutionType: STATE_PRISON, status: OPEN
            phones: [{PHONE}] verifications: [{CHECKED}]
            schedules: [{{freq: WEEKLY, byday: "SA", opensAt: "08:00", closesAt: "12:00"}}]
            scheduleExceptions: [{{startsOn: "2026-07-11", endsOn: "2026-07-11", closed: true}}]
            translations: [
                {{field: "name", language: ES, original: "New", text: "Nueva", method: HUMAN}}
            ]
        }}) {{ institution {{ code phones {{ number }} }} {TOLD} }}
        recordVerification(input: {{
            method: PHONE, outcome: CONFIRMED, institution: $institution
        }}) {{ verification {{ outcome institution {{ id }} }} {TOLD} }}
        closeInstitution(input: {{institution: $institution, closedOn: "2026-07-03"}}) {{
            institution {{ status }} {TOLD}
        }}
    }}""",
    "visiting": f"""mutation ($institution: ID!) {{
        createVisitorCenter(input: {{
            slug: "new", name: "New", institution: $institution
            amenities: ["VisitorAmenity:CHILD_CARE"] phones: [{PHONE}] verifications: [{CHECKED}]
        }}) {{ visitorCenter {{ id amenities {{ code }} }} {TOLD} }}
        publishVisitingStatus(input: {{
            institution: $institution, visitType: IN_PERSON, status: CLOSED
        }}) {{ visitingStatus {{ status institution {{ id }} }} {TOLD} }}
    }}""",
    "programs": f"""mutation ($institution: ID!) {{
        createProgram(input: {{
            slug: "new", name: "New", categories: ["Category:HOUSING"] verifications: [{CHECKED}]
            offerings: [{{institution: $institution, evidence: LISTED}}]
        }}) {{ program {{ categories {{ nodes {{ code }} }} offerings {{ totalCount }} }} {TOLD} }}
    }}""",
    "providers": f"""mutation ($location: ID!, $pair: ID!, $provider: ID!) {{
        createProvider(input: {{
            slug: "new", name: "New", phones: [{PHONE}] verifications: [{CHECKED}]
            services: [{{
                name: "Beds", categories: ["Category:HOUSING"]
                languageNotes: [{{language: "es", note: "On Mondays"}}]
                requiredDocuments: [{{document: PHOTO_ID}}] serviceAreas: [{{description: "Here"}}]
                atLocations: [{{location: $location, capacities: [
                    {{unit: BED, lastAvailable: 2, countedAt: "2026-07-03T15:00:00Z"}}
                ]}}]
            }}]
        }}) {{ provider {{ services {{ nodes {{ requiredDocuments {{ document }} }} }} }} {TOLD} }}
        keepApart(input: {{candidate: $pair}}) {{ duplicateCandidate {{ id }} {TOLD} }}
        proposeProvider(input: {{id: $provider, name: "Other"}}) {{
            proposal {{ id status differences {{ path }} }} {TOLD}
        }}
    }}""",
}


async def test_its_role_can_do_what_is_done_here(
    restricted: Restricted, database: Database
) -> None:
    name, served, own = restricted
    one = "select to_json((select max({}) from {}))"
    keys = {
        "location": ("Location", one.format("id::text", "locations")),
        "institution": ("Institution", one.format("id::text", "institutions")),
        "provider": ("Provider", one.format("id::text", "providers")),
        "pair": ("DuplicateCandidate", one.format("id::text", "duplicate_candidates")),
    }
    known = {
        word: f"{type_}:{json.loads(await database.fetch(text, ()))}"
        for word, (type_, text) in keys.items()
        if f"${word}:" in STORIES[name]
    }
    done = await change(served, own, STORIES[name], **known)
    assert {json.dumps(each["userErrors"]) for each in done.values()} == {"[]"}
    if name == "providers":
        id_ = done["proposeProvider"]["proposal"]["id"]
        accepted = await change(served, own, ACCEPT, id=id_)
        assert accepted["acceptProposal"]["proposal"]["status"] == "ACCEPTED"


ACCEPT = f"""mutation ($id: ID!) {{
    acceptProposal(input: {{id: $id}}) {{ proposal {{ status decidedBy }} {TOLD} }}
}}"""
SAYS = """
    select propose_from_feed(entity, key, said, 'F') from (values
        ('programs', (select max(id::text) from programs), jsonb '{"name": "x"}'),
        ('locations', (select max(id::text) from locations), jsonb '{"city": "x"}')
    ) feed (entity, key, said);
"""


async def test_what_a_feed_says_is_written_where_it_belongs(
    restricted: Restricted, place: tuple[str, str]
) -> None:
    """What is proposed of everybody's records is written here, and of others' by the whole."""
    name, served, own = restricted
    if name != "providers":
        assert "acceptProposal" not in served.changes
        return
    async with connected(place[1]) as line:
        await line.execute(SAYS)
        found = await line.fetch("select record_type, id from proposals where proposer = 'F'")
        proposed = {kind: f"Proposal:{id_}" for kind, id_ in found}
        accepted = await change(served, own, ACCEPT, id=proposed["Location"])
        assert accepted["acceptProposal"]["userErrors"] == []
        request = GraphQLRequest(ACCEPT, None, {"id": proposed["Program"]}, changer=KEEPER)
        refused = json.loads((await resolve(served, own, request)).body)
        assert codes_of(refused) == ["NOT_GRANTED"]
        told = await line.fetch("select record_type, status from proposals where proposer = 'F'")
    assert dict(told) == {"Location": "ACCEPTED", "Program": "PENDING"}
