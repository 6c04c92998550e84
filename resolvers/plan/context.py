"""What is known while one plan is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from graphql import GraphQLField, GraphQLObjectType, get_named_type
from graphql.language import FieldNode

from db.query import Expression, Param
from resolvers.errors import Code, FieldRefused, refuse
from resolvers.graph import Entity, Graph, Scalar
from resolvers.parse import Operation
from resolvers.plan.selections import Fields, collect
from resolvers.plan.values import (
    REQUESTED,
    Items,
    Leaf,
    Literal,
    Lookout,
    Tree,
    Variable,
    Variables,
    value_of,
)

# Where in the response: keys only, as a list's items share their plan.
Path = tuple[str, ...]

# What a select is made of.
Columns = tuple[tuple[str | None, Expression], ...]

# Postgres cuts longer names short, silently.
LONGEST_NAME = 63


class NeedsPython(Exception):  # noqa: N818  # a turn of the road, not an error
    """The first road ends here: something in the operation only Python can answer."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The value of a parameter: where it is found, how it is read, whose argument it is."""

    leaf: Leaf
    read: Callable[[object], object]
    # Two arguments that take the same value in the same way are one parameter.
    path: Path = field(compare=False)

    def bind(self, variables: Variables) -> object:
        """The value to send. FieldRefused says what is wrong with the one that was given."""
        value = value_of(self.leaf, variables)
        try:
            return self.read(value)
        except ValueError as error:
            raise FieldRefused(Code.BAD_USER_INPUT, str(error)) from error


def as_it_is(value: object) -> object:
    """Reads what is not a client's, and needs no reading."""
    return value


@dataclass(frozen=True, slots=True)
class ListOf:
    """Reads a list, item by item."""

    read: Callable[[object], object]
    limit: int = 1000

    def __call__(self, value: object) -> object:
        items = value if isinstance(value, list | tuple) else [value]
        if len(items) > self.limit:
            raise ValueError(f"A list may have at most {self.limit} items here.")
        if any(item is None for item in items):
            raise ValueError("A list of values to compare with may not contain null.")
        return [self.read(item) for item in items]


@dataclass(frozen=True, slots=True)
class KeyOf:
    """Reads a global id of one type as the key of a row."""

    type_name: str
    read: Callable[[object], object]

    def __call__(self, value: object) -> object:
        type_name, colon, key = str(value).partition(":")
        if not colon or type_name != self.type_name:
            raise FieldRefused(Code.BAD_ID, f"This is not the id of a {self.type_name}.")
        try:
            return self.read(key)
        except ValueError as error:
            raise FieldRefused(Code.BAD_ID, f"This is not the id of a {self.type_name}.") from error


@dataclass(frozen=True, slots=True)
class PageSize:
    """Reads `first` and `last`."""

    limit: int

    def __call__(self, value: object) -> int:
        if not isinstance(value, int) or value < 0:
            raise ValueError("A page cannot have a negative size.")
        if value > self.limit:
            message = f"A page has at most {self.limit} items. Ask for the next by its cursor."
            raise FieldRefused(Code.PAGE_TOO_LARGE, message)
        return value


@dataclass(frozen=True, slots=True)
class Weight:
    """So many rows, or one for each item of a list, and for each of them these."""

    size: Leaf | int
    inner: tuple[Weight, ...]

    def rows(self, variables: Variables) -> int:
        """How many rows this can be at the most."""
        size = self.size if isinstance(self.size, int) else value_of(self.size, variables)
        if isinstance(size, list | tuple):
            size = len(size)
        if not isinstance(size, int):
            return 0
        return size * (1 + sum(inner.rows(variables) for inner in self.inner))

    def settled(self) -> Weight:
        """The same, counted once and for all if no variable is in it."""
        open_ = any(inner.inner or not isinstance(inner.size, int) for inner in self.inner)
        return self if open_ or isinstance(self.size, Variable) else Weight(self.rows({}), ())


@dataclass
class Context:
    """One plan in the making: names already given, questions already asked."""

    graph: Graph
    operation: Operation
    lookout: Lookout
    python: bool
    refused: dict[Path, FieldRefused]
    # Plans the fields of an entity's row; pages, groups and references come back to it.
    columns: Callable[[Context, Entity, str, Fields, Path], Columns]
    weights: list[Weight] = field(default_factory=list)
    # What a request is refused for although no statement needs it.
    checks: list[Bound] = field(default_factory=list)
    # Whether the answer is another one in another language of the request.
    localized: bool = False
    # Whether it is about a person, who told it.
    private: bool = False
    # The alias of the outcome that a mutation's payload is read from.
    outcome: str = ""
    _aliases: int = 0
    _conditions: dict[int, Tree] = field(default_factory=dict)

    def alias(self) -> str:
        """A new alias: t0, t1, ... in the order of planning, so that texts repeat."""
        self._aliases += 1
        return f"t{self._aliases - 1}"

    def entity(self, name: str) -> Entity:
        """The entity, or the value type, of that name."""
        known = self.graph.entities.get(name)
        return known if known is not None else self.graph.values[name]

    def below(self, type_name: str, nodes: Sequence[FieldNode]) -> Fields:
        """The fields selected below merged field nodes, on a concrete type."""
        sets = [node.selection_set for node in nodes]
        return collect(self.graph.schema, self.operation, self.lookout, type_name, sets)

    def arguments(self, type_name: str, node: FieldNode) -> dict[str, Tree]:
        """The arguments of a field."""
        field = self._field(type_name, node.name.value)
        return self.lookout.arguments(node.arguments, field.args)

    def statistics(self, entity_name: str, field_name: str) -> str:
        """The name of the type that holds a field's minimum, maximum and so on."""
        return get_named_type(self._field(f"{entity_name}Aggregate", field_name).type).name

    def _field(self, type_name: str, field_name: str) -> GraphQLField:
        type_ = self.graph.schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        field: GraphQLField = type_.fields[field_name]
        return field

    def param(self, leaf: Leaf, scalar: Scalar, path: Path) -> Param:
        """A parameter that takes one value."""
        return Param(Bound(leaf, scalar.read, path), scalar.postgres)

    def params(self, leaf: Leaf, scalar: Scalar, path: Path) -> Param:
        """A parameter that takes a list of values, as an array."""
        return Param(Bound(leaf, ListOf(scalar.read), path), f"{scalar.postgres}[]")

    def language(self, given: Leaf | None) -> Leaf:
        """The language to answer in: the one that is given, or else that of the request."""
        if given is not None:
            return given
        self.localized = True
        return REQUESTED

    def name(self, key: str) -> str:
        """The column that answers this response key."""
        if len(key) > LONGEST_NAME:
            self.need_python()
        return column_name(key)

    def need_python(self) -> None:
        """Leave the first road, if we are still on it."""
        if not self.python:
            raise NeedsPython

    def count_condition(self, tree: Tree) -> None:
        """A condition, or a step of an order. It counts once, however many selects repeat it."""
        self._conditions[id(tree)] = tree  # kept, so that no other is given its id
        if len(self._conditions) > self.graph.limits.conditions:
            message = f"An operation may have at most {self.graph.limits.conditions} conditions."
            raise refuse(Code.TOO_MANY_CONDITIONS, message)

    @contextmanager
    def rows(self, size: Leaf | int) -> Iterator[None]:
        """What is planned inside happens once for each of so many rows."""
        outer, self.weights = self.weights, []
        try:
            yield
            # What is refused inside weighs nothing: it is not asked.
            outer.append(Weight(size, tuple(self.weights)).settled())
        finally:
            self.weights = outer

    def refuse(self, path: Path, error: FieldRefused) -> None:
        """This field is not asked of Postgres; graphql-core raises its error in its place."""
        self.refused[path] = error
        # Nor is anything else that was to be checked for it.
        self.checks = [check for check in self.checks if check.path[: len(path)] != path]
        self.need_python()


def column_name(key: str) -> str:
    """A response key as a column's name; a dot keeps made-up names apart from all others."""
    if len(key) <= LONGEST_NAME:
        return key
    return "." + hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()


def leaf(tree: Tree) -> Leaf | None:
    """An argument that is one value; None if it is null or missing."""
    if tree is None:
        return None
    assert isinstance(tree, Literal | Variable | Items)
    return tree


def branch(tree: Tree) -> Mapping[str, Tree]:
    """An argument that is an input object; empty if it is null or missing."""
    if tree is None:
        return {}
    assert isinstance(tree, dict)
    return tree
