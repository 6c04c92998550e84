"""Results become a table, Markdown and JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.figures import Figure, Results, Value, figures, p99, rate
from tests.benchmarks.peers import BY_HAND, POSTGRAPHILE
from tests.benchmarks.rounds import Measurement

Conditions = Mapping[str, str]


def conditions() -> dict[str, str]:
    """Where and with what, as far as a process can tell."""
    return {
        "date": date.today().isoformat(),
        "machine": f"{_processor()}, {_cores()} cores, {platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("strawberry-graphql", "asyncpg", "uvicorn", "uvloop")},
    }


def markdown(results: Results, said: Conditions) -> str:
    """Tables, as they stand in the README."""
    parts = [", ".join(f"{name} {value}" for name, value in said.items()) + "."]
    parts.append(_table("requests/s", results, rate, "{:,.0f}"))
    compared = [peer for peer in (BY_HAND, POSTGRAPHILE) if peer.name in results.names("peer")]
    parts += [_ratios(results, peer.name) for peer in compared]
    parts.append(_table("p99, ms", results, p99, "{:,.1f}"))
    parts.append(_table("server's processor, µs", results, _server_time, "{:,.0f}"))
    if any(each.postgres_time is not None for each in results.measurements):
        parts.append(_table("Postgres' processor, µs", results, _postgres_time, "{:,.0f}"))
    parts.append(_table("memory, MB", results, _megabytes, "{:,.0f}"))
    parts.append(_figures(list(figures(results))))
    return "\n\n".join(parts) + "\n"


def written(folder: Path, results: Results, said: Conditions) -> None:
    """Both files, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = {
        "conditions": said,
        "measurements": [asdict(each) for each in results.measurements],
        "figures": [{**asdict(each), "reached": each.reached} for each in figures(results)],
    }
    (folder / "bench.json").write_text(json.dumps(everything, indent=1))
    (folder / "bench.md").write_text(markdown(results, said))


def _table(what: str, results: Results, value: Value, form: str) -> str:
    peers = results.names("peer")
    rows = []
    for size in results.names("size"):
        for workload in results.names("workload"):
            cells = [results.median(value, size, workload, peer) for peer in peers]
            rows.append([f"{workload}, {size}", *_formatted(cells, form)])
    return _rows([what, *peers], rows)


def _ratios(results: Results, beside: str) -> str:
    peers = [peer for peer in results.names("peer") if peer != beside]
    rows = []
    for size in results.names("size"):
        for workload in results.names("workload"):
            cells = [
                results.ratio(rate, (size, workload, peer), (size, workload, beside))
                for peer in peers
            ]
            rows.append([f"{workload}, {size}", *_formatted(cells, "{:.2f}")])
    return _rows([f"requests/s to {beside}", *peers], rows)


def _figures(found: Sequence[Figure]) -> str:
    rows = [
        [
            each.what,
            f"{'≥' if each.at_least else '≤'} {each.bound:.2f}",
            f"{each.found:.2f}",
            "yes" if each.reached else "no",
        ]
        for each in found
        if each.found is not None
    ]
    return _rows(["figure", "wanted", "measured", "reached"], rows)


def _formatted(cells: Sequence[float | None], form: str) -> list[str]:
    return ["-" if cell is None else form.format(cell) for cell in cells]


def _rows(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]

    def line(cells: list[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join([first, *rest])} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def _server_time(measurement: Measurement) -> float | None:
    return measurement.server_time


def _postgres_time(measurement: Measurement) -> float | None:
    return measurement.postgres_time


def _megabytes(measurement: Measurement) -> float | None:
    return measurement.megabytes


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def _cores() -> int:
    return os.cpu_count() or 1
