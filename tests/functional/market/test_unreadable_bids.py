# SPDX-License-Identifier: Apache-2.0
"""A stored bid that this version cannot read, as after a downgrade, is in nobody else's way."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from flocx_market.db import models
from tests.builders import at, uid


@pytest.fixture
def spoil(any_trade):
    """Write requirements into a bid that no version accepts."""

    def spoil(uuid):
        change = (
            sa.update(models.bids).where(models.bids.c.uuid == uuid).values(requirements=[["cpus", "resembles", 1]])
        )
        any_trade.market.store.database.write(lambda connection: connection.execute(change))

    return spoil


def test_the_others_are_served(any_trade, spoil, caplog):
    any_trade.offer()
    spoilt = any_trade.bid()
    spoil(spoilt["uuid"])
    assert any_trade.contract("consumer-b")["status"] == "created"
    assert any_trade.market.browser("admin").get(f"/v1/bids/{spoilt['uuid']}").json["status"] == "open"
    assert f"bid {spoilt['uuid']} cannot be read" in caplog.text


def test_the_others_are_explained(any_trade, spoil):
    any_trade.offer()
    spoil(any_trade.bid()["uuid"])
    other = any_trade.bid("consumer-b", limit_price="0.1")
    explained = any_trade.market.browser("consumer-b").get(f"/v1/bids/{other['uuid']}/explanation").json
    assert explained["nearest"] == {"change": {"limit_price": "1.500000"}}


def test_it_expires_in_time(any_trade, spoil):
    bid = any_trade.bid()
    spoil(bid["uuid"])
    any_trade.market.clock.advance(10 * 3600)
    assert any_trade.market.round().expired == 1


def test_nodes_of_the_others_are_replaced(any_trade, spoil):
    for number in (1, 2, 3, 4):
        any_trade.offer(number)
    spoilt, other = any_trade.contract(), any_trade.contract("consumer-b")
    spoil(spoilt["bid_uuid"])
    for contract in (spoilt, other):
        any_trade.report(contract["allocations"][0], "failed", reason="power lost")
    assert any_trade.market.round().replaced == 1
    assert [a["status"] for a in any_trade.show(other, "consumer-b")["allocations"]] == ["replaced", "created"]
    # Nothing can be found for it, and it is given up as any other.
    any_trade.market.clock.advance(7200)
    any_trade.market.browser("provider-1")("PUT", f"/v1/providers/{uid(9001)}/heartbeat")
    any_trade.market.round()
    assert any_trade.show(spoilt)["status"] == "failed"


def test_it_is_open_again_when_its_contract_could_not_be_delivered(any_trade, spoil):
    any_trade.offer()
    contract = any_trade.contract(end_time=at(50).isoformat())
    spoil(contract["bid_uuid"])
    for seconds in (1800, 301):
        any_trade.market.clock.advance(seconds)
        any_trade.market.round()
    assert any_trade.show(contract)["status"] == "failed"
    assert any_trade.market.browser("admin").get(f"/v1/bids/{contract['bid_uuid']}").json["status"] == "open"
