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
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from flocx_market.domain.book import BookOffer, Hardware, Span
from flocx_market.domain.price_order import PriceOrder

Mask = npt.NDArray[np.bool_]
Column = npt.NDArray[np.int64]
Index = npt.NDArray[np.int32]

#: The terms on which a seller sells: owner, lessees, provider, resource class and
#: shortest contract. Who differs in none of them is one seller.
Seller = tuple[str, frozenset[str] | None, str, str | None, int]

# Begin and end of a free window. There are so many that the garbage collector would notice: it passes over
# plain tuples of numbers, and of such tuples, but not over a Span.
_Window = tuple[int, int]

#: What changed in offers that were in the same lots: their numbers, the free windows that went and those that came.
Change = tuple[tuple[int, ...], tuple[_Window, ...], tuple[_Window, ...]]

# What offers have in common that are in the same lots.
_ALIKE = attrgetter(
    "hardware.digest",
    "owner_project_id",
    "lessees",
    "provider_uuid",
    "resource_class",
    "min_duration",
    "reserve",
    "free",
)

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
        # In order of uuid, the last word in ties, so that members come in order.
        self.offers: list[BookOffer] = sorted(offers, key=attrgetter("uuid"))
        self._first_offers = len(self.offers)
        self.hardware: list[Hardware] = []
        self.sellers: list[Seller] = []
        self.members: list[list[int]] = []
        self.used = 0
        self.begin, self.end, self.reserve, self.count = (np.zeros(64, np.int64) for _ in range(4))
        self.seller, self._kind, self._terms_of_lot = (np.zeros(64, np.int32) for _ in range(3))
        #: The same lots, to be gone through from the cheapest on.
        self.by_price = PriceOrder()
        self._kinds: dict[str, int] = {}
        self._seller_numbers: dict[Seller, int] = {}
        # Hardware, seller and reserve of an offer; what its lots have in common.
        self._terms: list[tuple[int, int, int]] = []
        self._terms_of: list[int] = [0] * len(self.offers)
        self._terms_numbers: dict[tuple[int, int, int], int] = {}
        self._lots: dict[tuple[int, int, int], int] = {}
        self._windows: list[_Window] = []
        self._lots_of: list[tuple[int, ...]] = [()] * len(self.offers)
        self._empty: dict[int, list[int]] = {}
        # A contract on a node touches all its offers; few nodes have more than one.
        self._siblings: dict[int, list[int]] = {}
        self._on_node: dict[str, int] | None = None
        self._numbers: dict[str, int] | None = None
        self._of_kinds: dict[bytes, tuple[Index, int]] = {}
        self._remembered = 0
        self._fill()

    def _fill(self) -> None:
        """Take in the first offers; the same as one :meth:`add` after the other, with less to look up."""
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for number, alike in enumerate(map(_ALIKE, self.offers)):
            groups[alike].append(number)
        terms_of, lots_of = self._terms_of, self._lots_of
        for members in groups.values():
            first = self.offers[members[0]]
            terms = self._terms_number(first)
            lots = tuple(
                [
                    # The list becomes that of the first lot.
                    self._join(terms, (span.begin, span.end), [*members] if place else members)
                    for place, span in enumerate(first.free)
                ]
            )
            for number in members:
                terms_of[number] = terms
                lots_of[number] = lots
        if len({offer.node_uuid for offer in self.offers}) < len(self.offers):
            self._index_nodes()

    def add(self, offer: BookOffer) -> int:
        """Take in an offer with its free windows and return its number."""
        nodes, numbers = self._index_nodes(), self._index_uuids()
        number = len(self.offers)
        self.offers.append(offer)
        terms = self._terms_number(offer)
        self._terms_of.append(terms)
        windows = [(span.begin, span.end) for span in offer.free]
        self._lots_of.append(tuple([self._join(terms, window, [number]) for window in windows]))
        self._settle(nodes, number)
        numbers[offer.uuid] = number
        return number

    def discard(self, number: int) -> None:
        """Take an offer out; its number means nothing from here on."""
        nodes, numbers = self._index_nodes(), self._index_uuids()
        offer = self.offers[number]
        assert numbers[offer.uuid] == number
        for lot in self._lots_of[number]:
            self._leave(lot, [number])
        self._lots_of[number] = ()
        rest = [other for other in self.on_node(number) if other != number]
        self._siblings.pop(number, None)
        del nodes[offer.node_uuid], numbers[offer.uuid]
        for other in rest:
            self._siblings.pop(other, None)
        for other in rest:
            self._settle(nodes, other)

    def _terms_number(self, offer: BookOffer) -> int:
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
        number = self._terms_numbers.get(terms)
        if number is None:
            number = self._terms_numbers[terms] = len(self._terms)
            self._terms.append(terms)
        return number

    def _index_nodes(self) -> dict[str, int]:
        """Return an offer of each node; made when it is asked for first."""
        if self._on_node is None:
            self._on_node = {}
            for number in range(len(self.offers)):
                self._settle(self._on_node, number)
        return self._on_node

    def _settle(self, nodes: dict[str, int], number: int) -> None:
        """Put an offer with the others of its node."""
        first = nodes.setdefault(self.offers[number].node_uuid, number)
        if first != number:
            siblings = self._siblings.setdefault(first, [first])
            siblings.append(number)
            self._siblings[number] = siblings

    def _index_uuids(self) -> dict[str, int]:
        if self._numbers is None:
            self._numbers = {offer.uuid: number for number, offer in enumerate(self.offers)}
        return self._numbers

    def number(self, uuid: str) -> int | None:
        """Return the number of an offer, None where there is no such offer."""
        return self._index_uuids().get(uuid)

    def free(self, number: int) -> tuple[Span, ...]:
        """Return the free windows an offer has left, in no particular order."""
        return tuple([Span(*self._windows[lot]) for lot in self._lots_of[number]])

    def on_node(self, number: int) -> Sequence[int]:
        """Return all offers of the node of an offer."""
        return self._siblings.get(number) or (number,)

    def uuids_on(self, node_uuid: str) -> set[str]:
        """Return the uuids of all offers of a node, none for one that is not known."""
        number = self._index_nodes().get(node_uuid)
        return set() if number is None else {self.offers[other].uuid for other in self.on_node(number)}

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

        :param numbers: offers of nodes that differ.
        """
        # Of the nodes of one contract many are in the same lots, and go the same way.
        alike: dict[tuple[tuple[int, ...], int], list[int]] = defaultdict(list)
        for number in numbers:
            turnaround = self.offers[number].turnaround
            for sibling in self.on_node(number):
                alike[self._lots_of[sibling], turnaround].append(sibling)
        changes: list[Change] = []
        for (lots, turnaround), group in alike.items():
            cut_from, cut_to = begin - turnaround, end + turnaround
            touched: list[int] = []
            went: list[_Window] = []
            came: list[_Window] = []
            for lot in lots:
                free_from, free_to = window = self._windows[lot]
                if free_from < cut_to and cut_from < free_to:
                    touched.append(lot)
                    went.append(window)
                    if free_from < cut_from:
                        came.append((free_from, cut_from))
                    if cut_to < free_to:
                        came.append((cut_to, free_to))
            if touched:
                self._move(group, touched, came)
                changes.append((tuple(group), tuple(went), tuple(came)))
        return changes

    def give_back(self, changes: Sequence[Change]) -> None:
        """Undo what :meth:`take` did; of several, the last first."""
        for numbers, went, came in reversed(changes):
            terms = self._terms_of[numbers[0]]
            self._move(numbers, [self._lots[terms, *window] for window in came], went)

    def rows_of(self, number: int) -> Sequence[int]:
        """Return the lots of an offer."""
        return self._lots_of[number]

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

    def _move(self, numbers: Sequence[int], left: Sequence[int], came: Sequence[_Window]) -> None:
        """Take offers that are in the same lots out of some of these, and let them have other free windows."""
        terms, lots = self._terms_of[numbers[0]], self._lots_of[numbers[0]]
        for lot in left:
            self._leave(lot, numbers)
        kept = [lot for lot in lots if lot not in left]
        # Numbers that the first offers got are in order of uuid.
        ordered = sorted(numbers, key=self._uuid if max(numbers) >= self._first_offers else None)
        lots = (*kept, *[self._join(terms, window, [*ordered]) for window in came])
        for number in numbers:
            self._lots_of[number] = lots

    def _join(self, terms: int, window: _Window, numbers: list[int]) -> int:
        """Put offers, in the order of their uuids, into a lot, and return it; the list may be kept."""
        key = (terms, *window)
        lot = self._lots.get(key)
        if lot is None:
            lot = self._lots[key] = self._open(terms, window, numbers)
            return lot
        members = self.members[lot]
        for number in numbers:
            if self.offers[members[-1]].uuid < self.offers[number].uuid:
                members.append(number)
            else:
                insort(members, number, key=self._uuid)
        self.count[lot] = len(members)
        return lot

    def _leave(self, lot: int, numbers: Sequence[int]) -> None:
        members = self.members[lot]
        if members[: len(numbers)] == [*numbers]:
            # As it is where the first are taken.
            del members[: len(numbers)]
        else:
            gone = set(numbers)
            members[:] = [number for number in members if number not in gone]
        self.count[lot] = len(members)
        if not members:
            # It makes room for another of its hardware, or what is scanned would grow with every sale.
            del self._lots[self._terms_of[numbers[0]], *self._windows[lot]]
            self._empty.setdefault(int(self._kind[lot]), []).append(lot)
            self.by_price.drop(lot)

    def _open(self, terms: int, window: _Window, members: list[int]) -> int:
        begin, end = window
        kind, seller, reserve = self._terms[terms]
        empty = self._empty.get(kind)
        if empty:
            lot = empty.pop()
            self.members[lot], self._windows[lot] = members, window
        else:
            lot = self.used
            if lot == len(self.count):
                self._grow(2 * lot)
            self.used += 1
            self.members.append(members)
            self._windows.append(window)
            self._kind[lot] = kind
        self.begin[lot], self.end[lot], self.reserve[lot], self.seller[lot] = begin, end, reserve, seller
        self._terms_of_lot[lot], self.count[lot] = terms, len(members)
        self.by_price.put(lot, kind, seller, reserve, begin, end)
        return lot

    def _grow(self, size: int) -> None:
        for name in ("begin", "end", "reserve", "count", "seller", "_kind", "_terms_of_lot"):
            setattr(self, name, np.resize(getattr(self, name), size))

    def _uuid(self, number: int) -> str:
        return self.offers[number].uuid
