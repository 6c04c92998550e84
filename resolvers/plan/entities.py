"""`_entities`: what other subgraphs name, in the order named, whatever kinds they are.

    array(select case t0.kind
        when 'Place.id' then (select row_to_json(r) from (select ... where t1.id = t0.key::uuid) r)
        when 'Place.code' then (select row_to_json(r) from (select ... where t2.code = t0.key) r)
    end from unnest($1, $2) with ordinality t0(kind, key, n) order by t0.n)

A name that makes no sense is a row of no kind, so its place holds null; the second road puts the
error there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphql.language import FieldNode

from db.query import (
    Cast,
    Const,
    Expression,
    Json,
    Order,
    Param,
    Ref,
    Select,
    Switch,
    Unnest,
    Values,
)
from resolvers.graph import Entities
from resolvers.plan.context import Bound, Context, ListOf, Path, leaf
from resolvers.plan.references import meant, named
from resolvers.plan.values import Items, Look, Tree
from resolvers.representations import Representation


def entities(
    context: Context,
    source: Entities,
    arguments: Mapping[str, Tree],
    nodes: Sequence[FieldNode],
    path: Path,
) -> Expression:
    """The list of `_entities(representations:)`."""
    given = leaf(arguments["representations"])
    assert given is not None
    kinds: set[str] = set()
    for item in given.items if isinstance(given, Items) else (given,):
        answer = context.lookout.ask(Look.KINDS, item)
        assert isinstance(answer, tuple)
        kinds.update(answer)
    if "" in kinds:
        context.need_python()
    alias = context.alias()
    limit = context.graph.limits.representations
    rows = Unnest(
        tuple(Param(Bound(given, ListOf(read, limit), path), "text[]") for read in (_kind, _key)),
        alias,
        ("kind", "key", "n"),
    )
    branches: list[tuple[Expression, Expression]] = []
    with context.rows(given):
        for kind in sorted(kinds - {""}):
            name, _, field = kind.partition(".")
            column = source.keys[name][field].column
            entity = context.entity(name)
            # Others may have kept it for long.
            sent = Cast(Ref(alias, "key"), column.type)
            key = meant(context, entity, column, sent, rows.arrays[1])
            found = named(context, entity, column, key, nodes, path)
            branches.append((Const(kind), Json(found)))
    chosen = Switch(Ref(alias, "kind"), tuple(branches)) if branches else Cast(Const(None), "json")
    return Values(Select(((None, chosen),), rows, order=(Order(Ref(alias, "n")),)))


def _kind(value: object) -> str:
    assert isinstance(value, Representation)
    return value.kind


def _key(value: object) -> str:
    assert isinstance(value, Representation)
    return value.key
