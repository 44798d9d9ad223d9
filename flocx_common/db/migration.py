# SPDX-License-Identifier: Apache-2.0
"""Schema migrations of a service: up, down, where it is, whether it is current."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

import alembic.command
import alembic.config
import alembic.runtime.migration
import alembic.script
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from flocx_common.domain.errors import Unavailable

T = TypeVar("T")


class Migrations:
    """The migrations in a package (``flocx_migrations_market``, say) against one database."""

    def __init__(self, package: str, engine: Engine) -> None:
        self._engine = engine
        self._config = alembic.config.Config()
        # The package may be a mapped source directory, an editable install or
        # a wheel: ask the import system where it is.
        self._config.set_main_option("script_location", str(importlib.resources.files(package)))
        self._config.set_main_option("path_separator", "os")

    @property
    def head(self) -> str:
        """The newest revision this software knows."""
        head = alembic.script.ScriptDirectory.from_config(self._config).get_current_head()
        assert head is not None
        return head

    def current(self) -> str | None:
        """Return the revision the database is at; None for an empty one."""
        with self._engine.connect() as connection:
            context = alembic.runtime.migration.MigrationContext.configure(connection)
            return context.get_current_revision()

    def upgrade(self, revision: str = "head") -> None:
        """Bring the database up to a revision."""
        self._run(lambda: alembic.command.upgrade(self._config, revision))

    def downgrade(self, revision: str) -> None:
        """Bring the database down to a revision; "base" empties it."""
        self._run(lambda: alembic.command.downgrade(self._config, revision))

    def revisions(self) -> Sequence[str]:
        """Return all revisions, oldest first."""
        script = alembic.script.ScriptDirectory.from_config(self._config)
        return [revision.revision for revision in reversed(list(script.walk_revisions()))]

    def _run(self, command: Callable[[], None]) -> None:
        def locked(connection: Connection) -> None:
            self._config.attributes["connection"] = connection
            try:
                command()
            finally:
                del self._config.attributes["connection"]

        engine = self._engine.execution_options(flocx_writer=True)
        with engine.connect() as connection, _one_at_a_time(connection), connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7407)"))
            locked(connection)


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    """Make a second ``db sync`` started at the same time wait for the first, until that has committed.

    SQLite and PostgreSQL have locks that end with the transaction. This one is
    the connection's, which outlives the transaction in the pool.
    """
    if connection.dialect.name not in ("mysql", "mariadb"):
        yield
        return
    got = connection.execute(sa.text("SELECT GET_LOCK('flocx_migration', 60)")).scalar_one()
    connection.commit()
    if got != 1:
        raise Unavailable("the database is being brought to another revision; try again when that is done")
    try:
        yield
    finally:
        with suppress(sa.exc.SQLAlchemyError):
            connection.execute(sa.text("SELECT RELEASE_LOCK('flocx_migration')"))
