# SPDX-License-Identifier: Apache-2.0
"""Placing, changing and explaining bids over the market's API."""

import threading

from tests.builders import at, uid


def error(response):
    return response.json["errors"][0]


class TestCreating:
    def test_a_repeated_request_returns_the_stored_bid(self, any_trade):
        first = any_trade.market.browser("consumer-a")(
            "POST", "/v1/bids", {"uuid": uid(1), "limit_price": "1.50"}, status=201
        )
        assert first.headers["Location"].endswith(f"/v1/bids/{uid(1)}")
        again = any_trade.market.browser("consumer-a")(
            "POST", "/v1/bids", {"uuid": uid(1), "limit_price": 1.5}, status=200
        )
        assert again.json == first.json
        assert any_trade.events("consumer-a") == ["bid.placed"]

    def test_a_uuid_with_another_body_or_of_another_project_is_refused(self, any_trade):
        any_trade.bid(uuid=uid(1))
        for user, change in (("consumer-a", {"quantity": 2}), ("consumer-b", {})):
            refused = any_trade.bid(user, uuid=uid(1), status=409, **change)
            assert refused["errors"][0]["code"] == "flocx.uuid.in_use"

    def test_racing_repeats_make_one_bid(self, any_trade):
        statuses = []

        def place():
            response = any_trade.market.browser("consumer-a")(
                "POST", "/v1/bids", {"uuid": uid(1), "limit_price": 1}, status="*"
            )
            statuses.append(response.status_int)

        threads = [threading.Thread(target=place) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(any_trade.market.browser("consumer-a").get("/v1/bids").json["bids"]) == 1
        assert statuses.count(201) == 1
        assert set(statuses) <= {200, 201, 409}

    def test_defaults_are_filled_in(self, trade):
        bid = trade.market.browser("consumer-a")("POST", "/v1/bids", {"limit_price": "1"}).json
        assert (bid["quantity"], bid["start_time"], bid["end_time"]) == (
            1,
            "2027-01-01T12:00:00Z",
            "2027-01-02T12:00:00Z",
        )
        assert bid["project_name"] == "consumer-a"
        assert bid["requirements"] == []

    def test_prices_and_times_come_out_in_one_form(self, trade):
        bid = trade.bid(limit_price=0.1, start_time="2027-01-01T13:00:00+01:00", end_time="2027-01-01T20:00:00")
        assert bid["limit_price"] == "0.100000"
        assert (bid["start_time"], bid["end_time"]) == ("2027-01-01T12:00:00Z", "2027-01-01T20:00:00Z")


class TestChanging:
    def test_an_open_bid_can_be_renamed_raised_and_prolonged(self, any_trade):
        placed = any_trade.bid()
        browser, path = any_trade.market.browser("consumer-a"), f"/v1/bids/{placed['uuid']}"
        any_trade.market.clock.advance(60)
        renamed = browser("PATCH", path, {"name": "x"}).json
        assert (renamed["name"], renamed["created_at"]) == ("x", "2027-01-01T12:00:00Z")
        cheaper = browser("PATCH", path, {"limit_price": "1"}).json
        assert cheaper["created_at"] == "2027-01-01T12:00:00Z"
        dearer = browser("PATCH", path, {"limit_price": "3"}).json
        assert (dearer["limit_price"], dearer["created_at"]) == ("3.000000", "2027-01-01T12:01:00Z")
        any_trade.market.clock.advance(60)
        assert browser("PATCH", path, {"end_time": at(11).isoformat()}).json["created_at"] == "2027-01-01T12:02:00Z"
        assert browser("PATCH", path, {"name": None}).json["name"] is None
        assert any_trade.events("consumer-a").count("bid.changed") == 5

    def test_a_change_that_changes_nothing_tells_nothing(self, trade):
        placed = trade.bid()
        trade.market.browser("consumer-a")("PATCH", f"/v1/bids/{placed['uuid']}", {"limit_price": "2"})
        assert trade.events("consumer-a") == ["bid.placed"]

    def test_a_matched_bid_can_be_neither_changed_nor_deleted(self, trade):
        trade.offer()
        contract = trade.contract()
        browser, path = trade.market.browser("consumer-a"), f"/v1/bids/{contract['bid_uuid']}"
        assert (
            error(browser("PATCH", path, {"limit_price": "3"}, status=409))["code"] == "flocx.status.transition_refused"
        )
        assert error(browser("DELETE", path, status=409))["code"] == "flocx.bid.matched"

    def test_deleting_twice_is_harmless(self, any_trade):
        path = f"/v1/bids/{any_trade.bid()['uuid']}"
        for _ in range(2):
            any_trade.market.browser("consumer-a")("DELETE", path, status=204)
        assert any_trade.events("consumer-a") == ["bid.placed", "bid.cancelled"]

    def test_if_match_protects_against_lost_updates(self, any_trade):
        placed = any_trade.bid()
        browser, path = any_trade.market.browser("consumer-a"), f"/v1/bids/{placed['uuid']}"
        seen = browser.get(path).headers["ETag"]
        changed = browser("PATCH", path, {"name": "x"}, headers={"If-Match": seen})
        assert changed.headers["ETag"] != seen
        refused = browser("PATCH", path, {"name": "y"}, headers={"If-Match": seen}, status=412)
        assert error(refused)["code"] == "flocx.request.precondition_failed"
        browser("PATCH", path, {"name": "z"}, headers={"If-Match": "*"})
        browser("DELETE", path, headers={"If-Match": '"999"'}, status=412)

    def test_of_racing_changes_none_is_lost(self, any_trade):
        placed = any_trade.bid()
        browser, path = any_trade.market.browser("consumer-a"), f"/v1/bids/{placed['uuid']}"
        outcomes = []

        def change(field, value):
            outcomes.append(browser("PATCH", path, {field: value}, status="*").status_int)

        threads = [
            threading.Thread(target=change, args=pair)
            for pair in (("name", "x"), ("limit_price", "7"), ("end_time", at(20).isoformat()))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert outcomes == [200, 200, 200]
        bid = browser.get(path).json
        assert (bid["name"], bid["limit_price"], bid["end_time"]) == ("x", "7.000000", "2027-01-02T08:00:00Z")


class TestExplaining:
    def test_an_open_bid_is_explained_the_moment_it_is_placed(self, any_trade):
        any_trade.offer()
        bid = any_trade.bid(requirements=[["local_gb", ">", 9000]])
        told = any_trade.market.browser("consumer-a").get(f"/v1/bids/{bid['uuid']}/explanation").json
        assert told["sentence"] == "The only offer in the window fails `local_gb > 9000` (largest: 1024)."
        assert told["nearest"] == {"change": {"requirements": [["local_gb", ">=", 1024]]}}

    def test_a_bid_that_the_next_round_serves_is_told_so(self, any_trade):
        any_trade.offer()
        bid = any_trade.bid()
        told = any_trade.market.browser("consumer-a").get(f"/v1/bids/{bid['uuid']}/explanation").json
        assert told["sentence"].startswith("It can be served now: 1 node")

    def test_what_a_better_bid_takes_is_not_counted_on(self, any_trade):
        any_trade.offer()
        any_trade.bid("consumer-b", limit_price="9")
        told = any_trade.market.browser("consumer-a")(
            "POST", "/v1/bids/explain", {"limit_price": "2", "end_time": at(10).isoformat()}
        ).json
        assert "taken in that time" in told["sentence"]
        assert told["nearest"] is None or "limit_price" not in told["nearest"]["change"]

    def test_a_dry_run_stores_nothing(self, trade):
        trade.offer()
        told = trade.market.browser("consumer-a")("POST", "/v1/bids/explain", {"limit_price": "2"}).json
        assert told["bid_uuid"] is None
        assert trade.market.browser("admin").get("/v1/bids").json["bids"] == []
        assert trade.market.round().matched == 0

    def test_a_closed_bid_says_what_it_is(self, trade):
        trade.offer()
        contract = trade.contract()
        told = trade.market.browser("consumer-a").get(f"/v1/bids/{contract['bid_uuid']}/explanation").json
        assert told["sentence"] == "It is not open: it is matched."

    def test_a_nearest_change_that_is_applied_matches_in_the_next_round(self, any_trade):
        any_trade.offer(reserve_price="2.5")
        bid = any_trade.bid(limit_price="2")
        browser = any_trade.market.browser("consumer-a")
        change = browser.get(f"/v1/bids/{bid['uuid']}/explanation").json["nearest"]["change"]
        assert change == {"limit_price": "2.500000"}
        browser("PATCH", f"/v1/bids/{bid['uuid']}", change)
        assert any_trade.market.round().matched == 1

    def test_restricted_offers_tell_nothing_of_their_hardware(self, trade):
        trade.offer(1, lessee_project_ids=["consumer-b"], properties={"secret_sauce": 42})
        told = trade.market.browser("consumer-a")(
            "POST", "/v1/bids/explain", {"limit_price": "2", "requirements": [["secret_sauce", ">", 100]]}
        )
        assert "42" not in told.text

    def test_whole_numbers_may_be_written_with_a_point(self, any_trade):
        for number in (1, 2):
            any_trade.offer(number, properties={"rack": "a"})
        asked = {"limit_price": "2", "quantity": 2.0, "duration": 3600.0, "spread": {"by": "rack", "max": 2.0}}
        told = any_trade.market.browser("consumer-a")("POST", "/v1/bids/explain", asked, status=200).json
        assert told["sentence"].startswith("It can be served now: 2 nodes")
        assert any_trade.market.browser("consumer-a")("POST", "/v1/bids", asked, status=201).json["quantity"] == 2
