"""The questions, and with which variables they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

QUESTIONS = Path(__file__).parent / "questions"

Variables = Mapping[str, object]

PAGE_SIZE = 20
REFERENCES = 100
DEEP = 1000


@dataclass(frozen=True)
class Workload:
    """A question of `questions/`, asked with each of these variables in turn."""

    name: str
    about: str
    question: str
    asked: tuple[Variables, ...]
    skipped: int = 0
    """How many rows stand before the page that is asked for."""

    def text(self, kind: str) -> str:
        """The question in the words of one kind of server."""
        return (QUESTIONS / self.question / kind).read_text()

    def known_to(self, kind: str) -> bool:
        """Whether servers of this kind can be asked it at all."""
        return (QUESTIONS / self.question / kind).exists()


# Only what is real is asked for, so that both sizes are asked the same, and only where there is a
# full page of it, so that both answer as much.

_VISITED = """
    select i.code from institutions i
    where institution_type = 'STATE_PRISON' and 20 <= (
        select count(*) from providers p join sources o on o.id = p.source_id
        where p.county_fips = i.county_fips and not o.synthetic
    )
    order by i.code
"""

_PAIRS = """
    select p.county_fips as county, c.category_code as category
    from providers p
    join services s on s.provider_id = p.id
    join service_categories c on c.service_id = s.id
    join sources o on o.id = p.source_id
    where p.county_fips is not null and not o.synthetic
    group by 1, 2 having count(*) > 20
    order by md5(p.county_fips || c.category_code) limit 20
"""

_SLUGS = """
    select p.slug from providers p join sources o on o.id = p.source_id
    where not o.synthetic order by md5(p.slug) limit 200
"""


async def workloads(url: str) -> list[Workload]:
    """All of them, with variables that this database has answers for."""
    connection = await asyncpg.connect(url)
    try:
        codes = await connection.fetch(_VISITED)
        pairs = await connection.fetch(_PAIRS)
        slugs = await connection.fetch(_SLUGS)
        providers: int = await connection.fetchval("select count(*) from providers")
    finally:
        await connection.close()
    deep = min(DEEP, providers // PAGE_SIZE)
    first: Sequence[Variables] = [{"first": PAGE_SIZE}]
    return [
        Workload("visit", "an institution by code, four levels deep", "visit", _all(codes)),
        Workload("dashboard", "all institutions, ten programs each, counts", "dashboard", ({},)),
        Workload("search", "providers of a county and category, a page", "search", _all(pairs)),
        Workload("tiny", "two fields of a provider by slug", "tiny", _all(slugs)),
        Workload("entities", "a hundred providers that a router names", "entities", _named(slugs)),
        Workload("page 1", f"the first {PAGE_SIZE} providers", "page", tuple(first)),
        Workload(
            "deep page",
            f"page {deep:,} of them, by cursor",
            "page",
            tuple(first),
            skipped=(deep - 1) * PAGE_SIZE,
        ),
    ]


def _named(records: Sequence[Mapping[str, str]]) -> tuple[Variables, ...]:
    """As a router names them, a hundred at a time."""
    named = [{"__typename": "Provider", "slug": each["slug"]} for each in records]
    return tuple(
        {"representations": named[start : start + REFERENCES]}
        for start in range(0, len(named) - REFERENCES + 1, 5)
    )


def _all(records: Sequence[Mapping[str, object]]) -> tuple[Variables, ...]:
    return tuple(dict(record) for record in records)
