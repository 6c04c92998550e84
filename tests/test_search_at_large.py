"""Among very many documents a search looks for fewer, and says so."""

from __future__ import annotations

from tests.db.scratch import connected, scratch
from tests.relevance.judged import read

# As if there were a million; it is forgotten with the transaction.
LARGE = "update pg_class set reltuples = 2e6 where oid = 'search_documents'::regclass"

FOUND = """
    with asked as materialized (
        select search_all(array_agg(meaning order by n)) as query,
               near_position($3, null, null) as origin, chord(30) as reach
        from search_terms($1, $2)
        having count(*) > 0
    )
    select complete, rows::text[] as found, array(
        select ctid::text from search_documents
        where words @@ query
          and (origin is null or everywhere
               or exists (select from unnest(positions) p where p <-> origin <= reach))
    ) as everything
    from asked, search_found(query, origin, reach, 400, 1500)
"""


async def test_what_is_said_to_be_everything_is_everything(loaded_url: str) -> None:
    """The rest is a part of it, and says that it is."""
    whole = parts = 0
    async with scratch(loaded_url) as url, connected(url) as connection, connection.transaction():
        await connection.execute(LARGE)
        assert await connection.fetchval("select search_is_large()")
        asked = {(each.text, each.lang, each.near) for each in read()}
        for text, lang, near in asked | {("clinic", None, None), ("clinic", None, "90012")}:
            for found in await connection.fetch(FOUND, text, lang, near):
                some, everything = set(found["found"]), set(found["everything"])
                assert some <= everything, text
                if found["complete"]:
                    assert some == everything, text
                    whole += bool(some)
                else:
                    assert some, text
                    parts += 1
    assert whole > 50
    assert parts
