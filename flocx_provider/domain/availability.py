# SPDX-License-Identifier: Apache-2.0
"""When a node is free, given what is offered and what is promised of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from flocx_common.domain.clock import ceil_second
from flocx_common.domain.window import TimeWindow, free_windows
from flocx_provider.domain.allocation import Allocation
from flocx_provider.domain.offer import STANDING, Offer


def node_free_windows(
    offers: Iterable[Offer], allocations: Iterable[Allocation], turnaround: timedelta, now: datetime
) -> tuple[TimeWindow, ...]:
    """Return the windows from now on in which a node is offered and not promised, in order of time."""
    taken = [
        TimeWindow(a.start_time, a.end_time)
        for a in allocations
        if a.start_time < a.end_time and (a.wanted or a.delivered_from is not None)
    ]
    free = [
        window
        for offer in offers
        if offer.status in STANDING
        for window in free_windows(offer.window, taken, margin=turnaround, not_before=ceil_second(now))
    ]
    return tuple(sorted(free, key=lambda window: window.start))
