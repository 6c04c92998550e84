"""Groups and numbers against plain Python, which counts and measures the same rows."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.kinds import KINDS, PARTS
from tests.roads import ask, codes_of, data_of, the_graph
from tests.second_opinion import Key, SecondOpinion, World, json_of

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
ASKED = [name for name, kind in KINDS.items() if kind.root]

generated = settings(
    max_examples=2_000 if FUZZ else 120,
    derandomize=not FUZZ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


# What is asked


def measured(name: str) -> Mapping[str, Sequence[str]]:
    """What can be measured of a kind and its parts, such as `freshness.verifiedAt`, and how."""
    type_ = the_graph().schema.type_map[f"{name}Aggregate"]
    assert isinstance(type_, GraphQLObjectType)
    found: dict[str, Sequence[str]] = {}
    for field, part in type_.fields.items():
        inner = get_named_type(part.type)
        if field in PARTS:
            found |= {f"{field}.{name}": how for name, how in measured(PARTS[field]).items()}
        elif isinstance(inner, GraphQLObjectType):
            found[field] = list(inner.fields)
    return found


def aggregate(name: str) -> str:
    """Everything that can be measured of a kind."""
    parts = []
    for path, how in measured(name).items():
        head, _, field = path.rpartition(".")
        asked = f"{field} {{ {' '.join(how)} }}"
        parts.append(f"{head} {{ {asked} }}" if head else asked)
    return f"aggregate {{ count {' '.join(parts)} }}"


def attribute(key: str) -> str:
    """`STATUS_AS_OF_PRECISION` is a key named statusAsOfPrecision."""
    head, *tail = key.lower().split("_")
    return head + "".join(part.title() for part in tail)


def own(name: str, field: str) -> str:
    """`provenanceSource` is the field `source` in the part `provenance`."""
    type_ = the_graph().schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    for part in PARTS:
        if field.startswith(part) and part in type_.fields:
            rest = field.removeprefix(part)
            return rest[0].lower() + rest[1:]
    return field


# What is expected


def numbers(oracle: SecondOpinion, name: str, keys: Iterable[Key]) -> dict[str, Any]:
    """The aggregate of some records."""
    rows = list(keys)
    found: dict[str, Any] = {"count": len(rows)}
    for field, how in measured(name).items():
        values = [oracle.value(name, key, field.rpartition(".")[2]) for key in rows]
        values = [value for value in values if value is not None]
        found[field] = dict.fromkeys(how)
        if values:
            found[field] |= {"min": min(values), "max": max(values)}
        if values and "sum" in how:
            found[field] |= {"sum": sum(values), "avg": sum(values) / len(values)}
    return found


def values(oracle: SecondOpinion, name: str, key: Key, field: str) -> Sequence[Any]:
    """The groups that a record is in by one key: several, where that key is of items of a list."""
    kind = KINDS[name]
    field = kind.groups.get(field, own(name, field))
    if field in kind.many:
        items = oracle.related(name, field)[key]
    elif field in kind.one:
        items = oracle.rows[name][key][kind.one[field].split()[2]]
    else:
        items = oracle.value(name, key, field)
    # An empty list has a group of its own.
    return (items or [None]) if isinstance(items, list) else [items]


def target(oracle: SecondOpinion, name: str, field: str) -> str | None:
    """The kind of record that is a key of groups, if it is one."""
    relation = KINDS[name].groups.get(field, own(name, field))
    related = relation in KINDS[name].one or relation in KINDS[name].many
    return oracle.target(name, relation) if related else None


def groups(
    oracle: SecondOpinion, name: str, keys: Iterable[Key], by: Sequence[str]
) -> list[tuple[tuple[Any, ...], list[Key]]]:
    """Records that have these in common; the largest groups first, then by what they share."""
    members = defaultdict(list)
    for key in keys:
        for parts in product(*(values(oracle, name, key, field) for field in by)):
            members[parts].append(key)
    found = sorted(members.items(), key=lambda group: [oracle.place(part) for part in group[0]])
    return sorted(found, key=lambda group: -len(group[1]))


def same(answered: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """An aggregate is as expected, whatever the digits of its means and times."""
    flat: dict[str, Any] = {}
    for field, value in answered.items():
        inner = value.items() if field in PARTS else ()
        flat |= {f"{field}.{name}": part for name, part in inner} if inner else {field: value}
    assert flat.keys() == expected.keys()
    for field, value in expected.items():
        found = flat[field]
        if not isinstance(value, dict):
            assert found == value
            continue
        for how, number in value.items():
            if isinstance(number, date):
                assert type(number).fromisoformat(found[how]) == number
            else:
                assert found[how] == (number if number is None else pytest.approx(number))


def shared(oracle: SecondOpinion, name: str, by: Sequence[str], parts: Sequence[Any]) -> Any:
    """The key of a group as clients see it."""
    found = {}
    for field, part in zip(by, parts, strict=True):
        if kind := target(oracle, name, field):
            found[field] = None if part is None else {"id": oracle.id(kind, part)}
        else:
            found[field] = json_of(part)
    return found


@generated
@given(drawn=st.data())
async def test_generated_groups_and_their_numbers_are_those_of_python(
    drawn: st.DataObject, world: World
) -> None:
    database, oracle = world
    grouped = [name for name in ASKED if f"{name}GroupBy" in the_graph().schema.type_map]
    name = drawn.draw(st.sampled_from(grouped))
    offered = the_graph().schema.type_map[f"{name}GroupBy"]
    assert isinstance(offered, GraphQLEnumType)
    by = drawn.draw(st.lists(st.sampled_from(list(offered.values)), min_size=1, max_size=3))
    fields = [*dict.fromkeys(attribute(key) for key in by)]
    keys = sorted(oracle.listed(name))
    wanted: dict[str, Any] = {}
    if drawn.draw(st.booleans()):
        keys = drawn.draw(st.lists(st.sampled_from(keys), max_size=30, unique=True))
        wanted = {"id": {"in": [oracle.id(name, key) for key in keys]}}
    key = " ".join(f"{one} {{ id }}" if target(oracle, name, one) else one for one in fields)
    first = drawn.draw(st.sampled_from([100, 3, 1, 0]))
    text = f"""query ($wanted: {name}Filter, $by: [{name}GroupBy!]!, $first: Int) {{
        all: {KINDS[name].root}(filter: $wanted, first: 1) {{
            totalCount {aggregate(name)}
            groupBy(keys: $by, first: $first) {{ count key {{ {key} }} {aggregate(name)} }}
        }}
    }}"""
    variables = {"wanted": wanted, "by": by, "first": first}
    answered = (await data_of(database, text, variables))["all"]
    assert answered["totalCount"] == len(keys)
    same(answered["aggregate"], numbers(oracle, name, keys))
    expected = groups(oracle, name, keys, fields)[:first]
    assert len(answered["groupBy"]) == len(expected)
    for group, (parts, members) in zip(answered["groupBy"], expected, strict=True):
        assert group["key"] == shared(oracle, name, fields, parts)
        assert group["count"] == len(members)
        same(group["aggregate"], numbers(oracle, name, members))


async def test_groups_below_many_parents_are_each_their_own(world: World) -> None:
    database, oracle = world
    text = """{ counties(first: 100) { nodes {
        id
        providers(filter: {not: {orgType: {eq: PRIVATE}}}, first: 2) {
            totalCount
            groupBy(keys: [ORG_TYPE, LOCATION], first: 3) { count key { orgType location { id } } }
        }
        institutions { aggregate { count designCapacity { sum avg } openedYear { min max } } }
        reentryPrograms { aggregate { maxLengthDays { max } } }
    } } }"""
    nodes = (await data_of(database, text))["counties"]["nodes"]
    assert [node["id"] for node in nodes] == [
        oracle.id("County", key) for key in oracle.sorted("County", oracle.rows["County"])
    ]
    kept = oracle.kept("Provider", {"not": {"orgType": {"eq": "PRIVATE"}}})
    for node in nodes:
        key = node["id"].partition(":")[2]
        here = [one for one in oracle.related("County", "providers")[key] if one in kept]
        assert node["providers"]["totalCount"] == len(here)
        by = ["orgType", "location"]
        assert node["providers"]["groupBy"] == [
            {"count": len(members), "key": shared(oracle, "Provider", by, parts)}
            for parts, members in groups(oracle, "Provider", here, by)[:3]
        ]
        prisons = numbers(oracle, "Institution", oracle.related("County", "institutions")[key])
        capacity, opened = prisons["designCapacity"], prisons["openedYear"]
        same(
            node["institutions"]["aggregate"],
            {
                "count": prisons["count"],
                "designCapacity": {"sum": capacity["sum"], "avg": capacity["avg"]},
                "openedYear": {"min": opened["min"], "max": opened["max"]},
            },
        )
        longest = numbers(
            oracle, "ReentryProgram", oracle.related("County", "reentryPrograms")[key]
        )
        same(
            node["reentryPrograms"]["aggregate"],
            {"maxLengthDays": {"max": longest["maxLengthDays"]["max"]}},
        )


async def test_a_key_that_was_not_grouped_by_is_null_and_of_one_that_was_all_is_known(
    world: World,
) -> None:
    text = """{ institutions { groupBy(keys: [PARENT, PARENT]) {
        key { status county { name } parent { name county { name } children { totalCount } } }
        count
    } } }"""
    database, oracle = world
    found = (await data_of(database, text))["institutions"]["groupBy"]
    children = oracle.related("Institution", "children")
    assert [group["count"] for group in found] == [
        len(members) for _, members in groups(oracle, "Institution", children, ["parent"])
    ]
    assert found[0]["key"] == {"status": None, "county": None, "parent": None}
    for group in found[1:]:
        parent = group["key"]["parent"]
        assert parent["children"]["totalCount"] == group["count"]
        assert (group["key"]["status"], group["key"]["county"]) == (None, None)
        assert parent["county"]["name"]


async def test_of_nothing_there_is_no_group_and_no_number_but_the_count(world: World) -> None:
    text = """{ institutions(filter: {or: []}) {
        aggregate { count openedYear { min max avg sum } closedOn { min max } }
        groupBy(keys: STATUS) { count }
    } }"""
    assert (await data_of(world[0], text))["institutions"] == {
        "aggregate": {
            "count": 0,
            "openedYear": {"min": None, "max": None, "avg": None, "sum": None},
            "closedOn": {"min": None, "max": None},
        },
        "groupBy": [],
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("keys: []", "BAD_USER_INPUT"),
        ("keys: STATUS, first: 101", "PAGE_TOO_LARGE"),
        ("keys: STATUS, first: -1", "BAD_USER_INPUT"),
        ("keys: NAME", "GRAPHQL_VALIDATION_FAILED"),
        ("first: 3", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_groups_that_make_no_sense_are_refused(
    arguments: str, code: str, world: World
) -> None:
    text = f"{{ institutions {{ groupBy({arguments}) {{ count }} }} }}"
    assert codes_of(await ask(world[0], text)) == [code]


async def test_groups_have_twenty_unless_one_says_how_many(world: World) -> None:
    text = """{ providers {
        groupBy(keys: COUNTY) { count }
        none: groupBy(keys: COUNTY, first: null) { count }
        all: groupBy(keys: COUNTY, first: 100) { count }
    } }"""
    found = (await data_of(world[0], text))["providers"]
    assert found["groupBy"] == found["none"] == found["all"][:20]
    assert sum(group["count"] for group in found["all"]) == len(world[1].listed("Provider"))
