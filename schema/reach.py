"""What a graph reads to answer its fields: tables, columns of other tables, and functions.

Arguments can reach further: a filter may speak of anything that a field of the whole graph leads
to. In a subgraph that is not counted here, and a role without it is told NOT_GRANTED.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from graphql import GraphQLInterfaceType, GraphQLObjectType

from db.mapping import Join, Reach
from resolvers import graph
from resolvers.change import CALLED
from resolvers.past import AS_OF
from resolvers.plan.history import READ, SAID, VERSION
from resolvers.plan.references import ALIAS
from schema.changes import LOG, LOG_COLUMNS
from schema.subgraphs import SUBGRAPHS


def reach_of(
    served: graph.Graph, names: Collection[str] = tuple(SUBGRAPHS), whole: graph.Graph | None = None
) -> Reach:
    """What has to be read to serve a graph, of which these are the subgraphs.

    Of a table whose entity has more fields in the `whole` graph, only columns are.
    """
    tables = {each.table.name for each in served.entities.values() if not each.foreign}
    tables.update(table for name in names for table in SUBGRAPHS[name].tables)
    tables -= _hidden(served, whole or served)
    functions: set[str] = set()
    columns: defaultdict[str, set[str]] = defaultdict(set)
    for source in _sources(served):
        match source:
            case graph.Derived(function, _, _, among, where):
                functions |= {each.name for each in (function, among, where) if each}
            case graph.Made(function, _, _) | graph.Ranked(function):
                functions.add(function.name)
            case graph.Since(function):
                functions.add(function.name)
                columns[LOG].update(LOG_COLUMNS)
            case graph.Past():
                functions |= {"differences", "version_after"}
                columns[LOG].update(READ)
            case graph.Differing():
                functions |= {"differences", VERSION}
                columns[LOG].update(SAID)
            case graph.ToOne(join, target) | graph.ToMany(join, target):
                far = served.entities.get(target) or served.values[target]
                for table, column in _hopped(join, far, source):
                    columns[table].add(column)
    for entity in served.entities.values():
        if entity.table.name not in tables and not entity.foreign:
            columns[entity.table.name].update(_columns(served, entity))
        if entity.near is not None:
            functions |= {entity.near.origin.name, entity.near.reach, entity.near.miles}
            for step, following in pairwise(entity.near.place):
                columns[step.table] |= {step.remote, following.local}
    if any(isinstance(root, graph.ById | graph.ByIds) for root in served.roots.values()):
        # Whether there is what an id names, whoever tells more of it.
        for entity in served.entities.values():
            columns[entity.table.name].add(entity.table.key.name)
    for entity in served.entities.values():
        if entity.aliases is not None:
            columns[entity.aliases].update(ALIAS)
    for told in served.told.values():
        columns[LOG].update(LOG_COLUMNS)
        if isinstance(told, graph.Events):
            functions.add(told.function.name)
    writes, calls = _written(served)
    found = {name: frozenset(of) for name, of in columns.items() if name not in tables}
    past = served.schema.get_directive(AS_OF) is not None
    return Reach(frozenset(tables), found, frozenset(functions), writes, calls, past)


def _written(served: graph.Graph) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """The columns that may be written by hand, by table, and the functions that write."""
    writes: defaultdict[str, set[str]] = defaultdict(set)
    for each in _writable(served):
        columns = writes[each.table.name]
        columns.add(each.table.key.name)
        for name in each.fields:
            match each.fields[name]:
                case graph.Slot(column):
                    columns.add(column.name)
                case graph.Slots(slots):
                    columns.update(slot.column.name for slot in slots.values())
                case graph.Linked(table, near, far):
                    writes[table] |= {near, far.name}
                case graph.Owned(written, owner):
                    writes[served.written[written].table.name].add(owner.name)
    calls: set[str] = set()
    for change in served.changes.values():
        match change:
            case graph.Acts(function):
                calls.add(function.name)
            case graph.Proposes(name):
                calls.add(name)
            case graph.Accepts(steps, decide):
                calls |= {steps, decide}
    if served.changes:
        calls |= CALLED
    return {table: frozenset(columns) for table, columns in writes.items()}, frozenset(calls)


def _writable(served: graph.Graph) -> Iterator[graph.Written]:
    """What is written by hand, each with all that belongs to it."""
    todo: list[str] = []
    for change in served.changes.values():
        if isinstance(change, graph.Writes):
            todo.append(change.written)
        elif isinstance(change, graph.Accepts):
            # What is proposed of a record that another server keeps, that one has to do.
            todo += [name for name in served.written if not served.entities[name].foreign]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            fields = served.written[name].fields.values()
            todo += [field.written for field in fields if isinstance(field, graph.Owned)]
            yield served.written[name]


def _hidden(served: graph.Graph, whole: graph.Graph) -> set[str]:
    """The tables of which somebody may see more, or which are not for this graph at all."""
    more = {
        each.table.name
        for name, each in whole.entities.items()
        if name not in served.entities or _more(each, served.entities[name])
    }
    gone = whole.entities.keys() - served.entities.keys()
    # A relation to what is not for this graph leads over tables that are not, either; where it is
    # the only thing that a field was left out for, the rest of its table may be seen.
    for name, each in whole.entities.items():
        here = served.entities.get(name)
        if here is not None and all(
            getattr(each.fields[field], "target", None) in gone for field in _more(each, here)
        ):
            more.discard(each.table.name)
    for each in whole.entities.values():
        for source in each.fields.values():
            if isinstance(source, graph.ToMany | graph.ToOne) and source.target in gone:
                more.add(source.join[0].table)
    return more


def _more(whole: graph.Entity, here: graph.Entity) -> set[str]:
    """The fields of an entity that are not for this graph, but for what is known of its changes."""
    return {
        name
        for name in whole.fields.keys() - here.fields.keys()
        if not isinstance(whole.fields[name], graph.Past) and name != "version"
    }


def _columns(served: graph.Graph, entity: graph.Entity) -> Iterator[str]:
    """The columns of an entity's table that its fields, lists and places are made of."""
    yield entity.table.key.name
    yield from (sort.column.name for sort in entity.table.order)
    if entity.listed is not None:
        yield entity.listed.name
    if entity.near is not None:
        yield entity.near.place[0].local if entity.near.place else entity.near.position
    for source in entity.fields.values():
        yield from _made_of(served, source)


def _made_of(served: graph.Graph, source: object) -> Iterator[str]:
    match source:
        case graph.Leaf(column, _) | graph.Id(column, _):
            yield column.name
        case graph.Localized(columns, _):
            yield from (column.name for column in columns.values())
        case graph.Derived(function) | graph.Made(function):
            yield from function.columns
        case graph.Computed(_, columns, _):
            yield from (leaf.column.name for leaf in columns.values())
        case graph.Part(target):
            for inner in served.values[target].fields.values():
                yield from _made_of(served, inner)
        case graph.ToOne(join, _) | graph.ToMany(join, _):
            yield join[0].local
        case _:
            return


def _sources(served: graph.Graph) -> Iterator[object]:
    """Where each field that is served comes from."""
    for name, type_ in served.schema.type_map.items():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            continue
        known: Mapping[str, object] = {}
        if name == "Query":
            known = served.roots
        elif entity := served.entities.get(name) or served.values.get(name):
            known = entity.fields
        yield from (known[field] for field in type_.fields if field in known)


def _hopped(join: Join, far: graph.Entity, source: object) -> Iterator[tuple[str, str]]:
    """The columns that a way leads over, and those that its end is listed by."""
    for step, following in pairwise(join):
        yield step.table, step.remote
        yield step.table, following.local
    last, key = join[-1], far.table.key.name
    if isinstance(source, graph.ToOne) and far.foreign and last.remote == key:
        return  # the foreign key says all there is to say
    yield last.table, last.remote
    yield last.table, key
    for sort in far.table.order:
        yield last.table, sort.column.name
    if far.listed is not None:
        yield last.table, far.listed.name
