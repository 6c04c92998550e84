"""Two directories to ask: the real one, and one made large. Both are kept from run to run."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import asyncpg

from db import embedded
from db.data.load import load
from db.data.synthesize import synthesize
from db.errors import MigrationError
from db.migrate import migrate
from db.roles import prepare
from schema.audiences import Audiences, reaches

Progress = Callable[[str, int, int], None]


def server(url: str | None) -> str:
    """The Postgres that holds the scratch databases: this one, or else our own."""
    return url or embedded.start(embedded.default_directory().with_suffix(".bench"))


async def scratch(url: str, name: str, providers: int, progress: Progress) -> str:
    """The URL of a database with the real directory and so many synthetic providers beside it."""
    at = urlsplit(url)._replace(path=f"/{name}").geturl()
    await _create(url, name)
    try:
        await migrate(at)
    except MigrationError:
        # Made by migrations that were edited since, before anyone released them.
        await _create(url, name, anew=True)
        await migrate(at)
    await prepare(at, reaches(Audiences()))
    await load(at, progress=progress)
    if providers:
        await synthesize(at, providers=providers, progress=progress)
    return at


async def _create(url: str, name: str, *, anew: bool = False) -> None:
    connection = await asyncpg.connect(url)
    try:
        if anew:
            await connection.execute(f"drop database {name} with (force)")
        if not await connection.fetchval("select true from pg_database where datname = $1", name):
            await connection.execute(f"create database {name}")
        # Our own sessions say this; here it holds for everybody.
        for setting in ("seq_page_cost = 0.1", "random_page_cost = 0.1", "jit = off"):
            await connection.execute(f"alter database {name} set {setting}")
    finally:
        await connection.close()
