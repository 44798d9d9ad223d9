# SPDX-License-Identifier: Apache-2.0
"""Rows to entities and back, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import Row

from flocx_common.domain.json_values import JSON
from flocx_common.domain.money import to_micros
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.bid import Bid, BidStatus, SpreadRule
from flocx_market.domain.book import FOREVER, Span, to_seconds
from flocx_market.domain.contract import Allocation, AllocationStatus, Contract, ContractStatus
from flocx_market.domain.offer import Offer, OfferStatus
from flocx_market.domain.provider import Provider
from flocx_market.ports.store import SaleLine


def offer_from(row: Row[Any], document: Mapping[str, JSON]) -> Offer:
    """Return an offer from its row and its hardware document."""
    lessees = row.lessee_project_ids
    return Offer(
        uuid=row.uuid,
        name=row.name,
        provider_uuid=row.provider_uuid,
        owner_project_id=row.owner_project_id,
        resource_type=row.resource_type,
        node_uuid=row.node_uuid,
        node_name=row.node_name,
        resource_class=row.resource_class,
        properties=document,
        properties_digest=row.properties_digest,
        window=TimeWindow(row.start_time, row.end_time),
        reserve_price=row.reserve_price,
        min_duration=row.min_duration,
        lessee_project_ids=None if lessees is None else tuple(lessees),
        health_problem=row.health_problem,
        status=OfferStatus(row.status),
        status_reason=row.status_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        generation=row.generation,
    )


def sale_lines(rows: Iterable[Sequence[Any]]) -> list[SaleLine]:
    """Return what a round reads of offers; few windows and prices differ, so each is made once."""
    span = lru_cache(maxsize=None)(_span)
    micros = lru_cache(maxsize=None)(to_micros)
    lines = []
    for row in rows:
        *terms, start, end, reserve, least, to, generation = row
        uuid, node_uuid, node_name, provider_uuid, owner, kind, digest = terms
        lines.append(
            SaleLine(
                uuid=uuid,
                node_uuid=node_uuid,
                node_name=node_name,
                provider_uuid=provider_uuid,
                owner_project_id=owner,
                resource_class=kind,
                properties_digest=digest,
                window=span(start, end),
                reserve=micros(reserve),
                min_duration=least,
                lessees=None if to is None else frozenset(to),
                generation=generation,
            )
        )
    return lines


def _span(start: datetime, end: datetime | None) -> Span:
    return Span(to_seconds(start), FOREVER if end is None else to_seconds(end))


def offer_values(offer: Offer) -> dict[str, Any]:
    """Return the columns of an offer, without uuid and generation."""
    return {
        "name": offer.name,
        "provider_uuid": offer.provider_uuid,
        "owner_project_id": offer.owner_project_id,
        "resource_type": offer.resource_type,
        "node_uuid": offer.node_uuid,
        "node_name": offer.node_name,
        "resource_class": offer.resource_class,
        "properties_digest": offer.properties_digest,
        "start_time": offer.window.start,
        "end_time": offer.window.end,
        "reserve_price": offer.reserve_price,
        "min_duration": offer.min_duration,
        "lessee_project_ids": None if offer.lessee_project_ids is None else list(offer.lessee_project_ids),
        "health_problem": offer.health_problem,
        "status": str(offer.status),
        "status_reason": offer.status_reason,
        "created_at": offer.created_at,
        "updated_at": offer.updated_at,
    }


def bid_from(row: Row[Any]) -> Bid:
    """Return a bid from its row."""
    return Bid(
        uuid=row.uuid,
        name=row.name,
        project_id=row.project_id,
        requirements=row.requirements,
        quantity=row.quantity,
        window=TimeWindow(row.start_time, row.end_time),
        duration=row.duration,
        limit_price=row.limit_price,
        spread=None if row.spread is None else SpreadRule(row.spread["by"], row.spread["max"]),
        together=row.together,
        offer_uuids=None if row.offer_uuids is None else tuple(row.offer_uuids),
        status=BidStatus(row.status),
        status_reason=row.status_reason,
        request_digest=row.request_digest,
        created_at=row.created_at,
        updated_at=row.updated_at,
        generation=row.generation,
    )


def bid_values(bid: Bid) -> dict[str, Any]:
    """Return the columns of a bid, without uuid and generation."""
    return {
        "name": bid.name,
        "project_id": bid.project_id,
        "requirements": list(bid.requirements),
        "quantity": bid.quantity,
        "start_time": bid.window.start,
        "end_time": bid.end,
        "duration": bid.duration,
        "limit_price": bid.limit_price,
        "spread": None if bid.spread is None else {"by": bid.spread.by, "max": bid.spread.max},
        "together": bid.together,
        "offer_uuids": None if bid.offer_uuids is None else list(bid.offer_uuids),
        "status": str(bid.status),
        "status_reason": bid.status_reason,
        "request_digest": bid.request_digest,
        "created_at": bid.created_at,
        "updated_at": bid.updated_at,
    }


def contract_from(row: Row[Any], allocations: Sequence[Allocation]) -> Contract:
    """Return a contract from its row and its allocations in their order."""
    return Contract(
        uuid=row.uuid,
        bid_uuid=row.bid_uuid,
        lessee_project_id=row.lessee_project_id,
        quantity=row.quantity,
        start_time=row.start_time,
        end_time=row.end_time,
        clearing_price=row.clearing_price,
        amount=row.amount,
        price_rule=row.price_rule,
        status=ContractStatus(row.status),
        status_reason=row.status_reason,
        allocations=tuple(allocations),
        notified_at=row.notified_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        generation=row.generation,
    )


def contract_values(contract: Contract) -> dict[str, Any]:
    """Return the columns of a contract, without uuid and generation."""
    return {
        "bid_uuid": contract.bid_uuid,
        "binding_key": contract.bid_uuid if contract.binding else contract.uuid,
        "lessee_project_id": contract.lessee_project_id,
        "quantity": contract.quantity,
        "start_time": contract.start_time,
        "end_time": contract.end_time,
        "clearing_price": contract.clearing_price,
        "amount": contract.amount,
        "price_rule": contract.price_rule,
        "status": str(contract.status),
        "status_reason": contract.status_reason,
        "notified_at": contract.notified_at,
        "created_at": contract.created_at,
        "updated_at": contract.updated_at,
    }


def allocation_from(row: Row[Any]) -> Allocation:
    """Return an allocation from its row."""
    return Allocation(
        uuid=row.uuid,
        contract_uuid=row.contract_uuid,
        offer_uuid=row.offer_uuid,
        provider_uuid=row.provider_uuid,
        node_uuid=row.node_uuid,
        node_name=row.node_name,
        owner_project_id=row.owner_project_id,
        start_time=row.start_time,
        end_time=row.end_time,
        clearing_price=row.clearing_price,
        amount=row.amount,
        status=AllocationStatus(row.status),
        status_reason=row.status_reason,
        delivered_from=row.delivered_from,
        delivered_until=row.delivered_until,
        replacement_sought_since=row.replacement_sought_since,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def allocation_values(allocation: Allocation) -> dict[str, Any]:
    """Return the columns of an allocation, without its position and change number."""
    return {
        "uuid": allocation.uuid,
        "contract_uuid": allocation.contract_uuid,
        "offer_uuid": allocation.offer_uuid,
        "provider_uuid": allocation.provider_uuid,
        "node_uuid": allocation.node_uuid,
        "node_name": allocation.node_name,
        "owner_project_id": allocation.owner_project_id,
        "start_time": allocation.start_time,
        "end_time": allocation.end_time,
        "clearing_price": allocation.clearing_price,
        "amount": allocation.amount,
        "status": str(allocation.status),
        "status_reason": allocation.status_reason,
        "delivered_from": allocation.delivered_from,
        "delivered_until": allocation.delivered_until,
        "replacement_sought_since": allocation.replacement_sought_since,
        "created_at": allocation.created_at,
        "updated_at": allocation.updated_at,
    }


def provider_from(row: Row[Any]) -> Provider:
    """Return a provider from its row."""
    return Provider(
        uuid=row.uuid,
        name=row.name,
        service_user_id=row.service_user_id,
        turnaround=row.turnaround,
        last_heartbeat_at=row.last_heartbeat_at,
        silent=row.silent,
        request_digest=row.request_digest,
        created_at=row.created_at,
        updated_at=row.updated_at,
        removed_at=row.removed_at,
        generation=row.generation,
    )


def provider_values(provider: Provider) -> dict[str, Any]:
    """Return the columns of a provider, without uuid, generation and heartbeat."""
    return {
        "name": provider.name,
        "service_user_id": provider.service_user_id,
        "turnaround": provider.turnaround,
        "silent": provider.silent,
        "request_digest": provider.request_digest,
        "created_at": provider.created_at,
        "updated_at": provider.updated_at,
        "removed_at": provider.removed_at,
        "removal": provider.uuid if provider.removed_at is not None else "",
    }
