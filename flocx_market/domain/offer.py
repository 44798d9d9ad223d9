# SPDX-License-Identifier: Apache-2.0
"""Offer: an owner's standing statement that one node may be used in a window at or above a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from flocx_common.domain.json_values import JSON
from flocx_common.domain.states import StateMachine
from flocx_common.domain.window import TimeWindow


class OfferStatus(StrEnum):
    """What an offer can be."""

    #: It can be matched in its free windows.
    AVAILABLE = "available"
    #: Its node is unhealthy or its provider silent; comes back by itself.
    SUSPENDED = "suspended"
    #: Its end has passed.
    EXPIRED = "expired"
    #: Taken back by its owner or provider.
    WITHDRAWN = "withdrawn"


OFFER_STATES = StateMachine[OfferStatus](
    "offer",
    {
        (OfferStatus.AVAILABLE, "change"): OfferStatus.AVAILABLE,
        (OfferStatus.SUSPENDED, "change"): OfferStatus.SUSPENDED,
        (OfferStatus.AVAILABLE, "suspend"): OfferStatus.SUSPENDED,
        (OfferStatus.SUSPENDED, "resume"): OfferStatus.AVAILABLE,
        (OfferStatus.AVAILABLE, "expire"): OfferStatus.EXPIRED,
        (OfferStatus.SUSPENDED, "expire"): OfferStatus.EXPIRED,
        (OfferStatus.AVAILABLE, "withdraw"): OfferStatus.WITHDRAWN,
        (OfferStatus.SUSPENDED, "withdraw"): OfferStatus.WITHDRAWN,
    },
)

#: Statuses in which an offer holds its window against other offers of its node.
STANDING = frozenset({OfferStatus.AVAILABLE, OfferStatus.SUSPENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One offer as the market keeps it.

    ``min_duration`` is in seconds; ``lessee_project_ids`` None means everyone;
    ``health_problem`` is what its provider reports to be wrong with the node,
    None when nothing is; ``properties_digest`` is equal for equal documents.
    """

    uuid: str
    name: str | None
    provider_uuid: str
    owner_project_id: str
    resource_type: str
    node_uuid: str
    node_name: str | None
    resource_class: str | None
    properties: Mapping[str, JSON]
    properties_digest: str
    window: TimeWindow
    reserve_price: Decimal
    min_duration: int
    lessee_project_ids: tuple[str, ...] | None
    health_problem: str | None
    status: OfferStatus
    status_reason: str | None
    created_at: datetime
    updated_at: datetime
    generation: int = 0

    def after(self, event: str, now: datetime, reason: str | None = None) -> Offer:
        """Return the offer after ``event``.

        :raises InvalidTransition: the event is not allowed in its status.
        """
        status = OFFER_STATES.fire(self.status, event)
        return replace(self, status=status, status_reason=reason, updated_at=now)


def settled_status(offer: Offer, *, provider_alive: bool, now: datetime) -> Offer:
    """Return the offer with the status that health, liveness and time give it now.

    An offer that is final is returned unchanged, so that this may be repeated
    at will.
    """
    if offer.status not in STANDING:
        return offer
    if offer.window.end is not None and offer.window.end <= now:
        return offer.after("expire", now, "its end has passed")
    problem = offer.health_problem or (None if provider_alive else "its provider is silent")
    if problem is None:
        return offer.after("resume", now) if offer.status is OfferStatus.SUSPENDED else offer
    if offer.status is OfferStatus.AVAILABLE:
        return offer.after("suspend", now, problem)
    return offer if offer.status_reason == problem else replace(offer, status_reason=problem, updated_at=now)
