"""Every way we say no, each with its code in `extensions.code`.

::

    GraphQLError                            a message, a place and a path, by the specification
     x  RequestRefused                      nothing was executed; `data` is absent
        |-- GRAPHQL_PARSE_FAILED            the text is not GraphQL
        |-- GRAPHQL_VALIDATION_FAILED       it asks what the schema does not have
        |-- OPERATION_NOT_FOUND             no operation, or none of that name, or several
        |-- OPERATION_NOT_SUPPORTED         a subscription, where one answer is asked for
        |-- INCREMENTAL_DELIVERY_NOT_SUPPORTED   @defer or @stream: an answer comes whole
        |-- FORBIDDEN                       whoever asks may not change anything
        |-- BAD_VARIABLES                   a variable's value does not fit its type
        |-- NOT_EXPORTABLE                  a file is asked for of what is no list of rows
        |-- EXPORT_TOO_LARGE                more rows than whoever asks may export
        |-- CURSOR_EXPIRED                  what came after it is no longer there
        |-- BEFORE_RECORDS                  `@asOf` of a time when nothing was recorded yet
        |-- NOT_RECORDED                    `@asOf` of something of which nobody records what it was
        |-- TOO_SLOW                          a subscriber who does not read what is told
        |-- SHUTTING_DOWN                     a subscription that this server cannot go on with
        |-- limits, known before any SQL    DOCUMENT_TOO_LARGE, TOO_MANY_TOKENS, TOO_DEEP,
        |                                   TOO_MANY_FIELDS, TOO_MANY_ALIASES,
        |                                   TOO_MANY_DIRECTIVES, TOO_MANY_ROOT_FIELDS,
        |                                   TOO_MANY_CONDITIONS, TOO_MANY_ROWS
        `-- the database, for all fields    DATABASE_BUSY, DATABASE_UNAVAILABLE, NOT_GRANTED,
                                            OUTCOME_UNKNOWN, STATEMENT_TIMEOUT,
                                            INTERNAL_SERVER_ERROR
     x  FieldRefused                        one field is null, its neighbours are answered
        |-- BAD_USER_INPUT                  an argument's value makes no sense
        |-- BAD_ID                          not an id of this graph, or of another type
        |-- BAD_REPRESENTATION              `_entities` is not told which entity is meant
        |-- BAD_CURSOR                      not a cursor, or one of another order
        |-- PAGE_TOO_LARGE                  `first` or `last` above the limit
        `-- INTERNAL_SERVER_ERROR           our mistake; logged, and nothing of it is shown

The README explains each code to clients; a test compares the two.
"""

# ruff: noqa: N818  named after what is wrong, as the answers are

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from graphql import GraphQLError
from graphql.language import Node

from db.errors import (
    BadValue,
    BeforeRecords,
    Contended,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnavailable,
    ExpiredPlace,
    NotGranted,
    NotRecorded,
    OutcomeUnknown,
    RefusedValue,
    StatementTimeout,
    UnknownPlace,
)


class Code(StrEnum):
    """What `extensions.code` can be. Codes are kept for good; messages may change."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_NOT_FOUND = "OPERATION_NOT_FOUND"
    OPERATION_NOT_SUPPORTED = "OPERATION_NOT_SUPPORTED"
    INCREMENTAL_DELIVERY_NOT_SUPPORTED = "INCREMENTAL_DELIVERY_NOT_SUPPORTED"
    BAD_VARIABLES = "BAD_VARIABLES"
    NOT_EXPORTABLE = "NOT_EXPORTABLE"
    EXPORT_TOO_LARGE = "EXPORT_TOO_LARGE"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    BEFORE_RECORDS = "BEFORE_RECORDS"
    NOT_RECORDED = "NOT_RECORDED"
    TOO_SLOW = "TOO_SLOW"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    DOCUMENT_TOO_LARGE = "DOCUMENT_TOO_LARGE"
    TOO_MANY_TOKENS = "TOO_MANY_TOKENS"
    TOO_DEEP = "TOO_DEEP"
    TOO_MANY_FIELDS = "TOO_MANY_FIELDS"
    TOO_MANY_ALIASES = "TOO_MANY_ALIASES"
    TOO_MANY_DIRECTIVES = "TOO_MANY_DIRECTIVES"
    TOO_MANY_ROOT_FIELDS = "TOO_MANY_ROOT_FIELDS"
    TOO_MANY_CONDITIONS = "TOO_MANY_CONDITIONS"
    TOO_MANY_ROWS = "TOO_MANY_ROWS"
    DATABASE_BUSY = "DATABASE_BUSY"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    FORBIDDEN = "FORBIDDEN"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    NOT_GRANTED = "NOT_GRANTED"
    STATEMENT_TIMEOUT = "STATEMENT_TIMEOUT"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BAD_ID = "BAD_ID"
    BAD_REPRESENTATION = "BAD_REPRESENTATION"
    BAD_CURSOR = "BAD_CURSOR"
    PAGE_TOO_LARGE = "PAGE_TOO_LARGE"


class RequestRefused(Exception):
    """The request as a whole is not answered."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


class FieldRefused(Exception):
    """One field cannot be answered; the specification says what becomes of its parents."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def coded(code: Code, message: str, nodes: Sequence[Node] = ()) -> GraphQLError:
    """An error with its code."""
    return GraphQLError(message, nodes=list(nodes) or None, extensions={"code": code.value})


def refuse(code: Code, message: str, nodes: Sequence[Node] = ()) -> RequestRefused:
    """A request refused for one reason."""
    return RequestRefused([coded(code, message, nodes)])


_LONGEST = 500


def with_code(error: GraphQLError, code: Code) -> GraphQLError:
    """graphql-core's error, with our code. It quotes the client, so it may be long, and no text."""
    message = error.message.encode(errors="replace").decode()
    error.message = message if len(message) <= _LONGEST else message[:_LONGEST] + "…"
    error.extensions = {**(error.extensions or {}), "code": code.value}
    return error


def before_records(since: str) -> str:
    """Since when there is something to tell."""
    if not since:
        return "Nothing is recorded yet, so that there is no past to tell of."
    return f"What was said is recorded since {since}. Nobody knows what it was before."


def not_recorded() -> RequestRefused:
    """A question about the past of what has none."""
    return refuse(Code.NOT_RECORDED, "This asks about something of which only the present is kept.")


def from_database(error: DatabaseError) -> RequestRefused:
    """What a client may know of a failed statement."""
    match error:
        case Contended():
            message = "Others keep changing the same. Nothing was done; please try again."
            return refuse(Code.DATABASE_BUSY, message)
        case OutcomeUnknown():
            message = (
                "Nobody knows whether this was done: the database did not come to say so. Ask "
                "again with the same idempotencyKey, or look."
            )
            return refuse(Code.OUTCOME_UNKNOWN, message)
        case DatabaseBusy():
            return refuse(Code.DATABASE_BUSY, "The database is busy. Please try again shortly.")
        case DatabaseUnavailable():
            return refuse(Code.DATABASE_UNAVAILABLE, "The database cannot be reached just now.")
        case NotGranted():
            return refuse(Code.NOT_GRANTED, "This server may not read all that this asks about.")
        case StatementTimeout():
            message = "This took too long. Ask for less at a time, or filter more narrowly."
            return refuse(Code.STATEMENT_TIMEOUT, message)
        case UnknownPlace():
            return refuse(Code.BAD_CURSOR, "This is not a cursor of this directory.")
        case ExpiredPlace():
            message = "What came after this cursor is no longer known. Begin anew, without it."
            return refuse(Code.CURSOR_EXPIRED, message)
        case BeforeRecords():
            return refuse(Code.BEFORE_RECORDS, before_records(str(error)))
        case NotRecorded():
            return not_recorded()
        case RefusedValue():
            return refuse(Code.BAD_USER_INPUT, str(error))
        case BadValue():
            return refuse(Code.BAD_USER_INPUT, "A value is not one that the database can take.")
        case _:
            return refuse(Code.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
