"""uvicorn, as `server.py` runs it."""

from __future__ import annotations

from typing import Any

import uvicorn


def serve(app: Any, port: int) -> None:
    """Answer requests until stopped."""
    uvicorn.run(
        app,
        port=port,
        log_level="warning",
        access_log=False,
        http="httptools",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
    )


async def respond(send: Any, body: bytes) -> None:
    """Send JSON."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
