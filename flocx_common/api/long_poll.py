# SPDX-License-Identifier: Apache-2.0
"""Waiting for a change without asking again and again: bounded, and one read for all who wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flocx_common.domain.errors import Unavailable

LOG = logging.getLogger(__name__)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changes(Generic[T]):
    """What a snapshot holds after some place, and the place of the snapshot itself."""

    items: Sequence[T]
    place: int


class ChangeWatcher:
    """Reads the change counter every ``interval`` seconds while somebody waits for it.

    :param read: returns the place of the last committed change.
    """

    def __init__(self, read: Callable[[], int], interval: float) -> None:
        self._read = read
        self._interval = interval
        self._changed = threading.Condition()
        self._place = -1
        self._waiting = 0
        self._running = False
        self._stopped = False

    def stop(self) -> None:
        """Let nobody wait any more: the process is to end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait_beyond(self, place: int, timeout: float) -> bool:
        """Wait until something is committed after ``place``; return whether it was in time."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._waiting += 1
            if not self._running:
                self._running = True
                threading.Thread(target=self._watch, name="change-watcher", daemon=True).start()
            try:
                while self._place <= place:
                    left = deadline - time.monotonic()
                    if left <= 0 or self._stopped:
                        return False
                    self._changed.wait(left)
                return True
            finally:
                self._waiting -= 1

    def _watch(self) -> None:
        while True:
            try:
                place = self._read()
            except Unavailable:
                place = self._place
            except Exception:
                LOG.exception("the change counter cannot be read")
                place = self._place
            with self._changed:
                if place != self._place:
                    self._place = place
                    self._changed.notify_all()
                if not self._waiting:
                    # The next one who waits starts the reading anew, from scratch.
                    self._running, self._place = False, -1
                    return
            time.sleep(self._interval)


class LongPolls:
    """How many requests may wait at once; those beyond are answered at once."""

    def __init__(self, watcher: ChangeWatcher, at_most: int, longest: float) -> None:
        self._watcher = watcher
        self._seats = threading.Semaphore(at_most)
        self._longest = longest

    def stop(self) -> None:
        """Answer everybody who waits, and from now on everybody at once: the process is to end."""
        self._watcher.stop()

    def read(self, read: Callable[[], Changes[T]], seconds: float) -> tuple[Changes[T], bool]:
        """Read until there is something, at most for ``seconds``.

        :param read: returns what there is now.
        :returns: what there is in the end, and whether the request should come
            back later because too many wait already.
        """
        changes = read()
        if changes.items or not seconds:
            return changes, False
        if not self._seats.acquire(blocking=False):
            return changes, True
        try:
            deadline = time.monotonic() + min(seconds, self._longest)
            while not changes.items:
                left = deadline - time.monotonic()
                if left <= 0 or not self._watcher.wait_beyond(changes.place, left):
                    break
                changes = read()
            return changes, False
        finally:
            self._seats.release()
