# SPDX-License-Identifier: Apache-2.0
"""Neutron's API alone: no network is used, but Nova asks about ports and security groups of every server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from acceptance.configuration import write_configuration
from acceptance.processes import Command, Service
from acceptance.services import rabbitmq
from acceptance.site import Site, responds

_SCHEMA = Path(__file__).resolve().parent.parent / "programs" / "neutron_schema.py"


def configure(site: Site) -> None:
    """Write Neutron's configuration."""
    assert site.neutron
    write_configuration(
        site.directory("neutron") / "neutron.conf",
        {
            "DEFAULT": {
                "auth_strategy": "keystone",
                "core_plugin": "ml2",
                "service_plugins": "",
                "rpc_workers": 0,
                "transport_url": rabbitmq.transport_url(site),
                "state_path": site.directory("neutron/state"),
                "api_paste_config": site.neutron.path / "etc/neutron/api-paste.ini",
                "notify_nova_on_port_status_changes": False,
                "notify_nova_on_port_data_changes": False,
                "use_stderr": True,
            },
            "ml2": {
                "type_drivers": "flat",
                "tenant_network_types": "",
                "mechanism_drivers": "",
                "extension_drivers": "port_security",
            },
            "ml2_type_flat": {"flat_networks": "physnet1"},
            "database": {"connection": site.databases.create("neutron")},
            "oslo_concurrency": {"lock_path": site.directory("neutron/lock")},
            "keystone_authtoken": site.token_checks("neutron"),
        },
    )


def preparation(site: Site) -> Sequence[Command]:
    """Return what sets up the database."""
    assert site.neutron
    database = site.databases.create("neutron")
    return [Command(purpose="neutron database", command=[site.neutron.python, str(_SCHEMA), database])]


def services(site: Site) -> Sequence[Service]:
    """Return Neutron's process."""
    assert site.neutron
    return [
        Service(
            name="neutron",
            command=site.wsgi(site.neutron, "neutron.wsgi.api", "neutron"),
            environment={
                "OS_NEUTRON_CONFIG_DIR": f"{site.state}/neutron",
                "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
            },
            ready=lambda: responds(site.url("neutron")),
        )
    ]
