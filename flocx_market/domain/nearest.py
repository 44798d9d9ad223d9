# SPDX-License-Identifier: Apache-2.0
"""The least change with which an open bid could be served from what is left.

It is judged against the stock after the round, never by outbidding an open
bid: the round leaves no bid open that what is left could serve, so a change
that works here works in the next round too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from flocx_common.domain.json_values import JSON
from flocx_common.domain.money import from_micros, price_text
from flocx_market.domain.book import BookBid
from flocx_market.domain.lots import Index
from flocx_market.domain.openings import Openings, Reach, joined
from flocx_market.domain.requirements import ORDERED, Number, Requirement, relaxed
from flocx_market.domain.stock import Stock
from flocx_market.domain.tally import earliest_with, most_at_once
from flocx_market.domain.wording import instant

# A limit further up than this half again comes after every other change.
_CLOSE = (3, 2)


def nearest_change(
    stock: Stock,
    bid: BookBid,
    now: int,
    reach: Reach,
    openings: Openings,
    *,
    shortest: int,
    longest: int | None,
) -> Mapping[str, JSON] | None:
    """Return the fields of the bid to change, with their new values, or None where one alone is not enough.

    One field or one triple, by the least that works. Where several would do:
    the limit if it rises to at most one and a half times, then the start, the
    quantity, a requirement, and last a higher limit.

    :param reach: what of the stock the bid could be served from.
    :param openings: where it could be, leaving its limit aside.
    """
    limit = _limit(bid, openings)
    if limit is not None and limit * _CLOSE[1] <= bid.limit * _CLOSE[0]:
        return {"limit_price": price_text(from_micros(limit))}
    affordable = openings.up_to(bid.limit)
    change = (
        _start(bid, now, reach.other_starts(shortest, longest))
        or _quantity(bid, affordable)
        or _requirement(stock, bid, reach, affordable)
    )
    if change is not None:
        return change
    return None if limit is None else {"limit_price": price_text(from_micros(limit))}


def _limit(bid: BookBid, openings: Openings) -> int | None:
    """Return the lowest limit that would do: the least price up to which there are enough nodes at once."""
    if openings.nodes < bid.quantity:
        return None
    if _one_for_another(bid):
        order = np.argsort(openings.reserve)
        dearest = np.searchsorted(np.cumsum(openings.places.counts[order]), bid.quantity)
        return int(openings.reserve[order[dearest]])
    prices = np.unique(openings.reserve)
    place = _first(len(prices), lambda place: _enough(bid, openings.up_to(int(prices[place]))))
    return None if place is None else int(prices[place])


def _start(bid: BookBid, now: int, openings: Openings) -> Mapping[str, JSON] | None:
    """Return the start nearest to the bid's own that would do."""
    if openings.nodes < bid.quantity:
        return None
    origin, places = bid.starting(now), openings.places
    earlier = earliest_with(bid.quantity, places.mirrored, -origin)
    # A flexible bid may start later as it is; what lies later cannot help it.
    later = earliest_with(bid.quantity, places, origin) if bid.duration is None else None
    found = [start for start in (later, None if earlier is None else -earlier) if start is not None]
    if not found:
        return None
    return {"start_time": instant(min(found, key=lambda start: (abs(start - origin), start)))}


def _quantity(bid: BookBid, openings: Openings) -> Mapping[str, JSON] | None:
    """Return the most nodes that can be had at once, where that is fewer than wanted but not none."""
    most = most_at_once(openings.places)
    return {"quantity": most} if 0 < most < bid.quantity else None


def _requirement(stock: Stock, bid: BookBid, reach: Reach, openings: Openings) -> Mapping[str, JSON] | None:
    """Return the requirements with one of them relaxed, or else with one left out."""
    # Whatever fails one requirement only is what leaving that one out would add.
    added = reach.openings(reach.failed == 1, bid.limit)
    if not len(added):
        return None
    kinds = stock.lots.kinds(added.rows)
    triples: list[JSON] = [list(requirement.triple) for requirement in bid.requirements]
    left_out: list[JSON] | None = None
    for index, (requirement, meets) in enumerate(zip(bid.requirements, reach.meets, strict=True)):
        failing = np.flatnonzero(~meets[kinds])
        more = added.only(failing)
        if not _enough(bid, openings, more):
            continue
        value = _tightest(stock, bid, requirement, openings, more, kinds[failing])
        if value is not None:
            return {"requirements": [*triples[:index], relaxed(requirement, value), *triples[index + 1 :]]}
        if left_out is None:
            left_out = [*triples[:index], *triples[index + 1 :]]
    return None if left_out is None else {"requirements": left_out}


def _tightest(
    stock: Stock, bid: BookBid, requirement: Requirement, openings: Openings, more: Openings, kinds: Index
) -> Number | None:
    """Return the listed value nearest to what ``requirement`` asks that would do in its place.

    :param more: what would be added if it were left out, on hardware of these ``kinds``.
    """
    if requirement.operator not in ORDERED or requirement.negated:
        return None
    numbers = stock.listed.numbers(requirement.expression)
    ranks = numbers.rank[kinds]
    # From the tightest to the loosest: what works stays working further on.
    tried = np.unique(ranks[ranks >= 0])
    if requirement.operator in (">", ">="):
        tried = tried[::-1]

    def within(rank: int) -> Openings:
        holds = ranks >= rank if requirement.operator in (">", ">=") else (ranks <= rank) & (ranks >= 0)
        return more.only(np.flatnonzero(holds))

    place = _first(len(tried), lambda place: _enough(bid, openings, within(int(tried[place]))))
    return None if place is None else numbers.listed[int(tried[place])]


def _enough(bid: BookBid, *parts: Openings) -> bool:
    """Tell whether the bid could be served from these openings together."""
    if sum(part.nodes for part in parts) < bid.quantity:
        return False
    return _one_for_another(bid) or most_at_once(joined(parts).places) >= bid.quantity


def _one_for_another(bid: BookBid) -> bool:
    """Tell whether any nodes with openings can be had at once: there is one start only, and no rule about sharing."""
    return bid.duration is None and bid.spread is None and bid.together is None


def _first(count: int, works: Callable[[int], bool]) -> int | None:
    """Return the first of so many that works, where all behind one that works do too; None where none does."""
    if not count or not works(count - 1):
        return None
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return low
