"""GraphiQL, the page for people: built once from npm packages, and asking nobody but us."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

DIRECTORY = Path(__file__).parent / "graphiql"

# Everything comes from this origin. The editor writes style elements and data: pictures itself.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "connect-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True)
class Example:
    """An operation that the page offers, and whom it is for."""

    audience: str
    title: str
    query: str
    variables: str


def examples(directory: Path = DIRECTORY / "examples") -> Sequence[Example]:
    """The example operations, in the order of their file names.

    A file opens with `# Audience: title`; its variables are in the .json beside it, if it has any.
    """
    found = []
    for path in sorted(directory.glob("*.graphql")):
        query = path.read_text(encoding="utf-8")
        heading = re.match(r"# (\w+): (.+)\n", query)
        if heading is None:
            raise ValueError(f"{path.name} does not open with '# Audience: title'.")
        beside = path.with_suffix(".json")
        variables = beside.read_text(encoding="utf-8").strip() if beside.exists() else ""
        found.append(Example(heading[1], heading[2], query, variables))
    return found


def page() -> ASGIApp:
    """The page itself, with the example operations inside."""
    html = (DIRECTORY / "dist" / "index.html").read_text(encoding="utf-8")
    offered = orjson.dumps([asdict(example) for example in examples()]).decode()
    # Inside a script element only `<` could end it.
    html = html.replace(
        'id="examples">[]<', 'id="examples">' + offered.replace("<", "\\u003c") + "<"
    )
    return HTMLResponse(
        html,
        headers={
            "cache-control": "no-cache",
            "content-security-policy": CONTENT_SECURITY_POLICY,
            "referrer-policy": "no-referrer",
            "vary": "accept",
            "x-content-type-options": "nosniff",
        },
    )


class _Assets(StaticFiles):
    """Files whose names carry a hash of their content, so that a browser never asks twice."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers["x-content-type-options"] = "nosniff"
        return response


def assets() -> ASGIApp:
    """The scripts, styles and workers of the page."""
    return GZipMiddleware(_Assets(directory=DIRECTORY / "dist"))
