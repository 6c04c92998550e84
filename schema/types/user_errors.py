"""User errors: why a change was not made."""

from __future__ import annotations

from enum import Enum

from schema.entity import value


class UserErrorCode(Enum):
    """Why something cannot be done as it was asked for."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    """A value makes no sense."""
    BAD_ID = "BAD_ID"
    """It is no id of this directory, or one of another type."""
    REQUIRED = "REQUIRED"
    """It has to be said, and cannot be null."""
    TOO_LONG = "TOO_LONG"
    """It is longer than it may be."""
    NOT_ALLOWED = "NOT_ALLOWED"
    """A rule of the directory forbids it."""
    TAKEN = "TAKEN"
    """It has to be unique, and another record has it."""
    OVERLAPS = "OVERLAPS"
    """It overlaps another of its kind, and may not."""
    NOT_FOUND = "NOT_FOUND"
    """There is no such record, or it is not where the path says."""
    IN_USE = "IN_USE"
    """Other records refer to it, and would be left hanging."""
    REPEATED = "REPEATED"
    """The same record is twice among what was sent."""
    CONFLICT = "CONFLICT"
    """Somebody else was first: it is another version than `ifVersion` says."""
    KEY_REUSED = "KEY_REUSED"
    """The `idempotencyKey` came with something else before."""
    ROLLED_BACK = "ROLLED_BACK"
    """It could have been done, but something else that was asked for could not."""


@value()
class UserError:
    """Why something was not done, and where in the input the reason is."""

    path: list[str]
    """The way to it inside `input`: names of fields, and numbers in lists from 0; empty if it is
    about the whole."""
    code: UserErrorCode
    """Why, in a word that never changes."""
    message: str
    """Why, in words for people."""
