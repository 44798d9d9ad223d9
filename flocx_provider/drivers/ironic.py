# SPDX-License-Identifier: Apache-2.0
"""The Ironic driver: the nodes of a cloud, and how they change hands there.

Ironic has no conditional write. So writers of ours are kept apart by a claim in
the provider's database, each looks at the node again once it has the claim, and
what was written counts only when it is read back.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

from flocx_common.domain.clock import Clock
from flocx_common.domain.errors import Unavailable
from flocx_common.domain.holders import MARK, NodeAttributes, holders_of
from flocx_common.domain.json_values import JSON
from flocx_provider.domain.node import NodeFacts
from flocx_provider.drivers.ironic_client import IronicClient, Node
from flocx_provider.drivers.ironic_hardware import hardware_document
from flocx_provider.drivers.ironic_states import busy_with, deployed, problem_of
from flocx_provider.drivers.own_database import kept
from flocx_provider.ports.inspections import Inspection, Inspections
from flocx_provider.ports.inventory import InventoryUnavailable, NodeClaimed, NodeTaken
from flocx_provider.ports.node_claims import NodeClaims

LOG = logging.getLogger(__name__)

_MARK_PATH = f"/properties/{MARK}"


class Servers(Protocol):
    """The servers that may be deployed on nodes."""

    def delete(self, server_uuid: str) -> bool:
        """Ask for the deletion of a server, and return whether there is one.

        :raises InventoryUnavailable: nobody answers.
        """


class IronicInventory:
    """The nodes of an Ironic.

    :param servers: who deletes a server before its node is undeployed; None for nobody.
    :param inspections: where what inspections found is kept; None to leave it out of hardware documents.
    :param claim_timeout: how long a claim holds when whoever made it is gone.
    """

    #: Nodes are cleaned between contracts.
    turnaround = 600
    #: What Nova let through at the last moment takes some seconds to show on the node.
    release_delay = 30

    def __init__(
        self,
        client: IronicClient,
        *,
        attributes: NodeAttributes,
        claims: NodeClaims,
        inspections: Inspections | None,
        servers: Servers | None,
        claim_timeout: timedelta,
        clock: Clock,
    ) -> None:
        self._client = client
        self._attributes = attributes
        self._claims = claims
        self._inspections = inspections
        self._servers = servers
        self._claim_timeout = claim_timeout
        self._clock = clock
        # Threads of a process are writers of their own.
        self._process = f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(8)}"
        self._found: dict[str, Inspection] = {}
        self._told: set[str] = set()

    def nodes(self) -> Sequence[NodeFacts]:
        """Return all nodes, by one list, and by one call for each offered node that was inspected again.

        :raises InventoryUnavailable: Ironic does not answer.
        """
        nodes = self._client.nodes()
        found = self._inspected(nodes)
        return [self._facts(node, found.get(node["uuid"])) for node in nodes]

    def node(self, name_or_uuid: str, *, inspected: bool = False) -> NodeFacts | None:
        """Return a node by name or uuid.

        :param inspected: read what the last inspection found, too, unless it is known already.
        :raises InventoryUnavailable: Ironic does not answer.
        """
        node = self._client.node(name_or_uuid)
        if node is None:
            return None
        if self._inspections is None:
            return self._facts(node, None)
        if inspected and node.get("inspection_finished_at"):
            return self._facts(node, self._inspect(node))
        with kept():
            return self._facts(node, self._inspections.get([node["uuid"]]).get(node["uuid"]))

    def assign(self, node_uuid: str, *, lessee_project_id: str, contract_uuid: str) -> None:
        """Give an unmarked node the contract's mark and the lessee.

        :raises NodeTaken: it carries another mark, or somebody else's lessee or instance.
        :raises NodeClaimed: another manager is writing to it.
        :raises NodeRefused: Ironic does not take the change.
        :raises InventoryUnavailable: Ironic does not answer.
        """
        with self._claimed(node_uuid):
            node = self._client.node(node_uuid)
            if node is None:
                raise NodeTaken(f"node: {node_uuid} is gone")
            before = holders_of(node, self._attributes)
            fresh = before.contract_uuid is None
            if not fresh and before.contract_uuid != contract_uuid:
                raise NodeTaken(f"node: {node_uuid} carries the mark of another contract")
            if before.conflict is not None:
                raise NodeTaken(f"node: {node_uuid}: {before.conflict}")
            if before.lessee_project_id not in ((None,) if fresh else (None, lessee_project_id)):
                raise NodeTaken(f"node: {node_uuid} carries a lessee that FLOCX did not set")
            if fresh and deployed(node):
                raise NodeTaken(f"node: {node_uuid}: an instance is on it")
            changes = [
                _set(_MARK_PATH, contract_uuid),
                *(_set(path, lessee_project_id) for path in self._lessee_paths()),
            ]
            self._patch(node, changes)
            after = self._client.node(node_uuid)
            if fresh and after is not None and deployed(after):
                # Somebody deployed it in between. Under our mark it would be taken for the
                # lessee's and removed at the end, so the node goes back as it was.
                self._clear(after, contract_uuid)
                raise NodeTaken(f"node: {node_uuid}: an instance is on it")

    def remove_lessee(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark; the mark stays.

        :raises NodeClaimed: another manager is writing to it.
        :raises NodeRefused: Ironic does not take the change.
        :raises InventoryUnavailable: Ironic does not answer.
        """
        with self._marked(node_uuid, contract_uuid) as node:
            if node is not None:
                self._patch(node, self._removals(node))

    def undeploy(self, node_uuid: str, *, contract_uuid: str, directly: bool = False) -> None:
        """Begin to undo what is deployed on a node that carries the contract's mark.

        A server of Nova's is deleted through Nova, where that is configured.

        :param directly: do not ask Nova, which had its time.
        :raises NodeClaimed: another manager is writing to it.
        :raises NodeRefused: Ironic does not take the change.
        :raises InventoryUnavailable: Ironic or Nova does not answer.
        """
        with self._marked(node_uuid, contract_uuid) as node:
            if node is None or not deployed(node):
                return
            server = node.get("instance_uuid")
            if server and self._servers is not None and not directly and self._servers.delete(server):
                return
            if node.get("provision_state") == "available":
                # Only reserved: nothing was deployed yet.
                self._patch(node, [{"op": "remove", "path": "/instance_uuid"}])
            else:
                self._client.undeploy(node_uuid)

    def remove_mark(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the contract's mark from a node, and the lessee with it.

        :raises NodeClaimed: another manager is writing to it.
        :raises NodeRefused: Ironic does not take the change.
        :raises InventoryUnavailable: Ironic does not answer.
        """
        with self._marked(node_uuid, contract_uuid) as node:
            if node is not None:
                self._clear(node, contract_uuid)

    def check(self) -> None:
        """Say nothing when Ironic answers us. That it shows no node is told in the log, once.

        :raises InventoryUnavailable: it does not.
        """
        if not self._client.nodes(limit=1):
            self._tell(
                "empty",
                "Ironic shows no node. Where there are some, the user of [ironic] needs the role service, with "
                "rbac_service_role_elevated_access in Ironic, or a system scope.",
            )

    def _facts(self, node: Node, inspection: Inspection | None) -> NodeFacts:
        holders = holders_of(node, self._attributes)
        found = None if inspection is None else inspection.found
        return NodeFacts(
            node_uuid=node["uuid"],
            name=node.get("name"),
            owner_project_id=holders.owner_project_id,
            resource_class=node.get("resource_class"),
            properties=hardware_document(node, found, self._attributes.keys),
            lessee_project_id=holders.lessee_project_id,
            contract_uuid=holders.contract_uuid,
            problem=problem_of(node),
            deployed=deployed(node),
            busy=busy_with(node),
            conflict=holders.conflict,
        )

    def _inspected(self, nodes: Sequence[Node]) -> Mapping[str, Inspection]:
        """Return what is known of these nodes, after reading anew what has changed."""
        if self._inspections is None:
            return {}
        with kept():
            known = self._inspections.known()
        listed = {node["uuid"]: node for node in nodes}
        for uuid, inspected_at in known.items():
            node = listed.get(uuid)
            if node is not None and node.get("inspection_finished_at") not in (None, inspected_at):
                try:
                    self._inspect(node)
                except InventoryUnavailable as error:
                    # What was found before stands; one node's trouble is its own.
                    self._tell(f"inspection {uuid}", f"node {uuid}: its inspection cannot be read: {error.detail}")
        missing = [
            uuid
            for uuid, inspected_at in known.items()
            if uuid in listed and (uuid not in self._found or self._found[uuid].inspected_at != inspected_at)
        ]
        if missing:
            with kept():
                self._found.update(self._inspections.get(missing))
        return {uuid: self._found[uuid] for uuid in listed if uuid in known and uuid in self._found}

    def _inspect(self, node: Node) -> Inspection:
        """Return what the last inspection of a node found, after reading and remembering it unless it is known."""
        assert self._inspections is not None
        uuid, inspected_at = node["uuid"], str(node["inspection_finished_at"])
        with kept():
            known = self._inspections.get([uuid]).get(uuid)
        if known is None or known.inspected_at != inspected_at:
            inventory: JSON = self._client.inspection(uuid).get("inventory")
            known = Inspection(inspected_at, {} if inventory is None else {"inventory": inventory})
            with kept():
                self._inspections.put(uuid, known)
        self._found[uuid] = known
        self._told.discard(f"inspection {uuid}")
        return known

    def _lessee_paths(self) -> Sequence[str]:
        own = f"/{self._attributes.lessee}"
        return [own, "/lessee"] if self._attributes.mirror_lessee and own != "/lessee" else [own]

    def _removals(self, node: Node) -> list[Mapping[str, Any]]:
        properties = node.get("properties") or {}
        return [
            {"op": "remove", "path": path}
            for path in self._lessee_paths()
            if (node.get("lessee") if path == "/lessee" else properties.get(path.rpartition("/")[2])) is not None
        ]

    def _clear(self, node: Node, contract_uuid: str) -> None:
        if holders_of(node, self._attributes).contract_uuid == contract_uuid:
            self._patch(node, [*self._removals(node), {"op": "remove", "path": _MARK_PATH}])

    def _patch(self, node: Node, changes: Sequence[Mapping[str, Any]]) -> None:
        if changes:
            # Looking at it may have taken as long as a claim lasts: another may have it by now.
            self._claim(node["uuid"])
            self._client.patch(node["uuid"], changes)

    @contextmanager
    def _claimed(self, node_uuid: str) -> Iterator[None]:
        """Keep other writers of ours off a node.

        :raises NodeClaimed: one of them is at it.
        """
        self._claim(node_uuid)
        try:
            yield
        finally:
            try:
                self._claims.release(node_uuid, self._holder())
            except Unavailable:
                LOG.debug("node %s: the claim could not be given back and will run out", node_uuid)

    def _claim(self, node_uuid: str) -> None:
        now = self._clock.now()
        with kept():
            if not self._claims.claim(node_uuid, self._holder(), now, now + self._claim_timeout):
                raise NodeClaimed(f"node: {node_uuid}: another manager is writing to it")

    def _holder(self) -> str:
        return f"{self._process}:{threading.get_ident()}"

    @contextmanager
    def _marked(self, node_uuid: str, contract_uuid: str) -> Iterator[Node | None]:
        """Claim a node and yield it as it is now, or None when it does not carry the contract's mark."""
        node = self._client.node(node_uuid)
        if node is None or holders_of(node, self._attributes).contract_uuid != contract_uuid:
            yield None
            return
        with self._claimed(node_uuid):
            node = self._client.node(node_uuid)
            ours = node is not None and holders_of(node, self._attributes).contract_uuid == contract_uuid
            yield node if ours else None

    def _tell(self, key: str, message: str) -> None:
        if key not in self._told:
            self._told.add(key)
            LOG.warning(message)


def _set(path: str, value: str) -> Mapping[str, str]:
    # In a JSON patch "add" puts a value in the place of one that is there.
    return {"op": "add", "path": path, "value": value}
