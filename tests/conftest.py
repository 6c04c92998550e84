"""One real Postgres for the run, and in it the real directory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from db.data.load import load
from db.database import Database
from db.migrate import migrate
from tests.db.scratch import scratch, stopped
from tests.node import Clients, clients
from tests.serving import Serving, serving


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-examples",
        action="store_true",
        help="write the answers and the SQL of tests/operations/ anew",
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_url() -> AsyncIterator[str]:
    """A database with tables and nothing in them, to be copied."""
    async with scratch() as url:
        await migrate(url)
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def loaded_url(migrated_url: str) -> AsyncIterator[str]:
    """A database with the real directory, to be copied. Nobody may stay connected to it."""
    async with scratch(migrated_url) as url:
        await load(url)
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(loaded_url: str) -> AsyncIterator[Database]:
    """The real directory, to be read only, at a moment when the clock stands still."""
    async with scratch(loaded_url) as url:
        opened = await Database.open(stopped(url))
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served_url(loaded_url: str) -> AsyncIterator[str]:
    """The database of `served`."""
    async with scratch(loaded_url) as url:
        yield url


@pytest.fixture(scope="session")
def served(served_url: str) -> Iterator[Serving]:
    """A server of the real directory, to be asked only, at a moment when the clock stands still."""
    with serving(database_url=stopped(served_url), environment="production") as running:
        yield running


@pytest.fixture(scope="session")
def libraries() -> Iterator[Clients]:
    """The client libraries that people use."""
    with clients() as found:
        yield found
