# SPDX-License-Identifier: Apache-2.0
"""What a world came to: who was served, who waited, which nodes were used, at which prices."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import mean, median

from flocx_market.domain.book import BookOffer, Span, to_instant, to_seconds
from flocx_market.domain.clearing import Deal
from flocx_market.simulation.conversion import Asked, Catalogue
from flocx_market.simulation.replay import Deals

_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldTotals:
    """One world in one line. Times in hours, money in price units.

    ``elsewhere`` is what was served on nodes of other sites, ``waited`` what
    was served later than it was wanted.
    """

    world: str
    bids: int
    served_bids: int
    asked_node_hours: float
    served_node_hours: float
    elsewhere_node_hours: float
    unserved_node_hours: float
    waited_bids: int
    waited_node_hours: float
    mean_wait_hours: float
    median_wait_hours: float
    longest_wait_hours: float
    surplus: float
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMonth:
    """What one owner's nodes did in one month: node-hours in the simulated span, offered and sold."""

    world: str
    month: str
    owner: str
    nodes: int
    offered_node_hours: float
    sold_node_hours: float
    to_own_users_node_hours: float
    amount: float

    @property
    def utilization(self) -> float:
        """The share of the offered node-hours that was sold."""
        return self.sold_node_hours / self.offered_node_hours if self.offered_node_hours else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePoint:
    """What bids for one node type that got a contract on one day pay a node-hour, against what that type costs."""

    world: str
    day: str
    node_type: str
    contracts: int
    node_hours: float
    mean_price: float
    reserve_price: float


def totals(world: str, asked: Sequence[Asked], deals: Deals) -> WorldTotals:
    """Return what a world came to over all bids."""
    wanted = sum(one.node_seconds for one in asked)
    served = [(one, deals[one.bid.uuid]) for one in asked if one.bid.uuid in deals]
    got = sum(node_seconds(deal) for _, deal in served)
    elsewhere = sum(
        deal.award.contract.length
        for one, deal in served
        for offer in deal.award.offers
        if offer.owner_project_id != one.reservation.site
    )
    waits = [(deal.award.contract.begin - one.begin) / _HOUR for one, deal in served]
    return WorldTotals(
        world=world,
        bids=len(asked),
        served_bids=len(served),
        asked_node_hours=_hours(wanted),
        served_node_hours=_hours(got),
        elsewhere_node_hours=_hours(elsewhere),
        unserved_node_hours=_hours(wanted - got),
        waited_bids=sum(wait > 0 for wait in waits),
        waited_node_hours=_hours(
            sum(node_seconds(deal) for (_, deal), wait in zip(served, waits, strict=True) if wait > 0)
        ),
        mean_wait_hours=round(mean(waits), 4) if waits else 0.0,
        median_wait_hours=round(median(waits), 4) if waits else 0.0,
        longest_wait_hours=round(max(waits, default=0.0), 4),
        surplus=money(surplus(deals)),
        amount=money(sum(sum(deal.prices) * deal.award.contract.length for deal in deals.values())),
    )


def node_seconds(deal: Deal) -> int:
    """Return how much a deal delivers."""
    return deal.award.contract.length * len(deal.award.offers)


def all_node_seconds(deals: Deals) -> int:
    """Return how much all deals of a world deliver."""
    return sum(node_seconds(deal) for deal in deals.values())


def surplus(deals: Deals) -> int:
    """Return what the deals are worth to both sides, in smallest price steps x node-seconds."""
    return sum(deal.award.surplus for deal in deals.values())


def money(steps: int) -> float:
    """Return smallest price steps x seconds in price units x hours, with two digits."""
    return round(steps / 10**6 / _HOUR, 2)


def owners(
    world: str, asked: Sequence[Asked], deals: Deals, offers: Sequence[BookOffer], span: Span
) -> list[OwnerMonth]:
    """Return each owner's months in ``span``; what contracts have outside it is not counted."""
    nodes: dict[str, int] = defaultdict(int)
    for offer in offers:
        nodes[offer.owner_project_id] += 1
    sites = {one.bid.uuid: one.reservation.site for one in asked}
    sold: dict[tuple[str, str, bool], list[int]] = defaultdict(lambda: [0, 0])
    periods = list(months(span))
    begins = [period.begin for _, period in periods]
    for uuid, deal in deals.items():
        contract = deal.award.contract
        touched = slice(max(bisect_right(begins, contract.begin) - 1, 0), bisect_left(begins, contract.end))
        for month, period in periods[touched]:
            seconds = max(_shared(contract, period), 0)
            for offer, price in zip(deal.award.offers, deal.prices, strict=True):
                tally = sold[offer.owner_project_id, month, offer.owner_project_id == sites[uuid]]
                tally[0] += seconds
                tally[1] += seconds * price
    found = []
    for month, period in periods:
        for owner in sorted(nodes):
            own, other = sold[owner, month, True], sold[owner, month, False]
            found.append(
                OwnerMonth(
                    world=world,
                    month=month,
                    owner=owner,
                    nodes=nodes[owner],
                    offered_node_hours=_hours(nodes[owner] * period.length),
                    sold_node_hours=_hours(own[0] + other[0]),
                    to_own_users_node_hours=_hours(own[0]),
                    amount=money(own[1] + other[1]),
                )
            )
    return found


def prices(world: str, asked: Sequence[Asked], deals: Deals, catalogue: Catalogue) -> list[PricePoint]:
    """Return the price path: for each day on which bids came that got a contract, and each type they asked for."""
    days: dict[tuple[str, str], list[Deal]] = defaultdict(list)
    for one in asked:
        if one.bid.uuid in deals:
            day = to_instant(one.reservation.submitted).date().isoformat()
            days[day, one.reservation.node_type].append(deals[one.bid.uuid])
    return [
        PricePoint(
            world=world,
            day=day,
            node_type=node_type,
            contracts=len(made),
            node_hours=_hours(sum(map(node_seconds, made))),
            mean_price=round(
                sum(sum(deal.prices) * deal.award.contract.length for deal in made)
                / sum(map(node_seconds, made))
                / 10**6,
                6,
            ),
            reserve_price=catalogue.reserve(node_type) / 10**6,
        )
        for (day, node_type), made in sorted(days.items())
    ]


def months(span: Span) -> Iterator[tuple[str, Span]]:
    """Yield the calendar months (UTC) of a span, the first and the last cut to it."""
    begin = span.begin
    while begin < span.end:
        first = to_instant(begin)
        following = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
        end = min(span.end, to_seconds(following))
        yield first.strftime("%Y-%m"), Span(begin, end)
        begin = end


def by_site(asked: Sequence[Asked], worlds: dict[str, Deals]) -> list[dict[str, object]]:
    """Return, for each site's users, what they asked for and what each world served of it, in node-hours."""

    def hours(site: str, size: Callable[[Asked], int]) -> float:
        return _hours(sum(size(one) for one in asked if one.reservation.site == site))

    return [
        {
            "site": site,
            "asked_node_hours": hours(site, lambda one: one.node_seconds),
            **{
                f"{world}_node_hours": hours(
                    site,
                    lambda one, deals=deals: one.node_seconds if one.bid.uuid in deals else 0,  # type: ignore[misc]
                )
                for world, deals in worlds.items()
            },
        }
        for site in sorted({one.reservation.site for one in asked})
    ]


def _shared(one: Span, other: Span) -> int:
    return min(one.end, other.end) - max(one.begin, other.begin)


def _hours(seconds: int) -> float:
    return round(seconds / _HOUR, 2)
