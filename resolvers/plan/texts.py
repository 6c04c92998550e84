"""A text that is there in several languages becomes the one to answer, and says which one that is.

In Spanish, a label that has a column of its own and may be in a table elsewhere is

    coalesce(t0.label_es, (select t1.text from elsewhere t1 where ...), t0.label_en)

In the language to fall back to it is its column, and nothing else is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db.query import (
    Call,
    Cast,
    Const,
    Exists,
    Expression,
    From,
    Joined,
    Operation,
    Or,
    Ref,
    Select,
    Selects,
    Switch,
    Test,
    Value,
    all_of,
)
from resolvers.graph import Elsewhere, Localized
from resolvers.plan.context import Columns, Context, leaf
from resolvers.plan.values import Look, Tree


def language_of(context: Context, arguments: Mapping[str, Tree]) -> str | None:
    """The language that a field is asked for; None if nobody asks for any."""
    asked = context.lookout.ask(Look.VALUE, context.language(leaf(arguments.get("lang"))))
    return None if asked is None else str(asked)


def original(field: Localized, alias: str) -> Expression:
    """The text that is always there."""
    return Ref(alias, next(iter(field.columns.values())).name)


def text(context: Context, field: Localized, alias: str, language: str | None) -> Expression:
    """The text in a language, or else the one that is always there."""
    texts: list[Expression] = [Ref(alias, name) for name in _column(field, language)]
    if field.elsewhere is not None and _is_other(field, language):
        far = context.alias()
        there = _there(field.elsewhere, original(field, alias), alias, far, language)
        source = From(field.elsewhere.table, far)
        texts.append(Value(Select(((None, Ref(far, "text")),), source, where=there)))
    texts.append(original(field, alias))
    return texts[0] if len(texts) == 1 else Call("coalesce", tuple(texts))


def wording(context: Context, field: Localized, alias: str, language: str | None) -> Select:
    """A row with what `text` cannot say of itself; none if there is no text."""
    fallback = Const(next(iter(field.columns)))
    always = original(field, alias)
    texts: list[Expression] = [Ref(alias, name) for name in _column(field, language)]
    joins: tuple[Joined, ...] = ()
    method, reviewed_at = Cast(Const(None), "text"), Cast(Const(None), "timestamptz")
    how: Columns = (("method", method), ("reviewed_at", reviewed_at))
    if field.elsewhere is not None and _is_other(field, language):
        far = context.alias()
        there = _there(field.elsewhere, always, alias, far, language)
        joins = (Joined(From(field.elsewhere.table, far), there, left=True),)
        how = (("method", Ref(far, "method")), ("reviewed_at", Ref(far, "reviewed_at")))
        if texts:
            # Of a text that has a column of its own, nobody asks how it was translated.
            alone = Test(texts[0], "is null")
            how = tuple((name, Switch(alone, ((Const(True), told),))) for name, told in how)
        texts.append(Ref(far, "text"))
    answered: Expression = fallback
    missing: Expression = Const(_is_other(field, language))
    if texts:
        missing = Test(texts[0] if len(texts) == 1 else Call("coalesce", tuple(texts)), "is null")
        found = ((Const(True), fallback), (Const(False), Const(language)))
        answered = Switch(missing, found)
    said: Columns = (("language", answered), ("is_fallback", missing), *how)
    # To join to there has to be a row, and it is one.
    one = Selects((Select((("one", Const(1)),)),), context.alias()) if joins else None
    return Select(said, one, joins, Test(always, "is not null"))


def any_text(
    context: Context,
    field: Localized,
    alias: str,
    condition: Callable[[Expression], Expression],
) -> Expression:
    """That a condition holds of the text in one of its languages."""
    found = [condition(Ref(alias, column.name)) for column in field.columns.values()]
    if field.elsewhere is not None:
        far = context.alias()
        there = _there(field.elsewhere, original(field, alias), alias, far, None)
        matching = all_of([there, condition(Ref(far, "text"))])
        found.append(Exists(Select((), From(field.elsewhere.table, far), where=matching)))
    return Or(tuple(found))


def _is_other(field: Localized, language: str | None) -> bool:
    return language is not None and language != next(iter(field.columns))


def _column(field: Localized, language: str | None) -> list[str]:
    """The column of a language that is not always there, if it has one."""
    if language is None or not _is_other(field, language) or language not in field.columns:
        return []
    return [field.columns[language].name]


def _there(
    elsewhere: Elsewhere, of: Expression, alias: str, far: str, language: str | None
) -> Expression:
    """That the row at `far` has our text in a language, translated from what it still says."""
    conditions: list[Expression] = [
        Operation(Ref(far, elsewhere.remote), "=", Ref(alias, elsewhere.local.name)),
        Operation(Ref(far, "field"), "=", Const(elsewhere.field)),
        Operation(Ref(far, "original"), "=", of),
    ]
    if language is not None:
        conditions.append(Operation(Ref(far, "language"), "=", Const(language)))
    found = all_of(conditions)
    assert found is not None
    return found
