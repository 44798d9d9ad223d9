# SPDX-License-Identifier: Apache-2.0
"""How many nodes can be had at one instant of start, under ``spread`` and ``together``.

A *place* is (first, last, group, share): a node that could start at any instant
from first to last, whose ``together`` value is group and whose ``spread`` value
is share. At most ``cap`` nodes of one group with one share count.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

Place = tuple[int, int, str, str]


class Tally:
    """Nodes counted by group, no more than ``cap`` of each share; None for no cap."""

    def __init__(self, cap: int | None = None) -> None:
        self._cap = cap
        self._shares: dict[tuple[str, str], int] = defaultdict(int)
        self._groups: dict[str, int] = defaultdict(int)

    def add(self, group: str, share: str) -> int:
        """Count one more node and return how many its group has."""
        self._shares[group, share] += 1
        if self._cap is None or self._shares[group, share] <= self._cap:
            self._groups[group] += 1
        return self._groups[group]

    def remove(self, group: str, share: str) -> None:
        """Take back one :meth:`add`."""
        if self._cap is None or self._shares[group, share] <= self._cap:
            self._groups[group] -= 1
        self._shares[group, share] -= 1


def counts(places: Iterable[Place], cap: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield, for each instant at which a place begins, in order, the most nodes of one group there.

    The number counts the groups that gained a node at that instant: a group
    that only lost some had at least as many at an earlier instant.
    """
    tally = Tally(cap)
    leaving: list[tuple[int, str, str]] = []
    for first, starting in groupby(sorted(places), key=lambda place: place[0]):
        while leaving and leaving[0][0] < first:
            _, group, share = heapq.heappop(leaving)
            tally.remove(group, share)
        most = 0
        for _, last, group, share in starting:
            most = max(most, tally.add(group, share))
            heapq.heappush(leaving, (last, group, share))
        yield first, most


def most_at_once(places: Iterable[Place], cap: int | None = None) -> int:
    """Return the most nodes of one group that some instant of start offers; 0 for none."""
    return max((most for _, most in counts(places, cap)), default=0)


def earliest_with(quantity: int, places: Iterable[Place], after: int, cap: int | None = None) -> int | None:
    """Return the earliest instant later than ``after`` at which a group has ``quantity`` nodes.

    It is only meaningful where ``after`` itself has too few: then the first
    instant with enough is one at which some place begins.
    """
    clipped = ((max(first, after), last, group, share) for first, last, group, share in places if last >= after)
    for instant, most in counts(clipped, cap):
        if instant > after and most >= quantity:
            return instant
    return None
