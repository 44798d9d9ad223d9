# SPDX-License-Identifier: Apache-2.0
"""The change counter: numbers for changes, in the order in which they are committed.

A transaction takes its numbers as its last act before the commit and holds the
counter's row until then. So a change never becomes visible after one with a
higher number, and a reader that remembers the highest number it has seen never
skips one, whatever commits late or rolls back.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def take_numbers(connection: Connection, counter: sa.Table, count: int) -> range:
    """Return ``count`` new numbers; from here to the commit other writers wait."""
    connection.execute(sa.update(counter).where(counter.c.id == 1).values(value=counter.c.value + count))
    last = current_number(connection, counter)
    return range(last - count + 1, last + 1)


def current_number(connection: Connection, counter: sa.Table) -> int:
    """Return the number of the last committed change (or this transaction's own last)."""
    return int(connection.execute(sa.select(counter.c.value).where(counter.c.id == 1)).scalar_one())
