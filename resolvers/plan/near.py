"""`near` becomes a circle: which rows are inside, and how far each of them is from its middle.

Positions are points on a sphere of radius one. The straight line between two of them, `<->`, is
longer whenever the way over the surface is, so an index that knows straight lines finds what is
near in its true order, and a box around the middle bounds the search in the same index.

A row may have its position itself, or be at a place that has it, or at several; then it is as far
away as the nearest of them. The nearest rows are found from the index of positions, and from there
along the foreign keys backwards:

    from plots t3
    join stands t2 on t3.id = t2.plot_id
    join fruits t1 on t2.fruit_id = t1.id
    where t3.position <@ (box) and ... and exists (... a nearer place of t1 ...) is not true
    order by t3.position <-> (middle)
    fetch first (21) rows with ties
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from db.mapping import Join
from db.query import (
    Call,
    Cast,
    Const,
    Exists,
    Expression,
    From,
    Function,
    Joined,
    Operation,
    Ref,
    Select,
    Source,
    Switch,
    Test,
    Tuple,
    Value,
    Within,
    all_of,
)
from resolvers.graph import Entity, Near
from resolvers.plan.context import Context, Path
from resolvers.plan.functions import passed
from resolvers.plan.relations import along, reached
from resolvers.plan.values import Tree


@dataclass(frozen=True, slots=True)
class Way:
    """How rows are found: from where, what holds of them, and how far away that makes each."""

    source: Source
    joins: tuple[Joined, ...]
    where: Expression
    distance: Expression
    # Whether the distance is an order to read them in; else it is the same for all.
    ordered: bool


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything that is not farther from `middle` than `reach`; both on the unit sphere."""

    context: Context
    entity: Entity
    near: Near
    middle: Expression
    reach: Expression

    @classmethod
    def of(cls, context: Context, entity: Entity, tree: Tree, path: Path) -> Circle | None:
        """The circle that an argument draws; None if it is not given."""
        near = entity.near
        if near is None or tree is None:
            return None
        asked: Mapping[str, Tree] = {"near": tree}
        *place, miles = passed(context, near.origin, "", asked, path)
        # A sub-select, so that Postgres looks it up once and not for each row.
        middle = Value(Select(((None, Call(near.origin.name, tuple(place))),)))
        far = Call("coalesce", (miles, Cast(Const(near.default), "float8")))
        return cls(context, entity, near, middle, Call(near.reach, (far,)))

    def found(self, alias: str) -> Expression:
        """That a row is inside, or near to everybody."""
        if self.near.everywhere is None:
            return self._inside(alias)
        # Not one or the other of two conditions: Postgres would try both on every row there is.
        ways = (self._keys(self.near.place, inside=True), self._keys(self.near.everywhere))
        return Within(Ref(alias, self.entity.table.key.name), ways)

    def distance_inside(self, alias: str) -> Expression:
        """The distance of a row that is inside; null for what is near to everybody."""
        if not self.near.place:
            inside = Test(self._holds(alias), "is true")
            return Switch(inside, ((Const(True), self._distance(alias)),))
        rows, place = reached(self.context, self.near.place, alias)
        nearest = Call("min", (self._distance(place),))
        where = all_of([rows.where, self._holds(place)])
        return Value(replace(rows, columns=((None, nearest),), where=where))

    def ways(self, alias: str) -> tuple[Way, ...]:
        """How the rows of the list are found: those inside, and then those near to everybody."""
        row = From(self.entity.table.name, alias)
        joins, place = along(self.context, self.near.place, alias)
        source, onwards = _turned(row, joins)
        # Postgres takes a thousandth of all positions to be in any box, and would rather sort so
        # few than read on along the index; but people, and what is near to them, live in crowds.
        # One row, which it takes for a thousand, makes up for that. It comes before the other
        # joins, so that Postgres reckons with it when it reckons what a filter leaves.
        times = (Const(1), Call("num_nonnulls", (Ref(place, self.near.position),)))
        one = Joined(Function("generate_series", times, self.context.alias()), Const(True))
        where = _all([self._holds(place), self._nearest(alias, place)])
        inside = Way(source, (one, *onwards), where, self._distance(place), ordered=True)
        if self.near.everywhere is None:
            return (inside,)
        rows, _ = reached(self.context, self.near.everywhere, alias)
        outside = Test(self._inside(alias), "is not true")
        nowhere = Cast(Const(None), "float8")
        return (inside, Way(row, (), _all([Exists(rows), outside]), nowhere, ordered=False))

    def miles(self, distance: Expression) -> Expression:
        """A straight distance as the way over the surface, in miles with two decimals."""
        rounded = Call("round", (Cast(Call(self.near.miles, (distance,)), "numeric"), Const(2)))
        return Cast(rounded, "float8")

    def _distance(self, place: str) -> Expression:
        """From the middle to a place, along the straight line."""
        return Operation(Ref(place, self.near.position), "<->", self.middle)

    def _holds(self, place: str) -> Expression:
        """That a place is inside the circle."""
        box = Call("cube_enlarge", (self.middle, self.reach, Const(3)))
        return _all(
            [
                Operation(Ref(place, self.near.position), "<@", box),
                Operation(self._distance(place), "<=", self.reach),
            ]
        )

    def _inside(self, alias: str) -> Expression:
        """That a row is inside the circle: one of its places is."""
        if not self.near.place:
            return self._holds(alias)
        rows, place = reached(self.context, self.near.place, alias)
        return Exists(replace(rows, where=all_of([rows.where, self._holds(place)])))

    def _nearest(self, alias: str, place: str) -> Expression | None:
        """That a place is the nearest of all that a row has."""
        if not self.near.several:
            return None
        rows, other = reached(self.context, self.near.place, alias)
        key = self.near.place[-1].remote
        nearer = Operation(
            Tuple((self._distance(other), Ref(other, key))),
            "<",
            Tuple((self._distance(place), Ref(place, key))),
        )
        # Not `not exists`: Postgres would look that up for all rows at once, and lose their order.
        return Test(Exists(replace(rows, where=all_of([rows.where, nearer]))), "is not true")

    def _keys(self, hops: Join, *, inside: bool = False) -> Select:
        """The keys of the rows that hops lead from; into the circle, or anywhere."""
        key, row = self.entity.table.key.name, self.context.alias()
        source = From(self.entity.table.name, row)
        if hops and hops[0].local == key:
            # The rows that point here have the key, too.
            source, key, hops = From(hops[0].table, row), hops[0].remote, hops[1:]
        joins, last = along(self.context, hops, row)
        where = self._holds(last) if inside else None
        return Select(((None, Ref(row, key)),), source, joins, where)


def _turned(start: Source, joins: tuple[Joined, ...]) -> tuple[Source, tuple[Joined, ...]]:
    """The same joins, begun from their other end."""
    end, *before = reversed([start, *(joined.source for joined in joins)])
    turned = zip(before, reversed(joins), strict=True)
    return end, tuple(Joined(source, joined.on) for source, joined in turned)


def _all(conditions: list[Expression | None]) -> Expression:
    found = all_of(conditions)
    assert found is not None
    return found
