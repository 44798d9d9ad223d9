# SPDX-License-Identifier: Apache-2.0
"""The greedy clearing engine: bids in the order of the ranking, each served exactly or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from flocx_market.domain.book import Book, BookBid, BookOffer, Span
from flocx_market.domain.clearing import Award, Cleared
from flocx_market.domain.ranking import Ranking, ranked
from flocx_market.domain.supply import Opening, Supply, share_keys


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """Where a bid could be served. Placements order from best to worst.

    ``dearest`` and ``total`` are reserves in smallest price steps; ``together``
    is the shared value as canonical JSON, empty where the bid asks for none.
    """

    dearest: int
    total: int
    begin: int
    together: str
    offers: tuple[BookOffer, ...] = field(compare=False)
    end: int = field(compare=False)


def clear(book: Book, now: int, ranking: Ranking) -> Cleared:
    """Serve the open bids one after the other from what is left.

    The engine "greedy" of the market rules: no bid is left open that what is
    left over could serve, and raising a winning bid's limit never makes it
    lose. The answer does not depend on the order of the input.
    """
    supply = Supply(book.offers)
    awards, left = [], []
    for bid in ranked(book.bids, ranking, now):
        placement = place(supply, bid, now, shortest=book.shortest)
        if placement is None:
            left.append(bid)
            continue
        contract = Span(placement.begin, placement.end)
        for offer in placement.offers:
            supply.take(offer, contract)
        awards.append(Award(bid=bid, contract=contract, offers=placement.offers))
    return Cleared(awards=tuple(awards), left=tuple(left), supply=supply)


def place(supply: Supply, bid: BookBid, now: int, *, shortest: int = 0, limit: int | None = None) -> Placement | None:
    """Return the best placement of a bid in what is left, or None where there is none.

    Over every start and every value of ``together``, nodes are taken in the
    order of :attr:`Opening.preference`, leaving out those whose ``spread``
    value is full, until there are enough; the best is the one whose dearest
    node asks least, then the cheapest, the earliest, the smallest value.
    The search is exact: only the earliest start and the beginnings of free
    windows need be tried, since moving a start back to the nearest of these
    only adds nodes.

    :param limit: price to search under instead of the bid's own.
    """
    if not bid.servable(now, shortest):
        return None
    openings = supply.openings(supply.candidates(bid, limit), bid, now)
    if len(openings) < bid.quantity:
        return None
    openings.sort(key=lambda opening: opening.preference)
    best: Placement | None = None
    length = bid.length(now)
    for start in sorted({opening.first for opening in openings}):
        usable = (opening for opening in openings if opening.first <= start <= opening.last)
        for value, offers in _fill(supply, bid, usable, None if best is None else best.dearest):
            reserves = [offer.reserve for offer in offers]
            found = Placement(reserves[-1], sum(reserves), start, value, offers, start + length)
            best = found if best is None else min(best, found)
    return best


def _fill(
    supply: Supply, bid: BookBid, openings: Iterable[Opening], dearest: int | None
) -> Iterable[tuple[str, tuple[BookOffer, ...]]]:
    """Yield, for each value of ``together`` that has enough nodes, the nodes taken in order of preference.

    :param dearest: what is dearer than this need not be looked at.
    """
    taken: dict[str, list[BookOffer]] = defaultdict(list)
    shares: dict[tuple[str, str], int] = defaultdict(int)
    for opening in openings:
        offer = opening.offer
        if dearest is not None and offer.reserve > dearest:
            return
        value, share = share_keys(supply, bid, offer)
        nodes = taken[value]
        if len(nodes) == bid.quantity:
            continue
        if bid.spread:
            if shares[value, share] == bid.spread.most:
                continue
            shares[value, share] += 1
        nodes.append(offer)
        if len(nodes) == bid.quantity:
            yield value, tuple(nodes)
            if not bid.together:
                return
