# SPDX-License-Identifier: Apache-2.0
"""The provider's storage, as its services see it.

A *store* runs work inside a transaction, as on the market: nothing is visible
before the work has returned, nothing remains when it raises, and it may be run
more than once, so it has no effect outside.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from flocx_common.domain.events import Event
from flocx_common.domain.paging import ListQuery, Page
from flocx_common.ports.events import EventReader
from flocx_provider.domain.allocation import Allocation, Contract
from flocx_provider.domain.offer import Offer, OfferStatus, Publication

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What this provider knows of its place on the market. ``cursor`` None means: from the start."""

    provider_uuid: str | None
    cursor: str | None


class Offers(Protocol):
    """Offers of this provider's owners."""

    def get(self, uuid: str) -> Offer | None:
        """Return an offer by uuid."""

    def page(self, query: ListQuery, owner_project_id: str | None) -> Page[Offer]:
        """Return a page of an owner's offers, or of all for None."""

    def with_status(self, statuses: Collection[OfferStatus]) -> Sequence[Offer]:
        """Return all offers in these statuses."""

    def to_publish(self, states: Collection[Publication], limit: int) -> Sequence[Offer]:
        """Return offers in these states of publication, longest unchanged first."""

    def of_nodes(self, node_uuids: Collection[str]) -> Sequence[Offer]:
        """Return all offers of these nodes, whatever became of them."""

    def standing_of(self, node_uuids: Collection[str]) -> Sequence[Offer]:
        """Return the offers of these nodes that can still be matched."""

    def add(self, offer: Offer) -> None:
        """Store a new offer.

        :raises IdTaken: the uuid is in use.
        """

    def update(self, offer: Offer) -> None:
        """Store a changed offer, unless it was changed by others since it was read."""


class Allocations(Protocol):
    """Allocations of this provider's nodes."""

    def get(self, uuid: str) -> Allocation | None:
        """Return an allocation by uuid."""

    def unsettled(self) -> Sequence[Allocation]:
        """Return those whose nodes may still carry something of ours, or are still to."""

    def to_report(self) -> Sequence[Allocation]:
        """Return those whose status the market is to be told."""

    def of_nodes(self, node_uuids: Collection[str]) -> Sequence[Allocation]:
        """Return all allocations of these nodes, whatever became of them, latest first."""

    def current_of(self, node_uuids: Collection[str], ended_after: datetime) -> Sequence[Allocation]:
        """Return the allocations of these nodes that are not done with or ended after an instant, latest first."""

    def of_contracts(self, contract_uuids: Collection[str]) -> Sequence[Allocation]:
        """Return all allocations of these contracts."""

    def add(self, allocation: Allocation) -> None:
        """Store a new allocation."""

    def update(self, allocation: Allocation) -> None:
        """Store a changed allocation, unless it was changed by others since it was read."""


class Contracts(Protocol):
    """This provider's own copy of the contracts that concern its nodes."""

    def get(self, uuid: str) -> Contract | None:
        """Return a contract by uuid."""

    def page(self, query: ListQuery, project_id: str | None) -> Page[Contract]:
        """Return a page of the contracts a project is lessee or owner in, or of all for None."""

    def put(self, contract: Contract) -> None:
        """Store a contract as it is."""


class Nodes(Protocol):
    """Generations of nodes: whoever changes what a node is offered for bumps its own."""

    def know(self, node_uuid: str) -> int:
        """Return a node's generation; a node never seen before starts at 0."""

    def bump(self, expected: Mapping[str, int]) -> None:
        """Compare-and-set the generations of nodes; if one has changed, the work is run anew."""


class Registration(Protocol):
    """Where this provider stands with the market."""

    def get(self) -> Registered:
        """Return it."""

    def put(self, registered: Registered) -> None:
        """Store it."""


class UnitOfWork(Protocol):
    """One transaction's view of everything stored."""

    @property
    def offers(self) -> Offers:
        """The offers."""

    @property
    def allocations(self) -> Allocations:
        """The allocations."""

    @property
    def contracts(self) -> Contracts:
        """The contracts."""

    @property
    def nodes(self) -> Nodes:
        """The generations of nodes."""

    @property
    def registration(self) -> Registration:
        """The place on the market."""

    @property
    def events(self) -> EventReader:
        """The events."""

    def record(self, *events: Event) -> None:
        """Write events with the transaction."""

    def place(self) -> int:
        """Return the place of the last committed change."""


class Store(Protocol):
    """Runs work in transactions."""

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run work that changes nothing, on one consistent snapshot.

        :raises Unavailable: the storage does not answer.
        """

    def write(self, work: Callable[[UnitOfWork], T], *, attempts: int = ...) -> T:
        """Run work and commit it, anew from the start when a concurrent change won.

        :raises Busy: others won every time; nothing was changed.
        :raises Unavailable: the storage does not answer.
        """
