"""What the directory said at a moment of the past: the same statement, to the byte the same answer.

What it costs, on the real directory as of before 1,930 rows were changed (all prisons, 500
services, 500 providers, 300 telephones, 200 addresses and more; 7,598 lines, as what follows from
them has some, too): the page of a prison takes 2 to 6 ms instead of 1, a hundred services with all
that is shown of them 360 instead of 2, a search 360 instead of 8, and the dashboard of the state
1,400 instead of 50. As of a moment after which nothing has changed: 6, 27, 20 and 230 ms. It grows
with what has changed since, table by table, and not with how long the log is.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

import asyncpg
import pytest_asyncio
from graphql import parse, print_ast
from graphql.language import (
    ConstArgumentNode,
    DirectiveNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
)

from db.database import Database
from resolvers.resolve import Answer, GraphQLRequest, resolve
from tests.db.scratch import connected, scratch, stopped
from tests.roads import ordered, the_graph
from tests.second_opinion import AWKWARD
from tests.test_operations import EXAMPLES, Example

# All that is recorded, with the columns of its key, and those that anybody writes.
RECORDED = """
    select c.relname::text as table,
           (select array_agg(k.attname::text) from pg_index i
            join pg_attribute k on k.attrelid = c.oid and k.attnum = any (i.indkey)
            where i.indrelid = c.oid and i.indisprimary) as key,
           (select array_agg(a.attname::text order by attnum) from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
              and a.attgenerated = '') as columns
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where t.tgname = 'record_updated' order by 1
"""
# What is made of other tables is not written by hand.
MADE = {"search_documents", "search_phrases", "search_lexemes"}


async def now(connection: asyncpg.Connection) -> datetime:
    moment: datetime = await connection.fetchval("select clock_timestamp()")
    return moment


def at(request: GraphQLRequest, moment: datetime) -> GraphQLRequest:
    """The same question about a moment."""
    document = parse(request.text, no_location=True)
    said = ConstArgumentNode(
        name=NameNode(value="time"), value=StringValueNode(value=moment.isoformat())
    )
    directive = DirectiveNode(name=NameNode(value="asOf"), arguments=(said,))
    definitions = tuple(
        replace(each, directives=(*(each.directives or ()), directive))
        if isinstance(each, OperationDefinitionNode) and each.operation is OperationType.QUERY
        else each
        for each in document.definitions
    )
    return replace(request, text=print_ast(replace(document, definitions=definitions)))


def said(answer: Answer) -> str:
    """What was answered, without the places in the text of what was asked."""
    body = json.loads(answer.body)
    for error in body.get("errors", ()):
        error.pop("locations", None)
    return ordered(json.dumps(body).encode())


def has_a_past(example: Example) -> bool:
    """Whether it asks of what is recorded."""
    text = example.path.read_text()
    return not any(word in text for word in ("changes(", "apiKeys"))


@dataclass(frozen=True)
class Changed:
    """A directory, what it said at a moment, and everything in it changed since."""

    url: str
    database: Database
    moment: datetime
    remembered: Mapping[str, str]


async def attempt(connection: asyncpg.Connection, statement: str) -> bool:
    """Whether the directory lets somebody do this."""
    try:
        async with connection.transaction():
            done: str = await connection.execute(statement)
    except asyncpg.PostgresError as error:
        # By a constraint, a type, or a rule of ours.
        if (error.sqlstate or "")[:2] not in ("22", "23", "P0", "CR"):
            raise
        return False
    return not done.endswith(" 0")


async def change_everything(connection: asyncpg.Connection) -> dict[str, set[str]]:
    """Rows of each recorded table are changed, removed and added, some as they were, some not."""
    happened: dict[str, set[str]] = {}
    for table, key, columns in await connection.fetch(RECORDED):
        if table not in MADE:
            async with connection.transaction():
                happened[table] = await change(connection, table, key, columns)
    return happened


async def change(
    connection: asyncpg.Connection, table: str, key: list[str], columns: list[str]
) -> set[str]:
    """What could be done to a table."""
    done = set()
    some = f"(select ctid from {table} order by md5({table}::text) limit 5)"
    names = ", ".join(f'"{column}"' for column in columns)
    for column in columns:
        if key != [column]:
            # As another row has it.
            other = (
                f'select "{column}" from {table} t'
                f" order by md5('{column}' || t::text) limit 1 offset 3"
            )
            changed = f'update {table} set "{column}" = ({other}) where ctid in {some}'
            if await attempt(connection, changed):
                done.add("UPDATE")
    for offset in range(4):
        row = f"(select ctid from {table} t order by md5(t::text) limit 1 offset {offset})"
        copied = await connection.fetchval(
            f"select to_jsonb(t)::text from {table} t where ctid = {row}"
        )
        if copied is None:
            break
        quoted = copied.replace("'", "''")
        if await attempt(connection, f"delete from {table} where ctid = {row}"):
            done.add("DELETE")
            again = "{}"
        else:
            again = json.dumps({"id": str(uuid4())})
        if offset % 2 == 0:
            back = f"jsonb_populate_record(null::{table}, '{quoted}'::jsonb || '{again}')"
            added = f"insert into {table} ({names}) select {names} from {back}"
            if await attempt(connection, added):
                done.add("INSERT")
    return done


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def changed(loaded_url: str) -> AsyncIterator[Changed]:
    """The real directory and awkward records, and what all examples said before it was changed."""
    async with scratch(loaded_url) as url, connected(url) as connection:
        await connection.execute(AWKWARD)
        await connection.execute(
            "insert into aliases (entity, name, value, key) select 'providers', 'id',"
            " md5(slug)::uuid::text, id::text from providers order by slug limit 6"
        )
        await connection.execute("analyze")
        database = await Database.open(stopped(url), statement_timeout=60)
        remembered = {}
        for example in EXAMPLES:
            if has_a_past(example):
                answer = await resolve(the_graph(), database, example.request())
                remembered[str(example)] = said(answer)
        moment = await now(connection)
        happened = await change_everything(connection)
        assert all(happened.values()), [table for table, done in happened.items() if not done]
        links = {table for table, key, _ in await connection.fetch(RECORDED) if len(key) > 1}
        for table in links - MADE:
            assert {"INSERT", "DELETE"} <= happened[table], (table, happened[table])
        await connection.execute("analyze")
        yield Changed(url, database, moment, remembered)
        await database.close()


async def test_every_example_is_answered_as_it_was(changed: Changed) -> None:
    differ = []
    others = 0
    for example in EXAMPLES:
        if not has_a_past(example):
            continue
        request = example.request()
        before = changed.database.statements
        answer = await resolve(the_graph(), changed.database, at(request, changed.moment))
        assert changed.database.statements - before <= 1
        if said(answer) != changed.remembered[str(example)]:
            differ.append(str(example))
        present = await resolve(the_graph(), changed.database, request)
        others += said(present) != changed.remembered[str(example)]
    assert differ == []
    # Most would be other answers by now, or nothing would be proved.
    assert others > len(changed.remembered) / 2


async def test_as_of_now_is_now(changed: Changed) -> None:
    async with connected(changed.url) as connection:
        moment = await now(connection)
    differ = []
    for example in EXAMPLES:
        if has_a_past(example):
            request = example.request()
            then = await resolve(the_graph(), changed.database, at(request, moment))
            present = await resolve(the_graph(), changed.database, request)
            if said(then) != said(present):
                differ.append(str(example))
    assert differ == []
