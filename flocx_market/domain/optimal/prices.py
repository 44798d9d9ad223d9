# SPDX-License-Identifier: Apache-2.0
"""What bids would gain at prices for the time of nodes, and the bound that follows.

With a price on every group's every stretch of time, each bid may choose for
itself. The sum of what they gain at best, and of what all nodes would earn,
is at least the surplus of any clearing, whatever the prices (Lagrangian
duality; Geoffrion, "Lagrangean relaxation for integer programming", 1974).
All is in whole numbers, so the bound is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flocx_market.domain.optimal.openings import Column
from flocx_market.domain.optimal.problem import MOST_MONEY, Problem, Wanted


@dataclass(frozen=True, slots=True)
class Option:
    """A start and a value of ``together`` for a bid, with the openings that are cheapest there.

    ``gain`` is what the bid would gain at the prices; ``openings`` number those
    of the bid, cheapest first.
    """

    bid: int
    value: int
    start: int
    gain: int
    openings: Column


def paid_until(problem: Problem, prices: Column) -> Column:
    """Return what a node of each group costs from the first instant of the grid to each."""
    until = np.zeros(problem.shape, np.int64)
    np.cumsum(prices[:, :-1], axis=1, out=until[:, 1:])
    return until


def earned(problem: Problem, prices: Column) -> int | None:
    """Return what all nodes would earn, or None where that is too much to count."""
    earning = float((prices.astype(np.float64).sum(axis=1) * problem.nodes).sum())
    if earning >= MOST_MONEY / max([1, *(wanted.bid.quantity for wanted in problem.wanted)]):
        return None
    return int((prices.sum(axis=1) * problem.nodes).sum())


def options(problem: Problem, until: Column, *, parts: int, cover: float) -> Iterator[tuple[int, list[Option]]]:
    """Yield for each bid its highest gain, and options that gain most.

    :param until: see :func:`paid_until`.
    :param parts: how many parts a bid's window is cut into; each gives one option for each value of ``together``.
    :param cover: how many times the nodes it needs an option's openings have.
    """
    for number, wanted in enumerate(problem.wanted):
        best, found = 0, []
        for value in range(wanted.values):
            ways = np.flatnonzero(wanted.value == value)
            gains, cost, nodes = _choices(wanted, until, ways)
            highest = int(gains.max(initial=_NEVER))
            best = max(best, highest)
            for part in np.array_split(np.arange(len(gains)), min(parts, len(gains))):
                start = int(part[np.argmax(gains[part])])
                gain = int(gains[start])
                # What would lose is of use only where the bid has nothing better.
                if gain > _NEVER and (gain >= 0 or gain == highest):
                    openings = ways[_cheapest(wanted, ways, cost[:, start], nodes[:, start], cover)]
                    found.append(Option(number, value, start, gain, openings))
        yield best, found


#: The gain of a choice that does not serve the bid.
_NEVER = -(1 << 62)


def _choices(wanted: Wanted, until: Column, ways: Column) -> tuple[Column, Column, Column]:
    """Return the gain of each start with these openings; what each opening costs then; how many nodes it has."""
    starts, quantity = wanted.starts, wanted.bid.quantity
    group, row = wanted.group[ways], wanted.row[ways]
    paid = until[group]
    begin = starts.least_begin
    if len(starts.least_end) == 1:
        end = np.maximum(starts.least_end[0], begin)
        cost = paid[:, end] - paid[:, begin]
    else:
        end = np.maximum(starts.least_end[row], begin)
        cost = np.take_along_axis(paid, end, axis=1) - paid[:, begin]
    cost += (wanted.reserve[ways] * wanted.length)[:, None]
    usable = (wanted.first[ways][:, None] <= starts.at) & (wanted.last[ways][:, None] >= starts.low)
    nodes = np.where(usable, wanted.nodes[ways][:, None], 0)
    order = np.argsort(cost, axis=0, kind="stable")
    dearer = np.take_along_axis(cost, order, axis=0)
    there = np.take_along_axis(nodes, order, axis=0)
    if wanted.bid.spread is not None:
        there = _within_shares(there, wanted.share[ways][order], wanted.bid.spread.most)
    before = np.cumsum(there, axis=0) - there
    taken = np.clip(quantity - before, 0, there)
    gains = wanted.bid.limit * wanted.length * quantity - (taken * dearer).sum(axis=0)
    return np.where(taken.sum(axis=0) == quantity, gains, _NEVER), cost, nodes


def _within_shares(nodes: Column, share: Column, most: int) -> Column:
    """Return how many of the nodes can be used, each column from the top, when no share may have more than ``most``."""
    left = nodes.copy()
    for number in range(int(share.max()) + 1):
        mine = np.where(share == number, nodes, 0)
        before = np.cumsum(mine, axis=0) - mine
        left = np.where(share == number, np.clip(most - before, 0, mine), left)
    return left


def _cheapest(wanted: Wanted, ways: Column, cost: Column, nodes: Column, cover: float) -> Column:
    """Return the cheapest of these openings that together have enough nodes, in order."""
    usable = np.flatnonzero(nodes)
    order = usable[np.argsort(cost[usable], kind="stable")]
    there = nodes[order]
    if wanted.bid.spread is not None:
        there = _within_shares(there[:, None], wanted.share[ways[order]][:, None], wanted.bid.spread.most)[:, 0]
    before = np.cumsum(there) - there
    enough: Column = order[before < cover * wanted.bid.quantity]
    return enough
