# SPDX-License-Identifier: Apache-2.0
"""A market with two providers, and short words for what people do there."""

from __future__ import annotations

from typing import Any

import pytest

from flocx_common.testing.clock import FrozenClock
from flocx_common.testing.databases import MigratedDatabase, empty_database
from flocx_provider.services.node_health import set_node_health
from tests.builders import NOW, at, uid
from tests.harness import MarketHarness, ProviderHarness

#: Odd machines are owner-a's, even ones owner-b's; the last is nobody's.
MACHINES = [
    {
        "uuid": uid(1000 + number),
        "name": f"n{number}",
        "owner": None if number == 5 else "owner-a" if number % 2 else "owner-b",
        "resource_class": "baremetal",
        "cpus": 32,
        "local_gb": 1024,
        "serial_number": f"S{number}",
    }
    for number in range(1, 6)
]

SECOND_MACHINES = [{"uuid": uid(1010), "name": "far", "owner": "owner-b", "cpus": 64, "local_gb": 4096}]


class Room:
    """A market and its providers, in this process, on a clock that stands still."""

    def __init__(self, market: MarketHarness, provider: ProviderHarness, clock: FrozenClock) -> None:
        self.market, self.provider, self.clock = market, provider, clock

    def offer(self, user: str = "owner-a", status: Any = None, **fields: Any) -> dict[str, Any]:
        """Offer a node: n1 from now for 100 hours at 1.5."""
        body = {
            "node_uuid": "n1",
            "start_time": NOW.isoformat(),
            "end_time": at(100).isoformat(),
            "reserve_price": "1.5",
        } | fields
        return self.provider.browser(user)("POST", "/v1/offers", body, status=status).json

    def bid(self, user: str = "consumer-a", **fields: Any) -> dict[str, Any]:
        """Place a bid: for 1 node from now for 10 hours at up to 2."""
        body = {"limit_price": "2", "start_time": NOW.isoformat(), "end_time": at(10).isoformat()} | fields
        return self.market.browser(user)("POST", "/v1/bids", body).json

    def on_market(self, uuid: str) -> dict[str, Any]:
        """Return an offer as the market has it, or the error in its place."""
        return self.market.browser("admin").get(f"/v1/offers/{uuid}", status="*").json

    def set_down(self, number: int, reason: str | None) -> None:
        """Let a machine of the provider be unhealthy; None for well again."""
        provider = self.provider
        set_node_health(
            uid(1000 + number), reason, inventory=provider.inventory, states=provider.states, now=self.clock.now()
        )

    def statuses(self, user: str = "consumer-a") -> tuple[str, list[str]]:
        """Return the status of a user's contract, and those of its allocations, sorted."""
        contract = self.contract(user)
        return contract["status"], sorted(one["status"] for one in contract["allocations"])

    def work(self, *more: ProviderHarness) -> None:
        """Let everything happen that can happen now."""
        for _ in range(2):
            for provider in (self.provider, *more):
                provider.work()
            self.market.round()
        for provider in (self.provider, *more):
            provider.work()

    def node(self, name: str = "n1", user: str = "admin") -> dict[str, Any]:
        """Return a node as it is now."""
        return self.provider.browser(user).get(f"/v1/nodes/{name}").json

    def contract(self, user: str = "consumer-a") -> dict[str, Any]:
        """Return the youngest contract, as the market has it."""
        return self.market.browser(user).get("/v1/contracts?sort=created_at:desc").json["contracts"][0]

    def allows(self, user: str, name: str = "n1") -> bool:
        """Return whether a user's project may use a node now."""
        return self.provider.browser(user).get(f"/v1/nodes/{name}/access").json["allowed"]

    def events(self, user: str) -> list[str]:
        """Return the types of a user's events at the provider."""
        return [event["event_type"] for event in self.provider.browser(user).get("/v1/events").json["events"]]


@pytest.fixture
def room(tmp_path, market, sqlite_provider, clock) -> Room:
    """A market and a provider on SQLite."""
    provider = ProviderHarness(tmp_path, sqlite_provider.renew(), sqlite_provider.url, clock, market, MACHINES)
    return Room(market, provider, clock)


@pytest.fixture
def any_room(tmp_path, market, migrated_provider, clock) -> Room:
    """A market on SQLite, and a provider on every kind of database."""
    provider = ProviderHarness(tmp_path, migrated_provider.renew(), migrated_provider.url, clock, market, MACHINES)
    return Room(market, provider, clock)


@pytest.fixture
def second(tmp_path, room, clock, worker):
    """Another provider on the same market, with one larger node."""
    directory = tmp_path / "second"
    directory.mkdir()
    with empty_database("sqlite", "second", directory) as url:
        database = MigratedDatabase(url, "flocx_migrations_provider")
        yield ProviderHarness(
            directory,
            database.database,
            url,
            clock,
            room.market,
            SECOND_MACHINES,
            user="provider-2",
        )
        database.close()
