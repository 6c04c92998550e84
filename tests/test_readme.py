"""What the README says, works."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from db import embedded
from db.database import Database
from resolvers.errors import Code
from resolvers.resolve import GraphQLRequest, resolve
from schema.types.user_errors import UserErrorCode
from tests.db.scratch import connected
from tests.roads import the_graph
from tests.serving import data_directory, serving
from tests.stories import STORY, keeping

README = Path(__file__).parent.parent / "README.md"
EXAMPLE = re.compile(
    r"```graphql\n(?P<question>(?:(?!```).)*)```\n\n```json\n(?P<answer>.*?)```", re.DOTALL
)

COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


# What the README shows of what a command prints, if it is no JSON.
_PRINTED = re.compile(r"```sh\n((?:(?!```).)*)```\n\n```\n(.*?)```", re.DOTALL)
SHOWN = dict(_PRINTED.findall(README.read_text()))


def examples() -> list[tuple[str, str]]:
    """Questions that anybody may ask; those of staff and partners are a story, below."""
    found: list[tuple[str, str]] = EXAMPLE.findall(README.read_text())
    return [each for each in found if not each[0].startswith("# as ")]


def test_the_readme_shows_an_operation_for_each_audience() -> None:
    assert len(examples()) >= 3


@pytest.mark.parametrize(("question", "answer"), examples())
async def test_an_operation_is_answered_as_the_readme_says(
    database: Database, question: str, answer: str
) -> None:
    before = database.statements
    given = await resolve(the_graph(), database, GraphQLRequest(question))
    assert json.loads(given.body) == json.loads(answer)
    assert database.statements == before + 1


async def test_staff_and_partners_do_as_the_readme_says(loaded_url: str) -> None:
    """One after the other: what the first has done, the next one finds."""
    stories = STORY.findall(README.read_text())
    assert len(stories) >= 6
    async with keeping(loaded_url) as directory:
        for who, question, answer in stories:
            assert await directory.ask(who, question) == json.loads(answer), question


def test_the_readme_explains_every_user_error() -> None:
    text = README.read_text()
    assert [code.value for code in UserErrorCode if f"`{code.value}`" not in text] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="NO CURL: its commands did not run")
async def test_the_commands_with_curl_are_answered() -> None:
    commands = [block for block in COMMANDS.findall(README.read_text()) if "curl" in block]
    assert len(commands) >= 2
    with data_directory() as directory, serving(data_directory=directory) as server:
        for command in commands:
            here = command.replace("http://127.0.0.1:8000", server.url)
            if "curl -N" in command:
                event = await _told(here, embedded.start(directory))
                assert event["data"]["visitingStatusChanged"]["institution"] == {"code": "SQ"}
                continue
            run = await asyncio.to_thread(
                subprocess.run, ["sh", "-c", here], capture_output=True, text=True, check=True
            )
            shown = SHOWN.get(command)
            if shown is not None:
                assert run.stdout.replace("\r\n", "\n").startswith(shown)
            else:
                assert run.stdout.startswith(('{"data":', "-- road first")), run.stdout


async def _told(command: str, url: str) -> Any:
    """The first event that a command hears while something happens."""
    # A shell may stay beside what it starts: both are ended, as a group of their own.
    following = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert following.stdout is not None
    writing = asyncio.create_task(_keep_closing(url))
    try:
        async with asyncio.timeout(60):
            while True:
                line = await following.stdout.readline()
                assert line, "it has ended without a word"
                if line.startswith(b"data: {"):
                    return json.loads(line.removeprefix(b"data: "))
    finally:
        writing.cancel()
        with suppress(ProcessLookupError):
            os.killpg(following.pid, signal.SIGKILL)
        await asyncio.wait([writing])
        await following.wait()


async def _keep_closing(url: str) -> None:
    """Say again and again that San Quentin is closed to visitors."""
    async with connected(url) as line:
        while True:
            await line.execute(
                "insert into visiting_statuses"
                " (id, institution_id, visit_type, status, last_updated, source_id)"
                " select gen_random_uuid(), id, 'IN_PERSON', 'CLOSED', clock_timestamp(), source_id"
                " from institutions where code = 'SQ'"
            )
            await asyncio.sleep(0.2)


def test_every_error_code_is_explained_to_clients() -> None:
    text = README.read_text()
    assert [code for code in Code if f"| `{code}` |" not in text] == []
