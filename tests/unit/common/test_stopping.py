# SPDX-License-Identifier: Apache-2.0
import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from flocx_common.domain.clock import SystemClock
from flocx_common.manager.jobs import Manager
from flocx_common.manager.service import ManagerService
from tests.unit.common.managers import NEVER, PATIENCE, Counter, Gate, Work, job, running, until


def manager_of(*jobs, **over):
    given = {"clock": SystemClock(), "read_place": Counter(), "wake_interval": 0.005}
    return Manager(jobs, **(given | over))


def in_background(call):
    """Start a call in a thread and return (the thread, the list its result will be in)."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    return thread, results


def test_stopping_lets_the_work_in_hand_finish_and_begins_no_more():
    gate = Gate()
    manager = manager_of(job(gate, interval=0.01, on_change=True))
    manager.start()
    assert gate.begun.wait(PATIENCE)
    thread, results = in_background(lambda: manager.stop(PATIENCE))
    assert gate.finished == 0
    assert thread.is_alive()
    gate.let_go.set()
    thread.join(PATIENCE)
    assert results == [True]
    assert gate.finished == 1


def test_stopping_waits_no_longer_than_it_was_told_and_says_so():
    gate = Gate()
    manager = manager_of(job(gate), job(Work(), "other"))
    manager.start()
    assert gate.begun.wait(PATIENCE)
    assert manager.stop(0.05) is False
    gate.let_go.set()


def test_the_time_to_stop_is_for_all_jobs_together():
    gates = [Gate() for _ in range(5)]
    manager = manager_of(*(job(gate, f"job-{number}") for number, gate in enumerate(gates)))
    manager.start()
    assert all(gate.begun.wait(PATIENCE) for gate in gates)
    began = time.monotonic()
    assert manager.stop(0.2) is False
    assert time.monotonic() - began < 0.8
    for gate in gates:
        gate.let_go.set()


def test_a_job_that_waits_for_changes_to_come_together_stops_at_once_and_unrun():
    work = Work()
    manager = manager_of(job(work, on_change=True, patience=NEVER))
    manager.start()
    assert manager.stop(PATIENCE)
    assert work.runs == []


def test_a_job_stops_at_once_though_the_next_run_is_far_off():
    work = Work()
    manager = manager_of(job(work))
    manager.start()
    until(work.count(1))
    assert manager.stop(PATIENCE)


def test_a_wake_up_at_the_moment_of_stopping_does_not_keep_a_job():
    for _ in range(200):
        manager = manager_of(job(Work(), on_change=True), wake_interval=0)
        manager.start()
        waking = threading.Thread(target=manager.jobs[0].wake)
        waking.start()
        assert manager.stop(PATIENCE)
        waking.join()


def test_after_stopping_neither_time_nor_changes_nor_wake_ups_run_a_job():
    counter, work = Counter(), Work()
    with running([job(work, interval=0.01, on_change=True)], read_place=counter) as manager:
        until(work.count(2))
        assert manager.stop(PATIENCE)
        ran = len(work.runs)
        counter.commit()
        manager.jobs[0].wake()
        assert manager.jobs[0].join(PATIENCE)
    assert len(work.runs) == ran


class Endpoints:
    """A component that keeps what was true when it was started and stopped."""

    def __init__(self, gate):
        self.gate = gate
        self.at = []

    def start(self):
        self.at.append(("started", self.gate.begun.is_set()))

    def stop(self):
        self.at.append(("stopped", self.gate.finished))


def test_the_health_endpoints_answer_from_before_the_first_job_until_after_the_last():
    gate = Gate()
    endpoints = Endpoints(gate)
    manager = manager_of(job(gate), components=[endpoints])
    manager.start()
    assert gate.begun.wait(PATIENCE)
    gate.let_go.set()
    assert manager.stop(PATIENCE)
    assert endpoints.at == [("started", False), ("stopped", 1)]


def test_a_service_runs_its_manager_until_it_is_terminated(caplog):
    caplog.set_level(logging.INFO, "flocx_common.manager.service")
    work = Work()
    service = ManagerService(0, lambda: manager_of(job(work, "clearing")), PATIENCE)
    thread, _ = in_background(service.run)
    until(work.count(1))
    assert thread.is_alive()
    service.terminate()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert [record.getMessage() for record in caplog.records] == ["manager started with the jobs clearing"]


def test_a_service_says_that_work_did_not_finish_in_time(caplog):
    gate = Gate()
    service = ManagerService(0, lambda: manager_of(job(gate)), 0.05)
    thread, _ = in_background(service.run)
    assert gate.begun.wait(PATIENCE)
    service.terminate()
    thread.join(PATIENCE)
    gate.let_go.set()
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["a job did not finish within 0.05 s; it will be done again"]


# Work in hand until the test says go on; each step leaves a file.
_PROGRAM = """
import pathlib
import sys
import time

from flocx_common.domain.clock import SystemClock
from flocx_common.manager.jobs import JobSpec, Manager
from flocx_common.manager.service import run_manager

PLACE = pathlib.Path(sys.argv[1])


def work(now):
    (PLACE / "began").touch()
    while not (PLACE / "go-on").exists():
        time.sleep(0.01)
    (PLACE / "finished").touch()


def build():
    spec = JobSpec(name="job", work=work, interval=3600)
    return Manager([spec], clock=SystemClock(), read_place=lambda: 0, wake_interval=0)


if __name__ == "__main__":
    run_manager(build, workers=int(sys.argv[2]), stop_timeout=30)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_terminated_process_ends_after_the_work_in_hand(tmp_path, workers):
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    process = subprocess.Popen([sys.executable, program, tmp_path, str(workers)], start_new_session=True)
    try:
        until((tmp_path / "began").exists)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        assert not (tmp_path / "finished").exists()
        (tmp_path / "go-on").touch()
        assert process.wait(PATIENCE) == 0
        assert (tmp_path / "finished").exists()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
