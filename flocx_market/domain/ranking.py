# SPDX-License-Identifier: Apache-2.0
"""Rankings: which bid is served first. Higher values first; ties go by age, then uuid."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flocx_market.domain.book import BookBid

#: What a bid is worth in a ranking, given the time in seconds.
Ranking = Callable[[BookBid, int], int]


def price_time(bid: BookBid, now: int) -> int:
    """Rank by the limit price: who pays most per node-hour comes first."""
    return bid.limit


def value(bid: BookBid, now: int) -> int:
    """Rank by limit price x hours of the contract: what a node earns over the bid.

    For a bid whose start has passed the hours are those that remain. It favours
    long bids over short ones at the same price.
    """
    return bid.limit * bid.length(now)


#: Where a bid stands in the order in which bids are served: smaller comes first.
Standing = tuple[int, int, str]


def standing(bid: BookBid, ranking: Ranking, now: int) -> Standing:
    """Return where a bid stands: by the ranking, then age, then uuid."""
    return -ranking(bid, now), bid.placed, bid.uuid


def ranked(bids: Iterable[BookBid], ranking: Ranking, now: int) -> list[BookBid]:
    """Return the bids in the order in which they are served."""
    return sorted(bids, key=lambda bid: standing(bid, ranking, now))
