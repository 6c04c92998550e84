"""What a function finds, of several kinds and ranked, becomes a connection with facets.

The function is asked once; pages, counts and facets are read from what it found:

    with h0 as materialized (select t0.kind, t0.key, t0.score from found_by($1::text) t0) select ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphql.language import FieldNode

from db.mapping import Column
from db.query import (
    Call,
    Const,
    Expression,
    From,
    Function,
    Joined,
    Order,
    Ref,
    Row,
    Rows,
    Select,
    Selects,
    Test,
    Value,
    Values,
    With,
)
from resolvers.graph import Facet, Ranked
from resolvers.plan.context import Columns, Context, Path
from resolvers.plan.functions import passed
from resolvers.plan.pages import Listing
from resolvers.plan.references import chosen
from resolvers.plan.selections import Fields
from resolvers.plan.values import Tree


def ranked(
    context: Context, source: Ranked, arguments: Mapping[str, Tree], fields: Fields, path: Path
) -> Expression:
    """The object of a connection over what a function finds."""
    hits = "h" + context.alias()[1:]
    entity = context.entity(source.hit)
    made = replace(entity, table=replace(entity.table, name=hits, key=Column("key", "text")))
    paging = {name: arguments.get(name) for name in ("first", "after", "last", "before")}
    listing = _Ranking(context, made, lambda alias: None, paging, path)
    listing.source = source
    select = listing.select(fields)
    alias = context.alias()
    given = passed(context, source.function, "", arguments, path)
    found = Select(
        tuple((None, Ref(alias, column)) for column in source.columns),
        Function(source.function.name, given, alias),
    )
    return Row(replace(select, with_=(With(hits, found), *select.with_)))


class _Ranking(Listing):
    source: Ranked

    def nodes(
        self, nodes: Sequence[FieldNode], path: Path, source: str, shared: bool
    ) -> Expression:
        """The list of the records themselves, of whatever kinds they are."""
        listed = self._list(lambda alias: ((None, self.node(nodes, alias, path)),), source, shared)
        assert isinstance(listed, Rows)
        return Values(listed.select)

    def node(self, nodes: Sequence[FieldNode], alias: str, path: Path) -> Expression:
        """The record itself, of whatever kind it is."""
        kinds = {kind: self.context.entity(name) for kind, name in self.source.kinds.items()}
        return chosen(self.context, kinds, alias, nodes, path)

    def edge_parts(self, key: str, nodes: Sequence[FieldNode], alias: str, path: Path) -> Columns:
        """What a hit says of itself."""
        edge = replace(self.entity, name=f"{self.entity.name}Edge")
        return self.context.columns(self.context, edge, alias, {key: nodes}, path)

    def part(self, name: str, nodes: Sequence[FieldNode], path: Path) -> Expression:
        """Whether this is all; and the facets: how many of all that was found have each value."""
        if name == "complete":
            return self._complete()
        columns: list[tuple[str | None, Expression]] = []
        facets = self.context.below(self.source.facets_type, nodes)
        for key, inner in facets.items():
            facet = self.source.facets.get(inner[0].name.value)
            made = (
                Const(self.source.facets_type)
                if facet is None
                else self._facet(facet, inner, (*path, key))
            )
            columns.append((self.context.name(key), made))
        return Row(Select(tuple(columns)))

    def _complete(self) -> Expression:
        if self.source.complete is None:
            return Const(True)
        alias = self.context.alias()
        every = Call("bool_and", (Ref(alias, self.source.complete),))
        rows = Select(((None, every),), From(self.entity.table.name, alias))
        # Where nothing was found, nothing was left out.
        return Call("coalesce", (Value(rows), Const(True)))

    def _facet(self, facet: Facet, nodes: Sequence[FieldNode], path: Path) -> Expression:
        rows, outer = self.context.alias(), self.context.alias()
        value: Expression = Ref(rows, facet.column)
        joins: tuple[Joined, ...] = ()
        if facet.array:
            items = self.context.alias()
            joins = (Joined(Function("unnest", (value,), items, "value"), Const(True)),)
            value = Ref(items, "value")
        counted = Select(
            (("value", value), ("count", Call("count"))),
            From(self.entity.table.name, rows),
            joins,
            where=Test(value, "is not null"),
            group=(Const(1),),
        )
        target = self.context.entity(facet.target)
        with self.context.rows(self.context.graph.limits.default_page):
            below = self.context.below(target.name, nodes)
            columns: Columns = self.context.columns(self.context, target, outer, below, path)
        return Rows(
            Select(
                columns,
                Selects((counted,), outer),
                order=(Order(Ref(outer, "count"), descending=True), Order(Ref(outer, "value"))),
                limit=Const(self.context.graph.limits.page),
            )
        )
