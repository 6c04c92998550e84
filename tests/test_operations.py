"""Every example of `operations/`, down every road it can take, with a count of its statements.

An example is a question, NAME.graphql; perhaps what comes with it, NAME.variables.json; its answer,
NAME.json; and the SQL between, NAME.sql, unless there is nothing to ask Postgres.

`pytest tests/test_operations.py --write-examples` writes answers and SQL anew: then read the diff.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.database import Database
from resolvers.errors import RequestRefused
from resolvers.parse import coerce, parse
from resolvers.plan.plan import plan
from resolvers.resolve import GraphQLRequest
from schema.entity import Language
from tests.roads import both_roads, ordered, the_graph

FOLDER = Path(__file__).parent / "operations"


@dataclass(frozen=True)
class Example:
    """A question whose answer and SQL are known."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(FOLDER).with_suffix(""))

    def request(self) -> GraphQLRequest:
        """What the client of this example sends."""
        envelope = self.path.with_suffix(".variables.json")
        sent = json.loads(envelope.read_text()) if envelope.exists() else {}
        language = Language(sent["language"]) if "language" in sent else None
        return GraphQLRequest(
            self.path.read_text(), sent.get("operationName"), sent.get("variables"), language
        )

    @property
    def answer(self) -> Path:
        """The file with its answer."""
        return self.path.with_suffix(".json")

    @property
    def sql(self) -> Path:
        """The file with its SQL."""
        return self.path.with_suffix(".sql")


EXAMPLES = [Example(path) for path in sorted(FOLDER.glob("*/*.graphql"))]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_is_answered_as_written_on_every_road(
    example: Example, database: Database, pytestconfig: pytest.Config
) -> None:
    request = example.request()
    before = database.statements
    answer = await both_roads(database, request)
    statements = (database.statements - before) // 2
    sql = sql_of(request)
    assert statements == (1 if sql else 0)
    if pytestconfig.getoption("--write-examples", default=False):
        write(example, answer.body, sql)
    assert ordered(answer.body) == ordered(example.answer.read_bytes())
    assert sql == (example.sql.read_text() if example.sql.exists() else "")


def test_no_answer_or_sql_is_left_without_its_question() -> None:
    known = {path for example in EXAMPLES for path in (example.path, example.answer, example.sql)}
    known |= {example.path.with_suffix(".variables.json") for example in EXAMPLES}
    files = {path for path in FOLDER.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert files <= known


def sql_of(request: GraphQLRequest) -> str:
    """The statement of the road that a request takes, below its arguments."""
    graph = the_graph()
    try:
        operation = parse(graph, request.text, request.operation_name)
        variables = coerce(graph, operation, request.variables or {}, request.language)
        planned, arguments = plan(graph, operation, variables)
    except RequestRefused:
        return ""
    if planned.statement is None:
        return ""
    road = "second" if planned.computed else "first"
    lines = [f"-- {road} road"]
    lines += [f"-- ${number} = {value!r}" for number, value in enumerate(arguments, 1)]
    return "\n".join([*lines, planned.text + ";", ""])


def write(example: Example, body: bytes, sql: str) -> None:
    """Keep what was answered now as what has to be answered from now on."""
    text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    example.answer.write_text(text + "\n")
    if sql:
        example.sql.write_text(sql)
    else:
        example.sql.unlink(missing_ok=True)
