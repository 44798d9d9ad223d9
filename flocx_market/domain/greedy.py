# SPDX-License-Identifier: Apache-2.0
"""The greedy clearing engine: bids in the order of the ranking, each served exactly or not at all."""

from __future__ import annotations

from flocx_market.domain.book import Book, BookBid, Span
from flocx_market.domain.engine import UNBOUNDED, Award, Cleared, Effort
from flocx_market.domain.lots import Change
from flocx_market.domain.placement import Placement
from flocx_market.domain.ranking import Ranking, ranked
from flocx_market.domain.stock import Stock


def clear(book: Book, now: int, ranking: Ranking, effort: Effort = UNBOUNDED) -> Cleared:
    """Serve the open bids one after the other from what is left.

    The engine "greedy" of the market rules: no bid is left open that what is
    left over could serve, and raising a winning bid's limit never makes it
    lose. The answer does not depend on the order of the input. It always
    finishes, so ``effort`` does not bound it.
    """
    return clear_stock(Stock(book.offers), book, now, ranking)


def clear_stock(stock: Stock, book: Book, now: int, ranking: Ranking) -> Cleared:
    """Serve the bids of a book like :func:`clear`, from a stock that holds its offers, and cut the awards out of it."""
    before = stock.evaluations
    awards: list[Award] = []
    left: list[BookBid] = []
    taken: list[Change] = []
    for bid in ranked(book.bids, ranking, now):
        placement = stock.place(bid, now, shortest=book.shortest)
        if placement is None:
            left.append(bid)
            continue
        taken += stock.take(placement)
        awards.append(award_of(bid, placement))
    return Cleared(
        offers=book.offers,
        awards=tuple(awards),
        left=tuple(left),
        evaluations=stock.evaluations - before,
        left_over=stock,
        taken=taken,
    )


def award_of(bid: BookBid, placement: Placement) -> Award:
    """Return the award of a bid that is served at a placement."""
    return Award(bid=bid, contract=Span(placement.begin, placement.end), offers=placement.offers)
