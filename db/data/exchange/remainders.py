"""What the standard says of a record beyond what the directory has is kept for the next export.

For each piece the directory is asked what it makes of it now, by the very statements of the export.
Where that is not what was said, both are kept: an export then says what was said, for as long as
the directory still makes the same of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

import asyncpg

from db.data.exchange.records import Ours
from db.data.exchange.runs import Run
from db.data.exchange.standard import BACK, ENTITIES
from db.data.hsds import BY_ID, OBJECTS

# What is part of a row of ours, and by which column of the export.
_PARTS = {
    "address": "location_id",
    "accessibility": "location_id",
    "language": "service_id",
    "attribute": "link_id",
    "schedule": "service_id",
}
# Of what is ours for everybody, others have nothing to say.
_FIXED = ("taxonomy", "taxonomy_term")


async def prepare(line: asyncpg.Connection) -> None:
    """Make the table in which waits what pieces are called as parts of our rows."""
    await line.execute(
        "create temp table incoming_ours (entity text, key uuid, our uuid, owner uuid)"
        " on commit drop"
    )


async def call(line: asyncpg.Connection, ours: Iterable[Ours]) -> None:
    """Note what pieces are called as parts of our rows."""
    await line.copy_records_to_table(
        "incoming_ours", records=[(o.entity, o.key, o.our, o.owner) for o in ours]
    )


async def keep(
    line: asyncpg.Connection,
    run: Run,
    source_id: UUID,
    refused: Collection[UUID],
    conflicting: Collection[UUID],
) -> None:
    """Keep what is beyond. Of what was refused nothing is, nor of what is inside of that.

    Nor of what stays as it is (inside.py).
    """
    await line.execute("create index on incoming_ours (key, entity)")
    await line.execute("create temp table incoming_refused (key uuid primary key) on commit drop")
    await line.copy_records_to_table("incoming_refused", records=[(key,) for key in {*refused}])
    await line.execute(
        "insert into incoming_refused select key from incoming_left on conflict do nothing"
    )
    while await line.fetchval(_INSIDE, run.id):
        pass
    await line.execute("create temp table incoming_conflicts (key uuid primary key) on commit drop")
    await line.copy_records_to_table(
        "incoming_conflicts", records=[(key,) for key in {*conflicting}]
    )
    await line.execute("analyze incoming_ours, incoming_refused, incoming_conflicts")
    await line.execute(
        "create temp table incoming_remainders on commit drop as"
        " select entity, key, key as piece, said, made, parents, again, location_id"
        " from hsds_remainders with no data"
    )
    for entity in ENTITIES:
        await line.execute(_kept(entity), run.id)
    gone = await line.fetchval(_GONE, run.id)
    changed = await line.fetch(_WRITE, source_id)
    new = sum(row["new"] for row in changed)
    counts = (new, len(changed) - new + gone, 0)
    run.counts["hsds_remainders"] = counts
    run.inserted += counts[0]
    run.changed += counts[1]


# What is inside of nothing but what was refused.
_INSIDE = """
    with more as (
        insert into incoming_refused
        select distinct s.key from import_rows s
        where s.run_id = $1 and s.parents <> '{}'
          and not exists (select from incoming_refused i where i.key = s.key)
          and not exists (select from unnest(s.parents) p
                          where not exists (select from incoming_refused i where i.key = p))
          and s.parents && array(select key from incoming_refused)
        on conflict do nothing returning 1
    )
    select count(*) from more
"""


def _kept(entity: str) -> str:
    """The statement that finds what is beyond what the directory makes of a kind of piece."""
    made = "null::jsonb"
    joined = ""
    if entity in BY_ID:
        joined += f" left join ({BY_ID[entity]}) b on b.id = s.key"
        made = "to_jsonb(b)"
    if entity in _PARTS:
        # Joined by what it belongs to, which an index finds, and not by an id that is worked out.
        joined += (
            f" left join lateral (select * from ({OBJECTS[entity]}) m"
            f" where m.{_PARTS[entity]} = o.owner and m.id = o.our) part on true"
        )
        made = "to_jsonb(part)" if made.startswith("null") else f"coalesce({made}, to_jsonb(part))"
    fixed = (
        f" and not exists (select from ({OBJECTS[entity]}) f where f.id = s.key)"
        if entity in _FIXED
        else ""
    )
    # Inside of a service a program does not say of which organization it is: it stays of that.
    links = "".join(f"'{by}', before.said -> '{by}', " for by in BACK[entity])
    before = f"jsonb_strip_nulls(jsonb_build_object({links.rstrip(', ')}))"
    return f"""
        with pieces as materialized (
            select s.key as piece, {before} || s.object as object, s.number,
                   -- What is inside of a part of ours is inside of what we call it.
                   array(select coalesce((select i.our from incoming_ours i where i.key = p
                                          limit 1), p)
                         from unnest(coalesce(before.parents, s.parents)) p order by 1) as parents,
                   coalesce(o.our, s.key) as key, o.our is not null as part,
                   -- An empty cell of a table cannot be told from one that is not there.
                   (select jsonb_object_agg(m.key, m.value)
                    from jsonb_each(jsonb_strip_nulls({made})) m
                    where m.value <> '""' or s.object ? m.key) as made,
                   (select l.id from locations l where l.id = any (s.parents || s.key) limit 1)
                       as location_id
            from import_rows s
            left join hsds_remainders before
                on s.parents = '{{}}' and before.entity = s.entity and before.key = s.key
            left join lateral (select i.our, i.owner from incoming_ours i
                               where i.key = s.key and i.entity = s.entity limit 1) o on true
            {joined}
            where s.run_id = $1 and s.entity = '{entity}'
              and not exists (select from incoming_refused r where r.key = s.key)
              and not exists (select from incoming_conflicts c
                              where c.key in (s.key, o.owner)){fixed}
        ), others as (
            select *, case when made is null then parents else array(
                select p from unnest(parents) p
                where not exists (select from jsonb_each_text(made) m
                                  where m.value = p::text and m.key like '%\\_id')) end as outside
            from pieces
        ), differing as (
            select *, case when made is null then object
                           else hsds_different(object, made) end as said
            from others
        )
        insert into incoming_remainders
        select '{entity}', case when made is null then piece else key end, piece, said,
               case when made is not null then
                   coalesce((select jsonb_object_agg(m.key, m.value) from jsonb_each(made) m
                             where said ? m.key), '{{}}') end,
               case when part and made is not null and {entity in _PARTS} then '{{}}'
                    else outside end,
               false, location_id
        from differing
        where made is null or said <> '{{}}' or (outside <> '{{}}' and not part)
        union all
        select '{entity}', piece, piece, object, null, outside, true, location_id
        from differing where part and made is not null and outside <> '{{}}'
    """


# What was kept of these pieces, and is not any more.
_GONE = """
    with gone as (
        delete from hsds_remainders r using import_rows s
        where s.run_id = $1 and r.entity = s.entity
          and r.key in (s.key, (select i.our from incoming_ours i
                                where i.key = s.key and i.entity = s.entity limit 1))
          and not exists (select from incoming_refused f where f.key = s.key)
          and not exists (select from incoming_conflicts c where c.key = s.key)
          and not exists (select from incoming_remainders n
                          where n.entity = r.entity and n.key = r.key)
        returning 1
    )
    select count(*) from gone
"""

_WRITE = """
    insert into hsds_remainders as r
        (entity, key, said, made, parents, again, location_id, source_id)
    select distinct on (entity, key) entity, key, said, made, parents, again, location_id, $1
    from incoming_remainders order by entity, key, again
    on conflict (entity, key) do update
    set said = excluded.said, made = excluded.made, parents = excluded.parents,
        again = excluded.again, location_id = excluded.location_id
    where (r.said, r.made, r.parents, r.again, r.location_id) is distinct from
          (excluded.said, excluded.made, excluded.parents, excluded.again, excluded.location_id)
    returning r.xmax = 0 as new
"""
