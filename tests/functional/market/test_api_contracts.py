# SPDX-License-Identifier: Apache-2.0
"""Contracts and allocations over the market's API, and waiting for their changes."""

import threading
import time

import pytest

from flocx_common.domain.paging import cursor_text


def error(response):
    return response.json["errors"][0]


class TestContracts:
    def test_an_owner_sees_its_own_part(self, trade):
        trade.offer(1, owner_project_id="p-owner-a", reserve_price="1")
        trade.offer(2, owner_project_id="p-owner-b", reserve_price="2")
        contract = trade.contract(quantity=2)
        part = trade.show(contract, "owner-b")
        assert [a["node_name"] for a in part["allocations"]] == ["n2"]
        assert (part["quantity"], part["amount"], part["clearing_price"]) == (1, "20.000000", "2.000000")
        whole = trade.show(contract)
        assert (whole["quantity"], whole["amount"], whole["clearing_price"]) == (2, "40.000000", "2.000000")
        assert whole["lessee_project_name"] == "consumer-a"
        listed = trade.market.browser("owner-b").get("/v1/contracts").json["contracts"]
        assert listed == [part]

    def test_cancelling_and_terminating_are_harmless_to_repeat(self, trade):
        trade.offer(1)
        trade.offer(2)
        browser = trade.market.browser("consumer-a")
        first = trade.contract()
        for _ in range(2):
            assert browser("POST", f"/v1/contracts/{first['uuid']}/cancel").json["status"] == "cancelled"
        second = trade.contract()
        trade.report(second["allocations"][0], "active")
        for _ in range(2):
            assert browser("POST", f"/v1/contracts/{second['uuid']}/terminate").json["status"] == "terminated"
        assert (
            error(browser("POST", f"/v1/contracts/{second['uuid']}/cancel", status=409))["code"]
            == "flocx.status.transition_refused"
        )

    def test_a_lessee_gives_single_nodes_back(self, trade):
        trade.offer(1)
        trade.offer(2)
        contract = trade.contract(quantity=2)
        for allocation in contract["allocations"]:
            trade.report(allocation, "active")
        trade.market.clock.advance(3600)
        given = contract["allocations"][0]
        for _ in range(2):
            trade.market.browser("consumer-a")("POST", f"/v1/allocations/{given['uuid']}/release")
        shown = trade.show(contract)
        assert (shown["quantity"], shown["amount"]) == (1, "16.500000")


class TestAllocations:
    @pytest.fixture
    def contract(self, trade):
        trade.offer()
        return trade.contract()

    def test_a_provider_reads_what_concerns_it_and_goes_on_from_there(self, trade, contract):
        browser = trade.market.browser("provider-1")
        first = browser.get("/v1/allocations").json
        assert [a["uuid"] for a in first["allocations"]] == [contract["allocations"][0]["uuid"]]
        assert first["allocations"][0]["contract"]["lessee_project_id"] == "p-consumer-a"
        assert browser.get(f"/v1/allocations?since={first['next_since']}").json["allocations"] == []
        trade.report(contract["allocations"][0], "acknowledged")
        again = browser.get(f"/v1/allocations?since={first['next_since']}").json
        assert [a["status"] for a in again["allocations"]] == ["acknowledged"]

    def test_reports_are_harmless_to_repeat(self, trade, contract):
        one = contract["allocations"][0]
        for status in ("acknowledged", "acknowledged", "active", "active", "acknowledged"):
            trade.report(one, status)
        assert trade.show(contract)["status"] == "active"

    def test_a_report_that_cannot_be_is_refused(self, trade, contract):
        one = contract["allocations"][0]
        assert trade.report(one, "released", expect=409)["errors"][0]["code"] == "flocx.status.transition_refused"
        trade.report(one, "active")
        assert trade.report(one, "released", expect=409)["errors"][0]["code"] == "flocx.allocation.still_running"
        assert trade.report(one, "active", breach=True, expect=400)["errors"][0]["field"] == "breach"

    @pytest.mark.parametrize("since", ["x", cursor_text(10**6), ""])
    def test_a_cursor_this_market_never_gave_out_is_refused(self, trade, since):
        for path in ("allocations", "events"):
            user = "provider-1" if path == "allocations" else "consumer-a"
            response = trade.market.browser(user).get(f"/v1/{path}?since={since}", status=400)
            assert error(response)["code"] == "flocx.cursor.invalid"


class TestWaiting:
    def test_a_wait_ends_when_something_happens(self, trade):
        trade.offer()
        browser = trade.market.browser("provider-1")
        since = browser.get("/v1/allocations").json["next_since"]
        found = []

        def wait():
            found.append(browser.get(f"/v1/allocations?since={since}&wait=20").json)

        thread = threading.Thread(target=wait)
        thread.start()
        trade.contract()
        thread.join(30)
        assert [a["status"] for a in found[0]["allocations"]] == ["created"]

    def test_a_wait_without_anything_ends_by_itself(self, trade):
        response = trade.market.browser("consumer-a").get("/v1/events?wait=0.05")
        assert response.json["events"] == []
        assert "Retry-After" not in response.headers

    def test_others_changes_do_not_end_it(self, trade):
        since = trade.market.browser("consumer-b").get("/v1/events?since=latest").json["next_since"]
        found = []

        def wait():
            found.append(trade.market.browser("consumer-b").get(f"/v1/events?since={since}&wait=0.5").json["events"])

        thread = threading.Thread(target=wait)
        thread.start()
        trade.bid("consumer-a")
        thread.join(30)
        assert found == [[]]

    def test_only_so_many_may_wait_and_the_rest_is_answered_at_once(self, tmp_path, sqlite_market, clock):
        from tests.harness import MarketHarness

        market = MarketHarness(tmp_path, sqlite_market.renew(), sqlite_market.url, clock, api={"max_long_polls": 2})
        browser = market.browser("consumer-a")

        def wait():
            while browser.get("/v1/events?wait=10").headers.get("Retry-After"):
                pass

        threads = [threading.Thread(target=wait) for _ in range(2)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            response = browser.get("/v1/events?wait=0.01")
            if response.headers.get("Retry-After") == "1":
                break
        assert response.headers["Retry-After"] == "1"
        browser("POST", "/v1/bids", {"limit_price": 1})
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()

    def test_latest_starts_from_now(self, trade):
        trade.bid()
        browser = trade.market.browser("consumer-a")
        latest = browser.get("/v1/events?since=latest&wait=5").json
        assert latest["events"] == []
        trade.bid()
        assert len(browser.get(f"/v1/events?since={latest['next_since']}").json["events"]) == 1
