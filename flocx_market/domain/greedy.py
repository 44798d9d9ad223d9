# SPDX-License-Identifier: Apache-2.0
"""The greedy clearing engine: bids in the order of the ranking, each served exactly or not at all."""

from __future__ import annotations

from flocx_market.domain.book import Book, BookBid, Span
from flocx_market.domain.engine import UNBOUNDED, Award, Cleared, Effort
from flocx_market.domain.filling import fill
from flocx_market.domain.placement import Placement
from flocx_market.domain.ranking import Ranking, ranked
from flocx_market.domain.stock import Stock
from flocx_market.domain.supply import Supply, share_keys


def clear(book: Book, now: int, ranking: Ranking, effort: Effort = UNBOUNDED) -> Cleared:
    """Serve the open bids one after the other from what is left.

    The engine "greedy" of the market rules: no bid is left open that what is
    left over could serve, and raising a winning bid's limit never makes it
    lose. The answer does not depend on the order of the input. It always
    finishes, so ``effort`` does not bound it.
    """
    stock = Stock(book.offers)
    awards, left = [], []
    for bid in ranked(book.bids, ranking, now):
        placement = stock.place(bid, now, shortest=book.shortest)
        if placement is None:
            left.append(bid)
            continue
        stock.take(placement)
        awards.append(award_of(bid, placement))
    return Cleared(offers=book.offers, awards=tuple(awards), left=tuple(left), evaluations=stock.evaluations)


def award_of(bid: BookBid, placement: Placement) -> Award:
    """Return the award of a bid that is served at a placement."""
    return Award(bid=bid, contract=Span(placement.begin, placement.end), offers=placement.offers)


def place(supply: Supply, bid: BookBid, now: int, *, shortest: int = 0, limit: int | None = None) -> Placement | None:
    """Return the best placement of a bid in what is left, or None where there is none.

    Over every start and every value of ``together``, nodes are taken in the
    order of :attr:`Opening.preference`, leaving out those whose ``spread``
    value is full, until there are enough; the best is the one whose dearest
    node asks least, then the cheapest, the earliest, the smallest value.
    The search is exact: only the earliest start and the beginnings of free
    windows need be tried, since moving a start back to the nearest of these
    only adds nodes.

    :param limit: price to search under instead of the bid's own.
    """
    if not bid.servable(now, shortest):
        return None
    openings = supply.openings(supply.candidates(bid, limit), bid, now)
    if len(openings) < bid.quantity:
        return None
    openings.sort(key=lambda opening: opening.preference)
    best: Placement | None = None
    length = bid.length(now)
    for start in sorted({opening.first for opening in openings}):
        usable = (
            (opening.offer.reserve, share_keys(supply, bid, opening.offer), opening.offer)
            for opening in openings
            if opening.first <= start <= opening.last
        )
        for value, offers in fill(bid, usable, None if best is None else best.dearest):
            reserves = [offer.reserve for offer in offers]
            found = Placement(reserves[-1], sum(reserves), start, value, tuple(offers), start + length)
            best = found if best is None else min(best, found)
    return best
