# SPDX-License-Identifier: Apache-2.0
"""Telling the market what became of allocations, until it knows."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from flocx_provider.domain.allocation import Allocation
from flocx_provider.ports.market import MarketGateway, MarketRefused, TooEarly
from flocx_provider.ports.store import Store, UnitOfWork

LOG = logging.getLogger(__name__)


def report_allocations(*, market: MarketGateway, store: Store, now: datetime) -> int:
    """Tell the market the status of allocations it does not know yet; return of how many it knows now.

    :raises MarketUnavailable: the market does not answer; the rest waits.
    """
    waiting = store.read(lambda uow: uow.allocations.to_report())
    told = 0
    for allocation in waiting:
        try:
            market.report(allocation)
        except TooEarly as error:
            LOG.info("allocation %s: told again later: %s", allocation.uuid, error.detail)
            continue
        except MarketRefused as error:
            # The market has decided otherwise meanwhile; its decision comes
            # with the next pull, and this status is of no interest any more.
            LOG.info(
                "the market does not take %s for allocation %s: %s", allocation.status, allocation.uuid, error.detail
            )
        _reported(store, allocation, now)
        told += 1
    return told


def _reported(store: Store, told: Allocation, now: datetime) -> None:
    def work(uow: UnitOfWork) -> None:
        current = uow.allocations.get(told.uuid)
        if current is not None:
            uow.allocations.update(replace(current, reported=str(told.status), updated_at=now))

    store.write(work)
