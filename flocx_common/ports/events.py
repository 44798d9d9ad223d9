# SPDX-License-Identifier: Apache-2.0
"""The log of events, as both services have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from flocx_common.domain.events import Event

T = TypeVar("T")


class EventReader(Protocol):
    """Everything that happened."""

    def since(self, number: int, limit: int, project_id: str | None) -> Sequence[Event]:
        """Return events after a place, in order: those of one project, or of all for None."""


class Snapshot(Protocol):
    """A transaction's view, as far as events go."""

    @property
    def events(self) -> EventReader:
        """The events."""

    def place(self) -> int:
        """Return the place of the last committed change."""


class EventStore(Protocol):
    """Runs work on one consistent snapshot."""

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Run work that changes nothing."""
