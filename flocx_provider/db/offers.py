# SPDX-License-Identifier: Apache-2.0
"""Queries over offers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.listing import page
from flocx_common.db.rows import insert_new, update_unchanged
from flocx_common.domain.paging import ListQuery, Page
from flocx_provider.db.mappers import offer_from, offer_values
from flocx_provider.db.models import offers
from flocx_provider.domain.offer import STANDING, Offer, OfferStatus, Publication

#: Fields a list of offers can be filtered and sorted by.
FIELDS = {
    name: offers.c[name]
    for name in (
        "uuid",
        "name",
        "owner_project_id",
        "node_uuid",
        "node_name",
        "resource_class",
        "start_time",
        "end_time",
        "reserve_price",
        "min_duration",
        "status",
        "status_reason",
        "publication",
        "publication_reason",
        "created_at",
        "updated_at",
    )
}


class SqlOffers:
    """Offers in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, uuid: str) -> Offer | None:
        """Return an offer by uuid."""
        row = self._connection.execute(sa.select(offers).where(offers.c.uuid == uuid)).first()
        return None if row is None else offer_from(row)

    def page(self, query: ListQuery, owner_project_id: str | None) -> Page[Offer]:
        """Return a page of an owner's offers, or of all for None."""
        visible = sa.select(offers)
        if owner_project_id is not None:
            visible = visible.where(offers.c.owner_project_id == owner_project_id)
        rows, more = page(self._connection, visible, FIELDS, query)
        return Page([offer_from(row) for row in rows], more)

    def with_status(self, statuses: Collection[OfferStatus]) -> Sequence[Offer]:
        """Return all offers in these statuses."""
        return self._found(_has_status(statuses))

    def to_publish(self, states: Collection[Publication], limit: int) -> Sequence[Offer]:
        """Return offers in these states of publication, longest unchanged first."""
        query = (
            sa.select(offers)
            .where(offers.c.publication.in_([str(state) for state in states]))
            .order_by(offers.c.updated_at, offers.c.uuid)
            .limit(limit)
        )
        return [offer_from(row) for row in self._connection.execute(query)]

    def of_nodes(self, node_uuids: Collection[str]) -> Sequence[Offer]:
        """Return all offers of these nodes, whatever became of them, in order of time."""
        return self._found(offers.c.node_uuid.in_(sorted(node_uuids)))

    def standing_of(self, node_uuids: Collection[str]) -> Sequence[Offer]:
        """Return the offers of these nodes that can still be matched, in order of time."""
        return self._found(sa.and_(offers.c.node_uuid.in_(sorted(node_uuids)), _has_status(STANDING)))

    def add(self, offer: Offer) -> None:
        """Store a new offer.

        :raises IdTaken: the uuid is in use.
        """
        values = {"uuid": offer.uuid, **offer_values(offer), "generation": offer.generation}
        insert_new(self._connection, offers, values, f"uuid: {offer.uuid} is in use")

    def update(self, offer: Offer) -> None:
        """Store a changed offer.

        :raises StaleGeneration: it was changed by others since it was read.
        """
        update_unchanged(self._connection, offers, offer.uuid, offer.generation, offer_values(offer))

    def _found(self, condition: sa.ColumnElement[bool]) -> Sequence[Offer]:
        query = sa.select(offers).where(condition).order_by(offers.c.start_time, offers.c.uuid)
        return [offer_from(row) for row in self._connection.execute(query)]


def _has_status(statuses: Collection[OfferStatus]) -> sa.ColumnElement[bool]:
    return offers.c.status.in_(sorted(str(status) for status in statuses))
