# SPDX-License-Identifier: Apache-2.0
"""Allocation, as the provider keeps it: what the market wants of a node, and how far it is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from flocx_common.domain.clock import ceil_second, floor_second
from flocx_common.domain.states import StateMachine


class AllocationStatus(StrEnum):
    """How far the provider is with an allocation; the words of the market."""

    #: Pulled, not yet handed over.
    ACKNOWLEDGED = "acknowledged"
    #: The node is handed over.
    ACTIVE = "active"
    #: The node is taken back.
    RELEASED = "released"
    #: The node could not be handed over, or was taken away; with the reason.
    FAILED = "failed"


ALLOCATION_STATES = StateMachine[AllocationStatus](
    "allocation",
    {
        (AllocationStatus.ACKNOWLEDGED, "hand_over"): AllocationStatus.ACTIVE,
        (AllocationStatus.ACKNOWLEDGED, "release"): AllocationStatus.RELEASED,
        (AllocationStatus.ACKNOWLEDGED, "fail"): AllocationStatus.FAILED,
        (AllocationStatus.ACTIVE, "release"): AllocationStatus.RELEASED,
        (AllocationStatus.ACTIVE, "fail"): AllocationStatus.FAILED,
    },
)

#: What the market calls an allocation that still binds.
MARKET_LIVE = frozenset({"created", "acknowledged", "active"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a provider knows of a contract that concerns its nodes."""

    uuid: str
    lessee_project_id: str
    start_time: datetime
    end_time: datetime
    status: str
    status_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """One allocation as the provider keeps it.

    ``market_status`` is the market's last word, ``status`` how far we are.
    ``reported`` is the last status the market was told, or has made pointless.
    ``settled`` says that the node carries nothing of ours any more. ``trouble``
    is what keeps it from being handed over or taken back, since
    ``trouble_since``. ``noticed_at`` is set once its end was announced.
    """

    uuid: str
    contract_uuid: str
    offer_uuid: str
    node_uuid: str
    node_name: str | None
    owner_project_id: str
    lessee_project_id: str
    start_time: datetime
    end_time: datetime
    clearing_price: Decimal
    amount: Decimal
    market_status: str
    status: AllocationStatus
    status_reason: str | None
    delivered_from: datetime | None
    delivered_until: datetime | None
    breach: bool
    reported: str
    settled: bool
    trouble: str | None
    trouble_since: datetime | None
    noticed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    generation: int = 0

    @property
    def wanted(self) -> bool:
        """Whether the market still counts on it."""
        return self.market_status in MARKET_LIVE

    def over(self, now: datetime) -> bool:
        """Tell whether the node is to be taken back, or never to be handed over."""
        return not self.wanted or now >= self.end_time

    def deadline(self, delivery_timeout: timedelta) -> datetime:
        """Return when the node must be handed over; a late contract is not late by its own fault."""
        return max(self.start_time, self.created_at) + delivery_timeout

    @property
    def to_report(self) -> bool:
        """Whether the market is to be told of the status."""
        return self.wanted and self.reported != self.status

    def handed_over(self, now: datetime) -> Allocation:
        """Return it handed over; what comes before the next whole second is not charged."""
        status = ALLOCATION_STATES.fire(self.status, "hand_over")
        begin = max(ceil_second(now), self.start_time)
        return replace(self, status=status, delivered_from=begin, updated_at=now, trouble=None, trouble_since=None)

    def released(self, now: datetime, reason: str | None = None) -> Allocation:
        """Return it released and settled."""
        status = ALLOCATION_STATES.fire(self.status, "release")
        until = self.delivered_until
        if self.delivered_from is not None and until is None:
            until = max(self.delivered_from, min(floor_second(now), self.end_time))
        return replace(
            self,
            status=status,
            status_reason=reason,
            delivered_until=until,
            settled=True,
            updated_at=now,
            trouble=None,
            trouble_since=None,
        )

    def failed(self, now: datetime, reason: str, *, breach: bool, settled: bool) -> Allocation:
        """Return it failed."""
        status = ALLOCATION_STATES.fire(self.status, "fail")
        until = self.delivered_until
        if self.delivered_from is not None and until is None:
            until = max(self.delivered_from, min(floor_second(now), self.end_time))
        return replace(
            self,
            status=status,
            status_reason=reason,
            delivered_until=until,
            breach=breach,
            settled=settled,
            updated_at=now,
            trouble=None,
            trouble_since=None,
        )

    def troubled(self, now: datetime, trouble: str) -> Allocation:
        """Return it with what keeps it from going on."""
        since = self.trouble_since if self.trouble_since is not None else now
        return replace(self, trouble=trouble, trouble_since=since, updated_at=now)
