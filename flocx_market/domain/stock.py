# SPDX-License-Identifier: Apache-2.0
"""What can be sold in a round, counted instead of listed.

Free time that a bid cannot tell apart is one *lot*: same hardware, same terms
of the same seller, same reserve, same free window. A market of a hundred
thousand offers has some thousands of lots. They are columns, so that finding
those that could serve a bid is a few operations on whole columns; the nodes of
a lot are looked at only when they are taken.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flocx_market.domain.book import FOREVER, BookBid, BookOffer, Hardware, Span
from flocx_market.domain.filling import fill
from flocx_market.domain.placement import Placement
from flocx_market.domain.requirements import Requirement
from flocx_market.domain.shares import SharedValues
from flocx_market.domain.supply import without

_Mask = npt.NDArray[np.bool_]
_Column = npt.NDArray[np.int64]

# Starts that are tried at once; bounds what a bid with many starts takes of memory.
_STARTS = 64


# The terms on which a seller sells: owner, lessees, provider, resource class and
# shortest contract. Who differs in none of them is one seller.
_Seller = tuple[str, frozenset[str] | None, str, str | None, int]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The lots that could serve a bid, in the order in which their nodes are taken.

    ``first`` and ``last`` are the earliest and latest start that each leaves;
    ``counts`` how many nodes each has.
    """

    lots: _Column
    reserve: _Column
    length: _Column
    first: _Column
    last: _Column
    counts: _Column


class Stock:
    """The free time of all offers, while contracts are cut out of it.

    :param offers: any order; the order never matters to what is answered.
    """

    def __init__(self, offers: Iterable[BookOffer]) -> None:
        # An offer is its rank by uuid from here on: the last word in ties.
        self._offers = sorted(offers, key=lambda offer: offer.uuid)
        self._hardware: list[Hardware] = []
        self._sellers: list[_Seller] = []
        self._meets: dict[str, _Mask] = {}
        self._admits: dict[str, _Mask] = {}
        self._values = SharedValues()
        self._lots: dict[tuple[int, int, int, int, int], int] = {}
        self._members: list[list[int]] = []
        self._empty: list[int] = []
        self._used = 0
        self._class, self._seller = (np.zeros(0, np.int32) for _ in range(2))
        self._reserve, self._begin, self._end, self._count = (np.zeros(0, np.int64) for _ in range(4))
        self._terms: list[tuple[int, int]] = []
        self._tangled: dict[str, list[int]] = {}
        self._fill()
        self._least = np.array([seller[-1] for seller in self._sellers], np.int64)
        self._any_least = bool(self._least.any())

    def place(self, bid: BookBid, now: int, *, shortest: int = 0) -> Placement | None:
        """Return the best placement of a bid in what is left, or None where there is none.

        The rule is that of :func:`flocx_market.domain.greedy.place`, and so is the answer.
        """
        if not bid.servable(now, shortest):
            return None
        chosen = self._choose(bid, now)
        if chosen is None:
            return None
        if bid.offer_uuids is not None or bid.spread or bid.together:
            return self._place_one_by_one(bid, chosen, now)
        return self._place_by_count(bid, chosen, now)

    def take(self, placement: Placement) -> None:
        """Cut a placement, with the turnaround of its nodes around it, out of all offers of its nodes."""
        for rank in placement.ranks:
            offer = self._offers[rank]
            blocked = Span(placement.begin - offer.turnaround, placement.end + offer.turnaround)
            for sibling in self._tangled.get(offer.node_uuid) or [rank]:
                self._cut(sibling, blocked)

    @property
    def evaluations(self) -> int:
        """How many (requirement, hardware) pairs have been evaluated so far."""
        return len(self._meets) * len(self._hardware)

    def _fill(self) -> None:
        classes: dict[str, int] = {}
        sellers: dict[_Seller, int] = {}
        lots: dict[tuple[int, int, int, int, int], list[int]] = defaultdict(list)
        of_node: dict[str, list[int]] = defaultdict(list)
        for rank, offer in enumerate(self._offers):
            kind = classes.setdefault(offer.hardware.digest, len(classes))
            if kind == len(self._hardware):
                self._hardware.append(offer.hardware)
            terms = (
                offer.owner_project_id,
                offer.lessees,
                offer.provider_uuid,
                offer.resource_class,
                offer.min_duration,
            )
            seller = sellers.setdefault(terms, len(sellers))
            if seller == len(self._sellers):
                self._sellers.append(terms)
            self._terms.append((kind, seller))
            for free in offer.free:
                lots[kind, seller, offer.reserve, free.begin, free.end].append(rank)
                of_node[offer.node_uuid].append(rank)
        # A contract on a node with several free windows may touch more than one of them.
        self._spans: dict[int, list[Span]] = {}
        for node, ranks in of_node.items():
            if len(ranks) > 1:
                self._tangled[node] = sorted(set(ranks))
                for rank in ranks:
                    self._spans[rank] = list(self._offers[rank].free)
        self._grow(len(lots) + 64)
        for key, ranks in lots.items():
            self._open(key, ranks)

    def _grow(self, size: int) -> None:
        for name in ("_class", "_seller", "_reserve", "_begin", "_end", "_count"):
            column: npt.NDArray[Any] = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(size - len(column), column.dtype)]))

    def _open(self, key: tuple[int, int, int, int, int], ranks: list[int]) -> None:
        if self._empty:
            # A lot that is sold out makes room, or what is scanned would grow with every sale.
            lot = self._empty.pop()
            self._members[lot] = ranks
        else:
            lot = self._used
            self._used += 1
            if lot == len(self._count):
                self._grow(2 * lot)
            self._members.append(ranks)
        self._class[lot], self._seller[lot], self._reserve[lot], self._begin[lot], self._end[lot] = key
        self._count[lot] = len(ranks)
        self._lots[key] = lot

    def _key(self, rank: int, span: Span) -> tuple[int, int, int, int, int]:
        return (*self._terms[rank], self._offers[rank].reserve, span.begin, span.end)

    def _add(self, rank: int, span: Span) -> None:
        key = self._key(rank, span)
        lot = self._lots.get(key)
        if lot is None:
            self._open(key, [rank])
            return
        insort(self._members[lot], rank)
        self._count[lot] += 1

    def _remove(self, rank: int, span: Span) -> None:
        key = self._key(rank, span)
        lot = self._lots[key]
        self._members[lot].remove(rank)
        self._count[lot] -= 1
        if not self._members[lot]:
            del self._lots[key]
            self._empty.append(lot)

    def _cut(self, rank: int, blocked: Span) -> None:
        for span in list(self._spans.get(rank, self._offers[rank].free)):
            pieces = without(span, blocked)
            if len(pieces) == 1 and pieces[0] == span:
                continue
            self._remove(rank, span)
            spans = self._spans.setdefault(rank, list(self._offers[rank].free))
            spans.remove(span)
            for piece in pieces:
                spans.append(piece)
                self._add(rank, piece)

    def _meeting(self, requirement: Requirement) -> _Mask:
        known = self._meets.get(requirement.key)
        if known is None:
            holds = [requirement.holds(hardware.document) for hardware in self._hardware]
            known = self._meets[requirement.key] = np.array(holds, np.bool_)
        return known

    def _admitting(self, project_id: str) -> _Mask:
        known = self._admits.get(project_id)
        if known is None:
            known = self._admits[project_id] = np.array(
                [
                    owner != project_id and (lessees is None or project_id in lessees)
                    for owner, lessees, *_ in self._sellers
                ],
                np.bool_,
            )
        return known

    def _choose(self, bid: BookBid, now: int) -> _Chosen | None:
        """Return the lots that could serve a bid as far as one node goes, or None where they have too few nodes."""
        used, length = self._used, bid.length(now)
        earliest, latest = bid.starting(now), bid.latest_start(now)
        fit = self._count[:used] > 0
        fit &= self._begin[:used] <= latest
        fit &= self._end[:used] >= earliest + length
        fit &= self._reserve[:used] <= bid.limit
        if bid.requirements:
            kinds = self._meeting(bid.requirements[0])
            for requirement in bid.requirements[1:]:
                kinds = kinds & self._meeting(requirement)
            fit &= kinds[self._class[:used]]
        sellers = self._admitting(bid.project_id)
        if self._any_least:
            sellers = sellers & (self._least <= length)
        if not sellers.all():
            fit &= sellers[self._seller[:used]]
        lots = np.flatnonzero(fit)
        begin, end = self._begin[lots], self._end[lots]
        if bid.duration is not None:
            # What is left open here: a window that begins and ends inside but is too short.
            roomy = np.minimum(end - length, latest) >= np.maximum(begin, earliest)
            lots, begin, end = lots[roomy], begin[roomy], end[roomy]
        counts = self._count[lots]
        if int(counts.sum()) < bid.quantity:
            return None
        reserve = self._reserve[lots]
        lengths = np.where(end >= FOREVER, FOREVER, end - begin)
        order = np.lexsort((lengths, reserve))
        return _Chosen(
            lots[order],
            reserve[order],
            lengths[order],
            np.maximum(begin, earliest)[order],
            np.minimum(end - length, latest)[order],
            counts[order],
        )

    def _place_by_count(self, bid: BookBid, chosen: _Chosen, now: int) -> Placement | None:
        """Place a bid to which nodes of a lot are all the same."""
        best: tuple[int, int, int] | None = None
        starts = self._starts(bid, chosen)
        for batch in range(0, len(starts), _STARTS):
            tried = starts[batch : batch + _STARTS, None]
            usable = (chosen.first <= tried) & (tried <= chosen.last)
            counts = np.where(usable, chosen.counts, 0)
            within = np.cumsum(counts, axis=1)
            enough = within[:, -1] >= bid.quantity
            if not enough.any():
                continue
            # The first lot with which there are enough nodes has the dearest of them.
            dearest_at = np.argmax(within >= bid.quantity, axis=1)
            dearest = chosen.reserve[dearest_at]
            least = int(dearest[enough].min())
            if best is not None and least > best[0]:
                continue
            for row in np.flatnonzero(enough & (dearest == least)):
                total = _total(counts[row], chosen.reserve, int(dearest_at[row]), bid.quantity)
                found = (least, total, int(starts[batch + row]))
                best = found if best is None else min(best, found)
        if best is None:
            return None
        dearest_price, total, start = best
        usable_now = np.flatnonzero((chosen.first <= start) & (start <= chosen.last))
        ranks = self._first(chosen, usable_now, bid.quantity)
        return self._placement(bid, now, dearest_price, total, start, "", ranks)

    def _starts(self, bid: BookBid, chosen: _Chosen) -> _Column:
        # Only these need be tried: moving a start back to the nearest of them only adds nodes.
        return chosen.first[:1] if bid.duration is None else np.unique(chosen.first)

    def _first(self, chosen: _Chosen, usable: Sequence[int] | _Column, quantity: int) -> list[int]:
        """Return the ranks of the first nodes of these lots, in the order in which they are taken."""
        taken: list[int] = []
        for block in _blocks(chosen, usable):
            members = [self._members[int(chosen.lots[index])] for index in block]
            ranks = members[0] if len(members) == 1 else sorted(rank for lot in members for rank in lot)
            taken.extend(ranks[: quantity - len(taken)])
            if len(taken) == quantity:
                break
        return taken

    def _place_one_by_one(self, bid: BookBid, chosen: _Chosen, now: int) -> Placement | None:
        """Place a bid that names offers, or to which racks or sites matter."""
        keys = [self._share_keys(bid, int(lot)) for lot in chosen.lots]
        best: Placement | None = None
        for start in self._starts(bid, chosen):
            usable = np.flatnonzero((chosen.first <= start) & (start <= chosen.last))
            limit = None if best is None else best.dearest
            for value, ranks in fill(bid, self._one_by_one(bid, chosen, usable, keys), limit):
                reserves = [self._offers[rank].reserve for rank in ranks]
                found = self._placement(bid, now, reserves[-1], sum(reserves), int(start), value, ranks)
                best = found if best is None else min(best, found)
        return best

    def _one_by_one(
        self, bid: BookBid, chosen: _Chosen, usable: _Column, keys: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[int, tuple[str, str], int]]:
        """Yield the nodes of these lots in order of preference: what each asks, its shared values, and its rank."""
        for block in _blocks(chosen, usable):
            reserve = int(chosen.reserve[block[0]])
            ranks = [(rank, keys[index]) for index in block for rank in self._members[int(chosen.lots[index])]]
            for rank, shared in sorted(ranks):
                if bid.offer_uuids is None or self._offers[rank].uuid in bid.offer_uuids:
                    yield reserve, shared, rank

    def _share_keys(self, bid: BookBid, lot: int) -> tuple[str, str]:
        if not (bid.spread or bid.together):
            return "", ""
        return self._values.keys(bid, self._offers[self._members[lot][0]])

    def _placement(
        self, bid: BookBid, now: int, dearest: int, total: int, start: int, together: str, ranks: Sequence[int]
    ) -> Placement:
        offers = tuple(self._offers[rank] for rank in ranks)
        return Placement(dearest, total, start, together, offers, start + bid.length(now), tuple(ranks))


def _blocks(chosen: _Chosen, usable: Sequence[int] | _Column) -> Iterator[list[int]]:
    """Yield these lots in order, those together that only the uuids of their nodes tell apart."""
    block: list[int] = []
    for index in map(int, usable):
        if block and (
            chosen.reserve[index] != chosen.reserve[block[0]] or chosen.length[index] != chosen.length[block[0]]
        ):
            yield block
            block = []
        block.append(index)
    if block:
        yield block


def _total(counts: _Column, reserve: _Column, dearest_at: int, quantity: int) -> int:
    """Return what the first ``quantity`` nodes ask in total, exactly, however large prices are."""
    total = wanted = 0
    for count, price in zip(counts[:dearest_at].tolist(), reserve[:dearest_at].tolist(), strict=True):
        total += count * price
        wanted += count
    return total + (quantity - wanted) * int(reserve[dearest_at])
