# SPDX-License-Identifier: Apache-2.0
"""The log of events, written with the change they tell of and never rewritten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.rows import insert_many
from flocx_common.domain.events import Event
from flocx_common.domain.ids import new_id


class EventLog:
    """Events in one database."""

    def __init__(self, connection: Connection, events: sa.Table, event_projects: sa.Table) -> None:
        self._connection = connection
        self._events = events
        self._told = event_projects

    def since(self, number: int, limit: int, project_id: str | None) -> Sequence[Event]:
        """Return events after a place, in order: those of one project, or of all for None."""
        events, told = self._events, self._told
        query = sa.select(events).where(events.c.number > number).order_by(events.c.number).limit(limit)
        if project_id is not None:
            query = query.join(told, told.c.number == events.c.number).where(
                told.c.project_id == project_id, told.c.number > number
            )
        rows = self._connection.execute(query).all()
        concerned: dict[int, set[str]] = defaultdict(set)
        numbers = [row.number for row in rows]
        for row in self._connection.execute(sa.select(told).where(told.c.number.in_(numbers))):
            concerned[row.number].add(row.project_id)
        return [
            Event(
                event_type=row.event_type,
                entity_uuid=row.entity_uuid,
                project_ids=frozenset(concerned[row.number]),
                occurred_at=row.occurred_at,
                reason=row.reason,
                detail=row.detail,
                uuid=row.uuid,
                number=row.number,
            )
            for row in rows
        ]

    def insert(self, new: Sequence[Event], numbers: Iterable[int]) -> None:
        """Write events under the numbers taken for them."""
        numbered = list(zip(new, numbers, strict=True))
        if not numbered:
            return
        insert_many(
            self._connection,
            self._events,
            [
                {
                    "number": number,
                    "uuid": event.uuid or new_id(),
                    "event_type": event.event_type,
                    "entity_uuid": event.entity_uuid,
                    "occurred_at": event.occurred_at,
                    "reason": event.reason,
                    "detail": dict(event.detail),
                }
                for event, number in numbered
            ],
        )
        told = [
            {"project_id": project_id, "number": number}
            for event, number in numbered
            for project_id in sorted(event.project_ids)
        ]
        insert_many(self._connection, self._told, told)
