"""A load respects what people did, and tells where the files say otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.data.load import LoadError, load
from db.data.merge import merge
from db.data.report import Conflict
from tests.db.scratch import connected, everything, scratch, stopped
from tests.town import PEOPLE


@pytest_asyncio.fixture
async def directory(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as url:
        yield url


@pytest_asyncio.fixture
async def staff(directory: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(stopped(directory)) as connection:
        await connection.execute(PEOPLE)
        yield connection


async def test_who_it_was_is_in_the_log(directory: str) -> None:
    async with connected(directory) as connection:
        actors = "select distinct actor, role from changes where entity = 'providers'"
        assert [tuple(row) for row in await connection.fetch(actors)] == [("load", None)]


WEBSITE = "update institutions set website = 'https://example.org' where code = $1"


async def test_what_people_wrote_is_held_and_told(
    directory: str, staff: asyncpg.Connection
) -> None:
    await staff.execute(WEBSITE, "SQ")
    sq = await staff.fetchval("select id::text from institutions where code = 'SQ'")
    other = await staff.fetchval(
        "update phones set number = '+19165550199' where id = (select id from phones"
        " where institution_id::text = $1 order by id limit 1) returning id::text",
        sq,
    )
    # What a program does to a record is not what people say of it.
    await staff.execute("reset directory.role")
    await staff.execute(WEBSITE, "CMC")
    report = await load(directory)
    assert Conflict("institutions", sq, ("website",)) in report.conflicts
    assert Conflict("phones", other, ("number",)) in report.conflicts
    assert {each.table for each in report.conflicts} == {"institutions", "phones"}
    assert f"institutions {sq}: website" in str(report)
    site = "select website from institutions where code = $1"
    assert await staff.fetchval(site, "CMC") != "https://example.org"
    assert await staff.fetchval(site, "SQ") == "https://example.org"
    # And so it stays, however often the same is loaded.
    before = await everything(directory)
    again = await load(directory)
    assert again.conflicts == report.conflicts
    assert (again.total.inserted, again.total.changed) == (0, 0)
    assert await everything(directory) == before
    # Whether the files are right after all is for staff to decide.
    waiting = await staff.fetch(
        "select record_id, proposer from proposals where status = 'PENDING' and origin = 'FEED'"
    )
    assert {tuple(each) for each in waiting} == {
        (f"Institution:{sq}", "load"),
        (f"Phone:{other}", "load"),
    }


async def test_what_people_removed_stays_away_with_what_is_only_there_for_it(
    directory: str, staff: asyncpg.Connection
) -> None:
    service = await staff.fetchval(
        "select service_id from services_at_locations a"
        " where exists (select from service_categories c where c.service_id = a.service_id)"
        " order by 1 limit 1"
    )
    for table in ("schedules", "phones", "cost_options", "required_documents", "language_notes"):
        await staff.execute(f"delete from {table} where service_id = $1", service)
    for table in ("service_areas", "service_categories", "services_at_locations", "translations"):
        await staff.execute(f"delete from {table} where service_id = $1", service)
    await staff.execute("delete from services where id = $1", service)
    report = await load(directory)
    assert Conflict("services", str(service), ()) in report.conflicts
    assert (report.total.inserted, report.total.changed) == (0, 0)
    for table in ("services", "service_categories", "services_at_locations"):
        column = "id" if table == "services" else "service_id"
        count = await staff.fetchval(f"select count(*) from {table} where {column} = $1", service)
        assert count == 0


async def merged(staff: asyncpg.Connection) -> tuple[UUID, UUID]:
    """Two providers that are one now, each of which had phones and services."""
    pair = await staff.fetchrow(
        "select left_id, right_id from duplicate_candidates"
        " where exists (select from phones where provider_id = left_id)"
        " and exists (select from phones where provider_id = right_id)"
        " order by score desc, id limit 1"
    )
    await staff.fetchval("select merge_providers($1, $2, 'one door')", *pair)
    return pair["left_id"], pair["right_id"]


async def test_what_was_merged_does_not_come_back(
    directory: str, staff: asyncpg.Connection
) -> None:
    kept, gone = await merged(staff)
    offered = "select count(*) from services where provider_id = $1"
    services = await staff.fetchval(offered, kept)
    before = await everything(directory)
    report = await load(directory)
    after = await everything(directory)
    # What the files say of the kept one, which took what it lacked from the other, is proposed.
    assert {name for name in before if before[name] != after[name]} <= {"proposals"}
    assert (report.total.inserted, report.total.changed) == (0, 0)
    assert not await staff.fetchval("select exists (select from providers where id = $1)", gone)
    assert await staff.fetchval(offered, kept) == services
    assert str(gone) not in {each.key for each in report.conflicts}


async def test_what_is_new_of_the_merged_one_comes_to_the_kept_one(
    directory: str, staff: asyncpg.Connection
) -> None:
    kept, gone = await merged(staff)
    # As if the files had it for the first time.
    lines = await staff.fetch(
        "select distinct key, old::jsonb ->> 'number' as number from changes"
        " where entity = 'phones' and old ->> 'provider_id' = $1",
        str(gone),
    )
    assert lines
    async with connected(directory) as operator:
        await operator.execute("alter table changes disable trigger append_only")
        for line in lines:
            await operator.execute("delete from phones where id::text = $1", line["key"])
            await operator.execute("delete from changes where key = $1", line["key"])
        await operator.execute("alter table changes enable trigger append_only")
    report = await load(directory)
    assert report.total.inserted + report.total.changed > 0
    numbers = await staff.fetch("select number from phones where provider_id = $1", kept)
    assert {line["number"] for line in lines} <= {row["number"] for row in numbers}


async def test_a_closed_prison_stays_closed(directory: str, staff: asyncpg.Connection) -> None:
    await staff.fetchval(
        "select close_institution((select id from institutions where code = 'SQ'), '2026-07-01')"
    )
    await load(directory)
    found = await staff.fetchrow("select id, status from institutions where code = 'SQ'")
    assert found["status"] == "CLOSED"
    count = "select count(*) from ongoing_offerings where institution_id = $1"
    assert await staff.fetchval(count, found["id"]) == 0
    assert await staff.fetchval("select hours_state($1)", found["id"]) == "CLOSED"


async def test_what_somebody_does_during_a_load_is_not_overwritten(
    directory: str, staff: asyncpg.Connection, monkeypatch: Any
) -> None:
    async with connected(directory) as connection:
        await connection.execute("update institutions set website = null where code = 'SQ'")

    async def meanwhile(connection: Any, target: Any, *given: Any, **more: Any) -> Any:
        if target.table == "sources":
            # The first, after it was found that nobody had changed anything.
            await staff.execute(WEBSITE, "SQ")
        return await merge(connection, target, *given, **more)

    monkeypatch.setattr("db.data.load.merge", meanwhile)
    before = await staff.fetchval("select count(*) from imports")
    with pytest.raises(LoadError, match="Load again"):
        await load(directory)
    monkeypatch.undo()
    assert await staff.fetchval("select count(*) from imports") == before
    report = await load(directory)
    assert [each.columns for each in report.conflicts] == [("website",)]
    site = await staff.fetchval("select website from institutions where code = 'SQ'")
    assert site == "https://example.org"


async def test_a_merge_waits_for_a_load(directory: str, staff: asyncpg.Connection) -> None:
    async with connected(directory) as loader, loader.transaction():
        await loader.execute("select pg_advisory_xact_lock($1)", 0x6C6F6164)
        waiting = asyncio.create_task(merged(staff))
        held = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
        async with asyncio.timeout(20):
            while not await loader.fetchval(held):  # noqa: ASYNC110  # Postgres tells nobody
                await asyncio.sleep(0.02)
        assert not waiting.done()
    await waiting
