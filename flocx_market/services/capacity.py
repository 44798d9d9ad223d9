# SPDX-License-Identifier: Apache-2.0
"""How much could be had now, and what a node would have earned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flocx_common.domain.clock import ceil_second
from flocx_common.domain.errors import Invalid, NodeNotFound
from flocx_common.domain.ids import is_id
from flocx_common.domain.money import to_micros
from flocx_common.domain.paging import Filter, ListQuery, SortKey
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.book import BookBid, to_seconds, to_span
from flocx_market.domain.capacity import Capacity, capacity
from flocx_market.domain.earnings import Earnings, Sale, earnings
from flocx_market.domain.hardware_classes import LiveExpressions
from flocx_market.domain.offer import Offer
from flocx_market.domain.stock import Stock
from flocx_market.ports.store import Store, UnitOfWork, Viewer
from flocx_market.services.settings import MarketSettings
from flocx_market.services.supply import saleable

# So many offers are looked at for a node's name.
_NAMED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEarnings:
    """What a node would have earned in a window; ``offer`` is its newest offer."""

    offer: Offer
    window: TimeWindow
    earnings: Earnings


def ask_capacity(
    question: BookBid, *, most_steps: int, store: Store, settings: MarketSettings, now: datetime
) -> Capacity:
    """Return how much a bid like the question could have now; see :func:`flocx_market.domain.capacity.capacity`.

    No bid is read for it, whoever's it may be.
    """
    live = LiveExpressions.of([question])
    offers = store.read(lambda uow: saleable(uow, live, now, settings.liveness_timeout)).offers
    second = to_seconds(ceil_second(now))
    shortest = settings.limits.shortest_contract
    return capacity(Stock(offers), question, second, shortest=shortest, most_steps=most_steps)


def ask_earnings(
    node: str,
    days: int,
    *,
    viewer: Viewer,
    owns: Callable[[Offer], bool],
    most_steps: int,
    store: Store,
    now: datetime,
) -> NodeEarnings:
    """Return what a node would have earned in the last days; see :func:`flocx_market.domain.earnings.earnings`.

    Nodes are like it that have its resource class or, where it has none, its
    very hardware; their offers are those that its owner may see. Contracts of
    its owner are left out: nobody is served by its own nodes.

    :param node: by name or UUID.
    :param viewer: whose eyes names are looked for with.
    :param owns: tells whether the caller may ask about the node of an offer.
    :raises NodeNotFound: the caller has offered no such node.
    :raises Invalid: several nodes have the name.
    """
    end = ceil_second(now)
    window = TimeWindow(end - timedelta(days=days), end)

    def read(uow: UnitOfWork) -> NodeEarnings:
        offer = _offer_of(uow, node, viewer, owns)
        provider = uow.providers.get(offer.provider_uuid)
        sales = [
            Sale(to_span(sold.window), to_micros(sold.reserve_price))
            for sold in uow.contracts.sold_like(offer, window.start, end)
            # Who asks more than was paid asked less then.
            if sold.reserve_price <= sold.clearing_price
        ]
        turnaround = 0 if provider is None else provider.turnaround
        found = earnings(sales, to_span(window), turnaround=turnaround, most_steps=most_steps)
        return NodeEarnings(offer=offer, window=window, earnings=found)

    return store.read(read)


def _offer_of(uow: UnitOfWork, node: str, viewer: Viewer, owns: Callable[[Offer], bool]) -> Offer:
    """Return the newest offer of a node."""
    if is_id(node.lower()):
        offers = uow.offers.of_node(node.lower())
    else:
        filters = [Filter("node_name", "eq", (node,))]
        if viewer.project_id is not None:
            # Others may have called many nodes so.
            filters.append(Filter("owner_project_id", "eq", (viewer.project_id,)))
        query = ListQuery(filters=tuple(filters), sort=(SortKey("created_at", descending=True),), limit=_NAMED)
        offers = uow.offers.page(query, viewer).items
    mine = [offer for offer in offers if owns(offer)]
    if not mine:
        raise NodeNotFound(f"earnings.node: the project has offered no node {node!r}", field="earnings.node")
    if len({offer.node_uuid for offer in mine}) > 1:
        raise Invalid(f"earnings.node: several nodes are called {node!r}; a UUID is expected", field="earnings.node")
    return max(mine, key=lambda offer: (offer.created_at, offer.uuid))
