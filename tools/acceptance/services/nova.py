# SPDX-License-Identifier: Apache-2.0
"""Nova with the Ironic driver, for the first region's nodes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acceptance.configuration import Section, write_configuration
from acceptance.processes import Command, Service
from acceptance.services import rabbitmq
from acceptance.site import Site, responds

#: Nova knows its second cell by this name, derived from the first's.
_DATABASES = ("nova_api", "nova", "nova_cell0")
_FILTERS = "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A scheduler filter besides Nova's own: its class, where it can be imported from, and its options."""

    path: str
    python_path: str
    options: Mapping[str, Section]


class Nova:
    """Nova's configuration and processes."""

    def __init__(self, site: Site, extra: Filter | None = None) -> None:
        self._site, self._extra = site, extra
        self._api, self._cell, _ = (site.databases.create(name, "mysql") for name in _DATABASES)
        self._environment = {"OS_NOVA_CONFIG_DIR": f"{site.state}/nova"}
        if extra:
            self._environment["PYTHONPATH"] = extra.python_path

    def configure(self, scheduler: Section | None = None) -> None:
        """Write the configuration, with ``scheduler`` options besides; Nova reads it when it starts."""
        directory = self._site.directory("nova")
        common = self._common()
        # The API looks for it beside its configuration only.
        shutil.copy(self._site.openstack.path / "etc/nova/api-paste.ini", directory)
        # The compute service must not know the databases.
        write_configuration(directory / "nova-compute.conf", common)
        filters = self._extra.path.rpartition(".")[2] if self._extra else ""
        write_configuration(
            directory / "nova.conf",
            {
                **common,
                "api_database": {"connection": self._api},
                "database": {"connection": self._cell},
                "scheduler": {"workers": 1, **(scheduler or {})},
                "filter_scheduler": {
                    "available_filters": [
                        "nova.scheduler.filters.all_filters",
                        *([self._extra.path] if self._extra else []),
                    ],
                    "enabled_filters": ",".join(filter(None, [_FILTERS, filters])),
                    "track_instance_changes": False,
                },
                **(self._extra.options if self._extra else {}),
            },
        )

    def preparation(self) -> Sequence[Command]:
        """Return what sets up the databases."""
        return [
            self._manage("nova API database", "api_db", "sync"),
            self._manage("nova cell0", "cell_v2", "map_cell0"),
            self._manage("nova cell1", "cell_v2", "create_cell", "--name", "cell1"),
            self._manage("nova databases", "db", "sync"),
        ]

    def discovery(self) -> Command:
        """Return what lets the scheduler see a new compute service."""
        return self._manage("nova discovery", "cell_v2", "discover_hosts")

    def services(self) -> Sequence[Service]:
        """Return Nova's processes besides the compute service."""
        site = self._site
        return [
            self._service("nova-conductor", "nova.conf"),
            self._service("nova-scheduler", "nova.conf"),
            Service(
                name="nova-api",
                command=site.wsgi(site.openstack, "nova.wsgi.osapi_compute", "nova-api"),
                environment=self._environment,
                ready=lambda: responds(site.url("nova-api")),
            ),
        ]

    def compute(self) -> Service:
        """Return the compute service."""
        return self._service("nova-compute", "nova-compute.conf")

    def _service(self, name: str, configuration: str) -> Service:
        return Service(
            name=name,
            command=[self._site.openstack.script(name), "--config-file", f"{self._site.state}/nova/{configuration}"],
            environment=self._environment,
            # Whether it works is asked of the API, which hears from it.
            ready=lambda: True,
        )

    def _manage(self, purpose: str, *arguments: str) -> Command:
        command = [self._site.openstack.script("nova-manage"), "--config-file", f"{self._site.state}/nova/nova.conf"]
        return Command(purpose=purpose, command=[*command, *arguments], environment=self._environment)

    def _common(self) -> dict[str, Section]:
        site = self._site
        user = site.service_user("nova")
        return {
            "DEFAULT": {
                "use_stderr": True,
                "host": "nova",
                "my_ip": "127.0.0.1",
                "state_path": site.directory("nova/state"),
                "graceful_shutdown_timeout": 2,
                "transport_url": rabbitmq.transport_url(site),
                "compute_driver": "ironic.IronicDriver",
                "enabled_apis": "osapi_compute",
                "use_cow_images": False,
                # Changes of nodes are to be seen within a step of the story.
                "update_resources_interval": 10,
                "periodic_fuzzy_delay": 0,
            },
            "api": {"auth_strategy": "keystone"},
            "conductor": {"workers": 1},
            "placement": user,
            "glance": user,
            "ironic": {"api_max_retries": 10, "api_retry_interval": 1, **user},
            "neutron": user,
            "cinder": user,
            "keystone": user,
            "service_user": {"send_service_user_token": True, **user},
            "oslo_concurrency": {"lock_path": site.directory("nova/lock")},
            "vnc": {"enabled": False},
            "quota": {"instances": -1, "cores": -1, "ram": -1},
            "keystone_authtoken": site.token_checks("nova"),
        }
