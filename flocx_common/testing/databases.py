# SPDX-License-Identifier: Apache-2.0
"""Databases for tests: made, emptied and dropped by the tests that use them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url

from flocx_common.db.engine import create_engine
from flocx_common.db.migration import Migrations
from flocx_common.db.transactions import Database

#: The kinds of databases FLOCX runs on.
KINDS = ("sqlite", "postgresql", "mariadb")

#: Where the servers are, as a user who may create databases; another place can be set.
SERVERS = {
    "postgresql": os.environ.get("FLOCX_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "mariadb": os.environ.get("FLOCX_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/mysql"),
}


def unavailable(kind: str) -> str | None:
    """Return why databases of a kind cannot be used here, or None when they can."""
    if kind == "sqlite":
        return None
    engine = sa.create_engine(SERVERS[kind])
    try:
        with engine.connect():
            return None
    except sa.exc.SQLAlchemyError as error:
        return f"no {kind} at {make_url(SERVERS[kind]).render_as_string()}: {type(error.__cause__ or error).__name__}"
    finally:
        engine.dispose()


@contextmanager
def empty_database(kind: str, name: str, directory: Path) -> Iterator[str]:
    """Provide the URL of a database without tables, and drop it at the end.

    :param name: unique among the tests that run at the same time.
    :param directory: where a SQLite file may go.
    """
    if kind == "sqlite":
        path = directory / f"{name}.sqlite"
        path.unlink(missing_ok=True)
        yield f"sqlite:///{path}"
        return
    server = make_url(SERVERS[kind])
    _administer(server, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        force = " WITH (FORCE)" if kind == "postgresql" else ""
        _administer(server, f"DROP DATABASE IF EXISTS {name}{force}")


class MigratedDatabase:
    """A database at the newest revision, which can be had as new again and again."""

    def __init__(self, url: str, migrations: str) -> None:
        self.url = url
        self._fresh: Path | None = None
        engine = create_engine(url)
        Migrations(migrations, engine).upgrade()
        engine.dispose()
        path = make_url(url).database if url.startswith("sqlite") else None
        if path is not None:
            self._path = Path(path)
            self._fresh = self._path.with_suffix(".fresh")
            _checkpoint(url)
            shutil.copy(self._path, self._fresh)
        self.database = Database(create_engine(url))

    def renew(self) -> Database:
        """Return the database as it was after the migration."""
        if self._fresh is not None:
            self.database.dispose()
            for suffix in ("-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            # In one step: somebody who waits for changes may still be reading.
            fresh = self._path.with_suffix(".next")
            shutil.copy(self._fresh, fresh)
            fresh.replace(self._path)
        else:
            _empty(self.database.engine)
        return self.database

    def close(self) -> None:
        """Close all connections."""
        self.database.dispose()


def _administer(server: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
    finally:
        engine.dispose()


def _checkpoint(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def _empty(engine: Engine) -> None:
    """Delete all rows but those the migrations made."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            match table.name:
                case "alembic_version":
                    continue
                case "change_counter":
                    connection.execute(sa.update(table).values(value=0))
                case "registration":
                    connection.execute(sa.update(table).values(provider_uuid=None, market_cursor=None))
                case _:
                    connection.execute(sa.delete(table))
