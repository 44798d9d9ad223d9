# SPDX-License-Identifier: Apache-2.0
"""Placing, changing and taking back bids."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from flocx_common.domain.clock import ceil_second, floor_second
from flocx_common.domain.errors import BidMatched, BidNotFound, ExpressionInvalid, IdTaken, Invalid
from flocx_common.domain.ids import new_id
from flocx_common.domain.json_values import JSON
from flocx_common.domain.paging import ListQuery, Page
from flocx_market.domain.bid import BID_STATES, Bid, BidStatus, Limits, SpreadRule, bid_window, to_book
from flocx_market.domain.book import BookBid
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.requirements import parse_requirements
from flocx_market.ports.store import Store, UnitOfWork, Viewer

LOG = logging.getLogger(__name__)

#: Looks at an entity before it is changed and raises to refuse.
Guard = Callable[[Bid], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BidRequest:
    """What a project asks for. None stands for the default: a fresh uuid, now, the default length."""

    uuid: str | None
    name: str | None
    project_id: str
    requirements: Sequence[JSON]
    quantity: int
    start_time: datetime | None
    end_time: datetime | None
    duration: int | None
    limit_price: Decimal
    spread: SpreadRule | None
    together: str | None
    offer_uuids: tuple[str, ...] | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BidChange:
    """New values for an open bid; None keeps the old one. ``rename`` says that ``name`` is given."""

    name: str | None = None
    rename: bool = False
    limit_price: Decimal | None = None
    end_time: datetime | None = None


def draft(request: BidRequest, limits: Limits, now: datetime) -> Bid:
    """Return the bid that a request stands for, checked and not stored.

    :raises RequirementInvalid, ExpressionInvalid, WindowInvalid, Invalid: what
        is wrong with it; everything that can be is found here.
    """
    parse_requirements(request.requirements)
    if request.spread is not None:
        _check_expression("spread.by", request.spread.by)
    if request.together is not None:
        _check_expression("together.by", request.together)
    if request.quantity > limits.max_quantity:
        raise Invalid(
            f"quantity: {request.quantity} nodes in one bid, at most {limits.max_quantity} are allowed",
            field="quantity",
        )
    return Bid(
        uuid=request.uuid or new_id(),
        name=request.name,
        project_id=request.project_id,
        requirements=request.requirements,
        quantity=request.quantity,
        window=bid_window(request.start_time, request.end_time, request.duration, limits, ceil_second(now)),
        duration=request.duration,
        limit_price=request.limit_price,
        spread=request.spread,
        together=request.together,
        offer_uuids=request.offer_uuids,
        status=BidStatus.OPEN,
        status_reason=None,
        request_digest=request.digest,
        created_at=floor_second(now),
        updated_at=floor_second(now),
    )


def place_bid(request: BidRequest, *, store: Store, limits: Limits, now: datetime) -> tuple[Bid, bool]:
    """Store a bid and return it, with whether it is new.

    The same request repeated under the same uuid returns the stored bid.

    :raises IdTaken: the uuid is in use for something else.
    :raises Invalid: and its kinds, as :func:`draft`.
    """

    def work(uow: UnitOfWork) -> tuple[Bid, bool]:
        stored = uow.bids.get(request.uuid) if request.uuid is not None else None
        if stored is not None:
            if (stored.project_id, stored.request_digest) != (request.project_id, request.digest):
                raise IdTaken(f"uuid: {stored.uuid} is in use for something else", field="uuid")
            return stored, False
        bid = draft(request, limits, now)
        uow.bids.add(bid)
        uow.record(bid.told("bid.placed", now))
        return bid, True

    return store.write(work)


def change_bid(uuid: str, change: BidChange, *, guard: Guard, store: Store, limits: Limits, now: datetime) -> Bid:
    """Change an open bid and return it. Asking for more makes it young again.

    :raises BidNotFound: there is no such bid, or ``guard`` hides it.
    :raises InvalidTransition: it is not open.
    :raises WindowInvalid: the new end cannot be.
    """

    def work(uow: UnitOfWork) -> Bid:
        bid = _guarded(uow, uuid, guard)
        end = bid.end if change.end_time is None else change.end_time
        price = bid.limit_price if change.limit_price is None else change.limit_price
        name = change.name if change.rename else bid.name
        if (end, price, name) == (bid.end, bid.limit_price, bid.name):
            return bid
        BID_STATES.fire(bid.status, "change")
        window = (
            bid.window if end == bid.end else bid_window(bid.window.start, end, bid.duration, limits, ceil_second(now))
        )
        younger = price > bid.limit_price or end > bid.end
        changed = replace(
            bid,
            name=name,
            window=window,
            limit_price=price,
            created_at=floor_second(now) if younger else bid.created_at,
            updated_at=floor_second(now),
        )
        uow.bids.update(changed)
        uow.record(changed.told("bid.changed", now))
        return replace(changed, generation=bid.generation + 1)

    return store.write(work)


def cancel_bid(uuid: str, *, guard: Guard, store: Store, now: datetime) -> None:
    """Take an open bid back; again is harmless.

    :raises BidNotFound: there is no such bid, or ``guard`` hides it.
    :raises BidMatched: it has a contract; that can be cancelled.
    :raises InvalidTransition: it has expired.
    """

    def work(uow: UnitOfWork) -> None:
        bid = _guarded(uow, uuid, guard)
        if bid.status is BidStatus.CANCELLED:
            return
        if bid.status is BidStatus.MATCHED:
            raise BidMatched(f"status: bid {uuid} is matched; cancel or terminate its contract instead", field="status")
        cancelled = bid.after("cancel", floor_second(now), "cancelled by its project")
        uow.bids.update(cancelled)
        uow.record(cancelled.told("bid.cancelled", now))

    store.write(work)


def get_bid(uuid: str, *, guard: Guard, store: Store) -> Bid:
    """Return a bid.

    :raises BidNotFound: there is no such bid, or ``guard`` hides it.
    """
    return store.read(lambda uow: _guarded(uow, uuid, guard))


def list_bids(query: ListQuery, viewer: Viewer, *, store: Store) -> Page[Bid]:
    """Return a page of the bids that ``viewer`` may see."""
    return store.read(lambda uow: uow.bids.page(query, viewer))


def readable(bid: Bid) -> BookBid | None:
    """Return a bid as clearing sees it; one that cannot be read stops nobody else's."""
    try:
        return to_book(bid)
    except Exception:
        LOG.exception("bid %s cannot be read and is left out", bid.uuid)
        return None


def _guarded(uow: UnitOfWork, uuid: str, guard: Guard) -> Bid:
    bid = uow.bids.get(uuid)
    if bid is None:
        raise BidNotFound(f"bid: there is no bid {uuid!r}", field="uuid")
    guard(bid)
    return bid


def _check_expression(field: str, text: str) -> None:
    try:
        compile_expression(text)
    except ExpressionInvalid as error:
        raise ExpressionInvalid(f"{field}: {error.detail.removeprefix('expression: ')}", field=field) from None
