# SPDX-License-Identifier: Apache-2.0
"""Offers on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import (
    NAME,
    PRICE,
    PRICE_OUT,
    PROJECT,
    PROJECT_NAME,
    REASON,
    REASON_OUT,
    SECONDS,
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
from flocx_market.domain.offer import OfferStatus

_PROPERTIES: Schema = {"type": "object", "description": "The hardware document, free-form."}
_LESSEES: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "uniqueItems": True,
    "items": PROJECT,
    "description": "The projects that may be served; null for everyone.",
}
_MIN_DURATION = described(SECONDS, "Length in seconds of the shortest contract the owner takes.")
_RESOURCE_TYPE: Schema = {"enum": ["node"], "description": "What kind of thing is offered."}
_PROBLEM = described(REASON, "What is wrong with the node; null when it is fit for use.")

PUBLISH = closed(
    {
        "name": nullable(NAME),
        "owner_project_id": PROJECT,
        "resource_type": _RESOURCE_TYPE,
        "node_uuid": UUID,
        "node_name": nullable(NAME),
        "resource_class": nullable(NAME),
        "properties": _PROPERTIES,
        "start_time": TIME,
        "end_time": nullable(TIME),
        "reserve_price": PRICE,
        "min_duration": _MIN_DURATION,
        "lessee_project_ids": nullable(_LESSEES),
        "health_problem": _PROBLEM,
    },
    ("owner_project_id", "node_uuid", "properties", "start_time", "reserve_price"),
)

OFFER = entity(
    {
        "uuid": UUID,
        "name": nullable(NAME),
        "provider_uuid": UUID,
        "owner_project_id": {"type": "string"},
        "owner_project_name": PROJECT_NAME,
        "resource_type": _RESOURCE_TYPE,
        "node_uuid": UUID,
        "node_name": nullable(NAME),
        "resource_class": nullable(NAME),
        "properties": _PROPERTIES,
        "start_time": TIME_OUT,
        "end_time": nullable(TIME_OUT),
        "reserve_price": PRICE_OUT,
        "min_duration": _MIN_DURATION,
        "lessee_project_ids": nullable(
            {
                "type": "array",
                "items": {"type": "string"},
                "description": "Who may be served; only the owner sees others than itself.",
            }
        ),
        "status": {"enum": [str(status) for status in OfferStatus]},
        "status_reason": REASON_OUT,
        "free_windows": {
            "type": "array",
            "items": entity({"start_time": TIME_OUT, "end_time": nullable(TIME_OUT)}),
            "description": "What can be had of it from now on; turnaround is left out.",
        },
        "created_at": TIME_OUT,
        "updated_at": TIME_OUT,
    }
)
OFFERS = collection("offers", OFFER)
