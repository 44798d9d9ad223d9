# SPDX-License-Identifier: Apache-2.0
"""Reading the book of a round: all that is open, and all that is for sale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flocx_market.domain.bid import Bid, BidStatus
from flocx_market.domain.book import Book
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.ports.store import UnitOfWork
from flocx_market.services.bids import readable
from flocx_market.services.settings import MarketSettings
from flocx_market.services.supply import ForSale, saleable


@dataclass(frozen=True, slots=True)
class OpenBook:
    """The open bids, the book of a round, and the generations of the nodes in it.

    The hardware of its offers answers the expressions ``live``.
    """

    bids: Mapping[str, Bid]
    book: Book
    generations: Mapping[str, int]
    live: LiveExpressions


def open_book(
    uow: UnitOfWork, settings: MarketSettings, now: datetime, classes: HardwareClasses | None = None
) -> OpenBook:
    """Read the book of a round; no offers where no bid is open.

    :param classes: see :func:`flocx_market.services.supply.saleable`.
    """
    bids = {bid.uuid: bid for bid in uow.bids.with_status(BidStatus.OPEN)}
    asked = [book_bid for book_bid in map(readable, bids.values()) if book_bid is not None]
    for_sale = ForSale()
    if asked:
        for_sale = saleable(uow, LiveExpressions.of(asked), now, settings.liveness_timeout, classes)
    book = Book(bids=asked, offers=for_sale.offers, shortest=settings.limits.shortest_contract)
    return OpenBook(bids, book, for_sale.generations, for_sale.live)
