# SPDX-License-Identifier: Apache-2.0
"""Capacity on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import (
    LINE,
    PRICE,
    PRICE_OUT,
    SECONDS,
    TIME_OUT,
    UUID,
    Schema,
    closed,
    described,
    entity,
    nullable,
)
from flocx_market.api.schemas.bids import CREATE
from flocx_market.domain.capacity import STEPS

#: The longest time that earnings are told of, in days.
LONGEST = 366

_ASKED = {name: CREATE["properties"][name] for name in CREATE["properties"] if name not in ("uuid", "name")}
_COUNT: Schema = {"type": "integer", "minimum": 0}

ASK = closed(
    {
        **_ASKED,
        "limit_price": described(PRICE, "Leaves out what asks more; by default nothing is left out."),
        "max_steps": {
            "type": "integer",
            "minimum": 2,
            "maximum": 1000,
            "description": f"The most steps that a ladder has; by default {STEPS}.",
        },
        "earnings": described(
            closed(
                {
                    "node": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 255,
                        "pattern": LINE,
                        "title": "text on one line",
                        "description": "A node that the project has offered, by name or UUID.",
                    },
                    "days": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": LONGEST,
                        "description": "So many days up to now; by default 30.",
                    },
                },
                ("node",),
            ),
            "Asks as well what a node of the project would have earned.",
        ),
    }
)

_EARNINGS = entity(
    {
        "node_uuid": UUID,
        "node_name": {"type": ["string", "null"]},
        "resource_class": {"type": ["string", "null"]},
        "start_time": TIME_OUT,
        "end_time": TIME_OUT,
        "by_price": {
            "type": "array",
            "items": entity(
                {
                    "price": PRICE_OUT,
                    "seconds": described(SECONDS, "How long the node could have been sold at this price."),
                    "contracts": described(_COUNT, "In so many contracts."),
                    "amount": described(PRICE_OUT, "What that comes to at the least."),
                }
            ),
            "description": "What the node would have earned at which reserve price, as far as nodes like it were sold.",
        },
        "by_price_cut": {
            "type": "boolean",
            "description": "Whether steps between the first and the last are left out.",
        },
    }
)

CAPACITY = entity(
    {
        "quantity": described(_COUNT, "The quantity that the prices are for."),
        "start_time": described(TIME_OUT, "Begin of the window that was looked at."),
        "end_time": described(TIME_OUT, "End of the window that was looked at."),
        "duration": nullable(described(SECONDS, "Length of the contract in seconds; null for the whole window.")),
        "nodes": described(_COUNT, "The most nodes that could be had at once."),
        "indicative_price": nullable(
            described(
                PRICE_OUT,
                "The lowest limit price that would be served if nobody else wanted the nodes; null where the quantity "
                "cannot be had.",
            )
        ),
        "indicative_amount": nullable(described(PRICE_OUT, "What all nodes come to at the indicative price.")),
        "indicative_start_time": nullable(described(TIME_OUT, "When the contract would start.")),
        "by_price": {
            "type": "array",
            "items": entity(
                {
                    "price": PRICE_OUT,
                    "nodes": described(_COUNT, "The most nodes at once of which none asks more."),
                }
            ),
            "description": "With each step more nodes, and dearer.",
        },
        "by_price_cut": {
            "type": "boolean",
            "description": "Whether steps between the first and the last are left out.",
        },
        "by_start": {
            "type": "array",
            "items": entity(
                {
                    "start_time": TIME_OUT,
                    "nodes": described(_COUNT, "The most nodes at once from then on."),
                    "price": nullable(
                        described(PRICE_OUT, "What the dearest node of the quantity asks; null where there are fewer.")
                    ),
                }
            ),
            "description": "The earliest start, and each later one with more nodes or a lower price than all before it.",
        },
        "by_start_cut": {"type": "boolean", "description": "Whether later steps are left out."},
        "earnings": nullable(described(_EARNINGS, "What the node would have earned; null where that was not asked.")),
    }
)
