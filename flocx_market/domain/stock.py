# SPDX-License-Identifier: Apache-2.0
"""What can be sold in a round, and where in it a bid is served best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from flocx_market.domain.book import FOREVER, BookBid, BookOffer
from flocx_market.domain.filling import fill
from flocx_market.domain.listed import ListedValues
from flocx_market.domain.lots import Change, Column, Lots, Mask
from flocx_market.domain.offer_groups import OfferGroups
from flocx_market.domain.placement import Placement
from flocx_market.domain.requirements import Requirement
from flocx_market.domain.sellers import Sellers
from flocx_market.domain.shared_numbers import SharedNumbers
from flocx_market.domain.shares import SharedValues
from flocx_market.domain.starts import Candidates, best_shared_start, best_start


class Stock:
    """The free time of all offers, while contracts are cut out of it.

    :param offers: any order; the order never matters to what is answered.
    """

    def __init__(self, offers: Iterable[BookOffer]) -> None:
        self.lots = Lots(offers)
        self._meets: dict[str, Mask] = {}
        self._sellers = Sellers(self.lots.sellers)
        self._values = SharedValues()
        #: Free windows count from here on where their length is compared; earlier ones have passed.
        self.since = -FOREVER

    def place(self, bid: BookBid, now: int, *, shortest: int = 0, limit: int | None = None) -> Placement | None:
        """Return the best placement of a bid in what is left, or None where there is none.

        Over every start and every value of ``together``, nodes are taken in the
        order (reserve, length of the free window, uuid), leaving out those whose
        ``spread`` value is full, until there are enough; the best is the one
        whose dearest node asks least, then the cheapest, the earliest, the
        smallest value. The search is exact: only the earliest start and the
        beginnings of free windows need be tried, since moving a start back to
        the nearest of these only adds nodes.

        :param limit: price to search under instead of the bid's own.
        """
        if not bid.servable(now, shortest):
            return None
        chosen = self._candidates(bid, now, bid.limit if limit is None else limit)
        if chosen is None:
            return None
        if bid.offer_uuids is None and bid.spread is None and bid.together is None:
            start = bid.starting(now)
            if bid.duration is not None:
                best = best_start(chosen, bid.quantity)
                if best is None:
                    return None
                dearest, start = best
                chosen = chosen.up_to(dearest)
                chosen = chosen.only(chosen.usable(start))
            return self._placement(bid, now, start, "", self._first(chosen, bid.quantity))
        return self._place_by_rules(bid, chosen, now)

    def reach(
        self, bid: BookBid, now: int, *, shortest: int = 0
    ) -> tuple[Candidates, Sequence[tuple[str, str]]] | None:
        """Return every lot that could serve a node of a bid, whatever its quantity, or None where there is none.

        With each lot come its values of ``together`` and ``spread``, empty where the bid has no such rule.
        """
        if not bid.servable(now, shortest):
            return None
        chosen = self._candidates(replace(bid, quantity=1), now, bid.limit, whole=True)
        if chosen is not None and bid.offer_uuids is not None:
            chosen = self._only_named(bid, chosen)
        if chosen is None or not len(chosen.rows):
            return None
        return chosen, [self._share_keys(bid, int(row)) for row in chosen.rows]

    def take(self, placement: Placement) -> list[Change]:
        """Cut a placement, with the turnaround of its nodes around it, out of all offers of its nodes.

        Return what changed, for :meth:`give_back`.
        """
        return self.lots.take(placement.numbers, placement.begin, placement.end)

    def give_back(self, changes: Sequence[Change]) -> None:
        """Undo what :meth:`take` did; of several, the last first."""
        self.lots.give_back(changes)

    @property
    def evaluations(self) -> int:
        """How often an expression was evaluated on a kind of hardware so far."""
        return self.listed.evaluations

    @property
    def groups(self) -> OfferGroups:
        """All offers counted by their terms and windows, whatever is free of them."""
        self._groups.take_in()
        return self._groups

    def add(self, offer: BookOffer) -> int:
        """Take in an offer with its free windows and return its number."""
        return self.lots.add(offer)

    def discard(self, number: int) -> None:
        """Take an offer out, of what is free and of what is counted; its number means nothing from here on."""
        self.groups.discard(number)
        self.lots.discard(number)

    @cached_property
    def _groups(self) -> OfferGroups:
        return OfferGroups(self.lots)

    @cached_property
    def listed(self) -> ListedValues:
        """What expressions give on each kind of hardware."""
        return ListedValues(self.lots.hardware)

    @cached_property
    def shared(self) -> SharedNumbers:
        """What lots share, or must not, under ``spread`` and ``together``."""
        return SharedNumbers(self.lots, self._values)

    def meeting(self, requirement: Requirement) -> Mask:
        """Return, for each kind of hardware, whether the requirement holds on it."""
        hardware = self.lots.hardware
        known = self._meets.get(requirement.key)
        if known is None or len(known) < len(hardware):
            seen = 0 if known is None else len(known)
            new = self.listed.meeting(requirement, seen)
            known = self._meets[requirement.key] = new if known is None else np.concatenate([known, new])
        return known

    def meeting_all(self, requirements: Iterable[Requirement]) -> Mask:
        """Return, for each kind of hardware, whether all the requirements hold on it."""
        kinds = np.ones(len(self.lots.hardware), np.bool_)
        for requirement in requirements:
            kinds &= self.meeting(requirement)
        return kinds

    def admitting(self, project_id: str) -> Mask:
        """Return, for each seller, whether it sells to a project: allowed, and not the seller itself."""
        return self._sellers.admitting(project_id)

    def least_durations(self) -> Column:
        """Return, for each seller, the shortest contract it makes in seconds."""
        return self._sellers.least_durations()

    def _candidates(self, bid: BookBid, now: int, limit: int, *, whole: bool = False) -> Candidates | None:
        """Return the lots that could serve a bid as far as one node goes, or None where they have too few nodes.

        :param whole: leave none out, not even those that are too dear to be taken.
        """
        lots, length = self.lots, bid.length(now)
        earliest, latest = bid.starting(now), bid.latest_start(now)
        kinds = self.meeting_all(bid.requirements)
        if not kinds.any():
            return None
        sellers = self.admitting(bid.project_id) & (self.least_durations() <= length)
        # For one start that any node may serve the cheapest nodes are the answer.
        fixed = bid.duration is None and bid.spread is None and bid.together is None
        cheapest = fixed and not whole and bid.offer_uuids is None
        parts: Iterable[Column]
        if bid.offer_uuids is None:
            parts = lots.by_price.parts(
                kinds,
                sellers,
                limit=limit,
                latest=latest,
                ends=earliest + length,
                length=bid.duration,
                wanted=bid.quantity if cheapest else None,
            )
        else:
            parts = [self._named_rows(bid, kinds, sellers, limit, latest, earliest + length)]
        found: list[Column] = []
        nodes = 0
        for part in parts:
            found.append(part)
            nodes += int(lots.count[part].sum())
            if nodes >= bid.quantity and cheapest:
                break
        if nodes < bid.quantity:
            return None
        rows = found[0] if len(found) == 1 else np.concatenate(found)
        reserve = lots.reserve[rows]
        if fixed and not whole and len(rows) > 2 * bid.quantity:
            # Each lot has a node, so that what is dearer than the quantity-th lot is never taken.
            cheap = reserve <= np.partition(reserve, bid.quantity - 1)[bid.quantity - 1]
            rows, reserve = rows[cheap], reserve[cheap]
        begin, end = lots.begin[rows], lots.end[rows]
        length_free = np.where(end >= FOREVER, FOREVER, end - np.maximum(begin, self.since))
        order = np.lexsort((length_free, reserve))
        rows, begin, end = rows[order], begin[order], end[order]
        return Candidates(
            rows=rows,
            reserve=reserve[order],
            length=length_free[order],
            first=np.maximum(begin, earliest),
            last=np.minimum(end - length, latest),
            counts=lots.count[rows],
        )

    def _named_rows(self, bid: BookBid, kinds: Mask, sellers: Mask, limit: int, latest: int, ends: int) -> Column:
        """Return the lots of the offers that a bid names, as far as kinds of hardware, price and time go."""
        assert bid.offer_uuids is not None
        lots = self.lots
        rows = self._rows_of_named(bid.offer_uuids, kinds)
        begin, end = lots.begin[rows], lots.end[rows]
        fit = (lots.reserve[rows] <= limit) & (begin <= latest) & (end >= ends) & sellers[lots.seller[rows]]
        if bid.duration is not None:
            fit &= end - begin >= bid.duration
        return rows[fit]

    def _rows_of_named(self, uuids: Iterable[str], kinds: Mask) -> Column:
        numbers = [number for number in map(self.lots.number, uuids) if number is not None]
        rows = {row for number in numbers if kinds[self.lots.kind(number)] for row in self.lots.rows_of(number)}
        return np.array(sorted(rows), np.int64)

    def _first(self, chosen: Candidates, quantity: int) -> list[int]:
        """Return the first nodes of lots that are all free at once, in the order in which they are taken."""
        members = self.lots.members
        rows = chosen.rows.tolist()
        keys = list(zip(chosen.reserve.tolist(), chosen.length.tolist(), strict=True))
        taken: list[int] = []
        first = 0
        while len(taken) < quantity:
            key, after = keys[first], first + 1
            while after < len(keys) and keys[after] == key:
                after += 1
            missing = quantity - len(taken)
            alike = [members[row][:missing] for row in rows[first:after]]
            taken += alike[0] if len(alike) == 1 else self._merged(alike)[:missing]
            first = after
        return taken

    def _merged(self, members: Iterable[list[int]]) -> list[int]:
        offers = self.lots.offers
        return sorted((number for lot in members for number in lot), key=lambda number: offers[number].uuid)

    def _place_by_rules(self, bid: BookBid, chosen: Candidates, now: int) -> Placement | None:
        """Place a bid that names offers, or to which racks or sites matter."""
        if bid.offer_uuids is not None:
            chosen = self._only_named(bid, chosen)
        keys = [self._share_keys(bid, int(row)) for row in chosen.rows]
        most = bid.spread.most if bid.spread else None
        found = best_shared_start(chosen, bid.quantity, keys, most, fixed=bid.duration is None)
        if found is None:
            return None
        _, _, start, value = found
        usable = chosen.usable(start)
        nodes = self._one_by_one(bid, chosen, usable, keys)
        for group, numbers in fill(bid, nodes):
            if group == value:
                return self._placement(bid, now, start, value, numbers)
        raise AssertionError("a start with enough nodes has too few")

    def _only_named(self, bid: BookBid, chosen: Candidates) -> Candidates:
        """Return the candidates with only the named nodes counted."""
        assert bid.offer_uuids is not None
        offers, members = self.lots.offers, self.lots.members
        counts = [
            sum(offers[number].uuid in bid.offer_uuids for number in members[row]) for row in chosen.rows.tolist()
        ]
        return chosen.counting(np.array(counts, np.int64))

    def _one_by_one(
        self, bid: BookBid, chosen: Candidates, usable: Column, keys: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], int]]:
        """Yield the nodes of these lots in order of preference: the shared values of each, and its number."""
        offers, members = self.lots.offers, self.lots.members
        for block in chosen.ties(usable):
            nodes = [
                (offers[number].uuid, keys[index], number)
                for index in block.tolist()
                for number in members[int(chosen.rows[index])]
            ]
            for uuid, shared, number in sorted(nodes):
                if bid.offer_uuids is None or uuid in bid.offer_uuids:
                    yield shared, number

    def _share_keys(self, bid: BookBid, lot: int) -> tuple[str, str]:
        if not (bid.spread or bid.together):
            return "", ""
        return self._values.keys(bid, self.lots.offers[self.lots.members[lot][0]])

    def _placement(self, bid: BookBid, now: int, start: int, together: str, numbers: Sequence[int]) -> Placement:
        offers = tuple([self.lots.offers[number] for number in numbers])
        reserves = [offer.reserve for offer in offers]
        return Placement(max(reserves), sum(reserves), start, together, offers, start + bid.length(now), tuple(numbers))
