# SPDX-License-Identifier: Apache-2.0
"""One round of the market: what has passed, what must be replaced, what can be matched."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from flocx_common.domain.clock import ceil_second, floor_second
from flocx_common.domain.errors import AllocationsOverlap, Busy
from flocx_common.domain.events import Event, projects
from flocx_market.domain import lifecycle
from flocx_market.domain.bid import Bid, BidStatus, to_book
from flocx_market.domain.book import Book, BookBid, BookOffer, Span, to_seconds
from flocx_market.domain.clearing import hold_round
from flocx_market.domain.contract import Allocation, Contract
from flocx_market.domain.formation import form_contract
from flocx_market.domain.offer import STANDING, settled_status
from flocx_market.domain.replacement import find_replacement, succeeding
from flocx_market.domain.supply import Supply
from flocx_market.ports.store import Store, UnitOfWork
from flocx_market.services import offers
from flocx_market.services.contracts import save
from flocx_market.services.settings import MarketSettings
from flocx_market.services.supply import saleable
from flocx_market.services.supply import to_book as offer_to_book

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


def run_round(*, store: Store, settings: MarketSettings, now: datetime) -> RoundReport:
    """Run one round and tell what it did.

    It may be stopped at any instant and run again: each step is a transaction
    of its own that checks again what it acts on.
    """
    report = RoundReport()
    report.expired = expire(store=store, settings=settings, now=now)
    report.swept = sweep_contracts(store=store, settings=settings, now=now)
    report.replaced = replace_failed(store=store, settings=settings, now=now)
    report.matched, report.lost = clear_market(store=store, settings=settings, now=now)
    return report


def expire(*, store: Store, settings: MarketSettings, now: datetime) -> int:
    """Close the bids and offers that time has passed by; return how many."""
    second = floor_second(now)

    def due(uow: UnitOfWork) -> tuple[list[str], list[str]]:
        bids = [bid.uuid for bid in uow.bids.with_status(BidStatus.OPEN) if _hopeless(bid, settings, now)]
        ends = [o.uuid for o in uow.offers.with_status(STANDING) if o.window.end is not None and o.window.end <= now]
        return bids, ends

    def expire_bid(uuid: str, uow: UnitOfWork) -> None:
        bid = uow.bids.get(uuid)
        if bid is None or bid.status is not BidStatus.OPEN or not _hopeless(bid, settings, now):
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

    due = store.read(lambda uow: [c.uuid for c in uow.contracts.binding() if after(c).contract != c])
    for uuid in due:
        store.write(partial(work, uuid))
    return len(due)


def replace_failed(*, store: Store, settings: MarketSettings, now: datetime) -> int:
    """Put other nodes in the place of failed ones; return how many. What cannot be replaced in time is given up."""
    snapshot = store.read(lambda uow: _Seeking.read(uow, settings, now))
    if snapshot is None:
        return 0
    replaced = 0
    for contract in snapshot.contracts:
        for uuid in lifecycle.sought(contract):
            try:
                found = store.write(partial(snapshot.replace, contract.uuid, uuid, settings, now), attempts=1)
            except (Busy, AllocationsOverlap) as error:
                LOG.info("allocation %s is left to the next round: %s", uuid, error.detail)
                continue
            if found is not None:
                snapshot.note(*found)
                replaced += 1
    return replaced


def clear_market(*, store: Store, settings: MarketSettings, now: datetime) -> tuple[int, int]:
    """Match the open bids; return how many contracts were made and how many lost to concurrent changes."""
    second = ceil_second(now)
    bids, book, generations = store.read(lambda uow: _open_book(uow, settings, now))
    held = hold_round(book, to_seconds(second), settings.rules)
    report = held.cleared.report
    if report.stopped or report.reason:
        told = report.reason or f"it was stopped by its limit of {report.stopped}"
        LOG.warning("the round was cleared by %s: %s", report.engine, told)
    for award, problem in held.refused:
        LOG.error("no contract is made for bid %s: %s", award.bid.uuid, problem)
    contracts = [form_contract(deal, second) for deal in held.deals]
    writer = _ContractWriter(store, bids, dict(generations), now)
    for first in range(0, len(contracts), _BATCH):
        writer.write(contracts[first : first + _BATCH])
    return writer.written, writer.lost


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


def _open_book(
    uow: UnitOfWork, settings: MarketSettings, now: datetime
) -> tuple[Mapping[str, Bid], Book, Mapping[str, int]]:
    """Return the open bids, the book of a round, and the generations of the nodes in it."""
    bids = {bid.uuid: bid for bid in uow.bids.with_status(BidStatus.OPEN)}
    offers = saleable(uow, now, settings.liveness_timeout) if bids else []
    asked = [book_bid for book_bid in map(_checked_book, bids.values()) if book_bid is not None]
    book = Book(bids=asked, offers=offers, shortest=settings.limits.shortest_contract)
    return bids, book, uow.nodes.generations() if offers else {}


def _checked_book(bid: Bid) -> BookBid | None:
    """Return a bid as clearing sees it; one that cannot be read stops nobody else's."""
    try:
        return to_book(bid)
    except Exception:
        LOG.exception("bid %s cannot be read and is left out", bid.uuid)
        return None


@dataclass(frozen=True, slots=True)
class _Seeking:
    """What the search for replacements looks at, read in one snapshot."""

    contracts: Sequence[Contract]
    bids: Mapping[str, Bid]
    offers: dict[str, BookOffer]
    supply: Supply
    generations: dict[str, int]

    @classmethod
    def read(cls, uow: UnitOfWork, settings: MarketSettings, now: datetime) -> _Seeking | None:
        """Return it, or None when no replacement is sought."""
        seeking = sorted(
            (c for c in uow.contracts.binding() if lifecycle.sought(c)), key=lambda c: (c.created_at, c.uuid)
        )
        if not seeking:
            return None
        uuids = {a.offer_uuid for contract in seeking for a in contract.allocations}
        return cls(
            contracts=seeking,
            bids=uow.bids.by_uuid({contract.bid_uuid for contract in seeking}),
            # For the hardware of the nodes that stay; nothing is sold from these.
            offers={uuid: offer_to_book(o, (), timedelta(0)) for uuid, o in uow.offers.by_uuid(uuids).items()},
            supply=Supply(saleable(uow, now, settings.liveness_timeout)),
            generations=dict(uow.nodes.generations()),
        )

    def replace(
        self, contract_uuid: str, uuid: str, settings: MarketSettings, now: datetime, uow: UnitOfWork
    ) -> tuple[BookOffer, Span] | None:
        """Put another node in the place of a failed one, or give up when the time for it is over.

        Return the offer and the window that were taken, if any.
        """
        contract = uow.contracts.get(contract_uuid)
        if contract is None or uuid not in lifecycle.sought(contract):
            return None
        failed = contract.allocation(uuid)
        kept = [self.offers[a.offer_uuid] for a in contract.allocations if a.live and a.offer_uuid in self.offers]
        found = find_replacement(self.supply, to_book(self.bids[contract.bid_uuid]), contract, failed, kept, now)
        if found is None:
            if now >= max(contract.start_time, _since(failed) + settings.timeouts.replacement):
                save(uow, contract, lifecycle.give_up_replacing(contract, [uuid], now), now)
            return None
        offer, window = found
        successor = succeeding(contract, failed, offer, window, floor_second(now))
        uow.nodes.bump({offer.node_uuid: self.generations[offer.node_uuid]})
        save(uow, contract, lifecycle.replace_allocation(contract, uuid, successor, now), now)
        return found

    def note(self, offer: BookOffer, window: Span) -> None:
        """Remember what a committed replacement took."""
        self.offers[offer.uuid] = offer
        self.supply.take(offer, window)
        self.generations[offer.node_uuid] += 1


def _since(failed: Allocation) -> datetime:
    assert failed.replacement_sought_since is not None
    return failed.replacement_sought_since


def _hopeless(bid: Bid, settings: MarketSettings, now: datetime) -> bool:
    return not to_book(bid).servable(to_seconds(now), settings.limits.shortest_contract)


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
