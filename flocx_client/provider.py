# SPDX-License-Identifier: Apache-2.0
"""A provider's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from keystoneauth1 import session as ksa_session

from flocx_client.adapter import ServiceAdapter

Entity = dict[str, Any]

_MARGIN = 15.0


class ProviderClient:
    """Calls of a provider. Lists are iterators that ask for more as they are used."""

    def __init__(self, session: ksa_session.Session, **options: Any) -> None:
        self._service = ServiceAdapter(session, "baremetal-provider", **options)

    def nodes(self, **query: Any) -> Iterator[Entity]:
        """Yield the caller's nodes; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._service.pages("/v1/nodes", "nodes", query)

    def node(self, name_or_uuid: str) -> Entity:
        """Return one of the caller's nodes."""
        return self._entity("GET", f"/v1/nodes/{quote(name_or_uuid, safe='')}")

    def node_access(self, name_or_uuid: str) -> Entity:
        """Return whether the caller's project may use a node now, and why."""
        return self._entity("GET", f"/v1/nodes/{quote(name_or_uuid, safe='')}/access")

    def offers(self, **query: Any) -> Iterator[Entity]:
        """Yield the caller's offers; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._service.pages("/v1/offers", "offers", query)

    def offer(self, uuid: str) -> Entity:
        """Return an offer."""
        return self._entity("GET", f"/v1/offers/{uuid}")

    def create_offer(self, **fields: Any) -> Entity:
        """Offer a node."""
        return self._entity("POST", "/v1/offers", fields)

    def update_offer(self, uuid: str, **fields: Any) -> Entity:
        """Change an offer's price or end."""
        return self._entity("PATCH", f"/v1/offers/{uuid}", fields)

    def delete_offer(self, uuid: str) -> None:
        """Withdraw an offer."""
        self._service.call("DELETE", f"/v1/offers/{uuid}")

    def contracts(self, **query: Any) -> Iterator[Entity]:
        """Yield contracts on the provider's nodes; ``query`` holds filters, ``sort`` and ``limit``."""
        return self._service.pages("/v1/contracts", "contracts", query)

    def contract(self, uuid: str) -> Entity:
        """Return a contract on the provider's nodes."""
        return self._entity("GET", f"/v1/contracts/{uuid}")

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
