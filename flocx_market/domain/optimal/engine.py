# SPDX-License-Identifier: Apache-2.0
"""The optimal clearing engine: prices from a relaxation, then a search that goes by them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from flocx_market.domain import greedy
from flocx_market.domain.book import Book
from flocx_market.domain.engine import UNBOUNDED, Award, Cleared, Effort, EngineReport
from flocx_market.domain.optimal.allotment import Allotment
from flocx_market.domain.optimal.meter import Clock, Meter
from flocx_market.domain.optimal.openings import MOST_PAIRS, TooLarge
from flocx_market.domain.optimal.prices import Option
from flocx_market.domain.optimal.problem import Problem, state
from flocx_market.domain.optimal.program import write
from flocx_market.domain.optimal.relaxation import Relaxation, Relaxed
from flocx_market.domain.optimal.result import awards_of, fill_up, served_by
from flocx_market.domain.optimal.search import Search, read, values_of
from flocx_market.domain.optimal.solver import Loader, Solver, SolverFailed, load
from flocx_market.domain.ranking import Ranking

# Below so many choices of a start and an opening everything is looked at at once.
_SMALL = 400
_SMALL_TREE = 1000

# The search begins when a linear program is worth less than this share more than
# the one before; further ones follow between neighbourhoods, until less than
# the second share lies between program and bound.
_SETTLED, _CLOSE = 5e-3, 1e-4

# Prices are found bid by bid, so many passes at a time, until these bring the
# bound down by less than this share of it.
_PASSES, _LEVEL = 3, 1e-2

# Iterations of the simplex method in the neighbourhoods between two linear programs,
# for each opening in the program, and how many a neighbourhood counts at least:
# so that either gets its part of the time.
_BURST, _LEAST = 2, 100

# A linear program is begun where so many times what the last one took is left:
# one that is cut short is of no use.
_LARGER = 2

# Neighbourhoods after each of the first linear programs: the first steps gain most.
_FIRST = 3

# The search ends after so many neighbourhoods without success: these, and one for so many bids.
_PATIENCE, _BIDS = 20, 4


def clear(
    book: Book,
    now: int,
    ranking: Ranking,
    effort: Effort = UNBOUNDED,
    *,
    loader: Loader = load,
    clock: Clock = time.monotonic,
    most_pairs: int = MOST_PAIRS,
) -> Cleared:
    """Serve the bids so that the total surplus is as large as the effort allows.

    The engine "optimal" of the market rules: never less surplus than ``greedy``
    under the same ranking, no bid left open that what is left over could
    serve, and a bound that no clearing of this book exceeds. A step of
    ``effort.work`` is one pass over the bids, one linear program or one
    neighbourhood. Where the engine cannot do its work the result is that of ``greedy``, and the report
    says why.

    :param loader: returns the solver's module.
    :param clock: looked at only where ``effort.seconds`` is given.
    :param most_pairs: bids x offers that differ, at most; bounds the memory.
    """
    meter = Meter(effort, clock)
    first = greedy.clear(book, now, ranking)
    meter.keep()
    try:
        return _clear(book, now, ranking, first, meter, Solver(loader), most_pairs)
    except (SolverFailed, TooLarge) as error:
        report = EngineReport(engine="greedy", reason=str(error), stopped=meter.stopped, work=meter.work)
        return replace(first, report=report)


def _clear(
    book: Book, now: int, ranking: Ranking, first: Cleared, meter: Meter, solver: Solver, most_pairs: int
) -> Cleared:
    bids = sorted((bid for bid in book.bids if bid.servable(now, book.shortest)), key=lambda bid: bid.uuid)
    offers = sorted(book.offers, key=lambda offer: offer.uuid)
    bound, awards, evaluations = 0, list(first.awards), first.evaluations
    if bids:
        instants = [instant for award in first.awards for instant in _touched(award)]
        problem = state(bids, offers, now, instants=instants, most_pairs=most_pairs)
        evaluations += problem.openings.evaluations
        if problem.wanted:
            run = _Run(problem, solver, meter, first)
            run.finish()
            bound = run.relaxation.bound
            if run.best.surplus > first.surplus:
                awards = awards_of(problem, run.best)
    report = EngineReport(engine="optimal", bound=bound, stopped=meter.stopped, work=meter.work)
    cleared = fill_up(book, now, ranking, awards, report)
    return replace(cleared, evaluations=cleared.evaluations + evaluations)


def _touched(award: Award) -> Sequence[int]:
    ends = {award.contract.end + offer.turnaround for offer in award.offers}
    return award.contract.begin, award.contract.end, *sorted(ends)


class _Run:
    """One round's way from what greedy finds to something better."""

    def __init__(self, problem: Problem, solver: Solver, meter: Meter, first: Cleared) -> None:
        self._problem, self._solver, self._meter = problem, solver, meter
        self.best = Allotment(problem)
        for bid, served in served_by(problem, first.awards).items():
            self.best.give(bid, served)
        known = [Option(bid, s.value, s.start, 0, s.openings) for bid, s in sorted(self.best.served.items())]
        self.relaxation = Relaxation(problem, solver, known)
        self._took = 0.0
        self._value = np.array([wanted.bid.limit * wanted.length for wanted in problem.wanted], np.float64)

    def finish(self) -> None:
        """Go on until nothing better is to be expected, or the effort is spent."""
        if self._small() and self._all_at_once():
            while not self.relaxation.complete and self._relax() is not None:
                pass
            return
        relaxed = self._descend()
        if relaxed is None:
            return
        search = Search(self._problem, self._solver, relaxed)
        self._build(search, relaxed)
        settled = False
        while not self.relaxation.complete and not settled and self._fits():
            again = self._relax()
            if again is None:
                return
            settled, relaxed = again.worth - relaxed.worth < _SETTLED * again.worth, again
            self._build(search, relaxed)
            for _ in range(_FIRST):
                if not self._meter.step():
                    return
                search.improve(self.best, self._meter.left())
        self._search(search, relaxed)

    def _search(self, search: Search, relaxed: Relaxed) -> None:
        """Search neighbourhoods, with further relaxations between them until these bring little."""
        burst, stale = 0, 0
        patience = _PATIENCE + len(self._problem.wanted) // _BIDS
        while self.best.surplus < self.relaxation.bound and stale < patience:
            close = self.relaxation.complete or relaxed.worth >= (1 - _CLOSE) * self.relaxation.bound
            enough = _BURST * sum(len(option.openings) for option in relaxed.options)
            if not close and burst >= enough and self._fits():
                again = self._relax()
                if again is None:
                    return
                relaxed, burst = again, 0
                self._build(search, relaxed)
            if not self._meter.step():
                return
            better = search.improve(self.best, self._meter.left())
            burst += max(search.iterations, _LEAST)
            if better:
                stale = 0
            elif search.whole:
                # The same again would find the same; only other prices may help.
                if close:
                    return
                stale, burst = stale + 1, 1 << 30
            else:
                stale += 1

    def _descend(self) -> Relaxed | None:
        """Find prices bid by bid, until passes bring little; None where none may be made."""
        relaxed, before = None, 2 * self.relaxation.bound
        while relaxed is None or before - relaxed.bound >= _LEVEL * relaxed.bound:
            before = self.relaxation.bound
            for _ in range(_PASSES):
                if not self._meter.step():
                    return relaxed
                self.relaxation.descend()
            relaxed = self.relaxation.settle()
        return relaxed

    def _relax(self) -> Relaxed | None:
        if not self._meter.step():
            return None
        before = self._meter.left()
        relaxed = self.relaxation.step(before)
        if relaxed is None:
            self._meter.out_of_time()
        elif before is not None:
            self._took = before - (self._meter.left() or 0)
        return relaxed

    def _fits(self) -> bool:
        """Tell whether there is time for a linear program somewhat larger than the last one."""
        left = self._meter.left()
        return left is None or left >= _LARGER * self._took

    def _build(self, search: Search, relaxed: Relaxed) -> None:
        """Let the search go by a relaxation; make allotments by it, and keep the best."""
        search.look(relaxed)
        quantity = np.array([wanted.bid.quantity for wanted in self._problem.wanted])
        planned = -(relaxed.shares > 0.5).astype(np.int64)
        for keys in ((-self._value,), (-self._value, planned), (-relaxed.gains / quantity,)):
            built = search.build(np.lexsort(keys).tolist())
            if built.surplus > self.best.surplus:
                self.best = built

    def _small(self) -> bool:
        choices = sum(len(wanted.starts.at) * len(wanted.group) for wanted in self._problem.wanted)
        return choices <= _SMALL

    def _all_at_once(self) -> bool:
        """Choose among all there is; tell whether nothing better is left."""
        if not self._meter.step():
            return True
        offered = [
            Option(bid, value, start, 0, ways)
            for bid, wanted in enumerate(self._problem.wanted)
            for value in range(wanted.values)
            for start in range(len(wanted.starts.at))
            if len(ways := wanted.ways(value, start))
        ]
        program = write(self._problem, offered)
        found = self._solver.choose(program, values_of(program, self.best.served), _SMALL_TREE, self._meter.left())
        if found is None:
            return False
        built = Allotment(self._problem)
        for bid, served in read(program, found.values).items():
            built.give(bid, served)
        if built.surplus > self.best.surplus and (built.room >= 0).all():
            self.best = built
        return found.proven
