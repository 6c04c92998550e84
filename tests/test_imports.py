"""Imports that clients ask for: a real server takes them, once and whole, whatever becomes of it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import signal
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio

from db import api_keys
from tests.db.scratch import connected, scratch
from tests.serving import Serving, serving
from tests.test_exchange_kills import organizations

FIELDS = """id kind state file sha256 dryRun startedBy why bytes tries rowsRead rowsStaged
  rowsInserted rowsChanged rowsUnchanged rowsRejected error actor finishedAt source { key }
  rejections(first: 5) { nodes { place entity field value reason message rowKept } }"""
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
            while (run := await self.asked(id_))["finishedAt"] is None:
                await asyncio.sleep(0.05)
        return run

    async def counts(self, *tables: str) -> list[int]:
        async with connected(self.database) as line:
            return [await line.fetchval(f"select count(*) from {table}") for table in tables]

    async def until(self, condition: str) -> None:
        async with connected(self.database) as line:
            await until(line, condition)


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
