# SPDX-License-Identifier: Apache-2.0
"""The main job through both services: offers out, contracts in, nodes handed over and taken back."""

import json
from datetime import timedelta

import pytest

from flocx_provider.ports.market import MarketRefused, MarketUnavailable
from flocx_provider.services.node_health import set_node_health
from flocx_provider.services.publishing import resync_offers
from tests.builders import NOW, at, uid
from tests.functional.provider.conftest import MACHINES, SECOND_MACHINES
from tests.harness import ProviderHarness

HOUR = 3600


def on_market(room, uuid):
    return room.market.browser("admin").get(f"/v1/offers/{uuid}", status="*").json


def set_down(room, number, reason, provider=None):
    provider = provider or room.provider
    set_node_health(
        uid(1000 + number), reason, inventory=provider.inventory, states=provider.states, now=room.clock.now()
    )


def mark(room, number):
    assert room.provider.states.assign(uid(1000 + number), "somebody", uid(66))


def statuses(room, user="consumer-a"):
    contract = room.contract(user)
    return contract["status"], sorted(one["status"] for one in contract["allocations"])


@pytest.fixture
def second(tmp_path, room, clock, worker):
    """Another provider on the same market, with one larger node."""
    from flocx_common.testing.databases import MigratedDatabase, empty_database

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


class TestPublishing:
    def test_an_offer_reaches_the_market_without_what_is_private(self, any_room):
        offer = any_room.offer()
        assert "errors" in on_market(any_room, offer["uuid"])
        any_room.work()
        published = on_market(any_room, offer["uuid"])
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
        assert on_market(room, offers[1])["status"] == "available"
        assert "errors" in on_market(room, offers[0])
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
        assert on_market(room, uuid)["status"] == "available"

    def test_what_the_market_refuses_is_said_with_the_reason(self, room, second):
        room.work(second)
        uuid = room.offer(uuid=uid(1))["uuid"]
        second.browser("owner-b")("POST", "/v1/offers", {"uuid": uid(1), "node_uuid": "far", "reserve_price": 1})
        room.work()
        room.work(second)
        refused = second.browser("owner-b").get(f"/v1/offers/{uuid}").json
        assert refused["publication"] == "refused"
        assert refused["publication_reason"]
        assert on_market(room, uuid)["node_name"] == "n1"

    def test_a_refused_offer_goes_out_again_when_it_is_changed(self, room):
        room.work()
        uuid = room.offer()["uuid"]

        class Refusing:
            def put_offer(self, offer):
                raise MarketRefused("node_uuid: it is taken")

        from flocx_provider.services.publishing import publish_offers

        publish_offers(market=Refusing(), store=room.provider.store, now=NOW)
        browser = room.provider.browser("owner-a")
        assert browser.get(f"/v1/offers/{uuid}").json["publication_reason"] == "node_uuid: it is taken"
        browser("PATCH", f"/v1/offers/{uuid}", {"reserve_price": 1})
        room.work()
        assert on_market(room, uuid)["status"] == "available"

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

        from flocx_provider.services.publishing import publish_offers

        publish_offers(market=Slow(), store=room.provider.store, now=NOW)
        room.work()
        assert on_market(room, uuid)["reserve_price"] == "9.000000"
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
        assert on_market(room, uid(5))["status"] == "withdrawn"
        assert room.provider.browser("owner-a").get(f"/v1/offers/{other}").json["publication"] == "pending"
        assert resync_offers(market=room.provider.market, store=room.provider.store, now=NOW) == 0
        assert on_market(room, uuid)["status"] == "available"


class TestHealth:
    def test_an_unhealthy_node_suspends_its_offer_everywhere_and_comes_back_by_itself(self, any_room):
        uuid = any_room.offer()["uuid"]
        any_room.work()
        set_down(any_room, 1, "fan failed")
        any_room.work()
        mine = any_room.provider.browser("owner-a").get(f"/v1/offers/{uuid}").json
        assert (mine["status"], mine["status_reason"]) == ("suspended", "the node is down: fan failed")
        assert on_market(any_room, uuid)["status"] == "suspended"
        any_room.bid()
        any_room.work()
        assert any_room.market.browser("consumer-a").get("/v1/contracts").json["contracts"] == []
        set_down(any_room, 1, None)
        any_room.work()
        assert on_market(any_room, uuid)["status"] == "available"
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
        assert on_market(room, uuid)["status"] == "suspended"
        assert room.provider.browser("owner-a").get(f"/v1/offers/{uuid}").json["status_reason"] == reason

    def test_changed_hardware_is_published_anew(self, room, tmp_path):
        uuid = room.offer()["uuid"]
        room.work()
        (tmp_path / "provider-1.json").write_text(json.dumps([{**MACHINES[0], "cpus": 64}, *MACHINES[1:]]))
        room.work()
        assert on_market(room, uuid)["properties"]["cpus"] == 64

    def test_a_changed_serial_number_is_nothing_the_market_hears_of(self, room, tmp_path):
        uuid = room.offer()["uuid"]
        room.work()
        before = on_market(room, uuid)
        (tmp_path / "provider-1.json").write_text(json.dumps([{**MACHINES[0], "serial_number": "X"}, *MACHINES[1:]]))
        room.work()
        assert on_market(room, uuid) == before

    def test_a_silent_providers_offers_rest_until_it_is_heard_again(self, room):
        uuid = room.offer()["uuid"]
        room.work()
        room.clock.advance(HOUR)
        room.market.watch()
        assert on_market(room, uuid)["status"] == "suspended"
        room.work()
        assert on_market(room, uuid)["status"] == "available"


class TestHandingOver:
    def test_a_contract_runs_from_its_start_to_its_end(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid(start_time=at(1).isoformat(), end_time=at(3).isoformat())
        any_room.work()
        assert statuses(any_room) == ("created", ["acknowledged"])
        assert any_room.node()["lessee_project_id"] is None
        any_room.clock.advance(HOUR)
        any_room.work()
        assert statuses(any_room) == ("active", ["active"])
        assert any_room.node()["lessee_project_name"] == "consumer-a"
        any_room.clock.advance(HOUR)
        any_room.work()
        any_room.clock.advance(HOUR)
        any_room.work()
        assert statuses(any_room) == ("completed", ["released"])
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
        assert statuses(room) == ("active", ["active", "active"])
        assert room.allows("consumer-a")
        access = second.browser("consumer-a").get("/v1/nodes/far/access").json
        assert access["allowed"] is True
        room.clock.advance(10 * HOUR)
        room.work(second)
        assert statuses(room) == ("completed", ["released", "released"])
        assert room.contract()["amount"] == "30.000000"


class TestFailing:
    def test_a_node_that_cannot_be_handed_over_is_replaced(self, room):
        room.offer(uuid=uid(1))
        room.offer("owner-b", uuid=uid(2), node_uuid="n2")
        room.work()
        room.bid(start_time=at(1).isoformat())
        room.work()
        set_down(room, 1, "fan failed")
        room.clock.advance(HOUR)
        room.work()
        assert room.contract()["status"] == "created"
        [waiting] = room.provider.browser("consumer-a").get("/v1/contracts").json["contracts"][0]["allocations"]
        assert waiting["trouble"] == "the node is down: fan failed"
        room.clock.advance(601)
        room.work()
        assert statuses(room) == ("active", ["active", "replaced"])
        assert room.allows("consumer-a", "n2")
        [gone] = [one for one in room.contract()["allocations"] if one["status"] == "replaced"]
        assert (gone["status_reason"], gone["amount"]) == ("the node is down: fan failed", "0.000000")

    def test_without_a_replacement_the_contract_fails_and_the_bid_waits_again(self, room):
        room.offer()
        room.work()
        bid = room.bid(start_time=at(1).isoformat(), duration=2 * HOUR)
        room.work()
        set_down(room, 1, "fan failed")
        room.clock.advance(HOUR + 601)
        room.work()
        room.clock.advance(HOUR)
        room.work()
        assert statuses(room) == ("failed", ["failed"])
        assert room.contract()["amount"] == "0.000000"
        assert room.market.browser("consumer-a").get(f"/v1/bids/{bid['uuid']}").json["status"] == "open"

    def test_somebody_elses_mark_is_reported_and_left_alone(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid(start_time=at(1).isoformat())
        any_room.work()
        mark(any_room, 1)
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
        assert statuses(room) == ("active", ["active"])
        room.clock.advance(601)
        room.work()
        [allocation] = room.contract()["allocations"]
        assert (allocation["status"], allocation["status_reason"]) == ("failed", "the node is gone from the inventory")

    def test_a_node_that_goes_down_while_it_is_used_stays_the_lessees(self, room):
        room.offer()
        room.work()
        room.bid()
        room.work()
        set_down(room, 1, "power")
        room.clock.advance(HOUR)
        room.work()
        assert statuses(room) == ("active", ["active"])
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
        assert statuses(room) == ("cancelled", ["released"])
        assert room.provider.states.all() == {}
        assert room.contract()["amount"] == "0.000000"

    def test_a_terminated_contract_gives_its_nodes_back_at_once(self, running):
        contract = running.contract()
        running.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/terminate")
        running.work()
        assert statuses(running) == ("terminated", ["released", "released"])
        assert not running.allows("consumer-a")
        assert running.contract()["amount"] == "3.000000"

    def test_one_node_given_back_leaves_the_others(self, running):
        first, second = running.contract()["allocations"]
        running.market.browser("consumer-a")("POST", f"/v1/allocations/{first['uuid']}/release")
        running.work()
        assert running.contract()["quantity"] == 1
        assert statuses(running) == ("active", ["active", "released"])
        assert not running.allows("consumer-a", first["node_name"])
        assert running.allows("consumer-a", second["node_name"])

    def test_a_node_its_owner_takes_back_is_a_breach_and_replaced(self, running):
        running.offer(node_uuid="n3")
        running.work()
        [mine] = running.market.browser("owner-a").get("/v1/contracts").json["contracts"][0]["allocations"]
        running.market.browser("owner-a")("POST", f"/v1/allocations/{mine['uuid']}/release")
        running.work()
        assert statuses(running) == ("active", ["active", "active", "replaced"])
        assert not running.allows("consumer-a", "n1")
        assert running.allows("owner-a", "n1")
        assert running.allows("consumer-a", "n3")

    def test_an_offer_withdrawn_during_a_contract_lets_it_run_to_its_end(self, running):
        for user in ("owner-a", "owner-b"):
            [offer] = running.provider.browser(user).get("/v1/offers").json["offers"]
            running.provider.browser(user)("DELETE", f"/v1/offers/{offer['uuid']}")
        running.work()
        assert statuses(running) == ("active", ["active", "active"])
        running.clock.advance(9 * HOUR)
        running.work()
        assert statuses(running) == ("completed", ["released", "released"])


class TestTalking:
    def test_a_cursor_the_market_has_lost_makes_everything_be_read_anew(self, any_room):
        from dataclasses import replace

        from flocx_common.domain.paging import cursor_text

        any_room.offer()
        any_room.work()
        any_room.bid()
        any_room.work()
        store = any_room.provider.store
        lost = cursor_text(10**9)
        store.write(lambda uow: uow.registration.put(replace(uow.registration.get(), cursor=lost)))
        before = (any_room.contract(), any_room.node(), any_room.events("admin"))
        any_room.work()
        assert store.read(lambda uow: uow.registration.get()).cursor not in (None, lost)
        assert (any_room.contract(), any_room.node(), any_room.events("admin")) == before

    def test_a_market_ahead_by_a_second_is_told_of_the_end_again(self, room):
        """A provider whose clock is ahead takes a node back before the market's end of it."""
        room.offer()
        room.work()
        room.bid(end_time=at(1).isoformat())
        room.work()
        early = NOW + timedelta(seconds=HOUR)
        room.clock.advance(HOUR - 1)
        from flocx_provider.services.fulfillment import reconcile
        from flocx_provider.services.reporting import report_allocations

        provider = room.provider
        reconcile(inventory=provider.inventory, store=provider.store, rules=provider.settings.fulfillment, now=early)
        assert report_allocations(market=provider.market, store=provider.store, now=early) == 0
        room.clock.advance(2)
        assert report_allocations(market=provider.market, store=provider.store, now=room.clock.now()) == 1
        room.work()
        assert statuses(room) == ("completed", ["released"])

    def test_what_the_market_has_decided_meanwhile_stands(self, room):
        room.offer()
        room.work()
        room.bid()
        room.market.round()
        room.provider.pull()
        room.provider.reconcile()
        contract = room.contract()
        room.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/cancel")
        room.work()
        assert statuses(room) == ("cancelled", ["released"])
        assert room.node()["lessee_project_id"] is None
        assert room.contract()["amount"] == "0.000000"

    def test_several_managers_at_once_do_the_work_of_one(self, any_room):
        import threading

        any_room.offer()
        any_room.offer("owner-b", node_uuid="n2")
        any_room.provider.beat()
        failures = []

        def manage():
            clear = any_room.market.manager()
            try:
                for _ in range(6):
                    any_room.provider.work()
                    clear()
            except Exception as error:
                failures.append(error)

        any_room.bid(quantity=2)
        threads = [threading.Thread(target=manage) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        any_room.work()
        assert statuses(any_room) == ("active", ["active", "active"])
        for what in ("offer.published", "allocation.acknowledged", "allocation.activated"):
            assert any_room.events("admin").count(what) == 2, what

    def test_a_restored_older_database_takes_its_nodes_back_all_the_same(self, room):
        """The provider has lost its allocations; what it marked before is found and taken back."""
        room.offer()
        room.work()
        room.bid(end_time=at(1).isoformat())
        room.work()
        contract = room.contract()
        database = room.provider.store.database

        import sqlalchemy as sa

        from flocx_provider.db import models

        def forget(connection):
            for table in (models.allocations, models.contracts):
                connection.execute(sa.delete(table))
            connection.execute(sa.update(models.registration).values(market_cursor=None))

        database.write(forget)
        room.clock.advance(HOUR)
        room.work()
        assert contract["uuid"] not in {state.contract_uuid for state in room.provider.states.all().values()}
        assert room.node()["lessee_project_id"] is None

    def test_a_market_that_forgot_the_provider_gets_to_know_it_again(self, room):
        import sqlalchemy as sa

        from flocx_market.db import models

        room.work()
        room.market.store.database.write(lambda connection: connection.execute(sa.delete(models.providers)))
        room.offer()
        room.work()
        [registered] = room.market.browser("admin").get("/v1/providers").json["providers"]
        assert registered["name"] == "provider-1"
        assert room.provider.browser("owner-a").get("/v1/offers").json["offers"][0]["publication"] == "published"

    def test_a_changed_turnaround_is_told_with_the_first_beat(self, room, tmp_path, clock):
        room.work()
        url = str(room.provider.store.database.engine.url)
        again = ProviderHarness(
            tmp_path, room.provider.store.database, url, clock, room.market, MACHINES, provider={"turnaround": 900}
        )
        again.beat()
        [registered] = room.market.browser("admin").get("/v1/providers").json["providers"]
        assert registered["turnaround"] == 900


def test_nothing_is_published_before_the_market_knows_the_provider(room):
    room.offer()
    assert room.provider.publish() == 0
    assert room.provider.pull() == 0
    room.provider.beat()
    assert room.provider.publish() == 1
