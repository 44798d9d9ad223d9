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


class NodeInventory(Protocol):
    """The machines of a cloud.

    Every change is conditional on our contract's mark and harmless to repeat.
    ``turnaround`` is the time in seconds that nodes of this kind of inventory
    need between two contracts, where the operator says nothing else.
    """

    turnaround: int

    def nodes(self) -> Sequence[NodeFacts]:
        """Return all machines, by a number of calls that does not grow one by one with theirs.

        :raises InventoryUnavailable: it does not answer.
        """

    def node(self, name_or_uuid: str) -> NodeFacts | None:
        """Return a machine by name or uuid.

        :raises InventoryUnavailable: it does not answer.
        """

    def assign(self, node_uuid: str, *, lessee_project_id: str, contract_uuid: str) -> None:
        """Give an unmarked node the contract's mark and the lessee.

        :raises NodeTaken: it carries another mark.
        :raises InventoryUnavailable: it does not answer.
        """

    def remove_lessee(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark; the mark stays.

        :raises InventoryUnavailable: it does not answer.
        """

    def undeploy(self, node_uuid: str, *, contract_uuid: str) -> None:
        """Begin to undo what is deployed on a node that carries the contract's mark.

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
