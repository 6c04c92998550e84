"""One statement per level and relation, for all parents at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
from strawberry.dataloader import DataLoader

Batch = Callable[[Sequence[Any]], Awaitable[list[Any]]]


class Row(asyncpg.Record):  # type: ignore[misc]  # asyncpg has no types
    """A record whose columns are attributes, as Strawberry reads them."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


_LOCATION = """
    id, public_street as street, public_city as city, public_zip as zip,
    public_latitude as latitude, public_longitude as longitude
"""

# Rows that are pointed at, and the column that points come to.
_ONE = {
    "county": ("fips", "select * from counties where fips = any($1::text[])"),
    "location": ("id", f"select {_LOCATION} from locations where id = any($1::uuid[])"),
    "provider": ("id", "select * from providers where id = any($1::uuid[])"),
    "provider_by_slug": ("slug", "select * from providers where slug = any($1::text[])"),
    "visiting_status": (
        "institution_id",
        """
        select distinct on (institution_id) * from visiting_statuses
        where visit_type = 'IN_PERSON' and institution_id = any($1::uuid[])
        order by institution_id, last_updated desc, created_at desc, id
        """,
    ),
}

# Rows that point to a parent k.
_MANY = {
    "institution_phones": "select * from phones where institution_id = k order by number, id",
    "center_phones": "select * from phones where visitor_center_id = k order by number, id",
    "provider_phones": "select * from phones where provider_id = k order by number, id",
    "centers": "select * from visitor_centers where institution_id = k order by name, id",
    "amenities": """
        select a.code, a.label_en as label
        from visitor_center_amenities c join visitor_amenities a on a.code = c.amenity_code
        where c.visitor_center_id = k order by a.label_en, a.code
    """,
    "programs": """
        select p.* from program_offerings o join programs p on p.id = o.program_id
        where o.institution_id = k order by p.name, p.id
    """,
    "population": """
        select * from population_counts where institution_id = k order by month desc, id
    """,
    "county_providers": "select * from providers where county_fips = k order by name, id",
    "services": "select * from services where provider_id = k order by name, id",
    "categories": """
        select c.code, c.label_en as label
        from service_categories s join categories c on c.code = s.category_code
        where s.service_id = k order by c.label_en, c.code
    """,
}

_COUNT = {
    "centers": """
        select institution_id, count(*) from visitor_centers
        where institution_id = any($1::uuid[]) group by 1
    """,
    "programs": """
        select institution_id, count(*) from program_offerings
        where institution_id = any($1::uuid[]) group by 1
    """,
}


class Loaders:
    """The loaders of one request, each made when it is first asked for."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self._made: dict[tuple[str, str, int], DataLoader[Any, Any]] = {}

    async def one(self, name: str, key: object) -> Any:
        """The row that a key points to."""
        column, statement = _ONE[name]

        async def batch(keys: Sequence[Any]) -> list[Any]:
            found = {row[column]: row for row in await self.pool.fetch(statement, keys)}
            return [found.get(key) for key in keys]

        return None if key is None else await self._loader("one", name, 0, batch).load(key)

    async def many(self, name: str, key: object, limit: int = 100) -> Any:
        """The rows that point to a key, at most so many."""
        kind = "text" if name == "county_providers" else "uuid"
        statement = f"""
            select n, t.* from unnest($1::{kind}[]) with ordinality as keys (k, n)
            cross join lateral ({_MANY[name]} limit $2) t
        """

        async def batch(keys: Sequence[Any]) -> list[Any]:
            lists: list[list[Any]] = [[] for _ in keys]
            for row in await self.pool.fetch(statement, keys, limit):
                lists[row["n"] - 1].append(row)
            return lists

        return await self._loader("many", name, limit, batch).load(key)

    async def count(self, name: str, key: object) -> int:
        """How many rows point to a key."""

        async def batch(keys: Sequence[Any]) -> list[Any]:
            found = dict(await self.pool.fetch(_COUNT[name], keys))
            return [found.get(key, 0) for key in keys]

        counted: int = await self._loader("count", name, 0, batch).load(key)
        return counted

    def _loader(self, kind: str, name: str, limit: int, batch: Batch) -> DataLoader[Any, Any]:
        key = (kind, name, limit)
        loader = self._made.get(key)
        if loader is None:
            loader = self._made[key] = DataLoader(batch)
        return loader
