# SPDX-License-Identifier: Apache-2.0
"""Taking over what the market wants: allocations of our nodes, through a cursor.

The cursor moves in the transaction that stores what came before it. So a crash
repeats and never skips, and what is repeated changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from flocx_common.domain.clock import floor_second
from flocx_common.domain.events import Event, projects
from flocx_provider.domain.allocation import MARKET_LIVE, Allocation, AllocationStatus
from flocx_provider.ports.market import AllocationNews, CursorLost, MarketGateway
from flocx_provider.ports.store import Registered, Store, UnitOfWork

LOG = logging.getLogger(__name__)


def await_allocations(*, market: MarketGateway, store: Store, wait: float) -> bool:
    """Wait until the market has something for us; return whether it has. Nothing is changed.

    :param wait: most seconds to wait. Where the market does not know us or is
        too crowded to let us wait, the answer comes sooner.
    :raises MarketUnavailable: the market does not answer.
    """
    registered = store.read(lambda uow: uow.registration.get())
    if registered.provider_uuid is None:
        return False
    try:
        news, following = market.changes(registered.cursor, wait)
    except CursorLost:
        return True
    return bool(news) or following != registered.cursor


def pull_allocations(*, market: MarketGateway, store: Store, now: datetime) -> int:
    """Take over allocations that changed since the last time; return how many.

    A provider that the market does not know yet has none.

    :raises MarketUnavailable: the market does not answer; nothing is lost.
    """
    registered = store.read(lambda uow: uow.registration.get())
    if registered.provider_uuid is None:
        return 0
    cursor = registered.cursor
    try:
        news, following = market.changes(cursor, 0)
    except CursorLost:
        LOG.warning("the market does not know our cursor; everything is read anew")
        store.write(lambda uow: uow.registration.put(replace(uow.registration.get(), cursor=None)))
        return 0
    if following != cursor:
        store.write(lambda uow: _take_over(uow, news, cursor, following, now))
    return len(news)


def _take_over(
    uow: UnitOfWork, news: Sequence[AllocationNews], cursor: str | None, following: str, now: datetime
) -> None:
    registered = uow.registration.get()
    if registered.cursor != cursor:
        # Another manager was faster; what it stored is at least as new.
        return
    for item in news:
        _store(uow, item, now)
    uow.registration.put(Registered(provider_uuid=registered.provider_uuid, cursor=following))


def _store(uow: UnitOfWork, news: AllocationNews, now: datetime) -> None:
    if uow.contracts.get(news.contract.uuid) != news.contract:
        uow.contracts.put(news.contract)
    known = uow.allocations.get(news.uuid)
    if known is None:
        allocation = _new(news, now)
        uow.allocations.add(allocation)
        uow.record(_told("allocation.acknowledged", allocation, now))
        return
    changed = replace(
        known,
        end_time=news.end_time,
        clearing_price=news.clearing_price,
        amount=news.amount,
        market_status=news.status,
    )
    if changed != known:
        uow.allocations.update(replace(changed, updated_at=now))
    if not known.settled and (changed.wanted is not known.wanted or changed.end_time != known.end_time):
        # Wakes whoever has to act on it.
        uow.record(_told("allocation.changed", changed, now))


def _new(news: AllocationNews, now: datetime) -> Allocation:
    live = news.status in MARKET_LIVE
    return Allocation(
        uuid=news.uuid,
        contract_uuid=news.contract.uuid,
        offer_uuid=news.offer_uuid,
        node_uuid=news.node_uuid,
        node_name=news.node_name,
        owner_project_id=news.owner_project_id,
        lessee_project_id=news.contract.lessee_project_id,
        start_time=news.start_time,
        end_time=news.end_time,
        clearing_price=news.clearing_price,
        amount=news.amount,
        market_status=news.status,
        # One that is over before it was ever seen has nothing to deliver; its
        # node is still looked at once, should a lost database have delivered it.
        status=AllocationStatus.ACKNOWLEDGED if live else AllocationStatus.RELEASED,
        status_reason=None,
        delivered_from=None,
        delivered_until=None,
        breach=False,
        reported=news.status,
        settled=False,
        trouble=None,
        trouble_since=None,
        noticed_at=None,
        created_at=floor_second(now),
        updated_at=floor_second(now),
    )


def _told(event_type: str, allocation: Allocation, now: datetime) -> Event:
    return Event(
        event_type=event_type,
        entity_uuid=allocation.uuid,
        project_ids=projects(allocation.lessee_project_id, allocation.owner_project_id),
        occurred_at=now,
        detail={
            "contract_uuid": allocation.contract_uuid,
            "node_uuid": allocation.node_uuid,
            "node_name": allocation.node_name,
        },
    )
