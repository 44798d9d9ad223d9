# SPDX-License-Identifier: Apache-2.0
"""How much has been done of what may be done.

The only place of the engine that knows a clock, which is handed in. Without
``Effort.seconds`` nobody looks at it.
"""

from __future__ import annotations

from collections.abc import Callable

from flocx_market.domain.engine import Effort

#: Returns seconds since some instant.
Clock = Callable[[], float]

# Handing out the nodes takes time as well, about what greedy takes for the book:
# so many times that is kept for it, and this share of all time at least.
_TIMES, _SHARE = 2, 0.05


class Meter:
    """Counts steps: a step is one pass over the bids, one linear program or one neighbourhood."""

    def __init__(self, effort: Effort, clock: Clock) -> None:
        self._effort, self._clock = effort, clock
        self._began = clock() if effort.seconds is not None else 0.0
        self._kept = _SHARE * (effort.seconds or 0)
        self.work = 0
        self.stopped: str | None = None

    def keep(self) -> None:
        """Keep time for handing out the nodes; to be called when greedy has cleared the book."""
        if self._effort.seconds is not None:
            self._kept = max(self._kept, _TIMES * (self._clock() - self._began))

    def step(self) -> bool:
        """Count a step that is about to be made; tell whether it may be."""
        if self.stopped is None and self._effort.work is not None and self.work >= self._effort.work:
            self.stopped = "work"
        left = self.left()
        if self.stopped is None and left is not None and left <= 0:
            self.stopped = "time"
        self.work += self.stopped is None
        return self.stopped is None

    def left(self) -> float | None:
        """Return how many seconds are left to improve the result, or None for no bound."""
        if self._effort.seconds is None:
            return None
        return self._effort.seconds - self._kept - (self._clock() - self._began)

    def out_of_time(self) -> None:
        """Note that a step was cut short by the time."""
        self.stopped = "time"
