# SPDX-License-Identifier: Apache-2.0
"""What the two services tell of: the entities of their APIs, with all fields."""

from __future__ import annotations

from typing import Any

from flocx_client.entity import (
    Entity,
    Field,
    count,
    document,
    flag,
    instant,
    optional_count,
    optional_document,
    optional_instant,
    optional_part,
    optional_price,
    optional_text,
    optional_texts,
    part,
    parts,
    price,
    text,
    texts,
)


class Window(Entity):
    """A half-open stretch of time; without an end when ``end_time`` is None."""

    start_time = instant()
    end_time = optional_instant()


class Bid(Entity):
    """What a project asks for, and the most it pays."""

    uuid = text()
    name = optional_text()
    project_id = text()
    project_name = optional_text()
    requirements: Field[list[list[Any]]] = Field(list)
    quantity = count()
    start_time = instant()
    end_time = instant()
    duration = optional_count()
    limit_price = price()
    spread = optional_document()
    together = optional_document()
    offer_uuids = optional_texts()
    status = text()
    status_reason = optional_text()
    created_at = instant()
    updated_at = instant()


class Step(Entity):
    """One step of an explanation: how many offers came in, how many were left."""

    step = text()
    before = count()
    after = count()
    detail = optional_text()


class Explanation(Entity):
    """Why a bid is open, and the least change with which it would not be."""

    bid_uuid = optional_text()
    sentence = text()
    steps = parts(Step)
    nearest = optional_document()


# A field of this name hides it from the class that has one.
_price = price


class PriceStep(Entity):
    """So many nodes could be had at once of which none asks more than the price."""

    price = _price()
    nodes = count()


class StartStep(Entity):
    """What could be had from a start on; ``price`` is what the dearest node of the quantity asks."""

    start_time = instant()
    nodes = count()
    price = optional_price()


class EarningsStep(Entity):
    """How long a node could have been sold at a price, and what that comes to at the least."""

    price = _price()
    seconds = count()
    contracts = count()
    amount = _price()


class Earnings(Entity):
    """What a node would have earned at which reserve price."""

    node_uuid = text()
    node_name = optional_text()
    resource_class = optional_text()
    start_time = instant()
    end_time = instant()
    by_price = parts(EarningsStep)
    by_price_cut = flag()


class Capacity(Entity):
    """How many nodes could be had now, by price and by start, and at which price the quantity could."""

    quantity = count()
    start_time = instant()
    end_time = instant()
    duration = optional_count()
    nodes = count()
    indicative_price = optional_price()
    indicative_amount = optional_price()
    indicative_start_time = optional_instant()
    by_price = parts(PriceStep)
    by_price_cut = flag()
    by_start = parts(StartStep)
    by_start_cut = flag()
    earnings = optional_part(Earnings)


class MarketOffer(Entity):
    """An offer as the market shows it to whoever may bid for it."""

    uuid = text()
    name = optional_text()
    provider_uuid = text()
    owner_project_id = text()
    owner_project_name = optional_text()
    resource_type = text()
    node_uuid = text()
    node_name = optional_text()
    resource_class = optional_text()
    properties = document()
    start_time = instant()
    end_time = optional_instant()
    reserve_price = price()
    min_duration = count()
    lessee_project_ids = optional_texts()
    status = text()
    status_reason = optional_text()
    free_windows = parts(Window)
    created_at = instant()
    updated_at = instant()


class Offer(Entity):
    """An offer as its owner's provider has it, with how far the market knows of it."""

    uuid = text()
    name = optional_text()
    owner_project_id = text()
    owner_project_name = optional_text()
    node_uuid = text()
    node_name = optional_text()
    resource_class = optional_text()
    properties = document()
    start_time = instant()
    end_time = optional_instant()
    reserve_price = price()
    min_duration = count()
    lessee_project_ids = optional_texts()
    status = text()
    status_reason = optional_text()
    publication = text()
    publication_reason = optional_text()
    created_at = instant()
    updated_at = instant()


class Allocation(Entity):
    """One node's part in a contract, as the market has it."""

    uuid = text()
    contract_uuid = text()
    offer_uuid = text()
    provider_uuid = text()
    node_uuid = text()
    node_name = optional_text()
    owner_project_id = text()
    owner_project_name = optional_text()
    start_time = instant()
    end_time = instant()
    clearing_price = price()
    amount = price()
    status = text()
    status_reason = optional_text()
    delivered_from = optional_instant()
    delivered_until = optional_instant()


class ContractInBrief(Entity):
    """What a provider is told of the contract of an allocation."""

    uuid = text()
    lessee_project_id = text()
    lessee_project_name = optional_text()
    start_time = instant()
    end_time = instant()
    status = text()
    status_reason = optional_text()


class AllocationChange(Allocation):
    """An allocation as providers are told of it: with its contract."""

    contract = part(ContractInBrief)


class Contract(Entity):
    """A bid and the nodes that serve it, at a settled price."""

    uuid = text()
    bid_uuid = text()
    lessee_project_id = text()
    lessee_project_name = optional_text()
    quantity = count()
    start_time = instant()
    end_time = instant()
    clearing_price = price()
    amount = price()
    price_rule = text()
    status = text()
    status_reason = optional_text()
    allocations = parts(Allocation)
    created_at = instant()
    updated_at = instant()


class Delivery(Entity):
    """One node's part in a contract, as its provider has delivered it."""

    uuid = text()
    contract_uuid = text()
    offer_uuid = text()
    node_uuid = text()
    node_name = optional_text()
    owner_project_id = text()
    owner_project_name = optional_text()
    lessee_project_id = text()
    lessee_project_name = optional_text()
    start_time = instant()
    end_time = instant()
    clearing_price = price()
    amount = price()
    status = text()
    status_reason = optional_text()
    market_status = text()
    delivered_from = optional_instant()
    delivered_until = optional_instant()
    delivered_seconds = count()
    trouble = optional_text()


class DeliveredContract(Entity):
    """A contract as one provider has it: its own nodes of those it binds."""

    uuid = text()
    lessee_project_id = text()
    lessee_project_name = optional_text()
    start_time = instant()
    end_time = instant()
    status = text()
    status_reason = optional_text()
    quantity = count()
    amount = price()
    allocations = parts(Delivery)


class Health(Entity):
    """Whether a node is fit for use, and if not, why."""

    ok = flag()
    problem = optional_text()


class Node(Entity):
    """A node with its hardware document, and what is offered and promised of it."""

    node_uuid = text()
    node_name = optional_text()
    owner_project_id = optional_text()
    owner_project_name = optional_text()
    resource_class = optional_text()
    properties = document()
    health = part(Health)
    lessee_project_id = optional_text()
    lessee_project_name = optional_text()
    offers = parts(Offer)
    contracts = parts(Delivery)
    free_windows = parts(Window)

    @property
    def id(self) -> str:
        """The node's UUID."""
        return str(self["node_uuid"])

    @property
    def name(self) -> str | None:
        """The node's name."""
        return self.node_name


class NodeAccess(Entity):
    """Whether a project may use a node now, and why."""

    node_uuid = text()
    node_name = optional_text()
    project_id = text()
    allowed = flag()
    reason = text()


class Provider(Entity):
    """A provider that publishes on the market."""

    uuid = text()
    name = text()
    service_user_id = text()
    turnaround = count()
    last_heartbeat_at = instant()
    silent = flag()
    created_at = instant()
    updated_at = instant()


class Event(Entity):
    """Something that happened to a thing that concerns the caller."""

    uuid = text()
    event_type = text()
    entity_type = text()
    entity_uuid = text()
    project_ids = texts()
    occurred_at = instant()
    reason = optional_text()
    detail = document()


class Link(Entity):
    """Where something is."""

    rel = text()
    href = text()


class VersionRange(Entity):
    """A version of an API, with the lowest and the highest of its microversions."""

    id = text()
    status = text()
    min_version = text()
    version = text()
    links = parts(Link)


class ApiRoot(Entity):
    """The versions of a service's API."""

    name = text()
    description = text()
    default_version = part(VersionRange)
    versions = parts(VersionRange)


class ApiVersion(Entity):
    """One version of a service's API."""

    id = text()
    version = part(VersionRange)
    links = parts(Link)
    price_unit = text()


class Readiness(Entity):
    """Whether a service can serve requests, and the names of the parts that fail if not."""

    status = text()
    failing = texts()
