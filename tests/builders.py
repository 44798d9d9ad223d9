# SPDX-License-Identifier: Apache-2.0
"""Builders: valid things with the fields that a test cares about changed."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flocx_common.domain.json_values import digest
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.bid import Bid, BidStatus
from flocx_market.domain.book import BookBid, BookOffer, Hardware, Span
from flocx_market.domain.contract import Allocation, AllocationStatus, Contract, ContractStatus
from flocx_market.domain.offer import Offer, OfferStatus
from flocx_market.domain.provider import Provider
from flocx_market.domain.requirements import parse_requirements

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
HOUR = 3600


def at(hours: float) -> datetime:
    """Return the instant so many hours after NOW."""
    return NOW + timedelta(hours=hours)


def uid(number: int) -> str:
    """Return a UUID that is easy to tell apart."""
    return str(uuid.UUID(int=number + (4 << 76) + (8 << 60)))


def book_offer(number: int, **over: Any) -> BookOffer:
    """Return an offer in a book: of a node of its own, free from 0 to 100 hours, for 1 price step."""
    document = over.pop("document", {"cpus": 32})
    free = over.pop("free", ((0, 100 * HOUR),))
    spans = tuple(Span(*span) for span in free)
    given = {
        "uuid": uid(number),
        "node_uuid": uid(1000 + number),
        "node_name": f"n{number}",
        "provider_uuid": uid(9000),
        "owner_project_id": "owner",
        "resource_class": None,
        "hardware": Hardware(digest(document), document),
        "reserve": 1,
        "min_duration": 0,
        "lessees": None,
        "window": Span(spans[0].begin, spans[-1].end) if spans else Span(0, 100 * HOUR),
        "free": spans,
        "turnaround": 0,
    }
    return BookOffer(**(given | over))


def book_bid(number: int, **over: Any) -> BookBid:
    """Return a bid in a book: for 1 node from 0 to 10 hours at up to 10 price steps."""
    requirements = over.pop("requirements", [])
    given = {
        "uuid": uid(5000 + number),
        "project_id": "consumer",
        "requirements": parse_requirements(requirements),
        "quantity": 1,
        "begin": 0,
        "end": 10 * HOUR,
        "duration": None,
        "limit": 10,
        "spread": None,
        "together": None,
        "offer_uuids": None,
        "placed": number,
    }
    return BookBid(**(given | over))


def market_provider(number: int = 1, **over: Any) -> Provider:
    """Return a provider as the market keeps it."""
    given = {
        "uuid": uid(9000 + number),
        "name": f"provider-{number}",
        "service_user_id": f"service-{number}",
        "turnaround": 0,
        "last_heartbeat_at": NOW,
        "silent": False,
        "request_digest": "d" * 32,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Provider(**(given | over))


def market_offer(number: int = 1, **over: Any) -> Offer:
    """Return an offer as the market keeps it: of a node of its own, from now for 100 hours."""
    properties = over.pop("properties", {"cpus": 32, "local_gb": 1024})
    given = {
        "uuid": uid(number),
        "name": None,
        "provider_uuid": uid(9001),
        "owner_project_id": "owner-a",
        "resource_type": "node",
        "node_uuid": uid(1000 + number),
        "node_name": f"n{number}",
        "resource_class": "baremetal",
        "properties": properties,
        "properties_digest": digest(properties),
        "window": TimeWindow(NOW, at(100)),
        "reserve_price": Decimal("1.500000"),
        "min_duration": 0,
        "lessee_project_ids": None,
        "health_problem": None,
        "status": OfferStatus.AVAILABLE,
        "status_reason": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Offer(**(given | over))


def market_bid(number: int = 1, **over: Any) -> Bid:
    """Return a bid as the market keeps it: for 1 node from now for 10 hours at up to 2."""
    given = {
        "uuid": uid(5000 + number),
        "name": None,
        "project_id": "consumer-a",
        "requirements": [],
        "quantity": 1,
        "window": TimeWindow(NOW, at(10)),
        "duration": None,
        "limit_price": Decimal("2.000000"),
        "spread": None,
        "together": None,
        "offer_uuids": None,
        "status": BidStatus.OPEN,
        "status_reason": None,
        "request_digest": "d" * 32,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Bid(**(given | over))


def allocation(number: int = 1, **over: Any) -> Allocation:
    """Return an allocation of the contract that :func:`contract` makes: 10 hours at 1.5."""
    given = {
        "uuid": uid(7000 + number),
        "contract_uuid": uid(6001),
        "offer_uuid": uid(number),
        "provider_uuid": uid(9001),
        "node_uuid": uid(1000 + number),
        "node_name": f"n{number}",
        "owner_project_id": "owner-a",
        "start_time": NOW,
        "end_time": at(10),
        "clearing_price": Decimal("1.500000"),
        "amount": Decimal("15.000000"),
        "status": AllocationStatus.CREATED,
        "status_reason": None,
        "delivered_from": None,
        "delivered_until": None,
        "replacement_sought_since": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Allocation(**(given | over))


def contract(nodes: int = 1, **over: Any) -> Contract:
    """Return a contract as formed: for 10 hours from now, over so many nodes."""
    given = {
        "uuid": uid(6001),
        "bid_uuid": uid(5001),
        "lessee_project_id": "consumer-a",
        "quantity": nodes,
        "start_time": NOW,
        "end_time": at(10),
        "clearing_price": Decimal(0),
        "amount": Decimal(0),
        "price_rule": "critical",
        "status": ContractStatus.CREATED,
        "status_reason": None,
        "allocations": (),
        "notified_at": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    made = Contract(**(given | over))
    allocations = [
        replace(allocation(n), start_time=made.start_time, end_time=made.end_time) for n in range(1, nodes + 1)
    ]
    return made if over.get("allocations") else made.having(*allocations, now=NOW)
