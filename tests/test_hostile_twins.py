"""Every example has hostile twins, who ask the same, but far too much: refused with no statement.

They are made of the examples, so that whatever can be asked tomorrow has its twins, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_named_type,
    is_non_null_type,
    parse,
    print_ast,
    visit,
)

from db.database import Database
from resolvers.errors import Code
from resolvers.resolve import GraphQLRequest, Outcome, resolve
from tests.roads import codes_of, the_graph
from tests.test_operations import EXAMPLES

# Those that ask Postgres with one operation, all of it, and are answered.
ASKING = [
    example
    for example in EXAMPLES
    if example.sql.exists()
    and example.request().operation_name is None
    and "errors" not in json.loads(example.answer.read_bytes())
    and "@" not in example.request().text
]


def document(text: str) -> tuple[OperationDefinitionNode, list[FragmentDefinitionNode]]:
    """The operation of an example, by the name of the first, and its fragments."""
    definitions = parse(text).definitions
    operation, *_ = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    return operation, [each for each in definitions if isinstance(each, FragmentDefinitionNode)]


def written(operation: OperationDefinitionNode, fragments: list[FragmentDefinitionNode]) -> str:
    return "\n".join(print_ast(each) for each in (operation, *fragments))


def with_selections(text: str, *more: str) -> str:
    """The example, with more root fields."""
    operation, fragments = document(text)
    added: tuple[SelectionNode, ...] = ()
    for each in more:
        inner, _ = document(each)
        added += tuple(inner.selection_set.selections)
    selections = (*operation.selection_set.selections, *added)
    return written(_selecting(operation, selections), fragments)


def _selecting(
    operation: OperationDefinitionNode, selections: tuple[SelectionNode, ...]
) -> OperationDefinitionNode:
    return OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=selections),
    )


# Ways around in a circle


@cache
def way_round(type_name: str, paged: bool) -> tuple[str, ...]:
    """The shortest way from a type back to it; over the pages of a list, if asked."""
    types = the_graph().schema.type_map
    ways: list[tuple[str, tuple[str, ...]]] = [(type_name, ())]
    seen: set[tuple[str, bool]] = set()
    while ways:
        name, way = ways.pop(0)
        type_ = types[name]
        if not isinstance(type_, GraphQLObjectType):
            continue
        for field_name, field in type_.fields.items():
            if any(is_non_null_type(argument.type) for argument in field.args.values()):
                continue
            below, further = get_named_type(field.type).name, (*way, field_name)
            done = not paged or "nodes" in further
            if below == type_name and done:
                return further
            if (below, done) not in seen:
                seen.add((below, done))
                ways.append((below, further))
    return ()


class _Circles(Visitor):
    """Goes around, wherever an example reads an object that leads back to itself."""

    def __init__(self, info: TypeInfo, times: int, first: int | None) -> None:
        super().__init__()
        self.info = info
        self.times = times
        self.first = first
        self.done = 0

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode | None:
        type_ = self.info.get_parent_type()
        if self.done or type_ is None or type_.name not in the_graph().entities:
            return None
        way = way_round(type_.name, self.first is not None)
        if not way:
            return None
        self.done += 1
        text = "{ __typename }"
        for _time in range(self.times):
            for field_name, after in reversed([*zip(way, (*way[1:], ""), strict=True)]):
                page = f"(first: {self.first})" if self.first and after == "nodes" else ""
                text = f"{{ circle: {field_name}{page} {text} }}"
        (added,) = document(text)[0].selection_set.selections
        return SelectionSetNode(selections=(*node.selections, added))


def around(text: str, times: int, first: int | None = None) -> str | None:
    """The example, going around in circles; None if there is no way around."""
    info = TypeInfo(the_graph().schema)
    circles = _Circles(info, times, first)
    made = visit(parse(text), TypeInfoVisitor(info, circles))
    return print_ast(made) if circles.done else None


class _Pages(Visitor):
    """Asks every connection for a hundred thousand at once."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.done = 0

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        definition = self.info.get_field_def()
        if definition is None or "first" not in definition.args:
            return None
        kept = [each for each in node.arguments or () if each.name.value not in ("first", "last")]
        if any(isinstance(each.value, VariableNode) for each in node.arguments or ()):
            return None  # nobody would use the variable any more
        self.done += 1
        (asked,) = document("{ a(first: 100000) }")[0].selection_set.selections
        assert isinstance(asked, FieldNode)
        return FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=(*kept, *(asked.arguments or ())),
            directives=node.directives,
            selection_set=node.selection_set,
        )


def pages(text: str) -> str | None:
    """The example, with pages of a hundred thousand; None if it has no pages."""
    info = TypeInfo(the_graph().schema)
    wide = _Pages(info)
    made = visit(parse(text), TypeInfoVisitor(info, wide))
    return print_ast(made) if wide.done else None


# The twins


def deep(text: str) -> str | None:
    return around(text, 20)


def circles_times_pages(text: str) -> str | None:
    return around(text, 3, 100)


def aliases(text: str) -> str:
    many = " ".join(f"twin{number}: __typename" for number in range(200))
    return with_selections(text, f"{{ {many} }}")


def introspection(text: str) -> str:
    bomb = "types { fields { args { name type { name ofType { name } } } } inputFields { name } }"
    many = " ".join(f"twin{number}: {bomb}" for number in range(29))
    return with_selections(text, f"{{ __schema {{ {many} }} }}")


def deep_introspection(text: str) -> str:
    inner = "{ name }"
    for _ in range(6):
        inner = f"{{ fields {{ type {inner} }} }}"
    return with_selections(text, f"{{ __schema {{ types {inner} }} }}")


def repeated_fragments(text: str) -> str:
    """Ten fragments that spread the next one twice, and the whole example in the last."""
    operation, fragments = document(text)
    inside = print_ast(operation.selection_set)
    bomb = [f"fragment B{n} on Query {{ ...B{n + 1} ...B{n + 1} }}" for n in range(10)]
    bomb.append(f"fragment B10 on Query {inside}")
    (spread,) = document("{ ...B0 }")[0].selection_set.selections
    twin = written(_selecting(operation, (spread,)), fragments)
    return "\n".join([twin, *bomb])


def fragments_in_a_circle(text: str) -> str:
    circle = "fragment C on Query { ...D } fragment D on Query { ...C }"
    return f"{with_selections(text, '{ ...C }')} {circle}"


def endless(text: str) -> str:
    return text + "#" * 100_000


TWINS: Mapping[str, tuple[Callable[[str], str | None], frozenset[Code]]] = {
    "deep circles": (deep, frozenset({Code.TOO_DEEP, Code.TOO_MANY_ALIASES})),
    "circles times pages": (
        circles_times_pages,
        frozenset({Code.TOO_MANY_ROWS, Code.TOO_DEEP, Code.TOO_MANY_ALIASES}),
    ),
    "200 aliases": (aliases, frozenset({Code.TOO_MANY_ALIASES})),
    "introspection": (introspection, frozenset({Code.TOO_MANY_ROWS, Code.TOO_MANY_ALIASES})),
    "deep introspection": (
        deep_introspection,
        frozenset({Code.GRAPHQL_VALIDATION_FAILED, Code.TOO_DEEP}),
    ),
    "repeated fragments": (
        repeated_fragments,
        frozenset({Code.TOO_MANY_FIELDS, Code.TOO_MANY_ALIASES}),
    ),
    "fragments in a circle": (fragments_in_a_circle, frozenset({Code.TOO_DEEP})),
    "a hundred thousand characters": (endless, frozenset({Code.DOCUMENT_TOO_LARGE})),
}


@pytest.mark.parametrize("twin", TWINS)
async def test_a_hostile_twin_is_refused_without_a_statement(twin: str, database: Database) -> None:
    make, codes = TWINS[twin]
    asked = 0
    for example in ASKING:
        text = make(example.path.read_text())
        if text is None:
            continue
        sent = example.request()
        before = database.statements
        answer = await resolve(the_graph(), database, GraphQLRequest(text, None, sent.variables))
        response = json.loads(answer.body)
        found = codes_of(response)
        assert found, (example, text)
        assert set(found) <= codes, (example, found, text)
        assert "data" not in response, example
        assert answer.outcome is Outcome.REFUSED, example
        assert database.statements == before, example
        asked += 1
    assert asked > len(ASKING) / 2


async def test_a_page_of_a_hundred_thousand_is_refused_wherever_it_is_asked_for(
    database: Database,
) -> None:
    asked = 0
    for example in ASKING:
        text = pages(example.path.read_text())
        if text is None:
            continue
        answer = await resolve(
            the_graph(), database, GraphQLRequest(text, None, example.request().variables)
        )
        response = json.loads(answer.body)
        # A function that takes `first` itself refuses what it cannot take in its own words.
        refusing = {Code.PAGE_TOO_LARGE, Code.TOO_MANY_ROWS, Code.BAD_USER_INPUT}
        assert set(codes_of(response)) <= refusing, example
        assert codes_of(response), (example, text)
        asked += 1
    assert asked > len(ASKING) / 2
