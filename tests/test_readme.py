"""What the README says, works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from db.database import Database
from resolvers.errors import Code
from resolvers.resolve import GraphQLRequest, resolve
from tests.roads import the_graph
from tests.serving import data_directory, serving

README = Path(__file__).parent.parent / "README.md"
EXAMPLE = re.compile(r"```graphql\n(?P<question>.*?)```\n\n```json\n(?P<answer>.*?)```", re.DOTALL)

COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def examples() -> list[tuple[str, str]]:
    return EXAMPLE.findall(README.read_text())


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


@pytest.mark.skipif(shutil.which("curl") is None, reason="NO CURL: its commands did not run")
def test_the_commands_with_curl_are_answered() -> None:
    commands = [block for block in COMMANDS.findall(README.read_text()) if "curl" in block]
    assert len(commands) >= 2
    with data_directory() as directory, serving(data_directory=directory) as server:
        for command in commands:
            here = command.replace("http://127.0.0.1:8000", server.url)
            run = subprocess.run(["sh", "-c", here], capture_output=True, text=True, check=True)
            assert run.stdout.startswith(('{"data":', "-- road first")), run.stdout


def test_every_error_code_is_explained_to_clients() -> None:
    text = README.read_text()
    assert [code for code in Code if f"| `{code}` |" not in text] == []
