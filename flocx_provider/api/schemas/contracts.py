# SPDX-License-Identifier: Apache-2.0
"""Contracts, as the provider keeps them, on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import (
    NAME,
    PRICE_OUT,
    PROJECT_NAME,
    REASON_OUT,
    TIME_OUT,
    UUID,
    collection,
    described,
    entity,
    nullable,
)
from flocx_provider.domain.allocation import AllocationStatus

ALLOCATION = entity(
    {
        "uuid": UUID,
        "contract_uuid": UUID,
        "offer_uuid": UUID,
        "node_uuid": UUID,
        "node_name": nullable(NAME),
        "owner_project_id": {"type": "string"},
        "owner_project_name": PROJECT_NAME,
        "lessee_project_id": {"type": "string"},
        "lessee_project_name": PROJECT_NAME,
        "start_time": TIME_OUT,
        "end_time": TIME_OUT,
        "clearing_price": PRICE_OUT,
        "amount": described(PRICE_OUT, "As the market last said."),
        "status": {"enum": [str(status) for status in AllocationStatus]},
        "status_reason": REASON_OUT,
        "market_status": {"type": "string", "description": "What the market last said of it."},
        "delivered_from": nullable(TIME_OUT),
        "delivered_until": nullable(TIME_OUT),
        "delivered_seconds": {"type": "integer", "minimum": 0, "description": "How long it was delivered, so far."},
        "trouble": {"type": ["string", "null"], "description": "What keeps it from going on."},
    }
)

CONTRACT = entity(
    {
        "uuid": UUID,
        "lessee_project_id": {"type": "string"},
        "lessee_project_name": PROJECT_NAME,
        "start_time": TIME_OUT,
        "end_time": TIME_OUT,
        "status": {"type": "string", "description": "What the market last said of it."},
        "status_reason": REASON_OUT,
        "quantity": {"type": "integer", "minimum": 0, "description": "Its nodes here, of those the caller may see."},
        "amount": described(PRICE_OUT, "The sum of the allocations' amounts."),
        "allocations": {"type": "array", "items": ALLOCATION},
    }
)
CONTRACTS = collection("contracts", CONTRACT)
