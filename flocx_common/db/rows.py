# SPDX-License-Identifier: Apache-2.0
"""Writing single rows: new ones, and changes by compare-and-set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as oslo_db_exception
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flocx_common.db.conflicts import DUPLICATE, sqlstate
from flocx_common.db.transactions import StaleGeneration
from flocx_common.domain.errors import IdTaken

# Keeps a statement below the parameter limits of every database.
_CHUNK = 1000


def insert_new(connection: Connection, table: sa.Table, values: Mapping[str, Any], what: str) -> None:
    """Insert a row.

    :param what: the words for what must be unique, for the error.
    :raises IdTaken: something that must be unique is not.
    """
    try:
        connection.execute(sa.insert(table).values(**values))
    except (IntegrityError, oslo_db_exception.DBError) as error:
        raise (taken(error, what) or error) from None


def update_unchanged(
    connection: Connection,
    table: sa.Table,
    uuid: str,
    generation: int,
    values: Mapping[str, Any],
    what: str = "uuid: it is in use",
) -> None:
    """Write a row if it still has the generation it was read with, and raise that by one.

    :raises StaleGeneration: it was changed, or removed, since it was read.
    :raises IdTaken: something that must be unique is not.
    """
    statement = sa.update(table).where(table.c.uuid == uuid, table.c.generation == generation)
    try:
        result = connection.execute(statement.values(**values, generation=generation + 1))
    except (IntegrityError, oslo_db_exception.DBError) as error:
        raise (taken(error, what) or error) from None
    if result.rowcount != 1:
        raise StaleGeneration(f"{table.name} {uuid}")


def restricted(
    query: sa.Select[Any], column: sa.ColumnElement[str], keys: Collection[str] | None
) -> Iterator[sa.Select[Any]]:
    """Yield the queries that together give the rows with these keys, each small enough for every database.

    :param keys: None for all rows.
    """
    if keys is None:
        yield query
        return
    wanted = sorted(keys)
    for first in range(0, len(wanted), _CHUNK):
        yield query.where(column.in_(wanted[first : first + _CHUNK]))


def any_unchanged(
    key: sa.ColumnElement[str], generation: sa.ColumnElement[int], expected: Mapping[str, int]
) -> sa.ColumnElement[bool]:
    """Return the condition that a row is one of those expected and still has the generation expected of it.

    Few generations differ, so it is one list of keys for each.
    """
    of: dict[int, list[str]] = defaultdict(list)
    for one, number in sorted(expected.items()):
        of[number].append(one)
    return sa.or_(*(sa.and_(generation == number, key.in_(keys)) for number, keys in sorted(of.items())))


def insert_many(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, many in one statement.

    SQLite's driver, and that of MySQL and MariaDB, see to that themselves.
    PostgreSQL's sends one statement a row; SQLAlchemy joins them where
    something is to come back.
    """
    if not rows:
        return
    statement = sa.insert(table)
    if connection.dialect.name == "postgresql":
        connection.execute(statement.returning(sa.literal(1)), list(rows)).close()
    else:
        connection.execute(statement, list(rows))


def taken(error: Exception, what: str) -> IdTaken | None:
    """Return the refusal for a unique constraint that was violated, or None for another error."""
    return IdTaken(what, field=what.partition(":")[0]) if sqlstate(error) == DUPLICATE else None
