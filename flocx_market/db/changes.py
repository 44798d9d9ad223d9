# SPDX-License-Identifier: Apache-2.0
"""What has changed since a place in the order of changes, as far as rounds take notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.changes import current_number
from flocx_market.db.contracts import KEEPS
from flocx_market.db.models import allocations, change_counter, events, offers
from flocx_market.domain.book import to_seconds
from flocx_market.ports.store import AllocationTime, Changed


class SqlChanges:
    """The order of changes in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def since(self, number: int, limit: int) -> Changed | None:
        """Return what changed after a place, or None where it is more than ``limit`` of a kind.

        Each change of a bid or an offer is told by an event, each of an
        allocation by its own number.
        """
        place = current_number(self._connection, change_counter)
        told = events.c.number > number
        bids = self._few(
            sa.select(events.c.event_type, events.c.entity_uuid).where(told, events.c.event_type.like("bid.%")), limit
        )
        nodes = self._few(
            sa.select(offers.c.node_uuid)
            .join(events, events.c.entity_uuid == offers.c.uuid)
            .where(told, events.c.event_type.like("offer.%")),
            limit,
        )
        times = self._few(
            sa.select(
                allocations.c.uuid,
                allocations.c.node_uuid,
                allocations.c.start_time,
                allocations.c.end_time,
                KEEPS.label("keeps"),
            ).where(allocations.c.change_number > number),
            limit,
        )
        if bids is None or nodes is None or times is None:
            return None
        return Changed(
            place=place,
            bids=frozenset((row.event_type, row.entity_uuid) for row in bids),
            nodes=frozenset(row.node_uuid for row in nodes),
            allocations=[
                AllocationTime(
                    row.uuid, row.node_uuid, to_seconds(row.start_time), to_seconds(row.end_time), bool(row.keeps)
                )
                for row in times
            ],
        )

    def _few(self, query: sa.Select[Any], limit: int) -> Sequence[sa.Row[Any]] | None:
        """Return the rows of a query, or None where they are more than ``limit``."""
        rows = self._connection.execute(query.limit(limit + 1)).all()
        return rows if len(rows) <= limit else None
