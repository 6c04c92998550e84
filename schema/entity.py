"""The words that types are declared with: entity, column, localized, join, many, computed.

    @entity(table="family_days", order=("starts_at",))
    class FamilyDay:
        \"\"\"A day on which an institution invites families in.\"\"\"

        id: ID
        title: str = column(search=True)
        \"\"\"What the day is called on the invitation.\"\"\"
        institution: Institution = join("institution_id")

The class is left as it is, so that it stays readable, importable and known to type checkers;
`build.py` reads what is noted here. A string below a field is its description, as in a docstring.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from strawberry import ID

from db.mapping import Hop

__all__ = [
    "ID",
    "Column",
    "Computed",
    "Connection",
    "Declaration",
    "DeclarationError",
    "Every",
    "FoundBy",
    "Language",
    "Localized",
    "One",
    "Relation",
    "column",
    "computed",
    "descriptions",
    "entity",
    "every",
    "found_by",
    "interface",
    "join",
    "localized",
    "many",
    "one",
]

Node = TypeVar("Node")
Class = TypeVar("Class", bound=type)


class DeclarationError(Exception):
    """A declaration makes no sense. The server does not start with it."""


class Connection(Generic[Node]):
    """A list that is asked for page by page, filtered, ordered, counted and grouped."""


class Language(Enum):
    """A language that texts of the directory are written in."""

    EN = "EN"
    """English."""
    ES = "ES"
    """Spanish."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@entity` says of a class, beyond its fields."""

    table: str
    key: str
    order: tuple[str, ...]
    large: bool
    implements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A field that is a column. What is None follows from its type and the size of its table."""

    name: str | None = None
    unique: bool = False
    filter: bool | None = None
    order: bool | None = None
    search: bool = False
    group: bool | None = None


@dataclass(frozen=True, slots=True)
class Localized:
    """A field with a column for each language; English is always there."""

    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Relation:
    """A field that leads to another entity, along hops written `local = table.remote`."""

    hops: tuple[str, ...]
    outward: bool
    given: Mapping[str, tuple[str, Enum]]


@dataclass(frozen=True, slots=True)
class Computed:
    """A field that Python makes of columns: the function's parameters name them."""

    function: Callable[..., object]


@dataclass(frozen=True, slots=True)
class One:
    """A root field: the entity with this value in a unique field."""

    field: str


@dataclass(frozen=True, slots=True)
class Every:
    """A root field: all entities of a kind, as a connection."""


@dataclass(frozen=True, slots=True)
class FoundBy:
    """A root field: entities of several kinds, by a text that one of their fields contains."""

    field: str


def entity(
    table: str,
    *,
    key: str = "id",
    order: tuple[str, ...] = ("name",),
    large: bool = False,
    implements: tuple[str, ...] = (),
) -> Callable[[Class], Class]:
    """Declare that a class is the face of a table (or view).

    `order` names columns, with a minus for descending; the key always follows. `large` tables
    offer only filters and orders that a column asks for, because an index has to serve them.
    """

    def declare(cls: Class) -> Class:
        cls.__entity__ = Declaration(table, key, order, large, implements)  # type: ignore[attr-defined]  # noted on the class itself, so that no registry is needed
        return cls

    return declare


def interface(cls: Class) -> Class:
    """Declare fields that entities of several kinds have in common."""
    cls.__interface__ = True  # type: ignore[attr-defined]  # noted on the class itself
    return cls


def column(
    name: str | None = None,
    *,
    unique: bool = False,
    filter: bool | None = None,
    order: bool | None = None,
    search: bool = False,
    group: bool | None = None,
) -> Any:
    """A column. `search` offers `contains` and `startsWith`, `group` a key of `groups`."""
    return Column(name, unique, filter, order, search, group)


def localized(*, en: str, es: str) -> Any:
    """A text in two languages, chosen by the argument `lang`; falls back to English."""
    return Localized({"EN": en, "ES": es})


def join(*hops: str, given: Mapping[str, tuple[str, Enum]] | None = None) -> Any:
    """To one: `join("county_fips")`, or hop by hop `join("location_id = locations.id", ...)`.

    `given` adds arguments: `{"type": ("visit_type", VisitType.IN_PERSON)}` is the argument
    `type`, compared with that column, and its default.
    """
    return Relation(hops, outward=True, given=dict(given or {}))


def many(*hops: str) -> Any:
    """To many: `many("institution_id")`, or hop by hop through a table between."""
    return Relation(hops, outward=False, given={})


def computed(function: Callable[..., object]) -> Any:
    """Made in Python: positional parameters are columns, keyword-only ones are arguments."""
    return Computed(function)


def one(field: str) -> Any:
    """Root field: one entity, by a unique field."""
    return One(field)


def every() -> Any:
    """Root field: all of a kind."""
    return Every()


def found_by(field: str) -> Any:
    """Root field: entities of several kinds whose `field` contains a text."""
    return FoundBy(field)


def hop(text: str) -> Hop:
    """`"location_id = locations.id"`, read."""
    local, _, target = text.partition(" = ")
    table, _, remote = target.partition(".")
    if not (local and table and remote):
        raise DeclarationError(f"A hop is written 'local = table.remote', not {text!r}.")
    return Hop(local, table, remote)


def descriptions(cls: type) -> dict[str, str]:
    """The strings below the members of a class, by member."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for member, below in zip(tree.body, tree.body[1:], strict=False):
        if not (isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)):
            continue
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
            name = member.target.id
        elif isinstance(member, ast.Assign) and isinstance(member.targets[0], ast.Name):
            name = member.targets[0].id
        else:
            continue
        if isinstance(below.value.value, str):
            found[name] = inspect.cleandoc(below.value.value)
    return found
