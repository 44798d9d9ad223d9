# SPDX-License-Identifier: Apache-2.0
"""Builders of a provider's things."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flocx_common.domain.window import TimeWindow
from flocx_provider.domain.allocation import Allocation, AllocationStatus
from flocx_provider.domain.node import NodeFacts
from flocx_provider.domain.offer import Offer, OfferStatus, Publication
from tests.builders import NOW, at, uid


def ready_node(number: int = 1, **over: Any) -> NodeFacts:
    """Return a node of owner-a that is fit for use and held by nobody."""
    given = {
        "node_uuid": uid(1000 + number),
        "name": f"n{number}",
        "owner_project_id": "owner-a",
        "resource_class": "baremetal",
        "properties": {"cpus": 32},
    }
    return NodeFacts(**(given | over))


def provider_allocation(number: int = 1, **over: Any) -> Allocation:
    """Return an allocation as the provider keeps it: pulled, for 10 hours from now."""
    given = {
        "uuid": uid(7000 + number),
        "contract_uuid": uid(6000 + number),
        "offer_uuid": uid(number),
        "node_uuid": uid(1000 + number),
        "node_name": f"n{number}",
        "owner_project_id": "owner-a",
        "lessee_project_id": "consumer-a",
        "start_time": NOW,
        "end_time": at(10),
        "clearing_price": Decimal("1.500000"),
        "amount": Decimal("15.000000"),
        "market_status": "created",
        "status": AllocationStatus.ACKNOWLEDGED,
        "status_reason": None,
        "delivered_from": None,
        "delivered_until": None,
        "breach": False,
        "reported": "created",
        "settled": False,
        "trouble": None,
        "trouble_since": None,
        "noticed_at": None,
        "created_at": at(-1),
        "updated_at": at(-1),
    }
    return Allocation(**(given | over))


def provider_offer(number: int = 1, **over: Any) -> Offer:
    """Return an offer as the provider keeps it: of its own node, from now for 100 hours, not yet published."""
    given = {
        "uuid": uid(number),
        "name": None,
        "owner_project_id": "owner-a",
        "node_uuid": uid(1000 + number),
        "node_name": f"n{number}",
        "resource_class": "baremetal",
        "properties": {"cpus": 32},
        "window": TimeWindow(NOW, at(100)),
        "reserve_price": Decimal("1.500000"),
        "min_duration": 0,
        "lessee_project_ids": None,
        "problem": None,
        "status": OfferStatus.AVAILABLE,
        "status_reason": None,
        "publication": Publication.PENDING,
        "publication_reason": None,
        "request_digest": "d" * 32,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Offer(**(given | over))
