"""The change log: everything that happens to records, in an order in which nothing is skipped.

What it costs: the real directory, loaded at once, makes 62,239 lines, 7.4 MB and about 10 MB of
indexes beside 70 MB of everything else. About half of them are of links between records, and of
what is found, which nobody reads but who looks back. A second load of the same files makes none. A
line about a change has the row as it was, a kilobyte at the most; writing it takes about a
millisecond of a statement, and 20 microseconds of each row where there are many. What is made up
for benchmarks is not recorded.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

import schema.types
from db.change_log import ChangeLog, Follower, Line, place_of
from db.changes import Changes
from db.database import Database
from db.errors import ExpiredPlace, UnknownPlace
from schema.entity import Declaration
from tests.db.scratch import connected, scratch

FACT = "update visiting_facts set value = $1 where key = 'hours'"


@pytest_asyncio.fixture
async def url(migrated_url: str) -> AsyncIterator[str]:
    """A directory of one fact."""
    async with scratch(migrated_url) as made:
        async with connected(made) as connection:
            await connection.execute(
                "insert into sources (id, key, name) values (gen_random_uuid(), 'TEST', 'A test')"
            )
            await connection.execute(
                "insert into visiting_facts (key, value, source_id)"
                " select 'hours', 'Alameda', id from sources"
            )
        yield made


async def lines(connection: asyncpg.Connection, since: int = 0) -> list[tuple[Any, ...]]:
    found = await connection.fetch(
        "select entity, key, operation, old from changes where seq > $1 order by xid, seq", since
    )
    return [
        (entity, key, operation, None if old is None else json.loads(old))
        for entity, key, operation, old in found
    ]


async def newest(connection: asyncpg.Connection) -> int:
    found: int = await connection.fetchval("select coalesce(max(seq), 0) from changes")
    return found


def declarations() -> dict[str, Declaration]:
    """Every entity's declaration."""
    found = {}
    for module in pkgutil.iter_modules(schema.types.__path__):
        members = vars(importlib.import_module(f"schema.types.{module.name}"))
        for name, value in members.items():
            if hasattr(value, "__entity__"):
                found[name] = value.__entity__
    return found


async def test_every_entity_is_recorded_or_says_why_not(migrated_url: str) -> None:
    async with scratch(migrated_url) as url, connected(url) as connection:
        recorded = {
            row["table"]: set(row["events"])
            for row in await connection.fetch(
                "select relname as table, array_agg(tgname::text) as events from pg_trigger"
                " join pg_class c on c.oid = tgrelid where tgname like 'record\\_%'"
                " and tgenabled = 'O' group by relname"
            )
        }
    declared = declarations()
    assert len(declared) > 30
    every = {"record_inserted", "record_updated", "record_deleted", "record_truncated"}
    for name, said in declared.items():
        if said.unrecorded is None:
            assert recorded.get(said.table) == every, name
        else:
            assert said.table not in recorded, name
    # What else is recorded is so for the past alone: tests/test_past.py.


async def test_what_is_worked_out_is_left_out_and_nothing_else(migrated_url: str) -> None:
    async with scratch(migrated_url) as url, connected(url) as connection:
        kept = {
            (row["relname"].partition("_kept_")[0], row["attname"])
            for row in await connection.fetch(
                "select relname, attname from pg_attribute join pg_class c on c.oid = attrelid"
                " where relkind = 'v' and relname like '%\\_kept\\_%' and attname <> 'id'"
            )
        }
        columns = await connection.fetch(
            "select c.relname as table, a.attname as name, a.attgenerated <> '' as generated,"
            " coalesce(col_description(c.oid, a.attnum), '') ~* 'gathered' as gathered,"
            " a.attname = any (recorded_columns(c.oid, (string_to_array("
            "     encode(tgargs, 'escape'), '\\000'))[2]::text[])) as recorded"
            " from pg_trigger t join pg_class c on c.oid = tgrelid"
            " join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
            " where tgname = 'record_updated'"
        )
    assert {("providers", "listed"), ("services", "completeness")} < kept
    for each in columns:
        follows = each["generated"] or each["gathered"] or (each["table"], each["name"]) in kept
        assert each["recorded"] is not follows, (each["table"], each["name"])


async def test_each_kind_of_change_is_a_line_that_says_what_was_before(url: str) -> None:
    async with connected(url) as connection:
        since = await newest(connection)
        await connection.execute(
            "insert into visiting_facts (key, value, source_id)"
            " select 'phone', 'Alpine', source_id from visiting_facts"
        )
        await connection.execute(FACT, "Alameda County")
        await connection.execute("delete from visiting_facts where key = 'phone'")
        inserted, updated, deleted = await lines(connection, since)
    assert inserted == ("visiting_facts", "phone", "INSERT", None)
    assert updated[:3] == ("visiting_facts", "hours", "UPDATE")
    assert (updated[3]["value"], updated[3]["key"]) == ("Alameda", "hours")
    assert deleted[:3] == ("visiting_facts", "phone", "DELETE")
    assert deleted[3]["value"] == "Alpine"


async def test_a_statement_that_changes_nothing_says_nothing(url: str) -> None:
    async with connected(url) as connection:
        since = await newest(connection)
        await connection.execute(FACT, "Alameda")
        await connection.execute("update visiting_facts set value = value where false")
        await connection.execute("delete from visiting_facts where key = 'nothing'")
        assert await lines(connection, since) == []


async def test_what_follows_from_elsewhere_is_not_recorded(url: str) -> None:
    async with connected(url) as connection:
        await connection.execute(
            "insert into providers (id, slug, name, source_id)"
            " select gen_random_uuid(), 'a', 'A', id from sources"
        )
        provider = await connection.fetchval("select id from providers")
        since = await newest(connection)
        await connection.execute(
            "insert into verifications (provider_id, verified_at, method, outcome)"
            " values ($1, now(), 'PHONE', 'CONFIRMED')",
            provider,
        )
        assert await connection.fetchval("select verified_at is not null from providers")
        # What is kept of it elsewhere has a line under a name that no entity has.
        assert [
            (entity, operation) for entity, _, operation, _ in await lines(connection, since)
        ] == [("verifications", "INSERT"), ("providers_kept", "UPDATE")]
        await connection.execute("update providers set name = 'B'")
        found = await lines(connection, since)
        (old,) = (old for entity, _, _, old in found if entity == "providers")
        assert old["name"] == "A"
        assert not {"verified_at", "listed", "completeness", "missing", "fresh_until"} & set(old)


async def test_another_key_is_another_record_and_all_that_is_truncated_is_told(url: str) -> None:
    async with connected(url) as connection:
        since = await newest(connection)
        await connection.execute("update visiting_facts set key = 'post'")
        renamed = await lines(connection, since)
        assert {each[:3] for each in renamed} == {
            ("visiting_facts", "hours", "DELETE"),
            ("visiting_facts", "post", "INSERT"),
        }
        await connection.execute(
            "insert into zip_codes (zip, latitude, longitude, approximate, source_id)"
            " select '90001', 34, -118, false, id from sources"
        )
        since = await newest(connection)
        await connection.execute("truncate zip_codes")
        ((table, key, operation, old),) = await lines(connection, since)
        assert (table, key, operation) == ("zip_codes", "90001", "DELETE")
        assert old["latitude"] == 34


async def test_who_did_it_is_what_the_transaction_says(url: str) -> None:
    async with connected(url) as connection:
        async with connection.transaction():
            for name, value in (("actor", "ana"), ("role", "staff"), ("request", "r-1")):
                await connection.execute(
                    "select set_config($1, $2, true)", f"directory.{name}", value
                )
            await connection.execute(FACT, "A")
        await connection.execute(FACT, "B")
        nobody, named = await connection.fetch(
            "select actor, role, request from changes order by seq desc limit 2"
        )
    assert tuple(named) == ("ana", "staff", "r-1")
    assert tuple(nobody) == (None, None, None)


@pytest.mark.parametrize(
    "statement",
    [
        "update changes set actor = 'somebody else'",
        "delete from changes",
        "truncate changes",
        "insert into changes (entity, key, operation) values ('visiting_facts', 'hours', 'INSERT')",
    ],
)
async def test_nobody_rewrites_the_log_or_makes_lines_up(url: str, statement: str) -> None:
    """Not even its owner, unless he takes the triggers away, which is seen."""
    async with connected(url) as connection:
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute(statement)


async def test_a_role_that_may_only_write_records_cannot_touch_or_read_the_log(url: str) -> None:
    async with connected(url) as connection:
        role = f"writer_{await connection.fetchval('select current_database()')}"
        await connection.execute(f"create role {role}")
        try:
            await connection.execute(f"grant select, update on visiting_facts to {role}")
            since = await newest(connection)
            await connection.execute(f"set role {role}")
            # A table of its own in front of ours does not catch the line.
            await connection.execute("create temp table changes (like visiting_facts)")
            await connection.execute(FACT, "Written")
            await connection.execute("drop table pg_temp.changes")
            for statement in (
                "select from public.changes",
                "insert into changes (entity, key, operation) values ('a', 'b', 'INSERT')",
                "update changes set actor = null",
                "delete from changes",
                "truncate changes",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
            await connection.execute("reset role")
            assert [each[:3] for each in await lines(connection, since)] == [
                ("visiting_facts", "hours", "UPDATE")
            ]
        finally:
            await connection.execute("reset role")
            await connection.execute(f"drop owned by {role}")
            await connection.execute(f"drop role {role}")


# Reading


@dataclass
class Reader:
    """A log and how it is read, with the way to change it."""

    log: ChangeLog
    database: Database
    url: str


@asynccontextmanager
async def reading(url: str, *, deaf: bool = False) -> AsyncIterator[Reader]:
    database = await Database.open(url)
    changes = Changes(database)
    task = asyncio.create_task(asyncio.sleep(1000) if deaf else changes.listen())
    try:
        yield Reader(ChangeLog(database, changes), database, url)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await database.close()


async def told(follower: Follower, limit: int = 100) -> Sequence[Line]:
    async with asyncio.timeout(20):
        return await follower.next(lambda line: line.table == "visiting_facts", limit)


async def old_names(url: str, found: Sequence[Line]) -> list[str]:
    async with connected(url) as connection:
        return [
            await connection.fetchval(
                "select old ->> 'value' from changes where xid = $1::text::xid8 and seq = $2",
                str(line.place[0]),
                line.place[1],
            )
            for line in found
        ]


async def test_what_is_committed_while_another_is_under_way_waits_for_it(url: str) -> None:
    async with (
        reading(url) as reader,
        reader.log.following() as follower,
        connected(url) as slow,
        connected(url) as quick,
    ):
        under_way = slow.transaction()
        await under_way.start()
        await slow.execute("select pg_current_xact_id()")
        await quick.execute(FACT, "committed")
        waiting = asyncio.ensure_future(told(follower))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        # Nobody is told of a rollback, and still the line is read soon after.
        await under_way.rollback()
        assert [line.key for line in await waiting] == ["hours"]


async def test_who_begins_now_is_not_told_what_was_committed_before(url: str) -> None:
    """Even if it can only be read later, because something older is still under way."""
    async with (
        reading(url) as reader,
        connected(url) as slow,
        connected(url) as quick,
        reader.log.following() as first,
    ):
        under_way = slow.transaction()
        await under_way.start()
        await slow.execute("select pg_current_xact_id()")
        await quick.execute(FACT, "before")
        async with reader.log.following() as second:
            await quick.execute(FACT, "after")
            await under_way.rollback()
            assert await old_names(url, await told(second)) == ["before"]
            found = list(await told(first))
            while len(found) < 2:
                found.extend(await told(first))
            assert await old_names(url, found) == ["Alameda", "before"]


async def test_a_line_with_a_lower_number_that_is_seen_later_is_not_skipped(url: str) -> None:
    """Two transactions at once. Who remembers the greatest number he has seen would miss a line."""
    async with (
        reading(url) as reader,
        reader.log.following() as follower,
        connected(url) as first,
        connected(url) as second,
    ):
        async with connected(url) as connection:
            await connection.execute(
                "insert into visiting_facts (key, value, source_id)"
                " select 'phone', 'Alpine', source_id from visiting_facts"
            )
        await told(follower)
        one, other = first.transaction(), second.transaction()
        await one.start()
        await other.start()
        # The first draws the lower numbers, of its transaction and of its line, and ends last.
        await first.execute("update visiting_facts set value = 'first' where key = 'hours'")
        await second.execute("update visiting_facts set value = 'second' where key = 'phone'")
        await other.commit()
        async with connected(url) as connection:
            seen = await connection.fetchval("select max(seq) from changes")
        waiting = asyncio.ensure_future(told(follower))
        await asyncio.wait([waiting], timeout=0.3)
        assert not waiting.done()
        await one.commit()
        found = list(await waiting)
        while len(found) < 2:
            found.extend(await told(follower))
        assert await old_names(url, found) == ["Alameda", "Alpine"]
        assert found[0].place[1] < found[1].place[1] == seen


async def test_nothing_is_missed_and_nothing_told_twice_while_many_write(url: str) -> None:
    """Writers whose transactions overlap, some of them rolled back, and a reader who comes back."""
    writers, each = 6, 15
    async with connected(url) as connection:
        await connection.execute(
            "insert into visiting_facts (key, value, source_id)"
            " select 'f' || n, 'F', source_id"
            " from visiting_facts, generate_series(1, $1::int) n",
            writers,
        )

    async def write(number: int) -> None:
        async with connected(url) as connection:
            for step in range(each):
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute(
                    "update visiting_facts set value = $1 where key = $2",
                    f"F {step}",
                    f"f{number}",
                )
                await asyncio.sleep(0.001 * ((number * 7 + step * 3) % 11))
                if step % 5 == 4:
                    await transaction.rollback()
                else:
                    await transaction.commit()

    kept = sum(step % 5 != 4 for step in range(each))
    async with reading(url) as reader:
        seen: list[Line] = []
        async with reader.log.following() as follower:
            cursor = follower.cursor
            writing = asyncio.gather(*(write(number) for number in range(1, writers + 1)))
            while len(seen) < 20:
                seen.extend(await told(follower, 7))
                cursor = seen[-1].cursor
        while len(seen) < writers * kept:
            async with reader.log.following(cursor) as follower:
                found = await told(follower, 7)
                seen.extend(found)
                cursor = found[-1].cursor
        await writing
        async with reader.log.following(cursor) as follower:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await told(follower)
    assert len({line.place for line in seen}) == len(seen) == writers * kept
    assert [line.place for line in seen] == sorted(line.place for line in seen)


async def test_without_notices_it_is_read_all_the_same(url: str) -> None:
    async with reading(url, deaf=True) as reader, reader.log.following() as follower:
        async with connected(url) as connection:
            await connection.execute(FACT, "unheard")
        assert len(await told(follower)) == 1


async def test_more_than_is_remembered_comes_from_the_table(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.change_log._REMEMBERED", 5)
    async with reading(url) as reader, reader.log.following() as slow:
        async with connected(url) as connection, reader.log.following() as quick:
            for number in range(30):
                await connection.execute(FACT, f"C{number}")
                await told(quick)
        found: list[Line] = []
        while len(found) < 30:
            found.extend(await told(slow, 4))
        assert len({line.place for line in found}) == 30


async def test_a_cursor_is_known_or_refused(url: str) -> None:
    async with reading(url) as reader:
        async with reader.log.following() as follower:
            start = follower.cursor
        async with reader.log.following(start):
            pass
        for unknown in ("", "1", "a.b", "1.2.3", "-1.2", "1.-2", "٣.٤", "9" * 20 + ".1"):
            with pytest.raises(UnknownPlace):
                place_of(unknown)
        xid, _ = place_of(start)
        for unknown in (f"{xid + 1000}.0", f"{xid - 1}.999999"):
            with pytest.raises(UnknownPlace):
                async with reader.log.following(unknown):
                    pass
        with pytest.raises(ExpiredPlace):
            async with reader.log.following("3.1"):
                pass


async def test_a_cursor_of_lines_that_went_is_refused(url: str) -> None:
    async with reading(url) as reader, connected(url) as connection:
        for name in ("A", "B", "C"):
            await connection.execute(FACT, name)
        places = [
            f"{xid}.{seq}"
            for xid, seq in await connection.fetch("select xid, seq from changes order by xid, seq")
        ]
        async with connection.transaction():
            await connection.execute("alter table changes disable trigger append_only")
            await connection.execute(
                "delete from changes where seq <> (select max(seq) from changes)"
            )
            await connection.execute("alter table changes enable trigger append_only")
        with pytest.raises(ExpiredPlace):
            async with reader.log.following(places[-2]):
                pass
        async with reader.log.following(places[-1]):
            pass
