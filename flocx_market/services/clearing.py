# SPDX-License-Identifier: Apache-2.0
"""One round of the market: what has passed, what must be replaced, what can be matched."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from flocx_common.domain.clock import ceil_second, floor_second
from flocx_common.domain.errors import AllocationsOverlap, Busy
from flocx_common.domain.events import Event, projects
from flocx_market.domain import lifecycle
from flocx_market.domain.bid import Bid, BidStatus, to_book
from flocx_market.domain.book import Book, has_room, to_seconds
from flocx_market.domain.clearing import Deal, hold_round
from flocx_market.domain.contract import Contract
from flocx_market.domain.formation import form_contract
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.offer import STANDING, settled_status
from flocx_market.ports.store import Store, UnitOfWork
from flocx_market.services import offers
from flocx_market.services.bids import readable
from flocx_market.services.contracts import save
from flocx_market.services.replacing import replace_failed
from flocx_market.services.settings import MarketSettings
from flocx_market.services.supply import ForSale, saleable

LOG = logging.getLogger(__name__)

# Contracts written in one transaction; each costs a bounded number of statements.
_BATCH = 100


@dataclass(slots=True)
class RoundReport:
    """What a round did. ``lost`` contracts were made impossible by concurrent changes; the next round sees to them."""

    expired: int = 0
    swept: int = 0
    replaced: int = 0
    matched: int = 0
    lost: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether the round changed anything."""
        return bool(self.expired or self.swept or self.replaced or self.matched)


def run_round(
    *, store: Store, settings: MarketSettings, now: datetime, classes: HardwareClasses | None = None
) -> RoundReport:
    """Run one round and tell what it did.

    It may be stopped at any instant and run again: each step is a transaction
    of its own that checks again what it acts on.

    :param classes: what earlier rounds have learnt of hardware documents; one
        round at a time may use it. Without it a round reads them all.
    """
    report = RoundReport()
    report.expired = expire(store=store, settings=settings, now=now)
    report.swept = sweep_contracts(store=store, settings=settings, now=now)
    report.replaced = replace_failed(store=store, settings=settings, now=now, classes=classes)
    report.matched, report.lost = clear_market(store=store, settings=settings, now=now, classes=classes)
    return report


def expire(*, store: Store, settings: MarketSettings, now: datetime) -> int:
    """Close the bids and offers that time has passed by; return how many."""
    second = floor_second(now)
    shortest = settings.limits.shortest_contract

    def due(uow: UnitOfWork) -> tuple[Sequence[str], Sequence[str]]:
        at = to_seconds(now)
        bids = [
            uuid
            for uuid, begin, end, length in uow.bids.open_windows()
            if not has_room(begin, end, length, at, shortest)
        ]
        return bids, uow.offers.ended(now)

    def expire_bid(uuid: str, uow: UnitOfWork) -> None:
        bid = uow.bids.get(uuid)
        if bid is None or bid.status is not BidStatus.OPEN or to_book(bid).servable(to_seconds(now), shortest):
            return
        expired = bid.after("expire", second, "it can no longer be served inside its window")
        uow.bids.update(expired)
        uow.record(_told("bid.expired", expired, now))

    def expire_offer(uuid: str, uow: UnitOfWork) -> None:
        offer = uow.offers.get(uuid)
        if offer is None:
            return
        settled = settled_status(offer, provider_alive=True, now=second)
        if settled.status is not offer.status and settled.status not in STANDING:
            offers.change(uow, settled, now)

    bids, ends = store.read(due)
    for uuid in bids:
        store.write(partial(expire_bid, uuid))
    for uuid in ends:
        store.write(partial(expire_offer, uuid))
    return len(bids) + len(ends)


def sweep_contracts(*, store: Store, settings: MarketSettings, now: datetime) -> int:
    """Do to contracts what only the passing of time does; return how many changed."""

    def after(contract: Contract) -> lifecycle.Change:
        change = lifecycle.sweep(contract, now, settings.timeouts)
        return change.then(lifecycle.warn(change.contract, now, settings.timeouts))

    def work(uuid: str, uow: UnitOfWork) -> None:
        contract = uow.contracts.get(uuid)
        if contract is not None:
            save(uow, contract, after(contract), now)

    timeouts = settings.timeouts

    def changing(uow: UnitOfWork) -> list[str]:
        due = uow.contracts.due(end=now, notice=now + timeouts.notice, delivery=now - timeouts.delivery)
        return [contract.uuid for contract in due if after(contract).contract != contract]

    due = store.read(changing)
    for uuid in due:
        store.write(partial(work, uuid))
    return len(due)


def clear_market(
    *, store: Store, settings: MarketSettings, now: datetime, classes: HardwareClasses | None = None
) -> tuple[int, int]:
    """Match the open bids; return how many contracts were made and how many lost to concurrent changes."""
    opened = store.read(lambda uow: open_book(uow, settings, now, classes))
    held = hold_round(opened.book, to_seconds(ceil_second(now)), settings.rules)
    report = held.cleared.report
    if report.stopped or report.reason:
        told = report.reason or f"it was stopped by its limit of {report.stopped}"
        LOG.warning("the round was cleared by %s: %s", report.engine, told)
    for award, problem in held.refused:
        LOG.error("no contract is made for bid %s: %s", award.bid.uuid, problem)
    return write_deals(held.deals, opened, store=store, now=now)


def write_deals(deals: Sequence[Deal], opened: OpenBook, *, store: Store, now: datetime) -> tuple[int, int]:
    """Make contracts of deals; return how many were made and how many lost to concurrent changes.

    Many are written in a transaction, in a number of statements that does not
    grow with theirs.
    """
    contracts = [form_contract(deal, ceil_second(now)) for deal in deals]
    writer = _ContractWriter(store, opened.bids, dict(opened.generations), now)
    for first in range(0, len(contracts), _BATCH):
        writer.write(contracts[first : first + _BATCH])
    return writer.written, writer.lost


@dataclass(frozen=True, slots=True)
class OpenBook:
    """The open bids, the book of a round, and the generations of the nodes in it."""

    bids: Mapping[str, Bid]
    book: Book
    generations: Mapping[str, int]


class _ContractWriter:
    """Writes the contracts of a round: many in a transaction, fewer where others interfere."""

    def __init__(self, store: Store, bids: Mapping[str, Bid], generations: dict[str, int], now: datetime) -> None:
        self._store, self._bids, self._generations, self._now = store, bids, generations, now
        self.written = self.lost = 0

    def write(self, contracts: Sequence[Contract]) -> None:
        """Write contracts; those a concurrent change has made impossible are left to the next round."""
        try:
            self._store.write(partial(self._add, contracts), attempts=1)
        except (Busy, AllocationsOverlap) as error:
            if len(contracts) == 1:
                LOG.info("bid %s is left to the next round: %s", contracts[0].bid_uuid, error.detail)
                self.lost += 1
                return
            middle = len(contracts) // 2
            self.write(contracts[:middle])
            self.write(contracts[middle:])
            return
        self.written += len(contracts)
        for node_uuid in _nodes(contracts):
            self._generations[node_uuid] += 1

    def _add(self, contracts: Sequence[Contract], uow: UnitOfWork) -> None:
        uow.bids.match([self._bids[contract.bid_uuid] for contract in contracts], floor_second(self._now))
        uow.nodes.bump({node_uuid: self._generations[node_uuid] for node_uuid in _nodes(contracts)})
        uow.contracts.add(contracts)
        for contract in contracts:
            uow.record(_told("bid.matched", self._bids[contract.bid_uuid], self._now))
            uow.record(*lifecycle.formed(contract).events)


def open_book(
    uow: UnitOfWork, settings: MarketSettings, now: datetime, classes: HardwareClasses | None = None
) -> OpenBook:
    """Read the book of a round."""
    bids = {bid.uuid: bid for bid in uow.bids.with_status(BidStatus.OPEN)}
    asked = [book_bid for book_bid in map(readable, bids.values()) if book_bid is not None]
    for_sale = ForSale((), {})
    if asked:
        for_sale = saleable(uow, LiveExpressions.of(asked), now, settings.liveness_timeout, classes)
    book = Book(bids=asked, offers=for_sale.offers, shortest=settings.limits.shortest_contract)
    return OpenBook(bids, book, for_sale.generations)


def _nodes(contracts: Sequence[Contract]) -> set[str]:
    return {allocation.node_uuid for contract in contracts for allocation in contract.allocations}


def _told(event_type: str, bid: Bid, now: datetime) -> Event:
    return Event(
        event_type=event_type,
        entity_uuid=bid.uuid,
        project_ids=projects(bid.project_id),
        occurred_at=now,
        reason=bid.status_reason if event_type != "bid.matched" else None,
    )
