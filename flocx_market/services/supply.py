# SPDX-License-Identifier: Apache-2.0
"""Reading what is for sale: offers with what is left free of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flocx_common.domain.clock import ceil_second
from flocx_common.domain.money import to_micros
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.book import FOREVER, BookOffer, Hardware, Span, to_instant, to_seconds, to_span
from flocx_market.domain.hardware_classes import HardwareClasses, LiveExpressions
from flocx_market.domain.offer import STANDING, Offer
from flocx_market.domain.supply import left_free
from flocx_market.ports.store import SaleLine, UnitOfWork

# Beyond this many nodes all windows are read at once.
_FEW = 500


@dataclass(frozen=True, slots=True)
class ForSale:
    """What a round may sell from, and the generations its nodes had when it was read.

    The hardware of the offers answers the expressions ``live``.
    """

    offers: Sequence[BookOffer] = ()
    generations: Mapping[str, int] = field(default_factory=dict)
    live: LiveExpressions = field(default_factory=LiveExpressions)


def free_of(uow: UnitOfWork, offers: Collection[Offer], now: datetime) -> Mapping[str, tuple[TimeWindow, ...]]:
    """Return, by offer uuid, the free windows from ``now`` on; none for an offer that is over."""
    of_provider = {provider.uuid: provider.turnaround for provider in uow.providers.all()}
    nodes = {offer.node_uuid for offer in offers}
    taken = uow.contracts.taken(_before(now, of_provider), nodes if len(nodes) <= _FEW else None)
    since = to_seconds(ceil_second(now))
    return {
        offer.uuid: tuple(
            _window(span)
            for span in left_free(
                to_span(offer.window), taken.get(offer.node_uuid, ()), of_provider.get(offer.provider_uuid, 0), since
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
        hardware of the offers answers these at least.
    :param classes: what an earlier round has learnt of documents, so that only
        new ones are read. It changes nothing but the time that takes.
    """
    classes = classes or HardwareClasses()
    lines = _free_lines(uow, now, turnarounds(uow, now, liveness_timeout))
    digests = {line.properties_digest for line, *_ in lines}
    _show(uow, classes.unknown(live, digests), classes)
    live = classes.lasting(live)
    return _for_sale(lines, classes.hardware(live), live)


def saleable_on(
    uow: UnitOfWork,
    node_uuids: Collection[str],
    alive: Mapping[str, int],
    live: LiveExpressions,
    now: datetime,
    classes: HardwareClasses,
) -> ForSale:
    """Return what :func:`saleable` would return now of these nodes.

    :param alive: what :func:`turnarounds` returns now.
    :param live: the expressions that the offers of :func:`saleable` answer.
    :param classes: those it has made, which nobody has asked anything since.
    """
    lines = _free_lines(uow, now, alive, node_uuids)
    digests = {line.properties_digest for line, *_ in lines}
    _show(uow, classes.new(digests), classes)
    return _for_sale(lines, classes.hardware(live, digests), live)


def turnarounds(uow: UnitOfWork, now: datetime, liveness_timeout: timedelta) -> Mapping[str, int]:
    """Return the turnarounds of the providers that are alive: of those that a round may sell for."""
    return {p.uuid: p.turnaround for p in uow.providers.all() if not p.silent and not p.overdue(now, liveness_timeout)}


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


# An offer with what is free of it, and the turnaround of its node.
_Line = tuple[SaleLine, tuple[Span, ...], int]


def _free_lines(
    uow: UnitOfWork, now: datetime, alive: Mapping[str, int], node_uuids: Collection[str] | None = None
) -> list[_Line]:
    """Return the offers that have something free and a provider that is alive."""
    taken = uow.contracts.taken(_before(now, alive), node_uuids)
    since = to_seconds(ceil_second(now))
    lines: list[_Line] = []
    for line in uow.offers.available(node_uuids):
        turnaround = alive.get(line.provider_uuid)
        if turnaround is not None:
            free = left_free(line.window, taken.get(line.node_uuid, ()), turnaround, since)
            if free:
                lines.append((line, free, turnaround))
    return lines


def _for_sale(lines: Iterable[_Line], hardware: Mapping[str, Hardware], live: LiveExpressions) -> ForSale:
    generations: dict[str, int] = {}
    offers = []
    for line, free, turnaround in lines:
        generations[line.node_uuid] = line.generation
        offer = BookOffer(
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
            free=free,
            turnaround=turnaround,
        )
        offers.append(offer)
    return ForSale(offers, generations, live)


def _show(uow: UnitOfWork, digests: Collection[str], classes: HardwareClasses) -> None:
    if digests:
        for digest, document in uow.offers.documents(digests):
            classes.add(digest, document)


def _before(now: datetime, of_provider: Mapping[str, int]) -> datetime:
    """Return since when what was taken may still be in the way, given the turnarounds."""
    return now - timedelta(seconds=max(of_provider.values(), default=0))


def _window(span: Span) -> TimeWindow:
    return TimeWindow(to_instant(span.begin), None if span.end >= FOREVER else to_instant(span.end))
