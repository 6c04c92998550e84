"""Bytes become a GraphQLRequest, or a refusal that says what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeGuard
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from resolvers.change import NOBODY, Changer
from resolvers.resolve import GraphQLRequest
from schema.entity import Language
from web.refusals import (
    BodyTooLarge,
    DuplicateKey,
    MalformedBatch,
    MalformedJson,
    MalformedRequest,
)

MAX_NESTING = 64
"""How deep variables may nest; deeper ones only ever tested how a server handles recursion."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body, unless it is longer than the limit."""
    message = await receive()
    chunk: bytes = message.get("body", b"")
    if not message.get("more_body", False) and message["type"] == "http.request":
        if len(chunk) > limit:
            raise BodyTooLarge(f"The body may have {limit} bytes.")
        return chunk
    chunks, length = [chunk], len(chunk)
    while message.get("more_body", False):
        message = await receive()
        chunks.append(message.get("body", b""))
        length += len(chunks[-1])
        # A client only listens once it has sent everything, so a little too much is read and
        # dropped before we say no; a client that never stops is cut off.
        if length > limit:
            chunks.clear()
            if length > 10 * limit:
                break
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    if length > limit:
        raise BodyTooLarge(f"The body may have {limit} bytes.")
    return b"".join(chunks)


Parameters = Mapping[str, object]
"""What a request says: query, operationName, variables and so on."""


def from_json(body: bytes) -> Parameters | Sequence[Parameters]:
    """The parameters in the body of a POST; a list of them, if it has a list.

    >>> from_json(b'{"query": "{ counties { name } }"}')
    {'query': '{ counties { name } }'}
    """
    parameters = _parse(body, "The body")
    if isinstance(parameters, list):
        if not all(isinstance(each, dict) for each in parameters):
            raise MalformedBatch("Each member of the list must be an object with a query.")
        return parameters
    if not isinstance(parameters, dict):
        raise MalformedRequest("The body must be a JSON object with a query.")
    return parameters


def from_query_string(query_string: bytes) -> Parameters:
    """The parameters in the URL of a GET, where variables and extensions are JSON in a string."""
    try:
        # A URL is ASCII by definition; UTF-8 is inside the percent signs.
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise MalformedRequest("The URL is not UTF-8.") from error
    parameters: dict[str, object] = dict(pairs)
    if len(parameters) != len(pairs):
        raise DuplicateKey("A parameter is given twice in the URL.")
    for name in ("variables", "extensions"):
        if text := parameters.get(name):
            assert isinstance(text, str)
            parameters[name] = _parse(text.encode(), name)
        else:
            parameters.pop(name, None)
    return parameters


def _parse(text: bytes, what: str) -> object:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(f"{what} is not valid JSON: {error}.") from error
    if _repeats(text, value):
        raise DuplicateKey(f"{what} has two values for one key.")
    return value


def _repeats(text: bytes, value: object) -> bool:
    """Whether any object has a key twice.

    Of two equal keys only the last one is left when they have been read. Who looked at the request
    before us may have seen the first one, so neither is taken. They are told by the colons: one for
    each key and those in texts are all that there are when the value is written again, which takes
    a microsecond; a parser that calls back for each object takes twenty.

    >>> first, second = b'{"a": ":", "b": {"a": ":"}}', b'{"a": ":", "b": {"a": ":", "a": 1}}'
    >>> _repeats(first, orjson.loads(first)), _repeats(second, orjson.loads(second))
    (False, True)
    """
    try:
        written = orjson.dumps(value)
    except TypeError as error:
        raise MalformedRequest("Values may nest 250 levels deep.") from error
    # A colon in a text can be hidden as `\u003a`; nobody does so who means well.
    if text.count(b":") == written.count(b":") and b"\\u003" not in text:
        return False
    try:
        json.loads(text, object_pairs_hook=_once)
    except ValueError:
        return True
    return False


def _once(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError


def request_of(
    parameters: Parameters,
    text: str,
    raw: bytes,
    language: Language | None,
    asker: Mapping[str, object] | None = None,
    changer: Changer = NOBODY,
) -> GraphQLRequest:
    """The request that asks for this text, with the rest of what `raw` says."""
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise MalformedRequest("operationName must be a string or null.")
    variables = parameters.get("variables")
    if not _is_object(variables):
        raise MalformedRequest("variables must be an object or null.")
    if not _is_object(parameters.get("extensions")):
        raise MalformedRequest("extensions must be an object or null.")
    # Brackets are counted in a microsecond, and few of them cannot nest deeply.
    if variables and raw.count(b"[") + raw.count(b"{") > MAX_NESTING:
        _refuse_deep(variables)
    return GraphQLRequest(text, name or None, variables, language, asker, changer)


def _is_object(value: object) -> TypeGuard[dict[str, object] | None]:
    return value is None or isinstance(value, dict)


def _refuse_deep(variables: Mapping[str, object]) -> None:
    level: list[object] = [variables]
    for _ in range(MAX_NESTING):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise MalformedRequest(f"variables may nest {MAX_NESTING} levels deep.")
