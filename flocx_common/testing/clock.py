# SPDX-License-Identifier: Apache-2.0
"""A clock that stands still until it is told to go on."""

from __future__ import annotations

from datetime import datetime, timedelta

from flocx_common.domain.clock import as_utc


class FrozenClock:
    """A clock for tests."""

    def __init__(self, now: datetime) -> None:
        self._now = as_utc(now)

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Go on by so many seconds and return the new instant."""
        self._now += timedelta(seconds=seconds)
        return self._now
