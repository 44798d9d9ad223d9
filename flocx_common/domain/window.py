# SPDX-License-Identifier: Apache-2.0
"""Half-open windows of time and what is left of them when parts are taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flocx_common.domain.clock import as_utc


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The instants from ``start`` up to, not including, ``end``.

    ``end`` is None for a window without an end. Two windows that only touch
    do not overlap.

    :raises ValueError: a bound is naive or has a fraction of a second, or the
        window would be empty.
    """

    start: datetime
    end: datetime | None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            bound = getattr(self, name)
            if bound is None:
                continue
            bound = as_utc(bound)
            if bound.microsecond:
                raise ValueError(f"{name} {bound.isoformat()}: whole seconds are needed")
            object.__setattr__(self, name, bound)
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"empty window: {self.end.isoformat()} is not after {self.start.isoformat()}")

    @property
    def length(self) -> timedelta | None:
        """How long the window is; None when it has no end."""
        return None if self.end is None else self.end - self.start

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant and (self.end is None or instant < self.end)

    def covers(self, other: TimeWindow) -> bool:
        """Tell whether every instant of ``other`` lies in this window."""
        if other.start < self.start:
            return False
        return self.end is None or (other.end is not None and other.end <= self.end)

    def overlaps(self, other: TimeWindow) -> bool:
        """Tell whether some instant lies in both windows."""
        return (other.end is None or self.start < other.end) and (self.end is None or other.start < self.end)

    def minus(self, other: TimeWindow) -> tuple[TimeWindow, ...]:
        """Return what is left when ``other`` is taken away: none, one or two windows, in order."""
        if not self.overlaps(other):
            return (self,)
        left = []
        if self.start < other.start:
            left.append(TimeWindow(self.start, other.start))
        if other.end is not None and (self.end is None or other.end < self.end):
            left.append(TimeWindow(other.end, self.end))
        return tuple(left)


def widened(window: TimeWindow, margin: timedelta) -> TimeWindow:
    """Return ``window`` with ``margin`` more on either side."""
    return TimeWindow(window.start - margin, None if window.end is None else window.end + margin)


def free_windows(
    whole: TimeWindow,
    taken: Iterable[TimeWindow],
    *,
    margin: timedelta = timedelta(0),
    not_before: datetime | None = None,
) -> tuple[TimeWindow, ...]:
    """Return what of ``whole`` is left, in order of time.

    :param taken: windows that are taken, in any order; they may overlap one
        another and reach beyond ``whole``.
    :param margin: time that must lie between two uses (the turnaround of a
        node): it is kept free before and after each taken window, and not at
        the ends of ``whole``.
    :param not_before: instants before this one are past and not free.
    """
    left: tuple[TimeWindow, ...] = (whole,)
    if not_before is not None:
        if whole.end is not None and whole.end <= not_before:
            return ()
        left = (TimeWindow(max(whole.start, not_before), whole.end),)
    for window in sorted(taken, key=lambda w: w.start):
        blocked = widened(window, margin)
        left = tuple(piece for free in left for piece in free.minus(blocked))
    return left
