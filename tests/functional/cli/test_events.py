# SPDX-License-Identifier: Apache-2.0
"""``openstack flocx event`` and ``openstack flocx watch``."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from requests.adapters import BaseAdapter

from tests.functional.cli.shell import Ended, Stream
from tests.harness import MARKET_URL

_PATIENCE = 30


def _await(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class _Watching:
    """A watch in another thread, which ends after so many events."""

    def __init__(self, place, words: str, user: str = "consumer-a") -> None:
        self.out, self.err = Stream(), Stream()
        self._ended: Ended | None = None
        self._thread = threading.Thread(target=self._run, args=(place, words, user))
        self._thread.start()

    def _run(self, place, words: str, user: str) -> None:
        self._ended = place.run(user, f"watch --timeout {_PATIENCE}s {words}", out=self.out, err=self.err)

    def ended(self) -> Ended:
        """Return how it ended."""
        self._thread.join(_PATIENCE)
        assert self._ended is not None, self.err.getvalue()
        return self._ended


class _Counting(BaseAdapter):
    """Counts the questions for events that wait for their answer."""

    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__()
        self._adapter = adapter
        self.waiting = 0

    def send(self, request: Any, **options: Any) -> Any:
        """Carry a request."""
        self.waiting += "wait=" in request.url
        return self._adapter.send(request, **options)

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def questions(place, routes) -> _Counting:
    """The questions to the market."""
    counting = _Counting(place.market.adapter)
    routes[MARKET_URL] = counting
    return counting


def test_events_are_listed_and_listed_on(place):
    place.bid(name="a")
    first = place.done("consumer-a", "event list --limit 1 -f json")
    assert [event["event_type"] for event in first.json] == ["bid.placed"]
    cursor = first.err.split()[-1]
    bid = place.bid(name="b")
    [event] = place.done("consumer-a", f"event list --since {cursor} --long -f json").json
    assert event["entity_uuid"] == bid["uuid"]
    assert event in place.market.browser("consumer-a").get("/v1/events").json["events"]


def test_events_are_chosen_by_type_and_thing(place):
    contract = place.contract(name="web")
    types = "event list -f value -c event_type"
    assert "contract.created" in place.done("consumer-a", types).out
    assert set(place.done("consumer-a", f"{types} --type bid").out.split()) == {"bid.placed", "bid.matched"}
    assert place.done("consumer-a", f"{types} --type bid.matched").out.split() == ["bid.matched"]
    assert place.done("consumer-a", f"{types} --entity {contract['uuid']}").out.split() == ["contract.created"]


def test_the_provider_has_events_of_its_own(place):
    place.offer("n1")
    assert "offer.created" in place.done("owner-a", "event list --service provider").out


def test_a_cursor_of_another_service_is_refused(place):
    ended = place.run("consumer-a", "event list --since nonsense")
    assert ended.status == 2
    assert "flocx.cursor.invalid" in ended.err


def test_events_are_followed_one_line_each(place, questions):
    place.bid(name="before")
    watching = _Watching(place, "--count 2")
    _await(lambda: questions.waiting, "it waits")
    bid = place.bid(name="web")
    place.market.browser("consumer-a")("DELETE", f"/v1/bids/{bid['uuid']}")
    ended = watching.ended()
    assert ended.status == 0, ended.err
    placed, cancelled = ended.out.splitlines()
    assert "+05:30  bid.placed  " + bid["uuid"] in placed
    assert "bid.cancelled" in cancelled


def test_events_are_followed_as_json_one_object_a_line(place):
    place.bid()
    cursor = place.done("consumer-a", "event list --limit 1 -f json").err.split()[-1]
    bid = place.bid()
    ended = place.done("consumer-a", f"watch --since {cursor} --count 1 -f json --type bid")
    [line] = ended.out.splitlines()
    assert json.loads(line)["entity_uuid"] == bid["uuid"]


def test_a_watch_survives_a_restart_of_the_service_and_misses_nothing(place, questions):
    watching = _Watching(place, "--count 2")
    _await(lambda: questions.waiting, "it waits")
    place.market.adapter.down = True
    first = place.bid()
    # The question that waits is answered; the next one is not.
    _await(lambda: "Trying again" in watching.err.getvalue(), "it notices that nobody answers")
    second = place.bid()
    place.market.adapter.down = False
    ended = watching.ended()
    assert ended.status == 0, ended.err
    assert [line.split()[2] for line in ended.out.splitlines()] == [first["uuid"], second["uuid"]]
    assert "the market at http://market.test does not answer" in ended.err
    assert "The market answers again" in ended.err
    assert "Traceback" not in ended.err


class _Forgetful(_Counting):
    """A market that was brought back from a copy: once it does not know the cursor it gave out."""

    def send(self, request: Any, **options: Any) -> Any:
        """Carry a request, but for one."""
        forgotten = self.waiting == 1 and "wait=" in request.url
        if forgotten:
            request.url = re.sub("since=[^&]*", "since=forgotten", request.url)
        return super().send(request, **options)


def test_a_watch_goes_on_from_now_where_the_service_has_lost_what_was(place, routes):
    forgetful = routes[MARKET_URL] = _Forgetful(place.market.adapter)
    watching = _Watching(place, "--count 2")
    _await(lambda: forgetful.waiting, "it waits")
    first = place.bid()
    _await(lambda: "no longer knows what was shown last" in watching.err.getvalue(), "it notices")
    _await(lambda: forgetful.waiting == 3, "it waits again")
    second = place.bid()
    ended = watching.ended()
    assert ended.status == 0, ended.err
    assert [line.split()[2] for line in ended.out.splitlines()] == [first["uuid"], second["uuid"]]


def test_a_watch_that_cannot_begin_says_so(place):
    place.market.adapter.down = True
    assert place.run("consumer-a", "watch").status == 6
    place.market.adapter.down = False
    assert place.run("consumer-a", "watch --since nonsense").status == 2


def test_a_watch_that_saw_less_than_was_wanted_says_so_by_its_status(place):
    assert place.run("consumer-a", "watch --timeout 0 --count 1").status == 7
    assert place.run("consumer-a", "watch --timeout 0").status == 0


class _Interrupted(BaseAdapter):
    """Somebody who has seen enough."""

    def send(self, request: Any, **options: Any) -> Any:
        """Press Ctrl-C."""
        raise KeyboardInterrupt

    def close(self) -> None:
        """Do nothing."""


def test_ctrl_c_ends_a_watch_quietly(place, routes):
    routes[MARKET_URL] = _Interrupted()
    ended = place.run("consumer-a", "watch")
    assert (ended.status, ended.out, ended.err) == (130, "", "")
