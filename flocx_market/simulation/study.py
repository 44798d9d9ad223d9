# SPDX-License-Identifier: Apache-2.0
"""A whole replay: the same bids in three worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from flocx_market.domain.book import BookOffer, Span
from flocx_market.domain.clearing import Rules
from flocx_market.simulation import accounts
from flocx_market.simulation.accounts import OwnerMonth, PricePoint, WorldTotals
from flocx_market.simulation.bound import Bound, bound
from flocx_market.simulation.conversion import Asked, Catalogue, Knobs, as_bids, as_offers, sites_of
from flocx_market.simulation.demand import wishes
from flocx_market.simulation.replay import Deals, every_site_alone, replay
from flocx_market.simulation.traces import (
    Capacity,
    NodeType,
    Reservation,
    TraceInvalid,
    read_capacity,
    read_node_types,
    read_reservations,
)

#: Every site on its own; all sites together.
ALONE, EXCHANGE = "alone", "exchange"
_DAY = 24 * 3600

#: Called now and then with (what is being done, how many are done, how many there are).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What a replay starts from."""

    reservations: Sequence[Reservation]
    capacity: Sequence[Capacity]
    node_types: Mapping[str, NodeType]

    @property
    def catalogue(self) -> Catalogue:
        """What node types are and cost; of several prices for a type the highest."""
        reserves: dict[str, int] = {}
        for one in self.capacity:
            if one.reserve is not None:
                reserves[one.node_type] = max(one.reserve, reserves.get(one.node_type, 0))
        return Catalogue(self.node_types, reserves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The bids and offers that traces become; ``span`` is the time over which owners' nodes are counted."""

    asked: Sequence[Asked]
    offers: Sequence[BookOffer]
    sites: Mapping[str, str]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What the three worlds came to."""

    market: Market
    worlds: Mapping[str, Deals]
    totals: Sequence[WorldTotals]
    owners: Sequence[OwnerMonth]
    prices: Sequence[PricePoint]
    bound: Bound


def read_traces(reservations: Path, capacity: Path, node_types: Path | None) -> Traces:
    """Return the traces of these files; ``node_types`` None is the table that comes with FLOCX.

    :raises TraceInvalid: a file cannot be used.
    """
    return Traces(
        reservations=read_reservations(reservations),
        capacity=read_capacity(capacity),
        node_types=read_node_types(node_types),
    )


def market_of(traces: Traces, knobs: Knobs, begin: int | None, end: int | None) -> Market:
    """Return the bids submitted from ``begin`` until before ``end``, and all offers.

    Without a begin the span begins on the day of the first bid, without an end
    it ends with the day of the last, both in UTC.

    :raises TraceInvalid: there is no bid in that time.
    """
    counted = [
        wish
        for wish in wishes(traces.reservations, rows=knobs.rows, attempts=knobs.attempts, within=knobs.within)
        if (begin is None or begin <= wish.submitted) and (end is None or wish.submitted < end)
    ]
    if not counted:
        raise TraceInvalid("--reservations: none in the simulated time has nodes, a length, and counts under --rows")
    first, last = counted[0].submitted, counted[-1].submitted
    sites = sites_of(traces.capacity, traces.reservations)
    return Market(
        asked=as_bids(counted, traces.catalogue, knobs),
        offers=as_offers(traces.capacity, sites, traces.catalogue, knobs),
        sites=sites,
        span=Span(
            first // _DAY * _DAY if begin is None else begin,
            (last // _DAY + 1) * _DAY if end is None else end,
        ),
    )


def worlds_of(market: Market, rules: Rules, knobs: Knobs, progress: Progress) -> dict[str, Deals]:
    """Return the deals of every site alone, and of the exchange."""
    return {
        ALONE: every_site_alone(
            market.asked,
            market.offers,
            rules,
            gather=knobs.gather,
            step=_counted(progress, "every site alone", len(market.asked)),
        ),
        EXCHANGE: replay(
            market.asked,
            market.offers,
            rules,
            gather=knobs.gather,
            step=_counted(progress, "the exchange", len(market.asked)),
        ),
    }


def study(traces: Traces, market: Market, rules: Rules, knobs: Knobs, progress: Progress) -> Study:
    """Replay the bids in every world and account for what came of them. Pure but for ``progress``."""
    worlds = worlds_of(market, rules, knobs, progress)
    achieved = Bound(
        node_seconds=accounts.all_node_seconds(worlds[EXCHANGE]), surplus=accounts.surplus(worlds[EXCHANGE])
    )
    return Study(
        market=market,
        worlds=worlds,
        totals=[accounts.totals(name, market.asked, deals) for name, deals in worlds.items()],
        owners=list(
            chain.from_iterable(
                accounts.owners(name, market.asked, deals, market.offers, market.span) for name, deals in worlds.items()
            )
        ),
        prices=list(
            chain.from_iterable(
                accounts.prices(name, market.asked, deals, traces.catalogue) for name, deals in worlds.items()
            )
        ),
        bound=bound(market.asked, market.offers, achieved, lambda done, of: progress("the bound", done, of)),
    )


def _counted(progress: Progress, what: str, of: int) -> Callable[[int], None]:
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        progress(what, done, of)

    return step
