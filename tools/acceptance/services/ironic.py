# SPDX-License-Identifier: Apache-2.0
"""Ironic, once for each region: API and conductor in one process, on an SQLite file, with fake hardware."""

from __future__ import annotations

from collections.abc import Sequence

from acceptance.configuration import write_configuration
from acceptance.processes import Command, Service
from acceptance.site import REGIONS, Site, responds


def name_in(region: str) -> str:
    """Return the name of the Ironic of a region."""
    return f"ironic-{REGIONS.index(region) + 1}"


def configure(site: Site, region: str) -> None:
    """Write the configuration of a region's Ironic."""
    name = name_in(region)
    service_user = site.service_user("ironic", region)
    url = site.url(name)
    write_configuration(
        site.directory(name) / "ironic.conf",
        {
            "DEFAULT": {
                "auth_strategy": "keystone",
                "host": name,
                "my_ip": "127.0.0.1",
                "rpc_transport": "none",
                "state_path": site.directory(f"{name}/state"),
                "use_stderr": True,
                # Users with the role service, Nova's and FLOCX's, see all nodes.
                "rbac_service_role_elevated_access": True,
                "hash_ring_reset_interval": 5,
                **_fake_hardware(),
            },
            "api": {
                "host_ip": "127.0.0.1",
                "port": site.ports[name],
                "api_workers": 1,
                "public_endpoint": url,
            },
            "conductor": {"automated_clean": True, "api_url": url},
            # Fake hardware boots nothing, so nothing need be prepared for it to boot.
            "inspector": {"require_managed_boot": False, "callback_endpoint_override": url},
            "database": {"connection": site.databases.create(name)},
            "json_rpc": {"auth_strategy": "noauth"},
            "service_catalog": service_user,
            "nova": {"send_power_notifications": False, **service_user},
            "neutron": service_user,
            "glance": service_user,
            "keystone_authtoken": site.token_checks("ironic", region),
        },
    )


def preparation(site: Site, region: str) -> Sequence[Command]:
    """Return what sets up the database."""
    name = name_in(region)
    command = [site.openstack.script("ironic-dbsync"), "--config-file", str(site.state / name / "ironic.conf")]
    return [Command(purpose=f"{name} database", command=[*command, "create_schema"])]


def services(site: Site, region: str) -> Sequence[Service]:
    """Return the process of a region's Ironic."""
    name = name_in(region)
    return [
        Service(
            name=name,
            command=[site.openstack.script("ironic"), "--config-file", str(site.state / name / "ironic.conf")],
            ready=lambda: responds(f"{site.url(name)}/v1"),
        )
    ]


def _fake_hardware() -> dict[str, object]:
    """Return options for hardware that does what it is told; only the inspection waits for a ramdisk's report."""
    kinds = ("bios", "boot", "console", "deploy", "firmware", "management", "power", "raid", "rescue", "vendor")
    return {
        "enabled_hardware_types": "fake-hardware",
        **{f"enabled_{kind}_interfaces": "fake" for kind in kinds},
        "enabled_inspect_interfaces": "agent,fake",
        "enabled_network_interfaces": "noop",
        "enabled_storage_interfaces": "noop",
        "default_boot_interface": "fake",
        "default_deploy_interface": "fake",
        "default_inspect_interface": "agent",
        "default_network_interface": "noop",
    }
