# SPDX-License-Identifier: Apache-2.0
"""The provider's store on a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.nodes import NodeGenerations
from flocx_common.db.transactions import ATTEMPTS, Database
from flocx_common.db.unit_of_work import SqlUnitOfWork
from flocx_provider.db import models
from flocx_provider.db.contracts import SqlAllocations, SqlContracts
from flocx_provider.db.offers import SqlOffers
from flocx_provider.ports.store import Registered, UnitOfWork

T = TypeVar("T")


class SqlRegistration:
    """The one row of the registration."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self) -> Registered:
        """Return it."""
        row = self._connection.execute(sa.select(models.registration)).one()
        return Registered(provider_uuid=row.provider_uuid, cursor=row.market_cursor)

    def put(self, registered: Registered) -> None:
        """Store it."""
        values = {"provider_uuid": registered.provider_uuid, "market_cursor": registered.cursor}
        self._connection.execute(sa.update(models.registration).values(**values))


class ProviderUnitOfWork(SqlUnitOfWork):
    """One transaction on the provider's database."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, models.change_counter, models.events, models.event_projects)
        self.offers = SqlOffers(connection)
        self.allocations = SqlAllocations(connection)
        self.contracts = SqlContracts(connection)
        self.nodes = NodeGenerations(connection, models.nodes)
        self.registration = SqlRegistration(connection)


class ProviderStore:
    """Runs the work of the provider's services in transactions."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run work that changes nothing, on one consistent snapshot."""
        return self.database.read(lambda connection: work(ProviderUnitOfWork(connection)))

    def write(self, work: Callable[[UnitOfWork], T], *, attempts: int = ATTEMPTS) -> T:
        """Run work and commit it, anew from the start when a concurrent change won."""

        def transaction(connection: Connection) -> T:
            uow = ProviderUnitOfWork(connection)
            result = work(uow)
            uow.finish()
            return result

        return self.database.write(transaction, attempts=attempts)
