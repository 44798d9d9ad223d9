# SPDX-License-Identifier: Apache-2.0
import logging
import threading
import time

import pytest

from flocx_common.api.long_poll import Changes, ChangeWatcher, LongPolls
from flocx_common.domain.errors import Unavailable
from tests.unit.common.managers import PATIENCE, Counter, until

INTERVAL = 0.005


class Table:
    """Things with a change counter, read as a request would read them."""

    def __init__(self):
        self.counter = Counter()
        self.items = []
        self.reads = 0

    def commit(self, *items):
        self.items += items
        self.counter.commit()

    def read(self):
        self.reads += 1
        return Changes(tuple(self.items), self.counter.place)


class Request:
    """A request that waits in a thread of its own."""

    def __init__(self, polls, table, seconds=PATIENCE):
        self.answer = None
        self._thread = threading.Thread(target=self._run, args=(polls, table, seconds), daemon=True)
        self._thread.start()

    def _run(self, polls, table, seconds):
        self.answer = polls.read(table.read, seconds)

    @property
    def waits(self):
        return self._thread.is_alive()

    def items(self):
        self._thread.join(PATIENCE)
        changes, later = self.answer
        assert later is False
        return changes.items


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def polls(table):
    return LongPolls(ChangeWatcher(table.counter, INTERVAL), at_most=2, longest=PATIENCE)


def test_what_is_there_already_is_answered_at_once(table, polls):
    table.commit("a")
    assert polls.read(table.read, PATIENCE) == (Changes(("a",), 1), False)
    assert table.counter.reads == 0


def test_a_request_that_does_not_wait_is_answered_at_once_with_nothing(table, polls):
    assert polls.read(table.read, 0) == (Changes((), 0), False)
    assert table.counter.reads == 0


def test_a_change_ends_the_wait(table, polls):
    request = Request(polls, table)
    until(lambda: table.counter.reads)
    assert request.waits
    table.commit("a")
    assert request.items() == ("a",)


def test_a_change_of_something_else_does_not_end_the_wait(table, polls):
    request = Request(polls, table)
    for _ in range(3):
        seen = table.reads
        table.commit()
        until(lambda seen=seen: table.reads > seen)
    assert request.waits
    table.commit("a")
    assert request.items() == ("a",)


def test_a_change_between_the_read_and_the_wait_is_not_missed(table, polls):
    def read():
        found = table.read()
        if table.reads == 1:
            table.commit("a")
        return found

    assert polls.read(read, PATIENCE) == (Changes(("a",), 1), False)


def test_without_a_change_the_wait_ends_when_it_was_asked_to(table, polls):
    began = time.monotonic()
    assert polls.read(table.read, 0.05) == (Changes((), 0), False)
    assert 0.05 <= time.monotonic() - began < 5


def test_no_request_waits_longer_than_the_service_allows(table):
    polls = LongPolls(ChangeWatcher(table.counter, INTERVAL), at_most=2, longest=0.05)
    began = time.monotonic()
    assert polls.read(table.read, 3600) == (Changes((), 0), False)
    assert time.monotonic() - began < 5


def test_requests_beyond_the_bound_are_told_to_come_back_instead_of_waiting(table):
    polls = LongPolls(ChangeWatcher(table.counter, INTERVAL), at_most=1, longest=PATIENCE)
    waiting = Request(polls, table)
    until(lambda: table.counter.reads)
    assert polls.read(table.read, PATIENCE) == (Changes((), 0), True)
    table.commit("a")
    assert waiting.items() == ("a",)


def test_a_service_that_lets_nobody_wait_still_answers(table):
    polls = LongPolls(ChangeWatcher(table.counter, INTERVAL), at_most=0, longest=PATIENCE)
    assert polls.read(table.read, PATIENCE) == (Changes((), 0), True)
    table.commit("a")
    assert polls.read(table.read, PATIENCE) == (Changes(("a",), 1), False)


def test_a_place_to_wait_is_free_again_after_every_kind_of_end(table):
    polls = LongPolls(ChangeWatcher(table.counter, INTERVAL), at_most=1, longest=PATIENCE)

    def broken_the_second_time():
        if table.reads:
            raise Unavailable("the database does not answer")
        found = table.read()
        table.commit()
        return found

    with pytest.raises(Unavailable):
        polls.read(broken_the_second_time, PATIENCE)
    polls.read(table.read, 0.01)
    request = Request(polls, table)
    seen = table.counter.reads
    until(lambda: table.counter.reads > seen)
    table.commit("a")
    assert request.items() == ("a",)


def watching():
    return [thread for thread in threading.enumerate() if thread.name == "change-watcher"]


def test_one_look_at_the_counter_serves_all_who_wait(table):
    polls = LongPolls(ChangeWatcher(table.counter, INTERVAL), at_most=8, longest=PATIENCE)
    waiting = [Request(polls, table) for _ in range(5)]
    until(lambda: table.reads == 5)
    seen = table.counter.reads
    until(lambda: table.counter.reads > seen + 3)
    until(lambda: len(watching()) == 1)
    table.commit("a")
    assert [request.items() for request in waiting] == [("a",)] * 5


def test_nobody_looks_at_the_counter_when_nobody_waits(table, polls):
    polls.read(table.read, 0.02)
    until(lambda: not watching())
    request = Request(polls, table)
    until(watching)
    table.commit("a")
    assert request.items() == ("a",)
    until(lambda: not watching())


@pytest.mark.parametrize(("problem", "logged"), [(Unavailable("no database"), False), (OSError("a defect"), True)])
def test_a_counter_that_cannot_be_read_for_a_while_ends_no_wait(table, polls, caplog, problem, logged):
    caplog.set_level(logging.ERROR, "flocx_common.api.long_poll")
    table.counter.problem = problem
    request = Request(polls, table)
    until(lambda: table.counter.reads >= 3)
    assert request.waits
    table.counter.problem = None
    table.commit("a")
    assert request.items() == ("a",)
    assert bool(caplog.records) is logged


def test_stopping_answers_whoever_waits_and_lets_nobody_wait_any_more(table, polls):
    waiting = Request(polls, table)
    until(lambda: table.reads == 1)
    polls.stop()
    assert list(waiting.items()) == []
    began = time.monotonic()
    assert list(Request(polls, table).items()) == []
    assert time.monotonic() - began < PATIENCE / 2


def test_at_the_end_of_the_process_everybody_is_answered_at_once(table):
    polls = LongPolls(ChangeWatcher(table.counter, INTERVAL), at_most=8, longest=PATIENCE)
    waiting = [Request(polls, table) for _ in range(3)]
    until(lambda: table.counter.reads)
    began = time.monotonic()
    polls.stop()
    assert [request.items() for request in waiting] == [()] * 3
    assert polls.read(table.read, PATIENCE) == (Changes((), 0), False)
    assert time.monotonic() - began < PATIENCE / 2
