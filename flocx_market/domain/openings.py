# SPDX-License-Identifier: Apache-2.0
"""What of a stock could serve one bid: its free windows in lots, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from flocx_market.domain.book import BookBid
from flocx_market.domain.lots import Column, Mask
from flocx_market.domain.stock import Stock
from flocx_market.domain.tally import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """Free windows with room for a bid's contract, columns with a row for each lot.

    ``rows`` are the lots' numbers in the stock. For a bid that names offers
    each row is a free window of one of them, and ``numbers`` says whose.
    """

    rows: Column
    reserve: Column
    places: Places
    numbers: Column | None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nodes(self) -> int:
        """How many free windows there are in all."""
        return int(self.places.counts.sum())

    def only(self, which: slice | Column) -> Openings:
        """Return the rows at these positions."""
        return Openings(
            rows=self.rows[which],
            reserve=self.reserve[which],
            places=self.places.only(which),
            numbers=None if self.numbers is None else self.numbers[which],
        )

    def up_to(self, reserve: int) -> Openings:
        """Return those that ask at most a price."""
        asked = self.reserve <= reserve
        return self if asked.all() else self.only(np.flatnonzero(asked))


class Reach:
    """What of a stock one bid could be served from.

    ``kinds`` says of each kind of hardware whether all requirements hold on it,
    ``failed`` how many do not.
    """

    def __init__(self, stock: Stock, bid: BookBid, now: int) -> None:
        self._stock, self._bid, self._now = stock, bid, now
        self.meets = [stock.meeting(requirement) for requirement in bid.requirements]
        self.failed = np.zeros(len(stock.lots.hardware), np.int64)
        for mask in self.meets:
            self.failed += ~mask
        self.kinds = self.failed == 0
        self._admits = stock.admitting(bid.project_id)
        #: For a bid that names offers, the numbers of those there are.
        self.named: Sequence[int] | None = None
        if bid.offer_uuids is not None:
            found = map(stock.lots.number, bid.offer_uuids)
            self.named = sorted(number for number in found if number is not None)

    def openings(self, kinds: Mask, limit: int | None = None) -> Openings:
        """Return the free windows of offers on these kinds of hardware that have room for the contract.

        :param limit: what is dearer is left out.
        """
        bid, lots, length = self._bid, self._stock.lots, self._bid.length(self._now)
        earliest, latest = bid.starting(self._now), bid.latest_start(self._now)
        rows, numbers = self._of_kinds(kinds, limit)
        begin, end = lots.begin[rows], lots.end[rows]
        fit = begin <= latest
        fit &= end >= earliest + length
        if bid.duration is not None:
            fit &= end - begin >= length
        keep = np.flatnonzero(fit)
        rows, begin, end = rows[keep], begin[keep], end[keep]
        seller = lots.seller[rows]
        sells = self._admits[seller]
        sells &= self._stock.least_durations()[seller] <= length
        return self._gathered(
            rows,
            None if numbers is None else numbers[keep],
            sells,
            np.maximum(begin, earliest),
            np.minimum(end - length, latest),
        )

    def other_starts(self, shortest: int, longest: int | None) -> Openings:
        """Return the free windows in which it could be served from another start, none of them dearer than its limit.

        A bid without a duration runs from there to its end; otherwise the start
        alone moves.
        """
        bid, lots, now = self._bid, self._stock.lots, self._now
        rows, numbers = self._of_kinds(self.kinds, bid.limit)
        seller = lots.seller[rows]
        least = self._stock.least_durations()[seller]
        sells = self._admits[seller]
        begin, end = lots.begin[rows], lots.end[rows]
        if bid.duration is not None:
            first, last = np.maximum(begin, now), end - bid.duration
            sells &= least <= bid.duration
        else:
            first = np.maximum(begin, now if longest is None else max(now, bid.end - longest))
            last = bid.end - np.maximum(least, max(shortest, 1))
            sells &= end >= bid.end
        sells &= first <= last
        return self._gathered(rows, numbers, sells, first, last)

    def offers(self, openings: Openings) -> int:
        """Return how many offers have these openings."""
        if openings.numbers is not None:
            return len(set(openings.numbers.tolist()))
        if self._bid.duration is None:
            # With one start only, no offer has two.
            return openings.nodes
        members = self._stock.lots.members
        return len(set().union(*(members[row] for row in openings.rows.tolist())))

    def free_again(self, fitting: Mask) -> int | None:
        """Return when the first of the offers that are taken in the bid's time is free again, None where none is.

        :param fitting: for each group of offers, whether it could serve the bid if it were free.
        """
        bid, lots, stock = self._bid, self._stock.lots, self._stock
        terms = stock.groups.terms[: len(fitting)]
        has_terms = np.zeros(int(terms.max()) + 1, np.bool_)
        has_terms[terms[fitting]] = True
        rows, numbers = self._of_kinds(self.kinds, bid.limit)
        begin = lots.begin[rows]
        later = begin > bid.starting(self._now)
        later &= has_terms[lots.terms(rows)]
        later &= lots.count[rows] > 0
        positions = np.flatnonzero(later)
        for position in positions[np.argsort(begin[positions])].tolist():
            members = lots.members[rows[position]] if numbers is None else [int(numbers[position])]
            if any(fitting[stock.groups.row(number)] and not self._opens(number) for number in members):
                return int(begin[position])
        return None

    def _opens(self, number: int) -> bool:
        """Tell whether an offer has a free window with room for the contract."""
        bid, length = self._bid, self._bid.length(self._now)
        earliest, latest = bid.starting(self._now), bid.latest_start(self._now)
        return any(
            max(free.begin, earliest) <= min(free.end - length, latest) for free in self._stock.lots.free(number)
        )

    def _of_kinds(self, kinds: Mask, limit: int | None) -> tuple[Column, Column | None]:
        """Return the lots of these kinds, and for a bid that names offers whose free windows they are."""
        lots = self._stock.lots
        numbers: Column | None = None
        if self.named is None:
            rows: Column = lots.of_kinds(kinds)  # type: ignore[assignment]
        else:
            found = [(row, one) for one in self.named if kinds[lots.kind(one)] for row in lots.rows_of(one)]
            pairs = np.array(found, np.int64).reshape(-1, 2)
            rows, numbers = pairs[:, 0], pairs[:, 1]
        if limit is None:
            return rows, numbers
        asked = np.flatnonzero(lots.reserve[rows] <= limit)
        return rows[asked], None if numbers is None else numbers[asked]

    def _gathered(self, rows: Column, numbers: Column | None, sells: Mask, first: Column, last: Column) -> Openings:
        lots = self._stock.lots
        if numbers is None:
            sells = sells & (lots.count[rows] > 0)
        keep = np.flatnonzero(sells)
        rows = rows[keep]
        counts = lots.count[rows] if numbers is None else np.ones(len(rows), np.int64)
        places = Places(first=first[keep], last=last[keep], counts=counts)
        bid, shared = self._bid, self._stock.shared
        if bid.together is not None:
            places = replace(places, group=shared.of(bid.together, rows))
        if bid.spread is not None:
            places = replace(places, share=shared.of(bid.spread.by, rows), cap=bid.spread.most)
        return Openings(
            rows=rows, reserve=lots.reserve[rows], places=places, numbers=None if numbers is None else numbers[keep]
        )


def joined(parts: Iterable[Openings]) -> Openings:
    """Return several openings of one bid as one."""
    given = list(parts)
    places = [part.places for part in given]

    def column(name: str) -> Column | None:
        columns = [getattr(place, name) for place in places]
        return None if columns[0] is None else np.concatenate(columns)

    return Openings(
        rows=np.concatenate([part.rows for part in given]),
        reserve=np.concatenate([part.reserve for part in given]),
        places=Places(
            first=np.concatenate([place.first for place in places]),
            last=np.concatenate([place.last for place in places]),
            counts=np.concatenate([place.counts for place in places]),
            group=column("group"),
            share=column("share"),
            cap=places[0].cap,
        ),
        numbers=None if given[0].numbers is None else np.concatenate([part.numbers for part in given]),
    )
