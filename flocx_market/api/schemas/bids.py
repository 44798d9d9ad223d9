# SPDX-License-Identifier: Apache-2.0
"""Bids on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import (
    NAME,
    PRICE,
    PRICE_OUT,
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
from flocx_market.domain.bid import BidStatus
from flocx_market.domain.requirements import MAX_REQUIREMENTS

_EXPRESSION: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1024,
    "description": "JMESPath over the hardware document, and over offer.provider_uuid, offer.owner_project_id and "
    "offer.resource_class.",
}

# The parts of a triple are checked where their meaning is known, with errors
# that name the triple's index, the part and the problem.
REQUIREMENTS: Schema = {
    "type": "array",
    "maxItems": MAX_REQUIREMENTS,
    "items": {},
    "description": "Triples [JMESPath expression, operator, value] that must all hold.",
}
SPREAD = described(
    closed({"by": _EXPRESSION, "max": {"type": "integer", "minimum": 1, "maximum": 10**6}}, ("by", "max")),
    "At most max of the bid's nodes share the value of by.",
)
TOGETHER = described(closed({"by": _EXPRESSION}, ("by",)), "All of the bid's nodes share the value of by.")
_DURATION = described({**SECONDS, "minimum": 1}, "Length of the contract in seconds; null for the whole window.")
_QUANTITY: Schema = {"type": "integer", "minimum": 1, "maximum": 10**6, "description": "How many distinct nodes."}
_OFFERS: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "uniqueItems": True,
    "items": UUID,
    "description": "Exactly these offers may serve the bid; null for any.",
}

CREATE = closed(
    {
        "uuid": described(UUID, "Chosen by the client, so that the request can be repeated; by default a fresh one."),
        "name": nullable(NAME),
        "requirements": REQUIREMENTS,
        "quantity": described(_QUANTITY, "How many distinct nodes; by default 1."),
        "start_time": described(TIME, "Begin of the window; by default now."),
        "end_time": described(
            TIME,
            "End of the window; by default as long after its begin as the market says, and longer by the duration.",
        ),
        "duration": nullable(_DURATION),
        "limit_price": described(PRICE, "The most to be paid per node-hour."),
        "spread": nullable(SPREAD),
        "together": nullable(TOGETHER),
        "offer_uuids": nullable(_OFFERS),
    },
    ("limit_price",),
)

CHANGE = {
    **closed(
        {
            "name": nullable(NAME),
            "limit_price": described(PRICE, "Raising it makes the bid young again."),
            "end_time": described(TIME, "A later one makes the bid young again."),
        }
    ),
    "minProperties": 1,
}

BID = entity(
    {
        "uuid": UUID,
        "name": nullable(NAME),
        "project_id": {"type": "string"},
        "project_name": PROJECT_NAME,
        "requirements": REQUIREMENTS,
        "quantity": _QUANTITY,
        "start_time": TIME_OUT,
        "end_time": TIME_OUT,
        "duration": nullable(_DURATION),
        "limit_price": PRICE_OUT,
        "spread": nullable(SPREAD),
        "together": nullable(TOGETHER),
        "offer_uuids": nullable(_OFFERS),
        "status": {"enum": [str(status) for status in BidStatus]},
        "status_reason": REASON_OUT,
        "created_at": described(TIME_OUT, "Its age in ties: set anew when it asks for more."),
        "updated_at": TIME_OUT,
    }
)
BIDS = collection("bids", BID)

EXPLANATION = entity(
    {
        "bid_uuid": nullable(UUID),
        "sentence": {"type": "string", "description": "The step that costs most, in words to act on."},
        "steps": {
            "type": "array",
            "items": entity(
                {
                    "step": {"type": "string"},
                    "before": {"type": "integer", "minimum": 0},
                    "after": {"type": "integer", "minimum": 0},
                    "detail": {"type": ["string", "null"]},
                }
            ),
            "description": "In the order of evaluation; each before is the last one's after.",
        },
        "nearest": nullable(
            described(
                entity(
                    {
                        "change": closed(
                            {
                                "limit_price": PRICE_OUT,
                                "start_time": TIME_OUT,
                                "quantity": _QUANTITY,
                                "requirements": REQUIREMENTS,
                            }
                        )
                    }
                ),
                "The least change of one field or one triple with which the bid could be served from what is left.",
            )
        ),
    }
)
