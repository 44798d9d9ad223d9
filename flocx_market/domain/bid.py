# SPDX-License-Identifier: Apache-2.0
"""Bid: what a lessee project asks for and will pay at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from flocx_common.domain.errors import WindowInvalid
from flocx_common.domain.events import Event, projects
from flocx_common.domain.json_values import JSON
from flocx_common.domain.money import PRICE_LIMIT, PRICE_STEP, to_micros
from flocx_common.domain.states import StateMachine
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.book import BookBid, Spread, has_room, to_seconds
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.requirements import parse_requirements

#: The highest limit price that a bid can have.
HIGHEST_LIMIT = PRICE_LIMIT - PRICE_STEP


class BidStatus(StrEnum):
    """What a bid can be."""

    #: It waits for a match.
    OPEN = "open"
    #: It has a contract.
    MATCHED = "matched"
    #: It can no longer be served inside its window.
    EXPIRED = "expired"
    #: Taken back by its project.
    CANCELLED = "cancelled"


BID_STATES = StateMachine[BidStatus](
    "bid",
    {
        (BidStatus.OPEN, "change"): BidStatus.OPEN,
        (BidStatus.OPEN, "match"): BidStatus.MATCHED,
        (BidStatus.OPEN, "expire"): BidStatus.EXPIRED,
        (BidStatus.OPEN, "cancel"): BidStatus.CANCELLED,
        # Only when its contract failed before delivery or fell to its owners' breach.
        (BidStatus.MATCHED, "reopen"): BidStatus.OPEN,
    },
)


@dataclass(frozen=True, slots=True)
class SpreadRule:
    """At most ``max`` of the bid's nodes share the value of the expression ``by``."""

    by: str
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """One bid.

    ``duration`` (seconds) None means the whole window; ``together`` is an
    expression all nodes share the value of; ``offer_uuids`` None means any.
    ``created_at`` is its age in ties: set anew when it asks for more.
    """

    uuid: str
    name: str | None
    project_id: str
    requirements: Sequence[JSON]
    quantity: int
    window: TimeWindow
    duration: int | None
    limit_price: Decimal
    spread: SpreadRule | None
    together: str | None
    offer_uuids: tuple[str, ...] | None
    status: BidStatus
    status_reason: str | None
    request_digest: str
    created_at: datetime
    updated_at: datetime
    generation: int = 0

    @property
    def end(self) -> datetime:
        """The end of its window; a bid always has one."""
        assert self.window.end is not None
        return self.window.end

    def after(self, event: str, now: datetime, reason: str | None = None) -> Bid:
        """Return the bid after ``event``.

        :raises InvalidTransition: the event is not allowed in its status.
        """
        status = BID_STATES.fire(self.status, event)
        return replace(self, status=status, status_reason=reason, updated_at=now)

    def servable(self, now: datetime, shortest: int) -> bool:
        """Tell whether the window still has room at ``now`` for a contract of at least ``shortest`` seconds."""
        begin, end = to_seconds(self.window.start), to_seconds(self.end)
        return has_room(begin, end, self.duration, to_seconds(now), shortest)

    def told(self, event_type: str, now: datetime) -> Event:
        """Return the event that tells its project what it has become."""
        return Event(
            event_type=event_type,
            entity_uuid=self.uuid,
            project_ids=projects(self.project_id),
            occurred_at=now,
            reason=self.status_reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long contracts may be and how far ahead; lengths in seconds.

    ``default_duration`` is the length of the window of a bid that names no end.
    """

    shortest_contract: int
    longest_contract: int
    horizon: int
    default_duration: int
    max_quantity: int


def bid_window(
    start: datetime | None, end: datetime | None, duration: int | None, limits: Limits, now: datetime
) -> TimeWindow:
    """Return the window of a bid as placed at ``now``, with defaults filled in.

    ``now`` is a whole second. A start that has passed means now. Without an end
    the window is as long as the default says, and longer by the duration where
    there is one, so that the contract has room to move.

    :raises WindowInvalid: it is empty or past, or the contract would be shorter,
        longer or further ahead than allowed.
    """
    start = now if start is None else start
    if end is None:
        end = start + timedelta(seconds=limits.default_duration + (duration or 0))
    if end <= start:
        raise WindowInvalid(f"end_time: {_z(end)} is not after start_time {_z(start)}", field="end_time")
    earliest = max(start, now)
    if end <= earliest:
        raise WindowInvalid(f"end_time: {_z(end)} has passed; it is {_z(now)}", field="end_time")
    room = int((end - earliest).total_seconds())
    length = room if duration is None else duration
    where = "end_time" if duration is None else "duration"
    if length > room:
        raise WindowInvalid(
            f"duration: {length} s do not fit between {_z(earliest)} and end_time {_z(end)} ({room} s)", field=where
        )
    if length < limits.shortest_contract:
        raise WindowInvalid(
            f"{where}: a contract of {length} s is shorter than the shortest allowed, {limits.shortest_contract} s",
            field=where,
        )
    if length > limits.longest_contract:
        raise WindowInvalid(
            f"{where}: a contract of {length} s is longer than the longest allowed, {limits.longest_contract} s",
            field=where,
        )
    latest = end - timedelta(seconds=length)
    if (latest - now).total_seconds() > limits.horizon:
        where = "start_time" if duration is None else "end_time"
        raise WindowInvalid(
            f"{where}: a contract could start at {_z(latest)}, more than {limits.horizon} s ahead", field=where
        )
    return TimeWindow(start, end)


def to_book(bid: Bid) -> BookBid:
    """Return the bid as clearing sees it.

    :raises RequirementInvalid, ExpressionInvalid: never for a bid that this
        version has stored; both are checked when it is placed.
    """
    return BookBid(
        uuid=bid.uuid,
        project_id=bid.project_id,
        requirements=parse_requirements(bid.requirements),
        quantity=bid.quantity,
        begin=to_seconds(bid.window.start),
        end=to_seconds(bid.end),
        duration=bid.duration,
        limit=to_micros(bid.limit_price),
        spread=Spread(compile_expression(bid.spread.by), bid.spread.max) if bid.spread else None,
        together=compile_expression(bid.together) if bid.together is not None else None,
        offer_uuids=None if bid.offer_uuids is None else frozenset(bid.offer_uuids),
        placed=to_seconds(bid.created_at),
    )


def _z(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
