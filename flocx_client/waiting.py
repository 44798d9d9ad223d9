# SPDX-License-Identifier: Apache-2.0
"""Waiting for a thing to come about, woken by events and never later than a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flocx_client.entity import Entity
from flocx_client.errors import ClientError
from flocx_client.resources import Event

E = TypeVar("E", bound=Entity)

#: The longest between two looks, in seconds: should an event go missing, and for progress to be seen.
_LOOK = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What is told of a wait: the thing as it is now, and how long it took so far in seconds."""

    entity: Entity
    seconds: float


class WaitTimedOut(ClientError):
    """What was waited for has not come about yet.

    :param entity: the thing as it was in the end.
    """

    def __init__(self, message: str, entity: Entity) -> None:
        super().__init__(message)
        self.entity = entity


class WaitInVain(ClientError):
    """What was waited for can no longer come about.

    :param entity: the thing as it is now.
    """

    def __init__(self, message: str, entity: Entity) -> None:
        super().__init__(message)
        self.entity = entity


class Events(Protocol):
    """Reads events after a cursor."""

    def __call__(
        self, *, since: str | None = ..., wait: float = ..., limit: int | None = ...
    ) -> tuple[Sequence[Event], str]:
        """Return events and the cursor to go on from."""


def silent(_progress: Progress) -> None:
    """Tell nobody."""


def until(
    look: Callable[[], E],
    events: Events,
    done: Callable[[E], bool],
    hopeful: Sequence[str],
    timeout: float,
    progress: Callable[[Progress], None],
) -> E:
    """Look again after each event until it is done.

    :param hopeful: the statuses in which it can still come about.
    :raises WaitTimedOut: it has not within ``timeout`` seconds.
    :raises WaitInVain: it cannot any more.
    """
    began = time.monotonic()
    # Before the first look: what happens after it is an event then.
    _, cursor = events(since="latest")
    while True:
        entity: Any = look()
        waited = time.monotonic() - began
        if done(entity):
            return entity  # type: ignore[no-any-return]
        name = f"{type(entity).__name__.lower()} {entity.id}"
        if entity.status not in hopeful:
            reason = f": {entity.status_reason}" if entity.status_reason else ""
            raise WaitInVain(f"{name} is {entity.status}{reason}", entity)
        progress(Progress(entity, waited))
        left = timeout - waited
        if left <= 0:
            raise WaitTimedOut(f"{name} is still {entity.status} after {waited:.0f} s", entity)
        asked = time.monotonic()
        happened, cursor = events(since=cursor, wait=min(left, _LOOK))
        if not happened and time.monotonic() - asked < min(left, 1.0):
            # Too many wait at the service for it to let us wait there.
            time.sleep(min(left, 1.0))
