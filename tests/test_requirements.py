"""What we need from others is pinned by hash, from wherever one gets it, and imported by name."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PINNED = sorted(ROOT.glob("requirements*.txt"))
LOCKED = [
    path
    for pattern in (
        "web/*/package-lock.json",
        "federation/package-lock.json",
        "tests/**/package-lock.json",
    )
    for path in sorted(ROOT.glob(pattern))
    if "node_modules" not in path.parts
]
HOMES = {"web", "schema", "resolvers", "db"}
# Where a package was found, and where its authors would like to be paid.
ADDRESS = re.compile(r".*://.*")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def requirements(path: Path) -> list[str]:
    """The requirements of a file, a line each."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.strip().startswith("#")]


@pytest.mark.parametrize("path", PINNED, ids=named)
def test_every_requirement_is_pinned_by_hash(path: Path) -> None:
    pinned = re.compile(r"\S+==\S+ .*--hash=sha256:[0-9a-f]{64}")
    assert [line for line in requirements(path) if not pinned.match(line)] == []


@pytest.mark.parametrize("path", PINNED, ids=named)
def test_requirements_name_no_host(path: Path) -> None:
    assert "://" not in path.read_text()


@pytest.mark.parametrize("path", LOCKED, ids=named)
def test_locked_packages_name_no_host(path: Path) -> None:
    assert ADDRESS.findall(path.read_text()) == []


def imported(path: Path) -> list[str]:
    """What a file imports from modules, as `module.name`."""
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


def packages(files: Iterable[Path]) -> set[str]:
    """Whose modules are imported by files, beside the standard library's and our own."""
    modules = {
        name.partition(".")[0]
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    known = packages_distributions()
    ours = {"server", "federation", "tests", *HOMES}
    return {known[name][0] for name in modules - sys.stdlib_module_names - ours}


def test_what_we_import_is_what_we_say_we_need() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed, more = (
        {re.split(r"[^\w-]", text)[0] for text in texts}
        for texts in (project["dependencies"], project["optional-dependencies"]["dev"])
    )
    ours = [
        ROOT / "server.py",
        *(path for home in sorted(HOMES) for path in (ROOT / home).rglob("*.py")),
    ]
    assert packages(ours) - needed == set()
    assert packages((ROOT / "tests").rglob("*.py")) - needed - more == set()


def test_nobody_imports_whatever_there_is() -> None:
    homes = ("web", "schema", "resolvers", "db", "tests")
    files = [ROOT / "server.py", *(path for home in homes for path in (ROOT / home).rglob("*.py"))]
    assert [path for path in files if any(name.endswith("*") for name in imported(path))] == []


def test_of_the_database_the_schema_knows_only_the_words() -> None:
    strangers = {
        (named(path), name)
        for path in (ROOT / "schema").rglob("*.py")
        for name in imported(path)
        if name.startswith("db.") and not name.startswith("db.mapping")
    }
    assert strangers == set()
