"""Declarations, read: entities with resolved types; and the strawberry types made of them."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import ID, UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from schema.entity import (
    Column,
    Computed,
    Connection,
    Declaration,
    DeclarationError,
    Derived,
    Facet,
    Language,
    Localized,
    Only,
    Part,
    Relation,
    Role,
    descriptions,
)

_MEASURABLE = (int, float, date, datetime)


@dataclass(frozen=True, slots=True)
class Shape:
    """A field of an entity, with everything its annotation and its word say."""

    name: str
    attribute: str
    description: str
    python: type
    nullable: bool = False
    array: bool = False
    key: bool = False
    column: str | None = None
    search: bool = False
    filterable: bool = False
    orderable: bool = False
    measurable: bool = False
    group: str | None = None
    unique: bool = False
    localized: Mapping[str, str] | None = None
    # The text, a shape beside this one, whose wording this field tells.
    wording: str | None = None
    computed: Callable[..., object] | None = None
    relation: Relation | None = None
    derived: Derived | None = None
    part: bool = False
    facet: str | None = None
    past: bool = False
    # The column that is written by hand, and what it says of a new record if nothing is given.
    writes: str | None = None
    default: object = None
    target: str | None = None
    to_one: bool = False
    connection: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """A declared class, read."""

    name: str
    plural: str
    description: str
    declaration: Declaration
    fields: tuple[Shape, ...]

    @property
    def is_value(self) -> bool:
        """Whether it is an object without an id."""
        return not self.declaration.key

    @property
    def large(self) -> bool:
        """Whether only what an index serves is offered."""
        return self.declaration.large

    def field(self, attribute: str) -> Shape:
        """A field by its Python name."""
        for shape in self.fields:
            if shape.attribute == attribute:
                return shape
        raise DeclarationError(f"{self.name} has no field {attribute!r}.")


def words(name: str) -> str:
    """`OpeningHours` is "opening hours"."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def one_of(name: str) -> str:
    """`Institution` is "an institution"."""
    return f"{'an' if name[0] in 'AEIO' else 'a'} {words(name)}"


PAST = Role.STAFF
"""Who may see what records said before: what is withheld now may have been told then, and what was
told then may have been withheld since; and who changed it is nobody else's business."""

_HISTORY = Shape(
    "history", "history", "What has happened to this record, newest first.", object, past=True
)
WRITES = Role.STAFF
"""Who may change records; others may propose to."""
WRITER = Role.PARTNER
"""Who may say what records should say, and has to know which version of one they saw."""
_VERSION = Shape(
    "version",
    "version",
    "Which version of the record this is, to change that one and no other.",
    int,
    column="version",
)
_STAMPS = ("created_at", "updated_at")


def camel(name: str) -> str:
    """`opened_year` is `openedYear` to clients. The two meet here and nowhere else."""
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def role_of(word: object) -> Role:
    """The least role that may see what is declared with this word, or this class."""
    if isinstance(word, type):
        said = getattr(word, "__entity__", None)
        return said.role if said is not None else Role.PUBLIC
    return word.role if isinstance(word, Only) else Role.PUBLIC


def roles_of(classes: Iterable[type], menu: type) -> dict[tuple[str, str | None], Role]:
    """The least role for each type and field that is not for everybody; a type's field is None.

    What leads to such a type needs no word of its own.
    """
    found: dict[tuple[str, str | None], Role] = {}
    for cls in (*classes, menu):
        name = "Query" if cls is menu else cls.__name__
        found[name, None] = role_of(cls)
        for attribute, word in vars(cls).items():
            found[name, camel(attribute)] = role_of(word)
    return {where: role for where, role in found.items() if role is not Role.PUBLIC}


def read_entity(cls: type, known: Mapping[str, type], role: Role = Role.ADMIN) -> Entity:
    """A declared class, an entity or a value, becomes an Entity, as this role may see it."""
    declaration: Declaration = getattr(cls, "__entity__", None) or cls.__value__  # type: ignore[attr-defined]  # put there by @entity or @value
    if declaration.own is not None and not role.includes(WRITES):
        declaration = replace(declaration, table=declaration.own)
    below = descriptions(cls)
    hints = _hints(cls, known)
    fields = tuple(
        field
        for attribute, hint in hints.items()
        if role.includes(needed(hint, cls.__dict__.get(attribute)))
        for field in _with_wording(
            _shape(attribute, hint, cls.__dict__.get(attribute), below.get(attribute), declaration)
        )
    )
    recorded = declaration.key and not declaration.unrecorded
    if recorded and "updated_at" in hints and role.includes(WRITER):
        fields = (*fields, _VERSION)
    if recorded and role.includes(PAST):
        fields = (*fields, _HISTORY)
    plural = declaration.table.replace("_", " ") or words(cls.__name__)
    return Entity(cls.__name__, plural, inspect.cleandoc(cls.__doc__ or ""), declaration, fields)


def needed(hint: Any, word: object) -> Role:
    """The least role that may see a field: it may see what the field leads to, too."""
    bare, _ = unwrap(hint)
    inner = typing.get_args(bare)[0] if typing.get_origin(bare) in (list, Connection) else bare
    own, far = role_of(word), role_of(inner)
    return own if own.includes(far) else far


def read_field(attribute: str, hint: Any, word: object, description: str) -> Shape:
    """A field that belongs to no entity, as those of the menu."""
    return _shape(attribute, hint, word, description, Declaration("", "", (), large=True))


@dataclass(frozen=True, slots=True)
class Given:
    """An input object's field, or an argument: what it takes."""

    name: str
    attribute: str
    description: str
    python: type
    array: bool
    nullable: bool
    default: object = None


def answers_in(item: Given) -> bool:
    """Whether an argument is the language to answer in, which the request may decide on."""
    return item.python is Language and item.nullable and not item.array


def read_given(cls: type, known: Mapping[str, type]) -> tuple[Given, ...]:
    """A declared input object becomes its fields."""
    below = descriptions(cls)
    return tuple(
        read_argument(attribute, hint, below.get(attribute, ""))
        for attribute, hint in _hints(cls, known).items()
    )


def read_argument(attribute: str, hint: Any, description: str, default: object = None) -> Given:
    """What an argument of this type takes."""
    bare, nullable = unwrap(hint)
    array = typing.get_origin(bare) is list
    inner = typing.get_args(bare)[0] if array else bare
    return Given(camel(attribute), attribute, description, inner, array, nullable, default)


def read_interface(cls: type, known: Mapping[str, type]) -> tuple[Shape, ...]:
    """A declared interface becomes its fields."""
    plain = Declaration("", "id", (), large=True, implements=())
    below = descriptions(cls)
    return tuple(
        _shape(attribute, hint, None, below.get(attribute), plain)
        for attribute, hint in _hints(cls, known).items()
    )


def _hints(cls: type, known: Mapping[str, type]) -> dict[str, Any]:
    return typing.get_type_hints(cls, vars(sys.modules[cls.__module__]), dict(known))


def unwrap(hint: Any) -> tuple[Any, bool]:
    """`X | None` becomes X, and whether it was there."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(inner) == 1:
            return inner[0], True
    return hint, False


def _shape(
    attribute: str, hint: Any, word: object, description: str | None, declaration: Declaration
) -> Shape:
    bare, nullable = unwrap(hint)
    origin = typing.get_origin(bare)
    inner = typing.get_args(bare)[0] if origin in (list, Connection) else bare
    text = description or ("The global id." if attribute == "id" else "")
    plain = Shape(camel(attribute), attribute, text, inner, nullable)
    if isinstance(word, Only):
        word = word.word
    small = not declaration.large
    match word:
        case Derived() if hasattr(inner, "__value__"):
            return _with(
                plain,
                python=object,
                derived=word,
                target=inner.__name__,
                to_one=origin is not list,
            )
        case Derived():
            return _derived(plain, inner, word, array=origin is list, small=small)
        case Facet(column_):
            return _with(plain, python=object, facet=column_, target=inner.__name__)
        case Part():
            return _with(plain, python=object, part=True, target=inner.__name__, to_one=True)
        case Computed(function):
            return _with(plain, array=origin is list, computed=function)
        case Localized(columns):
            return _with(
                plain,
                localized={
                    language: column or attribute
                    for language, column in columns.items()
                    if column or language == "EN"
                },
                search=word.search,
                filterable=word.search or (small if word.filter is None else word.filter),
                orderable=small if word.order is None else word.order,
            )
        case Relation():
            plainly = word.outward and len(word.hops) == 1 and " = " not in word.hops[0]
            return _with(
                plain,
                python=object,
                relation=word,
                target=inner.__name__,
                to_one=word.outward,
                connection=origin is Connection,
                group=_group(plain.name, plainly if word.group is None else word.group),
            )
        case _ if hasattr(inner, "__entity__") or hasattr(inner, "__value__"):
            return _with(plain, python=object, target=inner.__name__, to_one=True)
    said = word if isinstance(word, Column) else Column()
    array = origin is list
    key = attribute == "id"
    indexed = small or said.unique or key
    kind = inner if isinstance(inner, type) else str
    grouped = small and not array and issubclass(kind, Enum | bool)
    measured = not array and not key and kind in _MEASURABLE
    return _with(
        plain,
        python=str if key else inner,
        array=array,
        key=key,
        column=said.name or (declaration.key if key else attribute),
        search=said.search,
        unique=said.unique,
        filterable=said.search or (indexed if said.filter is None else said.filter),
        orderable=not array and ((small or said.unique) if said.order is None else said.order),
        measurable=measured,
        group=_group(plain.name, grouped if said.group is None else said.group),
        writes=_written(said, attribute) if not key and attribute not in _STAMPS else None,
        default=said.default,
    )


def _written(said: Column, attribute: str) -> str | None:
    return (
        said.written
        if isinstance(said.written, str)
        else (said.name or attribute)
        if said.written
        else None
    )


def _with_wording(shape: Shape) -> list[Shape]:
    """A field and, beside a text in several languages, the field that says which one it is in."""
    if shape.localized is None:
        return [shape]
    attribute = f"{shape.attribute}_wording"
    text = f"Which language `{shape.name}` is answered in, and how it came into it."
    beside = Shape(camel(attribute), attribute, text, object, shape.nullable)
    return [shape, _with(beside, wording=shape.attribute, target="Wording", to_one=True)]


def _derived(plain: Shape, inner: type, word: Derived, *, array: bool, small: bool) -> Shape:
    required = [item for item in word.arguments.values() if not unwrap(item.annotation)[1]]
    # One argument that decides between true and false is a filter of its own.
    asks = inner is bool and len(required) == len(word.arguments) == 1
    plainly = small and not required
    grouped = plainly and not array and issubclass(inner, Enum | bool)
    return _with(
        plain,
        python=inner,
        array=array,
        derived=word,
        filterable=(word.where is not None or (small and (asks or not required)))
        if word.filter is None
        else word.filter,
        orderable=plainly and not array if word.order is None else word.order,
        measurable=plainly and not array and inner in _MEASURABLE,
        group=_group(plain.name, grouped if word.group is None else word.group),
    )


def _group(name: str, said: bool | str) -> str | None:
    return camel(said) if isinstance(said, str) else name if said else None


def _with(shape: Shape, **changes: Any) -> Shape:
    values = {name: getattr(shape, name) for name in Shape.__slots__}
    return Shape(**{**values, **changes})


def listed(annotation: Any) -> Any:
    """A list of those, none of which is null."""
    return types.GenericAlias(list, (annotation,))


@dataclass(frozen=True, slots=True)
class ArgumentShape:
    """An argument: its type, its description, and its default, if it has one."""

    annotation: object
    description: str
    default: object = UNSET


@dataclass(frozen=True, slots=True)
class FieldShape:
    """A field of a type in the making."""

    annotation: object
    description: str
    arguments: Mapping[str, ArgumentShape] = field(default_factory=dict)
    # Of an input.
    default: object = UNSET


class _Made:
    """What all classes made here start from; Python can exchange it for an interface later."""


class Shapes:
    """Strawberry types in the making: named first, so that they can refer to one another."""

    def __init__(self, entities: Mapping[str, Entity], known: Mapping[str, type]) -> None:
        self.entities = entities
        self.known = known
        self.classes: dict[str, type] = {}
        self.enums: dict[str, Mapping[str, str]] = {}
        self.one_of: set[str] = set()
        self._made: set[str] = set()
        self._ordered: dict[str, bool] = {}

    def required(self, name: str) -> type:
        """The class of that name, as a type that is never null."""
        if name not in self.classes:
            self.classes[name] = type(name, (_Made,), {})
        return self.classes[name]

    def ref(self, name: str) -> object:
        """The class of that name, as a type that may be null."""
        return self.optional(self.required(name))

    def optional(self, annotation: Any) -> object:
        """A type that may be null."""
        return annotation if annotation is None else typing.Optional[annotation]  # noqa: UP045  # made at run time

    def list_of(self, name: str) -> object:
        """A list of those, which may be null."""
        return self.optional(listed(self.required(name)))

    def has_order(self, name: str | None) -> bool:
        """Whether an entity can be ordered by anything; relations to it then can, too."""
        if name is None:
            return False
        entity = self.entities[name]
        if entity.large:
            return any(
                shape.orderable or (shape.part and self.has_order(shape.target))
                for shape in entity.fields
            )
        return True

    def object_type(
        self,
        name: str,
        description: str,
        fields: Mapping[str, FieldShape],
        bases: Iterable[str] = (),
    ) -> type:
        """An object type."""
        cls = self._class(name, fields, bases)
        return self._finish(name, strawberry.type(cls, name=name, description=description))

    def interface_type(self, name: str, description: str, fields: Mapping[str, FieldShape]) -> type:
        """An interface."""
        cls = self._class(name, fields, ())
        return self._finish(name, strawberry.interface(cls, name=name, description=description))

    def input_type(
        self,
        name: str,
        description: str,
        fields: Mapping[str, FieldShape],
        *,
        one_of: bool = False,
    ) -> object:
        """An input object type, made once; returned as a type that may be null."""
        if name not in self._made:
            cls = self._class(name, fields, (), unset=True)
            if one_of:
                self.one_of.add(name)
            made = strawberry.input(cls, name=name, description=description, one_of=one_of)
            self._finish(name, made)
        return self.ref(name)

    def enum_type(self, name: str, description: str, values: Mapping[str, str]) -> type:
        """An enum whose values stand for fields: `countyFips` is called COUNTY_FIPS."""
        if name not in self.classes:
            members = {shout(value): value for value in values}
            made: type[Enum] = Enum(name, members)  # type: ignore[misc]  # members are declared
            strawberry.enum(made, name=name, description=description)
            self.classes[name] = made
            self.enums[name] = {shout(value): text for value, text in values.items()}
        return self.classes[name]

    def declared_enum(self, cls: type[Enum]) -> None:
        """An enum that was declared as a class."""
        if cls.__name__ not in self.enums:
            text = inspect.cleandoc(cls.__doc__ or "")
            strawberry.enum(cls, name=cls.__name__, description=text)
            self.enums[cls.__name__] = descriptions(cls)

    def _class(
        self,
        name: str,
        fields: Mapping[str, FieldShape],
        bases: Iterable[str],
        *,
        unset: bool = False,
    ) -> type:
        bare = self.required(name)
        parents = tuple(self.classes[base] for base in bases)
        if parents:
            # Others already refer to the bare class; it is given its parents in place.
            bare.__bases__ = parents
        bare.__annotations__ = {}
        for field_name, shape in fields.items():
            # Some names, such as `in` and `not`, mean something else to Python.
            attribute = f"{field_name}_"
            bare.__annotations__[attribute] = shape.annotation
            default: dict[str, Any] = {"default": shape.default} if unset else {}
            made: Any = strawberry.field(
                name=field_name, description=shape.description or None, **default
            )
            if shape.arguments:
                made.arguments = [_argument(*item) for item in shape.arguments.items()]
            setattr(bare, attribute, made)
        return bare

    def _finish(self, name: str, cls: type) -> type:
        assert cls is self.classes[name], name
        self._made.add(name)
        return cls


def _argument(name: str, shape: ArgumentShape) -> StrawberryArgument:
    return StrawberryArgument(
        python_name=f"{name}_",
        graphql_name=name,
        type_annotation=StrawberryAnnotation(shape.annotation),
        description=shape.description,
        default=shape.default,
    )


def shout(name: str) -> str:
    """`countyFips` is COUNTY_FIPS as the value of an enum."""
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)


__all__ = [
    "ID",
    "PAST",
    "WRITER",
    "WRITES",
    "ArgumentShape",
    "Entity",
    "FieldShape",
    "Given",
    "Shape",
    "Shapes",
    "answers_in",
    "camel",
    "listed",
    "needed",
    "read_argument",
    "read_entity",
    "read_field",
    "read_given",
    "read_interface",
    "role_of",
    "roles_of",
    "shout",
    "unwrap",
    "words",
]
