# SPDX-License-Identifier: Apache-2.0
"""One round of the market: what has passed, what must be replaced, what can be matched."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from flocx_common.domain.clock import floor_second
from flocx_market.domain import lifecycle
from flocx_market.domain.bid import BidStatus
from flocx_market.domain.book import has_room, to_seconds
from flocx_market.domain.contract import Contract
from flocx_market.domain.offer import STANDING, settled_status
from flocx_market.ports.store import Store, UnitOfWork
from flocx_market.services import offers
from flocx_market.services.contracts import save
from flocx_market.services.deals import DealWriter
from flocx_market.services.replacing import replace_failed
from flocx_market.services.settings import MarketSettings
from flocx_market.services.standing import StandingMarket

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round did.

    ``lost`` contracts were made impossible by concurrent changes; the next round sees to them.

    ``missed`` bids would have been decided otherwise, had an audit not found it;
    ``left`` bids are still open.
    """

    expired: int = 0
    swept: int = 0
    replaced: int = 0
    matched: int = 0
    lost: int = 0
    missed: int = 0
    left: int = 0

    @property
    def changed(self) -> bool:
        """Whether the round changed anything."""
        return bool(self.expired or self.swept or self.replaced or self.matched)


def run_round(
    *, store: Store, settings: MarketSettings, now: datetime, standing: StandingMarket | None = None
) -> RoundReport:
    """Run one round and tell what it did.

    It may be stopped at any instant and run again: each step is a transaction
    of its own that checks again what it acts on.

    :param standing: the market as earlier rounds know it; one round at a time
        may use it. Without it everything is read, and the contracts are the same.
    """
    standing = standing or StandingMarket(settings)
    expired = expire(store=store, settings=settings, now=now)
    swept = sweep_contracts(store=store, settings=settings, now=now)
    replaced = replace_failed(store=store, settings=settings, now=now, classes=standing.replacing)
    report = clear_market(store=store, settings=settings, now=now, standing=standing)
    return replace(report, expired=expired, swept=swept, replaced=replaced)


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
        if bid is None or bid.status is not BidStatus.OPEN or bid.servable(now, shortest):
            return
        expired = bid.after("expire", second, "it can no longer be served inside its window")
        uow.bids.update(expired)
        uow.record(expired.told("bid.expired", now))

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
    *, store: Store, settings: MarketSettings, now: datetime, standing: StandingMarket | None = None
) -> RoundReport:
    """Match the open bids, the last part of a round, and tell what became of them.

    :param standing: the market as earlier rounds know it; without it everything is read.
    """
    standing = standing or StandingMarket(settings)
    held = standing.hold(store, now)
    told = held.round.cleared.report
    if told.stopped or told.reason:
        reason = told.reason or f"it was stopped by its limit of {told.stopped}"
        LOG.warning("the round was cleared by %s: %s", told.engine, reason)
    for award, problem in held.round.refused:
        LOG.error("no contract is made for bid %s: %s", award.bid.uuid, problem)
    if held.missed:
        LOG.error("an audit found %d bids that the standing book would have decided otherwise", held.missed)
    writer = DealWriter(store=store, bids=standing.bids, generations=standing.generations, wrote=standing.wrote)
    matched, lost = writer.write(held.round.deals, now)
    return RoundReport(matched=matched, lost=lost, missed=held.missed, left=len(standing.bids))
