"""The filter language against plain Python: the same filter, on the same rows, read whole.

Every field, relation and operator that the schema offers can be drawn; what comes back is compared
to the last record of the first page and of the last one, and by number for what lies between.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    get_named_type,
    is_list_type,
    print_ast,
)
from graphql.utilities import value_to_literal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.kinds import ASKED_WITH, KINDS, PARTS
from tests.roads import ask, codes_of, data_of, the_graph
from tests.second_opinion import Filter, SecondOpinion, World, json_of

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
ASKED = [
    "Institution",
    "Program",
    "ProgramOffering",
    "Provider",
    "VisitorCenter",
    "VisitorServiceGap",
    "Category",
    "County",
]

generated = settings(
    max_examples=5_000 if FUZZ else 300,
    derandomize=not FUZZ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


@dataclass
class Making:
    """A filter in the making."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    oracle: SecondOpinion
    left: int = 20

    def filter(self, name: str, depth: int, within: str = "") -> dict[str, Any]:
        """A filter of a kind of record, or of a part of it."""
        offered = fields(f"{within or name}Filter")
        known = [*KINDS[name].one, *KINDS[name].many, *PARTS]
        relations = [part for part in offered if part in known]
        deeper = ["and", "or", "not"]
        others = {*relations, *deeper, *KINDS[name].derived}
        plain = [part for part in offered if part not in others]
        groups = [plain, plain, relations, deeper] if depth else [plain]
        wanted = {}
        for _ in range(self.one_of([1, 2, 1, 2, 1, 0])):
            part = self.one_of(self.one_of([group for group in groups if group] or [["and"]]))
            if self.left > 0:
                wanted[part] = self.part(name, part, depth - 1, within)
        return wanted

    def part(self, name: str, part: str, depth: int, within: str) -> Any:
        self.left -= 1
        if self.number(0, 30) == 30:
            return None
        if part in ("and", "or"):
            size = self.one_of([2, 1, 3, 0])
            return [self.filter(name, depth, within) for _ in range(size)]
        if part == "not":
            return self.filter(name, depth, within)
        if part in PARTS:
            return self.filter(name, depth, PARTS[part])
        if part in KINDS[name].one:
            return self.filter(self.oracle.target(name, part), depth)
        if part in KINDS[name].many:
            target = self.oracle.target(name, part)
            words = self.some_of(["some", "none", "every"])
            return {word: self.filter(target, depth) for word in words}
        operators = fields(get_named_type(fields(f"{within or name}Filter")[part].type).name)
        words = self.some_of(list(operators))
        return {word: self.operand(name, part, word, operators[word].type) for word in words}

    def operand(self, name: str, part: str, word: str, type_: Any) -> Any:
        if word == "isNull":
            return self.one_of([True, False])
        if is_list_type(type_):
            return [self.value(name, part, word, type_) for _ in range(self.one_of([2, 3, 1, 0]))]
        return self.value(name, part, word, type_)

    def value(self, name: str, part: str, word: str, type_: Any) -> Any:
        """A value that is there, or is only just not there."""
        named = get_named_type(type_)
        if isinstance(named, GraphQLEnumType):
            return self.one_of(list(named.values))
        known = self.oracle.values(name, part)
        value: Any = self.one_of(known) if known else NOTHING_LIKE_IT[named.name]
        if word in ("contains", "startsWith"):
            return self.piece(value, word)
        if named.name == "Int":
            value += self.number(-1, 1)
        if named.name == "Date":
            value += timedelta(days=self.number(-1, 1))
        return json_of(value)

    def piece(self, text: str, word: str) -> str:
        """Some of a text, in any case, or what looks like a pattern of it."""
        start = self.number(0, len(text) - 1) if word == "contains" else 0
        piece = text[start : start + self.number(0, 5)]
        patterns = ["%", "_", "\\", piece + "%", "_" + piece[1:], piece + "\\"]
        return str(self.one_of([piece, piece.swapcase(), piece.upper(), *patterns]))

    def some_of(self, items: list[Any]) -> list[Any]:
        return [*dict.fromkeys(self.one_of(items) for _ in range(self.one_of([1, 1, 2])))]

    def one_of(self, items: list[Any]) -> Any:
        return items[self.number(0, len(items) - 1)]

    def number(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))


NOTHING_LIKE_IT = {
    "String": "anything",
    "Int": 1,
    "Date": date(2026, 1, 1),
    "DateTime": "2026-01-01T00:00:00Z",
    "Time": "08:00:00",
    "Boolean": True,
    "ID": "ScheduleException:00000000-0000-0000-0000-000000000000",
}


def fields(name: str) -> Mapping[str, Any]:
    """The fields of an input type."""
    type_ = the_graph().schema.type_map[name]
    found = type_.fields if isinstance(type_, GraphQLInputObjectType) else {}
    return {field: part for field, part in found.items() if field not in ASKED_WITH}


def literally(value: object, type_name: str) -> str:
    """A value of an input type, as it is written in a document."""
    type_ = the_graph().schema.type_map[type_name]
    assert isinstance(type_, GraphQLInputObjectType)
    node = value_to_literal(value, type_)
    assert node is not None
    return print_ast(node)


async def kept(world: World, name: str, wanted: Filter, *, literal: bool = False) -> int:
    """How many records a filter keeps; they are the same by GraphQL and by Python."""
    database, oracle = world
    root = KINDS[name].root
    type_ = f"{name}Filter"
    written = literally(wanted, type_) if literal else "$wanted"
    text = f"""query Kept {"" if literal else f"($wanted: {type_}!)"} {{
        head: {root}(filter: {written}, first: 100) {{ totalCount nodes {{ id }} }}
        tail: {root}(filter: {written}, last: 100) {{ nodes {{ id }} }}
        others: {root}(filter: {{not: {written}}}) {{ totalCount }}
    }}"""
    data = await data_of(database, text, {} if literal else {"wanted": wanted})
    ids = [oracle.id(name, key) for key in oracle.sorted(name, oracle.kept(name, wanted))]
    assert data["head"]["totalCount"] == len(ids)
    assert [node["id"] for node in data["head"]["nodes"]] == ids[:100]
    assert [node["id"] for node in data["tail"]["nodes"]] == ids[-100:]
    assert data["others"]["totalCount"] == len(oracle.listed(name, wanted)) - len(ids)
    return len(ids)


def test_the_second_opinion_knows_every_field_that_the_schema_filters_by(world: World) -> None:
    _, oracle = world
    for name, kind in KINDS.items():
        if f"{name}Filter" not in the_graph().schema.type_map:
            assert not kind.root, name  # what is in no list has no filter
            continue
        offered = fields(f"{name}Filter")
        for part, type_ in PARTS.items():
            offered = {**offered, **(fields(f"{type_}Filter") if part in offered else {})}
        for part, declared in offered.items():
            target = get_named_type(declared.type).name
            if part in PARTS:
                assert target == f"{PARTS[part]}Filter"
            elif part in kind.one:
                assert target == f"{oracle.target(name, part)}Filter"
            elif part in kind.many:
                assert target == f"{oracle.target(name, part)}RelationFilter"
            elif part not in ("and", "or", "not", *kind.derived):
                assert oracle.column(name, part) in next(iter(oracle.rows[name].values()), part)


@generated
@given(drawn=st.data())
async def test_generated_filters_keep_what_python_keeps(drawn: st.DataObject, world: World) -> None:
    making = Making(drawn.draw, world[1])
    name = making.one_of(ASKED)
    await kept(world, name, making.filter(name, 3), literal=making.number(0, 2) == 2)


@settings(generated, max_examples=2_000 if FUZZ else 80)
@given(drawn=st.data())
async def test_generated_pieces_of_names_are_found_as_they_are_written(
    drawn: st.DataObject, world: World
) -> None:
    """Capitals do not matter, and `%`, `_` and `\\` are letters like any other."""
    making = Making(drawn.draw, world[1])
    name, word = making.one_of(["Provider", "County"]), making.one_of(["contains", "startsWith"])
    odd = [text for text in world[1].values(name, "name") if set(text) & set('%_\\"\n')]
    text = making.one_of(making.one_of([odd, world[1].values(name, "name")]))
    wanted = {"name": {word: making.piece(text, word)}}
    await kept(world, name, wanted, literal=making.number(0, 1) == 1)


@pytest.mark.parametrize(
    ("piece", "found"),
    [
        ("100%", ["100% Hope"]),
        ("100X", ["100X Hope"]),
        ("a_b", ["A_B"]),
        ("axB", ["AxB"]),
        ("back\\s", ["Back\\slash"]),
        ("back\\\\", ["Back\\\\slash"]),
        ("ñandú", ["ÑANDÚ Café", "ñandú CAFÉ"]),
        ('"quoted" \'', ["\"Quoted\" 'name'"]),
        ("\tand a new line\n", ["A tab\tand a new line\n"]),
    ],
)
async def test_a_piece_of_a_name_is_no_pattern(piece: str, found: list[str], world: World) -> None:
    text = """query ($piece: String!) {
        providers(filter: {name: {contains: $piece}}) { nodes { name } }
    }"""
    data = await data_of(world[0], text, {"piece": piece})
    assert sorted(node["name"] for node in data["providers"]["nodes"]) == sorted(found)


# What the descriptions of the schema promise


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"status": None},
        {"and": None, "or": None, "not": None},
        {"name": {}},
        {"parent": None, "programs": None},
        {"programs": {}},
        {"programs": {"some": None, "every": None, "none": None}},
        {"programs": {"every": {}}},
        {"and": []},
        {"aliases": {"hasEvery": []}},
        {"not": {"not": {}}},
        {"or": [{}, {"or": []}]},
    ],
    ids=str,
)
async def test_a_filter_that_asks_for_nothing_keeps_all(wanted: Filter, world: World) -> None:
    everything = len(world[1].rows["Institution"])
    for literal in (False, True):
        assert await kept(world, "Institution", wanted, literal=literal) == everything


@pytest.mark.parametrize(
    "wanted",
    [
        {"or": []},
        {"not": {}},
        {"not": {"status": None}},
        {"code": {"in": []}},
        {"aliases": {"hasSome": []}},
        {"code": {"in": []}, "or": [{}]},
        {"parent": {"or": []}},
    ],
    ids=str,
)
async def test_a_choice_of_nothing_keeps_nothing(wanted: Filter, world: World) -> None:
    for literal in (False, True):
        assert await kept(world, "Institution", wanted, literal=literal) == 0


@pytest.mark.parametrize("field", ["openedYear", "populationGender", "reentryHub", "closedOn"])
async def test_unknown_equals_nothing_and_is_kept_by_not(field: str, world: World) -> None:
    known = [json_of(value) for value in world[1].values("Institution", field)]
    unknown = await kept(world, "Institution", {field: {"isNull": True}})
    assert unknown > 0
    assert await kept(world, "Institution", {"not": {field: {"in": known}}}) == unknown
    equal = [await kept(world, "Institution", {field: {"eq": value}}) for value in known]
    assert sum(equal) == len(world[1].rows["Institution"]) - unknown


async def test_a_relation_to_one_with_an_empty_filter_asks_whether_it_is_there(
    world: World,
) -> None:
    there = await kept(world, "Institution", {"parent": {}})
    missing = await kept(world, "Institution", {"not": {"parent": {}}})
    grown_up = await kept(world, "Institution", {"parent": {"not": {"parent": {}}}})
    assert 0 < grown_up < there < there + missing == len(world[1].rows["Institution"])


async def test_a_relation_with_a_choice_of_type_is_filtered_by_its_default(world: World) -> None:
    # The newest status of all is of visits by video, and says CLOSED.
    assert await kept(world, "Institution", {"visitingStatus": {"status": {"eq": "CLOSED"}}}) == 0
    assert await kept(world, "Institution", {"visitingStatus": {"status": {"eq": "LIMITED"}}}) > 0


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"name": {"eq": None}}, "BAD_USER_INPUT"),
        ({"name": {"in": None}}, "BAD_USER_INPUT"),
        ({"name": {"contains": None}}, "BAD_USER_INPUT"),
        ({"openedYear": {"isNull": None}}, "BAD_USER_INPUT"),
        ({"openedYear": {"lt": None}}, "BAD_USER_INPUT"),
        ({"aliases": {"has": None}}, "BAD_USER_INPUT"),
        ({"or": [{"not": {"programs": {"some": {"name": {"eq": None}}}}}]}, "BAD_USER_INPUT"),
        ({"id": {"eq": "Institution:not-a-uuid"}}, "BAD_ID"),
        ({"id": {"in": ["County:06037"]}}, "BAD_ID"),
        ({"county": {"id": {"eq": "06037"}}}, "BAD_ID"),
        ({"name": {"eq": "a zero \x00"}}, "BAD_USER_INPUT"),
        ({"code": {"in": ["SQ"] * 1001}}, "BAD_USER_INPUT"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_filter_that_makes_no_sense_is_refused_and_its_neighbours_answered(
    wanted: Filter, code: str, world: World
) -> None:
    text = """query ($wanted: InstitutionFilter) {
        institutions(filter: $wanted) { totalCount } counties(first: 1) { nodes { name } }
    }"""
    response = await ask(world[0], text, {"wanted": wanted})
    assert codes_of(response) == [code]
    assert response["errors"][0]["path"] == ["institutions"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"or": [{"code": {"eq": "SQ"}}] * 60},
        {"and": [{}] * 120},
        {"not": {"not": {"and": [{"or": [{}] * 11}] * 11}}},
    ],
    ids=["or", "and", "nested"],
)
async def test_more_conditions_than_a_statement_should_hold_are_refused(
    wanted: Filter, world: World
) -> None:
    text = "query ($wanted: InstitutionFilter) { institutions(filter: $wanted) { totalCount } }"
    assert codes_of(await ask(world[0], text, {"wanted": wanted})) == ["TOO_MANY_CONDITIONS"]


async def test_a_filter_counts_once_however_much_is_asked_of_its_list(world: World) -> None:
    text = """query ($wanted: InstitutionFilter) { institutions(filter: $wanted) {
        totalCount nodes { id } pageInfo { hasNextPage } aggregate { count }
    } }"""
    await data_of(world[0], text, {"wanted": {"or": [{"code": {"eq": "SQ"}}] * 45}})


async def test_an_operator_is_refused_null_and_ignored_when_its_variable_is_not_given(
    world: World,
) -> None:
    text = "query ($no: String) { institutions(filter: {name: {eq: $no}}) { totalCount } }"
    assert codes_of(await ask(world[0], text, {"no": None})) == ["BAD_USER_INPUT"]
    data = await data_of(world[0], text, {})
    assert data["institutions"]["totalCount"] == len(world[1].rows["Institution"])


async def test_a_list_of_values_is_one_condition_however_long(world: World) -> None:
    names = [f"name {number}" for number in range(998)]
    assert await kept(world, "Provider", {"name": {"in": [*names, "100% Hope", "A_B"]}}) == 2
