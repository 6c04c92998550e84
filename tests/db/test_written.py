"""What inputs write, Postgres keeps by hand; what they need not say, it has a default for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping

import asyncpg
import pytest
import pytest_asyncio
from graphql import GraphQLInputObjectType, is_non_null_type
from graphql.pyutils import Undefined

from resolvers.graph import Linked, Owned, Slot, Slots, Written
from tests.db.scratch import connected
from tests.roads import the_graph

GRAPH = the_graph()
GATHERED = ["documents", "fees", "noted_languages", "accessibility"]
"""Columns of services that triggers gather; what others call so, they keep by hand."""
WRITTEN = list(GRAPH.written.values())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def line(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(migrated_url) as connection:
        yield connection


async def columns(line: asyncpg.Connection, table: str) -> Mapping[str, asyncpg.Record]:
    found = await line.fetch(
        "select attname, attnotnull, atthasdef, attgenerated <> '' as generated, "
        "format_type(atttypid, null) as type, pg_get_expr(d.adbin, d.adrelid) as initial, "
        "attname = any (recorded_columns($1::regclass, $2)) as told "
        "from pg_attribute a left join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum "
        "where attrelid = $1::regclass and attnum > 0 and not attisdropped",
        table,
        GATHERED if table == "services" else [],
    )
    return {each["attname"]: each for each in found}


def slots(written: Written) -> Iterator[tuple[str, Slot, bool]]:
    """The fields that set columns; true for those of the record itself, and not of a part."""
    for name, field in written.fields.items():
        if isinstance(field, Slot):
            yield name, field, True
        elif isinstance(field, Slots):
            yield from ((inner, slot, False) for inner, slot in field.slots.items())


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written.entity)
async def test_what_an_input_sets_is_kept_by_hand(
    line: asyncpg.Connection, written: Written
) -> None:
    known = await columns(line, written.table.name)
    for name, slot, _ in slots(written):
        column = known[slot.column.name]
        assert not column["generated"], name
        assert column["told"], f"{name} is worked out from other rows"
        assert column["attnotnull"] is slot.required, name


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written.entity)
async def test_a_new_record_needs_what_postgres_has_no_default_for(
    line: asyncpg.Connection, written: Written
) -> None:
    known = await columns(line, written.table.name)
    # What is written only together with what it belongs to has no input of its own.
    types = GRAPH.schema.type_map
    name = f"Create{written.entity}Input"
    taken = types.get(name) or types[f"Owned{written.entity}Creation"]
    assert isinstance(taken, GraphQLInputObjectType)
    said = {slot.column.name for _, slot, _ in slots(written)}
    for column, found in known.items():
        if found["attnotnull"] and not found["generated"] and column not in said:
            assert found["atthasdef"] or column == written.table.key.name, column
    for name, slot, own in slots(written):
        if not own or name not in taken.fields:
            continue
        field = taken.fields[name]
        needed = is_non_null_type(field.type)
        initial = known[slot.column.name]["initial"]
        if needed and field.default_value is Undefined:
            assert slot.required
            assert initial is None, f"{name} has a default in Postgres, and none in the schema"
        elif needed:
            value = str(getattr(field.default_value, "value", field.default_value))
            assert re.sub(r"^'|'(::.*)?$", "", initial).lower() == value.lower(), name
        else:
            assert not slot.required or initial is not None, name


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written.entity)
async def test_every_column_that_is_kept_by_hand_makes_a_new_version(
    line: asyncpg.Connection, written: Written
) -> None:
    known = await columns(line, written.table.name)
    if "version" not in known:
        assert not any(change.startswith(f"update{written.entity}") for change in GRAPH.changes), (
            "what is changed has versions"
        )
        return
    trigger = await line.fetchval(
        "select pg_get_triggerdef(oid) from pg_trigger "
        "where tgrelid = $1::regclass and tgname = 'next_version'",
        written.table.name,
    )
    for name, slot, _ in slots(written):
        assert re.search(rf"\bold\.\"?{slot.column.name}\b", trigger, re.IGNORECASE), name


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written.entity)
async def test_what_belongs_to_a_record_leads_to_it(
    line: asyncpg.Connection, written: Written
) -> None:
    for name, field in written.fields.items():
        if isinstance(field, Owned):
            table, local = GRAPH.written[field.written].table.name, field.owner.name
        elif isinstance(field, Linked):
            table, local = field.table, field.near
        else:
            continue
        leads = await line.fetchval(
            "select confrelid::regclass::text from pg_constraint join pg_attribute "
            "on attrelid = conrelid and attnum = conkey[1] and cardinality(conkey) = 1 "
            "where contype = 'f' and conrelid = $1::regclass and attname = $2",
            table,
            local,
        )
        assert leads == written.table.name, name


async def test_types_are_called_in_sql_as_they_are_in_the_schema(
    line: asyncpg.Connection,
) -> None:
    for entity in GRAPH.entities.values():
        if "history" in entity.fields:
            called = await line.fetchval("select type_called($1)", entity.table.name)
            assert called == entity.name
