# SPDX-License-Identifier: Apache-2.0
"""Queries over bids."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.listing import page
from flocx_common.db.rows import any_unchanged, insert_new, restricted, update_unchanged
from flocx_common.db.transactions import StaleGeneration
from flocx_common.domain.paging import ListQuery, Page
from flocx_market.db.mappers import bid_from, bid_values
from flocx_market.db.models import bids
from flocx_market.domain.bid import Bid, BidStatus
from flocx_market.domain.book import to_seconds
from flocx_market.ports.store import BidWindow, Viewer

#: Fields a list of bids can be filtered and sorted by.
FIELDS = {
    name: bids.c[name]
    for name in (
        "uuid",
        "name",
        "project_id",
        "quantity",
        "start_time",
        "end_time",
        "duration",
        "limit_price",
        "status",
        "status_reason",
        "created_at",
        "updated_at",
    )
}


class SqlBids:
    """Bids in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, uuid: str) -> Bid | None:
        """Return a bid by uuid."""
        return self.by_uuid([uuid]).get(uuid)

    def page(self, query: ListQuery, viewer: Viewer) -> Page[Bid]:
        """Return a page of the bids that ``viewer`` may see."""
        visible = sa.select(bids)
        if viewer.project_id is not None:
            visible = visible.where(bids.c.project_id == viewer.project_id)
        rows, more = page(self._connection, visible, FIELDS, query)
        return Page([bid_from(row) for row in rows], more)

    def with_status(self, status: BidStatus) -> Sequence[Bid]:
        """Return all bids in a status."""
        query = sa.select(bids).where(bids.c.status == str(status))
        return [bid_from(row) for row in self._connection.execute(query)]

    def open_windows(self) -> Sequence[BidWindow]:
        """Return the windows of all open bids."""
        query = sa.select(bids.c.uuid, bids.c.start_time, bids.c.end_time, bids.c.duration)
        rows = self._connection.execute(query.where(bids.c.status == str(BidStatus.OPEN)).order_by(bids.c.uuid)).all()
        return [BidWindow(uuid, to_seconds(start), to_seconds(end), duration) for uuid, start, end, duration in rows]

    def by_uuid(self, uuids: Collection[str]) -> Mapping[str, Bid]:
        """Return those of these bids that exist."""
        return {
            row.uuid: bid_from(row)
            for part in restricted(sa.select(bids), bids.c.uuid, uuids)
            for row in self._connection.execute(part)
        }

    def add(self, bid: Bid) -> None:
        """Store a new bid.

        :raises IdTaken: the uuid is in use.
        """
        values = {"uuid": bid.uuid, **bid_values(bid), "generation": bid.generation}
        insert_new(self._connection, bids, values, f"uuid: {bid.uuid} is in use")

    def update(self, bid: Bid) -> None:
        """Store a changed bid.

        :raises StaleGeneration: it was changed by others since it was read.
        """
        update_unchanged(self._connection, bids, bid.uuid, bid.generation, bid_values(bid))

    def match(self, matched: Sequence[Bid], now: datetime) -> None:
        """Set open bids matched, in one statement.

        :raises StaleGeneration: one was changed since it was read.
        """
        unchanged = any_unchanged(bids.c.uuid, bids.c.generation, {bid.uuid: bid.generation for bid in matched})
        statement = (
            sa.update(bids)
            .where(bids.c.status == str(BidStatus.OPEN), unchanged)
            .values(status=str(BidStatus.MATCHED), status_reason=None, updated_at=now, generation=bids.c.generation + 1)
        )
        if self._connection.execute(statement).rowcount != len(matched):
            raise StaleGeneration(f"one of {len(matched)} bids")
