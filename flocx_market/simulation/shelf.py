# SPDX-License-Identifier: Apache-2.0
"""The nodes of a replay with the time they have left, and the book of each round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flocx_market.domain.book import Book, BookBid, BookOffer, Span
from flocx_market.domain.engine import Award
from flocx_market.domain.supply import without


@dataclass(frozen=True, slots=True)
class _Need:
    """What of a bid decides whether a free window could serve it."""

    limit: int
    length: int
    first: int
    last: int

    def fitting(self, free: Iterable[Span]) -> set[Span]:
        least, length, last = self.first + self.length, self.length, self.last
        return {span for span in free if span.begin <= last and span.end >= least and span.end - span.begin >= length}


class Shelf:
    """Offers, while contracts are cut out of them; each is the only one of its node.

    A round is cleared from a book that has only what could serve one of its
    bids. What is left out could not, so that the round is the same, and a year
    of rounds does not read every node each time.
    """

    def __init__(self, offers: Iterable[BookOffer]) -> None:
        self._of_hardware: dict[str, dict[str, BookOffer]] = defaultdict(dict)
        for offer in offers:
            self._of_hardware[offer.hardware.digest][offer.uuid] = offer
        self._meets: dict[tuple[tuple[str, ...], str], bool] = {}

    def book(self, bids: Sequence[BookBid], now: int) -> Book:
        """Return the book of a round: its bids, and the offers with the free windows that could serve one."""
        found = []
        for digest, offers in self._of_hardware.items():
            needs = [
                _Need(bid.limit, bid.length(now), bid.starting(now), bid.latest_start(now))
                for bid in bids
                if self._meeting(bid, digest)
            ]
            if not needs:
                continue
            for offer in offers.values():
                fitting: set[Span] = set()
                for need in needs:
                    if need.limit >= offer.reserve:
                        fitting |= need.fitting(offer.free)
                if len(fitting) == len(offer.free):
                    found.append(offer)
                elif fitting:
                    found.append(replace(offer, free=tuple(span for span in offer.free if span in fitting)))
        return Book(bids=bids, offers=found)

    def take(self, award: Award, now: int) -> None:
        """Cut what was awarded, with the turnaround of the nodes around it, out of their free time from now on."""
        for sold in award.offers:
            blocked = Span(award.contract.begin - sold.turnaround, award.contract.end + sold.turnaround)
            offers = self._of_hardware[sold.hardware.digest]
            left = [piece for free in offers[sold.uuid].free for piece in without(free, blocked) if piece.end > now]
            offers[sold.uuid] = replace(offers[sold.uuid], free=tuple(left))

    def _meeting(self, bid: BookBid, digest: str) -> bool:
        key = (tuple(requirement.key for requirement in bid.requirements), digest)
        known = self._meets.get(key)
        if known is None:
            document = next(iter(self._of_hardware[digest].values())).hardware.document
            known = self._meets[key] = all(requirement.holds(document) for requirement in bid.requirements)
        return known
