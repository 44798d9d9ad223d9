# SPDX-License-Identifier: Apache-2.0
"""Databases of a run's own, on the servers that answer, and files where none does."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

_SERVERS = {
    "postgresql": ("FLOCX_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "mysql": ("FLOCX_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/mysql?charset=utf8mb4"),
}
_READABLE = {"postgresql": "PostgreSQL", "mysql": "MariaDB", "sqlite": "SQLite"}


class Databases:
    """Gives each service a database, and drops all of them at the end.

    ``prefix`` begins the name of every database made on a server. ``remember`` is called with kind
    of server and name before a database is made, so that it can be found after any end.
    """

    def __init__(self, state: Path, prefix: str, remember: Callable[[str, str], None]) -> None:
        self._state, self._prefix, self._remember = state, prefix, remember
        self._servers = {kind: url for kind in _SERVERS if (url := _answering(kind))}
        self._made: dict[str, str] = {}

    def describe(self) -> str:
        """Return in words which servers are used."""
        return " and ".join(_READABLE[kind] for kind in self._servers) or _READABLE["sqlite"]

    def create(self, name: str, *preferred: str) -> str:
        """Return the URL of a database, made when it is first asked for.

        It is on the first of the preferred kinds of server that answers, else an SQLite file.
        """
        if name not in self._made:
            self._made[name] = self._make(name, preferred)
        return self._made[name]

    def file(self, name: str) -> Path:
        """Return the file of a database that is on no server, to look into."""
        return self._state / f"{name}.sqlite"

    def _make(self, name: str, preferred: Sequence[str]) -> str:
        kind = next((kind for kind in preferred if kind in self._servers), "sqlite")
        if kind == "sqlite":
            path = self.file(name)
            _write_ahead(path)
            return f"sqlite:///{path}"
        url = self._servers[kind].set(database=f"{self._prefix}{name}")
        self._remember(kind, str(url.database))
        charset = " CHARACTER SET utf8mb4" if kind == "mysql" else ""
        with _connected(self._servers[kind]) as connection:
            connection.execute(text(f"CREATE DATABASE {url.database}{charset}"))
        return url.render_as_string(hide_password=False)


def _write_ahead(path: Path) -> None:
    """Make an SQLite file that can be read while it is written."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=wal")
    finally:
        connection.close()


def drop_databases(databases: Sequence[tuple[str, str]]) -> Sequence[str]:
    """Drop databases, each a kind of server and a name, and return those that are still there, or may be."""
    left: list[str] = []
    for kind in _SERVERS:
        names = [name for of, name in databases if of == kind]
        url = _answering(kind) if names else None
        if not url:
            left += names
            continue
        with _connected(url) as connection:
            for name in names:
                force = " WITH (FORCE)" if kind == "postgresql" else ""
                connection.execute(text(f"DROP DATABASE IF EXISTS {name}{force}"))
            query = "SELECT datname FROM pg_database" if kind == "postgresql" else "SHOW DATABASES"
            there = {row[0] for row in connection.execute(text(query))}
        left += [name for name in names if name in there]
    return left


def _answering(kind: str) -> URL | None:
    """Return the URL of the server of a kind, or None if it does not answer."""
    variable, default = _SERVERS[kind]
    url = make_url(os.environ.get(variable) or default)
    try:
        with _connected(url):
            return url
    except SQLAlchemyError:
        return None


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
