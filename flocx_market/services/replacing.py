# SPDX-License-Identifier: Apache-2.0
"""Putting other nodes in the place of those that failed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flocx_common.domain.clock import floor_second
from flocx_common.domain.errors import AllocationsOverlap, Busy
from flocx_market.domain import lifecycle
from flocx_market.domain.book import BookBid, BookOffer, Span
from flocx_market.domain.contract import Allocation, Contract
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.replacement import find_replacement, succeeding
from flocx_market.domain.supply import Supply
from flocx_market.ports.store import Store, UnitOfWork
from flocx_market.services.bids import readable
from flocx_market.services.contracts import save
from flocx_market.services.settings import MarketSettings
from flocx_market.services.supply import saleable, to_book

LOG = logging.getLogger(__name__)


def replace_failed(
    *, store: Store, settings: MarketSettings, now: datetime, classes: HardwareClasses | None = None
) -> int:
    """Put other nodes in the place of failed ones; return how many. What cannot be replaced in time is given up."""
    snapshot = store.read(lambda uow: _Seeking.read(uow, settings, now, classes))
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


@dataclass(frozen=True, slots=True)
class _Seeking:
    """What the search for replacements looks at, read in one snapshot."""

    contracts: Sequence[Contract]
    # None for one that cannot be read: no node is found for it.
    bids: Mapping[str, BookBid | None]
    offers: dict[str, BookOffer]
    supply: Supply
    generations: dict[str, int]

    @classmethod
    def read(
        cls, uow: UnitOfWork, settings: MarketSettings, now: datetime, classes: HardwareClasses | None
    ) -> _Seeking | None:
        """Return it, or None when no replacement is sought."""
        seeking = sorted(
            (c for c in uow.contracts.seeking() if lifecycle.sought(c)), key=lambda c: (c.created_at, c.uuid)
        )
        if not seeking:
            return None
        uuids = {a.offer_uuid for contract in seeking for a in contract.allocations}
        stored = uow.bids.by_uuid({contract.bid_uuid for contract in seeking})
        bids = {uuid: readable(bid) for uuid, bid in stored.items()}
        live = LiveExpressions.of(bid for bid in bids.values() if bid is not None)
        for_sale = saleable(uow, live, now, settings.liveness_timeout, classes)
        return cls(
            contracts=seeking,
            bids=bids,
            # For the hardware of the nodes that stay; nothing is sold from these.
            offers={uuid: to_book(offer) for uuid, offer in uow.offers.by_uuid(uuids).items()},
            supply=Supply(for_sale.offers),
            generations=dict(for_sale.generations),
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
        bid = self.bids[contract.bid_uuid]
        found = None if bid is None else find_replacement(self.supply, bid, contract, failed, kept, now)
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
