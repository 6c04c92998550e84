"""A table of records of one type, whose columns are called as an export calls them.

A row with an id changes that record, and one without is a new one; of records that are known by a
code, one whose code nobody has is new. An empty cell is null. A row of which a cell cannot be read
is left out: without the cell it would say something else.
"""

from __future__ import annotations

import csv
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
from db.mapping import Cell, Column, Sheet

_BATCH = 1000

_COLUMNS = """
    select a.attname as name, a.attnotnull as needed, pg_get_expr(d.adbin, d.adrelid) as default
    from pg_attribute a
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped
        and a.attgenerated = ''
"""


@dataclass(frozen=True, slots=True)
class _File:
    """What a file has columns for, and how its rows are written."""

    sheet: Sheet
    cells: Mapping[str, Cell]
    target: Target

    @property
    def key(self) -> Column:
        return self.sheet.table.key

    @property
    def names(self) -> tuple[str, ...]:
        """What the column may be called that says which record a row is."""
        return ("id",) if self.key.type == "uuid" else ("id", self.key.name)

    def said(self, cells: Mapping[str, str]) -> tuple[str, str]:
        """Which record a row says that it is, and where it says so."""
        found = ((name, cells[name].strip()) for name in self.names if name in cells)
        return next(((name, said) for name, said in found if said), (self.names[-1], ""))


async def take_table(
    url: str,
    path: Path,
    sheet: Sheet,
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
        about = f"{sheet.name} of {key}"
        run = await begin(line, "CSV", path, dry_run=dry_run, about=about, asked=asked)
        async with failing(line, run):
            file = await _read(line, path, sheet)
            if run.state == "STAGING":
                await _stage(line, run, key, path, file, told)
                await checked(line, run)

            async def write() -> UUID:
                source_id = await source_of(line, run, key)
                await _write(line, run, source_id, file, dated, told)
                return source_id

            await applied_or_undone(line, run, write)
        return run


async def _read(line: asyncpg.Connection, path: Path, sheet: Sheet) -> _File:
    """What the columns of the file are. Those that are not are told by name, before all else."""
    with path.open("rb") as opened:
        _, head = next(rows(opened, path.name))
    if unknown := [name for name in head if name not in sheet.cells]:
        raise LoadError(f"{path.name}:1: a {sheet.name} has no {_list(unknown)}")
    found: dict[str, Cell] = {}
    for name in head:
        cell = sheet.cells[name]
        if cell.column.name in (sheet.table.key.name, *sheet.writable):
            cell = replace(cell, own=None)
        elif cell.own in sheet.writable:
            cell = replace(cell, column=replace(cell.column, name=cell.own))
        else:
            raise LoadError(f"{path.name}:1: {name} is worked out, and cannot be written")
        for other, each in found.items():
            if each.column.name == cell.column.name:
                raise LoadError(f"{path.name}:1: {other} and {name} are the same")
        found[name] = cell
    columns = await line.fetch(_COLUMNS, sheet.table.name)
    file = _File(sheet, found, _target(sheet, found, columns))
    if file.key.type != "uuid" and not set(file.names) & set(head):
        names = " or ".join(file.names)
        raise LoadError(f"{path.name}:1: there has to be {names}, to know which {sheet.name} it is")
    return file


def _target(
    sheet: Sheet, found: Mapping[str, Cell], columns: Sequence[Mapping[str, Any]]
) -> Target:
    table, key = sheet.table.name, sheet.table.key.name
    needed = {each["name"]: each["default"] for each in columns if each["needed"]}
    defaults = {name: default for name, default in needed.items() if default is not None}
    known = {each["name"] for each in columns}
    named = [cell.column.name for cell in found.values() if cell.column.name != key]
    # Where a new record comes from is the file's to say. What it needs beside, and the file has
    # not, is taken from the row that is there, or made up for one that is not.
    rest = sorted((needed.keys() - defaults.keys() | {"source_id"} & known) - {key, *named})
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
        (key, *dict.fromkeys([*named, *rest])),
        key=(key,),
        frozen=tuple(rest),
        default={name: default for name, default in defaults.items() if name in named},
        refers={
            cell.column.name: cell.leads[1]
            for cell in found.values()
            if cell.leads is not None and cell.column.name != key and cell.column.type == "uuid"
        },
        owners=sheet.owners,
        whole=True,
        dated="updated_at" in known,
        tweak=tweak,
        words={cell.column.name: name for name, cell in found.items()},
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:10]) + ("" if len(names) <= 10 else " ...")


async def _stage(
    line: asyncpg.Connection, run: Run, key: str, path: Path, file: _File, told: Told
) -> None:
    told("reading", 0, 0)
    with path.open("rb") as opened:
        found = rows(opened, path.name)
        next(found)
        left = (each for number, each in enumerate(found) if number >= run.rows_read)
        for batch in batches(left, _BATCH):
            pieces: list[Piece | Problem] = []
            for number, cells in batch:
                place = f"{path.name}:{number}"
                pieces.append(_piece(file, key, place, cells))
            await stage(line, run, len(batch), pieces, alike=False)
            told("staged", run.rows_staged, 0)
    if run.rows_read == 0:
        raise LoadError(f"{path.name}: holds no row")


def _piece(file: _File, key: str, place: str, cells: dict[str, str]) -> Piece | Problem:
    type_name, table = file.sheet.name, file.sheet.table.name
    name, said = file.said(cells)
    if file.key.type != "uuid":
        _, _, code = said.rpartition(":") if name == "id" else ("", "", said)
        if not code:
            message = f"is needed to know which {type_name} it is"
            return Problem(place, type_name, name, said, "MISSING", message)
        if said not in (code, f"{type_name}:{code}"):
            message = f"is not the id of a {type_name}"
            return Problem(place, type_name, name, said, "INVALID", message)
        return Piece(type_name, uuid5(NAMESPACE, f"{table}/{code}"), {**cells, "id": code}, place)
    if not said:
        # The same row again is the same record again.
        own = {name: cell for name, cell in cells.items() if name != "id"}
        new = uuid5(NAMESPACE, f"{table}/{key}/{json.dumps(own, sort_keys=True)}")
        return Piece(type_name, new, {**cells, "id": ""}, place)
    found = _uuid(said, type_name)
    if found is None:
        message = f"is not the id of a {type_name}"
        return Problem(place, type_name, "id", said, "INVALID", message)
    return Piece(type_name, found, {**cells, "id": str(found)}, place)


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
    file: _File,
    dated: datetime | None,
    told: Told,
) -> None:
    target, type_name, key = file.target, file.sheet.name, file.key
    await prepare(line, target)
    problems: list[Problem] = []
    # A new record without a code of its own is known by what it was staged as.
    named = f"coalesce(nullif(s.object ->> 'id', ''), s.key::text)::{key.type}"
    known = f'select to_jsonb(t) from {target.table} t where t."{key.name}" = {named}'
    statement = (
        f"select s.key, s.object::text, s.place, ({known})::text as there from import_rows s"
        " where s.run_id = $1 order by s.number, s.key"
    )
    waiting: list[Incoming] = []
    done = 0
    async for staged, text, place, there in line.cursor(statement, run.id, prefetch=500):
        done += 1
        cells = json.loads(text)
        before = json.loads(there) if there else None
        if before is None and cells["id"] and key.type == "uuid":
            message = f"there is no such {type_name}"
            problems.append(
                Problem(place, type_name, "id", cells["id"], "UNKNOWN_REFERENCE", message)
            )
            continue
        values, wrong = _values(file, place, cells)
        problems += wrong
        if wrong:
            continue
        values[key.name] = staged if key.type == "uuid" else cells["id"]
        if "slug" in target.columns and not values.get("slug"):
            name = slug(str(values.get("name") or type_name), limit=50)
            made = f"{name or 'record'}-{staged.hex[:8]}"
            values["slug"] = made if before is None else before["slug"]
        for column in target.columns:
            if column not in values and before is not None:
                values[column] = _kept(before.get(column))
        if before is None:
            values["source_id"] = source_id
        row = tuple(values.get(column) for column in target.columns)
        waiting.append(Incoming(type_name, staged, place, dated, row))
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
    file: _File, place: str, cells: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for name, cell in file.cells.items():
        said = cells[name]
        if cell.column.name == file.key.name:
            continue
        if said == "":
            values[cell.column.name] = None
            continue
        try:
            values[cell.column.name] = _value(cell, said)
        except ValueError as error:
            problems.append(Problem(place, file.sheet.name, name, said, "INVALID", str(error)))
    return values, problems


def _value(cell: Cell, said: str) -> object:
    if cell.column.array:
        # As an export joins them.
        items = next(csv.reader([said], delimiter=";", skipinitialspace=True), [])
        return [_one(cell, item.strip()) for item in items if item.strip()]
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
