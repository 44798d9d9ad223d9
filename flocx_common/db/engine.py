# SPDX-License-Identifier: Apache-2.0
"""Database engines from configuration."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from oslo_db.sqlalchemy import enginefacade
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from flocx_common.domain.errors import ConfigurationInvalid
from flocx_common.extras import missing_extra

#: How long SQLite waits for another writer, in milliseconds.
SQLITE_BUSY_TIMEOUT = 10_000

_EXTRAS = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}

#: The drivers these extras bring, for a URL that names none.
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}


def create_engine(connection: str, **options: Any) -> Engine:
    """Return an engine for a database URL; nothing is connected yet.

    :param options: as the ``[database]`` options of oslo.db.
    :raises ConfigurationInvalid: the URL cannot be read, names an unknown kind
        of database, or its driver is not installed.
    """
    if not connection:
        raise ConfigurationInvalid(
            "[database] connection: a database URL is needed, such as sqlite:////var/lib/flocx/x.db"
        )
    try:
        url = make_url(connection)
        url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        if url.get_backend_name() in ("mysql", "mariadb") and "charset" not in url.query:
            url = url.update_query_dict({"charset": "utf8mb4"})
        context = enginefacade.transaction_context()
        context.configure(
            connection=url.render_as_string(hide_password=False), max_retries=0, sqlite_fk=True, **options
        )
        engine: Engine = context.writer.get_engine()
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(url.get_backend_name(), "market")
        raise ConfigurationInvalid(
            missing_extra(f"[database] connection: {url.get_backend_name()}", error.name, extra)
        ) from None
    except (ArgumentError, ValueError) as error:
        # The text of the error may hold the URL with its password.
        raise ConfigurationInvalid(f"[database] connection: no usable database URL ({type(error).__name__})") from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT}")
        # Readers and one writer at a time do not wait for each other.
        connection.execute("PRAGMA journal_mode = WAL")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # A transaction that will write takes the write lock first: one that
        # takes it half-way can only fail when another has written meanwhile.
        # oslo.db has just begun a deferred one, which holds nothing yet.
        if connection.get_execution_options().get("flocx_writer"):
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
