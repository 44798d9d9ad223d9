# SPDX-License-Identifier: Apache-2.0
"""The market's API as clients meet it."""

import json
import threading
import time

import pytest
from keystoneauth1 import adapter

from flocx_client.errors import BadRequest, Conflict, NotFound, ServiceUnreachable, Unauthorized
from flocx_common.domain.paging import cursor_text
from tests.builders import NOW, at, uid
from tests.harness import MARKET_URL


def error(response):
    return response.json["errors"][0]


class TestDiscovery:
    def test_the_root_and_version_one_need_no_token(self, market):
        nobody = market.browser(None)
        root = nobody.get("/").json
        assert root["versions"] == [root["default_version"]]
        assert root["default_version"]["links"][0]["href"] == "http://localhost/v1/"
        for path in ("/v1", "/v1/"):
            assert nobody.get(path).json["price_unit"] == "credits"

    def test_keystoneauth_finds_version_one_and_its_microversions(self, market):
        client = adapter.Adapter(
            market.session("consumer-a"), service_type="baremetal-market", endpoint_override=MARKET_URL
        )
        data = client.get_endpoint_data()
        assert data.api_version == (1, 0)
        assert data.min_microversion == (1, 0)
        assert data.max_microversion == (1, 0)
        assert data.url == "http://market.test/v1/"

    def test_links_use_the_configured_public_endpoint(self, tmp_path, sqlite_market, clock):
        from tests.harness import MarketHarness

        market = MarketHarness(
            tmp_path,
            sqlite_market.renew(),
            sqlite_market.url,
            clock,
            api={"public_endpoint": "https://x.example/market"},
        )
        root = market.browser(None).get("/").json
        assert root["versions"][0]["links"][0]["href"] == "https://x.example/market/v1/"


class TestMicroversions:
    def test_the_version_that_was_used_is_echoed(self, market):
        response = market.browser("consumer-a").get(
            "/v1/bids", headers={"OpenStack-API-Version": "baremetal-market 1.0"}
        )
        assert response.headers["OpenStack-API-Version"] == "baremetal-market 1.0"
        assert "OpenStack-API-Version" in response.headers["Vary"]

    @pytest.mark.parametrize(
        "header", ["baremetal-market latest", "", "compute 2.1", "compute 2.1, baremetal-market 1.0"]
    )
    def test_latest_none_and_other_services_versions_are_understood(self, market, header):
        assert market.browser("consumer-a").get("/v1/bids", headers={"OpenStack-API-Version": header}).status_int == 200

    @pytest.mark.parametrize("version", ["1.1", "2.0", "0.9", "x", "1", "1.x", "-1.0"])
    def test_an_unsupported_version_is_refused_with_what_is_supported(self, market, version):
        response = market.browser("consumer-a").get(
            "/v1/bids", headers={"OpenStack-API-Version": f"baremetal-market {version}"}, status=406
        )
        assert error(response)["min_version"] == error(response)["max_version"] == "1.0"
        assert response.headers["OpenStack-API-Version"] == "baremetal-market 1.0"


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nothing", 404, "flocx.request.not_found"),
            ("GET", "/v1/nothing", 404, "flocx.request.not_found"),
            ("GET", "/v1/bids/x/y/z", 404, "flocx.request.not_found"),
            ("GET", "/v1/bids/index", 404, "flocx.request.not_found"),
            ("GET", "/v1/_services", 404, "flocx.request.not_found"),
            ("GET", "/v1/bids/_services/store", 404, "flocx.request.not_found"),
            ("GET", "/v1/bids/__class__", 404, "flocx.request.not_found"),
            ("GET", "/v1/bids/list", 404, "flocx.bid.not_found"),
            ("GET", "/v1/bids/show", 404, "flocx.bid.not_found"),
            ("PUT", "/v1/bids", 405, "flocx.request.method_not_allowed"),
            ("POST", "/v1/bids?_method=DELETE", 400, "flocx.request.invalid"),
            ("GET", "/v1/bids/%FF", 400, "flocx.request.invalid"),
            ("GET", "/v1/bids/%00", 400, "flocx.request.invalid"),
            ("GET", "/v1/bids?name=%FF", 400, "flocx.request.invalid"),
            ("GET", "/v1/bids?name=%00", 400, "flocx.request.invalid"),
            ("GET", "/v1/bids/no-uuid", 404, "flocx.bid.not_found"),
            ("GET", "/v1/bids?" + "x" * 100 + "=1", 400, "flocx.request.invalid"),
        ],
    )
    def test_every_refusal_has_the_same_form(self, market, method, path, status, code):
        body = {"limit_price": 1} if method == "POST" else None
        response = market.browser("consumer-a")(method, path, body, status=status)
        assert response.content_type == "application/json"
        told = error(response)
        assert (told["status"], told["code"]) == (status, code)
        assert told["request_id"] == response.headers["X-OpenStack-Request-Id"]

    def test_a_method_that_is_not_allowed_names_those_that_are(self, market):
        assert market.browser("consumer-a")("PUT", "/v1/bids", {}, status=405).headers["Allow"] == "GET, POST"

    def test_without_credentials_the_client_is_told_how_to_authenticate(self, market):
        response = market.browser(None).get("/v1/bids", status=401)
        assert response.headers["WWW-Authenticate"].startswith("Basic ")
        assert error(response)["code"] == "flocx.auth.unauthenticated"

    @pytest.mark.parametrize("header", ["Basic x", "Basic eDp5", "Bearer x", "Basic", "Basic Y29uc3VtZXItYTp3cm9uZw=="])
    def test_bad_credentials_are_nobodys(self, market, header):
        response = market.browser(None).get("/v1/bids", headers={"Authorization": header}, status=401)
        assert error(response)["code"] == "flocx.auth.unauthenticated"

    def test_identity_headers_from_outside_are_ignored(self, market):
        forged = {
            "X-Identity-Status": "Confirmed",
            "X-User-Id": "x",
            "X-Project-Id": "p-consumer-a",
            "X-Roles": "admin,service",
            "X-Is-Admin-Project": "True",
            "OpenStack-System-Scope": "all",
        }
        market.browser(None).get("/v1/bids", headers=forged, status=401)
        assert market.browser("consumer-a").get("/v1/providers", headers=forged, status=403)

    def test_a_body_over_the_limit_is_413(self, market):
        response = market.browser("consumer-a")("POST", "/v1/bids", b"[" + b" " * 1048577 + b"]", status=413)
        assert error(response)["code"] == "flocx.request.too_large"

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            (b"", "JSON is expected"),
            (b"{", "JSON is expected"),
            (b"[]", "expected is object"),
            (b'"x"', "expected is object"),
            (b"\xff", "UTF-8 is expected"),
            (b'{"limit_price": NaN}', "NaN is no JSON number"),
            (b'{"limit_price": Infinity}', "Infinity is no JSON number"),
            (b'{"limit_price": 1e999}', "too large"),
            (b'{"limit_price": 1, "limit_price": 2}', "given twice"),
            (b'{"limit_price": 1, "name": "\\u0000"}', "NUL"),
            (b'{"limit_price": 1, "name": "\\ud800"}', "surrogate"),
            (b'{"limit_price": 1, "name": "a\\nb"}', "name"),
            (b'{"limit_price": ' + b"9" * 5000 + b"}", "JSON is expected"),
            (b'{"requirements": ' + b"[" * 3000 + b"]" * 3000 + b"}", "nests deeper"),
            (b'{"requirements": ' + b"[" * 100 + b"]" * 100 + b"}", "nests deeper"),
        ],
    )
    def test_a_body_that_is_no_such_object_is_refused(self, market, body, problem):
        response = market.browser("consumer-a")("POST", "/v1/bids", body, status=400)
        assert problem in json.dumps(response.json)

    def test_a_body_of_another_type_is_refused(self, market):
        response = market.browser("consumer-a")(
            "POST", "/v1/bids", b"a=b", status=400, headers={"Content-Type": "text/plain"}
        )
        assert error(response)["field"] == "Content-Type"

    @pytest.mark.parametrize(
        ("change", "field", "problem"),
        [
            ({"foo": 1}, "foo", "unknown or read-only"),
            ({"status": "matched"}, "status", "unknown or read-only"),
            ({"project_id": "x"}, "project_id", "unknown or read-only"),
            ({"limit_price": None}, "limit_price", "price"),
            ({"limit_price": "-1"}, "limit_price", "price"),
            ({"limit_price": "1.0000001"}, "limit_price", "price"),
            ({"limit_price": 1.0000001}, "limit_price", "digits"),
            ({"limit_price": True}, "limit_price", "price"),
            ({"limit_price": "1e3"}, "limit_price", "price"),
            ({"limit_price": 10**12}, "limit_price", "price"),
            ({"quantity": 0}, "quantity", "at least 1"),
            ({"quantity": 1.5}, "quantity", "integer"),
            ({"quantity": 2000}, "quantity", "at most 1000"),
            ({"quantity": 10**9}, "quantity", "at most"),
            ({"duration": 0}, "duration", "at least 1"),
            ({"end_time": None}, "end_time", "string"),
            ({"end_time": "soon"}, "end_time", "ISO 8601"),
            ({"end_time": "2027-01-01T20:00:00.5Z"}, "end_time", "whole seconds"),
            ({"end_time": "9999-01-01T00:00:00Z"}, "end_time", "years"),
            ({"end_time": "2020-01-01T00:00:00Z"}, "end_time", "not after"),
            ({"end_time": "2027-01-01T12:00:30Z"}, "end_time", "shortest"),
            ({"end_time": "2027-12-31T12:00:00Z"}, "end_time", "longest"),
            ({"start_time": "2029-01-01T12:00:00Z", "end_time": "2029-01-02T12:00:00Z"}, "start_time", "ahead"),
            ({"requirements": {}}, "requirements", "array"),
            ({"requirements": [["cpu[", "==", 1]]}, "requirements[0].expression", "ends too early"),
            ({"spread": {"by": "cpu[", "max": 1}}, "spread.by", "ends too early"),
            ({"spread": {"by": "rack"}}, "spread.max", "required"),
            ({"spread": {"by": "rack", "max": 0}}, "spread.max", "at least 1"),
            ({"together": {"by": "x" * 2000}}, "together.by", "at most 1024"),
            ({"offer_uuids": []}, "offer_uuids", "at least 1"),
            ({"offer_uuids": ["x"]}, "offer_uuids[0]", "UUID"),
            ({"uuid": "x"}, "uuid", "UUID"),
            ({"name": "x" * 256}, "name", "at most 255"),
            ({"name": "two\nlines"}, "name", "text on one line"),
            ({"name": "one line\n"}, "name", "text on one line"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_with_a_bid_is_named(self, trade, change, field, problem):
        body = {"limit_price": "2", "start_time": NOW.isoformat(), "end_time": at(10).isoformat()} | change
        refused = trade.market.browser("consumer-a")("POST", "/v1/bids", body, status=400).json["errors"]
        told = next(one for one in refused if one.get("field") == field)
        assert problem in told["detail"]
        assert field in told["detail"]
        assert trade.market.browser("consumer-a").get("/v1/bids").json["bids"] == []

    def test_several_things_wrong_are_all_told(self, trade):
        fields = {one["field"] for one in trade.bid(foo=1, quantity=0, name="", status=400)["errors"]}
        assert fields == {"foo", "quantity", "name"}

    def test_an_unforeseen_failure_is_told_without_its_cause_and_logged(self, trade, monkeypatch, caplog):
        def fail(*_args, **_kwargs):
            raise RuntimeError("secret inside")

        monkeypatch.setattr("flocx_market.services.bids.list_bids", fail)
        response = trade.market.browser("consumer-a").get("/v1/bids", status=500)
        assert error(response)["code"] == "flocx.service.internal_error"
        assert "secret inside" not in response.text
        assert "secret inside" in caplog.text


class TestRequestIds:
    def test_every_answer_has_one(self, market):
        for path in ("/", "/healthcheck", "/v1/bids", "/nothing"):
            response = market.browser(None).get(path, status="*")
            assert response.headers["X-OpenStack-Request-Id"].startswith("req-")

    def test_a_global_one_does_not_replace_it(self, market):
        given = "req-00000000-0000-4000-8000-000000000001"
        response = market.browser("consumer-a").get("/v1/bids", headers={"X-OpenStack-Request-Id": given})
        assert response.headers["X-OpenStack-Request-Id"] != given


class TestHealth:
    def test_it_is_alive_ready_and_counted_without_a_token(self, market):
        nobody = market.browser(None)
        assert nobody.get("/healthcheck").json == {"status": "alive"}
        assert nobody.get("/readyz").json == {"status": "ready", "failing": []}
        nobody.get("/v1/")
        assert 'flocx_api_requests_total{method="GET",operation="get_v1",status="200"}' in nobody.get("/metrics").text

    def test_it_is_not_ready_before_a_shutdown(self, market):
        market.readiness.stopping = True
        assert market.browser(None).get("/readyz", status=503).json["failing"] == ["stopping"]
        assert market.browser(None).get("/healthcheck").status_int == 200

    def test_it_is_not_ready_with_an_old_schema(self, tmp_path, database_url, clock):
        from flocx_common.db.engine import create_engine
        from flocx_common.db.transactions import Database
        from tests.harness import MarketHarness

        database = Database(create_engine(database_url))
        market = MarketHarness(tmp_path, database, database_url, clock)
        response = market.browser(None).get("/readyz", status=503)
        assert response.json["failing"] == ["database"]
        assert database_url not in response.text
        database.dispose()

    def test_head_is_get_without_a_body(self, market):
        for path in ("/healthcheck", "/v1/"):
            response = market.browser(None)("HEAD", path)
            assert (response.status_int, response.body) == (200, b"")


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


class TestContracts:
    def test_an_owner_sees_its_own_part(self, trade):
        trade.offer(1, owner_project_id="p-owner-a", reserve_price="1")
        trade.offer(2, owner_project_id="p-owner-b", reserve_price="2")
        contract = trade.contract(quantity=2)
        part = trade.show(contract, "owner-b")
        assert [a["node_name"] for a in part["allocations"]] == ["n2"]
        assert (part["quantity"], part["amount"], part["clearing_price"]) == (1, "20.000000", "2.000000")
        whole = trade.show(contract)
        assert (whole["quantity"], whole["amount"], whole["clearing_price"]) == (2, "30.000000", "1.500000")
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
            client.bid(uid(1))
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
            client.bid(uid(1))

    def test_every_call_of_the_client_reaches_its_route(self, trade):
        trade.offer()
        consumer, admin, provider = (trade.market.client(u) for u in ("consumer-a", "admin", "provider-1"))
        bid = consumer.create_bid(limit_price="0.5")
        assert consumer.update_bid(bid["uuid"], name="x")["name"] == "x"
        assert consumer.explain_bid(bid["uuid"])["steps"]
        assert consumer.explain(limit_price="0.5")["steps"]
        consumer.delete_bid(bid["uuid"])
        assert consumer.offer(uid(1))["node_name"] == "n1"
        contract = trade.contract(start_time=at(1).isoformat())
        assert consumer.contract(contract["uuid"])["uuid"] == contract["uuid"]
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
        assert admin.provider(uid(9001))["uuid"] == uid(9001)
        assert provider.heartbeat(uid(9001))["silent"] is False
        assert admin.update_provider(uid(9001), turnaround=5)["turnaround"] == 5
        made = admin.create_provider(name="second", service_user_id="service")
        admin.delete_provider(made["uuid"])
        provider.delete_offer(uid(1))
        assert provider.put_offer(
            uid(2), owner_project_id="o", node_uuid=uid(5), properties={}, start_time=at(0).isoformat(), reserve_price=1
        )


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
