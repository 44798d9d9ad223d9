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
from flocx_market.domain.optimal.problem import MOST_MONEY, Problem, Served, Wanted


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
        near = wanted.bid.limit * wanted.length * wanted.bid.quantity // _NEAR
        for value in range(wanted.values):
            ways = np.flatnonzero(wanted.value == value)
            gains, cost, nodes = _choices(wanted, until, ways)
            highest = int(gains.max(initial=_NEVER))
            best = max(best, highest)
            for part in np.array_split(np.arange(len(gains)), min(parts, len(gains))):
                start = int(part[np.argmax(gains[part])])
                gain = int(gains[start])
                # What would lose, or gain far less, is of use only where the bid has nothing better.
                if gain > _NEVER and (gain >= max(0, highest - near) or gain == highest):
                    openings = ways[_cheapest(wanted, ways, cost[:, start], nodes[:, start], cover)]
                    found.append(Option(number, value, start, gain, openings))
        yield best, found


def best_choice(wanted: Wanted, until: Column) -> Served | None:
    """Return what a bid would choose at prices; None where nothing would gain.

    :param until: see :func:`paid_until`.
    """
    most, best, chosen = wanted.bid.limit * wanted.length * wanted.bid.quantity, 0, None
    for value in range(wanted.values):
        ways = np.flatnonzero(wanted.value == value)
        cost, nodes = _costs(wanted, until, ways)
        # What the cheapest node costs at a start tells how much can be gained there.
        least = np.where(nodes > 0, cost, _NEVER_PAID).min(axis=0)
        order = np.argsort(least, kind="stable") if len(least) > 1 else np.zeros(1, np.int64)
        for first in range(0, len(order), _TRIED):
            tried = order[first : first + _TRIED]
            if most - wanted.bid.quantity * int(least[tried[0]]) <= best:
                break
            gains = _gains(wanted, ways, cost[:, tried], nodes[:, tried])
            at = int(np.argmax(gains))
            if gains[at] > best:
                best, start = int(gains[at]), int(tried[at])
                chosen = value, start, ways, cost[:, start], nodes[:, start]
    if chosen is None:
        return None
    value, start, ways, paid, there = chosen
    order, there = _in_order(wanted, ways, paid, there)
    before = np.cumsum(there) - there
    taken = np.clip(wanted.bid.quantity - before, 0, there)
    used = np.flatnonzero(taken)
    return Served(value, start, ways[order[used]], taken[used])


#: The gain of a choice that does not serve the bid, and the cost of a node that cannot be had.
_NEVER, _NEVER_PAID = -(1 << 62), 1 << 62

# An option is near the best where it gains no less but for one such part of the bid's limit.
_NEAR = 16

# Starts that are weighed at once where one is sought.
_TRIED = 8


def _choices(wanted: Wanted, until: Column, ways: Column) -> tuple[Column, Column, Column]:
    """Return the gain of each start with these openings; what each opening costs then; how many nodes it has."""
    cost, nodes = _costs(wanted, until, ways)
    return _gains(wanted, ways, cost, nodes), cost, nodes


def _costs(wanted: Wanted, until: Column, ways: Column) -> tuple[Column, Column]:
    """Return what a node of each of these openings costs at each start, and how many nodes each has."""
    starts = wanted.starts
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
    return cost, np.where(usable, wanted.nodes[ways][:, None], 0)


def _gains(wanted: Wanted, ways: Column, cost: Column, nodes: Column) -> Column:
    """Return the gain of each start, :data:`_NEVER` where there are too few nodes."""
    quantity = wanted.bid.quantity
    order = np.argsort(cost, axis=0, kind="stable")
    dearer = np.take_along_axis(cost, order, axis=0)
    there = np.take_along_axis(nodes, order, axis=0)
    if wanted.bid.spread is not None:
        there = _within_shares(there, wanted.share[ways][order], wanted.bid.spread.most)
    before = np.cumsum(there, axis=0) - there
    taken = np.clip(quantity - before, 0, there)
    gains = wanted.bid.limit * wanted.length * quantity - (taken * dearer).sum(axis=0)
    return np.where(taken.sum(axis=0) == quantity, gains, _NEVER)


def _within_shares(nodes: Column, share: Column, most: int) -> Column:
    """Return how many of the nodes can be used, each column from the top, when no share may have more than ``most``."""
    left = nodes.copy()
    for number in range(int(share.max()) + 1):
        mine = np.where(share == number, nodes, 0)
        before = np.cumsum(mine, axis=0) - mine
        left = np.where(share == number, np.clip(most - before, 0, mine), left)
    return left


def _in_order(wanted: Wanted, ways: Column, cost: Column, nodes: Column) -> tuple[Column, Column]:
    """Return these openings from the cheapest on, and how many nodes of each can be used."""
    order = np.argsort(cost, kind="stable")
    there = nodes[order]
    if wanted.bid.spread is not None:
        there = _within_shares(there[:, None], wanted.share[ways[order]][:, None], wanted.bid.spread.most)[:, 0]
    return order, there


def _cheapest(wanted: Wanted, ways: Column, cost: Column, nodes: Column, cover: float) -> Column:
    """Return the cheapest of these openings that together have enough nodes, in order."""
    usable = np.flatnonzero(nodes)
    order, there = _in_order(wanted, ways[usable], cost[usable], nodes[usable])
    before = np.cumsum(there) - there
    enough: Column = usable[order[before < cover * wanted.bid.quantity]]
    return enough
