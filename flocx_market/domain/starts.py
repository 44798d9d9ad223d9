# SPDX-License-Identifier: Apache-2.0
"""The best start of a contract: the one whose dearest node asks least, then the cheapest, then the earliest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from flocx_market.domain.lots import Column, Mask

# Starts that are weighed at once; bounds what a bid with many starts takes of memory.
_STARTS = 64

# Sums above this would not be exact in 64 bits.
_EXACT = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The lots that could serve a bid, in the order in which their nodes are taken: by reserve, then length.

    Columns with a row for each lot: ``rows`` are their numbers in the stock,
    ``first`` and ``last`` the earliest and latest start that each leaves,
    ``counts`` how many nodes each has.
    """

    rows: Column
    reserve: Column
    length: Column
    first: Column
    last: Column
    counts: Column

    def usable(self, start: int) -> Column:
        """Return which lots leave a start, as positions in order."""
        return np.flatnonzero((self.first <= start) & (start <= self.last))

    def ties(self, usable: Column) -> Iterator[Column]:
        """Yield these lots in order, those together that only the uuids of their nodes tell apart."""
        if not len(usable):
            return
        reserve, length = self.reserve[usable], self.length[usable]
        cuts = np.flatnonzero((reserve[1:] != reserve[:-1]) | (length[1:] != length[:-1])) + 1
        yield from np.split(usable, cuts)

    def up_to(self, reserve: int) -> Candidates:
        """Return those that ask at most a price."""
        return self.only(slice(0, int(np.searchsorted(self.reserve, reserve, "right"))))

    def counting(self, counts: Column) -> Candidates:
        """Return those that have nodes, when each has so many."""
        return replace(self, counts=counts).only(np.flatnonzero(counts))

    def only(self, which: slice | Column) -> Candidates:
        """Return those at these positions."""
        return Candidates(
            rows=self.rows[which],
            reserve=self.reserve[which],
            length=self.length[which],
            first=self.first[which],
            last=self.last[which],
            counts=self.counts[which],
        )

    def at(self, starts: Column) -> Column:
        """Return how many nodes there are at each of these starts."""
        begun = _counted(self.first, self.counts, starts, "right")
        return begun - _counted(self.last, self.counts, starts, "left")


def _counted(instants: Column, counts: Column, at: Column, side: str) -> Column:
    order = np.argsort(instants)
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts[order])])
    return sums[np.searchsorted(instants[order], at, side)]  # type: ignore[call-overload]


def best_start(chosen: Candidates, quantity: int) -> tuple[int, int] | None:
    """Return (what the dearest node asks, start), or None where no start has enough nodes."""
    # Only these need be tried: moving a start back to the nearest of them only adds nodes.
    starts = np.unique(chosen.first)
    starts = starts[chosen.at(starts) >= quantity]
    if not len(starts):
        return None
    # What the dearest node asks: the least price up to which some start has enough nodes.
    prices = np.unique(chosen.reserve)
    low, high = 0, len(prices) - 1
    while low < high:
        middle = (low + high) // 2
        if (chosen.up_to(int(prices[middle])).at(starts) >= quantity).any():
            high = middle
        else:
            low = middle + 1
    dearest = int(prices[low])
    cheap = chosen.up_to(dearest)
    starts = starts[cheap.at(starts) >= quantity]
    _, start = min(_totals(cheap, starts, quantity))
    return dearest, start


def _totals(chosen: Candidates, starts: Column, quantity: int) -> Iterator[tuple[int, int]]:
    """Yield (what the first ``quantity`` nodes ask together, start) for starts with that many."""
    reserve = _exact(chosen.reserve, quantity)
    for batch in range(0, len(starts), _STARTS):
        tried = starts[batch : batch + _STARTS]
        usable = (chosen.first <= tried[:, None]) & (tried[:, None] <= chosen.last)
        within = np.minimum(np.cumsum(np.where(usable, chosen.counts, 0), axis=1), quantity)
        taken = np.diff(within, axis=1, prepend=0)
        yield from zip((taken * reserve).sum(axis=1).tolist(), tried.tolist(), strict=True)


def _exact(reserve: Column, quantity: int) -> Column:
    """Return prices in numbers that stay exact when ``quantity`` of them are added up."""
    if len(reserve) and int(reserve.max()) * quantity >= _EXACT:
        return reserve.astype(object)
    return reserve


def _sum(column: Column) -> int:
    return int(column.sum())


def best_shared_start(
    chosen: Candidates, quantity: int, keys: Sequence[tuple[str, str]], most: int | None, *, fixed: bool
) -> tuple[int, int, int, str] | None:
    """Return (what the dearest node asks, what all ask together, start, shared value), or None.

    :param keys: for each lot its values of ``together`` and ``spread``; empty texts where the bid has no such rule.
    :param most: how many nodes of one ``spread`` value may be taken; None for any.
    """
    if not len(chosen.rows):
        return None
    groups = _Groups(chosen, quantity, keys, most)
    starts = chosen.first[:1] if fixed else np.unique(chosen.first)
    best: tuple[int, int, int, str] | None = None
    for start in starts[chosen.at(starts) >= quantity].tolist():
        for found in groups.at(start, None if best is None else best[0]):
            best = found if best is None else min(best, found)
    return best


class _Groups:
    """Candidates by their value of ``together``, with no more of a ``spread`` value than allowed."""

    def __init__(self, chosen: Candidates, quantity: int, keys: Sequence[tuple[str, str]], most: int | None) -> None:
        self._chosen, self._quantity, self._most = chosen, quantity, most
        # In the order of the values, so that numbers compare as the values do.
        self._values = sorted({value for value, _ in keys})
        numbers = {value: number for number, value in enumerate(self._values)}
        shares: dict[tuple[str, str], int] = {}
        self._group = np.array([numbers[value] for value, _ in keys], np.int64)
        self._share = np.array([shares.setdefault(key, len(shares)) for key in keys], np.int64)
        self._reserve = _exact(chosen.reserve, quantity)

    def at(self, start: int, dearest: int | None) -> Iterator[tuple[int, int, int, str]]:
        """Yield for each group with enough nodes at a start what it would cost: see :func:`best_shared_start`.

        :param dearest: groups that need a dearer node than this may be left out.
        """
        chosen = self._chosen
        usable: Mask = (chosen.first <= start) & (start <= chosen.last)
        if dearest is not None:
            usable &= chosen.reserve <= dearest
        rows = np.flatnonzero(usable)
        counts = chosen.counts[rows]
        if self._most is not None:
            counts = _taken(counts, self._share[rows], self._most)
        group = self._group[rows]
        taken = _taken(counts, group, self._quantity)
        got = np.bincount(group, weights=taken, minlength=len(self._values)).astype(np.int64)
        for number in np.flatnonzero(got >= self._quantity).tolist():
            mine = rows[(group == number) & (taken > 0)]
            of_mine = taken[(group == number) & (taken > 0)]
            total = _sum(of_mine * self._reserve[mine])
            yield int(chosen.reserve[mine[-1]]), total, start, self._values[number]


def _taken(counts: Column, label: Column, most: int) -> Column:
    """Return how many of each row are taken when rows are gone through in order and at most ``most`` of a label are."""
    order = np.argsort(label, kind="stable")
    sums = np.cumsum(counts[order])
    before = sums - counts[order]
    begins = np.flatnonzero(np.diff(label[order], prepend=-1))
    base = np.repeat(before[begins], np.diff(np.append(begins, len(order))))
    taken = np.empty_like(counts)
    taken[order] = np.minimum(sums - base, most) - np.minimum(before - base, most)
    return taken
