# SPDX-License-Identifier: Apache-2.0
"""Reading what is for sale: offers with what is left free of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flocx_common.domain.clock import ceil_second
from flocx_common.domain.money import to_micros
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.book import FOREVER, BookOffer, Hardware, Span, to_instant, to_seconds, to_span
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.offer import STANDING, Offer
from flocx_market.domain.provider import Provider
from flocx_market.domain.supply import left_free
from flocx_market.ports.store import SaleLine, UnitOfWork

# Beyond this many nodes all windows are read at once.
_FEW = 500


@dataclass(frozen=True, slots=True)
class ForSale:
    """What a round may sell from, and the generations its nodes had when it was read."""

    offers: Sequence[BookOffer]
    generations: Mapping[str, int]


def free_of(uow: UnitOfWork, offers: Collection[Offer], now: datetime) -> Mapping[str, tuple[TimeWindow, ...]]:
    """Return, by offer uuid, the free windows from ``now`` on; none for an offer that is over."""
    turnarounds = _turnarounds(uow.providers.all())
    nodes = {offer.node_uuid for offer in offers}
    taken = uow.contracts.taken(_before(now, turnarounds), nodes if len(nodes) <= _FEW else None)
    since = to_seconds(ceil_second(now))
    return {
        offer.uuid: tuple(
            _window(span)
            for span in left_free(
                to_span(offer.window), taken.get(offer.node_uuid, ()), turnarounds.get(offer.provider_uuid, 0), since
            )
        )
        if offer.status in STANDING
        else ()
        for offer in offers
    }


def saleable(
    uow: UnitOfWork,
    live: LiveExpressions,
    now: datetime,
    liveness_timeout: timedelta,
    classes: HardwareClasses | None = None,
) -> ForSale:
    """Return the offers a round may sell from: available, their providers alive, with something left free.

    :param live: the expressions of the bids that are to be looked at; the
        hardware of the offers answers these and no others.
    :param classes: what an earlier round has learnt of documents, so that only
        new ones are read. It changes nothing but the time that takes.
    """
    lines, free, turnarounds = _free_lines(uow, now, liveness_timeout)
    hardware = _hardware(uow, {line.properties_digest for line in lines}, live, classes or HardwareClasses())
    offers = [
        BookOffer(
            uuid=line.uuid,
            node_uuid=line.node_uuid,
            node_name=line.node_name,
            provider_uuid=line.provider_uuid,
            owner_project_id=line.owner_project_id,
            resource_class=line.resource_class,
            hardware=hardware[line.properties_digest],
            reserve=line.reserve,
            min_duration=line.min_duration,
            lessees=line.lessees,
            window=line.window,
            free=spans,
            turnaround=turnarounds[line.provider_uuid],
        )
        for line, spans in zip(lines, free, strict=True)
    ]
    return ForSale(offers, {line.node_uuid: line.generation for line in lines})


def to_book(offer: Offer) -> BookOffer:
    """Return an offer as clearing sees it, with its whole document and nothing free to sell."""
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
        free=(),
        turnaround=0,
    )


def _free_lines(
    uow: UnitOfWork, now: datetime, liveness_timeout: timedelta
) -> tuple[list[SaleLine], list[tuple[Span, ...]], Mapping[str, int]]:
    """Return the offers that have something free, that, and the turnarounds of the providers alive."""
    providers = uow.providers.all()
    turnarounds = _turnarounds(p for p in providers if not p.silent and not p.overdue(now, liveness_timeout))
    taken = uow.contracts.taken(_before(now, _turnarounds(providers)))
    since = to_seconds(ceil_second(now))
    lines: list[SaleLine] = []
    free: list[tuple[Span, ...]] = []
    for line in uow.offers.available():
        margin = turnarounds.get(line.provider_uuid)
        spans = () if margin is None else left_free(line.window, taken.get(line.node_uuid, ()), margin, since)
        if spans:
            lines.append(line)
            free.append(spans)
    return lines, free, turnarounds


def _hardware(
    uow: UnitOfWork, digests: Collection[str], live: LiveExpressions, classes: HardwareClasses
) -> Mapping[str, Hardware]:
    unknown = classes.unknown(live, digests)
    if unknown:
        for digest, document in uow.offers.documents(unknown):
            classes.add(digest, document)
    return classes.hardware(live)


def _turnarounds(providers: Iterable[Provider]) -> Mapping[str, int]:
    return {provider.uuid: provider.turnaround for provider in providers}


def _before(now: datetime, turnarounds: Mapping[str, int]) -> datetime:
    """Return since when what was taken may still be in the way."""
    return now - timedelta(seconds=max(turnarounds.values(), default=0))


def _window(span: Span) -> TimeWindow:
    return TimeWindow(to_instant(span.begin), None if span.end >= FOREVER else to_instant(span.end))
