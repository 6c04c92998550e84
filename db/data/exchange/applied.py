"""Rows that are ready become records: what is new, what differs, and what somebody knows better."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from db.data.exchange.pieces import Problem
from db.data.exchange.runs import Run, reject

# Of a table in one statement, until one of them is refused.
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Target:
    """A table that is imported into, and how.

    `frozen` columns keep their first value. What is null was not said: it stays as it is, or
    becomes the `default` in a new row; with `whole`, null is null. `refers` says which columns must
    lead somewhere, and where; a row whose column leads nowhere is refused, or is without it if it
    `may` be. One that is `loose` may be null, where another leads somewhere. What goes `along` is
    changed where something else is, and is no change of its own. By its `owners` a row belongs to
    records whose checks are checks of it, too. `words` are what the columns are called where people
    read of them.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("id",)
    frozen: tuple[str, ...] = ()
    default: Mapping[str, str] = field(default_factory=dict)
    refers: Mapping[str, str] = field(default_factory=dict)
    may: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()
    along: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    whole: bool = False
    dated: bool = True
    tweak: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> tuple[str, ...]:
        """What a row that is there may be changed to."""
        kept = (*self.key, *self.frozen, *self.along)
        return tuple(name for name in self.columns if name not in kept)

    @property
    def incoming(self) -> str:
        return f"incoming_{self.table}"

    def called(self, column: str) -> str:
        return self.words.get(column, column)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A row for a table, of which record it is, where it was found, and the date it bears."""

    entity: str
    key: UUID
    place: str
    dated: datetime | None
    values: tuple[object, ...]


async def prepare(line: asyncpg.Connection, target: Target) -> None:
    """Make the table in which the rows wait."""
    await line.execute(
        f"create temp table {target.incoming} on commit drop as select {_named(target.columns)}"
        f" from {target.table} with no data"
    )
    await line.execute(
        f"alter table {target.incoming} add row_entity text, add row_key uuid, add row_place text,"
        " add row_dated timestamptz, add row_number bigint generated always as identity"
    )


async def add(line: asyncpg.Connection, target: Target, rows: Iterable[Incoming]) -> None:
    """Let rows wait."""
    await line.copy_records_to_table(
        target.incoming,
        columns=[*target.columns, "row_entity", "row_key", "row_place", "row_dated"],
        records=[(*row.values, row.entity, row.key, row.place, row.dated) for row in rows],
    )


def _named(columns: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{column}"' for column in columns)


def _same(target: Target, left: str, right: str) -> str:
    return " and ".join(f'{left}."{name}" = {right}."{name}"' for name in target.key)


async def apply(line: asyncpg.Connection, run: Run, target: Target) -> tuple[set[UUID], set[UUID]]:
    """Write the rows that wait for a table.

    Gives the keys of the records that were refused, and of those that somebody knows better.
    """
    name, own = target.incoming, target.table
    await line.execute(f"create index on {name} ({_named(target.key)})")
    await line.execute(f"analyze {name}")
    refused: set[UUID] = set()
    problems: list[Problem] = []
    twice = await line.fetch(
        f"delete from {name} a using {name} b where {_same(target, 'a', 'b')}"
        " and a.row_number > b.row_number returning a.row_entity, a.row_key, a.row_place"
    )
    for row in twice:
        message = "repeats a row before it"
        problems.append(
            Problem(row["row_place"], row["row_entity"], None, None, "DUPLICATE", message)
        )
    for column, other in target.refers.items():
        far = f'select from {other} t where t.id = i."{column}"'
        lost = f'"{column}" is not null and not exists ({far})'
        gone = (
            f'update {name} i set "{column}" = null where {lost}'
            if column in target.may
            else f"delete from {name} i where {lost}"
        )
        # What an update returns is new: ask before.
        found = await line.fetch(
            f'select row_entity, row_key, row_place, "{column}" as far from {name} i where {lost}'
        )
        if found:
            await line.execute(gone)
        for row in found:
            kept = column in target.may
            if not kept:
                refused.add(row["row_key"])
            problems.append(
                Problem(
                    row["row_place"],
                    row["row_entity"],
                    target.called(column),
                    str(row["far"]),
                    "UNKNOWN_REFERENCE",
                    f"leads to nothing in {other}",
                    row_kept=kept,
                )
            )
        if column not in target.may | target.loose and not target.whole:
            nothing = await line.fetch(
                f'delete from {name} i where "{column}" is null and not exists'
                f" (select from {own} t where {_same(target, 't', 'i')})"
                " returning row_entity, row_key, row_place"
            )
            for row in nothing:
                refused.add(row["row_key"])
                problems.append(
                    Problem(
                        row["row_place"],
                        row["row_entity"],
                        target.called(column),
                        None,
                        "MISSING",
                        "is needed for a new record",
                    )
                )
    if not target.whole and target.values:
        filled = ", ".join(f'"{c}" = coalesce(i."{c}", t."{c}")' for c in target.values)
        await line.execute(
            f"update {name} i set {filled} from {own} t where {_same(target, 't', 'i')}"
        )
    if target.default:
        filled = ", ".join(f'"{c}" = coalesce("{c}", {d})' for c, d in target.default.items())
        await line.execute(f"update {name} set {filled}")
    if target.tweak:
        await line.execute(target.tweak)
    conflicting = await _conflicts(line, run, target, problems)
    run.rejected += sum(not each.row_kept and each.reason != "CONFLICT" for each in problems)
    await reject(line, run, problems)
    await _write(line, run, target, refused)
    await line.execute(f"drop table {name}")
    return refused, conflicting


async def _conflicts(
    line: asyncpg.Connection,
    run: Run,
    target: Target,
    problems: list[Problem],
) -> set[UUID]:
    """Take out what somebody knows better, tell it, and leave it to them to decide."""
    if not target.values:
        return set()
    values = target.values
    # A row that is known by two columns only ties others together.
    known = f't."{target.key[0]}"' if len(target.key) == 1 else "t.id"
    id_ = ["id"] if "id" in target.columns else []
    checked = _named([*id_, *target.owners], "t.")
    own = ", ".join(f't."{name}" as "own {name}"' for name in values)
    rows = await line.fetch(
        f"delete from {target.incoming} i using {target.table} t"
        f" where {_same(target, 't', 'i')}"
        f" and ({_named(values, 't.')}) is distinct from ({_named(values, 'i.')})"
        f" and people_know_better('{target.table}', {known}::text, array[{checked}]::uuid[],"
        f" i.row_dated) returning i.*, {known}::text as own_key, {own}"
    )
    found = []
    for row in rows:
        said = {name: row[name] for name in values if row[name] != row[f"own {name}"]}
        for name, value in said.items():
            problems.append(
                Problem(
                    row["row_place"],
                    row["row_entity"],
                    target.called(name),
                    value if isinstance(value, str | int | float | list) else str(value),
                    "CONFLICT",
                    "somebody has changed or checked this record since",
                )
            )
        words = json.dumps(said, default=str, ensure_ascii=False)
        found.append((target.table, row["own_key"], words, run.file))
    run.conflicting += len(found)
    await line.executemany("select propose_from_feed($1, $2, $3::jsonb, $4)", found)
    return {row["row_key"] for row in rows}


async def _write(line: asyncpg.Connection, run: Run, target: Target, refused: set[UUID]) -> None:
    total, last = 0, 0
    counts = [0, 0]
    while True:
        rows = await line.fetch(
            f"select row_number from {target.incoming} where row_number > $1"
            f" order by row_number limit {_BATCH}",
            last,
        )
        if not rows:
            break
        last = rows[-1]["row_number"]
        total += len(rows)
        await _some(line, run, target, [row["row_number"] for row in rows], counts, refused)
    left = run.counts.get(target.table, (0, 0, 0))
    unchanged = max(0, total - sum(counts) - await _gone(line, target))
    run.counts[target.table] = (left[0] + counts[0], left[1] + counts[1], left[2] + unchanged)
    run.inserted += counts[0]
    run.changed += counts[1]
    run.unchanged += unchanged


async def _gone(line: asyncpg.Connection, target: Target) -> int:
    """How many rows a constraint has refused."""
    count: int = await line.fetchval(
        f"select count(*) from {target.incoming} where row_entity is null"
    )
    return count


# What Postgres says of a row: it breaks a rule, it is none, or it fits into no index.
_REFUSED = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
)


async def _some(
    line: asyncpg.Connection,
    run: Run,
    target: Target,
    numbers: list[int],
    counts: list[int],
    refused: set[UUID],
) -> None:
    """Write some rows; if one of them is refused, find it by halves."""
    try:
        async with line.transaction():
            rows = await line.fetch(_merging(target), numbers)
    except _REFUSED as error:
        if len(numbers) > 1:
            middle = len(numbers) // 2
            await _some(line, run, target, numbers[:middle], counts, refused)
            await _some(line, run, target, numbers[middle:], counts, refused)
            return
        row = await line.fetchrow(
            f"update {target.incoming} i set row_entity = null from {target.incoming} o"
            " where i.row_number = $1 and o.row_number = $1 returning o.*",
            numbers[0],
        )
        refused.add(row["row_key"])
        detail = error.detail or ""
        column = error.column_name or _checked(target, error.constraint_name or "")
        problem = Problem(
            row["row_place"],
            row["row_entity"],
            target.called(column) if column else None,
            row[column] if column in target.columns else None,
            "CONSTRAINT",
            # In the detail of some is the whole row, also what is nobody's business.
            ". ".join([str(error.args[0]), *([detail] if detail.startswith("Key (") else [])]),
        )
        run.rejected += 1
        await reject(line, run, [problem])
        return
    inserted = sum(row["inserted"] for row in rows)
    counts[0] += inserted
    counts[1] += len(rows) - inserted


def _checked(target: Target, constraint: str) -> str:
    """The column that a constraint is about, as Postgres names those of one column."""
    named = re.fullmatch(rf"{target.table}_(.+)_check\d*", constraint)
    return named[1] if named and named[1] in target.columns else ""


def _merging(target: Target) -> str:
    action = "nothing"
    if target.values:
        set_ = ", ".join(f'"{name}" = excluded."{name}"' for name in target.values)
        dated = ", updated_at = now()" if target.dated else ""
        for name in target.along:
            dated += f', "{name}" = coalesce(excluded."{name}", t."{name}")'
        action = (
            f"update set {set_}{dated} where ({_named(target.values, 't.')})"
            f" is distinct from ({_named(target.values, 'excluded.')})"
        )
    return (
        f"insert into {target.table} as t ({_named(target.columns)})"
        f" select {_named(target.columns)} from {target.incoming} where row_number = any ($1)"
        f" order by row_number on conflict ({_named(target.key)}) do {action}"
        # An inserted row has never been deleted or locked by anybody.
        " returning t.xmax = 0 as inserted"
    )
