"""One operation, start to finish. Read this file first."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from time import perf_counter

import orjson
from graphql import GraphQLError

from db.database import Database
from db.discretion import discreet
from db.errors import (
    BadValue,
    BeforeRecords,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnavailable,
    NotGranted,
    NotRecorded,
    RefusedValue,
    StatementTimeout,
)
from db.query import Reads
from resolvers.change import NOBODY, Changer, change
from resolvers.compute import compute
from resolvers.errors import Code, RequestRefused, from_database, refuse
from resolvers.graph import Graph
from resolvers.parse import Operation, coerce, is_subscription, parse
from resolvers.plan.plan import Plan, plan

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client sends."""

    text: str
    operation_name: str | None = None
    variables: Mapping[str, object] | None = None
    # What fields answer in that can be asked for a language, and are not; null is the graph's own.
    language: Enum | None = None
    # What is known of whoever asks, by the names of the fields that tell it.
    asker: Mapping[str, object] | None = None
    # Who it is, for what remembers who changed something.
    changer: Changer = NOBODY


class Outcome(Enum):
    """What became of a request, for those who choose a status code."""

    DATA = "DATA"
    PARTIAL = "PARTIAL"
    REFUSED = "REFUSED"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response as JSON, and how long each stage took, in milliseconds.

    `reads` is what it was made from. An answer without errors holds until that changes.
    `localized` says that it is another one in another language of the request, `private` that it
    is about a person, so that nobody may keep it.
    """

    body: bytes
    outcome: Outcome
    timings: Mapping[str, float] = field(default_factory=dict)
    reads: Reads | None = None
    localized: bool = False
    private: bool = False


async def resolve(
    graph: Graph, database: Database, request: GraphQLRequest, *, computed: bool = False
) -> Answer:
    """Answer one operation: parse, plan, fetch and, only if Python must, compute.

    `computed` takes the second road where the first would do, for tests to compare the two.
    """
    started = perf_counter()
    try:
        operation = _asked(graph, request)
        given = request.variables or {}
        variables = coerce(graph, operation, given, request.language)
        parsed = perf_counter()
        planned, arguments = plan(graph, operation, variables, computed=computed)
        ready = perf_counter()
        as_of = planned.moment(variables)
        if planned.readings:
            if not request.changer.writes:
                message = "This key or token may not change anything: it lacks the scope WRITE."
                raise refuse(Code.FORBIDDEN, message)
            fetched: bytes | None = await change(
                graph, database, planned, variables, request.changer
            )
        elif graph.guarded & planned.reads.relations:
            fetched = await _fetch_own(database, planned, arguments, request.changer)
            planned = replace(planned, private=True)
        else:
            fetched = await _fetch(database, planned, arguments, as_of)
        done = perf_counter()
        timings = {
            "parse": (parsed - started) * 1000,
            "plan": (ready - parsed) * 1000,
            "fetch": (done - ready) * 1000,
        }
        # No change that is heard of says anything of an answer about the past: nobody keeps it.
        reads = planned.reads if as_of is None else None
        if fetched is not None and not planned.computed:
            body = b'{"data":' + fetched + b"}"
            return Answer(body, Outcome.DATA, timings, reads, planned.localized, planned.private)
        constant = (
            planned.statement is None
            and not planned.private
            and not operation.definition.variable_definitions
        )
        kept = graph.constants.get((request.text, operation.name)) if constant else None
        if kept is not None:
            return Answer(kept, Outcome.DATA, timings, reads)
        data, errors = compute(graph, operation, planned, given, fetched, request.asker)
        timings["compute"] = (perf_counter() - done) * 1000
        body = orjson.dumps(response(errors, data))
        if constant and not errors:
            graph.constants.put((request.text, operation.name), body, weight=len(body))
        outcome = Outcome.PARTIAL if errors else Outcome.DATA
        return Answer(body, outcome, timings, reads, planned.localized, planned.private)
    except RequestRefused as refused:
        return Answer(orjson.dumps(response(refused.errors)), Outcome.REFUSED)
    except DatabaseError as error:
        failure = became(error)
        if failure is Outcome.FAULT:
            log.error("a statement failed:\n%s", discreet(error))
        return Answer(orjson.dumps(response(from_database(error).errors)), failure)


def weigh(graph: Graph, request: GraphQLRequest) -> int:
    """How many rows an operation could return, for those who bound several; refused, it is none."""
    try:
        operation = parse(graph, request.text, request.operation_name)
        variables = coerce(graph, operation, request.variables or {}, request.language)
        planned, _ = plan(graph, operation, variables)
    except RequestRefused:
        return 0
    return planned.rows(variables)


async def explain(graph: Graph, database: Database, request: GraphQLRequest) -> str:
    """How an operation is answered: its road, its SQL, its arguments, and Postgres' own plan."""
    try:
        operation = _asked(graph, request)
        variables = coerce(graph, operation, request.variables or {}, request.language)
        planned, arguments = plan(graph, operation, variables)
    except RequestRefused as refused:
        return "".join(f"-- refused: {error.message}\n" for error in refused.errors)
    road = "second: graphql-core computes over what is fetched" if planned.computed else "first"
    lines = [f"-- road {road}"]
    if planned.localized:
        asked = request.language.value if request.language else "not asked for"
        lines.append(f"-- language {asked}")
    lines += [f"-- refused {'.'.join(path)}: {error}" for path, error in planned.refused.items()]
    as_of = planned.moment(variables)
    if as_of is not None:
        lines.append(f"-- as of {as_of.isoformat()}")
    if planned.statement is None:
        return "\n".join([*lines, "-- nothing to ask Postgres", ""])
    lines += [f"-- ${number} = {value!r}" for number, value in enumerate(arguments, 1)]
    lines += [planned.statement.text + ";", ""]
    try:
        found = await database.explain(planned.statement.text, arguments, as_of)
    except (BeforeRecords, NotRecorded, RefusedValue) as error:
        found = from_database(error).errors[0].message
    lines += [f"-- {line}" for line in found.splitlines()]
    return "\n".join([*lines, ""])


def _asked(graph: Graph, request: GraphQLRequest) -> Operation:
    """The operation of a request that is answered once."""
    operation = parse(graph, request.text, request.operation_name)
    if is_subscription(operation):
        message = "A subscription is told as things happen; it has no one answer."
        raise refuse(Code.OPERATION_NOT_SUPPORTED, message)
    return operation


async def _fetch(
    database: Database, planned: Plan, arguments: Sequence[object], as_of: datetime | None
) -> bytes | None:
    if planned.statement is None:
        return None
    if as_of is not None:
        return await database.fetch(planned.statement.text, arguments, as_of)
    return await database.fetch(planned.statement.text, arguments)


async def _fetch_own(
    database: Database, planned: Plan, arguments: Sequence[object], asker: Changer
) -> bytes | None:
    """What is read by a statement that shows rows only to those whose they are."""
    assert planned.statement is not None
    async with database.transaction(asker.settings(), writes=False) as transaction:
        return await transaction.fetch(planned.statement.text, arguments)


def became(error: DatabaseError) -> Outcome:
    """What becomes of a request whose statement fails."""
    match error:
        case DatabaseBusy() | DatabaseUnavailable():
            return Outcome.UNAVAILABLE
        case StatementTimeout():
            return Outcome.TIMEOUT
        case BadValue() | NotGranted():
            return Outcome.REFUSED
        case _:
            return Outcome.FAULT


_ABSENT = object()


def response(errors: Sequence[GraphQLError], data: object = _ABSENT) -> dict[str, object]:
    """A response by the specification."""
    made: dict[str, object] = {}
    if errors:
        made["errors"] = [error.formatted for error in errors]
    if data is not _ABSENT:
        made["data"] = data
    return made
