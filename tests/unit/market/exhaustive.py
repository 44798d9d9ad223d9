# SPDX-License-Identifier: Apache-2.0
"""The greatest surplus of a tiny market, by trying everything, and a check of what an engine awards."""

from __future__ import annotations

from itertools import combinations

from flocx_market.domain.book import BookBid
from tests.unit.market import reference


def ways(bid: BookBid, offers, now: int, shortest: int):
    """Yield every (start, end, offers) in which a bid could be served, were nobody else there."""
    earliest = max(bid.begin, now)
    length = bid.end - earliest if bid.duration is None else bid.duration
    if length < max(shortest, 1):
        return
    for start in [earliest] if bid.duration is None else range(earliest, bid.end - length + 1):
        usable = [
            offer
            for offer in offers
            if reference.acceptable(bid, offer, length)
            and reference.window_at([(span.begin, span.end) for span in offer.free], start, length)
        ]
        for chosen in combinations(usable, bid.quantity):
            distinct = len({offer.node_uuid for offer in chosen}) == bid.quantity
            if distinct and reference.spread_ok(bid, chosen) and reference.together_ok(bid, chosen):
                yield start, start + length, chosen


def worth(bid: BookBid, way) -> int:
    start, end, chosen = way
    return sum(bid.limit - offer.reserve for offer in chosen) * (end - start)


def fits(way, used) -> bool:
    """Tell whether the nodes are not in use then, nor in their turnaround."""
    start, end, chosen = way
    return all(
        end + offer.turnaround <= begin or until + offer.turnaround <= start
        for offer in chosen
        for node, begin, until in used
        if node == offer.node_uuid
    )


def greatest_surplus(bids, offers, now: int, shortest: int = 0) -> int:
    """Return the surplus of the best clearing there is."""
    choices = [sorted(ways(bid, offers, now, shortest), key=lambda way, b=bid: -worth(b, way)) for bid in bids]
    most = [worth(bid, found[0]) if found else 0 for bid, found in zip(bids, choices, strict=True)]

    def best(index: int, used, reached: int, to_beat: int) -> int:
        if index == len(bids):
            return max(reached, to_beat)
        for way in choices[index]:
            if reached + worth(bids[index], way) + sum(most[index + 1 :]) <= to_beat:
                break
            if fits(way, used):
                start, end, chosen = way
                taken = [(offer.node_uuid, start, end) for offer in chosen]
                to_beat = best(index + 1, [*used, *taken], reached + worth(bids[index], way), to_beat)
        if reached + sum(most[index + 1 :]) > to_beat:
            to_beat = best(index + 1, used, reached, to_beat)
        return to_beat

    return best(0, [], 0, 0)


def assert_keeps_the_rules(awards, bids, offers, now: int, shortest: int = 0) -> None:
    """Fail unless every award is one of the ways of its bid, and they do not get into each other's way."""
    used, served = [], set()
    for award in awards:
        bid, contract = award.bid, award.contract
        assert bid in bids
        assert bid.uuid not in served
        served.add(bid.uuid)
        allowed = {
            (start, end, frozenset(offer.uuid for offer in chosen))
            for start, end, chosen in ways(bid, offers, now, shortest)
        }
        assert (contract.begin, contract.end, frozenset(offer.uuid for offer in award.offers)) in allowed
        assert len(award.offers) == bid.quantity
        assert fits((contract.begin, contract.end, award.offers), used)
        used += [(offer.node_uuid, contract.begin, contract.end) for offer in award.offers]


def some_open_bid_fits(awards, left, offers, now: int, shortest: int = 0) -> bool:
    """Tell whether what is left over could serve a bid that was left open."""
    used = [(offer.node_uuid, a.contract.begin, a.contract.end) for a in awards for offer in a.offers]
    return any(fits(way, used) for bid in left for way in ways(bid, offers, now, shortest))
