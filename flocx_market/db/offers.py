# SPDX-License-Identifier: Apache-2.0
"""Queries over offers and their hardware documents."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from flocx_common.db.listing import page
from flocx_common.db.nodes import insert_if_missing
from flocx_common.db.rows import insert_new, restricted, update_unchanged
from flocx_common.domain.json_values import JSON
from flocx_common.domain.paging import ListQuery, Page
from flocx_market.db.mappers import offer_from, offer_values, sale_lines
from flocx_market.db.models import hardware_documents, nodes, offer_lessees, offers
from flocx_market.domain.offer import STANDING, Offer, OfferStatus
from flocx_market.ports.store import SaleLine, Viewer

#: Fields a list of offers can be filtered and sorted by.
FIELDS = {
    name: offers.c[name]
    for name in (
        "uuid",
        "name",
        "provider_uuid",
        "owner_project_id",
        "resource_type",
        "node_uuid",
        "node_name",
        "resource_class",
        "start_time",
        "end_time",
        "reserve_price",
        "min_duration",
        "status",
        "status_reason",
        "created_at",
        "updated_at",
    )
}

_AVAILABLE = str(OfferStatus.AVAILABLE)
# How many documents are asked for by their digests at most.
_MOST_BY_DIGEST = 5000
# Rows that are fetched at a time where documents are streamed.
_FETCHED = 500


class SqlOffers:
    """Offers in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, uuid: str) -> Offer | None:
        """Return an offer by uuid."""
        return self.by_uuid([uuid]).get(uuid)

    def page(self, query: ListQuery, viewer: Viewer) -> Page[Offer]:
        """Return a page of the offers that ``viewer`` may see."""
        rows, more = page(self._connection, sa.select(offers).where(*visible(viewer)), FIELDS, query)
        return Page(self._loaded(rows), more)

    def with_status(self, statuses: Collection[OfferStatus], *, provider_uuid: str) -> Sequence[Offer]:
        """Return all offers of a provider in these statuses."""
        query = sa.select(offers).where(
            offers.c.provider_uuid == provider_uuid, offers.c.status.in_([str(status) for status in statuses])
        )
        return self._loaded(self._connection.execute(query).all())

    def available(self, node_uuids: Collection[str] | None = None) -> Sequence[SaleLine]:
        """Return what a round needs of the available offers, of these nodes or of all, without their documents."""
        query = (
            sa.select(
                offers.c.uuid,
                offers.c.node_uuid,
                offers.c.node_name,
                offers.c.provider_uuid,
                offers.c.owner_project_id,
                offers.c.resource_class,
                offers.c.properties_digest,
                offers.c.start_time,
                offers.c.end_time,
                offers.c.reserve_price,
                offers.c.min_duration,
                offers.c.lessee_project_ids,
                nodes.c.generation,
            )
            .join(nodes, nodes.c.node_uuid == offers.c.node_uuid)
            .where(offers.c.status == _AVAILABLE)
        )
        return sale_lines(
            row
            for part in restricted(query, offers.c.node_uuid, node_uuids)
            for row in self._connection.execute(part).all()
        )

    def nodes_of(self, provider_uuids: Collection[str]) -> Collection[str]:
        """Return the nodes of the available offers of these providers."""
        query = sa.select(offers.c.node_uuid).where(offers.c.status == _AVAILABLE)
        return {
            node_uuid
            for part in restricted(query, offers.c.provider_uuid, provider_uuids)
            for node_uuid in self._connection.execute(part).scalars()
        }

    def documents(self, digests: Collection[str]) -> Iterator[tuple[str, Mapping[str, JSON]]]:
        """Yield these hardware documents of available offers with their digests, one at a time.

        A few are asked for by their digests. Many come in one statement, with
        those nobody has asked for, which are passed over unread.
        """
        digest, text = hardware_documents.c.digest, sa.type_coerce(hardware_documents.c.document, sa.Text)
        queries: Iterable[sa.Select[Any]]
        if len(digests) <= _MOST_BY_DIGEST:
            queries = restricted(sa.select(digest, text), digest, digests)
        else:
            sold = sa.select(offers.c.properties_digest).where(offers.c.status == _AVAILABLE)
            queries = [sa.select(digest, text).where(digest.in_(sold))]
        for query in queries:
            with self._connection.execute(query.execution_options(yield_per=_FETCHED)) as rows:
                for key, document in rows:
                    if key in digests:
                        yield key, json.loads(document)

    def ended(self, now: datetime) -> Sequence[str]:
        """Return the uuids of the standing offers whose end has passed."""
        query = sa.select(offers.c.uuid).where(
            offers.c.status.in_([str(status) for status in STANDING]), offers.c.end_time <= now
        )
        return self._connection.execute(query.order_by(offers.c.uuid)).scalars().all()

    def of_node(self, node_uuid: str) -> Sequence[Offer]:
        """Return all offers of a node."""
        return self._loaded(self._connection.execute(sa.select(offers).where(offers.c.node_uuid == node_uuid)).all())

    def by_uuid(self, uuids: Collection[str]) -> Mapping[str, Offer]:
        """Return those of these offers that exist."""
        query = sa.select(offers).where(offers.c.uuid.in_(sorted(uuids)))
        return {offer.uuid: offer for offer in self._loaded(self._connection.execute(query).all())}

    def add(self, offer: Offer) -> None:
        """Store a new offer.

        :raises IdTaken: the uuid is in use.
        """
        self._keep_document(offer)
        values = {"uuid": offer.uuid, **offer_values(offer), "generation": offer.generation}
        insert_new(self._connection, offers, values, f"uuid: {offer.uuid} is in use")
        self._admit(offer)

    def update(self, offer: Offer) -> None:
        """Store a changed offer.

        :raises StaleGeneration: it was changed by others since it was read.
        """
        self._keep_document(offer)
        update_unchanged(self._connection, offers, offer.uuid, offer.generation, offer_values(offer))
        self._connection.execute(sa.delete(offer_lessees).where(offer_lessees.c.offer_uuid == offer.uuid))
        self._admit(offer)

    def _keep_document(self, offer: Offer) -> None:
        self._connection.execute(
            insert_if_missing(
                self._connection, hardware_documents, digest=offer.properties_digest, document=dict(offer.properties)
            )
        )

    def _admit(self, offer: Offer) -> None:
        if offer.lessee_project_ids:
            rows = [{"project_id": project_id, "offer_uuid": offer.uuid} for project_id in offer.lessee_project_ids]
            self._connection.execute(sa.insert(offer_lessees), rows)

    def _loaded(self, rows: Sequence[Row[Any]]) -> Sequence[Offer]:
        """Return the offers of rows; equal hardware documents are read, and kept, once."""
        digests = {row.properties_digest for row in rows}
        documents = {
            row.digest: row.document
            for part in restricted(sa.select(hardware_documents), hardware_documents.c.digest, digests)
            for row in self._connection.execute(part)
        }
        return [offer_from(row, documents[row.properties_digest]) for row in rows]


def visible(viewer: Viewer) -> Sequence[sa.ColumnElement[bool]]:
    """Return the conditions under which an offer may be seen."""
    if viewer.provider_uuid is not None:
        return [offers.c.provider_uuid == viewer.provider_uuid]
    if viewer.project_id is None:
        return []
    admitted = sa.exists().where(
        offer_lessees.c.offer_uuid == offers.c.uuid, offer_lessees.c.project_id == viewer.project_id
    )
    return [
        sa.or_(offers.c.lessee_project_ids.is_(None), offers.c.owner_project_id == viewer.project_id, admitted),
    ]
