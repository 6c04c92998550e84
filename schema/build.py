"""The types become a Graph: a schema for clients, tables and joins for the planner."""

from __future__ import annotations

import gc
import inspect
import sys
import typing
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from types import ModuleType
from typing import Any

import orjson
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    introspection_from_schema,
    print_schema,
)
from strawberry import ID, UNSET
from strawberry.schema.config import StrawberryConfig

import schema.types
from db import mapping
from resolvers import graph
from resolvers.admit import Limits
from resolvers.compute import asker_of, computed_by, field_of, type_of
from resolvers.plan.history import ENTRY
from schema import arguments, mutation, near, query, subscription
from schema.changes import ChangesPage, EntityChange, since_root, told
from schema.check import check
from schema.entity import (
    Asker,
    DeclarationError,
    Derived,
    Every,
    Follows,
    Language,
    One,
    Only,
    Ranked,
    Role,
    Since,
    descriptions,
    hop,
)
from schema.history import history_types
from schema.live import LIVE
from schema.past import as_of
from schema.scalars import SCALAR_MAP, TEXT_KEY, UUID_KEY, Checked, id_of, scalar_of
from schema.shapes import (
    PAST,
    WRITER,
    ArgumentShape,
    Entity,
    FieldShape,
    Given,
    Shape,
    Shapes,
    answers_in,
    camel,
    listed,
    needed,
    read_argument,
    read_entity,
    read_field,
    read_given,
    read_interface,
    role_of,
    shout,
    unwrap,
)
from schema.wording import Wording
from schema.writing import Mutations, Writer


@contextmanager
def _unswept() -> Iterator[None]:
    """Look for no garbage: all that is made here stays, and looking took a fifth of the time."""
    swept = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if swept:
            gc.enable()


@_unswept()
def build(
    limits: Limits | None = None,
    *,
    types: ModuleType = schema.types,
    menu: type = query.Query,
    follow: type | None = None,
    change: type | None = None,
    role: Role = Role.ADMIN,
) -> graph.Graph:
    """The graph of the declared types that a role may see, asked through a menu of root fields.

    Another menu has no subscriptions, unless there are others to `follow`.
    """
    if follow is None and menu is query.Query:
        follow = subscription.Subscription
        change = mutation.Mutation
    everyone = {name: value for name, value in vars(types).items() if hasattr(value, "__entity__")}
    classes = {name: cls for name, cls in everyone.items() if role.includes(role_of(cls))}
    interfaces = {
        name: value for name, value in vars(types).items() if hasattr(value, "__interface__")
    }
    parts = {name: value for name, value in vars(types).items() if hasattr(value, "__value__")}
    parts[Wording.__name__] = Wording
    known = _introduced([*everyone.values(), *interfaces.values(), *parts.values()])
    declared = {name: read_entity(cls, known, role) for name, cls in classes.items()}
    values = {name: read_entity(cls, known, role) for name, cls in parts.items()}
    promised = {name: read_interface(cls, known) for name, cls in interfaces.items()}
    everything = {**declared, **values}
    check(declared, values, promised)
    shapes = Shapes(everything, known)
    _enums(shapes, everything)
    sources = {name: _entity(shapes, entity, everything) for name, entity in everything.items()}
    entities = {name: sources[name] for name in declared}
    roots, root_fields = _menu(shapes, menu, role, declared, entities)
    _interfaces(shapes, interfaces, promised)
    for value in values.values():
        arguments.filters(shapes, value)
        arguments.orders(shapes, value)
        arguments.aggregates(shapes, value)
        shapes.object_type(value.name, value.description, _fields(shapes, value))
    for entity in declared.values():
        arguments.filters(shapes, entity)
        arguments.orders(shapes, entity)
        arguments.aggregates(shapes, entity)
        _connection(shapes, entity)
        _object(shapes, entity)
    _page_info(shapes)
    mutations: Mutations | None = None
    mutation_type = None
    if change is not None and role.includes(WRITER):
        mutations = Writer(shapes, change, declared, entities, _asked, role).made()
        text = inspect.cleandoc(change.__doc__ or "")
        mutation_type = shapes.object_type("Mutation", text, mutations.fields)
    if any(shape.past for entity in declared.values() for shape in entity.fields):
        history_types(shapes)
    query_type = shapes.object_type("Query", inspect.cleandoc(menu.__doc__ or ""), root_fields)
    told_roots: dict[str, graph.Events | graph.Everything] = {}
    subscription_type = None
    if follow is not None:
        known_to_menu = {**classes, **parts, EntityChange.__name__: EntityChange}
        told_roots, told_fields = told(
            shapes, follow, known_to_menu, declared, _arguments, _field_arguments
        )
        text = inspect.cleandoc(follow.__doc__ or "")
        subscription_type = shapes.object_type("Subscription", text, told_fields)
    built = strawberry.Schema(
        query_type,
        mutation=mutation_type,
        subscription=subscription_type,
        types=[shapes.classes[name] for name in declared],
        config=StrawberryConfig(auto_camel_case=False, scalar_map=dict(SCALAR_MAP)),
    )
    core: GraphQLSchema = built._schema
    looks_back = role.includes(PAST) and "DateTime" in core.type_map
    core.directives = (*core.directives, LIVE, *([as_of(core)] if looks_back else []))
    made = graph.Graph(
        schema=core,
        entities=entities,
        roots=roots,
        told=told_roots,
        values={name: sources[name] for name in values}
        | dict(mutations.payloads if mutations else {}),
        changes=mutations.changes if mutations else {},
        written=mutations.written if mutations else {},
        guarded=frozenset(
            entity.declaration.own
            for entity in declared.values()
            if entity.declaration.own == entity.declaration.table and entity.declaration.own
        ),
        unrecorded=_unrecorded(declared, roots),
        limits=limits or Limits(),
    )
    _furnish(made, shapes)
    return made


def _unrecorded(declared: Mapping[str, Entity], roots: Mapping[str, graph.Root]) -> frozenset[str]:
    """The tables that have no past, and the functions that tell what is new."""
    reasons = {each.declaration.table: each.declaration.unrecorded for each in declared.values()}
    told = [root.function.name for root in roots.values() if isinstance(root, graph.Since)]
    tables = [name for name, why in reasons.items() if why and not isinstance(why, Follows)]
    return frozenset([*tables, *told])


def sdl(made: graph.Graph) -> str:
    """The schema as text, with its descriptions; that of a subgraph as composers read it."""
    service = made.roots.get("_service")
    return service.sdl if isinstance(service, graph.Known) else print_schema(made.schema) + "\n"


def introspection(made: graph.Graph) -> bytes:
    """The schema as the answer to the full introspection query, for tools that want JSON."""
    found = introspection_from_schema(made.schema, experimental_directive_deprecation=False)
    return orjson.dumps({"data": found})


def _introduced(classes: Iterable[type]) -> dict[str, type]:
    """Every type that any declaring module knows, so that no file has to import in circles."""
    known: dict[str, type] = {}
    for cls in classes:
        module = vars(sys.modules[cls.__module__])
        known |= {name: value for name, value in module.items() if isinstance(value, type)}
    return known


def _enums(shapes: Shapes, declared: Mapping[str, Entity]) -> None:
    for entity in declared.values():
        for shape in entity.fields:
            if issubclass(shape.python, Enum):
                shapes.declared_enum(shape.python)
            if shape.relation is not None:
                for _, default in shape.relation.given.values():
                    shapes.declared_enum(type(default))
    for own in (Language, arguments.SortDirection):
        shapes.declared_enum(own)


def _entity(shapes: Shapes, entity: Entity, declared: Mapping[str, Entity]) -> graph.Entity:
    """What the planner needs to know of an entity or a value."""
    columns = _columns(entity)
    order = tuple(
        mapping.Sort(columns[name.removeprefix("-")], name.startswith("-"))
        for name in entity.declaration.order
    )
    table = mapping.Table(entity.declaration.table, _key(entity), order)
    fields = {
        shape.name: _source(shapes, entity, shape, columns, declared) for shape in entity.fields
    }
    groups = {
        name: _source(shapes, owner, shape, _columns(owner), declared)
        for name, shape, owner in arguments.groups(shapes, entity)
    }
    listed_, *unless = entity.declaration.listed or (None,)
    return graph.Entity(
        entity.name,
        table,
        fields,
        groups,  # type: ignore[arg-type]  # of the kinds that check() lets through
        mapping.Column(listed_, "bool") if listed_ else None,
        frozenset(camel(name) for name in unless if name),
        _near(shapes, entity, declared),
        aliases="aliases" if entity.declaration.aliases else None,
    )


def _near(shapes: Shapes, entity: Entity, declared: Mapping[str, Entity]) -> graph.Near | None:
    said = entity.declaration
    if said.position is None:
        return None
    keys = {other.declaration.table: other.declaration.key for other in declared.values()}
    place = tuple(map(hop, said.place))
    several = any(keys.get(step.table) != step.remote for step in place)
    everywhere = tuple(map(hop, said.everywhere)) or None
    asked = _asked(shapes, read_argument("near", near.Near, ""))
    origin = graph.Function("near_position", (), (asked,))
    return graph.Near(
        said.position, place, several, everywhere, origin, "chord", "miles", near.NEAR
    )


def _columns(entity: Entity) -> dict[str | None, mapping.Column]:
    key = _key(entity)
    columns: dict[str | None, mapping.Column] = {
        shape.column: _column(shape, key) for shape in entity.fields if shape.column
    }
    for shape in entity.fields:
        for language, column in (shape.localized or {}).items():
            nullable = shape.nullable or language != "EN"
            columns[column] = mapping.Column(column, "text", nullable)
    return columns


def _key(entity: Entity) -> mapping.Column:
    name = entity.declaration.key
    return mapping.Column(name, "uuid" if name == "id" else "text")


def _column(shape: Shape, key: mapping.Column) -> mapping.Column:
    assert shape.column is not None
    if shape.key:
        return key
    return mapping.Column(
        shape.column, scalar_of(shape.python).postgres, shape.nullable, shape.array
    )


def _source(
    shapes: Shapes,
    entity: Entity,
    shape: Shape,
    columns: Mapping[str | None, mapping.Column],
    declared: Mapping[str, Entity],
) -> graph.Field:
    """Where a field's answer comes from."""
    if shape.part:
        assert shape.target is not None
        return graph.Part(shape.target)
    if shape.past:
        return graph.Past()
    if shape.derived is not None:
        return _derived(shapes, shape)
    if shape.facet is not None:
        assert shape.target is not None
        # Of no row: `ranked` reads it from all that was found.
        return graph.Part(shape.target)
    if shape.computed is not None:
        return _computed(entity, shape, columns)
    if shape.localized is not None:
        return _localized(entity, shape, columns)
    if shape.wording is not None:
        return graph.Wording(_localized(entity, entity.field(shape.wording), columns), "Wording")
    if shape.relation is not None:
        assert shape.target is not None
        target = declared[shape.target]
        join = _join(entity, shape, target)
        if not shape.to_one:
            return graph.ToMany(join, target.name, shape.connection)
        given = {
            name: graph.Given(
                mapping.Column(column, "text"), scalar_of(type(default)), str(default.value)
            )
            for name, (column, default) in shape.relation.given.items()
        }
        return graph.ToOne(join, target.name, given)
    column = columns[shape.column]
    if shape.key:
        return graph.Id(column, UUID_KEY if column.type == "uuid" else TEXT_KEY)
    return graph.Leaf(column, scalar_of(shape.python))


def _localized(
    entity: Entity, shape: Shape, columns: Mapping[str | None, mapping.Column]
) -> graph.Localized:
    assert shape.localized is not None
    translated = entity.declaration.translated
    return graph.Localized(
        {language: columns[name] for language, name in shape.localized.items()},
        scalar_of(str),
        graph.Elsewhere("translations", translated, _key(entity), shape.name)
        if translated
        else None,
    )


def _derived(shapes: Shapes, shape: Shape) -> graph.Derived | graph.Made:
    assert shape.derived is not None
    said = shape.derived
    asked = _arguments(shapes, shape)
    function = graph.Function(said.function, said.columns, asked, said.check)
    if shape.target is not None:
        return graph.Made(function, shape.target, not shape.to_one)
    scalar = scalar_of(shape.python)
    column = mapping.Column(shape.attribute, scalar.postgres, shape.nullable, shape.array)
    among = graph.Function(said.among, said.columns) if said.among else None
    where = graph.Function(said.where, (), asked, said.check) if said.where else None
    return graph.Derived(function, column, scalar, among, where)


def _arguments(shapes: Shapes, shape: Shape) -> tuple[graph.Argument, ...]:
    """The arguments of a function as the planner sees them."""
    return tuple(_asked(shapes, item) for item in arguments.derived_arguments(shape))


def _asked(shapes: Shapes, item: Given, *, inside: bool = False) -> graph.Argument:
    """An argument as the planner sees it; an input object is its fields."""
    needed = not item.nullable
    if hasattr(item.python, "__given__"):
        fields = tuple(
            _asked(shapes, inner, inside=True) for inner in read_given(item.python, shapes.known)
        )
        return graph.Argument(
            item.name,
            item.attribute,
            None,
            False,
            needed,
            fields=fields,
            check=item.python.__given__,
            private=getattr(item.python, "__private__", False),
        )
    default = item.default.value if isinstance(item.default, Enum) else item.default
    assert isinstance(default, Hashable)
    if hasattr(item.python, "__entity__"):
        entity = shapes.entities[item.python.__name__]
        scalar = id_of(entity.name, entity.declaration.key)
    else:
        scalar = scalar_of(item.python)
    # Inside an object a language is what the object is about, not the one to answer in.
    language = answers_in(item) and not inside
    return graph.Argument(
        item.name, item.attribute, scalar, item.array, needed, default, language=language
    )


def _computed(
    entity: Entity, shape: Shape, columns: Mapping[str | None, mapping.Column]
) -> graph.Computed:
    assert shape.computed is not None
    needed: dict[str, graph.Leaf] = {}
    asked: dict[str, str] = {}
    for name, parameter in inspect.signature(shape.computed).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            asked[camel(name) + "_"] = name
        else:
            column = columns[entity.field(name).column]
            needed[name] = graph.Leaf(column, scalar_of(entity.field(name).python))
    return graph.Computed(shape.computed, needed, asked)


def _join(entity: Entity, shape: Shape, target: Entity) -> mapping.Join:
    """The hops of a relation, with the short forms written out."""
    assert shape.relation is not None
    first, *rest = shape.relation.hops
    if not rest and " = " not in first:
        table = target.declaration.table
        if shape.relation.outward:
            return (mapping.Hop(first, table, target.declaration.key),)
        return (mapping.Hop(entity.declaration.key, table, first),)
    return tuple(hop(text) for text in shape.relation.hops)


def _menu(
    shapes: Shapes,
    menu: type,
    role: Role,
    declared: Mapping[str, Entity],
    entities: Mapping[str, graph.Entity],
) -> tuple[dict[str, graph.Root], dict[str, FieldShape]]:
    """The root fields: how each is answered, and what clients see of it."""
    hints = typing.get_type_hints(menu, None, {**shapes.known, ChangesPage.__name__: ChangesPage})
    below = descriptions(menu)
    node = shapes.ref("Node")
    ids = list[ID]
    roots: dict[str, graph.Root] = {"node": graph.ById(), "nodes": graph.ByIds()}
    fields = {
        "node": FieldShape(
            node,
            "Anything by its global id; null if it does not exist.",
            {"id": ArgumentShape(ID, "A global id, as `id` fields give it.")},
        ),
        "nodes": FieldShape(
            shapes.optional(listed(node)),
            "Several things by their global ids, in the order asked; at most 100.",
            {"ids": ArgumentShape(ids, "Global ids, as `id` fields give them.")},
        ),
    }
    for attribute, hint in hints.items():
        name = camel(attribute)
        text = below.get(attribute, "")
        word = getattr(menu, attribute)
        if not role.includes(needed(hint, word)):
            continue
        if isinstance(word, Only):
            word = word.word
        bare, _ = unwrap(hint)
        if isinstance(word, Derived):
            shape = read_field(attribute, hint, word, text)
            made = _derived(shapes, shape)
            roots[name] = made
            fields[name] = FieldShape(
                _annotation(shapes, shape), text, _field_arguments(shapes, shape)
            )
        elif isinstance(word, One):
            entity = entities[bare.__name__]
            shape = declared[entity.name].field(word.field)
            if not shape.unique:
                message = f"{name} finds one {entity.name} by {word.field!r}, which is not unique."
                raise DeclarationError(message)
            column = entity.fields[shape.name]
            assert isinstance(column, graph.Leaf)
            if word.check is not None:
                read = Checked(column.scalar.read, word.check)
                column = replace(column, scalar=replace(column.scalar, read=read))
            given = camel(word.field)
            roots[name] = graph.One(entity.name, given, column)
            argument = ArgumentShape(shape.python, shape.description)
            fields[name] = FieldShape(shapes.ref(entity.name), text, {given: argument})
        elif isinstance(word, Every):
            target = declared[typing.get_args(bare)[0].__name__]
            roots[name] = graph.Every(target.name)
            fields[name] = FieldShape(
                shapes.ref(f"{target.name}Connection"), text, _page_arguments(shapes, target)
            )
        elif isinstance(word, Since):
            roots[name], fields[name] = since_root(
                shapes, attribute, word, text, declared, _arguments, _field_arguments
            )
        elif isinstance(word, Asker):
            roots[name] = graph.Asker(bare.__name__)
            fields[name] = FieldShape(shapes.ref(bare.__name__), text)
        elif isinstance(word, Ranked):
            kinds = [kind.__name__ for kind in typing.get_args(typing.get_args(bare)[0])]
            roots[name], fields[name] = _ranked(shapes, name, kinds, word, text)
    return roots, fields


def _ranked(
    shapes: Shapes, name: str, kinds: list[str], word: Ranked, text: str
) -> tuple[graph.Root, FieldShape]:
    hit = shapes.entities[word.hit.__name__]
    facets = shapes.entities[word.facets.__name__]
    function = Derived(word.function, (), word.arguments, word.check, False, False, False, None)
    shape = read_field(name, object, function, text)
    asked = tuple(_asked(shapes, item) for item in arguments.derived_arguments(shape))
    columns = [column for column in _columns(hit) if column]
    hidden = ("kind", "key")
    told = (word.complete,) if word.complete else ()
    of_kind = {shout(kind[0].lower() + kind[1:]): kind for kind in kinds}
    source = graph.Ranked(
        graph.Function(word.function, (), asked, word.check),
        hit.name,
        tuple(dict.fromkeys((*hidden, *columns, *_read_by(hit), *_counted_by(facets), *told))),
        of_kind,
        facets.name,
        {
            inner.name: graph.Facet(inner.facet, _array(hit, inner.facet), inner.target or "")
            for inner in facets.fields
            if inner.facet
        },
        word.complete,
    )
    members: Any = tuple(shapes.required(kind) for kind in kinds)
    node = typing.Annotated[
        typing.Union[members],  # noqa: UP007  # made at run time
        strawberry.union(f"{hit.name}Result", description=f"A record that a {name} finds."),
    ]
    edge = {
        "cursor": FieldShape(str, "Its place in this order, for `after` and `before`."),
        "node": FieldShape(node, "The record itself."),
    }
    edge |= {
        field_name: field
        for field_name, field in _fields(shapes, hit).items()
        if field_name not in hidden
    }
    shapes.object_type(f"{hit.name}Edge", hit.description, edge)
    shapes.object_type(
        f"{hit.name}Connection",
        f"What a {name} finds, best first, page by page.",
        {
            "edges": FieldShape(listed(shapes.required(f"{hit.name}Edge")), "This page."),
            "nodes": FieldShape(listed(node), "This page, without cursors and scores."),
            "pageInfo": FieldShape(shapes.required("PageInfo"), "What lies around this page."),
            "totalCount": FieldShape(int, "How many records there are on all pages."),
            "facets": FieldShape(
                shapes.required(facets.name), "What the records on all pages have in common."
            ),
            "complete": FieldShape(
                bool,
                "Whether these are all. False where so many fit that only the best of them, or a "
                "share of them, were looked at; then all numbers are of those.",
            ),
        },
    )
    number, cursor = shapes.optional(int), shapes.optional(str)
    given = _field_arguments(shapes, shape) | _paging(number, cursor)
    return source, FieldShape(shapes.ref(f"{hit.name}Connection"), text, given)


def _array(hit: Entity, column: str) -> bool:
    return any(shape.column == column and shape.array for shape in hit.fields)


def _read_by(hit: Entity) -> list[str]:
    """The columns that the functions behind a hit's fields are given."""
    return [name for shape in hit.fields if shape.derived for name in shape.derived.columns]


def _counted_by(facets: Entity) -> list[str]:
    return [shape.facet for shape in facets.fields if shape.facet]


def _interfaces(
    shapes: Shapes, interfaces: Mapping[str, type], promised: Mapping[str, Sequence[Shape]]
) -> None:
    id_ = {"id": FieldShape(ID, "The global id.")}
    shapes.interface_type("Node", "Anything that has a global id.", id_)
    for name, cls in interfaces.items():
        fields = {
            shape.name: FieldShape(_annotation(shapes, shape), shape.description)
            for shape in promised[name]
        }
        shapes.interface_type(name, inspect.cleandoc(cls.__doc__ or ""), fields)


def _object(shapes: Shapes, entity: Entity) -> None:
    bases = ("Node", *entity.declaration.implements)
    shapes.object_type(entity.name, entity.description, _fields(shapes, entity), bases)


def _fields(shapes: Shapes, entity: Entity) -> dict[str, FieldShape]:
    return {
        shape.name: FieldShape(
            _annotation(shapes, shape), shape.description, _field_arguments(shapes, shape)
        )
        for shape in entity.fields
    }


def _annotation(shapes: Shapes, shape: Shape) -> object:
    annotation: Any
    if shape.past:
        annotation = shapes.required(f"{ENTRY}Connection")
    elif shape.connection:
        annotation = shapes.required(f"{shape.target}Connection")
    elif shape.target is not None:
        annotation = shapes.required(shape.target)
        if not shape.to_one:
            annotation = listed(annotation)
    else:
        annotation = ID if shape.key else shape.python
        if shape.array:
            annotation = listed(annotation)
    return shapes.optional(annotation) if shape.nullable else annotation


_OF_REQUEST = "that of the request (`Accept-Language`), else English."


def _field_arguments(shapes: Shapes, shape: Shape) -> dict[str, ArgumentShape]:
    if shape.connection:
        assert shape.target is not None
        return _page_arguments(shapes, shapes.entities[shape.target])
    if shape.past:
        return _paging(shapes.optional(int), shapes.optional(str))
    if shape.localized is not None:
        text = f"The language to answer in; if not given, {_OF_REQUEST}"
        return {"lang": ArgumentShape(shapes.optional(Language), text)}
    if shape.wording is not None:
        text = f"The language that `{camel(shape.wording)}` is asked for, so the same as there."
        return {"lang": ArgumentShape(shapes.optional(Language), text)}
    if shape.relation is not None:
        return {
            name: ArgumentShape(type(default), f"Which {name}.", default)
            for name, (_, default) in shape.relation.given.items()
        }
    if shape.derived is not None:
        return {
            item.name: ArgumentShape(
                arguments.taken(shapes, item),
                f"{item.description} If not given, {_OF_REQUEST}"
                if answers_in(item)
                else item.description,
                UNSET if item.default is None else item.default,
            )
            for item in arguments.derived_arguments(shape)
        }
    if shape.computed is not None:
        found = {}
        hints = typing.get_type_hints(shape.computed)
        for name, parameter in inspect.signature(shape.computed).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                found[camel(name)] = ArgumentShape(
                    hints[name], f"The {name.replace('_', ' ')}.", parameter.default
                )
        return found
    return {}


def _page_arguments(shapes: Shapes, target: Entity) -> dict[str, ArgumentShape]:
    found = {
        "filter": ArgumentShape(shapes.ref(f"{target.name}Filter"), f"Which {target.plural}."),
        **_paging(shapes.optional(int), shapes.optional(str)),
    }
    if target.declaration.position:
        text_ = f"Only {target.plural} near a place, the nearest first if no order is given."
        taken = arguments.taken(shapes, read_argument("near", near.Near | None, ""))
        found["near"] = ArgumentShape(taken, text_)
    if shapes.has_order(target.name):
        steps = shapes.list_of(f"{target.name}Order")
        found["orderBy"] = ArgumentShape(steps, "In which order; the id decides between equals.")
    return found


def _paging(number: object, text: object) -> dict[str, ArgumentShape]:
    return {
        "first": ArgumentShape(number, "How many, from the start; 20 if neither is given."),
        "after": ArgumentShape(text, "Only what comes after this cursor."),
        "last": ArgumentShape(number, "How many, from the end; at most 100."),
        "before": ArgumentShape(text, "Only what comes before this cursor."),
    }


def _connection(shapes: Shapes, entity: Entity) -> None:
    name, plural = entity.name, entity.plural
    edge = {
        "cursor": FieldShape(str, "Its place in this order, for `after` and `before`."),
        "node": FieldShape(shapes.required(name), "The record itself."),
    }
    if entity.declaration.position:
        edge["distanceMiles"] = FieldShape(
            shapes.optional(float),
            "How far it is from the place given as `near`, in a straight line over the ground, "
            "and the nearest if it is at several places; null if none was given, and for what is "
            "offered everywhere.",
        )
    shapes.object_type(f"{name}Edge", f"One of the {plural} on a page, and its place.", edge)
    fields = {
        "edges": FieldShape(listed(shapes.required(f"{name}Edge")), "This page, with cursors."),
        "nodes": FieldShape(listed(shapes.required(name)), "This page, without cursors."),
        "pageInfo": FieldShape(shapes.required("PageInfo"), "What lies around this page."),
        "totalCount": FieldShape(int, f"How many {plural} there are on all pages."),
        "aggregate": FieldShape(
            shapes.required(f"{name}Aggregate"), f"Numbers about the {plural} on all pages."
        ),
    }
    if f"{name}GroupBy" in shapes.classes:
        by = listed(shapes.classes[f"{name}GroupBy"])
        fields["groupBy"] = FieldShape(
            listed(shapes.required(f"{name}Group")),
            f"The {plural} on all pages in groups, largest first.",
            {
                "keys": ArgumentShape(by, "What the members of a group have in common."),
                "first": ArgumentShape(
                    shapes.optional(int), "How many groups, at most 100; 20 if not given."
                ),
            },
        )
    shapes.object_type(f"{name}Connection", f"A list of {plural}, page by page.", fields)


def _page_info(shapes: Shapes) -> None:
    text = shapes.optional(str)
    shapes.object_type(
        "PageInfo",
        "What lies around a page.",
        {
            "hasNextPage": FieldShape(bool, "Whether there is more after this page."),
            "hasPreviousPage": FieldShape(bool, "Whether there is more before this page."),
            "startCursor": FieldShape(text, "The place of the first record; null if none."),
            "endCursor": FieldShape(text, "The place of the last record; null if none."),
        },
    )


def _furnish(made: graph.Graph, shapes: Shapes) -> None:
    """Give strawberry's types the resolvers of the second road, and values their descriptions."""
    askers = {root.target for root in made.roots.values() if isinstance(root, graph.Asker)}
    for name, type_ in made.schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType):
            type_.is_type_of = None
            entity = made.entities.get(name) or made.values.get(name)
            if entity is not None:
                # Interfaces would come first; their place is where they were declared.
                type_.fields = {field: type_.fields[field] for field in entity.fields}
            for field_name, field in type_.fields.items():
                source = entity.fields.get(field_name) if entity else None
                root = made.roots.get(field_name) if name == "Query" else None
                if name in askers or isinstance(root, graph.Asker):
                    field.resolve = asker_of
                elif isinstance(source, graph.Computed):
                    field.resolve = computed_by(source)
                else:
                    field.resolve = field_of
        elif isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            type_.resolve_type = type_of
        elif isinstance(type_, GraphQLEnumType):
            for value, text in shapes.enums.get(name, {}).items():
                type_.values[value].description = text
            setattr(type_, _COERCE, _as_it_is)
        elif isinstance(type_, GraphQLInputObjectType):
            # Values stay as they are sent; there is no Python object to make of them.
            setattr(type_, "out_type", dict)  # noqa: B010  # a method to mypy
            type_.is_one_of = name in shapes.one_of
        elif isinstance(type_, GraphQLScalarType):
            setattr(type_, _COERCE, _as_it_is)


# graphql-core would check what Postgres has written already.
_COERCE = "coerce_output_value"


def _as_it_is(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else value
