# SPDX-License-Identifier: Apache-2.0
"""What the matcher of 2019 got wrong in its storage, fault by fault; each of these fails on its behaviour."""

import pytest

from flocx_market.services import clearing
from tests.builders import at, uid


def test_a_node_is_never_offered_twice_for_one_time_nor_twice_in_one_contract(any_trade):
    any_trade.offer(1)
    refused = any_trade.offer(2, node_uuid=uid(1001), status=409)
    assert refused["errors"][0]["code"] == "flocx.offer.overlap"
    any_trade.bid(quantity=2)
    assert any_trade.market.round().matched == 0


def test_the_second_offer_of_a_node_for_another_time_is_taken(any_trade):
    any_trade.offer(1)
    any_trade.offer(2, node_uuid=uid(1001), start_time=at(100).isoformat(), end_time=at(200).isoformat())


def test_a_cancelled_contract_is_in_nobodys_way(any_trade):
    any_trade.offer()
    contract = any_trade.contract()
    any_trade.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/cancel")
    assert any_trade.contract("consumer-b")["status"] == "created"


def test_a_contract_that_has_ended_stops_no_later_round(any_trade):
    any_trade.offer()
    contract = any_trade.contract()
    any_trade.report(contract["allocations"][0], "active")
    any_trade.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/terminate")
    any_trade.bid("consumer-b", start_time=at(5).isoformat())
    assert any_trade.market.round().matched == 1


def test_a_failure_while_a_contract_is_written_leaves_bid_and_nodes_as_they_were(trade, monkeypatch):
    trade.offer()
    placed = trade.bid()

    def fail(*_args):
        raise RuntimeError("the plug was pulled")

    monkeypatch.setattr(clearing.lifecycle, "formed", fail)
    with pytest.raises(RuntimeError, match="plug"):
        trade.market.round()
    browser = trade.market.browser("consumer-a")
    assert browser.get(f"/v1/bids/{placed['uuid']}").json["status"] == "open"
    assert browser.get("/v1/contracts").json["contracts"] == []
    monkeypatch.undo()
    assert trade.market.round().matched == 1
