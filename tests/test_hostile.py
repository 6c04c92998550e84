"""Whoever means harm gets a code, and early: no statement, no internal error, nothing of our own.

Documents that ask for too much are refused before Postgres hears of them. Values that make no
sense are sent to every argument that the schema has, and fail one by one.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_introspection_query,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from db.database import Database
from resolvers.errors import Code
from resolvers.graph import Every
from resolvers.resolve import GraphQLRequest, Outcome, resolve
from tests.generated import HOSTILE_TEXTS, HOSTILE_VALUES
from tests.roads import codes_of, data_of, the_graph

# Documents


def nested(levels: int, field: str = "parent", leaf: str = "name") -> str:
    """A question that goes this many levels below an institution."""
    return f"{{ institutions {{ nodes {f'{{ {field} ' * levels}{{ {leaf} }}{' }' * levels} }} }}"


def unfolding(levels: int, times: int, inside: str = "") -> str:
    """Fragments, each of which spreads the next so many times."""
    spreads = [
        f"fragment F{level} on Query {{ {inside} {f'...F{level + 1} ' * times} }}"
        for level in range(levels)
    ]
    return f"{{ ...F0 }} {' '.join(spreads)} fragment F{levels} on Query {{ __typename }}"


def numbered(part: str, times: int) -> str:
    """The part, so many times, each with its number in place of `#`."""
    return " ".join(part.replace("#", str(number)) for number in range(times))


def filtered(value: str) -> str:
    """A question with this filter."""
    return f"{{ institutions(filter: {value}) {{ totalCount }} }}"


# In pages of a hundred, and around in a circle.
AROUND = "programs(first: 100) { nodes { institutions(first: 100) { nodes { # } } } }"
LISTS = "types { fields { args { name type { name } } } inputFields { name } }"

REFUSED: Mapping[str, tuple[str, Code]] = {
    "one level too many": (nested(15), Code.TOO_DEEP),
    "a thousand levels": (nested(1_000), Code.TOO_DEEP),
    "nothing but braces": ("{" * 99_999, Code.TOO_DEEP),
    "inline fragments in one another": (f"{'{ ... ' * 900}{{ a }}{'}' * 900}", Code.TOO_DEEP),
    "a deep object": (filtered(f"{'{not: ' * 300}{{}}{'}' * 300}"), Code.TOO_DEEP),
    "a deep list": (filtered(f"{'[' * 900}{']' * 900}"), Code.TOO_DEEP),
    "a deep type": (f"query ($v: {'[' * 900}Int{']' * 900}) {{ a }}", Code.TOO_DEEP),
    "a fragment that spreads itself": ("{ ...A } fragment A on Query { ...A }", Code.TOO_DEEP),
    "fragments in a circle": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        Code.TOO_DEEP,
    ),
    "a circle with a field in it": (
        "{ institutions { nodes { ...A } } } fragment A on Institution { parent { ...A } }",
        Code.TOO_DEEP,
    ),
    "a circle that nobody uses": ("{ __typename } fragment A on Query { ...A }", Code.TOO_DEEP),
    "a long chain of fragments": (unfolding(90, 1), Code.TOO_DEEP),
    "a fragment bomb": (unfolding(10, 2), Code.TOO_MANY_FIELDS),
    "a wide fragment bomb": (unfolding(12, 10), Code.TOO_MANY_FIELDS),
    "a fragment bomb of aliases": (unfolding(13, 2, "a: __typename"), Code.TOO_MANY_ALIASES),
    "one alias too many": (f"{{ {numbered('a#: __typename', 31)} }}", Code.TOO_MANY_ALIASES),
    "many aliases": (f"{{ {numbered('a#: __typename', 600)} }}", Code.TOO_MANY_ALIASES),
    "one directive too many": (f"{{ a {'@skip(if: true) ' * 51} }}", Code.TOO_MANY_DIRECTIVES),
    "directives on an operation": (f"query {'@a ' * 900} {{ a }}", Code.TOO_MANY_DIRECTIVES),
    "directives on a variable": (
        f"query ($a: Int {'@a ' * 900}) {{ a }}",
        Code.TOO_MANY_DIRECTIVES,
    ),
    "directives on a fragment": (
        f"{{ ...A }} fragment A on Query {'@a ' * 900} {{ a }}",
        Code.TOO_MANY_DIRECTIVES,
    ),
    "too many tokens": (f"{{ {'a ' * 2_000} }}", Code.TOO_MANY_TOKENS),
    "a a a a": (f"{{ {'a ' * 49_000} }}", Code.TOO_MANY_TOKENS),
    "comments": ("#\n" * 49_000 + "{ a }", Code.TOO_MANY_TOKENS),
    "quotes": ('"' * 99_999, Code.TOO_MANY_TOKENS),
    "emojis": ("\U0001f600" * 99_999, Code.TOO_MANY_TOKENS),
    "many variables": (f"query ({numbered('$a#: Int', 900)}) {{ a }}", Code.TOO_MANY_TOKENS),
    "one character too many": (" " * 100_001, Code.DOCUMENT_TOO_LARGE),
    "ten million characters": (" " * 10_000_000, Code.DOCUMENT_TOO_LARGE),
    "many operations": (numbered("query Q# { __typename }", 300), Code.TOO_MANY_FIELDS),
    "many fragments": (
        "{ a }" + numbered("fragment F# on Query { a }", 300),
        Code.TOO_MANY_FIELDS,
    ),
    "many fields": (f"{{ institutions {{ {numbered('a#', 1_000)} }} }}", Code.TOO_MANY_FIELDS),
    "the same field again and again": (
        f"{{ institutions {{ nodes {{ {'name ' * 900} }} }} }}",
        Code.TOO_MANY_FIELDS,
    ),
    "the same object again and again": (
        f"{{ institutions {{ nodes {{ {'parent { name } ' * 80} }} }} }}",
        Code.TOO_MANY_FIELDS,
    ),
    "the same objects within each other": (
        f"{{ institutions {{ nodes {{ {('parent { ' * 4 + 'name name' + ' }' * 4) * 40} }} }} }}",
        Code.TOO_MANY_FIELDS,
    ),
    "the same field in many types": (
        f'{{ node(id: "") {{ {"... on Institution { name } ... on Program { name } " * 40} }} }}',
        Code.TOO_MANY_FIELDS,
    ),
    "many root fields": (f"{{ {numbered('a#: __typename', 21)} }}", Code.TOO_MANY_ROOT_FIELDS),
    "circles times pages": (
        f"{{ institutions(first: 100) {{ nodes {{ {AROUND.replace('#', 'name')} }} }} }}",
        Code.TOO_MANY_ROWS,
    ),
    "many circles times small pages": (
        "{ institutions { nodes { "
        + "programs { nodes { institutions { nodes { " * 2
        + "name"
        + " } } } }" * 2
        + " } } }",
        Code.TOO_MANY_ROWS,
    ),
    "deep introspection": (
        f"{{ __schema {{ types {'{ fields { type ' * 5}{{ name }}{' } }' * 5} }} }}",
        Code.GRAPHQL_VALIDATION_FAILED,
    ),
    "introspection twenty times": (
        f"{{ {numbered(f'a#: __schema {{ {LISTS} }}', 20)} }}",
        Code.TOO_MANY_ROWS,
    ),
    "every type thirty times": (
        f"{{ __schema {{ {numbered('a#: types { fields { args { name } } }', 30)} }} }}",
        Code.TOO_MANY_ROWS,
    ),
    "fields that are not there": (
        f"{{ institutions {{ nodes {{ {numbered('nam#', 900)} }} }} }}",
        Code.GRAPHQL_VALIDATION_FAILED,
    ),
    "a very long name": (f"{{ {'institution' * 9_000} }}", Code.GRAPHQL_VALIDATION_FAILED),
    "a very long number": (
        f"{{ institutions(first: {'9' * 99_000}) {{ totalCount }} }}",
        Code.GRAPHQL_VALIDATION_FAILED,
    ),
    "arguments that are not there": (
        f"{{ institutions({numbered('a#: 1', 600)}) {{ totalCount }} }}",
        Code.GRAPHQL_VALIDATION_FAILED,
    ),
    "the same argument again and again": (
        f"{{ institutions({'first: 1 ' * 600}) {{ totalCount }} }}",
        Code.GRAPHQL_VALIDATION_FAILED,
    ),
    "conditions that are not there": (
        filtered(f"{{{numbered('a#: 1', 600)}}}"),
        Code.GRAPHQL_VALIDATION_FAILED,
    ),
    "two fields that cannot be one": (
        '{ institution(code: "A") { name } institution(code: "B") { name } }',
        Code.GRAPHQL_VALIDATION_FAILED,
    ),
    "nothing": ("", Code.GRAPHQL_PARSE_FAILED),
    "white space": ("\n" * 99_999, Code.GRAPHQL_PARSE_FAILED),
    "byte order marks": ("\ufeff" * 99_999, Code.GRAPHQL_PARSE_FAILED),
    "NUL": ("\0", Code.GRAPHQL_PARSE_FAILED),
    "half of a surrogate pair": ("{ \ud800 }", Code.GRAPHQL_PARSE_FAILED),
    "a text without end": (f'{{ search(text: "{"x" * 99_000}', Code.GRAPHQL_PARSE_FAILED),
    "a block text without end": (
        '{ search(text: """' + "x\n" * 49_000,
        Code.GRAPHQL_PARSE_FAILED,
    ),
    "a mutation": ("mutation { a }", Code.GRAPHQL_VALIDATION_FAILED),
    "a subscription": ("subscription { a }", Code.GRAPHQL_VALIDATION_FAILED),
    "a schema": ("type A { a: Int }", Code.GRAPHQL_VALIDATION_FAILED),
}


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_hostile_document_is_refused_without_a_statement(
    text: str, code: Code, database: Database
) -> None:
    before = database.statements
    answer = await resolve(the_graph(), database, GraphQLRequest(text))
    response = json.loads(answer.body)
    assert set(codes_of(response)) == {code}
    assert "data" not in response
    assert answer.outcome is Outcome.REFUSED
    assert database.statements == before


SOUGHT = "query ($v: String!) { providers(filter: {name: {contains: $v}}) { totalCount } }"
FOUND = "query ($v: String!) { search(text: $v) { totalCount } }"
BEGUN = "query ($v: String!) { suggest(text: $v) { text } }"


@pytest.mark.parametrize(
    "text", ["x" * 90_000, "x\n" * 900, "\\u0041" * 900, "\\\\" * 900, '\\"\\"']
)
async def test_a_long_text_is_only_a_text(text: str, database: Database) -> None:
    quoted = f'"""{text}"""' if "\n" in text else f'"{text}"'
    data = await data_of(database, filtered(f"{{name: {{eq: {quoted}}}}}"))
    assert data == {"institutions": {"totalCount": 0}}


@pytest.mark.parametrize("text", [SOUGHT, FOUND, BEGUN])
async def test_nobody_looks_for_a_text_that_no_name_can_have(text: str, database: Database) -> None:
    before = database.statements
    for length in (201, 10_000, 90_000):
        answer = await resolve(
            the_graph(), database, GraphQLRequest(text, None, {"v": "x" * length})
        )
        assert codes_of(json.loads(answer.body)) == [Code.BAD_USER_INPUT]
    assert database.statements == before


async def test_what_looks_hostile_inside_a_text_is_not(database: Database) -> None:
    text = "{" * 500 + "@" * 500 + ":" * 500 + "(" * 500
    for quoted in (f'"{text}"', f'"""{text} \\""" " """'):
        asked = filtered(f"{{name: {{eq: {quoted}}}}} # {text}\n")
        assert await data_of(database, asked) == {"institutions": {"totalCount": 0}}


async def test_the_tools_of_developers_can_read_the_whole_schema(database: Database) -> None:
    text = get_introspection_query(specified_by_url=True, input_value_deprecation=True)
    data = await data_of(database, text)
    assert data["__schema"]["queryType"] == {"name": "Query", "kind": "OBJECT"}


async def test_what_is_quoted_back_is_short(database: Database) -> None:
    for text in (f"{{ {'a' * 99_000} }}", filtered(f"{{{numbered('a#: 1', 600)}}}")):
        answer = await resolve(the_graph(), database, GraphQLRequest(text))
        assert len(answer.body) < 5_000


# Variables

FILTERED = "query ($v: InstitutionFilter) { institutions(filter: $v) { totalCount } }"
ORDERED = "query ($v: [InstitutionOrder!]) { institutions(orderBy: $v) { totalCount } }"
KEYED = "query ($v: [ID!]!) { nodes(ids: $v) { id } }"
GROUPED = """query ($v: [InstitutionGroupBy!]!) { institutions { groupBy(keys: $v) { count } } }"""


def deep(levels: int, word: str) -> object:
    """An object in an object in an object."""
    value: object = {}
    for _ in range(levels):
        value = {word: [value] if word in ("and", "or") else value}
    return value


def boxed(levels: int) -> object:
    """A list in a list in a list."""
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


VARIABLES: Mapping[str, tuple[str, object, Code]] = {
    "deeper than Python goes": (FILTERED, deep(5_000, "not"), Code.BAD_VARIABLES),
    "as deep as Python goes": (FILTERED, deep(150, "not"), Code.TOO_MANY_CONDITIONS),
    "lists in lists": (FILTERED, deep(400, "or"), Code.BAD_VARIABLES),
    "a deep list for an object": (FILTERED, boxed(900), Code.BAD_VARIABLES),
    "a deep list for keys": (KEYED, boxed(90), Code.BAD_VARIABLES),
    "a deep object for text": (
        FOUND,
        deep(90, "not"),
        Code.BAD_VARIABLES,
    ),
    "a text for an object": (FILTERED, "x" * 90_000, Code.BAD_VARIABLES),
    "many conditions": (FILTERED, {"and": [{"name": {"eq": ""}}] * 101}, Code.TOO_MANY_CONDITIONS),
    "many empty conditions": (FILTERED, {"and": [{}] * 20_000}, Code.BAD_VARIABLES),
    "conditions that are not there": (
        FILTERED,
        {f"a{number}": 1 for number in range(6_000)},
        Code.BAD_VARIABLES,
    ),
    "many steps of an order": (ORDERED, [{"name": "ASC"}] * 101, Code.TOO_MANY_CONDITIONS),
    "very many steps of an order": (ORDERED, [{"name": "ASC"}] * 5_000, Code.BAD_VARIABLES),
    "a step with two fields": (ORDERED, [{"name": "ASC", "code": "ASC"}], Code.BAD_VARIABLES),
    "many values": (FILTERED, {"openedYear": {"in": [1] * 1_001}}, Code.BAD_USER_INPUT),
    "many ids": (KEYED, ["County:06037"] * 101, Code.BAD_USER_INPUT),
    "many ids of nothing": (KEYED, [f"X{n}:{n}" for n in range(5_000)], Code.BAD_ID),
    "keys that are not there": (GROUPED, ["STATUS", "NOTHING"], Code.BAD_VARIABLES),
}


@pytest.mark.parametrize(("text", "value", "code"), VARIABLES.values(), ids=VARIABLES.keys())
async def test_hostile_variables_are_refused_without_a_statement(
    text: str, value: object, code: Code, database: Database
) -> None:
    before = database.statements
    answer = await resolve(the_graph(), database, GraphQLRequest(text, None, {"v": value}))
    assert set(codes_of(json.loads(answer.body))) == {code}
    assert database.statements == before


async def test_variables_that_nobody_declared_are_not_looked_at(database: Database) -> None:
    given = {f"v{number}": boxed(50) for number in range(1_000)}
    answer = await resolve(the_graph(), database, GraphQLRequest("{ __typename }", None, given))
    assert json.loads(answer.body) == {"data": {"__typename": "Query"}}


# Values

PLANES = "".join(
    chr(plane << 16 | low) for plane in range(17) for low in (0x1F600 & 0xFFFF, 0xFFFF)
)
WRONG: Sequence[object] = [
    None,
    "",
    True,
    0.5,
    float("nan"),
    float("-inf"),
    2**31,
    -(2**63),
    10**400,
    "\0",
    "\ud800",
    "'; select 1; --",
    '"',
    "%",
    PLANES,
    "x" * 10_000,
    [],
    [None],
    ["x"] * 1_001,
    {},
    {"eq": None},
    boxed(60),
]
RIGHT: Mapping[str, Sequence[object]] = {
    **HOSTILE_VALUES,
    "ID": [
        *HOSTILE_VALUES["ID"],
        "Institution:00000000-0000-0000-0000-000000000000",
        "Institution:{00000000-0000-0000-0000-000000000000}",
        "Institution:urn:uuid:00000000-0000-0000-0000-000000000000",
        "institution:00000000-0000-0000-0000-000000000000",
        "Institution:" + "0" * 10_000,
        "Institution:\0",
        "County:\0",
        "County:\ud800",
        "County:'",
        "County:" + "0" * 10_000,
        "Sourced:1",
        "Query:1",
        "__Type:1",
    ],
    "Date": [
        *HOSTILE_VALUES["Date"],
        "2026-1-1",
        "20260101",
        "-001-01-01",
        "infinity",
        "٢٠٢٦-٠١-٠١",
    ],
    "DateTime": [
        *HOSTILE_VALUES["DateTime"],
        "0001-01-01T00:00:00+14:00",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+99:00",
        "2026-01-01T00:00:60Z",
        "now",
    ],
    "Time": [*HOSTILE_VALUES["Time"], "23:59:60", "12:00:00+01:00", "allballs"],
}
# Names in Postgres have an underscore where ours have a capital; SQL and Python say what they are.
INTERNAL = re.compile(
    r"\b[a-z0-9]+_[a-z0-9_]+\b|\bselect\b.*\bfrom\b|asyncpg|strawberry|Traceback|\.py\b|<class"
    r"|object at 0x|UUID\(|Decimal\(|datetime\.|ERROR:|SQLSTATE"
)


@dataclass(frozen=True)
class Place:
    """Somewhere in an operation where a value can stand, by way of the variable `v`."""

    text: str
    type: GraphQLInputType
    sort: str

    def values(self) -> Sequence[object]:
        """What does not belong here, or only just."""
        named = get_named_type(self.type)
        right = [named.name, "ASC"] if isinstance(named, GraphQLEnumType) else RIGHT.get(named.name)
        fitting: list[object] = list(right or ())
        if is_list_type(self.type.of_type if is_non_null_type(self.type) else self.type):
            fitting += [[value] for value in fitting] + [[value] * 1_001 for value in fitting[-1:]]
        return [*fitting, *WRONG]


async def harmless(
    database: Database, text: str, variables: Mapping[str, object], *, computed: bool = False
) -> Mapping[str, Any]:
    """The response, after a look for what must never be in one."""
    request = GraphQLRequest(text, None, variables)
    before = database.statements
    answer = await resolve(the_graph(), database, request, computed=computed)
    response: Mapping[str, Any] = json.loads(answer.body)
    codes = codes_of(response)
    where = (text, str(variables)[:200], answer.body[:500])
    assert answer.outcome in (Outcome.DATA, Outcome.PARTIAL, Outcome.REFUSED), where
    assert answer.outcome is not Outcome.DATA or not codes, where
    # What only Postgres finds fault with was not looked at well enough before.
    assert answer.outcome is not Outcome.REFUSED or database.statements == before, where
    assert Code.INTERNAL_SERVER_ERROR not in codes, where
    assert set(codes) <= set(Code), where
    for error in response.get("errors", ()):
        assert not INTERNAL.search(error["message"]), where
    return response


def inside(types: Mapping[str, GraphQLObjectType]) -> Mapping[str, str]:
    """A shortest way to each type: an operation with a hole, `#`, where its fields stand."""
    ways = {"Query": "query ($v: @) { # }"}
    queue = list(ways)
    while queue:
        name = queue.pop(0)
        for field_name, field in types[name].fields.items():
            below = get_named_type(field.type).name
            if below in types and below not in ways and not needed(field.args):
                ways[below] = ways[name].replace("#", f"{field_name} {{ # }}")
                queue.append(below)
    return ways


NEEDED = {"id": '"County:1"', "ids": '["County:1"]', "text": '"ab"', "keys": "[]"}


def needed(arguments: Mapping[str, GraphQLArgument]) -> dict[str, str]:
    """What a field cannot be asked without."""
    return {
        name: NEEDED.get(name, '"x"')
        for name, argument in arguments.items()
        if is_non_null_type(argument.type)
    }


def places() -> Iterator[Place]:
    """Every argument of every field, and every condition and step that can stand in one."""
    schema = the_graph().schema
    types = {
        name: type_
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__")
    }
    for name, way in inside(types).items():
        for field_name, field in types[name].fields.items():
            below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
            for argument, declared in field.args.items():
                others = {
                    key: value for key, value in needed(field.args).items() if key != argument
                }
                for written, type_ in [("$v", declared.type), *written_in(declared.type, name)]:
                    given = {**others, argument: written}
                    listed = ", ".join(f"{key}: {value}" for key, value in given.items())
                    text = way.replace("#", f"{field_name}({listed}){below}")
                    # A condition counts by its kind; an argument also by what it is called.
                    sort = f"{argument if written == '$v' else ''} {type_} {written.count('{')}"
                    yield Place(text.replace("@", str(type_)), type_, sort)


def written_in(type_: GraphQLInputType, owner: str) -> Iterator[tuple[str, GraphQLInputType]]:
    """The conditions of a root field's filter and the steps of its order."""
    named = get_named_type(type_)
    if owner != "Query" or not isinstance(named, GraphQLInputObjectType):
        return
    for name, field in named.fields.items():
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLInputObjectType):
            yield f"{{{name}: $v}}", required(named, field.type)
        elif not inner.name.endswith(("RelationFilter", named.name)):
            for word, part in inner.fields.items():
                if not isinstance(get_named_type(part.type), GraphQLInputObjectType):
                    yield f"{{{name}: {{{word}: $v}}}}", required(inner, part.type)


def required(owner: GraphQLInputObjectType, type_: GraphQLInputType) -> GraphQLInputType:
    """What a variable has to be declared as: the one field of a one-of object is never null."""
    if isinstance(type_, GraphQLNonNull) or not owner.is_one_of:
        return type_
    return GraphQLNonNull(type_)


async def test_a_hostile_value_is_an_answer_or_an_error_wherever_it_stands(
    database: Database,
) -> None:
    seen: set[str] = set()
    asked = 0
    for number, place in enumerate(places()):
        values = place.values()
        if place.sort in seen:
            # The first of its sort is sent everything; the others take turns.
            values = [values[(number * 5 + turn) % len(values)] for turn in range(2)]
        seen.add(place.sort)
        for value in values:
            await harmless(database, place.text, {"v": value}, computed=asked % 4 == 0)
            asked += 1
    assert asked > 3_000


# Cursors


def packed(value: object) -> str:
    """A value as cursors are packed."""
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def mutations(cursor: str) -> Iterator[str]:
    """Cursors that are almost this one, and some that are nothing like it."""
    yield from (cursor[:length] for length in range(0, len(cursor), 7))
    yield from (cursor[:at] + "!" + cursor[at + 1 :] for at in range(0, len(cursor), 11))
    yield from (
        cursor.swapcase(),
        cursor[::-1],
        cursor * 2,
        f" {cursor}",
        f"{cursor}\n",
        cursor + "=",
    )
    mark, *parts = json.loads(base64.b64decode(cursor))
    others: Sequence[object] = [None, True, 0, 1.5, 10**400, -(2**31), [], {}, *HOSTILE_TEXTS]
    for wrong in others:
        for at in range(len(parts)):
            yield packed([mark, *parts[:at], wrong, *parts[at + 1 :]])
    yield packed([mark])
    yield packed([mark, *parts, None])
    yield packed(["", *parts])
    yield packed(json.dumps([mark, *parts]).replace(mark, "\ud800"))
    yield packed(f'["{mark}", {"9" * 5_000}, "x"]')
    yield packed(f'["{mark}", NaN, Infinity]')
    yield packed(f'["{mark}", 1e999, 1e999]')
    yield packed("[" * 10_000)
    yield packed("[" * 900 + "]" * 900)
    yield from (packed(garbage) for garbage in ("", "null", "0", "{}", "[]", '"x"', "[", "\0" * 99))
    yield from (text for text in HOSTILE_TEXTS)
    yield base64.b64encode(bytes(range(256))).decode()


async def test_a_hostile_cursor_is_a_bad_cursor_in_every_order(database: Database) -> None:
    graph = the_graph()
    cursors = []
    for root, source in graph.roots.items():
        if isinstance(source, Every):
            page = await data_of(database, f"{{ {root}(first: 1) {{ edges {{ cursor }} }} }}")
            cursors += [(root, edge["cursor"]) for edge in page[root]["edges"]]
    for number, (root, cursor) in enumerate(cursors):
        text = f"""query ($v: String) {{
            other: __typename
            {root}(first: 1, {"before" if number % 3 else "after"}: $v) {{ nodes {{ id }} }}
        }}"""
        others = [other for name, other in cursors if name != root]
        for wrong in [*mutations(cursor), *others]:
            response = await harmless(database, text, {"v": wrong})
            # Its neighbour is answered, whatever becomes of it.
            assert response["data"]["other"] == "Query"
            assert set(codes_of(response)) <= {Code.BAD_CURSOR}
            assert json.dumps(wrong) not in json.dumps(response) or not wrong


async def test_a_cursor_of_one_order_is_not_one_of_another(database: Database) -> None:
    steps = ["name", "code", "openedYear", "statusAsOf", "county: {name", "programs: {count"]
    text = """query ($v: String) {
        institutions(first: 1, after: $v, orderBy: [{#}]) { edges { cursor } }
    }"""
    orders = [f"{step}: {way}{'}' * step.count('{')}" for step in steps for way in ("ASC", "DESC")]
    cursors = {}
    for order in orders:
        page = await data_of(database, text.replace("#", order))
        cursors[order] = page["institutions"]["edges"][0]["cursor"]
    for order in orders:
        for other, cursor in cursors.items():
            response = await harmless(database, text.replace("#", order), {"v": cursor})
            assert codes_of(response) == ([] if order == other else [Code.BAD_CURSOR])
