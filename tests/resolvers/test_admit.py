"""Admission counts what execution would see, and the look before it never sees more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from graphql import TokenKind, parse
from graphql.language import Lexer, Source

from resolvers.admit import Limits, admit
from resolvers.errors import Code, RequestRefused
from resolvers.scan import scan

OPERATIONS = sorted((Path(__file__).parent.parent / "operations").glob("*/*.graphql"))
AMPLE = Limits(10**6, 10**6, 100, 10**6, 10**6, 10**6, 10**6)


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def code_of(check: Callable[[], object]) -> str | None:
    """The code with which something is refused; None if it is not."""
    try:
        check()
    except RequestRefused as refused:
        (error,) = refused.errors
        assert error.extensions is not None
        code: str = error.extensions["code"]
        return code
    return None


# An operation, what it has just enough of, and how much that is.
ENOUGH = {
    "fields": ("{ a { b c } d }", "fields", 4, Code.TOO_MANY_FIELDS),
    # The spreads count with what they spread, and so does the fragment by itself.
    "fields of a fragment, each time": (
        "{ a { ...F } b { ...F } } fragment F on T { c d }",
        "fields",
        10,
        Code.TOO_MANY_FIELDS,
    ),
    "fields of an inline fragment": ("{ a { ... { b } } }", "fields", 3, Code.TOO_MANY_FIELDS),
    "fields of all operations": ("query A { a } query B { b }", "fields", 2, Code.TOO_MANY_FIELDS),
    "levels": ("{ a { b { c } } }", "depth", 3, Code.TOO_DEEP),
    "levels below a fragment": (
        "{ a { ...F } } fragment F on T { b { c } }",
        "depth",
        3,
        Code.TOO_DEEP,
    ),
    "levels of fields that merge": ("{ a { b } a { b { c } } }", "depth", 3, Code.TOO_DEEP),
    "aliases": ("{ x: a y: b { z: c } }", "aliases", 3, Code.TOO_MANY_ALIASES),
    "aliases of a fragment, each time": (
        "{ a { ...F } b { ...F } } fragment F on T { x: c }",
        "aliases",
        3,
        Code.TOO_MANY_ALIASES,
    ),
    "directives": (
        "query @a { a @b ... @c { d } }",
        "directives",
        3,
        Code.TOO_MANY_DIRECTIVES,
    ),
    "root fields": ("{ a b c { d e } }", "root_fields", 3, Code.TOO_MANY_ROOT_FIELDS),
    "root fields of a fragment": (
        "{ a ...F } fragment F on T { b c }",
        "root_fields",
        3,
        Code.TOO_MANY_ROOT_FIELDS,
    ),
    "root fields that merge": (
        "{ a b b { c } b { d } }",
        "root_fields",
        2,
        Code.TOO_MANY_ROOT_FIELDS,
    ),
    "root fields of the largest operation": (
        "query A { a b } query B { c d e }",
        "root_fields",
        3,
        Code.TOO_MANY_ROOT_FIELDS,
    ),
}


@pytest.mark.parametrize(("text", "limit", "enough", "code"), ENOUGH.values(), ids=ENOUGH.keys())
def test_just_enough_is_admitted_and_one_less_is_not(
    text: str, limit: str, enough: int, code: Code
) -> None:
    document = parse(text)
    just = replace(AMPLE, **{limit: enough})
    less = replace(AMPLE, **{limit: enough - 1})
    assert code_of(lambda: admit(document, just)) is None
    assert code_of(lambda: admit(document, less)) == code
    # The look before may let too much pass, and never refuses what is admitted.
    assert code_of(lambda: scan(text, just)) is None


@pytest.mark.parametrize("path", OPERATIONS, ids=named)
def test_tokens_are_counted_as_the_parser_counts_them(path: Path) -> None:
    text = path.read_text()
    lexer = Lexer(Source(text))
    tokens = 0
    token = lexer.token
    while token.kind is not TokenKind.EOF:
        token = lexer.advance()
        tokens += 1
    tokens += sum(1 for line in text.splitlines() if line.lstrip().startswith("#")) - 1
    assert code_of(lambda: scan(text, replace(AMPLE, tokens=tokens))) is None
    assert code_of(lambda: scan(text, replace(AMPLE, tokens=tokens - 1))) == Code.TOO_MANY_TOKENS


@pytest.mark.parametrize("path", OPERATIONS, ids=named)
def test_a_look_at_a_text_refuses_nothing_that_is_admitted(path: Path) -> None:
    text = path.read_text()
    document = parse(text)
    assert code_of(lambda: scan(text, Limits())) is None
    for limit in ("aliases", "directives"):
        for enough in range(20):
            limits = replace(AMPLE, **{limit: enough})
            if code_of(partial(admit, document, limits)) is None:
                assert code_of(partial(scan, text, limits)) is None
                break


@pytest.mark.parametrize(
    "text",
    [
        '{ a(b: "{ @ : (") }',
        '{ a(b: "\\"{{{{") }',
        '{ a(b: """ " { @ : ( \\""" {{{ """) }',
        '{ a(b: """""", c: "") }',
        "{ a # { @ : ( {{{\n}",
        "{ a(b: {c: {d: 1}}, e: [[1]]) }",
        "query ($a: T = {b: 1}, $c: [Int!]! = [1]) { a }",
    ],
)
def test_what_stands_in_values_and_comments_is_no_alias_and_no_level(text: str) -> None:
    parse(text)
    limits = replace(AMPLE, depth=2, aliases=0, directives=0)
    assert code_of(lambda: scan(text, limits)) is None
