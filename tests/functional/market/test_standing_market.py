# SPDX-License-Identifier: Apache-2.0
"""The standing market on real databases: rounds that follow what has changed decide what a full clear would."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from flocx_common.domain.errors import Unavailable
from flocx_market.db import models
from flocx_market.manager.tasks import market_jobs
from flocx_market.services.clearing import clear_market, expire, run_round, sweep_contracts
from flocx_market.services.deals import DealWriter
from flocx_market.services.replacing import replace_failed
from flocx_market.services.standing import StandingMarket
from tests.builders import NOW, at, uid

SIZES = [8, 16, 32]


def decided(held):
    """What a round has decided, with its prices."""
    return [
        (d.award.bid.uuid, d.award.contract, [o.uuid for o in d.award.offers], d.prices, d.price_rule)
        for d in held.round.deals
    ]


class Life:
    """People and providers of a market who do something, whatever it is."""

    def __init__(self, trade, seed):
        self.trade, self.market, self.dice = trade, trade.market, random.Random(seed)
        self.offers, self.bids, self.contracts, self.made = [], [], [], 0
        trade.register(2, turnaround=1800)

    def number(self):
        self.made += 1
        return self.made

    def hours(self):
        """A window somewhere in two days."""
        begin = self.dice.randrange(0, 40)
        passed = (self.market.clock.now() - NOW).total_seconds() // 3600 + 1
        return passed + begin, passed + begin + self.dice.randrange(1, 24)

    def publish(self, number, provider, **fields):
        body = {
            "properties": {"cpus": SIZES[number % 3], "serial": f"S{number}", "rack": f"r{number % 2}"},
            "end_time": at(300).isoformat(),
            "reserve_price": str(self.dice.randrange(0, 4)),
        }
        self.trade.offer(number, provider=provider, status="*", **(body | fields))

    def step(self):
        kinds = [self.offer] * 3 + [self.bid] * 6 + [self.again, self.withdraw, self.cancel_bid, self.raise_bid]
        kinds += [self.report] * 3 + [self.end_contract] * 3 + [self.silence, self.turnaround, self.wait]
        self.dice.choice(kinds)()

    def offer(self):
        number, provider = self.number(), self.dice.choice([1, 2])
        self.offers.append((number, provider))
        self.publish(number, provider)

    def again(self):
        if self.offers:
            number, provider = self.dice.choice(self.offers)
            self.publish(number, provider, health_problem=self.dice.choice([None, None, "fan failed"]))

    def withdraw(self):
        if self.offers and self.dice.random() < 0.5:
            number, provider = self.dice.choice(self.offers)
            self.market.browser(f"provider-{provider}")("DELETE", f"/v1/offers/{uid(number)}", status="*")

    def bid(self):
        begin, end = self.hours()
        fields = {
            "uuid": uid(500_000 + self.number()),
            "start_time": at(begin).isoformat(),
            "end_time": at(end).isoformat(),
            "limit_price": str(self.dice.randrange(1, 8)),
            "quantity": self.dice.choice([1, 1, 2, 3]),
            "requirements": [["cpus", ">=", self.dice.choice(SIZES)]] if self.dice.random() < 0.5 else [],
        }
        if self.dice.random() < 0.3:
            fields["duration"] = 3600
        if self.dice.random() < 0.2:
            fields["spread"] = {"by": "rack", "max": 1}
        if self.dice.random() < 0.05:
            # Nobody has asked this before.
            fields["requirements"] = [[f"serial || 'x{self.made}'", "eq", f"S{self.made // 2}"]]
        user = self.dice.choice(["consumer-a", "consumer-b"])
        self.bids.append((self.trade.bid(user, **fields)["uuid"], user))

    def cancel_bid(self):
        if self.bids:
            uuid, user = self.dice.choice(self.bids)
            self.market.browser(user)("DELETE", f"/v1/bids/{uuid}", status="*")

    def raise_bid(self):
        if self.bids:
            uuid, user = self.dice.choice(self.bids)
            price = {"limit_price": str(self.dice.randrange(1, 12))}
            self.market.browser(user)("PATCH", f"/v1/bids/{uuid}", price, status="*")

    def some_contract(self):
        for user in ("consumer-a", "consumer-b"):
            listed = self.market.browser(user).get("/v1/contracts").json["contracts"]
            found = [contract for contract in listed if contract["status"] in ("created", "active")]
            if found and self.dice.random() < 0.7:
                return user, self.dice.choice(found)
        return None

    def report(self):
        found = self.some_contract()
        if found:
            allocation = self.dice.choice(found[1]["allocations"])
            status = self.dice.choice(["acknowledged", "active", "failed", "released"])
            provider = 1 if allocation["provider_uuid"] == uid(9001) else 2
            reason = {"reason": "power lost"} if status == "failed" else {}
            self.trade.report(allocation, status, provider=provider, expect="*", **reason)

    def end_contract(self):
        found = self.some_contract()
        if found:
            user, contract = found
            allocation = self.dice.choice(contract["allocations"])
            whole = f"contracts/{contract['uuid']}"
            path = self.dice.choice(
                [f"{whole}/cancel", f"{whole}/terminate", f"allocations/{allocation['uuid']}/release"]
            )
            answer = self.market.browser(user)("POST", f"/v1/{path}", status="*")
            assert answer.status_int in (200, 409), answer

    def silence(self):
        if self.dice.random() < 0.5:
            self.market.clock.advance(61)
            self.market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
            if self.dice.random() < 0.5:
                self.market.watch()
        else:
            for number in (1, 2):
                self.market.browser(f"provider-{number}")("PUT", f"/v1/providers/{uid(9000 + number)}/heartbeat")

    def turnaround(self):
        seconds = {"turnaround": self.dice.choice([0, 1800, 7200])}
        self.market.browser("provider-2")("PATCH", f"/v1/providers/{uid(9002)}", seconds)

    def wait(self):
        self.market.clock.advance(self.dice.choice([1, 20, 50]))


def contracts_as_by_full_clears(trade, seed, *, steps, managers):
    """Let rounds happen, each by one of so many managers; return how many contracts were made as full clears would."""
    life, market = Life(trade, seed), trade.market
    settings, store = market.settings, market.store
    running = [StandingMarket(settings) for _ in range(managers)]
    contracts = 0
    for number in range(steps):
        life.step()
        if number % 3 == 0:
            now = market.clock.now()
            expire(store=store, settings=settings, now=now)
            sweep_contracts(store=store, settings=settings, now=now)
            replace_failed(store=store, settings=settings, now=now)
            full = StandingMarket(settings).hold(store, now)
            standing = life.dice.choice(running)
            held = standing.hold(store, now)
            assert decided(held) == decided(full)
            writer = DealWriter(store=store, bids=standing.bids, generations=standing.generations, wrote=standing.wrote)
            assert writer.write(held.round.deals, now) == (len(full.round.deals), 0)
            contracts += len(full.round.deals)
    return contracts


@pytest.mark.parametrize("seed", range(6))
def test_rounds_decide_what_a_full_clear_would(trade, seed):
    assert contracts_as_by_full_clears(trade, seed, steps=90, managers=1) > 0


@pytest.mark.parametrize("seed", range(3))
def test_rounds_of_several_managers_decide_what_a_full_clear_would(trade, seed):
    assert contracts_as_by_full_clears(trade, seed, steps=120, managers=3) > 0


def test_rounds_decide_what_a_full_clear_would_on_every_database(any_trade):
    assert contracts_as_by_full_clears(any_trade, 99, steps=60, managers=2) > 0


class Interrupted:
    """A store that stops answering when contracts are to be written; before or after it has kept them."""

    def __init__(self, store, *, kept):
        self._store, self._kept = store, kept

    def read(self, work):
        return self._store.read(work)

    def write(self, work, **more):
        if self._kept:
            self._store.write(work, **more)
        raise Unavailable("the connection was lost")


@pytest.mark.parametrize("kept", [False, True], ids=["before it is kept", "after it is kept"])
def test_a_contract_that_may_not_have_been_written_is_looked_up(any_trade, kept):
    any_trade.offer()
    market = any_trade.market
    assert market.round().matched == 0
    bid = any_trade.bid()
    with pytest.raises(Unavailable):
        clear_market(
            store=Interrupted(market.store, kept=kept),
            settings=market.settings,
            now=market.clock.now(),
            standing=market.standing,
        )
    assert market.round().matched == (0 if kept else 1)
    found = market.browser("consumer-a").get("/v1/contracts").json["contracts"]
    assert [contract["bid_uuid"] for contract in found] == [bid["uuid"]]
    # The node is known to be taken, and the next bid still finds the rest of it.
    any_trade.bid("consumer-b")
    any_trade.bid("consumer-b", start_time=at(20).isoformat(), end_time=at(30).isoformat())
    assert market.round().matched == 1


def missed():
    """How many bids audits have found that rounds had decided otherwise, as operators see it."""
    return REGISTRY.get_sample_value("flocx_clearing_missed_total")


def changed_behind_the_back(market):
    """Make the only offer cheaper without an event, as no service does."""
    market.store.database.write(lambda c: c.execute(sa.update(models.offers).values(reserve_price=1)))


def test_an_audit_finds_what_the_standing_book_has_missed(trade):
    market = trade.market
    audited = replace(market.settings, audit_interval=timedelta(hours=1))
    [job, _] = market_jobs(market.store, audited, clearing_interval=60, liveness_interval=60, gather=0)
    trade.offer(reserve_price="5")
    trade.bid(end_time=at(50).isoformat(), duration=3600)
    before = missed()
    job.work(market.clock.now())
    changed_behind_the_back(market)
    market.clock.advance(30)
    job.work(market.clock.now())
    assert market.browser("consumer-a").get("/v1/contracts").json["contracts"] == []
    assert missed() == before
    market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
    market.clock.advance(3600)
    market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
    job.work(market.clock.now())
    assert len(market.browser("consumer-a").get("/v1/contracts").json["contracts"]) == 1
    assert missed() == before + 1


@pytest.mark.parametrize("seed", range(2))
def test_an_audit_of_a_book_that_has_missed_nothing_finds_nothing(trade, seed):
    life, market = Life(trade, seed), trade.market
    audited = replace(market.settings, audit_interval=timedelta(0))
    standing, matched = StandingMarket(audited), 0
    for number in range(60):
        life.step()
        if number % 3 == 0:
            report = run_round(store=market.store, settings=audited, now=market.clock.now(), standing=standing)
            assert report.missed == 0
            matched += report.matched
    assert matched


def test_a_book_is_made_anew_when_the_clock_was_set_back(trade, caplog):
    market, now = trade.market, trade.market.clock.now()
    trade.offer()
    trade.bid(limit_price="1")
    run_round(store=market.store, settings=market.settings, now=now + timedelta(hours=5), standing=market.standing)
    trade.market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
    contract = trade.contract("consumer-b")
    assert contract["start_time"] == now.isoformat().replace("+00:00", "Z")
    assert "the clock was set back" in caplog.text


def test_an_engine_that_begins_from_everything_follows_what_has_changed(tmp_path, sqlite_market, clock):
    from tests.functional.market.conftest import Trade
    from tests.harness import MarketHarness

    url = sqlite_market.url
    trade = Trade(MarketHarness(tmp_path, sqlite_market.renew(), url, clock, clearing={"engine": "optimal"}))
    trade.register()
    for number in (1, 2):
        trade.offer(number)
        assert trade.contract()["allocations"][0]["node_name"] == f"n{number}"
