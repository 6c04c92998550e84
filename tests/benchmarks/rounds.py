"""Everyone in turns, several times, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from tests.benchmarks.agreement import DisagreementError, agree, content
from tests.benchmarks.load import Asked, Served, load
from tests.benchmarks.peers import BY_HAND, STILL, Running
from tests.benchmarks.processes import megabytes, processor_seconds
from tests.benchmarks.workloads import Workload

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Stand:
    """A server on a directory of one size, and the requests of each workload."""

    size: str
    url: str
    server: Running
    requests: dict[str, list[Asked]]


@dataclass(frozen=True)
class Measurement:
    """One server under one workload, once. Processor time is microseconds per request."""

    round: int
    size: str
    workload: str
    peer: str
    served: Served
    server_time: float | None
    postgres_time: float | None
    asked: int
    """How many connections of the database were asked anything meanwhile."""
    megabytes: float | None


def prepare(
    size: str, url: str, servers: Sequence[Running], workloads: Sequence[Workload]
) -> list[Stand]:
    """Stands for all servers, which have to answer every request like the SQL by hand does."""
    stands = [Stand(size, url, server, {}) for server in servers]
    for workload in workloads:
        expected: list[object] = []
        for stand in stands:
            peer = stand.server.peer
            if peer is not STILL and not workload.known_to(peer.dialect):
                continue
            if peer is STILL:
                asked = [Asked(f"/{workload.name.replace(' ', '-')}", "[]")]
            else:
                cursor = stand.server.cursor(workload)
                asked = [peer.asked(workload, each, cursor) for each in workload.asked]
                answers = [content(stand.server.answer(each)) for each in asked]
                if peer is BY_HAND:
                    expected = answers
                try:
                    agree(expected, answers)
                except DisagreementError as error:
                    raise DisagreementError(
                        f"{workload.name}, {size}, {peer.name}: {error}"
                    ) from error
                if peer.knows:
                    asked = [stand.server.known(each) for each in asked]
            stand.requests[workload.name] = asked
    return stands


async def measure(
    stands: Sequence[Stand], *, rounds: int, seconds: int, tell: Tell
) -> list[Measurement]:
    """What each round found; the first, in which servers warm up, is not among it."""
    names = list(stands[0].requests)
    found: list[Measurement] = []
    for round_ in range(rounds + 1):
        tell(f"round {round_} of {rounds}" if round_ else "warming up")
        for name in names:
            turn = round_ % len(stands)
            for stand in (*stands[turn:], *stands[:turn]):
                if name not in stand.requests:
                    continue
                measured = await _once(stand, name, round_, seconds if round_ else 1)
                if round_:
                    found.append(measured)
    return found


async def _once(stand: Stand, workload: str, round_: int, seconds: int) -> Measurement:
    backends = await _backends(stand.url)
    before_asked = await _asked(stand.url)
    server = [stand.server.process.pid]
    before, before_there = processor_seconds(server), processor_seconds(backends)
    served = load(stand.server.port, stand.requests[workload], seconds)
    after_asked = await _asked(stand.url)
    # What was under way when time was over would disturb whoever is next.
    stand.server.answer(stand.requests[workload][0])
    after, after_there = processor_seconds(server), processor_seconds(backends)
    return Measurement(
        round_,
        stand.size,
        workload,
        stand.server.peer.name,
        served,
        _each(before, after, served),
        _each(before_there, after_there, served) if backends else None,
        len(after_asked - before_asked),
        megabytes(stand.server.process.pid),
    )


def _each(before: float | None, after: float | None, served: Served) -> float | None:
    if before is None or after is None:
        return None
    return (after - before) / served.requests * 1e6


async def _asked(url: str) -> set[tuple[object, ...]]:
    """What each connection of this database was asked last, and when.

    Except that of a server which listens for changes, and looks now and then whether it still can.
    """
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "select pid, query_start from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
            " and query !~* '^(listen|select 1$)'"
        )
    finally:
        await connection.close()
    return {tuple(row) for row in rows}


async def _backends(url: str) -> list[int]:
    """The processes of Postgres that work for this database, if they are on this machine."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "select pid from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
            " and inet_server_addr() is null"  # we came by a socket
        )
    finally:
        await connection.close()
    return [row["pid"] for row in rows]
