"""From lines of the change log to events: one statement for many, alike on either road."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from db.change_log import ChangeLog, Line
from db.changes import Changes
from db.database import Database
from db.errors import DatabaseError
from db.grants import grants
from resolvers.events import Event, subscribe, tell
from resolvers.resolve import GraphQLRequest, Outcome, explain, resolve
from schema.reach import reach_of
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.roads import audiences, the_graph

SUBJECT = "00000000-0000-0000-0000-000000000001"


@pytest_asyncio.fixture
async def url(migrated_url: str) -> AsyncIterator[str]:
    """A directory of one source, one county and one prison."""
    async with scratch(migrated_url) as made:
        async with connected(made) as connection:
            await connection.execute(
                f"""
                insert into sources (id, key, name) values ('{SUBJECT}', 'TEST', 'A test');
                insert into counties (fips, name, source_id)
                    values ('06001', 'Alameda', '{SUBJECT}');
                insert into institutions (id, code, name, institution_type, status, source_id)
                    values ('{SUBJECT}', 'XX', 'A prison', 'STATE_PRISON', 'OPEN', '{SUBJECT}');
                """
            )
        yield made


async def lines(url: str, *tables: str) -> list[Line]:
    """What the log has about these tables."""
    async with connected(url) as connection:
        found = await connection.fetch(
            "select xid::text as xid, seq, entity, key, operation, to_json(at) #>> '{}' as at"
            " from changes where entity = any ($1) order by xid, seq",
            tables,
        )
    return [
        Line((int(row["xid"]), row["seq"]), row["entity"], row["key"], row["operation"], row["at"])
        for row in found
    ]


async def both(url: str, query: str, found: list[Line]) -> list[Event]:
    """The events of lines, told alike on either road for one statement."""
    graph, database = the_graph(), await Database.open(url)
    try:
        subscription = subscribe(graph, GraphQLRequest(query))
        before = database.statements
        told = await tell(graph, database, subscription, found)
        assert database.statements == before + 1
        computed = await tell(graph, database, subscription, found, computed=True)
        assert database.statements == before + 2
    finally:
        await database.close()
    assert [json.loads(event.body) for event in told] == [json.loads(e.body) for e in computed]
    assert [event.cursor for event in told] == [event.cursor for event in computed]
    return told


async def test_many_lines_about_records_of_several_types_are_one_statement(url: str) -> None:
    async with connected(url) as connection:
        await connection.execute("update counties set name = 'Alameda County'")
        await connection.execute("update institutions set website = 'https://example.org'")
        await connection.execute("delete from institutions")
    found = await lines(url, "counties", "institutions", "sources")
    told = await both(
        url,
        """subscription { entityChanged {
            __typename cursor operation at id type
            node { __typename id ... on County { name } ... on Institution { code } }
        } }""",
        found,
    )
    assert [event.cursor for event in told] == [line.cursor for line in found]
    events = [json.loads(event.body)["data"]["entityChanged"] for event in told]
    assert [(each["type"], each["operation"]) for each in events] == [
        ("SOURCE", "INSERT"),
        ("COUNTY", "INSERT"),
        ("INSTITUTION", "INSERT"),
        ("COUNTY", "UPDATE"),
        ("INSTITUTION", "UPDATE"),
        ("INSTITUTION", "DELETE"),
    ]
    county = {"__typename": "County", "id": "County:06001", "name": "Alameda County"}
    source = {"__typename": "Source", "id": f"Source:{SUBJECT}"}
    # As they are now, whatever they were when it happened.
    assert [each["node"] for each in events] == [source, county, None, county, None, None]
    assert all(each["__typename"] == "EntityChange" for each in events)


async def test_only_the_tables_are_asked_that_can_be_meant(url: str) -> None:
    graph, database = the_graph(), await Database.open(url)
    try:
        for given, names in (
            ('ids: ["County:06001"]', {"counties"}),
            ("types: [COUNTY, SOURCE]", {"counties", "sources"}),
            ('ids: ["County:06001"], types: [COUNTY, SOURCE]', {"counties"}),
        ):
            query = f"subscription {{ entityChanged({given}) {{ node {{ id }} }} }}"
            subscription = subscribe(graph, GraphQLRequest(query))
            await tell(graph, database, subscription, await lines(url, "counties"))
            (plans,) = subscription.operation.plans.values()
            texts = json.dumps(repr(plans))
            assert {
                name
                for name in ("counties", "sources", "institutions", "phones")
                if f"from {name} t" in texts
            } == names
    finally:
        await database.close()


async def test_a_status_is_told_if_it_is_the_one_that_holds(url: str) -> None:
    insert = (
        "insert into visiting_statuses"
        " (id, institution_id, visit_type, status, last_updated, source_id)"
        f" values (gen_random_uuid(), '{SUBJECT}', $1, $2, $3::text::timestamptz, '{SUBJECT}')"
    )
    async with connected(url) as connection:
        for row in (
            ("VIDEO", "OPEN", "2026-01-02"),
            ("VIDEO", "LIMITED", "2026-01-01"),  # older: what holds is still OPEN
            ("IN_PERSON", "OPEN", "2026-01-01"),  # newer comes
            ("IN_PERSON", "CLOSED", "2026-01-03"),
        ):
            await connection.execute(insert, *row)
    told = await both(
        url,
        f"""subscription {{ visitingStatusChanged(institutions: ["Institution:{SUBJECT}"]) {{
            visitType cleared institution {{ code }} visitingStatus {{ status }}
        }} }}""",
        await lines(url, "visiting_statuses"),
    )
    events = [json.loads(event.body)["data"]["visitingStatusChanged"] for event in told]
    assert [(each["visitType"], each["visitingStatus"]["status"]) for each in events] == [
        ("VIDEO", "OPEN"),
        ("IN_PERSON", "CLOSED"),
    ]
    assert all(each["institution"] == {"code": "XX"} and not each["cleared"] for each in events)
    elsewhere = await both(
        url,
        'subscription { visitingStatusChanged(institutions: ["Institution:'
        '00000000-0000-0000-0000-000000000009"]) { cursor } }',
        await lines(url, "visiting_statuses"),
    )
    assert elsewhere == []


async def test_a_role_that_reads_what_the_public_sees_can_follow_it(url: str) -> None:
    graph = audiences().graph(Role.PUBLIC)
    async with connected(url) as connection:
        role = f"public_{await connection.fetchval('select current_database()')}"
        await connection.execute(f"create role {role}")
        try:
            reach = reach_of(graph, whole=the_graph())
            await connection.execute("\n".join(await grants(url, role, reach)))
            database = await Database.open(f"{url}&role={role}")
            try:
                request = GraphQLRequest("subscription { entityChanged { id node { id } } }")
                subscription = subscribe(graph, request)
                found = await lines(url, "counties")
                (event,) = await tell(graph, database, subscription, found)
                assert json.loads(event.body)["data"]["entityChanged"]["node"] is not None
                async with ChangeLog(database, Changes(database)).following() as follower:
                    await connection.execute("update sources set name = 'told'")
                    async with asyncio.timeout(20):
                        (line,) = await follower.next(lambda line: True, 10)
                assert (line.table, line.operation) == ("sources", "UPDATE")
                # What was before is not for them.
                with pytest.raises(DatabaseError):
                    await database.fetch("select to_json(old) from changes limit 1", ())
            finally:
                await database.close()
        finally:
            await connection.execute(f"drop owned by {role}")
            await connection.execute(f"drop role {role}")


async def test_a_subscription_has_no_one_answer(url: str) -> None:
    graph, database = the_graph(), await Database.open(url)
    request = GraphQLRequest("subscription { entityChanged { id } }")
    try:
        answer = await resolve(graph, database, request)
        assert answer.outcome is Outcome.REFUSED
        assert b"OPERATION_NOT_SUPPORTED" in answer.body
        assert "no one answer" in await explain(graph, database, request)
    finally:
        await database.close()
