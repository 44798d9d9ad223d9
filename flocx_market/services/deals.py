# SPDX-License-Identifier: Apache-2.0
"""Writing what a round has decided: deals become contracts, whatever others do meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flocx_common.domain.clock import ceil_second, floor_second
from flocx_common.domain.errors import AllocationsOverlap, Busy
from flocx_market.domain import lifecycle
from flocx_market.domain.bid import Bid
from flocx_market.domain.clearing import Deal
from flocx_market.domain.contract import Contract
from flocx_market.domain.formation import form_contract
from flocx_market.ports.store import Store, UnitOfWork

LOG = logging.getLogger(__name__)

# Contracts written in one transaction; each costs a bounded number of statements.
_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DealWriter:
    """Makes contracts of deals: many in a transaction, fewer where others interfere.

    A bid or a node that has changed since it was read costs no more than the
    contracts it is in: those are left to the next round.

    :param bids: the open bids as they were read, by uuid.
    :param generations: those of the nodes as they were read; each node that
        is written is raised by one here, too.
    :param wrote: told of the contracts that are written.
    """

    store: Store
    bids: Mapping[str, Bid]
    generations: MutableMapping[str, int]
    wrote: Callable[[Sequence[Contract]], None] = lambda contracts: None

    def write(self, deals: Sequence[Deal], now: datetime) -> tuple[int, int]:
        """Write the contracts of deals; return how many were made and how many lost to concurrent changes."""
        contracts = [form_contract(deal, ceil_second(now)) for deal in deals]
        written = sum(self._write(contracts[first : first + _BATCH], now) for first in range(0, len(contracts), _BATCH))
        return written, len(contracts) - written

    def _write(self, contracts: Sequence[Contract], now: datetime) -> int:
        """Write contracts, or those of them that can be; return how many."""
        try:
            self.store.write(partial(self._add, contracts, now), attempts=1)
        except (Busy, AllocationsOverlap) as error:
            if len(contracts) == 1:
                LOG.info("bid %s is left to the next round: %s", contracts[0].bid_uuid, error.detail)
                return 0
            middle = len(contracts) // 2
            return self._write(contracts[:middle], now) + self._write(contracts[middle:], now)
        for node_uuid in _nodes_of(contracts):
            self.generations[node_uuid] += 1
        self.wrote(contracts)
        return len(contracts)

    def _add(self, contracts: Sequence[Contract], now: datetime, uow: UnitOfWork) -> None:
        uow.bids.match([self.bids[contract.bid_uuid] for contract in contracts], floor_second(now))
        uow.nodes.bump({node_uuid: self.generations[node_uuid] for node_uuid in _nodes_of(contracts)})
        uow.contracts.add(contracts)
        for contract in contracts:
            matched = self.bids[contract.bid_uuid].after("match", floor_second(now))
            uow.record(matched.told("bid.matched", now), *lifecycle.formed(contract).events)


def _nodes_of(contracts: Sequence[Contract]) -> set[str]:
    """Return the nodes that contracts are about."""
    return {allocation.node_uuid for contract in contracts for allocation in contract.allocations}
