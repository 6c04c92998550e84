"""Graph: the one thing `schema/` hands to `resolvers/`.

A graph is a GraphQL schema and, beside each of its fields, where the answer comes from. Nothing
here says what the graph is about.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from graphql import GraphQLSchema

from db.mapping import Column, Join, Table
from resolvers.admit import Limits
from resolvers.cache import Cache


@dataclass(frozen=True, slots=True)
class Scalar:
    """One kind of value: its GraphQL name, its Postgres type, and the way from one to the other.

    `read` turns an input value, already coerced by GraphQL, into what Postgres is sent; it raises
    ValueError, in words for the client, for what Postgres would refuse. `few` says that it is one
    of few values, all of them declared.
    """

    name: str
    postgres: str
    read: Callable[[object], object]
    few: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that is a column."""

    column: Column
    scalar: Scalar


@dataclass(frozen=True, slots=True)
class Id:
    """The global id: the type's name, a colon, and the key."""

    column: Column
    scalar: Scalar


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a text's other languages are: in a table that has many texts of many records.

    `remote` is its column that points to our row's `local`, and `field` what our text is called in
    it. Its other columns are `language`, `text`, `original` (what was translated: it counts only
    while that is what our row says), `method` and `reviewed_at`.
    """

    table: str
    remote: str
    local: Column
    field: str


@dataclass(frozen=True, slots=True)
class Localized:
    """A text in several languages, by their columns; the first is the one to fall back to."""

    columns: Mapping[str, Column]
    scalar: Scalar
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """A field that says of a text which language it is answered in, and how it came into it."""

    text: Localized
    target: str


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that a function takes: a value, a list of them, or an object, field by field."""

    name: str
    # What `check` calls it.
    parameter: str
    # None for an object, whose fields then are arguments of the function themselves.
    scalar: Scalar | None
    array: bool
    required: bool
    default: Hashable = None
    fields: tuple[Argument, ...] = ()
    # A language to answer in: if it is not given, that of the request.
    language: bool = False
    # Of an object: called as a function's, wherever the object is given.
    check: Callable[..., None] | None = None
    # Of an object: what is answered to it is nobody else's business, and nobody keeps it.
    private: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of Postgres: it is given columns of the row, and then the arguments.

    `check` is called with the values of the arguments, None where there is none, and raises
    ValueError, in words for the client, for what they cannot be together.
    """

    name: str
    columns: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    check: Callable[..., None] | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that a function of Postgres makes: one value, or a list of values.

    `among` is a function of the same columns and a list, true if the value is in the list.
    `where` is a function without columns: the keys of all rows of which it is true.
    """

    function: Function
    column: Column
    scalar: Scalar
    among: Function | None = None
    where: Function | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A field whose object, or list of objects, a function of Postgres returns as rows."""

    function: Function
    target: str
    many: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A field whose object is made of columns of the very same row."""

    target: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A field that Python makes from columns, by parameter, and GraphQL arguments."""

    function: Callable[..., object]
    columns: Mapping[str, Leaf]
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """An argument of a relation that is compared with a column of its far end."""

    column: Column
    scalar: Scalar
    default: str


@dataclass(frozen=True, slots=True)
class ToOne:
    """A field that leads to at most one other entity."""

    join: Join
    target: str
    given: Mapping[str, Given] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToMany:
    """A field that leads to any number of other entities: a connection, or a plain short list."""

    join: Join
    target: str
    connection: bool


@dataclass(frozen=True, slots=True)
class Past:
    """A field with what the change log has about the record."""


@dataclass(frozen=True, slots=True)
class Differing:
    """A field with how a record differs now from the version of it that somebody had seen."""

    target: str


Field = (
    Leaf
    | Id
    | Localized
    | Wording
    | Derived
    | Made
    | Part
    | Computed
    | ToOne
    | ToMany
    | Past
    | Differing
)


@dataclass(frozen=True, slots=True)
class Near:
    """How rows are found by their place: a column, and functions of Postgres.

    `place` leads from a row to those that have the column `position`; it is empty where the row
    itself has it. The last hop leads to a key. `several` says that a row may be at several places.
    What `everywhere` leads anywhere from is near to everybody. `origin` makes a position of all
    arguments but the last, which is a distance in miles. `reach` turns miles into distances
    between positions, and `miles` turns them back.
    """

    position: str
    place: Join
    several: bool
    everywhere: Join | None
    origin: Function
    reach: str
    miles: str
    default: float


@dataclass(frozen=True, slots=True)
class Entity:
    """A GraphQL type that is the face of a table. Fields go by their GraphQL names.

    `groups` are the keys that rows can be grouped by; a row with several values of one of them
    (a list, or related rows) belongs to several groups. A list leaves out the rows whose column
    `listed` is false, unless its filter speaks of one of the fields `unless`.
    """

    name: str
    table: Table
    fields: Mapping[str, Field]
    groups: Mapping[str, Leaf | Derived | ToOne | ToMany] = field(default_factory=dict)
    listed: Column | None = None
    unless: frozenset[str] = frozenset()
    near: Near | None = None
    # Its rows are another server's to tell: all that is known of one here is its key.
    foreign: bool = False
    # A table of what its records were called before they were merged into others: `entity` is our
    # table, `name` a unique column of it, `value` what was in it, and `key` the other's key.
    aliases: str | None = None


@dataclass(frozen=True, slots=True)
class One:
    """A root field: the entity whose unique column equals the argument."""

    entity: str
    argument: str
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Every:
    """A root field: all entities of a kind."""

    entity: str


@dataclass(frozen=True, slots=True)
class ById:
    """The root field `node`."""


@dataclass(frozen=True, slots=True)
class ByIds:
    """The root field `nodes`."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A column of what was found whose values are counted, each or item by item."""

    column: str
    array: bool
    target: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A root field: what a function finds, of several kinds, best first.

    `hit` is the value type of its rows, whose columns `kind` and `key` say which record it is;
    `kinds` are the entities by kind. `columns` are what the function returns.
    """

    function: Function
    hit: str
    columns: tuple[str, ...]
    kinds: Mapping[str, str]
    facets_type: str
    facets: Mapping[str, Facet]
    # A column that is false in every row where more was found than is returned.
    complete: str | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """A root field of a subscription: what a function makes of lines of the change log.

    It is given the cursors of lines about `tables`, before its arguments.
    """

    function: Function
    target: str
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Everything:
    """A root field of a subscription: the change log itself, about the entities of these tables.

    `types` are what clients call the entities.
    """

    target: str
    tables: Mapping[str, str]
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Since:
    """A root field: what has changed since a place in the change log, of these tables' entities.

    `function` is given the place, the tables, their entities and how many records fit. It returns
    one row: `cursor`, `has_more`, and the lists `kind` and `key`. `types` are what clients call the
    entities. `among` are arguments that say what a field of the same name has to lead to.
    """

    function: Function
    target: str
    tables: Mapping[str, str]
    types: Mapping[str, str]
    among: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Entities:
    """The root field `_entities`: for each type, the fields by one of which others may name one.

    `abstract` are the names under which an entity of any type may be asked for by its id.
    """

    keys: Mapping[str, Mapping[str, Id | Leaf]]
    abstract: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """A root field about the graph itself: its schema as text, as composers read it."""

    sdl: str


@dataclass(frozen=True, slots=True)
class Asker:
    """A root field about whoever asks: the request says it, and no table."""

    target: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A field of an input that sets a column; `required` if it cannot be null."""

    column: Column
    scalar: Scalar
    required: bool


@dataclass(frozen=True, slots=True)
class Slots:
    """A field of an input that is an object, whose fields set columns of the very same row."""

    slots: Mapping[str, Slot]


@dataclass(frozen=True, slots=True)
class Linked:
    """A field of an input that ties a record to others, by rows of a table between them."""

    table: str
    near: str
    far: Column
    scalar: Scalar


@dataclass(frozen=True, slots=True)
class Owned:
    """A field of an input with what a record owns: rows whose column `owner` leads to it."""

    written: str
    owner: Column


@dataclass(frozen=True, slots=True)
class Written:
    """What may be written of an entity: by the fields of inputs, how each is.

    `named` is the field that gives a new record its key; where there is none, it is given a number.
    """

    entity: str
    table: Table
    id: Scalar
    fields: Mapping[str, Slot | Slots | Linked | Owned]
    named: str | None = None


class Deed(Enum):
    """What a change does to a record."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    ARCHIVE = "ARCHIVE"


@dataclass(frozen=True, slots=True)
class Writes:
    """A root field of a mutation: records of a kind are created, updated or archived.

    `many` takes rows, and answers with an outcome for each.
    """

    deed: Deed
    written: str
    payload: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Acts:
    """A root field of a mutation: a function of Postgres that writes, and returns a key.

    `about` is the argument that names a record of `written`, whose version may be asked for. The
    function is given `words` before its arguments: words of the declarations, never of a request.
    """

    function: Function
    payload: str
    key: Column
    about: str | None = None
    table: Table | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposes:
    """A root field of a mutation: what would be changed of a record, for others to decide about.

    `function` is given the kind of the record, its key, what would be written, and why.
    """

    function: str
    written: str
    payload: str
    key: Column


@dataclass(frozen=True, slots=True)
class Accepts:
    """A root field of a mutation: what was proposed is written, all of it or what is chosen.

    `steps` is a function that answers with what would be written, `decide` one that is told whether
    all of it was: a word, and why.
    """

    steps: str
    decide: str
    id: Scalar
    payload: str
    key: Column


Change = Writes | Acts | Proposes | Accepts
Root = One | Every | ById | ByIds | Ranked | Derived | Made | Since | Entities | Known | Asker


@dataclass(frozen=True)
class Graph:
    """A GraphQL schema and how each of its fields is answered, with a memory of its operations.

    `documents` keeps what was worked out for a text, `constants` the answers that no table and no
    variable has a part in, as those about the schema are. They change how fast an answer comes,
    never what it is.
    """

    schema: GraphQLSchema
    entities: Mapping[str, Entity]
    roots: Mapping[str, Root]
    # The root fields of subscriptions.
    told: Mapping[str, Events | Everything] = field(default_factory=dict)
    # The root fields of mutations, and what they may write, by entity.
    changes: Mapping[str, Change] = field(default_factory=dict)
    written: Mapping[str, Written] = field(default_factory=dict)
    # What shows its rows only to those whose they are, as the transaction says who asks.
    guarded: frozenset[str] = frozenset()
    # Types without an identity of their own: rows of functions, and parts of other rows.
    values: Mapping[str, Entity] = field(default_factory=dict)
    # The tables and functions of which only the present is known.
    unrecorded: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    documents: Cache[str, object] = field(default_factory=Cache, compare=False)
    constants: Cache[tuple[str, str | None], bytes] = field(
        default_factory=lambda: Cache(entries=32), compare=False
    )
