# SPDX-License-Identifier: Apache-2.0
"""A manager as a process: supervised by cotyledon, ended by SIGTERM after the work in hand."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable

import cotyledon

from flocx_common.manager.jobs import Manager

LOG = logging.getLogger(__name__)


class ManagerService(cotyledon.Service):
    """One worker process of a manager.

    :param build: makes the manager inside the worker, so that nothing is
        shared with the process that started it; importable by name.
    """

    name = "manager"

    def __init__(self, worker_id: int, build: Callable[[], Manager], stop_timeout: float) -> None:
        super().__init__(worker_id)  # type: ignore[arg-type]
        self._manager = build()
        self._stop_timeout = stop_timeout
        self._stopped = threading.Event()

    def run(self) -> None:
        """Run until terminated."""
        self._manager.start()
        LOG.info("manager started with the jobs %s", ", ".join(job.spec.name for job in self._manager.jobs))
        self._stopped.wait()

    def terminate(self) -> None:
        """Finish the work in hand."""
        if not self._manager.stop(self._stop_timeout):
            LOG.warning("a job did not finish within %s s; it will be done again", self._stop_timeout)
        self._stopped.set()


def run_manager(build: Callable[[], Manager], *, workers: int, stop_timeout: float) -> None:
    """Run manager processes until SIGTERM.

    Several may run at once, here and on other machines: they waste effort and
    break no rule.
    """
    services = cotyledon.ServiceManager(
        graceful_shutdown_timeout=int(stop_timeout) + 5,
        # A worker starts afresh: nothing of the supervisor's threads, locks or
        # connections is in it.
        mp_context=multiprocessing.get_context("spawn"),
    )
    services.add(ManagerService, workers=workers, args=(build, stop_timeout))
    services.run()
