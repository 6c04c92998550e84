"""Which web pages may read our answers (CORS), and why none can make a visitor ask for them (CSRF).

A page from elsewhere cannot forge a request that changes anything: a POST has to say that it is
`application/json`, which a browser sends to another origin only once that has agreed to it (the
forms that need no agreement are `text/plain`, `multipart/form-data` and
`application/x-www-form-urlencoded`, and get a 415); a GET never changes anything. Nor is there
anything in a browser that it would add by itself: no cookies, no credentials.

What a page may *read* is up to CORS_ORIGINS. Credentials are never allowed, so that `*` is safe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import CommaSeparatedStrings
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

AGREED_FOR = 86_400
"""Seconds for which a browser need not ask again; it may ask sooner."""

EXPOSED = ("Content-Language", "ETag", "Retry-After", "Server-Timing")

# As browsers write it (RFC 6454, 6.2): nothing after the port, and no capitals.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class Origins(CommaSeparatedStrings):
    """The origins whose pages may read answers: none, some, or all by `*`.

    >>> list(Origins("https://example.org, http://localhost:3000"))
    ['https://example.org', 'http://localhost:3000']
    >>> Origins("https://example.org/app")
    Traceback (most recent call last):
    ValueError: https://example.org/app is no origin, such as https://example.org
    """

    def __init__(self, value: str | Sequence[str]) -> None:
        super().__init__(value)
        for origin in self:
            if origin != "*" and _ORIGIN.fullmatch(origin) is None:
                raise ValueError(f"{origin} is no origin, such as https://example.org")


def shared(app: ASGIApp, origins: Origins) -> ASGIApp:
    """The application, as pages of these origins may ask it."""
    if not len(origins):
        # Without this no browser lets a page of another origin read anything.
        return app
    return CORSMiddleware(
        app,
        allow_origins=tuple(origins),
        allow_methods=("GET", "HEAD", "POST"),
        # Clients send what they like, such as x-apollo-operation-name; none of it lets anybody in.
        allow_headers=("*",),
        expose_headers=EXPOSED,
        max_age=AGREED_FOR,
    )
