"""The filter language becomes conditions.

`{name: {contains: "hope"}, not: {status: {eq: CLOSED}}, parts: {some: {note: {isNull: true}}}}`

An input object is the conjunction of its fields, and the empty one is true. `not` keeps exactly
the rows that its filter does not: what is null does not vanish from both sides. A field that is
null or missing asks for nothing; an *operator* that is null is refused, because "equal to
nothing" silently becoming "no condition" would widen an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from db.query import (
    AnyOf,
    Call,
    Cast,
    Const,
    Exists,
    Expression,
    From,
    Not,
    Operation,
    Or,
    Ref,
    Select,
    Test,
    Within,
    all_of,
)
from db.query import Function as Rows
from resolvers.errors import Code, FieldRefused
from resolvers.graph import (
    Derived,
    Entity,
    Function,
    Id,
    Leaf,
    Localized,
    Part,
    Scalar,
    ToMany,
    ToOne,
)
from resolvers.plan.context import Context, KeyOf, Path, branch, leaf
from resolvers.plan.functions import passed, value
from resolvers.plan.relations import between, far_key, given_defaults, reach_many, reach_one
from resolvers.plan.texts import any_text, original
from resolvers.plan.values import Leaf as Given
from resolvers.plan.values import Look, Tree

_LONGEST = 200
_COMPARISONS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(frozen=True, slots=True)
class Pattern:
    """Reads a text as the pattern of `ilike` that finds it anywhere, or at the start."""

    read: Callable[[object], object]
    anywhere: bool

    def __call__(self, value: object) -> str:
        text = str(self.read(value))
        # Postgres takes up the pattern anew for each row that it looks at.
        if len(text) > _LONGEST:
            raise ValueError(f"A text to look for may have at most {_LONGEST} characters.")
        for special in ("\\", "%", "_"):
            text = text.replace(special, "\\" + special)
        return f"%{text}%" if self.anywhere else f"{text}%"


def wanted(
    context: Context, entity: Entity, alias: str, tree: Tree, path: Path
) -> Expression | None:
    """Which rows a list with this filter has: those that match, of those that are listed."""
    return all_of([listed(entity, alias, tree), condition(context, entity, alias, tree, path)])


def listed(entity: Entity, alias: str, tree: Tree = None) -> Expression | None:
    """That a row is one of those that lists show, unless the filter itself decides on that."""
    if entity.listed is None or _speaks_of(tree, entity.unless):
        return None
    return Ref(alias, entity.listed.name)


def _speaks_of(tree: Tree, names: frozenset[str]) -> bool:
    if isinstance(tree, list):
        return any(_speaks_of(part, names) for part in tree)
    return any(
        part is not None
        and (name in names or (name in ("and", "or", "not") and _speaks_of(part, names)))
        for name, part in branch(tree).items()
    )


def condition(
    context: Context, entity: Entity, alias: str, tree: Tree, path: Path
) -> Expression | None:
    """What a filter says of the row at `alias`; None if it says nothing."""
    if tree is None:
        return None
    context.count_condition(tree)
    found: list[Expression] = []
    for name, part in branch(tree).items():
        if part is None:
            continue
        if name in ("and", "or"):
            assert isinstance(part, list)
            parts = [condition(context, entity, alias, item, path) for item in part]
            if name == "and":
                found.extend(item for item in parts if item is not None)
            else:
                found.append(Or(tuple(Const(True) if item is None else item for item in parts)))
        elif name == "not":
            inner = condition(context, entity, alias, part, path)
            found.append(Const(False) if inner is None else Test(inner, "is not true"))
        else:
            found.extend(_field(context, entity, alias, name, part, path))
    return all_of(found)


def _field(
    context: Context, entity: Entity, alias: str, name: str, part: Tree, path: Path
) -> list[Expression]:
    field = entity.fields[name]
    match field:
        case Derived(where=Function() as where):
            return [_one_of_the_found(context, entity, alias, field, where, part, path)]
        case Leaf() | Derived() if not _asks(field):
            operand = value(context, field, alias)
            among = _among(context, field, alias)
            return _compare(context, operand, field.scalar, branch(part), path, among)
        case Derived():
            # What is true or not of a row only for an argument: the filter is the argument.
            context.count_condition(part)
            (argument,) = field.function.arguments
            return [value(context, field, alias, {argument.name: part}, path)]
        case Localized():
            return _text(context, field, alias, branch(part), path)
        case Part(target_name):
            inner = condition(context, context.entity(target_name), alias, part, path)
            return [] if inner is None else [inner]
        case Id(column, scalar):
            key = Scalar("ID", scalar.postgres, KeyOf(entity.name, scalar.read))
            return _compare(context, Ref(alias, column.name), key, branch(part), path)
        case ToOne():
            return [_to_one(context, field, alias, part, path)]
        case ToMany():
            return _to_many(context, field, alias, branch(part), path)
        case _:
            raise AssertionError(f"{entity.name}.{name} has no filter")


def _one_of_the_found(
    context: Context,
    entity: Entity,
    alias: str,
    field: Derived,
    where: Function,
    part: Tree,
    path: Path,
) -> Expression:
    """Whether a row is one of those of which a function tells the keys."""
    context.count_condition(part)
    verdict = "is true"
    arguments: dict[str, Tree] = {}
    if _asks(field):
        (argument,) = where.arguments
        arguments = {argument.name: part}
    else:
        given = leaf(part)
        assert given is not None
        if context.lookout.ask(Look.VALUE, given) is not True:
            verdict = "is not true"
    far = context.alias()
    source = Rows(where.name, passed(context, where, alias, arguments, path), far, "key")
    key = Ref(alias, entity.table.key.name)
    # As a test it is looked up in what was found once, and not turned into a join: a page in
    # another order stays as short as it is.
    return Test(Within(key, (Select(((None, Ref(far, "key")),), source),)), verdict)


def _text(
    context: Context, field: Localized, alias: str, operators: Mapping[str, Tree], path: Path
) -> list[Expression]:
    """What holds of a text holds in one of its languages; it is null if it is in none of them."""
    found: list[Expression] = []
    for operator, part in operators.items():
        single = {operator: part}

        def compared(operand: Expression, asked: Mapping[str, Tree] = single) -> Expression:
            return _compare(context, operand, field.scalar, asked, path)[0]

        if operator == "isNull":
            found.append(compared(original(field, alias)))
        else:
            found.append(any_text(context, field, alias, compared))
    return found


def _asks(field: Leaf | Derived) -> bool:
    return isinstance(field, Derived) and any(
        argument.required for argument in field.function.arguments
    )


def _among(context: Context, field: Leaf | Derived, alias: str) -> Call | None:
    """The question whether a value is one of a list, still without the list."""
    if not isinstance(field, Derived) or field.among is None:
        return None
    return Call(field.among.name, passed(context, field.among, alias, {}, ()))


def _compare(
    context: Context,
    operand: Expression,
    scalar: Scalar,
    operators: Mapping[str, Tree],
    path: Path,
    among: Call | None = None,
) -> list[Expression]:
    found: list[Expression] = []
    for operator, part in operators.items():
        context.count_condition(part)
        value = leaf(part)
        if value is None:
            message = f"`{operator}: null` compares with nothing. Leave it out, or use `isNull`."
            raise FieldRefused(Code.BAD_USER_INPUT, message)
        if among is not None and operator in ("eq", "in"):
            items = _items(context, value, scalar, path)
            found.append(Call(among.function, (*among.arguments, items)))
        elif operator in _COMPARISONS:
            one = context.param(value, scalar, path)
            found.append(Operation(operand, _COMPARISONS[operator], one))
        elif operator == "in":
            found.append(AnyOf(operand, context.params(value, scalar, path)))
        elif operator in ("contains", "startsWith"):
            pattern = replace(scalar, read=Pattern(scalar.read, operator == "contains"))
            found.append(Operation(operand, "ilike", context.param(value, pattern, path)))
        elif operator == "isNull":
            null = context.lookout.ask(Look.VALUE, value) is True
            found.append(Test(operand, "is null" if null else "is not null"))
        elif operator in ("has", "hasSome", "hasEvery"):
            # An index finds the lists that contain something, even if it is one thing.
            many = _items(context, value, scalar, path)
            found.append(Operation(operand, "&&" if operator == "hasSome" else "@>", many))
        else:
            raise AssertionError(f"the schema offers an operator {operator} that is not planned")
    return found


def _items(context: Context, given: Given, scalar: Scalar, path: Path) -> Expression:
    """The items that a list, or a function of a list, is asked for.

    Where they are words of an enum, which has few, Postgres is told them when it plans: one word
    may be in every other row, and the next in none, and of a parameter it knows nothing.
    """
    if scalar.few:
        value = context.lookout.ask(Look.VALUE, given)
        words = value if isinstance(value, tuple) else (value,)
        if all(isinstance(word, str) for word in words):
            known = sorted({str(word) for word in words})
            return Cast(Const(f"{{{','.join(known)}}}"), "text[]")
    return context.params(given, scalar, path)


def _to_one(context: Context, field: ToOne, alias: str, part: Tree, path: Path) -> Expression:
    target = context.entity(field.target)
    key = far_key(context, field.join, alias)
    short = _by_key(context, target, field.join[-1].remote, key, part, path)
    if short is not None:
        return short
    far = context.alias()
    where = all_of(
        [
            reach_one(context, field.join, alias, far),
            *given_defaults(field, far),
            condition(context, target, far, part, path),
        ]
    )
    return Exists(Select((), From(field.join[-1].table, far), where=where))


def _to_many(
    context: Context, field: ToMany, alias: str, part: Mapping[str, Tree], path: Path
) -> list[Expression]:
    found: list[Expression] = []
    for quantifier, tree in part.items():
        if tree is None:
            continue
        matching = _matching(context, field, alias, tree, path, negated=quantifier == "every")
        found.append(Exists(matching) if quantifier == "some" else Not(Exists(matching)))
    return found


def _matching(
    context: Context, field: ToMany, alias: str, tree: Tree, path: Path, *, negated: bool
) -> Select:
    """The related rows that match the filter, or, negated, those that do not."""
    target = context.entity(field.target)
    before = between(context, field.join, alias)
    if before is not None:
        # A filter on nothing but the far key is answered by the table between.
        rows, last = before
        key = Ref(last, field.join[-1].local)
        short = _by_key(context, target, field.join[-1].remote, key, tree, path)
        if short is not None:
            inner = Test(short, "is not true") if negated else short
            return replace(rows, where=all_of([rows.where, inner]))
    far = context.alias()
    reached = reach_many(context, field.join, alias, far)
    matches = condition(context, target, far, tree, path)
    if negated:
        matches = Const(False) if matches is None else Test(matches, "is not true")
    where = all_of([reached, listed(target, far, tree), matches])
    return Select((), From(field.join[-1].table, far), where=where)


def _by_key(
    context: Context, target: Entity, remote: str, key: Expression, tree: Tree, path: Path
) -> Expression | None:
    """The filter as a condition on the foreign key alone, if it asks for no more than that."""
    parts = branch(tree)
    if len(parts) != 1 or target.listed is not None:
        return None
    name, part = next(iter(parts.items()))
    field = target.fields.get(name)
    if part is None or not isinstance(field, Leaf | Id) or field.column.name != remote:
        return None
    scalar = field.scalar
    if isinstance(field, Id):
        scalar = Scalar("ID", scalar.postgres, KeyOf(target.name, scalar.read))
    operators = branch(part)
    if "isNull" in operators:
        return None
    return all_of(_compare(context, key, scalar, operators, path))
