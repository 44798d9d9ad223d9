# SPDX-License-Identifier: Apache-2.0
"""The market's store on a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.engine import Connection

from flocx_common.db.nodes import NodeGenerations
from flocx_common.db.transactions import ATTEMPTS, Database
from flocx_common.db.unit_of_work import SqlUnitOfWork
from flocx_market.db import models
from flocx_market.db.bids import SqlBids
from flocx_market.db.changes import SqlChanges
from flocx_market.db.contracts import SqlContracts
from flocx_market.db.offers import SqlOffers
from flocx_market.db.providers import SqlProviders
from flocx_market.ports.store import UnitOfWork

T = TypeVar("T")


class MarketUnitOfWork(SqlUnitOfWork):
    """One transaction on the market's database."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, models.change_counter, models.events, models.event_projects)
        self.offers = SqlOffers(connection)
        self.bids = SqlBids(connection)
        self.contracts = SqlContracts(connection)
        self.providers = SqlProviders(connection)
        self.nodes = NodeGenerations(connection, models.nodes)
        self.changes = SqlChanges(connection)

    def numbers_needed(self) -> int:
        """Return how many change numbers the waiting allocations need."""
        return self.contracts.numbers_needed()

    def write_numbered(self, numbers: range) -> None:
        """Write the waiting allocations."""
        self.contracts.write_numbered(numbers)


class MarketStore:
    """Runs the work of the market's services in transactions."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run work that changes nothing, on one consistent snapshot."""
        return self.database.read(lambda connection: work(MarketUnitOfWork(connection)))

    def write(self, work: Callable[[UnitOfWork], T], *, attempts: int = ATTEMPTS) -> T:
        """Run work and commit it, anew from the start when a concurrent change won."""

        def transaction(connection: Connection) -> T:
            uow = MarketUnitOfWork(connection)
            result = work(uow)
            uow.finish()
            return result

        return self.database.write(transaction, attempts=attempts)
