# SPDX-License-Identifier: Apache-2.0
"""Glance, with images in a directory."""

from __future__ import annotations

from collections.abc import Sequence

from acceptance.configuration import write_configuration
from acceptance.processes import Command, Service
from acceptance.site import Site, responds


def configure(site: Site) -> None:
    """Write Glance's configuration."""
    images, staging, tasks = (site.directory(f"glance/{kind}") for kind in ("images", "staging", "tasks"))
    write_configuration(
        site.state / "glance" / "glance-api.conf",
        {
            "DEFAULT": {
                "use_stderr": True,
                "bind_host": "127.0.0.1",
                "bind_port": site.ports["glance"],
                "worker_self_reference_url": site.url("glance"),
                "enabled_backends": "fs:file",
                "enabled_import_methods": "[]",
                "node_staging_uri": f"file://{staging}",
            },
            "glance_store": {"default_backend": "fs"},
            "fs": {"filesystem_store_datadir": images},
            "os_glance_staging_store": {"filesystem_store_datadir": staging},
            "os_glance_tasks_store": {"filesystem_store_datadir": tasks},
            "database": {"connection": site.databases.create("glance")},
            "paste_deploy": {
                "flavor": "keystone",
                "config_file": site.openstack.path / "etc/glance/glance-api-paste.ini",
            },
            "keystone_authtoken": site.token_checks("glance"),
        },
    )


def preparation(site: Site) -> Sequence[Command]:
    """Return what sets up the database."""
    command = [site.openstack.script("glance-manage"), "--config-file", f"{site.state}/glance/glance-api.conf"]
    return [Command(purpose="glance database", command=[*command, "db_sync"])]


def services(site: Site) -> Sequence[Service]:
    """Return Glance's process."""
    return [
        Service(
            name="glance",
            command=site.wsgi(site.openstack, "glance.wsgi.api", "glance"),
            environment={"OS_GLANCE_CONFIG_DIR": f"{site.state}/glance"},
            ready=lambda: responds(f"{site.url('glance')}/v2"),
        )
    ]
