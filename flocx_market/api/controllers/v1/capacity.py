# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/capacity."""

from __future__ import annotations

from flocx_common.api.operation import Answer, Call, Controller, operation
from flocx_market.api import views
from flocx_market.api.controllers.v1.bids import bid_request
from flocx_market.api.schemas import capacity as schemas
from flocx_market.api.services import MarketServices
from flocx_market.domain.bid import HIGHEST_LIMIT, to_book
from flocx_market.domain.capacity import STEPS
from flocx_market.domain.offer import Offer
from flocx_market.policies import capacity as policy
from flocx_market.ports.store import Viewer
from flocx_market.services import bids, capacity


class CapacityController(Controller[MarketServices]):
    """How much could be had now, and what a node would have earned."""

    @operation(
        method="POST",
        path="/v1/capacity",
        summary="Ask how many nodes could be had at which price",
        policy=policy.ASK,
        microversion=(1, 1),
        body=schemas.ASK,
        answers={200: schemas.CAPACITY},
    )
    def ask(self, call: Call[MarketServices]) -> Answer:
        """Tell what a bid of the caller's project could have, and what a node of it would have earned."""
        call.require({"project_id": call.caller.project_id})
        services, now = call.services, call.services.clock.now()
        most_steps = int(call.body.get("max_steps", STEPS))
        asked = bids.draft(bid_request(call, limit_price=HIGHEST_LIMIT), services.settings.limits, now)
        question = to_book(asked)
        earned = _earnings(call, most_steps) if "earnings" in call.body else None
        found = capacity.ask_capacity(
            question, most_steps=most_steps, store=services.store, settings=services.settings, now=now
        )
        return Answer(body=views.capacity(question, found, earned))


def _earnings(call: Call[MarketServices], most_steps: int) -> capacity.NodeEarnings:
    def owns(offer: Offer) -> bool:
        return call.allows(policy.EARNINGS, {"owner_project_id": offer.owner_project_id})

    asked = call.body["earnings"]
    return capacity.ask_earnings(
        asked["node"],
        int(asked.get("days", 30)),
        viewer=Viewer(None if call.caller.is_admin else call.caller.project_id),
        owns=owns,
        most_steps=most_steps,
        store=call.services.store,
        now=call.services.clock.now(),
    )
