"""What a record said before, and who changed it: for those who keep the directory only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import pytest
import pytest_asyncio

from db.database import Database
from db.errors import NotGranted
from db.roles import role_name
from resolvers.graph import Graph, Past
from resolvers.resolve import GraphQLRequest
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.roads import audiences, both_roads, codes_of, the_graph

SUBJECT = "00000000-0000-0000-0000-000000000001"
OTHER = "00000000-0000-0000-0000-000000000002"
PLACE = f"Location:{SUBJECT}"

HISTORY = """query ($id: ID!, $first: Int, $after: String) {
  node(id: $id) {
    ... on Location { history(first: $first, after: $after) { ...lines } }
    ... on County { history(first: $first, after: $after) { ...lines } }
    ... on Institution { history(first: $first, after: $after) { ...lines } }
    ... on Category { history(first: $first, after: $after) { ...lines } }
    ... on DuplicateCandidate { history(first: $first, after: $after) { ...lines } }
  }
}
fragment lines on HistoryEntryConnection {
  totalCount
  pageInfo { hasNextPage endCursor }
  nodes { at operation actor role request differences { field language old new } }
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(migrated_url: str) -> AsyncIterator[str]:
    """A directory that everybody here changes."""
    async with scratch(migrated_url) as made:
        async with connected(made) as connection:
            await connection.execute(
                f"""
                insert into sources (id, key, name) values ('{SUBJECT}', 'TEST', 'A test');
                insert into counties (fips, name, source_id) select
                    '06' || lpad((2 * n - 1)::text, 3, '0'), 'C' || n, '{SUBJECT}'
                    from generate_series(1, 8) n;
                """
            )
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def staff(url: str) -> AsyncIterator[Database]:
    """The directory as Postgres shows it to those who keep it."""
    opened = await Database.open(url, role=role_name("STAFF"))
    yield opened
    await opened.close()


@cache
def seen_by(role: Role) -> Graph:
    return audiences().graph(role)


async def ask(
    database: Database, text: str, variables: Mapping[str, object], role: Role = Role.STAFF
) -> dict[str, Any]:
    graph = seen_by(role)
    answer = await both_roads(database, GraphQLRequest(text, None, variables), graph)
    response: dict[str, Any] = json.loads(answer.body)
    return response


async def history(database: Database, id_: str, **given: object) -> dict[str, Any]:
    response = await ask(database, HISTORY, {"id": id_, **given})
    assert "errors" not in response, response["errors"]
    found: dict[str, Any] = response["data"]["node"]["history"]
    return found


async def run(url: str, *statements: str) -> None:
    """Each statement in a transaction of its own."""
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)


def told(entry: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    """The differences of a line, by field and language."""
    return {
        each["field"] + (f" {each['language']}" if each["language"] else ""): (
            each["old"],
            each["new"],
        )
        for each in entry["differences"]
    }


async def test_each_line_says_who_did_it_and_which_fields_said_something_else(
    url: str, staff: Database
) -> None:
    async with connected(url) as connection, connection.transaction():
        for name, value in (("actor", "ana"), ("role", "STAFF"), ("request", "r-1")):
            await connection.execute("select set_config($1, $2, true)", f"directory.{name}", value)
        await connection.execute("update counties set name = 'Renamed' where fips = '06001'")
    await run(url, "update counties set name = 'Again' where fips = '06001'")
    found = await history(staff, "County:06001")
    assert found["totalCount"] == 3
    newest, renamed, added = found["nodes"]
    assert [each["operation"] for each in found["nodes"]] == ["UPDATE", "UPDATE", "INSERT"]
    assert told(newest) == {"name": ("Renamed", "Again")}
    assert told(renamed) == {"name": ("C1", "Renamed")}
    assert told(added) == {}
    assert (renamed["actor"], renamed["role"], renamed["request"]) == ("ana", "STAFF", "r-1")
    assert (newest["actor"], newest["role"], newest["request"]) == (None, None, None)
    assert newest["at"] >= renamed["at"] >= added["at"]


async def test_pages_go_back_in_time(url: str, staff: Database) -> None:
    await run(url, *(f"update counties set name = 'N{n}' where fips = '06003'" for n in range(5)))
    names, cursor = [], None
    while True:
        page = await history(staff, "County:06003", first=2, after=cursor)
        names += [told(each).get("name") for each in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert names == [("N3", "N4"), ("N2", "N3"), ("N1", "N2"), ("N0", "N1"), ("C2", "N0"), None]
    assert codes_of(
        await ask(staff, HISTORY, {"id": "County:06003", "first": 2, "after": "x"})
    ) == ["BAD_CURSOR"]


async def test_lines_are_in_the_order_in_which_the_record_changed(
    url: str, staff: Database
) -> None:
    """Whoever begins first can change it last: the number of its transaction is the lower one."""
    async with connected(url) as first, connected(url) as second:
        transaction = first.transaction()
        await transaction.start()
        await first.execute("select pg_current_xact_id()")
        await second.execute("update counties set name = 'before' where fips = '06005'")
        await first.execute("update counties set name = 'after' where fips = '06005'")
        await transaction.commit()
    newest, older, _ = (await history(staff, "County:06005"))["nodes"]
    assert told(newest) == {"name": ("before", "after")}
    assert told(older) == {"name": ("C3", "before")}


async def test_what_was_removed_and_came_back_said_all_of_it_before(
    url: str, staff: Database
) -> None:
    await run(
        url,
        "delete from counties where fips = '06007'",
        f"insert into counties (fips, name, source_id) values ('06007', 'Back', '{SUBJECT}')",
    )
    back, gone, added = (await history(staff, "County:06007"))["nodes"]
    assert (back["operation"], gone["operation"]) == ("INSERT", "DELETE")
    assert told(gone)["name"] == ("C4", None)
    assert told(back) == told(added) == {}


async def test_a_relation_is_told_by_the_id_it_leads_to_and_a_text_by_its_language(
    url: str, staff: Database
) -> None:
    await run(
        url,
        "insert into institutions (id, code, name, institution_type, status, source_id)"
        f" values ('{SUBJECT}', 'XX', 'A prison', 'STATE_PRISON', 'OPEN', '{SUBJECT}')",
        "update institutions set county_fips = '06009', status = 'CLOSING'",
    )
    line = (await history(staff, f"Institution:{SUBJECT}"))["nodes"][0]
    assert told(line) == {"county": (None, "County:06009"), "status": ("OPEN", "CLOSING")}
    await run(
        url,
        "insert into categories (code, vocabulary, label_en, label_es, source_id) values"
        f" ('HELP', 'DIRECTORY', 'Help', 'Ayuda', '{SUBJECT}')",
        "update categories set label_es = 'Auxilio'",
    )
    line = (await history(staff, "Category:HELP"))["nodes"][0]
    assert told(line) == {"label ES": ("Ayuda", "Auxilio")}


async def test_a_moment_is_the_same_on_every_clock(url: str, staff: Database) -> None:
    """Sessions write moments in their own zones, and that is no difference."""
    async with connected(url) as connection:
        await connection.execute("set timezone = 'America/Los_Angeles'")
        await connection.execute(
            "insert into providers (id, slug, name, source_id) values"
            f" ('{SUBJECT}', 'p', 'P', '{SUBJECT}'), ('{OTHER}', 'q', 'Q', '{SUBJECT}');"
            "insert into duplicate_candidates"
            " (id, left_id, right_id, score, reasons, decision, decided_at)"
            f" values ('{OTHER}', '{SUBJECT}', '{OTHER}', 0.9, '{{SAME_PHONE}}',"
            " 'NOT_DUPLICATE', '2026-07-01T12:00Z')"
        )
        await connection.execute("update duplicate_candidates set score = 0.95")
        await connection.execute("set timezone = 'Asia/Tokyo'")
        await connection.execute(
            "update duplicate_candidates set decided_at = '2026-07-02T12:00Z', reasons = '{}'"
        )
    newest, older, _ = (await history(staff, f"DuplicateCandidate:{OTHER}"))["nodes"]
    assert told(newest) == {
        "reasons": (["SAME_PHONE"], []),
        "decidedAt": ("2026-07-01T12:00:00+00:00", "2026-07-02T12:00:00+00:00"),
    }
    assert told(older) == {"score": (0.9, 0.95)}


async def test_every_recorded_entity_has_one(staff: Database) -> None:
    graph = seen_by(Role.STAFF)
    without = {
        name
        for name, entity in graph.entities.items()
        if not isinstance(entity.fields.get("history"), Past)
    }
    runs = {"ImportRun", "ImportRejection"}
    assert without == {"VisitorServiceGap", "ArchivedRecord", "Proposal"} | runs
    for entity in graph.entities.values():
        if entity.name in without:
            continue
        root = next(
            (
                name
                for name, root in graph.roots.items()
                if getattr(root, "entity", None) == entity.name and type(root).__name__ == "Every"
            ),
            None,
        )
        if root is None:
            continue
        text = f"""{{ {root}(first: 2) {{ nodes {{ id history(first: 2) {{
            edges {{ cursor node {{ __typename differences {{ __typename field }} }} }}
        }} }} }} }}"""
        response = await ask(staff, text, {})
        assert "errors" not in response, (entity.name, response["errors"])


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.PARTNER])
async def test_nobody_else_gets_at_it_in_any_way(url: str, role: Role) -> None:
    """Neither by the graph, nor by a statement that the graph should not have made."""
    graph = seen_by(role)
    assert not any("history" in entity.fields for entity in graph.entities.values())
    assert "HistoryEntry" not in graph.schema.type_map
    assert "FieldDifference" not in graph.schema.type_map
    database = await Database.open(url, role=role_name(role.value))
    try:
        refused = await ask(database, HISTORY, {"id": PLACE}, role)
        assert set(codes_of(refused)) == {"GRAPHQL_VALIDATION_FAILED"}
        for column in ("old", "actor", "role", "request", "c"):
            with pytest.raises(NotGranted):
                await database.fetch(
                    f"select to_json(array(select {column}::text from changes c))", ()
                )
        with pytest.raises(NotGranted):
            await database.fetch(
                "select to_json(array(select d::text from changes c, differences("
                "operation, old, null, null, '{name}', '{name}', '{\"\"}', '{\"\"}') d))",
                (),
            )
        with pytest.raises(NotGranted):
            await database.fetch("select to_json(count(*)) from changes where old is not null", ())
        # Even the statement of those who may is not answered to them.
        whole = GraphQLRequest(HISTORY, None, {"id": "County:06001"})
        answer = await both_roads(database, whole, the_graph())
        assert codes_of(json.loads(answer.body)) == ["NOT_GRANTED"]
        # What is on the way to it is.
        await database.fetch("select to_json(array(select key from changes))", ())
    finally:
        await database.close()


async def test_what_an_address_said_before_is_told_to_staff_by_its_fields(
    url: str, staff: Database
) -> None:
    await run(
        url,
        "insert into locations (id, street, city, source_id)"
        f" values ('{SUBJECT}', '1 Main Street', 'Fresno', '{SUBJECT}')",
        "update locations set street = '2 Hidden Lane', address_visibility = 'HIDDEN'",
    )
    line = (await history(staff, PLACE))["nodes"][0]
    assert told(line) == {
        "addressVisibility": ("PUBLIC", "HIDDEN"),
        "confidential.street": ("1 Main Street", "2 Hidden Lane"),
    }
