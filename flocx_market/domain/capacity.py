# SPDX-License-Identifier: Apache-2.0
"""How many nodes could be had at which price, and from when on.

A question is a bid that nobody places: its requirements, window, quantity and
rules are those of a bid, and its limit is the highest price that is looked at.
It is answered from the offers that its project may use and from the time that
contracts have left free of them. Open bids, its own project's among them, are
no part of what is looked at, so no answer, and no comparison of any number of
answers, tells anything of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from flocx_market.domain.book import BookBid, Span
from flocx_market.domain.lots import Column
from flocx_market.domain.starts import Candidates
from flocx_market.domain.stock import Stock

T = TypeVar("T")

#: So many steps a ladder has at the most where nothing else is asked for.
STEPS = 50

# Counts that are kept at once, so that many starts and many racks do not add up to much memory.
_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class PriceStep:
    """``nodes`` is the most that can be had at once in one window when each asks at most ``price``."""

    price: int
    nodes: int


@dataclass(frozen=True, slots=True)
class StartStep:
    """What a contract that starts at ``start`` could have.

    ``nodes`` is the most at once; ``price`` what the dearest of the wanted
    quantity asks, None where there are fewer nodes.
    """

    start: int
    nodes: int
    price: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What could be had now.

    ``nodes``: the most at once. ``price``: the lowest limit price that would be
    served if nobody else wanted the nodes, and ``window`` where; both None where
    the quantity cannot be had. ``by_price`` has more nodes with each step;
    ``by_start`` has the earliest start and each later one that offers more nodes,
    or the quantity cheaper, than all before it. The flags say that steps were
    left out.
    """

    nodes: int = 0
    price: int | None = None
    window: Span | None = None
    by_price: Sequence[PriceStep] = ()
    by_price_cut: bool = False
    by_start: Sequence[StartStep] = ()
    by_start_cut: bool = False


def capacity(stock: Stock, question: BookBid, now: int, *, shortest: int = 0, most_steps: int = STEPS) -> Capacity:
    """Return how many nodes could be had, by price and by start, and at which price the quantity could.

    The nodes are those that a bid like the question could be served by if it
    were the only one; placement is that of :meth:`Stock.place`.

    :param shortest: the shortest contract allowed, in seconds.
    :param most_steps: so many steps each ladder has at the most, 2 or more. By
        price the first, the last and evenly spaced ones between are told, by
        start the earliest.
    """
    reached = stock.reach(question, now, shortest=shortest)
    if reached is None:
        return Capacity()
    chosen, keys = reached
    most = question.spread.most if question.spread else None
    starts = np.unique(chosen.first)
    prices, at_price, nodes, dearest = _counted(chosen, keys, most, question.quantity, starts)
    by_price = list(_growing(prices, at_price))
    by_start = list(_improving(starts, nodes, dearest))
    placement = stock.place(question, now, shortest=shortest)
    return Capacity(
        nodes=by_price[-1].nodes,
        price=None if placement is None else placement.dearest,
        window=None if placement is None else Span(placement.begin, placement.end),
        by_price=tuple(evenly(by_price, most_steps)),
        by_price_cut=len(by_price) > most_steps,
        by_start=tuple(by_start[:most_steps]),
        by_start_cut=len(by_start) > most_steps,
    )


def evenly(steps: Sequence[T], most: int) -> Sequence[T]:
    """Return at most so many steps (2 or more): the first, the last, and evenly spaced ones between."""
    if len(steps) <= most:
        return steps
    return [steps[number * (len(steps) - 1) // (most - 1)] for number in range(most)]


def _growing(prices: Column, nodes: Column) -> Iterator[PriceStep]:
    before = 0
    for price, count in zip(prices.tolist(), nodes.tolist(), strict=True):
        if count > before:
            yield PriceStep(price, count)
            before = count


def _improving(starts: Column, nodes: Column, dearest: Column) -> Iterator[StartStep]:
    most, least = 0, None
    for start, count, price in zip(starts.tolist(), nodes.tolist(), dearest.tolist(), strict=True):
        asked = None if price < 0 else price
        cheaper = asked is not None and (least is None or asked < least)
        if count > most or cheaper:
            yield StartStep(start, count, asked)
        most = max(most, count)
        least = asked if cheaper else least


def _counted(
    chosen: Candidates, keys: Sequence[tuple[str, str]], most: int | None, quantity: int, starts: Column
) -> tuple[Column, Column, Column, Column]:
    """Return (prices, the most nodes up to each, the most nodes at each start, what the quantity asks there or -1)."""
    groups = {value: number for number, value in enumerate(dict.fromkeys(value for value, _ in keys))}
    shares = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    group, share = [groups[value] for value, _ in keys], [shares[key] for key in keys]
    prices, place = np.unique(chosen.reserve, return_inverse=True)
    at_price = np.zeros(len(prices), np.int64)
    nodes, dearest = np.zeros(len(starts), np.int64), np.full(len(starts), -1, np.int64)
    size = max(64, _CELLS // (len(groups) + len(shares)))
    for begin in range(0, len(starts), size):
        part = slice(begin, begin + size)
        opened = np.searchsorted(starts[part], chosen.first, "left").tolist()
        closed = np.searchsorted(starts[part], chosen.last, "right").tolist()
        of_group = np.zeros((len(groups), len(starts[part])), np.int64)
        of_share = None if most is None else np.zeros((len(shares), len(starts[part])), np.int64)
        at_once, asked = nodes[part], dearest[part]
        # The lots come in the order of what they ask.
        for lot, (first, stop, count) in enumerate(zip(opened, closed, chosen.counts.tolist(), strict=True)):
            if first >= stop:
                continue
            gain = count
            if of_share is not None and most is not None:
                counted = of_share[share[lot], first:stop]
                before = np.minimum(counted, most)
                counted += count
                gain = np.minimum(counted, most) - before
            mine = of_group[group[lot], first:stop]
            mine += gain
            np.maximum(at_once[first:stop], mine, out=at_once[first:stop])
            enough = (mine >= quantity) & (asked[first:stop] < 0)
            asked[first:stop][enough] = chosen.reserve[lot]
            at_price[place[lot]] = max(at_price[place[lot]], int(mine.max()))
    return prices, np.maximum.accumulate(at_price), nodes, dearest
