"""A text that stays the same while the server runs, such as its schema, with a tag.

Apollo Kotlin and iOS take the schema from `/schema.graphql` or `/schema.json`, as codegens do.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from resolvers.resolve import Answer, Outcome
from web.answers import Given
from web.encodings import negotiate
from web.response import matches


class Published:
    """A text at a URL of its own; it is made when somebody asks for it first."""

    def __init__(self, make: Callable[[], str | bytes], media_type: str) -> None:
        self._make = make
        self._media_type = media_type
        self._given: Given | None = None

    async def answer(self, request: Request) -> Response:
        """The text, or 304 for whoever has it."""
        if self._given is None:
            made = self._make()
            body = made.encode() if isinstance(made, str) else made
            self._given = Given(Answer(body, Outcome.DATA))
        accepted = ",".join(request.headers.getlist("accept-encoding"))
        encoding, body = self._given.encoded(negotiate(accepted.encode("latin-1")))
        etag = self._given.etag(encoding)
        headers = {
            "cache-control": "no-cache",
            "etag": etag.decode(),
            "vary": "accept-encoding, authorization, x-api-key",
            "x-content-type-options": "nosniff",
        }
        known = ",".join(request.headers.getlist("if-none-match"))
        if known and matches(known.encode("latin-1"), etag):
            return Response(status_code=304, headers=headers)
        if encoding is not None:
            headers["content-encoding"] = encoding.value
        return Response(body, media_type=self._media_type, headers=headers)
