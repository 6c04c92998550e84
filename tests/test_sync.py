"""Who keeps a copy asks what has changed since, and has in the end what there is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest_asyncio

from db.changes import Changes
from db.database import Database
from db.query import Reads
from db.roles import role_name
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest, resolve
from schema.audiences import Audiences
from schema.roles import Role
from tests.db.scratch import connected, scratch
from tests.roads import both_roads, codes_of, the_graph

SUBJECT = "00000000-0000-0000-0000-000000000001"

PAGE = """query ($since: String, $types: [EntityType!], $county: ID, $first: Int) {
  changes(since: $since, types: $types, county: $county, first: $first) {
    upserts { id type node { __typename id ... on County { name } } }
    tombstones { id type }
    cursor
    hasMore
  }
}"""


@pytest_asyncio.fixture
async def url(migrated_url: str) -> AsyncIterator[str]:
    """A directory of one source and a few counties."""
    async with scratch(migrated_url) as made:
        async with connected(made) as connection:
            await connection.execute(
                f"""
                insert into sources (id, key, name) values ('{SUBJECT}', 'TEST', 'A test');
                insert into counties (fips, name, source_id)
                    select '06' || lpad((2 * n - 1)::text, 3, '0'), 'C' || n, '{SUBJECT}'
                    from generate_series(1, 8) n;
                """
            )
        yield made


@cache
def seen_by(role: Role) -> Graph:
    return the_graph() if role is Role.ADMIN else Audiences().graph(role)


@dataclass
class Copy:
    """What a client has, and how it keeps it."""

    database: Database
    graph: Graph = field(default_factory=the_graph)
    cursor: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    async def page(self, **given: Any) -> dict[str, Any]:
        """The next page, alike on either road, for one statement each."""
        variables = {"since": self.cursor, **given}
        request = GraphQLRequest(PAGE, None, variables)
        response = json.loads((await both_roads(self.database, request, self.graph)).body)
        assert "errors" not in response, response
        page: dict[str, Any] = response["data"]["changes"]
        return page

    async def go_on(self, **given: Any) -> dict[str, Any]:
        """Take a page in."""
        page = await self.page(**given)
        for each in page["upserts"]:
            assert each["id"] == each["node"]["id"]
            self.names[each["id"]] = each["node"].get("name", "")
        for each in page["tombstones"]:
            self.names.pop(each["id"], None)
        ids = [each["id"] for each in page["upserts"] + page["tombstones"]]
        assert len(set(ids)) == len(ids)
        self.told += ids
        self.cursor = page["cursor"]
        return page

    async def until(self, ids: int) -> None:
        """Go on until so many have been told: other databases may hold the log back."""
        async with asyncio.timeout(20):
            while len(self.told) < ids:
                await self.go_on()


@asynccontextmanager
async def keeping(url: str, role: Role = Role.ADMIN) -> AsyncIterator[Copy]:
    """A client that begins now, as somebody of this role."""
    database = await Database.open(url, role=role_name(role.value))
    try:
        copy = Copy(database, seen_by(role))
        await copy.go_on()
        # What was committed before is fetched, and need not be told. It can be, if somebody in
        # another database has been at it for longer.
        async with asyncio.timeout(20):
            async with connected(url) as connection:
                now = await connection.fetchval("select pg_current_xact_id()::text")
            while int((copy.cursor or "").partition(".")[0]) <= int(now):
                await asyncio.sleep(0.01)
                copy.cursor = None
                await copy.go_on()
        copy.told.clear()
        yield copy
    finally:
        await database.close()


async def run(url: str, *statements: str) -> None:
    """Each statement in a transaction of its own."""
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)


def called(name: str, fips: str) -> str:
    return f"update counties set name = '{name}' where fips = '{fips}'"


async def test_without_a_cursor_there_is_one_of_now_and_nothing_is_told(url: str) -> None:
    async with keeping(url) as copy:
        copy.cursor = None
        page = await copy.go_on()
        assert (page["upserts"], page["tombstones"], page["hasMore"]) == ([], [], False)


async def test_each_record_comes_once_as_it_is_and_what_is_gone_by_its_id(url: str) -> None:
    async with keeping(url, Role.PUBLIC) as copy:
        await run(
            url,
            called("A", "06001"),
            "delete from counties where fips = '06003'",
            called("B", "06001"),
            f"insert into counties (fips, name, source_id) values ('06099', 'New', '{SUBJECT}')",
            # It is as if it had never been.
            f"insert into counties (fips, name, source_id) values ('06097', 'Gone', '{SUBJECT}')",
            "delete from counties where fips = '06097'",
            # What is removed and comes back is there.
            "delete from counties where fips = '06005'",
            f"insert into counties (fips, name, source_id) values ('06005', 'Back', '{SUBJECT}')",
        )
        await copy.until(5)
        assert copy.names == {
            "County:06001": "B",
            "County:06099": "New",
            "County:06005": "Back",
        }
        assert sorted(set(copy.told) - set(copy.names)) == ["County:06003", "County:06097"]
        page = await copy.go_on()
        assert (page["upserts"], page["tombstones"], page["hasMore"]) == ([], [], False)


async def test_a_page_has_so_many_records_and_the_next_goes_on(url: str) -> None:
    async with keeping(url) as copy:
        start = copy.cursor
        await run(url, "update counties set name = name || '!'", called("Last", "06001"))
        await copy.until(8)
        copy.cursor, copy.told = start, []
        sizes = []
        while (page := await copy.go_on(first=3))["hasMore"]:
            sizes.append(len(page["upserts"]))
        assert [*sizes, len(page["upserts"])] == [3, 3, 2]
        assert len(set(copy.told)) == len(copy.told) == 8
        # What changed twice is told where it changed last.
        assert copy.told[-1] == "County:06001"
        copy.cursor = start
        page = await copy.go_on(first=0)
        assert (page["hasMore"], page["upserts"]) == (True, [])
        copy.told = []
        await copy.until(8)
        assert len(set(copy.told)) == len(copy.told) == 8


async def test_only_records_of_some_types(url: str) -> None:
    async with keeping(url) as copy:
        start = copy.cursor
        await run(
            url, called("A", "06001"), "update sources set name = 'Another' where key = 'TEST'"
        )
        await copy.until(2)
        for types, told in (
            (["SOURCE"], [f"Source:{SUBJECT}"]),
            (["COUNTY"], ["County:06001"]),
            (["COUNTY", "SOURCE"], ["County:06001", f"Source:{SUBJECT}"]),
            (["PHONE"], []),
        ):
            copy.cursor, copy.told = start, []
            page = await copy.go_on(types=types)
            assert copy.told == told
            assert {each["type"] for each in page["upserts"]} <= set(types)


async def test_what_has_left_a_county_is_forgotten_there(url: str) -> None:
    here, there, hidden = (f"00000000-0000-0000-0000-00000000001{n}" for n in range(3))
    async with keeping(url, Role.PUBLIC) as copy:
        start = copy.cursor
        await run(
            url,
            "insert into providers (id, slug, name, county_fips, source_id) values"
            f" ('{here}', 'a', 'Here', '06001', '{SUBJECT}'),"
            f" ('{there}', 'b', 'There', '06003', '{SUBJECT}')",
            "insert into locations (id, county_fips, address_visibility, source_id) values"
            f" ('{hidden}', '06001', 'PUBLIC', '{SUBJECT}')",
            called("Renamed", "06001"),
        )
        await copy.until(4)
        copy.cursor = start
        page = await copy.go_on(county="County:06001")
        upserts = [each["id"] for each in page["upserts"]]
        assert upserts == [f"Provider:{here}", f"Location:{hidden}"]
        # It is elsewhere; whether it ever was here, nobody has to know.
        assert [each["id"] for each in page["tombstones"]] == [f"Provider:{there}"]
        copy.told = []
        await run(
            url,
            f"update providers set county_fips = '06003' where id = '{here}'",
            f"update providers set county_fips = '06001' where id = '{there}'",
            "update locations set address_visibility = 'HIDDEN'",
        )
        async with asyncio.timeout(20):
            while len(copy.told) < 3:
                await copy.go_on(county="County:06001")
        assert set(copy.names) & set(copy.told) == {f"Provider:{there}"}


async def test_a_page_looks_at_so_many_lines_and_says_that_there_is_more(url: str) -> None:
    async with keeping(url) as copy:
        await run(
            url,
            "do $$ begin for n in 1 .. 650 loop"
            " update counties set name = fips || n; end loop; end $$",
            "update sources set name = 'The last of all' where key = 'TEST'",
        )
        empty = 0
        async with asyncio.timeout(20):
            while not copy.told:
                page = await copy.go_on(types=["SOURCE"])
                empty += page["hasMore"] and not copy.told
        # 5,200 lines about others: a page without any record, and not the last one.
        assert (empty, copy.told) == (1, [f"Source:{SUBJECT}"])


async def test_what_becomes_visible_late_is_not_skipped(url: str) -> None:
    """The first begins first, draws the lower numbers, and commits last."""
    async with keeping(url) as copy, connected(url) as first, connected(url) as second:
        one, other = first.transaction(), second.transaction()
        await one.start()
        await first.execute(called("first", "06001"))
        await other.start()
        await second.execute(called("second", "06003"))
        await other.commit()
        # What is committed after one that is under way waits for it.
        for _ in range(3):
            page = await copy.go_on()
            assert (copy.told, page["hasMore"]) == ([], False)
        await one.commit()
        await copy.until(2)
        assert copy.names == {"County:06001": "first", "County:06003": "second"}
        assert copy.told == ["County:06001", "County:06003"]


async def test_a_copy_is_what_there_is_however_many_write(url: str) -> None:
    """Transactions that overlap, roll back and delete, while a client asks for small pages."""
    writers, steps = 6, 15

    async def write(number: int) -> None:
        async with connected(url) as connection:
            for step in range(steps):
                transaction = connection.transaction()
                await transaction.start()
                mine = f"06{200 + number * 20 + step % 4}"
                if step % 4 == 3:
                    await connection.execute(
                        "delete from counties where fips = $1", f"06{200 + number * 20}"
                    )
                await connection.execute(
                    "insert into counties (fips, name, source_id) values ($1, $2, $3)"
                    " on conflict (fips) do update set name = excluded.name",
                    mine,
                    f"W{number} {step}",
                    SUBJECT,
                )
                await asyncio.sleep(0.001 * ((number * 7 + step * 3) % 11))
                await (transaction.rollback() if step % 5 == 4 else transaction.commit())

    async def there() -> dict[str, str]:
        async with connected(url) as connection:
            rows = await connection.fetch("select 'County:' || fips, name from counties")
        return dict(rows)

    async with keeping(url) as copy:
        copy.names = await there()
        writing = asyncio.gather(*(write(number) for number in range(writers)))
        pages = 0
        while not writing.done():
            await copy.go_on(first=1 + pages % 4)
            pages += 1
        await writing
        final = await there()
        async with asyncio.timeout(20):
            while copy.names != final:
                await copy.go_on(first=3)
        # And there it stays.
        while (await copy.go_on())["hasMore"]:
            pass
        assert copy.names == final
        assert pages > 3
        assert len(final) > 8 + writers


async def test_what_is_no_cursor_is_refused(url: str) -> None:
    database = await Database.open(url)
    none = ("", "7", "a.b", "1.2.3", "٣.٤", "9999999999999999999.1", "99999999999999999999.1")
    for cursor, code in [
        *((each, "BAD_CURSOR") for each in none),
        ("3.1", "CURSOR_EXPIRED"),
        ("0.0", "CURSOR_EXPIRED"),
    ]:
        request = GraphQLRequest(PAGE, None, {"since": cursor})
        for computed in (False, True):
            answer = await resolve(the_graph(), database, request, computed=computed)
            assert codes_of(json.loads(answer.body)) == [code]
    await database.close()


async def test_a_cursor_whose_lines_went_is_refused(url: str) -> None:
    async with keeping(url) as copy:
        await run(url, called("A", "06001"), called("B", "06001"))
        await copy.until(1)
        old = copy.cursor
        await run(url, called("C", "06001"))
        await copy.until(2)
        async with connected(url) as connection, connection.transaction():
            await connection.execute("alter table changes disable trigger append_only")
            await connection.execute(
                "delete from changes where seq <> (select max(seq) from changes)"
            )
            await connection.execute("alter table changes enable trigger append_only")
        request = GraphQLRequest(PAGE, None, {"since": old})
        answer = await resolve(the_graph(), copy.database, request)
        assert codes_of(json.loads(answer.body)) == ["CURSOR_EXPIRED"]
        # The one of after them holds.
        await copy.page()


async def test_other_arguments_that_make_no_sense(url: str) -> None:
    database = await Database.open(url)
    for given, code in (
        ("first: 101", "PAGE_TOO_LARGE"),
        ("first: -1", "BAD_USER_INPUT"),
        ("types: []", "BAD_USER_INPUT"),
        ('types: [PROVIDER, PHONE], county: "County:06001"', "BAD_USER_INPUT"),
        ('county: "06001"', "BAD_ID"),
        ("types: [NOTHING]", "GRAPHQL_VALIDATION_FAILED"),
    ):
        request = GraphQLRequest(f"{{ changes({given}) {{ cursor }} }}")
        answer = await resolve(the_graph(), database, request)
        assert codes_of(json.loads(answer.body)) == [code]
    await database.close()


async def test_records_that_are_not_for_a_role_are_not_told_of(url: str) -> None:
    pair = (
        "insert into providers (id, slug, name, source_id) select gen_random_uuid(),"
        f" 'p' || n, 'P', '{SUBJECT}' from generate_series(1, 2) n;"
        "insert into duplicate_candidates (id, left_id, right_id, score, reasons)"
        " select gen_random_uuid(), min(id::text)::uuid, max(id::text)::uuid, 0.9, '{SAME_PHONE}'"
        " from providers"
    )
    async with keeping(url, Role.PUBLIC) as public, keeping(url, Role.STAFF) as staff:
        await run(url, pair)
        await staff.until(3)
        await public.until(2)
        assert not (await public.go_on())["hasMore"]
        kinds = {id_.partition(":")[0] for id_ in staff.told}
        assert kinds == {"Provider", "DuplicateCandidate"}
        assert {id_.partition(":")[0] for id_ in public.told} == {"Provider"}
        request = GraphQLRequest("{ changes(types: [DUPLICATE_CANDIDATE]) { cursor } }")
        refused = await resolve(public.graph, public.database, request)
        assert codes_of(json.loads(refused.body)) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_nobody_keeps_an_answer_that_a_rollback_changes(url: str) -> None:
    """When a transaction ends that has changed nothing, nobody is told, and more may be read."""
    database = await Database.open(url)
    changes = Changes(database)
    async with connected(url) as connection:
        await changes.learn(connection)
    assert changes.sources(Reads(frozenset(), frozenset({"changes_since"}))) is None
    assert changes.sources(Reads(frozenset({"changes"}), frozenset())) is not None
    await database.close()
