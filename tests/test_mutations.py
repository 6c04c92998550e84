"""What staff change: as a whole or not at all, never twice, and with a reason for every no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from db.connection import connected as connection_as
from db.database import Database
from db.errors import DatabaseFault
from db.roles import role_name
from resolvers.change import Changer
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest, resolve
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.roads import audiences

SOURCE = "00000000-0000-0000-0000-000000000001"
ANA = Changer("ana", "STAFF", "r-1", "ana", writes=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(migrated_url: str) -> AsyncIterator[str]:
    async with scratch(migrated_url) as made:
        async with connected(made) as connection:
            await connection.execute(
                f"""
                insert into sources (id, key, name) values ('{SOURCE}', 'TEST', 'A test');
                insert into counties (fips, name, source_id) select
                    '06' || lpad((2 * n - 1)::text, 3, '0'), 'C' || n, '{SOURCE}'
                    from generate_series(1, 8) n;
                insert into categories (code, vocabulary, label_en, source_id)
                    select code, 'DIRECTORY', initcap(code), '{SOURCE}'
                    from unnest(array['HOUSING', 'FOOD', 'JOBS']) code;
                """
            )
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def staff(url: str) -> AsyncIterator[Database]:
    """The directory as Postgres lets those change it who keep it."""
    opened = await Database.open(url, role=role_name("STAFF"))
    yield opened
    await opened.close()


@cache
def seen_by(role: Role) -> Graph:
    return audiences().graph(role)


async def response(
    database: Database,
    text: str,
    variables: Mapping[str, object] | None = None,
    *,
    changer: Changer = ANA,
    computed: bool = False,
) -> dict[str, Any]:
    request = GraphQLRequest(text, None, variables or {}, changer=changer)
    answer = await resolve(seen_by(Role.STAFF), database, request, computed=computed)
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def payload(
    database: Database, name: str, fields: str, input_: Mapping[str, object], **more: Any
) -> dict[str, Any]:
    """The payload of one mutation."""
    title = name[0].upper() + name[1:]
    text = f"mutation ($input: {title}Input!) {{ made: {name}(input: $input) {{ {fields} }} }}"
    answered = await response(database, text, {"input": input_}, **more)
    assert "errors" not in answered, answered["errors"]
    made: dict[str, Any] = answered["data"]["made"]
    return made


ERRORS = "userErrors { path code message }"
PROVIDER = f"provider {{ id slug name website version }} {ERRORS}"


async def provider(database: Database, slug: str, **fields: object) -> dict[str, Any]:
    made = await payload(
        database, "createProvider", PROVIDER, {"slug": slug, "name": slug.title(), **fields}
    )
    assert made["userErrors"] == []
    found: dict[str, Any] = made["provider"]
    return found


async def count(url: str, query: str, *arguments: object) -> Any:
    async with connected(url) as connection:
        return await connection.fetchval(query, *arguments)


async def test_a_record_is_created_with_what_belongs_to_it(url: str, staff: Database) -> None:
    before = staff.statements
    made = await payload(
        staff,
        "createProvider",
        "provider { slug version county { name } phones { number kind spoken: purpose } "
        "services { nodes { name languages categories { nodes { code } } "
        "requiredDocuments { document note } } } "
        "provenance { source { key } } history { nodes { operation actor role request why } } } "
        + ERRORS,
        {
            "slug": "haven-house",
            "name": "Haven House",
            "county": "County:06001",
            "phones": [{"number": "+15595550100", "kind": "VOICE"}],
            "services": [
                {
                    "name": "Beds",
                    "languages": ["es"],
                    "categories": ["Category:HOUSING"],
                    "requiredDocuments": [
                        {"document": "PHOTO_ID", "note": "or a birth certificate"}
                    ],
                }
            ],
            "why": "They called us",
        },
    )
    assert made["userErrors"] == []
    found = made["provider"]
    assert found["version"] == 1
    assert found["county"] == {"name": "C1"}
    assert [each["number"] for each in found["phones"]] == ["+15595550100"]
    (service,) = found["services"]["nodes"]
    assert service["categories"]["nodes"] == [{"code": "HOUSING"}]
    assert service["requiredDocuments"][0]["note"] == "or a birth certificate"
    assert found["provenance"]["source"]["key"] == "staff"
    assert found["history"]["nodes"] == [
        {
            "operation": "INSERT",
            "actor": "ana",
            "role": "STAFF",
            "request": "r-1",
            "why": "They called us",
        }
    ]
    # The settings, why, what is written, and what is read back.
    assert staff.statements - before == 4


async def test_what_is_not_given_stays_and_null_clears(staff: Database) -> None:
    made = await provider(staff, "stays", website="https://stays.example", languages=["es"])
    changed = await payload(
        staff, "updateProvider", PROVIDER, {"id": made["id"], "name": "Stays Longer"}
    )
    assert changed["provider"]["website"] == "https://stays.example"
    assert changed["provider"]["name"] == "Stays Longer"
    assert changed["provider"]["version"] == 2
    cleared = await payload(staff, "updateProvider", PROVIDER, {"id": made["id"], "website": None})
    assert cleared["provider"]["website"] is None
    refused = await payload(staff, "updateProvider", PROVIDER, {"id": made["id"], "name": None})
    assert refused["userErrors"] == [
        {"path": ["name"], "code": "REQUIRED", "message": "This cannot be null."}
    ]
    assert refused["provider"] is None


async def test_what_belongs_to_a_record_is_changed_with_it(staff: Database) -> None:
    made = await payload(
        staff,
        "createProvider",
        "provider { id phones { id number } services { nodes { id } } } userErrors { message }",
        {
            "slug": "switchboard",
            "name": "Switchboard",
            "phones": [
                {"number": "+15595550101", "kind": "VOICE"},
                {"number": "+15595550102", "kind": "VOICE"},
            ],
            "services": [{"name": "Calls", "categories": ["Category:JOBS", "Category:FOOD"]}],
        },
    )
    found = made["provider"]
    first, second = found["phones"]
    (service,) = found["services"]["nodes"]
    changed = await payload(
        staff,
        "updateProvider",
        "provider { version phones { number } "
        "services { nodes { categories { nodes { code } } } } } " + ERRORS,
        {
            "id": found["id"],
            "phones": {
                "create": [{"number": "+15595550103", "kind": "FAX"}],
                "update": [{"id": first["id"], "number": "+15595550109"}],
                "archive": [{"id": second["id"]}],
            },
            "services": {
                "update": [
                    {
                        "id": service["id"],
                        "categories": {"add": ["Category:HOUSING"], "remove": ["Category:FOOD"]},
                    }
                ]
            },
        },
    )
    assert changed["userErrors"] == []
    numbers = {each["number"] for each in changed["provider"]["phones"]}
    assert numbers == {"+15595550109", "+15595550103"}
    (service,) = changed["provider"]["services"]["nodes"]
    assert [each["code"] for each in service["categories"]["nodes"]] == ["HOUSING", "JOBS"]
    # What belongs to a record has versions of its own.
    assert changed["provider"]["version"] == 1


async def test_what_belongs_to_another_is_not_changed(url: str, staff: Database) -> None:
    """A phone is reached through the provider that has it, and through no other."""
    one, other = await provider(staff, "owner"), await provider(staff, "stranger")
    phones = {"create": [{"number": "+15595550110", "kind": "VOICE"}]}
    made = await payload(
        staff, "updateProvider", "provider { phones { id } }", {"id": one["id"], "phones": phones}
    )
    (phone,) = made["provider"]["phones"]
    for word, row in (
        ("update", {"id": phone["id"], "number": "+15595550199"}),
        ("archive", {"id": phone["id"]}),
    ):
        refused = await payload(
            staff,
            "updateProvider",
            PROVIDER,
            {"id": other["id"], "name": "Taken", "phones": {word: [row]}},
        )
        assert [(each["path"], each["code"]) for each in refused["userErrors"]] == [
            (["phones", word, "0", "ifVersion"], "CONFLICT")
        ]
    assert await count(url, "select name from providers where slug = 'stranger'") == "Stranger"
    assert await count(url, "select count(*) from phones where number = '+15595550110'") == 1


@pytest.mark.parametrize(
    ("input_", "path", "code"),
    [
        ({"slug": "twice"}, ["slug"], "TAKEN"),
        ({"slug": "Not A Slug"}, ["slug"], "NOT_ALLOWED"),
        ({"name": ""}, ["name"], "NOT_ALLOWED"),
        ({"website": "gopher://example"}, ["website"], "NOT_ALLOWED"),
        ({"county": "County:06999"}, ["county"], "NOT_FOUND"),
        ({"county": "Institution:06001"}, ["county"], "BAD_ID"),
        ({"location": "Location:no-uuid"}, ["location"], "BAD_ID"),
        ({"name": "NUL \0"}, ["name"], "BAD_USER_INPUT"),
        ({"name": "half \ud800"}, ["name"], "BAD_USER_INPUT"),
        ({"name": "x" * 20_001}, ["name"], "TOO_LONG"),
        ({"languages": ["es"] * 201}, ["languages"], "TOO_LONG"),
        (
            {
                "phones": [
                    {"number": "+15595550104", "kind": "VOICE"},
                    {"number": "?", "kind": "FAX"},
                ]
            },
            ["phones"],
            "NOT_ALLOWED",
        ),
        (
            {"services": [{"name": "Beds", "categories": ["Category:NOTHING"]}]},
            ["services", "0", "categories", "0"],
            "NOT_FOUND",
        ),
        ({"provenance": {"source": None}}, ["provenance", "source"], "REQUIRED"),
        ({"provenance": {"sourceDate": "2026-01-01"}}, ["provenance", "sourceDate"], "NOT_ALLOWED"),
    ],
)
async def test_bad_input_is_told_by_its_place_and_changes_nothing(
    url: str, staff: Database, input_: Mapping[str, object], path: list[str], code: str
) -> None:
    if not await count(url, "select count(*) from providers where slug = 'twice'"):
        await provider(staff, "twice")
    before = await count(url, "select count(*) from changes")
    made = await payload(
        staff, "createProvider", PROVIDER, {"slug": "bad-input", "name": "Bad", **input_}
    )
    assert [(each["path"], each["code"]) for each in made["userErrors"]] == [(path, code)]
    assert made["provider"] is None
    assert await count(url, "select count(*) from changes") == before


async def test_a_rule_that_is_broken_says_what_it_asks_for(staff: Database) -> None:
    made = await payload(
        staff,
        "createProvider",
        PROVIDER,
        {"slug": "ruled", "name": "R", "phones": [{"number": "555-0100", "kind": "VOICE"}]},
    )
    assert made["userErrors"] == [
        {
            "path": ["phones", "0", "number"],
            "code": "NOT_ALLOWED",
            "message": "It is written as +15595550100, without spaces.",
        }
    ]


async def test_an_old_version_is_a_conflict_that_shows_what_differs(staff: Database) -> None:
    made = await provider(staff, "contested", website="https://one.example")
    change = {"id": made["id"], "ifVersion": 1}
    first = await payload(
        staff, "updateProvider", PROVIDER, {**change, "website": "https://two.example"}
    )
    assert first["userErrors"] == []
    second = await payload(
        staff,
        "updateProvider",
        "provider { id } conflict { current { website version } "
        "differences { field old new } } " + ERRORS,
        {**change, "website": "https://three.example"},
    )
    assert second["provider"] is None
    assert [(each["path"], each["code"]) for each in second["userErrors"]] == [
        (["ifVersion"], "CONFLICT")
    ]
    conflict = second["conflict"]
    assert conflict["current"] == {"website": "https://two.example", "version": 2}
    told = {each["field"]: (each["old"], each["new"]) for each in conflict["differences"]}
    assert told["website"] == ("https://one.example", "https://two.example")
    assert set(told) == {"website"}


async def test_a_dry_run_tells_all_and_changes_nothing(url: str, staff: Database) -> None:
    before = await count(url, "select count(*) from changes")
    made = await payload(
        staff,
        "createProvider",
        "provider { slug version phones { number } } " + ERRORS,
        {
            "slug": "dry",
            "name": "Dry",
            "phones": [{"number": "+15595550105", "kind": "VOICE"}],
            "dryRun": True,
            "idempotencyKey": "dry",
        },
    )
    assert made["provider"] == {
        "slug": "dry",
        "version": 1,
        "phones": [{"number": "+15595550105"}],
    }
    taken = await payload(
        staff, "createProvider", PROVIDER, {"slug": "Dry!", "name": "Dry", "dryRun": True}
    )
    assert [each["code"] for each in taken["userErrors"]] == ["NOT_ALLOWED"]
    assert await count(url, "select count(*) from changes") == before
    assert await count(url, "select count(*) from idempotency_keys where key = 'dry'") == 0


async def test_an_operation_is_done_as_a_whole_or_not_at_all(url: str, staff: Database) -> None:
    text = """mutation {
      first: createProvider(input: {slug: "whole", name: "Whole"}) { ...made }
      second: createProvider(input: {slug: "Not A Slug", name: "Bad"}) { ...made }
      third: createProvider(input: {slug: "never", name: "Never"}) { ...made }
    } fragment made on ProviderPayload { provider { slug } userErrors { path code message } }"""
    made = (await response(staff, text))["data"]
    assert [[each["code"] for each in made[name]["userErrors"]] for name in made] == [
        ["ROLLED_BACK"],
        ["NOT_ALLOWED"],
        ["ROLLED_BACK"],
    ]
    assert "`second`" in made["first"]["userErrors"][0]["message"]
    assert [made[name]["provider"] for name in made] == [None] * 3
    assert await count(url, "select count(*) from providers where slug in ('whole', 'never')") == 0


async def test_fields_are_done_one_after_the_other(staff: Database) -> None:
    """By the specification: what the first has done, the second finds."""
    made = await provider(staff, "serial")
    text = """mutation ($id: ID!) {
      one: updateProvider(input: {id: $id, ifVersion: 1, name: "Two"}) { ...made }
      two: updateProvider(input: {id: $id, ifVersion: 2, name: "Three"}) { ...made }
    } fragment made on ProviderPayload { provider { name version } userErrors { message } }"""
    done = (await response(staff, text, {"id": made["id"]}))["data"]
    assert done["one"]["provider"] == {"name": "Two", "version": 2}
    assert done["two"]["provider"] == {"name": "Three", "version": 3}


async def test_each_field_has_a_reason_of_its_own(url: str, staff: Database) -> None:
    """What one says is not said of those after it."""
    text = """mutation {
      one: createProvider(input: {slug: "reason-1", name: "One", why: "They called"}) { ...made }
      two: createProvider(input: {slug: "reason-2", name: "Two"}) { ...made }
      three: createProvider(input: {slug: "reason-3", name: "Three", why: "By mail"}) { ...made }
    } fragment made on ProviderPayload { provider { history { nodes { why } } } }"""
    done = (await response(staff, text))["data"]
    whys = [each["provider"]["history"]["nodes"][0]["why"] for each in done.values()]
    assert whys == ["They called", None, "By mail"]


async def test_many_rows_have_an_outcome_each(url: str, staff: Database) -> None:
    rows = [
        {"slug": "row-one", "name": "One"},
        {"slug": "Row Two", "name": "Two"},
        {"slug": "row-three", "name": "Three", "website": "https://three.example"},
        {"slug": "row-one", "name": "One again"},
    ]
    fields = f"results {{ {PROVIDER} }}"
    made = await payload(staff, "createProviders", fields, {"rows": rows})
    results = made["results"]
    assert [each["provider"] and each["provider"]["slug"] for each in results] == [
        "row-one",
        None,
        "row-three",
        None,
    ]
    assert [[e["path"] for e in each["userErrors"]] for each in results] == [
        [],
        [["rows", "1", "slug"]],
        [],
        [["rows", "3", "slug"]],
    ]
    strict = await payload(
        staff,
        "createProviders",
        fields,
        {"rows": [{"slug": "strict", "name": "Strict"}, rows[1]], "allOrNothing": True},
    )
    assert [[e["code"] for e in each["userErrors"]] for each in strict["results"]] == [
        ["ROLLED_BACK"],
        ["NOT_ALLOWED"],
    ]
    assert await count(url, "select count(*) from providers where slug = 'strict'") == 0


async def test_a_hundred_rows_are_one_statement(staff: Database) -> None:
    rows = [{"slug": f"many-{n}", "name": f"Many {n}"} for n in range(100)]
    before = staff.statements
    fields = "results { provider { id slug } userErrors { message } }"
    made = await payload(staff, "createProviders", fields, {"rows": rows})
    assert [each["provider"]["slug"] for each in made["results"]] == [row["slug"] for row in rows]
    assert staff.statements - before == 3
    ids = [each["provider"]["id"] for each in made["results"]]
    changes = [{"id": id_, "name": f"New {n}"} for n, id_ in enumerate(ids)]
    changed = await payload(
        staff, "updateProviders", "results { provider { name } }", {"rows": changes}
    )
    assert [each["provider"]["name"] for each in changed["results"]] == [
        f"New {n}" for n in range(100)
    ]
    twice = await payload(
        staff, "updateProviders", f"results {{ {ERRORS} }}", {"rows": [changes[0], changes[0]]}
    )
    assert [[e["code"] for e in each["userErrors"]] for each in twice["results"]] == [
        [],
        ["REPEATED"],
    ]
    for rows_ in ([], rows + rows):
        refused = await payload(
            staff, "createProviders", f"results {{ {ERRORS} }}", {"rows": rows_}
        )
        assert refused["results"][0]["userErrors"][0]["path"] == ["rows"]


async def test_what_is_archived_is_gone_with_all_that_belongs_to_it(
    url: str, staff: Database
) -> None:
    made = await payload(
        staff,
        "createProvider",
        "provider { id version } userErrors { message }",
        {
            "slug": "leaving",
            "name": "Leaving",
            "phones": [{"number": "+15595550106", "kind": "VOICE"}],
            "services": [
                {
                    "name": "Beds",
                    "categories": ["Category:HOUSING"],
                    "phones": [{"number": "+15595550107", "kind": "VOICE"}],
                    "costOptions": [{"option": "FREE"}],
                }
            ],
            "verifications": [
                {"method": "PHONE", "outcome": "CONFIRMED", "verifiedAt": "2026-07-01T12:00:00Z"}
            ],
        },
    )
    id_ = made["provider"]["id"]
    stale = await payload(
        staff, "archiveProvider", PROVIDER, {"id": id_, "ifVersion": 7, "why": "It closed"}
    )
    assert [each["code"] for each in stale["userErrors"]] == ["CONFLICT"]
    gone = await payload(
        staff, "archiveProvider", PROVIDER, {"id": id_, "ifVersion": 1, "why": "It closed"}
    )
    assert gone == {"provider": None, "userErrors": []}
    lines = await count(
        url,
        "select array_agg(entity order by entity) from changes "
        "where operation = 'DELETE' and why = 'It closed' and actor = 'ana'",
    )
    assert {"cost_options", "phones", "providers", "services", "verifications"} <= set(lines)
    again = await payload(staff, "archiveProvider", PROVIDER, {"id": id_, "why": "Again"})
    assert [(each["path"], each["code"]) for each in again["userErrors"]] == [(["id"], "NOT_FOUND")]


async def test_what_was_archived_is_listed_and_comes_back(url: str, staff: Database) -> None:
    made = await payload(
        staff,
        "createProvider",
        "provider { id }",
        {
            "slug": "returning",
            "name": "Returning",
            "phones": [{"number": "+15595550120", "kind": "VOICE"}],
            "services": [{"name": "Meals", "costOptions": [{"option": "FREE"}]}],
        },
    )
    id_ = made["provider"]["id"]
    await payload(staff, "updateProvider", PROVIDER, {"id": id_, "name": "Renamed"})
    await payload(staff, "archiveProvider", PROVIDER, {"id": id_, "why": "By mistake"})
    listed = await response(
        staff,
        "query ($id: String!) { archivedRecords(filter: {recordId: {eq: $id}}) "
        "{ nodes { recordType recordId version called archivedBy why } } }",
        {"id": id_},
    )
    assert listed["data"]["archivedRecords"]["nodes"] == [
        {
            "recordType": "Provider",
            "recordId": id_,
            "version": 2,
            "called": "Renamed",
            "archivedBy": "ana",
            "why": "By mistake",
        }
    ]
    fields = (
        "provider { name version phones { number } "
        "services { nodes { name costOptions { option } } } } " + ERRORS
    )
    wrong = await payload(staff, "restoreProvider", fields, {"id": id_, "version": 9})
    assert [(each["path"], each["code"]) for each in wrong["userErrors"]] == [
        (["version"], "NOT_ALLOWED")
    ]
    back = await payload(staff, "restoreProvider", fields, {"id": id_, "version": 2})
    assert back == {
        "provider": {
            "name": "Renamed",
            "version": 3,
            "phones": [{"number": "+15595550120"}],
            "services": {"nodes": [{"name": "Meals", "costOptions": [{"option": "FREE"}]}]},
        },
        "userErrors": [],
    }
    earlier = await payload(staff, "restoreProvider", fields, {"id": id_, "version": 1})
    assert earlier["provider"]["name"] == "Returning"
    assert earlier["provider"]["version"] == 4
    stale = await payload(
        staff, "restoreProvider", fields, {"id": id_, "version": 2, "ifVersion": 3}
    )
    assert [each["code"] for each in stale["userErrors"]] == ["CONFLICT"]
    assert await count(url, "select count(*) from archived_records where record_id = $1", id_) == 0


async def test_history_tells_the_versions_that_can_be_restored(staff: Database) -> None:
    made = await provider(staff, "versions")
    for name in ("Second", "Third"):
        await payload(staff, "updateProvider", PROVIDER, {"id": made["id"], "name": name})
    found = await response(
        staff,
        'query { provider(slug: "versions") { history { nodes { version operation } } } }',
    )
    assert found["data"]["provider"]["history"]["nodes"] == [
        {"version": 3, "operation": "UPDATE"},
        {"version": 2, "operation": "UPDATE"},
        {"version": 1, "operation": "INSERT"},
    ]


async def test_what_others_refer_to_is_not_archived(staff: Database) -> None:
    refused = await payload(
        staff,
        "archiveSource",
        f"source {{ key }} {ERRORS}",
        {"id": f"Source:{SOURCE}", "why": "A mistake"},
    )
    (error,) = refused["userErrors"]
    assert error["code"] == "IN_USE"
    assert error["message"].startswith("Others still refer to this: ")


async def test_keys_and_proposals_do_not_keep_an_organization(url: str, staff: Database) -> None:
    made = await provider(staff, "spoken-for")
    key = made["id"].partition(":")[2]
    async with connected(url) as connection:
        await connection.execute(
            "insert into api_keys (name, role, provider_id, hash, ending)"
            " values ('them', 'PARTNER', $1::text::uuid, sha256('spoken'), 'oken')",
            key,
        )
        await connection.execute(
            "insert into proposals (origin, record_type, record_key, steps, provider_id, proposer)"
            " values ('PARTNER', 'Provider', $1::text, '{}', $1::text::uuid, 'them')",
            key,
        )
    gone = await payload(staff, "archiveProvider", PROVIDER, {"id": made["id"], "why": "Closed"})
    assert gone["userErrors"] == []
    assert await count(url, "select provider_id from api_keys where name = 'them'") is None
    assert await count(url, "select record_key from proposals where proposer = 'them'") == key


async def test_a_key_is_answered_as_it_was_the_first_time(url: str, staff: Database) -> None:
    asked = {"slug": "once", "name": "Once", "idempotencyKey": "key-1"}
    first = await payload(staff, "createProvider", PROVIDER, asked)
    await payload(
        staff, "updateProvider", PROVIDER, {"id": first["provider"]["id"], "name": "Changed"}
    )
    assert await payload(staff, "createProvider", PROVIDER, asked) == first
    other = await payload(staff, "createProvider", PROVIDER, {**asked, "name": "Other"})
    assert [(each["path"], each["code"]) for each in other["userErrors"]] == [
        (["idempotencyKey"], "KEY_REUSED")
    ]
    # Keys are everybody's own.
    bo = Changer("bo", "STAFF", "r-2", "bo", writes=True)
    theirs = await payload(staff, "createProvider", PROVIDER, asked, changer=bo)
    assert [each["code"] for each in theirs["userErrors"]] == ["TAKEN"]
    for key in ("", "x" * 201, "line\nbreak", "ñ"):
        refused = await payload(staff, "createProvider", PROVIDER, {**asked, "idempotencyKey": key})
        assert [each["path"] for each in refused["userErrors"]] == [["idempotencyKey"]]
    assert await count(url, "select count(*) from providers where slug = 'once'") == 1


async def test_what_was_refused_may_be_sent_again_with_its_key(staff: Database) -> None:
    asked = {"slug": "Not A Slug", "name": "Again", "idempotencyKey": "key-2"}
    refused = await payload(staff, "createProvider", PROVIDER, asked)
    assert refused["userErrors"]
    mended = await payload(staff, "createProvider", PROVIDER, {**asked, "slug": "mended"})
    assert mended["userErrors"] == []


async def test_a_key_counts_while_the_first_is_under_way(url: str, staff: Database) -> None:
    asked = {"slug": "raced", "name": "Raced", "idempotencyKey": "key-3"}
    made = await asyncio.gather(
        *(payload(staff, "createProvider", PROVIDER, asked) for _ in range(8))
    )
    assert all(each == made[0] for each in made)
    assert made[0]["userErrors"] == []
    assert (
        await count(
            url,
            "select count(*) from changes where key = $1",
            made[0]["provider"]["id"].partition(":")[2],
        )
        == 1
    )


async def test_of_many_who_change_one_version_one_succeeds(staff: Database) -> None:
    made = await provider(staff, "crowded")
    done = await asyncio.gather(
        *(
            payload(
                staff,
                "updateProvider",
                PROVIDER,
                {"id": made["id"], "ifVersion": 1, "name": f"Name {n}"},
            )
            for n in range(12)
        )
    )
    won = [each for each in done if not each["userErrors"]]
    assert len(won) == 1
    assert won[0]["provider"]["version"] == 2
    codes = {each["userErrors"][0]["code"] for each in done if each["userErrors"]}
    assert codes == {"CONFLICT"}


async def test_deadlocks_are_begun_again(staff: Database) -> None:
    """Two operations that lock the same two records the other way round both come to an end."""
    one, two = await provider(staff, "lock-one"), await provider(staff, "lock-two")
    text = """mutation ($a: ID!, $b: ID!, $name: String!) {
      a: updateProvider(input: {id: $a, name: $name}) { userErrors { message } }
      b: updateProvider(input: {id: $b, name: $name}) { userErrors { message } }
    }"""
    answers = await asyncio.gather(
        *(
            response(
                staff,
                text,
                {
                    "a": (one, two)[n % 2]["id"],
                    "b": (two, one)[n % 2]["id"],
                    "name": f"Name {n}",
                },
            )
            for n in range(4)
        )
    )
    told = [answer.get("errors", [{}])[0].get("extensions", {}).get("code") for answer in answers]
    assert set(told) <= {None, "DATABASE_BUSY"}
    assert told.count(None) >= 2
    for name in ("lock-one", "lock-two"):
        query = "query ($slug: String!) { provider(slug: $slug) { name } }"
        found = await response(staff, query, {"slug": name})
        assert found["data"]["provider"]["name"].startswith("Name ")


async def test_both_roads_answer_alike(staff: Database) -> None:
    asked = {"slug": "roads", "name": "Roads", "dryRun": True}
    first = await payload(staff, "createProvider", "provider { slug version } " + ERRORS, asked)
    second = await payload(
        staff,
        "createProvider",
        "provider { slug version } " + ERRORS,
        asked,
        computed=True,
    )
    assert first == second
    named = await response(
        staff,
        'mutation { __typename createProvider(input: {slug: "t", name: "T", dryRun: true}) '
        "{ __typename userErrors { __typename } } }",
    )
    assert named["data"] == {
        "__typename": "Mutation",
        "createProvider": {"__typename": "ProviderPayload", "userErrors": []},
    }


async def test_who_has_no_scope_to_write_changes_nothing(url: str, staff: Database) -> None:
    text = 'mutation { createProvider(input: {slug: "no", name: "No"}) { userErrors { code } } }'
    reader = Changer("bo", "STAFF", "r", "bo", writes=False)
    answered = await response(staff, text, changer=reader)
    assert [each["extensions"]["code"] for each in answered["errors"]] == ["FORBIDDEN"]
    for role in (Role.PUBLIC, Role.PARTNER):
        answer = await resolve(seen_by(role), staff, GraphQLRequest(text, changer=ANA))
        assert b"GRAPHQL_VALIDATION_FAILED" in answer.body
    assert await count(url, "select count(*) from providers where slug = 'no'") == 0


def as_role(url: str, role: Role) -> AbstractAsyncContextManager[asyncpg.Connection]:
    return connection_as(url, role_name(role.value))


async def test_postgres_itself_lets_nobody_else_write(url: str) -> None:
    """Below the schema: the roles of the public and of partners are granted nothing of the kind."""
    for role in (Role.PUBLIC, Role.PARTNER):
        async with as_role(url, role) as connection:
            for statement in (
                "insert into providers (id, slug, name) values (gen_random_uuid(), 'x', 'X')",
                "update providers set name = 'X'",
                "delete from phones",
                "select restore_record('providers', 'a', 1)",
                "select own_source()" if role is Role.PUBLIC else "delete from idempotency_keys",
                "select * from idempotency_keys",
                "insert into changes (entity, key, operation) values ('a', 'b', 'INSERT')",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
    async with as_role(url, Role.STAFF) as connection:
        for statement in (
            "insert into changes (entity, key, operation) values ('a', 'b', 'INSERT')",
            "update changes set actor = 'bo'",
            "delete from changes",
            "truncate providers",
            "update providers set version = 1",
            "update services set documents = '{}'",
            "insert into api_keys (name, role, hash, ending) values ('x', 'ADMIN', '', 'abcd')",
            "update counties set name = 'X'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_what_only_reads_cannot_write(staff: Database) -> None:
    """Statements of queries run where nothing can be changed, whoever asks."""
    with pytest.raises(DatabaseFault) as failure:
        await staff.fetch("with n as (delete from phones returning 1) select to_json(1)", ())
    assert failure.value.sqlstate == "25006"
