"""Every way HTTP itself says no, before any GraphQL is read.

    Refusal
     |-- MalformedJson         400 MALFORMED_JSON          the body is not JSON in UTF-8
     |-- DuplicateKey          400 DUPLICATE_KEY           of two values, which one is meant?
     |-- MalformedRequest      400 MALFORMED_REQUEST       it is JSON, but no GraphQL request
     |-- MalformedBatch        400 MALFORMED_BATCH         a list, but not of requests
     |-- BatchTooLarge         400 BATCH_TOO_LARGE         a list of too many, or of too much
     |-- BatchingNotSupported  400 BATCHING_NOT_SUPPORTED  a list, where MAX_BATCH is 0
     |-- DocumentNotFound      400 PERSISTED_QUERY_NOT_FOUND      a hash that we do not remember
     |-- DocumentMismatch      400 PERSISTED_QUERY_HASH_MISMATCH  the hash of another text
     |-- DocumentNotTrusted    400 DOCUMENT_NOT_TRUSTED    only known operations are answered
     |-- Unauthenticated       401 UNAUTHENTICATED         what is shown as a key or a token is none
     |-- MethodNotAllowed      405 METHOD_NOT_ALLOWED      not GET or POST, or a GET that writes
     |-- NotAcceptable         406 NOT_ACCEPTABLE          nothing the client accepts is offered
     |-- StreamNotAccepted     406 STREAM_NOT_ACCEPTED     what is told as it happens needs a stream
     |-- TooManySubscriptions  429 TOO_MANY_SUBSCRIPTIONS  more than are followed at a time
     |-- TooManyExports        429 TOO_MANY_EXPORTS        more than are written at a time
     |-- BodyTooLarge          413 BODY_TOO_LARGE          more bytes than MAX_BODY_BYTES
     |-- RequestTimeout        408 REQUEST_TIMEOUT         it does not come to an end
     |-- UrlTooLong            414 URL_TOO_LONG            a URL of more than 64 kB
     |-- HeadersTooLarge       431 HEADERS_TOO_LARGE       headers of more than 64 kB
     |-- MalformedHttp         400 MALFORMED_HTTP          it is not HTTP/1.1
     |-- UnsupportedMediaType  415 UNSUPPORTED_MEDIA_TYPE  the body does not say that it is JSON
     |-- BudgetSpent           429 BUDGET_SPENT            a key was used too often
     |-- IdentityUnavailable   503 IDENTITY_UNAVAILABLE    nobody can say now whether a token is one
     `-- ShuttingDown          503 SHUTTING_DOWN           asked too late: ask another server

What GraphQL refuses has its own tree, in `resolvers/errors.py`.
"""

from __future__ import annotations

from math import ceil
from typing import ClassVar

import orjson
from starlette.exceptions import HTTPException

Header = tuple[bytes, bytes]


class Refusal(HTTPException):
    """A request that never becomes an operation."""

    status: ClassVar[int]
    code: ClassVar[str]
    answers: ClassVar[bool] = False
    """Whether it is an answer to a well-formed request, which has status 200 in plain JSON."""
    about: ClassVar[str] = ""
    """What there is to say of all of its kind."""
    beside: tuple[Header, ...] = ()
    """Headers that go with it."""

    def __init__(self, message: str) -> None:
        super().__init__(self.status, message)

    def body(self) -> bytes:
        """The refusal as a GraphQL response, so that clients need only one way to read errors."""
        error = {"message": self.detail, "extensions": {"code": self.code}}
        return orjson.dumps({"errors": [error]})


# The tree above says what each is for.


class MalformedHttp(Refusal):
    status, code = 400, "MALFORMED_HTTP"
    about = "This is not a request in HTTP/1.1."


class RequestTimeout(Refusal):
    status, code = 408, "REQUEST_TIMEOUT"
    about = "The request took too long to arrive."


class UrlTooLong(Refusal):
    status, code = 414, "URL_TOO_LONG"
    about = "The URL is too long. Send a POST, or the query by its hash."


class HeadersTooLarge(Refusal):
    status, code = 431, "HEADERS_TOO_LARGE"
    about = "The headers are too large."


class MalformedJson(Refusal):
    status, code = 400, "MALFORMED_JSON"


class DuplicateKey(Refusal):
    status, code = 400, "DUPLICATE_KEY"


class MalformedRequest(Refusal):
    status, code = 400, "MALFORMED_REQUEST"


class MalformedBatch(Refusal):
    status, code = 400, "MALFORMED_BATCH"


class BatchTooLarge(Refusal):
    status, code = 400, "BATCH_TOO_LARGE"


class BatchingNotSupported(Refusal):
    status, code = 400, "BATCHING_NOT_SUPPORTED"


class DocumentNotFound(Refusal):
    status, code, answers = 400, "PERSISTED_QUERY_NOT_FOUND", True


class DocumentMismatch(Refusal):
    status, code = 400, "PERSISTED_QUERY_HASH_MISMATCH"


class DocumentNotTrusted(Refusal):
    status, code, answers = 400, "DOCUMENT_NOT_TRUSTED", True


class Unauthenticated(Refusal):
    status, code = 401, "UNAUTHENTICATED"
    beside = ((b"www-authenticate", b"Bearer"),)


class BudgetSpent(Refusal):
    status, code = 429, "BUDGET_SPENT"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.beside = ((b"retry-after", str(ceil(seconds)).encode()),)


class IdentityUnavailable(Refusal):
    status, code = 503, "IDENTITY_UNAVAILABLE"
    beside = ((b"retry-after", b"5"),)


class MethodNotAllowed(Refusal):
    status, code = 405, "METHOD_NOT_ALLOWED"

    def __init__(self, message: str, allow: str = "GET, HEAD, POST") -> None:
        super().__init__(message)
        self.beside = ((b"allow", allow.encode()),)


class NotAcceptable(Refusal):
    status, code = 406, "NOT_ACCEPTABLE"


class StreamNotAccepted(Refusal):
    status, code = 406, "STREAM_NOT_ACCEPTED"


class TooManySubscriptions(Refusal):
    status, code = 429, "TOO_MANY_SUBSCRIPTIONS"
    beside = ((b"retry-after", b"10"),)


class TooManyExports(Refusal):
    status, code = 429, "TOO_MANY_EXPORTS"
    beside = ((b"retry-after", b"10"),)


class BodyTooLarge(Refusal):
    status, code = 413, "BODY_TOO_LARGE"
    # Whatever the client still sends is not worth reading.
    beside = ((b"connection", b"close"),)


class UnsupportedMediaType(Refusal):
    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"


class ShuttingDown(Refusal):
    status, code = 503, "SHUTTING_DOWN"
    beside = ((b"retry-after", b"1"), (b"connection", b"close"))
