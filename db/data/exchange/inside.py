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

_READ_ONLY = "is of a prison, a visitor center or a program: no feed changes these"


async def leave(line: asyncpg.Connection, run: Run) -> None:
    """Find what stays as it is, into the table `incoming_left`, and tell what a feed says else."""
    await line.execute(
        "create temp table incoming_left (entity text, key uuid, primary key (entity, key))"
        " on commit drop"
    )
    problems: list[Problem] = []
    unchanged = 0
    for entity, ours in INSIDE.items():
        async for key, place, different in line.cursor(_known(entity, ours), run.id):
            await line.execute("insert into incoming_left values ($1, $2)", entity, key)
            said = json.loads(different)
            unchanged += not said
            run.conflicting += bool(said)
            problems += [
                Problem(place, entity, name, value, "CONFLICT", _READ_ONLY)
                for name, value in said.items()
            ]
    while more := await line.fetch(_WITHIN, run.id):
        run.conflicting += len(more)
        problems += [
            Problem(place, entity, None, key, "CONFLICT", f"What it is inside of {_READ_ONLY}")
            for entity, key, place in more
        ]
    await reject(line, run, problems)
    if unchanged:
        run.counts[_COUNTED] = (0, 0, unchanged)
        run.unchanged += unchanged


def _known(entity: str, ours: str) -> str:
    """The pieces that we have so, and which of what they say differs."""
    return f"""
        select s.key, s.place, (
            select coalesce(jsonb_object_agg(e.key, e.value), '{{}}')::text
            from jsonb_each(s.object) e
            where e.value <> '""' and e.value is distinct from to_jsonb(b) -> e.key)
        from import_rows s join ({ours}) b on b.id = s.key
        where s.run_id = $1 and s.entity = '{entity}'
        order by s.number
    """


# What is inside of nothing but what stays as it is.
_WITHIN = """
    insert into incoming_left
    select s.entity, s.key from import_rows s
    where s.run_id = $1 and s.parents <> '{}'
      and not exists (select from incoming_left l where l.entity = s.entity and l.key = s.key)
      and not exists (select from unnest(s.parents) p
                      where not exists (select from incoming_left l where l.key = p))
    returning entity, key, (select r.place from import_rows r
                            where r.run_id = $1 and r.entity = incoming_left.entity
                              and r.key = incoming_left.key)
"""
