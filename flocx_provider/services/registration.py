# SPDX-License-Identifier: Apache-2.0
"""Being known on the market, and alive."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from flocx_common.domain.events import Event
from flocx_provider.ports.market import MarketGateway
from flocx_provider.ports.store import Store, UnitOfWork
from flocx_provider.services.settings import ProviderSettings

LOG = logging.getLogger(__name__)


class Heart:
    """Registers this provider where it is not known, and tells the market that it is alive.

    The first beat of a process registers, so that a changed name or turnaround
    is told; later ones only when the market does not know us.
    """

    def __init__(self, market: MarketGateway, store: Store, settings: ProviderSettings) -> None:
        self._market, self._store, self._settings = market, store, settings
        self._introduced = False

    def beat(self, now: datetime) -> None:
        """Say that this provider is alive.

        :raises MarketUnavailable: the market does not answer.
        :raises MarketRefused: the market will not register us as configured.
        """
        known = self._store.read(lambda uow: uow.registration.get()).provider_uuid
        if known is None or not self._introduced or not self._market.heartbeat(known):
            self._register(known, now)

    def _register(self, known: str | None, now: datetime) -> None:
        turnaround = int(self._settings.turnaround.total_seconds())
        uuid = self._market.register(name=self._settings.name, turnaround=turnaround)
        if uuid != known:
            LOG.info("registered on the market as provider %s", uuid)
            self._store.write(lambda uow: _remember(uuid, now, uow))
        self._introduced = self._market.heartbeat(uuid)


def _remember(uuid: str, now: datetime, uow: UnitOfWork) -> None:
    """Store our uuid on the market; the event wakes what has waited for it."""
    uow.registration.put(replace(uow.registration.get(), provider_uuid=uuid))
    uow.record(Event(event_type="provider.registered", entity_uuid=uuid, project_ids=frozenset(), occurred_at=now))
