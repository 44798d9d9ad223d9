# SPDX-License-Identifier: Apache-2.0
"""The stock clients of Ironic against the provider: python-ironicclient, its command, and openstacksdk."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

ironicclient = pytest.importorskip("ironicclient")

import openstack  # noqa: E402
from ironicclient import client as ironic_client  # noqa: E402
from ironicclient import exc  # noqa: E402
from keystoneauth1 import loading  # noqa: E402
from keystoneauth1 import session as ksa_session  # noqa: E402

from tests.builders import uid  # noqa: E402

N1, N3 = uid(1001), uid(1003)


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def url(mirror):
    """Where the provider's application listens on loopback."""
    server = make_server("127.0.0.1", 0, mirror.app, _Server, _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/baremetal"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A place for what the clients remember."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def session(user, url):
    auth = loading.get_plugin_loader("http_basic").load_from_options(username=user, password=user, endpoint=url)
    return ksa_session.Session(auth=auth)


def ironic(user, url, version=None):
    """Return a user's ironicclient with an endpoint override, which neither waits nor tries again."""
    more = {} if version is None else {"os_ironic_api_version": version}
    return ironic_client.get_client(1, session=session(user, url), endpoint=url, max_retries=0, **more)


@pytest.mark.parametrize("version", [None, "latest", "1.9", "1.78", ["1.50", "1.70"]])
def test_ironicclient_lists_and_shows_with_every_way_to_choose_a_version(mirror, url, cache, version):
    client = ironic("owner-a", url, version)
    assert [node.name for node in client.node.list()] == ["n1", "n3", "n6"]
    assert client.node.get("n3").uuid == N3
    assert [node.name for node in ironic("consumer-a", url, version).node.list()] == ["n1"]


def test_ironicclient_walks_pages(mirror, url, cache):
    for number in range(10, 30):
        mirror.node(number, "p-owner-a")
    client = ironic("owner-a", url, "latest")
    assert len(client.node.list(limit=0)) == 23
    assert len(client.node.list(limit=5)) == 5
    mirror.ironic.most = 2
    names = [node.name for node in client.node.list(limit=7, sort_key="name", fields=["name", "uuid"])]
    assert names == ["n1", "n10", "n11", "n12", "n13", "n14", "n15"]
    assert len(client.node.list(detail=True, marker=uid(1020))) == 9


def test_a_lessee_uses_its_node_with_ironicclient(mirror, url, cache):
    client = ironic("consumer-a", url, "latest")
    client.node.set_power_state("n1", "on")
    assert mirror.ironic.things["nodes"][N1]["power_state"] == "power on"
    assert client.node.states("n1").power_state == "power on"
    client.node.set_boot_device("n1", "pxe", persistent=True)
    client.node.get_boot_device("n1")
    client.node.get_supported_boot_devices("n1")
    client.node.set_console_mode("n1", True)
    assert client.node.get_console("n1")["console_enabled"] is True
    client.node.set_provision_state("n1", "rebuild", configdrive={"meta_data": {}})
    client.node.set_provision_state("n1", "deleted")
    assert [one["method"] for one in mirror.ironic.changes()] == ["PUT"] * 5


def test_an_owner_administers_its_node_with_ironicclient(mirror, url, cache):
    client = ironic("owner-a", url, "latest")
    client.node.set_maintenance("n1", True, maint_reason="a fan")
    client.node.set_maintenance("n1", False)
    client.node.set_provision_state("n3", "manage")
    client.node.set_provision_state("n3", "clean", cleansteps=[{"interface": "deploy", "step": "erase"}])
    client.node.inject_nmi("n3")
    client.node.set_traits("n3", ["CUSTOM_A"])
    client.node.add_trait("n3", "CUSTOM_B")
    client.node.remove_trait("n3", "CUSTOM_B")
    client.node.remove_all_traits("n3")
    assert client.node.validate("n3")
    client.node.list_bios_settings("n3")
    assert [port.address for port in client.node.list_ports("n3")] == ["02:00:00:00:00:03"]
    assert [one.uuid for one in client.node.list_volume_connectors("n3")] == [uid(4003)]
    assert client.node.update("n3", [{"op": "add", "path": "/extra/a", "value": 1}]).extra["a"] == 1
    assert [port.uuid for port in client.port.list()] == [uid(2001), uid(2003)]
    assert [port.uuid for port in client.port.list(node="n3")] == [uid(2003)]
    made = client.port.create(node_uuid=N3, address="02:00:00:00:00:09")
    client.port.update(made.uuid, [{"op": "replace", "path": "/pxe_enabled", "value": False}])
    client.port.delete(made.uuid)
    assert [one.uuid for one in client.portgroup.list()] == [uid(3001), uid(3003)]
    assert [one.uuid for one in client.volume_connector.list()] == [uid(4001), uid(4003)]


def test_ironicclient_reads_our_refusals_and_ironics(mirror, url, cache):
    client = ironic("consumer-a", url, "latest")
    with pytest.raises(exc.NotFound, match="there is no node 'n2' that the project owns or holds"):
        client.node.get("n2")
    with pytest.raises(exc.Forbidden, match="a lessee may not put it into maintenance"):
        client.node.set_maintenance("n1", True)
    mirror.ironic.things["nodes"][N1]["provision_state"] = "cleaning"
    with pytest.raises(exc.BadRequest, match='The requested action "power" can not be performed'):
        client.node.set_power_state("n1", "on")
    with pytest.raises(exc.Forbidden, match="flocx_provider:baremetal:held"):
        ironic("owner-a", url, "latest").node.set_power_state("n1", "off")
    mirror.wire.down = True
    with pytest.raises(exc.ServiceUnavailable, match="Ironic cannot be reached"):
        client.node.get("n1")


# The SDK warns of what it does itself.
@pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning")
def test_openstacksdk_works_through_an_endpoint_override(mirror, url, cache):
    for user, names in (("owner-a", ["n1", "n3", "n6"]), ("consumer-a", ["n1"])):
        connection = openstack.connection.Connection(session=session(user, url), baremetal_endpoint_override=url)
        assert [node.name for node in connection.baremetal.nodes()] == names
        assert [node.name for node in connection.baremetal.nodes(details=True, limit=1)] == names
        connection.baremetal.set_node_power_state("n1" if user == "consumer-a" else "n3", "power on")
        with pytest.raises(openstack.exceptions.NotFoundException):
            connection.baremetal.get_node("n2")
        connection.close()
    assert mirror.ironic.things["nodes"][N3]["power_state"] == "power on"


def run(user, url, directory, *words):
    """Run ``openstack baremetal`` as a user and return what it prints."""
    command = [Path(sys.executable).parent / "openstack", "--os-auth-type", "http_basic", "--os-username", user]
    command += ["--os-password", user, "--os-endpoint", url, "baremetal", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment | {"HOME": str(directory), "XDG_CACHE_HOME": str(directory), "NO_PROXY": "127.0.0.1"},
    )


def test_the_stock_commands_work(mirror, url, tmp_path):
    listed = run("owner-a", url, tmp_path, "node", "list", "-f", "json")
    assert listed.returncode == 0, listed.stderr
    assert [one["name"] for one in json.loads(listed.stdout)] == ["n1", "n3", "n6"], listed.stdout
    shown = run("consumer-a", url, tmp_path, "node", "show", "n1", "-f", "json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["uuid"] == N1
    switched = run("consumer-a", url, tmp_path, "node", "power", "on", "n1")
    assert switched.returncode == 0, switched.stderr
    assert mirror.ironic.things["nodes"][N1]["power_state"] == "power on"
    refused = run("owner-a", url, tmp_path, "node", "power", "off", "n1")
    assert refused.returncode == 1
    assert "flocx_provider:baremetal:held" in refused.stderr
