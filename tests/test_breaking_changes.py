"""The schema breaks no promise unless `schema/breaking.md` says so, with a date and a reason.

What is printed now is compared with what clients were given before: with the schema of the newest
tag `v*`, or, while there is none, with the one before the last commit (on a branch that is being
worked on: the last commit). A merge is compared with what it was merged into, so that all of a
branch is looked at together. Where there is no history, as in an archive, only the check itself is
checked. What is DANGEROUS (a value more in an enum, for example) is said, and is no failure.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
import pytest

from federation.node import ask, install
from schema.build import sdl
from tests.node import or_skipped
from tests.roads import the_graph
from tests.serving import ROOT

LISTED = ROOT / "schema" / "breaking.md"

FILE = "schema/sdl/directory.graphql"

# - 2026-12-24 `Type.field`: a reason.
_ENTRY = re.compile(r"- (?P<date>\d{4}-\d\d-\d\d) `(?P<path>[^`]+)`: (?P<reason>\S.{15,})")


@dataclass(frozen=True)
class Change:
    """A difference between two schemas; `level` is BREAKING, DANGEROUS or NON_BREAKING."""

    level: str
    message: str
    path: str = ""


@pytest.fixture(scope="module", autouse=True)
def inspector() -> None:
    """GraphQL Inspector, installed."""
    with or_skipped("NOBODY LOOKED FOR BREAKING CHANGES"):
        install()


def changes(old: str, new: str) -> list[Change]:
    """How one schema differs from another."""
    return [Change(**each) for each in ask("changes.mjs", {"old": old, "new": new})]


def broken(found: Sequence[Change], listed: str) -> list[Change]:
    """What is broken and not listed."""
    known = set(_listed(listed))
    return [each for each in found if each.level == "BREAKING" and each.path not in known]


def _listed(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("- "):
            entry = _ENTRY.fullmatch(line)
            assert entry, f"{LISTED.name}: {line!r} needs a date, a path and a reason"
            yield entry["path"]


def test_nothing_is_broken_that_is_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    before = given_before()
    if before is None:
        pytest.skip("NO HISTORY: THE SCHEMA WAS COMPARED WITH NOTHING")
    found = changes(before, sdl(the_graph()))
    dangerous = [each for each in found if each.level == "DANGEROUS"]
    with capsys.disabled():
        for each in dangerous:
            click.echo(f"\nDANGEROUS {each.path}: {each.message}", nl=False)
    assert broken(found, LISTED.read_text()) == []


def test_what_is_broken_is_found_unless_it_is_listed() -> None:
    schema = """
        enum Kind { A B }
        type Query { name: String, kind(of: Kind): Kind }
    """
    later = """
        enum Kind { A B C }
        type Query { kind(of: Kind!): Kind, more: Int }
    """
    found = changes(schema, later)
    assert {(each.level, each.path) for each in found} == {
        ("BREAKING", "Query.name"),
        ("BREAKING", "Query.kind.of"),
        ("DANGEROUS", "Kind.C"),
        ("NON_BREAKING", "Query.more"),
    }
    assert {each.path for each in broken(found, "")} == {"Query.name", "Query.kind.of"}
    listed = "- 2026-11-27 `Query.name`: nobody has a name; ask for `kind` instead."
    assert [each.path for each in broken(found, listed)] == ["Query.kind.of"]
    with pytest.raises(AssertionError, match="needs a date"):
        broken(found, "- `Query.name`: sorry")


def given_before() -> str | None:
    """The schema that clients were given before this one; None where nobody remembers."""
    if shutil.which("git") is None or _git("rev-parse", "HEAD") is None:
        return None
    tag = _git("describe", "--tags", "--abbrev=0", "--match", "v*")
    if tag is not None:
        return _git("show", f"{tag.strip()}:{FILE}")
    committed = _git("show", f"HEAD:{FILE}")
    if committed is not None and committed != (ROOT / FILE).read_text():
        return committed
    return _git("show", f"HEAD~1:{FILE}")


def _git(*command: str) -> str | None:
    done = subprocess.run(
        ["git", *command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout if done.returncode == 0 else None
