# SPDX-License-Identifier: Apache-2.0
"""Entities to JSON: the only place where the provider's field names meet the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flocx_common.api.values import optional_time_text, time_text
from flocx_common.domain.access import Access
from flocx_common.domain.clock import floor_second
from flocx_common.domain.money import price_text, total
from flocx_provider.domain.allocation import Allocation, Contract
from flocx_provider.domain.node import NodeFacts
from flocx_provider.domain.offer import Offer
from flocx_provider.services.nodes import NodeView

#: Project id -> name, as far as names are known.
Names = Mapping[str, str]


def offer(one: Offer, names: Names) -> dict[str, Any]:
    """Return an offer as its owner sees it."""
    lessees = one.lessee_project_ids
    return {
        "uuid": one.uuid,
        "name": one.name,
        "owner_project_id": one.owner_project_id,
        "owner_project_name": names.get(one.owner_project_id),
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
        "publication": str(one.publication),
        "publication_reason": one.publication_reason,
        "created_at": time_text(one.created_at),
        "updated_at": time_text(one.updated_at),
    }


def allocation(one: Allocation, names: Names, now: datetime) -> dict[str, Any]:
    """Return an allocation as its two sides see it."""
    return {
        "uuid": one.uuid,
        "contract_uuid": one.contract_uuid,
        "offer_uuid": one.offer_uuid,
        "node_uuid": one.node_uuid,
        "node_name": one.node_name,
        "owner_project_id": one.owner_project_id,
        "owner_project_name": names.get(one.owner_project_id),
        "lessee_project_id": one.lessee_project_id,
        "lessee_project_name": names.get(one.lessee_project_id),
        "start_time": time_text(one.start_time),
        "end_time": time_text(one.end_time),
        "clearing_price": price_text(one.clearing_price),
        "amount": price_text(one.amount),
        "status": str(one.status),
        "status_reason": one.status_reason,
        "market_status": one.market_status,
        "delivered_from": optional_time_text(one.delivered_from),
        "delivered_until": optional_time_text(one.delivered_until),
        "delivered_seconds": _delivered_seconds(one, now),
        "trouble": one.trouble,
    }


def contract(
    one: Contract, allocations: Sequence[Allocation], names: Names, project_id: str | None, now: datetime
) -> dict[str, Any]:
    """Return a contract as a project sees it; None for one who sees everything.

    An owner that is not the lessee sees its own allocations.
    """
    if project_id not in (None, one.lessee_project_id):
        allocations = [each for each in allocations if each.owner_project_id == project_id]
    return {
        "uuid": one.uuid,
        "lessee_project_id": one.lessee_project_id,
        "lessee_project_name": names.get(one.lessee_project_id),
        "start_time": time_text(one.start_time),
        "end_time": time_text(one.end_time),
        "status": one.status,
        "status_reason": one.status_reason,
        "quantity": len(allocations),
        "amount": price_text(total(each.amount for each in allocations)),
        "allocations": [allocation(each, names, now) for each in allocations],
    }


def node(one: NodeView, names: Names, now: datetime) -> dict[str, Any]:
    """Return a node as its owner sees it."""
    facts = one.facts
    return {
        "node_uuid": facts.node_uuid,
        "node_name": facts.name,
        "owner_project_id": facts.owner_project_id,
        "owner_project_name": names.get(facts.owner_project_id or ""),
        "resource_class": facts.resource_class,
        "properties": dict(facts.properties),
        "health": {"ok": facts.unfit is None, "problem": facts.unfit},
        "lessee_project_id": facts.lessee_project_id,
        "lessee_project_name": names.get(facts.lessee_project_id or ""),
        "offers": [_without_properties(offer(each, names)) for each in one.offers],
        "contracts": [allocation(each, names, now) for each in one.allocations],
        "free_windows": [
            {"start_time": time_text(window.start), "end_time": optional_time_text(window.end)} for window in one.free
        ],
    }


def access(facts: NodeFacts, project_id: str, answer: Access) -> dict[str, Any]:
    """Return whether a project may use a node now."""
    return {
        "node_uuid": facts.node_uuid,
        "node_name": facts.name,
        "project_id": project_id,
        "allowed": answer.allowed,
        "reason": answer.reason,
    }


def _without_properties(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name != "properties"}


def _delivered_seconds(one: Allocation, now: datetime) -> int:
    if one.delivered_from is None:
        return 0
    until = one.delivered_until or min(floor_second(now), one.end_time)
    return max(int((until - one.delivered_from).total_seconds()), 0)
