# SPDX-License-Identifier: Apache-2.0
"""Prices that are found bid by bid, before any linear program.

Each bid takes what is best for it at the prices of the moment, which makes that
dearer at once; whatever is for sale gets cheaper all the time (the incremental
subgradient method; Nedic and Bertsekas, "Incremental subgradient methods for
nondifferentiable optimization", 2001). Bids after it look elsewhere, so that
alike nodes do not all become dear, and then all cheap, together.
"""

from __future__ import annotations

import random

import numpy as np

from flocx_market.domain.optimal.openings import Column
from flocx_market.domain.optimal.prices import best_choice, paid_until
from flocx_market.domain.optimal.problem import Problem

# How far one bid moves the prices of what it takes in the first pass, as a share of
# its limit or of the middle one, whichever is less, and how that falls with the passes.
_FIRST, _FALL = 0.3, 0.8

# How often in a pass what is for sale gets cheaper.
_TIMES = 10

# What a pass counts for in how much of each bid is served.
_WEIGHT = 0.25


class Descent:
    """Passes over all bids, each with smaller steps than the one before.

    ``shares`` says how much of each bid was served in the last passes.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._random = random.Random(0)  # noqa: S311 - nothing secret
        self._prices = np.zeros(problem.shape, np.int64)
        self._limit = float(np.median([wanted.bid.limit for wanted in problem.wanted] or [0]))
        self._seconds = np.diff(problem.points, append=problem.points[-1:]).astype(np.float64)
        self.passes = 0
        self.shares = np.zeros(len(problem.wanted))

    def step(self) -> Column:
        """Make a pass; return the mean of its prices."""
        bids = list(range(len(self._problem.wanted)))
        self._random.shuffle(bids)
        step = _FIRST / (1 + self.passes) ** _FALL
        cheaper = np.rint(step * self._limit / _TIMES * self._seconds).astype(np.int64)
        total = np.zeros(self._problem.shape)
        self.shares *= 1 - _WEIGHT
        until = paid_until(self._problem, self._prices)
        for part in range(_TIMES):
            for bid in bids[part::_TIMES]:
                self._take(bid, step, until)
            self._prices = np.maximum(self._prices - cheaper, 0)
            until = paid_until(self._problem, self._prices)
            total += self._prices
        self.passes += 1
        return np.rint(total / _TIMES).astype(np.int64)

    def _take(self, bid: int, step: float, until: Column) -> None:
        """Let a bid choose, and make dearer what it takes; ``until`` follows."""
        wanted = self._problem.wanted[bid]
        served = best_choice(wanted, until)
        if served is None:
            return
        self.shares[bid] += _WEIGHT
        groups, begin = wanted.group[served.openings], int(wanted.starts.begin[served.start])
        ends = wanted.starts.end[wanted.row[served.openings], served.start]
        for group, end, count in zip(groups.tolist(), ends.tolist(), served.nodes.tolist(), strict=True):
            dearer = step * min(self._limit, wanted.bid.limit) * count / int(self._problem.nodes[group])
            self._prices[group, begin:end] += np.rint(dearer * self._seconds[begin:end]).astype(np.int64)
        until[groups, 1:] = np.cumsum(self._prices[groups, :-1], axis=1)
