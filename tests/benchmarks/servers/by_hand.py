"""Bare ASGI: a path per question, its SQL written by hand, its arguments a JSON list."""

from __future__ import annotations

import sys
from typing import Any

import orjson

from db.database import Database
from tests.benchmarks.servers.serving import respond, serve
from tests.benchmarks.workloads import QUESTIONS


def main() -> None:
    url, port, connections = sys.argv[1:]
    database = Database(url, connections=int(connections))
    statements = {
        f"/{folder.name}": (folder / "by_hand.sql").read_text() for folder in QUESTIONS.iterdir()
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
        message = await receive()
        arguments = orjson.loads(message["body"])
        fetched = await database.fetch(statements[scope["path"]], arguments)
        await respond(send, b'{"data":' + fetched + b"}")

    serve(app, int(port))


if __name__ == "__main__":
    main()
