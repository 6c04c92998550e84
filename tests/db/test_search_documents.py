"""What can be found is what is there, after whatever change, by whomever, at the same time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.db.scratch import connected, scratch

COLUMNS = """kind, key, title, spanish_title, title_words, body, status, categories, counties,
    languages, everywhere, positions::text as positions, words"""

PHRASES = "phrase, lang, concept, marks, narrower, query::text, lexemes"

# What is kept and should not be, or should be and is not.
STALE = f"""
    with due as materialized (select {COLUMNS} from searchable),
    kept as materialized (select {COLUMNS} from search_documents),
    used as materialized (select distinct unnest(lexemes_of(words)) as lexeme from due)
    select 'document' as what, kind || ' ' || key as which from (
        (table due except table kept) union all (table kept except table due)) documents
    union all
    select 'word', lexeme from (
        (table used except table search_lexemes)
        union all (table search_lexemes except table used)) words
    union all
    select 'phrase', phrase from (
        (select {PHRASES} from searchable_phrases except select {PHRASES} from search_phrases)
        union all
        (select {PHRASES} from search_phrases except select {PHRASES} from searchable_phrases)
    ) phrases
    union all
    select 'change', source from search_changes
"""

# Every way in which a record can come to say something else: a table, and what a few rows become.
CHANGES = [
    ("institutions", "name = name || ' Ünknown'"),
    ("institutions", "aliases = aliases || '{XYZ}'"),
    ("institutions", "location_id = (select id from locations limit 1)"),
    ("visitor_centers", "status = 'TEMPORARILY_CLOSED'"),
    ("visitor_centers", "institution_id = (select id from institutions where code = 'CIM')"),
    ("visitor_center_amenities", None),
    ("visitor_amenities", "label_es = label_es || ' zwölf'"),
    ("programs", "summary = 'Zebras'"),
    ("program_offerings", "status = 'ENDED'"),
    ("program_offerings", None),
    ("program_categories", None),
    ("reentry_programs", "eligibility = 'quokkas'"),
    ("reentry_program_counties", None),
    ("reentry_program_categories", None),
    ("providers", "name = 'Quagga ' || name"),
    ("providers", "location_id = null"),
    ("providers", "languages = '{es,nah}'"),
    ("services", "offers = offers || '{Quilting}'"),
    ("services", "status = 'DEFUNCT'"),
    ("services", "provider_id = (select id from providers where slug = 'friends-outside')"),
    ("service_categories", None),
    ("services_at_locations", None),
    ("locations", "city = 'Xanadu', latitude = 40, longitude = -120"),
    ("locations", "address_visibility = 'HIDDEN'"),
    ("phones", "number = '+12135550199'"),
    ("phones", None),
    ("categories", "label_es = 'Ñandúes'"),
    ("categories", "parent_code = nullif('LEGAL', code)"),
    ("synonyms", "english = english || '{quicksilver}'"),
    ("synonyms", None),
    ("counties", "name = name || ' Nuevo'"),
    ("translations", "text = 'Zafiro'"),
    ("translations", None),
    ("service_areas", None),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def changing(loaded_url: str) -> AsyncIterator[str]:
    """A directory of one's own, to be changed."""
    async with scratch(loaded_url) as url:
        yield url


def change(number: int, dice: random.Random) -> str:
    """A statement that changes a few rows, or removes them."""
    table, becomes = CHANGES[number]
    verb = f"update {table} set {becomes}" if becomes else f"delete from {table}"
    few = f"order by md5(ctid::text || {dice.random()}) limit {dice.randint(1, 5)}"
    return f"{verb} where ctid = any (array(select ctid from {table} {few}))"


async def test_documents_are_as_the_records_are_when_loaded(changing: str) -> None:
    async with connected(changing) as connection:
        assert await connection.fetch(STALE) == []
        assert await connection.fetchval("select count(*) from search_documents") > 10_000


async def test_documents_follow_every_change(changing: str) -> None:
    dice = random.Random(6)
    order = list(range(len(CHANGES)))
    dice.shuffle(order)
    async with connected(changing) as connection:
        for number in order:
            # Alone, or several in one transaction; now and then one that is rolled back.
            try:
                async with connection.transaction():
                    await connection.execute(change(number, dice))
                    if dice.random() < 0.4:
                        await connection.execute(change(dice.choice(order), dice))
                    if dice.random() < 0.2:
                        raise LookupError
            except LookupError:
                pass
        assert await connection.fetch(STALE) == []
        new = "quagga | xanadu | zebras | nandues | quokkas"
        changed = "select count(*) from search_documents where words @@ $1::text::tsquery"
        assert await connection.fetchval(changed, new) > 3


async def test_documents_go_with_their_records_and_their_words_with_them(
    migrated_url: str,
) -> None:
    async with scratch(migrated_url) as url, connected(url) as connection:
        source = "4a3b6a3c-0000-0000-0000-000000000000"
        await connection.execute(f"""
            insert into sources (id, key, name) values ('{source}', 'us', 'Us');
            insert into providers (id, slug, name, source_id)
            select gen_random_uuid(), word, word || ' unico', '{source}'
            from unnest('{{quetzal,tapir}}'::text[]) word;
            insert into phones (id, number, kind, provider_id, source_id)
            select gen_random_uuid(), '+12135550199', 'VOICE', id, '{source}' from providers;
        """)
        words = "select array_agg(lexeme order by lexeme) from search_lexemes"
        assert await connection.fetchval(words) == ["quetzal", "tapir", "unico"]
        await connection.execute("truncate phones")
        assert await connection.fetch(STALE) == []
        await connection.execute("delete from providers where slug = 'quetzal'")
        assert await connection.fetchval(words) == ["tapir", "unico"]
        assert await connection.fetch(STALE) == []


async def at_the_same_time(
    one: asyncpg.Connection, first: str, other: asyncpg.Connection, second: str, *given: object
) -> None:
    """Two transactions that are both under way before either is committed, unless one waits."""

    async def change(connection: asyncpg.Connection, statement: str) -> None:
        async with connection.transaction():
            await connection.execute(statement, *given)
            await asyncio.sleep(0.2)

    await asyncio.gather(change(one, first), change(other, second))


async def test_two_who_change_one_record_at_the_same_time_are_both_seen(changing: str) -> None:
    """Neither can see what the other has not committed yet."""
    async with connected(changing) as one, connected(changing) as other:
        id = await one.fetchval("select id from services where offers = '{Clothing}' limit 1")
        await at_the_same_time(
            one,
            "insert into service_categories values ($1, 'VETERANS') on conflict do nothing",
            other,
            """update providers set name = 'Axolotl'
               where id = (select provider_id from services where id = $1)""",
            id,
        )
        assert await one.fetch(STALE) == []
        found = await one.fetchval(
            """select words @@ '''@VETERANS'' & axolotl'::tsquery
               from search_documents where kind = 'SERVICE' and key = $1""",
            str(id),
        )
        assert found


async def test_a_new_relation_does_not_miss_a_change_that_was_under_way(changing: str) -> None:
    async with connected(changing) as one, connected(changing) as other:
        prison = await one.fetchval("select id from institutions where code = 'CIM'")
        await at_the_same_time(
            one,
            "update institutions set name = 'Ocelot Prison' where id = $1",
            other,
            """insert into visitor_centers (id, slug, institution_id, name, source_id)
               select gen_random_uuid(), 'second', id, 'Second', source_id from institutions
               where id = $1""",
            prison,
        )
        assert await one.fetch(STALE) == []


async def test_who_may_change_records_need_not_be_able_to_write_documents(changing: str) -> None:
    async with connected(changing) as connection:
        await connection.execute("create role lexicographer")
        try:
            await connection.execute("grant select, update on synonyms to lexicographer")
            await connection.execute("set role lexicographer")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("update search_documents set title = 'x'")
            await connection.execute("update synonyms set english = '{okapi}' where code = 'DOG'")
            await connection.execute("reset role")
            assert await connection.fetch(STALE) == []
        finally:
            await connection.execute(
                "reset role; drop owned by lexicographer; drop role lexicographer"
            )
