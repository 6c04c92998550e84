"""Values on their way to Postgres: read as what they are, or refused in words for the client."""

from __future__ import annotations

import base64
import json
from uuid import UUID

import pytest

from resolvers.errors import Code, FieldRefused
from resolvers.plan.context import KeyOf, ListOf, PageSize
from resolvers.plan.filters import Pattern
from resolvers.plan.orders import CursorPart
from resolvers.plan.references import AnyKey, KindOf
from schema.scalars import TEXT_KEY, UUID_KEY

SOME = "00000000-0000-0000-0000-000000000001"


def cursor(*parts: object) -> str:
    return base64.b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    ("type_", "written", "read"),
    [
        ("text", "a", "a"),
        ("int4", -5, -5),
        ("float8", 1, 1.0),
        ("bool", True, True),
        ("uuid", SOME, UUID(SOME)),
        ("text", None, None),
    ],
)
def test_a_cursor_gives_back_what_was_put_into_it(
    type_: str, written: object, read: object
) -> None:
    part = CursorPart("mark", 1, type_, 2)
    assert part(cursor("mark", "other", written)) == read


@pytest.mark.parametrize(
    "value",
    [
        "",
        "%",
        "e30",
        cursor(),
        cursor("mark"),
        cursor("mark", 1, 2),
        cursor("another", 1),
        cursor("mark", "1"),
        cursor("mark", True),
        cursor("mark", 1.0),
        cursor("mark", 2**31),
        cursor("mark", []),
        base64.b64encode(b'{"mark": 1}').decode(),
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(b"[" * 5_000).decode(),
    ],
)
def test_anything_else_is_not_a_cursor(value: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        CursorPart("mark", 0, "int4", 1)(value)
    assert refused.value.code is Code.BAD_CURSOR


def test_a_pattern_finds_its_text_and_nothing_else() -> None:
    anywhere, start = Pattern(str, anywhere=True), Pattern(str, anywhere=False)
    assert anywhere(r"50%_\o") == r"%50\%\_\\o%"
    assert start("a") == "a%"
    assert anywhere("") == "%%"


def test_an_id_is_read_as_the_key_of_its_type() -> None:
    read = KeyOf("Place", UUID_KEY.read)
    assert read(f"Place:{SOME}") == UUID(SOME)
    assert KeyOf("Kind", TEXT_KEY.read)("Kind:a:b") == "a:b"
    for wrong in ("", "Place", "Place:", "Place:x", f"Other:{SOME}", f"place:{SOME}", SOME):
        with pytest.raises(FieldRefused) as refused:
            read(wrong)
        assert refused.value.code is Code.BAD_ID


def test_ids_of_several_types_are_checked_each_as_its_own() -> None:
    keys = AnyKey((("Place", KeyOf("Place", UUID_KEY.read)), ("Kind", KeyOf("Kind", str))))
    assert [keys(f"Place:{SOME}"), keys("Kind:a")] == [SOME, "a"]
    assert KindOf(frozenset({"Kind"}))("Kind:a") == "Kind"
    for wrong in ("Place:a", "Nothing:a", "Kind"):
        with pytest.raises(FieldRefused):
            keys(wrong)


def test_a_list_is_short_and_has_no_holes() -> None:
    read = ListOf(str, limit=3)
    assert read([1, 2, 3]) == ["1", "2", "3"]
    assert read("a") == ["a"]
    assert read([]) == []
    for wrong in ([1, 2, 3, 4], [None], None):
        with pytest.raises(ValueError, match="list"):
            read(wrong)


def test_a_page_has_a_size() -> None:
    read = PageSize(100)
    assert [read(0), read(100)] == [0, 100]
    with pytest.raises(ValueError, match="negative"):
        read(-1)
    with pytest.raises(FieldRefused) as refused:
        read(101)
    assert refused.value.code is Code.PAGE_TOO_LARGE
