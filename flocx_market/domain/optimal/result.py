# SPDX-License-Identifier: Apache-2.0
"""From awards to numbers of nodes and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from flocx_market.domain.book import Book, BookOffer, Span
from flocx_market.domain.engine import Award, Cleared, EngineReport
from flocx_market.domain.optimal.allotment import Allotment
from flocx_market.domain.optimal.problem import Problem, Served
from flocx_market.domain.placement import Placement
from flocx_market.domain.ranking import Ranking, ranked
from flocx_market.domain.stock import Stock


def served_by(problem: Problem, awards: Iterable[Award]) -> dict[int, Served]:
    """Return awards in numbers of nodes; those that begin between two instants of the grid are left out."""
    numbers = {wanted.bid.uuid: number for number, wanted in enumerate(problem.wanted)}
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, group in enumerate(problem.openings.groups):
        for node in group.nodes:
            for kind, offer in node.items():
                places[offer.uuid].append((number, kind))
    served = {}
    for award in awards:
        bid = numbers[award.bid.uuid]
        found = _served(problem, bid, award, places)
        if found is not None:
            served[bid] = found
    return served


def _served(problem: Problem, bid: int, award: Award, places: dict[str, list[tuple[int, int]]]) -> Served | None:
    wanted, begin = problem.wanted[bid], award.contract.begin
    start = int(np.searchsorted(wanted.starts.at, begin))
    if start == len(wanted.starts.at) or wanted.starts.at[start] != begin:
        return None
    opening = {
        place: number for number, place in enumerate(zip(wanted.group.tolist(), wanted.kind.tolist(), strict=True))
    }
    counts: dict[int, int] = defaultdict(int)
    for offer in award.offers:
        for place in places[offer.uuid]:
            number = opening.get(place)
            if number is not None and wanted.first[number] <= begin <= wanted.last[number]:
                counts[number] += 1
                break
    openings, nodes = np.array(sorted(counts.items()), np.int64).T
    return Served(int(wanted.value[openings[0]]), start, openings, nodes)


def awards_of(problem: Problem, allotment: Allotment) -> list[Award]:
    """Return who gets which nodes.

    In each group contracts take nodes in order of their beginning; there is
    always one that is free, since never more are in use than there are. Of
    those that are free the one that was used last is taken.
    """
    parts: dict[int, list[tuple[int, str, int, int, int]]] = defaultdict(list)
    for bid, served in allotment.served.items():
        wanted = problem.wanted[bid]
        begin = int(wanted.starts.at[served.start])
        for opening, count in zip(served.openings.tolist(), served.nodes.tolist(), strict=True):
            parts[int(wanted.group[opening])].append((begin, wanted.bid.uuid, bid, int(wanted.kind[opening]), count))
    chosen: dict[int, list[BookOffer]] = defaultdict(list)
    for number, contracts in parts.items():
        group = problem.openings.groups[number]
        free_from = dict.fromkeys(range(len(group.nodes)), -(1 << 62))
        for begin, _, bid, kind, count in sorted(contracts):
            usable = sorted((node for node in free_from if free_from[node] <= begin), key=lambda n: (-free_from[n], n))
            for node in usable[:count]:
                free_from[node] = begin + problem.wanted[bid].length + group.turnaround
                chosen[bid].append(group.nodes[node][kind])
    awards = []
    for bid, offers in chosen.items():
        wanted = problem.wanted[bid]
        begin = int(wanted.starts.at[allotment.served[bid].start])
        offers.sort(key=lambda offer: (offer.reserve, offer.uuid))
        awards.append(Award(bid=wanted.bid, contract=Span(begin, begin + wanted.length), offers=tuple(offers)))
    return awards


def fill_up(book: Book, now: int, ranking: Ranking, awards: Sequence[Award], report: EngineReport) -> Cleared:
    """Return awards with all that the rest of the bids can still be served with."""
    stock = Stock(book.offers)
    ranks = {offer.uuid: rank for rank, offer in enumerate(sorted(book.offers, key=lambda offer: offer.uuid))}
    of = {award.bid.uuid: award for award in awards}
    for award in awards:
        reserves = [offer.reserve for offer in award.offers]
        stock.take(
            Placement(
                max(reserves),
                sum(reserves),
                award.contract.begin,
                "",
                award.offers,
                award.contract.end,
                tuple(ranks[offer.uuid] for offer in award.offers),
            )
        )
    made, left = [], []
    for bid in ranked(book.bids, ranking, now):
        placement = None if bid.uuid in of else stock.place(bid, now, shortest=book.shortest)
        if bid.uuid in of:
            made.append(of[bid.uuid])
        elif placement is None:
            left.append(bid)
        else:
            stock.take(placement)
            made.append(Award(bid=bid, contract=Span(placement.begin, placement.end), offers=placement.offers))
    return Cleared(
        offers=book.offers, awards=tuple(made), left=tuple(left), evaluations=stock.evaluations, report=report
    )
