# SPDX-License-Identifier: Apache-2.0
"""A crash at every step: before or after any write, call of the market or change of a node, what is lost is nothing.

A crash here is an exception that no handler of ours catches, thrown at one
step; what was done up to it stays done. Then everything starts afresh on the
same databases and goes on. However often and wherever that happens, the
outcome is the one without it.
"""

import pytest
import sqlalchemy as sa

from flocx_common.testing.clock import FrozenClock
from flocx_market.db import models as market_models
from tests.builders import NOW, at, uid
from tests.functional.provider.conftest import MACHINES, Room
from tests.harness import MarketHarness, ProviderHarness

HOUR = 3600


class Crash(BaseException):
    """The process is gone."""


class Fuse:
    """Counts steps and crashes at one of them."""

    def __init__(self, at_step=None, before=True):
        self.at_step, self.before = at_step, before
        self.steps = 0

    def around(self, work, *args, **kwargs):
        self.steps += 1
        mine = self.steps == self.at_step
        if mine and self.before:
            raise Crash
        result = work(*args, **kwargs)
        if mine:
            raise Crash
        return result


class Fused:
    """A thing some of whose methods are steps."""

    def __init__(self, thing, fuse, names):
        self._thing, self._fuse, self._names = thing, fuse, names

    def __getattr__(self, name):
        value = getattr(self._thing, name)
        if name not in self._names:
            return value
        return lambda *args, **kwargs: self._fuse.around(value, *args, **kwargs)


class World:
    """Market and provider on databases that outlive them."""

    def __init__(self, directory, market_database, provider_database):
        self.directory = directory
        self.databases = (market_database, provider_database)
        for database in self.databases:
            database.renew()
        self.clock = FrozenClock(NOW)
        self.start(Fuse())

    def start(self, fuse):
        """Start both services afresh; the provider's steps go through a fuse."""
        market, provider = self.databases
        self.market = MarketHarness(self.directory, market.database, market.url, self.clock)
        self.market.store = Fused(self.market.store, fuse, {"write"})
        self.provider = ProviderHarness(
            self.directory, provider.database, provider.url, self.clock, self.market, MACHINES
        )
        one = self.provider
        one.store = Fused(one.store, fuse, {"write"})
        one.inventory = Fused(one.inventory, fuse, {"assign", "remove_lessee", "remove_mark"})
        one.market = Fused(one.market, fuse, {"register", "put_offer", "withdraw_offer", "report", "changes"})
        one.heart = type(one.heart)(one.market, one.store, one.settings)
        self.room = Room(self.market, self.provider, self.clock)

    def play(self):
        """Do everything that is to be done by now, starting afresh after a crash."""
        while True:
            try:
                self.room.work()
            except Crash:
                self.start(Fuse())
            else:
                return

    def story(self, fuse):
        """Offer, bid, hand over, fail over, give back, end: and what is left in the end."""
        self.room.offer(uuid=uid(1))
        self.room.offer("owner-b", uuid=uid(2), node_uuid="n2")
        self.room.offer(uuid=uid(3), node_uuid="n3")
        self.start(fuse)
        self.play()
        body = {"uuid": uid(5), "quantity": 2, "start_time": at(1).isoformat(), "end_time": at(3).isoformat()}
        self.room.bid(**body)
        self.play()
        self.clock.advance(HOUR)
        self.play()
        # The owner takes its node back early; another takes its place.
        allocations = self.room.market.browser("owner-a").get("/v1/contracts").json["contracts"][0]["allocations"]
        self.room.market.browser("owner-a")("POST", f"/v1/allocations/{allocations[0]['uuid']}/release")
        self.room.provider.browser("owner-b")("DELETE", f"/v1/offers/{uid(2)}")
        self.play()
        self.clock.advance(2 * HOUR)
        self.play()
        return self.outcome()

    def outcome(self):
        """What both databases hold in the end, apart from names that are drawn anew each time."""
        contracts = self.room.market.browser("admin").get("/v1/contracts").json["contracts"]
        nodes = self.room.provider.browser("admin").get("/v1/nodes").json["nodes"]
        offers = self.room.provider.browser("admin").get("/v1/offers?sort=uuid").json["offers"]
        told = {
            service: [event["event_type"] for event in browser.get("/v1/events").json["events"]]
            for service, browser in (
                ("market", self.room.market.browser("admin")),
                ("provider", self.room.provider.browser("admin")),
            )
        }
        return {
            "contracts": [
                (one["status"], one["quantity"], one["amount"],
                 sorted((a["node_name"], a["status"], a["amount"]) for a in one["allocations"]))
                for one in contracts
            ],
            "held": [node["lessee_project_id"] for node in nodes],
            "marks": sorted(str(state.contract_uuid) for state in self.provider.states.all().values()),
            "offers": [(one["uuid"], one["status"], one["publication"]) for one in offers],
            "told": {service: sorted(types) for service, types in told.items()},
        }  # fmt: skip


@pytest.fixture
def world(tmp_path, sqlite_market, sqlite_provider):
    return lambda: World(tmp_path, sqlite_market, sqlite_provider)


def test_without_a_crash_the_story_ends_well(world):
    fuse = Fuse()
    outcome = world().story(fuse)
    [(status, quantity, amount, allocations)] = outcome["contracts"]
    assert (status, quantity, amount) == ("completed", 2, "6.000000")
    assert [(name, status) for name, status, _ in allocations] == [
        ("n1", "replaced"),
        ("n2", "released"),
        ("n3", "released"),
    ]
    assert set(outcome["held"]) == {None}
    assert set(outcome["marks"]) == {"None"}
    assert fuse.steps > 40


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_crash_at_any_step_changes_nothing_in_the_outcome(world, before):
    counting = Fuse()
    expected = world().story(counting)
    for step in range(1, counting.steps + 1):
        fuse = Fuse(step, before)
        here = world()
        assert here.story(fuse) == expected, f"crash {'before' if before else 'after'} step {step}"
        assert fuse.steps >= step, "the crash never came"
        numbers = sa.select(market_models.allocations.c.node_uuid).where(
            market_models.allocations.c.status.in_(["created", "acknowledged", "active"])
        )
        live = here.databases[0].database.read(lambda connection, query=numbers: connection.execute(query).all())
        assert live == []
