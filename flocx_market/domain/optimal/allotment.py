# SPDX-License-Identifier: Apache-2.0
"""Who is served where, in numbers of nodes."""

from __future__ import annotations

import numpy as np

from flocx_market.domain.optimal.openings import Column
from flocx_market.domain.optimal.problem import Problem, Served


class Allotment:
    """Who is served where, and how many nodes of each group are left in each stretch of the grid."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.served: dict[int, Served] = {}
        self.room = np.repeat(problem.nodes[:, None], problem.shape[1], axis=1)
        self.surplus = 0

    def give(self, bid: int, served: Served) -> None:
        """Serve a bid."""
        self._book(bid, served, -1)
        self.served[bid] = served

    def give_back(self, bid: int) -> Served | None:
        """Take back what a bid got, if anything."""
        served = self.served.pop(bid, None)
        if served is not None:
            self._book(bid, served, 1)
        return served

    def _book(self, bid: int, served: Served, sign: int) -> None:
        wanted = self._problem.wanted[bid]
        begin = wanted.starts.begin[served.start]
        ends = wanted.starts.end[wanted.row[served.openings], served.start]
        for group, end, count in zip(
            wanted.group[served.openings].tolist(), ends.tolist(), served.nodes.tolist(), strict=True
        ):
            self.room[group, begin:end] += sign * count
        self.surplus -= sign * wanted.surplus(served)

    def free(self, bid: int, start: int, ways: Column) -> Column:
        """Return how many nodes each of a bid's openings has left for a contract that starts there."""
        wanted = self._problem.wanted[bid]
        begin, at = wanted.starts.begin[start], wanted.starts.at[start]
        ends = wanted.starts.end[wanted.row[ways], start]
        left = np.zeros(len(ways), np.int64)
        for end in np.unique(ends):
            these = ends == end
            left[these] = self.room[wanted.group[ways[these]], begin:end].min(axis=1, initial=np.iinfo(np.int64).max)
        usable = (wanted.first[ways] <= at) & (at <= wanted.last[ways])
        return np.where(usable, np.clip(left, 0, wanted.nodes[ways]), 0)
