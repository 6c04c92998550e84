"""Node, and the client libraries of `clients/`, installed once per lock file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.serving import ROOT

SOURCES = ROOT / "tests" / "clients"

OLDEST = 20
"""The Node that the libraries need."""


@dataclass(frozen=True)
class Clients:
    """The programs of `clients/`, beside the libraries they use."""

    folder: Path

    def run(self, program: str, *arguments: str) -> Any:
        """What a program says, which has to be JSON and nothing else."""
        return json.loads(self.said("node", program, *arguments))

    def said(self, *command: str) -> str:
        """What a command says; `command` may be a tool that a library brings."""
        path = f"{self.folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "PATH": path, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout


def clients() -> Clients:
    """The client libraries, from `npm ci`; without Node their tests are skipped, but not in CI."""
    reason = _missing()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(f"{reason}: NO CLIENT LIBRARY ASKED ANYTHING")
    lock = (SOURCES / "package-lock.json").read_bytes()
    folder = ROOT / "build" / "clients" / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.exists():
        _install(folder)
    for path in SOURCES.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return Clients(folder)


def _missing() -> str | None:
    """Why there are no client libraries to be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "NO NODE"
    version = subprocess.check_output(["node", "--version"], text=True).strip()
    if int(version[1:].partition(".")[0]) < OLDEST:
        return f"NODE {version} IS TOO OLD, {OLDEST} IS NEEDED"
    return None


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, unfinished)
        quietly = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        done = subprocess.run(
            ["npm", "ci", *quietly],
            cwd=unfinished,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        made = Path(unfinished, "made")
        made.mkdir()
        Path(unfinished, "node_modules").rename(made / "node_modules")
        # At once, so that whoever finds it finds it whole.
        made.rename(folder)
