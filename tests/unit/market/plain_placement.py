# SPDX-License-Identifier: Apache-2.0
"""Placing bids and counting nodes once more, offer by offer and as plain as it can be said, for comparison."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from flocx_market.domain.book import BookBid, BookOffer, Span
from flocx_market.domain.filling import fill
from flocx_market.domain.placement import Placement
from flocx_market.domain.supply import Supply, share_keys

Place = tuple[int, int, str, str]


class PlainSupply(Supply):
    """The free time of all offers, to be looked at one by one."""

    def __len__(self) -> int:
        return len(self._free)

    def offers(self) -> Iterator[BookOffer]:
        """Yield every offer."""
        for group in self._of_hardware.values():
            yield from group

    def free(self, offer: BookOffer) -> tuple[Span, ...]:
        """Return the free windows an offer has left, in order of time."""
        return self._free[offer.uuid]


def place(
    supply: PlainSupply, bid: BookBid, now: int, *, shortest: int = 0, limit: int | None = None
) -> Placement | None:
    """Return the best placement of a bid in what is left, or None where there is none.

    :param limit: price to search under instead of the bid's own.
    """
    if not bid.servable(now, shortest):
        return None
    terms = bid if limit is None else replace(bid, limit=limit)
    openings = supply.openings(supply.candidates(terms), bid, now)
    if len(openings) < bid.quantity:
        return None
    openings.sort(key=lambda opening: opening.preference)
    best: Placement | None = None
    length = bid.length(now)
    for start in sorted({opening.first for opening in openings}):
        usable = (
            (share_keys(supply, bid, opening.offer), opening.offer)
            for opening in openings
            if opening.first <= start <= opening.last
        )
        for value, offers in fill(bid, usable):
            reserves = [offer.reserve for offer in offers]
            found = Placement(reserves[-1], sum(reserves), start, value, tuple(offers), start + length)
            best = found if best is None else min(best, found)
    return best


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
    for begin, most in counts(clipped, cap):
        if begin > after and most >= quantity:
            return begin
    return None
