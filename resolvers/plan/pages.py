"""A connection becomes one page of rows, cursors, and counts of what is beyond it.

A page of nothing but nodes (or edges), read forward, is one select. If more is asked of the same
page (both, or `pageInfo`, or backward), its rows are found once, with one row more than fits, and
everything else is read from them:

    with p0 as materialized (select t2.name, row_number() over() ... limit 21) select ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from graphql.language import FieldNode

from db.mapping import Column
from db.query import (
    Call,
    Const,
    Exists,
    Expression,
    From,
    Operation,
    Or,
    Order,
    Param,
    Ref,
    Row,
    Rows,
    Select,
    Selects,
    Test,
    Value,
    With,
    all_of,
    columns_read,
)
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Entity
from resolvers.plan.aggregates import aggregate, groups
from resolvers.plan.context import Bound, Columns, Context, PageSize, Path
from resolvers.plan.context import leaf as as_leaf
from resolvers.plan.filters import listed, wanted
from resolvers.plan.near import Circle
from resolvers.plan.orders import CursorPart, SortKey, beyond, cursor, order, sort_keys
from resolvers.plan.selections import Fields
from resolvers.plan.values import Leaf, Literal, Tree

# Which rows belong to the list at all, seen from an alias; None if all do.
Scope = Callable[[str], Expression | None]

# The number of a row on its page, and how far away it is. No GraphQL name has a dot.
_NUMBER = ".n"
_DISTANCE = ".d"


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are asked for."""

    keys: tuple[SortKey, ...]
    size: Leaf
    backward: bool
    after: Leaf | None
    before: Leaf | None


def connection(
    context: Context,
    entity: Entity,
    scope: Scope,
    arguments: Mapping[str, Tree],
    fields: Fields,
    path: Path,
) -> Expression:
    """The object of a connection."""
    return Row(Listing(context, entity, scope, arguments, path).select(fields))


def plain_list(
    context: Context, entity: Entity, scope: Scope, fields: Fields, path: Path
) -> Expression:
    """A short list, in the table's order, cut at the largest page."""
    alias = context.alias()
    # For the estimate a short list is taken to be as long as a page that nobody sized.
    with context.rows(context.graph.limits.default_page):
        columns = context.columns(context, entity, alias, fields, path)
    return Rows(
        Select(
            columns,
            From(entity.table.name, alias),
            where=all_of([scope(alias), listed(entity, alias)]),
            order=order(sort_keys(context, entity, None), alias),
            limit=Const(context.graph.limits.page),
        )
    )


class Listing:
    """A connection in the making."""

    def __init__(
        self,
        context: Context,
        entity: Entity,
        scope: Scope,
        arguments: Mapping[str, Tree],
        path: Path,
    ) -> None:
        self.context = context
        self.entity = entity
        self.scope = scope
        self.filter = arguments.get("filter")
        self.path = path
        self.readers: set[str] = set()
        self.circle = Circle.of(context, entity, arguments.get("near"), path)
        self.page = _page(context, entity, arguments, self._nearest())

    def select(self, fields: Fields) -> Select:
        """The select that makes the one object of the connection."""
        asked = [nodes[0].name.value for nodes in fields.values()]
        listed = [name for name in asked if name in ("edges", "nodes")]
        turned = self.page.backward or self.circle is not None
        shared = "pageInfo" in asked or len(listed) > 1 or (bool(listed) and turned)
        if not (listed or shared):
            self._check_page()
        source = "p" + self.context.alias()[1:] if shared else self.entity.table.name
        columns: list[tuple[str | None, Expression]] = []
        for key, nodes in fields.items():
            name = nodes[0].name.value
            path = (*self.path, key)
            made: Expression
            match name:
                case "__typename":
                    made = Const(f"{self.entity.name}Connection")
                case "nodes":
                    with self.context.rows(self.page.size):
                        made = self.nodes(nodes, path, source, shared)
                case "edges":
                    with self.context.rows(self.page.size):
                        made = self._list(self._edge(nodes, path), source, shared)
                case "pageInfo":
                    made = self._page_info(self.context.below("PageInfo", nodes), source)
                case "totalCount":
                    rows, _ = self._rows()
                    made = Value(Select(((None, Call("count")),), rows.source, where=rows.where))
                case "aggregate":
                    rows, alias = self._rows()
                    inner = self.context.below(f"{self.entity.name}Aggregate", nodes)
                    made = aggregate(self.context, self.entity, inner, rows, alias)
                case _:
                    if path in self.context.refused:
                        continue
                    try:
                        made = self.part(name, nodes, path)
                    except FieldRefused as error:
                        self.context.refuse(path, error)
                        continue
            columns.append((self.context.name(key), made))
        if not shared:
            return Select(tuple(columns))
        return Select(tuple(columns), with_=(With(source, self._numbered(columns)),))

    def part(self, name: str, nodes: Sequence[FieldNode], path: Path) -> Expression:
        """What else a connection has: its rows in groups."""
        rows, alias = self._rows()
        inner = self.context.below(f"{self.entity.name}Group", nodes)
        arguments = self.context.arguments(f"{self.entity.name}Connection", nodes[0])
        return groups(self.context, self.entity, inner, arguments, rows, alias, path)

    def _rows(self) -> tuple[Select, str]:
        """All rows of the list, of whatever page, without columns."""
        alias = self.context.alias()
        where = self._matching(alias)
        return Select((), From(self.entity.table.name, alias), where=where), alias

    def _matching(self, alias: str) -> Expression | None:
        near = self.circle.found(alias) if self.circle else None
        return all_of([self._belonging(alias), near])

    def _belonging(self, alias: str) -> Expression | None:
        """What belongs to the list and matches its filter, wherever it is."""
        matching = wanted(self.context, self.entity, alias, self.filter, self.path)
        return all_of([self.scope(alias), matching])

    def _inside(self, alias: str) -> Expression | None:
        """The rows of the list between the cursors."""
        return all_of([self._matching(alias), *self._between(self.page.keys, alias)])

    def _between(self, keys: tuple[SortKey, ...], alias: str) -> list[Expression]:
        return [
            beyond(keys, alias, at, self.path, backward=backward)
            for at, backward in ((self.page.after, False), (self.page.before, True))
            if at is not None
        ]

    def _nearest(self) -> SortKey | None:
        """The step of an order that puts the nearest first."""
        circle = self.circle
        if circle is None:
            return None

        def distance(alias: str) -> Expression:
            # The rows of a page bring their distance with them.
            if alias in self.readers:
                return Ref(alias, _DISTANCE)
            return circle.distance_inside(alias)

        nullable = circle.near.everywhere is not None
        return SortKey("near", distance, Column(_DISTANCE, "float8", nullable), descending=False)

    def _check_page(self) -> None:
        """Nothing is read from the page; a page that makes no sense is refused all the same."""
        cursors = [
            Bound(at, CursorPart.of(self.page.keys, 0), self.path)
            for at in (self.page.after, self.page.before)
            if at is not None
        ]
        self.context.checks += [self._bound_size(), *cursors]

    def _bound_size(self) -> Bound:
        return Bound(self.page.size, PageSize(self.context.graph.limits.page), self.path)

    def _literal_size(self) -> int:
        size = self._bound_size().bind({})
        assert isinstance(size, int)
        return size

    def _size(self, more: int = 0) -> Expression:
        if isinstance(self.page.size, Literal):
            # Postgres plans for as many rows as it reads here, and of a parameter it knows nothing.
            # A page has one of a hundred sizes, so this cannot make statements without end.
            return Const(self._literal_size() + more)
        size = Param(self._bound_size(), "int8")
        return Operation(size, "+", Const(more)) if more else size

    def _numbered(self, readers: Sequence[tuple[str | None, Expression]]) -> Select:
        """The rows of this page and one more, numbered as they were found, for their readers."""
        alias, outer = self.context.alias(), self.context.alias()
        read = dict.fromkeys(columns_read(tuple(readers), self.readers))
        read.pop(_NUMBER, None)
        read.pop(_DISTANCE, None)
        columns: Columns = tuple((None, Ref(alias, column)) for column in read)
        if self.circle is None:
            found = self._found(columns, alias, self._inside(alias), self.page.keys)
        elif self._by_distance():
            found = self._nearest_first(columns, alias, self.circle)
        else:
            columns = (*columns, (_DISTANCE, self.circle.distance_inside(alias)))
            found = self._found(columns, alias, self._inside(alias), self.page.keys)
        number = (_NUMBER, Call("row_number() over"))
        names = (*read, _DISTANCE) if self.circle else tuple(read)
        kept = tuple((None, Ref(outer, column)) for column in names)
        return Select((*kept, number), Selects((found,), outer))

    def _found(
        self,
        columns: Columns,
        alias: str,
        where: Expression | None,
        keys: tuple[SortKey, ...],
    ) -> Select:
        return Select(
            columns,
            From(self.entity.table.name, alias),
            where=where,
            order=order(keys, alias, backward=self.page.backward),
            limit=self._size(1),
        )

    def _by_distance(self) -> bool:
        return self.circle is not None and self.page.keys[0].name == "near"

    def _nearest_first(self, read: Columns, alias: str, circle: Circle) -> Select:
        """What is inside the circle, by an index in its order; then what is near to everybody."""
        others = self.page.keys[1:]
        parts = []
        for way in circle.ways(alias):
            here = self._keys_at(way.distance)
            where = all_of([self._belonging(alias), way.where, *self._between(here, alias)])
            keys = tuple((f".{n}", key.at(alias)) for n, key in enumerate(others))
            columns = (*read, (_DISTANCE, way.distance), *keys)
            # By the distance alone an index has an order, and by the others alone. So what is as
            # far away as the last one comes along, and is put in order below.
            steps = here[:1] if way.ordered else tuple(others)
            parts.append(
                Select(
                    columns,
                    way.source,
                    way.joins,
                    where,
                    order=order(steps, alias, backward=self.page.backward),
                    limit=self._size(1),
                    ties=way.ordered,
                )
            )
        both = self.context.alias()
        names = (_DISTANCE, *(f".{n}" for n in range(len(others))))
        backward = self.page.backward
        directions = [key.descending is not backward for key in self.page.keys]
        return Select(
            tuple((None, Ref(both, name)) for name in (*_names(read), _DISTANCE)),
            Selects(tuple(parts), both),
            order=tuple(map(Order, (Ref(both, name) for name in names), directions)),
            limit=self._size(1),
        )

    def _keys_at(self, distance: Expression) -> tuple[SortKey, ...]:
        """The keys of an order by distance, of rows whose distance is known."""
        nearest, *others = self.page.keys
        return (replace(nearest, at=_always(distance)), *others)

    def _reader(self) -> str:
        """An alias under which the rows of this page are read."""
        alias = self.context.alias()
        self.readers.add(alias)
        return alias

    def _list(self, planned: Callable[[str], Columns], source: str, shared: bool) -> Expression:
        alias = self._reader()
        columns = planned(alias)
        at = From(source, alias)
        if shared:
            number = Ref(alias, _NUMBER)
            fits = Operation(number, "<=", self._size())
            turned = Order(number, self.page.backward)
            return Rows(Select(columns, at, where=fits, order=(turned,)))
        where = self._inside(alias)
        steps = order(self.page.keys, alias)
        return Rows(Select(columns, at, where=where, order=steps, limit=self._size()))

    def nodes(
        self, nodes: Sequence[FieldNode], path: Path, source: str, shared: bool
    ) -> Expression:
        """The list of the records themselves."""
        inner = self.context.below(self.entity.name, nodes)
        return self._list(
            lambda alias: self.context.columns(self.context, self.entity, alias, inner, path),
            source,
            shared,
        )

    def node(self, nodes: Sequence[FieldNode], alias: str, path: Path) -> Expression:
        """The record at an alias."""
        inner = self.context.below(self.entity.name, nodes)
        return Row(Select(self.context.columns(self.context, self.entity, alias, inner, path)))

    def edge_parts(self, key: str, nodes: Sequence[FieldNode], alias: str, path: Path) -> Columns:
        """What else an edge has: how far away its record is."""
        far = Ref(alias, _DISTANCE)
        return ((self.context.name(key), self.circle.miles(far) if self.circle else Const(None)),)

    def _edge(self, nodes: Sequence[FieldNode], path: Path) -> Callable[[str], Columns]:
        fields = self.context.below(f"{self.entity.name}Edge", nodes)

        def columns(alias: str) -> Columns:
            made: list[tuple[str | None, Expression]] = []
            for key, inner in fields.items():
                part: Expression
                match inner[0].name.value:
                    case "__typename":
                        part = Const(f"{self.entity.name}Edge")
                    case "cursor":
                        part = cursor(self.page.keys, alias)
                    case "node":
                        part = self.node(inner, alias, (*path, key))
                    case _:
                        made.extend(self.edge_parts(key, inner, alias, path))
                        continue
                made.append((self.context.name(key), part))
            return tuple(made)

        return columns

    def _page_info(self, fields: Fields, name: str) -> Expression:
        columns: list[tuple[str | None, Expression]] = []
        for key, nodes in fields.items():
            made: Expression
            match nodes[0].name.value:
                case "__typename":
                    made = Const("PageInfo")
                case "startCursor":
                    made = self._end(name, start=True)
                case "endCursor":
                    made = self._end(name, start=False)
                case "hasNextPage":
                    made = self._has_more(name, self.page.before, backward=False)
                case _:
                    made = self._has_more(name, self.page.after, backward=True)
            columns.append((self.context.name(key), made))
        return Row(Select(tuple(columns)))

    def _end(self, name: str, *, start: bool) -> Expression:
        """The cursor of the first or last row as the client sees them."""
        alias, every = self._reader(), self.context.alias()
        number = Ref(every, _NUMBER)
        end = Call("max" if start is self.page.backward else "min", (number,))
        fits = Operation(number, "<=", self._size())
        # Not `order by ... limit 1`: that would write the cursor of every row, and then sort them.
        at_end = Value(Select(((None, end),), From(name, every), where=fits))
        where = Operation(Ref(alias, _NUMBER), "=", at_end)
        return Value(
            Select(((None, cursor(self.page.keys, alias)),), From(name, alias), where=where)
        )

    def _has_more(self, name: str, edge: Leaf | None, *, backward: bool) -> Expression:
        """Whether there are rows beyond this page, on the side we read towards or the other."""
        options: list[Expression] = []
        if backward is self.page.backward:
            alias = self.context.alias()
            extra = Operation(Ref(alias, _NUMBER), ">", self._size())
            options.append(Exists(Select((), From(name, alias), where=extra)))
        if edge is not None:
            options += self._outside(edge, backward=backward)
        return Or(tuple(options)) if options else Const(False)

    def _outside(self, edge: Leaf, *, backward: bool) -> Iterator[Expression]:
        """That there are rows outside the cursor that bounds one side, its own row among them."""
        alias = self.context.alias()

        def outside(keys: tuple[SortKey, ...]) -> Expression:
            return beyond(keys, alias, edge, self.path, backward=backward, inclusive=True)

        if self.circle is None or not self._by_distance():
            where = all_of([self._matching(alias), outside(self.page.keys)])
            yield Exists(Select((), From(self.entity.table.name, alias), where=where))
            return
        for way in self.circle.ways(alias):
            here = self._keys_at(way.distance)
            where = all_of([self._belonging(alias), way.where, outside(here)])
            # What is before a cursor is found at once where one starts in the middle; of `exists`
            # Postgres would forget the order.
            steps = order(here[:1], alias) if way.ordered and backward else ()
            one = ((None, Const(True)),)
            found = Select(one, way.source, way.joins, where, order=steps, limit=Const(1))
            yield Test(Value(found), "is true")


def _always(expression: Expression) -> Callable[[str], Expression]:
    return lambda alias: expression


def _names(columns: Columns) -> list[str]:
    return [column.column for _, column in columns if isinstance(column, Ref)]


def _page(
    context: Context, entity: Entity, arguments: Mapping[str, Tree], nearest: SortKey | None
) -> Page:
    first, last = as_leaf(arguments.get("first")), as_leaf(arguments.get("last"))
    if first is not None and last is not None:
        raise FieldRefused(Code.BAD_USER_INPUT, "Give `first` or `last`, not both.")
    size = first or last or Literal(context.graph.limits.default_page)
    return Page(
        keys=sort_keys(context, entity, arguments.get("orderBy"), nearest),
        size=size,
        backward=last is not None,
        after=as_leaf(arguments.get("after")),
        before=as_leaf(arguments.get("before")),
    )
