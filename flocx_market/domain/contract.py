# SPDX-License-Identifier: Apache-2.0
"""Contract: binds one bid to the nodes that serve it; allocation: one node of a contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from flocx_common.domain.errors import AllocationNotFound
from flocx_common.domain.money import amount_for, mean, total
from flocx_common.domain.states import StateMachine


class ContractStatus(StrEnum):
    """What a contract can be."""

    #: Formed, not started.
    CREATED = "created"
    #: Its nodes are handed over.
    ACTIVE = "active"
    #: Ended on time.
    COMPLETED = "completed"
    #: Called off before the start.
    CANCELLED = "cancelled"
    #: Ended early; the reason says by whom and why.
    TERMINATED = "terminated"
    #: Could not be delivered.
    FAILED = "failed"


CONTRACT_STATES = StateMachine[ContractStatus](
    "contract",
    {
        (ContractStatus.CREATED, "activate"): ContractStatus.ACTIVE,
        (ContractStatus.CREATED, "cancel"): ContractStatus.CANCELLED,
        (ContractStatus.CREATED, "fail"): ContractStatus.FAILED,
        (ContractStatus.ACTIVE, "complete"): ContractStatus.COMPLETED,
        (ContractStatus.ACTIVE, "terminate"): ContractStatus.TERMINATED,
        (ContractStatus.ACTIVE, "fail"): ContractStatus.FAILED,
    },
)

#: Statuses of a contract that binds; a bid has at most one contract in them.
BINDING = frozenset({ContractStatus.CREATED, ContractStatus.ACTIVE})


class AllocationStatus(StrEnum):
    """What an allocation can be."""

    #: Made by the market.
    CREATED = "created"
    #: Its provider has pulled it.
    ACKNOWLEDGED = "acknowledged"
    #: Its provider has handed the node over.
    ACTIVE = "active"
    #: Its provider has taken the node back, or it was called off before delivery.
    RELEASED = "released"
    #: The node could not be delivered, or was taken away; with the reason.
    FAILED = "failed"
    #: It failed and the market has put another node in its place.
    REPLACED = "replaced"


ALLOCATION_STATES = StateMachine[AllocationStatus](
    "allocation",
    {
        (AllocationStatus.CREATED, "acknowledge"): AllocationStatus.ACKNOWLEDGED,
        (AllocationStatus.CREATED, "hand_over"): AllocationStatus.ACTIVE,
        (AllocationStatus.CREATED, "release"): AllocationStatus.RELEASED,
        (AllocationStatus.CREATED, "fail"): AllocationStatus.FAILED,
        (AllocationStatus.ACKNOWLEDGED, "hand_over"): AllocationStatus.ACTIVE,
        (AllocationStatus.ACKNOWLEDGED, "release"): AllocationStatus.RELEASED,
        (AllocationStatus.ACKNOWLEDGED, "fail"): AllocationStatus.FAILED,
        (AllocationStatus.ACTIVE, "release"): AllocationStatus.RELEASED,
        (AllocationStatus.ACTIVE, "fail"): AllocationStatus.FAILED,
        (AllocationStatus.FAILED, "replace"): AllocationStatus.REPLACED,
    },
)

#: Statuses in which an allocation keeps its node from every other contract.
LIVE = frozenset({AllocationStatus.CREATED, AllocationStatus.ACKNOWLEDGED, AllocationStatus.ACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """One node of a contract, from ``start_time`` up to ``end_time``.

    ``end_time`` falls when the node is given back or taken away early.
    ``delivered_from`` and ``delivered_until`` bound what is charged.
    ``replacement_sought_since`` is set while the market looks for another node.
    """

    uuid: str
    contract_uuid: str
    offer_uuid: str
    provider_uuid: str
    node_uuid: str
    node_name: str | None
    owner_project_id: str
    start_time: datetime
    end_time: datetime
    clearing_price: Decimal
    amount: Decimal
    status: AllocationStatus
    status_reason: str | None
    delivered_from: datetime | None
    delivered_until: datetime | None
    replacement_sought_since: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def live(self) -> bool:
        """Whether it keeps its node from every other contract."""
        return self.status in LIVE

    @property
    def counts(self) -> bool:
        """Whether it is one of the contract's ``quantity``: live and not given back, or being replaced."""
        return self.replacement_sought_since is not None or (self.live and self.delivered_until is None)

    def after(self, event: str, now: datetime, reason: str | None = None) -> Allocation:
        """Return the allocation after ``event``.

        :raises InvalidTransition: the event is not allowed in its status.
        """
        status = ALLOCATION_STATES.fire(self.status, event)
        return replace(self, status=status, status_reason=reason, updated_at=now)

    def charged(self) -> Allocation:
        """Return the allocation with the amount its price and times come to.

        Before the end that is the agreed time, after it the delivered time;
        what was never delivered costs nothing.
        """
        if self.live and self.delivered_until is None:
            begin, end = self.start_time, self.end_time
        elif self.delivered_from is None or self.delivered_until is None:
            begin = end = self.start_time
        else:
            begin, end = self.delivered_from, self.delivered_until
        return replace(self, amount=amount_for(self.clearing_price, end - begin))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One contract with all its allocations, which change together.

    ``clearing_price`` is the mean of its nodes' prices, for display; ``amount``
    is exactly the sum of its allocations' amounts. ``notified_at`` is set once
    both sides were told that the end is near.
    """

    uuid: str
    bid_uuid: str
    lessee_project_id: str
    quantity: int
    start_time: datetime
    end_time: datetime
    clearing_price: Decimal
    amount: Decimal
    price_rule: str
    status: ContractStatus
    status_reason: str | None
    allocations: tuple[Allocation, ...]
    notified_at: datetime | None
    created_at: datetime
    updated_at: datetime
    generation: int = 0

    @property
    def binding(self) -> bool:
        """Whether it is neither ended nor called off."""
        return self.status in BINDING

    @property
    def owners(self) -> frozenset[str]:
        """The projects that own, or owned, one of its nodes."""
        return frozenset(allocation.owner_project_id for allocation in self.allocations)

    def allocation(self, uuid: str) -> Allocation:
        """Return one of its allocations.

        :raises AllocationNotFound: it has none of that uuid.
        """
        for allocation in self.allocations:
            if allocation.uuid == uuid:
                return allocation
        raise AllocationNotFound(f"allocation: {uuid!r} is none of contract {self.uuid}")

    def having(self, *changed: Allocation, now: datetime) -> Contract:
        """Return the contract with these allocations put in (by uuid) and its totals made anew."""
        fresh = {allocation.uuid: allocation.charged() for allocation in changed}
        kept = tuple(fresh.pop(old.uuid, old) for old in self.allocations)
        allocations = (*kept, *fresh.values())
        shown = [a.clearing_price for a in allocations if a.status not in _GONE] or [
            a.clearing_price for a in allocations
        ]
        return replace(
            self,
            allocations=allocations,
            clearing_price=mean(shown),
            amount=total(a.amount for a in allocations),
            updated_at=now,
        )

    def after(self, event: str, now: datetime, reason: str | None = None) -> Contract:
        """Return the contract after ``event``.

        :raises InvalidTransition: the event is not allowed in its status.
        """
        status = CONTRACT_STATES.fire(self.status, event)
        return replace(self, status=status, status_reason=reason, updated_at=now)


_GONE = frozenset({AllocationStatus.FAILED, AllocationStatus.REPLACED})
