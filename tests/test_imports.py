"""Imports that clients ask for: a real server takes them, once and whole, whatever happens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import signal
import tempfile
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import httpx
import pytest
import pytest_asyncio

from db import api_keys
from db.connection import connected as as_role
from db.data.exchange.waiting import take_waiting
from db.mapping import Sheet
from tests.db.scratch import connected, scratch
from tests.roads import codes_of
from tests.serving import Serving, serving
from tests.streams import socket

FIELDS = """id kind state file sha256 dryRun startedBy why bytes tries rowsRead rowsStaged
  rowsInserted rowsChanged rowsUnchanged rowsRejected error actor finishedAt source { key }
  rejections(first: 5) { nodes { place entity field value reason message rowKept } }"""
ROOT = UUID(int=0)
SHOW = f"query ($id: ID!) {{ node(id: $id) {{ ... on ImportRun {{ {FIELDS} }} }} }}"


@dataclass(frozen=True)
class Office:
    """A directory, a server of it, and somebody of its staff."""

    database: str
    server: Serving
    http: httpx.AsyncClient
    staff: str

    async def send(self, query: str, *, shown: str | None = None, **variables: object) -> Any:
        response = await self.http.post(
            f"{self.server.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {shown or self.staff}"},
        )
        return response.json()

    async def made(self, name: str, **input_: object) -> dict[str, Any]:
        """The payload of a mutation."""
        title = name[0].upper() + name[1:]
        answer = await self.send(
            f"mutation ($input: {title}Input!) {{ made: {name}(input: $input) {{"
            f" importRun {{ {FIELDS} }} userErrors {{ path code message }} }} }}",
            input=input_,
        )
        assert "errors" not in answer, answer
        made: dict[str, Any] = answer["data"]["made"]
        return made

    async def run(self, name: str = "startImport", **input_: object) -> dict[str, Any]:
        """The run that a mutation answers with."""
        made = await self.made(name, **input_)
        assert made["userErrors"] == []
        run: dict[str, Any] = made["importRun"]
        return run

    async def refused(self, name: str, **input_: object) -> tuple[list[str], str, str]:
        """Which field a mutation is refused for, by which code and why."""
        made = await self.made(name, **input_)
        assert made["importRun"] is None
        (fault,) = made["userErrors"]
        return fault["path"], fault["code"], fault["message"]

    async def asked(self, id_: str) -> dict[str, Any]:
        """The run as it is."""
        answer = await self.send(SHOW, id=id_)
        assert "errors" not in answer, answer
        run: dict[str, Any] = answer["data"]["node"]
        return run

    async def over(self, id_: str) -> dict[str, Any]:
        """The run, when it has come to its end."""
        async with asyncio.timeout(60):
            while (run := await self.asked(id_))["finishedAt"] is None:  # noqa: ASYNC110  # as a client does
                await asyncio.sleep(0.05)
        return run

    async def counts(self, *tables: str) -> list[int]:
        async with connected(self.database) as line:
            return [await line.fetchval(f"select count(*) from {table}") for table in tables]

    async def do(self, *statements: str) -> None:
        async with connected(self.database) as line:
            for statement in statements:
                await line.execute(statement)


async def until(line: asyncpg.Connection, condition: str) -> None:
    async with asyncio.timeout(60):
        while not await line.fetchval(f"select {condition}"):  # noqa: ASYNC110  # Postgres has no event for it
            await asyncio.sleep(0.01)


@asynccontextmanager
async def served(url: str) -> AsyncIterator[Serving]:
    running = serving(database_url=url, environment="production")
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


# A server that imports waits for whoever holds this lock, when it has staged so much.
HOLD = """
    create function hold() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock_shared(42);
        return new;
    end
    $$;
    create trigger hold before insert on import_rows for each row when (new.number > 400)
        execute function hold()
"""
_WAITS = """exists (select from pg_locks l left join pg_class c on c.oid = l.relation
                    where not l.granted and {} and l.database =
                        (select oid from pg_database where datname = current_database()))"""
HELD = _WAITS.format("l.locktype = 'advisory' and l.objid = 42")
WRITING = _WAITS.format("c.relname = 'phones'")
# What is left of a process that was killed, Postgres finds out when it has something to tell it.
ALONE = """not exists (select from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid())"""
MANY = 500


def many(of: str = "Organization") -> str:
    """Organizations with a phone each: a line for each, so that they come in several batches."""
    return "".join(
        json.dumps(
            {
                "id": str(uuid5(ROOT, f"{of} {number}")),
                "name": f"{of} {number}",
                "phones": [{"id": str(uuid5(ROOT, f"{of} {number}")), "number": "+14155550100"}],
            }
        )
        + "\n"
        for number in range(MANY)
    )


async def sent(office: Office, content: str, **more: object) -> dict[str, Any]:
    """A run of a file that is sent in parts."""
    size = 60_000
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    asked: dict[str, Any] = {"format": "HSDS", "file": "many.ndjson", **more}
    run = await office.run(content=parts[0], more=len(parts) > 1, **asked)
    for number, part in enumerate(parts[1:], 2):
        last = number == len(parts)
        run = await office.run(
            "continueImport", id=run["id"], part=number, content=part, more=not last
        )
    return run


@asynccontextmanager
async def opened(migrated_url: str) -> AsyncIterator[Office]:
    """An office of its own, in an empty directory."""
    async with scratch(migrated_url) as url:
        staff = await api_keys.create(url, "ana", "STAFF", ["READ", "WRITE"])
        async with httpx.AsyncClient(timeout=60) as http, served(url) as server:
            yield Office(url, server, http, staff)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(migrated_url: str) -> AsyncIterator[Office]:
    async with opened(migrated_url) as made:
        yield made


def feed(*names: str, **more: object) -> str:
    """Organizations of HSDS, whose ids follow from their names."""
    return json.dumps(
        [{"id": str(UUID(int=hash_of(name))), "name": name, **more} for name in names]
    )


def hash_of(name: str) -> int:
    return int.from_bytes(name.encode()[:16])


async def named(office: Office, *names: str) -> list[str]:
    """Which of these organizations there are."""
    async with connected(office.database) as line:
        found = await line.fetch(
            "select name from providers where name = any ($1) order by name", list(names)
        )
    return [name for (name,) in found]


async def test_a_feed_comes_in_one_call(office: Office) -> None:
    run = await office.run(
        format="HSDS",
        file="fresno.json",
        content=feed("Fresno One", "Fresno Two"),
        source="FRESNO-211",
        dated="2026-07-01T00:00:00Z",
        why="The July list",
    )
    assert (run["state"], run["startedBy"], run["rowsRead"]) == ("WAITING", "ana", 0)
    assert run["bytes"] == len(feed("Fresno One", "Fresno Two"))
    after = await office.over(run["id"])
    assert (after["state"], after["error"], after["rejections"]["nodes"]) == ("APPLIED", None, [])
    assert (after["rowsRead"], after["rowsStaged"], after["tries"]) == (2, 2, 1)
    assert after["source"] == {"key": "FRESNO-211"}
    assert await named(office, "Fresno One", "Fresno Two") == ["Fresno One", "Fresno Two"]
    # The history of what it made names the file, and not a person who would know better.
    async with connected(office.database) as line:
        told = await line.fetch(
            "select distinct actor, coalesce(role, ''), why from changes c"
            " where entity = 'providers' and exists (select from providers p"
            " where p.id = c.key::uuid and p.name like 'Fresno %')"
        )
        assert [tuple(row) for row in told] == [("import:fresno.json", "", "The July list")]
        # Nobody needs the file any more; that it came is known.
        kept = await line.fetch(
            "select content, sha256 is not null from import_parts where run_id = $1",
            UUID(run["id"].partition(":")[2]),
        )
        assert [tuple(row) for row in kept] == [(None, True)]
        assert await line.fetchval("select count(*) from import_rows") == 0


async def test_a_table_comes_in_one_call(office: Office) -> None:
    text = "name,website\nTable One,https://example.org\nTable Two,\n"
    run = await office.run(format="CSV", type="Provider", file="table.csv", content=text)
    after = await office.over(run["id"])
    assert (after["state"], after["rowsInserted"], after["error"]) == ("APPLIED", 2, None)
    assert after["source"] == {"key": "CSV-table"}
    assert await named(office, "Table One", "Table Two") == ["Table One", "Table Two"]
    # The same file again changes nothing, though it is another import.
    again = await office.run(format="CSV", type="Provider", file="table.csv", content=text)
    assert again["id"] != run["id"]
    after = await office.over(again["id"])
    assert (after["state"], after["rowsInserted"], after["rowsUnchanged"]) == ("APPLIED", 0, 2)


async def test_a_file_comes_in_parts_each_once(office: Office) -> None:
    text = feed("Ärzte Part One", "Part Two", "Part Three")
    one, two, three = text[:30], text[30:90], text[90:]
    run = await office.run(format="HSDS", file="parts.json", content=one, more=True)
    assert run["state"] == "RECEIVING"
    id_ = run["id"]

    async def refused(part: int, content: str, more: bool = True) -> tuple[list[str], str, str]:
        return await office.refused("continueImport", id=id_, part=part, content=content, more=more)

    assert await refused(3, three) == (["part"], "NOT_ALLOWED", "Part 2 comes next.")
    assert (await refused(0, three))[0] == ["part"]
    message = "Part 1 has come already, with something else."
    assert await refused(1, two) == (["content"], "NOT_ALLOWED", message)
    for _ in range(2):
        run = await office.run("continueImport", id=id_, part=2, content=two, more=True)
        assert (run["state"], run["bytes"]) == ("RECEIVING", len((one + two).encode()))
    message = "Part 1 has come already, and others after it."
    assert await refused(1, one, more=False) == (["more"], "NOT_ALLOWED", message)
    await office.run("continueImport", id=id_, part=3, content=three)
    after = await office.over(id_)
    assert (after["state"], after["rowsRead"], after["bytes"]) == ("APPLIED", 3, len(text.encode()))
    assert len(await named(office, "Ärzte Part One", "Part Two", "Part Three")) == 3
    # Who has not heard that the last part came may send it again; nothing else comes after it.
    run = await office.run("continueImport", id=id_, part=3, content=three)
    assert run["state"] == "APPLIED"
    assert (await refused(3, "otherwise"))[0] == ["content"]
    assert (await refused(4, "more")) == (
        ["id"],
        "NOT_ALLOWED",
        "No more of this file is awaited: its import is APPLIED.",
    )


async def test_of_the_same_part_at_once_one_counts(office: Office) -> None:
    text = feed("Twice One", "Twice Two")
    run = await office.run(format="HSDS", file="twice.json", content=text[:40], more=True)
    made = await asyncio.gather(
        *(office.made("continueImport", id=run["id"], part=2, content=text[40:]) for _ in range(4))
    )
    assert [each["userErrors"] for each in made] == [[]] * 4
    after = await office.over(run["id"])
    assert (after["state"], after["rowsInserted"] > 0, after["tries"]) == ("APPLIED", True, 1)
    assert len(await named(office, "Twice One", "Twice Two")) == 2


async def test_what_is_no_text_comes_in_base64(office: Office) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        resources = [{"name": "organization", "path": "organizations.csv"}]
        package.writestr("datapackage.json", json.dumps({"resources": resources}))
        package.writestr("organizations.csv", f"id,name\n{UUID(int=7)},Zipped\n")
    bytes_ = packed.getvalue()
    halves = [base64.b64encode(each).decode() for each in (bytes_[:101], bytes_[101:])]
    asked: dict[str, Any] = {"format": "HSDS", "file": "package.zip", "base64": True}
    run = await office.run(**asked, content=halves[0], more=True)
    await office.run("continueImport", id=run["id"], part=2, content=halves[1], base64=True)
    after = await office.over(run["id"])
    assert (after["state"], after["error"]) == ("APPLIED", None)
    assert (after["bytes"], after["sha256"]) == (len(bytes_), hashlib.sha256(bytes_).hexdigest())
    assert await named(office, "Zipped") == ["Zipped"]
    refused = await office.refused("startImport", **asked, content="=?=")
    assert refused == (["content"], "NOT_ALLOWED", "`content` is no base64.")


async def test_a_dry_run_tells_all_and_changes_nothing(office: Office) -> None:
    phone = {"id": str(UUID(int=8)), "number": "no number at all"}
    text = feed("Dry One", phones=[phone])
    before = await office.counts("providers", "sources", "changes", "imports")
    run = await office.run(format="HSDS", file="dry.json", content=text, source="DRY", dryRun=True)
    # The import itself is there, unlike with the `dryRun` of other mutations.
    assert run["dryRun"] is True
    after = await office.over(run["id"])
    assert (after["state"], after["source"], after["error"]) == ("CHECKED", None, None)
    assert after["rowsInserted"] > 0
    (told,) = after["rejections"]["nodes"]
    assert (told["entity"], told["value"], told["reason"]) == ("phone", phone["number"], "INVALID")
    assert await office.counts("providers", "sources", "changes", "imports") == before
    # Of what has no dry run of its own, it undoes all.
    made = await office.made("cancelImport", id=run["id"], dryRun=True)
    assert made["userErrors"][0]["message"] == "It is over already: it is CHECKED."


async def test_sent_again_with_its_key_it_is_one_import(office: Office) -> None:
    asked: dict[str, Any] = {
        "format": "HSDS",
        "file": "key.json",
        "content": feed("Keyed"),
        "idempotencyKey": "key.json of July",
    }
    first, second = [await office.run(**asked) for _ in range(2)]
    assert first == second
    after = await office.over(first["id"])
    assert after["state"] == "APPLIED"
    # A dry run is an import, too, and so it has a key.
    dry = {**asked, "dryRun": True, "idempotencyKey": "dry"}
    assert (await office.run(**dry))["id"] == (await office.run(**dry))["id"] != first["id"]
    refused = await office.refused("startImport", **{**asked, "content": feed("Other")})
    assert refused[:2] == (["idempotencyKey"], "KEY_REUSED")


async def test_nobody_but_staff_imports(office: Office) -> None:
    start = """mutation { startImport(input: {format: HSDS, file: "a.json", content: "[]"}) {
        importRun { id } } }"""
    before = await office.counts("import_runs", "import_parts")
    for role, scopes in (("PARTNER", ["READ", "WRITE"]), ("STAFF", ["READ"])):
        key = await api_keys.create(office.database, role, role, scopes)
        codes = codes_of(await office.send(start, shown=key))
        assert codes == (["GRAPHQL_VALIDATION_FAILED"] if role == "PARTNER" else ["FORBIDDEN"])
    response = await office.http.post(f"{office.server.url}/graphql", json={"query": start})
    assert codes_of(response.json()) == ["GRAPHQL_VALIDATION_FAILED"]
    assert await office.counts("import_runs", "import_parts") == before


@pytest.mark.parametrize("role", ["public", "partner", "staff", "admin"])
async def test_nobody_reads_a_file_that_waits(office: Office, role: str) -> None:
    """Postgres lets staff call what keeps a part, and nobody look at it or get around the rules."""
    async with as_role(office.database, f"directory_{role}") as line:
        attacks = [
            "select content from import_parts",
            "delete from import_parts",
            "insert into import_parts values (gen_random_uuid(), 1, sha256(''), '')",
            "update import_runs set state = 'APPLIED'",
            "select receive_part(gen_random_uuid(), 1, '', false, false)",
        ]
        if role in ("public", "partner"):
            attacks += [
                "select source_key from import_runs",
                "select start_import('HSDS', 'f', '', false, false, null, null, null, false)",
                "select continue_import(gen_random_uuid(), 1, '', false, false)",
                "select cancel_import(gen_random_uuid())",
            ]
        for attack in attacks:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await line.execute(attack)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"content": "[{"}, "wrong.json:1: ends within an object that begins here"),
        ({"content": ""}, "wrong.json: is empty"),
        ({"content": "AAA=", "base64": True}, "wrong.json:1: a NUL byte"),
        ({"content": "/w==", "base64": True}, "wrong.json:1: begins neither with [ nor with {"),
        ({"content": "AAAA", "file": "wrong.zip"}, "wrong.zip: is no zip"),
        ({"format": "CSV", "type": "Service", "content": "name,no\na,b\n"}, "has no 'no'"),
        ({"format": "CSV", "type": "Phone", "content": "id\n\0"}, "NUL"),
    ],
)
async def test_what_cannot_be_trusted_fails_with_its_reason(
    office: Office, given: dict[str, Any], error: str
) -> None:
    before = await office.counts("providers", "changes")
    asked = {"format": "HSDS", "file": "wrong.json", **given}
    made = await office.made("startImport", **asked)
    if "\0" in given["content"]:
        (fault,) = made["userErrors"]
        assert (fault["path"], fault["code"]) == (["content"], "BAD_USER_INPUT")
        assert error in fault["message"]
        return
    after = await office.over(made["importRun"]["id"])
    assert after["state"] == "FAILED"
    assert error in after["error"]
    assert await office.counts("providers", "changes") == before


@pytest.mark.parametrize(
    ("given", "path", "word"),
    [
        *[
            ({"file": file}, ["file"], "`file`")
            for file in ("", ".", "../a.json", "a/b.json", "a\\b", "a\nb", "ä" * 101)
        ],
        ({"source": "a b"}, ["source"], "`source`"),
        ({"source": ""}, ["source"], "`source`"),
        ({"dated": "2999-01-01T00:00:00Z"}, ["dated"], "`dated`"),
        ({"type": "Phone"}, [], "`type`"),
        ({"format": "CSV"}, [], "`type`"),
        ({"format": "CSV", "type": "ApiKey"}, [], "Provider, Service"),
    ],
)
async def test_what_makes_no_import_is_refused_at_once(
    office: Office, given: dict[str, Any], path: list[str], word: str
) -> None:
    before = await office.counts("import_runs", "import_parts")
    asked = {"format": "HSDS", "file": "a.json", "content": "[]", **given}
    refused = await office.refused("startImport", **asked)
    assert refused[0] == path
    assert word in refused[2]
    assert await office.counts("import_runs", "import_parts") == before


async def test_what_is_sent_to_no_import_is_refused(office: Office) -> None:
    async with connected(office.database) as line:
        theirs = await line.fetchval(
            "insert into import_runs (kind, dry_run, file, sha256, actor)"
            " values ('HSDS', true, 'cli.json', encode(sha256(''), 'hex'), 'import:cli.json')"
            " returning id"
        )
    for id_ in (UUID(int=1), theirs):
        refused = await office.refused(
            "continueImport", id=f"ImportRun:{id_}", part=2, content="", more=True
        )
        assert refused[:2] == (["id"], "NOT_ALLOWED")
    assert (await office.refused("cancelImport", id=f"ImportRun:{UUID(int=1)}"))[0] == ["id"]
    await office.do("delete from import_runs where file = 'cli.json'")


async def test_files_are_bounded_in_size_and_number(office: Office) -> None:
    run = await office.run(format="HSDS", file="large.json", content="[", more=True)
    await office.do("update import_runs set bytes = 99999999 where file = 'large.json'")
    asked = {"id": run["id"], "part": 2, "more": True}
    refused = await office.refused("continueImport", **asked, content="12")
    assert refused[:2] == (["content"], "NOT_ALLOWED")
    assert "100,000,000" in refused[2]
    await office.run("continueImport", **asked, content="1")
    await office.do(
        "insert into import_runs"
        " (kind, state, dry_run, file, sha256, actor, started_by, bytes, received_at)"
        " select 'HSDS', 'RECEIVING', true, 'left ' || n, encode(sha256(''), 'hex'), 'i', 'bo', 0,"
        " now() - n * interval '1 hour' from generate_series(1, 19) n"
    )
    asked = {"format": "HSDS", "file": "one more.json", "content": "[", "more": True}
    refused = await office.refused("startImport", **asked)
    assert refused[:2] == ([], "NOT_ALLOWED")
    assert "Twenty imports" in refused[2]
    # What nobody goes on with is given up, and makes room.
    await office.do(
        "update import_runs set received_at = now() - interval '25 hours' where file = 'left 19'"
    )
    more = await office.run(**asked)
    async with connected(office.database) as line:
        row = await line.fetchrow("select state, error from import_runs where file = 'left 19'")
        assert row is not None
        assert tuple(row) == ("CANCELLED", "No part came for a day.")
    for each in (run, more):
        cancelled = await office.run("cancelImport", id=each["id"])
        assert (cancelled["state"], cancelled["error"]) == ("CANCELLED", None)
        # To cancel it again is no error.
        assert await office.run("cancelImport", id=each["id"]) == cancelled
        assert (await office.made("continueImport", id=each["id"], part=3, content=""))[
            "userErrors"
        ][0]["path"] == ["id"]
    assert await office.counts("import_parts where content is not null") == [0]
    await office.do("delete from import_runs where file like 'left %'")


# While it goes on ---------------------------------------------------------------------------------


async def test_it_is_seen_and_cancelled_while_it_is_read_and_while_it_is_written(
    migrated_url: str,
) -> None:
    async with opened(migrated_url) as office, connected(office.database) as line:
        await line.execute(HOLD)
        await line.execute("select pg_advisory_lock(42)")
        run = await sent(office, many())
        headers = {"authorization": f"Bearer {office.staff}"}
        query = "query ($id: ID!) @live { node(id: $id) { ... on ImportRun { rowsRead state } } }"
        async with socket(office.server.url, additional_headers=headers) as follower:
            await follower.subscribe("1", query, variables={"id": run["id"]})
            seen: list[tuple[int, str]] = []
            while not seen or seen[-1][0] < 200:
                node = (await follower.next("1"))["data"]["node"]
                seen.append((node["rowsRead"], node["state"]))
            assert seen[-1] == (200, "STAGING")
            assert [rows for rows, _ in seen] == sorted(rows for rows, _ in seen)
            await office.run("cancelImport", id=run["id"])
            while node["state"] != "CANCELLED":
                node = (await follower.next("1"))["data"]["node"]
                assert node["rowsRead"] == 200
        await line.execute("select pg_advisory_unlock(42)")
        await until(line, "not exists (select from import_rows)")
        assert await office.counts("providers", "phones", "sources") == [0, 0, 0]

        holding = line.transaction()
        await holding.start()
        await line.execute("lock table phones in share row exclusive mode")
        run = await sent(office, many())
        await until(line, WRITING)
        # What it writes is not there yet, and how far it is can be seen all the same.
        await until(line, "exists (select from import_runs where step = 'writing phones')")
        fields = "... on ImportRun { state step stepDone stepOf }"
        shown = await office.send(
            f"query ($id: ID!) {{ node(id: $id) {{ {fields} }} }}", id=run["id"]
        )
        node = shown["data"]["node"]
        assert (node["state"], node["step"]) == ("CHECKED", "writing phones")
        assert 0 < node["stepDone"] < node["stepOf"]
        cancelled = await office.run("cancelImport", id=run["id"])
        assert cancelled["state"] == "CANCELLED"
        # It does not wait for its turn to hear of it.
        await until(line, f"not {WRITING}")
        await holding.rollback()
        await until(line, "not exists (select from import_rows)")
        assert await office.counts("providers", "phones", "sources") == [0, 0, 0]

        after = await office.over((await sent(office, many()))["id"])
        assert (after["state"], after["tries"]) == ("APPLIED", 1)
        assert await office.counts("providers", "phones") == [MANY, MANY]


async def ended(server: Serving, how: signal.Signals) -> None:
    """The server is gone."""
    server.process.send_signal(how)
    assert await asyncio.to_thread(server.process.wait, 30) == -how


def left_at(run: dict[str, Any]) -> bool:
    """Whether the file is still there that a server wrote to read it."""
    return Path(tempfile.gettempdir(), f"import-{run['id'].partition(':')[2]}").exists()


async def test_what_one_server_did_not_end_another_goes_on_with(migrated_url: str) -> None:
    async with opened(migrated_url) as office, connected(office.database) as line:
        await line.execute(HOLD)
        await line.execute("select pg_advisory_lock(42)")
        run = await sent(office, many())
        await until(line, HELD)
        await ended(office.server, signal.SIGKILL)
        await line.execute("select pg_advisory_unlock(42)")
        await until(line, ALONE)
        found = await line.fetchrow("select state, rows_read, tries from import_runs")
        assert found is not None
        assert tuple(found) == ("STAGING", 200, 1)
        assert await office.counts("import_rows", "providers") == [400, 0]
        # Who writes them waits for us, and has written organizations before.
        for how in (signal.SIGKILL, signal.SIGTERM):
            holding = line.transaction()
            await holding.start()
            await line.execute("lock table phones in share row exclusive mode")
            async with served(office.database) as server:
                await until(line, WRITING)
                await ended(server, how)
                assert left_at(run) is (how is signal.SIGKILL)
                if how is signal.SIGTERM:
                    # It has not waited for what it could not have, and left nothing behind.
                    await until(line, f"not {WRITING}")
                    assert "Traceback" not in server.said()
            await holding.rollback()
            await until(line, ALONE)
            assert await office.counts("import_rows", "providers", "phones") == [2 * MANY, 0, 0]
        # That a server was asked to end was no try.
        assert await line.fetchval("select tries from import_runs") == 2
        await line.execute("update import_runs set tried_at = now() - interval '1 hour'")
        async with served(office.database) as server:
            # It is told of no change: it looks when it begins.
            after = await replace(office, server=server).over(run["id"])
            assert (after["state"], after["tries"], after["error"]) == ("APPLIED", 3, None)
            assert (after["rowsRead"], after["rowsStaged"]) == (MANY, 2 * MANY)
        assert not left_at(run)
        left = await office.counts("import_rows", "providers", "phones", "imports", "import_runs")
        assert left == [0, MANY, MANY, 1, 1]
        # Each is there once, and was written once.
        assert await office.counts("changes where entity = 'providers'") == [MANY]


async def test_of_two_servers_one_takes_it_and_the_other_the_next(migrated_url: str) -> None:
    async with (
        opened(migrated_url) as office,
        served(office.database),
        connected(office.database) as line,
    ):
        await line.execute(HOLD)
        await line.execute("select pg_advisory_lock(42)")
        run = await sent(office, many())
        await until(line, HELD)
        # The same file once more waits until the first is over; another need not.
        same = await sent(office, many())
        other = await office.run(format="HSDS", file="other.json", content=feed("Other"))
        assert (await office.over(other["id"]))["state"] == "APPLIED"
        assert [(await office.asked(each["id"]))["state"] for each in (run, same)] == [
            "STAGING",
            "WAITING",
        ]
        await line.execute("select pg_advisory_unlock(42)")
        first, second = [await office.over(each["id"]) for each in (run, same)]
        assert (first["state"], first["tries"], second["state"]) == ("APPLIED", 1, "APPLIED")
        assert (second["rowsInserted"], second["rowsChanged"]) == (0, 0)
        assert await office.counts("providers") == [MANY + 1]
        assert await office.counts("changes where entity = 'phones'") == [MANY]


async def test_nothing_is_begun_for_ever(migrated_url: str) -> None:
    """A file over which each server ends, and a mistake of ours."""

    def sheet(name: str) -> Sheet:
        raise RuntimeError("a mistake")

    async with scratch(migrated_url) as url, connected(url) as line:
        await line.execute("select set_config('directory.actor', 'ana', false)")
        for file in ("ours.csv", "theirs.csv", "young.csv"):
            await line.execute(
                "select start_import('CSV', $1, $1, false, false, 'Phone', null, null, false)", file
            )
        await line.execute(
            "update import_runs set tries = 5, tried_at = now() - interval '1 hour'"
            " where file = 'theirs.csv'"
        )
        await line.execute(
            "update import_runs set tries = 4, tried_at = now() - interval '50 seconds'"
            " where file = 'young.csv'"
        )
        await take_waiting(url, sheet)
        found = await line.fetch("select file, state, error from import_runs order by file")
        assert [tuple(row) for row in found] == [
            ("ours.csv", "FAILED", "Something went wrong on our side."),
            ("theirs.csv", "FAILED", "theirs.csv: was begun 5 times and never came to its end"),
            # After several failures it is not its turn so soon.
            ("young.csv", "WAITING", None),
        ]
