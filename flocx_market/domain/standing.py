# SPDX-License-Identifier: Apache-2.0
"""A book that stands from round to round, so that a round costs what has changed and not what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import heappop, heappush

from flocx_market.domain import greedy
from flocx_market.domain.book import FOREVER, Book, BookBid, BookOffer, Span
from flocx_market.domain.engine import Cleared
from flocx_market.domain.ranking import Ranking
from flocx_market.domain.rivals import Rivals
from flocx_market.domain.stock import Stock

# Bids that have come since the rivals were last counted; so many are woken unasked.
_RECENT = 64


class StandingBook:
    """Open bids, and what is left free of the offers, kept up to date by telling it what has changed.

    Each :meth:`hold` gives the contracts that a greedy clear of all open bids
    against all that is free would give. No bid that stays open could be served
    by what is left, so only bids that are new, that something new could serve,
    or that the passing of time has changed need be looked at again.

    :param shortest: the length in seconds below which no contract is made.
    """

    def __init__(self, offers: Iterable[BookOffer], bids: Iterable[BookBid], *, shortest: int = 0) -> None:
        self.stock = Stock(offers)
        #: How many bids have been looked at so far.
        self.placements = 0
        self._shortest = shortest
        self._bids: dict[str, BookBid] = {}
        self._woken: set[str] = set()
        self._recent: set[str] = set()
        # Bids for the rest of a window, by the instant from which it grows shorter.
        self._to_start: list[tuple[int, str]] = []
        self._started: set[str] = set()
        # Offers with free time that no round has seen yet.
        self._fresh: list[int] = []
        self._rivals: tuple[Rivals, Sequence[BookBid]] | None = None
        for bid in bids:
            self.put_bid(bid)

    @property
    def bids(self) -> Sequence[BookBid]:
        """The open bids."""
        return list(self._bids.values())

    def put_bid(self, bid: BookBid) -> None:
        """Take in a bid, or what it has become."""
        if self._bids.get(bid.uuid) != bid:
            self._bids[bid.uuid] = bid
            self._woken.add(bid.uuid)
            self._recent.add(bid.uuid)
            self._started.discard(bid.uuid)
            if bid.duration is None:
                heappush(self._to_start, (bid.begin, bid.uuid))

    def drop_bid(self, uuid: str) -> None:
        """Leave a bid out from here on; one that is not there is no error."""
        self._bids.pop(uuid, None)
        self._woken.discard(uuid)
        self._recent.discard(uuid)

    def put_offer(self, offer: BookOffer, *, since: int = -FOREVER) -> None:
        """Take in an offer with what is free of it now, or what it has become.

        :param since: what was free earlier has passed and makes no difference.
        """
        lots = self.stock.lots
        number = lots.number(offer.uuid)
        if number is not None:
            known = replace(lots.offers[number], free=offer.free)
            if known == offer and _left(lots.free(number), since) == _left(offer.free, since):
                return
            self.stock.discard(number)
        self._fresh.append(self.stock.add(offer))

    def put_node(self, node_uuid: str, offers: Iterable[BookOffer], *, since: int = -FOREVER) -> None:
        """Take in all offers of a node that have something free, and sell nothing of any other it had.

        :param since: see :meth:`put_offer`.
        """
        left = {offer.uuid: offer for offer in offers}
        for uuid in self.stock.lots.uuids_on(node_uuid) - left.keys():
            self.drop_offer(uuid)
        for _, offer in sorted(left.items()):
            self.put_offer(offer, since=since)

    def drop_offer(self, uuid: str) -> None:
        """Sell nothing of an offer from here on; one that is not there is no error."""
        number = self.stock.lots.number(uuid)
        if number is not None:
            self.stock.discard(number)

    def hold(self, now: int, ranking: Ranking) -> tuple[Book, Cleared]:
        """Hold a round: serve the open bids that what is free can serve, and cut it out.

        Return the book of the bids that were looked at, without offers, and
        what was made of it. No other bid could have been served by what was
        free before the round, whoever else had stayed away; so whoever prices
        the awards need not look further. Bids with an award are open no longer.
        The instants of rounds never go back.
        """
        self.stock.since = now
        self._wake(now)
        asked = Book(bids=[self._bids[uuid] for uuid in self._woken], offers=(), shortest=self._shortest)
        self.placements += len(asked.bids)
        cleared = greedy.clear_stock(self.stock, asked, now, ranking)
        for award in cleared.awards:
            self.drop_bid(award.bid.uuid)
        self._woken.clear()
        return asked, cleared

    def _wake(self, now: int) -> None:
        """Add to the woken bids those that may be served now and could not before."""
        # The contract of a bid for the rest of a window grows shorter, and so fits where it did not.
        while self._to_start and self._to_start[0][0] < now:
            self._started.add(heappop(self._to_start)[1])
        self._started &= self._bids.keys()
        self._woken |= self._started
        fresh = [number for number in self._fresh if self.stock.lots.free(number)]
        self._fresh.clear()
        if not fresh:
            return
        if self._rivals is None or len(self._recent) > _RECENT + len(self._rivals[1]) // 8:
            asked = [bid for uuid, bid in self._bids.items() if uuid not in self._woken]
            self._rivals = Rivals(self.stock, asked, now, self._shortest), asked
            # Those that are looked at anyway are not counted; if they stay open they are asked for next time.
            self._recent = set(self._woken)
        rivals, counted = self._rivals
        for number in fresh:
            wanting = rivals.wanting(number)
            self._woken.update(
                counted[position].uuid
                for position in wanting.nonzero()[0].tolist()
                if counted[position].uuid in self._bids
            )
        self._woken |= self._recent


def _left(free: Iterable[Span], since: int) -> set[Span]:
    return {Span(max(span.begin, since), span.end) for span in free if span.end > since}
