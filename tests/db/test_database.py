"""The pool: no slot is lost, nobody overtakes, and what breaks is answered right or by its name."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil  # type: ignore[import-untyped]  # has no types
import pytest
import pytest_asyncio

from db import embedded
from db.database import Database
from db.errors import (
    BadValue,
    DatabaseBusy,
    DatabaseError,
    DatabaseFault,
    DatabaseUnavailable,
    StatementTimeout,
)
from tests.db.scratch import connected, scratch

ECHO = "select to_json($1::int)"
PID = "select to_json(pg_backend_pid())"

# Wait for the lock that `locked` holds: while they run, and before that, while they are prepared.
RUNNING = "select to_json('free' || pg_advisory_xact_lock_shared(1)::text)"
PREPARING = "select to_json('free' || count(*)) from lockable"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url() -> AsyncIterator[str]:
    async with scratch() as made:
        async with connected(made) as connection:
            await connection.execute("create table lockable (id int primary key)")
        yield made


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncIterator[Database]:
    # Waiting is without end unless it is what a test is about: the machine may be slow.
    database = await Database.open(url, **{"wait": 60.0} | settings)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Nobody gets past RUNNING and PREPARING."""
    async with connected(url) as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(1)")
        await connection.execute("lock table lockable in access exclusive mode")
        yield


async def ask(database: Database, statement: str, *arguments: object) -> Any:
    return json.loads(await database.fetch(statement, arguments))


def asked(database: Database, statement: str, times: int = 1) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(ask(database, statement)) for _ in range(times)]


async def until(happened: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not await happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def until_blocked(url: str, backends: int, seconds: float = 20) -> None:
    """Until so many statements wait for a lock in Postgres."""
    async with connected(url) as connection:

        async def happened() -> bool:
            found: int = await connection.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and application_name = 'directory' and wait_event_type = 'Lock'"
            )
            return found == backends

        await until(happened, seconds)


async def terminate(url: str, pid: int | None = None) -> None:
    """End a backend of the pool, or all, and wait until they are gone."""
    async with connected(url) as connection:
        await connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where datname = current_database() and application_name = 'directory'"
            " and pid = coalesce($1, pid)",
            pid,
        )


async def assert_all_usable(database: Database, url: str, connections: int) -> None:
    """That as many statements as there are connections run at once, and one more does not."""
    async with locked(url):
        tasks = asked(database, RUNNING, connections + 1)
        await until_blocked(url, connections)
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == ["free"] * (connections + 1)


# Answers


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("""select '{"a":  1}'::json""", b'{"a":  1}'),
        ("""select '{"a":  1}'::jsonb""", b'{"a": 1}'),
        ("select to_json('Ñ'::text)", '"Ñ"'.encode()),
        ("select null::json", b"null"),
        ("select to_json(1) where false", b"null"),
    ],
)
async def test_the_bytes_of_postgres_are_the_answer(
    url: str, statement: str, answer: bytes
) -> None:
    async with opened(url) as database:
        assert await database.fetch(statement, ()) == answer


async def test_every_statement_that_was_sent_is_counted(url: str) -> None:
    async with opened(url) as database:
        before = database.statements
        for number in range(3):
            await ask(database, ECHO, number)
        assert database.statements == before + 3


# Held statements


async def test_a_statement_is_prepared_once_and_planned_without_its_values(url: str) -> None:
    async with opened(url, connections=1) as database:
        assert [await ask(database, ECHO, number) for number in range(5)] == [0, 1, 2, 3, 4]
        held = await ask(
            database,
            "select json_agg(json_build_array(generic_plans, custom_plans))"
            f" from pg_prepared_statements where statement = '{ECHO}'",
        )
        assert held == [[5, 0]]


async def test_a_connection_holds_the_statements_it_used_last_and_no_more(url: str) -> None:
    async with opened(url, connections=1, held=3) as database:
        for number in (1, 2, 3, 1, 4):
            await ask(database, f"select to_json({number})")
        listed = "select json_agg(statement order by prepare_time) from pg_prepared_statements"
        assert await ask(database, listed) == ["select to_json(1)", "select to_json(4)", listed]
        for number in range(50):
            await ask(database, f"select to_json({number})")
        assert len(await ask(database, listed)) == 3


# Waiting


async def test_whoever_waited_longest_is_next_and_a_newcomer_does_not_overtake(url: str) -> None:
    served: list[int] = []

    async def visit(database: Database, number: int) -> None:
        await ask(database, ECHO, number)
        served.append(number)
        if number == 0:
            await visit(database, 99)  # at once, while the others are still waiting

    async with opened(url, connections=1) as database:
        async with locked(url):
            (blocked,) = asked(database, RUNNING)
            await until_blocked(url, 1)
            visits = [asyncio.create_task(visit(database, number)) for number in range(20)]
            await asyncio.sleep(0)
        await asyncio.gather(blocked, *visits)
    assert served == [*range(20), 99]


async def test_a_pool_exhausted_by_a_lock_tells_all_who_wait_and_recovers_with_it(url: str) -> None:
    async with opened(url, connections=2, wait=0.3) as database:
        async with locked(url):
            blocked = asked(database, RUNNING, 2)
            await until_blocked(url, 2)
            waiting = await asyncio.gather(*asked(database, PID, 200), return_exceptions=True)
            assert [type(each) for each in waiting] == [DatabaseBusy] * 200
        assert await asyncio.gather(*blocked) == ["free", "free"]
        assert len(set(await asyncio.gather(*asked(database, PID, 200)))) <= 2
        await assert_all_usable(database, url, 2)


async def test_one_more_than_may_wait_is_refused_at_once(url: str) -> None:
    async with opened(url, connections=1, waiting=3, wait=60) as database:
        async with locked(url):
            tasks = asked(database, RUNNING, 4)
            await until_blocked(url, 1)
            with pytest.raises(DatabaseBusy, match="Too many"):
                await ask(database, PID)
        assert await asyncio.gather(*tasks) == ["free"] * 4


async def test_a_statement_that_takes_too_long_is_ended_and_its_connection_is_kept(
    url: str,
) -> None:
    async with opened(url, connections=1, statement_timeout=0.2) as database:
        before = await ask(database, PID)
        with pytest.raises(StatementTimeout) as caught:
            await ask(database, "select to_json(pg_sleep(60)::text)")
        assert caught.value.sqlstate == "57014"
        assert await ask(database, PID) == before


# Lost connections


async def test_a_backend_terminated_while_idle_is_not_noticed(url: str) -> None:
    async with opened(url, connections=1) as database:
        before = await ask(database, PID)
        await terminate(url)
        assert await ask(database, ECHO, 7) == 7
        assert await ask(database, PID) != before


@pytest.mark.parametrize("statement", [RUNNING, PREPARING])
async def test_a_backend_terminated_while_it_works_is_replaced_once(
    url: str, statement: str
) -> None:
    async with opened(url, connections=1) as database:
        async with locked(url):
            (once,) = asked(database, statement)
            await until_blocked(url, 1)
            await terminate(url)
            await until_blocked(url, 1)
        assert (await once).startswith("free")
        async with locked(url):
            (twice,) = asked(database, statement)
            for _ in range(2):
                await until_blocked(url, 1)
                await terminate(url)
            with pytest.raises(DatabaseUnavailable):
                await twice
        await assert_all_usable(database, url, 1)


async def test_backends_terminated_under_load_cost_no_answer(url: str) -> None:
    async with opened(url, connections=3) as database:
        done = asyncio.Event()

        async def visit(first: int) -> int:
            number = first
            while not done.is_set():
                assert await ask(database, ECHO, number) == number
                number += 1
            return number - first

        visits = [asyncio.create_task(visit(1000 * each)) for each in range(8)]
        for _ in range(10):
            await asyncio.sleep(0.05)
            await terminate(url, pid=await ask(database, PID))
        done.set()
        assert sum(await asyncio.gather(*visits)) > 100
        await assert_all_usable(database, url, 3)


class OwnPostgres:
    """A Postgres that may be killed, or stopped."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self._note = directory / "postgres" / "postmaster.pid"

    async def end(self, how: signal.Signals) -> None:
        """Send a signal, and wait until there is a new one."""
        ended, *_ = self._note.read_text().splitlines()
        psutil.Process(int(ended)).send_signal(how)

        async def is_back() -> bool:
            lines = self._note.read_text().splitlines() if self._note.exists() else []
            return len(lines) == 8 and lines[0] != ended and lines[7].startswith("ready")

        await until(is_back)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """All its processes stand still: it accepts what it is sent, and says nothing."""
        postmaster = psutil.Process(int(self._note.read_text().split()[0]))
        # The postmaster first, who would start others, and last again: while it stands still it
        # cannot bury those who were about to end, so that all are there to be woken.
        postmaster.suspend()
        children = postmaster.children()
        for process in children:
            process.suspend()
        try:
            yield
        finally:
            for process in (*children, postmaster):
                process.resume()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def postgres() -> AsyncIterator[OwnPostgres]:
    folder = tempfile.mkdtemp(prefix="own-")
    os.chmod(folder, 0o755)  # for the user who runs Postgres, if we are root
    directory = Path(folder, "data")
    try:
        url = await asyncio.to_thread(embedded.start, directory)
        async with connected(url) as connection:
            await connection.execute("create table lockable (id int)")
        yield OwnPostgres(url, directory)
    finally:
        await asyncio.to_thread(embedded.drop, directory)
        shutil.rmtree(folder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT, signal.SIGINT])
async def test_connections_that_a_restart_made_stale_are_replaced_without_a_word(
    postgres: OwnPostgres, how: signal.Signals
) -> None:
    async with opened(postgres.url, connections=4) as database:
        await assert_all_usable(database, postgres.url, 4)
        await postgres.end(how)
        answers = await asyncio.gather(*[ask(database, ECHO, number) for number in range(40)])
        assert answers == [*range(40)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT, signal.SIGINT])
async def test_a_restart_under_load_gives_coded_errors_and_no_wrong_answer(
    postgres: OwnPostgres, how: signal.Signals
) -> None:
    refused: set[type[Exception]] = set()
    done = asyncio.Event()

    async def visit(database: Database, number: int) -> None:
        while not done.is_set():
            try:
                assert await ask(database, ECHO, number) == number
            except DatabaseError as error:
                refused.add(type(error))
                await asyncio.sleep(0.01)

    async with opened(postgres.url, connections=4) as database:
        visits = [asyncio.create_task(visit(database, number)) for number in range(8)]
        await assert_all_usable(database, postgres.url, 4)
        await postgres.end(how)
        await assert_all_usable(database, postgres.url, 4)
        done.set()
        await asyncio.gather(*visits)
    assert refused <= {DatabaseUnavailable}


# Silence


async def test_a_postgres_that_says_nothing_is_waited_for_so_long_and_no_longer(
    postgres: OwnPostgres,
) -> None:
    async with opened(postgres.url, connections=2, statement_timeout=2.0) as database:
        await assert_all_usable(database, postgres.url, 2)
        await ask(database, ECHO, 7)  # held by one connection; the other would have to prepare it
        sent = database.statements
        with postgres.stopped():
            asked_at = time.monotonic()
            silent = [ask(database, ECHO, 7), ask(database, ECHO, 7)]
            answers = await asyncio.gather(*silent, return_exceptions=True)
            waited = time.monotonic() - asked_at
        assert [type(each) for each in answers] == [DatabaseUnavailable] * 2
        assert database.statements == sent + 2, "who said nothing once is not asked again"
        assert 2.0 < waited < 20
        await assert_all_usable(database, postgres.url, 2)


# Cancelled statements


@pytest.mark.parametrize("statement", [RUNNING, PREPARING])
@pytest.mark.parametrize("held", [False, True])
async def test_postgres_lets_go_of_a_cancelled_statement(
    url: str, statement: str, held: bool
) -> None:
    async with opened(url, connections=2) as database:
        if held:
            await asyncio.gather(*asked(database, statement, 2))
        async with locked(url):
            tasks = asked(database, statement, 2)
            await until_blocked(url, 2)
            for task in tasks:
                task.cancel()
            await until_blocked(url, 0, seconds=2)
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
        await assert_all_usable(database, url, 2)


async def test_a_connection_whose_statement_was_cancelled_while_it_ran_is_kept(url: str) -> None:
    async with opened(url, connections=1) as database:
        before = await ask(database, PID)
        await ask(database, RUNNING)
        async with locked(url):
            (task,) = asked(database, RUNNING)
            await until_blocked(url, 1)
            task.cancel()
            assert await ask(database, PID) == before


async def test_a_statement_cancelled_while_it_waits_is_never_sent(url: str) -> None:
    async with opened(url, connections=1) as database:
        async with locked(url):
            (blocked,) = asked(database, RUNNING)
            await until_blocked(url, 1)
            sent = database.statements
            waiting = asked(database, PID, 5)
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
        assert await blocked == "free"
        await asyncio.wait(waiting)
        assert database.statements == sent
        await assert_all_usable(database, url, 1)


@pytest.mark.parametrize("connections", [1, 2])
async def test_a_cancellation_at_any_moment_leaks_no_slot_and_spoils_no_answer(
    url: str, connections: int
) -> None:
    # Each step of the event loop is one more moment: opening a connection, preparing, running,
    # and, in a pool where others wait, being handed a slot.
    async with opened(url, connections=connections) as database:
        for moment in range(60):
            if moment % 10 == 0:
                await terminate(url)  # so that connections are opened, too
            statement = f"select to_json({moment})"
            tasks = asked(database, statement, 6)
            for _ in range(moment):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            assert answers[1::2] == [moment] * 3
            assert all(
                each == moment or isinstance(each, asyncio.CancelledError) for each in answers
            )
        await assert_all_usable(database, url, connections)


async def test_a_slot_handed_to_one_who_is_cancelled_in_the_same_moment_goes_to_the_next(
    url: str,
) -> None:
    async with opened(url, connections=1) as database:

        async def visit() -> None:
            await ask(database, PID)
            second.cancel()  # it was handed the slot, and has not run since

        first = asyncio.create_task(visit())
        second, third = asked(database, PID, 2)
        await asyncio.wait([first, second])
        assert second.cancelled()
        await third
        assert database.statements == 3  # opening the pool, the first and the third
        await assert_all_usable(database, url, 1)


KILLED = f"""
import asyncio, sys
from db.database import Database
async def main():
    database = await Database.open(sys.argv[1])
    await database.fetch({RUNNING!r}, ())
asyncio.run(main())
"""


async def test_the_statement_of_a_server_that_was_killed_ends(url: str) -> None:
    async with locked(url):
        server = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url)
        await until_blocked(url, 1)
        server.kill()
        await server.wait()
        await until_blocked(url, 0, seconds=2)


# Mistakes


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        (ECHO, [2**31]),
        (ECHO, ["one"]),
        ("select to_json($1::float8)", ["NaN?"]),
        ("select to_json($1::text)", ["\0"]),
        ("select to_json($1::text)", ["\ud800"]),
        ("select to_json($1::text::uuid)", ["not a uuid"]),
        ("select to_json($1::text::date)", ["2026-02-30"]),
        ("select to_json($1::text::timestamptz)", ["300000-01-01"]),
        ("select to_json(1 / $1::int)", [0]),
        ("select to_json($1::text ~ '(')", ["x"]),
    ],
)
async def test_a_value_that_postgres_cannot_take_is_the_clients_mistake(
    url: str, statement: str, arguments: Sequence[object]
) -> None:
    async with opened(url, connections=1) as database:
        before = await ask(database, PID)
        with pytest.raises(BadValue) as caught:
            await database.fetch(statement, arguments)
        assert caught.value.__cause__ is not None
        assert str(caught.value) not in str(caught.value.__cause__)
        assert await ask(database, PID) == before


async def test_a_constraint_that_refuses_a_value_is_named(url: str) -> None:
    async with opened(url) as database:
        with pytest.raises(BadValue) as caught:
            async with database.transaction({}) as transaction:
                await transaction.fetch(
                    "insert into lockable values (1), (1) returning to_json(id)", ()
                )
        assert caught.value.constraint == "lockable_pkey"


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("selekt secret", []),
        ("select to_json(secret) from nowhere", []),
        (ECHO, []),
        (ECHO, [1, 2]),
    ],
)
async def test_a_statement_that_postgres_does_not_understand_is_our_mistake_and_stays_ours(
    url: str, statement: str, arguments: Sequence[object]
) -> None:
    async with opened(url, connections=1) as database:
        with pytest.raises(DatabaseFault) as caught:
            await database.fetch(statement, arguments)
        assert "secret" not in str(caught.value)
        await assert_all_usable(database, url, 1)


async def test_a_table_that_changes_under_a_held_statement_is_read_anew(url: str) -> None:
    async with opened(url, connections=1) as database, connected(url) as connection:
        await connection.execute("create table changing (a int)")
        await connection.execute("insert into changing values (1)")
        statement = "select row_to_json(t) from (select * from changing) t"
        assert await ask(database, statement) == {"a": 1}
        await connection.execute("alter table changing add column b int default 2")
        assert (await ask(database, statement))["a"] == 1
        await connection.execute("drop table changing")


# Beside the pool


async def test_explaining_a_statement_leaves_nothing_behind(url: str) -> None:
    async with opened(url, connections=1) as database:
        sent = database.statements
        with pytest.raises(DatabaseFault):
            await database.explain("insert into lockable values ($1) returning to_json(id)", [5])
        plan = await database.explain("select to_json(id) from lockable where id = $1", [5])
        assert "Scan" in plan
        assert "Buffers" in plan
        assert database.statements == sent
        with pytest.raises(BadValue):
            await database.explain(ECHO, [2**31])
        assert await ask(database, "select to_json(count(*)) from lockable") == 0
        async with connected(url) as connection:

            async def only_the_pool_is_left() -> bool:
                return bool(
                    await connection.fetchval(
                        "select count(*) = 1 from pg_stat_activity"
                        " where datname = current_database() and application_name = 'directory'"
                    )
                )

            await until(only_the_pool_is_left)


async def test_a_connection_of_ones_own_is_not_one_of_the_pool(url: str) -> None:
    async with opened(url, connections=1) as database, database.connection() as connection:
        assert isinstance(connection, asyncpg.Connection)
        assert await connection.fetchval("show statement_timeout") == "0"
        assert await connection.fetchval("select pg_backend_pid()") != await ask(database, PID)


async def test_closing_lets_a_statement_finish_and_then_refuses(url: str) -> None:
    database = await Database.open(url, connections=2)
    async with locked(url):
        (task,) = asked(database, RUNNING)
        await until_blocked(url, 1)
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
    await closing
    assert await task == "free"
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await database.ping()
    await database.close()  # once is enough, twice does no harm


@pytest.mark.parametrize(
    "nowhere",
    ["postgresql://localhost:1/nowhere", "postgresql:///x?host=/nowhere", "mysql://localhost/x"],
)
async def test_a_database_that_is_not_there_is_said_so(nowhere: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        await Database.open(nowhere)
