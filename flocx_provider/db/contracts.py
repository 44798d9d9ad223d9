# SPDX-License-Identifier: Apache-2.0
"""Queries over the provider's copy of contracts and allocations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.listing import page
from flocx_common.db.nodes import insert_if_missing
from flocx_common.db.rows import insert_new, update_unchanged
from flocx_common.domain.paging import ListQuery, Page
from flocx_provider.db.mappers import allocation_from, allocation_values, contract_from, contract_values
from flocx_provider.db.models import allocations, contracts
from flocx_provider.domain.allocation import MARKET_LIVE, Allocation, Contract

#: Fields a list of contracts can be filtered and sorted by.
FIELDS = {
    name: contracts.c[name]
    for name in ("uuid", "lessee_project_id", "start_time", "end_time", "status", "status_reason")
}


class SqlContracts:
    """Copies of contracts in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, uuid: str) -> Contract | None:
        """Return a contract by uuid."""
        row = self._connection.execute(sa.select(contracts).where(contracts.c.uuid == uuid)).first()
        return None if row is None else contract_from(row)

    def page(self, query: ListQuery, project_id: str | None) -> Page[Contract]:
        """Return a page of the contracts a project is lessee or owner in, or of all for None."""
        visible = sa.select(contracts)
        if project_id is not None:
            owns = sa.exists().where(
                allocations.c.contract_uuid == contracts.c.uuid, allocations.c.owner_project_id == project_id
            )
            visible = visible.where(sa.or_(contracts.c.lessee_project_id == project_id, owns))
        rows, more = page(self._connection, visible, FIELDS, query)
        return Page([contract_from(row) for row in rows], more)

    def put(self, contract: Contract) -> None:
        """Store a contract as it is; what the market says stands."""
        values = contract_values(contract)
        self._connection.execute(insert_if_missing(self._connection, contracts, uuid=contract.uuid, **values))
        self._connection.execute(sa.update(contracts).where(contracts.c.uuid == contract.uuid).values(**values))


class SqlAllocations:
    """Allocations in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, uuid: str) -> Allocation | None:
        """Return an allocation by uuid."""
        row = self._connection.execute(sa.select(allocations).where(allocations.c.uuid == uuid)).first()
        return None if row is None else allocation_from(row)

    def unsettled(self) -> Sequence[Allocation]:
        """Return those whose nodes may still carry something of ours, or are still to."""
        return self._found(allocations.c.settled.is_(False))

    def to_report(self) -> Sequence[Allocation]:
        """Return those whose status the market is to be told."""
        live = allocations.c.market_status.in_(sorted(MARKET_LIVE))
        return self._found(sa.and_(live, allocations.c.reported != allocations.c.status))

    def of_nodes(self, node_uuids: Collection[str]) -> Sequence[Allocation]:
        """Return all allocations of these nodes, whatever became of them, latest first."""
        return self._found(allocations.c.node_uuid.in_(sorted(node_uuids)))[::-1]

    def current_of(self, node_uuids: Collection[str], ended_after: datetime) -> Sequence[Allocation]:
        """Return the allocations of these nodes that are not done with or ended after an instant, latest first."""
        current = sa.or_(
            allocations.c.settled.is_(False),
            allocations.c.market_status.in_(sorted(MARKET_LIVE)),
            allocations.c.end_time > ended_after,
        )
        return self._found(sa.and_(allocations.c.node_uuid.in_(sorted(node_uuids)), current))[::-1]

    def of_contracts(self, contract_uuids: Collection[str]) -> Sequence[Allocation]:
        """Return all allocations of these contracts."""
        return self._found(allocations.c.contract_uuid.in_(sorted(contract_uuids)))

    def add(self, allocation: Allocation) -> None:
        """Store a new allocation."""
        values = {"uuid": allocation.uuid, **allocation_values(allocation), "generation": allocation.generation}
        insert_new(self._connection, allocations, values, f"uuid: {allocation.uuid} is in use")

    def update(self, allocation: Allocation) -> None:
        """Store a changed allocation.

        :raises StaleGeneration: it was changed by others since it was read.
        """
        update_unchanged(
            self._connection, allocations, allocation.uuid, allocation.generation, allocation_values(allocation)
        )

    def _found(self, condition: sa.ColumnElement[bool]) -> Sequence[Allocation]:
        query = (
            sa.select(allocations)
            .where(condition)
            .order_by(allocations.c.start_time, allocations.c.node_name, allocations.c.uuid)
        )
        return [allocation_from(row) for row in self._connection.execute(query)]
