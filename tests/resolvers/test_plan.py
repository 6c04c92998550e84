"""Requests share a plan when they differ in values only, and have their own when they do not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from resolvers.cache import Cache
from resolvers.errors import RequestRefused
from resolvers.graph import Graph
from resolvers.parse import Operation, coerce, parse
from resolvers.plan.plan import Plan, plan
from tests.roads import the_graph

Variables = Mapping[str, object]


def planned(text: str, variables: Variables, graph: Graph | None = None) -> Plan:
    """The plan of an operation with these variables."""
    made = graph or the_graph()
    operation = parse(made, text)
    found, _ = plan(made, operation, coerce(made, operation, variables))
    return found


def plans_of(operation: Operation) -> list[Plan]:
    """The plans that an operation remembers."""
    found: list[Plan] = []
    ways: list[object] = [getattr(plans, "root", None) for plans in operation.plans.values()]
    while ways:
        way = ways.pop()
        if isinstance(way, Plan):
            found.append(way)
        else:
            ways.extend(getattr(way, "ways", {}).values())
    return found


FILTER = "query ($f: InstitutionFilter) { institutions(filter: $f) { nodes { name } } }"
VALUE = "query ($v: String!) { institutions(filter: {name: {eq: $v}}) { nodes { name } } }"
PAGE = "query ($n: Int, $c: String) { institutions(first: $n, after: $c) { nodes { name } } }"
LIST = "query ($v: [Int!]) { institutions(filter: {openedYear: {in: $v}}) { nodes { name } } }"
ORDER = "query ($o: [InstitutionOrder!]) { institutions(orderBy: $o) { nodes { name } } }"
DIRECTION = "query ($d: SortDirection!) { institutions(orderBy: [{name: $d}]) { nodes { name } } }"
GROUPS = "query ($k: [InstitutionGroupBy!]!) { institutions { groupBy(keys: $k) { count } } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
LANGUAGE = "query ($l: Language) { categories { nodes { label(lang: $l) } } }"
INCLUDED = "query ($i: Boolean!) { institutions { nodes { name code @include(if: $i) } } }"
SKIPPED = "query ($i: Boolean!) { institutions { nodes { name code @skip(if: $i) } } }"
NULL = "query ($n: Boolean) { institutions(filter: {openedYear: {isNull: $n}}) { totalCount } }"

ALIKE: Mapping[str, tuple[str, Variables, Variables]] = {
    "another value": (VALUE, {"v": "a"}, {"v": "b"}),
    "another value in an object": (
        FILTER,
        {"f": {"name": {"eq": "a"}}},
        {"f": {"name": {"eq": ""}}},
    ),
    "another size of page": (PAGE, {"n": 1, "c": None}, {"n": 100, "c": None}),
    "another number of values": (LIST, {"v": [1]}, {"v": [1, 2, 3]}),
    "no values at all": (LIST, {"v": [1]}, {"v": []}),
    "one value that is a list": (LIST, {"v": 1}, {"v": [1]}),
    "other ids of the same types": (
        NODES,
        {"ids": ["County:1"]},
        {"ids": ["County:2", "County:1"]},
    ),
    "types of ids in another order": (
        NODES,
        {"ids": ["County:1", "Category:a"]},
        {"ids": ["Category:b", "County:2"]},
    ),
    "a variable that nobody declared": (VALUE, {"v": "a"}, {"v": "a", "w": 1}),
}
FORKED: Mapping[str, tuple[str, Variables, Variables]] = {
    "given or not": (PAGE, {"n": 1}, {}),
    "given or null": (PAGE, {"n": 1}, {"n": None}),
    "a filter or none": (FILTER, {"f": {"name": {"eq": "a"}}}, {}),
    "another field of a filter": (
        FILTER,
        {"f": {"name": {"eq": "a"}}},
        {"f": {"code": {"eq": "a"}}},
    ),
    "another operator": (FILTER, {"f": {"name": {"eq": "a"}}}, {"f": {"name": {"in": ["a"]}}}),
    "another number of alternatives": (FILTER, {"f": {"or": [{}]}}, {"f": {"or": [{}, {}]}}),
    "another number of conditions": (FILTER, {"f": {"and": [{}]}}, {"f": {"and": [{}, {}]}}),
    "another direction": (DIRECTION, {"d": "ASC"}, {"d": "DESC"}),
    "another direction in a list": (ORDER, {"o": [{"name": "ASC"}]}, {"o": [{"name": "DESC"}]}),
    "another order": (ORDER, {"o": [{"name": "ASC"}]}, {"o": [{"code": "ASC"}]}),
    "other keys of groups": (GROUPS, {"k": ["STATUS"]}, {"k": ["COUNTY"]}),
    "ids of other types": (NODES, {"ids": ["County:1"]}, {"ids": ["Category:a"]}),
    "another language": (LANGUAGE, {"l": "EN"}, {"l": "ES"}),
    "included or not": (INCLUDED, {"i": True}, {"i": False}),
    "skipped or not": (SKIPPED, {"i": True}, {"i": False}),
    "known or unknown": (NULL, {"n": True}, {"n": False}),
}


@pytest.mark.parametrize(("text", "one", "other"), ALIKE.values(), ids=ALIKE.keys())
def test_requests_that_differ_in_values_share_their_statement(
    text: str, one: Variables, other: Variables
) -> None:
    assert planned(text, one) is planned(text, other)


@pytest.mark.parametrize(("text", "one", "other"), FORKED.values(), ids=FORKED.keys())
def test_requests_that_differ_in_shape_have_their_own_statements(
    text: str, one: Variables, other: Variables
) -> None:
    first, second = planned(text, one), planned(text, other)
    assert first.statement is not second.statement
    # Each is remembered beside the other.
    assert planned(text, one) is first
    assert planned(text, other) is second


def test_the_same_operation_always_renders_the_same_text() -> None:
    for text, one, other in [*ALIKE.values(), *FORKED.values()]:
        for variables in (one, other):
            fresh = replace(the_graph(), documents=Cache())
            assert planned(text, variables).text == planned(text, variables, fresh).text


def test_the_memory_of_plans_is_bounded() -> None:
    flags = [f"f{number}" for number in range(10)]
    fields = " ".join(f"a{flag}: name @include(if: ${flag})" for flag in flags)
    given = ", ".join(f"${flag}: Boolean!" for flag in flags)
    text = f"query ({given}) {{ institutions {{ nodes {{ code {fields} }} }} }}"
    most = 0
    for shape in range(2 ** len(flags)):
        planned(text, {flag: bool(shape >> bit & 1) for bit, flag in enumerate(flags)})
        most = max(most, len(plans_of(parse(the_graph(), text))))
    assert 100 <= most <= 200


def test_the_memory_of_documents_is_bounded() -> None:
    graph = replace(the_graph(), documents=Cache(entries=3))
    texts = [f"query Q{number} {{ __typename }}" for number in range(10)]
    for text in texts:
        parse(graph, text)
    assert len(graph.documents) == 3
    assert graph.documents.get(texts[-1]) is not None
    assert graph.documents.get(texts[0]) is None


def test_a_refused_document_is_not_remembered() -> None:
    graph = replace(the_graph(), documents=Cache())
    for text in ("{", "{ nothing }", "{ a " * 20, "a " * 3_000, ""):
        with pytest.raises(RequestRefused):
            parse(graph, text)
    assert len(graph.documents) == 0


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (PAGE, {"n": 1_000}),
        (FILTER, {"f": {"openedYear": {"in": [1] * 1_001}}}),
        (FILTER, {"f": {"name": {"eq": None}}}),
        (NODES, {"ids": ["Nothing:1"]}),
        (GROUPS, {"k": []}),
        ("query ($c: String) { institutions(after: $c) { nodes { name } } }", {"c": "nonsense"}),
    ],
)
def test_what_is_refused_for_its_value_is_not_remembered(text: str, variables: Variables) -> None:
    graph = replace(the_graph(), documents=Cache())
    operation = parse(graph, text)
    for _ in range(3):
        refused, _ = plan(graph, operation, coerce(graph, operation, variables))
        assert refused.refused
    # A plan that fits other values may have been; none in which a field is missing.
    assert [remembered for remembered in plans_of(operation) if remembered.refused] == []
    assert len(plans_of(operation)) <= 1


def columns_of(text: str) -> set[str]:
    """The columns that the innermost selects of an operation fetch."""
    return set(re.findall(r"^ +(?:select )?t\d+\.(\w+)", planned(text, {}).text, re.MULTILINE))


def test_a_computed_field_fetches_only_the_columns_it_names() -> None:
    text = '{ institution(code: "SQ") { phones { # } } }'
    computed = planned(text.replace("#", "formatted"), {})
    assert computed.computed
    assert columns_of(text.replace("#", "formatted")) == {"number", "extension"}
    assert columns_of(text.replace("#", "formatted uri kind")) == {"number", "extension", "kind"}


def test_a_plain_field_fetches_itself() -> None:
    text = '{ institution(code: "SQ") { name phones { number } } }'
    assert not planned(text, {}).computed
    assert columns_of(text) == {"name", "number"}


def test_a_statement_asks_only_the_tables_that_the_ids_are_of() -> None:
    text = planned(NODES, {"ids": ["County:1", "Category:a"]}).text
    assert set(re.findall(r"from (\w+) t\d+", text)) == {"counties", "categories"}
