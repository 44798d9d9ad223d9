# SPDX-License-Identifier: Apache-2.0
"""The least change with which an open bid could be served from what is left.

It is judged against the supply after the round, never by outbidding an open
bid: the round leaves no bid open that what is left could serve, so a change
that works here works in the next round too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from flocx_common.domain.json_values import JSON
from flocx_common.domain.money import PRICE_LIMIT, from_micros, price_text, to_micros
from flocx_market.domain.book import BookBid, to_instant
from flocx_market.domain.greedy import place
from flocx_market.domain.requirements import (
    ORDERED,
    Number,
    Requirement,
    as_number,
    parse_requirements,
    relaxed,
)
from flocx_market.domain.supply import Supply, share_keys
from flocx_market.domain.tally import Place, earliest_with, most_at_once

# A limit further up than this half again comes after every other change.
_CLOSE = (3, 2)

_ANY_PRICE = to_micros(PRICE_LIMIT)


def nearest_change(
    supply: Supply, bid: BookBid, now: int, *, shortest: int, longest: int | None
) -> Mapping[str, JSON] | None:
    """Return the fields of the bid to change, with their new values, or None where one alone is not enough.

    One field or one triple, by the least that works. Where several would do:
    the limit if it rises to at most one and a half times, then the start, the
    quantity, a requirement, and last a higher limit.
    """
    change: Mapping[str, JSON] | None
    limit = _limit(supply, bid, now, shortest)
    if limit is not None and limit * _CLOSE[1] <= bid.limit * _CLOSE[0]:
        return {"limit_price": price_text(from_micros(limit))}
    for find in (_start, _quantity, _requirement):
        change = find(supply, bid, now, shortest, longest)
        if change is not None:
            return change
    return None if limit is None else {"limit_price": price_text(from_micros(limit))}


def _limit(supply: Supply, bid: BookBid, now: int, shortest: int) -> int | None:
    """Return the lowest limit that would do: what the dearest node of the best placement asks."""
    best = place(supply, bid, now, shortest=shortest, limit=_ANY_PRICE)
    return None if best is None or best.dearest <= bid.limit else best.dearest


def _start(supply: Supply, bid: BookBid, now: int, shortest: int, longest: int | None) -> Mapping[str, JSON] | None:
    """Return the start nearest to the bid's own that would do."""
    origin = bid.starting(now)
    cap = bid.spread.most if bid.spread else None
    places = list(_start_places(supply, bid, now, shortest, longest))
    earlier = earliest_with(bid.quantity, [(-last, -first, g, s) for first, last, g, s in places], -origin, cap)
    # A flexible bid may start later as it is; what lies later cannot help it.
    later = earliest_with(bid.quantity, places, origin, cap) if bid.duration is None else None
    found = [start for start in (later, None if earlier is None else -earlier) if start is not None]
    if not found:
        return None
    start = min(found, key=lambda instant: (abs(instant - origin), instant))
    return {"start_time": to_instant(start).isoformat().replace("+00:00", "Z")}


def _start_places(supply: Supply, bid: BookBid, now: int, shortest: int, longest: int | None) -> Iterator[Place]:
    """Yield, for each free window, the starts with which it could serve the bid."""
    for offer in supply.candidates(bid):
        group, share = share_keys(supply, bid, offer)
        for free in supply.free(offer):
            if bid.duration is not None:
                if offer.min_duration > bid.duration:
                    continue
                first, last = max(free.begin, now), free.end - bid.duration
            elif free.end < bid.end:
                continue
            else:
                first = max(free.begin, now, bid.end - longest if longest is not None else now)
                last = bid.end - max(offer.min_duration, shortest, 1)
            if first <= last:
                yield first, last, group, share


def _quantity(supply: Supply, bid: BookBid, now: int, shortest: int, longest: int | None) -> Mapping[str, JSON] | None:
    """Return the most nodes that can be had at once, where that is fewer than wanted but not none."""
    places = (
        (opening.first, opening.last, *share_keys(supply, bid, opening.offer))
        for opening in supply.openings(supply.candidates(bid), bid, now)
    )
    most = most_at_once(places, bid.spread.most if bid.spread else None)
    return {"quantity": most} if 0 < most < bid.quantity else None


def _requirement(
    supply: Supply, bid: BookBid, now: int, shortest: int, longest: int | None
) -> Mapping[str, JSON] | None:
    """Return the requirements with one of them relaxed, or else with one left out."""
    left_out = None
    for index, requirement in enumerate(bid.requirements):
        without = (*bid.requirements[:index], *bid.requirements[index + 1 :])
        freed = replace(bid, requirements=without)
        if place(supply, freed, now, shortest=shortest) is None:
            continue
        value = _tightest(supply, freed, requirement, now, shortest)
        if value is not None:
            triples = [list(r.triple) for r in bid.requirements]
            return {"requirements": [*triples[:index], relaxed(requirement, value), *triples[index + 1 :]]}
        if left_out is None:
            left_out = [list(r.triple) for r in without]
    return None if left_out is None else {"requirements": left_out}  # type: ignore[dict-item]


def _tightest(supply: Supply, freed: BookBid, requirement: Requirement, now: int, shortest: int) -> Number | None:
    """Return the value nearest to what ``requirement`` asks that would do in its place."""
    if requirement.operator not in ORDERED or requirement.negated:
        return None
    documents = {offer.hardware.digest: offer.hardware.document for offer in supply.candidates(freed)}
    numbers = {as_number(requirement.expression.evaluate(document)) for document in documents.values()}
    at_least = requirement.operator in (">", ">=")
    # From the tightest to the loosest: what works stays working further on.
    values = sorted((number for number in numbers if number is not None), reverse=at_least)
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        triple = parse_requirements([relaxed(requirement, values[middle])])
        tried = replace(freed, requirements=(*freed.requirements, *triple))
        if place(supply, tried, now, shortest=shortest) is None:
            low = middle + 1
        else:
            high = middle
    return values[low] if low < len(values) else None
