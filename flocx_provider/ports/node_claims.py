# SPDX-License-Identifier: Apache-2.0
"""Claims: of several managers that want to write to a node, one does."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class NodeClaims(Protocol):
    """Who may write to a node for the moment, for inventories that have no conditional write."""

    def claim(self, node_uuid: str, holder: str, now: datetime, until: datetime) -> bool:
        """Claim a node until an instant, and return whether it was free.

        It is where nobody has claimed it, where the claim has run out, or where
        the same holder has it already.
        """

    def release(self, node_uuid: str, holder: str) -> None:
        """Give a claim back; one that the holder no longer has stays as it is."""
