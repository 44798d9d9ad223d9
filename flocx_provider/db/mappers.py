# SPDX-License-Identifier: Apache-2.0
"""Rows to entities and back, nothing else."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Row

from flocx_common.domain.window import TimeWindow
from flocx_provider.domain.allocation import Allocation, AllocationStatus, Contract
from flocx_provider.domain.offer import Offer, OfferStatus, Publication


def offer_from(row: Row[Any]) -> Offer:
    """Return an offer from its row."""
    lessees = row.lessee_project_ids
    return Offer(
        uuid=row.uuid,
        name=row.name,
        owner_project_id=row.owner_project_id,
        node_uuid=row.node_uuid,
        node_name=row.node_name,
        resource_class=row.resource_class,
        properties=row.properties,
        window=TimeWindow(row.start_time, row.end_time),
        reserve_price=row.reserve_price,
        min_duration=row.min_duration,
        lessee_project_ids=None if lessees is None else tuple(lessees),
        problem=row.problem,
        status=OfferStatus(row.status),
        status_reason=row.status_reason,
        publication=Publication(row.publication),
        publication_reason=row.publication_reason,
        request_digest=row.request_digest,
        created_at=row.created_at,
        updated_at=row.updated_at,
        generation=row.generation,
    )


def offer_values(offer: Offer) -> dict[str, Any]:
    """Return the columns of an offer, without uuid and generation."""
    return {
        "name": offer.name,
        "owner_project_id": offer.owner_project_id,
        "node_uuid": offer.node_uuid,
        "node_name": offer.node_name,
        "resource_class": offer.resource_class,
        "properties": dict(offer.properties),
        "start_time": offer.window.start,
        "end_time": offer.window.end,
        "reserve_price": offer.reserve_price,
        "min_duration": offer.min_duration,
        "lessee_project_ids": None if offer.lessee_project_ids is None else list(offer.lessee_project_ids),
        "problem": offer.problem,
        "status": str(offer.status),
        "status_reason": offer.status_reason,
        "publication": str(offer.publication),
        "publication_reason": offer.publication_reason,
        "request_digest": offer.request_digest,
        "created_at": offer.created_at,
        "updated_at": offer.updated_at,
    }


def contract_from(row: Row[Any]) -> Contract:
    """Return a contract from its row."""
    return Contract(
        uuid=row.uuid,
        lessee_project_id=row.lessee_project_id,
        start_time=row.start_time,
        end_time=row.end_time,
        status=row.status,
        status_reason=row.status_reason,
    )


def contract_values(contract: Contract) -> dict[str, Any]:
    """Return the columns of a contract, without uuid."""
    return {
        "lessee_project_id": contract.lessee_project_id,
        "start_time": contract.start_time,
        "end_time": contract.end_time,
        "status": contract.status,
        "status_reason": contract.status_reason,
    }


_ALLOCATION = (
    "contract_uuid",
    "offer_uuid",
    "node_uuid",
    "node_name",
    "owner_project_id",
    "lessee_project_id",
    "start_time",
    "end_time",
    "clearing_price",
    "amount",
    "market_status",
    "status_reason",
    "delivered_from",
    "delivered_until",
    "breach",
    "reported",
    "settled",
    "trouble",
    "trouble_since",
    "noticed_at",
    "created_at",
    "updated_at",
)


def allocation_from(row: Row[Any]) -> Allocation:
    """Return an allocation from its row."""
    same = {name: getattr(row, name) for name in _ALLOCATION}
    return Allocation(uuid=row.uuid, status=AllocationStatus(row.status), generation=row.generation, **same)


def allocation_values(allocation: Allocation) -> dict[str, Any]:
    """Return the columns of an allocation, without uuid and generation."""
    return {"status": str(allocation.status), **{name: getattr(allocation, name) for name in _ALLOCATION}}
