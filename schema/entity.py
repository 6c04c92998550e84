"""The words that types are declared with: entity, column, join, many, derived, part and others.

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
from functools import cache
from typing import Any, Generic, TypeVar

from strawberry import ID

from db.mapping import Hop
from schema.roles import Role

__all__ = [
    "ID",
    "Accepting",
    "Action",
    "Argument",
    "Asker",
    "Column",
    "Computed",
    "Connection",
    "Declaration",
    "DeclarationError",
    "Derived",
    "Editing",
    "Events",
    "Every",
    "Everything",
    "Language",
    "Localized",
    "One",
    "Only",
    "Part",
    "Proposing",
    "Ranked",
    "Relation",
    "Role",
    "Since",
    "accepting",
    "action",
    "argument",
    "asker",
    "column",
    "computed",
    "derived",
    "descriptions",
    "editing",
    "entity",
    "events",
    "every",
    "everything",
    "facet",
    "given",
    "interface",
    "join",
    "localized",
    "many",
    "one",
    "only",
    "part",
    "proposing",
    "ranked",
    "since",
    "value",
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
    implements: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    position: str | None = None
    place: tuple[str, ...] = ()
    everywhere: tuple[str, ...] = ()
    translated: str | None = None
    role: Role = Role.PUBLIC
    unrecorded: str | None = None
    aliases: bool = False
    own: str | None = None
    # Of a part: whether its columns may be written by hand.
    written: bool = False


class Follows(str):
    """Why a table has no lines in the change log: its rows follow from others, and so did they."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Only:
    """A field that is not for everybody."""

    role: Role
    word: object


@dataclass(frozen=True, slots=True)
class Column:
    """A field that is a column. What is None follows from its type and the size of its table."""

    name: str | None = None
    unique: bool = False
    filter: bool | None = None
    order: bool | None = None
    search: bool = False
    group: bool | str | None = None
    written: bool | str = True
    default: object = None


@dataclass(frozen=True, slots=True)
class Localized:
    """A text in several languages, by their columns; English is always there."""

    columns: Mapping[str, str | None]
    search: bool = False
    filter: bool | None = None
    order: bool | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A field that leads to another entity, along hops written `local = table.remote`."""

    hops: tuple[str, ...]
    outward: bool
    given: Mapping[str, tuple[str, Enum]]
    group: bool | str | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a derived field: its type, and what it means."""

    annotation: Any
    description: str
    default: Any = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that a function of Postgres makes of columns and arguments."""

    function: str
    columns: tuple[str, ...]
    arguments: Mapping[str, Argument]
    check: Callable[..., None] | None
    filter: bool | None
    order: bool | None
    group: bool | str | None
    among: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A field whose object is made of columns of this very row."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A field that Python makes of columns: the function's parameters name them."""

    function: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Facet:
    """A list of the values of a column of what was found, each with how often it was."""

    column: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A root field: what a function finds, of several kinds, best first."""

    function: str
    hit: type
    facets: type
    arguments: Mapping[str, Argument]
    check: Callable[..., None] | None
    complete: str | None


@dataclass(frozen=True, slots=True)
class Events:
    """A root field of a subscription: what a function of Postgres makes of the change log."""

    function: str
    tables: tuple[str, ...]
    arguments: Mapping[str, Argument]
    check: Callable[..., None] | None


@dataclass(frozen=True, slots=True)
class Everything:
    """A root field of a subscription: the change log itself."""


@dataclass(frozen=True, slots=True)
class Since:
    """A root field: which records have changed since a place in the change log."""

    function: str
    arguments: Mapping[str, Argument]


@dataclass(frozen=True, slots=True)
class Asker:
    """A root field about whoever asks."""


@dataclass(frozen=True, slots=True)
class Editing:
    """Root fields of a mutation, by which records of a kind are created, updated and archived."""

    owned: tuple[str, ...]
    linked: tuple[str, ...]
    fixed: tuple[str, ...]
    appended: bool
    alone: bool


@dataclass(frozen=True, slots=True)
class Proposing:
    """A root field of a mutation: what would be changed of a record, for others to decide about."""

    function: str
    of: type


@dataclass(frozen=True, slots=True)
class Accepting:
    """A root field of a mutation: what was proposed is written, all of it or what is chosen."""

    steps: str
    decide: str


@dataclass(frozen=True, slots=True)
class Action:
    """A root field of a mutation: a function of Postgres that changes what it is about."""

    function: str
    arguments: Mapping[str, Argument]
    about: str | None
    check: Callable[..., None] | None


@dataclass(frozen=True, slots=True)
class One:
    """A root field: the entity with this value in a unique field."""

    field: str
    check: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Every:
    """A root field: all entities of a kind, as a connection."""


def entity(
    table: str,
    *,
    key: str = "id",
    order: tuple[str, ...] = ("name",),
    large: bool = False,
    implements: tuple[str, ...] = (),
    listed: tuple[str, ...] = (),
    position: str | None = None,
    place: tuple[str, ...] = (),
    everywhere: tuple[str, ...] = (),
    translated: str | None = None,
    role: Role = Role.PUBLIC,
    unrecorded: str | None = None,
    aliases: bool = False,
    own: str | None = None,
) -> Callable[[Class], Class]:
    """Declare that a class is the face of a table (or view).

    `order` names columns, with a minus for descending; the key always follows. `large` tables
    offer only filters and orders that a column asks for, because an index has to serve them.
    `listed=("listed", "status")` names a boolean column without which a row is in no list, unless
    the filter speaks of one of the fields after it. `position` is a column that tells where a
    row is, so that its lists can be asked for what is near. It is a column of this table, or of
    the one that the hops of `place` end in, whose key the last hop leads to; of several places the
    nearest counts. What the hops of `everywhere` lead anywhere from is near to everybody.
    `translated` is the column of the table `translations` that points to this one: its `localized`
    texts have their Spanish there. `role` is the least that may see any of it; to others neither
    the type exists nor anything that leads to it. `unrecorded` says why the change log has no lines
    about it; all others are in it. Records of one with `aliases` can be merged: what one was called
    by before then answers as the other. `own` is a view of those rows that belong to whoever asks:
    all that is seen by those who may not change records.
    """

    def declare(cls: Class) -> Class:
        said = Declaration(
            table,
            key,
            order,
            large,
            implements,
            listed,
            position,
            place,
            everywhere,
            translated,
            role,
            unrecorded,
            aliases,
            own,
        )
        cls.__entity__ = said  # type: ignore[attr-defined]  # noted on the class itself, so that no registry is needed
        return cls

    return declare


def value(
    *, order: tuple[str, ...] = (), large: bool = False, written: bool = False
) -> Callable[[Class], Class]:
    """Declare an object without an id: a row that a function returns, or a part of other rows.

    `large` is for parts of large tables: only filters and orders that a column asks for. What is
    `written` is a part of records whose columns may be written by hand.
    """

    def declare(cls: Class) -> Class:
        cls.__value__ = Declaration("", "", order, large, written=written)  # type: ignore[attr-defined]  # noted on the class itself
        return cls

    return declare


def given(
    *, check: Callable[..., None] | None = None, private: bool = False
) -> Callable[[Class], Class]:
    """Declare an input object, for arguments of derived fields.

    Where the object is given, `check` is called with all its fields, by name, and raises
    ValueError for what they cannot be together. What is answered to a `private` object is about a
    person: nobody keeps it.
    """

    def declare(cls: Class) -> Class:
        cls.__given__ = check  # type: ignore[attr-defined]  # noted on the class itself
        cls.__private__ = private  # type: ignore[attr-defined]  # likewise
        return cls

    return declare


def interface(cls: Class) -> Class:
    """Declare fields that entities of several kinds have in common."""
    cls.__interface__ = True  # type: ignore[attr-defined]  # noted on the class itself
    return cls


def only(role: Role, word: object = None) -> Any:
    """A field for this role and those above it. To others it does not exist: not as a field, nor as
    a filter, an order or a group."""
    return Only(role, Column() if word is None else word)


def column(
    name: str | None = None,
    *,
    unique: bool = False,
    filter: bool | None = None,
    order: bool | None = None,
    search: bool = False,
    group: bool | str | None = None,
    written: bool | str = True,
    default: object = None,
) -> Any:
    """A column. `search` offers `contains` and `startsWith`, `group` a key of `groupBy`.

    A list is grouped by its items, so its key has a name of its own: `group="language"`.
    What Postgres works out is not `written` by hand, or it is worked out of the column that is.
    `default` is what a new record says if nothing is given.
    """
    return Column(name, unique, filter, order, search, group, written, default)


def localized(
    *,
    en: str | None = None,
    es: str | None = None,
    search: bool = False,
    filter: bool | None = None,
    order: bool | None = None,
) -> Any:
    """A text in two languages, chosen by the argument `lang`, or else by the request.

    `en` is its column in English, if it is not called as the field is; `es` the one in Spanish, if
    there is one. What an entity is `translated` by comes after that, and English last. Beside
    `label` stands `labelWording`, which says which of them it was. Filters look in both languages.
    """
    return Localized({"EN": en, "ES": es}, search, filter, order)


def join(
    *hops: str,
    given: Mapping[str, tuple[str, Enum]] | None = None,
    group: bool | str | None = None,
) -> Any:
    """To one: `join("county_fips")`, or hop by hop `join("location_id = locations.id", ...)`.

    `given` adds arguments: `{"type": ("visit_type", VisitType.IN_PERSON)}` is the argument
    `type`, compared with that column, and its default. Rows are grouped by what a foreign key of
    theirs leads to; by what is further away, if `group` says so.
    """
    return Relation(hops, outward=True, given=dict(given or {}), group=group)


def many(*hops: str, group: str | None = None) -> Any:
    """To many: `many("institution_id")`, or hop by hop through a table between.

    `group="category"` names a key of `groupBy`: a row is in the group of each that it leads to.
    """
    return Relation(hops, outward=False, given={}, group=group)


def derived(
    function: str,
    *columns: str,
    check: Callable[..., None] | None = None,
    filter: bool | None = None,
    order: bool | None = None,
    group: bool | str | None = None,
    among: str | None = None,
    where: str | None = None,
    **arguments: Argument,
) -> Any:
    """What a function of Postgres makes of these columns and, after them, these arguments.

    It returns a value, or rows for a `@value` type or a list of them. An argument that is not
    given is null; one of type `Language | None` is then the language of the request, if that
    names one. Where no argument is required it filters, orders and groups as a column does;
    what is true or false only for one required argument makes a filter that *is* the argument.
    `check` is called with all arguments, by name, and raises ValueError for the client to read.
    `among`, of an enum, is a function that is given the columns and a list of its words, and says
    whether the value is one of them: where an index serves the question only if it is put like
    that, filters ask it, with the words written into the statement.
    `where` names a function that returns, for the same arguments, the keys of all rows for which it
    is true. The filter then asks it once, instead of every row; without an argument it is a
    Boolean, and false keeps the rest: what is false, and what is unknown.
    """
    return Derived(function, columns, arguments, check, filter, order, group, among, where)


def argument(annotation: Any, description: str, default: Any = None) -> Argument:
    """An argument of a derived field; `| None` if it may be left out.

    Where it is an entity, a client gives its global id, and the function its key.
    """
    return Argument(annotation, description, default)


def part() -> Any:
    """An object made of columns of this very row: its type is a `@value`."""
    return Part()


def computed(function: Callable[..., object]) -> Any:
    """Made in Python: positional parameters are columns, keyword-only ones are arguments."""
    return Computed(function)


def facet(column: str) -> Any:
    """How many of what was found have each value of a column, or of a list in it.

    Its rows have the columns `value` and `count`.
    """
    return Facet(column)


def ranked(
    function: str,
    hit: type,
    facets: type,
    *,
    check: Callable[..., None] | None = None,
    complete: str | None = None,
    **arguments: Argument,
) -> Any:
    """Root field: what a function finds with these arguments, of several kinds, best first.

    `hit` is a `@value` whose columns the function returns, beside `kind` and `key`, which say
    which record was found; clients see its other fields on the edge. Its order is that of the
    list, and unique. `facets` is a `@value` made of `facet`s. Where the function may find more than
    it returns, `complete` names a column that is true if it does not.
    """
    return Ranked(function, hit, facets, arguments, check, complete)


def events(
    function: str,
    *tables: str,
    check: Callable[..., None] | None = None,
    **arguments: Argument,
) -> Any:
    """Root field of a subscription: what a function makes of lines of the change log.

    It is given the cursors of new lines about these tables, and then the arguments, and returns
    rows for a `@value` type, each with the `cursor` of the line that it is about; none for a line
    that is nobody's business.
    """
    return Events(function, tables, arguments, check)


def everything() -> Any:
    """Root field of a subscription: every line of the change log, about records of any type."""
    return Everything()


def since(function: str, **arguments: Argument) -> Any:
    """Root field: which records of any type have changed since a place in the change log.

    The function is given the place, tables, what their types are called and a number, and returns
    one row: `cursor`, `has_more`, and the lists `kind` and `key`. An argument is called as a field
    that leads to an entity: only records for which that is the one given are told of, and those for
    which it no longer is are told as if they were gone.
    """
    return Since(function, arguments)


def asker() -> Any:
    """Root field: whoever asks. Its `@value` has fields that the request knows."""
    return Asker()


def editing(
    *,
    owned: tuple[str, ...] = (),
    linked: tuple[str, ...] = (),
    fixed: tuple[str, ...] = (),
    appended: bool = False,
    alone: bool = True,
) -> Any:
    """Root fields: records of a kind are created, updated and archived, one by one or many.

    `owned` are relations to what belongs to a record, is written together with it, and goes with
    it; `linked` are relations through a table between, whose rows say nothing else. What is `fixed`
    is said of a new record, and never changed. Records that are `appended` are only ever created: a
    correction is a new one. Those that are not written `alone` are written with what they belong
    to.
    """
    return Editing(owned, linked, fixed, appended, alone)


def proposing(function: str, of: type) -> Any:
    """Root field: changes to a record of this kind, and to all that belongs to it, are proposed."""
    return Proposing(function, of)


def accepting(steps: str, decide: str) -> Any:
    """Root field: what was proposed is written, as `steps` has it, and `decide` is told so."""
    return Accepting(steps, decide)


def action(
    function: str,
    *,
    about: str | None = None,
    check: Callable[..., None] | None = None,
    **arguments: Argument,
) -> Any:
    """Root field: a function of Postgres that changes something, and returns the key of a record.

    `about` is the argument that names the record whose version the client may insist on. A function
    with an argument `dry_run` of its own is told of it, and what it does then stays.
    """
    return Action(function, arguments, about, check)


def one(field: str, *, check: Callable[[str], None] | None = None) -> Any:
    """Root field: one entity, by a unique field.

    `check` is called with what was given, and raises ValueError, for the client to read, for what
    nothing can be called.
    """
    return One(field, check)


def every() -> Any:
    """Root field: all of a kind."""
    return Every()


def hop(text: str) -> Hop:
    """`"location_id = locations.id"`, read."""
    local, _, target = text.partition(" = ")
    table, _, remote = target.partition(".")
    if not (local and table and remote):
        raise DeclarationError(f"A hop is written 'local = table.remote', not {text!r}.")
    return Hop(local, table, remote)


@cache
def descriptions(cls: type) -> Mapping[str, str]:
    """The strings below the members of a class, by member. The graphs of all roles have them."""
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
