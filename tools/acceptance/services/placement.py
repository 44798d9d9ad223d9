# SPDX-License-Identifier: Apache-2.0
"""Placement, which Nova keeps its inventory in."""

from __future__ import annotations

from collections.abc import Sequence

from acceptance.configuration import write_configuration
from acceptance.processes import Command, Service
from acceptance.site import Site, responds


def configure(site: Site) -> None:
    """Write Placement's configuration."""
    write_configuration(
        site.directory("placement") / "placement.conf",
        {
            "DEFAULT": {"use_stderr": True},
            "api": {"auth_strategy": "keystone"},
            "placement_database": {"connection": site.databases.create("placement", "mysql")},
            "keystone_authtoken": site.token_checks("placement"),
        },
    )


def preparation(site: Site) -> Sequence[Command]:
    """Return what sets up the database."""
    command = [site.openstack.script("placement-manage"), "--config-file", f"{site.state}/placement/placement.conf"]
    return [Command(purpose="placement database", command=[*command, "db", "sync"])]


def services(site: Site) -> Sequence[Service]:
    """Return Placement's process."""
    return [
        Service(
            name="placement",
            command=site.wsgi(site.openstack, "placement.wsgi.api", "placement"),
            environment={"OS_PLACEMENT_CONFIG_DIR": f"{site.state}/placement"},
            ready=lambda: responds(site.url("placement")),
        )
    ]
