# SPDX-License-Identifier: Apache-2.0
"""The filter among the real classes of Nova's scheduler.

Runs in an environment that has Nova, and skips elsewhere. It needs nothing of
FLOCX installed but the checkout on the path.
"""

from __future__ import annotations

import logging
import uuid

import pytest
import requests

pytest.importorskip("nova", reason="Nova is not installed here; these tests run in an environment that has it")

import nova.conf
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from nova import objects
from nova.scheduler import filters
from nova.scheduler.host_manager import HostManager, HostState
from oslo_utils import timeutils

from flocx_common.domain.holders import NodeAttributes
from flocx_common.testing.wsgi import WsgiAdapter
from nova_filters.contract_filter import FlocxContractFilter, lookup_of
from nova_filters.lookup import LookUpFailed, NodeLookup
from nova_filters.node_list import IronicNodeList
from tests.fake_ironic_list import FakeIronic

CONF = nova.conf.CONF
AVAILABLE = ["nova.scheduler.filters.all_filters", "nova_filters.contract_filter.FlocxContractFilter"]

objects.register_all()


def uid(n):
    return str(uuid.UUID(int=n))


def host(host, nodename, hypervisor_type):
    """A host state as the scheduler makes it of what a compute service reported."""
    state = HostState(host, nodename, uid(999))
    state.update(
        compute=objects.ComputeNode(
            uuid=nodename if hypervisor_type == "ironic" else str(uuid.uuid5(uuid.NAMESPACE_DNS, nodename)),
            host=host,
            hypervisor_hostname=nodename,
            hypervisor_type=hypervisor_type,
            hypervisor_version=1,
            memory_mb=0,
            free_ram_mb=0,
            local_gb=0,
            free_disk_gb=0,
            disk_available_least=0,
            local_gb_used=0,
            vcpus=0,
            vcpus_used=0,
            numa_topology=None,
            pci_device_pools=None,
            host_ip=None,
            cpu_info=None,
            supported_hv_specs=[],
            stats={"cpu_arch": "x86_64"},
            metrics="[]",
            cpu_allocation_ratio=1.0,
            ram_allocation_ratio=1.0,
            disk_allocation_ratio=1.0,
            updated_at=timeutils.utcnow(),
        )
    )
    return state


def node(n):
    """The host state of the n-th node."""
    return host("compute-ironic", uid(n), "ironic")


def virtual(n):
    """The host state of a hypervisor."""
    return host(f"compute-{n}", f"compute-{n}.example.org", "QEMU")


def request(project="us", **fields):
    """A request for a server, as the conductor sends it."""
    defaults = {
        "instance_uuid": uid(777),
        "num_instances": 1,
        "ignore_hosts": None,
        "force_hosts": None,
        "force_nodes": None,
        "requested_destination": None,
        "scheduler_hints": {},
    }
    return objects.RequestSpec(project_id=project, **(defaults | fields))


class Cloud:
    """Ironic, and the filter before it, loaded as the scheduler loads it."""

    def __init__(self):
        self.ironic = FakeIronic()
        self.wire = WsgiAdapter(self.ironic)
        http = requests.Session()
        http.mount("http://", self.wire)
        session = Session(auth=Token("http://ironic.test", "token"), session=http)
        nodes = IronicNodeList(lambda: Adapter(session, service_type="baremetal"), NodeAttributes(), 20)
        self.handler = filters.HostFilterHandler()
        (cls,) = [
            found for found in self.handler.get_matching_classes(AVAILABLE) if found.__name__ == "FlocxContractFilter"
        ]
        self.filter = cls(NodeLookup(nodes.read, max_age=60))

    def set(self, n, **properties):
        """Let Ironic list a node with these properties."""
        self.ironic.nodes[uid(n)] = {"uuid": uid(n), "owner": None, "lessee": None, "properties": properties}

    def passes(self, hosts, spec, index=0):
        found = self.handler.get_filtered_objects([self.filter], hosts, spec, index)
        return [state.nodename for state in found]

    def manager(self):
        """Nova's host manager with this filter alone, and without a database."""
        manager = object.__new__(HostManager)
        manager.filter_handler = self.handler
        manager.enabled_filters = [self.filter]
        return manager


@pytest.fixture
def cloud():
    cloud = Cloud()
    cloud.set(1, project_owner_id="us")
    cloud.set(2, project_owner_id="them")
    cloud.set(3, project_owner_id="them", project_id="us")
    cloud.set(4, project_owner_id="us", project_id="them")
    cloud.set(5)
    return cloud


def test_nova_finds_the_filter_by_the_name_that_is_documented():
    classes = filters.HostFilterHandler().get_matching_classes(AVAILABLE)
    assert FlocxContractFilter in classes
    assert len(classes) > 10


def test_a_request_lands_on_its_projects_own_and_leased_nodes_only(cloud):
    assert cloud.passes([node(n) for n in range(1, 7)], request()) == [uid(1), uid(3)]
    assert cloud.passes([node(n) for n in range(1, 7)], request("them")) == [uid(2), uid(4)]
    assert cloud.passes([node(n) for n in range(1, 7)], request("strangers")) == []


def test_hypervisors_pass_untouched_and_cost_nothing(cloud):
    assert cloud.passes([virtual(1), virtual(2)], request("strangers")) == [
        "compute-1.example.org",
        "compute-2.example.org",
    ]
    assert cloud.ironic.requests == []


def test_hypervisors_pass_beside_refused_nodes_in_the_order_given(cloud):
    hosts = [virtual(1), node(2), node(3), virtual(2)]
    assert cloud.passes(hosts, request()) == ["compute-1.example.org", uid(3), "compute-2.example.org"]


def test_a_node_that_ironic_does_not_list_is_refused(cloud):
    assert cloud.passes([node(6)], request()) == []


def test_a_node_that_has_not_reported_anything_yet_is_held_to_the_rule(cloud):
    hosts = [HostState("compute-ironic", uid(n), uid(999)) for n in (1, 2)]
    assert [one.hypervisor_type for one in hosts] == [None, None]
    assert cloud.passes(hosts, request()) == [uid(1)]


def test_without_ironic_nodes_are_refused_and_hypervisors_pass(cloud, caplog):
    cloud.wire.down = True
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert cloud.passes([virtual(1), node(1)], request()) == ["compute-1.example.org"]
        cloud.wire.down = False
        assert cloud.passes([virtual(1), node(1)], request()) == ["compute-1.example.org", uid(1)]
    ours = [record for record in caplog.records if record.name.startswith("nova_filters.lookup")]
    assert [record.levelname for record in ours] == ["ERROR", "INFO"]


@pytest.mark.parametrize("spec", [objects.RequestSpec(), request(None)], ids=["unset", "none"])
def test_a_request_without_a_project_gets_no_node(cloud, spec):
    spec.instance_uuid = uid(777)
    assert cloud.passes([virtual(1), node(1), node(5)], spec) == ["compute-1.example.org"]


def test_a_lease_that_has_just_begun_works_at_once(cloud):
    assert cloud.passes([node(2)], request()) == []
    cloud.set(2, project_owner_id="them", project_id="us")
    assert cloud.passes([node(2)], request()) == [uid(2)]


def test_a_thousand_nodes_cost_one_request_to_ironic(cloud):
    cloud.ironic.nodes.clear()
    for n in range(100, 1100):
        cloud.set(n, project_owner_id="us" if n == 600 else "them")
    assert cloud.passes([node(n) for n in range(100, 1100)], request()) == [uid(600)]
    assert len(cloud.ironic.requests) == 1


def test_a_request_for_several_servers_is_judged_once(cloud):
    hosts = [node(1), node(2), node(3)]
    assert cloud.passes(hosts, request(num_instances=2), index=0) == [uid(1), uid(3)]
    # For the next server Nova passes in what is left on, and nothing is judged or asked anew.
    assert cloud.passes([node(2)], request(num_instances=2), index=1) == [uid(2)]
    assert len(cloud.ironic.requests) == 1


def test_a_rebuild_is_held_to_the_rule(cloud):
    hints = {"_nova_check_type": ["rebuild"]}
    assert FlocxContractFilter.RUN_ON_REBUILD
    assert cloud.passes([node(3)], request(scheduler_hints=hints)) == [uid(3)]
    assert cloud.passes([node(4)], request(scheduler_hints=hints)) == []


def test_a_named_destination_is_held_to_the_rule(cloud):
    for n, passed in ((3, [uid(3)]), (2, [])):
        spec = request(requested_destination=objects.Destination(host="compute-ironic", node=uid(n)))
        found = cloud.manager().get_filtered_hosts([node(1), node(n)], spec)
        assert [state.nodename for state in found] == passed


def test_an_evacuation_leaves_out_the_failed_service_and_is_held_to_the_rule(cloud):
    hosts = [node(1), host("other-ironic", uid(2), "ironic"), host("other-ironic", uid(3), "ironic")]
    found = cloud.manager().get_filtered_hosts(hosts, request(ignore_hosts=["compute-ironic"]))
    assert [state.nodename for state in found] == [uid(3)]


def test_an_administrators_forced_node_never_reaches_the_filter(cloud):
    found = cloud.manager().get_filtered_hosts([node(1), node(2)], request(force_nodes=[uid(2)]))
    assert [state.nodename for state in found] == [uid(2)]
    assert cloud.ironic.requests == []


def test_the_options_are_in_novas_configuration_and_default_to_novas_credentials():
    assert CONF.flocx_filter.lessee_attribute == "properties/project_id"
    assert CONF.flocx_filter.max_age == 1
    assert CONF.flocx_filter.auth_type is None
    assert "auth_type" in CONF.ironic


def test_the_filter_is_made_without_arguments_and_without_a_connection():
    FlocxContractFilter()


def test_a_wrong_option_refuses_nodes_and_stops_no_scheduler(cloud):
    CONF.set_override("lessee_attribute", "project_id", group="flocx_filter")
    try:
        lookup = lookup_of(CONF)
    finally:
        CONF.clear_override("lessee_attribute", group="flocx_filter")
    with pytest.raises(LookUpFailed, match=r"\[flocx_filter\] lessee_attribute"):
        lookup.nodes(lookup.ticket())
    cloud.filter = FlocxContractFilter(lookup)
    assert cloud.passes([virtual(1), node(1)], request()) == ["compute-1.example.org"]


def test_missing_credentials_refuse_nodes_and_name_the_option():
    if CONF.ironic.auth_type:
        pytest.skip("this Nova is configured")
    lookup = lookup_of(CONF)
    with pytest.raises(LookUpFailed, match=r"\[ironic\] auth_type"):
        lookup.nodes(lookup.ticket())


def test_the_filter_brings_no_service_of_ours_into_the_scheduler():
    import subprocess
    import sys

    program = (
        "import sys\n"
        "import nova_filters.contract_filter\n"
        "print(*sorted(name for name in sys.modules if name.startswith('flocx')))\n"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) == {
        "flocx_common",
        "flocx_common.domain",
        "flocx_common.domain.access",
        "flocx_common.domain.errors",
        "flocx_common.domain.holders",
    }
