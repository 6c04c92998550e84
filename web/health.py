"""/healthz says that the process lives, /readyz that it can answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from db.database import Database
from db.errors import DatabaseError, MigrationError

PATIENCE = 1.0
"""Seconds that Postgres may take before we call ourselves not ready."""

NOT_STORED = {"cache-control": "no-store"}


async def healthz(request: Request) -> Response:
    """Alive, whatever Postgres is doing: restarting us would not help it."""
    return JSONResponse({"status": "alive"}, headers=NOT_STORED)


class Readiness:
    """Ready: Postgres answers within a second, and has every migration this code knows."""

    def __init__(
        self, database: Database, pending: Callable[[], Awaitable[Sequence[object]]]
    ) -> None:
        self.database = database
        self.pending = pending
        self.migrated = False

    async def answer(self, request: Request) -> Response:
        """200 when ready, else 503 and the reason."""
        reason = await self._missing()
        if reason is None:
            return JSONResponse({"status": "ready"}, headers=NOT_STORED)
        return JSONResponse(
            {"status": "not ready", "reason": reason}, status_code=503, headers=NOT_STORED
        )

    async def _missing(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.database.ping()
                # Migrations are never taken back, so once there are none pending there never are.
                if not self.migrated:
                    waiting = await self.pending()
                    if waiting:
                        return f"{len(waiting)} migrations are pending"
                    self.migrated = True
        except TimeoutError:
            return "the database does not answer in time"
        except MigrationError:
            return "the tables are not those of this version"
        except DatabaseError:
            return "the database cannot be reached"
        return None
