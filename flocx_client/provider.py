# SPDX-License-Identifier: Apache-2.0
"""A provider's API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keystoneauth1 import session as ksa_session

from flocx_client.adapter import service_adapter
from flocx_client.resources import DeliveredContract, Node, NodeAccess, Offer
from flocx_client.service import ServiceCalls

#: The service's type in the catalog.
SERVICE_TYPE = "baremetal-provider"


class ProviderCalls(ServiceCalls):
    """Calls of a provider. Lists are iterators that ask for more as they are used.

    ``query`` holds filters by field, ``sort`` and ``limit``, the size of a
    page. Nodes are named by name or UUID everywhere.
    """

    def nodes(self, **query: Any) -> Iterator[Node]:
        """Yield the caller's nodes, with what is offered and promised of them now."""
        return self._service.listed(Node, "nodes", query)

    def get_node(self, node: str | Node) -> Node:
        """Return one of the caller's nodes, with its whole history."""
        return self._service.one(Node, "GET", "nodes", node)

    def get_node_access(self, node: str | Node) -> NodeAccess:
        """Return whether the caller's project may use a node now, and why."""
        return self._service.one(NodeAccess, "GET", "nodes", node, "access")

    def offers(self, **query: Any) -> Iterator[Offer]:
        """Yield the caller's offers."""
        return self._service.listed(Offer, "offers", query)

    def get_offer(self, offer: str | Offer) -> Offer:
        """Return an offer."""
        return self._service.one(Offer, "GET", "offers", offer)

    def find_offer(self, name_or_uuid: str) -> Offer:
        """Return the offer of a name or UUID.

        :raises NothingFound: there is none.
        :raises Ambiguous: several have the name.
        """
        return self._service.find(Offer, "offers", name_or_uuid)

    def create_offer(self, **fields: Any) -> Offer:
        """Offer a node."""
        return self._service.create(Offer, "offers", fields)

    def update_offer(self, offer: str | Offer, *, if_match: str | None = None, **fields: Any) -> Offer:
        """Change an offer's price or end."""
        return self._service.one(Offer, "PATCH", "offers", offer, body=fields, if_match=if_match)

    def delete_offer(self, offer: str | Offer, *, ignore_missing: bool = True) -> None:
        """Withdraw an offer."""
        self._service.delete("offers", offer, ignore_missing=ignore_missing)

    def contracts(self, **query: Any) -> Iterator[DeliveredContract]:
        """Yield contracts on the provider's nodes."""
        return self._service.listed(DeliveredContract, "contracts", query)

    def get_contract(self, contract: str | DeliveredContract) -> DeliveredContract:
        """Return a contract on the provider's nodes."""
        return self._service.one(DeliveredContract, "GET", "contracts", contract)


class ProviderClient(ProviderCalls):
    """A client of a provider over a keystoneauth session.

    :param options: as those of :func:`flocx_client.adapter.service_adapter`.
    """

    def __init__(self, session: ksa_session.Session, **options: Any) -> None:
        self._service = service_adapter(session, SERVICE_TYPE, **options)
