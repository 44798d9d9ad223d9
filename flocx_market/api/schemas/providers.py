# SPDX-License-Identifier: Apache-2.0
"""Providers on the wire."""

from __future__ import annotations

from flocx_common.api.schemas import NAME, TIME_OUT, UUID, Schema, closed, collection, described, entity

_USER: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "pattern": r"^\S+$",
    "title": "text without spaces",
    "description": "The service user that speaks for the provider; by default the caller.",
}
_TURNAROUND: Schema = {
    "type": "integer",
    "minimum": 0,
    "maximum": 30 * 86400,
    "description": "Seconds that each of its nodes needs between two contracts.",
}

CREATE = closed(
    {
        "uuid": described(UUID, "Chosen by the client, so that the request can be repeated; by default a fresh one."),
        "name": NAME,
        "service_user_id": _USER,
        "turnaround": described(
            _TURNAROUND, "Seconds that each of its nodes needs between two contracts; 0 by default."
        ),
    },
    ("name",),
)

CHANGE = {**closed({"name": NAME, "turnaround": _TURNAROUND}), "minProperties": 1}

PROVIDER = entity(
    {
        "uuid": UUID,
        "name": NAME,
        "service_user_id": {"type": "string"},
        "turnaround": _TURNAROUND,
        "last_heartbeat_at": TIME_OUT,
        "silent": {"type": "boolean", "description": "Not heard of for too long; its offers are suspended."},
        "created_at": TIME_OUT,
        "updated_at": TIME_OUT,
    }
)
PROVIDERS = collection("providers", PROVIDER)
