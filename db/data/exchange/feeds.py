"""A feed of HSDS 3 becomes records: read, staged, and then applied at once."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from db.connection import connected
from db.data.exchange import inside, remainders
from db.data.exchange.applied import Incoming, add, apply, prepare
from db.data.exchange.documents import objects
from db.data.exchange.finishing import applied_or_undone, failing, source_of
from db.data.exchange.pieces import Piece, Problem, pieces
from db.data.exchange.records import TARGETS, Maker, Staged, moment
from db.data.exchange.runs import Run, Told, batches, begin, checked, reject, stage
from db.data.exchange.standard import entity_called, entity_like
from db.data.exchange.tables import Package, typed
from db.data.identity import slug
from db.data.report import LoadError

# Rows of a file whose pieces are staged in one transaction.
_BATCH = 200

Found = tuple[str, str, dict[str, Any]]


def silent(doing: str, done: int, of: int) -> None:
    """The progress of an import that nobody watches."""


async def take_feed(
    url: str,
    path: Path,
    *,
    source: str | None = None,
    dated: datetime | None = None,
    dry_run: bool = False,
    told: Told = silent,
    asked: UUID | None = None,
) -> Run:
    """Import a file, a folder or a zip of HSDS. Raises LoadError if nothing of it can be trusted.

    Records without a date of their own bear the one that the file is `dated`. The same file
    imported again changes nothing; after a crash it goes on where it was.
    What a client has `asked` for is that run.
    """
    key = source or f"HSDS-{slug(path.stem) or 'feed'}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", key):
        raise LoadError(f"{key!r} is no key of a source")
    async with connected(url) as line:
        run = await begin(line, "HSDS", path, dry_run=dry_run, about=key, asked=asked)
        async with failing(line, run):
            if run.state == "STAGING":
                await _stage(line, run, key, path, told)
                await checked(line, run)

            async def write() -> UUID:
                source_id = await source_of(line, run, key)
                await _write(line, run, source_id, dated, told)
                return source_id

            await applied_or_undone(line, run, write)
        return run


async def _stage(line: asyncpg.Connection, run: Run, key: str, path: Path, told: Told) -> None:
    told("reading", 0, 0)
    for batch in batches(_after(_objects(path), run.rows_read), _BATCH):
        found: list[Piece | Problem] = []
        for entity, place, each in batch:
            found += pieces(key, entity, place, each)
        await stage(line, run, len(batch), found)
        told("staged", run.rows_staged, 0)
    if run.rows_read == 0:
        raise LoadError(f"{path.name}: holds no record")


def _after(found: Iterator[Found], rows: int) -> Iterator[Found]:
    """What comes after so many rows, which were staged before a crash."""
    for number, each in enumerate(found):
        if number >= rows:
            yield each


def _objects(path: Path) -> Iterator[Found]:
    """Every object of a file, whatever form it has."""
    if path.is_dir() or _is_zip(path):
        yield from Package(path).objects()
        return
    if path.suffix.lower() == ".csv":
        message = "is one table; HSDS in tables is a folder with a datapackage.json"
        raise LoadError(f"{path.name}: {message}")
    called = entity_called(path.name)
    with path.open("rb") as file:
        for place, each in objects(file, path.name):
            if each and all(name.endswith(".csv") for name in each):
                yield from _tabular(path.name, place, each)
            else:
                yield called or entity_like(each), f"{path.name}:{place}", each


def _tabular(name: str, place: str, found: dict[str, Any]) -> Iterator[Found]:
    """All tables in one object, by their files."""
    for file, listed in found.items():
        entity = entity_called(file)
        if entity is None or not isinstance(listed, list):
            raise LoadError(f"{name}:{place}: {file!r} is no table of HSDS 3")
        for index, each in enumerate(listed):
            if not isinstance(each, dict):
                raise LoadError(f"{name}:{place}: {file}[{index}] is no object")
            cells = {key: value for key, value in each.items() if value not in (None, "")}
            texts = {key: value for key, value in cells.items() if isinstance(value, str)}
            yield entity, f"{name}:{place} {file}[{index}]", cells | typed(texts)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix.lower() == ".zip" or file.read(4) == b"PK\x03\x04"


async def _maker(line: asyncpg.Connection, source_id: UUID) -> Maker:
    counties: dict[str, str] = {}
    for fips, name in await line.fetch("select fips, name from counties"):
        counties[fips] = counties[name.lower()] = fips
    terms = await line.fetch("select vocabulary, code, label_en from terms")
    return Maker(
        source_id=source_id,
        counties=counties,
        categories=frozenset(code for (code,) in await line.fetch("select code from categories")),
        languages=frozenset(code for kind, code, _ in terms if kind == "LANGUAGE"),
        labels={
            (kind, text.lower()): code for kind, code, label in terms for text in (code, label)
        },
    )


async def _write(
    line: asyncpg.Connection,
    run: Run,
    source_id: UUID,
    dated: datetime | None,
    told: Told,
) -> None:
    maker = await _maker(line, source_id)
    for target in TARGETS.values():
        await prepare(line, target)
    await remainders.prepare(line)
    await inside.leave(line, run)
    done = 0
    for entity in _MADE:
        waiting: dict[str, list[Incoming]] = {}
        async for piece in _staged(line, run, entity, dated):
            for table, row in maker.make(piece):
                waiting.setdefault(table, []).append(row)
            done += 1
            if done % 1000 == 0:
                told("checked", done, run.rows_staged)
                await _hand_over(line, run, maker, waiting)
        await _hand_over(line, run, maker, waiting)
    refused, conflicting = set(maker.refused), set[UUID]()
    for number, target in enumerate(TARGETS.values()):
        told(f"writing {target.table}", number, len(TARGETS))
        out, better = await apply(line, run, target)
        conflicting |= better
        if target.table in _RECORDS:
            refused |= out
    told("keeping what is beyond", len(TARGETS), len(TARGETS))
    await remainders.keep(line, run, source_id, refused, conflicting)


async def _hand_over(
    line: asyncpg.Connection, run: Run, maker: Maker, waiting: dict[str, list[Incoming]]
) -> None:
    """Keep what was made in Postgres, and not here: there may be very much of it."""
    for table, rows in waiting.items():
        await add(line, TARGETS[table], rows)
    waiting.clear()
    await remainders.call(line, maker.ours)
    maker.ours.clear()
    run.rejected += sum(not each.row_kept for each in maker.problems)
    await reject(line, run, maker.problems)
    maker.problems.clear()


_RECORDS = ("providers", "services", "services_at_locations", "locations")
_MADE = (
    "organization",
    "location",
    "service",
    "service_at_location",
    "language",
    "service_area",
    "cost_option",
    "required_document",
    "phone",
    "schedule",
)

# What says something of the same row, and is inside of it.
_WITH = {
    "organization": ("location",),
    "location": ("address", "accessibility", "attribute"),
    "service": ("language", "schedule", "attribute"),
}


async def _staged(
    line: asyncpg.Connection, run: Run, entity: str, dated: datetime | None
) -> AsyncIterator[Staged]:
    """The pieces of a kind, one after the other."""
    inner = _WITH.get(entity, ())
    inside = ", ".join(
        f"""(select jsonb_agg(jsonb_build_array(i.key, i.object || coalesce(
                 (select jsonb_build_object('term', t.object -> 'code',
                                            'taxonomy', t.object -> 'taxonomy')
                  from import_rows t where i.entity = 'attribute' and t.run_id = i.run_id
                    and t.entity = 'taxonomy_term'
                    and t.object ->> 'id' = i.object ->> 'taxonomy_term_id' limit 1), '{{}}'),
                 i.place) order by i.number, i.key)
             from import_rows i
             where i.run_id = s.run_id and i.parents @> array[s.key] and i.entity = '{each}')"""
        for each in inner
    )
    # The date that a record bears, or what it is inside of.
    statement = f"""
        select s.key, s.object::text, s.place,
               (select jsonb_object_agg(p.entity, p.key) from import_rows p
                where p.run_id = s.run_id and p.key = any (s.parents)
                  and p.entity in ('organization', 'service', 'service_at_location', 'location',
                                   'contact', 'phone'))::text as parents,
               coalesce(
                   (select max(m.object ->> 'last_action_date') from import_rows m
                    where m.run_id = s.run_id and m.entity = 'metadata'
                      and m.parents @> array[s.key]),
                   s.object ->> 'last_modified',
                   (select max(p.object ->> 'last_modified') from import_rows p
                    where p.run_id = s.run_id and p.entity = 'service' and p.key = any (s.parents))
               ) as dated
               {f", jsonb_build_array({inside})::text as inside" if inner else ", null as inside"}
        from import_rows s where s.run_id = $1 and s.entity = '{entity}'
          and not exists (select from incoming_left l where l.entity = s.entity and l.key = s.key)
        order by s.number, s.key
    """
    async for row in line.cursor(statement, run.id, prefetch=200):
        parents = json.loads(row["parents"] or "{}")
        object_ = json.loads(row["object"])
        lists = json.loads(row["inside"]) if row["inside"] else []
        # What leads to a record that is not in this feed may be in the directory.
        far = {name: UUID(each) for name, each in parents.items()}
        yield Staged(
            entity,
            row["key"],
            object_,
            {**_named(object_), **far},
            row["place"],
            moment(row["dated"]) or dated,
            {
                name: [(UUID(key), each, place) for key, each, place in listed or ()]
                for name, listed in zip(inner, lists, strict=True)
            },
        )


def _named(found: dict[str, Any]) -> dict[str, UUID]:
    """The records that an object names by ids that are UUIDs."""
    named = {}
    for name in ("organization", "service", "service_at_location", "location"):
        try:
            named[name] = UUID(str(found.get(f"{name}_id")))
        except ValueError:
            continue
    return named
