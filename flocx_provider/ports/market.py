# SPDX-License-Identifier: Apache-2.0
"""The market, as a provider needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from flocx_common.domain.errors import Conflict, Unavailable
from flocx_provider.domain.allocation import Allocation, Contract
from flocx_provider.domain.offer import Offer


class MarketUnavailable(Unavailable):
    """The market does not answer, or not as a market would: trying again may help."""

    code = "flocx.market.unavailable"
    title = "The market does not answer"


class MarketRefused(Conflict):
    """The market will not have it, and will not have it when it is repeated."""

    code = "flocx.market.refused"
    title = "The market refused"


class TooEarly(MarketRefused):
    """By the market's clock it is not yet time; repeating it soon will do."""

    code = "flocx.market.too_early"
    title = "It is not yet time"


class CursorLost(Exception):
    """The market does not know the cursor: everything must be read from the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationNews:
    """An allocation as the market has it now, with what is known of its contract."""

    uuid: str
    contract: Contract
    offer_uuid: str
    node_uuid: str
    node_name: str | None
    owner_project_id: str
    start_time: datetime
    end_time: datetime
    clearing_price: Decimal
    amount: Decimal
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOffer:
    """What the market says of an offer of this provider: enough to see whether it has the same as we."""

    uuid: str
    status: str
    reserve_price: Decimal
    end_time: datetime | None


class MarketGateway(Protocol):
    """Calls of the market, in the name of this provider's service user.

    Every call may raise :class:`MarketUnavailable`.
    """

    def register(self, *, name: str, turnaround: int) -> str:
        """Make sure that this provider is registered as described, and return its uuid there.

        :raises MarketRefused: the name is another provider's.
        """

    def heartbeat(self, provider_uuid: str) -> bool:
        """Say that this provider is alive; return whether the market knows it."""

    def put_offer(self, offer: Offer) -> None:
        """Publish an offer as it is; repeating it is harmless.

        :raises MarketRefused: the market will not have it.
        """

    def withdraw_offer(self, uuid: str) -> None:
        """Take an offer off the market; one the market never had is off it."""

    def offers(self) -> Sequence[ListedOffer]:
        """Return what the market has of this provider's offers that are not over."""

    def changes(self, since: str | None, wait: float) -> tuple[Sequence[AllocationNews], str]:
        """Return allocations that changed after a cursor, and the cursor to go on from.

        :param wait: seconds to wait for a change where there is none yet.
        :raises CursorLost: the market does not know the cursor.
        """

    def report(self, allocation: Allocation) -> None:
        """Tell the market the status of an allocation.

        :raises TooEarly: the market's clock is behind ours.
        :raises MarketRefused: the market has decided otherwise.
        """
