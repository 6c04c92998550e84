"""What people did stays: a load neither overwrites it nor brings back what they removed.

The change log says who did what last to a record. What is staged is compared with that before any
of it is merged: what refers to a record that was merged into another refers to that one; what
people removed is left out, and whatever is only there for it; and what people wrote is held, so
that nothing of the files goes there. Where the files say otherwise, the report tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from db.data.report import Conflict, LoadError

if TYPE_CHECKING:
    from db.data.merge import Target

_ANY = """
    select exists (select from changes where role in ('PARTNER', 'STAFF', 'ADMIN'))
        or exists (select from aliases)
"""
_PREPARE = """
    create temp table held on commit drop as
        select entity, key from unnest($1::text[]) entity, changed_by_people(entity)
        where operation <> 'DELETE';
"""
_GONE = """
    create temp table gone on commit drop as
        select entity, key, true as told from unnest($1::text[]) entity, changed_by_people(entity) p
        where operation = 'DELETE'
            and not exists (select from aliases a
                            where a.entity = entity.entity and a.name = 'id' and a.value = p.key)
        union all
        select entity, value, false from aliases where name = 'id' and entity = any ($1)
"""
_REFERENCES = """
    select c.conrelid::regclass::text as table, a.attname as column,
           c.confrelid::regclass::text as to, format_type(a.atttypid, a.atttypmod) as type,
           a.attnotnull as needed
    from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.contype = 'f' and c.conrelid = any ($1::text[]::regclass[]) and a.attgenerated = ''
    order by 1, 2
"""
# Columns that are unique together; the key is for `on conflict` to look at.
_TOGETHER = """
    select array(select attname::text from pg_attribute
                 where attrelid = indrelid and attnum = any (indkey) order by attnum)
    from pg_index
    where indrelid = $1::text::regclass and indisunique and not indisprimary and indnkeyatts > 1
        and indexprs is null and indpred is null
"""
# A person's line, and next to it one of ours: it came while we were at it.
_MEANWHILE = """
    select p.entity, p.key from changes p
    join changes m on m.entity = p.entity and m.key = p.key
        and m.xid = pg_current_xact_id() and m.seq > p.seq
    where p.role in ('PARTNER', 'STAFF', 'ADMIN') and p.entity = any ($1)
        and not exists (select from changes b where b.entity = p.entity and b.key = p.key
                        and b.seq > p.seq and b.seq < m.seq)
    limit 1
"""


@dataclass(frozen=True, slots=True)
class People:
    """Whether people have changed anything at all, and where a load would say otherwise."""

    any: bool
    conflicts: Sequence[Conflict] = ()


async def signed(connection: asyncpg.Connection) -> None:
    """Say in the log that what this transaction does is done by a load, and not by a person."""
    await connection.execute(
        "select set_config('directory.actor', 'load', true), set_config('directory.role', '', true)"
    )


async def respected(
    connection: asyncpg.Connection,
    targets: Sequence[Target],
    columns: Mapping[str, Sequence[str]],
) -> People:
    """What is staged, made so that nothing of it is against people."""
    if not await connection.fetchval(_ANY):
        return People(any=False)
    tables = [target.table for target in targets]
    # What a function is asked about many tables for is asked once.
    await connection.execute(_PREPARE.replace("$1", _literal(tables)))
    await connection.execute(_GONE.replace("$1", _literal(tables)))
    references = await connection.fetch(_REFERENCES, tables)
    conflicts: list[Conflict] = []
    for target in targets:
        staged = set(columns[target.table])
        for to in references:
            if to["table"] == target.table and to["column"] in staged:
                await _refer(connection, target, to, staged)
        if len(target.key) == 1:
            conflicts += await _leave_out(connection, target)
            conflicts += await _hold(connection, target, columns[target.table])
    return People(True, conflicts)


async def checked(connection: asyncpg.Connection, targets: Sequence[Target]) -> None:
    """Refuse a load that overwrote what somebody did while it was at work."""
    met = await connection.fetchrow(_MEANWHILE, [target.table for target in targets])
    if met is not None:
        raise LoadError(
            f"Somebody changed {met['key']} of {met['entity']} meanwhile. Load again: what people"
            " did is not overwritten."
        )


async def _refer(
    connection: asyncpg.Connection, target: Target, to: asyncpg.Record, staged: set[str]
) -> None:
    """Let rows refer to what records are now; those of what is gone go with it."""
    table, column = f"staged_{target.table}", to["column"]
    moved = await connection.fetch(
        f"update {table} s set {column} = a.key::{to['type']} from aliases a"
        f" where a.entity = $1 and a.name = 'id' and a.value = s.{column}::text"
        f" returning s.{column}",
        to["to"],
    )
    if moved:
        for (together,) in await connection.fetch(_TOGETHER, target.table):
            if column in together and staged.issuperset(together):
                same = " and ".join(f"t.{each} = s.{each}" for each in together)
                other = " or ".join(f"t.{each} <> s.{each}" for each in target.key)
                await connection.execute(
                    f"delete from {table} s using {target.table} t where {same} and ({other})"
                )
    gone = f"s.{column}::text = g.key and g.entity = $1"
    # Exactly one of the columns of an owner is not null.
    if to["needed"] or column in target.owners:
        key = f"s.{target.key[0]}::text"
        await connection.execute(
            f"with away as (delete from {table} s using gone g where {gone} returning {key} as key)"
            f" insert into gone select '{target.table}', key, false from away"
            if len(target.key) == 1
            else f"delete from {table} s using gone g where {gone}",
            to["to"],
        )
    else:
        await connection.execute(
            f"update {table} s set {column} = null from gone g where {gone}", to["to"]
        )


async def _leave_out(connection: asyncpg.Connection, target: Target) -> list[Conflict]:
    """Take out what people removed."""
    rows = await connection.fetch(
        f"delete from staged_{target.table} s using gone g"
        f" where g.entity = $1 and g.key = s.{target.key[0]}::text returning g.key, g.told",
        target.table,
    )
    return [Conflict(target.table, row["key"], ()) for row in rows if row["told"]]


async def _hold(
    connection: asyncpg.Connection, target: Target, columns: Sequence[str]
) -> list[Conflict]:
    """Where the files say something else than people do: they are left to decide."""
    key = target.key[0]
    values = [name for name in columns if name not in (key, *target.frozen)]
    if not values or target.append_only:
        return []
    each = ", ".join(
        f"case when t.{name} is distinct from s.{name} then '{name}' end" for name in values
    )
    rows = await connection.fetch(
        f"select h.key, array_remove(array[{each}], null) as columns, to_jsonb(s) as row"
        " from held h"
        f" join staged_{target.table} s on s.{key}::text = h.key"
        f" join {target.table} t on t.{key} = s.{key}"
        f" where h.entity = $1 and ({', '.join(f't.{name}' for name in values)})"
        f" is distinct from ({', '.join(f's.{name}' for name in values)}) order by h.key",
        target.table,
    )
    proposed = []
    for row in rows:
        staged = json.loads(row["row"])
        said = json.dumps({name: staged[name] for name in row["columns"]}, ensure_ascii=False)
        proposed.append((target.table, row["key"], said, "load"))
    await connection.executemany("select propose_from_feed($1, $2, $3::jsonb, $4)", proposed)
    return [Conflict(target.table, row["key"], tuple(row["columns"])) for row in rows]


def _literal(names: Sequence[str]) -> str:
    """Names of ours, as an array; `create table as` takes no parameters."""
    return "array[" + ", ".join(f"'{name}'" for name in names) + "]::text[]"
