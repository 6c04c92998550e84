"""Operations that nobody thought of: random questions to a schema, valid unless they mean not to.

Everything is drawn from hypothesis, so that one that goes wrong is made as small as it can be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from hypothesis import strategies as st

from resolvers.resolve import GraphQLRequest
from schema.entity import Language

Draw = Callable[[st.SearchStrategy[Any]], Any]
Item = TypeVar("Item")


class Known(dict[str, list[object]]):
    """What is there, by `Entity.field`; cursors are under `Entity.cursor`, ids under `id`."""

    def __repr__(self) -> str:
        # Shown with a question that failed. Whole it would be so long that Hypothesis warns, and
        # warnings are errors: one would read of that, and not of what failed.
        return f"{type(self).__name__}(of {len(self)} fields)"


HOSTILE_TEXTS = [
    "",
    "\x00",
    "\ud800",
    "'",
    '"',
    "\\",
    "%",
    "_",
    "'; drop table x; --",
    "$1",
    "\u202e\U0001f6d1",
    "x" * 10_000,
    "0",
    "null",
]
HOSTILE_VALUES: Mapping[str, Sequence[object]] = {
    "String": HOSTILE_TEXTS,
    "ID": [
        *HOSTILE_TEXTS,
        "County:",
        ":06037",
        "Nothing:1",
        "Program:not-a-uuid",
        "County:06037",
        "Category:HOUSING",
    ],
    "Int": [0, -1, 1, 2**31 - 1, -(2**31), 2**31],
    "Float": [0.0, -1.5, 1e308, 1e-320],
    "Boolean": [True, False],
    "Date": ["0001-01-01", "9999-12-31", "0000-00-00", "2026-02-29", "2026-01-01"],
    "DateTime": ["0002-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-04-30T16:14:00Z"],
    "Time": ["00:00:00", "23:59:59.999999", "24:00:00"],
}
_LONG = "an_alias_that_is_longer_than_any_name_that_postgres_is_ready_to_keep_"


@dataclass
class Level:
    """What is already selected at one place of the response; a name means one thing there."""

    fields: dict[str, tuple[str, Level]] = field(default_factory=dict)


@dataclass
class Question:
    """One operation in the making."""

    draw: Draw
    schema: GraphQLSchema
    known: Known
    budget: int
    aliases: int = 0
    variables: dict[str, object] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)
    fragments: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def request(self) -> GraphQLRequest:
        """The whole request."""
        query = self.schema.query_type
        assert query is not None
        body = self.selections(query, Level(), 0)
        given = f"({', '.join(self.definitions)})" if self.definitions else ""
        text = "\n".join([f"query Asked{given} {body}", *self.texts])
        name, language = self.one_of([None, "Asked"]), self.one_of([None, *Language])
        return GraphQLRequest(text, name, self.variables, language)

    def one_of(self, items: Sequence[Item]) -> Item:
        index: int = self.draw(st.integers(0, len(items) - 1))
        return items[index]

    def chance(self, one_in: int) -> bool:
        # Zero is what hypothesis shrinks to: the plain way has to be the small one.
        return bool(self.draw(st.integers(0, one_in - 1)) == one_in - 1)

    # Selections

    def selections(self, type_: GraphQLNamedType, level: Level, depth: int) -> str:
        parts: list[str] = []
        for _ in range(1 + self.draw(st.integers(0, 4))):
            if self.budget <= 0:
                break
            parts.append(self.selection(type_, level, depth))
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def selection(self, type_: GraphQLNamedType, level: Level, depth: int) -> str:
        if is_abstract_type(type_):
            if not isinstance(type_, GraphQLInterfaceType) or self.chance(2):
                concrete = self.one_of(self.schema.get_possible_types(type_))
                return f"... on {concrete.name} {self.apart(concrete, depth)}"
        elif self.chance(8):
            return self.fragment(type_, level, depth)
        if self.chance(12):
            return "__typename" + self.directives()
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        return self.field(type_, level, depth, alias=False)

    def apart(self, type_: GraphQLObjectType, depth: int) -> str:
        """Selections that share no name with any others, so that types may differ."""
        parts = ["__typename"]
        parts += [
            self.field(type_, Level(), depth, alias=True)
            for _ in range(1 + self.draw(st.integers(0, 2)))
            if self.aliases < 25 and self.budget > 0
        ]
        return "{ " + " ".join(parts) + " }"

    def fragment(self, type_: GraphQLNamedType, level: Level, depth: int) -> str:
        kind = self.draw(st.integers(0, 3))
        self.budget -= 1
        if kind == 0:
            return f"...{self.directives()} {self.selections(type_, level, depth)}"
        if kind == 1:
            on = self.one_of([type_.name, *self.interfaces(type_)])
            if on != type_.name:
                return f"... on {on}{self.directives()} {{ __typename }}"
            return f"... on {on}{self.directives()} {self.selections(type_, level, depth)}"
        known = [name for name, on in self.fragments if on == type_.name]
        if kind == 2 and known:
            return f"...{self.one_of(known)}{self.directives()}"
        assert isinstance(type_, GraphQLObjectType)
        body = self.apart(type_, depth)
        name = f"F{len(self.fragments)}"
        self.fragments.append((name, type_.name))
        self.texts.append(f"fragment {name} on {type_.name} {body}")
        return f"...{name}{self.directives()}"

    def interfaces(self, type_: GraphQLNamedType) -> list[str]:
        found = type_.interfaces if isinstance(type_, GraphQLObjectType) else ()
        return [interface.name for interface in found]

    def field(
        self,
        type_: GraphQLObjectType | GraphQLInterfaceType,
        level: Level,
        depth: int,
        *,
        alias: bool,
    ) -> str:
        self.budget -= 1
        names = [name for name, found in type_.fields.items() if self.fits(found, depth)]
        if not names:
            return "__typename"
        name = self.one_of(names)
        found = type_.fields[name]
        key = name
        if alias or (self.aliases < 25 and self.chance(6)):
            self.aliases += 1
            key = f"{_LONG if self.chance(12) else 'a'}{self.aliases}"
        below = level.fields.get(key)
        if below is None:
            written = name if key == name else f"{key}: {name}"
            level.fields[key] = below = (written + self.arguments(type_, name, found), Level())
        text = below[0] + self.directives()
        inner = get_named_type(found.type)
        if is_composite_type(inner):
            text += " " + self.selections(inner, below[1], depth + 1)
        return text

    def fits(self, found: GraphQLField, depth: int) -> bool:
        return depth < 6 or is_leaf_type(get_named_type(found.type))

    def directives(self) -> str:
        if not self.chance(10):
            return ""
        name = self.one_of(["include", "skip"])
        if self.chance(2):
            return f" @{name}(if: {self.variable('Boolean!', self.one_of([True, False]), ())})"
        return f" @{name}(if: {self.one_of(['true', 'false'])})"

    # Arguments

    def arguments(self, type_: GraphQLNamedType, name: str, found: GraphQLField) -> str:
        given: list[str] = []
        hint = f"{get_named_type(found.type).name.removesuffix('Connection')}"
        for argument, declared in found.args.items():
            if argument == "last" and any(text.startswith("first") for text in given):
                if not self.chance(10):
                    continue
            elif not is_non_null_type(declared.type) and not self.chance(3):
                continue
            place = f"{hint}.{argument}"
            given.append(f"{argument}: {self.value(declared, place, argument, 0)}")
        return f"({', '.join(given)})" if given else ""

    def value(
        self, declared: GraphQLArgument | GraphQLInputField, place: str, name: str, depth: int
    ) -> str:
        type_ = declared.type
        if self.chance(4):
            made = self.json(type_, place, name, depth)
            default = declared.default is not None
            return self.variable(str(type_), made, () if default else self.defaults(type_))
        return self.literal(type_, self.json(type_, place, name, depth))

    def defaults(self, type_: GraphQLInputType) -> Sequence[str]:
        named = get_named_type(type_).name
        if is_non_null_type(type_) or is_list_type(type_):
            return ()
        return {"Int": ("null", "3"), "String": ("null",)}.get(named, ())

    def variable(self, type_: str, value: object, defaults: Sequence[str]) -> str:
        name = f"v{len(self.definitions)}"
        default = ""
        if defaults and self.chance(2):
            default = f" = {self.one_of(defaults)}"
        self.definitions.append(f"${name}: {type_}{default}")
        if type_.endswith("!") or not self.chance(5):
            self.variables[name] = value
        elif self.chance(2):
            self.variables[name] = None
        return f"${name}"

    def json(self, type_: GraphQLInputType, place: str, name: str, depth: int) -> object:
        """A value of an input type, as it would come in variables."""
        if is_non_null_type(type_):
            type_ = type_.of_type
        elif self.chance(40):
            return None
        if is_list_type(type_):
            count = self.draw(st.integers(0, 2))
            return [self.json(type_.of_type, place, name, depth) for _ in range(count + 1)][
                self.draw(st.integers(0, 1)) if self.chance(6) else 0 :
            ]
        if isinstance(type_, GraphQLInputObjectType):
            return self.input_object(type_, place, depth)
        if isinstance(type_, GraphQLEnumType):
            return self.one_of(list(type_.values))
        return self.scalar(get_named_type(type_).name, place, name)

    def input_object(self, type_: GraphQLInputObjectType, place: str, depth: int) -> object:
        names = [
            name
            for name, part in type_.fields.items()
            if depth < 3 or not isinstance(get_named_type(part.type), GraphQLInputObjectType)
        ]
        if not names:
            return {}
        count = 1 if type_.is_one_of or not self.chance(4) else 2
        entity = type_.name.removesuffix("Filter").removesuffix("Order")
        made: dict[str, object] = {}
        for _ in range(count):
            name = self.one_of(names)
            part = type_.fields[name].type
            here = f"{entity}.{name}" if type_.name.endswith(("Filter", "Order")) else place
            if entity + "Filter" not in self.schema.type_map or "String" in type_.name:
                here = place
            part = part.of_type if type_.is_one_of and is_non_null_type(part) else part
            value = self.json(part, here, name, depth + 1)
            if value is None and type_.is_one_of:
                value = "ASC" if is_leaf_type(get_named_type(part)) else {}
            made[name] = value
        return made

    def scalar(self, type_: str, place: str, name: str) -> object:
        if name in ("first", "last") and not self.chance(12):
            return self.one_of([2, 0, 1, 3, 5, 20])
        if name in ("after", "before"):
            known = self.known.get(place.partition(".")[0] + ".cursor", ())
            if known and not self.chance(8):
                return self.one_of(known)
        found = self.known.get(place, ()) if type_ != "ID" else self.known.get(place, self.ids())
        if name in ("slug", "code", "fips", "key", "text"):
            found = found or self.known["name"]
        if found and not self.chance(6):
            value = self.one_of(found)
            if name in ("contains", "startsWith") and isinstance(value, str):
                return value[self.draw(st.integers(0, 3)) :][:4]
            return value
        return self.one_of(HOSTILE_VALUES[type_])

    def ids(self) -> Sequence[object]:
        return self.known["id"]

    def literal(self, type_: GraphQLInputType, value: object) -> str:
        """The value as it is written in a document."""
        if is_non_null_type(type_):
            type_ = type_.of_type
        if value is None:
            return "null"
        if is_list_type(type_) and isinstance(value, list):
            return f"[{', '.join(self.literal(type_.of_type, item) for item in value)}]"
        if is_list_type(type_):
            type_ = type_.of_type
        if isinstance(type_, GraphQLInputObjectType):
            assert isinstance(value, dict)
            parts = [
                f"{name}: {self.literal(type_.fields[name].type, part)}"
                for name, part in value.items()
            ]
            return "{" + ", ".join(parts) + "}"
        if isinstance(type_, GraphQLEnumType):
            return str(value)
        return json.dumps(value, ensure_ascii=False).replace("\ud800", "\\ud800")


@st.composite
def requests(draw: Draw, schema: GraphQLSchema, known: Known) -> GraphQLRequest:
    """A request that a client of this schema might send, once in a while."""
    return Question(draw, schema, known, budget=draw(st.integers(1, 30))).request()
