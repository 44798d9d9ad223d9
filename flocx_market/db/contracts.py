# SPDX-License-Identifier: Apache-2.0
"""Queries over contracts and their allocations, which are read and written together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as oslo_db_exception
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from flocx_common.db.conflicts import DUPLICATE, sqlstate
from flocx_common.db.listing import page
from flocx_common.db.rows import insert_many, restricted, update_unchanged
from flocx_common.db.transactions import StaleGeneration
from flocx_common.domain.paging import ListQuery, Page
from flocx_common.domain.window import TimeWindow
from flocx_market.db.mappers import allocation_from, allocation_values, contract_from, contract_values
from flocx_market.db.models import allocations, contracts, offers
from flocx_market.db.offers import visible
from flocx_market.domain.book import Span, to_seconds
from flocx_market.domain.contract import BINDING, LIVE, Allocation, AllocationStatus, Contract, ContractStatus
from flocx_market.domain.offer import Offer
from flocx_market.ports.store import AllocationChange, Sold, Viewer

#: Fields a list of contracts can be filtered and sorted by.
FIELDS = {
    name: contracts.c[name]
    for name in (
        "uuid",
        "bid_uuid",
        "lessee_project_id",
        "quantity",
        "start_time",
        "end_time",
        "clearing_price",
        "amount",
        "price_rule",
        "status",
        "status_reason",
        "created_at",
        "updated_at",
    )
}

_LIVE = sorted(str(status) for status in LIVE)
_BINDING = sorted(str(status) for status in BINDING)
_AWAITED = [str(AllocationStatus.ACKNOWLEDGED), str(AllocationStatus.CREATED)]
#: What keeps, or kept, its node from every other contract.
KEEPS = sa.and_(
    sa.or_(allocations.c.status.in_(_LIVE), allocations.c.delivered_from.is_not(None)),
    allocations.c.start_time < allocations.c.end_time,
)


class SqlContracts:
    """Contracts in the database.

    Allocations take their change numbers at the end of the transaction, so new
    and changed ones wait until :meth:`write_numbered`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._new: list[tuple[int, Allocation]] = []
        self._changed: list[Allocation] = []
        self._touched: list[Contract] = []

    def get(self, uuid: str) -> Contract | None:
        """Return a contract by uuid."""
        return self._first(contracts.c.uuid == uuid)

    def with_allocation(self, allocation_uuid: str) -> Contract | None:
        """Return the contract that an allocation belongs to."""
        owner = sa.select(allocations.c.contract_uuid).where(allocations.c.uuid == allocation_uuid).scalar_subquery()
        return self._first(contracts.c.uuid == owner)

    def page(self, query: ListQuery, viewer: Viewer) -> Page[Contract]:
        """Return a page of the contracts that ``viewer`` is lessee or owner in."""
        visible = sa.select(contracts)
        if viewer.project_id is not None:
            owns = sa.exists().where(
                allocations.c.contract_uuid == contracts.c.uuid, allocations.c.owner_project_id == viewer.project_id
            )
            visible = visible.where(sa.or_(contracts.c.lessee_project_id == viewer.project_id, owns))
        rows, more = page(self._connection, visible, FIELDS, query)
        return Page(self._loaded(rows), more)

    def due(self, *, end: datetime, notice: datetime, delivery: datetime) -> Sequence[Contract]:
        """Return the binding contracts that time may have something to do to, in the order of their uuids."""
        over = sa.select(contracts.c.uuid).where(contracts.c.status.in_(_BINDING), contracts.c.end_time <= end)
        unwarned = sa.select(contracts.c.uuid).where(
            contracts.c.status == str(ContractStatus.ACTIVE),
            contracts.c.notified_at.is_(None),
            contracts.c.end_time <= notice,
        )
        late = sa.select(allocations.c.contract_uuid).where(
            allocations.c.status.in_(_AWAITED), allocations.c.start_time <= delivery
        )
        return self._binding(sa.union(over, unwarned, late))

    def seeking(self) -> Sequence[Contract]:
        """Return the binding contracts in which a replacement is sought, in the order of their uuids."""
        sought = sa.select(allocations.c.contract_uuid).where(allocations.c.replacement_sought_since.is_not(None))
        return self._binding(sought.distinct())

    def add(self, new: Sequence[Contract]) -> None:
        """Store new contracts, in a number of statements that does not grow with theirs.

        :raises StaleGeneration: one of the bids has a live contract already.
        """
        if not new:
            return
        rows = [{"uuid": one.uuid, **contract_values(one), "generation": one.generation} for one in new]
        try:
            insert_many(self._connection, contracts, rows)
        except (IntegrityError, oslo_db_exception.DBError) as error:
            # Another round has made one of them, or its bid has a contract.
            raise (StaleGeneration("contracts") if sqlstate(error) == DUPLICATE else error) from None
        for contract in new:
            self._new.extend(enumerate(contract.allocations))

    def update(self, contract: Contract) -> None:
        """Store a changed contract with those of its allocations that changed.

        :raises StaleGeneration: it was changed by others since it was read.
        """
        before = self.get(contract.uuid)
        assert before is not None
        update_unchanged(self._connection, contracts, contract.uuid, contract.generation, contract_values(contract))
        old = {allocation.uuid: allocation for allocation in before.allocations}
        self._new += [(n, a) for n, a in enumerate(contract.allocations) if a.uuid not in old]
        self._changed += [a for a in contract.allocations if a.uuid in old and a != old[a.uuid]]
        if (before.status, before.end_time) != (contract.status, contract.end_time):
            # Its providers keep a copy of these, which the allocations carry to them.
            self._touched.append(contract)

    def taken(self, since: datetime, node_uuids: Collection[str] | None = None) -> Mapping[str, Sequence[Span]]:
        """Return, by node, the stretches of time that keep it from other contracts and end after ``since``."""
        query = sa.select(allocations.c.node_uuid, allocations.c.start_time, allocations.c.end_time).where(
            KEEPS, allocations.c.end_time > since
        )
        stretches: dict[str, list[Span]] = defaultdict(list)
        for part in restricted(query, allocations.c.node_uuid, node_uuids):
            for node_uuid, start, end in self._connection.execute(part).all():
                stretches[node_uuid].append(Span(to_seconds(start), to_seconds(end)))
        return stretches

    def sold_like(self, offer: Offer, since: datetime, until: datetime) -> Sequence[Sold]:
        """Return the windows between two instants in which nodes like an offer's were taken from other contracts."""
        if offer.resource_class is None:
            alike = offers.c.properties_digest == offer.properties_digest
        else:
            alike = offers.c.resource_class == offer.resource_class
        query = (
            sa.select(
                allocations.c.start_time, allocations.c.end_time, offers.c.reserve_price, allocations.c.clearing_price
            )
            .join(offers, offers.c.uuid == allocations.c.offer_uuid)
            .join(contracts, contracts.c.uuid == allocations.c.contract_uuid)
            .where(
                alike,
                KEEPS,
                allocations.c.end_time > since,
                allocations.c.start_time < until,
                contracts.c.lessee_project_id != offer.owner_project_id,
                *visible(Viewer(offer.owner_project_id)),
            )
        )
        return [
            Sold(TimeWindow(row.start_time, row.end_time), row.reserve_price, row.clearing_price)
            for row in self._connection.execute(query)
        ]

    def changed(self, provider_uuid: str, since: int, limit: int) -> Sequence[AllocationChange]:
        """Return a provider's allocations that changed after a place, in the order of changes."""
        query = (
            sa.select(allocations)
            .where(allocations.c.provider_uuid == provider_uuid, allocations.c.change_number > since)
            .order_by(allocations.c.change_number)
            .limit(limit)
        )
        rows = self._connection.execute(query).all()
        of = self._contract_rows({row.contract_uuid for row in rows})
        return [
            AllocationChange(row.change_number, allocation_from(row), contract_from(of[row.contract_uuid], ()))
            for row in rows
        ]

    def unsettled(self, provider_uuid: str) -> bool:
        """Tell whether a provider still has an allocation to deliver or to take back."""
        query = sa.select(allocations.c.uuid).where(
            allocations.c.provider_uuid == provider_uuid, allocations.c.status.in_(_LIVE)
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def numbers_needed(self) -> int:
        """Return how many change numbers the waiting allocations need."""
        return len(self._new) + len(self._changed) + sum(len(contract.allocations) for contract in self._touched)

    def write_numbered(self, numbers: range) -> None:
        """Write the waiting allocations under their change numbers."""
        taking = iter(numbers)
        # What ends comes before what begins, or the two would seem to overlap.
        for allocation in sorted(self._changed, key=lambda a: a.status in LIVE):
            self._connection.execute(
                sa.update(allocations)
                .where(allocations.c.uuid == allocation.uuid)
                .values(**allocation_values(allocation), change_number=next(taking))
            )
        if self._new:
            rows = [
                {**allocation_values(allocation), "position": position, "change_number": next(taking)}
                for position, allocation in self._new
            ]
            insert_many(self._connection, allocations, rows)
        for contract in self._touched:
            block = [next(taking) for _ in contract.allocations]
            self._connection.execute(
                sa.update(allocations)
                .where(allocations.c.contract_uuid == contract.uuid)
                .values(change_number=allocations.c.position + block[0])
            )

    def _first(self, condition: sa.ColumnElement[bool]) -> Contract | None:
        found = self._loaded(self._connection.execute(sa.select(contracts).where(condition)).all())
        return found[0] if found else None

    def _binding(self, uuids: sa.Select[Any] | sa.CompoundSelect[Any]) -> Sequence[Contract]:
        query = sa.select(contracts).where(contracts.c.status.in_(_BINDING)).order_by(contracts.c.uuid)
        return [
            contract
            for part in restricted(query, contracts.c.uuid, set(self._connection.execute(uuids).scalars()))
            for contract in self._loaded(self._connection.execute(part).all())
        ]

    def _contract_rows(self, uuids: Iterable[str]) -> Mapping[str, Row[Any]]:
        query = sa.select(contracts).where(contracts.c.uuid.in_(sorted(uuids)))
        return {row.uuid: row for row in self._connection.execute(query)}

    def _loaded(self, rows: Sequence[Row[Any]]) -> Sequence[Contract]:
        """Return the contracts of rows, with the allocations of all of them in one query."""
        query = (
            sa.select(allocations)
            .where(allocations.c.contract_uuid.in_([row.uuid for row in rows]))
            .order_by(allocations.c.position)
        )
        of: dict[str, list[Allocation]] = defaultdict(list)
        for row in self._connection.execute(query) if rows else ():
            of[row.contract_uuid].append(allocation_from(row))
        return [contract_from(row, of[row.uuid]) for row in rows]
