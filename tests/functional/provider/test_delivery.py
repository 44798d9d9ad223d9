# SPDX-License-Identifier: Apache-2.0
"""The main job through both services: contracts in, nodes handed over, replaced, and taken back."""

import json

import pytest

from tests.builders import at, uid
from tests.functional.provider.conftest import MACHINES

HOUR = 3600


class TestHandingOver:
    def test_a_contract_runs_from_its_start_to_its_end(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid(start_time=at(1).isoformat(), end_time=at(3).isoformat())
        any_room.work()
        assert any_room.statuses() == ("created", ["acknowledged"])
        assert any_room.node()["lessee_project_id"] is None
        any_room.clock.advance(HOUR)
        any_room.work()
        assert any_room.statuses() == ("active", ["active"])
        assert any_room.node()["lessee_project_name"] == "consumer-a"
        any_room.clock.advance(HOUR)
        any_room.work()
        any_room.clock.advance(HOUR)
        any_room.work()
        assert any_room.statuses() == ("completed", ["released"])
        node = any_room.node()
        assert node["lessee_project_id"] is None
        [used] = node["contracts"]
        assert (used["status"], used["delivered_seconds"], used["amount"]) == ("released", 2 * HOUR, "3.000000")
        assert [event for event in any_room.events("consumer-a") if event.startswith("allocation")] == [
            "allocation.acknowledged",
            "allocation.activated",
            "allocation.ending",
            "allocation.released",
        ]

    def test_a_late_hand_over_is_not_charged_for(self, room):
        room.offer()
        room.work()
        room.bid(start_time=at(1).isoformat(), end_time=at(3).isoformat())
        room.work()
        room.clock.advance(HOUR + 300)
        room.work()
        room.clock.advance(2 * HOUR)
        room.work()
        [allocation] = room.contract()["allocations"]
        assert allocation["delivered_from"] == "2027-01-01T13:05:00Z"
        assert allocation["amount"] == "2.875000"

    def test_contracts_that_follow_each_other_change_hands_in_one_round(self, room):
        room.offer()
        room.work()
        room.bid(end_time=at(1).isoformat())
        room.bid("consumer-b", start_time=at(1).isoformat(), end_time=at(2).isoformat())
        room.work()
        assert room.node()["lessee_project_name"] == "consumer-a"
        room.clock.advance(HOUR)
        room.provider.pull()
        room.provider.reconcile()
        assert room.node()["lessee_project_name"] == "consumer-b"
        assert "allocation.waiting" not in room.events("admin")

    def test_a_round_run_again_and_again_changes_nothing(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid()
        any_room.work()
        before = (any_room.contract(), any_room.node(), any_room.events("admin"))
        for _ in range(3):
            any_room.work()
        assert (any_room.contract(), any_room.node(), any_room.events("admin")) == before

    def test_one_contract_spans_two_providers(self, room, second):
        room.offer()
        second.browser("owner-b")("POST", "/v1/offers", {"node_uuid": "far", "reserve_price": 1})
        room.work(second)
        room.bid(quantity=2)
        room.work(second)
        assert room.statuses() == ("active", ["active", "active"])
        assert room.allows("consumer-a")
        access = second.browser("consumer-a").get("/v1/nodes/far/access").json
        assert access["allowed"] is True
        room.clock.advance(10 * HOUR)
        room.work(second)
        assert room.statuses() == ("completed", ["released", "released"])
        assert room.contract()["amount"] == "30.000000"


class TestFailing:
    def test_a_node_that_cannot_be_handed_over_is_replaced(self, room):
        room.offer(uuid=uid(1))
        room.offer("owner-b", uuid=uid(2), node_uuid="n2")
        room.work()
        room.bid(start_time=at(1).isoformat())
        room.work()
        room.set_down(1, "fan failed")
        room.clock.advance(HOUR)
        room.work()
        assert room.contract()["status"] == "created"
        [waiting] = room.provider.browser("consumer-a").get("/v1/contracts").json["contracts"][0]["allocations"]
        assert waiting["trouble"] == "the node is down: fan failed"
        room.clock.advance(601)
        room.work()
        assert room.statuses() == ("active", ["active", "replaced"])
        assert room.allows("consumer-a", "n2")
        [gone] = [one for one in room.contract()["allocations"] if one["status"] == "replaced"]
        assert (gone["status_reason"], gone["amount"]) == ("the node is down: fan failed", "0.000000")

    def test_without_a_replacement_the_contract_fails_and_the_bid_waits_again(self, room):
        room.offer()
        room.work()
        bid = room.bid(start_time=at(1).isoformat(), duration=2 * HOUR)
        room.work()
        room.set_down(1, "fan failed")
        room.clock.advance(HOUR + 601)
        room.work()
        room.clock.advance(HOUR)
        room.work()
        assert room.statuses() == ("failed", ["failed"])
        assert room.contract()["amount"] == "0.000000"
        assert room.market.browser("consumer-a").get(f"/v1/bids/{bid['uuid']}").json["status"] == "open"

    def test_somebody_elses_mark_is_reported_and_left_alone(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid(start_time=at(1).isoformat())
        any_room.work()
        assert any_room.provider.states.assign(uid(1001), "somebody", uid(66))
        any_room.clock.advance(HOUR)
        any_room.work()
        assert "allocation.waiting" in any_room.events("consumer-a")
        any_room.clock.advance(601)
        any_room.work()
        state = any_room.provider.states.all()[uid(1001)]
        assert (state.lessee_project_id, state.contract_uuid) == ("somebody", uid(66))
        [allocation] = any_room.contract()["allocations"]
        assert allocation["status"] == "failed"
        assert allocation["status_reason"] == f"the node carries the mark of contract {uid(66)}"

    def test_a_mark_taken_away_during_the_contract_is_the_owners_breach(self, room):
        room.offer()
        room.work()
        room.bid()
        room.work()
        contract = room.contract()
        room.provider.states.remove_mark(uid(1001), contract["uuid"])
        room.clock.advance(HOUR)
        room.work()
        [allocation] = room.contract()["allocations"]
        assert allocation["status"] == "failed"
        assert allocation["amount"] == "1.500000"
        events = room.market.browser("owner-a").get("/v1/events").json["events"]
        [failed] = [event for event in events if event["event_type"] == "allocation.failed"]
        assert failed["detail"]["breach"] is True

    def test_a_node_that_vanishes_while_it_is_used_is_missed_only_after_a_while(self, room, tmp_path):
        room.offer()
        room.work()
        room.bid()
        room.work()
        (tmp_path / "provider-1.json").write_text(json.dumps(MACHINES[1:]))
        room.clock.advance(60)
        room.work()
        assert room.statuses() == ("active", ["active"])
        room.clock.advance(601)
        room.work()
        [allocation] = room.contract()["allocations"]
        assert (allocation["status"], allocation["status_reason"]) == ("failed", "the node is gone from the inventory")

    def test_a_node_that_goes_down_while_it_is_used_stays_the_lessees(self, room):
        room.offer()
        room.work()
        room.bid()
        room.work()
        room.set_down(1, "power")
        room.clock.advance(HOUR)
        room.work()
        assert room.statuses() == ("active", ["active"])
        assert room.allows("consumer-a")


class TestEndingEarly:
    @pytest.fixture
    def running(self, room):
        room.offer()
        room.offer("owner-b", node_uuid="n2")
        room.work()
        room.bid(quantity=2)
        room.work()
        room.clock.advance(HOUR)
        return room

    def test_a_contract_called_off_before_its_start_never_touches_a_node(self, room):
        room.offer()
        room.work()
        room.bid(start_time=at(1).isoformat())
        room.work()
        contract = room.contract()
        room.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/cancel")
        room.clock.advance(2 * HOUR)
        room.work()
        assert room.statuses() == ("cancelled", ["released"])
        assert room.provider.states.all() == {}
        assert room.contract()["amount"] == "0.000000"

    def test_a_terminated_contract_gives_its_nodes_back_at_once(self, running):
        contract = running.contract()
        running.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/terminate")
        running.work()
        assert running.statuses() == ("terminated", ["released", "released"])
        assert not running.allows("consumer-a")
        assert running.contract()["amount"] == "3.000000"

    def test_one_node_given_back_leaves_the_others(self, running):
        first, second = running.contract()["allocations"]
        running.market.browser("consumer-a")("POST", f"/v1/allocations/{first['uuid']}/release")
        running.work()
        assert running.contract()["quantity"] == 1
        assert running.statuses() == ("active", ["active", "released"])
        assert not running.allows("consumer-a", first["node_name"])
        assert running.allows("consumer-a", second["node_name"])

    def test_a_node_its_owner_takes_back_is_a_breach_and_replaced(self, running):
        running.offer(node_uuid="n3")
        running.work()
        [mine] = running.market.browser("owner-a").get("/v1/contracts").json["contracts"][0]["allocations"]
        running.market.browser("owner-a")("POST", f"/v1/allocations/{mine['uuid']}/release")
        running.work()
        assert running.statuses() == ("active", ["active", "active", "replaced"])
        assert not running.allows("consumer-a", "n1")
        assert running.allows("owner-a", "n1")
        assert running.allows("consumer-a", "n3")

    def test_an_offer_withdrawn_during_a_contract_lets_it_run_to_its_end(self, running):
        for user in ("owner-a", "owner-b"):
            [offer] = running.provider.browser(user).get("/v1/offers").json["offers"]
            running.provider.browser(user)("DELETE", f"/v1/offers/{offer['uuid']}")
        running.work()
        assert running.statuses() == ("active", ["active", "active"])
        running.clock.advance(9 * HOUR)
        running.work()
        assert running.statuses() == ("completed", ["released", "released"])
