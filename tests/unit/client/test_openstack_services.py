# SPDX-License-Identifier: Apache-2.0
"""Where a connection of openstacksdk finds the two services, and with what it comes there."""

import json

import pytest
import requests
import webob
import yaml
from openstack.config import loader
from openstack.connection import Connection

from flocx_client import errors, market, openstack_services, provider
from flocx_common.testing.wsgi import WsgiAdapter
from tests.unit.documented import indented_blocks, page

KEYSTONE = "http://keystone.test"

# openstacksdk warns of its own parameter, which it gives itself with each request.
pytestmark = pytest.mark.filterwarnings("ignore:The 'service_type' parameter is unnecesary:PendingDeprecationWarning")


class Cloud(WsgiAdapter):
    """A Keystone with a catalog of two regions, and whatever else is asked, on every host."""

    def __init__(self, services=("baremetal-market", "baremetal-provider")):
        super().__init__(self._serve)
        self.services = services
        self.asked = []

    def _catalog(self):
        for service in ("identity", *self.services):
            yield {
                "id": service,
                "type": service,
                "name": service,
                "endpoints": [
                    {
                        "id": f"{service}-{interface}-{region}",
                        "interface": interface,
                        "region": region,
                        "region_id": region,
                        "url": KEYSTONE if service == "identity" else f"http://{service}.{interface}.{region}.test",
                    }
                    for interface in ("public", "internal")
                    for region in ("north", "south")
                ],
            }

    def _serve(self, environ, start_response):
        request = webob.Request(environ)
        response = webob.Response(content_type="application/json", charset="UTF-8")
        if request.host_url == KEYSTONE:
            version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": f"{KEYSTONE}/v3/"}]}
            body = {"version": version}
            if request.method == "POST":
                response.status = 201
                response.headers["X-Subject-Token"] = "a-token"
                domain = {"id": "default", "name": "Default"}
                body = {
                    "token": {
                        "methods": ["password"],
                        "issued_at": "2027-01-01T12:00:00.000000Z",
                        "expires_at": "2099-01-01T12:00:00.000000Z",
                        "user": {"id": "u-1", "name": "ann", "domain": domain},
                        "project": {"id": "p-1", "name": "ann's", "domain": domain},
                        "roles": [{"id": "r-1", "name": "member"}],
                        "catalog": list(self._catalog()),
                    }
                }
        else:
            self.asked.append(request)
            body = {"bids": [], "offers": [], "links": []}
        response.body = json.dumps(body).encode()
        return response(environ, start_response)


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
def connect(cloud, tmp_path):
    """Return a connection to the cloud, with what a test adds to its clouds.yaml."""
    made = []

    def connected(**more):
        entry = {
            "auth": {
                "auth_url": f"{KEYSTONE}/v3",
                "username": "ann",
                "password": "secret",
                "project_name": "ann's",
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": "north",
            "vendor_hook": "flocx_client.openstack_services:register",
        } | more
        path = tmp_path / "clouds.yaml"
        path.write_text(yaml.safe_dump({"clouds": {"mine": entry}}))
        files = {"config_files": [str(path)], "secure_files": [], "vendor_files": []}
        connection = Connection(config=loader.OpenStackConfig(load_envvars=False, **files).get_one("mine"))
        connection.session.session = requests.Session()
        connection.session.session.mount("http://", cloud)
        made.append(connection)
        return connection

    yield connected
    for connection in made:
        connection.close()


def ask_both(connection):
    list(connection.baremetal_market.bids())
    list(connection.baremetal_provider.offers())


@pytest.mark.parametrize(
    ("more", "hosts"),
    [
        ({}, ("baremetal-market.public.north.test", "baremetal-provider.public.north.test")),
        ({"region_name": "south"}, ("baremetal-market.public.south.test", "baremetal-provider.public.south.test")),
        ({"interface": "internal"}, ("baremetal-market.internal.north.test", "baremetal-provider.internal.north.test")),
        (
            {"baremetal_market_interface": "internal"},
            ("baremetal-market.internal.north.test", "baremetal-provider.public.north.test"),
        ),
        (
            {"baremetal_market_endpoint_override": "http://exchange.test"},
            ("exchange.test", "baremetal-provider.public.north.test"),
        ),
    ],
)
def test_the_services_are_found_where_the_catalog_and_the_configuration_say(cloud, connect, more, hosts):
    ask_both(connect(**more))
    assert tuple(request.host.partition(":")[0] for request in cloud.asked) == hosts
    assert [request.path for request in cloud.asked] == ["/v1/bids", "/v1/offers"], "nothing else is asked on the way"


@pytest.mark.parametrize(
    ("auth", "hosts"),
    [
        ("keystone", ("baremetal-market.public.north.test", "baremetal-provider.public.north.test")),
        ("http_basic", ("market.example.org", "provider.example.org")),
        ("auth_type: none", ("127.0.0.1", "127.0.0.1")),
    ],
)
def test_the_documented_ways_to_connect_lead_there(cloud, connect, auth, hosts):
    [block] = [one for one in indented_blocks(page("sdk"), "yaml") if auth in one]
    ask_both(connect(**yaml.safe_load(block.replace("https://keystone.example.org", KEYSTONE))["clouds"]["mine"]))
    assert tuple(request.host.partition(":")[0] for request in cloud.asked) == hosts


def test_a_request_comes_with_the_token_and_the_microversion(cloud, connect):
    ask_both(connect())
    assert [request.headers["X-Auth-Token"] for request in cloud.asked] == ["a-token"] * 2
    assert [request.headers["OpenStack-API-Version"] for request in cloud.asked] == [
        "baremetal-market 1.0",
        "baremetal-provider 1.0",
    ]


def test_a_connection_s_request_id_goes_along_with_every_request(cloud, connect):
    connection = connect().global_request("req-6f1c2b9e-4a14-4d24-9a4e-0f5e5c8f8d11")
    connection.session.session.mount("http://", cloud)
    ask_both(connection)
    sent = {request.headers["X-OpenStack-Request-Id"] for request in cloud.asked}
    assert sent == {"req-6f1c2b9e-4a14-4d24-9a4e-0f5e5c8f8d11"}


def test_a_service_that_the_catalog_does_not_have_is_named_when_it_is_used(cloud, connect):
    cloud.services = ("baremetal-provider",)
    connection = connect()
    assert list(connection.baremetal_provider.offers()) == []
    with pytest.raises(Exception, match="baremetal-market"):
        list(connection.baremetal_market.bids())


def test_a_service_that_does_not_answer_is_unreachable_and_named(cloud, connect):
    connection = connect()
    ask_both(connection)
    cloud.down = True
    with pytest.raises(errors.ServiceUnreachable, match="baremetal-market"):
        connection.baremetal_market.cancel_contract("c-1")


@pytest.mark.parametrize(
    ("proxy", "calls"),
    [
        (openstack_services.MarketProxy, market.MarketCalls),
        (openstack_services.ProviderProxy, provider.ProviderCalls),
    ],
)
def test_no_call_hides_one_of_an_ordinary_proxy(proxy, calls):
    ordinary = set(dir(openstack_services.proxy.Proxy))
    named = {name for kind in calls.__mro__[:-1] for name in vars(kind) if not name.startswith("__")}
    assert named & ordinary == set()
    assert all(getattr(proxy, name) is getattr(calls, name) for name in named - {"_service"})
