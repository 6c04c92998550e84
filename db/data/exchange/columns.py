"""A table of records of one type, whose columns are called as an export calls them.

A row with an id changes that record, and one without is a new one. An empty cell is null. A row of
which a cell cannot be read is left out: without the cell it would say something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from db.connection import connected
from db.data.exchange.applied import Incoming, Target, add, apply, prepare
from db.data.exchange.feeds import silent
from db.data.exchange.finishing import applied_or_undone, failing, source_of
from db.data.exchange.pieces import Piece, Problem
from db.data.exchange.runs import Run, Told, batches, begin, checked, reject, stage
from db.data.exchange.tables import rows
from db.data.identity import NAMESPACE, slug
from db.data.report import LoadError
from db.mapping import Cell

_BATCH = 1000

# What Postgres works out itself is not recorded, nor is what only says when a row was written.
_WRITABLE = """
    select name from pg_trigger t,
        unnest(recorded_columns(t.tgrelid,
                                split_part(encode(t.tgargs, 'escape'), '\\000', 2)::text[])) name
    where t.tgrelid = $1::text::regclass and t.tgname = 'record_updated'
        and name not in ('created_at', 'updated_at', 'source_id')
"""
_NEEDED = """
    select attname from pg_attribute
    where attrelid = $1::text::regclass and attnum > 0 and attnotnull and not atthasdef
"""
_DEFAULTS = """
    select a.attname, pg_get_expr(d.adbin, d.adrelid) from pg_attribute a
    join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = $1::text::regclass and a.attnotnull and a.attgenerated = ''
"""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A file's columns, and the table that they are of."""

    type_name: str
    table: str
    key: Cell
    cells: Mapping[str, Cell]
    target: Target


async def take_table(
    url: str,
    path: Path,
    type_name: str,
    table: str,
    cells: Sequence[Cell],
    *,
    source: str | None = None,
    dated: datetime | None = None,
    dry_run: bool = False,
    told: Told = silent,
    asked: UUID | None = None,
) -> Run:
    """Import a file of records of a type. Raises LoadError if nothing of it can be trusted.

    The same file imported again changes nothing; after a crash it goes on where it was.
    What a client has `asked` for is that run.
    """
    key = source or f"CSV-{slug(path.stem) or 'table'}"
    async with connected(url) as line:
        about = f"{type_name} of {key}"
        run = await begin(line, "CSV", path, dry_run=dry_run, about=about, asked=asked)
        async with failing(line, run):
            sheet = await _sheet(line, path, type_name, table, cells)
            if run.state == "STAGING":
                await _stage(line, run, key, path, sheet, told)
                await checked(line, run)

            async def write() -> UUID:
                source_id = await source_of(line, run, key)
                await _write(line, run, source_id, sheet, dated, told)
                return source_id

            await applied_or_undone(line, run, write)
        return run


async def _sheet(
    line: asyncpg.Connection, path: Path, type_name: str, table: str, cells: Sequence[Cell]
) -> _Sheet:
    """What the columns of the file are. Those that are not are told by name, before all else."""
    with path.open("rb") as file:
        _, head = next(rows(file, path.name))
    known = {cell.name: cell for cell in cells}
    if unknown := [name for name in head if name not in known]:
        raise LoadError(f"{path.name}:1: a {type_name} has no {_list(unknown)}")
    writable = {name for (name,) in await line.fetch(_WRITABLE, table)}
    own = next(cell for cell in cells if cell.name == "id")
    found: dict[str, Cell] = {}
    for name in head:
        cell = known[name]
        column = cell.column.name
        if column not in writable and cell.own is not None and cell.own in writable:
            cell = replace(cell, column=replace(cell.column, name=cell.own))
        elif column not in writable:
            raise LoadError(f"{path.name}:1: {name} is worked out, and cannot be written")
        else:
            cell = replace(cell, own=None)
        if any(each.column.name == cell.column.name for each in found.values()):
            other = next(n for n, c in found.items() if c.column.name == cell.column.name)
            raise LoadError(f"{path.name}:1: {other} and {name} are the same")
        found[name] = cell
    needed = {name for (name,) in await line.fetch(_NEEDED, table)}
    return _Sheet(
        type_name,
        table,
        own,
        found,
        _target(table, own, found, needed, dict(await line.fetch(_DEFAULTS, table))),
    )


def _target(
    table: str,
    own: Cell,
    found: Mapping[str, Cell],
    needed: set[str],
    defaults: Mapping[str, str],
) -> Target:
    named = [cell.column.name for name, cell in found.items() if name != "id"]
    # Where a new record comes from is the file's to say, though Postgres knows who else it may be.
    sourced = {"source_id"} if "source_id" in defaults else set[str]()
    frozen = [name for name in ("slug", "source_id") if name in needed | sourced]
    # What a new row needs and the file has not is taken from the row that is there.
    rest = sorted(needed - {own.column.name, *named, *frozen})
    withheld = [cell.column.name for cell in found.values() if cell.own is not None]
    tweak = None
    if table == "locations" and withheld:
        # What was not told to whoever wrote the file is not denied by an empty cell.
        kept = ", ".join(f'"{name}" = coalesce(i."{name}", t."{name}")' for name in withheld)
        tweak = (
            f"update incoming_locations i set {kept} from locations t"
            " where t.id = i.id and t.address_visibility <> 'PUBLIC'"
        )
    return Target(
        table,
        (own.column.name, *dict.fromkeys([*named, *frozen, *rest])),
        key=(own.column.name,),
        frozen=(*frozen, *rest),
        default={name: defaults[name] for name in named if name in defaults},
        refers={
            cell.column.name: cell.leads[1]
            for name, cell in found.items()
            if cell.leads is not None and name != "id" and cell.column.type == "uuid"
        },
        whole=True,
        tweak=tweak,
        words={cell.column.name: name for name, cell in found.items()},
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:10]) + ("" if len(names) <= 10 else " ...")


async def _stage(
    line: asyncpg.Connection, run: Run, key: str, path: Path, sheet: _Sheet, told: Told
) -> None:
    told("reading", 0, 0)
    with path.open("rb") as file:
        found = rows(file, path.name)
        next(found)
        left = (each for number, each in enumerate(found) if number >= run.rows_read)
        for batch in batches(left, _BATCH):
            pieces: list[Piece | Problem] = []
            for number, cells in batch:
                place = f"{path.name}:{number}"
                pieces.append(_piece(sheet, key, place, cells))
            await stage(line, run, len(batch), pieces, alike=False)
            told("staged", run.rows_staged, 0)
    if run.rows_read == 0:
        raise LoadError(f"{path.name}: holds no row")


def _piece(sheet: _Sheet, key: str, place: str, cells: dict[str, str]) -> Piece | Problem:
    said = cells.get("id", "").strip()
    if not said:
        # The same row again is the same record again.
        own = {name: cell for name, cell in cells.items() if name != "id"}
        text = json.dumps(own, sort_keys=True)
        new = uuid5(NAMESPACE, f"{sheet.table}/{key}/{text}")
        return Piece(sheet.type_name, new, {**cells, "id": ""}, place)
    found = _uuid(said, sheet.type_name)
    if found is None:
        message = f"is not the id of a {sheet.type_name}"
        return Problem(place, sheet.type_name, "id", said, "INVALID", message)
    return Piece(sheet.type_name, found, cells, place)


def _uuid(said: str, type_name: str) -> UUID | None:
    """A global id, or the key in it."""
    name, colon, key = said.rpartition(":")
    if colon and name != type_name:
        return None
    try:
        return UUID(key)
    except ValueError:
        return None


async def _write(
    line: asyncpg.Connection,
    run: Run,
    source_id: UUID,
    sheet: _Sheet,
    dated: datetime | None,
    told: Told,
) -> None:
    target = sheet.target
    await prepare(line, target)
    problems: list[Problem] = []
    known = f"select to_jsonb(t) from {sheet.table} t where t.id = s.key"
    statement = (
        f"select s.key, s.object::text, s.place, ({known})::text as there from import_rows s"
        " where s.run_id = $1 order by s.number, s.key"
    )
    waiting: list[Incoming] = []
    done = 0
    async for key, text, place, there in line.cursor(statement, run.id, prefetch=500):
        done += 1
        cells = json.loads(text)
        before = json.loads(there) if there else None
        if before is None and cells.get("id"):
            message = f"there is no such {sheet.type_name}"
            problems.append(
                Problem(place, sheet.type_name, "id", cells["id"], "UNKNOWN_REFERENCE", message)
            )
            continue
        values, wrong = _values(sheet, place, cells)
        problems += wrong
        if wrong:
            continue
        values[sheet.key.column.name] = key
        for name in target.columns:
            if name not in values and before is not None:
                values[name] = _kept(before.get(name))
        if before is None:
            values["source_id"] = source_id
            if "slug" in target.columns and not values.get("slug"):
                name = slug(str(values.get("name") or sheet.type_name), limit=50)
                values["slug"] = f"{name or 'record'}-{key.hex[:8]}"
        elif "slug" in target.columns:
            values["slug"] = before["slug"]
        row = tuple(values.get(name) for name in target.columns)
        waiting.append(Incoming(sheet.type_name, key, place, dated, row))
        if len(waiting) >= _BATCH:
            told("checked", done, run.rows_staged)
            await add(line, target, waiting)
            waiting.clear()
    await add(line, target, waiting)
    run.rejected += len({problem.place for problem in problems})
    await reject(line, run, problems)
    told(f"writing {target.table}", 0, 0)
    await apply(line, run, target)


def _kept(value: object) -> object:
    """A value of a row as JSON has it; what was a uuid is one again."""
    if isinstance(value, str) and re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        return UUID(value)
    return value


def _values(
    sheet: _Sheet, place: str, cells: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for name, cell in sheet.cells.items():
        said = cells[name]
        if name == "id":
            continue
        if said == "":
            values[cell.column.name] = None
            continue
        try:
            values[cell.column.name] = _value(cell, said)
        except ValueError as error:
            problems.append(Problem(place, sheet.type_name, name, said, "INVALID", str(error)))
    return values, problems


def _value(cell: Cell, said: str) -> object:
    if cell.column.array:
        # As an export joins them.
        items = [item.strip() for item in said.split(";")]
        return [_one(cell, item) for item in items if item]
    return _one(cell, said)


def _one(cell: Cell, said: str) -> object:
    """A value. Raises ValueError, in words for whoever wrote it."""
    if cell.words is not None and said not in cell.words:
        raise ValueError(f"is none of {', '.join(sorted(cell.words))}")
    if cell.leads is not None:
        name = cell.leads[0]
        if cell.column.type == "uuid":
            if (found := _uuid(said, name)) is None:
                raise ValueError(f"is not the id of a {name}")
            return found
        head, colon, key = said.rpartition(":")
        if colon and head != name:
            raise ValueError(f"is not the id of a {name}")
        return key
    if said.startswith("'") and said[1:].startswith(_FORMULA):
        said = said[1:]  # as an export writes what a spreadsheet takes for a formula
    read, example = _READ[cell.column.type]
    try:
        return read(said)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not written as in {example!r}") from error


# As in web/files.py, which may not be asked from here.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def _whole(said: str) -> int:
    number = int(said) if re.fullmatch(r"-?\d{1,10}", said, re.ASCII) else 2**31
    if not -(2**31) <= number < 2**31:
        raise ValueError(said)
    return number


def _decimal(said: str) -> float:
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,17})?(e-?\d{1,2})?", said, re.ASCII | re.IGNORECASE):
        raise ValueError(said)
    return float(said)


def _boolean(said: str) -> bool:
    return {"true": True, "false": False}[said.lower()] if said.lower() in _WORDS else _no(said)


_WORDS = ("true", "false")


def _no(said: str) -> bool:
    raise ValueError(said)


def _moment(said: str) -> datetime:
    found = datetime.fromisoformat(said)
    if found.tzinfo is None:
        raise ValueError(said)
    return found


def _clock(said: str) -> time:
    found = time.fromisoformat(said)
    if found.tzinfo is not None:
        raise ValueError(said)
    return found


_READ: Mapping[str, tuple[Any, str]] = {
    "text": (str, "text"),
    "int4": (_whole, "42"),
    "float8": (_decimal, "37.7749"),
    "bool": (_boolean, "true"),
    "date": (date.fromisoformat, "2026-07-03"),
    "timestamptz": (_moment, "2026-07-03T18:00:00Z"),
    "time": (_clock, "15:30:00"),
}
