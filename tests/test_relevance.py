"""How well searches answer the judged questions, guarded against falling."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from db.database import Database
from tests.db.scratch import connected
from tests.relevance.judged import Figures, Question, Record, measure, read
from tests.roads import ask

QUESTIONS = read()

# A little below what was measured. `held out` are questions that nobody has tuned for.
GUARDED = {"tuned": Figures(0.0, 0.0), "held out": Figures(0.0, 0.0)}

SEARCH = """query ($text: String!, $lang: Language, $near: Near) {
    search(text: $text, lang: $lang, near: $near, first: 10) { nodes {
        __typename
        ... on Institution { key: code }
        ... on VisitorCenter { key: slug }
        ... on Program { key: slug }
        ... on ReentryProgram { key: slug }
        ... on Provider { key: slug }
        ... on Service { provider { key: slug } }
        ... on Category { key: code }
    } }
}"""

WORDS = """
    select 'institution' as kind, code as key, name as words from institutions
    union all select 'visitor_center', slug, name from visitor_centers
    union all select 'program', slug, name from programs
    union all select 'reentry_program', slug, name from reentry_programs
    union all select 'category', code, label_en from categories
    union all
    select kind, p.slug, concat_ws(' / ', p.name, p.site_name, s.name, array_to_string(s.offers, ' / '), l.public_city)
    from providers p left join services s on s.provider_id = p.id left join locations l on l.id = p.location_id,
         (values ('provider'), ('service')) kinds (kind)
    where kind = 'provider' or s.id is not null
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def words(loaded_url: str) -> Mapping[Record, str]:
    """The words of every record, by which it is judged."""
    async with connected(loaded_url) as connection:
        rows = await connection.fetch(WORDS)
    return {(row["kind"], row["key"]): row["words"] for row in rows}


def record_of(node: Mapping[str, Any]) -> Record:
    """Which record a node is."""
    kind = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in node["__typename"])
    key = node["key"] if "key" in node else node["provider"]["key"]
    return kind.removeprefix("_"), key


async def searched(database: Database, question: Question) -> list[Record]:
    """The ten best records for a question."""
    variables = {
        "text": question.text,
        "lang": question.lang,
        "near": question.near and {"zip": question.near},
    }
    data = (await ask(database, SEARCH, variables))["data"]
    return [record_of(node) for node in data["search"]["nodes"]]
