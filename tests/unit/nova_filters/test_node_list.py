# SPDX-License-Identifier: Apache-2.0
"""Reading all nodes of Ironic: page by page, in time, and without a word about credentials."""

import socket

import pytest
import requests
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from oslo_config import cfg

from flocx_common.domain.holders import Holders, NodeAttributes
from flocx_common.testing.wsgi import WsgiAdapter
from nova_filters import conf as filter_conf
from nova_filters.lookup import LookUpFailed
from nova_filters.node_list import IronicNodeList, connect
from tests.builders import uid
from tests.fake_ironic_list import FakeIronic


class Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ironic():
    return FakeIronic()


@pytest.fixture
def wire(ironic):
    return WsgiAdapter(ironic)


@pytest.fixture
def read(wire, clock):
    def read(*, endpoint="http://ironic.test", attributes=None, timeout=20):
        http = requests.Session()
        http.mount("http://", wire)
        session = Session(auth=Token(endpoint, "a-secret-token"), session=http)
        nodes = IronicNodeList(
            lambda: Adapter(session, service_type="baremetal"), attributes or NodeAttributes(), timeout, clock
        )
        return nodes.read()

    return read


def node(n, owner=None, lessee=None, **properties):
    return {"uuid": uid(n), "owner": owner, "lessee": lessee, "properties": properties, "name": f"node-{n}"}


def add(ironic, *nodes):
    ironic.nodes |= {one["uuid"]: one for one in nodes}


def test_owner_and_lessee_are_read_where_the_operator_keeps_them(ironic, read):
    add(ironic, node(1, owner="a", project_id="c"), node(2, project_owner_id="b"), node(3, owner="a", lessee="x"))
    assert read() == {
        uid(1): Holders("a", "c", None),
        uid(2): Holders("b", None, None),
        uid(3): Holders("a", "x", None),
    }
    fields = read(attributes=NodeAttributes(owner="owner", lessee="lessee"))
    assert fields[uid(1)] == Holders("a", None, None)


def test_one_request_asks_for_a_page_of_what_is_needed_and_no_more(ironic, read):
    add(ironic, *(node(n) for n in range(1000)))
    assert len(read()) == 1000
    assert ironic.requests == [
        {
            "fields": "uuid,owner,lessee,properties",
            "limit": "1000",
            "path": "/v1/nodes",
            "version": "1.65",
            "token": "a-secret-token",
        }
    ]


def test_pages_are_followed_to_the_end_and_never_elsewhere(ironic, read):
    add(ironic, *(node(n) for n in range(25)))
    ironic.most = 10
    assert list(read()) == [uid(n) for n in range(25)]
    assert [one.get("marker") for one in ironic.requests] == [None, uid(9), uid(19)]


@pytest.mark.parametrize("endpoint", ["http://ironic.test/", "http://ironic.test/v1", "http://ironic.test/v1/"])
def test_an_endpoint_may_have_a_version_or_not(ironic, read, endpoint):
    add(ironic, node(1))
    read(endpoint=endpoint)
    assert ironic.requests[0]["path"] == "/v1/nodes"


def test_an_endpoint_below_a_path_is_kept(ironic, read):
    add(ironic, node(1))
    read(endpoint="http://cloud.test/baremetal")
    assert ironic.requests[0]["path"] == "/baremetal/v1/nodes"


def test_pages_that_never_end_are_no_answer(ironic, read):
    ironic.body = b'{"nodes": [{"uuid": "x"}], "next": "http://ironic.test/v1/nodes?marker=x"}'
    with pytest.raises(LookUpFailed, match="do not come to an end"):
        read()
    assert len(ironic.requests) == 2


def test_all_pages_together_have_one_time(ironic, read, clock):
    add(ironic, *(node(n) for n in range(30)))
    ironic.most = 10

    def slow():
        clock.time += 11

    ironic.meanwhile = slow
    with pytest.raises(LookUpFailed, match=r"lookup_timeout \(20 s\)"):
        read(timeout=20)
    assert len(ironic.requests) == 2


def test_a_list_of_nothing_is_a_lack_of_rights_and_no_answer(read):
    with pytest.raises(LookUpFailed, match="rights"):
        read()


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "406 No", "500 Oh", "503 No", "302 Found"])
def test_another_status_is_told_and_not_followed(ironic, read, status):
    add(ironic, node(1))
    ironic.status = status
    with pytest.raises(LookUpFailed, match=status[:3]):
        read()


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b"null", b'{"nodes": {}}', b'{"nodes": [1]}', b'{"nodes": [{"uuid": 7}]}']
)
def test_what_is_not_ironic_is_told_from_it(ironic, read, body):
    ironic.body = body
    with pytest.raises(LookUpFailed, match="does not answer as Ironic would"):
        read()


def test_nothing_there_is_told_alike_each_time(wire, read):
    wire.down = True
    texts = set()
    for _ in range(2):
        with pytest.raises(LookUpFailed, match="cannot be reached") as failed:
            read()
        texts.add(str(failed.value))
    assert len(texts) == 1
    assert "secret" not in texts.pop()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (requests.exceptions.ConnectTimeout("<object at 0x1>"), "cannot be reached, or does not answer in time"),
        (requests.exceptions.ReadTimeout("<object at 0x2>"), "cannot be reached, or does not answer in time"),
        (requests.exceptions.ConnectionError("<object at 0x3>"), "cannot be reached, or does not answer in time"),
        (requests.exceptions.ChunkedEncodingError("<object at 0x4>"), "cannot be reached, or does not answer in time"),
        (requests.exceptions.SSLError("<object at 0x5>"), "TLS"),
    ],
)
def test_what_breaks_on_the_way_is_told_in_the_same_words_each_time(read, wire, broken, words):
    def fail(*_, **__):
        raise broken

    wire.send = fail
    with pytest.raises(LookUpFailed, match=words) as failed:
        read()
    assert "0x" not in str(failed.value)


def configured(**options):
    """The options of the filter and of Nova's section for Ironic, with values by group."""
    conf = cfg.ConfigOpts()
    filter_conf.register(conf)
    from keystoneauth1 import loading

    loading.register_auth_conf_options(conf, "ironic")
    loading.register_session_conf_options(conf, "ironic")
    loading.register_adapter_conf_options(conf, "ironic")
    conf.set_default("service_type", "baremetal", group="ironic")
    conf([])
    for group, values in options.items():
        loader = loading.get_plugin_loader(values.get("auth_type", "admin_token"))
        conf.register_opts([one._to_oslo_opt() for one in loader.get_options()], group=group)
        for name, value in values.items():
            conf.set_override(name, value, group=group)
    return conf


NOVAS = {"auth_type": "admin_token", "endpoint": "http://nova-says.test", "token": "nova-token"}
OWN = {"auth_type": "admin_token", "endpoint": "http://filter-says.test", "token": "own-token"}


def test_novas_credentials_for_ironic_are_used_where_there_are_no_others():
    assert connect(configured(ironic=NOVAS), 7).get_endpoint() == "http://nova-says.test"


def test_credentials_of_the_filters_own_go_first():
    adapter = connect(configured(ironic=NOVAS, flocx_filter=OWN), 7)
    assert adapter.get_endpoint() == "http://filter-says.test"
    assert adapter.session.timeout == 7


def test_missing_credentials_name_the_option():
    with pytest.raises(LookUpFailed, match=r"\[ironic\] auth_type"):
        connect(configured(), 7)


def test_an_unknown_kind_of_credentials_is_told_by_its_name():
    conf = configured()
    conf.set_override("auth_type", "pasword", group="ironic")
    with pytest.raises(LookUpFailed, match=r"\[ironic\].*cannot be used.*pasword"):
        connect(conf, 7)


def test_credentials_that_lack_something_are_told_by_what_it_is():
    conf = configured(ironic={"auth_type": "v3password", "username": "u", "password": "hunter2"})
    with pytest.raises(LookUpFailed, match=r"\[ironic\].*user_domain_id") as failed:
        connect(conf, 7)
    assert "hunter2" not in str(failed.value)


def test_a_port_where_nobody_listens_is_told_in_a_line():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    password = {"auth_type": "v3password", "auth_url": url, "username": "u", "password": "hunter2"}
    password["user_domain_id"] = "default"
    nodes = IronicNodeList(lambda: connect(configured(ironic=password), 5), NodeAttributes(), 5)
    with pytest.raises(LookUpFailed, match="cannot be reached") as failed:
        nodes.read()
    assert "hunter2" not in str(failed.value)
