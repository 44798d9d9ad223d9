# SPDX-License-Identifier: Apache-2.0
"""Serves /v1/events, the same in both services."""

from __future__ import annotations

from typing import Any

from flocx_common.api.long_poll import Changes
from flocx_common.api.operation import Answer, ApiServices, Call, Controller, operation
from flocx_common.api.query import Parameter, integer, seconds
from flocx_common.api.schemas import LINKS, TIME_OUT, UUID, entity
from flocx_common.api.values import time_text
from flocx_common.domain.events import Event
from flocx_common.domain.paging import cursor_number, cursor_text
from flocx_common.services.events import events_since

#: Seconds after which a request that could not wait should come back.
RETRY_AFTER = "1"

#: Parameters of everything that is read through a cursor.
CURSOR_PARAMETERS = {
    "since": Parameter(
        lambda text, _: cursor_number(text),
        {"type": "string", "description": "The cursor to go on from; without it everything is returned."},
    ),
    "wait": Parameter(
        seconds, {"type": "string", "description": "Seconds to wait for something new where there is nothing yet."}
    ),
    "limit": Parameter(
        lambda text, name: integer(text, name, low=1),
        {"type": "integer", "minimum": 1, "description": "At most so many."},
    ),
}

_PARAMETERS = {
    **CURSOR_PARAMETERS,
    "since": Parameter(
        lambda text, _: None if text == "latest" else cursor_number(text),
        {"type": "string", "description": "The cursor to go on from; latest for none of what has been."},
    ),
}

EVENTS = entity(
    {
        "events": {
            "type": "array",
            "items": entity(
                {
                    "uuid": UUID,
                    "event_type": {"type": "string", "description": "The entity's word and what happened to it."},
                    "entity_type": {"type": "string"},
                    "entity_uuid": UUID,
                    "project_ids": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "The projects it concerns; without the role admin only the caller's.",
                    },
                    "occurred_at": TIME_OUT,
                    "reason": {"type": ["string", "null"]},
                    "detail": {"type": "object"},
                }
            ),
        },
        "next_since": {"type": "string", "description": "The cursor to go on from."},
        "links": LINKS,
    }
)


def events_controller(rule: str) -> type[Controller[ApiServices]]:
    """Return the controller of events, guarded by a service's policy rule."""

    class EventsController(Controller[ApiServices]):
        """What happened."""

        @operation(
            method="GET",
            path="/v1/events",
            summary="Read events",
            policy=rule,
            parameters=_PARAMETERS,
            answers={200: EVENTS},
        )
        def list(self, call: Call[ApiServices]) -> Answer:
            """Return the caller's events after a cursor, in order; may wait for one."""
            call.require({"project_id": call.caller.project_id})
            project_id = None if call.caller.is_admin else call.caller.project_id
            since, limit = call.parameters.get("since", 0), cursor_limit(call)

            def read() -> Changes[Event]:
                return Changes(*events_since(since, limit, project_id, store=call.services.event_store))

            wait = 0 if since is None else call.parameters.get("wait", 0)
            changes, crowded = call.services.long_polls.read(read, wait)
            last = changes.items[-1].number if changes.items else changes.place
            assert last is not None
            body = {
                "events": [_shown(event, project_id) for event in changes.items],
                "next_since": cursor_text(last),
                "links": [],
            }
            return Answer(body=body, headers={"Retry-After": RETRY_AFTER} if crowded else {})

    return EventsController


def cursor_limit(call: Call[Any]) -> int:
    """Return how many entries a read through a cursor returns at most."""
    limits = call.services.page_limits
    return int(min(call.parameters.get("limit", limits.default), limits.maximum))


def _shown(event: Event, project_id: str | None) -> dict[str, Any]:
    """Return an event as a project sees it; None for one who sees everything."""
    concerned = event.project_ids if project_id is None else event.project_ids & {project_id}
    return {
        "uuid": event.uuid,
        "event_type": event.event_type,
        "entity_type": event.entity_type,
        "entity_uuid": event.entity_uuid,
        "project_ids": sorted(concerned),
        "occurred_at": time_text(event.occurred_at),
        "reason": event.reason,
        "detail": dict(event.detail),
    }
