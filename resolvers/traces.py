"""A router that asks for it is told how long an answer took: `ftv1`, Apollo's format of traces.

A trace is a message of Protocol Buffers, in base64 under `extensions.ftv1`. One statement answers
all root fields, so each of them takes as long as the statement; what is below them has no times of
its own, and none are made up. Errors stand at the root field that they are of.
https://www.apollographql.com/docs/graphos/reference/federation/subgraph-spec#ftv1
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
from graphql.language import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from db.database import Database
from resolvers.errors import RequestRefused
from resolvers.graph import Graph
from resolvers.parse import Operation, parse
from resolvers.resolve import Answer, GraphQLRequest, resolve


async def traced(graph: Graph, database: Database, request: GraphQLRequest) -> Answer:
    """An answer with its trace. It is of this one request, so nobody may keep it."""
    began, started = time.time_ns(), time.perf_counter_ns()
    answer = await resolve(graph, database, request)
    duration = time.perf_counter_ns() - started
    root = _message((14, _root(graph, request, answer)))
    trace = _message((4, _moment(began)), (3, _moment(began + duration)), (11, duration)) + root
    said = base64.b64encode(trace)
    # It is an object, and has no extensions of its own.
    body = answer.body[:-1] + b',"extensions":{"ftv1":"' + said + b'"}}'
    return replace(answer, body=body, reads=None, private=True)


def _root(graph: Graph, request: GraphQLRequest, answer: Answer) -> bytes:
    body = orjson.loads(answer.body)
    errors: dict[str | None, list[bytes]] = {}
    for error in body.get("errors", ()):
        first = (error.get("path") or [None])[0]
        errors.setdefault(first, []).append(_message((11, _error(error))))
    nodes = [
        _message((12, node + b"".join(errors.pop(name, ()))))
        for name, node in _fields(graph, request, answer, body.get("data"))
    ]
    return b"".join(nodes) + b"".join(each for found in errors.values() for each in found)


def _fields(
    graph: Graph, request: GraphQLRequest, answer: Answer, data: Mapping[str, object] | None
) -> Iterator[tuple[str, bytes]]:
    """Each root field that was answered, by its response key."""
    query = graph.schema.query_type
    if query is None or data is None or not answer.timings:
        return
    try:
        operation = parse(graph, request.text, request.operation_name)
    except RequestRefused:
        return
    start = _ns(answer, "parse", "plan")
    end = start + _ns(answer, "fetch", "compute")
    for key, name in dict(_selected(operation, operation.definition.selection_set)).items():
        field = query.fields.get(name)
        if field is not None and key in data:
            original = name if name != key else None
            yield (
                key,
                _message(
                    (1, key), (14, original), (3, str(field.type)), (13, query.name),
                    (8, start), (9, end),
                ),
            )  # fmt: skip


def _selected(operation: Operation, selections: SelectionSetNode) -> Iterator[tuple[str, str]]:
    for each in selections.selections:
        if isinstance(each, FieldNode):
            yield (each.alias or each.name).value, each.name.value
        elif isinstance(each, InlineFragmentNode):
            yield from _selected(operation, each.selection_set)
        elif isinstance(each, FragmentSpreadNode):
            fragment = operation.fragments[each.name.value]
            yield from _selected(operation, fragment.selection_set)


def _ns(answer: Answer, *stages: str) -> int:
    return int(sum(answer.timings.get(stage, 0) for stage in stages) * 1_000_000)


def _error(error: Mapping[str, Any]) -> bytes:
    """An error, whole, as JSON; only its message is said again."""
    return _message((1, error["message"]), (4, orjson.dumps(error)))


def _moment(ns: int) -> bytes:
    """google.protobuf.Timestamp."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return _message((1, seconds), (2, rest))


def _message(*fields: tuple[int, int | str | bytes | None]) -> bytes:
    """Fields by their numbers: integers as varints, everything else by its length.

    https://protobuf.dev/programming-guides/encoding/

    >>> _message((1, 150), (2, "testing"), (3, None)).hex(" ")
    '08 96 01 12 07 74 65 73 74 69 6e 67'
    """
    made = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            made += _varint(number << 3) + _varint(value)
        elif value is not None:
            raw = value.encode() if isinstance(value, str) else value
            made += _varint(number << 3 | 2) + _varint(len(raw)) + raw
    return bytes(made)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
