# SPDX-License-Identifier: Apache-2.0
"""What every route of the market's API has: discovery, microversions, errors, request ids, health."""

import json

import pytest
from keystoneauth1 import adapter

from tests.builders import NOW, at
from tests.harness import MARKET_URL, MarketHarness


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
        assert data.max_microversion == (1, 1)
        assert data.url == "http://market.test/v1/"

    @pytest.mark.parametrize(("parsed", "scheme"), [("true", "https"), ("false", "http")])
    def test_behind_a_proxy_links_are_its_own_where_its_headers_are_to_be_believed(
        self, tmp_path, sqlite_market, clock, parsed, scheme
    ):
        market = MarketHarness(
            tmp_path,
            sqlite_market.renew(),
            sqlite_market.url,
            clock,
            oslo_middleware={"enable_proxy_headers_parsing": parsed},
        )
        root = market.browser(None).get("/", headers={"X-Forwarded-Proto": "https"}).json
        assert root["versions"][0]["links"][0]["href"].startswith(f"{scheme}://")

    def test_links_use_the_configured_public_endpoint(self, tmp_path, sqlite_market, clock):
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

    @pytest.mark.parametrize("version", ["1.2", "2.0", "0.9", "x", "1", "1.x", "-1.0"])
    def test_an_unsupported_version_is_refused_with_what_is_supported(self, market, version):
        response = market.browser("consumer-a").get(
            "/v1/bids", headers={"OpenStack-API-Version": f"baremetal-market {version}"}, status=406
        )
        assert (error(response)["min_version"], error(response)["max_version"]) == ("1.0", "1.1")
        assert response.headers["OpenStack-API-Version"] == "baremetal-market 1.0"

    @pytest.mark.parametrize("header", [{}, {"OpenStack-API-Version": "baremetal-market 1.0"}])
    @pytest.mark.parametrize(("method", "body"), [("POST", {}), ("POST", b"{"), ("GET", None), ("DELETE", None)])
    def test_what_is_newer_than_the_version_that_is_asked_for_is_not_there(self, market, header, method, body):
        response = market.browser("consumer-a")(method, "/v1/capacity", body, status=404, headers=header)
        assert error(response)["code"] == "flocx.request.not_found"
        assert error(response)["detail"] == "path: there is nothing at /v1/capacity"
        assert response.headers["OpenStack-API-Version"] == "baremetal-market 1.0"

    def test_what_is_newer_tells_nobody_without_credentials_of_itself(self, market):
        assert market.browser(None)("POST", "/v1/capacity", {}, status=401)

    def test_a_method_that_a_newer_route_does_not_have_is_told_with_those_it_has(self, market):
        newest = {"OpenStack-API-Version": "baremetal-market 1.1"}
        response = market.browser("consumer-a")("GET", "/v1/capacity", status=405, headers=newest)
        assert response.headers["Allow"] == "POST"

    def test_the_document_says_from_which_version_on_there_is_a_route(self, market):
        document = market.browser(None).get("/v1/openapi.json").json
        assert document["info"]["version"] == "1.1"
        [route] = [
            operation
            for path in document["paths"].values()
            for operation in path.values()
            if operation.get("x-openstack") is not None
        ]
        assert (route["operationId"], route["x-openstack"]) == ("post_v1_capacity", {"min-ver": "1.1"})


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
