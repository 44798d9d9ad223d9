# SPDX-License-Identifier: Apache-2.0
"""Offers, and who may see what of them, over the market's API."""

import threading

import pytest

from tests.builders import at, uid


def error(response):
    return response.json["errors"][0]


class TestOffers:
    def test_publishing_again_changes_nothing_and_a_change_is_taken(self, any_trade):
        first = any_trade.offer()
        assert any_trade.offer() == first
        changed = any_trade.offer(reserve_price="9", name="x")
        assert (changed["reserve_price"], changed["name"]) == ("9.000000", "x")
        assert any_trade.events("owner-a") == ["offer.published", "offer.changed"]
        assert any_trade.events("consumer-a") == []
        assert any_trade.events("admin") == ["provider.registered", "offer.published", "offer.changed"]

    @pytest.mark.parametrize(("field", "value"), [("node_uuid", uid(1009)), ("owner_project_id", "p-other")])
    def test_an_offer_cannot_become_another_one(self, trade, field, value):
        trade.offer()
        assert trade.offer(status=409, **{field: value})["errors"][0]["code"] == "flocx.offer.fixed"

    def test_another_providers_offer_cannot_be_touched(self, trade):
        trade.register(2)
        trade.offer()
        assert trade.offer(provider=2, status=409)["errors"][0]["code"] == "flocx.uuid.in_use"
        trade.market.browser("provider-2")("DELETE", f"/v1/offers/{uid(1)}", status=404)

    def test_offers_of_one_node_may_touch_but_not_overlap(self, any_trade):
        any_trade.offer(1)
        for start, end in ((0, 100), (99, 101), (-5, 1), (-5, None)):
            window = {"start_time": at(start).isoformat(), "end_time": None if end is None else at(end).isoformat()}
            refused = any_trade.offer(2, node_uuid=uid(1001), status=409, **window)
            assert refused["errors"][0]["code"] == "flocx.offer.overlap"
        any_trade.offer(2, node_uuid=uid(1001), start_time=at(100).isoformat(), end_time=None)

    def test_of_racing_overlapping_offers_one_is_taken(self, any_trade):
        statuses = []

        def publish(number):
            body = any_trade.market.browser("provider-1")(
                "PUT",
                f"/v1/offers/{uid(number)}",
                {"owner_project_id": "o", "node_uuid": uid(1), "properties": {}, "start_time": at(0).isoformat(),
                 "reserve_price": 1},
                status="*",
            )  # fmt: skip
            statuses.append(body.status_int)

        threads = [threading.Thread(target=publish, args=(n,)) for n in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(statuses) == [201, 409, 409]

    def test_a_withdrawn_offer_stays_withdrawn(self, trade):
        trade.offer()
        for _ in range(2):
            trade.market.browser("provider-1")("DELETE", f"/v1/offers/{uid(1)}", status=204)
        assert trade.offer()["status"] == "withdrawn"
        assert trade.offer(reserve_price="9", status=409)["errors"][0]["code"] == "flocx.status.transition_refused"

    def test_an_unhealthy_node_is_not_sold_until_it_is_well(self, trade):
        trade.offer(health_problem="fan failed")
        trade.bid()
        assert trade.market.round().matched == 0
        assert trade.offer()["status"] == "available"
        assert trade.market.round().matched == 1

    def test_lessees_may_be_given_by_name_and_see_only_themselves(self, trade):
        made = trade.offer(lessee_project_ids=["consumer-a", "p-consumer-b"])
        assert made["lessee_project_ids"] == ["p-consumer-a", "p-consumer-b"]
        for user, seen in (("consumer-a", ["p-consumer-a"]), ("admin", ["p-consumer-a", "p-consumer-b"])):
            shown = trade.market.browser(user).get(f"/v1/offers/{uid(1)}").json
            assert shown["lessee_project_ids"] == seen
        trade.market.browser("owner-b").get(f"/v1/offers/{uid(1)}", status=404)

    def test_an_owner_sees_all_it_offers_to(self, trade):
        trade.offer(owner_project_id="owner-a", lessee_project_ids=["consumer-a", "consumer-b"])
        shown = trade.market.browser("owner-a").get(f"/v1/offers/{uid(1)}").json
        assert shown["lessee_project_ids"] == ["p-consumer-a", "p-consumer-b"]
        assert shown["owner_project_name"] == "owner-a"

    def test_offers_can_be_searched_by_hardware_and_by_free_time(self, any_trade):
        any_trade.offer(1, properties={"cpus": 16})
        any_trade.offer(2, properties={"cpus": 64})
        any_trade.offer(3, properties={"cpus": 64})
        any_trade.contract(offer_uuids=[uid(2)])
        browser = any_trade.market.browser("consumer-b")

        def found(**query):
            return [o["uuid"] for o in self.listed(browser, **query)]

        assert found(requirements='[["cpus", ">=", 32]]') == [uid(2), uid(3)]
        free = {"available_from": at(1).isoformat(), "available_until": at(2).isoformat()}
        assert found(**free) == [uid(1), uid(3)]
        assert found(requirements='[["cpus", ">=", 32]]', limit="1", **free) == [uid(3)]

    def listed(self, browser, **query):
        from urllib.parse import urlencode

        return browser.get("/v1/offers?" + urlencode(query)).json["offers"]

    def test_a_search_goes_on_over_pages(self, trade):
        for number in range(1, 8):
            trade.offer(number, properties={"cpus": 64 if number % 2 else 16})
        client = trade.market.client("consumer-a")
        found = [o["uuid"] for o in client.offers(requirements='[["cpus", ">=", 32]]', limit=2, sort="uuid")]
        assert found == [uid(n) for n in (1, 3, 5, 7)]

    @pytest.mark.parametrize(
        "query",
        [
            "requirements=x",
            "requirements=[[1]]",
            "available_from=2027-01-01",
            "available_from=2027-01-02&available_until=2027-01-01",
        ],
    )
    def test_a_search_that_makes_no_sense_is_refused(self, trade, query):
        trade.market.browser("consumer-a").get(f"/v1/offers?{query}", status=400)


class TestProviders:
    def test_registering_again_returns_the_stored_one(self, any_trade):
        assert any_trade.register() == any_trade.register()
        refused = any_trade.market.browser("admin")(
            "POST", "/v1/providers", {"name": "provider-1", "service_user_id": "x"}, status=409
        )
        assert error(refused)["code"] == "flocx.uuid.in_use"

    def test_a_provider_with_something_on_the_market_cannot_be_removed(self, any_trade):
        any_trade.offer()
        any_trade.contract()
        admin, provider = any_trade.market.browser("admin"), any_trade.market.browser("provider-1")
        path = f"/v1/providers/{uid(9001)}"
        assert error(admin("DELETE", path, status=409))["code"] == "flocx.provider.in_use"
        provider("DELETE", f"/v1/offers/{uid(1)}")
        assert "under contract" in error(admin("DELETE", path, status=409))["detail"]
        contract = any_trade.market.browser("consumer-a").get("/v1/contracts").json["contracts"][0]
        any_trade.market.browser("consumer-a")("POST", f"/v1/contracts/{contract['uuid']}/cancel")
        for _ in range(2):
            admin("DELETE", path, status=204)
        admin.get(path, status=404)
        assert error(provider.get("/v1/allocations", status=403))["code"] == "flocx.provider.unregistered"

    def test_a_name_of_another_provider_is_refused(self, trade):
        trade.register(2)
        refused = trade.market.browser("provider-2")(
            "PATCH", f"/v1/providers/{uid(9002)}", {"name": "provider-1"}, status=409
        )
        assert error(refused)["code"] == "flocx.uuid.in_use"
