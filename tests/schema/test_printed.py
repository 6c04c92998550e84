"""The schema in the repository is printed by a command that anybody can run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_command_prints_the_schema() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "server.py", "schema"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stdout == (ROOT / "schema/sdl/directory.graphql").read_bytes()
