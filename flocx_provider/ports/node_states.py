# SPDX-License-Identifier: Apache-2.0
"""What is remembered of machines whose inventory is a file that is never written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from flocx_common.domain.events import Event


@dataclass(frozen=True, slots=True)
class NodeState:
    """Why a machine is down (None: it is up), who holds it, and under which contract."""

    down_reason: str | None = None
    lessee_project_id: str | None = None
    contract_uuid: str | None = None


class NodeStates(Protocol):
    """States of machines by node uuid; one that was never changed is up and held by nobody."""

    def all(self) -> Mapping[str, NodeState]:
        """Return all known states."""

    def assign(self, node_uuid: str, lessee_project_id: str, contract_uuid: str) -> bool:
        """Give a node the mark and the lessee unless it carries another mark; return whether it did not."""

    def remove_lessee(self, node_uuid: str, contract_uuid: str) -> None:
        """Take the lessee from a node that carries the contract's mark."""

    def remove_mark(self, node_uuid: str, contract_uuid: str) -> None:
        """Take the contract's mark, and with it the lessee, from a node that carries it."""

    def set_down(self, node_uuid: str, reason: str | None, event: Event) -> None:
        """Set why a node is down, None for up, and tell of it."""
