"""The stories of the README: what staff and partners do, one after the other, in one directory."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from db.database import Database
from db.roles import role_name
from resolvers.change import Changer
from resolvers.resolve import GraphQLRequest, resolve
from schema.audiences import Audiences
from schema.roles import Role
from tests.db.scratch import connected, scratch, stopped
from tests.roads import audiences

STORY = re.compile(
    r"```graphql\n# as (?P<who>the partner|staff)\n(?P<question>.*?)```\n\n"
    r"```json\n(?P<answer>.*?)```",
    re.DOTALL,
)

# As far as the log knows, it was loaded in February: the day that is asked about is later.
_LOADED = """
    alter table changes disable trigger append_only;
    update changes set at = '2026-02-01 12:00:00-08';
    alter table changes enable trigger append_only;
    update commits set at = '2026-02-01 12:00:00-08';
    create or replace function past.since() returns timestamptz language sql stable parallel safe
        return timestamptz '2026-02-01 12:00:00-08';
"""


@dataclass
class Keeping:
    """A directory, and those who keep it."""

    url: str
    databases: dict[Role, Database]
    audiences: Audiences

    async def ask(self, who: str, question: str) -> dict[str, Any]:
        """The answer to whoever asks; `$id` is what was proposed last."""
        role = Role.PARTNER if who == "the partner" else Role.STAFF
        named = re.search(r'"Provider:([0-9a-f-]+)"', question)
        changer = Changer(
            "Fresno Example" if role is Role.PARTNER else "ana",
            role.value,
            "readme",
            role.value,
            writes=True,
            speaks_for=named[1] if named and role is Role.PARTNER else "",
        )
        variables = {}
        if "$id" in question:
            async with connected(self.url) as connection:
                id_ = await connection.fetchval(
                    "select id from proposals order by created_at desc limit 1"
                )
            variables = {"id": f"Proposal:{id_}"}
        request = GraphQLRequest(question, None, variables, changer=changer)
        answer = await resolve(self.audiences.graph(role), self.databases[role], request)
        found: dict[str, Any] = json.loads(answer.body)
        return found


@asynccontextmanager
async def keeping(loaded_url: str) -> AsyncIterator[Keeping]:
    """A copy of the directory to be kept."""
    async with scratch(loaded_url) as url:
        async with connected(url) as connection:
            await connection.execute(_LOADED)
        databases = {
            role: await Database.open(stopped(url), role=role_name(role.value))
            for role in (Role.PARTNER, Role.STAFF)
        }
        try:
            yield Keeping(url, databases, audiences())
        finally:
            for database in databases.values():
                await database.close()
