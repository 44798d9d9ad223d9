# SPDX-License-Identifier: Apache-2.0
"""Where the time comes from: read once at the edge, passed in everywhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the current instant."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC, with microseconds."""
        return datetime.now(tz=UTC)


def as_utc(instant: datetime) -> datetime:
    """Return ``instant`` in UTC.

    :raises ValueError: it carries no offset; a naive time means different
        instants in different places and is never guessed at.
    """
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"naive time {instant.isoformat()}: an offset is needed")
    return instant.astimezone(UTC)


def floor_second(instant: datetime) -> datetime:
    """Return the whole second at or before ``instant``, in UTC."""
    return as_utc(instant).replace(microsecond=0)


def ceil_second(instant: datetime) -> datetime:
    """Return the whole second at or after ``instant``, in UTC."""
    floor = floor_second(instant)
    return floor if floor == instant else floor + timedelta(seconds=1)
