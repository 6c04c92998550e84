"""Rows become inserts and updates, and only where something is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import asyncpg

from db.data.intake import Key, Row


@dataclass(frozen=True, slots=True)
class Target:
    """A table that is loaded into.

    `owners` says whose rows these are: what an owner in this load no longer has is removed. A
    record of its own is never removed, because others may point to it. `frozen` columns keep
    their first value, as links that people have saved. What a person has `reviewed`, by the time in
    that column, is changed only by what was reviewed later.
    """

    table: str
    key: tuple[str, ...] = ("id",)
    owners: Mapping[str, str] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    append_only: bool = False
    dated: bool = True
    reviewed: str | None = None


_HOURS = {
    "institution_id": "institutions",
    "visitor_center_id": "visitor_centers",
    "service_id": "services",
}

# In the order of their foreign keys.
TARGETS = (
    Target("sources", frozen=("key",)),
    Target("counties", ("fips",)),
    Target("zip_codes", ("zip",)),
    Target("categories", ("code",)),
    Target("synonyms", ("code",)),
    Target("activity_group_types", ("code",)),
    Target("visitor_amenities", ("code",)),
    Target("meanings"),
    Target("locations"),
    Target("providers", frozen=("slug",)),
    Target("services"),
    Target(
        "service_categories",
        ("service_id", "category_code"),
        {"service_id": "services"},
        dated=False,
    ),
    Target("cost_options", owners={"service_id": "services"}),
    Target("services_at_locations", owners={"service_id": "services"}),
    Target("service_areas", owners={"service_id": "services"}),
    Target("institutions", frozen=("code",)),
    Target("population_counts"),
    Target("visiting_statuses", append_only=True),
    Target("visitor_centers", frozen=("slug",)),
    Target(
        "visitor_center_amenities",
        ("visitor_center_id", "amenity_code"),
        {"visitor_center_id": "visitor_centers"},
        dated=False,
    ),
    Target("visiting_facts", ("key",)),
    Target("visiting_holidays", ("code",)),
    Target("programs", frozen=("slug",)),
    Target(
        "program_categories",
        ("program_id", "category_code"),
        {"program_id": "programs"},
        dated=False,
    ),
    Target("program_offerings"),
    Target("reentry_programs", frozen=("slug",)),
    Target(
        "reentry_program_categories",
        ("reentry_program_id", "category_code"),
        {"reentry_program_id": "reentry_programs"},
        dated=False,
    ),
    Target(
        "reentry_program_counties",
        ("reentry_program_id", "county_fips"),
        {"reentry_program_id": "reentry_programs"},
        dated=False,
    ),
    Target(
        "phones",
        owners={
            "institution_id": "institutions",
            "visitor_center_id": "visitor_centers",
            "provider_id": "providers",
        },
    ),
    Target("schedules", owners=_HOURS),
    Target("schedule_exceptions", owners=_HOURS),
    Target("enums", ("name",)),
    Target("enum_values", ("key",)),
    Target(
        "translations",
        owners={
            "institution_id": "institutions",
            "visiting_status_id": "visiting_statuses",
            "visitor_center_id": "visitor_centers",
            "visiting_fact_key": "visiting_facts",
            "program_id": "programs",
            "reentry_program_id": "reentry_programs",
            "service_id": "services",
            "category_code": "categories",
            "activity_group_type_code": "activity_group_types",
            "enum_value_key": "enum_values",
        },
        reviewed="reviewed_at",
    ),
)

_KEYS = {target.table: target.key[0] for target in TARGETS}


@dataclass(frozen=True, slots=True)
class Merged:
    """The keys of the rows that a merge touched, and the owners of those it removed."""

    inserted: set[Key]
    changed: set[Key]
    bereft: list[tuple[str, Key]]

    def __bool__(self) -> bool:
        return bool(self.inserted or self.changed or self.bereft)


async def stage(connection: asyncpg.Connection, target: Target, rows: Iterable[Row]) -> list[str]:
    """COPY rows into a temporary table of the same shape; gives the columns they have."""
    records = list(rows)
    columns = list(records[0]) if records else list(target.key)
    quoted = ", ".join(columns)
    await connection.execute(
        f"create temp table staged_{target.table} on commit drop as"
        f" select {quoted} from {target.table} with no data"
    )
    await connection.copy_records_to_table(
        f"staged_{target.table}",
        columns=columns,
        records=[tuple(row[column] for column in columns) for row in records],
    )
    await connection.execute(f"analyze staged_{target.table}")
    return columns


async def merge(
    connection: asyncpg.Connection, target: Target, columns: list[str], *, held: bool = False
) -> Merged:
    """Insert what is new, update what differs, remove what an owner no longer has.

    `held` says that there is a table of what people have written, which stays as it is.
    """
    bereft: list[tuple[str, Key]] = [
        (owner, (row["owner"],))
        for column, owner in target.owners.items()
        for row in await connection.fetch(_removal(target, column, owner, held=held))
    ]
    rows = await connection.fetch(_merging(target, columns, held=held))
    keys = {True: set[Key](), False: set[Key]()}
    for row in rows:
        keys[row["inserted"]].add(tuple(row[column] for column in target.key))
    return Merged(keys[True], keys[False], bereft)


def _merging(target: Target, columns: list[str], *, held: bool) -> str:
    names, key = ", ".join(columns), ", ".join(target.key)
    values = [name for name in columns if name not in (*target.key, *target.frozen)]
    action = "nothing"
    if values and not target.append_only:
        dated = ", updated_at = now()" if target.dated else ""
        action = (
            f"update set {', '.join(f'{name} = excluded.{name}' for name in values)}{dated}"
            f" where ({', '.join(f't.{name}' for name in values)})"
            f" is distinct from ({', '.join(f'excluded.{name}' for name in values)})"
        )
        if target.reviewed:
            when = target.reviewed
            action += f" and (t.{when} is null or t.{when} < excluded.{when})"
    others = _unheld(target, "s") if held else ""
    return (
        f"insert into {target.table} as t ({names})"
        f" select {names} from staged_{target.table} s{others}"
        f" on conflict ({key}) do {action}"
        # An inserted row has never been deleted or locked by anybody.
        f" returning {', '.join(f't.{name}' for name in target.key)}, t.xmax = 0 as inserted"
    )


def _removal(target: Target, column: str, owner: str, *, held: bool) -> str:
    same = " and ".join(f"s.{name} = t.{name}" for name in target.key)
    # What people added by hand has no record in a source, and stays.
    ours = " and t.source_record_id is not null" if target.dated else ""
    return (
        f"delete from {target.table} t using staged_{owner} o"
        f" where t.{column} = o.{_KEYS[owner]}{ours}"
        f" and not exists (select from staged_{target.table} s where {same})"
        f"{_unheld(target, 't', 'and') if held else ''}"
        f" returning t.{column} as owner"
    )


def _unheld(target: Target, row: str, word: str = "where") -> str:
    """That people have not written this row, or, of a mere link, its owner."""
    if len(target.key) == 1:
        entity, key = target.table, target.key[0]
    else:
        ((key, entity),) = target.owners.items()
    return (
        f" {word} not exists (select from held h"
        f" where h.entity = '{entity}' and h.key = {row}.{key}::text)"
    )
