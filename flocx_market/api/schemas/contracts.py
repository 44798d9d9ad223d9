# SPDX-License-Identifier: Apache-2.0
"""Contracts and allocations on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import (
    LINKS,
    NAME,
    PRICE_OUT,
    PROJECT_NAME,
    REASON,
    REASON_OUT,
    TIME,
    TIME_OUT,
    UUID,
    Schema,
    closed,
    collection,
    described,
    entity,
    nullable,
)
from flocx_market.domain.contract import AllocationStatus, ContractStatus

_ALLOCATION: dict[str, Schema] = {
    "uuid": UUID,
    "contract_uuid": UUID,
    "offer_uuid": UUID,
    "provider_uuid": UUID,
    "node_uuid": UUID,
    "node_name": nullable(NAME),
    "owner_project_id": {"type": "string"},
    "owner_project_name": PROJECT_NAME,
    "start_time": TIME_OUT,
    "end_time": described(TIME_OUT, "Falls when the node is given back or taken away early."),
    "clearing_price": PRICE_OUT,
    "amount": described(PRICE_OUT, "clearing_price x delivered hours; before the end x agreed hours."),
    "status": {"enum": [str(status) for status in AllocationStatus]},
    "status_reason": REASON_OUT,
    "delivered_from": nullable(TIME_OUT),
    "delivered_until": nullable(TIME_OUT),
}
_STATUS: Schema = {"enum": [str(status) for status in ContractStatus]}

ALLOCATION = entity(_ALLOCATION)

CONTRACT = entity(
    {
        "uuid": UUID,
        "bid_uuid": UUID,
        "lessee_project_id": {"type": "string"},
        "lessee_project_name": PROJECT_NAME,
        "quantity": {"type": "integer", "minimum": 0},
        "start_time": TIME_OUT,
        "end_time": TIME_OUT,
        "clearing_price": described(PRICE_OUT, "The mean of its nodes' prices, for display."),
        "amount": described(PRICE_OUT, "The sum of its allocations' amounts."),
        "price_rule": {"type": "string"},
        "status": _STATUS,
        "status_reason": REASON_OUT,
        "allocations": {"type": "array", "items": ALLOCATION},
        "created_at": TIME_OUT,
        "updated_at": TIME_OUT,
    }
)
CONTRACTS = collection("contracts", CONTRACT)

CHANGES = entity(
    {
        "allocations": {
            "type": "array",
            "items": entity(
                {
                    **_ALLOCATION,
                    "contract": entity(
                        {
                            "uuid": UUID,
                            "lessee_project_id": {"type": "string"},
                            "lessee_project_name": PROJECT_NAME,
                            "start_time": TIME_OUT,
                            "end_time": TIME_OUT,
                            "status": _STATUS,
                            "status_reason": REASON_OUT,
                        }
                    ),
                }
            ),
        },
        "next_since": {"type": "string", "description": "The cursor to go on from."},
        "links": LINKS,
    }
)

REPORT = closed(
    {
        "status": {"enum": ["acknowledged", "active", "released", "failed"]},
        "reason": described(REASON, "Why; expected with failed."),
        "at": described(TIME, "When it happened; by default now."),
        "breach": {"type": "boolean", "description": "With failed: the node's owner is to blame."},
    },
    ("status",),
)
