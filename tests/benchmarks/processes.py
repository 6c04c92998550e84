"""Processor time and memory of a process, where Linux tells them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def processor_seconds(pids: Iterable[int]) -> float | None:
    """Seconds on a processor that these processes have had; None where nobody says."""
    try:
        # The name in brackets may hold spaces; user and system time are the 12th and 13th after it.
        fields = [_read(pid, "stat").rpartition(")")[2].split() for pid in pids]
    except OSError:
        return None
    return sum(int(each[11]) + int(each[12]) for each in fields) / _TICK


def megabytes(pid: int) -> float | None:
    """Memory that a process holds, shared pages among it; None where nobody says."""
    try:
        return int(_read(pid, "statm").split()[1]) * _PAGE / 1e6
    except OSError:
        return None


def _read(pid: int, name: str) -> str:
    return Path("/proc", str(pid), name).read_text()
