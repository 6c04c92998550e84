"""What is of prisons, visitor centers and programs stays as it is: no feed changes these.

An export of ours has them as organizations, services and so on. Where it comes back they are known
by their ids, and what is said of them is compared with what is here; what differs is told. In
another directory, which does not have them, they become what any feed's become.
"""

from __future__ import annotations

import json

import asyncpg

from db.data.exchange.pieces import Problem
from db.data.exchange.runs import Run, reject
from db.data.hsds import INSIDE

# How they are counted.
_COUNTED = "prisons and programs"

_NO_FEED = "is of a prison, a visitor center or a program: no feed changes these"


async def leave(line: asyncpg.Connection, run: Run) -> None:
    """Find what stays as it is, into the table `incoming_left`, and tell what a feed says else."""
    await line.execute(
        "create temp table incoming_left (entity text, key uuid, number bigint, place text,"
        " different jsonb, primary key (entity, key)) on commit drop"
    )
    for entity, ours in INSIDE.items():
        await line.execute(_known(entity, ours), run.id)
    unchanged = await line.fetchval("select count(*) from incoming_left where different = '{}'")
    await line.execute("create index on incoming_left (key)")
    while await line.fetchval(_WITHIN, run.id):
        pass
    await line.execute("analyze incoming_left")
    if unchanged:
        run.counts[_COUNTED] = (0, 0, unchanged)
        run.unchanged += unchanged
    problems: list[Problem] = []
    async for entity, key, place, different in line.cursor(_DIFFERENT, prefetch=200):
        run.conflicting += 1
        if different is None:
            message = f"what it is inside of {_NO_FEED}"
            problems.append(Problem(place, entity, None, str(key), "CONFLICT", message))
        else:
            problems += [
                Problem(place, entity, name, value, "CONFLICT", _NO_FEED)
                for name, value in json.loads(different).items()
            ]
        if len(problems) > 1000:
            await reject(line, run, problems)
            problems.clear()
    await reject(line, run, problems)


def _known(entity: str, ours: str) -> str:
    """The statement that finds the pieces that we have so, and which of what they say differs."""
    return f"""
        insert into incoming_left
        select s.entity, s.key, s.number, s.place, (
            select coalesce(jsonb_object_agg(said.key, said.value), '{{}}')
            from jsonb_each(s.object) said
            where said.value <> '""' and said.value is distinct from to_jsonb(b) -> said.key)
        from import_rows s join ({ours}) b on b.id = s.key
        where s.run_id = $1 and s.entity = '{entity}'
    """


# What is inside of nothing but what stays as it is.
_WITHIN = """
    with more as (
        insert into incoming_left
        select s.entity, s.key, s.number, s.place, null from import_rows s
        where s.run_id = $1 and s.parents <> '{}'
          and not exists (select from incoming_left l where l.entity = s.entity and l.key = s.key)
          and not exists (select from unnest(s.parents) p
                          where not exists (select from incoming_left l where l.key = p))
        returning 1
    )
    select count(*) from more
"""

_DIFFERENT = """
    select entity, key, place, different::text from incoming_left
    where different is distinct from '{}' order by number, entity, key
"""
