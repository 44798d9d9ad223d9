# SPDX-License-Identifier: Apache-2.0
"""The market's API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from keystoneauth1 import session as ksa_session

from flocx_client import waiting
from flocx_client.adapter import service_adapter
from flocx_client.errors import NothingFound
from flocx_client.resources import (
    Allocation,
    AllocationChange,
    Bid,
    Capacity,
    Contract,
    Explanation,
    MarketOffer,
    Provider,
)
from flocx_client.service import ServiceCalls

#: The service's type in the catalog.
SERVICE_TYPE = "baremetal-market"


class MarketCalls(ServiceCalls):
    """Calls of the market. Lists are iterators that ask for more as they are used.

    ``query`` holds filters by field (``status="open"``,
    ``limit_price="lt:3"``), ``sort`` (``"created_at:desc"``) and ``limit``, the
    size of a page.
    """

    def bids(self, **query: Any) -> Iterator[Bid]:
        """Yield bids."""
        return self._service.listed(Bid, "bids", query)

    def get_bid(self, bid: str | Bid) -> Bid:
        """Return a bid."""
        return self._service.one(Bid, "GET", "bids", bid)

    def find_bid(self, name_or_uuid: str) -> Bid:
        """Return the bid of a name or UUID.

        :raises NothingFound: there is none.
        :raises Ambiguous: several have the name.
        """
        return self._service.find(Bid, "bids", name_or_uuid)

    def create_bid(self, **fields: Any) -> Bid:
        """Place a bid."""
        return self._service.create(Bid, "bids", fields)

    def update_bid(self, bid: str | Bid, *, if_match: str | None = None, **fields: Any) -> Bid:
        """Change an open bid."""
        return self._service.one(Bid, "PATCH", "bids", bid, body=fields, if_match=if_match)

    def delete_bid(self, bid: str | Bid, *, ignore_missing: bool = True) -> None:
        """Cancel an open bid."""
        self._service.delete("bids", bid, ignore_missing=ignore_missing)

    def explain_bid(self, bid: str | Bid) -> Explanation:
        """Return why a bid is open."""
        return self._service.one(Explanation, "GET", "bids", bid, "explanation")

    def dry_run_bid(self, **fields: Any) -> Explanation:
        """Return what would become of a bid that is not placed."""
        return self._service.one(Explanation, "POST", "bids", "explain", body=fields)

    def capacity(self, **fields: Any) -> Capacity:
        """Return how many nodes could be had now at which price, and the indicative price of a bid.

        ``fields`` are those of a bid, a limit price not needed, and ``max_steps``. With
        ``earnings={"node": name_or_uuid, "days": 30}`` an owner is told as well what a
        node would have earned. A market before microversion 1.1 has no such call.

        :raises NodeNotFound: the project has offered no such node.
        :raises VersionUnsupported: the market is too old.
        """
        return self._service.one(Capacity, "POST", "capacity", body=fields, microversion="1.1")

    def wait_for_contract(
        self, bid: str | Bid, *, timeout: float, progress: Callable[[waiting.Progress], None] = waiting.silent
    ) -> Contract:
        """Wait until a bid is matched and return its contract.

        :param timeout: seconds to wait at the most.
        :param progress: told of each look, with the bid and the seconds waited.
        :raises WaitTimedOut: it is still open.
        :raises WaitInVain: it was cancelled or has expired.
        """
        matched = waiting.until(
            lambda: self.get_bid(bid), self.events, lambda one: one.status == "matched", ("open",), timeout, progress
        )
        return self._contract_of(matched)

    def wait_for_active(
        self, contract: str | Contract, *, timeout: float, progress: Callable[[waiting.Progress], None] = waiting.silent
    ) -> Contract:
        """Wait until a contract's nodes are handed over and return it.

        :param timeout: seconds to wait at the most.
        :param progress: told of each look, with the contract and the seconds waited.
        :raises WaitTimedOut: they are not yet.
        :raises WaitInVain: the contract is over.
        """
        return waiting.until(
            lambda: self.get_contract(contract),
            self.events,
            lambda one: one.status == "active",
            ("created",),
            timeout,
            progress,
        )

    def offers(self, **query: Any) -> Iterator[MarketOffer]:
        """Yield offers; ``requirements`` (JSON), ``available_from`` and ``available_until`` filter, too."""
        return self._service.listed(MarketOffer, "offers", query)

    def get_offer(self, offer: str | MarketOffer) -> MarketOffer:
        """Return an offer."""
        return self._service.one(MarketOffer, "GET", "offers", offer)

    def find_offer(self, name_or_uuid: str) -> MarketOffer:
        """Return the offer of a name or UUID.

        :raises NothingFound: there is none.
        :raises Ambiguous: several have the name.
        """
        return self._service.find(MarketOffer, "offers", name_or_uuid)

    def put_offer(self, uuid: str, **fields: Any) -> MarketOffer:
        """Publish an offer, as its provider's service user."""
        return self._service.one(MarketOffer, "PUT", "offers", uuid, body=fields)

    def delete_offer(self, offer: str | MarketOffer, *, ignore_missing: bool = True) -> None:
        """Withdraw an offer, as its provider's service user."""
        self._service.delete("offers", offer, ignore_missing=ignore_missing)

    def contracts(self, **query: Any) -> Iterator[Contract]:
        """Yield contracts."""
        return self._service.listed(Contract, "contracts", query)

    def get_contract(self, contract: str | Contract) -> Contract:
        """Return a contract."""
        return self._service.one(Contract, "GET", "contracts", contract)

    def find_contract(self, uuid_or_bid: str) -> Contract:
        """Return the contract of its UUID, or the live or last one of its bid's UUID or name.

        :raises NothingFound: there is none.
        :raises Ambiguous: several bids have the name.
        """
        try:
            return self._service.find(Contract, "contracts", uuid_or_bid, ())
        except NothingFound as no_contract:
            try:
                bid = self.find_bid(uuid_or_bid)
            except NothingFound:
                # Whoever asked meant a contract.
                raise no_contract from None
        return self._contract_of(bid)

    def _contract_of(self, bid: Bid) -> Contract:
        """Return a bid's live contract, or else its last: one that was called off by an owner may have been followed."""
        found = list(self.contracts(bid_uuid=bid.uuid, sort="created_at:desc"))
        live = [contract for contract in found if contract.status in ("created", "active")]
        if not found:
            raise NothingFound(f"contracts: the bid {bid.uuid!r} has none")
        return (live or found)[0]

    def cancel_contract(self, contract: str | Contract) -> Contract:
        """Call a contract off before its start."""
        return self._service.one(Contract, "POST", "contracts", contract, "cancel")

    def terminate_contract(self, contract: str | Contract) -> Contract:
        """End a running contract."""
        return self._service.one(Contract, "POST", "contracts", contract, "terminate")

    def release_allocation(self, allocation: str | Allocation) -> Allocation:
        """Give a node back, or take it back early as its owner's manager."""
        return self._service.one(Allocation, "POST", "allocations", allocation, "release")

    def allocation_changes(
        self, *, since: str | None = None, wait: float = 0, limit: int | None = None
    ) -> tuple[list[AllocationChange], str]:
        """Return allocations that changed after a cursor, and the cursor to go on from; for providers.

        :param wait: seconds to wait for a change where there is none yet.
        """
        return self._service.changes(AllocationChange, "allocations", since, wait, limit)

    def report_allocation(self, allocation: str | Allocation, **fields: Any) -> Allocation:
        """Tell what became of an allocation, as its provider's service user."""
        return self._service.one(Allocation, "PATCH", "allocations", allocation, body=fields)

    def providers(self, **query: Any) -> Iterator[Provider]:
        """Yield providers."""
        return self._service.listed(Provider, "providers", query)

    def get_provider(self, provider: str | Provider) -> Provider:
        """Return a provider."""
        return self._service.one(Provider, "GET", "providers", provider)

    def find_provider(self, name_or_uuid: str) -> Provider:
        """Return the provider of a name or UUID.

        :raises NothingFound: there is none.
        """
        return self._service.find(Provider, "providers", name_or_uuid)

    def create_provider(self, **fields: Any) -> Provider:
        """Register a provider."""
        return self._service.create(Provider, "providers", fields)

    def update_provider(self, provider: str | Provider, *, if_match: str | None = None, **fields: Any) -> Provider:
        """Change a provider's name or turnaround."""
        return self._service.one(Provider, "PATCH", "providers", provider, body=fields, if_match=if_match)

    def delete_provider(self, provider: str | Provider, *, ignore_missing: bool = True) -> None:
        """Remove a provider."""
        self._service.delete("providers", provider, ignore_missing=ignore_missing)

    def heartbeat(self, provider: str | Provider) -> Provider:
        """Say that a provider is alive."""
        return self._service.one(Provider, "PUT", "providers", provider, "heartbeat")


class MarketClient(MarketCalls):
    """A client of the market over a keystoneauth session.

    :param options: as those of :func:`flocx_client.adapter.service_adapter`.
    """

    def __init__(self, session: ksa_session.Session, **options: Any) -> None:
        self._service = service_adapter(session, SERVICE_TYPE, **options)
