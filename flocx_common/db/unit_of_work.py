# SPDX-License-Identifier: Apache-2.0
"""What the units of work of both services share: events, and numbers taken last."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flocx_common.db.changes import current_number, take_numbers
from flocx_common.db.events import EventLog
from flocx_common.domain.events import Event


class SqlUnitOfWork:
    """One transaction. :meth:`finish` is its last act before the commit."""

    def __init__(
        self, connection: Connection, change_counter: sa.Table, events: sa.Table, event_projects: sa.Table
    ) -> None:
        self.connection = connection
        self._counter = change_counter
        self.events = EventLog(connection, events, event_projects)
        self._recorded: list[Event] = []

    def record(self, *events: Event) -> None:
        """Write events with the transaction."""
        self._recorded.extend(events)

    def place(self) -> int:
        """Return the place of the last committed change."""
        return current_number(self.connection, self._counter)

    def numbers_needed(self) -> int:
        """Return how many change numbers the transaction needs besides one an event."""
        return 0

    def write_numbered(self, numbers: range) -> None:
        """Write what waited for its change numbers."""

    def finish(self) -> None:
        """Take the transaction's numbers and write what needs them.

        Other writers wait from here to the commit, so it comes last.
        """
        more = self.numbers_needed()
        count = more + len(self._recorded)
        if not count:
            return
        numbers = take_numbers(self.connection, self._counter, count)
        self.write_numbered(numbers[:more])
        self.events.insert(self._recorded, numbers[more:])
