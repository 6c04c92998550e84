"""Constraints say what types promise, and indexes serve what they offer."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import asyncpg
import pytest
import pytest_asyncio

import schema.types
from db.data.words import Words, words
from db.mapping import Hop
from db.migrate import migrate
from schema.entity import Declaration, hop
from schema.scalars import scalar_of
from schema.shapes import Entity, Shape, read_entity
from tests.db.scratch import connected, scratch

# Views, and the tables whose rows they show.
VIEWS = {
    "current_visiting_statuses": "visiting_statuses",
    "current_population_counts": "population_counts",
    "listed_services": "services",
    "ongoing_offerings": "program_offerings",
    "served_counties": "service_areas",
    "statewide_services": "service_areas",
    "provider_duplicate_candidates": "duplicate_candidates",
}
# Views whose rows follow from those of several tables. Nothing constrains them but the tests of
# their rules, and no index is theirs.
FOLLOWING = {"visitor_service_gaps", "lacked_visitor_services", "unserved_categories"}
FOLLOWING |= {"archived_records"}

# A view's column that shows several of its table, each of which has to be found by an index.
SIDES = {("provider_duplicate_candidates", "provider_id"): ("left_id", "right_id")}

OWNED = {"EnumValue", "Phone", "Schedule", "ScheduleException", "ServiceArea"}
OWNED |= {"RequiredDocument", "CostOption", "LanguageNote", "ServiceCapacity"}

MODULES = [
    importlib.import_module(f"schema.types.{module.name}")
    for module in pkgutil.iter_modules(schema.types.__path__)
]
KNOWN = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, type)
}
ENTITIES = {
    name: read_entity(cls, KNOWN) for name, cls in KNOWN.items() if hasattr(cls, "__entity__")
}
VALUES = {name: read_entity(cls, KNOWN) for name, cls in KNOWN.items() if hasattr(cls, "__value__")}


@dataclass(frozen=True)
class Index:
    """An index: its columns in order, with a minus for descending."""

    table: str
    method: str
    columns: tuple[str, ...]
    operators: tuple[str, ...]
    unique: bool
    partial: str | None

    def begins(self, *columns: str) -> bool:
        """Whether it can be read in the order of these columns, forwards or backwards."""
        mine = self.columns[: len(columns)]
        turned = tuple(
            each.removeprefix("-") if each.startswith("-") else f"-{each}" for each in columns
        )
        return self.method == "btree" and mine in (columns, turned)

    def whole(self, column: str = "") -> bool:
        """Whether it has every row, or every row with a value in this column."""
        return self.partial is None or self.partial == f"({column} IS NOT NULL)"


@dataclass(frozen=True)
class Catalog:
    """What Postgres knows of the tables."""

    columns: Mapping[tuple[str, str], tuple[str, bool]]  # type, not null
    indexes: Sequence[Index]
    foreign_keys: Mapping[tuple[str, str], tuple[str, str]]
    words: Words

    def on(self, table: str) -> Iterator[Index]:
        return (index for index in self.indexes if index.table == VIEWS.get(table, table))

    def unique(self, table: str, column: str) -> bool:
        return any(
            index.columns == (column,) and index.unique and index.whole()
            for index in self.on(table)
        )

    def leads(self, table: str, column: str) -> bool:
        """Whether an index finds the rows with a value in a column."""
        return all(
            any(index.begins(side) and index.whole(side) for index in self.on(table))
            for side in self.sides(table, column)
        )

    def sides(self, table: str, column: str) -> Sequence[str]:
        """The columns that are shown as one."""
        return SIDES.get((table, column), (column,))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def catalog() -> AsyncIterator[Catalog]:
    """The catalog of a migrated database."""
    async with scratch() as url:
        await migrate(url)
        async with connected(url) as connection:
            yield await _catalog(connection)


async def _catalog(connection: asyncpg.Connection) -> Catalog:
    columns = await connection.fetch(
        "select attrelid::regclass::text as table, attname, format_type(atttypid, null) as type,"
        " t.typname, attnotnull from pg_attribute a join pg_class c on c.oid = attrelid"
        " join pg_type t on t.oid = atttypid"
        " where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') and attnum > 0"
        " and not attisdropped"
    )
    indexes = await connection.fetch(
        "select indrelid::regclass::text as table, amname, indisunique,"
        " pg_get_expr(indpred, indrelid) as partial,"
        " array(select case when indoption[n - 1] & 1 = 1 then '-' else '' end"
        "       || pg_get_indexdef(indexrelid, n, true) from generate_series(1, indnkeyatts) n"
        "       order by n) as columns,"
        " array(select opcname from unnest(indclass) o join pg_opclass p on p.oid = o) as operators"
        " from pg_index i join pg_class c on c.oid = indexrelid join pg_am a on a.oid = c.relam"
        " where c.relnamespace = 'public'::regnamespace"
    )
    keys = await connection.fetch(
        "select conrelid::regclass::text as table, a.attname as column,"
        " confrelid::regclass::text as target, b.attname as remote from pg_constraint"
        " join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]"
        " join pg_attribute b on b.attrelid = confrelid and b.attnum = confkey[1]"
        " where contype = 'f'"
    )
    return Catalog(
        {(row["table"], row["attname"]): (row["typname"], row["attnotnull"]) for row in columns},
        [
            Index(
                row["table"],
                row["amname"],
                tuple(row["columns"]),
                tuple(row["operators"]),
                row["indisunique"],
                row["partial"],
            )
            for row in indexes
        ],
        {(row["table"], row["column"]): (row["target"], row["remote"]) for row in keys},
        await words(connection),
    )


def total_order(declaration: Declaration) -> tuple[str, ...]:
    """A table's own order, made total by its key, which goes the way of the column before it."""
    descending = declaration.order and declaration.order[-1].startswith("-")
    return (*declaration.order, f"-{declaration.key}" if descending else declaration.key)


def fields() -> Iterator[tuple[Entity, Shape]]:
    """Every field of a row, those of its parts included."""
    for entity in ENTITIES.values():
        yield from ((entity, shape) for shape in _of_the_row(entity))


def _of_the_row(owner: Entity) -> Iterator[Shape]:
    for shape in owner.fields:
        yield shape
        if shape.part and shape.target:
            yield from _of_the_row(VALUES[shape.target])


def columns() -> list[tuple[Entity, Shape]]:
    return [
        (entity, shape)
        for entity, shape in fields()
        if shape.column is not None and entity.declaration.table not in FOLLOWING
    ]


def relations(*, to_one: bool) -> list[tuple[Entity, Shape]]:
    return [
        (entity, shape)
        for entity, shape in fields()
        if shape.relation is not None and shape.to_one is to_one
        if entity.declaration.table not in FOLLOWING
    ]


def hops(entity: Entity, shape: Shape) -> list[Hop]:
    """A relation, written out."""
    assert shape.relation is not None
    assert shape.target is not None
    target = ENTITIES[shape.target].declaration
    first, *rest = shape.relation.hops
    if rest or " = " in first:
        return [hop(text) for text in shape.relation.hops]
    if shape.to_one:
        return [Hop(first, target.table, target.key)]
    return [Hop(entity.declaration.key, target.table, first)]


def named(value: object) -> str | None:
    if isinstance(value, Entity):
        return value.name
    return value.name if isinstance(value, Shape) else None


@pytest.mark.parametrize(("entity", "shape"), columns(), ids=named)
def test_a_field_promises_what_its_column_keeps(
    catalog: Catalog, entity: Entity, shape: Shape
) -> None:
    assert shape.column is not None
    type_, not_null = catalog.columns[entity.declaration.table, shape.column]
    assert not_null is not shape.nullable
    if not shape.key:
        assert type_ == ("_" if shape.array else "") + scalar_of(shape.python).postgres


@pytest.mark.parametrize(("entity", "shape"), columns(), ids=named)
def test_an_enum_has_exactly_the_words_of_its_check(
    catalog: Catalog, entity: Entity, shape: Shape
) -> None:
    assert shape.column is not None
    known = catalog.words.get((entity.declaration.table, shape.column))
    if issubclass(shape.python, Enum):
        assert known == frozenset(member.value for member in shape.python)
    else:
        assert known is None, "a column with few words is an enum"


@pytest.mark.parametrize(("entity", "shape"), columns(), ids=named)
def test_what_is_found_by_a_unique_field_is_one(
    catalog: Catalog, entity: Entity, shape: Shape
) -> None:
    assert shape.column is not None
    if shape.unique or shape.key:
        assert catalog.unique(entity.declaration.table, shape.column)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=named)
def test_texts_in_two_languages_are_there_in_english(catalog: Catalog, entity: Entity) -> None:
    for shape in entity.fields:
        for language, column in (shape.localized or {}).items():
            type_, not_null = catalog.columns[entity.declaration.table, column]
            assert type_ == "text"
            assert not_null is (language == "EN" and not shape.nullable)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=named)
def test_a_text_has_one_translation_and_an_index_finds_it(catalog: Catalog, entity: Entity) -> None:
    column = entity.declaration.translated
    if column is None:
        assert "translations" not in {shape.attribute for shape in entity.fields}
        return
    owner = (entity.declaration.table, entity.declaration.key)
    assert catalog.foreign_keys["translations", column] == owner
    assert any(
        index.columns == (column, "field", "language") and index.unique and index.whole(column)
        for index in catalog.on("translations")
    )
    assert entity.field("translations").relation is not None


@pytest.mark.parametrize(("entity", "shape"), relations(to_one=True), ids=named)
def test_a_relation_to_one_is_a_foreign_key_that_keeps_its_promise(
    catalog: Catalog, entity: Entity, shape: Shape
) -> None:
    table = entity.declaration.table
    step, *further = hops(entity, shape)
    if step.local == entity.declaration.key:  # to the newest of what points here
        assert step.table in VIEWS
        assert catalog.foreign_keys[VIEWS[step.table], step.remote] == (table, step.local)
        assert shape.nullable
        return
    may_end = False
    for each in (step, *further):
        assert catalog.foreign_keys[table, each.local] == (each.table, each.remote)
        _, not_null = catalog.columns[table, each.local]
        may_end = may_end or not not_null
        table = each.table
    assert may_end is shape.nullable


@pytest.mark.parametrize(("entity", "shape"), relations(to_one=False), ids=named)
def test_a_relation_to_many_is_followed_along_indexes(
    catalog: Catalog, entity: Entity, shape: Shape
) -> None:
    way = hops(entity, shape)
    assert shape.target is not None
    target = ENTITIES[shape.target].declaration
    steps = [step for step in way if step.table not in FOLLOWING]
    if len(way) == len(steps) == 1 and target.table not in VIEWS:
        for side in catalog.sides(steps[0].table, steps[0].remote):
            served = (side, *total_order(target))
            assert any(
                # After a unique column nothing is left to order.
                index.begins(*(served[: len(index.columns)] if index.unique else served))
                and index.whole(side)
                for index in catalog.on(steps[0].table)
            ), served
    for step in steps:
        assert catalog.leads(step.table, step.remote)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=named)
def test_a_list_has_an_index_for_its_order(catalog: Catalog, entity: Entity) -> None:
    if entity.name in OWNED:
        return  # only ever listed for their owner
    if entity.declaration.table in FOLLOWING:
        return
    order = total_order(entity.declaration)
    assert any(
        # After a unique column nothing is left to order.
        index.whole() and index.begins(*(order[: len(index.columns)] if index.unique else order))
        for index in catalog.on(entity.declaration.table)
    )


@pytest.mark.parametrize(
    ("entity", "shape"), [(e, s) for e, s in columns() if e.large or s.search], ids=named
)
def test_what_a_large_table_offers_is_served_by_an_index(
    catalog: Catalog, entity: Entity, shape: Shape
) -> None:
    table, column = entity.declaration.table, shape.column
    assert column is not None
    indexes = list(catalog.on(table))
    if shape.search and entity.large:
        assert any(
            index.columns == (column,) and index.operators == ("gin_trgm_ops",) for index in indexes
        )
    if shape.filterable and entity.large:
        assert catalog.leads(table, column) or any(
            # Of several columns, too, a GIN index finds any.
            index.method == "gin" and column in index.columns and shape.array
            for index in indexes
        )
    if shape.orderable and entity.large:
        assert catalog.unique(table, column) or any(
            index.begins(column, entity.declaration.key) for index in indexes
        )


@pytest.mark.parametrize(
    "entity", [entity for entity in ENTITIES.values() if entity.declaration.position], ids=named
)
def test_what_is_near_is_found_from_an_index_of_positions(catalog: Catalog, entity: Entity) -> None:
    said = entity.declaration
    steps = [hop(text) for text in said.place]
    table = steps[-1].table if steps else said.table
    assert said.position is not None
    assert catalog.columns[table, said.position][0] == "cube"
    assert any(
        index.method == "gist"
        and [column.strip('"') for column in index.columns] == [said.position]
        and index.whole()
        for index in catalog.on(table)
    )
    # From a place back to what is there, and from a row to its places.
    before = said.table
    for step in steps:
        assert catalog.leads(before, step.local)
        assert catalog.leads(step.table, step.remote)
        before = step.table


def test_every_foreign_key_can_be_followed_backwards(catalog: Catalog) -> None:
    missing = [
        (table, column)
        for table, column in catalog.foreign_keys
        if not catalog.leads(table, column)
    ]
    assert missing == []


def test_the_parameters_of_a_computed_field_are_columns(catalog: Catalog) -> None:
    for entity in ENTITIES.values():
        for shape in entity.fields:
            if shape.computed is None:
                continue
            for name, parameter in inspect.signature(shape.computed).parameters.items():
                if parameter.kind is not parameter.KEYWORD_ONLY:
                    assert (entity.declaration.table, name) in catalog.columns


async def test_every_table_says_what_it_is_in_hsds() -> None:
    async with scratch() as url:
        await migrate(url)
        async with connected(url) as connection:
            comments = await connection.fetch(
                "select relname, obj_description(oid, 'pg_class') as said from pg_class"
                " where relkind = 'r' and relnamespace = 'public'::regnamespace"
                " and relname <> 'schema_migrations'"
            )
    untold = [row["relname"] for row in comments if "HSDS" not in (row["said"] or "")]
    assert untold == []


async def test_what_runs_with_its_owners_rights_looks_only_where_it_says() -> None:
    """Nobody can put a table or a function of their own before ours."""
    async with scratch() as url:
        await migrate(url)
        async with connected(url) as connection:
            found = await connection.fetch(
                "select proname, proconfig from pg_proc"
                " where prosecdef and pronamespace = 'public'::regnamespace"
            )
    assert found
    assert [row for row in found if row["proconfig"] != ["search_path=public, pg_temp"]] == []


def test_every_field_is_described() -> None:
    silent: dict[str, list[str]] = defaultdict(list)
    for entity in ENTITIES.values():
        for shape in entity.fields:
            if not shape.description.endswith("."):
                silent[entity.name].append(shape.name)
    assert silent == {}
