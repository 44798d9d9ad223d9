# SPDX-License-Identifier: Apache-2.0
"""Entities to JSON: the only place where the market's field names meet the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from flocx_common.api.values import optional_time_text, time_text
from flocx_common.domain.money import amount_for, from_micros, mean, price_text, total
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.bid import Bid
from flocx_market.domain.book import BookBid, to_instant
from flocx_market.domain.capacity import Capacity
from flocx_market.domain.contract import Allocation, Contract
from flocx_market.domain.offer import Offer
from flocx_market.domain.provider import Provider
from flocx_market.ports.store import AllocationChange
from flocx_market.services.capacity import NodeEarnings

#: Project id -> name, as far as names are known.
Names = Mapping[str, str]


def bid(one: Bid, names: Names) -> dict[str, Any]:
    """Return a bid as its project sees it."""
    return {
        "uuid": one.uuid,
        "name": one.name,
        "project_id": one.project_id,
        "project_name": names.get(one.project_id),
        "requirements": list(one.requirements),
        "quantity": one.quantity,
        "start_time": time_text(one.window.start),
        "end_time": time_text(one.end),
        "duration": one.duration,
        "limit_price": price_text(one.limit_price),
        "spread": None if one.spread is None else {"by": one.spread.by, "max": one.spread.max},
        "together": None if one.together is None else {"by": one.together},
        "offer_uuids": None if one.offer_uuids is None else list(one.offer_uuids),
        "status": str(one.status),
        "status_reason": one.status_reason,
        "created_at": time_text(one.created_at),
        "updated_at": time_text(one.updated_at),
    }


def offer(one: Offer, free: Iterable[TimeWindow], names: Names, project_id: str | None) -> dict[str, Any]:
    """Return an offer as a project sees it; None for one who sees everything."""
    lessees: Sequence[str] | None = one.lessee_project_ids
    if lessees is not None and project_id not in (None, one.owner_project_id):
        # The owner's other partners are none of a lessee's business.
        lessees = [lessee for lessee in lessees if lessee == project_id]
    return {
        "uuid": one.uuid,
        "name": one.name,
        "provider_uuid": one.provider_uuid,
        "owner_project_id": one.owner_project_id,
        "owner_project_name": names.get(one.owner_project_id),
        "resource_type": one.resource_type,
        "node_uuid": one.node_uuid,
        "node_name": one.node_name,
        "resource_class": one.resource_class,
        "properties": dict(one.properties),
        "start_time": time_text(one.window.start),
        "end_time": optional_time_text(one.window.end),
        "reserve_price": price_text(one.reserve_price),
        "min_duration": one.min_duration,
        "lessee_project_ids": None if lessees is None else list(lessees),
        "status": str(one.status),
        "status_reason": one.status_reason,
        "free_windows": [
            {"start_time": time_text(window.start), "end_time": optional_time_text(window.end)} for window in free
        ],
        "created_at": time_text(one.created_at),
        "updated_at": time_text(one.updated_at),
    }


def contract(one: Contract, names: Names, project_id: str | None) -> dict[str, Any]:
    """Return a contract as a project sees it; None for one who sees everything.

    An owner that is not the lessee sees the part that concerns it: its own
    allocations, and totals over these.
    """
    seen = one.allocations
    quantity, price, amount = one.quantity, one.clearing_price, one.amount
    if project_id not in (None, one.lessee_project_id):
        seen = tuple(allocation for allocation in one.allocations if allocation.owner_project_id == project_id)
        quantity = sum(1 for allocation in seen if allocation.counts) if one.binding else len(seen)
        price, amount = mean([a.clearing_price for a in seen]), total(a.amount for a in seen)
    return {
        "uuid": one.uuid,
        "bid_uuid": one.bid_uuid,
        "lessee_project_id": one.lessee_project_id,
        "lessee_project_name": names.get(one.lessee_project_id),
        "quantity": quantity,
        "start_time": time_text(one.start_time),
        "end_time": time_text(one.end_time),
        "clearing_price": price_text(price),
        "amount": price_text(amount),
        "price_rule": one.price_rule,
        "status": str(one.status),
        "status_reason": one.status_reason,
        "allocations": [allocation(each, names) for each in seen],
        "created_at": time_text(one.created_at),
        "updated_at": time_text(one.updated_at),
    }


def allocation(one: Allocation, names: Names) -> dict[str, Any]:
    """Return an allocation."""
    return {
        "uuid": one.uuid,
        "contract_uuid": one.contract_uuid,
        "offer_uuid": one.offer_uuid,
        "provider_uuid": one.provider_uuid,
        "node_uuid": one.node_uuid,
        "node_name": one.node_name,
        "owner_project_id": one.owner_project_id,
        "owner_project_name": names.get(one.owner_project_id),
        "start_time": time_text(one.start_time),
        "end_time": time_text(one.end_time),
        "clearing_price": price_text(one.clearing_price),
        "amount": price_text(one.amount),
        "status": str(one.status),
        "status_reason": one.status_reason,
        "delivered_from": optional_time_text(one.delivered_from),
        "delivered_until": optional_time_text(one.delivered_until),
    }


def allocation_change(one: AllocationChange, names: Names) -> dict[str, Any]:
    """Return an allocation with what its provider must know of the contract."""
    of = one.contract
    return {
        **allocation(one.allocation, names),
        "contract": {
            "uuid": of.uuid,
            "lessee_project_id": of.lessee_project_id,
            "lessee_project_name": names.get(of.lessee_project_id),
            "start_time": time_text(of.start_time),
            "end_time": time_text(of.end_time),
            "status": str(of.status),
            "status_reason": of.status_reason,
        },
    }


def capacity(question: BookBid, found: Capacity, earned: NodeEarnings | None) -> dict[str, Any]:
    """Return how much could be had, and what a node would have earned."""
    window = found.window
    price = None if found.price is None else from_micros(found.price)
    amount = None
    if price is not None and window is not None:
        amount = total([amount_for(price, timedelta(seconds=window.length))] * question.quantity)
    return {
        "quantity": question.quantity,
        "start_time": time_text(to_instant(question.begin)),
        "end_time": time_text(to_instant(question.end)),
        "duration": question.duration,
        "nodes": found.nodes,
        "indicative_price": None if price is None else price_text(price),
        "indicative_amount": None if amount is None else price_text(amount),
        "indicative_start_time": None if window is None else time_text(to_instant(window.begin)),
        "by_price": [{"price": _steps(step.price), "nodes": step.nodes} for step in found.by_price],
        "by_price_cut": found.by_price_cut,
        "by_start": [
            {
                "start_time": time_text(to_instant(step.start)),
                "nodes": step.nodes,
                "price": None if step.price is None else _steps(step.price),
            }
            for step in found.by_start
        ],
        "by_start_cut": found.by_start_cut,
        "earnings": None if earned is None else _earnings(earned),
    }


def _earnings(earned: NodeEarnings) -> dict[str, Any]:
    return {
        "node_uuid": earned.offer.node_uuid,
        "node_name": earned.offer.node_name,
        "resource_class": earned.offer.resource_class,
        "start_time": time_text(earned.window.start),
        "end_time": optional_time_text(earned.window.end),
        "by_price": [
            {
                "price": _steps(step.price),
                "seconds": step.seconds,
                "contracts": step.contracts,
                "amount": price_text(amount_for(from_micros(step.price), timedelta(seconds=step.seconds))),
            }
            for step in earned.earnings.by_price
        ],
        "by_price_cut": earned.earnings.cut,
    }


def _steps(price: int) -> str:
    """Return a price that is counted in its smallest steps as text."""
    return price_text(from_micros(price))


def provider(one: Provider) -> dict[str, Any]:
    """Return a provider."""
    return {
        "uuid": one.uuid,
        "name": one.name,
        "service_user_id": one.service_user_id,
        "turnaround": one.turnaround,
        "last_heartbeat_at": time_text(one.last_heartbeat_at),
        "silent": one.silent,
        "created_at": time_text(one.created_at),
        "updated_at": time_text(one.updated_at),
    }
