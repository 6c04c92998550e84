"""What docstrings show, happens."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHOWN = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for home in ("web", "schema", "resolvers", "db")
    for path in sorted((ROOT / home).rglob("*.py"))
    if ">>> " in path.read_text()
]


def test_there_is_something_shown() -> None:
    assert {"db.render", "resolvers.fields.phones"} <= set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_docstring_shows_what_happens(name: str) -> None:
    results = doctest.testmod(import_module(name))
    assert results.attempted > 0
    assert results.failed == 0
