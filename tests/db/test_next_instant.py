"""Nothing that looks at the clock changes before the next instant at which it can."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest_asyncio

from db.changes import Changes
from db.database import Database
from db.query import Reads
from tests.db.scratch import connected, scratch

# The functions that look at the clock themselves, all of them. A new one belongs into the digest
# below, and whatever it decides by into next_instant().
LOOKING = {
    "capacity_is_current",
    "close_institution",  # writes
    "find_duplicates",  # writes
    "freshness_among",
    "freshness_state",
    "hours_between",
    "hours_clocks",
    "hours_in_words",
    "hours_state",
    "hours_today",
    "keep_apart",  # writes
    "merge_providers",  # writes
    "next_change_of_capacity",
    "next_change_of_freshness",
    "next_change_of_hours",
    "next_opening",
    "publish_visiting_status",  # writes
    "record_verification",  # writes
    "search_keep",  # writes
    "services_open_at",
    "today",
    "visiting_status_changes",  # of what comes, and comes once
    "visiting_status_freshness",
}

EVENTS = """
insert into verifications (institution_id, method, outcome, verified_at, next_due_at)
select id, 'PHONE', (array['CONFIRMED', 'CLOSED', 'UNREACHABLE'])[1 + n % 3],
       timestamptz '2026-03-01' + n * interval '29 hours',
       case when n % 2 = 0 then timestamptz '2026-04-10' + n * interval '29 hours' end
from (select id, row_number() over (order by code) n from institutions) t;
insert into verifications (service_id, method, outcome, verified_at)
select id, 'EMAIL', 'CHANGED', timestamptz '2026-02-01' + n * interval '7 hours'
from (select id, row_number() over (order by id) n from services order by id limit 300) t;
insert into service_capacities
    (id, service_at_location_id, unit, available, counted_at, source_id)
select md5(id::text)::uuid, id, 'BED', 2, timestamptz '2026-07-01' + n * interval '101 minutes',
       source_id
from (select id, source_id, row_number() over (order by id) n
      from services_at_locations limit 200) t;
insert into visiting_statuses
    (institution_id, visit_type, status, last_updated, effective_from, source_id)
select id, 'VIDEO', (array['OPEN', 'CLOSED'])[1 + n % 2], '2026-03-01',
       timestamptz '2026-07-01' + n * interval '103 minutes', source_id
from institutions, generate_series(1, 30) n where code in ('SQ', 'CMC');
update institutions set status = 'CLOSING', closed_on = '2026-07-04', closed_on_precision = 'DAY'
where code = 'CIM';
update program_offerings set ended_on = '2026-07-04'
where institution_id = (select id from institutions where code = 'CIM');
"""

# Everything that rules decide by the clock, in one text.
DIGEST = """
    select md5(string_agg(line, '|' order by line)) from (
        select id::text || hours_state(id) || coalesce(hours_today(id)::text, '') as line
            from institutions
        union all select id::text || hours_state(id) from visitor_centers
        union all select 'open ' || id from services_open_at() s (id)
        union all select id::text || coalesce(hours_in_words(id, 'EN'), '') from visitor_centers
        union all select id::text || coalesce(n::text, '') from visitor_centers c
            left join lateral next_opening(c.id) n on true
        union all select id::text || freshness_state(fresh_until, aging_until) from institutions
        union all select id::text || freshness_state(fresh_until, aging_until) from services
        union all select id::text || visiting_status_freshness(last_updated) from visiting_statuses
        union all select id::text || capacity_is_current(counted_at, expires_after_hours)
            from service_capacities
        union all select id::text from ongoing_offerings
        union all select id::text from current_visiting_statuses
        union all select key from visitor_service_gaps
    ) t
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def connection(loaded_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with scratch(loaded_url) as url, connected(url) as opened:
        await opened.execute(EVENTS)
        yield opened


async def stop(connection: asyncpg.Connection, clock: datetime) -> None:
    await connection.execute("select set_config('directory.clock', $1, false)", clock.isoformat())


async def test_nothing_changes_before_the_next_instant_and_something_does_at_it(
    connection: asyncpg.Connection,
) -> None:
    drawn = random.Random(7)
    changed = 0
    for _ in range(8):
        # Around both changes of the clocks, too.
        day = drawn.choice([datetime(2026, 7, 1), datetime(2026, 3, 8), datetime(2026, 11, 1)])
        now = day.replace(tzinfo=UTC) + timedelta(seconds=drawn.uniform(0, 200_000))
        await stop(connection, now)
        digest = await connection.fetchval(DIGEST)
        following = await connection.fetchval("select next_instant()")
        assert now < following <= now + timedelta(days=1)
        await stop(connection, following - timedelta(microseconds=1))
        assert await connection.fetchval(DIGEST) == digest
        await stop(connection, following)
        changed += await connection.fetchval(DIGEST) != digest
    assert changed > 3


OURS = """
    select distinct proname from pg_proc
    where pronamespace = 'public'::regnamespace and prokind = 'f'
        and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
"""


async def test_every_function_that_looks_at_the_clock_is_known_here(migrated_url: str) -> None:
    async with scratch(migrated_url) as url:
        database = await Database.open(url)
        changes = Changes(database)
        async with database.connection() as line:
            names = [name for (name,) in await line.fetch(OURS)]
            await changes.learn(line)
        looking = set()
        for name in names:
            sources = changes.sources(Reads(frozenset(), frozenset({name})))
            # What looks at transactions under way is kept by nobody, whatever the clock says.
            assert sources is not None or name in ("place_is", "changes_since"), name
            if sources is not None and sources.clock and changes.looks_at_the_clock(name):
                looking.add(name)
        await database.close()
    # No answer is made of who holds a key, nor of what a change notes down.
    noting = {"claim_key", "next_version", "decide_proposal", "stamp_commit"}
    noting |= {"propose_from_feed", "start_import", "receive_part", "cancel_import"}
    # Nor of how the past is found.
    noting |= {"rebuild_past", "look_back", "records"}
    assert looking - {"clock", "key_holder"} - noting == LOOKING
