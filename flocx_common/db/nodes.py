# SPDX-License-Identifier: Apache-2.0
"""Generations of nodes: of two writers that change what a node can be sold for, one loses here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Connection

from flocx_common.db.rows import any_unchanged
from flocx_common.db.transactions import StaleGeneration

# Keeps a statement below the parameter limits of every database.
_BATCH = 10_000


class NodeGenerations:
    """The generation rows in one database."""

    def __init__(self, connection: Connection, nodes: sa.Table) -> None:
        self._connection = connection
        self._nodes = nodes

    def generations(self, node_uuids: Collection[str] | None = None) -> Mapping[str, int]:
        """Return the generations of these nodes, or of all, as they are now."""
        query = sa.select(self._nodes.c.node_uuid, self._nodes.c.generation)
        if node_uuids is not None:
            query = query.where(self._nodes.c.node_uuid.in_(sorted(node_uuids)))
        return {row.node_uuid: row.generation for row in self._connection.execute(query)}

    def know(self, node_uuid: str) -> int:
        """Return a node's generation; a node never seen before starts at 0."""
        known = self.generations([node_uuid])
        if node_uuid in known:
            return known[node_uuid]
        self._connection.execute(insert_if_missing(self._connection, self._nodes, node_uuid=node_uuid, generation=0))
        return self.generations([node_uuid])[node_uuid]

    def bump(self, expected: Mapping[str, int]) -> None:
        """Raise the generations of nodes by one, if all are still what they were read as.

        :raises StaleGeneration: one has changed; the transaction must not commit.
        """
        pairs = sorted(expected.items())
        for first in range(0, len(pairs), _BATCH):
            batch = pairs[first : first + _BATCH]
            unchanged = any_unchanged(self._nodes.c.node_uuid, self._nodes.c.generation, dict(batch))
            statement = sa.update(self._nodes).where(unchanged).values(generation=self._nodes.c.generation + 1)
            if self._connection.execute(statement).rowcount != len(batch):
                raise StaleGeneration(f"one of {len(batch)} nodes")


def insert_if_missing(connection: Connection, table: sa.Table, **values: object) -> sa.Insert:
    """Return a statement that inserts a row unless one with its primary key is there."""
    match connection.dialect.name:
        case "postgresql":
            return postgresql.insert(table).values(**values).on_conflict_do_nothing()
        case "sqlite":
            return sqlite.insert(table).values(**values).on_conflict_do_nothing()
        case _:
            keep = {column.name: column for column in table.primary_key.columns}
            return mysql.insert(table).values(**values).on_duplicate_key_update(**keep)
