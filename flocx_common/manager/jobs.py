# SPDX-License-Identifier: Apache-2.0
"""Jobs of a manager: each in its own thread, run when something happened and when it is time.

A job is safe to run at any moment and as often as anybody likes; what makes it
run is only a matter of how soon. Changes wake it, a periodic run is the safety
net should a wake-up be lost, and a run may itself say when the next is due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import futurist
from futurist import periodics

from flocx_common import metrics
from flocx_common.domain.clock import Clock
from flocx_common.domain.errors import FlocxError

LOG = logging.getLogger(__name__)

#: The work of a job: takes the time, returns when it wants to run again at the latest.
Work = Callable[[datetime], datetime | None]

#: Waits for something to do, for a bounded time; returns whether there is.
Listen = Callable[[], bool]

#: Seconds until a job listens again that was told at once that there is nothing.
_UNHEARD_PAUSE = 1.0


class Component(Protocol):
    """Something with a life of its own beside the jobs, such as the health endpoints."""

    def start(self) -> None:
        """Begin; returns at once."""

    def stop(self) -> None:
        """Finish what is in hand and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job to be.

    :param interval: seconds between periodic runs; 0 for none.
    :param on_change: whether a committed change wakes it.
    :param patience: seconds to let pass between a wake-up and the run, so that
        changes can come together.
    :param listen: what a run begins with, again and again; the work is done
        only when it has heard of some. While it waits nothing is in hand, so
        stopping does not wait for it.
    """

    name: str
    work: Work
    interval: float
    on_change: bool = False
    patience: float = 0.0
    listen: Listen | None = None


class Job:
    """A job with its thread."""

    def __init__(self, spec: JobSpec, clock: Clock) -> None:
        self.spec = spec
        self._clock = clock
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._listening = False
        self._listen_again: datetime | None = None
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._loop, name=spec.name, daemon=True)

    def start(self) -> None:
        """Run it once now, and from then on when woken."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """Make it run soon; several wake-ups before it does are one."""
        self._woken.set()

    def stop(self) -> None:
        """Make the run in hand the last; returns at once."""
        self._stopping.set()
        self._woken.set()

    def join(self, timeout: float) -> bool:
        """Wait until nothing is in hand any more; return whether that came about."""
        # After a stop, one who listens does not begin to work (see _run).
        if not self._listening and self._thread.ident is not None:
            self._thread.join(timeout)
        return self._listening or not self._thread.is_alive()

    def _loop(self) -> None:
        due: datetime | None = None
        while True:
            self._woken.wait(None if due is None else max((due - self._clock.now()).total_seconds(), 0))
            if self.spec.patience and self._woken.is_set():
                self._stopping.wait(self.spec.patience)
            self._woken.clear()
            # Asked last: a stop before this has been forgotten as a wake-up, one after it wakes.
            if self._stopping.is_set():
                return
            due = self._run()

    def _run(self) -> datetime | None:
        name, failure = self.spec.name, None
        try:
            if self.spec.listen is not None and not self._hears(self.spec.listen):
                return self._listen_again
            due = self._work()
        except Exception as error:
            failure = error
        if failure is not None:
            # Told outside of its handler, where the log would add it to the line once more.
            metrics.RUNS.labels(name, "failed").inc()
            self._failed(failure)
            return None
        metrics.RUNS.labels(name, "succeeded").inc()
        metrics.LAST_SUCCESS.labels(name).set_to_current_time()
        self._succeeded()
        return due

    def _hears(self, listen: Listen) -> bool:
        """Return whether there is work, and the job is not being stopped."""
        began = time.monotonic()
        self._listening = True
        try:
            heard = listen()
        finally:
            self._listening = False
        # Read after the line above: whoever found us listening after a stop can rely on it.
        if self._stopping.is_set():
            return False
        at_once = time.monotonic() - began < _UNHEARD_PAUSE
        self._listen_again = self._clock.now() + timedelta(seconds=_UNHEARD_PAUSE if at_once else 0)
        if not heard:
            self._succeeded()
        return heard

    def _work(self) -> datetime | None:
        began = time.perf_counter()
        try:
            return self.spec.work(self._clock.now())
        finally:
            metrics.RUN_SECONDS.labels(self.spec.name).observe(time.perf_counter() - began)

    def _succeeded(self) -> None:
        if self._failure is not None:
            LOG.info("%s works again", self.spec.name)
            self._failure = None

    def _failed(self, error: Exception) -> None:
        """Log a failure once for each kind of it in a row, not once for each try."""
        told = f"{type(error).__name__}: {error.detail if isinstance(error, FlocxError) else error}"
        if told == self._failure:
            LOG.debug("%s still fails: %s", self.spec.name, told)
            return
        self._failure = told
        unforeseen = not isinstance(error, FlocxError)
        LOG.error("%s failed and will be tried again: %s", self.spec.name, told, exc_info=error if unforeseen else None)


class Manager:
    """All jobs of one manager process, with what wakes them.

    :param read_place: returns the place of the last committed change.
    :param wake_interval: seconds between looks at it; 0 for none, so that only
        the periodic runs are left.
    """

    def __init__(
        self,
        jobs: Sequence[JobSpec],
        *,
        clock: Clock,
        read_place: Callable[[], int],
        wake_interval: float,
        components: Sequence[Component] = (),
    ) -> None:
        # An interval of 0 turns a job off that nothing else would wake.
        self.jobs = [Job(spec, clock) for spec in jobs if spec.interval or spec.on_change]
        self._read_place = read_place
        self._wake_interval = wake_interval
        self._components = list(components)
        self._stopping = threading.Event()
        self._periodic = self._periodic_worker()

    def start(self) -> None:
        """Start everything; returns at once."""
        for component in self._components:
            component.start()
        for job in self.jobs:
            job.start()
        if self._periodic is not None:
            threading.Thread(target=self._periodic.start, name="periodic", daemon=True).start()
        if self._wake_interval:
            threading.Thread(target=self._watch, name="wake-up", daemon=True).start()

    def stop(self, timeout: float) -> bool:
        """Let every job finish the run in hand; return whether all did within ``timeout`` seconds."""
        self._stopping.set()
        if self._periodic is not None:
            self._periodic.stop()
        for job in self.jobs:
            job.stop()
        deadline = time.monotonic() + timeout
        finished = [job.join(max(deadline - time.monotonic(), 0)) for job in self.jobs]
        for component in self._components:
            component.stop()
        return all(finished)

    def _periodic_worker(self) -> periodics.PeriodicWorker | None:
        def waking(job: Job) -> Callable[[], None]:
            @periodics.periodic(spacing=job.spec.interval)
            def wake() -> None:
                job.wake()

            return wake

        calls: list[tuple[Callable[[], None], tuple[()], dict[str, object]]] = [
            (waking(job), (), {}) for job in self.jobs if job.spec.interval
        ]
        if not calls:
            return None
        return periodics.PeriodicWorker(calls, executor_factory=futurist.SynchronousExecutor)

    def _watch(self) -> None:
        seen: int | None = None
        failing = False
        while not self._stopping.wait(self._wake_interval):
            try:
                place = self._read_place()
            except Exception as error:
                LOG.log(logging.DEBUG if failing else logging.ERROR, "the change counter cannot be read: %s", error)
                failing = True
                continue
            failing = False
            if place != seen:
                seen = place
                for job in self.jobs:
                    if job.spec.on_change:
                        job.wake()
