"""Files of HSDS 3, written while the directory is read: memory stays as it is.

A table is the rows of a select; JSON nests the same rows where HSDS has them (a service with its
places, their addresses, hours and phones).
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import IO, Any

import asyncpg

from db.connection import answering
from db.data.exchange.standard import BACK, FILES, LISTS, NUMBERS, ONES
from db.data.hsds.objects import BY_ID, OBJECTS

Progress = Callable[[str, int, int], None]


class Form(StrEnum):
    """How HSDS is written: as nested JSON, or as a tabular data package."""

    JSON = "json"
    # As answers of an API of HSDS have them: an organization with its services, and so on.
    FULL = "full"
    TABULAR = "tabular"


# What has a file of its own in JSON; all else is inside of it.
NESTED = ("organization", "service", "location", "taxonomy", "taxonomy_term")
_WHOLE = (*NESTED[:3], "service_at_location", *NESTED[3:])

# What is always nested, and what only an answer about one record nests.
_ALWAYS = frozenset({"location", "program", "taxonomy_term", "taxonomy_detail", "unit"})
_APART = frozenset({"services", "locations"})

# Rows fetched at a time.
_BATCH = 200


async def export(
    url: str,
    folder: Path,
    form: Form,
    *,
    role: str | None = None,
    progress: Progress = lambda doing, done, of: None,
) -> Mapping[str, int]:
    """Write the directory into a folder, and tell how many objects each file has.

    All of it is of one moment, and read as `role`. Each file takes the place of an older one when
    it is whole; one that fails leaves that as it was.
    """
    async with (
        answering(url, role) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        kept = frozenset(entity for (entity,) in await connection.fetch("select hsds_entities()"))
        objects = _Objects(kept, form)
        names = objects.names
        counts = {
            name: await connection.fetchval(f"select count(*) from ({objects.all(name)}) t")
            for name in names
        }
        done, of = 0, sum(counts.values()) or 1
        fields: dict[str, Mapping[str, str]] = {}
        for name in names:
            suffix = "csv" if form is Form.TABULAR else "json"
            with whole(folder / f"{FILES[name]}.{suffix}") as file:
                if form is Form.TABULAR:
                    written = _table(connection, objects, name, file, fields)
                else:
                    written = _json(connection, objects, name, file)
                async for _ in written:
                    done += 1
                    if done % _BATCH == 0:
                        progress(FILES[name], done, of)
        if form is Form.TABULAR:
            with whole(folder / "datapackage.json") as file:
                json.dump(_package(fields), file, indent=2)
                file.write("\n")
        progress("", of, of)
    return {FILES[name]: count for name, count in counts.items()}


@contextmanager
def whole(path: Path) -> Iterator[IO[str]]:
    """A file that is there when all of it is written, and else as it was before."""
    partly = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partly.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partly.replace(path)
    finally:
        partly.unlink(missing_ok=True)


async def _json(
    connection: asyncpg.Connection, objects: _Objects, name: str, file: IO[str]
) -> AsyncIterator[None]:
    separator = "[\n"
    nested = objects.nested(name, "t", top=True)
    statement = f"select {nested}::text from ({objects.all(name)}) t order by t.id"
    async for (text,) in connection.cursor(statement, prefetch=_BATCH):
        file.write(separator + text)
        separator = ",\n"
        yield
    file.write("\n]\n" if separator == ",\n" else "[]\n")


@dataclass(frozen=True, slots=True)
class _Objects:
    """Statements for objects of HSDS: what the directory makes, and what is kept beyond it."""

    kept: frozenset[str]
    form: Form

    @property
    def names(self) -> tuple[str, ...]:
        """What files there are."""
        if self.form is Form.TABULAR:
            return tuple(name for name in FILES if name in OBJECTS or name in self.kept)
        return NESTED if self.form is Form.JSON else _WHOLE

    def all(self, name: str) -> str:
        """All objects of a kind: their ids, what they say, and what they are made of."""
        parts = [self._made(name, "true")] if name in OBJECTS else []
        if name in self.kept:
            alone = f"select r.key as id, r.said as object from hsds_alone('{name}') r"
            if name in BY_ID or name == "program":
                # Somebody may have made a record of it since.
                alone += f" where not exists (select from ({OBJECTS[name]}) b where b.id = r.key)"
            parts.append(alone)
        return " union all ".join(parts)

    def _made(self, name: str, condition: str) -> str:
        made, beyond = "jsonb_strip_nulls(to_jsonb(b))", ""
        if name in self.kept:
            made = "hsds_put_back(to_jsonb(b), r.said, r.made)"
            beyond = f" left join lateral hsds_beyond('{name}', b.id) r on true"
        made = f"select b.id, {made} as object from ({OBJECTS[name]}) b"
        return f"{made}{beyond} where {condition}"

    def _inside(self, name: str, by: str, owner: str, kind: str) -> str | None:
        """The objects inside of another one of a kind, of which `owner` is the id."""
        parts = []
        if by == "link_id":
            # Of what they say of other kinds of objects nothing is read.
            if f"'{kind}'" in OBJECTS[name]:
                condition = f"b.link_id = {owner} and b.link_entity = '{kind}'"
                parts.append(self._made(name, condition))
        elif name in OBJECTS and by in _columns(name):
            parts.append(self._made(name, f"b.{by} = {owner}"))
        if name in self.kept:
            inside = f"from hsds_inside('{name}', {owner}) r"
            if name in BY_ID:
                parts.append(
                    "select r.key as id, case when b.id is null then r.said"
                    " else hsds_put_back(to_jsonb(b), r.said, r.made) end as object"
                    f" {inside} left join ({BY_ID[name]}) b on b.id = r.key"
                    " where b.id is not null or r.made is null"
                )
            else:
                parts.append(f"select r.key as id, r.said as object {inside}")
        return " union all ".join(parts) or None

    def _one(self, owner: str, name: str, by: str, alias: str) -> str | None:
        """The object that another one has one of."""
        if owner not in self.kept and name in OBJECTS and name not in self.kept:
            # All of it is ours, and so are its ids. A select by itself is answered once, not for
            # each row that is looked at.
            return self._made(name, f"b.id = (select ({alias}.object ->> '{by}')::uuid)")
        if owner in BY_ID and name in BY_ID:
            raw = f"(select b.{by} from ({OBJECTS[owner]}) b where b.id = {alias}.id)"
            return self._made(name, f"b.id = {raw}")
        id_ = f"(select {alias}.object ->> '{by}')"
        parts = [self._made(name, f"b.id::text = {id_}")] if name in OBJECTS else []
        if name in self.kept:
            kept = f"select r.key as id, r.said as object from hsds_one('{name}', {id_}) r"
            parts.append(f"{kept} where r.key is not null")
        return " union all ".join(parts) or None

    def nested(
        self, name: str, alias: str, *, top: bool = False, within: frozenset[str] = frozenset()
    ) -> str:
        """The object at an alias with all that is inside of it."""
        inner = f"{alias}_"
        # What is inside of something need not say of what.
        said = f"{alias}.object"
        if not top and BACK[name]:
            said += f" - array[{', '.join(map(repr, BACK[name]))}]"
        parts: list[str] = []
        once: list[str] = []
        within = within | {name}
        for field, child, by in LISTS[name]:
            if child in within or (field in _APART and self.form is not Form.FULL):
                continue
            if child == "service_at_location" and "service_at_location" in within:
                continue
            rows = self._inside(child, by, f"{alias}.id", name)
            if rows is not None:
                nested = self.nested(child, inner, within=within)
                parts.append(
                    f"'{field}', (select jsonb_agg({nested} order by {inner}.id)"
                    f" from ({rows}) {inner})"
                )
        for field, other, by in ONES[name]:
            if other in within or not (field in _ALWAYS or self.form is Form.FULL):
                continue
            rows = self._one(name, other, by, alias)
            if rows is not None:
                nested = self.nested(other, inner, within=within)
                parts.append(f"'{field}', (select {nested} from ({rows}) {inner} limit 1)")
                once += [repr(field), repr(by)]
        if not parts:
            return f"({said})"
        joined = f"jsonb_strip_nulls({said} || jsonb_build_object({', '.join(parts)}))"
        return f"hsds_once({joined}, {', '.join(once)})" if once else joined


@cache
def _columns(name: str) -> frozenset[str]:
    """The columns of one of our objects that lead to what it is inside of."""
    return frozenset(by for by in BACK[name] if re.search(rf"\b{by}\b", OBJECTS[name]))


async def _table(
    connection: asyncpg.Connection,
    objects: _Objects,
    name: str,
    file: IO[str],
    fields: dict[str, Mapping[str, str]],
) -> AsyncIterator[None]:
    lines = csv.writer(file, lineterminator="\r\n")
    columns: dict[str, str] = {}
    if name in OBJECTS:
        prepared = await connection.prepare(f"select * from ({OBJECTS[name]}) t order by id")
        for each in prepared.get_attributes():
            columns[each.name] = _TYPES.get(each.type.name, "string")
    if name not in objects.kept:
        fields[name] = columns
        lines.writerow(columns)
        async for record in prepared.cursor(prefetch=_BATCH):
            lines.writerow("" if value is None else str(value) for value in record)
            yield
        return
    rows = f"({objects.all(name)}) t"
    said = f"select distinct jsonb_object_keys(t.object) from {rows} order by 1"
    for (key,) in await connection.fetch(said):
        columns.setdefault(key, "number" if key in NUMBERS else "string")
    fields[name] = columns
    lines.writerow(columns)
    statement = f"select array(select t.object ->> c from unnest($1::text[]) c) from {rows}"
    async for (cells,) in connection.cursor(
        f"{statement} order by t.id", list(columns), prefetch=_BATCH
    ):
        lines.writerow("" if cell is None else cell for cell in cells)
        yield


_TYPES = {"int4": "number", "int8": "number", "numeric": "number", "float8": "number"}
_TYPES["date"] = "date"


def _package(fields: Mapping[str, Mapping[str, str]]) -> Mapping[str, Any]:
    """The descriptor of a tabular data package: its files, their columns, and what points where."""
    return {
        "profile": "tabular-data-package",
        "name": "community-resources-directory",
        "title": "Community Resources Directory, as HSDS 3",
        "resources": [
            {
                "name": name,
                "path": f"{FILES[name]}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": {
                    "primaryKey": "id",
                    "fields": [{"name": each, "type": type_} for each, type_ in columns.items()],
                    "foreignKeys": [
                        {
                            "fields": each,
                            "reference": {"resource": each.removesuffix("_id"), "fields": "id"},
                        }
                        for each in columns
                        if each.endswith("_id") and each.removesuffix("_id") in fields
                    ],
                },
            }
            for name, columns in fields.items()
        ],
    }
