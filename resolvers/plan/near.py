"""`near` becomes a circle: which rows are inside, and how far each of them is from its middle.

Positions are points on a sphere of radius one. The straight line between two of them, `<->`, is
longer whenever the way over the surface is, so an index that knows straight lines finds what is
near in its true order, and a box around the middle bounds the search in the same index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from db.query import (
    Call,
    Cast,
    Const,
    Expression,
    Operation,
    Or,
    Ref,
    Select,
    Switch,
    Test,
    Value,
    all_of,
)
from resolvers.graph import Near
from resolvers.plan.context import Context, Path
from resolvers.plan.functions import passed
from resolvers.plan.values import Tree


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything that is not farther from `middle` than `reach`; both on the unit sphere."""

    near: Near
    middle: Expression
    reach: Expression

    @classmethod
    def of(cls, context: Context, near: Near, tree: Tree, path: Path) -> Circle | None:
        """The circle that an argument draws; None if it is not given."""
        if tree is None:
            return None
        asked: Mapping[str, Tree] = {"near": tree}
        *place, miles = passed(context, near.origin, "", asked, path)
        # A sub-select, so that Postgres looks it up once and not for each row.
        middle = Value(Select(((None, Call(near.origin.name, tuple(place))),)))
        far = Call("coalesce", (miles, Cast(Const(near.default), "float8")))
        return cls(near, middle, Call(near.reach, (far,)))

    def distance(self, alias: str) -> Expression:
        """From the middle to a row, along the straight line."""
        return Operation(Ref(alias, self.near.position), "<->", self.middle)

    def inside(self, alias: str) -> Expression:
        """That a row is inside the circle."""
        box = Call("cube_enlarge", (self.middle, self.reach, Const(3)))
        found = all_of(
            [
                Operation(Ref(alias, self.near.position), "<@", box),
                Operation(self.distance(alias), "<=", self.reach),
            ]
        )
        assert found is not None
        return found

    def everywhere(self, alias: str) -> Expression | None:
        """That a row is outside, but near to everybody; None if nothing is."""
        if self.near.everywhere is None:
            return None
        return all_of([Ref(alias, self.near.everywhere), Test(self.inside(alias), "is not true")])

    def found(self, alias: str) -> Expression:
        """That a row is inside, or near to everybody."""
        if self.near.everywhere is None:
            return self.inside(alias)
        return Or((self.inside(alias), Ref(alias, self.near.everywhere)))

    def distance_inside(self, alias: str) -> Expression:
        """The distance of a row that is inside; null for what is near to everybody."""
        if self.near.everywhere is None:
            return self.distance(alias)
        return Switch(Test(self.inside(alias), "is true"), ((Const(True), self.distance(alias)),))

    def miles(self, distance: Expression) -> Expression:
        """A straight distance as the way over the surface, in miles with two decimals."""
        rounded = Call("round", (Cast(Call(self.near.miles, (distance,)), "numeric"), Const(2)))
        return Cast(rounded, "float8")
