"""Subscriptions over server-sent events and WebSockets: real servers, real writers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db import embedded
from tests.db.scratch import connected
from tests.serving import data_directory, serving
from tests.streams import following, socket

SQ = "Institution:8a811c7b-5d93-5bbe-bdd3-68153f9d8af6"

CHANGED = """subscription Changed($ids: [ID!], $types: [EntityType!], $after: String) {
  entityChanged(ids: $ids, types: $types, after: $after) {
    cursor operation id type
    node { id ... on Institution { statusNote } }
  }
}"""
VISITING = """subscription ($at: [ID!]) {
  visitingStatusChanged(institutions: $at) {
    cursor visitType cleared institution { code } visitingStatus { status exceptions }
  }
}"""


@dataclass(frozen=True)
class Two:
    """Two servers of one directory, and the way to change it behind their backs."""

    one: str
    other: str
    directory: Path

    @property
    def database(self) -> str:
        return embedded.start(self.directory)


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    with (
        data_directory() as directory,
        serving(data_directory=directory, keep_alive_seconds=0.5) as one,
        serving(data_directory=directory) as other,
    ):
        yield Two(one.url, other.url, directory)


async def run(url: str, *statements: str) -> None:
    """Each statement in a transaction of its own."""
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)


def note(text: str) -> str:
    return f"update institutions set status_note = '{text}' where code = 'SQ'"


def said(status: str, code: str = "SQ", when: str = "clock_timestamp()") -> str:
    return (
        "insert into visiting_statuses"
        " (id, institution_id, visit_type, status, last_updated, source_id)"
        f" select gen_random_uuid(), id, 'VIDEO', '{status}', {when}, source_id"
        f" from institutions where code = '{code}'"
    )


def notes(*responses: Any) -> list[str]:
    return [each["data"]["entityChanged"]["node"]["statusNote"] for each in responses]


async def test_every_server_tells_what_has_changed(two: Two) -> None:
    async with (
        following(two.one, CHANGED, {"ids": [SQ]}) as one,
        following(two.other, CHANGED, {"ids": [SQ]}, get=True) as other,
    ):
        await run(two.database, note("told"))
        for stream in (one, other):
            event = (await stream.next())["data"]["entityChanged"]
            assert event.pop("cursor") == stream.last
            assert event == {
                "operation": "UPDATE",
                "id": SQ,
                "type": "INSTITUTION",
                "node": {"id": SQ, "statusNote": "told"},
            }


async def test_a_socket_is_told_the_same(two: Two) -> None:
    async with socket(two.one) as ours:
        await ours.subscribe("a", CHANGED, variables={"ids": [SQ]})
        await run(two.database, note("on a socket"))
        assert notes(await ours.next("a")) == ["on a socket"]
        await ours.say({"type": "complete", "id": "a"})
        await run(two.database, note("nobody is told"))
        # The same id can be used again, and what was stopped is.
        await ours.subscribe("a", CHANGED, variables={"ids": [SQ]})
        await run(two.database, note("again"))
        assert notes(await ours.next("a")) == ["again"]
