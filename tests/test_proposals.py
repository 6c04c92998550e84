"""What partners propose about themselves, and what staff make of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from db.connection import connected as connection_as
from db.database import Database
from db.roles import role_name
from resolvers.change import Changer
from resolvers.resolve import GraphQLRequest, resolve
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.roads import audiences, codes_of

SOURCE = "00000000-0000-0000-0000-000000000001"
OURS = "00000000-0000-0000-0000-0000000000a1"
THEIRS = "00000000-0000-0000-0000-0000000000b1"
SERVICE = "00000000-0000-0000-0000-0000000000a2"
PHONE = "00000000-0000-0000-0000-0000000000b3"

PARTNER = Changer("haven", "PARTNER", "r-1", "key-1", writes=True, speaks_for=OURS)
RIVAL = Changer("rival", "PARTNER", "r-2", "key-2", writes=True, speaks_for=THEIRS)
STAFF = Changer("ana", "STAFF", "r-3", "key-3", writes=True)

_AUDIENCES = audiences()


@dataclass
class Directory:
    """A directory with two organizations, as each role finds it."""

    url: str
    partner: Database
    staff: Database

    async def ask(self, who: Changer, text: str, **variables: object) -> dict[str, Any]:
        role = Role(who.role)
        database = self.staff if role is Role.STAFF else self.partner
        request = GraphQLRequest(text, None, variables, changer=who)
        answer = await resolve(_AUDIENCES.graph(role), database, request)
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def made(self, who: Changer, name: str, input_: Mapping[str, object]) -> dict[str, Any]:
        title = name[0].upper() + name[1:]
        text = f"""mutation ($input: {title}Input!) {{
          made: {name}(input: $input) {{
            proposal {{ id status differences {{ path deed recordId field old new changedSince }}
                       decidedBy decision provider {{ name }} }}
            userErrors {{ path code message }}
          }}
        }}"""
        answered = await self.ask(who, text, input=input_)
        assert "errors" not in answered, answered["errors"]
        payload: dict[str, Any] = answered["data"]["made"]
        return payload

    async def value(self, query: str, *arguments: object) -> Any:
        async with connected(self.url) as connection:
            return await connection.fetchval(query, *arguments)


@pytest_asyncio.fixture(loop_scope="session")
async def directory(migrated_url: str) -> AsyncIterator[Directory]:
    async with scratch(migrated_url) as url:
        async with connected(url) as connection:
            await connection.execute(
                f"""
                insert into sources (id, key, name) values ('{SOURCE}', 'TEST', 'A test');
                insert into counties (fips, name, source_id) values ('06019', 'Fresno', '{SOURCE}');
                insert into categories (code, vocabulary, label_en, source_id)
                    select code, 'DIRECTORY', code, '{SOURCE}'
                    from unnest(array['HOUSING', 'FOOD']) code;
                insert into providers (id, slug, name, website, source_id) values
                    ('{OURS}', 'haven', 'Haven', 'https://haven.example', '{SOURCE}'),
                    ('{THEIRS}', 'rival', 'Rival', null, '{SOURCE}');
                insert into services (id, provider_id, name, source_id)
                    values ('{SERVICE}', '{OURS}', 'Beds', '{SOURCE}');
                insert into service_categories values ('{SERVICE}', 'FOOD');
                insert into phones (id, provider_id, number, kind, source_id)
                    values ('{PHONE}', '{THEIRS}', '+15595550111', 'VOICE', '{SOURCE}');
                """
            )
        partner = await Database.open(url, role=role_name("PARTNER"))
        staff = await Database.open(url, role=role_name("STAFF"))
        yield Directory(url, partner, staff)
        await partner.close()
        await staff.close()


CHANGES: dict[str, Any] = {
    "id": f"Provider:{OURS}",
    "name": "Haven House",
    "website": "https://haven.example",
    "county": "County:06019",
    "phones": {"create": [{"number": "+15595550112", "kind": "VOICE"}]},
    "services": {
        "update": [
            {
                "id": f"Service:{SERVICE}",
                "name": "Beds tonight",
                "categories": {"add": ["Category:HOUSING"], "remove": ["Category:FOOD"]},
            }
        ]
    },
    "why": "We moved",
}


async def test_a_partner_proposes_and_staff_see_what_would_differ(directory: Directory) -> None:
    made = await directory.made(PARTNER, "proposeProvider", CHANGES)
    assert made["userErrors"] == []
    proposal = made["proposal"]
    assert proposal["status"] == "PENDING"
    differences = {each["path"]: each for each in proposal["differences"]}
    assert differences["name"]["old"] == "Haven"
    assert differences["name"]["new"] == "Haven House"
    assert differences["name"]["recordId"] == f"Provider:{OURS}"
    assert "website" not in differences, "it says so already"
    assert differences["county"]["new"] == "County:06019"
    assert differences["services.update.0.name"]["old"] == "Beds"
    tied = differences["services.update.0.categories.add.0"]
    assert (tied["deed"], tied["new"]) == ("ADD", "Category:HOUSING")
    assert {
        each["deed"] for each in proposal["differences"] if each["path"] == "phones.create.0"
    } == {"CREATE"}
    # Nothing was changed.
    assert await directory.value(f"select name from providers where id = '{OURS}'") == "Haven"
    queue = await directory.ask(
        STAFF,
        "{ proposals(filter: {status: {eq: PENDING}}) { nodes { id proposer why recordId } } }",
    )
    assert queue["data"]["proposals"]["nodes"] == [
        {
            "id": proposal["id"],
            "proposer": "haven",
            "why": "We moved",
            "recordId": f"Provider:{OURS}",
        }
    ]


async def test_staff_accept_all_of_it(directory: Directory) -> None:
    made = await directory.made(PARTNER, "proposeProvider", CHANGES)
    done = await directory.made(STAFF, "acceptProposal", {"id": made["proposal"]["id"]})
    assert done["userErrors"] == []
    assert done["proposal"]["status"] == "ACCEPTED"
    assert done["proposal"]["decidedBy"] == "ana"
    assert done["proposal"]["differences"] == [
        each for each in done["proposal"]["differences"] if each["deed"] != "UPDATE"
    ]
    found = await directory.ask(
        STAFF,
        '{ provider(slug: "haven") { name county { name } phones { number } services { nodes '
        "{ name categories { nodes { code } } } } history { nodes { actor operation } } } }",
    )
    provider = found["data"]["provider"]
    assert provider["name"] == "Haven House"
    assert provider["county"] == {"name": "Fresno"}
    assert provider["phones"] == [{"number": "+15595550112"}]
    (service,) = provider["services"]["nodes"]
    assert service == {"name": "Beds tonight", "categories": {"nodes": [{"code": "HOUSING"}]}}
    assert provider["history"]["nodes"][0] == {"actor": "ana", "operation": "UPDATE"}
    again = await directory.made(STAFF, "acceptProposal", {"id": made["proposal"]["id"]})
    assert [(each["path"], each["code"]) for each in again["userErrors"]] == [
        (["id"], "NOT_ALLOWED")
    ]


async def test_staff_accept_a_part_of_it(directory: Directory) -> None:
    made = await directory.made(PARTNER, "proposeProvider", CHANGES)
    id_ = made["proposal"]["id"]
    nowhere = await directory.made(STAFF, "acceptProposal", {"id": id_, "only": ["slug"]})
    assert [each["code"] for each in nowhere["userErrors"]] == ["NOT_FOUND"]
    only = ["name", "services.update.0.categories.add"]
    dry = await directory.made(STAFF, "acceptProposal", {"id": id_, "only": only, "dryRun": True})
    assert dry["proposal"]["status"] == "PARTLY_ACCEPTED"
    assert await directory.value(f"select name from providers where id = '{OURS}'") == "Haven"
    done = await directory.made(
        STAFF, "acceptProposal", {"id": id_, "only": only, "why": "The rest is not so"}
    )
    assert done["userErrors"] == []
    assert (done["proposal"]["status"], done["proposal"]["decision"]) == (
        "PARTLY_ACCEPTED",
        "The rest is not so",
    )
    assert await directory.value(f"select name from providers where id = '{OURS}'") == "Haven House"
    assert await directory.value("select count(*) from phones") == 1
    codes = await directory.value(
        "select array_agg(category_code order by 1) from service_categories"
    )
    assert codes == ["FOOD", "HOUSING"]


async def test_what_cannot_be_done_is_told_when_it_is_accepted(directory: Directory) -> None:
    made = await directory.made(
        PARTNER, "proposeProvider", {"id": f"Provider:{OURS}", "slug": "rival"}
    )
    assert made["userErrors"] == []
    refused = await directory.made(STAFF, "acceptProposal", {"id": made["proposal"]["id"]})
    assert [(each["path"], each["code"]) for each in refused["userErrors"]] == [(["slug"], "TAKEN")]
    assert await directory.value("select status from proposals") == "PENDING"


async def test_staff_reject_with_a_reason_and_partners_take_back(directory: Directory) -> None:
    first = await directory.made(PARTNER, "proposeProvider", CHANGES)
    second = await directory.made(PARTNER, "proposeProvider", CHANGES)
    done = await directory.made(
        STAFF, "rejectProposal", {"id": first["proposal"]["id"], "decision": "Not yours to say"}
    )
    assert (done["proposal"]["status"], done["proposal"]["decision"]) == (
        "REJECTED",
        "Not yours to say",
    )
    taken = await directory.made(PARTNER, "withdrawProposal", {"id": second["proposal"]["id"]})
    assert taken["proposal"]["status"] == "WITHDRAWN"
    seen = await directory.ask(PARTNER, "{ proposals { nodes { status decision } } }")
    assert [each["status"] for each in seen["data"]["proposals"]["nodes"]] == [
        "REJECTED",
        "WITHDRAWN",
    ]


async def test_a_partner_proposes_about_nobody_else(directory: Directory) -> None:
    for id_ in (f"Provider:{THEIRS}", "Provider:00000000-0000-0000-0000-00000000dead"):
        made = await directory.made(PARTNER, "proposeProvider", {"id": id_, "name": "Mine"})
        assert [(each["path"], each["code"]) for each in made["userErrors"]] == [
            (["id"], "NOT_ALLOWED")
        ]
    nobody = Changer("x", "PARTNER", "r", "key-9", writes=True)
    made = await directory.made(
        nobody, "proposeProvider", {"id": f"Provider:{OURS}", "name": "Mine"}
    )
    assert [each["code"] for each in made["userErrors"]] == ["NOT_ALLOWED"]
    # What belongs to others is reached through one's own as little, and nothing is told of it.
    stolen = {
        "id": f"Provider:{OURS}",
        "phones": {"update": [{"id": f"Phone:{PHONE}", "number": "+15595550113"}]},
    }
    made = await directory.made(PARTNER, "proposeProvider", stolen)
    assert [each["old"] for each in made["proposal"]["differences"]] == [None]
    refused = await directory.made(STAFF, "acceptProposal", {"id": made["proposal"]["id"]})
    assert refused["userErrors"][0]["path"] == ["phones", "update", "0", "id"] or refused[
        "userErrors"
    ][0]["path"] == ["phones", "update", "0", "ifVersion"]
    assert await directory.value("select number from phones") == "+15595550111"


async def test_a_partner_sees_its_own_proposals_and_no_other(directory: Directory) -> None:
    """However they are asked for: Postgres shows the others to nobody of another organization."""
    made = await directory.made(PARTNER, "proposeProvider", CHANGES)
    id_ = made["proposal"]["id"]
    ways = """query ($id: ID!) {
      node(id: $id) { id }
      nodes(ids: [$id]) { id }
      proposals { totalCount nodes { id } aggregate { count } }
      some: proposals(filter: {id: {eq: $id}}) { totalCount }
    }"""
    own = (await directory.ask(PARTNER, ways, id=id_))["data"]
    assert (own["node"], own["proposals"]["totalCount"]) == ({"id": id_}, 1)
    other = (await directory.ask(RIVAL, ways, id=id_))["data"]
    assert other == {
        "node": None,
        "nodes": [None],
        "proposals": {"totalCount": 0, "nodes": [], "aggregate": {"count": 0}},
        "some": {"totalCount": 0},
    }
    refused = await directory.made(RIVAL, "withdrawProposal", {"id": id_})
    assert [each["code"] for each in refused["userErrors"]] == ["NOT_ALLOWED"]
    assert refused["proposal"] is None
    for name in ("acceptProposal", "rejectProposal"):
        answered = await directory.ask(
            PARTNER, f'mutation {{ {name}(input: {{id: "{id_}"}}) {{ userErrors {{ code }} }} }}'
        )
        assert codes_of(answered) == ["GRAPHQL_VALIDATION_FAILED"]
    public = GraphQLRequest("{ proposals { totalCount } }")
    answer = await resolve(_AUDIENCES.graph(Role.PUBLIC), directory.partner, public)
    assert b"GRAPHQL_VALIDATION_FAILED" in answer.body


async def test_postgres_itself_keeps_proposals_apart(directory: Directory) -> None:
    await directory.made(PARTNER, "proposeProvider", CHANGES)
    async with connection_as(directory.url, role_name("PARTNER")) as connection:
        assert await connection.fetchval("select count(*) from own_proposals") == 0
        for statement in (
            "select * from proposals",
            "insert into proposals default values",
            "update own_proposals set status = 'ACCEPTED'",
            "select decide_proposal(gen_random_uuid(), 'ACCEPTED', null)",
            "select proposed_steps(gen_random_uuid())",
            "select reject_proposal(gen_random_uuid(), null)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_what_was_changed_since_is_told(directory: Directory) -> None:
    made = await directory.made(PARTNER, "proposeProvider", {**CHANGES, "ifVersion": 1})
    changed = await directory.ask(
        STAFF,
        'mutation ($id: ID!) { updateProvider(input: {id: $id, name: "Heaven"}) '
        "{ userErrors { message } } }",
        id=f"Provider:{OURS}",
    )
    assert changed["data"]["updateProvider"]["userErrors"] == []
    seen = await directory.ask(
        STAFF, "{ proposals { nodes { differences { path old changedSince } } } }"
    )
    differences = seen["data"]["proposals"]["nodes"][0]["differences"]
    told = {each["path"]: each for each in differences}
    assert told["name"] == {"path": "name", "old": "Heaven", "changedSince": True}
    assert told["county"]["changedSince"] is False
    stale = await directory.made(
        STAFF, "acceptProposal", {"id": made["proposal"]["id"], "ifVersion": 1}
    )
    assert [each["code"] for each in stale["userErrors"]] == ["CONFLICT"]


async def test_nothing_is_proposed_that_says_nothing(directory: Directory) -> None:
    made = await directory.made(PARTNER, "proposeProvider", {"id": f"Provider:{OURS}"})
    assert [each["code"] for each in made["userErrors"]] == ["REQUIRED"]


async def test_a_key_counts_for_partners_too(directory: Directory) -> None:
    asked = {**CHANGES, "idempotencyKey": "p-1"}
    first = await directory.made(PARTNER, "proposeProvider", asked)
    assert await directory.made(PARTNER, "proposeProvider", asked) == first
    assert await directory.value("select count(*) from proposals") == 1


async def test_a_feed_proposes_where_people_know_better(directory: Directory) -> None:
    """Once for as long as it waits, and not again what was rejected."""

    async def feed(name: str) -> None:
        async with connected(directory.url) as connection:
            await connection.execute(
                "select propose_from_feed('services', $1, $2::jsonb, 'feed.json')",
                SERVICE,
                json.dumps({"name": name, "languages": ["es"]}),
            )

    queue = (
        "{ proposals { nodes { id status origin proposer recordId differences { path new } } } }"
    )

    async def waiting() -> list[dict[str, Any]]:
        nodes = (await directory.ask(STAFF, queue))["data"]["proposals"]["nodes"]
        return [each for each in nodes if each["status"] == "PENDING"]

    await feed("Beds for men")
    await feed("Beds for women")
    (proposal,) = await waiting()
    assert (proposal["origin"], proposal["proposer"]) == ("FEED", "feed.json")
    assert proposal["recordId"] == f"Service:{SERVICE}"
    assert {each["path"]: each["new"] for each in proposal["differences"]} == {
        "name": "Beds for women",
        "languages": ["es"],
    }
    assert (await directory.ask(PARTNER, queue))["data"]["proposals"]["nodes"] == []
    rejected = await directory.made(
        STAFF, "rejectProposal", {"id": proposal["id"], "decision": "We called them"}
    )
    assert rejected["userErrors"] == []
    await feed("Beds for women")
    assert await waiting() == []
    await feed("Beds")
    (proposal,) = await waiting()
    done = await directory.made(
        STAFF, "acceptProposal", {"id": proposal["id"], "only": ["languages"]}
    )
    assert done["userErrors"] == []
    assert await directory.value("select languages from services") == ["es"]
    assert await directory.value("select name from services") == "Beds"
