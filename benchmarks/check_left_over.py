# SPDX-License-Identifier: Apache-2.0
"""Whether a bid left open could be served by what the contracts leave: slow, plain and exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from check_books import Answers, Bid, Offer
from check_rules import Deal

Free = Mapping[str, list[tuple[int, int]]]


def left_over(offers: Mapping[str, Offer], deals: Iterable[Deal], turnaround: int) -> Free:
    """Return the free windows of every offer once the contracts, with turnaround, are cut out."""
    taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for deal in deals:
        for part in deal.parts:
            taken[part.offer.node].append((deal.begin - turnaround, deal.end + turnaround))
    left = {}
    for offer in offers.values():
        free = offer.free
        for begin, end in taken.get(offer.node, []):
            pieces = [piece for a, b in free for piece in ((a, min(b, begin)), (max(a, end), b))]
            free = [(a, b) for a, b in pieces if a < b]
        left[offer.uuid] = free
    return left


def servable(bid: Bid, offers: Mapping[str, Offer], free: Free, now: int, answers: Answers) -> str | None:
    """Return how a bid could be served from the free windows, in words; None when it cannot be.

    Every start is covered: from any start that serves the bid one can move back
    to the latest beginning of a free window in use, or to the earliest start,
    and only gain nodes.
    """
    earliest = max(bid.begin, now)
    length = bid.end - earliest if bid.duration is None else bid.duration
    latest = bid.end - length
    if length < 1 or latest < earliest:
        return None
    usable = []
    for offer in offers.values():
        room = [
            (max(begin, earliest), min(end - length, latest))
            for begin, end in free[offer.uuid]
            if max(begin, earliest) <= min(end - length, latest)
        ]
        if room and length >= offer.min_duration and _feasible(bid, offer, answers):
            usable.append((offer, room))
    for start in sorted({first for _, room in usable for first, _ in room}):
        at_once = [offer for offer, room in usable if any(first <= start <= last for first, last in room)]
        most = _most(bid, at_once, answers)
        if most >= bid.quantity:
            return f"{most} nodes are free from {start} for {length} s, {bid.quantity} are wanted"
    return None


def _feasible(bid: Bid, offer: Offer, answers: Answers) -> bool:
    return (
        offer.reserve <= bid.limit
        and offer.owner != bid.project
        and (offer.lessees is None or bid.project in offer.lessees)
        and (bid.offers is None or offer.uuid in bid.offers)
        and all(answers.triple(triple, offer) for triple in bid.triples)
    )


def _most(bid: Bid, offers: Iterable[Offer], answers: Answers) -> int:
    """Return how many of these nodes the bid could have at once."""
    groups: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for offer in offers:
        together = "" if bid.together is None else answers.value(bid.together, offer)
        spread = "" if bid.spread is None else answers.value(bid.spread[0], offer)
        groups[together][spread].add(offer.node)
    return max(
        (
            sum(len(nodes) if bid.spread is None else min(len(nodes), bid.spread[1]) for nodes in shares.values())
            for shares in groups.values()
        ),
        default=0,
    )
