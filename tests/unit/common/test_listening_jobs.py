# SPDX-License-Identifier: Apache-2.0
import logging
import threading

from flocx_common.domain.clock import SystemClock
from flocx_common.domain.errors import Unavailable
from flocx_common.manager.jobs import Manager
from tests.unit.common.managers import PATIENCE, Counter, Work, job, running, until


class Line:
    """Something to listen to: each call waits for news, for the end of a test at the latest."""

    def __init__(self):
        self.calls = 0
        self._news = threading.Semaphore(0)
        self._answers = []

    def __call__(self):
        self.calls += 1
        assert self._news.acquire(timeout=PATIENCE)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def say(self, answer):
        self._answers.append(answer)
        self._news.release()


def test_the_work_is_done_only_when_there_is_some():
    line, work = Line(), Work()
    with running([job(work, listen=line)], wake_interval=0):
        until(lambda: line.calls == 1)
        assert work.runs == []
        line.say(True)
        until(work.count(1))
        line.say(False)
    assert len(work.runs) == 1


def test_a_job_listens_again_at_once_when_its_work_is_done_and_due():
    line, work = Line(), Work(*[SystemClock().now()] * 3)
    with running([job(work, listen=line)], wake_interval=0):
        for count in range(1, 4):
            line.say(True)
            until(work.count(count))
        until(lambda: line.calls == 4)
        line.say(False)


def test_one_who_is_told_at_once_that_there_is_nothing_does_not_ask_without_end():
    line, other = Line(), Work()
    for _ in range(10):
        line.say(False)
    jobs = [job(Work(), "listening", listen=line), job(other, "other", interval=0.01)]
    with running(jobs, wake_interval=0):
        until(other.count(10))
        assert line.calls == 1


def test_stopping_does_not_wait_for_one_who_listens_and_no_work_begins_after_it():
    line, work = Line(), Work()
    manager = Manager([job(work, listen=line)], clock=SystemClock(), read_place=Counter(), wake_interval=0)
    manager.start()
    until(lambda: line.calls == 1)
    assert manager.stop(0)
    line.say(True)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "job"])
    assert work.runs == []


def test_a_line_that_breaks_is_logged_once_and_listened_to_again(caplog):
    caplog.set_level(logging.INFO, "flocx_common.manager.jobs")
    line, work = Line(), Work()
    with running([job(work, "pull", interval=0.01, listen=line)], wake_interval=0):
        for _ in range(3):
            line.say(Unavailable("the market does not answer"))
        line.say(True)
        until(work.count(1))
        line.say(False)
    assert [record.getMessage() for record in caplog.records] == [
        "pull failed and will be tried again: Unavailable: the market does not answer",
        "pull works again",
    ]
