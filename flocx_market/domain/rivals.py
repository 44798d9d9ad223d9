# SPDX-License-Identifier: Apache-2.0
"""Which bids of a round could want an offer, found for all bids at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from flocx_market.domain.book import BookBid
from flocx_market.domain.lots import Mask
from flocx_market.domain.stock import Stock

_Numbers = npt.NDArray[np.int64]


class Rivals:
    """The bids of a round in the order of the ranking, as columns.

    A bid that :meth:`wanting` leaves out takes no notice of the offer: what it
    gets is the same with the offer, without it, or with another part of it free.
    """

    def __init__(self, stock: Stock, bids: Sequence[BookBid], now: int, shortest: int) -> None:
        self._stock, self._bids = stock, bids
        projects: dict[str, int] = {}
        self._distinct = list({one.key: one for bid in bids for one in bid.requirements}.values())
        triples = {requirement.key: number for number, requirement in enumerate(self._distinct)}
        self._project = _column(projects.setdefault(bid.project_id, len(projects)) for bid in bids)
        self._projects = list(projects)
        self._limit = _column(bid.limit for bid in bids)
        self._length = _column(bid.length(now) for bid in bids)
        self._earliest = _column(bid.starting(now) for bid in bids)
        self._latest = _column(bid.latest_start(now) for bid in bids)
        self._servable = np.array([bid.servable(now, shortest) for bid in bids], np.bool_)
        self._naming = [position for position, bid in enumerate(bids) if bid.offer_uuids is not None]
        # The requirements of bid after bid; a bid without any has one that always holds.
        always = len(triples)
        numbers: list[int] = []
        begins: list[int] = []
        for bid in bids:
            begins.append(len(numbers))
            numbers.extend([triples[requirement.key] for requirement in bid.requirements] or [always])
        self._numbers, self._begins = np.array(numbers, np.int64), np.array(begins, np.int64)
        self._columns: dict[int, Mask] = {}
        self._sells: dict[int, Mask] = {}

    def wanting(self, number: int) -> Mask:
        """Return, for each bid, whether it could use the offer, in what is free of it now or would be later."""
        lots = self._stock.lots
        offer = lots.offers[number]
        room = np.zeros(len(self._bids), np.bool_)
        for span in lots.free(number):
            first = np.maximum(span.begin, self._earliest)
            room |= first <= np.minimum(span.end - self._length, self._latest)
        room &= self._limit >= offer.reserve
        room &= self._length >= offer.min_duration
        room &= self._servable
        room &= self._sold_to(number)
        room &= self._meeting(lots.kind(number))
        for position in self._naming:
            named = self._bids[position].offer_uuids
            assert named is not None
            room[position] &= offer.uuid in named
        return room

    def _meeting(self, kind: int) -> Mask:
        known = self._columns.get(kind)
        if known is None:
            holds = np.array([self._stock.meeting(one)[kind] for one in self._distinct] + [True], np.bool_)
            known = np.logical_and.reduceat(holds[self._numbers], self._begins)
            self._columns[kind] = known
        return known

    def _sold_to(self, number: int) -> Mask:
        seller = self._stock.lots.seller_of(number)
        known = self._sells.get(seller)
        if known is None:
            sells = np.array([self._stock.admitting(project)[seller] for project in self._projects], np.bool_)
            known = self._sells[seller] = sells[self._project]
        return known


def _column(values: object) -> _Numbers:
    return np.array(list(values), np.int64)  # type: ignore[call-overload]
