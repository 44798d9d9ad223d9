# SPDX-License-Identifier: Apache-2.0
"""Every route of both services is reached by a method of the SDK, as their served documents say."""

import re
from collections.abc import Iterator

import pytest

from flocx_client.market import MarketCalls
from flocx_client.provider import ProviderCalls
from tests.unit.client.routes import NAMED, ROUTES, answers, served

CLASSES = {"market": MarketCalls, "provider": ProviderCalls}
CASES = [
    pytest.param(service, route, id=f"{service} {' '.join(route)}") for service in ROUTES for route in ROUTES[service]
]


@pytest.fixture
def client(request, market, provider):
    return {"market": market, "provider": provider}


@pytest.mark.parametrize("service_name", ROUTES)
def test_every_served_route_has_a_method(service_name):
    assert set(ROUTES[service_name]) == set(served(service_name))


@pytest.mark.parametrize("service_name", ROUTES)
def test_every_method_is_for_a_route_or_finds_or_waits(service_name):
    kind = CLASSES[service_name]
    public = {name for name in dir(kind) if not name.startswith("_")}
    methods = {name for name, _, _ in ROUTES[service_name].values()}
    assert {name for name in public - methods if not name.startswith(("find_", "wait_for_"))} == set()
    assert methods <= public


@pytest.mark.parametrize(("service_name", "route"), CASES)
def test_the_method_of_a_route_asks_for_it_and_returns_what_it_answers_with(service, client, service_name, route):
    name, arguments, kind = ROUTES[service_name][route]
    method, path = route
    [(status, schema), *_] = served(service_name)[route]
    body = None if schema is None or "properties" not in schema else next(answers(schema))
    if path == "/v1/openapi.json":
        body = {"openapi": "3.1.0", "paths": {}}
    service.say(b"figures 1\n" if path == "/metrics" else body, status)

    returned = getattr(client[service_name], name)(**arguments)

    if isinstance(returned, Iterator):
        # Asked for when it is used; the sample of a link leads to no further page.
        returned = list(returned)
    elif isinstance(returned, tuple):
        returned = returned[0]
    assert service.asked() == (method, re.sub(r"\{\w+\}", NAMED, path))
    if kind is not None:
        found = returned if isinstance(returned, list) else [returned]
        assert [type(one) for one in found] == [kind]


def test_a_service_that_is_not_ready_says_what_fails_and_is_asked_once(service, market):
    service.say({"status": "not ready", "failing": ["database"]}, 503)
    readiness = market.get_readiness()
    assert (readiness.status, readiness.failing) == ("not ready", ["database"])
    assert len(service.requests) == 1


def test_a_service_is_alive_when_it_says_so(service, market):
    service.say({"status": "alive"})
    assert market.is_alive()


@pytest.mark.parametrize(("body", "status"), [({"status": "dying"}, 200), (b"<html>", 200), (b"", 502)])
def test_a_service_is_not_alive_when_something_else_answers(service, market, body, status):
    service.say(body, status)
    assert not market.is_alive()


def test_the_figures_are_text(service, market):
    service.say(b"figures 1\n")
    assert market.get_metrics() == "figures 1\n"
