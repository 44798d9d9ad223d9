# SPDX-License-Identifier: Apache-2.0
"""A provider's API as owners, lessees and others meet it."""

import json
import threading
import time

import pytest

from tests.builders import NOW, at, uid
from tests.functional.provider.conftest import MACHINES


def error(response):
    return response["errors"][0] if isinstance(response, dict) else response.json["errors"][0]


class TestOffering:
    def test_an_owner_offers_a_node_by_name_or_by_uuid(self, any_room):
        first = any_room.offer(uuid=uid(1), name="spare", lessee_project_ids=["consumer-b", "p-consumer-a"])
        assert first == {
            "uuid": uid(1),
            "name": "spare",
            "owner_project_id": "p-owner-a",
            "owner_project_name": "owner-a",
            "node_uuid": uid(1001),
            "node_name": "n1",
            "resource_class": "baremetal",
            "properties": {name: value for name, value in MACHINES[0].items() if name != "serial_number"},
            "start_time": "2027-01-01T12:00:00Z",
            "end_time": "2027-01-05T16:00:00Z",
            "reserve_price": "1.500000",
            "min_duration": 0,
            "lessee_project_ids": ["p-consumer-a", "p-consumer-b"],
            "status": "available",
            "status_reason": None,
            "publication": "pending",
            "publication_reason": None,
            "created_at": "2027-01-01T12:00:00Z",
            "updated_at": "2027-01-01T12:00:00Z",
        }
        by_uuid = any_room.offer(node_uuid=uid(1003).upper())
        assert by_uuid["node_name"] == "n3"
        assert any_room.events("owner-a") == ["offer.created", "offer.created"]

    def test_without_times_it_is_from_now_on_without_an_end(self, room):
        offer = room.provider.browser("owner-a")("POST", "/v1/offers", {"node_uuid": "n1", "reserve_price": 0}).json
        assert (offer["start_time"], offer["end_time"]) == ("2027-01-01T12:00:00Z", None)

    @pytest.mark.parametrize("node", ["n2", "n5", "nothing", uid(1002), uid(77), "N1"])
    def test_a_node_that_is_not_the_projects_is_refused_and_nothing_is_created(self, room, node):
        told = error(room.offer(node_uuid=node, status=404))
        assert (told["code"], told["field"]) == ("flocx.node.not_found", "node_uuid")
        assert node in told["detail"]
        assert room.provider.browser("admin").get("/v1/offers").json["offers"] == []
        assert room.events("admin") == []

    def test_whether_another_projects_node_exists_makes_no_difference(self, room):
        there, missing = (error(room.offer(node_uuid=node, status=404)) for node in ("n2", "n9"))
        assert there["detail"].replace("n2", "n9") == missing["detail"]
        assert {**there, "detail": "", "request_id": ""} == {**missing, "detail": "", "request_id": ""}

    def test_an_admin_offers_in_the_owners_name(self, room):
        assert room.offer("admin", node_uuid="n2")["owner_project_id"] == "p-owner-b"

    def test_a_node_without_an_owner_is_offered_by_nobody(self, room):
        assert error(room.offer("admin", node_uuid="n5", status=404))["code"] == "flocx.node.not_found"

    @pytest.mark.parametrize(
        ("start", "end", "status"),
        [
            (0, 100, 409),
            (50, 60, 409),
            (-5, 1, 409),
            (99, 200, 409),
            (100, 200, 201),
            (-10, 0.5, 409),
            (101, None, 201),
        ],
    )
    def test_one_nodes_offers_may_touch_but_not_overlap(self, any_room, start, end, status):
        first = any_room.offer()
        end_time = None if end is None else at(end).isoformat()
        answer = any_room.offer(start_time=at(start).isoformat(), end_time=end_time, status=status)
        if status == 409:
            assert error(answer)["code"] == "flocx.offer.overlap"
            assert first["uuid"] in error(answer)["detail"]

    def test_of_two_racing_offers_of_one_node_exactly_one_is_made(self, any_room):
        for number in range(5):
            node, statuses = f"n{1 if number % 2 else 3}", []
            barrier = threading.Barrier(2)
            window = {"start_time": at(number * 10).isoformat(), "end_time": at(number * 10 + 10).isoformat()}

            def race(node=node, statuses=statuses, barrier=barrier, window=window):
                barrier.wait()
                body = {"node_uuid": node, "reserve_price": 1, **window}
                statuses.append(any_room.provider.browser("owner-a")("POST", "/v1/offers", body, status="*").status_int)

            threads = [threading.Thread(target=race) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(statuses) == [201, 409]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"end_time": NOW.isoformat()}, "end_time"),
            ({"end_time": at(-1).isoformat()}, "end_time"),
            ({"start_time": at(5).isoformat(), "end_time": at(5).isoformat()}, "end_time"),
            ({"end_time": "x"}, "end_time"),
            ({"start_time": None}, "start_time"),
            ({"reserve_price": "-1"}, "reserve_price"),
            ({"reserve_price": "0.0000001"}, "reserve_price"),
            ({"reserve_price": None}, "reserve_price"),
            ({"min_duration": -1}, "min_duration"),
            ({"lessee_project_ids": []}, "lessee_project_ids"),
            ({"lessee_project_ids": ["x" * 65]}, "lessee_project_ids[0]"),
            ({"lessee_project_ids": ["a b"]}, "lessee_project_ids[0]"),
            ({"owner_project_id": "p-owner-b"}, "owner_project_id"),
            ({"properties": {}}, "properties"),
            ({"status": "available"}, "status"),
            ({"node_uuid": ""}, "node_uuid"),
            ({"node_uuid": 1}, "node_uuid"),
            ({"uuid": "x"}, "uuid"),
        ],
    )
    def test_what_is_wrong_with_an_offer_is_named_and_nothing_is_created(self, room, change, field):
        body = {"node_uuid": "n1", "reserve_price": 1} | change
        answer = room.provider.browser("owner-a")("POST", "/v1/offers", body, status=400)
        assert [told["field"] for told in answer.json["errors"]] == [field]
        assert room.provider.browser("admin").get("/v1/offers").json["offers"] == []

    def test_a_repeated_request_returns_the_stored_offer(self, any_room):
        first = any_room.offer(uuid=uid(1))
        assert any_room.offer(uuid=uid(1), reserve_price="1.500", status=200) == first
        assert error(any_room.offer(uuid=uid(1), reserve_price="2", status=409))["code"] == "flocx.uuid.in_use"
        assert error(any_room.offer("owner-b", uuid=uid(1), node_uuid="n2", status=409))["code"] == "flocx.uuid.in_use"
        assert any_room.events("admin") == ["offer.created"]

    def test_created_entities_say_where_they_are(self, room):
        response = room.provider.browser("owner-a")("POST", "/v1/offers", {"node_uuid": "n1", "reserve_price": 1})
        assert response.headers["Location"] == f"http://localhost/v1/offers/{response.json['uuid']}"

    def test_a_node_that_is_down_is_offered_as_suspended(self, room):
        room.provider.states.set_down(uid(1001), "fan", _down())
        offer = room.offer()
        assert (offer["status"], offer["status_reason"]) == ("suspended", "the node is down: fan")


def _down():
    from flocx_common.domain.events import Event

    return Event(event_type="node.down", entity_uuid=uid(1001), project_ids=frozenset(), occurred_at=NOW)


class TestChanging:
    def test_price_and_end_can_be_changed_and_the_market_is_told(self, any_room):
        path = f"/v1/offers/{any_room.offer()['uuid']}"
        any_room.work()
        browser = any_room.provider.browser("owner-a")
        assert browser.get(path).json["publication"] == "published"
        changed = browser("PATCH", path, {"reserve_price": 2, "end_time": None}).json
        assert (changed["reserve_price"], changed["end_time"]) == ("2.000000", None)
        assert changed["publication"] == "pending"
        any_room.work()
        offered = any_room.market.browser("consumer-a").get(path).json
        assert (offered["reserve_price"], offered["end_time"]) == ("2.000000", None)
        assert any_room.events("owner-a") == ["offer.created", "offer.published", "offer.changed", "offer.published"]

    def test_a_change_that_changes_nothing_tells_nothing(self, room):
        path = f"/v1/offers/{room.offer()['uuid']}"
        room.work()
        response = room.provider.browser("owner-a")("PATCH", path, {"reserve_price": "1.50"})
        assert response.json["publication"] == "published"

    @pytest.mark.parametrize(
        "body", [{}, {"name": "x"}, {"start_time": at(1).isoformat()}, {"end_time": NOW.isoformat()}]
    )
    def test_nothing_else_can_be_changed(self, room, body):
        room.provider.browser("owner-a")("PATCH", f"/v1/offers/{room.offer()['uuid']}", body, status=400)

    def test_a_longer_end_must_not_run_into_the_next_offer(self, room):
        first = room.offer(end_time=at(10).isoformat())
        room.offer(start_time=at(20).isoformat())
        browser = room.provider.browser("owner-a")
        path = f"/v1/offers/{first['uuid']}"
        browser("PATCH", path, {"end_time": at(20).isoformat()})
        browser("PATCH", path, {"end_time": at(21).isoformat()}, status=409)
        browser("PATCH", path, {"end_time": None}, status=409)

    def test_a_withdrawn_one_cannot_be_changed(self, room):
        path = f"/v1/offers/{room.offer()['uuid']}"
        browser = room.provider.browser("owner-a")
        browser("DELETE", path, status=204)
        answer = browser("PATCH", path, {"reserve_price": 3}, status=409)
        assert error(answer)["code"] == "flocx.status.transition_refused"

    def test_who_has_seen_another_state_changes_nothing(self, any_room):
        path = f"/v1/offers/{any_room.offer()['uuid']}"
        browser = any_room.provider.browser("owner-a")
        seen = browser.get(path).headers["ETag"]
        browser("PATCH", path, {"reserve_price": 2}, headers={"If-Match": seen})
        browser("PATCH", path, {"reserve_price": 3}, headers={"If-Match": seen}, status=412)
        browser("DELETE", path, headers={"If-Match": seen}, status=412)
        assert browser.get(path).json["reserve_price"] == "2.000000"

    def test_of_two_racing_changes_none_is_lost(self, any_room):
        path = f"/v1/offers/{any_room.offer()['uuid']}"
        changes = [{"reserve_price": 7}, {"end_time": at(50).isoformat()}]
        threads = [
            threading.Thread(target=any_room.provider.browser("owner-a"), args=("PATCH", path, change))
            for change in changes
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        offer = any_room.provider.browser("owner-a").get(path).json
        assert (offer["reserve_price"], offer["end_time"]) == ("7.000000", "2027-01-03T14:00:00Z")

    def test_withdrawing_is_harmless_to_repeat_and_frees_the_time(self, any_room):
        path = f"/v1/offers/{any_room.offer()['uuid']}"
        browser = any_room.provider.browser("owner-a")
        for _ in range(2):
            browser("DELETE", path, status=204)
        offer = browser.get(path).json
        assert (offer["status"], offer["publication"]) == ("withdrawn", "withdrawing")
        any_room.work()
        assert browser.get(path).json["publication"] == "withdrawn"
        any_room.offer(status=201)

    def test_an_expired_one_cannot_be_withdrawn(self, room):
        path = f"/v1/offers/{room.offer(end_time=at(1).isoformat())['uuid']}"
        room.clock.advance(2 * 3600)
        room.work()
        browser = room.provider.browser("owner-a")
        assert browser.get(path).json["status"] == "expired"
        browser("DELETE", path, status=409)


class TestNodes:
    def test_owners_see_their_own_nodes_and_admins_all(self, room):
        def seen(user):
            return [node["node_name"] for node in room.provider.browser(user).get("/v1/nodes").json["nodes"]]

        assert seen("owner-a") == ["n1", "n3"]
        assert seen("owner-b") == ["n2", "n4"]
        assert seen("consumer-a") == []
        assert seen("admin") == ["n1", "n2", "n3", "n4", "n5"]

    def test_a_node_is_shown_whole_to_its_owner(self, any_room):
        offer = any_room.offer()
        any_room.work()
        any_room.bid(start_time=at(10).isoformat(), end_time=at(20).isoformat())
        any_room.work()
        for name in ("n1", uid(1001)):
            node = any_room.node(name, "owner-a")
            assert (node["node_uuid"], node["node_name"]) == (uid(1001), "n1")
            assert node["properties"] == MACHINES[0]
            assert node["health"] == {"ok": True, "problem": None}
            assert node["lessee_project_id"] is None
            assert [one["uuid"] for one in node["offers"]] == [offer["uuid"]]
            assert [one["lessee_project_name"] for one in node["contracts"]] == ["consumer-a"]
            assert node["free_windows"] == [
                {"start_time": "2027-01-01T12:00:00Z", "end_time": "2027-01-01T22:00:00Z"},
                {"start_time": "2027-01-02T08:00:00Z", "end_time": "2027-01-05T16:00:00Z"},
            ]

    def test_the_list_shows_what_stands_and_one_node_its_whole_history(self, room):
        path = f"/v1/offers/{room.offer()['uuid']}"
        room.work()
        room.bid(end_time=at(1).isoformat())
        room.work()
        room.clock.advance(3600)
        room.work()
        room.provider.browser("owner-a")("DELETE", path)
        [first, _] = room.provider.browser("owner-a").get("/v1/nodes?sort=node_name").json["nodes"]
        assert (first["offers"], first["contracts"]) == ([], [])
        one = room.node("n1", "owner-a")
        assert [offer["status"] for offer in one["offers"]] == ["withdrawn"]
        assert [contract["status"] for contract in one["contracts"]] == ["released"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["n1", "n2", "n3", "n4", "n5"]),
            ("?sort=node_name:desc", ["n5", "n4", "n3", "n2", "n1"]),
            ("?node_name=n2", ["n2"]),
            (f"?node_uuid=in:{uid(1001)},{uid(1004)}", ["n1", "n4"]),
            ("?owner_project_id=owner-b", ["n2", "n4"]),
            ("?owner_project_id=p-owner-b&limit=1", ["n2"]),
            (f"?marker={uid(1003)}&sort=node_uuid", ["n4", "n5"]),
            ("?resource_class=gt:bare", ["n1", "n2", "n3", "n4", "n5"]),
        ],
    )
    def test_nodes_are_filtered_sorted_and_paged(self, room, query, expected):
        answer = room.provider.browser("admin").get(f"/v1/nodes{query}").json
        assert [node["node_name"] for node in answer["nodes"]] == expected

    def test_the_client_follows_the_pages_of_nodes(self, room):
        seen = [node["node_name"] for node in room.provider.client("admin").nodes(limit=2)]
        assert seen == ["n1", "n2", "n3", "n4", "n5"]

    def test_a_marker_that_is_no_node_of_the_caller_is_refused(self, room):
        answer = room.provider.browser("owner-a").get(f"/v1/nodes?marker={uid(1002)}", status=400)
        assert error(answer)["code"] == "flocx.page.marker_unknown"

    def test_names_with_blanks_and_other_oddities_reach_the_node(self, tmp_path, room):
        machines = [{"uuid": uid(1001), "name": "rack 1: 50% ünit", "owner": "owner-a"}]
        (tmp_path / "provider-1.json").write_text(json.dumps(machines))
        assert room.provider.client("owner-a").get_node("rack 1: 50% ünit")["node_uuid"] == uid(1001)


class TestAccess:
    def test_the_owner_may_use_its_node_until_it_is_handed_over_and_then_the_lessee(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid(start_time=at(1).isoformat(), end_time=at(2).isoformat())
        any_room.work()
        answers = []
        for _ in range(3):
            answers.append({user: any_room.allows(user) for user in ("owner-a", "consumer-a", "consumer-b", "admin")})
            any_room.clock.advance(3600)
            any_room.work()
        nobody = {"consumer-b": False, "admin": False}
        assert answers == [
            {"owner-a": True, "consumer-a": False, **nobody},
            {"owner-a": False, "consumer-a": True, **nobody},
            {"owner-a": True, "consumer-a": False, **nobody},
        ]

    def test_the_reason_names_no_other_project(self, room):
        room.offer()
        room.work()
        room.bid()
        room.work()
        for user in ("consumer-b", "owner-b"):
            response = room.provider.browser(user).get("/v1/nodes/n1/access")
            assert response.json["allowed"] is False
            assert "consumer-a" not in response.text
            assert "owner-a" not in response.text

    def test_no_node_no_answer(self, room):
        assert error(room.provider.browser("owner-a").get("/v1/nodes/x/access", status=404))["field"] == "node"


class TestContracts:
    def test_both_sides_see_what_was_delivered_and_what_it_costs(self, any_room):
        any_room.offer()
        any_room.work()
        any_room.bid()
        any_room.work()
        any_room.clock.advance(3600)
        uuid = any_room.contract()["uuid"]
        for user in ("owner-a", "consumer-a"):
            [contract] = any_room.provider.browser(user).get("/v1/contracts").json["contracts"]
            assert contract == any_room.provider.browser(user).get(f"/v1/contracts/{uuid}").json
            [allocation] = contract["allocations"]
            assert (allocation["status"], allocation["delivered_seconds"]) == ("active", 3600)
            assert (contract["amount"], allocation["amount"]) == ("15.000000", "15.000000")

    def test_an_owner_sees_its_part_and_the_lessee_all(self, room):
        room.offer()
        room.offer("owner-b", node_uuid="n2", reserve_price="1.7")
        room.work()
        room.bid(quantity=2)
        room.work()

        def seen(user):
            [contract] = room.provider.browser(user).get("/v1/contracts").json["contracts"]
            return [one["node_name"] for one in contract["allocations"]], contract["quantity"], contract["amount"]

        assert seen("owner-a") == (["n1"], 1, "17.000000")
        assert seen("owner-b") == (["n2"], 1, "17.000000")
        assert seen("consumer-a") == seen("admin") == (["n1", "n2"], 2, "34.000000")


class TestEverywhere:
    def test_a_list_costs_the_same_number_of_statements_however_long_it_is(self, room):
        import sqlalchemy as sa

        statements = []
        engine = room.provider.store.database.engine
        sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

        def cost():
            found = []
            for path in ("/v1/nodes", "/v1/offers", "/v1/contracts", "/v1/events"):
                statements.clear()
                room.provider.browser("admin").get(path)
                found.append(len(statements))
            return found

        room.offer()
        room.work()
        room.bid(end_time=at(1).isoformat())
        room.work()
        few = cost()
        for number in range(2, 8):
            room.bid(start_time=at(number).isoformat(), end_time=at(number + 1).isoformat())
        room.offer("owner-b", node_uuid="n2")
        room.work()
        assert len(room.provider.browser("admin").get("/v1/contracts").json["contracts"]) == 7
        assert cost() == few

    def test_a_wait_for_events_ends_when_something_happens(self, room):
        browser, found = room.provider.browser("owner-a"), []
        since = browser.get("/v1/events?since=latest").json["next_since"]
        thread = threading.Thread(
            target=lambda: found.append(browser.get(f"/v1/events?since={since}&wait=20").json["events"])
        )
        thread.start()
        began = time.monotonic()
        room.offer()
        thread.join(30)
        assert [event["event_type"] for event in found[0]] == ["offer.created"]
        assert time.monotonic() - began < 15

    def test_it_is_ready_while_database_and_inventory_are(self, room, tmp_path):
        nobody = room.provider.browser(None)
        assert nobody.get("/readyz").json == {"status": "ready", "failing": []}
        room.provider.readiness._asked = float("-inf")
        (tmp_path / "provider-1.json").unlink()
        assert nobody.get("/readyz", status=503).json["failing"] == ["inventory"]
        assert "provider-1.json" not in nobody.get("/readyz", status=503).text

    def test_an_inventory_that_cannot_be_read_any_more_keeps_what_was_read(self, room, tmp_path):
        (tmp_path / "provider-1.json").write_text("[{")
        assert len(room.provider.browser("admin").get("/v1/nodes").json["nodes"]) == len(MACHINES)
