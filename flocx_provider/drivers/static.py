# SPDX-License-Identifier: Apache-2.0
"""The static driver: machines from a file, for rooms without OpenStack.

The file is only ever read. Who holds a machine and whether it is up is kept in
the provider's database; ``flocx-provider-manage node set`` changes the latter.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flocx_common.domain.errors import ConfigurationInvalid, Unavailable
from flocx_common.domain.ids import is_id
from flocx_provider.domain.node import NodeFacts
from flocx_provider.drivers.inventory_file import InventoryFile, InventoryMapping
from flocx_provider.drivers.own_database import kept
from flocx_provider.ports.driver import DriverContext
from flocx_provider.ports.inventory import InventoryUnavailable, NodeTaken
from flocx_provider.ports.node_states import NodeState, NodeStates

LOG = logging.getLogger(__name__)

_UP = NodeState()


class StaticInventory:
    """Machines from an inventory file.

    A file that cannot be read any more after it could be is told once, and the
    machines stay as they were: taking nodes back must not wait for an editor.
    While nobody can tell who the owners are, nothing is known of the machines.

    :param resolve: project name or id -> id.
    :raises ConfigurationInvalid: the file cannot be read.
    """

    #: Nothing is cleaned between contracts.
    turnaround = 0
    #: Nothing is ever deployed.
    release_delay = 0

    def __init__(self, file: InventoryFile, states: NodeStates, resolve: Callable[[str], str]) -> None:
        self._file = file
        self._states = states
        self._resolve = resolve
        self._lock = threading.Lock()
        self._stamp = file.stamp()
        self._problem: str | None = None
        self._machines: Mapping[str, NodeFacts] | None = None
        try:
            self._machines = self._read()
        except Unavailable as error:
            # Owners are looked up again with the next question; a service starts without.
            LOG.warning("the owners of the machines are not known yet: %s", error.detail)

    def nodes(self) -> Sequence[NodeFacts]:
        """Return all machines, in the order of the file.

        :raises InventoryUnavailable: what is kept of them cannot be read.
        """
        states = self._known_states()
        return [_with_state(machine, states) for machine in self._current().values()]

    def node(self, name_or_uuid: str, *, inspected: bool = False) -> NodeFacts | None:
        """Return a machine by name or uuid.

        :raises InventoryUnavailable: what is kept of it cannot be read.
        """
        machines = self._current()
        wanted = name_or_uuid.lower()
        found = machines.get(wanted) if is_id(wanted) else None
        if found is None:
            found = next((machine for machine in machines.values() if machine.name == name_or_uuid), None)
        return None if found is None else _with_state(found, self._known_states())

    def assign(self, node_uuid: str, *, lessee_project_id: str, contract_uuid: str) -> None:
        """Give an unmarked node the contract's mark and the lessee.

        :raises NodeTaken: it carries another mark.
        :raises InventoryUnavailable: it cannot be written down.
        """
        with kept():
            assigned = self._states.assign(node_uuid, lessee_project_id, contract_uuid)
        if not assigned:
            raise NodeTaken(f"node: {node_uuid} carries the mark of another contract")

    def remove_lessee(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark; the mark stays.

        :raises InventoryUnavailable: it cannot be written down.
        """
        with kept():
            self._states.remove_lessee(node_uuid, contract_uuid)

    def undeploy(self, node_uuid: str, *, contract_uuid: str, directly: bool = False) -> None:
        """Do nothing: nothing is ever deployed that this driver would know of."""

    def remove_mark(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the contract's mark from a node.

        :raises InventoryUnavailable: it cannot be written down.
        """
        with kept():
            self._states.remove_mark(node_uuid, contract_uuid)

    def check(self) -> None:
        """Say nothing when the inventory can be read.

        :raises InventoryUnavailable: it cannot.
        """
        self._current()
        if self._problem is not None:
            raise InventoryUnavailable(self._problem)

    def _known_states(self) -> Mapping[str, NodeState]:
        with kept():
            return self._states.all()

    def _current(self) -> Mapping[str, NodeFacts]:
        with self._lock:
            problem = None
            try:
                stamp = self._file.stamp()
                if stamp != self._stamp or self._problem is not None or self._machines is None:
                    self._machines, self._stamp = self._read(), stamp
            except (ConfigurationInvalid, Unavailable) as error:
                if self._machines is None:
                    raise InventoryUnavailable(f"inventory: {error.detail}") from None
                problem = error.detail
            if problem is not None and problem != self._problem:
                LOG.error("the inventory cannot be read, what was read before stands: %s", problem)
            elif problem is None and self._problem is not None:
                LOG.info("the inventory can be read again")
            self._problem = problem
            return self._machines

    def _read(self) -> Mapping[str, NodeFacts]:
        machines = {}
        for machine in self._file.read():
            owner = machine.owner_project_id
            resolved = None if owner is None else self._resolve(owner)
            machines[machine.node_uuid] = replace(machine, owner_project_id=resolved)
        return machines


def create(conf: Any, context: DriverContext) -> StaticInventory:
    """Return the inventory that ``[static]`` describes; the entry point of the driver.

    :raises ConfigurationInvalid: it cannot be read.
    """
    options = conf.static
    if not options.inventory_file:
        raise ConfigurationInvalid("[static] inventory_file: the file with the machines is needed")
    mapping = InventoryMapping(
        uuid_expression=options.uuid_expression,
        name_expression=options.name_expression,
        owner_expression=options.owner_expression,
        owner=options.owner,
        owner_map=options.owner_map,
        resource_class_expression=options.resource_class_expression,
        properties_expression=options.properties_expression,
    )
    return StaticInventory(InventoryFile(options.inventory_file, mapping), context.states, context.resolve)


def _with_state(machine: NodeFacts, states: Mapping[str, NodeState]) -> NodeFacts:
    state = states.get(machine.node_uuid, _UP)
    return replace(
        machine,
        lessee_project_id=state.lessee_project_id,
        contract_uuid=state.contract_uuid,
        problem=None if state.down_reason is None else f"the node is down: {state.down_reason}",
    )
