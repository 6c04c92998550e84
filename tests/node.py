"""Node, and the client libraries of `clients/`, installed once per lock file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from federation.node import NodeError, check
from tests.serving import ROOT

SOURCES = ROOT / "tests" / "clients"


@dataclass(frozen=True)
class Clients:
    """The programs of `clients/`, copied to where they find their libraries."""

    folder: Path
    libraries: Path

    def run(self, program: str, *arguments: str) -> Any:
        """What a program says, which has to be JSON and nothing else."""
        return json.loads(self.said("node", program, *arguments))

    def said(self, *command: str) -> str:
        """What a command says, which has to succeed."""
        done = self.done(*command)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def begun(self, *command: str) -> subprocess.Popen[str]:
        """A command that says something while it runs."""
        return subprocess.Popen(
            command, cwd=self.folder, env=self._environment(), stdout=subprocess.PIPE, text=True
        )

    def _environment(self) -> dict[str, str]:
        path = f"{self.libraries / '.bin'}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "NO_COLOR": "1"}

    def done(self, *command: str) -> subprocess.CompletedProcess[str]:
        """What became of a command; it may be a tool that a library brings."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@contextmanager
def or_skipped(consequence: str) -> Iterator[None]:
    """What is done inside needs Node. Without it a test is skipped, loudly; in CI it fails."""
    try:
        yield
    except NodeError as reason:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{reason}: {consequence}")


@contextmanager
def clients() -> Iterator[Clients]:
    """The client libraries, from `npm ci`; without Node their tests are skipped, but not in CI."""
    with or_skipped("NO CLIENT LIBRARY ASKED ANYTHING"):
        check()
    lock = (SOURCES / "package-lock.json").read_bytes()
    installed = ROOT / "build" / "clients" / hashlib.sha256(lock).hexdigest()[:16]
    if not installed.exists():
        _install(installed)
    # Below the libraries, where Node looks for them; what a compiler makes there is made anew.
    with tempfile.TemporaryDirectory(dir=installed) as folder:
        ours = shutil.ignore_patterns("node_modules")
        shutil.copytree(SOURCES, folder, dirs_exist_ok=True, ignore=ours)
        yield Clients(Path(folder), installed / "node_modules")


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
        # At once, so that whoever finds it finds it whole; it may be what somebody else made.
        try:
            made.rename(folder)
        except OSError:
            if not folder.exists():
                raise
