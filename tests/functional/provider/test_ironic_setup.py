# SPDX-License-Identifier: Apache-2.0
"""The Ironic driver out of a configuration file, on an Ironic without Keystone behind a port of loopback."""

from __future__ import annotations

import pytest

from flocx_common.api.server import Server
from flocx_common.domain.errors import ConfigurationInvalid
from flocx_provider import bootstrap
from tests.builders import uid
from tests.fake_ironic_api import FakeIronicApi
from tests.harness import write_conf

NODE = uid(1001)


@pytest.fixture
def ironic():
    """An Ironic with one node, and where it is."""
    fake = FakeIronicApi()
    fake.put(NODE, name="n1", owner="owner-a")
    server = Server(fake, "127.0.0.1", 0, threads=2)
    server.start()
    yield fake, f"http://127.0.0.1:{server.port}"
    server.stop()


def inventory(directory, database, **sections):
    given = {"provider": {"driver": "ironic"}, "api": {"auth_strategy": "noauth"}, **sections}
    path = write_conf(directory, "provider.conf", given)
    conf = bootstrap.configuration(["--config-file", str(path)])
    return bootstrap.inventory(conf, database, bootstrap.directory(conf))


@pytest.mark.parametrize(
    "credentials",
    [{"auth_type": "none"}, {"auth_type": "http_basic", "username": "flocx", "password": "secret"}],
    ids=["none", "http_basic"],
)
def test_an_ironic_without_keystone_serves(ironic, tmp_path, sqlite_provider, credentials):
    _, url = ironic
    nodes = inventory(tmp_path, sqlite_provider.renew(), ironic={**credentials, "endpoint_override": url})
    nodes.check()
    assert [(node.name, node.owner_project_id) for node in nodes.nodes()] == [("n1", "owner-a")]
    nodes.assign(NODE, lessee_project_id="consumer-a", contract_uuid=uid(6001))
    assert nodes.node("n1").lessee_project_id == "consumer-a"


def test_a_question_about_one_node_is_one_call(ironic, tmp_path, sqlite_provider):
    fake, url = ironic
    nodes = inventory(tmp_path, sqlite_provider.renew(), ironic={"auth_type": "none", "endpoint_override": url})
    nodes.node("n1")
    fake.calls.clear()
    nodes.node("n1")
    assert [method for method, _ in fake.calls] == ["GET"]


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({}, r"\[ironic\] auth_type"),
        ({"ironic": {"auth_type": "magic"}}, r"\[ironic\] auth: "),
        ({"ironic": {"auth_type": "none", "lessee_attribute": "nonsense"}}, r"\[ironic\] lessee_attribute: 'nonsense'"),
        ({"ironic": {"auth_type": "none"}, "nova": {"auth_type": "magic"}}, r"\[nova\] auth: "),
        ({"ironic": {"auth_type": "none"}, "nova": {"auth_section": "nowhere"}}, r"\[nova\] auth"),
    ],
)
def test_what_cannot_be_used_is_told_at_the_start_by_group_and_option(tmp_path, sqlite_provider, sections, told):
    with pytest.raises(ConfigurationInvalid, match=told):
        inventory(tmp_path, sqlite_provider.renew(), **sections)
