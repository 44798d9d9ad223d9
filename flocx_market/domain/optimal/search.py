# SPDX-License-Identifier: Apache-2.0
"""Making an allotment better, one neighbourhood after the other.

Large neighbourhood search (Shaw, "Using constraint programming and local
search methods to solve vehicle routing problems", 1998): what some related bids
got is given back, and the best for them in the room that is left is found by
integer programming. Nothing is random but a generator with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

import numpy as np

from flocx_market.domain.optimal.allotment import Allotment
from flocx_market.domain.optimal.openings import Column, Flags
from flocx_market.domain.optimal.prices import Option, paid_until
from flocx_market.domain.optimal.problem import Problem, Served, Wanted
from flocx_market.domain.optimal.program import Floats, Program, write
from flocx_market.domain.optimal.relaxation import Relaxed
from flocx_market.domain.optimal.solver import Solver

# Options of a bid in a neighbourhood, and how many times the nodes it needs each holds.
_OPTIONS = 4
_COVER = 2.5

# Nodes of the search tree in one neighbourhood.
_TREE = 200

# Bids in a neighbourhood: at first, at least, and how the number changes when
# the last one took fewer, or more, iterations of the simplex method than this.
_SIZE, _LEAST, _GROWTH, _SHRINKAGE = 50, 12, 1.05, 0.85
_FEW, _MANY = 300, 1200


class Search:
    """Neighbourhoods around what the relaxation is unsure of."""

    def __init__(self, problem: Problem, solver: Solver, relaxed: Relaxed) -> None:
        self._problem, self._solver = problem, solver
        self._random = random.Random(0)  # noqa: S311 - nothing secret
        self._size = float(_SIZE)
        #: Whether the last neighbourhood had all bids in it, and the iterations of the simplex method that it took.
        self.whole, self.iterations = False, 0
        reach = np.zeros((len(problem.wanted), problem.shape[0]))
        for number, wanted in enumerate(problem.wanted):
            reach[number, wanted.group] = np.sqrt(problem.nodes[wanted.group])
        reach /= np.maximum(np.sqrt((reach**2).sum(axis=1, keepdims=True)), 1e-9)
        # Whole numbers add up to the same in any order, on any machine.
        self._reach = np.rint(1000 * reach).astype(np.int64)
        self._begin = np.array([wanted.starts.at[0] for wanted in problem.wanted], np.int64)
        self._end = np.array([wanted.starts.at[-1] + wanted.length for wanted in problem.wanted], np.int64)
        self.look(relaxed)

    def look(self, relaxed: Relaxed) -> None:
        """Go by the prices and options of this relaxation from now on."""
        self._relaxed = relaxed
        self._until = paid_until(self._problem, relaxed.prices)
        self._known: dict[int, list[Option]] = {}
        for option in relaxed.options:
            self._known.setdefault(option.bid, []).append(option)

    def build(self, order: Iterable[int]) -> Allotment:
        """Return an allotment made by serving bids in an order: as planned, or else where the prices are best."""
        allotment = Allotment(self._problem)
        for bid in order:
            served = self._as_planned(allotment, bid) or self._cheapest(allotment, bid)
            if served is not None:
                allotment.give(bid, served)
        return allotment

    def improve(self, allotment: Allotment, seconds: float | None) -> bool:
        """Search one neighbourhood; tell whether it made the allotment better."""
        free = self._neighbours(allotment, int(self._size))
        self.whole = len(free) == len(self._problem.wanted)
        had = {bid: served for bid in free if (served := allotment.give_back(bid)) is not None}
        before = allotment.surplus + sum(self._problem.wanted[bid].surplus(had[bid]) for bid in had)
        offered = [option for bid in free for option in self._options(allotment, bid, had.get(bid))]
        program = write(self._problem, offered, allotment.room)
        found = self._solver.choose(program, values_of(program, had), _TREE, seconds)
        news = {} if found is None else read(program, found.values)
        for bid, served in news.items():
            allotment.give(bid, served)
        self.iterations = 0 if found is None else found.iterations
        if found is not None:
            change = _GROWTH if found.iterations < _FEW else _SHRINKAGE if found.iterations > _MANY else 1
            self._size = min(max(self._size * change, _LEAST), len(self._problem.wanted))
        if allotment.surplus > before and (allotment.room >= 0).all():
            return True
        for bid in news:
            allotment.give_back(bid)
        for bid, served in had.items():
            allotment.give(bid, served)
        return False

    def _as_planned(self, allotment: Allotment, bid: int) -> Served | None:
        planned = self._relaxed.plan.get(bid)
        if planned is None:
            return None
        option, nodes = planned
        ways = np.flatnonzero(self._problem.wanted[bid].value == option.value)
        plan = np.zeros(len(ways))
        plan[np.searchsorted(ways, option.openings)] = nodes
        found = self._fit(allotment, bid, option, np.round(plan, 1))
        return None if found is None else found[1]

    def _cheapest(self, allotment: Allotment, bid: int) -> Served | None:
        fits = [self._fit(allotment, bid, option, None) for option in self._known.get(bid, ())]
        found = [fit for fit in fits if fit is not None]
        return min(found, key=lambda fit: fit[0])[1] if found else None

    def _fit(self, allotment: Allotment, bid: int, option: Option, plan: Floats | None) -> tuple[int, Served] | None:
        """Return what a bid would pay and get at an option's start, from the cheapest openings, those planned first."""
        wanted = self._problem.wanted[bid]
        ways = np.flatnonzero(wanted.value == option.value)
        left = allotment.free(bid, option.start, ways)
        if left.sum() < wanted.bid.quantity:
            return None
        cost = self._costs(wanted, option.start, ways)
        order = np.argsort(cost, kind="stable") if plan is None else np.lexsort((cost, -plan))
        quantity, taken, total = wanted.bid.quantity, [], 0
        shares: dict[int, int] = {}
        for place in order[left[order] > 0].tolist():
            count = min(quantity, int(left[place]))
            if wanted.bid.spread is not None:
                share = int(wanted.share[ways[place]])
                count = min(count, wanted.bid.spread.most - shares.get(share, 0))
                shares[share] = shares.get(share, 0) + count
            if count > 0:
                taken.append((int(ways[place]), count))
                total += count * int(cost[place])
                quantity -= count
            if not quantity:
                openings, nodes = np.array(taken, np.int64).T
                return total, Served(option.value, option.start, openings, nodes)
        return None

    def _costs(self, wanted: Wanted, start: int, ways: Column) -> Column:
        """Return what a node of each opening costs at the prices."""
        ends = wanted.starts.end[wanted.row[ways], start]
        group = wanted.group[ways]
        paid = self._until[group, ends] - self._until[group, wanted.starts.begin[start]]
        cost: Column = paid + wanted.reserve[ways] * wanted.length
        return cost

    def _options(self, allotment: Allotment, bid: int, mine: Served | None) -> list[Option]:
        """Return a bid's best options in the room there is, and what it had."""
        ranked = []
        known = {(option.value, option.start): option for option in self._known.get(bid, ())}
        if mine is not None:
            known.setdefault((mine.value, mine.start), Option(bid, mine.value, mine.start, 0, mine.openings))
        for option in known.values():
            own = mine is not None and (mine.value, mine.start) == (option.value, option.start)
            found = self._in_room(allotment, option, mine if own else None)
            if found is not None:
                ranked.append((not own, -found.gain, found.value, found.start, found))
        ranked.sort(key=lambda entry: entry[:4])
        return [entry[4] for entry in ranked[:_OPTIONS]]

    def _in_room(self, allotment: Allotment, option: Option, mine: Served | None) -> Option | None:
        """Return an option with its cheapest openings that have room; None where that is too little."""
        wanted = self._problem.wanted[option.bid]
        ways = np.flatnonzero(wanted.value == option.value)
        left = allotment.free(option.bid, option.start, ways)
        if left.sum() < wanted.bid.quantity:
            return None
        cost = self._costs(wanted, option.start, ways)
        order = np.argsort(cost, kind="stable")
        order = order[left[order] > 0]
        there = left[order]
        before = np.cumsum(there) - there
        gain = -int((np.clip(wanted.bid.quantity - before, 0, there) * cost[order]).sum())
        openings = ways[order[before < _COVER * wanted.bid.quantity]]
        if mine is not None:
            openings = np.union1d(openings, mine.openings)
        return Option(option.bid, option.value, option.start, gain, openings)

    def _neighbours(self, allotment: Allotment, size: int) -> list[int]:
        """Choose a bid, preferably one that is left open, and those that want the same nodes at the same time."""
        count = len(self._problem.wanted)
        left = [bid for bid in range(count) if bid not in allotment.served and self._relaxed.gains[bid] > 0]
        close = [bid for bid in left if self._relaxed.shares[bid] > 0.01]
        pick = self._random.random()
        if close and pick < 0.4:
            seed = self._random.choice(close)
        elif left and pick < 0.8:
            seed = self._random.choice(left)
        else:
            seed = self._random.randrange(count)
        overlap: Flags = np.minimum(self._end, self._end[seed]) > np.maximum(self._begin, self._begin[seed])
        # Whom the relaxation leaves out by far is not worth a place.
        serious = (self._relaxed.gains > 0) | (self._relaxed.shares > 0.01)
        serious[list(allotment.served)] = True
        near = (self._reach @ self._reach[seed]) * (overlap & serious)
        near = near * np.array([self._random.random() for _ in range(count)])
        near[seed] = 9.0
        order = np.argsort(-near, kind="stable")[:size]
        return sorted(int(bid) for bid in order if near[bid] > 0)


def values_of(program: Program, had: Mapping[int, Served]) -> Floats:
    """Return the columns' values that say what bids had; the program has to know all of it."""
    values = np.zeros(len(program.upper))
    taken, ways = program.taken, len(program.taken.option)
    place = {key: at for at, key in enumerate(zip(taken.option.tolist(), taken.opening.tolist(), strict=True))}
    of = {(option.bid, option.value, option.start): number for number, option in enumerate(program.options)}
    for bid, served in had.items():
        number = of[bid, served.value, served.start]
        values[ways + number] = 1
        for way, count in zip(served.openings.tolist(), served.nodes.tolist(), strict=True):
            values[place[number, way]] = count
    values[program.whole :] = program.in_use(values)
    return values


def read(program: Program, values: Floats) -> dict[int, Served]:
    """Return what the columns' values say that bids get."""
    ways = len(program.taken.option)
    counts = values[:ways].astype(np.int64)
    news = {}
    for number in np.flatnonzero(values[ways : program.whole] > 0.5).tolist():
        option = program.options[number]
        mine = np.flatnonzero((program.taken.option == number) & (counts > 0))
        news[option.bid] = Served(option.value, option.start, program.taken.opening[mine], counts[mine])
    return news
