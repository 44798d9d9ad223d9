# SPDX-License-Identifier: Apache-2.0
"""What tests of the market do again and again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import NOW, at, uid
from tests.harness import MarketHarness


class Trade:
    """Short words for what people do on a market."""

    def __init__(self, market: MarketHarness) -> None:
        self.market = market

    def register(self, number: int = 1, **fields: Any) -> dict[str, Any]:
        """Register a provider, as itself."""
        body = {"uuid": uid(9000 + number), "name": f"provider-{number}"} | fields
        return self.market.browser(f"provider-{number}")("POST", "/v1/providers", body).json

    def offer(self, number: int = 1, provider: int = 1, status: Any = None, **fields: Any) -> dict[str, Any]:
        """Publish an offer: of its own node, from now for 100 hours, at 1.5."""
        body = {
            "owner_project_id": "owner-a",
            "node_uuid": uid(1000 + number),
            "node_name": f"n{number}",
            "resource_class": "baremetal",
            "properties": {"cpus": 32, "local_gb": 1024},
            "start_time": NOW.isoformat(),
            "end_time": at(100).isoformat(),
            "reserve_price": "1.5",
        } | fields
        return self.market.browser(f"provider-{provider}")("PUT", f"/v1/offers/{uid(number)}", body, status=status).json

    def bid(self, user: str = "consumer-a", status: Any = None, **fields: Any) -> dict[str, Any]:
        """Place a bid: for 1 node from now for 10 hours at up to 2."""
        body = {"limit_price": "2", "start_time": NOW.isoformat(), "end_time": at(10).isoformat()} | fields
        return self.market.browser(user)("POST", "/v1/bids", body, status=status).json

    def contract(self, user: str = "consumer-a", **fields: Any) -> dict[str, Any]:
        """Bid, run a round, and return the contract."""
        placed = self.bid(user, **fields)
        self.market.round()
        found = self.market.browser(user).get(f"/v1/contracts?bid_uuid={placed['uuid']}&sort=created_at:desc").json
        return found["contracts"][0]

    def report(
        self, allocation: dict[str, Any], status: str, provider: int = 1, expect: Any = None, **fields: Any
    ) -> Any:
        """Report on an allocation, as its provider."""
        return self.market.browser(f"provider-{provider}")(
            "PATCH", f"/v1/allocations/{allocation['uuid']}", {"status": status} | fields, status=expect
        ).json

    def show(self, contract: dict[str, Any], user: str = "consumer-a") -> dict[str, Any]:
        """Return a contract as it is now."""
        return self.market.browser(user).get(f"/v1/contracts/{contract['uuid']}").json

    def show_bid(self, contract: dict[str, Any], user: str = "consumer-a") -> dict[str, Any]:
        """Return the bid of a contract as it is now."""
        return self.market.browser(user).get(f"/v1/bids/{contract['bid_uuid']}").json

    def events(self, user: str) -> list[str]:
        """Return the types of a user's events."""
        return [event["event_type"] for event in self.market.browser(user).get("/v1/events").json["events"]]


@pytest.fixture
def trade(market) -> Trade:
    """A market on SQLite with one registered provider."""
    made = Trade(market)
    made.register()
    return made


@pytest.fixture
def any_trade(any_market) -> Trade:
    """A market on every kind of database with one registered provider."""
    made = Trade(any_market)
    made.register()
    return made
