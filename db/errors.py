"""Everything that can go wrong with a database, sorted by whose mistake it was.

    DatabaseError
     ├── BadValue              the client's: a value that Postgres cannot take (SQLSTATE 22, 23)
     │    ├── RefusedValue     ... or that a rule of ours refuses, in words of ours (CR001)
     │    ├── UnknownPlace     ... or a place that the change log has not (CR002)
     │    ├── ExpiredPlace     ... or one of which it no longer knows what came after (CR003)
     │    ├── BeforeRecords    ... or a moment of which nothing is recorded yet (CR004)
     │    └── NotRecorded      ... or one of the past, of what nobody records (CR005)
     ├── DatabaseBusy          nobody's: no connection came free in time
     │    └── Contended        ... or others changed the same again and again (40001, 40P01)
     ├── StatementTimeout      the question's: it took longer than a statement may
     ├── DatabaseUnavailable   the operator's: there is no Postgres to ask
     │    ├── OutcomeUnknown   ... and nobody knows whether it has done what it was told
     │    └── EmbeddedPostgresError   ... and ours could not be started
     ├── NotGranted            the operator's: our role may not read what the question is about
     ├── MigrationError        the developer's: the files do not agree with the database
     └── DatabaseFault         ours: everything else

The text of the first five and of DatabaseFault may be shown to anybody: it is chosen here, or in a
migration that raises CR001, and never comes from Postgres itself. What Postgres said is the
`__cause__`, for the log. EmbeddedPostgresError and MigrationError are read by whoever starts a
server, and tell all they know.
"""

# ruff: noqa: N818  named after what is wrong, as the answers are

from __future__ import annotations

from typing import ClassVar

import asyncpg


class DatabaseError(Exception):
    """A statement was not answered; `code` says why, in a word that never changes."""

    code: ClassVar[str]
    sqlstate: str | None = None


class BadValue(DatabaseError):
    """Postgres cannot take this value: it is malformed, out of range or breaks a constraint."""

    code = "BAD_VALUE"
    # What was broken, and where, as Postgres calls them.
    constraint: str | None = None
    table: str | None = None
    column: str | None = None


class RefusedValue(BadValue):
    """A function of ours refuses this value, and its words are for the client."""


class UnknownPlace(BadValue):
    """It is no place in the change log."""


class ExpiredPlace(BadValue):
    """What came after this place in the change log is no longer there, or not all of it."""


class BeforeRecords(BadValue):
    """Of this moment nothing is recorded; the text says since when something is."""


class NotRecorded(BadValue):
    """Nobody records what this was."""


class DatabaseBusy(DatabaseError):
    """Every connection is taken, and none came free in time."""

    code = "DATABASE_BUSY"


class Contended(DatabaseBusy):
    """Others changed the same at the same time. What was begun is undone; it may be tried again."""

    code = "DATABASE_CONTENDED"


class StatementTimeout(DatabaseError):
    """The statement ran for longer than a statement may."""

    code = "DATABASE_TIMEOUT"


class DatabaseUnavailable(DatabaseError):
    """No connection can be made, it was lost twice in a row, or nothing comes from it any more."""

    code = "DATABASE_UNAVAILABLE"


class OutcomeUnknown(DatabaseUnavailable):
    """It was said that what was done should stay, and nobody has heard whether it does."""

    code = "OUTCOME_UNKNOWN"


class NotGranted(DatabaseError):
    """The role that we ask as may not read all that the statement does."""

    code = "NOT_GRANTED"


class EmbeddedPostgresError(DatabaseUnavailable):
    """The embedded Postgres could not be started; the text says what to do about it."""

    code = "EMBEDDED_POSTGRES"


class MigrationError(DatabaseError):
    """The migrations cannot be applied; the text says which file and why."""

    code = "MIGRATION"


class DatabaseFault(DatabaseError):
    """We asked something that Postgres does not understand or does not allow."""

    code = "DATABASE_FAULT"


# What the client is told about a value, by SQLSTATE. All of class 22 and 23 that is not listed
# is told the last line.
_BAD_VALUES = {
    "22003": "A number is out of range.",
    "22007": "A date or time is malformed.",
    "22008": "A date or time is out of range.",
    "22021": "A text contains a character that cannot be stored.",
    "22P05": "A text contains a character that cannot be stored.",
    "22P02": "A value is malformed.",
    "23502": "A required value is missing.",
    "23503": "A value refers to something that does not exist, or that is still in use.",
    "23505": "A value that has to be unique exists already.",
    "23514": "A value is not one of those allowed.",
    "23P01": "A value overlaps one that exists already.",
}
_BAD_VALUE = "A value cannot be used."

# What our own functions raise: `raise exception 'words' using errcode = 'CR001'`.
_REFUSED = "CR001"
_BEFORE = "CR004"
_PLACES = {"CR002": UnknownPlace, "CR003": ExpiredPlace, "CR005": NotRecorded}
_BUSY = frozenset({"53300"})  # too many connections
_CONTENDED = frozenset({"40001", "40P01"})  # could not serialize, deadlock
_TIMEOUT = frozenset({"57014", "55P03"})  # statement cancelled, lock not available
_NOT_GRANTED = "42501"
_UNAVAILABLE = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "3D000"})


def from_postgres(error: Exception) -> DatabaseError:
    """What asyncpg raised becomes the answer to: whose mistake was it?"""
    state: str | None = getattr(error, "sqlstate", None)
    said = _classify(error, state)
    said.sqlstate = state
    said.__cause__ = error
    return said


def _classify(error: Exception, state: str | None) -> DatabaseError:
    if isinstance(error, UnicodeError):  # a lone surrogate; it never reached Postgres
        return BadValue(_BAD_VALUES["22021"])
    if state == _REFUSED:
        return _placed(RefusedValue(str(getattr(error, "message", _BAD_VALUE))), error)
    if state == _BEFORE:
        return BeforeRecords(str(getattr(error, "message", "")))
    if state in _PLACES:
        return _PLACES[state](_BAD_VALUE)
    if state is not None and state[:2] in ("22", "23"):
        return _placed(BadValue(_BAD_VALUES.get(state, _BAD_VALUE)), error)
    if state in _CONTENDED:
        return Contended("Others are changing the same.")
    if state in _BUSY:
        return DatabaseBusy("The database takes no more connections.")
    if state in _TIMEOUT:
        return StatementTimeout("The database took too long to answer.")
    if state is not None and (state in _UNAVAILABLE or state[:2] in ("08", "28", "58")):
        return DatabaseUnavailable("The database cannot be reached.")
    if state == _NOT_GRANTED:
        return NotGranted("This may not be read.")
    # A TimeoutError is one: Postgres would have ended the statement before that, and said so.
    if isinstance(error, OSError | asyncpg.InternalClientError):
        return DatabaseUnavailable("The database cannot be reached.")
    return DatabaseFault("The database could not answer this.")


def _placed(bad: BadValue, error: Exception) -> BadValue:
    bad.constraint = getattr(error, "constraint_name", None)
    bad.table = getattr(error, "table_name", None)
    bad.column = getattr(error, "column_name", None)
    return bad
