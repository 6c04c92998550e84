"""A subscription, from lines of the change log to the events that a client has asked for.

`subscribe` reads and refuses it as `resolve` does a query; `tell` makes the events of some lines
with one statement, on either road.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from db.change_log import Line
from db.database import Database
from resolvers.compute import compute
from resolvers.errors import Code, FieldRefused, RequestRefused, coded, refuse
from resolvers.graph import Events, Everything, Graph, Id
from resolvers.parse import Operation, coerce, is_subscription, parse
from resolvers.plan.changes import CURSOR, KNOWN, LINES, MOST
from resolvers.plan.context import KeyOf, column_name, leaf
from resolvers.plan.plan import plan
from resolvers.plan.references import KindOf
from resolvers.plan.selections import collect
from resolvers.plan.values import Lookout, Tree, value_of
from resolvers.resolve import GraphQLRequest, response

__all__ = ["MOST", "Event", "Subscription", "subscribe", "tell"]


@dataclass(frozen=True, slots=True)
class Event:
    """A whole response as JSON, and the cursor to come back with."""

    body: bytes
    cursor: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """An operation that is told as things happen: which lines it is about, and since when.

    Those whose `question` is the same are told the same of the same lines; None if it is about a
    person, and shared with nobody.
    """

    operation: Operation
    given: Mapping[str, object]
    variables: Mapping[str, object]
    key: str
    source: Events | Everything
    wanted: Callable[[Line], bool]
    after: str | None
    question: Hashable | None


def subscribe(graph: Graph, request: GraphQLRequest) -> Subscription:
    """Read a subscription. RequestRefused says what is wrong with it."""
    operation = parse(graph, request.text, request.operation_name)
    if not is_subscription(operation):
        raise refuse(Code.OPERATION_NOT_SUPPORTED, "This is no subscription.")
    given = request.variables or {}
    variables = coerce(graph, operation, given, request.language)
    lookout = Lookout(variables)
    selections = [operation.definition.selection_set]
    fields = collect(graph.schema, operation, lookout, "Subscription", selections)
    if len(fields) != 1:
        raise refuse(Code.GRAPHQL_VALIDATION_FAILED, "A subscription has one root field.")
    ((key, nodes),) = fields.items()
    name = nodes[0].name.value
    source = graph.told[name]
    type_ = graph.schema.subscription_type
    assert type_ is not None
    arguments = lookout.arguments(nodes[0].arguments, type_.fields[name].args)
    try:
        wanted = _wanted(graph, source, arguments, variables)
        # Planned once with no line at all, so that whatever is wrong is said at once.
        planned, _ = plan(graph, operation, {**variables, LINES: _brought(source, ())})
        if (refused := planned.refused.get((key,))) is not None:
            raise refused
    except FieldRefused as error:
        raise RequestRefused([coded(error.code, error.message, nodes)]) from error
    after = _value(arguments.get("after"), variables)
    assert after is None or isinstance(after, str)
    question = None
    if not planned.private:
        sent = orjson.dumps((given, request.asker), option=orjson.OPT_SORT_KEYS)
        question = (request.text, request.operation_name, sent, request.language)
    return Subscription(operation, given, variables, key, source, wanted, after, question)


async def tell(
    graph: Graph,
    database: Database,
    subscription: Subscription,
    lines: Sequence[Line],
    *,
    computed: bool = False,
) -> list[Event]:
    """The events of some lines, in their order; not every line is one.

    `computed` takes the second road where the first would do, for tests to compare the two.
    """
    variables = {**subscription.variables, LINES: _brought(subscription.source, lines)}
    planned, arguments = plan(graph, subscription.operation, variables, computed=computed)
    assert planned.statement is not None
    fetched = await database.fetch(planned.statement.text, arguments)
    column = column_name(subscription.key)
    rows = orjson.loads(fetched)[column]
    order = {line.cursor: place for place, line in enumerate(lines)}
    rows.sort(key=lambda row: order[row[CURSOR]])
    events = []
    for row in rows:
        cursor = row.pop(CURSOR)
        if planned.computed:
            tree = orjson.dumps({column: row})
            data, errors = compute(graph, subscription.operation, planned, subscription.given, tree)
            body = orjson.dumps(response(errors, data))
        else:
            body = orjson.dumps({"data": {subscription.key: row}})
        events.append(Event(body, cursor))
    return events


def _brought(source: Events | Everything, lines: Sequence[Line]) -> dict[str, list[str]]:
    """Lines as variables."""
    brought: dict[str, list[str]] = {name: [] for name in KNOWN}
    for line in lines:
        kind = source.tables[line.table] if isinstance(source, Everything) else ""
        type_ = source.types[kind] if isinstance(source, Everything) else ""
        known = (line.cursor, line.table, kind, type_, line.key, line.operation, line.at)
        for name, value in zip(KNOWN, known, strict=True):
            brought[name].append(value)
    return brought


def _wanted(
    graph: Graph,
    source: Events | Everything,
    arguments: Mapping[str, Tree],
    variables: Mapping[str, object],
) -> Callable[[Line], bool]:
    """Which lines a subscription is about."""
    if isinstance(source, Events):
        tables: Mapping[str, object] = dict.fromkeys(source.tables)
        return lambda line: line.table in tables
    wanted = dict(source.tables)
    types = _value(arguments.get("types"), variables)
    if types is not None:
        assert isinstance(types, list | tuple)
        names = {str(getattr(type_, "value", type_)) for type_ in types}
        called = {name[0].upper() + name[1:] for name in names}
        wanted = {table: kind for table, kind in wanted.items() if kind in called}
    ids = _value(arguments.get("ids"), variables)
    if ids is None:
        if not wanted:
            raise FieldRefused(Code.BAD_USER_INPUT, "`types` names no type.")
        return lambda line: line.table in wanted
    assert isinstance(ids, list | tuple)
    if not ids or len(ids) > graph.limits.page:
        message = f"`ids` has between one and {graph.limits.page} ids."
        raise FieldRefused(Code.BAD_USER_INPUT, message)
    records = {_record(graph, str(id_)) for id_ in ids}
    return lambda line: line.table in wanted and (line.table, line.key) in records


def _record(graph: Graph, id_: str) -> tuple[str, str]:
    """The table and the key of a record, by its global id."""
    entity = graph.entities[KindOf(frozenset(graph.entities))(id_)]
    field = entity.fields["id"]
    assert isinstance(field, Id)
    return entity.table.name, str(KeyOf(entity.name, field.scalar.read)(id_))


def _value(tree: Tree, variables: Mapping[str, object]) -> object:
    given = leaf(tree)
    return None if given is None else value_of(given, variables)
