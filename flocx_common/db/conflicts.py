# SPDX-License-Identifier: Apache-2.0
"""What database errors mean, by SQLSTATE: above all, whether a concurrent change won.

PostgreSQL reports an SQLSTATE with every error. So does MySQL, but one for many
errors, and not every version of its driver hands it on: there the error number
says more. SQLite has result codes of its own. Both are translated here, once.
"""

from __future__ import annotations

import sqlite3

import sqlalchemy.exc
from oslo_db import exception as oslo_db_exception

#: Two live allocations, or two offers, of one node would overlap.
OVERLAP = "23P01"
#: A uuid or a name is taken.
DUPLICATE = "23505"
#: The transaction could not be ordered among the others.
SERIALIZATION = "40001"
DEADLOCK = "40P01"
#: A lock could not be had in time.
LOCK_TIMEOUT = "55P03"
#: There is no such table: the schema was never made, or is an older one.
NO_TABLE = "42P01"

#: Errors after which the same transaction may well succeed.
RETRYABLE = frozenset({OVERLAP, SERIALIZATION, DEADLOCK, LOCK_TIMEOUT})

#: The error number our MariaDB trigger signals with an overlap.
OVERLAP_ERRNO = 23101

_MYSQL = {
    OVERLAP_ERRNO: OVERLAP,
    1062: DUPLICATE,
    1213: DEADLOCK,  # also what a Galera node reports when certification fails
    1205: LOCK_TIMEOUT,
    1020: SERIALIZATION,  # the row has changed since the snapshot was taken
    1047: SERIALIZATION,  # the Galera node has left the cluster
    1146: NO_TABLE,
}
#: What our SQLite trigger says when it refuses an overlap.
OVERLAP_MESSAGE = "live allocations of a node overlap"

_SQLITE = {
    sqlite3.SQLITE_BUSY: LOCK_TIMEOUT,
    sqlite3.SQLITE_LOCKED: LOCK_TIMEOUT,
}
_SQLITE_DUPLICATE = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a database error, or None for anything else."""
    cause = _driver_error(error)
    if cause is None:
        return None
    if isinstance(cause, sqlite3.Error):
        return _sqlite_state(cause)
    number = cause.args[0] if cause.args else None
    if isinstance(number, int) and number in _MYSQL:
        return _MYSQL[number]
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None


def _driver_error(error: BaseException) -> BaseException | None:
    """Return the error of the database driver inside the wrappings of the libraries."""
    current: BaseException | None = error
    while True:
        inner: BaseException | None
        if isinstance(current, oslo_db_exception.DBError):
            inner = current.inner_exception
        elif isinstance(current, sqlalchemy.exc.DBAPIError):
            inner = current.orig
        else:
            return current
        if inner is current:
            return None
        current = inner


def _sqlite_state(error: sqlite3.Error) -> str | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER and OVERLAP_MESSAGE in str(error):
        return OVERLAP
    if code == sqlite3.SQLITE_ERROR and str(error).startswith("no such table"):
        return NO_TABLE
    if code in _SQLITE_DUPLICATE:
        return DUPLICATE
    # The low byte of an extended code is the primary one.
    return _SQLITE.get(code & 0xFF) if isinstance(code, int) else None
