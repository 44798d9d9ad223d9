# SPDX-License-Identifier: Apache-2.0
"""Managers for tests of jobs: real threads, and waiting that ends as soon as it can."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flocx_common.domain.clock import SystemClock
from flocx_common.manager.jobs import JobSpec, Manager

#: An interval that no test lives to see the end of.
NEVER = 3600.0
#: Seconds after which a test says that what it waits for will not come.
PATIENCE = 10.0


def until(condition: Callable[[], object]) -> None:
    """Return once a condition holds; fail when it does not within the deadline."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        threading.Event().wait(0.002)


class Work:
    """The work of a job: keeps its runs, and behaves in each as it was told.

    :param outcomes: for each run in turn an error to raise, or what to return; None beyond them.
    """

    def __init__(self, *outcomes: Any) -> None:
        self._outcomes = list(outcomes)
        self.runs: list[datetime] = []

    def __call__(self, now: datetime) -> datetime | None:
        """Run once."""
        self.runs.append(now)
        outcome = self._outcomes.pop(0) if self._outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def count(self, runs: int) -> Callable[[], bool]:
        """Return the condition that it ran so often at least."""
        return lambda: len(self.runs) >= runs


class Gate:
    """Work that stays in hand until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.finished = 0

    def __call__(self, _now: datetime) -> None:
        """Run once."""
        self.begun.set()
        assert self.let_go.wait(PATIENCE)
        self.finished += 1


class Counter:
    """A change counter that can be unreadable for a while."""

    def __init__(self) -> None:
        self.place = 0
        self.problem: Exception | None = None
        self.reads = 0

    def commit(self) -> None:
        """Commit a change."""
        self.place += 1

    def __call__(self) -> int:
        """Read it."""
        self.reads += 1
        if self.problem is not None:
            raise self.problem
        return self.place


def job(work: Callable[[datetime], datetime | None], name: str = "job", **over: Any) -> JobSpec:
    """Return a job that only starts by itself: nothing comes again, nothing wakes it."""
    return JobSpec(**({"name": name, "work": work, "interval": NEVER} | over))


@contextmanager
def running(jobs: Sequence[JobSpec], **over: Any) -> Iterator[Manager]:
    """Run a manager for the length of a block."""
    given = {"clock": SystemClock(), "read_place": Counter(), "wake_interval": 0.005}
    manager = Manager(jobs, **(given | over))
    manager.start()
    try:
        yield manager
    finally:
        manager.stop(PATIENCE)
