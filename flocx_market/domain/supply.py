# SPDX-License-Identifier: Apache-2.0
"""What can still be sold in a round: offers by hardware, with their free time.

Each distinct (requirement, hardware document) pair is evaluated once, however
many nodes and bids share it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flocx_market.domain.book import BookBid, BookOffer, Hardware, Span
from flocx_market.domain.expressions import Expression
from flocx_market.domain.requirements import Requirement
from flocx_market.domain.shares import SharedValues


@dataclass(frozen=True, slots=True)
class Opening:
    """A free window of an offer, long enough for one bid's contract.

    ``first`` and ``last`` are the earliest and latest start inside it.
    """

    offer: BookOffer
    free: Span
    first: int
    last: int

    @property
    def preference(self) -> tuple[int, int, str]:
        """The order in which nodes are taken: cheapest, tightest free window, uuid."""
        return self.offer.reserve, self.free.length, self.offer.uuid


class Supply:
    """The free time of all offers, while contracts are cut out of it.

    :param offers: any order; the order never matters to what is answered.
    """

    def __init__(self, offers: Iterable[BookOffer]) -> None:
        self._free: dict[str, tuple[Span, ...]] = {}
        self._of_node: dict[str, list[BookOffer]] = defaultdict(list)
        self._hardware: dict[str, Hardware] = {}
        self._of_hardware: dict[str, list[BookOffer]] = defaultdict(list)
        for offer in sorted(offers, key=lambda o: (o.reserve, o.uuid)):
            self._free[offer.uuid] = offer.free
            self._of_node[offer.node_uuid].append(offer)
            self._hardware.setdefault(offer.hardware.digest, offer.hardware)
            self._of_hardware[offer.hardware.digest].append(offer)
        self._reserves = {key: [o.reserve for o in group] for key, group in self._of_hardware.items()}
        self._holds: dict[tuple[str, str], bool] = {}
        self._values = SharedValues()

    def meets(self, requirement: Requirement, hardware: Hardware) -> bool:
        """Tell whether a requirement holds on a hardware document."""
        key = (requirement.key, hardware.digest)
        known = self._holds.get(key)
        if known is None:
            known = self._holds[key] = requirement.holds(hardware.document)
        return known

    def shared_value(self, expression: Expression, offer: BookOffer) -> str:
        """Return what ``spread`` or ``together`` compares; see :class:`SharedValues`."""
        return self._values.value(expression, offer)

    def candidates(self, bid: BookBid) -> Iterator[BookOffer]:
        """Yield the offers a bid may be served by as far as time is left aside.

        Lessee, named offers, requirements and price are looked at; order is by
        hardware, then cheapest first.
        """
        for digest, group in self._of_hardware.items():
            affordable = bisect_right(self._reserves[digest], bid.limit)
            if not affordable:
                continue
            hardware = self._hardware[digest]
            if not all(self.meets(requirement, hardware) for requirement in bid.requirements):
                continue
            for offer in group[:affordable]:
                if admits(offer, bid) and named(offer, bid):
                    yield offer

    def openings(self, offers: Iterable[BookOffer], bid: BookBid, now: int) -> list[Opening]:
        """Return the free windows of ``offers`` in which the bid's contract has room."""
        length, earliest, latest = bid.length(now), bid.starting(now), bid.latest_start(now)
        found = []
        for offer in offers:
            if offer.min_duration > length:
                continue
            for free in self._free[offer.uuid]:
                first, last = max(free.begin, earliest), min(free.end - length, latest)
                if first <= last:
                    found.append(Opening(offer, free, first, last))
        return found

    def take(self, offer: BookOffer, contract: Span) -> None:
        """Cut a contract, with the node's turnaround around it, out of all the node's offers."""
        blocked = Span(contract.begin - offer.turnaround, contract.end + offer.turnaround)
        for sibling in self._of_node[offer.node_uuid]:
            self._free[sibling.uuid] = tuple(
                piece for free in self._free[sibling.uuid] for piece in without(free, blocked)
            )


def admits(offer: BookOffer, bid: BookBid) -> bool:
    """Tell whether the offer's owner sells to the bid's project: allowed, and not the owner itself."""
    if offer.owner_project_id == bid.project_id:
        return False
    return offer.lessees is None or bid.project_id in offer.lessees


def named(offer: BookOffer, bid: BookBid) -> bool:
    """Tell whether the bid accepts this particular offer."""
    return bid.offer_uuids is None or offer.uuid in bid.offer_uuids


def share_keys(supply: Supply, bid: BookBid, offer: BookOffer) -> tuple[str, str]:
    """Return the values of ``together`` and ``spread`` for an offer, empty where the bid has no such rule."""
    group = supply.shared_value(bid.together, offer) if bid.together else ""
    return group, supply.shared_value(bid.spread.by, offer) if bid.spread else ""


def left_free(window: Span, taken: Iterable[Span], margin: int, since: int) -> tuple[Span, ...]:
    """Return what is left free of a window from ``since`` on, in order of time.

    :param taken: stretches that are taken, in any order; they may overlap and reach beyond the window.
    :param margin: seconds kept free before and after each (the turnaround of a
        node), and not at the ends of the window.
    """
    if window.end <= since:
        return ()
    left: tuple[Span, ...] = (window if window.begin >= since else Span(since, window.end),)
    for stretch in sorted(taken, key=lambda one: one.begin):
        blocked = Span(stretch.begin - margin, stretch.end + margin)
        left = tuple(piece for free in left for piece in without(free, blocked))
    return left


def without(free: Span, blocked: Span) -> Sequence[Span]:
    """Return what is left of a free window when a stretch is blocked: it, nothing, or one or two pieces."""
    if blocked.end <= free.begin or free.end <= blocked.begin:
        return (free,)
    left = []
    if free.begin < blocked.begin:
        left.append(Span(free.begin, blocked.begin))
    if blocked.end < free.end:
        left.append(Span(blocked.end, free.end))
    return left
