# SPDX-License-Identifier: Apache-2.0
"""Queries over providers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.listing import page
from flocx_common.db.rows import insert_new, update_unchanged
from flocx_common.domain.paging import ListQuery, Page
from flocx_market.db.mappers import provider_from, provider_values
from flocx_market.db.models import providers
from flocx_market.domain.provider import Provider

#: Fields a list of providers can be filtered and sorted by.
FIELDS = {
    name: providers.c[name]
    for name in (
        "uuid",
        "name",
        "service_user_id",
        "turnaround",
        "last_heartbeat_at",
        "silent",
        "created_at",
        "updated_at",
    )
}


class SqlProviders:
    """Providers in the database. Removed ones are kept for the sake of old contracts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, uuid: str) -> Provider | None:
        """Return a provider by uuid, removed or not."""
        return self._first(providers.c.uuid == uuid)

    def speaking(self, service_user_id: str) -> Provider | None:
        """Return the provider that a service user speaks for."""
        return self._first(sa.and_(providers.c.service_user_id == service_user_id, providers.c.removal == ""))

    def page(self, query: ListQuery, service_user_id: str | None) -> Page[Provider]:
        """Return a page of the providers a service user speaks for, or of all for None, without removed ones."""
        visible = sa.select(providers).where(providers.c.removal == "")
        if service_user_id is not None:
            visible = visible.where(providers.c.service_user_id == service_user_id)
        rows, more = page(self._connection, visible, FIELDS, query)
        return Page([provider_from(row) for row in rows], more)

    def all(self) -> Sequence[Provider]:
        """Return all providers that are not removed."""
        query = sa.select(providers).where(providers.c.removal == "").order_by(providers.c.uuid)
        return [provider_from(row) for row in self._connection.execute(query)]

    def add(self, provider: Provider) -> None:
        """Store a new provider.

        :raises IdTaken: the uuid, the name or the service user is in use.
        """
        values = {
            "uuid": provider.uuid,
            **provider_values(provider),
            "last_heartbeat_at": provider.last_heartbeat_at,
            "generation": provider.generation,
        }
        insert_new(self._connection, providers, values, _taken(provider))

    def update(self, provider: Provider) -> None:
        """Store a changed provider.

        :raises StaleGeneration: it was changed by others since it was read.
        :raises IdTaken: the name is in use.
        """
        update_unchanged(
            self._connection,
            providers,
            provider.uuid,
            provider.generation,
            provider_values(provider),
            _taken(provider),
        )

    def heard(self, uuid: str, now: datetime) -> None:
        """Note when a provider was last heard of; no compare-and-set, the later one stands."""
        self._connection.execute(
            sa.update(providers)
            .where(providers.c.uuid == uuid, providers.c.last_heartbeat_at < now)
            .values(last_heartbeat_at=now)
        )

    def _first(self, condition: sa.ColumnElement[bool]) -> Provider | None:
        row = self._connection.execute(sa.select(providers).where(condition)).first()
        return None if row is None else provider_from(row)


def _taken(provider: Provider) -> str:
    return f"name: the uuid, the name {provider.name!r} or the service user {provider.service_user_id!r} is in use"
