# SPDX-License-Identifier: Apache-2.0
"""A market and a provider in this process, and people with the OpenStack client."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from requests.adapters import BaseAdapter

from flocx_common.testing.clock import FrozenClock
from tests.builders import uid
from tests.functional.cli.routing import HOOK, ROUTES
from tests.functional.cli.shell import Ended, openstack
from tests.harness import MARKET_URL, USERS, MarketHarness, ProviderHarness

PROVIDER_URL = "http://provider.test"

#: n1, n3 and n4 are owner-a's, n2 is owner-b's.
MACHINES = [
    {
        "uuid": uid(1000 + number),
        "name": f"n{number}",
        "owner": "owner-b" if number == 2 else "owner-a",
        "resource_class": "gpu" if number == 4 else "baremetal",
        "cpus": 32 * number,
        "local_gb": 1024,
    }
    for number in range(1, 5)
]


class Place:
    """A market, a provider, and commands of their users."""

    def __init__(self, market: MarketHarness, provider: ProviderHarness, clock: FrozenClock, clouds: Path) -> None:
        self.market, self.provider, self.clock = market, provider, clock
        self._clouds = clouds
        self.configure()

    def configure(self, **more: Any) -> None:
        """Write clouds.yaml: one cloud a user, with further settings."""
        common = {
            "baremetal_market_endpoint_override": MARKET_URL,
            "baremetal_provider_endpoint_override": PROVIDER_URL,
            "connect_retries": 0,
            "vendor_hook": HOOK,
            **more,
        }
        clouds = {
            user: {"auth_type": "http_basic", "auth": {"username": user, "password": user}} | common for user in USERS
        }
        self._clouds.write_text(yaml.safe_dump({"clouds": clouds}))

    def run(self, user: str, command: str, *more: str, **options: Any) -> Ended:
        """Run a ``flocx`` command as a user; its words are those of ``command`` and of ``more``."""
        return openstack("--os-cloud", user, "flocx", *command.split(), *more, **options)

    def done(self, user: str, command: str, *more: str, **options: Any) -> Ended:
        """Run a command that must succeed."""
        ended = self.run(user, command, *more, **options)
        assert ended.status == 0, ended.err
        return ended

    def at(self, hours: float) -> str:
        """Return the time so many hours from now."""
        return (self.clock.now() + timedelta(hours=hours)).isoformat()

    def offer(self, node: str = "n1", user: str = "owner-a", **fields: Any) -> dict[str, Any]:
        """Offer a node for 100 hours, and let the market know of it."""
        body = {"node_uuid": node, "reserve_price": "1.5", "end_time": self.at(100)} | fields
        made = self.provider.browser(user)("POST", "/v1/offers", body).json
        self.provider.beat()
        self.provider.publish()
        return made

    def bid(self, user: str = "consumer-a", **fields: Any) -> dict[str, Any]:
        """Place a bid for 10 hours."""
        body = {"limit_price": "2", "start_time": self.at(0), "end_time": self.at(10)} | fields
        return self.market.browser(user)("POST", "/v1/bids", body).json

    def contract(self, **fields: Any) -> dict[str, Any]:
        """Offer n1, bid, and return the contract."""
        self.offer()
        placed = self.bid(**fields)
        self.market.round()
        return self.market.browser("consumer-a").get(f"/v1/contracts?bid_uuid={placed['uuid']}").json["contracts"][0]


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands at the present, which commands know from another clock."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch, tmp_path) -> Iterator[None]:
    """Nothing of the caller's cloud, and a zone that is neither UTC nor the machine's."""
    for name in ("OS_CLOUD", "OS_AUTH_URL", "OS_AUTH_TYPE", "NO_COLOR", "COLUMNS", "CLIFF_FIT_WIDTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    ROUTES.clear()
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def routes() -> dict[str, BaseAdapter]:
    """What serves which URL."""
    return ROUTES


@pytest.fixture
def place(tmp_path, market, sqlite_provider, clock) -> Place:
    """A market and a provider without offers, on SQLite."""
    provider = ProviderHarness(tmp_path, sqlite_provider.renew(), sqlite_provider.url, clock, market, MACHINES)
    ROUTES.update({MARKET_URL: market.adapter, PROVIDER_URL: provider.adapter})
    return Place(market, provider, clock, tmp_path / "clouds.yaml")


def without(thing: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a thing without some of its fields."""
    return {name: value for name, value in thing.items() if name not in names}
