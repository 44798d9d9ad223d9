# SPDX-License-Identifier: Apache-2.0
"""Offer, as the provider keeps it: what the owner said, and how far the market knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from flocx_common.domain.errors import OffersOverlap
from flocx_common.domain.json_values import JSON
from flocx_common.domain.states import StateMachine
from flocx_common.domain.window import TimeWindow


class OfferStatus(StrEnum):
    """What an offer can be; the words of the market."""

    #: It can be matched.
    AVAILABLE = "available"
    #: Its node is not fit for use; comes back by itself.
    SUSPENDED = "suspended"
    #: Its end has passed.
    EXPIRED = "expired"
    #: Taken back by its owner.
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


class Publication(StrEnum):
    """How far the market knows of an offer."""

    #: The market is to be told of it, or of its last change.
    PENDING = "pending"
    #: The market has it as it is here.
    PUBLISHED = "published"
    #: The market is to be told that it is taken back.
    WITHDRAWING = "withdrawing"
    #: The market knows that it is taken back, or never knew it.
    WITHDRAWN = "withdrawn"
    #: The market will not have it as it is; the reason says why.
    REFUSED = "refused"


PUBLICATION_STATES = StateMachine[Publication](
    "publication",
    {
        (Publication.PENDING, "change"): Publication.PENDING,
        (Publication.PENDING, "publish"): Publication.PUBLISHED,
        (Publication.PENDING, "refuse"): Publication.REFUSED,
        (Publication.PENDING, "withdraw"): Publication.WITHDRAWING,
        (Publication.PUBLISHED, "change"): Publication.PENDING,
        (Publication.PUBLISHED, "withdraw"): Publication.WITHDRAWING,
        (Publication.REFUSED, "change"): Publication.PENDING,
        (Publication.REFUSED, "withdraw"): Publication.WITHDRAWING,
        (Publication.WITHDRAWING, "finish"): Publication.WITHDRAWN,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One offer as the provider keeps it.

    ``properties`` is what leaves the provider: the hardware document without
    private properties. ``problem`` is why its node is not fit for use now.
    """

    uuid: str
    name: str | None
    owner_project_id: str
    node_uuid: str
    node_name: str | None
    resource_class: str | None
    properties: Mapping[str, JSON]
    window: TimeWindow
    reserve_price: Decimal
    min_duration: int
    lessee_project_ids: tuple[str, ...] | None
    problem: str | None
    status: OfferStatus
    status_reason: str | None
    publication: Publication
    publication_reason: str | None
    request_digest: str
    created_at: datetime
    updated_at: datetime
    generation: int = 0

    def after(self, event: str, now: datetime, reason: str | None = None) -> Offer:
        """Return the offer after an event of its status; the market is to be told.

        :raises InvalidTransition: the event is not allowed in its status.
        """
        status = OFFER_STATES.fire(self.status, event)
        publication = self.publication
        if status is OfferStatus.WITHDRAWN:
            publication = PUBLICATION_STATES.fire(publication, "withdraw")
        elif status in STANDING:
            publication = PUBLICATION_STATES.fire(publication, "change")
        return replace(self, status=status, status_reason=reason, publication=publication, updated_at=now)

    def told(self, event: str, now: datetime, reason: str | None = None) -> Offer:
        """Return the offer after an event of its publication.

        :raises InvalidTransition: the event is not allowed there.
        """
        publication = PUBLICATION_STATES.fire(self.publication, event)
        return replace(self, publication=publication, publication_reason=reason, updated_at=now)


def refuse_overlap(window: TimeWindow, others: Iterable[Offer], node: str) -> None:
    """Refuse a window in which the node already has a standing offer.

    :raises OffersOverlap: naming the other offer, which is the same owner's.
    """
    for other in others:
        if other.status in STANDING and other.window.overlaps(window):
            raise OffersOverlap(
                f"start_time: node {node} is already offered in that time, by offer {other.uuid}", field="start_time"
            )


def examined(offer: Offer, problem: str | None, now: datetime) -> Offer:
    """Return the offer with the status that time and its node's health give it; final ones unchanged."""
    if offer.status not in STANDING:
        return offer
    if offer.window.end is not None and offer.window.end <= now:
        return offer.after("expire", now, "its end has passed")
    if problem == offer.problem:
        return offer
    changed = replace(offer, problem=problem)
    if problem is None:
        return changed.after("resume", now)
    if offer.status is OfferStatus.AVAILABLE:
        return changed.after("suspend", now, problem)
    return replace(changed.told("change", now), status_reason=problem)
