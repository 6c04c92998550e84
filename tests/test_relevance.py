"""How well searches answer the judged questions, guarded against falling."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import pytest_asyncio

from db.database import Database
from tests.db.scratch import connected
from tests.relevance.judged import Figures, Question, Record, measure, read
from tests.roads import data_of

QUESTIONS = read()

# A little below what was measured. `held out` are questions that nobody has tuned for.
GUARDED = {
    "tuned": Figures(ndcg=0.85, success=0.98),
    "held out": Figures(ndcg=0.78, success=0.96),
    "typed ahead": Figures(ndcg=0.96, success=0.99),
}

KEYS = """
    __typename
    ... on Institution { key: code }
    ... on VisitorCenter { key: slug }
    ... on Program { key: slug }
    ... on ReentryProgram { key: slug }
    ... on Provider { key: slug }
    ... on Service { provider { key: slug } }
    ... on Category { key: code }
"""

SEARCH = f"""query ($text: String!, $lang: Language, $near: Near) {{
    search(text: $text, lang: $lang, near: $near, first: 10) {{ nodes {{ {KEYS} }} }}
}}"""

SUGGEST = """query ($text: String!, $lang: Language) {
    suggest(text: $text, lang: $lang, first: 10) { text nodeId }
}"""

NODES = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {KEYS} }} }}"

WORDS = """
    select 'institution' as kind, code as key, name as words from institutions
    union all select 'visitor_center', slug, name from visitor_centers
    union all select 'program', slug, name from programs
    union all select 'reentry_program', slug, name from reentry_programs
    union all select 'category', code, label_en from categories
    union all
    select kind, p.slug, concat_ws(
        ' / ', p.name, p.site_name, s.name, array_to_string(s.offers, ' / '), l.public_city)
    from providers p
    left join services s on s.provider_id = p.id
    left join locations l on l.id = p.location_id,
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
    kind = re.sub(r"(?<!^)([A-Z])", r"_\1", node["__typename"]).lower()
    return kind, node["key"] if "key" in node else node["provider"]["key"]


async def searched(database: Database, question: Question) -> list[set[Record]]:
    """The ten best records for a question."""
    near = question.near and {"zip": question.near}
    variables = {"text": question.text, "lang": question.lang, "near": near}
    found = (await data_of(database, SEARCH, variables))["search"]["nodes"]
    return [{record_of(node)} for node in found]


async def suggested(database: Database, question: Question) -> list[set[Record]]:
    """The ten best suggestions for what is typed so far: what they say, and what they lead to."""
    variables = {"text": question.text, "lang": question.lang}
    found = (await data_of(database, SUGGEST, variables))["suggest"]
    ids = [each["nodeId"] for each in found if each["nodeId"]]
    nodes = (await data_of(database, NODES, {"ids": ids}))["nodes"] if ids else []
    records = dict(zip(ids, map(record_of, nodes), strict=True))
    return [
        {("text", each["text"]), records.get(each["nodeId"], ("text", each["text"]))}
        for each in found
    ]


def _worth(found: Sequence[set[Record]], worths: Mapping[Record, int]) -> list[int]:
    """What each of a list is worth; nothing is worth anything twice."""
    left = dict(worths)
    return [max(left.pop(record, 0) for record in records) for records in found]


def part_of(question: Question) -> str:
    """Which figure a question counts for."""
    if question.prefix:
        return "typed ahead"
    return "held out" if question.held_out else "tuned"


@pytest.mark.parametrize("part", GUARDED)
async def test_searches_answer_no_worse_than_they_did(
    part: str, database: Database, words: Mapping[Record, str]
) -> None:
    measured = []
    for question in QUESTIONS:
        if part_of(question) != part:
            continue
        worths = question.worths(words)
        find = suggested if question.prefix else searched
        found = await find(database, question)
        measured.append(measure(_worth(found, worths), list(worths.values())))
    figures = Figures.of(measured)
    sys.stdout.write(f"{part}, {len(measured)} questions: {figures}\n")
    assert figures.ndcg >= GUARDED[part].ndcg
    assert figures.success >= GUARDED[part].success


def test_a_good_answer_is_worth_more_than_a_poor_one() -> None:
    assert measure([3, 2, 1], [1, 2, 3]) == (1, 1)
    assert measure([], [1]) == (0, 0)
    assert measure([0, 0, 0, 3], [3])[1] == 0
    assert measure([2, 3], [2, 3])[0] < 1
