# SPDX-License-Identifier: Apache-2.0
"""The standing book of a market: rounds that cost what has changed since the last one."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from flocx_common.domain.clock import ceil_second
from flocx_market.domain import greedy
from flocx_market.domain.bid import Bid, BidStatus
from flocx_market.domain.book import Book, BookBid, BookOffer, to_seconds
from flocx_market.domain.clearing import Round, hold_round, price_round
from flocx_market.domain.contract import Contract
from flocx_market.domain.engine import Award, Cleared
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.standing import StandingBook
from flocx_market.ports.store import Changed, Store, UnitOfWork
from flocx_market.services.bids import readable
from flocx_market.services.open_book import OpenBook, open_book
from flocx_market.services.settings import MarketSettings
from flocx_market.services.supply import ForSale, saleable_on, turnarounds

LOG = logging.getLogger(__name__)

_NOTHING = Cleared(offers=(), awards=(), left=(), evaluations=0)

# More changes than this, of a kind, are not followed: all is read anew.
_MOST_CHANGES = 20_000
# An offer that changes leaves something behind in the book: after so many times what it has, and
# the number above, it is made anew.
_WORN = 3
# The same as for changes for nodes, as a share of all that are for sale, above a number that is always followed.
_MOST_NODES, _ALWAYS_NODES = 0.25, 1000


@dataclass(frozen=True, slots=True)
class _News:
    """What has changed up to a place: bids and nodes to look at, and what is open and for sale of them."""

    place: int
    alive: Mapping[str, int]
    touched: Collection[str]
    bids: Mapping[str, Bid]
    asked: Mapping[str, BookBid | None]
    nodes: Collection[str]
    for_sale: ForSale


@dataclass(frozen=True, slots=True)
class _Everything:
    """All that a round looks at, at an instant and a place."""

    at: datetime
    place: int
    alive: Mapping[str, int]
    opened: OpenBook


@dataclass(frozen=True, slots=True)
class StandingRound:
    """A round that was held, and how many bids the book would have decided otherwise than a full clear."""

    round: Round
    missed: int = 0


class StandingMarket:
    """The market as rounds know it: a standing book that follows what is stored.

    It reads everything once, and then what has changed: the events of bids and
    offers and the allocations since the last place it saw. What a round awards
    is taken for granted only when it was written, else it is looked up again.
    From time to time everything is read anew, and what a full clear of that
    decides is held against what the book would have. An engine other than
    "greedy" begins every round from everything.

    One round at a time may use it.

    :param classes: keeps what is known of hardware documents.
    """

    def __init__(self, settings: MarketSettings, classes: HardwareClasses | None = None) -> None:
        self._settings = settings
        self._classes = classes or HardwareClasses()
        #: What is known of documents by whoever seeks replacements, and asks for other classes of them.
        self.replacing = HardwareClasses()
        self._book: StandingBook | None = None
        self._live = LiveExpressions()
        self._alive: Mapping[str, int] = {}
        self._place = 0
        self._read_at = datetime.min.replace(tzinfo=UTC)
        #: The open bids as they were read, and the generations of the nodes, for whoever writes contracts.
        self.bids: dict[str, Bid] = {}
        self.generations: dict[str, int] = {}
        # Awards of which it is not known that they are contracts: their nodes, by bid.
        self._unsure: dict[str, set[str]] = {}
        # What was written, and will come back as a change: bids, and the times of allocations.
        self._matched: set[str] = set()
        self._written: dict[str, tuple[int, int]] = {}

    def hold(self, store: Store, now: datetime) -> StandingRound:
        """Hold a round on what is stored.

        It gives the contracts that a full clear would. Whoever has written some
        of them says so with :meth:`wrote` before the next round.
        """
        second = to_seconds(ceil_second(now))
        if self._settings.rules.engine is not greedy.clear:
            everything = store.read(partial(self._everything, now))
            self._follow(everything)
            return StandingRound(hold_round(everything.opened.book, second, self._settings.rules))
        if self._book is not None and second < self._book.stock.since:
            LOG.warning("the clock was set back: the market is read anew")
            self._book = None
        read = store.read(partial(self._read, now))
        try:
            return self._hold(*read, second)
        except BaseException:
            # It may be half changed.
            self._book = None
            raise

    def wrote(self, contracts: Sequence[Contract]) -> None:
        """Take note that these contracts of the last round are stored."""
        for contract in contracts:
            self._unsure.pop(contract.bid_uuid, None)
            self.bids.pop(contract.bid_uuid, None)
            self._matched.add(contract.bid_uuid)
            for allocation in contract.allocations:
                self._written[allocation.uuid] = to_seconds(allocation.start_time), to_seconds(allocation.end_time)

    def _hold(self, news: _News | None, everything: _Everything | None, now: int) -> StandingRound:
        if news is None:
            self._book = None
        else:
            self._take_in(news, now)
        followed = held = self._decide(now)
        if everything is not None:
            self._read_at = everything.at
            # Where no bid is open nothing was read that could be sold, and a book that stands is as good.
            if self._book is None or everything.opened.book.bids:
                self._start(everything)
                held = self._decide(now)
        missed = 0 if news is None else _differing(followed[1].awards, held[1].awards)
        return StandingRound(price_round(*held, now, self._settings.rules), missed)

    def _read(self, now: datetime, uow: UnitOfWork) -> tuple[_News | None, _Everything | None]:
        """Return what is new where the book stands, and everything where it does not or is to be audited."""
        news, interval = self._news(uow, now), self._settings.audit_interval
        if news is not None and (interval is None or now - self._read_at < interval):
            return news, None
        return news, self._everything(now, uow)

    def _everything(self, now: datetime, uow: UnitOfWork) -> _Everything:
        opened = open_book(uow, self._settings, now, self._classes)
        return _Everything(now, uow.place(), turnarounds(uow, now, self._settings.liveness_timeout), opened)

    def _news(self, uow: UnitOfWork, now: datetime) -> _News | None:
        """Return what is new, or None where no book stands, too much is new, or the book is worn."""
        worn = self._book is None or len(self._book.stock.lots.offers) > _WORN * len(self.generations) + _MOST_CHANGES
        changed = None if worn else uow.changes.since(self._place, _MOST_CHANGES)
        if changed is None or changed.place < self._place:
            return None
        told = {uuid for event, uuid in changed.bids if event != "bid.matched" or uuid not in self._matched}
        touched = told | self._unsure.keys()
        bids = uow.bids.by_uuid(touched)
        asked = {uuid: readable(bid) for uuid, bid in bids.items() if bid.status is BidStatus.OPEN}
        live = LiveExpressions.of(bid for bid in asked.values() if bid is not None)
        alive = turnarounds(uow, now, self._settings.liveness_timeout)
        nodes = self._nodes(changed, uow, alive)
        most = max(_ALWAYS_NODES, _MOST_NODES * len(self.generations))
        if len(nodes) > most or not live.within(self._live):
            return None
        for_sale = saleable_on(uow, nodes, alive, self._live, now, self._classes)
        return _News(changed.place, alive, touched, bids, asked, nodes, for_sale)

    def _nodes(self, changed: Changed, uow: UnitOfWork, alive: Mapping[str, int]) -> set[str]:
        """Return the nodes of which something else may be for sale than before."""
        providers = {uuid for uuid in alive.keys() | self._alive.keys() if alive.get(uuid) != self._alive.get(uuid)}
        nodes = {*changed.nodes, *(uow.offers.nodes_of(providers) if providers else ())}
        nodes.update(
            one.node_uuid
            for one in changed.allocations
            if not one.keeps or self._written.get(one.uuid) != (one.begin, one.end)
        )
        return nodes.union(*self._unsure.values())

    def _take_in(self, news: _News, now: int) -> None:
        book = self._book
        assert book is not None
        for uuid in news.touched:
            if uuid in news.asked:
                self.bids[uuid] = news.bids[uuid]
            else:
                self.bids.pop(uuid, None)
            bid = news.asked.get(uuid)
            if bid is None:
                book.drop_bid(uuid)
            else:
                book.put_bid(bid)
        offers: dict[str, list[BookOffer]] = {}
        for offer in news.for_sale.offers:
            offers.setdefault(offer.node_uuid, []).append(offer)
        for node_uuid in sorted(news.nodes):
            book.put_node(node_uuid, offers.get(node_uuid, ()), since=now)
        self.generations.update(news.for_sale.generations)
        self._follow(news)

    def _start(self, everything: _Everything) -> None:
        """Begin a new book; none where no bid is open."""
        book = everything.opened.book
        self._book = StandingBook(book.offers, book.bids, shortest=book.shortest) if book.bids else None
        self._live = everything.opened.live
        self._follow(everything)

    def _follow(self, read: _News | _Everything) -> None:
        """Remember up to where all is known that others did; nothing has been done since."""
        self._place, self._alive = read.place, read.alive
        self._unsure, self._matched, self._written = {}, set(), {}
        if isinstance(read, _Everything):
            self.bids, self.generations = dict(read.opened.bids), dict(read.opened.generations)

    def _decide(self, now: int) -> tuple[Book, Cleared]:
        if self._book is None:
            return Book(bids=(), offers=()), _NOTHING
        asked, cleared = self._book.hold(now, self._settings.rules.ranking)
        for award in cleared.awards:
            self._unsure[award.bid.uuid] = {offer.node_uuid for offer in award.offers}
        return asked, cleared


def _differing(expected: Sequence[Award], found: Sequence[Award]) -> int:
    """Return for how many bids two rounds decide otherwise."""
    one, other = (
        {award.bid.uuid: (award.contract, [offer.uuid for offer in award.offers]) for award in awards}
        for awards in (expected, found)
    )
    return sum(one.get(uuid) != other.get(uuid) for uuid in one.keys() | other.keys())
