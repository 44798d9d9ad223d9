# SPDX-License-Identifier: Apache-2.0
"""A round as numbers: what each bid can use, when, and what is in whose way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

import numpy as np

from flocx_market.domain.book import BookBid, BookOffer
from flocx_market.domain.optimal.openings import MOST_PAIRS, Column, Openings, TooLarge, group_nodes
from flocx_market.domain.shares import SharedValues

#: Instants that are told apart, at most; more are rounded, outwards where it is about room.
MOST_POINTS = 3000

#: Groups x instants, at most; a few columns of that size are held at a time.
MOST_CELLS = 12_000_000

#: Starts x openings of one bid, at most.
MOST_CHOICES = 4_000_000

#: No sum of money may reach this: sums are exact in 64 bits.
MOST_MONEY = 1 << 61


@dataclass(frozen=True, slots=True)
class Starts:
    """The starts a bid may have, and the stretch of the grid that each takes.

    ``begin`` and ``end`` (one row for each turnaround) are what a contract
    blocks, rounded outwards. ``low`` and ``high`` bound the instants for which
    the start stands when nothing may be left out; ``least_begin`` and
    ``least_end`` are what all of those block at least.
    """

    at: Column
    begin: Column
    end: Column
    low: Column
    least_begin: Column
    least_end: Column


@dataclass(frozen=True, slots=True)
class Served:
    """What a bid gets: value and start as numbers, and how many nodes through which of its openings."""

    value: int
    start: int
    openings: Column
    nodes: Column


@dataclass(frozen=True, slots=True)
class Wanted:
    """One bid: its openings, as columns, and its starts.

    ``value`` and ``share`` number the values of ``together`` and ``spread``.
    """

    bid: BookBid
    length: int
    group: Column
    kind: Column
    reserve: Column
    first: Column
    last: Column
    nodes: Column
    value: Column
    share: Column
    row: Column
    starts: Starts

    @property
    def values(self) -> int:
        """How many values of ``together`` there are to choose from."""
        return int(self.value.max()) + 1

    def ways(self, value: int, start: int) -> Column:
        """Return the openings of a value of ``together`` that allow a start."""
        at = self.starts.at[start]
        return np.flatnonzero((self.value == value) & (self.first <= at) & (at <= self.last))

    def surplus(self, served: Served) -> int:
        """Return what it is worth to both sides."""
        return int((served.nodes * (self.bid.limit - self.reserve[served.openings])).sum()) * self.length


@dataclass(frozen=True, slots=True)
class Problem:
    """What there is to decide. ``points`` are the instants of the grid; ``exact`` tells that nothing was rounded."""

    openings: Openings
    wanted: Sequence[Wanted]
    nodes: Column
    turnaround: Column
    points: Column
    exact: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Groups and instants."""
        return len(self.nodes), len(self.points)


def state(
    bids: Sequence[BookBid],
    offers: Sequence[BookOffer],
    now: int,
    *,
    instants: Sequence[int] = (),
    most_pairs: int = MOST_PAIRS,
) -> Problem:
    """Return a round as a problem.

    :param bids: all servable, in order of uuid.
    :param offers: in order of uuid.
    :param instants: that the grid should have besides its own.
    :raises TooLarge: it needs more memory, or larger numbers, than the engine allows itself.
    """
    if sum(bid.limit * bid.length(now) * bid.quantity for bid in bids) >= MOST_MONEY:
        raise TooLarge("its limits add up to more than 64 bits hold")
    openings = group_nodes(bids, offers, now, most_pairs)
    nodes = np.array([len(group.nodes) for group in openings.groups], np.int64)
    turnaround = np.array([group.turnaround for group in openings.groups], np.int64)
    lags = np.unique(turnaround)
    columns = _columns(bids, openings)
    useful = [
        (bid, column) for bid, column in zip(bids, columns, strict=True) if nodes[column[0]].sum() >= bid.quantity
    ]
    points, exact = _grid(useful, openings, lags, now, len(nodes), instants)
    row = np.searchsorted(lags, turnaround)
    wanted = [
        _wanted(bid, now, openings, column, nodes, row, _starts(bid, now, points, exact, lags))
        for bid, column in useful
    ]
    return Problem(openings, wanted, nodes, turnaround, points, exact)


_Columns = tuple[Column, Column, Column, Column]


def _columns(bids: Sequence[BookBid], openings: Openings) -> list[_Columns]:
    """Return, for each bid, its openings: groups, kinds, and the first and last start of each."""
    parts: list[list[Column]] = [[], [], [], [], []]
    for number, group in enumerate(openings.groups):
        for kind in group.kinds:
            seen = openings.kinds[kind]
            count = len(seen.bids)
            for part, column in zip(
                parts, (seen.bids, np.full(count, number), np.full(count, kind), seen.first, seen.last), strict=True
            ):
                part.append(column)
    if not parts[0]:
        return [(np.zeros(0, np.int64),) * 4 for _ in bids]
    bid, *rest = (np.concatenate(part) for part in parts)
    order = np.argsort(bid, kind="stable")
    edges = np.searchsorted(bid[order], np.arange(len(bids) + 1))
    number_, kind_, first, last = (column[order] for column in rest)
    return [(number_[a:b], kind_[a:b], first[a:b], last[a:b]) for a, b in pairwise(edges.tolist())]


def _grid(
    useful: Sequence[tuple[BookBid, _Columns]],
    openings: Openings,
    lags: Column,
    now: int,
    groups: int,
    instants: Sequence[int],
) -> tuple[Column, bool]:
    """Return the instants that are told apart, and whether these are all that can matter.

    Contracts can be moved to earlier starts until something is in the way, so
    with flexible windows all starts are sums of what is given: multiples of
    its greatest common divisor.
    """
    known, lengths = set(instants), {int(lag) for lag in lags}
    low, high = None, 0
    for bid, (_, _, first, last) in useful:
        length = bid.length(now)
        known |= {start + length + int(lag) for lag in (0, *lags) for start in (bid.starting(now),)}
        known.add(bid.starting(now))
        if bid.duration is not None:
            lengths.add(length)
            edges = {*np.unique(first).tolist(), *np.unique(last).tolist(), bid.latest_start(now)}
            known |= edges | {edge + length + int(lag) for edge in edges for lag in (0, *lags)}
            low = bid.starting(now) if low is None else min(low, bid.starting(now))
            high = max(high, bid.end + max(int(lag) for lag in (0, *lags)))
    points = np.array(sorted(known), np.int64)
    room = min(MOST_POINTS, MOST_CELLS // max(groups, 1))
    exact = low is None
    if low is not None:
        step = gcd(*(int(point) - low for point in points), *lengths)
        if step and (high - low) // step < room:
            points = np.union1d(points, np.arange(low, high + 1, step))
            exact = True
    if len(points) > room:
        if room < 2:
            raise TooLarge(f"it has more than {MOST_CELLS} groups of offers that differ")
        points, exact = points[np.unique(np.linspace(0, len(points) - 1, room).astype(np.int64))], False
    return points, exact


def _starts(bid: BookBid, now: int, points: Column, exact: bool, lags: Column) -> Starts:
    earliest, latest, length = bid.starting(now), bid.latest_start(now), bid.length(now)
    inside = points[(points >= earliest) & (points <= latest)]
    at = np.union1d(inside, [earliest, latest]) if len(inside) < 2 or not exact else inside
    low = at if exact or bid.duration is None else np.concatenate([at[:1], at[:-1] + 1])
    until = [at + length + lag for lag in lags]
    return Starts(
        at,
        np.searchsorted(points, at, "right") - 1,
        np.array([np.searchsorted(points, end, "left") for end in until]).reshape(len(lags), -1),
        low,
        np.searchsorted(points, at, "left"),
        np.array([np.maximum(np.searchsorted(points, low + length + lag, "right") - 1, 0) for lag in lags]).reshape(
            len(lags), -1
        ),
    )


def _wanted(
    bid: BookBid, now: int, openings: Openings, columns: _Columns, nodes: Column, row: Column, starts: Starts
) -> Wanted:
    group, kind, first, last = columns
    if len(starts.at) * len(group) > MOST_CHOICES:
        raise TooLarge(f"one bid has more than {MOST_CHOICES} starts and openings to choose from")
    shared = SharedValues()
    keys = [shared.keys(bid, openings.kinds[k].sample) for k in kind.tolist()] if bid.together or bid.spread else []
    value, share = (
        np.unique([key[place] for key in keys], return_inverse=True)[1] if keys else np.zeros(len(group), np.int64)
        for place in (0, 1)
    )
    return Wanted(
        bid,
        bid.length(now),
        group,
        kind,
        np.array([openings.kinds[k].reserve for k in kind.tolist()], np.int64),
        first,
        last,
        np.minimum(nodes[group], bid.quantity),
        value,
        share,
        row[group],
        starts,
    )
