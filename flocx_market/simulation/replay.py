# SPDX-License-Identifier: Apache-2.0
"""Simulated time: every submission is a round of the market's own clearing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flocx_market.domain.book import BookOffer
from flocx_market.domain.clearing import Deal, Rules, hold_round
from flocx_market.simulation.conversion import Asked
from flocx_market.simulation.shelf import Shelf

#: The deals of a world by the uuid of the bid; who has none was not served.
Deals = Mapping[str, Deal]
#: Called with the number of bids that have had their round since the last call.
Step = Callable[[int], None]


def replay(asked: Iterable[Asked], offers: Sequence[BookOffer], rules: Rules, *, gather: int, step: Step) -> Deals:
    """Return what bids get from offers, each in the round after it was submitted.

    Bids have a duration, nothing is given back and no node is added: what could
    not serve a bid in its round can never serve it later, so that a bid left
    open is not tried again.

    :param gather: seconds that bids wait for each other; with 0 those submitted
        in the same second share a round.
    """
    shelf, deals = Shelf(offers), dict[str, Deal]()
    for batch in _batches(asked, gather):
        bids = [one.bid for one in batch]
        now = batch[0].reservation.submitted + gather
        for deal in hold_round(shelf.book(bids, now), now, rules).deals:
            shelf.take(deal.award, now)
            deals[deal.award.bid.uuid] = deal
        step(len(batch))
    return deals


def every_site_alone(
    asked: Sequence[Asked], offers: Sequence[BookOffer], rules: Rules, *, gather: int, step: Step
) -> Deals:
    """Return what bids get when each site serves its own users only, from its own nodes."""
    deals: dict[str, Deal] = {}
    for site in sorted({one.reservation.site for one in asked}):
        of_users = [one for one in asked if one.reservation.site == site]
        of_owner = [offer for offer in offers if offer.owner_project_id == site]
        deals |= replay(of_users, of_owner, rules, gather=gather, step=step)
    return deals


def _batches(asked: Iterable[Asked], gather: int) -> Iterator[list[Asked]]:
    batch: list[Asked] = []
    for one in sorted(asked, key=lambda a: (a.reservation.submitted, a.bid.uuid)):
        if batch and one.reservation.submitted > batch[0].reservation.submitted + gather:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch
