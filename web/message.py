"""What a stream tells, before a transport puts it into its own form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A response as JSON, and the cursor to come back with; without a body, a sign of life.

    What is `refused` is the last one, and has no data.
    """

    body: bytes | None
    cursor: str | None
    refused: bool = False
