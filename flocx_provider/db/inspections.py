# SPDX-License-Identifier: Apache-2.0
"""What inspections found, in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.nodes import insert_if_missing
from flocx_common.db.transactions import Database
from flocx_provider.db import models
from flocx_provider.ports.inspections import Inspection

_table = models.inspections

# Keeps a statement below the parameter limits of every database.
_BATCH = 400


class SqlInspections:
    """The last known inspection of each machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self) -> Mapping[str, str]:
        """Return when each known machine was inspected, by node uuid."""
        query = sa.select(_table.c.node_uuid, _table.c.inspected_at)
        return self._database.read(
            lambda connection: {row.node_uuid: row.inspected_at for row in connection.execute(query)}
        )

    def get(self, node_uuids: Collection[str]) -> Mapping[str, Inspection]:
        """Return what is known of these machines."""
        wanted = sorted(node_uuids)

        def work(connection: Connection) -> Mapping[str, Inspection]:
            return {
                row.node_uuid: Inspection(row.inspected_at, row.found)
                for first in range(0, len(wanted), _BATCH)
                for row in connection.execute(
                    sa.select(_table).where(_table.c.node_uuid.in_(wanted[first : first + _BATCH]))
                )
            }

        return self._database.read(work) if wanted else {}

    def put(self, node_uuid: str, inspection: Inspection) -> None:
        """Remember an inspection in place of an earlier one."""
        values = {"inspected_at": inspection.inspected_at, "found": dict(inspection.found)}

        def work(connection: Connection) -> None:
            connection.execute(insert_if_missing(connection, _table, node_uuid=node_uuid, **values))
            connection.execute(sa.update(_table).where(_table.c.node_uuid == node_uuid).values(**values))

        self._database.write(work)
