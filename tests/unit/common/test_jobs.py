# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta

from flocx_common.manager.jobs import Manager
from flocx_common.testing.clock import FrozenClock
from tests.builders import NOW
from tests.unit.common.managers import NEVER, PATIENCE, Counter, Gate, Work, job, running, until


def test_a_job_runs_once_at_the_start_with_the_time_of_the_clock():
    work = Work()
    with running([job(work)], clock=FrozenClock(NOW)):
        until(work.count(1))
    assert work.runs == [NOW]


def test_an_interval_of_0_turns_a_job_off_that_nothing_else_wakes():
    off, on = Work(), Work()
    counter = Counter()
    with running([job(off, "off", interval=0), job(on, "on", interval=0, on_change=True)], read_place=counter) as made:
        until(on.count(1))
        counter.commit()
        until(on.count(2))
        assert [one.spec.name for one in made.jobs] == ["on"]
    assert off.runs == []


def test_a_manager_whose_jobs_are_all_off_starts_and_stops():
    manager = Manager([job(Work(), interval=0)], clock=FrozenClock(NOW), read_place=Counter(), wake_interval=0.005)
    manager.start()
    assert manager.stop(PATIENCE)


def test_a_job_runs_again_after_its_interval_without_any_change():
    work = Work()
    with running([job(work, interval=0.01)], wake_interval=0):
        until(work.count(4))


def test_a_committed_change_wakes_the_jobs_that_depend_on_changes_and_no_others():
    counter, depending, other = Counter(), Work(), Work()
    jobs = [job(depending, "depending", on_change=True), job(other, "other")]
    with running(jobs, read_place=counter):
        for _ in range(3):
            seen = len(depending.runs)
            counter.commit()
            until(depending.count(seen + 1))
    assert len(other.runs) == 1


def test_a_change_by_somebody_else_wakes_every_manager():
    counter, works = Counter(), [Work(), Work()]
    with (
        running([job(works[0], on_change=True)], read_place=counter),
        running([job(works[1], on_change=True)], read_place=counter),
    ):
        until(lambda: counter.reads >= 4)
        seen = [len(work.runs) for work in works]
        counter.commit()
        for work, before in zip(works, seen, strict=True):
            until(work.count(before + 1))


def test_without_a_wake_interval_nobody_looks_at_the_change_counter():
    counter, work = Counter(), Work()
    with running([job(work, interval=0.01, on_change=True)], read_place=counter, wake_interval=0):
        until(work.count(3))
    assert counter.reads == 0


def test_a_job_runs_again_when_it_said_itself_that_it_is_due():
    clock = FrozenClock(NOW)
    work = Work(NOW, NOW - timedelta(hours=1), NOW + timedelta(milliseconds=5))
    with running([job(work)], clock=clock):
        until(work.count(4))
    assert len(work.runs) == 4


def test_a_wake_up_comes_before_the_time_a_job_is_due():
    work = Work(NOW + timedelta(hours=1))
    with running([job(work)], clock=FrozenClock(NOW), wake_interval=0) as manager:
        until(work.count(1))
        manager.jobs[0].wake()
        until(work.count(2))


def test_a_wake_up_during_a_run_is_not_lost():
    gate = Gate()
    with running([job(gate)], wake_interval=0) as manager:
        assert gate.begun.wait(PATIENCE)
        manager.jobs[0].wake()
        gate.let_go.set()
        until(lambda: gate.finished == 2)


def test_a_job_lets_its_patience_pass_before_it_runs():
    patient, other = Work(), Work()
    with running([job(patient, "patient", patience=NEVER), job(other, "other", interval=0.01)], wake_interval=0):
        until(other.count(5))
        assert patient.runs == []


def test_wake_ups_within_the_patience_of_a_job_are_one_run():
    work = Work()
    with running([job(work, patience=0.1)], wake_interval=0) as manager:
        for _ in range(5):
            manager.jobs[0].wake()
        until(work.count(1))
        manager.jobs[0].wake()
        until(work.count(2))
    assert len(work.runs) == 2


def test_a_job_that_hangs_holds_up_no_other():
    counter, gate, work = Counter(), Gate(), Work()
    jobs = [job(gate, "hanging", on_change=True), job(work, "other", on_change=True)]
    with running(jobs, read_place=counter):
        assert gate.begun.wait(PATIENCE)
        for _ in range(3):
            seen = len(work.runs)
            counter.commit()
            until(work.count(seen + 1))
        assert gate.finished == 0
        gate.let_go.set()


def test_the_interval_of_a_job_is_not_that_of_another():
    often, rarely = Work(), Work()
    with running([job(often, "often", interval=0.01), job(rarely, "rarely", interval=NEVER)], wake_interval=0):
        until(often.count(5))
    assert len(rarely.runs) == 1
