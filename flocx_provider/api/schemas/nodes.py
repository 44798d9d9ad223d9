# SPDX-License-Identifier: Apache-2.0
"""Nodes on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import (
    NAME,
    PROJECT_NAME,
    TIME_OUT,
    UUID,
    closed,
    collection,
    entity,
    nullable,
)
from flocx_provider.api.schemas.contracts import ALLOCATION
from flocx_provider.api.schemas.offers import OFFER

# An offer without the hardware document, which the node shows once.
_OFFER = closed(
    {name: schema for name, schema in OFFER["properties"].items() if name != "properties"},
    tuple(name for name in OFFER["required"] if name != "properties"),
)

NODE = entity(
    {
        "node_uuid": UUID,
        "node_name": nullable(NAME),
        "owner_project_id": {"type": ["string", "null"]},
        "owner_project_name": PROJECT_NAME,
        "resource_class": nullable(NAME),
        "properties": {"type": "object", "description": "The whole hardware document."},
        "health": entity(
            {
                "ok": {"type": "boolean"},
                "problem": {"type": ["string", "null"], "description": "Why it is not fit for use."},
            }
        ),
        "lessee_project_id": {"type": ["string", "null"], "description": "Who holds it now."},
        "lessee_project_name": PROJECT_NAME,
        "offers": {
            "type": "array",
            "items": _OFFER,
            "description": "In the list of nodes only those that can be matched; with one node all.",
        },
        "contracts": {
            "type": "array",
            "items": ALLOCATION,
            "description": "Its part in contracts, latest first: who had it, how long, for how much. In the list of "
            "nodes only those that are not over; with one node all.",
        },
        "free_windows": {
            "type": "array",
            "items": entity({"start_time": TIME_OUT, "end_time": nullable(TIME_OUT)}),
            "description": "When it is offered and not promised, from now on.",
        },
    }
)
NODES = collection("nodes", NODE)

ACCESS = entity(
    {
        "node_uuid": UUID,
        "node_name": nullable(NAME),
        "project_id": {"type": "string"},
        "allowed": {"type": "boolean", "description": "Whether the project may use the node now."},
        "reason": {"type": "string"},
    }
)
