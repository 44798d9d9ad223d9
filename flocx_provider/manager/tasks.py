# SPDX-License-Identifier: Apache-2.0
"""The jobs of a provider's manager: each one call of a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flocx_common.manager.jobs import JobSpec
from flocx_provider.ports.inventory import NodeInventory
from flocx_provider.ports.market import MarketGateway
from flocx_provider.ports.placement import PlacementAggregates
from flocx_provider.ports.store import Store
from flocx_provider.services.fulfillment import reconcile
from flocx_provider.services.health import examine_offers
from flocx_provider.services.placement_aggregates import keep_aggregates
from flocx_provider.services.publishing import publish_offers, resync_offers
from flocx_provider.services.pulling import await_allocations, pull_allocations
from flocx_provider.services.registration import Heart
from flocx_provider.services.reporting import report_allocations
from flocx_provider.services.settings import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Seconds between the periodic runs of each job; 0 turns one off. ``wait`` is the length of a long poll."""

    publish: float
    resync: float
    pull: float
    reconcile: float
    report: float
    health: float
    heartbeat: float
    wait: float
    placement: float = 0


def provider_jobs(
    store: Store,
    inventory: NodeInventory,
    market: MarketGateway,
    settings: ProviderSettings,
    intervals: Intervals,
    placement: PlacementAggregates | None = None,
) -> Sequence[JobSpec]:
    """Return the jobs: two that listen and talk to the market, one that acts on nodes, and those around them.

    :param placement: the aggregates to keep, None for none.
    """
    heart = Heart(market, store, settings)

    def publish(now: datetime) -> None:
        publish_offers(market=market, store=store, now=now)

    def resync(now: datetime) -> None:
        resync_offers(market=market, store=store, now=now)

    def listen() -> bool:
        return await_allocations(market=market, store=store, wait=intervals.wait)

    def pull(now: datetime) -> datetime:
        pull_allocations(market=market, store=store, now=now)
        return now

    def hand_over(now: datetime) -> datetime | None:
        return reconcile(inventory=inventory, store=store, rules=settings.fulfillment, now=now)

    def report(now: datetime) -> None:
        report_allocations(market=market, store=store, now=now)

    def examine(now: datetime) -> None:
        examine_offers(inventory=inventory, private=settings.private, store=store, now=now)

    def beat(now: datetime) -> None:
        heart.beat(now)

    jobs = [
        JobSpec(name="heartbeat", work=beat, interval=intervals.heartbeat),
        JobSpec(name="publish", work=publish, interval=intervals.publish, on_change=True),
        JobSpec(name="pull", work=pull, interval=intervals.pull, listen=listen),
        JobSpec(name="reconcile", work=hand_over, interval=intervals.reconcile, on_change=True),
        JobSpec(name="report", work=report, interval=intervals.report, on_change=True),
        JobSpec(name="health", work=examine, interval=intervals.health, on_change=True),
        JobSpec(name="resync", work=resync, interval=intervals.resync),
    ]
    if placement is not None:

        def aggregate(now: datetime) -> None:
            keep_aggregates(inventory=inventory, placement=placement)

        jobs.append(JobSpec(name="placement", work=aggregate, interval=intervals.placement, on_change=True))
    return jobs
