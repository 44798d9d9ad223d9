# SPDX-License-Identifier: Apache-2.0
"""Lists of the market's API, and the client that reads them."""

import pytest

from flocx_client.errors import BadRequest, Conflict, NotFound, ServiceUnreachable, Unauthorized
from tests.builders import at, uid
from tests.harness import MARKET_URL


def error(response):
    return response.json["errors"][0]


class TestLists:
    def test_a_list_is_read_page_by_page(self, any_trade):
        uuids = [any_trade.bid(name=f"b{n}", limit_price=str(n % 3 + 1))["uuid"] for n in range(7)]
        client = any_trade.market.client("consumer-a")
        seen = [bid["uuid"] for bid in client.bids(limit=2, sort="limit_price:desc,name")]
        assert sorted(seen) == sorted(uuids)
        page = any_trade.market.browser("consumer-a").get("/v1/bids?limit=3&sort=name").json
        assert page["links"][0]["rel"] == "next"
        following = (
            any_trade.market.browser("consumer-a").get(page["links"][0]["href"].removeprefix("http://localhost")).json
        )
        assert [bid["name"] for bid in following["bids"]] == ["b3", "b4", "b5"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("name=b1", {"b1"}),
            ("name=in:b1,b2", {"b1", "b2"}),
            ("name=eq:b1", {"b1"}),
            ("limit_price=gt:1", {"b1", "b2"}),
            ("limit_price=gte:2&limit_price_=", None),
            ("quantity=lte:1", {"b0"}),
            ("status=in:matched,expired", set()),
            ("start_time=lt:2027-01-01T13:00:00Z", {"b0", "b1", "b2"}),
            ("project_id=consumer-a", {"b0", "b1", "b2"}),
            ("project_id=consumer-b", set()),
            ("duration=gt:0", set()),
        ],
    )
    def test_filters_keep_what_they_say(self, trade, query, expected):
        for number in range(3):
            trade.bid(name=f"b{number}", limit_price=str(number + 1), quantity=number + 1)
        response = trade.market.browser("consumer-a").get(f"/v1/bids?{query}", status="*")
        if expected is None:
            assert response.status_int == 400
        else:
            assert {bid["name"] for bid in response.json["bids"]} == expected

    @pytest.mark.parametrize(
        "query",
        ["limit=0", "limit=x", "limit=-1", "limit=1&limit=2", f"marker={uid(1)}", "marker=x", "sort=x", "sort=name:up",
         "quantity=x", "quantity=99999999999", "limit_price=x", "limit_price=in:1,x", "start_time=x", "uuid=x", "foo=1",
         "name=in:" + ",".join("x" * 101), "sort="],
    )  # fmt: skip
    def test_a_query_that_makes_no_sense_is_refused(self, trade, query):
        response = trade.market.browser("consumer-a").get(f"/v1/bids?{query}", status=400)
        assert error(response)["detail"]

    def test_a_limit_beyond_the_most_is_cut_to_it(self, trade):
        assert trade.market.browser("consumer-a").get("/v1/bids?limit=2147483647").status_int == 200

    def test_a_list_costs_the_same_number_of_statements_however_long_it_is(self, trade):
        import sqlalchemy as sa

        statements = []
        sa.event.listen(
            trade.market.store.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2])
        )

        def cost(path, user="consumer-a"):
            statements.clear()
            trade.market.browser(user).get(path)
            return len(statements)

        def fill(first, last):
            for number in range(first, last):
                trade.offer(number, properties={"n": number})
                trade.bid(offer_uuids=[uid(number)])
                trade.bid(limit_price="0.1")
            trade.market.round()

        fill(1, 3)
        paths = ["/v1/offers", "/v1/bids", "/v1/contracts", "/v1/events"]
        few = [cost(path) for path in paths] + [cost("/v1/allocations", "provider-1")]
        fill(3, 20)
        many = [cost(path) for path in paths] + [cost("/v1/allocations", "provider-1")]
        assert many == few


class TestClient:
    def test_refusals_are_told_by_their_code_field_and_request(self, trade):
        client = trade.market.client("consumer-a")
        with pytest.raises(NotFound) as refused:
            client.get_bid(uid(1))
        assert refused.value.code == "flocx.bid.not_found"
        assert refused.value.request_id.startswith("req-")
        with pytest.raises(BadRequest) as refused:
            client.create_bid(limit_price="x")
        assert refused.value.field == "limit_price"
        trade.bid(uuid=uid(1))
        with pytest.raises(Conflict):
            trade.market.client("consumer-b").create_bid(uuid=uid(1), limit_price="1")

    def test_wrong_credentials_are_told(self, market):
        session = market.session("consumer-a")
        session.auth.password = "wrong"
        from flocx_client.market import MarketClient

        with pytest.raises(Unauthorized):
            next(MarketClient(session, endpoint_override=MARKET_URL).bids(), None)

    def test_a_market_that_does_not_answer_is_told_with_its_place(self, market):
        client = market.client("consumer-a")
        market.adapter.down = True
        with pytest.raises(ServiceUnreachable, match=MARKET_URL):
            client.get_bid(uid(1))

    def test_every_call_of_the_client_reaches_its_route(self, trade):
        trade.offer()
        consumer, admin, provider = (trade.market.client(u) for u in ("consumer-a", "admin", "provider-1"))
        bid = consumer.create_bid(limit_price="0.5")
        assert consumer.update_bid(bid["uuid"], name="x")["name"] == "x"
        assert consumer.explain_bid(bid["uuid"])["steps"]
        assert consumer.dry_run_bid(limit_price="0.5")["steps"]
        consumer.delete_bid(bid["uuid"])
        assert consumer.get_offer(uid(1))["node_name"] == "n1"
        contract = trade.contract(start_time=at(1).isoformat())
        assert consumer.get_contract(contract["uuid"])["uuid"] == contract["uuid"]
        assert next(consumer.contracts())["uuid"] == contract["uuid"]
        changes, cursor = provider.allocation_changes()
        assert provider.report_allocation(changes[0]["uuid"], status="acknowledged")["status"] == "acknowledged"
        assert consumer.release_allocation(changes[0]["uuid"])["status"] == "released"
        assert provider.allocation_changes(since=cursor, wait=0.01, limit=5)[0]
        other = trade.contract(start_time=at(1).isoformat())
        assert consumer.cancel_contract(other["uuid"])["status"] == "cancelled"
        running = trade.contract()
        trade.report(running["allocations"][0], "active")
        assert consumer.terminate_contract(running["uuid"])["status"] == "terminated"
        assert consumer.events(limit=2)[0]
        assert next(admin.providers())["name"] == "provider-1"
        assert admin.get_provider(uid(9001))["uuid"] == uid(9001)
        assert provider.heartbeat(uid(9001))["silent"] is False
        assert admin.update_provider(uid(9001), turnaround=5)["turnaround"] == 5
        made = admin.create_provider(name="second", service_user_id="service")
        admin.delete_provider(made["uuid"])
        provider.delete_offer(uid(1))
        assert provider.put_offer(
            uid(2), owner_project_id="o", node_uuid=uid(5), properties={}, start_time=at(0).isoformat(), reserve_price=1
        )
