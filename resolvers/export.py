"""An operation that asks for a page of a connection becomes all of its rows, page after page.

The operation is written anew: what it selects of a row stays as it is, and its pages are asked for
by the graph's own cursors. All of them see one moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from graphql.language import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
)

from db.database import Database
from db.transaction import Snapshot
from resolvers.compute import compute
from resolvers.errors import Code, FieldRefused, RequestRefused, coded, refuse
from resolvers.graph import Every, Graph, Ranked
from resolvers.parse import Operation, coerce, is_query, parse
from resolvers.plan.plan import plan
from resolvers.plan.selections import Fields, collect
from resolvers.plan.values import Lookout
from resolvers.resolve import GraphQLRequest

Row = Mapping[str, object]
Keys = tuple[str, ...]

# Where the cursor of the page before is among the variables; no name of GraphQL has a dot.
_AFTER = ".after"
_PAGING = ("first", "after", "last", "before")
_LISTS = ("nodes", "edges")


@dataclass(frozen=True, slots=True)
class Column:
    """A value of each row: where it is, and which field it is."""

    keys: Keys
    field: str
    # Whether a row may have several of it.
    several: bool


@dataclass(frozen=True, slots=True)
class Export:
    """All rows of a connection: how many there are, what each has, and themselves."""

    name: str
    columns: Sequence[Column]
    total: int
    pages: AsyncIterator[Sequence[Row]]


@asynccontextmanager
async def export(
    graph: Graph, database: Database, request: GraphQLRequest, most: int
) -> AsyncIterator[Export]:
    """All rows of the connection that an operation asks for, if they are no more than `most`.

    Raises RequestRefused or DatabaseError, as the pages do.
    """
    question = _Question(graph, request)
    async with database.snapshot(question.as_of) as snapshot:
        first = await question.page(snapshot, None)
        total = first["totalCount"]
        assert isinstance(total, int)
        if total > most:
            message = f"These are {total} rows; you may export {most}. Filter more narrowly."
            raise refuse(Code.EXPORT_TOO_LARGE, message)
        yield Export(question.name, question.columns, total, question.pages(snapshot, first))


class _Question:
    """An operation, written anew."""

    def __init__(self, graph: Graph, request: GraphQLRequest) -> None:
        operation = parse(graph, request.text, request.operation_name)
        if not is_query(operation):
            raise _not_exportable("Only a query can be exported.")
        self.graph = graph
        self.request = request
        self.given = request.variables or {}
        self.variables = coerce(graph, operation, self.given, request.language)
        # What the operation is refused for, its export is refused for.
        planned, _ = plan(graph, operation, self.variables)
        _refuse_all(planned.refused)
        self.as_of = planned.moment(self.variables)
        lookout = Lookout(self.variables)
        sets = [operation.definition.selection_set]
        fields = collect(graph.schema, operation, lookout, "Query", sets)
        if len(fields) != 1:
            raise _not_exportable("An export is of one connection: ask for one field.")
        self.key, nodes = next(iter(fields.items()))
        field = nodes[0]
        if not isinstance(graph.roots.get(field.name.value), Every | Ranked):
            raise _not_exportable(f"`{field.name.value}` is no connection.")
        query = graph.schema.type_map["Query"]
        assert isinstance(query, GraphQLObjectType)
        declared = query.fields[field.name.value]
        paging = lookout.arguments(field.arguments, declared.args)
        for name in ("after", "last", "before"):
            if paging.get(name) is not None:
                raise _not_exportable(f"An export is of all rows: leave out `{name}`.")
        kind = get_named_type(declared.type)
        assert isinstance(kind, GraphQLObjectType)
        inner = collect(
            graph.schema, operation, lookout, kind.name, [node.selection_set for node in nodes]
        )
        lists = [key for key, (node, *_) in inner.items() if node.name.value in _LISTS]
        if len(lists) != 1:
            raise _not_exportable("An export is of `nodes` or of `edges`: ask for one of them.")
        listed = inner[lists[0]]
        self.list = listed[0].name.value
        selections = [node.selection_set for node in listed]
        row = get_named_type(kind.fields[self.list].type).name
        self.columns = tuple(_Columns(graph, operation, lookout).of(row, selections))
        self.name = operation.name or field.name.value
        self.first, self.next = self._sized(operation, field, selections)

    def _sized(
        self,
        operation: Operation,
        field: FieldNode,
        selections: Sequence[SelectionSetNode | None],
    ) -> tuple[Operation, Operation]:
        """The operations for the first page and for those after it, as large as a page may be."""
        size = self.graph.limits.page
        while True:
            made = [
                _rewritten(operation, self.key, field, self.list, selections, size, later)
                for later in (False, True)
            ]
            try:
                plan(self.graph, made[0], self.variables)
            except RequestRefused as refused:
                codes = {(error.extensions or {}).get("code") for error in refused.errors}
                if codes != {Code.TOO_MANY_ROWS.value} or size == 1:
                    raise
                # Each row brings many others.
                size = max(1, size // 5)
            else:
                return made[0], made[1]

    async def pages(self, snapshot: Snapshot, first: Row) -> AsyncIterator[Sequence[Row]]:
        """The pages, of which the first is there already."""
        page = first
        while True:
            rows, info = page[self.list], page["pageInfo"]
            assert isinstance(rows, list)
            assert isinstance(info, dict)
            yield rows
            if not info["hasNextPage"]:
                return
            page = await self.page(snapshot, info["endCursor"])

    async def page(self, snapshot: Snapshot, after: str | None) -> Row:
        """One page: the object of the connection."""
        operation = self.first if after is None else self.next
        more = {} if after is None else {_AFTER: after}
        planned, arguments = plan(self.graph, operation, self.variables | more)
        _refuse_all(planned.refused)
        assert planned.statement is not None
        fetched = await snapshot.fetch(planned.statement.text, arguments)
        if planned.computed:
            given = {**self.given, **more}
            asker = self.request.asker
            data, errors = compute(self.graph, operation, planned, given, fetched, asker)
            if errors:
                raise RequestRefused(errors)
        else:
            data = orjson.loads(fetched)
        assert isinstance(data, dict)
        page: Row = data[self.key]
        return page


def _rewritten(
    operation: Operation,
    key: str,
    field: FieldNode,
    listed: str,
    selections: Sequence[SelectionSetNode | None],
    size: int,
    later: bool,
) -> Operation:
    """The operation that asks for one page, and for what leads to the next."""
    merged = [each for found in selections if found is not None for each in found.selections]
    asked = [
        _field(listed, merged),
        _field("pageInfo", [_field("hasNextPage"), _field("endCursor")]),
        *([] if later else [_field("totalCount")]),
    ]
    paging = [_argument("first", IntValueNode(value=str(size)))]
    variables = list(operation.definition.variable_definitions or ())
    if later:
        cursor = VariableNode(name=NameNode(value=_AFTER))
        paging.append(_argument("after", cursor))
        type_ = NamedTypeNode(name=NameNode(value="String"))
        variables.append(VariableDefinitionNode(variable=cursor, type=type_, directives=()))
    kept = [each for each in field.arguments or () if each.name.value not in _PAGING]
    root = FieldNode(
        name=field.name,
        alias=NameNode(value=key),
        arguments=(*kept, *paging),
        directives=(),
        selection_set=SelectionSetNode(selections=tuple(asked)),
    )
    definition = OperationDefinitionNode(
        operation=operation.definition.operation,
        name=operation.definition.name,
        variable_definitions=tuple(variables),
        directives=(),
        selection_set=SelectionSetNode(selections=(root,)),
    )
    document = DocumentNode(definitions=(definition, *operation.fragments.values()))
    return Operation(document, definition, operation.fragments)


def _field(name: str, selections: Sequence[SelectionNode] = ()) -> FieldNode:
    below = SelectionSetNode(selections=tuple(selections)) if selections else None
    return FieldNode(
        name=NameNode(value=name), alias=None, arguments=(), directives=(), selection_set=below
    )


def _argument(name: str, value: IntValueNode | VariableNode) -> ArgumentNode:
    return ArgumentNode(name=NameNode(value=name), value=value)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Finds what a row has, from what is selected, in its order."""

    graph: Graph
    operation: Operation
    lookout: Lookout

    def of(
        self,
        type_name: str,
        sets: Sequence[SelectionSetNode | None],
        keys: Keys = (),
        several: bool = False,
    ) -> dict[Column, None]:
        """The columns of a type; of an abstract one, those of all that it can be."""
        schema = self.graph.schema
        found: dict[Column, None] = {}
        type_ = schema.type_map[type_name]
        concrete = schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]
        for each in concrete:
            assert isinstance(each, GraphQLObjectType)
            fields = collect(schema, self.operation, self.lookout, each.name, sets)
            found |= self._fields(each, fields, keys, several)
        return found

    def _fields(
        self, type_: GraphQLObjectType, fields: Fields, keys: Keys, several: bool
    ) -> dict[Column, None]:
        found: dict[Column, None] = {}
        for key, nodes in fields.items():
            name = nodes[0].name.value
            if name == "__typename":
                found[Column((*keys, key), name, several)] = None
                continue
            output: GraphQLOutputType = type_.fields[name].type
            listed = several or is_list_type(get_nullable_type(output))
            named = get_named_type(output)
            if is_leaf_type(named):
                found[Column((*keys, key), name, listed)] = None
            else:
                sets = [node.selection_set for node in nodes]
                found |= self.of(named.name, sets, (*keys, key), listed)
        return found


def _refuse_all(refused: Mapping[Keys, FieldRefused]) -> None:
    """An export has no place for a field that is refused beside others that are not."""
    if refused:
        raise RequestRefused([coded(each.code, each.message) for each in refused.values()])


def _not_exportable(message: str) -> RequestRefused:
    return refuse(Code.NOT_EXPORTABLE, message)
