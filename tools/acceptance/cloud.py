# SPDX-License-Identifier: Apache-2.0
"""The OpenStack cloud of a run: all services configured, started in order, and checked to be on loopback only."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from quickstart.console import Console

from acceptance.errors import CannotRun
from acceptance.launchables import provide_launchables
from acceptance.marked import listening_elsewhere
from acceptance.nodes import enrol
from acceptance.people import connect, introduce, write_clouds
from acceptance.processes import Processes
from acceptance.services import glance, ironic, keystone, neutron, placement, rabbitmq
from acceptance.services.nova import Nova
from acceptance.site import REGIONS, Site

#: Names of what the cloud listens for, in the order of ``Site.ports``.
PORTS: Sequence[str] = ("keystone", *(ironic.name_in(region) for region in REGIONS))
NOVA_PORTS: Sequence[str] = ("placement", "glance", "neutron", "nova-api", *rabbitmq.PORTS)

_NOVA_SERVICES = {"nova-compute", "nova-scheduler", "nova-conductor"}
_TIMEOUT = 120


class Cloud:
    """Keystone and two Ironics, and with ``nova`` all that Nova needs in the first region."""

    def __init__(self, site: Site, processes: Processes, console: Console, nova: Nova | None) -> None:
        self._site, self._processes, self._console, self._nova = site, processes, console, nova
        self._began = time.monotonic()

    def bring_up(self) -> Mapping[str, str]:
        """Start everything, enrol the nodes, and return their UUIDs by name.

        :raises CannotRun: something does not start.
        """
        site, processes = self._site, self._processes
        self._began = time.monotonic()
        site.directory("home")
        keystone.configure(site)
        for region in REGIONS:
            ironic.configure(site, region)
        if self._nova:
            self._configure_nova(self._nova)
        self._prepare()
        self._say("databases are set up")
        processes.start(*keystone.services(site))
        introduce(site, everything=self._nova is not None)
        write_clouds(site, site.url("provider-1-api"))
        self._say("keystone is up, with projects, users and endpoints")
        processes.start(*(service for region in REGIONS for service in ironic.services(site, region)))
        self._say(f"ironic is up in {' and '.join(REGIONS)}")
        uuids = enrol(site, self._console)
        self._say(f"{len(uuids)} nodes are available")
        if self._nova:
            self._start_nova(self._nova)
        self.check_loopback()
        return uuids

    @property
    def seconds(self) -> float:
        """The seconds since everything began to be started."""
        return time.monotonic() - self._began

    def check_loopback(self) -> None:
        """Make sure that nothing of the run can be reached from another machine.

        :raises CannotRun: something can.
        """
        if elsewhere := listening_elsewhere(self._site.state):
            raise CannotRun(f"not on loopback: {'; '.join(elsewhere)}")

    def _configure_nova(self, nova: Nova) -> None:
        rabbitmq.configure(self._site)
        placement.configure(self._site)
        glance.configure(self._site)
        neutron.configure(self._site)
        nova.configure()

    def _prepare(self) -> None:
        site = self._site
        chains = [keystone.preparation(site), *(ironic.preparation(site, region) for region in REGIONS)]
        if self._nova:
            chains = [
                self._nova.preparation(),
                *chains,
                placement.preparation(site),
                glance.preparation(site),
                neutron.preparation(site),
            ]
        self._processes.run(*chains)

    def _start_nova(self, nova: Nova) -> None:
        site, processes = self._site, self._processes
        processes.start(rabbitmq.port_mapper(site))
        processes.start(
            *rabbitmq.services(site), *placement.services(site), *glance.services(site), *neutron.services(site)
        )
        self._say("rabbitmq, placement, glance and neutron are up")
        processes.start(*nova.services())
        processes.start(nova.compute())
        admin = connect(site, "admin")

        def all_up() -> bool | None:
            processes.check_alive()
            up = {service.binary for service in admin.compute.services() if service.state == "up"}
            return True if up >= _NOVA_SERVICES else None

        self._console.wait("waiting for nova", all_up, _TIMEOUT, 0.5)
        processes.run([nova.discovery()])
        provide_launchables(site)
        self._say("nova is up")

    def _say(self, text: str) -> None:
        self._console.say(f"{self.seconds:6.1f} s  {text}")
