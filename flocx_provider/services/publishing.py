# SPDX-License-Identifier: Apache-2.0
"""Telling the market of offers: an outbox that is emptied until the market has them all.

An offer is committed here first, then put to the market under the same uuid
until it is there. A crash in between repeats a harmless call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from flocx_common.domain.clock import floor_second
from flocx_provider.domain.offer import STANDING, Offer, Publication
from flocx_provider.ports.market import ListedOffer, MarketGateway, MarketRefused
from flocx_provider.ports.store import Store, UnitOfWork
from flocx_provider.services.offers import event

LOG = logging.getLogger(__name__)

_BATCH = 100
_WAITING = frozenset({Publication.PENDING, Publication.WITHDRAWING})


def publish_offers(*, market: MarketGateway, store: Store, now: datetime) -> int:
    """Tell the market of offers it is to know of; return how many it was told of.

    A provider that the market does not know yet waits until it does.

    :raises MarketUnavailable: the market does not answer; the rest waits.
    """
    if store.read(lambda uow: uow.registration.get()).provider_uuid is None:
        return 0
    told: set[tuple[str, int]] = set()
    while True:
        found = store.read(lambda uow: uow.offers.to_publish(_WAITING, _BATCH))
        # What changed while the market was told of it waits for the next round.
        waiting = [offer for offer in found if (offer.uuid, offer.generation) not in told]
        for offer in waiting:
            _tell(offer, market, store, now)
            told.add((offer.uuid, offer.generation))
        if len(found) < _BATCH or not waiting:
            return len(told)


def resync_offers(*, market: MarketGateway, store: Store, now: datetime) -> int:
    """Compare what the market has with what it should have; return how many offers differ.

    The safety net of the outbox: it finds what a restored database has lost, on
    either side.

    :raises MarketUnavailable: the market does not answer.
    """
    if store.read(lambda uow: uow.registration.get()).provider_uuid is None:
        return 0
    listed = {offer.uuid: offer for offer in market.offers()}
    ours = {offer.uuid: offer for offer in store.read(lambda uow: uow.offers.with_status(STANDING))}
    differing = 0
    for offer in ours.values():
        if offer.publication is Publication.PUBLISHED and not _same(offer, listed.get(offer.uuid)):
            _set(store, offer, lambda current: current.told("change", now), "offer.republished", now)
            differing += 1
    for uuid in listed.keys() - ours.keys():
        LOG.warning("the market has offer %s, which does not stand here; withdrawing it", uuid)
        market.withdraw_offer(uuid)
        differing += 1
    return differing


def _tell(offer: Offer, market: MarketGateway, store: Store, now: datetime) -> None:
    second = floor_second(now)
    if offer.publication is Publication.WITHDRAWING:
        market.withdraw_offer(offer.uuid)
        _set(store, offer, lambda current: current.told("finish", second), None, now)
        return
    if offer.status not in STANDING:
        reason = f"it was {offer.status} before the market was told"
        _set(store, offer, lambda current: current.told("refuse", second, reason), "offer.refused", now, reason)
        return
    try:
        market.put_offer(offer)
    except MarketRefused as error:
        reason = error.detail
        LOG.warning("the market refuses offer %s: %s", offer.uuid, reason)
        _set(store, offer, lambda current: current.told("refuse", second, reason), "offer.refused", now, reason)
        return
    _set(store, offer, lambda current: current.told("publish", second), "offer.published", now)


def _set(
    store: Store,
    told: Offer,
    change: Callable[[Offer], Offer],
    event_type: str | None,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Write down what became of an offer, unless it has changed since the market was told of it."""

    def work(uow: UnitOfWork) -> None:
        current = uow.offers.get(told.uuid)
        if current is None or current.generation != told.generation:
            return
        changed = change(current)
        uow.offers.update(changed)
        if event_type is not None:
            uow.record(event(event_type, changed, now, reason))

    store.write(work)


def _same(offer: Offer, listed: ListedOffer | None) -> bool:
    return (
        listed is not None
        and listed.status == str(offer.status)
        and listed.reserve_price == offer.reserve_price
        and listed.end_time == offer.window.end
    )
