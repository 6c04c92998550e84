"""What DESIGN.md asks for, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from tests.benchmarks.peers import DIRECTORY, KEPT, KNOWN, STILL
from tests.benchmarks.rounds import Measurement

Value = Callable[[Measurement], float | None]


def rate(measurement: Measurement) -> float:
    return measurement.served.rate


def p99(measurement: Measurement) -> float:
    return measurement.served.p99


def connections(measurement: Measurement) -> float:
    return measurement.asked


@dataclass(frozen=True)
class Figure:
    """A ratio that should be at least, or at most, so much."""

    what: str
    bound: float
    at_least: bool
    found: float | None

    @property
    def reached(self) -> bool | None:
        """Whether it is; None if it was not measured."""
        if self.found is None:
            return None
        return self.found >= self.bound if self.at_least else self.found <= self.bound


@dataclass(frozen=True)
class Results:
    """All measurements of a run."""

    measurements: Sequence[Measurement]

    def values(self, value: Value, size: str, workload: str, peer: str) -> dict[int, float]:
        """By round."""
        return {
            each.round: found
            for each in self.measurements
            if (each.size, each.workload, each.peer) == (size, workload, peer)
            and (found := value(each)) is not None
        }

    def median(self, value: Value, size: str, workload: str, peer: str) -> float | None:
        found = self.values(value, size, workload, peer)
        return median(found.values()) if found else None

    def ratio(
        self, value: Value, one: tuple[str, str, str], other: tuple[str, str, str]
    ) -> float | None:
        """The median of the rounds' ratios: what was measured together is compared."""
        over, under = self.values(value, *one), self.values(value, *other)
        both = over.keys() & under.keys()
        return median(over[n] / under[n] for n in both) if both else None

    def names(self, attribute: str) -> list[str]:
        """The sizes, workloads or peers, in the order in which they were measured first."""
        return list(dict.fromkeys(getattr(each, attribute) for each in self.measurements))


def figures(results: Results) -> Iterable[Figure]:
    """Those that these results can speak of."""
    us = DIRECTORY.name
    for size in results.names("size"):
        for workload in results.names("workload"):
            place = f"{workload}, {size}"

            against = partial(_against, results, (size, workload))
            yield Figure(f"{place}: requests/s to SQL by hand", 0.9, True, against("by hand", rate))
            at_least = 2.5 if workload == "search" else 3.0
            beside = against("PostGraphile", rate)
            yield Figure(f"{place}: requests/s to PostGraphile", at_least, True, beside)
            beside = against("PostGraphile", p99)
            yield Figure(f"{place}: p99 to PostGraphile", 1 / 3, False, beside)
            yield Figure(
                f"{place}: requests/s to data loaders", 12.0, True, against("loaders", rate)
            )
            again = results.ratio(rate, (size, workload, KEPT.name), (size, workload, STILL.name))
            yield Figure(f"{place}: an answer kept to bytes that never change", 0.5, True, again)
            asked = results.median(connections, size, workload, KNOWN.name)
            yield Figure(f"{place}: connections to Postgres that 304s ask", 0, False, asked)
        deep = results.ratio(rate, (size, "page 1", us), (size, "deep page", us))
        yield Figure(f"{size}: time of the deep page to that of page 1", 1.2, False, deep)
    sizes = results.names("size")
    if len(sizes) == 2:
        small, large = sizes
        grown = results.ratio(rate, (small, "visit", us), (large, "visit", us))
        yield Figure(f"visit: time at {large} to that at {small}", 1.3, False, grown)


def _against(results: Results, place: tuple[str, str], peer: str, value: Value) -> float | None:
    return results.ratio(value, (*place, DIRECTORY.name), (*place, peer))
