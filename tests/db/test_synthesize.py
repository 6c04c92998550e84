"""A large directory that resembles the real one, and is always the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from db.data.load import LoadError
from db.data.synthesize import TABLES, synthesize
from db.migrate import migrate
from tests.db.scratch import connected, everything, scratch


async def digest(url: str) -> list[str]:
    """What the synthetic rows say, apart from when they were made."""
    async with connected(url) as connection:
        return [
            await connection.fetchval(
                "select md5(string_agg((to_jsonb(t) - 'created_at' - 'updated_at')::text, ''"
                " order by t.id))"
                f" from {table} t join sources s on s.id = t.source_id and s.synthetic"
            )
            for table in TABLES
        ]


async def test_the_same_number_makes_the_same_rows(loaded_url: str) -> None:
    async with scratch(loaded_url) as one, scratch(loaded_url) as other:
        assert await synthesize(one, providers=700) == await synthesize(other, providers=700)
        assert await digest(one) == await digest(other)


async def test_a_provider_is_the_same_in_a_small_and_a_large_directory(loaded_url: str) -> None:
    async with scratch(loaded_url) as small, scratch(loaded_url) as large:
        await synthesize(small, providers=300)
        await synthesize(large, providers=500)
        await synthesize(large, providers=300)
        assert await digest(small) == await digest(large)


async def test_a_second_run_changes_nothing(loaded_url: str) -> None:
    async with scratch(loaded_url) as url:
        await synthesize(url, providers=300)
        before = await everything(url)
        made = await synthesize(url, providers=300)
        assert await everything(url) == before
        assert made["providers"] == 300


async def test_it_goes_without_a_trace_of_its_rows_and_leaves_the_real_ones(
    loaded_url: str,
) -> None:
    async with scratch(loaded_url) as url:
        before = await everything(url)
        async with connected(url) as connection:
            last = await connection.fetchval("select max(xid)::text from changes")
        await synthesize(url, providers=300)
        made = await synthesize(url, providers=0)
        after = await everything(url)
        assert set(made.values()) == {0}
        # What is made up has no history; only its source has.
        apart = {"sources": "", "changes": "", "commits": ""}
        assert after | apart == before | apart
        async with connected(url) as connection:
            lines = await connection.fetch(
                "select entity, operation from changes where xid > $1::text::xid8"
                " order by xid, seq",
                last,
            )
        assert [tuple(line) for line in lines] == [("sources", "INSERT"), ("sources", "UPDATE")]


async def test_every_index_is_there_again(loaded_url: str) -> None:
    async def indexes(url: str) -> list[tuple[str, ...]]:
        async with connected(url) as connection:
            found = await connection.fetch("select indexdef from pg_indexes order by 1")
            return [tuple(row) for row in found]

    async with scratch(loaded_url) as url:
        before = await indexes(url)
        await synthesize(url, providers=300)
        assert await indexes(url) == before


async def test_synthetic_rows_say_so_and_claim_nothing_real(loaded_url: str) -> None:
    async with scratch(loaded_url) as url:
        await synthesize(url, providers=2000)
        async with connected(url) as connection:
            sources = await connection.fetch("select key from sources where synthetic")
            fictional = await connection.fetchval(
                "select bool_and(number ~ '^[+]1...55501..$') from phones h"
                " join sources s on s.id = h.source_id and s.synthetic"
            )
            elsewhere = await connection.fetchval(
                "select bool_and(website ~ '^https://example.org/') from providers p"
                " join sources s on s.id = p.source_id and s.synthetic"
            )
    assert [row["key"] for row in sources] == ["SYNTHETIC"]
    assert fictional
    assert elsewhere


@pytest.mark.parametrize(
    "share",
    [
        "exists (select from service_categories c where c.service_id = s.id"
        " and c.category_code = 'HOUSING')",
        "exists (select from service_categories c where c.service_id = s.id"
        " and c.category_code = 'HEALTH_CARE')",
        "s.county_fips = '06037'",
        "s.county_fips is null",
        "'es' = any (s.languages)",
        "s.hours_text is not null",
        "exists (select from phones h where h.provider_id = s.provider_id)",
        "exists (select from services_at_locations t join locations l on l.id = t.location_id"
        " where t.service_id = s.id and l.position is not null)",
        "exists (select from service_areas a where a.service_id = s.id)",
    ],
)
async def test_shares_are_those_of_the_real_directory(synthetic: str, share: str) -> None:
    of = (
        f"select avg(({share})::int)::float8 from services s"
        " join sources o on o.id = s.source_id where o.synthetic = $1"
    )
    async with connected(synthetic) as connection:
        made = await connection.fetchval(of, True)
        real = await connection.fetchval(of, False)
    # Phones with toll-free numbers are not drawn, so there are a few less.
    assert made == pytest.approx(real, abs=0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def synthetic(loaded_url: str) -> AsyncIterator[str]:
    """Four thousand synthetic providers beside the real ones."""
    async with scratch(loaded_url) as url:
        await synthesize(url, providers=4000)
        yield url


async def test_there_must_be_something_to_resemble() -> None:
    async with scratch() as url:
        await migrate(url)
        with pytest.raises(LoadError, match="load the real directory first"):
            await synthesize(url, providers=10)
