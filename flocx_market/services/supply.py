# SPDX-License-Identifier: Apache-2.0
"""Reading what is for sale: offers with what is left free of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from flocx_common.domain.clock import ceil_second
from flocx_common.domain.money import to_micros
from flocx_common.domain.window import TimeWindow, free_windows
from flocx_market.domain.book import BookOffer, Hardware, to_span
from flocx_market.domain.offer import STANDING, Offer, OfferStatus
from flocx_market.domain.provider import Provider
from flocx_market.ports.store import UnitOfWork

# Beyond this many nodes all windows are read at once.
_FEW = 500


def free_of(uow: UnitOfWork, offers: Collection[Offer], now: datetime) -> Mapping[str, tuple[TimeWindow, ...]]:
    """Return, by offer uuid, the free windows from ``now`` on; none for an offer that is over."""
    turnarounds = _turnarounds(uow.providers.all())
    nodes = {offer.node_uuid for offer in offers}
    since = now - max(turnarounds.values(), default=timedelta(0))
    taken = uow.contracts.taken(since, nodes if len(nodes) <= _FEW else None)
    return {offer.uuid: _free(offer, taken, turnarounds, now) for offer in offers}


def saleable(uow: UnitOfWork, now: datetime, liveness_timeout: timedelta) -> Sequence[BookOffer]:
    """Return the offers a round may sell from: available, their providers alive, with something left free."""
    providers = uow.providers.all()
    alive = {p.uuid for p in providers if not p.silent and not p.overdue(now, liveness_timeout)}
    turnarounds = _turnarounds(providers)
    taken = uow.contracts.taken(now - max(turnarounds.values(), default=timedelta(0)))
    found = []
    for offer in uow.offers.with_status({OfferStatus.AVAILABLE}):
        free = _free(offer, taken, turnarounds, now) if offer.provider_uuid in alive else ()
        if free:
            found.append(to_book(offer, free, turnarounds.get(offer.provider_uuid, timedelta(0))))
    return found


def to_book(offer: Offer, free: Iterable[TimeWindow], turnaround: timedelta) -> BookOffer:
    """Return an offer as clearing sees it."""
    return BookOffer(
        uuid=offer.uuid,
        node_uuid=offer.node_uuid,
        node_name=offer.node_name,
        provider_uuid=offer.provider_uuid,
        owner_project_id=offer.owner_project_id,
        resource_class=offer.resource_class,
        hardware=Hardware(offer.properties_digest, offer.properties),
        reserve=to_micros(offer.reserve_price),
        min_duration=offer.min_duration,
        lessees=None if offer.lessee_project_ids is None else frozenset(offer.lessee_project_ids),
        window=to_span(offer.window),
        free=tuple(to_span(window) for window in free),
        turnaround=int(turnaround.total_seconds()),
    )


def _turnarounds(providers: Iterable[Provider]) -> Mapping[str, timedelta]:
    return {provider.uuid: timedelta(seconds=provider.turnaround) for provider in providers}


def _free(
    offer: Offer,
    taken: Mapping[str, Sequence[TimeWindow]],
    turnarounds: Mapping[str, timedelta],
    now: datetime,
) -> tuple[TimeWindow, ...]:
    if offer.status not in STANDING:
        return ()
    margin = turnarounds.get(offer.provider_uuid, timedelta(0))
    return free_windows(offer.window, taken.get(offer.node_uuid, ()), margin=margin, not_before=ceil_second(now))
