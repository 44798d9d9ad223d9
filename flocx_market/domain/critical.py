# SPDX-License-Identifier: Apache-2.0
"""The pricing rule ``critical``: a bid pays the lowest limit with which it would have been served."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from flocx_market.domain import greedy
from flocx_market.domain.book import BookBid
from flocx_market.domain.engine import Award
from flocx_market.domain.lots import Change
from flocx_market.domain.placement import Placement
from flocx_market.domain.pricing import Priced, PricingOptions, Sales
from flocx_market.domain.ranking import Standing, ranked, standing
from flocx_market.domain.rivals import Rivals
from flocx_market.domain.stock import Stock


def critical(sales: Sales, options: PricingOptions) -> Sequence[Priced]:
    """Price all nodes of a contract at the lowest limit with which ``greedy`` would have served the bid.

    All other bids stay as they are. The threshold payment of a monotone
    allocation rule, which makes the own limit decide only whether the bid is
    served (Myerson, "Optimal auction design", 1981; for greedy rules Lehmann,
    O'Callaghan and Shoham, "Truth revelation in approximately efficient
    combinatorial auctions", 2002). Where another engine made the awards the
    price is kept between the dearest reserve and the limit, and promises nothing.

    ``options.budget`` placements are spent on it in the order of the ranking;
    a contract beyond them pays the reserve of each node, which is never more,
    and says so by the rule ``reserve``.
    """
    return replayed(sales, options)[0]


def replayed(sales: Sales, options: PricingOptions) -> tuple[Sequence[Priced], int]:
    """Return the prices of :func:`critical`, and how many placements they took."""
    cleared, spent = sales.cleared, 0
    if cleared.report.engine != "greedy":
        cleared, spent = greedy.clear(sales.book, sales.now, sales.ranking), len(sales.book.bids)
    # Once all bids have been gone past, all that was given back is taken again.
    stock = cleared.stock
    stock.give_back(cleared.taken)
    replay = _Replay(sales, stock, cleared.awards, spent, options.budget)
    return _prices(sales, replay), replay.spent


def _prices(sales: Sales, replay: _Replay) -> Sequence[Priced]:
    prices: dict[str, Priced] = {}
    awarded = {award.bid.uuid: award for award in sales.cleared.awards}
    for position in range(len(replay.order)):
        award = awarded.get(replay.order[position].uuid)
        if award is not None:
            prices[award.bid.uuid] = _priced(award, replay, position)
        replay.go_past(position)
    return [prices[award.bid.uuid] for award in sales.cleared.awards]


def _priced(award: Award, replay: _Replay, position: int) -> Priced:
    dearest = max(offer.reserve for offer in award.offers)
    if replay.served[position] is None:
        # Greedy would not have served it at any limit up to its own.
        return Priced((award.bid.limit,) * len(award.offers))
    try:
        threshold = replay.threshold(position)
    except _Spent:
        return Priced(tuple(offer.reserve for offer in award.offers), rule="reserve")
    price = min(award.bid.limit, max(dearest, threshold))
    return Priced((price,) * len(award.offers))


class _Spent(Exception):
    """The budget does not reach further."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """The best placement found so far for the bid whose threshold is sought, and the offers it needs."""

    placement: Placement
    offers: frozenset[int]


class _Replay:
    """A greedy round played again without one bid at a time.

    Only bids that could notice what the missing bid leaves free are placed
    anew; all others get what they got, and that is cut out of the stock only
    where a search would see it.
    """

    def __init__(self, sales: Sales, stock: Stock, served: Sequence[Award], spent: int, budget: int | None) -> None:
        self.sales, self.spent, self._budget, self._exhausted = sales, spent, budget, False
        self.stock = stock
        self.order = ranked(sales.book.bids, sales.ranking, sales.now)
        self.keys = [self.key(bid) for bid in self.order]
        awards = {award.bid.uuid: award for award in served}
        self.served = [self._placement(awards.get(bid.uuid)) for bid in self.order]
        self.rivals = Rivals(self.stock, self.order, sales.now, sales.book.shortest)
        self.users: dict[int, list[int]] = {}
        kinds: list[int] = []
        placed: list[int] = []
        begins: list[int] = []
        for position, placement in enumerate(self.served):
            if placement is not None:
                placed.append(position)
                begins.append(len(kinds))
                kinds.extend(self.stock.lots.kind(number) for number in placement.numbers)
                for number in self.with_siblings(placement):
                    self.users.setdefault(number, []).append(position)
        self.placed_at = np.array(placed, np.int64)
        self.kinds, self.begins = np.array(kinds, np.int64), np.array(begins, np.int64)

    def go_past(self, position: int) -> None:
        """Give the bid at a position what it got; those after it are looked at next."""
        placement = self.served[position]
        if placement is not None:
            self.stock.take(placement)

    def threshold(self, position: int) -> int:
        """Return the lowest limit with which the bid at a position, the next one, would have been served.

        :raises _Spent: the budget does not reach.
        """
        self.spend(0)
        without = _Without(self, position)
        try:
            return without.threshold()
        finally:
            without.undo()

    def spend(self, placements: int) -> None:
        """Count placements.

        :raises _Spent: there are not as many left.
        """
        if self._exhausted or (self._budget is not None and self.spent + placements > self._budget):
            # Whoever comes later in the ranking is not looked at, however little it would take.
            self._exhausted = True
            raise _Spent
        self.spent += placements

    def key(self, bid: BookBid) -> Standing:
        """Return where a bid stands in the order of this round."""
        return standing(bid, self.sales.ranking, self.sales.now)

    def _placement(self, award: Award | None) -> Placement | None:
        if award is None:
            return None
        numbers = [self.stock.lots.number(offer.uuid) for offer in award.offers]
        known = tuple(number for number in numbers if number is not None)
        reserves = [offer.reserve for offer in award.offers]
        window = award.contract
        return Placement(max(reserves), sum(reserves), window.begin, "", award.offers, window.end, known)

    def with_siblings(self, placement: Placement) -> set[int]:
        """Return the offers of a placement and all others of their nodes."""
        on_node = self.stock.lots.on_node
        return {sibling for number in placement.numbers for sibling in on_node(number)}


class _Without:
    """The rest of a round without one bid."""

    def __init__(self, replay: _Replay, position: int) -> None:
        self._replay, self._position = replay, position
        self._bid = replay.order[position]
        self._stock = replay.stock
        self._changes: list[Change] = []
        self._noticing = np.zeros(len(replay.order), np.bool_)
        self._applied: set[int] = set()
        self._differing: set[int] = set()

    def undo(self) -> None:
        """Leave the stock as it was."""
        self._stock.give_back(self._changes)
        self._changes.clear()

    def threshold(self) -> int:
        """See :meth:`_Replay.threshold`."""
        replay = self._replay
        placement = replay.served[self._position]
        assert placement is not None
        # What it got is the best there is, and what is left only shrinks: while these
        # nodes are free, nothing less will do.
        tried = self._trying(placement)
        self._differ(placement)
        position = self._position
        while True:
            # Who comes before the bid, were its limit what the dearest of the nodes asks.
            ahead = bisect_left(replay.keys, self._key_at(tried.placement.dearest))
            found = self._next(position, ahead, tried)
            if found is None:
                return tried.placement.dearest
            position = found
            taken = self._pass(position)
            if tried.offers.isdisjoint(taken):
                continue
            self._catch_up(position + 1, self._bid)
            replay.spend(1)
            again = self._stock.place(self._bid, replay.sales.now, shortest=replay.sales.book.shortest)
            if again is None or self._key_at(again.dearest) < replay.keys[position]:
                return self._least_ahead_of(position, tried.placement.dearest)
            tried = self._trying(again)

    def _next(self, position: int, ahead: int, tried: _Tried) -> int | None:
        """Return the next bid that could notice the difference, or that takes a node the bid would take."""
        following = np.flatnonzero(self._noticing[position + 1 : ahead])
        best = position + 1 + int(following[0]) if len(following) else None
        for number in tried.offers:
            for user in self._replay.users.get(number, ()):
                if position < user < ahead and (best is None or user < best):
                    best = user
        return best

    def _pass(self, position: int) -> set[int]:
        """Give the bid at a position what it gets here; return the offers that this touches."""
        replay = self._replay
        placement = replay.served[position]
        if self._noticing[position]:
            bid = replay.order[position]
            self._catch_up(position, bid)
            replay.spend(1)
            again = self._stock.place(bid, replay.sales.now, shortest=replay.sales.book.shortest)
            if not _same(placement, again):
                for one in (placement, again):
                    if one is not None:
                        self._differ(one)
                placement = again
        self._applied.add(position)
        if placement is None:
            return set()
        changes = self._stock.take(placement)
        self._changes += changes
        return {number for numbers, _, _ in changes for number in numbers}

    def _differ(self, placement: Placement) -> None:
        """Note that offers are free here at other times than they were."""
        new = self._replay.with_siblings(placement) - self._differing
        self._differing |= new
        for number in new:
            self._noticing |= self._replay.rivals.wanting(number)

    def _catch_up(self, position: int, bid: BookBid) -> None:
        """Give the bids before a position what they got, as far as a bid's search could see it."""
        replay = self._replay
        first, last = np.searchsorted(replay.placed_at, [self._position + 1, position])
        if first == last:
            return
        kinds = self._stock.meeting_all(bid.requirements)
        begins = replay.begins[first:last]
        end = replay.begins[last] if last < len(replay.begins) else len(replay.kinds)
        seen = np.logical_or.reduceat(kinds[replay.kinds[begins[0] : end]], begins - begins[0])
        late = [at for at in replay.placed_at[first:last][seen].tolist() if at not in self._applied]
        replay.spend(len(late))
        for at in late:
            placement = replay.served[at]
            assert placement is not None
            self._changes += self._stock.take(placement)
            self._applied.add(at)

    def _trying(self, placement: Placement) -> _Tried:
        return _Tried(placement, frozenset(placement.numbers))

    def _key_at(self, limit: int) -> Standing:
        return self._replay.key(replace(self._bid, limit=limit))

    def _least_ahead_of(self, position: int, low: int) -> int:
        """Return the lowest limit above ``low`` with which the bid comes before the one at a position."""
        other = self._replay.keys[position]
        return (
            low + 1 + bisect_left(range(low + 1, self._bid.limit), True, key=lambda limit: self._key_at(limit) < other)
        )


def _same(one: Placement | None, other: Placement | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.begin, set(one.numbers)) == (other.begin, set(other.numbers))
