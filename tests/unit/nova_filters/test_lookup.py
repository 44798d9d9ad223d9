# SPDX-License-Identifier: Apache-2.0
"""The list of nodes as it is kept: bounded in age, shared, and told of once when it fails."""

import contextlib
import logging
import threading

import pytest

from flocx_common.domain.holders import Holders
from nova_filters.lookup import LookUpFailed, NodeLookup

OURS = {"n": Holders("us", None, None)}
THEIRS = {"n": Holders("them", None, None)}


class Source:
    """Nodes whose reading takes ``takes`` seconds of a clock that stands still otherwise."""

    def __init__(self):
        self.time = 100.0
        self.takes = 0.0
        self.holders = OURS
        self.failure = None
        self.reads = 0

    def read(self):
        self.reads += 1
        found = self.holders
        self.time += self.takes
        if self.failure is not None:
            raise self.failure
        return found

    def lookup(self, max_age=5.0):
        return NodeLookup(self.read, max_age=max_age, monotonic=lambda: self.time)


@pytest.fixture
def source():
    return Source()


def nodes(lookup):
    return lookup.nodes(lookup.ticket())


def test_what_was_read_serves_later_requests_until_the_bound(source):
    lookup = source.lookup(max_age=5)
    nodes(lookup)
    source.time += 5
    nodes(lookup)
    assert source.reads == 1


def test_nothing_older_than_the_bound_is_served(source):
    lookup = source.lookup(max_age=5)
    nodes(lookup)
    source.holders = THEIRS
    source.time += 5.001
    assert nodes(lookup) == THEIRS


def test_age_counts_from_before_the_read(source):
    lookup = source.lookup(max_age=5)
    source.takes = 4
    nodes(lookup)
    source.time += 1.5
    nodes(lookup)
    assert source.reads == 2


def test_a_read_that_takes_longer_than_the_bound_serves_who_waited_and_nobody_else(source):
    lookup = source.lookup(max_age=5)
    source.takes = 8
    assert nodes(lookup) == OURS
    source.holders = THEIRS
    assert nodes(lookup) == THEIRS


def test_without_an_age_every_request_is_read_for(source):
    lookup = source.lookup(max_age=0)
    nodes(lookup)
    nodes(lookup)
    assert source.reads == 2


def test_what_is_fresh_was_asked_for_after_the_request(source):
    lookup = source.lookup()
    nodes(lookup)
    source.holders = THEIRS
    ticket = lookup.ticket()
    assert lookup.nodes(ticket) == OURS
    assert lookup.fresh_nodes(ticket) == THEIRS
    assert lookup.fresh_nodes(ticket) == THEIRS
    assert source.reads == 2


def test_a_failure_is_no_answer_to_later_requests(source):
    lookup = source.lookup()
    source.failure = LookUpFailed("down")
    for _ in range(2):
        with pytest.raises(LookUpFailed, match="down"):
            nodes(lookup)
    assert source.reads == 2
    source.failure = None
    assert nodes(lookup) == OURS


def test_what_was_known_before_a_failure_is_forgotten(source):
    lookup = source.lookup()
    nodes(lookup)
    source.failure = LookUpFailed("down")
    with pytest.raises(LookUpFailed):
        lookup.fresh_nodes(lookup.ticket())
    with pytest.raises(LookUpFailed):
        nodes(lookup)


def test_an_unforeseen_failure_fails_the_look_up_and_nothing_else(source, caplog):
    source.failure = RuntimeError("secret words of somebody's library")
    with pytest.raises(LookUpFailed, match="RuntimeError"), caplog.at_level(logging.INFO):
        nodes(source.lookup())
    assert "secret" not in caplog.text


def test_a_failure_and_its_end_are_told_once_each(source, caplog):
    lookup = source.lookup(max_age=0)

    def asked(times):
        for _ in range(times):
            with contextlib.suppress(LookUpFailed):
                nodes(lookup)
        told = [(record.levelname, record.message) for record in caplog.records]
        caplog.clear()
        return told

    with caplog.at_level(logging.INFO):
        assert asked(2) == []
        source.failure = LookUpFailed("down")
        ((level, message),) = asked(3)
        assert (level, "down" in message) == ("ERROR", True)
        source.failure = LookUpFailed("refused")
        assert len(asked(3)) == 1
        source.failure = None
        assert asked(3) == [("INFO", "bare-metal nodes can be looked up again")]


class Waiting:
    """A source whose first read waits until it is let go, so that others come meanwhile."""

    def __init__(self, failure=None):
        self.began, self.go = threading.Event(), threading.Event()
        self.failure = failure
        self.reads = 0

    def read(self):
        self.reads += 1
        if self.reads == 1:
            self.began.set()
            assert self.go.wait(10)
        if self.failure is not None:
            raise self.failure
        return {str(self.reads): Holders(None, None, None)}


class Requests:
    """Requests in threads of their own, with what came of them."""

    def __init__(self, lookup):
        self.lookup = lookup
        self.found = []
        self.threads = []
        self._came = threading.Semaphore(0)

    def come(self, count, ask=NodeLookup.nodes):
        for _ in range(count):
            self.threads.append(threading.Thread(target=self._ask, args=(ask,)))
            self.threads[-1].start()
            assert self._came.acquire(timeout=10)

    def _ask(self, ask):
        ticket = self.lookup.ticket()
        self._came.release()
        try:
            self.found.append(set(ask(self.lookup, ticket)))
        except LookUpFailed as error:
            self.found.append(str(error))

    def end(self):
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.found


def test_requests_that_come_during_a_read_share_it():
    source = Waiting()
    requests = Requests(NodeLookup(source.read, max_age=60))
    requests.come(1)
    assert source.began.wait(10)
    requests.come(8)
    source.go.set()
    assert requests.end() == [{"1"}] * 9
    assert source.reads == 1


def test_requests_that_need_what_is_new_share_one_read_begun_after_they_came():
    source = Waiting()
    requests = Requests(NodeLookup(source.read, max_age=60))
    requests.come(1)
    assert source.began.wait(10)
    requests.come(8, NodeLookup.fresh_nodes)
    source.go.set()
    assert sorted(requests.end(), key=min) == [{"1"}, *[{"2"}] * 8]
    assert source.reads == 2


def test_requests_that_wait_while_nothing_answers_do_not_try_one_after_the_other():
    source = Waiting(LookUpFailed("down"))
    requests = Requests(NodeLookup(source.read, max_age=60))
    requests.come(1)
    assert source.began.wait(10)
    requests.come(8)
    source.go.set()
    assert requests.end() == ["down"] * 9
    assert source.reads == 2
