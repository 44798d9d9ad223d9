# SPDX-License-Identifier: Apache-2.0
"""Offers on their way to the market, and what changes them: health, hardware, silence, a market that is down."""

import json

import pytest

from flocx_provider.ports.market import MarketRefused, MarketUnavailable
from flocx_provider.services.publishing import publish_offers, resync_offers
from tests.builders import NOW, uid
from tests.functional.provider.conftest import MACHINES

HOUR = 3600


class TestPublishing:
    def test_an_offer_reaches_the_market_without_what_is_private(self, any_room):
        offer = any_room.offer()
        assert "errors" in any_room.on_market(offer["uuid"])
        any_room.work()
        published = any_room.on_market(offer["uuid"])
        assert published["status"] == "available"
        assert published["owner_project_id"] == "p-owner-a"
        assert published["properties"] == offer["properties"]
        assert "S1" not in json.dumps(published)

    def test_a_market_that_is_down_stops_nothing_and_gets_everything_in_order(self, room):
        room.market.adapter.down = True
        offers = [room.offer(node_uuid=name)["uuid"] for name in ("n1", "n3")]
        room.provider.browser("owner-a")("DELETE", f"/v1/offers/{offers[0]}")
        for work in (room.provider.beat, room.provider.publish, room.provider.pull, room.provider.report):
            if work in (room.provider.beat,):
                with pytest.raises(MarketUnavailable):
                    work()
            else:
                assert work() == 0
        room.market.adapter.down = False
        room.work()
        assert room.on_market(offers[1])["status"] == "available"
        assert "errors" in room.on_market(offers[0])
        withdrawn = room.provider.browser("owner-a").get(f"/v1/offers/{offers[0]}").json
        assert (withdrawn["status"], withdrawn["publication"]) == ("withdrawn", "withdrawn")

    def test_a_market_that_goes_down_later_is_told_when_it_is_back(self, room):
        room.work()
        room.market.adapter.down = True
        uuid = room.offer()["uuid"]
        with pytest.raises(MarketUnavailable):
            room.provider.publish()
        assert room.provider.browser("owner-a").get(f"/v1/offers/{uuid}").json["publication"] == "pending"
        room.market.adapter.down = False
        room.work()
        assert room.on_market(uuid)["status"] == "available"

    def test_what_the_market_refuses_is_said_with_the_reason(self, room, second):
        room.work(second)
        uuid = room.offer(uuid=uid(1))["uuid"]
        second.browser("owner-b")("POST", "/v1/offers", {"uuid": uid(1), "node_uuid": "far", "reserve_price": 1})
        room.work()
        room.work(second)
        refused = second.browser("owner-b").get(f"/v1/offers/{uuid}").json
        assert refused["publication"] == "refused"
        assert refused["publication_reason"]
        assert room.on_market(uuid)["node_name"] == "n1"

    def test_a_refused_offer_goes_out_again_when_it_is_changed(self, room):
        room.work()
        uuid = room.offer()["uuid"]

        class Refusing:
            def put_offer(self, offer):
                raise MarketRefused("node_uuid: it is taken")

        publish_offers(market=Refusing(), store=room.provider.store, now=NOW)
        browser = room.provider.browser("owner-a")
        assert browser.get(f"/v1/offers/{uuid}").json["publication_reason"] == "node_uuid: it is taken"
        browser("PATCH", f"/v1/offers/{uuid}", {"reserve_price": 1})
        room.work()
        assert room.on_market(uuid)["status"] == "available"

    def test_a_change_made_while_the_market_is_told_goes_out_next(self, room):
        room.work()
        uuid = room.offer()["uuid"]
        gateway = room.provider.market

        class Slow:
            """A market in whose answering time the owner changes the price."""

            def put_offer(self, offer):
                gateway.put_offer(offer)
                if offer.reserve_price != 9:
                    room.provider.browser("owner-a")("PATCH", f"/v1/offers/{uuid}", {"reserve_price": 9})

        publish_offers(market=Slow(), store=room.provider.store, now=NOW)
        room.work()
        assert room.on_market(uuid)["reserve_price"] == "9.000000"
        assert room.provider.browser("owner-a").get(f"/v1/offers/{uuid}").json["publication"] == "published"

    def test_what_one_side_has_lost_is_found_by_comparing(self, room):
        uuid = room.offer()["uuid"]
        other = room.offer(node_uuid="n3")["uuid"]
        room.work()
        # The market withdraws one by mistake, and keeps one we do not have.
        room.market.browser("provider-1")("DELETE", f"/v1/offers/{other}")
        stray = room.market.browser("provider-1")(
            "PUT",
            f"/v1/offers/{uid(5)}",
            {"owner_project_id": "p-owner-b", "node_uuid": uid(1002), "properties": {}, "reserve_price": 1,
             "start_time": NOW.isoformat(), "end_time": None},
        ).json  # fmt: skip
        assert stray["status"] == "available"
        differing = resync_offers(market=room.provider.market, store=room.provider.store, now=NOW)
        assert differing == 2
        assert room.on_market(uid(5))["status"] == "withdrawn"
        assert room.provider.browser("owner-a").get(f"/v1/offers/{other}").json["publication"] == "pending"
        assert resync_offers(market=room.provider.market, store=room.provider.store, now=NOW) == 0
        assert room.on_market(uuid)["status"] == "available"


class TestHealth:
    def test_an_unhealthy_node_suspends_its_offer_everywhere_and_comes_back_by_itself(self, any_room):
        uuid = any_room.offer()["uuid"]
        any_room.work()
        any_room.set_down(1, "fan failed")
        any_room.work()
        mine = any_room.provider.browser("owner-a").get(f"/v1/offers/{uuid}").json
        assert (mine["status"], mine["status_reason"]) == ("suspended", "the node is down: fan failed")
        assert any_room.on_market(uuid)["status"] == "suspended"
        any_room.bid()
        any_room.work()
        assert any_room.market.browser("consumer-a").get("/v1/contracts").json["contracts"] == []
        any_room.set_down(1, None)
        any_room.work()
        assert any_room.on_market(uuid)["status"] == "available"
        assert any_room.contract()["status"] == "active"
        told = [event for event in any_room.events("owner-a") if event.startswith(("node", "offer"))]
        assert told[:6] == ["offer.created", "offer.published", "node.down", "offer.suspended", "offer.published",
                            "node.up"]  # fmt: skip

    @pytest.mark.parametrize(
        ("machines", "reason"),
        [
            ([], "the node is gone from the inventory"),
            ([{**MACHINES[0], "owner": "owner-b"}], "the node belongs to another project now"),
        ],
    )
    def test_a_node_that_is_gone_or_anothers_is_offered_no_more(self, room, tmp_path, machines, reason):
        uuid = room.offer()["uuid"]
        room.work()
        (tmp_path / "provider-1.json").write_text(json.dumps(machines + MACHINES[1:]))
        room.work()
        assert room.on_market(uuid)["status"] == "suspended"
        assert room.provider.browser("owner-a").get(f"/v1/offers/{uuid}").json["status_reason"] == reason

    def test_changed_hardware_is_published_anew(self, room, tmp_path):
        uuid = room.offer()["uuid"]
        room.work()
        (tmp_path / "provider-1.json").write_text(json.dumps([{**MACHINES[0], "cpus": 64}, *MACHINES[1:]]))
        room.work()
        assert room.on_market(uuid)["properties"]["cpus"] == 64

    def test_a_changed_serial_number_is_nothing_the_market_hears_of(self, room, tmp_path):
        uuid = room.offer()["uuid"]
        room.work()
        before = room.on_market(uuid)
        (tmp_path / "provider-1.json").write_text(json.dumps([{**MACHINES[0], "serial_number": "X"}, *MACHINES[1:]]))
        room.work()
        assert room.on_market(uuid) == before

    def test_a_silent_providers_offers_rest_until_it_is_heard_again(self, room):
        uuid = room.offer()["uuid"]
        room.work()
        room.clock.advance(HOUR)
        room.market.watch()
        assert room.on_market(uuid)["status"] == "suspended"
        room.work()
        assert room.on_market(uuid)["status"] == "available"


def test_nothing_is_published_before_the_market_knows_the_provider(room):
    room.offer()
    assert room.provider.publish() == 0
    assert room.provider.pull() == 0
    room.provider.beat()
    assert room.provider.publish() == 1
