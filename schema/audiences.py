"""The graph as each role may see it: made when the first of that role comes, and once."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import schema.types
from db.mapping import Reach
from resolvers.admit import Limits
from resolvers.graph import Graph
from schema import query
from schema.build import build
from schema.directives import NEWEST
from schema.entity import Only
from schema.federation import subgraph
from schema.reach import reach_of
from schema.roles import Role
from schema.shapes import PAST, WRITER, WRITES, role_of


class Audiences:
    """One graph, or some of its subgraphs as one, for everybody who asks."""

    def __init__(
        self,
        limits: Limits | None = None,
        subgraphs: Sequence[str] = (),
        version: str = NEWEST,
    ) -> None:
        self._limits = limits
        self._subgraphs = tuple(subgraphs)
        self._version = version
        self._made: dict[Role, Graph] = {}
        self._making = Lock()

    def graph(self, role: Role) -> Graph:
        """The graph for a role. It takes the better part of a second the first time."""
        seen = _alike(role)
        with self._making:
            if seen not in self._made:
                whole = build(self._limits, role=seen)
                self._made[seen] = (
                    subgraph(whole, self._subgraphs, self._version) if self._subgraphs else whole
                )
            return self._made[seen]

    def known(self, role: Role) -> Graph | None:
        """The same, if it was made before."""
        return self._made.get(_alike(role))


def reaches(everybody: Audiences) -> dict[str, Reach]:
    """What each role has to read of the whole graph, by the role's name."""
    whole = everybody.graph(Role.ADMIN)
    return {role.value: reach_of(everybody.graph(role), whole=whole) for role in Role}


def _alike(role: Role) -> Role:
    """The least role that sees the same."""
    return max((each for each in _LEVELS if role.includes(each)), key=list(Role).index)


def _levels() -> frozenset[Role]:
    """The roles for which anything is declared."""
    found = {Role.PUBLIC, WRITER, PAST, WRITES}
    for declared in vars(schema.types).values():
        if isinstance(declared, type):
            found.add(role_of(declared))
            found.update(role_of(word) for word in vars(declared).values())
    found.update(word.role for word in vars(query.Query).values() if isinstance(word, Only))
    return frozenset(found)


_LEVELS = _levels()
