"""`orderBy` becomes sort keys; sort keys become cursors, and cursors conditions.

The key of the table always comes last, so that an order is total and a page exact. Null sorts as
larger than every value, in both directions, as Postgres' own indexes have it. A cursor is the sort
keys of its row as JSON, with a fingerprint of the order it belongs to, in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from db.mapping import Column, Sort
from db.query import (
    And,
    Call,
    Cast,
    Const,
    Expression,
    From,
    Operation,
    Or,
    Order,
    Param,
    Ref,
    Select,
    Test,
    Tuple,
    Value,
    all_of,
)
from db.values import READ
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Derived, Entity, Id, Localized, Part, ToMany, ToOne
from resolvers.graph import Leaf as LeafField
from resolvers.plan.context import Bound, Context, Path, branch, leaf
from resolvers.plan.filters import listed
from resolvers.plan.functions import value
from resolvers.plan.relations import given_defaults, reach_many, reach_one
from resolvers.plan.texts import language_of, text
from resolvers.plan.values import Leaf, Look, Tree


@dataclass(frozen=True, slots=True)
class SortKey:
    """One step of an order, of the row at whichever alias it is asked for."""

    name: str
    at: Callable[[str], Expression]
    column: Column
    descending: bool


@dataclass(frozen=True, slots=True)
class CursorPart:
    """Reads one sort key from a cursor."""

    fingerprint: str
    index: int
    type: str
    length: int

    @classmethod
    def of(cls, keys: Sequence[SortKey], index: int) -> CursorPart:
        """The part of these keys' cursors that holds one of them."""
        return cls(fingerprint(keys), index, keys[index].column.type, len(keys))

    def __call__(self, value: object) -> object:
        try:
            parts = json.loads(base64.b64decode(str(value), validate=True))
            if len(parts) != self.length + 1 or parts[0] != self.fingerprint:
                raise ValueError("a cursor of another order")
            part = parts[self.index + 1]
            return None if part is None else READ[self.type](part)
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
            message = "This is not a cursor of this list in this order."
            raise FieldRefused(Code.BAD_CURSOR, message) from error


def sort_keys(
    context: Context, entity: Entity, tree: Tree, otherwise: SortKey | None = None
) -> tuple[SortKey, ...]:
    """What `orderBy` asks for, or else the table's own order; made total by the table's key."""
    keys: list[SortKey] = []
    if tree is not None:
        items = tree if isinstance(tree, list) else [tree]
        keys = [_asked(context, entity, item) for item in items if item is not None]
    keys = keys or ([otherwise] if otherwise else list(declared_order(entity)))
    key = entity.table.key
    if all(known.name != key.name for known in keys):
        # The last direction goes on, so that one index serves the whole order either way.
        keys.append(_plain(Sort(key, bool(keys) and keys[-1].descending)))
    return tuple(keys)


def declared_order(entity: Entity) -> tuple[SortKey, ...]:
    """The order of an entity where nobody asks for another."""
    return tuple(_plain(sort) for sort in entity.table.order)


def order(keys: Sequence[SortKey], alias: str, *, backward: bool = False) -> tuple[Order, ...]:
    """The keys as `order by`."""
    return tuple(Order(key.at(alias), key.descending is not backward) for key in keys)


def cursor(keys: Sequence[SortKey], alias: str) -> Expression:
    """The cursor of the row at `alias`."""
    parts = Call("json_build_array", (Const(fingerprint(keys)), *(key.at(alias) for key in keys)))
    utf8 = Call("convert_to", (Cast(parts, "text"), Const("UTF8")))
    # Postgres breaks base64 into lines, as in mail.
    return Call(
        "translate", (Call("encode", (utf8, Const("base64"))), Call("chr", (Const(10),)), Const(""))
    )


def beyond(
    keys: Sequence[SortKey],
    alias: str,
    at: Leaf,
    path: Path,
    *,
    backward: bool,
    inclusive: bool = False,
) -> Expression:
    """The condition that a row comes after the cursor (before it, if backward)."""
    parts = [
        Param(Bound(at, CursorPart.of(keys, index), path), key.column.type)
        for index, key in enumerate(keys)
    ]
    directions = {key.descending for key in keys}
    if len(directions) == 1 and not any(key.column.nullable for key in keys):
        # One comparison of whole rows: an index on these columns starts right at the cursor.
        larger = directions == {backward}
        operator = (">" if larger else "<") + ("=" if inclusive else "")
        here = tuple(key.at(alias) for key in keys)
        return Operation(Tuple(here), operator, Tuple(tuple(parts)))
    options: list[Expression] = []
    for index, key in enumerate(keys):
        same = [
            _same(before, before.at(alias), part)
            for before, part in zip(keys[:index], parts, strict=False)
        ]
        larger = key.descending is backward
        options.append(And((*same, _further(key, key.at(alias), parts[index], larger=larger))))
    if inclusive:
        options.append(
            And(
                tuple(
                    _same(key, key.at(alias), part) for key, part in zip(keys, parts, strict=True)
                )
            )
        )
    return Or(tuple(options))


def fingerprint(keys: Sequence[SortKey]) -> str:
    """A short name of an order."""
    text = ",".join(f"{key.name} {key.descending}" for key in keys)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:6]


def _same(key: SortKey, here: Expression, there: Expression) -> Expression:
    equal = Operation(here, "=", there)
    if not key.column.nullable:
        return equal
    return Or((equal, And((Test(here, "is null"), Test(there, "is null")))))


def _further(key: SortKey, here: Expression, there: Expression, *, larger: bool) -> Expression:
    compared = Operation(here, ">" if larger else "<", there)
    if not key.column.nullable:
        return compared
    null, value = (here, there) if larger else (there, here)
    return Or((compared, And((Test(null, "is null"), Test(value, "is not null")))))


def _plain(sort: Sort) -> SortKey:
    name = sort.column.name
    return SortKey(name, lambda alias: Ref(alias, name), sort.column, sort.descending)


def _asked(context: Context, entity: Entity, tree: Tree) -> SortKey:
    """One item of `orderBy`, an input object with exactly one field."""
    context.count_condition(tree)
    (name, part), *_ = branch(tree).items()
    field = entity.fields[name]
    match field:
        case LeafField(column, _) | Id(column, _):
            return _plain(Sort(column, _descending(context, part)))
        case Derived():
            asks = any(argument.language for argument in field.function.arguments)
            return SortKey(
                f"{name} {language_of(context, {})}" if asks else name,
                lambda alias: value(context, field, alias),
                field.column,
                _descending(context, part),
            )
        case Localized():
            return _localized(context, name, field, _descending(context, part))
        case Part(target_name):
            inner = _asked(context, context.entity(target_name), part)
            return replace(inner, name=f"{name}.{inner.name}")
        case ToOne(join, target_name):
            target = context.entity(target_name)
            inner = _asked(context, target, part)

            def through(alias: str) -> Expression:
                far = context.alias()
                reached = reach_one(context, join, alias, far)
                where = all_of([reached, *given_defaults(field, far)])
                source = From(join[-1].table, far)
                return Value(Select(((None, inner.at(far)),), source, where=where))

            # There may be no far row, and then there is no value.
            column = Column(inner.column.name, inner.column.type, nullable=True)
            return SortKey(f"{name}.{inner.name}", through, column, inner.descending)
        case ToMany(join, target_name):
            descending = _descending(context, branch(part).get("count"))

            def count(alias: str) -> Expression:
                far = context.alias()
                reached = reach_many(context, join, alias, far)
                where = all_of([reached, listed(context.entity(target_name), far)])
                source = From(join[-1].table, far)
                return Value(Select(((None, Call("count")),), source, where=where))

            return SortKey(f"{name}.count", count, Column("count", "int8"), descending)
        case _:
            raise AssertionError(f"{entity.name}.{name} has no order")


def _localized(context: Context, name: str, field: Localized, descending: bool) -> SortKey:
    """A text in the language of the request; a cursor of one language is of no use in another."""
    language = language_of(context, {})
    fallback, column = next(iter(field.columns.items()))
    if language in (None, fallback):
        return _plain(Sort(column, descending))
    return SortKey(
        f"{name} {language}",
        lambda alias: text(context, field, alias, language),
        column,
        descending,
    )


def _descending(context: Context, tree: Tree) -> bool:
    direction = leaf(tree)
    return direction is not None and context.lookout.ask(Look.VALUE, direction) == "DESC"
