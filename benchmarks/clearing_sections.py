# SPDX-License-Identifier: Apache-2.0
"""The sections of clearing.py: which runs there are, and which figures come out of them."""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import clearing_targets as targets
from clearing_books import Books, Library, Shape, run

_HERE = Path(__file__).parent
_MICROS_SECONDS = 1_000_000 * 3600


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what, where, how much, and the target (None for none).

    ``met`` is None where there is no target, or no figure to hold against it.
    """

    section: str
    what: str
    market: str
    value: float | None
    unit: str
    target: str | None = None
    met: bool | None = None
    detail: str = ""


@dataclass
class Bench:
    """What sections run with.

    ``scratch`` takes the contracts of runs; ``shrink`` divides all sizes;
    ``plain`` leaves the identity out of the documents; ``seconds`` are what an
    engine may take that can be stopped.
    """

    library: Library
    scratch: Path
    runs: int = 3
    seeds: tuple[int, ...] = (5, 6, 7, 8, 9)
    sample: int = 200
    shrink: int = 1
    million: bool = False
    plain: bool = False
    seconds: float | None = None
    _checked: set[tuple[str, str]] = field(default_factory=set)

    def books(self, shape: Shape, seed: int) -> Books:
        """Return the books to measure with, of this shape when not shrunk."""
        if self.plain:
            shape = replace(shape, identity=False)
        return self.library.books(shape.shrunk(self.shrink) if self.shrink > 1 else shape, seed)

    def measure(self, task: str, books: Books, runs: int | None = None, **options: object) -> list[dict[str, Any]]:
        """Run a task of clearing_runs.py several times; check the contracts of all runs.

        :raises SystemExit: a run fails, two runs differ, or a contract breaks a rule.
        """
        results, contracts = [], self.scratch / "contracts.jsonl"
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        for number in range(runs or self.runs):
            sys.stderr.write(f"{task} {books.directory.name} {' '.join(words)}, run {number + 1}\n")
            made = [str(_HERE / "clearing_runs.py"), task, *books.arguments, "--contracts", str(contracts)]
            results.append(json.loads(run([*made, "--sample", str(self.sample), *words])))
            if contracts.exists():
                self._check(books, contracts)
                contracts.unlink()
        return results

    def _check(self, books: Books, contracts: Path) -> None:
        # The same bytes need no second look.
        key = (str(books.directory), hashlib.blake2b(contracts.read_bytes()).hexdigest())
        if key not in self._checked:
            run([str(_HERE / "check.py"), *books.arguments, "--contracts", str(contracts), "--left-over"])
            self._checked.add(key)


def installed(group: str) -> list[str]:
    """Return the names of the entry points of a kind."""
    return sorted(entry_points(group=f"flocx_market.{group}").names)


def median(results: list[dict[str, Any]], name: str) -> float:
    """Return the median of a figure over runs."""
    return statistics.median(result[name] for result in results)


def at_most(value: float, target: float, shown: str) -> dict[str, Any]:
    """Return target and verdict of a figure that is to be small."""
    return {"target": f"<= {shown}", "met": value <= target}


def scale(bench: Bench) -> Iterator[Figure]:
    """Time, memory and evaluations as books grow."""
    sizes = [Shape("loose", 100_000, 10_000, classes, identity=True) for classes in (50, 500)]
    if bench.million:
        sizes.append(Shape("loose", 1_000_000, 10_000, identity=True))
    for shape in sizes:
        market = f"{shape.title}, {shape.classes} classes"
        results = bench.measure("clear", bench.books(shape, bench.seeds[0]))
        seconds, megabytes = median(results, "seconds"), median(results, "megabytes")
        last = results[-1]
        pairs = last["evaluations"] / (last["triples"] * (shape.classes // bench.shrink or 1))
        held = shape.offers <= 100_000
        limits = at_most(seconds, targets.CLEAR_SECONDS, f"{targets.CLEAR_SECONDS:g}") if held else {}
        yield Figure("scale", "clear", market, seconds, "s", **limits, detail=f"{last['contracts']:,} contracts")
        limits = at_most(megabytes, targets.CLEAR_MEGABYTES, f"{targets.CLEAR_MEGABYTES:g}") if held else {}
        book = median(results, "megabytes_book")
        yield Figure("scale", "memory", market, megabytes, "MB", **limits, detail=f"book alone {book:.0f} MB")
        limits = at_most(pairs, targets.EVALUATIONS_PER_PAIR, f"{targets.EVALUATIONS_PER_PAIR:g}")
        detail = f"{last['evaluations']:,} of {last['triples']:,} triples"
        yield Figure("scale", "evaluations per (triple, class)", market, pairs, "", **limits, detail=detail)
    yield from _interning(bench, sizes[0])
    yield from _ten_times(bench)


def _interning(bench: Bench, shape: Shape) -> Iterator[Figure]:
    results = bench.measure("intern", bench.books(shape, bench.seeds[0]))
    interning, parsing = median(results, "microseconds_intern"), median(results, "microseconds_parse")
    limits = at_most(interning, targets.INTERN_MICROSECONDS, f"{targets.INTERN_MICROSECONDS:g}")
    detail = f"{results[-1]['classes']:,} classes; parsing the line {parsing:.0f} us"
    yield Figure("scale", "interning a document", shape.title, interning, "us", **limits, detail=detail)


def _ten_times(bench: Bench) -> Iterator[Figure]:
    few, many = (
        median(bench.measure("clear", bench.books(Shape("loose", offers, 1_000), bench.seeds[0])), "seconds")
        for offers in (10_000, 100_000)
    )
    limits = at_most(many / few, targets.TEN_TIMES_OFFERS, f"{targets.TEN_TIMES_OFFERS:g}")
    detail = f"{few:.3f} s and {many:.3f} s"
    yield Figure("scale", "ten times the offers", "loose, 1,000 bids", many / few, "x", **limits, detail=detail)


def late(bench: Bench) -> Iterator[Figure]:
    """A bid that comes after the round, against the book that stands."""
    shape = Shape("loose", 100_000, 10_000)
    results = bench.measure("late", bench.books(shape, bench.seeds[0]))
    clear = median(results, "seconds")
    for kind in sorted({kind for result in results for kind in result["late"]}):
        of_kind = [result["late"][kind] for result in results if kind in result["late"]]
        seconds = median(of_kind, "microseconds") / 1e6
        met = seconds <= targets.LATE_SECONDS or seconds / clear <= targets.LATE_SHARE
        yield Figure(
            *("late", f"late bid, {kind}", shape.title, seconds * 1e6, "us"),
            target=f"<= {targets.LATE_SECONDS * 1e6:g} or 1/{1 / targets.LATE_SHARE:,.0f} of a clear",
            met=met,
            detail=f"1/{clear / seconds:,.0f} of a clear; {of_kind[0]['bids']} bids, "
            f"at most {median(of_kind, 'most'):,.0f} us" + _explained(median(of_kind, "microseconds_explain")),
        )


def _explained(microseconds: float) -> str:
    return f"; explaining it {microseconds:,.0f} us" if microseconds else ""


def quality(bench: Bench) -> Iterator[Figure]:
    """Surplus as a share of a bound, for every engine and ranking."""
    shapes = [
        Shape("contested", 1_000, 500),
        Shape("pieces", 200, 1_500, 5),
        Shape("pieces", 200, 1_500, 5, flexible=0.5),
        Shape("contested", 1_000, 500, flexible=0.5),
        Shape("contested", 10_000, 1_000),
    ]
    choices = [("greedy", ranking) for ranking in installed("rankings")]
    choices += [(engine, "value") for engine in installed("clearing_engines") if engine != "greedy"]
    for shape in shapes:
        shares: dict[tuple[str, str], list[float]] = {choice: [] for choice in choices}
        surpluses: dict[tuple[str, str], list[float]] = {choice: [] for choice in choices}
        seconds: dict[tuple[str, str], list[float]] = {choice: [] for choice in choices}
        for seed in bench.seeds:
            books = bench.books(shape, seed)
            cleared = {choice: _one(bench, books, *choice) for choice in choices}
            bound = _bound(bench, books, cleared)
            for choice, result in cleared.items():
                surpluses[choice].append(result["surplus"] / _MICROS_SECONDS)
                seconds[choice].append(result["seconds"])
                if bound is not None:
                    shares[choice].append(result["surplus"] / _MICROS_SECONDS / bound)
        for engine, ranking in choices:
            yield _quality(shape, engine, ranking, *(of[engine, ranking] for of in (shares, surpluses, seconds)))


def _one(bench: Bench, books: Books, engine: str, ranking: str) -> dict[str, Any]:
    options: dict[str, object] = {"engine": engine, "ranking": ranking}
    if bench.seconds is not None:
        options["seconds"] = bench.seconds
    return bench.measure("clear", books, 1, **options)[0]


def _bound(bench: Bench, books: Books, cleared: dict[tuple[str, str], dict[str, Any]]) -> float | None:
    """Return the bound of the script of bounds or, without one, the best that an engine claims."""
    bound = bench.library.bound(books)
    if bound is None:
        claimed = [result["bound"] / _MICROS_SECONDS for result in cleared.values() if result["bound"] is not None]
        bound = min(claimed, default=None)
    return bound


def _quality(
    shape: Shape, engine: str, ranking: str, shares: list[float], surpluses: list[float], seconds: list[float]
) -> Figure:
    target = targets.QUALITY.get(shape.title) if (engine, ranking) == ("greedy", "value") else None
    what = f"{engine}, {ranking}"
    taken = f"{statistics.median(seconds):.2f} s"
    wanted = None if target is None else f">= {100 * target:g}"
    if not shares:
        surplus = statistics.median(surpluses)
        return Figure(
            "quality", what, shape.title, None, "%", wanted, detail=f"no bound; surplus {surplus:,.0f}; {taken}"
        )
    share = statistics.median(shares)
    return Figure(
        *("quality", what, shape.title, 100 * share, "%", wanted),
        met=None if target is None else share >= target,
        detail=f"{100 * min(shares):.1f} to {100 * max(shares):.1f}; {taken}",
    )


def pricing(bench: Bench) -> Iterator[Figure]:
    """What a pricing rule costs, in clears, and in clears for each contract."""
    shape = Shape("contested", 1_000, 500)
    for rule in installed("pricing_rules"):
        results = bench.measure("price", bench.books(shape, bench.seeds[0]), pricing=rule)
        contracts = results[-1]["contracts"]
        clears = statistics.median(result["seconds_price"] / result["seconds"] for result in results)
        placed, tried = results[-1]["placements"], results[-1]["placements_price"]
        detail = f"{clears:.3f} clears for {contracts:,} contracts; {tried:,} placements, a clear has {placed:,}"
        target = targets.CRITICAL_CLEARS_PER_CONTRACT
        # Placements where the rule makes any: they do not depend on the machine.
        each = (tried / placed if tried else clears) / contracts
        limits = at_most(each, target, f"{target:g}") if rule == "critical" else {}
        yield Figure("pricing", f"{rule}, clears per contract", shape.title, each, "", **limits, detail=detail)


def explanation(bench: Bench) -> Iterator[Figure]:
    """What explaining costs, in clears."""
    shape = Shape("loose", 100_000, 10_000)
    results = bench.measure("explanation", bench.books(shape, bench.seeds[0]))
    for what, each, explained, count, target in (
        ("all bids left open", "seconds_explain", "explained", "left_open", targets.EXPLAIN_CLEARS),
        ("bids that nobody can serve", "seconds_explain_none", "explained_none", "bids", targets.EXPLAIN_NONE_CLEARS),
    ):
        last = results[-1]
        clears = statistics.median(result[each] * result[count] / result["seconds"] for result in results)
        detail = f"{last[count]:,} bids, {last[explained]:,} of them timed; {1e6 * last[each]:,.0f} us a bid"
        limits = at_most(clears, target, f"{target:g}")
        yield Figure("explanation", what, shape.title, clears, "clears", **limits, detail=detail)


#: Sections by name.
SECTIONS: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "scale": scale,
    "late": late,
    "quality": quality,
    "pricing": pricing,
    "explanation": explanation,
}
