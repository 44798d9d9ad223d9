# SPDX-License-Identifier: Apache-2.0
import logging

import pytest
from prometheus_client import REGISTRY

from flocx_common.domain.errors import Unavailable
from tests.unit.common.managers import Counter, Work, job, running, until


@pytest.fixture
def log(caplog):
    """What the jobs log, at every level."""
    caplog.set_level(logging.DEBUG, "flocx_common.manager.jobs")
    return caplog


def told(log, level):
    return [record.getMessage() for record in log.records if record.levelno == level]


def test_a_job_that_fails_is_run_again(log):
    work = Work(OSError("no"), OSError("no"))
    with running([job(work, interval=0.01)]):
        until(work.count(4))


def test_a_failure_that_repeats_is_logged_once_and_its_end_too(log):
    work = Work(*[Unavailable("the market does not answer")] * 3)
    with running([job(work, "publish", interval=0.01)]):
        until(work.count(5))
    assert told(log, logging.ERROR) == [
        "publish failed and will be tried again: Unavailable: the market does not answer"
    ]
    assert told(log, logging.INFO) == ["publish works again"]


def test_another_failure_is_logged_for_itself(log):
    work = Work(Unavailable("a"), Unavailable("b"), OSError("b"), None, Unavailable("a"))
    with running([job(work, interval=0.01)]):
        until(work.count(6))
    problems = [message.partition(": ")[2] for message in told(log, logging.ERROR)]
    assert problems == ["Unavailable: a", "Unavailable: b", "OSError: b", "Unavailable: a"]


def test_a_job_that_always_works_says_nothing(log):
    work = Work()
    with running([job(work, interval=0.01)]):
        until(work.count(3))
    assert log.records == []


def test_only_a_failure_nobody_foresaw_is_logged_with_its_traceback(log):
    work = Work(Unavailable("foreseen"), ZeroDivisionError("unforeseen"))
    with running([job(work, interval=0.01)]):
        until(work.count(3))
    foreseen, unforeseen = (record for record in log.records if record.levelno == logging.ERROR)
    assert foreseen.exc_info is None
    assert unforeseen.exc_info[0] is ZeroDivisionError


def test_a_job_that_fails_stops_no_other(log):
    failing, working = Work(*[RuntimeError("no")] * 1000), Work()
    with running([job(failing, "failing", interval=0.01), job(working, "working", interval=0.01)]):
        until(failing.count(3))
        seen = len(working.runs)
        until(working.count(seen + 3))
    assert [message.split()[0] for message in told(log, logging.ERROR)] == ["failing"]


def test_a_change_wakes_a_job_whose_last_run_failed(log):
    counter, work = Counter(), Work(OSError("no"))
    with running([job(work, on_change=True)], read_place=counter):
        until(work.count(1))
        counter.commit()
        until(work.count(2))


def test_a_counter_that_cannot_be_read_is_logged_once_and_changes_wake_again_after_it(log):
    counter, work = Counter(), Work()
    counter.problem = Unavailable("the database does not answer")
    with running([job(work, interval=0, on_change=True)], read_place=counter):
        until(lambda: counter.reads >= 4)
        seen = len(work.runs)
        counter.commit()
        counter.problem = None
        until(work.count(seen + 1))
    assert told(log, logging.ERROR) == ["the change counter cannot be read: the database does not answer"]


def test_runs_are_counted_by_their_outcome():
    def counted(outcome):
        return REGISTRY.get_sample_value("flocx_job_runs_total", {"job": "counted", "outcome": outcome}) or 0

    failed, succeeded = counted("failed"), counted("succeeded")
    work = Work(OSError("no"), None)
    with running([job(work, "counted", interval=0.01)]):
        until(lambda: counted("succeeded") > succeeded)
    assert counted("failed") == failed + 1
    assert REGISTRY.get_sample_value("flocx_job_last_success_timestamp_seconds", {"job": "counted"}) > 0
