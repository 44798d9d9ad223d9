# SPDX-License-Identifier: Apache-2.0
"""What commands say when they fail, with which status they end, and what they never say."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter

from tests.functional.cli.conftest import PROVIDER_URL
from tests.functional.cli.shell import openstack
from tests.harness import MARKET_URL

_SECRET = "quite-a-secret-word"


class _Saying(BaseAdapter):
    """Something that always says the same."""

    def __init__(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self._status, self._body = status, body
        self._headers = headers or {"Content-Type": "application/json"}

    def send(self, request: Any, **_options: Any) -> requests.Response:
        """Say it."""
        response = requests.Response()
        response.status_code = self._status
        response._content = self._body.encode()
        response.headers.update(self._headers)
        response.raw = urllib3.HTTPResponse(status=self._status)
        response.url, response.request = request.url, request
        return response

    def close(self) -> None:
        """Do nothing."""


class _Refusing(BaseAdapter):
    """Nobody listens."""

    def send(self, request: Any, **_options: Any) -> requests.Response:
        """Fail as a socket does."""
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except ConnectionRefusedError as error:
            raise requests.ConnectionError(error, request=request) from error

    def close(self) -> None:
        """Do nothing."""


class _Identity(_Saying):
    """An identity service with a catalog."""

    def __init__(self, catalog: dict[str, str]) -> None:
        services = [
            {"type": kind, "endpoints": [{"interface": "public", "region": "here", "region_id": "here", "url": url}]}
            for kind, url in catalog.items()
        ]
        token = {"token": {"catalog": services, "expires_at": "2999-01-01T00:00:00Z", "methods": ["password"]}}
        super().__init__(201, json.dumps(token), {"Content-Type": "application/json", "X-Subject-Token": _SECRET})


_KEYSTONE = "http://keystone.test"
_WITH_KEYSTONE = (
    "--os-auth-type v3password --os-username u --os-project-name p --os-user-domain-id default "
    f"--os-project-domain-id default --os-password {_SECRET} --os-auth-url {_KEYSTONE}/v3"
).split()


def _one_sentence(ended) -> str:
    [sentence] = ended.err.splitlines()
    assert ended.out == ""
    return sentence


def test_a_service_that_does_not_answer_is_named_with_where_its_endpoint_came_from(place, routes):
    routes[MARKET_URL] = _Refusing()
    ended = place.run("consumer-a", "bid list")
    assert ended.status == 6
    assert _one_sentence(ended) == (
        "the market at http://market.test does not answer: Connection refused; the endpoint was taken from "
        "baremetal_market_endpoint_override of the cloud 'consumer-a' in clouds.yaml; check that the service runs, and "
        "the address; --os-baremetal-market-endpoint-override names another"
    )


def test_attempts_to_reach_a_service_are_told_with_debug_alone(place, routes):
    routes[MARKET_URL] = _Refusing()
    place.configure(connect_retries=1, connect_retry_delay=0)
    assert "does not answer" in _one_sentence(place.run("consumer-a", "bid list"))
    assert "Retrying in" in openstack("--debug", "--os-cloud", "consumer-a", "flocx", "bid", "list").err


def test_the_provider_is_told_from_the_market(place, routes):
    routes[PROVIDER_URL] = _Refusing()
    assert place.run("owner-a", "node list").err.startswith(f"the provider at {PROVIDER_URL} does not answer")


def test_an_endpoint_of_an_option_is_said_to_be_one(place, routes):
    routes["http://elsewhere.test"] = _Refusing()
    place.configure()
    option = "--os-baremetal-market-endpoint-override"
    ended = openstack("--os-cloud", "consumer-a", option, "http://u:p@elsewhere.test", "flocx", "bid", "list")
    assert ended.status == 6
    assert "the market at http://elsewhere.test does not answer" in ended.err
    assert f"taken from the option {option}" in ended.err
    assert "u:p" not in ended.err


def test_an_endpoint_of_the_environment_is_said_to_be_one(place, routes, monkeypatch):
    routes["http://elsewhere.test"] = _Refusing()
    monkeypatch.setenv("OS_BAREMETAL_MARKET_ENDPOINT_OVERRIDE", "http://elsewhere.test")
    ended = place.run("consumer-a", "bid list")
    assert "the market at http://elsewhere.test does not answer" in ended.err
    assert "taken from the environment variable OS_BAREMETAL_MARKET_ENDPOINT_OVERRIDE" in ended.err


def test_an_endpoint_of_the_auth_type_is_said_to_be_one(place, routes):
    routes["http://elsewhere.test"] = _Refusing()
    place.configure(
        auth_type="none",
        auth={"endpoint": "http://elsewhere.test"},
        baremetal_market_endpoint_override=None,
        baremetal_provider_endpoint_override=None,
    )
    ended = place.run("consumer-a", "bid list")
    assert ended.status == 6
    assert "the market at http://elsewhere.test does not answer" in ended.err
    assert "taken from the endpoint of the auth type none" in ended.err


@pytest.fixture
def hooked(place, tmp_path, monkeypatch) -> str:
    """A cloud without settings of our services."""
    (tmp_path / "clouds.yaml").write_text(
        "clouds: {bare: {vendor_hook: 'tests.functional.cli.routing:mount', connect_retries: 0, region_name: here}}"
    )
    return "bare"


def test_an_endpoint_of_the_catalog_is_said_to_be_one(hooked, routes):
    routes[_KEYSTONE] = _Identity({"baremetal-market": MARKET_URL})
    routes[MARKET_URL] = _Refusing()
    ended = openstack("--os-cloud", hooked, *_WITH_KEYSTONE, "flocx", "bid", "list")
    assert ended.status == 6
    assert "the market at http://market.test does not answer" in ended.err
    assert "taken from the catalog of the identity service" in ended.err


def test_a_catalog_without_the_service_says_what_to_name(hooked, routes):
    routes[_KEYSTONE] = _Identity({"compute": "http://nova.test"})
    ended = openstack("--os-cloud", hooked, *_WITH_KEYSTONE, "flocx", "bid", "list")
    assert ended.status == 6
    assert "has no endpoint of baremetal-market" in ended.err
    assert "--os-baremetal-market-endpoint-override" in ended.err


def test_an_identity_service_that_does_not_answer_is_named(hooked, routes):
    routes[_KEYSTONE] = _Refusing()
    ended = openstack("--os-cloud", hooked, *_WITH_KEYSTONE, "flocx", "bid", "list")
    assert ended.status == 6
    assert "the identity service at http://keystone.test/v3 does not answer: Connection refused" in _one_sentence(ended)
    assert "the option --os-auth-url" in ended.err


def test_an_identity_service_that_knows_no_such_user_refuses(hooked, routes):
    routes[_KEYSTONE] = _Saying(401, '{"error": {"message": "no"}}')
    ended = openstack("--os-cloud", hooked, *_WITH_KEYSTONE, "flocx", "bid", "list")
    assert ended.status == 4
    assert _one_sentence(ended) == "the identity service at http://keystone.test/v3 does not accept the credentials"


def test_missing_credentials_are_a_mistake_of_the_command_line(hooked):
    ended = openstack("--os-cloud", hooked, "flocx", "bid", "list")
    assert ended.status == 2
    assert "auth" in _one_sentence(ended).lower()


def test_something_else_than_the_service_is_told_apart(place, routes):
    routes[MARKET_URL] = _Saying(200, "<html>Welcome</html>")
    ended = place.run("consumer-a", "bid list")
    assert ended.status == 6
    assert "the market at http://market.test does not answer, but something else does" in _one_sentence(ended)
    routes[MARKET_URL] = _Saying(200, "{}")
    assert "an answer without bids" in place.run("consumer-a", "bid list").err


def test_a_service_that_fails_is_told_apart_from_one_that_refuses(place, routes):
    error = {"status": 503, "code": "flocx.service.unavailable", "detail": "the database does not answer"}
    routes[MARKET_URL] = _Saying(503, json.dumps({"errors": [{**error, "request_id": "req-1"}]}))
    ended = place.run("consumer-a", "bid list")
    assert ended.status == 6
    assert _one_sentence(ended) == (
        "the database does not answer (flocx.service.unavailable); in the service's log it is request req-1"
    )


def test_wrong_credentials_are_refused(place):
    ended = openstack("--os-cloud", "consumer-a", "--os-password", "wrong", "flocx", "bid", "list")
    assert ended.status == 4
    assert "flocx.auth.unauthenticated" in _one_sentence(ended)


def test_a_price_is_shown_without_its_unit_where_the_market_does_not_answer(place, routes):
    place.offer("n1")
    routes[MARKET_URL] = _Refusing()
    assert "| 1.50/h " in place.done("owner-a", "offer list --own").out


def test_a_token_and_its_password_never_appear(place, hooked, routes):
    routes[_KEYSTONE] = _Identity({"baremetal-market": MARKET_URL})
    with_token = openstack("--debug", "--os-cloud", hooked, *_WITH_KEYSTONE, "flocx", "bid", "list")
    assert 'GET "http://market.test/v1/bids' in with_token.err
    assert _SECRET not in with_token.err + with_token.out


@pytest.mark.parametrize("password", [["--os-password", _SECRET], [f"--os-password={_SECRET}"]])
@pytest.mark.parametrize("more", [[], ["--os-username", "consumer-a"]])
def test_a_password_never_appears(place, password, more):
    ended = openstack("--debug", "--os-cloud", "consumer-a", *password, *more, "flocx", "bid", "list")
    assert ended.status == 4
    assert "START with options: " in ended.err
    assert 'GET "http://market.test/v1/bids' in ended.err
    assert _SECRET not in ended.err + ended.out
    assert base64.b64encode(f"consumer-a:{_SECRET}".encode()).decode() not in ended.err


def test_debug_shows_where_it_went_wrong_and_nothing_else_does(place):
    assert "Traceback" in openstack("--debug", "--os-cloud", "consumer-a", "flocx", "bid", "show", "x").err
    assert "Traceback" not in place.run("consumer-a", "bid show x").err
