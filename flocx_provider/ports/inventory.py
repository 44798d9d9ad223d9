# SPDX-License-Identifier: Apache-2.0
"""The inventory: the machines of a cloud, and how a node changes hands there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flocx_common.domain.errors import Conflict, Unavailable
from flocx_provider.domain.node import NodeFacts


class InventoryUnavailable(Unavailable):
    """The inventory does not answer, or cannot be read now."""

    code = "flocx.inventory.unavailable"
    title = "The inventory does not answer"


class NodeTaken(Conflict):
    """The node carries somebody else's mark or lessee; it was left alone."""

    code = "flocx.node.taken"
    title = "The node is somebody else's now"


class NodeClaimed(Conflict):
    """Another manager is writing to the node; it was left alone."""

    code = "flocx.node.claimed"
    title = "Another manager is at work on the node"


class NodeRefused(Conflict):
    """The inventory answers, and refuses the change as the node is now."""

    code = "flocx.node.refused"
    title = "The inventory refuses the change"


class NodeInventory(Protocol):
    """The machines of a cloud.

    Every change is conditional on our contract's mark and harmless to repeat.
    ``turnaround`` is the time in seconds that nodes of this kind of inventory
    need between two contracts, and ``release_delay`` how long they keep our mark
    after an end, where the operator says nothing else.
    """

    turnaround: int
    release_delay: int

    def nodes(self) -> Sequence[NodeFacts]:
        """Return all machines, by a number of calls that does not grow one by one with theirs.

        :raises InventoryUnavailable: it does not answer.
        """

    def node(self, name_or_uuid: str, *, inspected: bool = False) -> NodeFacts | None:
        """Return a machine by name or uuid.

        :param inspected: read what is slow to read of its hardware, too, unless it is known already.
        :raises InventoryUnavailable: it does not answer.
        """

    def assign(self, node_uuid: str, *, lessee_project_id: str, contract_uuid: str) -> None:
        """Give an unmarked node the contract's mark and the lessee.

        :raises NodeTaken: it carries another mark, or somebody else's lessee or instance.
        :raises NodeClaimed: another manager is writing to it.
        :raises NodeRefused: it cannot be changed as it is now.
        :raises InventoryUnavailable: it does not answer.
        """

    def remove_lessee(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark; the mark stays.

        :raises InventoryUnavailable: it does not answer.
        """

    def undeploy(self, node_uuid: str, *, contract_uuid: str, directly: bool = False) -> None:
        """Begin to undo what is deployed on a node that carries the contract's mark.

        :param directly: do not ask the service that deployed it, which had its time.
        :raises InventoryUnavailable: it does not answer.
        """

    def remove_mark(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the contract's mark from a node.

        :raises InventoryUnavailable: it does not answer.
        """

    def check(self) -> None:
        """Say nothing when the inventory can be read.

        :raises InventoryUnavailable: it cannot.
        """
