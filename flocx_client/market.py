# SPDX-License-Identifier: Apache-2.0
"""The market's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keystoneauth1 import session as ksa_session

from flocx_client.adapter import ServiceAdapter

Entity = dict[str, Any]

# How much longer than a long poll its answer may take.
_MARGIN = 15.0


class MarketClient:
    """Calls of the market. Lists are iterators that ask for more as they are used."""

    def __init__(self, session: ksa_session.Session, **options: Any) -> None:
        self._service = ServiceAdapter(session, "baremetal-market", **options)

    def bids(self, **query: Any) -> Iterator[Entity]:
        """Yield bids; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._service.pages("/v1/bids", "bids", query)

    def bid(self, uuid: str) -> Entity:
        """Return a bid."""
        return self._entity("GET", f"/v1/bids/{uuid}")

    def create_bid(self, **fields: Any) -> Entity:
        """Place a bid."""
        return self._entity("POST", "/v1/bids", fields)

    def update_bid(self, uuid: str, **fields: Any) -> Entity:
        """Change an open bid."""
        return self._entity("PATCH", f"/v1/bids/{uuid}", fields)

    def delete_bid(self, uuid: str) -> None:
        """Cancel an open bid."""
        self._service.call("DELETE", f"/v1/bids/{uuid}")

    def explain_bid(self, uuid: str) -> Entity:
        """Return why a bid is open."""
        return self._entity("GET", f"/v1/bids/{uuid}/explanation")

    def explain(self, **fields: Any) -> Entity:
        """Return what would become of a bid that is not placed."""
        return self._entity("POST", "/v1/bids/explain", fields)

    def offers(self, **query: Any) -> Iterator[Entity]:
        """Yield offers; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._service.pages("/v1/offers", "offers", query)

    def offer(self, uuid: str) -> Entity:
        """Return an offer."""
        return self._entity("GET", f"/v1/offers/{uuid}")

    def put_offer(self, uuid: str, **fields: Any) -> Entity:
        """Publish an offer, as its provider's service user."""
        return self._entity("PUT", f"/v1/offers/{uuid}", fields)

    def delete_offer(self, uuid: str) -> None:
        """Withdraw an offer, as its provider's service user."""
        self._service.call("DELETE", f"/v1/offers/{uuid}")

    def contracts(self, **query: Any) -> Iterator[Entity]:
        """Yield contracts; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._service.pages("/v1/contracts", "contracts", query)

    def contract(self, uuid: str) -> Entity:
        """Return a contract."""
        return self._entity("GET", f"/v1/contracts/{uuid}")

    def cancel_contract(self, uuid: str) -> Entity:
        """Call a contract off before its start."""
        return self._entity("POST", f"/v1/contracts/{uuid}/cancel")

    def terminate_contract(self, uuid: str) -> Entity:
        """End a running contract."""
        return self._entity("POST", f"/v1/contracts/{uuid}/terminate")

    def release_allocation(self, uuid: str) -> Entity:
        """Give a node back, or take it back early as its owner's manager."""
        return self._entity("POST", f"/v1/allocations/{uuid}/release")

    def allocation_changes(
        self, *, since: str | None = None, wait: float = 0, limit: int | None = None
    ) -> tuple[list[Entity], str]:
        """Return allocations that changed after a cursor, and the cursor to go on from.

        :param wait: seconds to wait for a change where there is none yet.
        """
        query = {"since": since, "wait": wait or None, "limit": limit}
        answer = self._service.call("GET", "/v1/allocations", query=query, timeout=wait + _MARGIN)
        return answer["allocations"], answer["next_since"]

    def report_allocation(self, uuid: str, **fields: Any) -> Entity:
        """Tell what became of an allocation, as its provider's service user."""
        return self._entity("PATCH", f"/v1/allocations/{uuid}", fields)

    def providers(self, **query: Any) -> Iterator[Entity]:
        """Yield providers; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._service.pages("/v1/providers", "providers", query)

    def provider(self, uuid: str) -> Entity:
        """Return a provider."""
        return self._entity("GET", f"/v1/providers/{uuid}")

    def create_provider(self, **fields: Any) -> Entity:
        """Register a provider."""
        return self._entity("POST", "/v1/providers", fields)

    def update_provider(self, uuid: str, **fields: Any) -> Entity:
        """Change a provider's name or turnaround."""
        return self._entity("PATCH", f"/v1/providers/{uuid}", fields)

    def delete_provider(self, uuid: str) -> None:
        """Remove a provider."""
        self._service.call("DELETE", f"/v1/providers/{uuid}")

    def heartbeat(self, uuid: str) -> Entity:
        """Say that a provider is alive."""
        return self._entity("PUT", f"/v1/providers/{uuid}/heartbeat")

    def events(
        self, *, since: str | None = None, wait: float = 0, limit: int | None = None
    ) -> tuple[list[Entity], str]:
        """Return events after a cursor, and the cursor to go on from; "latest" for none of what has been."""
        query = {"since": since, "wait": wait or None, "limit": limit}
        answer = self._service.call("GET", "/v1/events", query=query, timeout=wait + _MARGIN)
        return answer["events"], answer["next_since"]

    def _entity(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Entity:
        answer: Entity = self._service.call(method, path, body=body)
        return answer
