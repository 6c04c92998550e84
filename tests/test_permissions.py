"""Every cell of the README's tables of permissions is tried: what it allows, and what it does not.

Above as the client of each role, and below as its role in Postgres, if the schema were wrong.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from db.connection import connected
from db.database import Database
from db.roles import role_name
from resolvers.change import Changer
from resolvers.graph import (
    Accepts,
    Acts,
    Graph,
    Leaf,
    Linked,
    Localized,
    Owned,
    Part,
    Slot,
    Slots,
    ToOne,
)
from resolvers.resolve import GraphQLRequest, resolve
from schema.permissions import (
    OPERATIONS,
    Permission,
    actions,
    actions_table,
    permissions,
    table,
)
from schema.roles import Role
from tests.roads import audiences, codes_of

README = Path(__file__).parent.parent / "README.md"
MATRIX = permissions(audiences())
ROLES = list(Role)


@cache
def graph_of(role: Role) -> Graph:
    return audiences().graph(role)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def databases(migrated_url: str) -> AsyncIterator[dict[Role, Database]]:
    opened = {
        role: await Database.open(migrated_url, role=role_name(role.value), connections=1)
        for role in Role
    }
    yield opened
    for database in opened.values():
        await database.close()


def test_the_readme_has_the_tables_as_they_are() -> None:
    text = README.read_text()
    assert table(audiences()) in text, "put what `schema.permissions.table` says into it"
    assert actions_table(audiences()) in text, "put what `actions_table` says into it"


async def codes(database: Database, role: Role, text: str) -> list[str]:
    changer = Changer("somebody", role.value, "r", "somebody", writes=True)
    answer = await resolve(graph_of(role), database, GraphQLRequest(text, changer=changer))
    return codes_of(json.loads(answer.body))


def cells() -> Iterator[tuple[Permission, Role]]:
    for each in MATRIX:
        for role in ROLES:
            yield each, role


def named(value: object) -> str:
    return value.type if isinstance(value, Permission) else str(getattr(value, "value", value))


@pytest.mark.parametrize(("each", "role"), list(cells()), ids=named)
async def test_a_role_may_do_what_the_table_says_and_nothing_else(
    databases: dict[Role, Database], each: Permission, role: Role
) -> None:
    database = databases[role]
    before = database.statements
    tries = {
        "read": f'{{ node(id: "{each.type}:x") {{ ... on {each.type} {{ id }} }} }}',
        **{
            operation: f"mutation {{ {operation}{each.type}(input: {{id: 7}}) {{ __typename }} }}"
            for operation in OPERATIONS[1:]
        },
    }
    for operation, text in tries.items():
        exists = each.type in graph_of(role).entities
        if operation != "read":
            type_ = graph_of(role).schema.mutation_type
            exists = type_ is not None and f"{operation}{each.type}" in type_.fields
        assert exists is each.allows(role, operation), operation
        if not exists:
            assert set(await codes(database, role, text)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert database.statements == before, "refused before any SQL"


@pytest.mark.parametrize("role", ROLES, ids=named)
@pytest.mark.parametrize(("action", "least"), actions(audiences()).items(), ids=named)
async def test_an_action_is_for_those_whom_the_table_names(
    databases: dict[Role, Database], migrated_url: str, action: str, least: Role, role: Role
) -> None:
    graph, allowed = graph_of(role), role.includes(least)
    type_ = graph.schema.mutation_type
    if action.startswith("@"):
        exists = graph.schema.get_directive(action[1:]) is not None
        text = f'query {action}(time: "2026-01-01T00:00:00Z") {{ __typename }}'
    else:
        exists = type_ is not None and action in type_.fields
        text = f"mutation {{ {action}(input: {{}}) {{ __typename }} }}"
    assert exists is allowed
    if allowed:
        return
    before = databases[role].statements
    assert set(await codes(databases[role], role, text)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert databases[role].statements == before, "refused before any SQL"
    match graph_of(Role.ADMIN).changes.get(action) or graph_of(Role.PARTNER).changes.get(action):
        case Acts(function):
            functions = [function.name]
        case Accepts(steps, decide):
            functions = [steps, decide]
        case _:
            functions = []
    async with connected(migrated_url, role_name(role.value)) as line:
        for name in functions:
            arguments = await line.fetchval(_ARGUMENTS, name)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await line.fetch(f"select {name}({arguments})")


_ARGUMENTS = """
    select string_agg('null::' || format_type(type, null), ', ' order by number)
    from pg_proc, unnest(proargtypes) with ordinality t (type, number)
    where proname = $1 and pronamespace = 'public'::regnamespace
"""


@pytest.mark.parametrize(
    ("each", "field", "least"),
    [(each, field, least) for each in MATRIX for field, least in each.fields.items()],
    ids=named,
)
async def test_a_field_is_for_those_whom_the_table_names(
    databases: dict[Role, Database], each: Permission, field: str, least: Role
) -> None:
    for role in ROLES:
        if not each.allows(role, "read"):
            continue
        shown = field in graph_of(role).entities[each.type].fields
        assert shown is role.includes(least)
        if shown:
            continue
        plural = f"{each.type[0].lower()}{each.type[1:]}"
        on = f'node(id: "{each.type}:x") {{ ... on {each.type}'
        for text in (
            f"{{ {on} {{ {field} {{ __typename }} }} }} }}",
            f"{{ {on} {{ {field} }} }} }}",
            f"query ($f: {each.type}Filter = {{{field}: {{eq: null}}}}) {{ __typename }}",
            f"{{ {plural}s(orderBy: [{{{field}: ASC}}]) {{ totalCount }} }}",
        ):
            assert set(await codes(databases[role], role, text)) == {"GRAPHQL_VALIDATION_FAILED"}


def read_by(graph: Graph) -> set[tuple[str, str]]:
    """The columns behind the fields of a graph."""
    found: set[tuple[str, str]] = set()
    for entity in graph.entities.values():
        todo = list(entity.fields.values())
        while todo:
            match todo.pop():
                case Leaf(column):
                    found.add((entity.table.name, column.name))
                case Localized(columns):
                    found |= {(entity.table.name, column.name) for column in columns.values()}
                case ToOne(join):
                    found.add((entity.table.name, join[0].local))
                case Part(target) if target in graph.values:
                    todo += graph.values[target].fields.values()
                case _:
                    pass
    return found


def written_by(graph: Graph, permitted: set[str]) -> set[tuple[str, str]]:
    """The columns that a role may write, by the table of permissions."""
    found: set[tuple[str, str]] = set()
    # What belongs to them is written with them.
    permitted = permitted | {
        field.written
        for name in permitted & graph.written.keys()
        for field in graph.written[name].fields.values()
        if isinstance(field, Owned)
    }
    for written in graph.written.values():
        if written.entity not in permitted:
            continue
        found.add((written.table.name, written.table.key.name))
        for field in written.fields.values():
            match field:
                case Slot(column):
                    found.add((written.table.name, column.name))
                case Slots(inner):
                    found |= {(written.table.name, slot.column.name) for slot in inner.values()}
                case Linked(table_, near, far):
                    found |= {(table_, near), (table_, far.name)}
                case Owned(child, owner):
                    found.add((graph.written[child].table.name, owner.name))
    return found


_COLUMNS = """
    select c.relname, a.attname,
        has_column_privilege($1::text, c.oid, a.attnum, 'select') as reads,
        has_column_privilege($1::text, c.oid, a.attnum, 'insert') as inserts,
        has_column_privilege($1::text, c.oid, a.attnum, 'update') as updates,
        has_table_privilege($1::text, c.oid, 'delete') as deletes
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
        and a.attnum > 0 and not a.attisdropped
"""


@pytest.mark.parametrize("role", ROLES, ids=named)
async def test_postgres_allows_a_role_what_the_table_does(migrated_url: str, role: Role) -> None:
    """Column by column: what the schema does not show to a role, or let it write, Postgres refuses,
    too. What functions and lists need beside is read, and never written."""
    permitted = {
        each.type for each in MATRIX if each.allows(role, "create") or each.allows(role, "update")
    }
    written = written_by(graph_of(role), permitted)
    everything, here = read_by(graph_of(Role.ADMIN)), read_by(graph_of(role))
    hidden = everything - here - {(table_, "version") for table_, _ in everything}
    async with connected(migrated_url) as line:
        rows = await line.fetch(_COLUMNS, role_name(role.value))
    for table_, column, reads, inserts, updates, deletes in rows:
        assert inserts is ((table_, column) in written), f"insert {table_}.{column}"
        assert updates is ((table_, column) in written), f"update {table_}.{column}"
        assert deletes is any(each == table_ for each, _ in written), f"delete {table_}"
        if (table_, column) in hidden:
            assert not reads, f"select {table_}.{column}"


@pytest.mark.parametrize("role", ROLES, ids=named)
async def test_what_is_hidden_is_refused_when_it_is_asked_for(
    migrated_url: str, role: Role
) -> None:
    """Not only by what the catalog says: the statements are sent."""
    everything, here = read_by(graph_of(Role.ADMIN)), read_by(graph_of(role))
    seen = {table_ for table_, _ in here}
    async with connected(migrated_url, role_name(role.value)) as line:
        for table_, column in sorted(everything - here):
            if column == "version":
                continue
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await line.fetch(f'select "{column}" from "{table_}"')
        for table_ in sorted({table_ for table_, _ in everything}):
            if table_ not in seen or role in (Role.PUBLIC, Role.PARTNER):
                # Of a view of several tables nobody can.
                refusals = (
                    asyncpg.InsufficientPrivilegeError,
                    asyncpg.ObjectNotInPrerequisiteStateError,
                )
                with pytest.raises(refusals):
                    await line.execute(f'delete from "{table_}"')
