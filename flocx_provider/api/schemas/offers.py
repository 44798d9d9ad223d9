# SPDX-License-Identifier: Apache-2.0
"""Offers on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import (
    NAME,
    PRICE,
    PRICE_OUT,
    PROJECT,
    PROJECT_NAME,
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
from flocx_provider.domain.offer import OfferStatus, Publication

_LESSEES: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "uniqueItems": True,
    "items": PROJECT,
    "description": "The projects that may be served; null for everyone.",
}
_MIN_DURATION = described(SECONDS, "Length in seconds of the shortest contract the owner takes.")

CREATE = closed(
    {
        "uuid": described(UUID, "Chosen by the client, so that the request can be repeated; by default a fresh one."),
        "name": nullable(NAME),
        "node_uuid": described(NAME, "The node, by UUID or by name."),
        "start_time": described(TIME, "Begin of the window; by default now."),
        "end_time": described(nullable(TIME), "End of the window; null or left out for none."),
        "reserve_price": described(PRICE, "The least to be paid per node-hour."),
        "min_duration": _MIN_DURATION,
        "lessee_project_ids": nullable(_LESSEES),
    },
    ("node_uuid", "reserve_price"),
)

CHANGE = {**closed({"reserve_price": PRICE, "end_time": nullable(TIME)}), "minProperties": 1}

OFFER = entity(
    {
        "uuid": UUID,
        "name": nullable(NAME),
        "owner_project_id": {"type": "string"},
        "owner_project_name": PROJECT_NAME,
        "node_uuid": UUID,
        "node_name": nullable(NAME),
        "resource_class": nullable(NAME),
        "properties": {"type": "object", "description": "What leaves the provider of the hardware document."},
        "start_time": TIME_OUT,
        "end_time": nullable(TIME_OUT),
        "reserve_price": PRICE_OUT,
        "min_duration": _MIN_DURATION,
        "lessee_project_ids": nullable({"type": "array", "items": {"type": "string"}}),
        "status": {"enum": [str(status) for status in OfferStatus]},
        "status_reason": REASON_OUT,
        "publication": {
            "enum": [str(state) for state in Publication],
            "description": "How far the market knows of it.",
        },
        "publication_reason": REASON_OUT,
        "created_at": TIME_OUT,
        "updated_at": TIME_OUT,
    }
)
OFFERS = collection("offers", OFFER)
