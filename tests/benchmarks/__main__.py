"""python -m tests.benchmarks: what to run, and where results go."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import click

from tests.benchmarks import load, report
from tests.benchmarks.databases import scratch, server
from tests.benchmarks.figures import Results
from tests.benchmarks.peers import (
    BY_HAND,
    PEERS,
    POSTGRAPHILE,
    ROOT,
    STILL,
    NotToBeHadError,
    Peer,
    Running,
    install_postgraphile,
    running,
)
from tests.benchmarks.rounds import Stand, measure, prepare
from tests.benchmarks.workloads import Workload, workloads

NAMES = {peer.name: peer for peer in PEERS}


@click.command()
@click.option("--providers", default=1_000_000, show_default=True, help="0: only the real ones.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=2, show_default=True, help="Of each server in each round.")
@click.option("--peer", "chosen", multiple=True, type=click.Choice(list(NAMES)))
@click.option("--workload", "wanted", multiple=True, help="Those whose name begins like this.")
@click.option("--quick", is_flag=True, help="Two short rounds on real data: does it work?")
def main(
    providers: int,
    rounds: int,
    seconds: int,
    chosen: tuple[str, ...],
    wanted: tuple[str, ...],
    quick: bool,
) -> None:
    """Ask this server and others the same questions, in turns, and print how they did.

    Scratch databases are made where BENCH_DATABASE_URL points, or in a Postgres of our own, and
    kept for the next time.
    """
    # Whoever ends us ends the servers that we started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if quick:
        providers, rounds, seconds = 0, 2, 1
    peers = [peer for peer in PEERS if not chosen or peer.name in chosen or peer is BY_HAND]
    asyncio.run(_run(providers, rounds, seconds, peers, wanted))


async def _run(
    providers: int, rounds: int, seconds: int, peers: list[Peer], wanted: tuple[str, ...]
) -> None:
    base = server(os.environ.get("BENCH_DATABASE_URL"))
    said = report.conditions() | {"asked by": f"{load.generator()}, {load.CONNECTIONS} connections"}
    if POSTGRAPHILE in peers:
        try:
            said["Node"] = install_postgraphile()
        except NotToBeHadError as error:
            click.echo(f"Without PostGraphile: {error}.", err=True)
            peers.remove(POSTGRAPHILE)
    sizes = {"5 thousand": await scratch(base, "bench_real", 0, _progress)}
    if providers:
        name = f"bench_{providers}"
        sizes[_words(providers)] = await scratch(base, name, providers, _progress)
    said["Postgres"] = await _version(base)
    with ExitStack() as stack:
        stands: list[Stand] = []
        for size, url in sizes.items():
            asked = [
                each
                for each in await workloads(url)
                if not wanted or each.name.startswith(tuple(wanted))
            ]
            stands += _stands(stack, size, url, peers, asked)
        click.echo("All answer alike.", err=True)
        found = await measure(stands, rounds=rounds, seconds=seconds, tell=_tell)
    results = Results(found)
    said["rounds"] = f"{rounds} of {seconds} s"
    report.written(ROOT / "build", results, said)
    click.echo(report.markdown(results, said))


def _stands(
    stack: ExitStack, size: str, url: str, peers: Sequence[Peer], asked: Sequence[Workload]
) -> list[Stand]:
    by_hand = stack.enter_context(running(BY_HAND, url))
    servers = [by_hand]
    for peer in peers:
        if peer is STILL:
            answers = _answers(ROOT / "build" / f"still {size}.json", by_hand, asked)
            servers.append(stack.enter_context(running(STILL, str(answers))))
        elif peer is not BY_HAND:
            servers.append(stack.enter_context(running(peer, url)))
    return prepare(size, url, servers, asked)


def _answers(file: Path, by_hand: Running, asked: Sequence[Workload]) -> Path:
    """A file with an answer to each question, for the server that says nothing else."""
    answers = {}
    for workload in asked:
        request = BY_HAND.asked(workload, workload.asked[0], by_hand.cursor(workload))
        data = json.dumps({"data": by_hand.answer(request)}, separators=(",", ":"))
        answers[f"/{workload.name.replace(' ', '-')}"] = data
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(answers))
    return file


async def _version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        version: str = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    return version


def _words(providers: int) -> str:
    millions, rest = divmod(providers, 1_000_000)
    return f"{millions} million" if millions and not rest else f"{providers:,}"


def _progress(what: str, done: int, total: int) -> None:
    if total >= 100_000 or done == total:
        _tell(f"{what}: {done:,} of {total:,}")


def _tell(what: str) -> None:
    click.echo(what, err=True)


if __name__ == "__main__":
    main()
