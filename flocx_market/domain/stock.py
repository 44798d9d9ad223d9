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
        self._admits: dict[str, Mask] = {}
        self._values = SharedValues()
        self._least = np.zeros(0, np.int64)
        self._evaluated = 0
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
            found = best_start(chosen, bid.quantity, fixed=bid.duration is None)
            if found is None:
                return None
            dearest, total, start = found
            numbers = self._first(chosen, start, bid.quantity)
            return self._placement(bid, now, dearest, total, start, "", numbers)
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
        """How many (requirement, hardware) pairs have been evaluated so far."""
        return self._evaluated

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
            new = np.array([requirement.holds(one.document) for one in hardware[seen:]], np.bool_)
            self._evaluated += len(new)
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
        sellers = self.lots.sellers
        known = self._admits.get(project_id)
        if known is None or len(known) < len(sellers):
            known = self._admits[project_id] = np.array(
                [owner != project_id and (lessees is None or project_id in lessees) for owner, lessees, *_ in sellers],
                np.bool_,
            )
        return known

    def least_durations(self) -> Column:
        """Return, for each seller, the shortest contract it makes in seconds."""
        if len(self._least) < len(self.lots.sellers):
            self._least = np.array([seller[-1] for seller in self.lots.sellers], np.int64)
        return self._least

    def _candidates(self, bid: BookBid, now: int, limit: int, *, whole: bool = False) -> Candidates | None:
        """Return the lots that could serve a bid as far as one node goes, or None where they have too few nodes.

        :param whole: leave none out, not even those that are too dear to be taken.
        """
        lots, length = self.lots, bid.length(now)
        earliest, latest = bid.starting(now), bid.latest_start(now)
        kinds = self.meeting_all(bid.requirements)
        if bid.offer_uuids is None:
            rows: Column | np.ndarray = lots.of_kinds(kinds)
        else:
            rows = self._rows_of_named(bid.offer_uuids, kinds)
        reserve = lots.reserve[rows]
        begin, end = lots.begin[rows], lots.end[rows]
        # What begins in the window, ends in it, and has room for the contract in between.
        fit = reserve <= limit
        fit &= begin <= latest
        fit &= end >= earliest + length
        if bid.duration is not None:
            fit &= end - begin >= length
        keep = np.flatnonzero(fit)
        if not len(keep):
            return None
        rows, begin, end, reserve = rows[keep], begin[keep], end[keep], reserve[keep]
        sells = self.admitting(bid.project_id)[lots.seller[rows]]
        sells &= self.least_durations()[lots.seller[rows]] <= length
        counts = np.where(sells, lots.count[rows], 0)
        if int(counts.sum()) < bid.quantity:
            return None
        keep = np.flatnonzero(counts)
        reserve = reserve[keep]
        fixed = bid.duration is None and bid.spread is None and bid.together is None
        if fixed and not whole and len(keep) > 2 * bid.quantity:
            # Each lot has a node, so that what is dearer than the quantity-th lot is never taken.
            cheap = reserve <= np.partition(reserve, bid.quantity - 1)[bid.quantity - 1]
            keep, reserve = keep[cheap], reserve[cheap]
        begin, end = begin[keep], end[keep]
        length_free = np.where(end >= FOREVER, FOREVER, end - np.maximum(begin, self.since))
        order = np.lexsort((length_free, reserve))
        return Candidates(
            rows=rows[keep][order],
            reserve=reserve[order],
            length=length_free[order],
            first=np.maximum(begin, earliest)[order],
            last=np.minimum(end - length, latest)[order],
            counts=counts[keep][order],
        )

    def _rows_of_named(self, uuids: Iterable[str], kinds: Mask) -> Column:
        numbers = [number for number in map(self.lots.number, uuids) if number is not None]
        rows = {row for number in numbers if kinds[self.lots.kind(number)] for row in self.lots.rows_of(number)}
        return np.array(sorted(rows), np.int64)

    def _first(self, chosen: Candidates, start: int, quantity: int) -> list[int]:
        """Return the first nodes at a start, in the order in which they are taken."""
        taken: list[int] = []
        for block in chosen.blocks(start, quantity):
            members = [self.lots.members[row] for row in chosen.rows[block].tolist()]
            numbers = members[0] if len(members) == 1 else self._merged(members)
            taken.extend(numbers[: quantity - len(taken)])
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
        dearest, total, start, value = found
        usable = chosen.usable(start)
        nodes = self._one_by_one(bid, chosen, usable, keys)
        for group, numbers in fill(bid, nodes):
            if group == value:
                return self._placement(bid, now, dearest, total, start, value, numbers)
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

    def _placement(
        self, bid: BookBid, now: int, dearest: int, total: int, start: int, together: str, numbers: Sequence[int]
    ) -> Placement:
        offers = tuple(self.lots.offers[number] for number in numbers)
        return Placement(dearest, total, start, together, offers, start + bid.length(now), tuple(numbers))
