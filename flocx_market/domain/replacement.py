# SPDX-License-Identifier: Apache-2.0
"""Finding another node for one that failed, on the same terms for the remaining time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from flocx_common.domain.clock import ceil_second
from flocx_common.domain.money import to_micros
from flocx_market.domain.book import BookBid, BookOffer, Span, to_seconds
from flocx_market.domain.contract import Allocation, Contract
from flocx_market.domain.formation import form_allocation
from flocx_market.domain.supply import Supply, share_keys


def find_replacement(
    supply: Supply, bid: BookBid, contract: Contract, failed: Allocation, kept: Sequence[BookOffer], now: datetime
) -> tuple[BookOffer, Span] | None:
    """Return the offer whose node can take the place of ``failed``, and the window, or None.

    The terms are those of the contract: the bid's requirements, the failed
    node's price (an owner that asks more cannot serve), the contract's end, and
    ``spread`` and ``together`` with the nodes it keeps. A node that has been in
    the contract before is not taken again.

    :param kept: the offers of the nodes that stay, with their hardware.
    """
    begin = max(to_seconds(failed.start_time), to_seconds(ceil_second(now)))
    window = Span(begin, to_seconds(contract.end_time))
    terms = replace(
        bid, quantity=1, begin=window.begin, end=window.end, duration=None, limit=to_micros(failed.clearing_price)
    )
    if not terms.servable(window.begin, 0):
        return None
    used = {allocation.node_uuid for allocation in contract.allocations}
    groups = {share_keys(supply, bid, offer)[0] for offer in kept}
    shares = Counter(share_keys(supply, bid, offer)[1] for offer in kept)
    openings = supply.openings(supply.candidates(terms), terms, window.begin)
    for opening in sorted(openings, key=lambda found: found.preference):
        offer = opening.offer
        group, share = share_keys(supply, bid, offer)
        full = bid.spread is not None and shares[share] >= bid.spread.most
        if offer.node_uuid not in used and not full and (not groups or group in groups):
            return offer, window
    return None


def succeeding(contract: Contract, failed: Allocation, offer: BookOffer, window: Span, now: datetime) -> Allocation:
    """Return the allocation that takes the place of ``failed``, at the same price."""
    return form_allocation(contract.uuid, offer, window, to_micros(failed.clearing_price), now)
