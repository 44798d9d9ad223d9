# SPDX-License-Identifier: Apache-2.0
"""Transactions: reads on one snapshot, writes retried when a concurrent change won."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from oslo_db import exception as oslo_db_exception
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from flocx_common.db.conflicts import NO_TABLE, OVERLAP, RETRYABLE, sqlstate
from flocx_common.db.engine import create_engine
from flocx_common.domain.errors import AllocationsOverlap, Busy, FlocxError, Unavailable

LOG = logging.getLogger(__name__)
T = TypeVar("T")

#: How often a write is tried before the caller is told that others won.
ATTEMPTS = 8
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.5


class StaleGeneration(Exception):
    """A compare-and-set found that the row had been changed since it was read."""


class Database:
    """One database. Work is a function of a connection, run inside a transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        sqlite = engine.dialect.name == "sqlite"
        self._reader = engine if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        # A compare-and-set must see what others have committed meanwhile.
        writer = {"flocx_writer": True} if sqlite else {"isolation_level": "READ COMMITTED"}
        self._writer = engine.execution_options(**writer)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on one consistent snapshot; what it writes is rolled back.

        :raises Unavailable: the database does not answer.
        """
        try:
            with self._reader.connect() as connection:
                return work(connection)
        except (SQLAlchemyError, oslo_db_exception.DBError) as error:
            raise _unavailable(error) from error

    def write(self, work: Callable[[Connection], T], *, attempts: int = ATTEMPTS) -> T:
        """Run ``work`` and commit; when a concurrent change won, run it anew from the start.

        ``work`` must have no effect besides the transaction's.

        :param attempts: how often it is run at most.
        :raises Busy: others won every time; nothing was changed.
        :raises AllocationsOverlap: the database refused to promise a node twice,
            every time; nothing was changed.
        :raises Unavailable: the database does not answer.
        """
        pause = _FIRST_PAUSE
        for attempt in range(1, attempts + 1):
            try:
                with self._writer.begin() as connection:
                    return work(connection)
            except FlocxError:
                raise
            except StaleGeneration as error:
                refusal: FlocxError = Busy(f"others kept changing {error}; try again")
            except (SQLAlchemyError, oslo_db_exception.DBError) as error:
                state = sqlstate(error)
                if state not in RETRYABLE:
                    raise _unavailable(error) from error
                refusal = (
                    AllocationsOverlap("node: it is already promised in that time")
                    if state == OVERLAP
                    else Busy(f"the database kept refusing the transaction ({state}); try again")
                )
            if attempt < attempts:
                LOG.debug("a concurrent change won (attempt %d of %d): %s", attempt, attempts, refusal)
                time.sleep(random.uniform(0, pause))  # noqa: S311
                pause = min(pause * 2, _LONGEST_PAUSE)
        raise refusal

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def database_from(options: Any) -> Database:
    """Return the database that the ``[database]`` options of oslo.db name.

    :raises ConfigurationInvalid: they name none that can be used.
    """
    return Database(
        create_engine(
            options.connection,
            max_pool_size=options.max_pool_size,
            max_overflow=options.max_overflow,
            pool_timeout=options.pool_timeout,
            connection_recycle_time=options.connection_recycle_time,
            mysql_sql_mode=options.mysql_sql_mode,
            mysql_wsrep_sync_wait=options.mysql_wsrep_sync_wait,
            connection_debug=options.connection_debug,
        )
    )


def _unavailable(error: Exception) -> Exception:
    """Return what to raise for a database error: unavailable when the connection or a missing table is at fault."""
    if sqlstate(error) == NO_TABLE:
        LOG.error("the database lacks a table: %s", type(error).__name__)
        return Unavailable("the database lacks a table; bring it to the newest revision with db sync")
    if isinstance(error, oslo_db_exception.DBConnectionError) or _is_operational(error):
        LOG.error("the database does not answer: %s", type(error).__name__)
        return Unavailable("the database does not answer; try again")
    return error


def _is_operational(error: Exception) -> bool:
    """Tell whether the driver says that something outside the program is wrong."""
    inner = error.inner_exception if isinstance(error, oslo_db_exception.DBError) else error
    return isinstance(inner, OperationalError | InterfaceError)
