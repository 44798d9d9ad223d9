# SPDX-License-Identifier: Apache-2.0
"""Why a bid is open, or what would become of one that is not placed."""

from __future__ import annotations

from datetime import datetime

from flocx_common.domain.clock import ceil_second
from flocx_market.domain.bid import Bid, BidStatus, to_book
from flocx_market.domain.book import Book, to_seconds
from flocx_market.domain.clearing import clear
from flocx_market.domain.explanation import Explanation, explain, explain_award
from flocx_market.domain.hardware_classes import LiveExpressions
from flocx_market.domain.stock import Stock
from flocx_market.ports.store import Store, UnitOfWork
from flocx_market.services.bids import readable
from flocx_market.services.settings import MarketSettings
from flocx_market.services.supply import saleable


def explain_bid(bid: Bid, *, store: Store, settings: MarketSettings, now: datetime) -> Explanation:
    """Return why a bid is open, as the next round would find it.

    The round is thought through without making a contract, with the bid among
    the open ones; so the answer is there the moment the bid is, and for a bid
    that is not stored at all.
    """
    if bid.status is not BidStatus.OPEN:
        return Explanation(bid.uuid, f"It is not open: it is {bid.status}.", (), None)
    asked = to_book(bid)
    second = to_seconds(ceil_second(now))
    limits = settings.limits

    def read(uow: UnitOfWork) -> Book:
        others = (readable(other) for other in uow.bids.with_status(BidStatus.OPEN) if other.uuid != bid.uuid)
        bids = [*(other for other in others if other is not None), asked]
        for_sale = saleable(uow, LiveExpressions.of(bids), now, settings.liveness_timeout)
        return Book(bids=bids, offers=for_sale.offers, shortest=limits.shortest_contract)

    book = store.read(read)
    cleared = clear(book, second, settings.rules)
    for award in cleared.awards:
        if award.bid.uuid == bid.uuid:
            return explain_award(Stock(book.offers), award, second)
    return explain(cleared.stock, asked, second, shortest=limits.shortest_contract, longest=limits.longest_contract)
