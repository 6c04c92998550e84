"""One real Postgres for the run, and in it the real directory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import PurePath
from typing import Any

import pytest
import pytest_asyncio
from xdist.scheduler import LoadScopeScheduling

from db.data.load import load
from db.database import Database
from db.migrate import migrate
from db.roles import prepare
from schema.audiences import reaches
from tests.db.scratch import Loaded, hurry, scratch, stopped
from tests.node import Clients, clients
from tests.roads import audiences
from tests.second_opinion import World, answered_twice
from tests.serving import Serving, serving


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-examples",
        action="store_true",
        help="write the answers and the SQL of tests/operations/ anew",
    )


# Modules that start servers, Postgreses or browsers, or wait for something to happen in time. They
# begin first, so that they do not wait for one another at the end.
PROCESSES = [
    "test_mutations_at_stress",
    "test_mutations_under_faults",
    "test_looking_back",
    "test_server",
    "test_answers",
    "test_database",
    "test_embedded",
    "test_documents",
    "test_graphiql",
    "test_readme",
    "test_discretion",
    "test_changes",
    "test_horizon",
    "test_migrate",
    "test_identity",
    "test_admission",
    "test_gateways",
    "test_make_federation",
    "test_traces",
    "test_subscriptions",
    "test_live",
    "test_export",
    "test_exchange_kills",
    "test_imports",
    "test_errands",
    "test_exchange_tables",
]

# Modules that ask through the libraries of `clients/`, which are installed once.
CLIENTS = ["test_audit", "test_clients"]

# Modules that take long, the longest first: none of them is begun last, when one worker would have
# nothing left to do but to wait for the other.
LONG = [
    "test_load",
    "test_past",
    "test_pages",
    "test_trust",
    "test_place",
    "test_duplicates",
    "test_synthesize",
    "test_eligibility",
    "test_load_hours",
    "test_versions",
    "test_search",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what begins first."""
    turns = {name: turn for turn, name in enumerate([*PROCESSES, "clients", *LONG])}
    items.sort(key=lambda item: turns.get(_group(item.nodeid), len(turns)))


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist publishes no types
    """What belongs together stays with one worker: what its fixtures make is made once.

    The marks of xdist 3.8 that say so are lost on pytest 9.2, where a test's id is not written to.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """How tests are dealt out to workers."""
    return Groups(config, log)


def _group(nodeid: str) -> str:
    """A module, or several that are to run one after the other."""
    module = PurePath(nodeid.partition("::")[0]).stem
    return "clients" if module in CLIENTS else module


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_url() -> AsyncIterator[str]:
    """A database with tables and nothing in them, to be copied."""
    await hurry()
    async with scratch() as url:
        await migrate(url)
        # As `python server.py migrate` does: a copy is granted what this one is.
        await prepare(url, reaches(audiences()))
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def first_load(migrated_url: str) -> AsyncIterator[Loaded]:
    """The real directory, loaded into empty tables, and what was told of it."""
    told: list[tuple[int, int]] = []
    async with scratch(migrated_url) as url:
        report = await load(url, progress=lambda _, done, of: told.append((done, of)))
        yield Loaded(url, report, told)


@pytest.fixture(scope="session")
def loaded_url(first_load: Loaded) -> str:
    """A database with the real directory, to be copied. Nobody may stay connected to it."""
    return first_load.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(loaded_url: str) -> AsyncIterator[Database]:
    """The real directory, to be read only, at a moment when the clock stands still."""
    async with scratch(loaded_url) as url:
        opened = await Database.open(stopped(url))
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(loaded_url: str) -> AsyncIterator[World]:
    """The real directory and awkward records, to be asked only: by GraphQL and by Python."""
    async with answered_twice(loaded_url) as opened:
        yield opened


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
