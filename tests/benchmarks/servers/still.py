"""Answers what it was told beforehand.

It takes, where others take the URL of a database, a file with a JSON object of path and answer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.servers.serving import respond, serve


def main() -> None:
    answers = {
        path: answer.encode()
        for path, answer in orjson.loads(Path(sys.argv[1]).read_bytes()).items()
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
        await receive()
        await respond(send, answers[scope["path"]])

    serve(app, int(sys.argv[2]))


if __name__ == "__main__":
    main()
