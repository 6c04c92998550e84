"""Who may look back, from where, how far, and at what: everybody else is told no, on every way."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from db import api_keys
from db.database import Database
from db.errors import (
    DatabaseBusy,
    DatabaseError,
    DatabaseFault,
    NotGranted,
    NotRecorded,
    RefusedValue,
    StatementTimeout,
)
from db.migrate import DIRECTORY, migrate
from db.roles import role_name
from resolvers.past import AS_OF
from resolvers.resolve import GraphQLRequest, explain, resolve
from schema.federation import subgraph
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.roads import audiences, both_roads, codes_of, the_graph
from tests.serving import Serving, serving

SUBJECT = "00000000-0000-0000-0000-000000000001"
NAMES = """query Names($at: DateTime!) @asOf(time: $at) {
  counties(orderBy: [{ fips: ASC }]) { nodes { fips name } }
}"""
FACT = "update counties set name = $1 where fips = '06001'"


@pytest_asyncio.fixture
async def url(migrated_url: str) -> AsyncIterator[str]:
    """A directory of one county, and one place that is hidden."""
    async with scratch(migrated_url) as made:
        async with connected(made) as connection:
            await connection.execute(
                f"""
                insert into sources (id, key, name) values ('{SUBJECT}', 'TEST', 'A test');
                insert into counties (fips, name, source_id) values ('06001', 'A', '{SUBJECT}');
                insert into locations (id, source_id, street, city, address_visibility)
                    values ('{SUBJECT}', '{SUBJECT}', '1 Secret St', 'Hiding', 'PUBLIC');
                """
            )
        yield made


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await Database.open(url)
    yield opened
    await opened.close()


async def now(connection: asyncpg.Connection) -> datetime:
    moment: datetime = await connection.fetchval("select clock_timestamp()")
    return moment


async def ask(database: Database, text: str, **variables: object) -> dict[str, Any]:
    answer = await both_roads(database, GraphQLRequest(text, None, variables))
    response: dict[str, Any] = json.loads(answer.body)
    return response


async def name_at(database: Database, moment: datetime) -> str:
    """What the county was called."""
    response = await ask(database, NAMES, at=moment.isoformat())
    assert "errors" not in response, response
    ((county),) = response["data"]["counties"]["nodes"]
    name: str = county["name"]
    return name


# Moments


async def test_each_moment_has_its_own_answer(url: str, database: Database) -> None:
    moments = []
    async with connected(url) as connection:
        for name in ("B", "C", "D"):
            moments.append(await now(connection))
            await connection.execute(FACT, name)
        assert [await name_at(database, moment) for moment in moments] == ["A", "B", "C"]
        assert await name_at(database, await now(connection)) == "D"
        # Removed, and there again as another.
        there = await now(connection)
        await connection.execute("delete from counties")
        gone = await now(connection)
        await connection.execute(
            f"insert into counties (fips, name, source_id) values ('06001', 'E', '{SUBJECT}')"
        )
    assert await name_at(database, there) == "D"
    response = await ask(database, NAMES, at=gone.isoformat())
    assert response["data"]["counties"]["nodes"] == []


async def test_a_moment_is_one_between_commits(url: str, database: Database) -> None:
    async with connected(url) as slow, connected(url) as quick:
        # Begun before, committed after.
        begun = slow.transaction()
        await begun.start()
        await slow.execute(FACT, "slow")
        before = await now(quick)
        await quick.execute("update sources set name = 'quick'")
        between = await now(quick)
        await begun.commit()
        after = await now(quick)
        # The later of two transactions that changed one row began before the earlier one.
        begun = slow.transaction()
        await begun.start()
        await slow.fetchval("select pg_current_xact_id()")
        await quick.execute(FACT, "second")
        second = await now(quick)
        await slow.execute(FACT, "third")
        still = await now(quick)
        assert await name_at(database, still) == "second"
        await begun.commit()
    for moment, county, source in (
        (before, "A", "A test"),
        (between, "A", "quick"),
        (after, "slow", "quick"),
        (second, "second", "quick"),
        (still, "second", "quick"),
    ):
        assert await name_at(database, moment) == county
        text = """query($at: DateTime!) @asOf(time: $at) { sources { nodes { name } } }"""
        response = await ask(database, text, at=moment.isoformat())
        assert response["data"]["sources"]["nodes"] == [{"name": source}]


async def test_what_is_undone_never_was(url: str, database: Database) -> None:
    async with connected(url) as connection:
        before = await now(connection)
        async with connection.transaction():
            inner = connection.transaction()
            await inner.start()
            await connection.execute(FACT, "undone")
            await inner.rollback()
            await connection.execute(FACT, "done")
        assert await name_at(database, before) == "A"
        assert await name_at(database, await now(connection)) == "done"
        stamped = "select count(*) from commits where at is null"
        assert await connection.fetchval(stamped) == 0


async def test_a_moment_to_come_or_before_anything_was_recorded_is_refused(
    url: str, database: Database
) -> None:
    to_come = datetime.now(UTC) + timedelta(hours=1)
    response = await ask(database, NAMES, at=to_come.isoformat())
    assert codes_of(response) == ["BAD_USER_INPUT"]
    assert "`time`" in response["errors"][0]["message"]
    async with connected(url) as connection:
        first = await connection.fetchval("select greatest(min(at), past.since()) from commits")
    response = await ask(database, NAMES, at=(first - timedelta(microseconds=1)).isoformat())
    assert codes_of(response) == ["BEFORE_RECORDS"]
    assert first.strftime("%Y-%m-%dT%H:%M:%S.%fZ") in response["errors"][0]["message"]
    assert "errors" not in await ask(database, NAMES, at=first.isoformat())


async def test_where_nothing_is_recorded_there_is_no_past(migrated_url: str) -> None:
    async with scratch(migrated_url) as url, connected(url) as connection:
        await connection.execute(
            "alter table commits disable trigger all; truncate commits;"
            "create or replace function past.since() returns timestamptz language sql"
            " return '-infinity'::timestamptz"
        )
        database = await Database.open(url)
        response = await ask(database, NAMES, at=datetime.now(UTC).isoformat())
        await database.close()
    assert codes_of(response) == ["BEFORE_RECORDS"]


@pytest.mark.parametrize("time", ["yesterday", "2026-07-03", "2026-07-03T10:00:00", "", "\0"])
async def test_what_is_no_moment_is_refused(database: Database, time: str) -> None:
    before = database.statements
    assert codes_of(await ask(database, NAMES, at=time)) == ["BAD_VARIABLES"]
    written = NAMES.replace("$at: DateTime!", "").replace("()", "")
    written = written.replace("$at", json.dumps(time))
    assert codes_of(await ask(database, written)) == ["GRAPHQL_VALIDATION_FAILED"]
    assert database.statements == before


# What is asked


async def test_it_is_written_or_comes_as_a_variable_with_a_default(
    url: str, database: Database
) -> None:
    async with connected(url) as connection:
        moment = (await now(connection)).isoformat()
        await connection.execute(FACT, "B")
    inner = "{ counties { nodes { name } } }"
    for text in (
        f'query @asOf(time: "{moment}") {inner}',
        f'query ($at: DateTime = "{moment}") @asOf(time: $at) {inner}',
        f'query ($at: DateTime! = "{moment}") @asOf(time: $at) {inner}',
    ):
        response = await ask(database, text)
        assert response["data"]["counties"]["nodes"] == [{"name": "A"}], text
    for text in (
        f'{{ ... @asOf(time: "{moment}") {inner} }}',
        f'query {{ counties @asOf(time: "{moment}") {{ nodes {{ name }} }} }}',
        f'query @asOf(time: "{moment}") @asOf(time: "{moment}") {inner}',
        f"query @asOf {inner}",
        f"query @asOf(time: null) {inner}",
        f'subscription @asOf(time: "{moment}") {{ changes {{ id }} }}',
    ):
        response = await ask(database, text)
        assert codes_of(response)[0] == "GRAPHQL_VALIDATION_FAILED", text


async def test_history_ends_where_one_looks(url: str, database: Database) -> None:
    async with connected(url) as connection:
        await connection.execute(FACT, "B")
        moment = await now(connection)
        await connection.execute(FACT, "C")
    text = """query($at: DateTime!) @asOf(time: $at) {
        counties { nodes { name history(first: 5) {
            totalCount nodes { operation differences { field old new } } } } } }"""
    response = await ask(database, text, at=moment.isoformat())
    (county,) = response["data"]["counties"]["nodes"]
    assert county["name"] == "B"
    assert county["history"]["totalCount"] == 2
    assert county["history"]["nodes"][0] == {
        "operation": "UPDATE",
        "differences": [{"field": "name", "old": "A", "new": "B"}],
    }


async def test_what_is_not_recorded_is_refused_before_any_sql(database: Database) -> None:
    moment = datetime.now(UTC).isoformat()
    before = database.statements
    for field in ("apiKeys { totalCount }", "changes { cursor }"):
        text = f'query @asOf(time: "{moment}") {{ {field} counties {{ totalCount }} }}'
        assert codes_of(await ask(database, text)) == ["NOT_RECORDED"]
    assert database.statements == before
    # Neither is about anything that changes as records do.
    text = f'query @asOf(time: "{moment}") {{ me {{ role }} __schema {{ queryType {{ name }} }} }}'
    assert "errors" not in await ask(database, text)
    assert database.statements == before


async def test_postgres_refuses_it_as_well(url: str, database: Database) -> None:
    moment = datetime.now(UTC)
    for table in ("api_keys", "trusted_documents", "search_changes", "commits", "meanings"):
        with pytest.raises(NotRecorded):
            await database.fetch(f"select to_json(count(*)) from {table}", (), moment)


async def test_an_answer_about_the_past_is_not_kept_and_explains_itself(
    url: str, database: Database
) -> None:
    async with connected(url) as connection:
        moment = (await now(connection)).isoformat()
    request = GraphQLRequest(NAMES, None, {"at": moment})
    assert (await resolve(the_graph(), database, request)).reads is None
    text = await explain(the_graph(), database, request)
    assert f"-- as of {moment}" in text
    assert "Execution Time" in text
    early = GraphQLRequest(NAMES, None, {"at": "2001-01-01T00:00:00Z"})
    assert "-- What was said is recorded since" in await explain(the_graph(), database, early)


# Connections


async def test_nobody_else_comes_to_look_where_somebody_looked(
    url: str, database: Database
) -> None:
    async with connected(url) as connection:
        moment = await now(connection)
        await connection.execute(FACT, "B")
    count = "select to_json((select name from counties))"
    looks = [database.fetch(count, (), moment if n % 2 else None) for n in range(40)]
    found = await asyncio.gather(*looks)
    assert found == [b'"A"' if n % 2 else b'"B"' for n in range(40)]
    # A session that looks back, and is not told where, answers nothing.
    with pytest.raises(DatabaseError):
        await database._looking_back().fetch(count, ())


async def test_what_fails_leaves_the_connection_as_it_was(url: str) -> None:
    database = await Database.open(url, connections=1, statement_timeout=0.3)
    moment = datetime.now(UTC)
    count = "select to_json((select count(*) from counties))"
    for _ in range(3):
        with pytest.raises(StatementTimeout):
            await database.fetch("select to_json(1) from pg_sleep(5)", (), moment)
        with pytest.raises(RefusedValue):
            await database.fetch(count, (), moment + timedelta(days=1))
        with pytest.raises(DatabaseFault):
            await database.fetch("select nothing", (), moment)
        assert await database.fetch(count, (), moment) == b"1"
    looking = asyncio.ensure_future(
        database.fetch("select to_json(1) from pg_sleep(0.2)", (), moment)
    )
    await asyncio.sleep(0.05)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert await database.fetch(count, (), moment) == b"1"
    # A connection that is cut meanwhile is made anew.
    async with connected(url) as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert await database.fetch(count, (), moment) == b"1"
    await database.close()
    with pytest.raises(Exception, match="closed"):
        await database.fetch(count, (), moment)


async def test_few_look_back_at_once(url: str) -> None:
    database = await Database.open(url, connections=8, wait=0.2)
    moment = datetime.now(UTC)
    slow = "select to_json(1) from pg_sleep(1)"
    looks = [asyncio.ensure_future(database.fetch(slow, (), moment)) for _ in range(3)]
    found = await asyncio.gather(*looks, return_exceptions=True)
    assert sum(isinstance(each, DatabaseBusy) for each in found) == 1
    # And whoever asks of now does not wait for them.
    assert await database.fetch("select to_json(1)", ()) == b"1"
    await database.close()


# What there is to look at


async def test_everything_that_is_read_has_a_past(url: str) -> None:
    """Each table is recorded, or refuses; each view and function that reads one has its own."""
    async with connected(url) as connection:
        relations = await connection.fetch(
            """
            select c.relname::text as name, c.relkind::text as kind, p.oid is not null as past,
                   exists (select from pg_trigger
                           where tgrelid = c.oid and tgname = 'record_updated') as recorded,
                   pg_get_viewdef(p.oid) like '%not_recorded(%' as refuses
            from pg_class c
            left join pg_class p on p.relname = c.relname and p.relnamespace = 'past'::regnamespace
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
              and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
            """
        )
        functions = await connection.fetch(
            """
            select p.oid::regprocedure::text as name, exists (
                select from pg_proc q
                where q.pronamespace = 'past'::regnamespace and q.proname = p.proname) as past
            from pg_proc p
            where p.pronamespace = 'public'::regnamespace and p.provolatile = 's'
              and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
            """
        )
        columns = """
            select c.relname, a.attname, a.atttypid::regtype, a.atttypmod
            from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
            where c.relnamespace = $1::text::regnamespace and not a.attisdropped
              and c.relname in (select relname from pg_class
                                where relnamespace = 'past'::regnamespace and relkind = 'v')
              and c.relkind in ('r', 'v') and a.attname <> 'ctid'
            order by c.relname, a.attnum
        """
        assert await connection.fetch(columns, "public") == await connection.fetch(columns, "past")
    assert all(each["past"] for each in relations)
    for each in relations:
        if each["kind"] != "v" and each["name"] != "changes":
            assert each["recorded"] is not each["refuses"], each["name"]
    assert {each["name"] for each in relations if each["refuses"]} == {
        "api_keys",  # a log that nobody may shorten keeps no hash of a secret
        "commits",  # it is about the log
        "hsds_remainders",  # what a feed said, for its way back
        "idempotency_keys",  # what was answered, for a week
        "import_rejections",  # a run is never changed after its end
        "import_parts",  # the file of an import, until that is over
        "import_rows",  # empty whenever no import is under way
        "import_runs",
        "meanings",  # what the loader reads words by
        "proposals",  # kept whole, with who decided and when
        "schema_migrations",
        "search_changes",  # empty whenever a transaction has ended
        "trusted_documents",
    }
    # How much there is to look through, and not what it says.
    assert {each["name"] for each in functions if not each["past"]} == {"search_is_large()"}


async def test_what_is_added_later_has_a_past_without_a_word_about_it(
    migrated_url: str, tmp_path: Any
) -> None:
    async with scratch(migrated_url) as url, connected(url) as connection:
        await connection.execute(
            f"insert into sources (id, key, name) values ('{SUBJECT}', 'TEST', 'A test');"
            f"insert into counties (fips, name, source_id) values ('06001', 'A', '{SUBJECT}')"
        )
        await connection.execute(FACT, "B")
        moment = await now(connection)
        await connection.execute(FACT, "C")
        for file in DIRECTORY.glob("*.sql"):
            (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        (tmp_path / "9999_later.sql").write_text(
            """
            alter table counties add rank integer not null default 1, add motto text;
            create table mottos (id uuid primary key default gen_random_uuid(), motto text);
            select records('mottos');
            create view counted_mottos as select count(*) as n from mottos;
            create function mottos_of() returns bigint language sql stable
                return (select n from counted_mottos);
            """
        )
        await migrate(url, tmp_path)
        await connection.execute("insert into mottos (motto) values ('Eureka')")
        await connection.execute("update counties set rank = 2, motto = 'Eureka'")
        database = await Database.open(url)
        said = "select to_json(array(select row(name, rank, motto) from counties))"
        assert json.loads(await database.fetch(said, (), moment)) == [
            {"f1": "B", "f2": 1, "f3": None}
        ]
        assert await database.fetch("select to_json(mottos_of())", (), moment) == b"0"
        assert await database.fetch("select to_json(mottos_of())", ()) == b"1"
        # Made anew by nothing that changes nothing.
        oid = await connection.fetchval("select 'past'::regnamespace::oid")
        await migrate(url, tmp_path)
        assert await connection.fetchval("select 'past'::regnamespace::oid") == oid
        await connection.execute("drop schema past cascade")
        await migrate(url, tmp_path)
        assert await database.fetch("select to_json(mottos_of())", (), moment) == b"0"
        await database.close()


# Who


def test_the_directive_is_there_for_those_who_may_know_and_nobody_else() -> None:
    everybody = audiences()
    for role in Role:
        there = everybody.graph(role).schema.get_directive(AS_OF) is not None
        assert there is role.includes(Role.STAFF), role
    assert subgraph(the_graph(), ["institutions"]).schema.get_directive(AS_OF) is None


async def test_postgres_shows_the_past_to_the_same_roles(url: str) -> None:
    moment = datetime.now(UTC)
    async with connected(url) as connection:
        await connection.execute("update locations set address_visibility = 'HIDDEN'")
        past = await connection.fetch(
            "select relname from pg_class where relnamespace = 'past'::regnamespace"
        )
    for role in Role:
        database = await Database.open(url, role=role_name(role.value))
        street = "select to_json((select public_street from locations))"
        if role.includes(Role.STAFF):
            assert await database.fetch(street, (), moment) == b'"1 Secret St"'
            assert await database.fetch(street, ()) == b"null"
        else:
            for (name,) in past:
                with pytest.raises(NotGranted):
                    await database.fetch(f"select to_json(count(*)) from past.{name}", ())
            hidden = street.replace("from l", "from past.l")
            for statement in (
                hidden,
                "select to_json(past.clock())",
                "select to_json(past.seen())",
            ):
                with pytest.raises(NotGranted):
                    await database.fetch(statement, (), moment)
        await database.close()


async def test_staff_are_answered_by_their_own_role(url: str) -> None:
    database = await Database.open(url, role=role_name("STAFF"))
    graph = audiences().graph(Role.STAFF)
    async with connected(url) as connection:
        moment = (await now(connection)).isoformat()
        await connection.execute(FACT, "B")
        await connection.execute("update locations set address_visibility = 'HIDDEN'")
    text = """query($at: DateTime!) @asOf(time: $at) {
        counties { nodes { name history(first: 1) { totalCount } } }
        locations { nodes { street confidential { street } } }
        search(text: "county") { totalCount }
        services { totalCount }
    }"""
    answer = await both_roads(database, GraphQLRequest(text, None, {"at": moment}), graph)
    response = json.loads(answer.body)
    assert "errors" not in response, response
    assert response["data"]["counties"]["nodes"][0]["name"] == "A"
    assert response["data"]["locations"]["nodes"][0]["street"] == "1 Secret St"
    await database.close()


@pytest.fixture
def server(url: str) -> Iterator[Serving]:
    with serving(database_url=url, environment="production") as running:
        yield running


async def test_no_way_leads_others_to_the_past(url: str, server: Serving) -> None:
    keys = {
        role: await api_keys.create(url, "A key", role.value, ["READ", "EXPORT"])
        for role in (Role.PARTNER, Role.STAFF)
    }
    async with connected(url) as connection:
        moment = (await now(connection)).isoformat()
        await connection.execute(FACT, "B")
    variables = {"at": moment}
    fragment = NAMES.replace("counties(", "...names } fragment names on Query { counties(")
    digest = hashlib.sha256(NAMES.encode()).hexdigest()
    stored = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    live = NAMES.replace("@asOf", "@live @asOf")
    # A connection of its own for each: a server that is busy may hang up on one that rests.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits) as client:

        async def post(role: Role, body: object, accept: str = "application/json") -> str:
            shown = {"authorization": f"Bearer {keys[role]}"} if role in keys else {}
            headers = {**shown, "accept": accept}
            return (await client.post("/graphql", json=body, headers=headers)).text

        # Staff first: whatever might be remembered of their questions is there by then.
        for role in (Role.STAFF, Role.PARTNER, Role.PUBLIC):
            shown = {"authorization": f"Bearer {keys[role]}"} if role in keys else {}
            bodies: list[Any] = [
                {"query": NAMES, "variables": variables},
                {"query": fragment, "variables": variables},
                {"query": NAMES, "variables": variables, "extensions": stored},
                {"variables": variables, "extensions": stored},
                [{"query": NAMES, "variables": variables}],
            ]
            told = [await post(role, body) for body in bodies]
            told.append(
                (
                    await client.get(
                        "/graphql",
                        params={"query": NAMES, "variables": json.dumps(variables)},
                        headers=shown,
                    )
                ).text
            )
            told.append(await post(role, bodies[0], "text/csv"))
            if role is Role.STAFF:
                assert all('"name":"A"' in each for each in told[:-1]), told
                assert told[-1].splitlines() == ["fips,name", "06001,A"]
                body = {"query": live, "variables": variables}
                assert "OPERATION_NOT_SUPPORTED" in await post(role, body, "text/event-stream")
            else:
                for each in told:
                    assert "GRAPHQL_VALIDATION_FAILED" in each, each
                    assert '"A"' not in each
                    assert ",A" not in each


async def test_what_is_recorded_for_the_past_alone_is_no_news(url: str, database: Database) -> None:
    cursor = (await ask(database, "{ changes { cursor } }"))["data"]["changes"]["cursor"]
    async with connected(url) as connection:
        await connection.execute("update freshness_thresholds set fresh_days = fresh_days + 1")
        await connection.execute("delete from reason_texts")
        await connection.execute(FACT, "B")
        entities = await connection.fetch("select distinct entity from changes")
    recorded = {entity for (entity,) in entities}
    assert {"freshness_thresholds", "reason_texts", "search_phrases"} <= recorded
    text = "query($since: String) { changes(since: $since) { upserts { type id } } }"
    response = await ask(database, text, since=cursor)
    for _ in range(50):  # somebody else's transaction may have held it back
        if response["data"]["changes"]["upserts"]:
            break
        await asyncio.sleep(0.1)
        response = await ask(database, text, since=cursor)
    assert response["data"]["changes"]["upserts"] == [{"type": "COUNTY", "id": "County:06001"}]
