# SPDX-License-Identifier: Apache-2.0
"""The nodes of a run: fake hardware of two owners and two architectures, in both regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openstack.exceptions import raise_from_response
from quickstart.console import Console

from acceptance.people import SYSTEM, connect
from acceptance.site import REGIONS, Site

#: An API version in which a ramdisk may name the node that it reports for.
_RAMDISK_VERSION = "1.95"
_TIMEOUT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """A node as it is enrolled.

    ``cpu_arch`` is spelled as its operator spells it, ``inspected`` tells whether a ramdisk
    reports its inventory.
    """

    name: str
    region: str
    owner: str
    cpu_arch: str = "x86_64"
    cpus: int = 32
    local_gb: int = 1024
    memory_mb: int = 131072
    resource_class: str = "baremetal"
    inspected: bool = True


NODES: Sequence[Hardware] = (
    Hardware(name="node-a1", region=REGIONS[0], owner="owner-a"),
    Hardware(name="node-a2", region=REGIONS[0], owner="owner-a", local_gb=480),
    Hardware(name="node-a3", region=REGIONS[0], owner="owner-a", local_gb=960),
    Hardware(name="node-b1", region=REGIONS[0], owner="owner-b", cpus=64, cpu_arch="aarch64", resource_class="arm"),
    Hardware(name="node-b2", region=REGIONS[1], owner="owner-b"),
    # Operators spell architectures as their tools do.
    Hardware(name="node-b3", region=REGIONS[1], owner="owner-b", cpu_arch="amd64", inspected=False),
    Hardware(
        name="node-b4",
        region=REGIONS[1],
        owner="owner-b",
        cpus=64,
        cpu_arch="arm64",
        resource_class="arm",
        inspected=False,
    ),
)


def enrol(site: Site, console: Console) -> Mapping[str, str]:
    """Enrol all nodes, let them become available, and return their UUIDs by name."""
    projects = {project.name: project.id for project in connect(site, "admin").identity.projects()}
    uuids = {}
    for region in REGIONS:
        baremetal = connect(site, SYSTEM, region).baremetal
        nodes = {hardware.name: hardware for hardware in NODES if hardware.region == region}
        for number, hardware in enumerate(nodes.values(), 1):
            address = f"52:54:00:00:{REGIONS.index(region) + 1:02x}:{number:02x}"
            uuids[hardware.name] = _create(baremetal, hardware, projects[hardware.owner], address)
        for name in nodes:
            baremetal.set_node_provision_state(uuids[name], "manage", wait=False)
        for name in nodes:
            _await(console, baremetal, uuids[name], name, "manageable")
        for name, hardware in nodes.items():
            if hardware.inspected:
                _inspect(console, baremetal, uuids[name], hardware)
        for name in nodes:
            # Fake power says nothing until it is told, and Nova leaves a node alone whose power it does not know.
            baremetal.set_node_power_state(uuids[name], "power off", wait=True, timeout=_TIMEOUT)
            baremetal.set_node_provision_state(uuids[name], "provide", wait=False)
        for name in nodes:
            _await(console, baremetal, uuids[name], name, "available")
    return uuids


def _create(baremetal: Any, hardware: Hardware, owner: str, address: str) -> str:
    node = baremetal.create_node(
        name=hardware.name,
        driver="fake-hardware",
        owner=owner,
        resource_class=hardware.resource_class,
        properties={
            "cpus": hardware.cpus,
            "memory_mb": hardware.memory_mb,
            "local_gb": hardware.local_gb,
            "cpu_arch": hardware.cpu_arch,
            "capabilities": "boot_mode:uefi",
        },
    )
    baremetal.create_port(node_id=node.id, address=address)
    return str(node.id)


def _inspect(console: Console, baremetal: Any, uuid: str, hardware: Hardware) -> None:
    """Inspect a node; we report what its ramdisk would."""
    address = next(baremetal.ports(node=uuid)).address
    baremetal.set_node_provision_state(uuid, "inspect", wait=False)
    _await(console, baremetal, uuid, hardware.name, "inspect wait")
    answer = baremetal.post(
        f"/continue_inspection?node_uuid={uuid}",
        json={"inventory": inventory(hardware, address)},
        microversion=_RAMDISK_VERSION,
    )
    raise_from_response(answer)
    _await(console, baremetal, uuid, hardware.name, "manageable")


def inventory(hardware: Hardware, address: str) -> Mapping[str, Any]:
    """Return what a ramdisk finds on such hardware, in the form in which Ironic takes it."""
    return {
        "bmc_address": "192.0.2.1",
        "boot": {"current_boot_mode": "uefi", "pxe_interface": address},
        "cpu": {
            "architecture": hardware.cpu_arch,
            "count": hardware.cpus,
            "flags": ["aes", "avx2"] if hardware.cpu_arch == "x86_64" else ["aes", "sve"],
            "frequency": "2400.0000",
            "model_name": "Example CPU",
        },
        "disks": [
            {
                "hctl": "0:0:0:0",
                "model": "Example NVMe",
                "name": "/dev/nvme0n1",
                "rotational": False,
                "serial": f"serial-of-{hardware.name}",
                "size": hardware.local_gb * 2**30,
                "vendor": "Example",
                "wwn": None,
            }
        ],
        "interfaces": [
            {
                "has_carrier": True,
                "ipv4_address": "192.0.2.10",
                "mac_address": address,
                "name": "eth0",
                "product": "0x1572",
                "speed_mbps": 25000,
                "vendor": "0x8086",
            }
        ],
        "memory": {"physical_mb": hardware.memory_mb, "total": hardware.memory_mb * 2**20},
        "system_vendor": {
            "manufacturer": "Example",
            "product_name": "Example Server",
            "serial_number": f"serial-of-{hardware.name}",
        },
    }


def _await(console: Console, baremetal: Any, uuid: str, name: str, state: str) -> None:
    def reached() -> bool | None:
        return True if baremetal.get_node(uuid).provision_state == state else None

    console.wait(f"waiting until {name} is {state}", reached, _TIMEOUT, 0.1)
