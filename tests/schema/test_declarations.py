"""A wrong declaration stops the server before it starts, and says what is wrong with it."""

from __future__ import annotations

import re
from datetime import date
from types import ModuleType

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, validate_schema

from resolvers.admit import Limits
from resolvers.graph import Graph
from schema.build import build
from schema.entity import (
    ID,
    Connection,
    DeclarationError,
    argument,
    column,
    computed,
    derived,
    entity,
    every,
    interface,
    join,
    many,
    one,
    value,
)
from tests.roads import the_graph


@interface
class Dated:
    """What has a date."""

    id: ID
    day: date
    """The day."""


@entity("rivers")
class River:
    """A river."""

    id: ID
    name: str
    """Its name."""
    bridges: Connection[Bridge] = many("river_id")
    """What leads over it."""


@entity("bridges", large=True, implements=("Dated",))
class Bridge:
    """A bridge."""

    id: ID
    name: str = column(unique=True)
    """Its name."""
    day: date
    """When it was opened."""
    length: int | None
    """Its length in meters."""
    river: River | None = join("river_id")
    """What it leads over."""


class Query:
    """Where questions start."""

    bridge: Bridge | None = one("name")
    """A bridge by its name."""
    rivers: Connection[River] = every()
    """Rivers."""


def made(*classes: type, menu: type = Query) -> Graph:
    """The graph of these types instead of the directory's."""
    types = ModuleType("types")
    for cls in classes:
        setattr(types, cls.__name__, cls)
    return build(types=types, menu=menu)


def test_two_entities_and_a_menu_are_a_graph() -> None:
    graph = made(River, Bridge, Dated)
    assert validate_schema(graph.schema) == []
    assert {"River", "Bridge", "Dated", "Node", "BridgeFilter"} <= set(graph.schema.type_map)


def test_a_large_table_offers_only_what_was_asked_for() -> None:
    fields = {
        name: set(type_.fields)
        for name, type_ in made(River, Bridge, Dated).schema.type_map.items()
        if isinstance(type_, GraphQLInputObjectType)
    }
    assert fields["BridgeFilter"] == {"and", "or", "not", "id", "name", "river"}
    assert fields["BridgeOrder"] == {"name"}
    assert fields["RiverOrder"] == {"id", "name", "bridges"}


def test_a_large_table_filters_by_what_a_function_finds_at_once() -> None:
    type_ = made(River, Bridge, Dated, Crowded, menu=Crowds).schema.type_map["CrowdedFilter"]
    assert isinstance(type_, GraphQLInputObjectType)
    assert set(type_.fields) == {"and", "or", "not", "id", "name", "closed", "closedOn"}
    assert str(type_.fields["closed"].type) == "Boolean"
    assert str(type_.fields["closedOn"].type) == "Date"


def test_names_of_python_become_names_of_graphql_once() -> None:
    for name, type_ in the_graph().schema.type_map.items():
        if not name.startswith("__") and isinstance(type_, GraphQLObjectType):
            names = [
                *type_.fields,
                *(name for field in type_.fields.values() for name in field.args),
            ]
            assert [name for name in names if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name)] == []


@entity("bridges", order=("nmae",))
class Misordered:
    """A bridge."""

    id: ID
    name: str
    """Its name."""


@entity("bridges")
class Nameless:
    """A bridge without an id."""

    name: str
    """Its name."""


@entity("bridges")
class Astray:
    """A bridge that leads to the wrong table."""

    id: ID
    name: str
    """Its name."""
    river: River | None = join("river_id = roads.id")
    """What it leads over."""


@entity("bridges")
class Unspoken:
    """A bridge with a hop that nobody can read."""

    id: ID
    name: str
    """Its name."""
    river: River | None = join("river_id = rivers")
    """What it leads over."""


@entity("bridges")
class Wordless:
    """A bridge that does not say how it leads to its river."""

    id: ID
    name: str
    """Its name."""
    river: River | None
    """What it leads over."""


@entity("bridges")
class Nowhere:
    """A bridge to something that is no entity."""

    id: ID
    name: str
    """Its name."""
    river: str | None = join("river_id")
    """What it leads over."""


@entity("bridges")
class Unheard:
    """A bridge of a type that no column has."""

    id: ID
    name: str
    """Its name."""
    width: complex
    """Its width."""


@entity("bridges", implements=("Dated",))
class Undated:
    """A bridge without the day that it promises."""

    id: ID
    name: str
    """Its name."""


@entity("bridges", implements=("Dated",))
class Misdated:
    """A bridge with another day than it promises."""

    id: ID
    name: str
    """Its name."""
    day: str
    """When it was opened."""


@entity("bridges", implements=("Famous",))
class Famous:
    """A bridge of a kind that nobody declared."""

    id: ID
    name: str
    """Its name."""


def doubled(width: int) -> int:
    return 2 * width


@entity("bridges")
class Computing:
    """A bridge that computes with a column that it does not have."""

    id: ID
    name: str
    """Its name."""
    doubled: int = computed(doubled)
    """Twice its width."""


@entity("bridges", place=("river_id = rivers.id",))
class Adrift:
    """A bridge at a place that has no position."""

    id: ID
    name: str
    """Its name."""


@entity("bridges", position="spot", place=("river_id = rivers.basin",))
class Scattered:
    """A bridge at a place that is no record."""

    id: ID
    name: str
    """Its name."""


@entity("bridges")
class Countless:
    """A bridge whose width would have to be among some words."""

    id: ID
    name: str
    """Its name."""
    width: int = derived("width_of", "name", among="width_among")
    """Its width."""


@entity("bridges", large=True)
class Crowded:
    """A bridge of many, of which a function knows those that are closed."""

    id: ID
    name: str = column(unique=True)
    """Its name."""
    closed: bool | None = derived("is_closed", "id", where="closed_bridges")
    """Whether it is closed."""
    closed_on: bool | None = derived(
        "is_closed", "id", day=argument(date, "The day."), where="bridges_closed_on"
    )
    """Whether it is closed on a day."""
    open_on: bool | None = derived("is_open", "id", day=argument(date, "The day."))
    """Whether it is open on a day, which nobody can ask all of them."""


class Crowds:
    """A menu with many bridges."""

    bridges: Connection[Crowded] = every()
    """Bridges."""


@entity("bridges")
class Measured:
    """A bridge with a filter on what is neither true nor false."""

    id: ID
    name: str
    """Its name."""
    age: int = derived("age_of", "id", where="old_bridges")
    """How old it is."""


@value()
class Span:
    """A part of a bridge, which has no key."""

    closed: bool = derived("is_closed", "number", where="closed_spans")
    """Whether it is closed."""


WRONG = {
    Misordered: "Misordered is ordered by 'nmae', a column that no field of it has.",
    Nameless: "Nameless has no field 'id'.",
    Astray: (
        "Astray.river leads to River, whose table is 'rivers', but its last hop ends in 'roads'."
    ),
    Unspoken: "A hop is written 'local = table.remote', not 'river_id = rivers'.",
    Wordless: "Wordless.river leads to River; say how, with join or many.",
    Nowhere: "Nowhere.river leads to str, which is no entity.",
    Unheard: "Unheard.width is of a type that no column has: <class 'complex'>.",
    Undated: "Undated implements Dated without a field 'day'.",
    Misdated: "Misdated.day is not of the type that Dated promises.",
    Famous: "Famous implements Famous, which is no interface.",
    Adrift: "Adrift has a place, but no position there.",
    Scattered: "The place of Scattered is a record, and 'basin' is no key of 'rivers'.",
    Computing: "Computing.doubled is computed of 'width', which is no column.",
    Countless: "Countless.width asks whether it is among some words, and has no words.",
    Measured: "Measured.age names the rows where it is true, but is not a truth.",
    Span: "Span.closed names the rows where it is true, which have no key.",
}


@pytest.mark.parametrize(("cls", "message"), WRONG.items())
def test_a_wrong_declaration_is_told_by_name(cls: type, message: str) -> None:
    with pytest.raises(DeclarationError, match=f"^{re.escape(message)}$"):
        made(River, Bridge, Dated, cls)


class Unknown:
    """A menu with a dish that is not served."""

    bridge: Bridge | None = one("title")
    """A bridge by its title."""


class Ambiguous:
    """A menu on which one dish could be several."""

    river: River | None = one("name")
    """A river by its name."""


@pytest.mark.parametrize(
    ("menu", "message"),
    [
        (Unknown, "Bridge has no field 'title'."),
        (Ambiguous, "river finds one River by 'name', which is not unique."),
    ],
)
def test_a_wrong_menu_is_told_by_name(menu: type, message: str) -> None:
    with pytest.raises(DeclarationError, match=f"^{re.escape(message)}$"):
        made(River, Bridge, Dated, menu=menu)


def test_limits_are_those_of_the_graph_that_was_built_with_them() -> None:
    assert build(Limits(depth=3)).limits.depth == 3
    assert the_graph().limits.depth == 16
