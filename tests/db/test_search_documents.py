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


@pytest_asyncio.fixture(loop_scope="session")
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


async def test_documents_are_as_the_records_are_when_loaded(loaded_url: str) -> None:
    async with scratch(loaded_url) as url, connected(url) as connection:
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


async def test_documents_go_with_their_records_and_their_words_with_them(changing: str) -> None:
    async with connected(changing) as connection:
        await connection.execute(
            """insert into providers (id, slug, name, source_id)
               select gen_random_uuid(), 'quetzal', 'Quetzalcoatl Unico', id from sources limit 1"""
        )
        word = "select exists (select from search_lexemes where lexeme = 'quetzalcoatl')"
        assert await connection.fetchval(word)
        await connection.execute("delete from providers where slug = 'quetzal'")
        assert not await connection.fetchval(word)
        assert await connection.fetch(STALE) == []
        await connection.execute("truncate synonyms")
        await connection.execute("truncate phones")
        assert await connection.fetch(STALE) == []


async def test_two_who_change_one_record_at_the_same_time_are_both_seen(changing: str) -> None:
    """Neither can see what the other has not committed yet."""
    async with connected(changing) as one, connected(changing) as other:
        id = await one.fetchval("select id from services where offers = '{Clothing}' limit 1")
        first, second = one.transaction(), other.transaction()
        await first.start()
        await second.start()
        await one.execute(
            "insert into service_categories values ($1, 'VETERANS') on conflict do nothing", id
        )
        # What a provider keeps of its services may make the one wait for the other.
        changing_name = asyncio.ensure_future(
            other.execute(
                """update providers set name = 'Axolotl'
                   where id = (select provider_id from services where id = $1)""",
                id,
            )
        )
        await asyncio.wait([changing_name], timeout=1)
        if changing_name.done():
            await asyncio.gather(first.commit(), second.commit())
        else:
            await first.commit()
            await changing_name
            await second.commit()
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
        first, second = one.transaction(), other.transaction()
        await first.start()
        await second.start()
        await one.execute("update institutions set name = 'Ocelot Prison' where id = $1", prison)
        await other.execute(
            """insert into visitor_centers (id, slug, institution_id, name, source_id)
               select gen_random_uuid(), 'second', $1, 'Second', source_id from institutions
               where id = $1""",
            prison,
        )
        await second.commit()
        await first.commit()
        assert await one.fetch(STALE) == []


async def test_nobody_who_only_reads_may_write_documents(changing: str) -> None:
    async with connected(changing) as connection:
        await connection.execute("create role only_writes_providers")
        try:
            await connection.execute("grant select, update on providers to only_writes_providers")
            await connection.execute("set role only_writes_providers")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("update search_documents set title = 'x'")
            await connection.execute(
                "update providers set name = 'Okapi' where slug = 'friends-outside'"
            )
            await connection.execute("reset role")
            assert await connection.fetch(STALE) == []
        finally:
            await connection.execute("reset role")
            await connection.execute("drop owned by only_writes_providers")
            await connection.execute("drop role only_writes_providers")
