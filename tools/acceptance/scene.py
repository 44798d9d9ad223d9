# SPDX-License-Identifier: Apache-2.0
"""What steps are played with: the cloud, FLOCX on it, its people, and where checks are noted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from acceptance.client import OpenStackClient
from acceptance.environments import Environments
from acceptance.flocx import Flocx
from acceptance.nodes import NODES
from acceptance.people import SYSTEM, connect
from acceptance.processes import Processes
from acceptance.progress import Progress
from acceptance.record import Record
from acceptance.services.nova import Nova
from acceptance.site import REGIONS, Site
from flocx_client.openstack_services import register

T = TypeVar("T")

_TIMEOUT = 60
_REGIONS = {hardware.name: hardware.region for hardware in NODES}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything a step needs."""

    site: Site
    processes: Processes
    console: Progress
    record: Record
    client: OpenStackClient
    environments: Environments
    flocx: Flocx
    nova: Nova | None
    #: UUIDs of the nodes by name.
    uuids: Mapping[str, str]
    _connections: dict[tuple[str, str], Any] = field(default_factory=dict)

    def connection(self, cloud: str, region: str = REGIONS[0]) -> Any:
        """Return an openstacksdk connection that knows FLOCX, for what must be seen at once."""
        if (cloud, region) not in self._connections:
            made = connect(self.site, cloud, region)
            register(made)
            self._connections[cloud, region] = made
        return self._connections[cloud, region]

    def market(self, cloud: str) -> Any:
        """Return the market as somebody sees it."""
        return self.connection(cloud).baremetal_market

    def provider(self, cloud: str, region: str = REGIONS[0]) -> Any:
        """Return a region's provider as somebody sees it."""
        return self.connection(cloud, region).baremetal_provider

    def project(self, name: str) -> str:
        """Return the id of the project of that name."""
        return str(self.connection("admin").identity.find_project(name, ignore_missing=False).id)

    def ironic(self, name: str) -> Any:
        """Return the Ironic that has a node, as its operator sees it."""
        return self.connection(SYSTEM, _REGIONS[name]).baremetal

    def node(self, name: str) -> Any:
        """Return a node as it is in Ironic now."""
        return self.ironic(name).get_node(self.uuids[name])

    def lessee(self, name: str) -> str | None:
        """Return the project that a node in Ironic says may use it."""
        found = self.node(name).properties.get("project_id")
        return None if found is None else str(found)

    def mark(self, name: str) -> str | None:
        """Return the contract whose mark a node carries in Ironic."""
        found = self.node(name).properties.get("flocx_contract_uuid")
        return None if found is None else str(found)

    def wait(self, what: str, probe: Callable[[], T | None], timeout: float = _TIMEOUT, pause: float = 0.2) -> T:
        """Wait until ``probe`` returns something, and return it.

        :raises StoryFailed: it did not within ``timeout`` seconds.
        :raises CannotRun: a service has ended meanwhile.
        """

        def looked() -> T | None:
            self.processes.check_alive()
            return probe()

        return self.console.wait(what, looked, timeout, pause)

    def until(self, what: str, holds: Callable[[], object], timeout: float = _TIMEOUT, pause: float = 0.2) -> float:
        """Wait until something holds, and return the seconds that took.

        :raises StoryFailed: it did not within ``timeout`` seconds.
        """
        began = time.monotonic()
        self.wait(what, lambda: True if holds() else None, timeout, pause)
        return time.monotonic() - began
