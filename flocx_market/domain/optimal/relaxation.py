# SPDX-License-Identifier: Apache-2.0
"""Prices at which parts of nodes would be shared best, and the bound at them.

First prices are found bid by bid. At these, the linear program begins with few
options; those that would gain at its prices are added, round by round (column generation; Dantzig and Wolfe,
"Decomposition principle for linear programs", 1960). Every round's prices give
a bound of their own; the prices tried are drawn towards the best so far, which
keeps them from swinging (Wentges, "Weighted Dantzig-Wolfe decomposition", 1997).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flocx_market.domain.optimal.descent import Descent
from flocx_market.domain.optimal.openings import Column, TooLarge
from flocx_market.domain.optimal.prices import Option, earned, options, paid_until
from flocx_market.domain.optimal.problem import MOST_MONEY, Problem
from flocx_market.domain.optimal.program import Floats, Program, write
from flocx_market.domain.optimal.solver import Solver

# The parts of a bid's window that each give an option, and how many times the
# nodes it needs an option holds.
_PARTS = 6
_COVER = 2.0

#: Openings in a linear program, at most: it takes more memory than all the rest.
MOST_OPENINGS = 1_000_000

# How far the prices tried are drawn towards the best so far.
_DRAWN = 0.4


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The relaxation after a round.

    ``gains`` are what each bid gains at ``prices`` at best; ``worth`` is the
    surplus of the last linear program, ``shares`` how much of each bid it
    serves, ``options`` what it chose from. ``plan`` is, for bids it serves
    mostly in one way, that option and the nodes of each of its openings.
    """

    bound: int
    prices: Column
    gains: Column
    worth: float
    shares: Floats
    options: Sequence[Option]
    plan: Mapping[int, tuple[Option, Floats]]


class Pool:
    """The options known so far, each bid, value and start once, with all openings that were found for it."""

    def __init__(self) -> None:
        self._openings: dict[tuple[int, int, int], set[int]] = {}
        self.openings = 0

    def add(self, found: Option) -> bool:
        """Add an option; tell whether something of it is new."""
        known = self._openings.setdefault((found.bid, found.value, found.start), set())
        before = len(known)
        known.update(found.openings.tolist())
        self.openings += len(known) - before
        return len(known) > before

    def options(self) -> list[Option]:
        """Return all options, in order."""
        return [
            Option(bid, value, start, 0, np.array(sorted(ways), np.int64))
            for (bid, value, start), ways in sorted(self._openings.items())
        ]


class Relaxation:
    """Better and better prices and bounds, bid by bid or by linear programs, until it is ``complete``.

    :param known: options to begin with.
    """

    def __init__(self, problem: Problem, solver: Solver, known: Iterable[Option] = (), parts: int = _PARTS) -> None:
        self._problem, self._solver, self._parts = problem, solver, parts
        self._pool = Pool()
        for option in known:
            self._pool.add(option)
        self._kept = np.zeros(problem.shape, np.int64)
        self._descent, self._passed = Descent(problem), self._kept
        self._gains = np.zeros(len(problem.wanted), np.int64)
        self.bound = MOST_MONEY
        # Without prices all starts are alike: one of them will do.
        self._try(self._kept, parts=1)
        self.complete = False

    def descend(self) -> None:
        """Make one pass over the bids, which moves the prices."""
        self._passed = self._descent.step()

    def settle(self) -> Relaxed:
        """Price what the passes came to."""
        self._try(self._passed, self._parts)
        shares = self._descent.shares.copy()
        return Relaxed(self.bound, self._kept, self._gains, 0.0, shares, self._pool.options(), {})

    def step(self, seconds: float | None) -> Relaxed | None:
        """Solve one program and price its result; None where time ran out.

        :raises SolverFailed: there is no answer.
        :raises TooLarge: there are more than :data:`MOST_OPENINGS` openings.
        """
        if self._pool.openings > MOST_OPENINGS:
            raise TooLarge(f"its linear program has more than {MOST_OPENINGS} openings")
        program = write(self._problem, self._pool.options())
        answer = self._solver.relax(program, seconds)
        if answer is None:
            return None
        seen = _prices(self._problem, program, answer.scarcity)
        drawn = np.rint(_DRAWN * self._kept + (1 - _DRAWN) * seen).astype(np.int64)
        # Only the program's own prices can tell that no option is missing.
        self.complete = (
            not any(self._try(prices, self._parts) for prices in (drawn, seen)) or self._pool.openings > MOST_OPENINGS
        )
        return Relaxed(
            self.bound,
            self._kept,
            self._gains,
            float((answer.values * program.worth).sum()) * program.unit,
            _shares(self._problem, program, answer.values),
            program.options,
            _plan(program, answer.values),
        )

    def _try(self, prices: Column, parts: int) -> bool:
        """Take prices if their bound is the best so far; tell whether they bring new options."""
        bound, gains, news = self._ask(prices, parts)
        if bound < self.bound:
            self.bound, self._gains, self._kept = bound, gains, prices
        return news

    def _ask(self, prices: Column, parts: int) -> tuple[int, Column, bool]:
        """Return the bound at prices, what each bid gains, and whether there were new options."""
        gains, news = [], False
        for best, found in options(self._problem, paid_until(self._problem, prices), parts=parts, cover=_COVER):
            gains.append(max(best, 0))
            for option in found:
                news |= self._pool.add(option)
        income = earned(self._problem, prices)
        bound = MOST_MONEY if income is None else income + sum(gains)
        return bound, np.array(gains, np.int64), news


def _prices(problem: Problem, program: Program, scarcity: Floats) -> Column:
    """Return what each stretch of the grid costs, evenly by the second where the program does not tell."""
    seconds = np.diff(problem.points, append=problem.points[-1:]).astype(np.float64)
    passed = np.concatenate([[0.0], np.cumsum(seconds)])
    rate = scarcity * program.unit / np.maximum(passed[program.until] - passed[program.since], 1)
    change = np.zeros((problem.shape[0], problem.shape[1] + 1))
    np.add.at(change, (program.group, program.since), rate)
    np.add.at(change, (program.group, program.until), -rate)
    # What is left of differences that should be nothing is no price.
    prices = np.maximum(np.cumsum(change, axis=1)[:, :-1] * seconds, 0)
    return np.rint(prices).astype(np.int64)


def _shares(problem: Problem, program: Program, values: Floats) -> Floats:
    first = len(program.taken.option)
    bids = np.array([option.bid for option in program.options], np.int64)
    shares: Floats = np.zeros(len(problem.wanted))
    np.add.at(shares, bids, values[first : first + len(bids)])
    return shares


def _plan(program: Program, values: Floats) -> dict[int, tuple[Option, Floats]]:
    ways = len(program.taken.option)
    edges = np.searchsorted(program.taken.option, np.arange(len(program.options) + 1))
    return {
        option.bid: (option, values[edges[number] : edges[number + 1]])
        for number, option in enumerate(program.options)
        if values[ways + number] > 0.5
    }
