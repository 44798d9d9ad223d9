# SPDX-License-Identifier: Apache-2.0
"""The market's storage, as its services see it.

A *store* runs work inside a transaction; the work gets a unit of work with one
repository for each kind of thing. Nothing is visible to others before the work
has returned, and nothing remains of it when it raises. Work may be run more
than once when a concurrent change won, so it has no effect outside.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeVar

from flocx_common.domain.events import Event
from flocx_common.domain.json_values import JSON
from flocx_common.domain.paging import ListQuery, Page
from flocx_common.domain.window import TimeWindow
from flocx_common.ports.events import EventReader
from flocx_market.domain.bid import Bid, BidStatus
from flocx_market.domain.book import Span
from flocx_market.domain.contract import Allocation, Contract
from flocx_market.domain.offer import Offer, OfferStatus
from flocx_market.domain.provider import Provider

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose eyes a list is read with; both None: everything may be seen."""

    project_id: str | None = None
    provider_uuid: str | None = None


@dataclass(frozen=True, slots=True)
class AllocationChange:
    """An allocation as it is now, with its contract, and its place in the order of changes."""

    number: int
    allocation: Allocation
    contract: Contract


class SaleLine(NamedTuple):
    """What a round reads of an available offer: instants in seconds since 1970, price in smallest steps.

    ``generation`` is that of its node.
    """

    uuid: str
    node_uuid: str
    node_name: str | None
    provider_uuid: str
    owner_project_id: str
    resource_class: str | None
    properties_digest: str
    window: Span
    reserve: int
    min_duration: int
    lessees: frozenset[str] | None
    generation: int


class BidWindow(NamedTuple):
    """What a round reads of an open bid to see whether its time is over: seconds since 1970."""

    uuid: str
    begin: int
    end: int
    duration: int | None


class AllocationTime(NamedTuple):
    """When an allocation takes its node, in seconds since 1970; ``keeps``: whether it keeps others from it."""

    uuid: str
    node_uuid: str
    begin: int
    end: int
    keeps: bool


class Changed(NamedTuple):
    """What a standing book has to look at again: what changed up to ``place``.

    ``bids`` are (event type, uuid), ``nodes`` those whose offers changed.
    """

    place: int
    bids: frozenset[tuple[str, str]]
    nodes: frozenset[str]
    allocations: Sequence[AllocationTime]


@dataclass(frozen=True, slots=True)
class Sold:
    """A window in which a node was taken, what its offer asks now, and what was paid."""

    window: TimeWindow
    reserve_price: Decimal
    clearing_price: Decimal


class Offers(Protocol):
    """Offers of all providers."""

    def get(self, uuid: str) -> Offer | None:
        """Return an offer by uuid."""

    def page(self, query: ListQuery, viewer: Viewer) -> Page[Offer]:
        """Return a page of the offers that ``viewer`` may see."""

    def with_status(self, statuses: Collection[OfferStatus], *, provider_uuid: str) -> Sequence[Offer]:
        """Return all offers of a provider in these statuses."""

    def available(self, node_uuids: Collection[str] | None = None) -> Sequence[SaleLine]:
        """Return what a round needs of the available offers, of these nodes or of all, without their documents."""

    def nodes_of(self, provider_uuids: Collection[str]) -> Collection[str]:
        """Return the nodes of the available offers of these providers."""

    def documents(self, digests: Collection[str]) -> Iterator[tuple[str, Mapping[str, JSON]]]:
        """Yield these hardware documents of available offers with their digests, one at a time.

        Nothing else may be asked before the last one has come.
        """

    def ended(self, now: datetime) -> Sequence[str]:
        """Return the uuids of the standing offers whose end has passed."""

    def of_node(self, node_uuid: str) -> Sequence[Offer]:
        """Return all offers of a node."""

    def by_uuid(self, uuids: Collection[str]) -> Mapping[str, Offer]:
        """Return those of these offers that exist."""

    def add(self, offer: Offer) -> None:
        """Store a new offer.

        :raises IdTaken: the uuid is in use.
        """

    def update(self, offer: Offer) -> None:
        """Store a changed offer, unless it was changed by others since it was read."""


class Bids(Protocol):
    """Bids of all projects."""

    def get(self, uuid: str) -> Bid | None:
        """Return a bid by uuid."""

    def page(self, query: ListQuery, viewer: Viewer) -> Page[Bid]:
        """Return a page of the bids that ``viewer`` may see."""

    def with_status(self, status: BidStatus) -> Sequence[Bid]:
        """Return all bids in a status."""

    def open_windows(self) -> Sequence[BidWindow]:
        """Return the windows of all open bids."""

    def by_uuid(self, uuids: Collection[str]) -> Mapping[str, Bid]:
        """Return those of these bids that exist."""

    def add(self, bid: Bid) -> None:
        """Store a new bid.

        :raises IdTaken: the uuid is in use.
        """

    def update(self, bid: Bid) -> None:
        """Store a changed bid, unless it was changed by others since it was read."""

    def match(self, bids: Sequence[Bid], now: datetime) -> None:
        """Set open bids matched, in one statement, unless one was changed since it was read."""


class Contracts(Protocol):
    """Contracts with their allocations."""

    def get(self, uuid: str) -> Contract | None:
        """Return a contract by uuid."""

    def with_allocation(self, allocation_uuid: str) -> Contract | None:
        """Return the contract that an allocation belongs to."""

    def page(self, query: ListQuery, viewer: Viewer) -> Page[Contract]:
        """Return a page of the contracts that ``viewer`` is lessee or owner in."""

    def due(self, *, end: datetime, notice: datetime, delivery: datetime) -> Sequence[Contract]:
        """Return the binding contracts that time may have something to do to, in the order of their uuids.

        Those that end by ``end``, those active and not yet warned of that end
        by ``notice``, and those with a node that should have been handed over,
        its time having begun by ``delivery``.
        """

    def seeking(self) -> Sequence[Contract]:
        """Return the binding contracts in which a replacement is sought, in the order of their uuids."""

    def add(self, contracts: Sequence[Contract]) -> None:
        """Store new contracts, in a number of statements that does not grow with theirs."""

    def update(self, contract: Contract) -> None:
        """Store a changed contract, unless it was changed by others since it was read."""

    def taken(self, since: datetime, node_uuids: Collection[str] | None = None) -> Mapping[str, Sequence[Span]]:
        """Return, by node, the stretches of time that keep it from other contracts and end after ``since``.

        Those are the times of live allocations, and of ended ones that were
        delivered: the node has to be cleaned after them.
        """

    def sold_like(self, offer: Offer, since: datetime, until: datetime) -> Sequence[Sold]:
        """Return the windows between two instants in which nodes like an offer's were taken from other contracts.

        Like it are those of its resource class or, where it has none, of its very
        hardware; by offers that its owner may see, and to lessees other than it.
        """

    def changed(self, provider_uuid: str, since: int, limit: int) -> Sequence[AllocationChange]:
        """Return a provider's allocations that changed after a place, in the order of changes."""

    def unsettled(self, provider_uuid: str) -> bool:
        """Tell whether a provider still has an allocation to deliver or to take back."""


class Providers(Protocol):
    """Registered providers."""

    def get(self, uuid: str) -> Provider | None:
        """Return a provider by uuid, removed or not."""

    def speaking(self, service_user_id: str) -> Provider | None:
        """Return the provider that a service user speaks for."""

    def page(self, query: ListQuery, service_user_id: str | None) -> Page[Provider]:
        """Return a page of the providers a service user speaks for, or of all for None, without removed ones."""

    def all(self) -> Sequence[Provider]:
        """Return all providers that are not removed."""

    def add(self, provider: Provider) -> None:
        """Store a new provider.

        :raises IdTaken: the uuid, the name or the service user is in use.
        """

    def update(self, provider: Provider) -> None:
        """Store a changed provider, unless it was changed by others since it was read.

        :raises IdTaken: the name is in use.
        """

    def heard(self, uuid: str, now: datetime) -> None:
        """Note when a provider was last heard of."""


class Nodes(Protocol):
    """Generations of nodes: whoever changes what a node can be sold for bumps its own."""

    def generations(self, node_uuids: Collection[str] | None = None) -> Mapping[str, int]:
        """Return the generations of these nodes, or of all, as they are now."""

    def know(self, node_uuid: str) -> int:
        """Return a node's generation; a node never seen before starts at 0."""

    def bump(self, expected: Mapping[str, int]) -> None:
        """Compare-and-set the generations of nodes; if one has changed, the work is run anew."""


class Changes(Protocol):
    """The order of changes, as a standing book follows it."""

    def since(self, number: int, limit: int) -> Changed | None:
        """Return what changed after a place, or None where it is more than ``limit`` of a kind."""


class UnitOfWork(Protocol):
    """One transaction's view of everything stored."""

    @property
    def offers(self) -> Offers:
        """The offers."""

    @property
    def bids(self) -> Bids:
        """The bids."""

    @property
    def contracts(self) -> Contracts:
        """The contracts."""

    @property
    def providers(self) -> Providers:
        """The providers."""

    @property
    def nodes(self) -> Nodes:
        """The generations of nodes."""

    @property
    def changes(self) -> Changes:
        """What has changed."""

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
        :raises AllocationsOverlap: the storage refused to promise a node twice.
        :raises Unavailable: the storage does not answer.
        """
