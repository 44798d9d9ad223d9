# SPDX-License-Identifier: Apache-2.0
"""Waiting for a thing to come about, woken by events and never later than a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flocx_client.entity import Entity
from flocx_client.errors import ClientError, ServiceFailed, ServiceUnreachable
from flocx_client.resources import Event

E = TypeVar("E", bound=Entity)

#: The longest between two looks, in seconds: should an event go missing, and for progress to be seen.
_LOOK = 5.0

#: The shortest between two looks that no event has woken, in seconds.
_PAUSE = 1.0


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
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> E:
    """Look again after each event until it is done.

    A service that is away at first is an error; one that goes away later is
    waited for as well, since it may only be started anew.

    :param hopeful: the statuses in which it can still come about.
    :raises WaitTimedOut: it has not within ``timeout`` seconds.
    :raises WaitInVain: it cannot any more.
    """
    began = clock()
    # Before the first look: what happens after it is an event then.
    _, cursor = events(since="latest")
    entity = look()
    while not done(entity):
        seen: Any = entity
        waited = clock() - began
        name = f"{type(seen).__name__.lower()} {seen.id}"
        if seen.status not in hopeful:
            reason = f": {seen.status_reason}" if seen.status_reason else ""
            raise WaitInVain(f"{name} is {seen.status}{reason}", entity)
        progress(Progress(entity, waited))
        left = timeout - waited
        if left <= 0:
            raise WaitTimedOut(f"{name} is still {seen.status} after {waited:.0f} s", entity)
        asked = clock()
        try:
            happened, cursor = events(since=cursor, wait=min(left, _LOOK))
            if not happened and clock() - asked < min(left, _PAUSE):
                # Too many wait at the service for it to let us wait there.
                sleep(min(left, _PAUSE))
            entity = look()
        except (ServiceFailed, ServiceUnreachable):
            if clock() - began + _PAUSE >= timeout:
                raise
            sleep(_PAUSE)
    return entity
