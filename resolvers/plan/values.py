"""Arguments as the planner sees them: a tree whose leaves say where a value will be found.

`filter: {name: {contains: $text}, status: {in: [OPEN]}}` becomes

    {"name": {"contains": Variable(("text",))}, "status": {"in": Literal(("OPEN",))}}

A plan must fit every request that shares it. What the planner has to *look at* (whether a variable
is there, the keys of an object, a direction to sort in) it asks a `Lookout`, which remembers the
questions: they, and nothing else, tell one plan of an operation from another.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputType,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.language import (
    ArgumentNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)
from graphql.pyutils import Undefined
from graphql.utilities import coerce_input_literal
from graphql.utilities.coerce_input_value import coerce_default_value

from resolvers.parse import LANGUAGE
from resolvers.representations import Representation

Path = tuple[str | int, ...]
Variables = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the document."""

    value: Hashable


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that comes with the variables, at this path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Items:
    """A list written in the document, some items of which are variables."""

    items: tuple[Leaf, ...]


Leaf = Literal | Variable | Items
# The language that the request as a whole asks for; null if it asks for none.
REQUESTED = Variable((LANGUAGE,))
Tree = Leaf | None | dict[str, "Tree"] | list["Tree"]


def value_of(leaf: Leaf, variables: Variables) -> object:
    """The value, now that there are variables."""
    match leaf:
        case Literal(value):
            return value
        case Variable(path):
            if len(path) == 1:
                return variables.get(path[0])  # type: ignore[arg-type]  # a name
            found: object = variables
            for step in path:
                try:
                    found = found[step]  # type: ignore[index]  # coerced: has the shape of its type
                except (KeyError, IndexError):
                    return None
            return found
        case Items(items):
            return [value_of(item, variables) for item in items]


class Look(Enum):
    """What can be asked about a variable while planning."""

    PRESENT = "PRESENT"
    KEYS = "KEYS"
    LENGTH = "LENGTH"
    VALUE = "VALUE"
    KINDS = "KINDS"


Question = tuple[Look, Leaf]

_MISSING = object()


def look(question: Question, variables: Variables) -> Hashable:
    """The answer to a question that a planner asked."""
    kind, leaf = question
    match kind:
        case Look.PRESENT:
            return _presence(leaf, variables)
        case Look.KEYS:
            value = value_of(leaf, variables)
            return tuple(value) if isinstance(value, Mapping) else ()
        case Look.LENGTH:
            value = value_of(leaf, variables)
            return len(value) if isinstance(value, Sequence) else 0
        case Look.VALUE:
            value = value_of(leaf, variables)
            if isinstance(value, list | tuple):
                return tuple(_plain(item) for item in value)
            return _plain(value)
        case Look.KINDS:
            value = value_of(leaf, variables)
            items = value if isinstance(value, list | tuple) else [value]
            return tuple(sorted({_kind(item) for item in items}))


def _kind(item: object) -> str:
    return item.kind if isinstance(item, Representation) else str(item).partition(":")[0]


def _plain(value: object) -> Hashable:
    found = value.value if isinstance(value, Enum) else value
    assert isinstance(found, Hashable)
    return found


def _presence(leaf: Leaf, variables: Variables) -> str:
    if not isinstance(leaf, Variable):
        return "given"
    found: object = variables
    for step in leaf.path:
        if isinstance(found, Mapping) and step not in found:
            return "absent"
        found = found[step]  # type: ignore[index]  # coerced: has the shape of its type
    return "null" if found is None else "given"


class Lookout:
    """Answers what the planner asks about variables, and remembers what it asked."""

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.asked: dict[Question, Hashable] = {}

    def ask(self, kind: Look, leaf: Leaf) -> Hashable:
        if kind is not Look.PRESENT and isinstance(leaf, Literal):
            return look((kind, leaf), self.variables)
        question = (kind, leaf)
        if question not in self.asked:
            self.asked[question] = look(question, self.variables)
        return self.asked[question]

    def arguments(
        self, nodes: Sequence[ArgumentNode] | None, declared: Mapping[str, GraphQLArgument]
    ) -> dict[str, Tree]:
        """The arguments of a field, by name; those not given, and without default, are missing."""
        given = {node.name.value: node.value for node in nodes or ()}
        return self._fields(given, declared)

    def _fields(
        self,
        given: Mapping[str, ValueNode],
        declared: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField],
    ) -> dict[str, Tree]:
        trees: dict[str, Tree] = {}
        for name, declaration in declared.items():
            node = given.get(name)
            tree: object = _MISSING
            if isinstance(node, VariableNode):
                tree = self._variable((node.name.value,), declaration.type)
            elif node is not None:
                tree = self._literal(node, declaration.type)
            if tree is _MISSING:
                default = _default(declaration)
                if default is _MISSING:
                    continue
                tree = _constant(default)
            trees[name] = tree  # type: ignore[assignment]  # _MISSING is gone by now
        return trees

    def _literal(self, node: ValueNode, type_: GraphQLInputType) -> Tree | object:
        if is_non_null_type(type_):
            type_ = type_.of_type
        if isinstance(node, VariableNode):
            return self._variable((node.name.value,), type_)
        if isinstance(node, NullValueNode):
            return None
        if is_list_type(type_):
            nodes = node.values if isinstance(node, ListValueNode) else (node,)
            items = [self._literal(item, type_.of_type) for item in nodes or ()]
            items = [None if item is _MISSING else item for item in items]
            if _composite(type_.of_type):
                return items
            literals = [item.value for item in items if isinstance(item, Literal)]
            if len(literals) == len(items):
                return Literal(tuple(literals))
            return Items(tuple(Literal(None) if item is None else item for item in items))  # type: ignore[misc]  # leaves
        if is_input_object_type(type_):
            assert isinstance(node, ObjectValueNode)
            given = {field.name.value: field.value for field in node.fields or ()}
            return self._fields(given, type_.fields)
        value = coerce_input_literal(node, type_)
        return Literal(None if value is Undefined else value)

    def _variable(self, path: Path, type_: GraphQLInputType) -> Tree | object:
        leaf = Variable(path)
        presence = self.ask(Look.PRESENT, leaf)
        if presence == "absent":
            return _MISSING
        if presence == "null":
            return None
        if is_non_null_type(type_):
            type_ = type_.of_type
        if is_list_type(type_) and _composite(type_.of_type):
            length = self.ask(Look.LENGTH, leaf)
            assert isinstance(length, int)
            return [self._variable((*path, index), type_.of_type) for index in range(length)]
        if is_input_object_type(type_):
            keys = self.ask(Look.KEYS, leaf)
            assert isinstance(keys, tuple)
            return {key: self._variable((*path, key), type_.fields[key].type) for key in keys}
        return leaf


def _composite(type_: GraphQLInputType) -> bool:
    """Whether values of this type have parts that a planner must look at."""
    while is_non_null_type(type_) or is_list_type(type_):
        type_ = type_.of_type
    return bool(is_input_object_type(type_))


def _default(declaration: GraphQLArgument | GraphQLInputField) -> object:
    value = coerce_default_value(declaration)
    return _MISSING if value is Undefined else value


def _constant(value: object) -> Tree:
    """A default of the schema, as a tree."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {key: _constant(part) for key, part in value.items()}
    if isinstance(value, list):
        if any(isinstance(part, Mapping) for part in value):
            return [_constant(part) for part in value]
        return Literal(tuple(value))
    return Literal(value)
