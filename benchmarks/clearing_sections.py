# SPDX-License-Identifier: Apache-2.0
"""The sections of clearing.py: which runs there are, and which figures come out of them."""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import clearing_targets as targets
from clearing_books import Books, Library, Shape, run

_HERE = Path(__file__).parent
_MICROS_SECONDS = 1_000_000 * 3600

#: The ranking of the market's defaults.
DEFAULT_RANKING = "value"


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
    ``plain`` leaves the identity out of the documents; ``seconds`` of the CPU are
    what an engine may take that can be stopped, one run for each.
    """

    library: Library
    scratch: Path
    runs: int = 3
    seeds: tuple[int, ...] = (5, 6, 7, 8, 9)
    sample: int = 200
    shrink: int = 1
    million: bool = False
    plain: bool = False
    seconds: tuple[float, ...] = (10, 60)
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
            f"at most {median(of_kind, 'most'):,.0f} us; "
            f"{'explaining' if kind.endswith('open') else 'pricing'} {median(of_kind, 'microseconds_told'):,.0f} us of it",
        )


#: What quality is measured on: books without rules about racks and lessees, and with them, where engines search, too.
PLAIN = [
    Shape(market, offers, bids, classes, flexible)
    for market, offers, bids, classes in (("contested", 1_000, 500, 50), ("pieces", 200, 1_500, 5))
    for flexible in (0.0, 0.5)
]
SEARCHED = [
    replace(shape, rules=0.1)
    for shape in (*PLAIN, Shape("contested", 10_000, 1_000), Shape("contested", 10_000, 1_000, flexible=0.5))
]


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, the ranking, and the CPU seconds that it may take (None for all it needs)."""

    engine: str
    ranking: str
    seconds: float | None = None

    @property
    def title(self) -> str:
        """The choice in words."""
        return f"{self.engine}, {self.ranking}" + ("" if self.seconds is None else f", {self.seconds:g} s")

    def target(self, market: str) -> tuple[float, float | None] | None:
        """Return what the median and the least share of the bound are held against; None for nothing."""
        if self.ranking != DEFAULT_RANKING:
            return None
        if self.engine == "optimal" and self.seconds is not None:
            return targets.OPTIMAL.get((market, self.seconds))
        share = targets.GREEDY.get(market) if self.engine == "greedy" else None
        return None if share is None else (share, share - targets.GREEDY_SPREAD)


def quality(bench: Bench) -> Iterator[Figure]:
    """Surplus as a share of a bound, for every engine and ranking."""
    simple = [Choice("greedy", ranking) for ranking in installed("rankings")]
    searching = [
        Choice(engine, DEFAULT_RANKING, seconds)
        for engine in installed("clearing_engines")
        if engine != "greedy"
        for seconds in bench.seconds
    ]
    for shape in (*PLAIN, *SEARCHED):
        choices = [*simple, *(searching if shape.rules else ())]
        results: dict[Choice, list[dict[str, Any]]] = {choice: [] for choice in choices}
        bounds = []
        for seed in bench.seeds:
            books = bench.books(shape, seed)
            for choice in choices:
                results[choice].append(_one(bench, books, choice))
            bounds.append(_bound(bench, books, [found[-1] for found in results.values()]))
        for choice in choices:
            yield _quality(shape, choice, results[choice], bounds)


def _one(bench: Bench, books: Books, choice: Choice) -> dict[str, Any]:
    options: dict[str, object] = {"engine": choice.engine, "ranking": choice.ranking}
    if choice.seconds is not None:
        options["seconds"] = choice.seconds
    return bench.measure("clear", books, 1, **options)[0]


def _bound(bench: Bench, books: Books, results: list[dict[str, Any]]) -> float | None:
    """Return the bound of the script of bounds or, without one, the best that an engine claims."""
    bound = bench.library.bound(books)
    if bound is None:
        claimed = [result["bound"] / _MICROS_SECONDS for result in results if result["bound"] is not None]
        bound = min(claimed, default=None)
    return bound


def _quality(shape: Shape, choice: Choice, results: list[dict[str, Any]], bounds: Sequence[float | None]) -> Figure:
    target, surpluses = choice.target(shape.title), [result["surplus"] / _MICROS_SECONDS for result in results]
    shares = [surplus / bound for surplus, bound in zip(surpluses, bounds, strict=True) if bound is not None]
    wanted = None
    if target is not None:
        median_share, least = target
        wanted = f">= {100 * median_share:g}" + ("" if least is None else f", each >= {100 * least:g}")
    where, taken = ("quality", choice.title, shape.title), f"{median(results, 'seconds_cpu'):.2f} s"
    if not shares:
        surplus = statistics.median(surpluses)
        return Figure(*where, None, "%", wanted, detail=f"no bound; surplus {surplus:,.0f}; {taken}")
    own = [result["surplus"] / result["bound"] for result in results if result["bound"]]
    claimed = f"; {100 * statistics.median(own):.2f} of its own bound" if own else ""
    share = statistics.median(shares)
    return Figure(
        *(*where, 100 * share, "%", wanted),
        met=None if target is None else share >= target[0] and min(shares) >= (target[1] or 0),
        detail=f"{100 * min(shares):.2f} to {100 * max(shares):.2f}{claimed}; {taken}",
    )


def pricing(bench: Bench) -> Iterator[Figure]:
    """What a pricing rule costs, in clears, and in clears for each contract."""
    shape = Shape("contested", 10_000, 1_000)
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
    for what, kind, target in (
        ("all bids left open", "explain", targets.EXPLAIN_CLEARS),
        ("bids that nobody can serve", "explain_none", targets.EXPLAIN_NONE_CLEARS),
    ):
        explained = results[-1][f"bids_{kind}"]
        clears = statistics.median(result[f"seconds_{kind}"] / result["seconds"] for result in results)
        seconds = median(results, f"seconds_{kind}")
        detail = f"{explained:,} bids; {1e6 * seconds / max(1, explained):,.0f} us a bid"
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
