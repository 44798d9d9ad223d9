# SPDX-License-Identifier: Apache-2.0
"""Claims on nodes in the database: compare-and-set, so that one of several gets it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.nodes import insert_if_missing
from flocx_common.db.transactions import Database
from flocx_provider.db import models

_table = models.node_claims


class SqlNodeClaims:
    """Claims, each change one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, node_uuid: str, holder: str, now: datetime, until: datetime) -> bool:
        """Claim a node until an instant, and return whether it was free or the holder's."""

        def work(connection: Connection) -> bool:
            connection.execute(insert_if_missing(connection, _table, node_uuid=node_uuid))
            free = sa.or_(_table.c.holder.is_(None), _table.c.holder == holder, _table.c.until <= now)
            statement = sa.update(_table).where(_table.c.node_uuid == node_uuid, free)
            return connection.execute(statement.values(holder=holder, until=until)).rowcount == 1

        return self._database.write(work)

    def release(self, node_uuid: str, holder: str) -> None:
        """Give a claim back; one that the holder no longer has stays as it is."""
        statement = sa.update(_table).where(_table.c.node_uuid == node_uuid, _table.c.holder == holder)
        self._database.write(lambda connection: connection.execute(statement.values(holder=None, until=None)))
