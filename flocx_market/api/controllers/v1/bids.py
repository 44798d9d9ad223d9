# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/bids."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flocx_common.api.operation import Answer, Call, Controller, etag, operation
from flocx_common.api.query import ListSpec
from flocx_common.api.values import normalized, price_from, time_from
from flocx_common.domain.errors import BidNotFound
from flocx_common.domain.json_values import digest
from flocx_common.domain.paging import SortKey
from flocx_market.api import views
from flocx_market.api.schemas import bids as schemas
from flocx_market.api.services import MarketServices
from flocx_market.domain.bid import Bid, SpreadRule
from flocx_market.domain.explanation import as_json
from flocx_market.policies import bids as policy
from flocx_market.ports.store import Viewer
from flocx_market.services import bids as service
from flocx_market.services.explaining import explain_bid

LISTING = ListSpec(
    fields={
        "uuid": "uuid",
        "name": "text",
        "project_id": "project",
        "quantity": "integer",
        "start_time": "time",
        "end_time": "time",
        "duration": "integer",
        "limit_price": "price",
        "status": "text",
        "status_reason": "text",
        "created_at": "time",
        "updated_at": "time",
    },
    default_sort=(SortKey("created_at"),),
)


class BidsController(Controller[MarketServices]):
    """All bids."""

    def __init__(self, services: MarketServices) -> None:
        super().__init__(services)
        self.explain = DryRunController(services)

    def below(self, segment: str) -> Controller[MarketServices] | None:
        """Return the controller of one bid."""
        return BidController(self._services, {"bid_uuid": segment})

    @operation(
        method="GET",
        path="/v1/bids",
        summary="List bids",
        policy=policy.LIST,
        listing=LISTING,
        answers={200: schemas.BIDS},
    )
    def list(self, call: Call[MarketServices]) -> Answer:
        """List the bids that the caller may see."""
        call.require({"project_id": call.caller.project_id})
        viewer = Viewer(None if call.caller.is_admin else call.caller.project_id)
        page = service.list_bids(call.query, viewer, store=call.services.store)
        names = call.services.names(bid.project_id for bid in page.items)
        links = call.next_links(page.items[-1].uuid if page.more else None)
        return Answer(body={"bids": [views.bid(bid, names) for bid in page.items], "links": links})

    @operation(
        method="POST",
        path="/v1/bids",
        summary="Place a bid",
        policy=policy.CREATE,
        body=schemas.CREATE,
        answers={201: schemas.BID, 200: schemas.BID},
        statuses=(409,),
    )
    def create(self, call: Call[MarketServices]) -> Answer:
        """Place a bid for the caller's project."""
        call.require({"project_id": call.caller.project_id})
        bid, new = service.place_bid(
            bid_request(call),
            store=call.services.store,
            limits=call.services.settings.limits,
            now=call.services.clock.now(),
        )
        headers = {"Location": call.url(f"/v1/bids/{bid.uuid}"), "ETag": etag(bid.generation)}
        return Answer(status=201 if new else 200, body=_shown(call, bid), headers=headers)


class DryRunController(Controller[MarketServices]):
    """What would become of a bid."""

    @operation(
        method="POST",
        path="/v1/bids/explain",
        summary="Explain a bid that is not placed",
        policy=policy.EXPLAIN,
        body=schemas.CREATE,
        answers={200: schemas.EXPLANATION},
    )
    def explain(self, call: Call[MarketServices]) -> Answer:
        """Explain a bid of the caller's project without placing it."""
        call.require({"project_id": call.caller.project_id})
        services, now = call.services, call.services.clock.now()
        bid = service.draft(bid_request(call), services.settings.limits, now)
        explanation = as_json(explain_bid(bid, store=services.store, settings=services.settings, now=now))
        return Answer(body={**explanation, "bid_uuid": None})


class BidController(Controller[MarketServices]):
    """One bid."""

    def __init__(self, services: MarketServices, path: dict[str, str]) -> None:
        super().__init__(services, path)
        self.explanation = ExplanationController(services, path)

    @operation(
        method="GET", path="/v1/bids/{bid_uuid}", summary="Show a bid", policy=policy.GET, answers={200: schemas.BID}
    )
    def show(self, call: Call[MarketServices]) -> Answer:
        """Show a bid."""
        bid = service.get_bid(call.path["bid_uuid"], guard=_guard(call), store=call.services.store)
        return Answer(body=_shown(call, bid), headers={"ETag": etag(bid.generation)})

    @operation(
        method="PATCH",
        path="/v1/bids/{bid_uuid}",
        summary="Change an open bid",
        policy=policy.UPDATE,
        body=schemas.CHANGE,
        answers={200: schemas.BID},
        statuses=(409, 412),
    )
    def change(self, call: Call[MarketServices]) -> Answer:
        """Change name, limit price or end of an open bid."""
        body = call.body
        change = service.BidChange(
            name=body.get("name"),
            rename="name" in body,
            limit_price=price_from(body["limit_price"], "limit_price") if "limit_price" in body else None,
            end_time=time_from(body["end_time"], "end_time") if "end_time" in body else None,
        )
        bid = service.change_bid(
            call.path["bid_uuid"],
            change,
            guard=_guard(call),
            store=call.services.store,
            limits=call.services.settings.limits,
            now=call.services.clock.now(),
        )
        return Answer(body=_shown(call, bid), headers={"ETag": etag(bid.generation)})

    @operation(
        method="DELETE",
        path="/v1/bids/{bid_uuid}",
        summary="Cancel an open bid",
        policy=policy.DELETE,
        answers={204: None},
        statuses=(409, 412),
    )
    def cancel(self, call: Call[MarketServices]) -> Answer:
        """Cancel a bid."""
        service.cancel_bid(
            call.path["bid_uuid"], guard=_guard(call), store=call.services.store, now=call.services.clock.now()
        )
        return Answer(status=204)


class ExplanationController(Controller[MarketServices]):
    """Why a bid is open."""

    @operation(
        method="GET",
        path="/v1/bids/{bid_uuid}/explanation",
        summary="Explain why a bid is open",
        policy=policy.GET,
        answers={200: schemas.EXPLANATION},
    )
    def show(self, call: Call[MarketServices]) -> Answer:
        """Explain a bid."""
        services, now = call.services, call.services.clock.now()
        bid = service.get_bid(call.path["bid_uuid"], guard=_guard(call), store=services.store)
        return Answer(body=as_json(explain_bid(bid, store=services.store, settings=services.settings, now=now)))


def _guard(call: Call[MarketServices]) -> Callable[[Bid], None]:
    def guard(bid: Bid) -> None:
        hidden = BidNotFound(f"bid: there is no bid {bid.uuid!r}", field="uuid")
        call.require({"project_id": bid.project_id}, hidden=(policy.GET, hidden))
        call.match_etag(bid.generation)

    return guard


def bid_request(call: Call[MarketServices], *, limit_price: Decimal | None = None) -> service.BidRequest:
    """Return the bid that a body asks for, in the caller's project.

    :param limit_price: what it pays at most where the body does not say.
    """
    body = call.body
    spread, together, offers = body.get("spread"), body.get("together"), body.get("offer_uuids")
    if limit_price is None or "limit_price" in body:
        limit_price = price_from(body["limit_price"], "limit_price")
    return service.BidRequest(
        uuid=body.get("uuid"),
        name=body.get("name"),
        project_id=call.caller.project_id,
        requirements=body.get("requirements", []),
        # JSON writes a whole number as 2.0, too.
        quantity=int(body.get("quantity", 1)),
        start_time=time_from(body["start_time"], "start_time") if "start_time" in body else None,
        end_time=time_from(body["end_time"], "end_time") if "end_time" in body else None,
        duration=None if body.get("duration") is None else int(body["duration"]),
        limit_price=limit_price,
        spread=None if spread is None else SpreadRule(spread["by"], int(spread["max"])),
        together=None if together is None else together["by"],
        offer_uuids=None if offers is None else tuple(offers),
        digest=digest(normalized(body)),
    )


def _shown(call: Call[MarketServices], bid: Bid) -> dict[str, Any]:
    return views.bid(bid, call.services.names([bid.project_id]))
