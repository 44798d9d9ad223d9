# SPDX-License-Identifier: Apache-2.0
"""The market's API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flocx_client.adapter import Entity, ServiceClient


class MarketClient(ServiceClient):
    """Calls of the market. Lists are iterators that ask for more as they are used."""

    service_type = "baremetal-market"

    def bids(self, **query: Any) -> Iterator[Entity]:
        """Yield bids; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._list("bids", query)

    def bid(self, uuid: str) -> Entity:
        """Return a bid."""
        return self._one("GET", "bids", uuid)

    def create_bid(self, **fields: Any) -> Entity:
        """Place a bid."""
        return self._one("POST", "bids", body=fields)

    def update_bid(self, uuid: str, **fields: Any) -> Entity:
        """Change an open bid."""
        return self._one("PATCH", "bids", uuid, body=fields)

    def delete_bid(self, uuid: str) -> None:
        """Cancel an open bid."""
        self._delete("bids", uuid)

    def explain_bid(self, uuid: str) -> Entity:
        """Return why a bid is open."""
        return self._one("GET", "bids", uuid, "explanation")

    def explain(self, **fields: Any) -> Entity:
        """Return what would become of a bid that is not placed."""
        return self._one("POST", "bids", "explain", body=fields)

    def offers(self, **query: Any) -> Iterator[Entity]:
        """Yield offers; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._list("offers", query)

    def offer(self, uuid: str) -> Entity:
        """Return an offer."""
        return self._one("GET", "offers", uuid)

    def put_offer(self, uuid: str, **fields: Any) -> Entity:
        """Publish an offer, as its provider's service user."""
        return self._one("PUT", "offers", uuid, body=fields)

    def delete_offer(self, uuid: str) -> None:
        """Withdraw an offer, as its provider's service user."""
        self._delete("offers", uuid)

    def contracts(self, **query: Any) -> Iterator[Entity]:
        """Yield contracts; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._list("contracts", query)

    def contract(self, uuid: str) -> Entity:
        """Return a contract."""
        return self._one("GET", "contracts", uuid)

    def cancel_contract(self, uuid: str) -> Entity:
        """Call a contract off before its start."""
        return self._one("POST", "contracts", uuid, "cancel")

    def terminate_contract(self, uuid: str) -> Entity:
        """End a running contract."""
        return self._one("POST", "contracts", uuid, "terminate")

    def release_allocation(self, uuid: str) -> Entity:
        """Give a node back, or take it back early as its owner's manager."""
        return self._one("POST", "allocations", uuid, "release")

    def allocation_changes(
        self, *, since: str | None = None, wait: float = 0, limit: int | None = None
    ) -> tuple[list[Entity], str]:
        """Return allocations that changed after a cursor, and the cursor to go on from.

        :param wait: seconds to wait for a change where there is none yet.
        """
        return self._changes("allocations", since, wait, limit)

    def report_allocation(self, uuid: str, **fields: Any) -> Entity:
        """Tell what became of an allocation, as its provider's service user."""
        return self._one("PATCH", "allocations", uuid, body=fields)

    def providers(self, **query: Any) -> Iterator[Entity]:
        """Yield providers; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._list("providers", query)

    def provider(self, uuid: str) -> Entity:
        """Return a provider."""
        return self._one("GET", "providers", uuid)

    def create_provider(self, **fields: Any) -> Entity:
        """Register a provider."""
        return self._one("POST", "providers", body=fields)

    def update_provider(self, uuid: str, **fields: Any) -> Entity:
        """Change a provider's name or turnaround."""
        return self._one("PATCH", "providers", uuid, body=fields)

    def delete_provider(self, uuid: str) -> None:
        """Remove a provider."""
        self._delete("providers", uuid)

    def heartbeat(self, uuid: str) -> Entity:
        """Say that a provider is alive."""
        return self._one("PUT", "providers", uuid, "heartbeat")
