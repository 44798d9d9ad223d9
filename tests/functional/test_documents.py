# SPDX-License-Identifier: Apache-2.0
"""The served OpenAPI documents against the services that serve them: requests nobody thought of."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.auth import _basic_auth_str
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from flocx_market.api.controllers.root import RootController as MarketRoot
from flocx_provider.api.controllers.root import RootController as ProviderRoot
from tests.builders import at, uid
from tests.functional.market.conftest import Trade
from tests.functional.rbac_tables import served
from tests.harness import ProviderHarness

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def routes(root):
    """Return the (method, path) of every route at or below a root controller."""
    return [(one.method, one.path) for one in served(root)] + [
        ("GET", path) for path in ("/healthcheck", "/readyz", "/metrics")
    ]


#: Every route is there in the newest microversion of its service.
NEWEST = {"OpenStack-API-Version": "baremetal-market latest, baremetal-provider latest"}

_TIMES = {
    "start_time": [at(hour).isoformat() for hour in (0, 5, 12)],
    "end_time": [at(hour).isoformat() for hour in (6, 12, 40)],
}


class Fuzzed:
    """An application with things in it: who sends requests, and what there is to name, by field."""

    def __init__(self, app, users, known):
        self.app = app
        self.users = users
        self.known = known


@pytest.fixture
def fuzzed_market(market):
    trade = Trade(market)
    trade.register(1)
    trade.register(2)
    for number in range(1, 5):
        trade.offer(number, properties={"cpus": 8 * number, "rack": f"r{number % 2}"})
    made = [trade.contract(quantity=1) for _ in range(2)]
    later = trade.contract("consumer-b", start_time=at(20).isoformat(), end_time=at(30).isoformat())
    trade.report(made[0]["allocations"][0], "acknowledged")
    trade.report(made[0]["allocations"][0], "active")
    placed = [trade.bid(limit_price="0.1"), trade.bid("consumer-b", limit_price="0.1")]
    known = {
        "bid_uuid": [bid["uuid"] for bid in placed],
        "contract_uuid": [contract["uuid"] for contract in (*made, later)],
        "allocation_uuid": [contract["allocations"][0]["uuid"] for contract in (*made, later)],
        "offer_uuid": [uid(1), uid(2)],
        "provider_uuid": [uid(9001), uid(9002)],
        "node_uuid": [uid(1001), uid(1077)],
        **_TIMES,
    }
    return Fuzzed(market.app, ("admin", "consumer-a", "provider-1", "owner-a", "provider-1"), known)


@pytest.fixture
def fuzzed_provider(tmp_path, market, sqlite_provider, clock):
    machines = [
        {"uuid": uid(1000 + n), "name": f"n{n}", "owner": "owner-a" if n % 2 else "owner-b", "cpus": n}
        for n in range(6)
    ]
    provider = ProviderHarness(
        tmp_path,
        sqlite_provider.renew(),
        sqlite_provider.url,
        clock,
        market,
        machines,
        static={"uuid_expression": "uuid", "name_expression": "name", "owner_expression": "owner"},
    )
    provider.beat()
    body = {"node_uuid": "n1", "reserve_price": "1"}
    offer = provider.browser("owner-a")("POST", "/v1/offers", body).json
    provider.publish()
    Trade(market).bid()
    market.round()
    provider.work()
    contract = provider.browser("owner-a").get("/v1/contracts").json["contracts"][0]
    known = {
        "offer_uuid": [offer["uuid"]],
        "contract_uuid": [contract["uuid"]],
        "node": ["n1", "n2", uid(1003)],
        "node_uuid": ["n1", "n3", uid(1005)],
        **_TIMES,
    }
    return Fuzzed(provider.app, ("admin", "owner-a", "consumer-a", "owner-b", "consumer-b"), known)


def requests_to(fuzzed, method, path):
    """Return a strategy for requests to a route, in which what is named often exists."""
    loaded = schemathesis.openapi.from_wsgi("/v1/openapi.json", fuzzed.app)
    cases = loaded[path][method].as_strategy()

    def realistic(case, names):
        for name, value in names.items():
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = value
            if isinstance(case.body, dict) and name in case.body:
                case.body[name] = value
        return case

    known = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in fuzzed.known.items()})
    return st.builds(realistic, cases, known | st.just({}))


def send_many(fuzzed, method, path):
    """Send requests to a route, of all kinds of users; what they do adds up, as it does in life."""

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=requests_to(fuzzed, method, path), user=st.sampled_from(fuzzed.users))
    def send(case, user):
        response = case.call(headers={"Authorization": _basic_auth_str(user, user), **NEWEST})
        case.validate_response(response, checks=CHECKS)
        assert response.status_code < 500
        if response.status_code >= 400:
            assert response.json()["errors"][0]["status"] == response.status_code

    send()


@pytest.mark.parametrize(("method", "path"), routes(MarketRoot))
def test_no_request_makes_the_market_fail_or_answer_what_is_not_documented(fuzzed_market, method, path):
    send_many(fuzzed_market, method, path)


@pytest.mark.parametrize(("method", "path"), routes(ProviderRoot))
def test_no_request_makes_the_provider_fail_or_answer_what_is_not_documented(fuzzed_provider, method, path):
    send_many(fuzzed_provider, method, path)
