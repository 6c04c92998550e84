"""A lock that its holder cannot take to the grave: flock, on a file that may get deleted."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


def share(path: Path) -> int:
    """Hold a lock together with others; closing the descriptor lets go of it."""
    return _hold(path, fcntl.LOCK_SH)


def claim(path: Path, patience: float = 0.0) -> int | None:
    """Hold a lock alone, or None if others have not let go of it in so many seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return _hold(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return None
        time.sleep(0.02)


def _hold(path: Path, operation: int) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        held = False
        try:
            fcntl.flock(descriptor, operation)
            held = _is(path, descriptor)
        finally:
            if not held:
                os.close(descriptor)
        if held:
            return descriptor


def _is(path: Path, descriptor: int) -> bool:
    """Whether the file that we locked is the one that others will find, or has been deleted."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
