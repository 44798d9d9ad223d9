# SPDX-License-Identifier: Apache-2.0
"""The greedy rule once more, as slow and as plain as it can be said, for comparison.

Nothing is shared with the engine but the data: every second is tried as a
start, every combination of nodes as a set.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations

from flocx_market.domain.book import FOREVER, BookBid, BookOffer


def evaluate(expression, offer: BookOffer):
    about = {
        "provider_uuid": offer.provider_uuid,
        "owner_project_id": offer.owner_project_id,
        "resource_class": offer.resource_class,
    }
    return json.dumps(expression.evaluate({**offer.hardware.document, "offer": about}), sort_keys=True)


def acceptable(bid: BookBid, offer: BookOffer, length: int) -> bool:
    return (
        offer.owner_project_id != bid.project_id
        and (offer.lessees is None or bid.project_id in offer.lessees)
        and (bid.offer_uuids is None or offer.uuid in bid.offer_uuids)
        and all(requirement.holds(offer.hardware.document) for requirement in bid.requirements)
        and offer.reserve <= bid.limit
        and offer.min_duration <= length
    )


def window_at(free, start: int, length: int):
    for begin, end in free:
        if begin <= start and start + length <= end:
            return begin, end
    return None


def spread_ok(bid: BookBid, offers) -> bool:
    if bid.spread is None:
        return True
    counts = Counter(evaluate(bid.spread.by, offer) for offer in offers)
    return max(counts.values()) <= bid.spread.most


def together_ok(bid: BookBid, offers) -> bool:
    return bid.together is None or len({evaluate(bid.together, offer) for offer in offers}) == 1


def choices(bid: BookBid, offers, free, now: int, shortest: int):
    """Yield what the rule would take at each start and value, as (rank, start, length, offers)."""
    earliest = max(bid.begin, now)
    length = bid.end - earliest if bid.duration is None else bid.duration
    if length < max(shortest, 1):
        return
    starts = [earliest] if bid.duration is None else range(earliest, bid.end - length + 1)
    for start in starts:
        usable = []
        for offer in offers:
            window = window_at(free[offer.uuid], start, length)
            if window is not None and acceptable(bid, offer, length):
                size = FOREVER if window[1] >= FOREVER else window[1] - window[0]
                usable.append((offer.reserve, size, offer.uuid, offer))
        usable.sort(key=lambda entry: entry[:3])
        values = {""} if bid.together is None else {evaluate(bid.together, entry[3]) for entry in usable}
        for value in values:
            taken, shares = [], Counter()
            for _, _, _, offer in usable:
                if bid.together is not None and evaluate(bid.together, offer) != value:
                    continue
                if bid.spread is not None:
                    share = evaluate(bid.spread.by, offer)
                    if shares[share] >= bid.spread.most:
                        continue
                    shares[share] += 1
                taken.append(offer)
                if len(taken) == bid.quantity:
                    break
            if len(taken) == bid.quantity:
                dearest, total = max(o.reserve for o in taken), sum(o.reserve for o in taken)
                yield (dearest, total, start, value), start, length, taken


def some_set_exists(bid: BookBid, offers, free, now: int, shortest: int) -> bool:
    earliest = max(bid.begin, now)
    length = bid.end - earliest if bid.duration is None else bid.duration
    if length < max(shortest, 1):
        return False
    starts = [earliest] if bid.duration is None else range(earliest, bid.end - length + 1)
    for start in starts:
        usable = [o for o in offers if acceptable(bid, o, length) and window_at(free[o.uuid], start, length)]
        for chosen in combinations(usable, bid.quantity):
            if spread_ok(bid, chosen) and together_ok(bid, chosen):
                return True
    return False


def clear(bids, offers, now: int, rank, shortest: int = 0):
    """Return ({bid uuid: (start, end, [offer uuids])}, free windows left, whether an open bid could still be served)."""
    free = {offer.uuid: [(span.begin, span.end) for span in offer.free] for offer in offers}
    served, left = {}, []
    for bid in sorted(bids, key=lambda b: (-rank(b, now), b.placed, b.uuid)):
        found = sorted(choices(bid, offers, free, now, shortest), key=lambda choice: choice[0])
        if not found:
            assert not some_set_exists(bid, offers, free, now, shortest)
            left.append(bid)
            continue
        _, start, length, taken = found[0]
        served[bid.uuid] = (start, start + length, [offer.uuid for offer in taken])
        for offer in taken:
            for sibling in offers:
                if sibling.node_uuid == offer.node_uuid:
                    blocked = (start - offer.turnaround, start + length + offer.turnaround)
                    free[sibling.uuid] = [
                        piece
                        for begin, end in free[sibling.uuid]
                        for piece in ((begin, min(end, blocked[0])), (max(begin, blocked[1]), end))
                        if piece[0] < piece[1]
                    ]
    return served, free, any(some_set_exists(bid, offers, free, now, shortest) for bid in left)
