# SPDX-License-Identifier: Apache-2.0
"""What the static driver keeps of its machines: health, and who holds them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.nodes import insert_if_missing
from flocx_common.db.transactions import Database
from flocx_common.db.unit_of_work import SqlUnitOfWork
from flocx_common.domain.events import Event
from flocx_provider.db import models
from flocx_provider.ports.node_states import NodeState

_table = models.static_nodes


class SqlNodeStates:
    """Node states in the database. Every change is one statement that is harmless to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[str, NodeState]:
        """Return all known states by node uuid."""

        def work(connection: Connection) -> Mapping[str, NodeState]:
            return {
                row.node_uuid: NodeState(row.down_reason, row.lessee_project_id, row.contract_uuid)
                for row in connection.execute(sa.select(_table))
            }

        return self._database.read(work)

    def assign(self, node_uuid: str, lessee_project_id: str, contract_uuid: str) -> bool:
        """Give an unmarked node, or one that carries this mark, the mark and the lessee; return whether it was one."""

        def work(connection: Connection) -> bool:
            connection.execute(insert_if_missing(connection, _table, node_uuid=node_uuid))
            free = sa.or_(_table.c.contract_uuid.is_(None), _table.c.contract_uuid == contract_uuid)
            statement = (
                sa.update(_table)
                .where(_table.c.node_uuid == node_uuid, free)
                .values(lessee_project_id=lessee_project_id, contract_uuid=contract_uuid)
            )
            return connection.execute(statement).rowcount == 1

        return self._database.write(work)

    def remove_lessee(self, node_uuid: str, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark."""
        self._update(node_uuid, contract_uuid, lessee_project_id=None)

    def remove_mark(self, node_uuid: str, contract_uuid: str) -> None:
        """Take the contract's mark, and with it the lessee, from a node that carries it."""
        self._update(node_uuid, contract_uuid, lessee_project_id=None, contract_uuid=None)

    def set_down(self, node_uuid: str, reason: str | None, event: Event) -> None:
        """Set why a node is down, None for up, and tell of it."""

        def work(connection: Connection) -> None:
            uow = SqlUnitOfWork(connection, models.change_counter, models.events, models.event_projects)
            connection.execute(insert_if_missing(connection, _table, node_uuid=node_uuid))
            connection.execute(sa.update(_table).where(_table.c.node_uuid == node_uuid).values(down_reason=reason))
            uow.record(event)
            uow.finish()

        self._database.write(work)

    def _update(self, node_uuid: str, mark: str, **values: str | None) -> None:
        statement = sa.update(_table).where(_table.c.node_uuid == node_uuid, _table.c.contract_uuid == mark)
        self._database.write(lambda connection: connection.execute(statement.values(**values)))
