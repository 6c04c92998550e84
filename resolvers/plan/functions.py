"""A function of Postgres is called with columns of a row and arguments of a field.

`hours(on: $day)` becomes `hours_of(t0.id, $1::date, null::date)`: the columns come first, then the
arguments in the order of their declaration; what is not given is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from db.query import Call, Cast, Const, Expression, Param, Ref
from resolvers.errors import Code, FieldRefused
from resolvers.graph import Argument, Derived, Function, Leaf
from resolvers.plan.context import Bound, Context, ListOf, Path, branch, leaf
from resolvers.plan.values import Items, Literal, Tree
from resolvers.plan.values import Leaf as Given


@dataclass(frozen=True, slots=True)
class Together:
    """Reads the arguments of a function all at once, to see whether they go together."""

    check: Callable[..., None]
    names: tuple[str, ...]

    def __call__(self, values: object) -> None:
        assert isinstance(values, list)
        self.check(**dict(zip(self.names, values, strict=True)))


def value(
    context: Context,
    field: Leaf | Derived,
    alias: str,
    arguments: Mapping[str, Tree] | None = None,
    path: Path = (),
) -> Expression:
    """The value of a field of the row at `alias`: a column, or what a function makes of some."""
    if isinstance(field, Leaf):
        return Ref(alias, field.column.name)
    return Call(field.function.name, passed(context, field.function, alias, arguments or {}, path))


def passed(
    context: Context, function: Function, alias: str, arguments: Mapping[str, Tree], path: Path
) -> tuple[Expression, ...]:
    """What a function is called with."""
    given = _given(context, function.arguments, arguments)
    if arguments:
        _check(context, function.check, given, path)
    for argument, tree in _objects(function.arguments, arguments):
        _check(context, argument.check, _given(context, argument.fields, tree), path)
        context.private = context.private or argument.private
    columns = (Ref(alias, column) for column in function.columns)
    return (*columns, *(_expression(context, *item, path) for item in given))


def _given(
    context: Context, arguments: tuple[Argument, ...], trees: Mapping[str, Tree]
) -> list[tuple[Argument, Given | None]]:
    """The values of arguments; a language that is not given is that of the request."""
    return [
        (argument, context.language(value) if argument.language else value)
        for argument, value in _flat(arguments, trees)
    ]


def _check(
    context: Context,
    check: Callable[..., None] | None,
    given: list[tuple[Argument, Given | None]],
    path: Path,
) -> None:
    if check is not None:
        values = tuple(value or Literal(None) for _, value in given)
        names = tuple(argument.parameter for argument, _ in given)
        context.checks.append(Bound(Items(values), Together(check, names), path))


def _objects(
    arguments: tuple[Argument, ...], trees: Mapping[str, Tree]
) -> Iterator[tuple[Argument, Mapping[str, Tree]]]:
    """The input objects that are given, and those inside them."""
    for argument in arguments:
        tree = trees.get(argument.name)
        if argument.scalar is None and tree is not None:
            yield argument, branch(tree)
            yield from _objects(argument.fields, branch(tree))


def _flat(
    arguments: tuple[Argument, ...], trees: Mapping[str, Tree]
) -> Iterator[tuple[Argument, Given | None]]:
    for argument in arguments:
        tree = trees.get(argument.name)
        if argument.scalar is None:
            # Nothing is required of an object that is not there.
            fields = argument.fields
            if tree is None and not argument.required:
                fields = tuple(replace(field, required=False) for field in fields)
            yield from _flat(fields, branch(tree))
            continue
        given = leaf(tree)
        if given is None and argument.default is not None:
            given = Literal(argument.default)
        yield argument, given


def _expression(
    context: Context, argument: Argument, given: Given | None, path: Path
) -> Expression:
    assert argument.scalar is not None
    type_ = argument.scalar.postgres + ("[]" if argument.array else "")
    if given is None:
        if argument.required:
            raise FieldRefused(Code.BAD_USER_INPUT, f"`{argument.name}` may not be null.")
        return Cast(Const(None), type_)
    read = argument.scalar.read
    return Param(Bound(given, ListOf(read) if argument.array else read, path), type_)
