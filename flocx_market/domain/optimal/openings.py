# SPDX-License-Identifier: Apache-2.0
"""Nodes that no bid of a round can tell apart, as groups with the ways in which they can be sold.

A *kind* is what every bid sees alike: which bids may use it, from which to
which start, at what reserve, with which shared values. A *group* is the nodes
whose free windows are of the same kinds and which need the same turnaround:
how many of them are in use at an instant is all that matters, since intervals
can be coloured with as many colours as overlap at most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flocx_market.domain.book import BookBid, BookOffer, Span
from flocx_market.domain.shares import SharedValues
from flocx_market.domain.supply import admits

Column = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Bids x offers that differ, at most; each pair that fits is a dozen numbers later on.
MOST_PAIRS = 10_000_000


class TooLarge(Exception):
    """A book that needs more memory than the engine allows itself; the text says what of it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What bids see alike. ``first`` and ``last`` are the starts it allows each bid in ``bids``."""

    reserve: int
    bids: Column
    first: Column
    last: Column
    sample: BookOffer


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that no bid can tell apart.

    ``nodes`` are in the order in which they are given out; each maps a kind to
    the offer that sells it.
    """

    turnaround: int
    nodes: tuple[Mapping[int, BookOffer], ...]
    kinds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Openings:
    """All groups of a book and the kinds of their free windows."""

    groups: Sequence[Group]
    kinds: Sequence[Kind]
    evaluations: int


def group_nodes(
    bids: Sequence[BookBid], offers: Sequence[BookOffer], now: int, most_pairs: int = MOST_PAIRS
) -> Openings:
    """Group the nodes of ``offers`` by what ``bids`` (all of them servable) can tell apart.

    Both are in order of uuid.

    :raises TooLarge: there are more than ``most_pairs`` pairs of a bid and of offers that differ.
    """
    sight = _Sight(bids, now)
    kinds: list[Kind] = []
    number_of: dict[tuple[object, ...], int] = {}
    kind_of_lot: dict[tuple[object, ...], int | None] = {}
    of_node: dict[str, list[tuple[Span, BookOffer, int]]] = defaultdict(list)
    for offer in offers:
        for free in offer.free:
            lot = sight.lot(offer, free)
            if lot is None:
                continue
            if lot not in kind_of_lot:
                if (len(kind_of_lot) + 1) * len(bids) > most_pairs:
                    raise TooLarge(f"it has more than {most_pairs} pairs of a bid and of offers that differ")
                kind_of_lot[lot] = _number(sight, offer, free, kinds, number_of)
            kind = kind_of_lot[lot]
            if kind is not None:
                of_node[offer.node_uuid].append((free, offer, kind))
    groups: dict[tuple[int, tuple[int, ...]], list[Mapping[int, BookOffer]]] = defaultdict(list)
    for sold in of_node.values():
        turnaround = max(offer.turnaround for _, offer, _ in sold)
        for part in _apart(sold, turnaround):
            groups[turnaround, tuple(sorted(part))].append(part)
    return Openings(
        [Group(turnaround, tuple(nodes), kinds_) for (turnaround, kinds_), nodes in groups.items()],
        kinds,
        sight.evaluations,
    )


def _apart(sold: list[tuple[Span, BookOffer, int]], turnaround: int) -> Iterator[Mapping[int, BookOffer]]:
    """Yield the free windows of a node in parts that never get into each other's way."""
    part: dict[int, BookOffer] = {}
    end: int | None = None
    for free, offer, kind in sorted(sold, key=lambda entry: entry[0].begin):
        if end is not None and free.begin - end >= turnaround:
            yield part
            part = {}
        part[kind] = offer
        end = free.end
    yield part


def _number(
    sight: _Sight, offer: BookOffer, free: Span, kinds: list[Kind], number_of: dict[tuple[object, ...], int]
) -> int | None:
    kind = sight.kind(offer, free)
    if not len(kind.bids):
        return None
    seen = (
        kind.reserve,
        kind.bids.tobytes(),
        kind.first.tobytes(),
        kind.last.tobytes(),
        sight.shared(kind.bids, offer),
    )
    number = number_of.setdefault(seen, len(kinds))
    if number == len(kinds):
        kinds.append(kind)
    return number


class _Sight:
    """What the bids of a round see of an offer."""

    def __init__(self, bids: Sequence[BookBid], now: int) -> None:
        self._bids = bids
        self._limit = np.array([bid.limit for bid in bids], np.int64)
        self._length = np.array([bid.length(now) for bid in bids], np.int64)
        self._earliest = np.array([bid.starting(now) for bid in bids], np.int64)
        self._latest = np.array([bid.latest_start(now) for bid in bids], np.int64)
        self._begin = int(self._earliest.min())
        self._end = int((self._latest + self._length).max())
        self._named = frozenset(uuid for bid in bids for uuid in bid.offer_uuids or ())
        self._naming = np.array([bid.offer_uuids is not None for bid in bids], np.bool_)
        self._meets: dict[str, Flags] = {}
        self._admits: dict[tuple[object, ...], Flags] = {}
        self._values = SharedValues()
        self._expressions = {
            expression.text: expression
            for bid in bids
            for expression in (bid.together, bid.spread.by if bid.spread else None)
            if expression is not None
        }
        self.evaluations = 0

    def lot(self, offer: BookOffer, free: Span) -> tuple[object, ...] | None:
        """Return what decides how bids see a free window of an offer, or None where it is of no use."""
        begin, end = max(free.begin, self._begin), min(free.end, self._end)
        if begin >= end:
            return None
        return (
            offer.hardware.digest,
            offer.owner_project_id,
            offer.lessees,
            offer.provider_uuid,
            offer.resource_class,
            offer.min_duration,
            offer.reserve,
            begin,
            end,
            offer.uuid if offer.uuid in self._named else None,
        )

    def kind(self, offer: BookOffer, free: Span) -> Kind:
        first = np.maximum(free.begin, self._earliest)
        last = np.minimum(free.end - self._length, self._latest)
        fit = (first <= last) & (offer.reserve <= self._limit) & (offer.min_duration <= self._length)
        fit &= self._meeting(offer) & self._admitting(offer)
        for index in np.flatnonzero(fit & self._naming).tolist():
            fit[index] = offer.uuid in (self._bids[index].offer_uuids or ())
        bids = np.flatnonzero(fit)
        return Kind(offer.reserve, bids, first[bids], last[bids], offer)

    def shared(self, bids: Column, offer: BookOffer) -> tuple[str, ...]:
        """Return the values of all rules about shared values, for an offer."""
        return tuple(self._values.value(expression, offer) for expression in self._expressions.values())

    def _meeting(self, offer: BookOffer) -> Flags:
        known = self._meets.get(offer.hardware.digest)
        if known is None:
            holds: dict[str, bool] = {}
            for bid in self._bids:
                for requirement in bid.requirements:
                    if requirement.key not in holds:
                        holds[requirement.key] = requirement.holds(offer.hardware.document)
            self.evaluations += len(holds)
            known = np.array([all(holds[r.key] for r in bid.requirements) for bid in self._bids], np.bool_)
            self._meets[offer.hardware.digest] = known
        return known

    def _admitting(self, offer: BookOffer) -> Flags:
        key = (offer.owner_project_id, offer.lessees)
        known = self._admits.get(key)
        if known is None:
            known = self._admits[key] = np.array([admits(offer, bid) for bid in self._bids], np.bool_)
        return known
