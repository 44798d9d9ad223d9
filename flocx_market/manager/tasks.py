# SPDX-License-Identifier: Apache-2.0
"""The jobs of the market's manager: each one call of a service."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from flocx_common.manager.jobs import JobSpec
from flocx_market import metrics
from flocx_market.ports.store import Store
from flocx_market.services.clearing import run_round
from flocx_market.services.providers import notice_silence
from flocx_market.services.settings import MarketSettings
from flocx_market.services.standing import StandingMarket

LOG = logging.getLogger(__name__)


def market_jobs(
    store: Store, settings: MarketSettings, *, clearing_interval: float, liveness_interval: float, gather: float
) -> Sequence[JobSpec]:
    """Return the jobs: rounds of the market, and noticing silent providers.

    :param gather: seconds that bids wait for each other before a round.
    """
    standing = StandingMarket(settings)

    def clear(now: datetime) -> None:
        report = run_round(store=store, settings=settings, now=now, standing=standing)
        metrics.MADE.inc(report.matched)
        metrics.LOST.inc(report.lost)
        metrics.MISSED.inc(report.missed)
        metrics.OPEN.set(report.left)
        if report.changed or report.lost:
            LOG.info(
                "round: %d contracts, %d nodes replaced, %d contracts moved on, %d closed, %d left to the next round",
                report.matched,
                report.replaced,
                report.swept,
                report.expired,
                report.lost,
            )

    def watch(now: datetime) -> None:
        silent = notice_silence(store=store, now=now, liveness_timeout=settings.liveness_timeout)
        if silent:
            LOG.warning("%d providers have fallen silent; their offers are suspended", silent)

    return [
        JobSpec(name="clearing", work=clear, interval=clearing_interval, on_change=True, patience=gather),
        JobSpec(name="liveness", work=watch, interval=liveness_interval),
    ]
