# SPDX-License-Identifier: Apache-2.0
"""Free time counted instead of listed.

Free time that a bid cannot tell apart is one *lot*: same hardware, same terms
of the same seller, same reserve, same free window. A market of a hundred
thousand offers has some thousands of lots. They are columns, so that finding
those that could serve a bid is a few operations on whole columns; the nodes of
a lot are looked at only when they are taken.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from flocx_market.domain.book import BookOffer, Hardware, Span
from flocx_market.domain.supply import without

Mask = npt.NDArray[np.bool_]
Column = npt.NDArray[np.int64]
Index = npt.NDArray[np.int32]

#: The terms on which a seller sells: owner, lessees, provider, resource class and
#: shortest contract. Who differs in none of them is one seller.
Seller = tuple[str, frozenset[str] | None, str, str | None, int]

#: What changed in one offer: its number, the free windows that went and those that came.
Change = tuple[int, Sequence[Span], Sequence[Span]]

# Numbers of lots that are kept of past answers to "which lots are of these kinds".
_REMEMBERED = 4_000_000


class Lots:
    """The free windows of offers, in lots.

    An offer is a number here, a position of ``offers``; ``begin``, ``end``,
    ``reserve``, ``count`` and ``seller`` are columns with a row for each lot, of
    which the first ``used`` mean something. A lot without nodes has count 0. The
    hardware of a row never changes, so that rows can be remembered by hardware.
    """

    def __init__(self, offers: Iterable[BookOffer]) -> None:
        self.offers: list[BookOffer] = []
        self.hardware: list[Hardware] = []
        self.sellers: list[Seller] = []
        self.members: list[list[int]] = []
        self.used = 0
        self.begin, self.end, self.reserve, self.count = (np.zeros(64, np.int64) for _ in range(4))
        self.seller, self._kind, self._terms_of_lot = (np.zeros(64, np.int32) for _ in range(3))
        self._spans: list[tuple[Span, ...]] = []
        self._kinds: dict[str, int] = {}
        self._seller_numbers: dict[Seller, int] = {}
        # Hardware, seller and reserve of an offer; what its lots have in common.
        self._terms: list[tuple[int, int, int]] = []
        self._terms_of: list[int] = []
        self._terms_numbers: dict[tuple[int, int, int], int] = {}
        self._lots: dict[tuple[int, int, int], int] = {}
        self._empty: dict[int, list[int]] = {}
        self._on_node: dict[str, int | list[int]] = {}
        self._numbers: dict[str, int] | None = None
        self._of_kinds: dict[bytes, tuple[Index, int]] = {}
        self._remembered = 0
        self._fill(offers)

    def _fill(self, offers: Iterable[BookOffer]) -> None:
        """Take in the first offers; the same as one :meth:`add` after the other, with less to write."""
        groups: dict[tuple[int, int, int], list[int]] = {}
        # In order of uuid, the last word in ties, so that members come in order.
        for offer in sorted(offers, key=lambda one: one.uuid):
            number = self._register(offer)
            terms = self._terms_of[number]
            for span in offer.free:
                groups.setdefault((terms, span.begin, span.end), []).append(number)
        for key, members in groups.items():
            terms, begin, end = key
            self._lots[key] = lot = self._open(terms, Span(begin, end), members)
            self.count[lot] = len(members)

    def add(self, offer: BookOffer) -> int:
        """Take in an offer with its free windows and return its number."""
        number = self._register(offer)
        for span in offer.free:
            self._join(number, span)
        return number

    def discard(self, number: int) -> None:
        """Take an offer out; its number means nothing from here on."""
        offer = self.offers[number]
        assert self.number(offer.uuid) == number
        for span in self._spans[number]:
            self._leave(number, span)
        self._spans[number] = ()
        rest = [other for other in self.on_node(number) if other != number]
        if rest:
            self._on_node[offer.node_uuid] = rest
        else:
            del self._on_node[offer.node_uuid]
        assert self._numbers is not None
        del self._numbers[offer.uuid]

    def _register(self, offer: BookOffer) -> int:
        number = len(self.offers)
        self.offers.append(offer)
        digest = offer.hardware.digest
        kind = self._kinds.get(digest)
        if kind is None:
            kind = self._kinds[digest] = len(self.hardware)
            self.hardware.append(offer.hardware)
        seller_terms = (
            offer.owner_project_id,
            offer.lessees,
            offer.provider_uuid,
            offer.resource_class,
            offer.min_duration,
        )
        seller = self._seller_numbers.get(seller_terms)
        if seller is None:
            seller = self._seller_numbers[seller_terms] = len(self.sellers)
            self.sellers.append(seller_terms)
        terms = (kind, seller, offer.reserve)
        terms_number = self._terms_numbers.get(terms)
        if terms_number is None:
            terms_number = self._terms_numbers[terms] = len(self._terms)
            self._terms.append(terms)
        self._terms_of.append(terms_number)
        self._spans.append(offer.free)
        before = self._on_node.setdefault(offer.node_uuid, number)
        if before != number:
            # A contract on a node touches all its offers; few nodes have more than one.
            if isinstance(before, int):
                self._on_node[offer.node_uuid] = [before, number]
            else:
                before.append(number)
        if self._numbers is not None:
            self._numbers[offer.uuid] = number
        return number

    def number(self, uuid: str) -> int | None:
        """Return the number of an offer, None where there is no such offer."""
        if self._numbers is None:
            self._numbers = {offer.uuid: number for number, offer in enumerate(self.offers)}
        return self._numbers.get(uuid)

    def free(self, number: int) -> tuple[Span, ...]:
        """Return the free windows an offer has left, in no particular order."""
        return self._spans[number]

    def on_node(self, number: int) -> Sequence[int]:
        """Return all offers of the node of an offer."""
        found = self._on_node[self.offers[number].node_uuid]
        return (found,) if isinstance(found, int) else found

    def kind(self, number: int) -> int:
        """Return the number of the hardware of an offer."""
        return self._terms[self._terms_of[number]][0]

    def seller_of(self, number: int) -> int:
        """Return the number of the seller of an offer."""
        return self._terms[self._terms_of[number]][1]

    def terms_of(self, number: int) -> int:
        """Return the number of the terms of an offer: hardware, seller and reserve, which its lots share."""
        return self._terms_of[number]

    def terms(self, lots: Index | Column) -> Index:
        """Return the number of the terms of each of these lots."""
        return self._terms_of_lot[lots]

    def kinds(self, lots: Index | Column) -> Index:
        """Return the number of the hardware of each of these lots."""
        return self._kind[lots]

    def take(self, numbers: Iterable[int], begin: int, end: int) -> list[Change]:
        """Cut a contract, with the turnaround of the nodes around it, out of all offers of these nodes.

        Return what changed, for :meth:`give_back`.
        """
        changes: list[Change] = []
        for number in numbers:
            turnaround = self.offers[number].turnaround
            blocked = Span(begin - turnaround, end + turnaround)
            for sibling in self.on_node(number):
                touched = [
                    span for span in self._spans[sibling] if span.begin < blocked.end and blocked.begin < span.end
                ]
                if touched:
                    pieces = [piece for span in touched for piece in without(span, blocked)]
                    self._replace(sibling, touched, pieces)
                    changes.append((sibling, touched, pieces))
        return changes

    def give_back(self, changes: Sequence[Change]) -> None:
        """Undo what :meth:`take` did; of several, the last first."""
        for number, went, came in reversed(changes):
            self._replace(number, came, went)

    def rows_of(self, number: int) -> list[int]:
        """Return the lots of an offer."""
        terms = self._terms_of[number]
        return [self._lots[terms, span.begin, span.end] for span in self._spans[number]]

    def of_kinds(self, kinds: Mask) -> Index:
        """Return the lots whose hardware is of these kinds, empty ones among them, as a column of rows.

        :param kinds: for each kind of hardware, whether it is wanted.
        """
        key = kinds.tobytes()
        rows, seen = self._of_kinds.get(key, (None, 0))
        if rows is None or seen < self.used:
            new = np.flatnonzero(kinds[self._kind[seen : self.used]]).astype(np.int32) + np.int32(seen)
            rows = new if rows is None else np.concatenate([rows, new])
            self._remembered += len(new)
            if self._remembered > _REMEMBERED:
                self._of_kinds.clear()
                self._remembered = len(rows)
            self._of_kinds[key] = rows, self.used
        return rows

    def _replace(self, number: int, went: Sequence[Span], came: Sequence[Span]) -> None:
        for span in went:
            self._leave(number, span)
        for span in came:
            self._join(number, span)
        self._spans[number] = (*(span for span in self._spans[number] if span not in went), *came)

    def _join(self, number: int, span: Span) -> None:
        terms = self._terms_of[number]
        key = (terms, span.begin, span.end)
        lot = self._lots.get(key)
        if lot is None:
            self._lots[key] = self._open(terms, span, [number])
            return
        members = self.members[lot]
        if self.offers[members[-1]].uuid < self.offers[number].uuid:
            members.append(number)
        else:
            insort(members, number, key=self._uuid)
        self.count[lot] += 1

    def _leave(self, number: int, span: Span) -> None:
        key = (self._terms_of[number], span.begin, span.end)
        lot = self._lots[key]
        members = self.members[lot]
        members.remove(number)
        self.count[lot] -= 1
        if not members:
            # It makes room for another of its hardware, or what is scanned would grow with every sale.
            del self._lots[key]
            self._empty.setdefault(int(self._kind[lot]), []).append(lot)

    def _open(self, terms: int, span: Span, members: list[int]) -> int:
        kind, seller, reserve = self._terms[terms]
        empty = self._empty.get(kind)
        if empty:
            lot = empty.pop()
            self.members[lot] = members
        else:
            lot = self.used
            if lot == len(self.count):
                self._grow(2 * lot)
            self.used += 1
            self.members.append(members)
            self._kind[lot] = kind
        self.begin[lot], self.end[lot], self.reserve[lot], self.seller[lot] = span.begin, span.end, reserve, seller
        self._terms_of_lot[lot] = terms
        self.count[lot] = 1
        return lot

    def _grow(self, size: int) -> None:
        for name in ("begin", "end", "reserve", "count", "seller", "_kind", "_terms_of_lot"):
            setattr(self, name, np.resize(getattr(self, name), size))

    def _uuid(self, number: int) -> str:
        return self.offers[number].uuid
