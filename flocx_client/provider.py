# SPDX-License-Identifier: Apache-2.0
"""A provider's API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flocx_client.adapter import Entity, ServiceClient


class ProviderClient(ServiceClient):
    """Calls of a provider. Lists are iterators that ask for more as they are used."""

    service_type = "baremetal-provider"

    def nodes(self, **query: Any) -> Iterator[Entity]:
        """Yield the caller's nodes; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._list("nodes", query)

    def node(self, name_or_uuid: str) -> Entity:
        """Return one of the caller's nodes."""
        return self._one("GET", "nodes", name_or_uuid)

    def node_access(self, name_or_uuid: str) -> Entity:
        """Return whether the caller's project may use a node now, and why."""
        return self._one("GET", "nodes", name_or_uuid, "access")

    def offers(self, **query: Any) -> Iterator[Entity]:
        """Yield the caller's offers; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._list("offers", query)

    def offer(self, uuid: str) -> Entity:
        """Return an offer."""
        return self._one("GET", "offers", uuid)

    def create_offer(self, **fields: Any) -> Entity:
        """Offer a node."""
        return self._one("POST", "offers", body=fields)

    def update_offer(self, uuid: str, **fields: Any) -> Entity:
        """Change an offer's price or end."""
        return self._one("PATCH", "offers", uuid, body=fields)

    def delete_offer(self, uuid: str) -> None:
        """Withdraw an offer."""
        self._delete("offers", uuid)

    def contracts(self, **query: Any) -> Iterator[Entity]:
        """Yield contracts on the provider's nodes; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._list("contracts", query)

    def contract(self, uuid: str) -> Entity:
        """Return a contract on the provider's nodes."""
        return self._one("GET", "contracts", uuid)
