# SPDX-License-Identifier: Apache-2.0
"""Rounds of the market on real databases, through its own API."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from flocx_market.db import models
from flocx_market.services import clearing, deals
from flocx_market.services.clearing import run_round
from flocx_market.services.standing import StandingMarket
from tests.builders import NOW, at, uid


def test_a_round_makes_contracts_and_tells_both_sides(any_trade):
    any_trade.offer()
    contract = any_trade.contract()
    assert contract["status"] == "created"
    assert contract["amount"] == "15.000000"
    assert contract["clearing_price"] == "1.500000"
    assert contract["price_rule"] == "critical"
    assert [a["node_name"] for a in contract["allocations"]] == ["n1"]
    assert any_trade.show_bid(contract)["status"] == "matched"
    assert any_trade.events("consumer-a") == ["bid.placed", "bid.matched", "contract.created", "allocation.created"]
    assert any_trade.events("owner-a") == ["offer.published", "contract.created", "allocation.created"]
    assert any_trade.events("consumer-b") == []


def test_another_round_changes_nothing(any_trade):
    any_trade.offer()
    any_trade.contract()
    assert not any_trade.market.round().changed


def test_the_rest_of_an_offer_can_be_sold(any_trade):
    any_trade.offer()
    any_trade.contract()
    later = any_trade.contract("consumer-b", start_time=at(10).isoformat(), end_time=at(20).isoformat())
    assert later["status"] == "created"
    offer = any_trade.market.browser("consumer-b").get(f"/v1/offers/{uid(1)}").json
    assert [w["start_time"] for w in offer["free_windows"]] == ["2027-01-02T08:00:00Z"]


def test_turnaround_is_left_out_of_free_windows_and_of_contracts(any_trade):
    any_trade.register(2, turnaround=3600)
    any_trade.offer(2, provider=2)
    any_trade.contract(start_time=at(10).isoformat(), end_time=at(20).isoformat())
    free = any_trade.market.browser("consumer-a").get(f"/v1/offers/{uid(2)}").json["free_windows"]
    assert free == [
        {"start_time": "2027-01-01T12:00:00Z", "end_time": "2027-01-01T21:00:00Z"},
        {"start_time": "2027-01-02T09:00:00Z", "end_time": "2027-01-05T16:00:00Z"},
    ]
    any_trade.bid(start_time=at(20).isoformat(), end_time=at(22).isoformat())
    any_trade.bid(start_time=at(21).isoformat(), end_time=at(22).isoformat())
    assert any_trade.market.round().matched == 1


def test_one_contract_may_span_several_providers(any_trade):
    any_trade.register(2)
    any_trade.offer(1)
    any_trade.offer(2, provider=2)
    contract = any_trade.contract(quantity=2, spread={"by": "offer.provider_uuid", "max": 1})
    assert {a["provider_uuid"] for a in contract["allocations"]} == {uid(9001), uid(9002)}


def test_a_bid_expires_when_it_cannot_be_served_any_more(any_trade):
    placed = any_trade.bid()
    any_trade.market.clock.advance(10 * 3600 - 59)
    assert any_trade.market.round().expired == 1
    shown = any_trade.market.browser("consumer-a").get(f"/v1/bids/{placed['uuid']}").json
    assert shown["status"] == "expired"
    assert any_trade.events("consumer-a")[-1] == "bid.expired"


def test_an_offer_expires_at_its_end_and_is_not_sold(any_trade):
    any_trade.offer(end_time=at(1).isoformat())
    any_trade.market.clock.advance(3600)
    any_trade.market.round()
    assert any_trade.market.browser("owner-a").get(f"/v1/offers/{uid(1)}").json["status"] == "expired"


def test_a_silent_providers_offers_are_suspended_and_come_back(any_trade):
    any_trade.offer()
    any_trade.bid(end_time=at(50).isoformat())
    any_trade.market.clock.advance(61)
    assert any_trade.market.watch() == 1
    assert any_trade.market.watch() == 0
    offer = any_trade.market.browser("owner-a").get(f"/v1/offers/{uid(1)}").json
    assert (offer["status"], offer["status_reason"]) == ("suspended", "its provider is silent")
    assert any_trade.market.round().matched == 0
    any_trade.market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
    assert any_trade.market.browser("owner-a").get(f"/v1/offers/{uid(1)}").json["status"] == "available"
    assert any_trade.market.round().matched == 1
    assert any_trade.events("owner-a")[:3] == ["offer.published", "offer.suspended", "offer.resumed"]


def test_a_provider_that_fell_silent_just_now_sells_nothing_even_before_it_is_noticed(any_trade):
    any_trade.offer()
    any_trade.bid(end_time=at(50).isoformat())
    any_trade.market.clock.advance(61)
    assert any_trade.market.round().matched == 0


def test_a_node_that_cannot_be_handed_over_is_replaced_on_the_same_terms(any_trade):
    any_trade.offer(1, reserve_price="1")
    any_trade.offer(2, reserve_price="1")
    contract = any_trade.contract()
    failed = contract["allocations"][0]
    any_trade.report(failed, "failed", reason="power lost")
    assert any_trade.market.round().replaced == 1
    shown = any_trade.show(contract)
    assert [(a["node_name"], a["status"]) for a in shown["allocations"]] == [("n1", "replaced"), ("n2", "created")]
    assert shown["quantity"] == 1
    assert any_trade.events("consumer-a")[-3:] == ["allocation.failed", "allocation.replaced", "allocation.created"]


def test_a_contract_that_could_not_be_delivered_fails_and_its_bid_waits_again(any_trade):
    any_trade.offer()
    contract = any_trade.contract()
    any_trade.report(contract["allocations"][0], "failed", reason="gone")
    any_trade.offer(health_problem="gone")
    any_trade.market.round()
    assert any_trade.show(contract)["status"] == "created"
    any_trade.market.clock.advance(300)
    any_trade.market.round()
    assert any_trade.show(contract)["status"] == "failed"
    assert any_trade.show(contract)["amount"] == "0.000000"
    assert any_trade.show_bid(contract)["status"] == "open"
    any_trade.market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
    any_trade.offer(health_problem=None)
    any_trade.market.round()
    again = any_trade.market.browser("consumer-a").get("/v1/contracts?status=created").json["contracts"]
    assert len(again) == 1
    assert again[0]["uuid"] != contract["uuid"]


def test_a_contract_loses_only_the_nodes_that_cannot_be_replaced(any_trade):
    any_trade.offer(1)
    any_trade.offer(2)
    contract = any_trade.contract(quantity=2)
    first, second = contract["allocations"]
    any_trade.report(second, "active")
    any_trade.report(first, "failed", reason="gone")
    any_trade.market.clock.advance(301)
    any_trade.market.round()
    shown = any_trade.show(contract)
    assert (shown["status"], shown["quantity"]) == ("active", 1)


def test_an_owner_that_takes_its_node_back_early_is_in_breach_and_replaced(any_trade):
    any_trade.offer(1)
    any_trade.offer(2)
    contract = any_trade.contract()
    mine = contract["allocations"][0]
    any_trade.report(mine, "active")
    any_trade.market.clock.advance(3600)
    any_trade.market.browser("owner-a")("POST", f"/v1/allocations/{mine['uuid']}/release")
    any_trade.market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
    any_trade.market.round()
    shown = any_trade.show(contract)
    assert [(a["status"], a["amount"]) for a in shown["allocations"]] == [
        ("replaced", "1.500000"),
        ("created", "13.500000"),
    ]
    told = any_trade.market.browser("consumer-a").get("/v1/events").json["events"]
    breach = next(event for event in told if event["event_type"] == "allocation.failed")
    assert breach["detail"]["breach"] is True


def test_a_contract_runs_its_course_and_is_charged_as_delivered(any_trade):
    any_trade.offer()
    contract = any_trade.contract()
    allocation = contract["allocations"][0]
    any_trade.report(allocation, "acknowledged")
    any_trade.market.clock.advance(1800)
    any_trade.report(allocation, "active", at=at(0.5).isoformat())
    assert any_trade.show(contract)["status"] == "active"
    any_trade.market.clock.advance(9.5 * 3600)
    any_trade.market.round()
    any_trade.report(allocation, "released")
    shown = any_trade.show(contract)
    assert (shown["status"], shown["amount"]) == ("completed", "14.250000")
    assert shown["allocations"][0]["delivered_from"] == "2027-01-01T12:30:00Z"


def test_a_provider_that_never_hands_over_loses_the_allocation_after_the_timeout(any_trade):
    any_trade.offer(1)
    contract = any_trade.contract()
    any_trade.market.clock.advance(1800)
    any_trade.market.round()
    assert any_trade.show(contract)["allocations"][0]["status_reason"] == "its provider did not hand it over in time"


def test_both_sides_are_warned_once_before_the_end(any_trade):
    any_trade.offer()
    contract = any_trade.contract()
    any_trade.report(contract["allocations"][0], "active")
    any_trade.market.clock.advance(9 * 3600)
    any_trade.market.round()
    any_trade.market.round()
    for who in ("consumer-a", "owner-a"):
        assert any_trade.events(who).count("contract.ending") == 1


def test_several_managers_at_once_sell_nothing_twice_and_lose_nothing(any_trade):
    nodes, bids = 6, 12
    for number in range(1, nodes + 1):
        any_trade.offer(number)
    for number in range(bids):
        any_trade.bid(uuid=uid(5000 + number))
    market = any_trade.market

    def manager():
        standing = StandingMarket(market.settings)
        for _ in range(2):
            run_round(store=market.store, settings=market.settings, now=market.clock.now(), standing=standing)

    threads = [threading.Thread(target=manager) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    market.round()
    rows = market.store.database.read(lambda c: c.execute(sa.select(models.allocations.c.node_uuid)).scalars().all())
    assert sorted(rows) == sorted(uid(1000 + n) for n in range(1, nodes + 1))
    contracts = market.browser("consumer-a").get("/v1/contracts").json["contracts"]
    assert len({c["bid_uuid"] for c in contracts}) == len(contracts) == nodes


def test_a_contract_that_lost_its_node_meanwhile_is_left_to_the_next_round(trade, monkeypatch):
    trade.offer(1)
    trade.offer(2)
    trade.bid(offer_uuids=[uid(1)])
    trade.bid(offer_uuids=[uid(2)])
    market, real = trade.market, deals.form_contract
    withdrawn = []

    def form_and_interfere(deal, now):
        if not withdrawn:
            withdrawn.append(True)
            market.browser("provider-1")("DELETE", f"/v1/offers/{uid(1)}")
        return real(deal, now)

    monkeypatch.setattr(deals, "form_contract", form_and_interfere)
    report = market.round()
    assert (report.matched, report.lost) == (1, 1)
    contracts = market.browser("consumer-a").get("/v1/contracts").json["contracts"]
    assert [a["offer_uuid"] for c in contracts for a in c["allocations"]] == [uid(2)]


def test_an_offer_withdrawn_is_not_sold_and_contracts_made_stand(any_trade):
    any_trade.offer()
    contract = any_trade.contract()
    any_trade.market.browser("provider-1")("DELETE", f"/v1/offers/{uid(1)}")
    any_trade.bid("consumer-b", start_time=at(20).isoformat(), end_time=at(30).isoformat())
    assert any_trade.market.round().matched == 0
    assert any_trade.show(contract)["status"] == "created"


@pytest.mark.parametrize(("ranking", "winner"), [("value", "consumer-b"), ("price_time", "consumer-a")])
def test_the_configured_ranking_decides(tmp_path, sqlite_market, clock, ranking, winner):
    from tests.functional.market.conftest import Trade
    from tests.harness import MarketHarness

    options = {"clearing": {"ranking": ranking, "pricing": "limit"}}
    trade = Trade(MarketHarness(tmp_path, sqlite_market.renew(), sqlite_market.url, clock, **options))
    trade.register()
    trade.offer()
    trade.bid("consumer-a", limit_price="9", end_time=at(1).isoformat())
    trade.bid("consumer-b", limit_price="5")
    trade.market.round()
    contracts = trade.market.browser("admin").get("/v1/contracts").json["contracts"]
    assert [c["lessee_project_name"] for c in contracts] == [winner]
    assert contracts[0]["price_rule"] == "limit"


def test_a_round_may_be_stopped_between_any_two_steps(trade):
    """Every step is a transaction of its own: running only the first ones and then all again comes to the same."""
    trade.offer(1, end_time=at(5).isoformat())
    trade.offer(2)
    contract = trade.contract(offer_uuids=[uid(2)])
    trade.bid("consumer-b", start_time=at(6).isoformat(), end_time=at(20).isoformat())
    market = trade.market
    market.clock.advance(6 * 3600)
    now, settings = market.clock.now(), market.settings
    clearing.expire(store=market.store, settings=settings, now=now)
    clearing.sweep_contracts(store=market.store, settings=settings, now=now)
    run_round(store=market.store, settings=settings, now=now + timedelta(minutes=6))
    assert trade.show(contract)["status"] == "failed"
    assert market.browser("owner-a").get(f"/v1/offers/{uid(1)}").json["status"] == "expired"
    assert market.clock.now() > NOW
