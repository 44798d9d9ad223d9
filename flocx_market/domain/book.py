# SPDX-License-Identifier: Apache-2.0
"""The book a round clears: open bids and available offers, in exact integers.

Instants are seconds since 1970-01-01T00:00:00Z, prices are counted in their
smallest steps (see ``flocx_common.domain.money.to_micros``), lengths are seconds.
:data:`FOREVER` stands for the end that an open-ended offer does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from flocx_common.domain.json_values import JSON
from flocx_common.domain.window import TimeWindow
from flocx_market.domain.expressions import Expression
from flocx_market.domain.requirements import Requirement

#: Later than every instant.
FOREVER = 1 << 60

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class Span(NamedTuple):
    """A half-open stretch of time in seconds; ``end`` may be :data:`FOREVER`."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        """How long it is; open-ended is longer than anything with an end."""
        return FOREVER if self.end >= FOREVER else self.end - self.begin


@dataclass(frozen=True, slots=True)
class Hardware:
    """A hardware document and the digest that equal documents share."""

    digest: str
    document: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookOffer:
    """An available offer, as clearing sees it.

    ``free`` are its free windows in order of time; ``turnaround`` is what the
    node needs between two contracts; ``node_name`` is for display.
    """

    uuid: str
    node_uuid: str
    node_name: str | None
    provider_uuid: str
    owner_project_id: str
    resource_class: str | None
    hardware: Hardware
    reserve: int
    min_duration: int
    lessees: frozenset[str] | None
    window: Span
    free: tuple[Span, ...]
    turnaround: int


@dataclass(frozen=True, slots=True)
class Spread:
    """At most ``most`` of a bid's nodes share the value of ``by``."""

    by: Expression
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookBid:
    """An open bid, as clearing sees it.

    ``duration`` None means the whole of begin to end; ``placed`` is the instant
    its age counts from.
    """

    uuid: str
    project_id: str
    requirements: tuple[Requirement, ...]
    quantity: int
    begin: int
    end: int
    duration: int | None
    limit: int
    spread: Spread | None
    together: Expression | None
    offer_uuids: frozenset[str] | None
    placed: int

    def starting(self, now: int) -> int:
        """Return the earliest instant its contract could start: a past begin means now."""
        return max(self.begin, now)

    def length(self, now: int) -> int:
        """Return how long its contract would be; not positive when the window is over."""
        return self.end - self.starting(now) if self.duration is None else self.duration

    def latest_start(self, now: int) -> int:
        """Return the last instant its contract could start; before :meth:`starting` when none is left."""
        return self.starting(now) if self.duration is None else self.end - self.duration

    def servable(self, now: int, shortest: int) -> bool:
        """Tell whether the window still has room for a contract of an allowed length."""
        return has_room(self.begin, self.end, self.duration, now, shortest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Everything a round looks at besides the time.

    ``shortest`` is the length in seconds below which no contract is made.
    """

    bids: Sequence[BookBid]
    offers: Sequence[BookOffer]
    shortest: int = 0


def has_room(begin: int, end: int, duration: int | None, now: int, shortest: int) -> bool:
    """Tell whether a bid's window still has room for a contract of an allowed length; see :class:`BookBid`."""
    start = max(begin, now)
    length = end - start if duration is None else duration
    return length >= max(shortest, 1) and start + length <= end


def to_seconds(instant: datetime) -> int:
    """Return the whole second at or after ``instant``, counted from 1970."""
    return -((_EPOCH - instant) // _SECOND)


def to_instant(seconds: int) -> datetime:
    """Return the instant that ``seconds`` after 1970 is, aware and in UTC."""
    return _EPOCH + timedelta(seconds=seconds)


def to_span(window: TimeWindow) -> Span:
    """Return a window in seconds."""
    return Span(to_seconds(window.start), FOREVER if window.end is None else to_seconds(window.end))
