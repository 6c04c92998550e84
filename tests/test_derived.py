"""What functions of Postgres make of a row: values, objects, lists, filters, orders and groups."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from enum import Enum
from types import ModuleType
from typing import Any

import pytest_asyncio

from db.database import Database
from resolvers.graph import Graph
from resolvers.resolve import GraphQLRequest, explain
from schema.build import build
from schema.entity import (
    ID,
    Connection,
    argument,
    column,
    derived,
    entity,
    every,
    facet,
    given,
    join,
    many,
    one,
    part,
    ranked,
    value,
)
from tests.db.scratch import connected, scratch
from tests.roads import both_roads, codes_of

SQL = """
create table growers (
    id uuid primary key, name text not null unique, planted date, tags text[] not null default '{}',
    height integer, listed boolean not null default true, mother uuid references growers
);
create table fruits (code text primary key, name text not null);
create table grower_fruits (grower_id uuid references growers, fruit_code text references fruits);
insert into growers values
    ('00000000-0000-0000-0000-000000000001', 'Oak', '2020-03-01', '{old,tall}', 30, true),
    ('00000000-0000-0000-0000-000000000002', 'Fig', '2021-04-01', '{old}', 6, true),
    ('00000000-0000-0000-0000-000000000003', 'Ash', null, '{}', 20, true),
    ('00000000-0000-0000-0000-000000000004', 'Elm', '2000-01-01', '{tall}', 40, false);
insert into fruits values ('A', 'acorn'), ('F', 'fig');
insert into grower_fruits values
    ('00000000-0000-0000-0000-000000000001', 'A'), ('00000000-0000-0000-0000-000000000002', 'F'),
    ('00000000-0000-0000-0000-000000000003', 'F'), ('00000000-0000-0000-0000-000000000003', 'A');
update growers set mother = '00000000-0000-0000-0000-000000000002' where name = 'Oak';
update growers set mother = '00000000-0000-0000-0000-000000000003' where name = 'Fig';
create view rival_growers as
    select o.id as rival_id, g.* from growers g join growers o on o.id <> g.id and o.tags && g.tags;
create extension cube;
create function position_of(latitude float8, longitude float8) returns cube language sql immutable
    return cube(array[cos(radians(latitude)) * cos(radians(longitude)),
                      cos(radians(latitude)) * sin(radians(longitude)), sin(radians(latitude))]);
create function near_position(zip text, latitude float8, longitude float8) returns cube
    language sql stable return position_of(latitude, longitude);
create function miles(chord float8) returns float8 language sql immutable strict
    return 2 * asin(least(1, chord / 2)) * 3958.7613;
create function chord(miles float8) returns float8 language sql immutable
    return 2 * sin(miles / 3958.7613 / 2);
alter table growers add position cube;
create table evergreens (grower_id uuid references growers);
update growers set position = position_of(36 + height / 100.0, -119);
update growers set position = position_of(30, -100) where name = 'Ash';
insert into evergreens select id from growers where name = 'Ash';
create table plots (name text primary key, position cube);
create table stands (fruit_code text references fruits, plot text references plots);
insert into plots values ('hill', position_of(36.2, -119)), ('pond', position_of(36.1, -119)),
    ('wood', position_of(36.3, -119)), ('lost', null);
insert into stands values ('A', 'hill'), ('A', 'wood'), ('F', 'pond'), ('F', 'wood'), ('F', 'lost');
create function age_on(planted date, day date default null) returns integer
    language sql stable return coalesce(day, date '2026-01-01') - planted;
create function size_of(height integer) returns text
    language sql stable return case when height >= 20 then 'LARGE' else 'SMALL' end;
create function color_of(height integer) returns text
    language sql stable return case when height >= 20 then 'DARK' else 'LIGHT' end;
create function color_among(height integer, colors text[]) returns boolean language sql stable
    return ('DARK' = any (colors) and height >= 20) or ('LIGHT' = any (colors) and height < 20);
create index on growers (height);
create function found_growers(text text, tags text[], low integer, high integer) returns table (
    kind text, key text, score float8, tags text[], size text, whole boolean)
    language sql stable as $$
    select 'GROWER', id::text, case when name ilike text || '%' then 1 else 0.5 end, g.tags,
        size_of(height), text <> 'e' from growers g
    where name ilike '%' || text || '%' and ($2 is null or g.tags && $2)
        and ($3 is null or height between $3 and $4)
    union all select 'FRUIT', code, 0.7, '{}', 'SMALL', true from fruits
    where name ilike '%' || text || '%' $$;
create function size_of_size(size text) returns text language sql stable return size;
create function is_higher(height integer, than integer) returns boolean
    language sql stable return height > than;
create function growers_higher(than integer) returns setof uuid language sql stable as
    $$ select id from growers where height > than $$;
create function old_growers() returns setof uuid language sql stable as
    $$ select id from growers where planted < '2020-06-01' $$;
create function is_old(planted date) returns boolean language sql stable
    return planted < '2020-06-01';
create function seasons_of(planted date, first date, until date)
    returns table (starts_on date, fruit_code text) language sql stable as
    $$ select d::date, 'A' from generate_series(first, until, interval '1 year') d
       where d >= planted $$;
create function ring(times integer) returns integer language plpgsql stable as $$ begin
    if times > 3 then raise exception '`times` is at most 3.' using errcode = 'CR001'; end if;
    return times; end $$;
create function judged(height integer, low integer, high integer, tags text[])
    returns table (verdict text, low integer, tags text[]) language sql stable as
    $$ select case when height between low and high then 'FITS' else 'DIFFERS' end, low, tags $$;
"""


class Size(Enum):
    """How large it is."""

    LARGE = "LARGE"
    """Twenty meters or more."""
    SMALL = "SMALL"
    """Less."""


class Color(Enum):
    """How light its leaves are."""

    DARK = "DARK"
    """Dark."""
    LIGHT = "LIGHT"
    """Light."""


@value(order=("-starts_on",))
class Season:
    """A season of fruit."""

    starts_on: date
    """Its first day."""
    fruit: Fruit = join("fruit_code")
    """What it brings."""


@value()
class Stature:
    """How it stands."""

    height: int | None
    """In meters."""
    size: Size = derived("size_of", "height")
    """How large that is."""


@value(order=("-score", "kind", "key"))
class Find:
    """Something that was found, and how well it answers."""

    kind: str
    """What it is."""
    key: str
    """Its key."""
    score: float
    """How well it answers."""
    tags: list[str]
    """What it is called."""
    size: Size
    """How large it is."""
    size_again: Size = derived("size_of_size", "size")
    """How large it is."""


@value()
class TagFacet:
    """How many are called so."""

    tag: str = column("value")
    """What they are called."""
    count: int
    """How many."""


@value()
class SizeFacet:
    """How many are that large."""

    size: Size = column("value")
    """How large."""
    count: int
    """How many."""


@value()
class Facets:
    """What they have in common."""

    tags: list[TagFacet] = facet("tags")
    """What they are called."""
    sizes: list[SizeFacet] = facet("size")
    """How large they are."""


def _in_order(low: int, high: int | None) -> None:
    if high is not None and low > high:
        raise ValueError("`low` is above `high`.")


@given(check=_in_order)
class Bounds:
    """From where to where."""

    low: int
    """The lowest."""
    high: int | None
    """The highest."""


@given()
class Wish:
    """What somebody wants."""

    bounds: Bounds
    """Its height."""
    tags: list[str] | None
    """What to call it."""


@value()
class Judgment:
    """Whether it is wanted."""

    verdict: str
    """FITS or DIFFERS."""
    low: int | None
    """The lower bound."""
    tags: list[str] | None
    """The tags."""


def _a_period(first: date | None, until: date | None) -> None:
    if first and until and first > until:
        raise ValueError("`first` comes after `until`.")


def _a_name(name: str) -> None:
    if not name.istitle():
        raise ValueError("`name` is written with a capital.")


@entity(
    "growers",
    listed=("listed", "name"),
    position="position",
    everywhere=("id = evergreens.grower_id",),
)
class Grower:
    """A tree."""

    id: ID
    name: str = column(unique=True)
    """Its name."""
    tags: list[str] = column(group="tag")
    """What it is called."""
    age: int | None = derived("age_on", "planted")
    """How old it is, in days."""
    age_on: int | None = derived("age_on", "planted", day=argument(date, "The day."), filter=False)
    """How old it is on a day, in days."""
    size: Size = derived("size_of", "height")
    """How large it is."""
    higher: bool | None = derived("is_higher", "height", than=argument(int, "In meters."))
    """Whether it is higher."""
    color: Color = derived("color_of", "height", among="color_among")
    """How light its leaves are."""
    taller: bool | None = derived(
        "is_higher", "height", than=argument(int, "In meters."), where="growers_higher"
    )
    """Whether it is higher."""
    old: bool | None = derived("is_old", "planted", where="old_growers")
    """Whether it is old; null if nobody knows."""
    stature: Stature = part()
    """How it stands."""
    seasons: list[Season] = derived(
        "seasons_of",
        "planted",
        first=argument(date, "From."),
        until=argument(date, "To."),
        check=_a_period,
    )
    """Its seasons."""
    judged: Judgment = derived(
        "judged", "height", by=argument(Wish, "By whom."), filter=False, order=False
    )
    """Whether it is wanted."""
    neighbors: Connection[Grower] = many(
        "id = grower_fruits.grower_id",
        "fruit_code = grower_fruits.fruit_code",
        "grower_id = growers.id",
        group="neighbor",
    )
    """What bears the same fruit, and it itself, however many fruits they share."""
    grandmother: Grower | None = join("mother = growers.id", "mother = growers.id", group=True)
    """What its seed came from came from."""
    fruits: Connection[Fruit] = many(
        "id = grower_fruits.grower_id", "fruit_code = fruits.code", group="fruit"
    )
    """What grows on it."""
    rivals: Connection[Grower] = many("id = rival_growers.rival_id")
    """Who is called the same."""


@entity(
    "fruits",
    key="code",
    position="position",
    place=("code = stands.fruit_code", "plot = plots.name"),
)
class Fruit:
    """A fruit."""

    id: ID
    name: str
    """Its name."""
    growers: Connection[Grower] = many("code = grower_fruits.fruit_code", "grower_id = growers.id")
    """Where it grows."""


@entity("plots", key="name")
class Plot:
    """Where fruits grow."""

    id: ID
    name: str
    """What it is called."""


class Query:
    """Where questions start."""

    grower: Grower | None = one("name", check=_a_name)
    """A tree by its name."""
    growers: Connection[Grower] = every()
    """Trees."""
    fruits: Connection[Fruit] = every()
    """Fruits."""
    find: Connection[Grower | Fruit] | None = ranked(
        "found_growers",
        Find,
        Facets,
        complete="whole",
        text=argument(str, "A part of the name."),
        tags=argument(list[str] | None, "What it is called."),
        height=argument(Bounds | None, "How high it is."),
    )
    """Trees and fruits by their name."""
    ring: int | None = derived("ring", times=argument(int, "How often."))
    """Rings."""
    seasons: list[Season] | None = derived(
        "seasons_of",
        planted=argument(date | None, "When planted."),
        first=argument(date, "From."),
        until=argument(date, "To."),
    )
    """Seasons of a tree that was planted on a day."""


def _graph() -> Graph:
    types = ModuleType("types")
    for cls in (Grower, Fruit, Plot, Season, Stature, Judgment, Find, TagFacet, SizeFacet, Facets):
        setattr(types, cls.__name__, cls)
    return build(types=types, menu=Query)


GRAPH = _graph()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def garden() -> AsyncIterator[Database]:
    async with scratch() as url:
        async with connected(url) as connection:
            await connection.execute(SQL)
        opened = await Database.open(url)
        yield opened
        await opened.close()


async def _ask(garden: Database, document: str, /, **variables: Any) -> dict[str, Any]:
    answer = await both_roads(garden, GraphQLRequest(document, None, variables), GRAPH)
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def _data(garden: Database, document: str, /, **variables: Any) -> Any:
    response = await _ask(garden, document, **variables)
    assert "errors" not in response, response
    return response["data"]


async def _names(garden: Database, arguments: str, **variables: Any) -> list[str]:
    declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in variables.items())
    head = f"query ({declared})" if declared else "query"
    given = f"({arguments})" if arguments else ""
    text = f"{head} {{ growers{given} {{ nodes {{ name }} }} }}"
    data = await _data(garden, text, **{name: sent for name, (_, sent) in variables.items()})
    return [node["name"] for node in data["growers"]["nodes"]]


async def test_a_value_is_made_of_columns_and_arguments(garden: Database) -> None:
    data = await _data(
        garden,
        '{ grower(name: "Oak") { age then: ageOn(day: "2020-03-11") size higher(than: 9) } }',
    )
    assert data == {"grower": {"age": 2132, "then": 10, "size": "LARGE", "higher": True}}


async def test_arguments_come_from_variables_too(garden: Database) -> None:
    text = 'query ($day: Date!) { grower(name: "Oak") { ageOn(day: $day) } }'
    assert await _data(garden, text, day="2020-03-02") == {"grower": {"ageOn": 1}}


async def test_a_derived_value_filters_like_a_column(garden: Database) -> None:
    assert await _names(garden, "filter: {size: {eq: LARGE}}") == ["Ash", "Oak"]
    assert await _names(garden, "filter: {age: {lt: 2000}}") == ["Fig"]
    assert await _names(garden, "filter: {not: {age: {lt: 2000}}}") == ["Ash", "Oak"]


async def test_a_filter_asks_whether_the_value_is_among_some_where_an_index_needs_it(
    garden: Database,
) -> None:
    assert await _names(garden, "filter: {color: {eq: DARK}}") == ["Ash", "Oak"]
    assert await _names(garden, "filter: {color: {eq: $c}}", c=("Color", "LIGHT")) == ["Fig"]
    assert await _names(garden, "filter: {color: {in: [LIGHT, DARK]}}") == ["Ash", "Fig", "Oak"]
    assert await _names(garden, "filter: {color: {in: $c}}", c=("[Color!]", [])) == []
    both = ["DARK", "LIGHT", "DARK"]
    assert len(await _names(garden, "filter: {color: {in: $c}}", c=("[Color!]", both))) == 3
    one = ("Color!", "LIGHT")
    assert len(await _names(garden, "filter: {color: {in: [DARK, $c]}}", c=one)) == 3
    assert await _names(garden, "filter: {color: {in: [$c]}}", c=one) == ["Fig"]
    assert await _names(garden, "filter: {not: {color: {in: [DARK]}}}") == ["Fig"]
    assert await _names(garden, "orderBy: [{color: DESC}, {name: DESC}]") == ["Fig", "Oak", "Ash"]
    response = await _ask(garden, "{ growers(filter: {color: {eq: null}}) { totalCount } }")
    assert codes_of(response) == ["BAD_USER_INPUT"]
    text = '{ growers(filter: {color: {eq: DARK}, name: {in: ["Elm"]}}) { nodes { color } } }'
    explained = await explain(GRAPH, garden, GraphQLRequest(text))
    assert "color_among(t0.height, '{DARK}'::text[])" in explained
    assert "height >= 20" in explained.partition("color_among")[2]


async def test_a_truth_about_one_argument_is_a_filter_of_that_argument(garden: Database) -> None:
    assert await _names(garden, "filter: {higher: 10}") == ["Ash", "Oak"]
    assert await _names(garden, "filter: {higher: $than}", than=("Int", 25)) == ["Oak"]
    assert await _names(garden, "filter: {higher: $than}", than=("Int", None)) == [
        "Ash",
        "Fig",
        "Oak",
    ]


async def test_a_filter_asks_once_for_all_of_whom_it_is_true(garden: Database) -> None:
    assert await _names(garden, "filter: {taller: 10}") == ["Ash", "Oak"]
    assert await _names(garden, "filter: {not: {taller: $than}}", than=("Int!", 25)) == [
        "Ash",
        "Fig",
    ]
    assert await _names(garden, "filter: {taller: $than}", than=("Int", None)) == [
        "Ash",
        "Fig",
        "Oak",
    ]
    assert await _names(garden, "filter: {old: true}") == ["Oak"]
    # What is unknown is not true, and so it is among the rest.
    assert await _names(garden, "filter: {old: $old}", old=("Boolean!", False)) == ["Ash", "Fig"]
    assert await _names(garden, "filter: {or: [{old: true}, {taller: 15}]}") == ["Ash", "Oak"]
    assert await _names(garden, "filter: {fruits: {some: {growers: {some: {old: true}}}}}") == [
        "Ash",
        "Oak",
    ]
    data = await _data(garden, '{ grower(name: "Oak") { taller(than: 3) old } }')
    assert data == {"grower": {"taller": True, "old": True}}


async def test_a_derived_value_sorts_and_pages(garden: Database) -> None:
    assert await _names(garden, "orderBy: [{age: ASC}]") == ["Fig", "Oak", "Ash"]
    assert await _names(garden, "orderBy: [{stature: {height: DESC}}]") == ["Oak", "Ash", "Fig"]
    text = """query ($after: String) {
        growers(orderBy: [{size: DESC}, {age: DESC}], first: 1, after: $after) {
            nodes { name } pageInfo { endCursor hasNextPage } } }"""
    names, after, more = [], None, True
    while more:
        page = (await _data(garden, text, after=after))["growers"]
        names += [node["name"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert names == ["Fig", "Ash", "Oak"]


async def test_rows_fall_into_groups_of_derived_values_and_of_each_item(garden: Database) -> None:
    text = """{ growers {
        bySize: groupBy(keys: [SIZE]) { key { size } count }
        byTag: groupBy(keys: [TAG]) { key { tag } count aggregate { age { max } } }
        byFruit: groupBy(keys: [FRUIT]) { key { fruit { name } } count }
        byPart: groupBy(keys: [STATURE_SIZE, TAG]) { key { statureSize tag } count }
    } }"""
    data = (await _data(garden, text))["growers"]
    assert data["bySize"] == [
        {"key": {"size": "LARGE"}, "count": 2},
        {"key": {"size": "SMALL"}, "count": 1},
    ]
    assert [(g["key"]["tag"], g["count"]) for g in data["byTag"]] == [
        ("old", 2),
        ("tall", 1),
        (None, 1),
    ]
    assert data["byFruit"] == [
        {"key": {"fruit": {"name": "acorn"}}, "count": 2},
        {"key": {"fruit": {"name": "fig"}}, "count": 2},
    ]
    assert {"key": {"statureSize": "LARGE", "tag": "old"}, "count": 1} in data["byPart"]


async def test_rows_are_in_a_group_once_however_many_ways_lead_there(garden: Database) -> None:
    """A whole table is asked otherwise than a part of it, and answers alike."""
    text = """query ($wanted: GrowerFilter) { growers(filter: $wanted) {
        groupBy(keys: [NEIGHBOR, SIZE]) { key { neighbor { name } size } count
            aggregate { age { sum } stature { height { avg } } } } } }"""
    whole = (await _data(garden, text))["growers"]["groupBy"]
    part = await _data(garden, text, wanted={"size": {"in": ["LARGE", "SMALL"]}})
    assert part["growers"]["groupBy"] == whole
    assert [
        (
            group["key"]["neighbor"]["name"],
            group["key"]["size"],
            group["count"],
            group["aggregate"]["age"]["sum"],
            group["aggregate"]["stature"]["height"]["avg"],
        )
        for group in whole
    ] == [
        ("Oak", "LARGE", 2, 2132, 25),
        ("Ash", "LARGE", 2, 2132, 25),
        ("Fig", "LARGE", 1, None, 20),
        ("Fig", "SMALL", 1, 1736, 6),
        ("Ash", "SMALL", 1, 1736, 6),
    ]


async def test_rows_fall_into_groups_of_what_is_further_away(garden: Database) -> None:
    text = """{ growers { nodes { name grandmother { name } }
        groupBy(keys: [GRANDMOTHER]) { key { grandmother { name } } count } } }"""
    data = (await _data(garden, text))["growers"]
    assert [(node["name"], node["grandmother"]) for node in data["nodes"]] == [
        ("Ash", None),
        ("Fig", None),
        ("Oak", {"name": "Ash"}),
    ]
    assert data["groupBy"] == [
        {"key": {"grandmother": None}, "count": 2},
        {"key": {"grandmother": {"name": "Ash"}}, "count": 1},
    ]
    assert await _names(garden, 'filter: {grandmother: {name: {eq: "Ash"}}}') == ["Oak"]
    assert await _names(garden, "orderBy: [{grandmother: {name: ASC}}]") == ["Oak", "Fig", "Ash"]


async def test_what_nothing_can_be_called_is_refused_and_what_nothing_is_called_is_null(
    garden: Database,
) -> None:
    assert await _data(garden, '{ grower(name: "Yew") { name } }') == {"grower": None}
    response = await _ask(
        garden, "query ($name: String!) { grower(name: $name) { name } }", name="oak"
    )
    assert codes_of(response) == ["BAD_USER_INPUT"]
    assert response["errors"][0]["message"] == "`name` is written with a capital."
    assert response["data"] == {"grower": None}


async def test_a_part_is_measured_with_its_row(garden: Database) -> None:
    text = """{ growers {
        aggregate { count stature { __typename height { min max sum } } }
        groupBy(keys: [SIZE]) { aggregate { stature { height { avg } } age { max } } }
    } }"""
    data = (await _data(garden, text))["growers"]
    assert data["aggregate"] == {
        "count": 3,
        "stature": {"__typename": "StatureAggregate", "height": {"min": 6, "max": 30, "sum": 56}},
    }
    assert [group["aggregate"]["stature"]["height"]["avg"] for group in data["groupBy"]] == [25, 6]


async def test_a_list_leads_through_a_view_of_the_table_of_its_rows(garden: Database) -> None:
    text = """{ grower(name: "Oak") { rivals(first: 1, filter: {tags: {has: "old"}}) {
        totalCount nodes { name } edges { cursor } pageInfo { hasNextPage }
        aggregate { age { max } } } } }"""
    rivals = (await _data(garden, text))["grower"]["rivals"]
    assert (rivals["totalCount"], rivals["nodes"]) == (1, [{"name": "Fig"}])
    assert rivals["pageInfo"] == {"hasNextPage": False}
    assert await _names(garden, 'filter: {rivals: {some: {name: {eq: "Oak"}}}}') == ["Fig"]
    assert await _names(garden, "orderBy: [{rivals: {count: DESC}}, {name: ASC}]") == [
        "Fig",
        "Oak",
        "Ash",
    ]


async def test_a_part_is_made_of_the_same_row_and_filters(garden: Database) -> None:
    data = await _data(garden, '{ grower(name: "Fig") { stature { height size } } }')
    assert data == {"grower": {"stature": {"height": 6, "size": "SMALL"}}}
    assert await _names(garden, "filter: {stature: {size: {eq: SMALL}}}") == ["Fig"]


async def test_a_function_returns_objects_in_their_order(garden: Database) -> None:
    text = """{ grower(name: "Fig") { seasons(first: "2020-06-01", until: "2023-07-01") {
        startsOn fruit { name } } } }"""
    assert (await _data(garden, text))["grower"]["seasons"] == [
        {"startsOn": day, "fruit": {"name": "acorn"}}
        for day in ("2023-06-01", "2022-06-01", "2021-06-01")
    ]


async def test_the_menu_has_functions_of_nothing_but_arguments(garden: Database) -> None:
    text = '{ seasons(first: "2020-01-01", until: "2021-01-01") { startsOn } }'
    assert await _data(garden, text) == {"seasons": []}
    text = (
        '{ seasons(planted: "2020-06-01", first: "2020-01-01", until: "2021-01-01") { startsOn } }'
    )
    assert await _data(garden, text) == {"seasons": [{"startsOn": "2021-01-01"}]}


async def test_an_input_object_is_given_field_by_field(garden: Database) -> None:
    text = """{ grower(name: "Fig") {
        judged(by: {bounds: {low: 5, high: 7}, tags: ["x"]}) { verdict low tags } } }"""
    assert (await _data(garden, text))["grower"]["judged"] == {
        "verdict": "FITS",
        "low": 5,
        "tags": ["x"],
    }
    text = """query ($by: Wish!, $low: Int!) { grower(name: "Fig") {
        a: judged(by: $by) { verdict low tags }
        b: judged(by: {bounds: {low: $low}}) { verdict low tags } } }"""
    data = await _data(garden, text, by={"bounds": {"low": 7, "high": 9}}, low=3)
    assert data["grower"] == {
        "a": {"verdict": "DIFFERS", "low": 7, "tags": None},
        "b": {"verdict": "DIFFERS", "low": 3, "tags": None},
    }


async def test_arguments_that_do_not_go_together_are_refused(garden: Database) -> None:
    text = """{ grower(name: "Fig") {
        name seasons(first: "2023-01-01", until: "2021-01-01") { startsOn } } }"""
    response = await _ask(garden, text)
    assert codes_of(response) == ["BAD_USER_INPUT"]
    assert response["errors"][0]["message"] == "`first` comes after `until`."


async def test_a_function_refuses_a_value_in_its_own_words(garden: Database) -> None:
    assert await _data(garden, "{ ring(times: 3) }") == {"ring": 3}
    response = await _ask(garden, "{ ring(times: 4) }")
    assert codes_of(response) == ["BAD_USER_INPUT"]
    assert response["errors"][0]["message"] == "`times` is at most 3."


async def test_what_is_not_listed_is_in_no_list_unless_the_filter_decides(garden: Database) -> None:
    assert await _names(garden, "") == ["Ash", "Fig", "Oak"]
    assert await _names(garden, 'filter: {name: {eq: "Elm"}}') == ["Elm"]
    assert await _names(garden, 'filter: {or: [{name: {eq: "Elm"}}, {size: {eq: SMALL}}]}') == [
        "Elm",
        "Fig",
    ]
    data = await _data(garden, "{ growers { totalCount aggregate { count } } }")
    assert data == {"growers": {"totalCount": 3, "aggregate": {"count": 3}}}
    assert await _data(garden, '{ grower(name: "Elm") { name } }') == {"grower": {"name": "Elm"}}


async def test_what_is_near_comes_first_and_what_is_everywhere_last(garden: Database) -> None:
    text = """query ($near: Near!, $after: String, $first: Int, $before: String, $last: Int) {
        growers(near: $near, after: $after, first: $first, before: $before, last: $last) {
            edges { cursor distanceMiles node { name height: stature { height } } }
            totalCount pageInfo { hasNextPage hasPreviousPage }
        } }"""
    near = {"point": {"latitude": 36, "longitude": -119}, "withinMiles": 100}
    whole = (await _data(garden, text, near=near))["growers"]
    found = [(edge["node"]["name"], edge["distanceMiles"]) for edge in whole["edges"]]
    assert found == [("Fig", 4.15), ("Oak", 20.73), ("Ash", None)]
    assert whole["totalCount"] == 3
    forward: list[Any] = []
    after, more = None, True
    while more:
        page = (await _data(garden, text, near=near, after=after, first=1))["growers"]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        forward += page["edges"]
        after, more = page["edges"][-1]["cursor"], page["pageInfo"]["hasNextPage"]
    backward: list[Any] = []
    before, more = None, True
    while more:
        page = (await _data(garden, text, near=near, before=before, last=1))["growers"]
        backward = page["edges"] + backward
        before, more = page["edges"][0]["cursor"], page["pageInfo"]["hasPreviousPage"]
    assert forward == backward == whole["edges"]


async def test_near_and_an_order_of_ones_own_go_together(garden: Database) -> None:
    text = """{ growers(near: {point: {latitude: 36, longitude: -119}, withinMiles: 10}
        orderBy: [{name: DESC}]) { edges { distanceMiles node { name } } } }"""
    data = (await _data(garden, text))["growers"]["edges"]
    assert [(edge["node"]["name"], edge["distanceMiles"]) for edge in data] == [
        ("Fig", 4.15),
        ("Ash", None),
    ]


async def test_no_place_is_no_distance(garden: Database) -> None:
    text = "{ growers(first: 1) { edges { distanceMiles } } }"
    assert await _data(garden, text) == {"growers": {"edges": [{"distanceMiles": None}]}}
    for near in (
        "{}",
        '{zip: "936100"}',
        '{zip: "93610", point: {latitude: 1, longitude: 1}}',
        "{point: {latitude: 91, longitude: 1}}",
        '{zip: "93610", withinMiles: 0}',
        '{zip: "93610", withinMiles: 10000}',
    ):
        response = await _ask(garden, f"{{ growers(near: {near}) {{ nodes {{ name }} }} }}")
        assert codes_of(response) == ["BAD_USER_INPUT"], near
        assert "near" in response["errors"][0]["message"]


async def test_of_several_places_the_nearest_counts(garden: Database) -> None:
    text = """query ($latitude: Float!, $miles: Float, $first: Int, $after: String,
                     $order: [FruitOrder!]) {
        fruits(near: {point: {latitude: $latitude, longitude: -119}, withinMiles: $miles},
               first: $first, after: $after, orderBy: $order) {
            edges { cursor distanceMiles node { name } } totalCount } }"""

    async def found(latitude: float, miles: float | None = None, **how: Any) -> Any:
        page = (await _data(garden, text, latitude=latitude, miles=miles, **how))["fruits"]
        found = [(edge["node"]["name"], edge["distanceMiles"]) for edge in page["edges"]]
        assert how or page["totalCount"] == len(found)
        return found

    assert await found(36) == [("fig", 6.91), ("acorn", 13.82)]
    assert await found(36.4) == [("acorn", 6.91), ("fig", 6.91)], "the same place; the key decides"
    assert await found(36, 10) == [("fig", 6.91)]
    assert await found(36.2, 8, order=[{"name": "ASC"}]) == [("acorn", 0), ("fig", 6.91)]
    assert await found(36, 1) == []
    page = (await _data(garden, text, latitude=36, first=1))["fruits"]
    after = page["edges"][0]["cursor"]
    assert page["totalCount"] == 2
    assert await found(36, first=5, after=after) == [("acorn", 13.82)]


async def test_what_a_function_finds_is_a_connection_best_first(garden: Database) -> None:
    text = """query ($text: String!, $tags: [String!], $first: Int, $after: String) {
        find(text: $text, tags: $tags, first: $first, after: $after) {
            edges { cursor score sizeAgain node {
                __typename ... on Grower { name } ... on Fruit { label: name } } }
            totalCount pageInfo { hasNextPage endCursor }
            facets { tags { tag count } sizes { size count } }
        } }"""
    whole = (await _data(garden, text, text="a"))["find"]
    assert [(edge["score"], edge["sizeAgain"], edge["node"]) for edge in whole["edges"]] == [
        (1, "LARGE", {"__typename": "Grower", "name": "Ash"}),
        (0.7, "SMALL", {"__typename": "Fruit", "label": "acorn"}),
        (0.5, "LARGE", {"__typename": "Grower", "name": "Oak"}),
    ]
    assert whole["totalCount"] == 3
    assert whole["facets"] == {
        "tags": [{"tag": "old", "count": 1}, {"tag": "tall", "count": 1}],
        "sizes": [{"size": "LARGE", "count": 2}, {"size": "SMALL", "count": 1}],
    }
    pages: list[Any] = []
    after, more = None, True
    while more:
        page = (await _data(garden, text, text="a", first=1, after=after))["find"]
        pages += page["edges"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert page["facets"] == whole["facets"]
    assert pages == whole["edges"]
    tall = (await _data(garden, text, text="a", tags=["tall"]))["find"]
    assert [edge["node"].get("name") for edge in tall["edges"]] == [None, "Oak"]


async def test_nodes_alone_are_the_records_in_the_same_order(garden: Database) -> None:
    text = """{ find(text: "a", first: 2) {
        nodes { ... on Grower { name size } ... on Node { id } } } }"""
    assert (await _data(garden, text))["find"]["nodes"] == [
        {"name": "Ash", "size": "LARGE", "id": "Grower:00000000-0000-0000-0000-000000000003"},
        {"id": "Fruit:A"},
    ]


async def test_what_is_found_says_whether_it_is_all(garden: Database) -> None:
    text = """query ($text: String!) { find(text: $text) { complete totalCount } }"""
    for sought, complete, count in (("a", True, 3), ("e", False, 1), ("nothing", True, 0)):
        found = (await _data(garden, text, text=sought))["find"]
        assert found == {"complete": complete, "totalCount": count}


async def test_an_input_object_is_checked_wherever_it_is_given(garden: Database) -> None:
    text = """query ($by: Wish!, $height: Bounds) {
        grower(name: "Oak") { judged(by: $by) { verdict } }
        find(text: "a", height: $height) { totalCount } }"""
    right, wrong = {"low": 1, "high": 25}, {"low": 3, "high": 2}
    data = await _data(garden, text, by={"bounds": right}, height=right)
    assert data == {"grower": {"judged": {"verdict": "DIFFERS"}}, "find": {"totalCount": 2}}
    assert (await _data(garden, text, by={"bounds": right}))["find"] == {"totalCount": 3}
    for by, height in ((wrong, right), (right, wrong)):
        response = await _ask(garden, text, by={"bounds": by}, height=height)
        assert codes_of(response) == ["BAD_USER_INPUT"]
        assert response["errors"][0]["message"] == "`low` is above `high`."
