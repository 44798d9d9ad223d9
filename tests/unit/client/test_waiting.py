# SPDX-License-Identifier: Apache-2.0
"""Waiters against a service whose time passes only while somebody waits."""

import pytest

from flocx_client import errors
from flocx_client.resources import Bid, Event
from flocx_client.waiting import Progress, WaitInVain, WaitTimedOut, until


class SlowService:
    """A bid with a history, and events of it; time passes by waiting here, or by sleeping.

    :param history: (seconds, status) of each change of the bid.
    :param crowded: lets nobody wait.
    :param told: whether there are events of the changes.
    :param away: stretches of time in which nothing answers.
    """

    def __init__(self, *history, crowded=False, told=True, away=()):
        self.history = history
        self.crowded = crowded
        self.told = told
        self.away = away
        self.now = 1000.0
        self.began = self.now
        self.looks = []
        self.waits = []
        self.slept = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds

    def passed(self):
        return self.now - self.began

    def answer(self):
        if any(begin <= self.passed() < end for begin, end in self.away):
            raise errors.ServiceUnreachable("market: nothing answers")

    def look(self):
        self.answer()
        self.looks.append(self.passed())
        status = [status for at, status in self.history if at <= self.passed()][-1]
        return Bid(uuid="b-1", status=status, status_reason="its time is over" if status == "expired" else None)

    def events(self, *, since=None, wait=0, limit=None):
        """Cursors are instants; an event ends the wait."""
        self.answer()
        begin = self.passed() if since == "latest" else float(since)
        if since == "latest":
            return [], str(begin)
        self.waits.append(wait)
        assert len(self.waits) < 100, "it asks without end"
        coming = [at for at, _ in self.history if self.told and at > begin]
        if not self.crowded:
            self.now += max(0.0, min(wait, (coming[0] if coming else 1e9) - self.passed()))
        happened = [at for at in coming if at <= self.passed()]
        return [Event(entity_uuid="b-1") for _ in happened], str(happened[-1] if happened else begin)

    def wait_for(self, status="matched", timeout=60.0, progress=lambda seen: None):
        return until(
            self.look,
            self.events,
            lambda bid: bid.status == status,
            ("open",),
            timeout,
            progress,
            clock=self.clock,
            sleep=self.sleep,
        )


def test_what_is_already_so_is_not_waited_for():
    service = SlowService((0, "matched"))
    assert service.wait_for(timeout=0).status == "matched"
    assert service.waits == service.slept == []


def test_an_event_wakes_the_wait_the_moment_it_happens():
    service = SlowService((0, "open"), (3.25, "matched"))
    assert service.wait_for().status == "matched"
    assert service.looks == [0, 3.25]
    assert service.slept == []


def test_what_happens_while_the_first_look_is_answered_is_not_missed():
    class SlowToAnswer(SlowService):
        def look(self):
            found = super().look()
            self.now += 2 if len(self.looks) == 1 else 0
            return found

    service = SlowToAnswer((0, "open"), (1.5, "matched"))
    assert service.wait_for().status == "matched"
    assert service.passed() == 2, "nothing was waited for that had happened already"


def test_an_event_that_goes_missing_delays_the_wait_by_a_few_seconds_at_most():
    service = SlowService((0, "open"), (3, "matched"), told=False)
    assert service.wait_for().status == "matched"
    assert service.passed() <= 8


def test_events_of_other_things_do_not_end_the_wait():
    service = SlowService((0, "open"), (1, "open"), (2, "open"), (4, "matched"))
    assert service.wait_for().status == "matched"
    assert service.looks == [0, 1, 2, 4]


def test_progress_is_told_at_each_look_with_the_thing_as_it_is_and_the_seconds_so_far():
    told = []
    service = SlowService((0, "open"), (11, "matched"))
    service.wait_for(progress=told.append)
    assert [seen.seconds for seen in told] == [0, 5, 10]
    assert all(isinstance(seen, Progress) and seen.entity.status == "open" for seen in told)


@pytest.mark.parametrize("timeout", [0, 0.25, 7, 60])
def test_a_wait_ends_when_its_time_is_over_and_says_how_things_stand(timeout):
    service = SlowService((0, "open"))
    with pytest.raises(WaitTimedOut, match=rf"bid b-1 is still open after {timeout:.0f} s") as over:
        service.wait_for(timeout=timeout)
    assert service.passed() == timeout
    assert over.value.entity.status == "open"


def test_what_comes_about_at_the_last_moment_is_not_too_late():
    service = SlowService((0, "open"), (7, "matched"), told=False)
    assert service.wait_for(timeout=7).status == "matched"


def test_a_wait_that_is_in_vain_ends_at_once_and_says_why():
    service = SlowService((0, "open"), (2, "expired"))
    with pytest.raises(WaitInVain, match=r"^bid b-1 is expired: its time is over$") as vain:
        service.wait_for()
    assert service.passed() == 2
    assert vain.value.entity.status == "expired"


def test_a_reason_that_is_not_told_is_not_shown():
    with pytest.raises(WaitInVain, match=r"^bid b-1 is cancelled$"):
        SlowService((0, "cancelled")).wait_for()


def test_where_too_many_wait_it_asks_once_a_second_and_not_without_end():
    service = SlowService((0, "open"), (4.5, "matched"), crowded=True)
    assert service.wait_for().status == "matched"
    assert service.slept == [1, 1, 1, 1, 1]
    assert len(service.waits) == 5


def test_where_too_many_wait_the_time_is_over_when_it_is_over():
    service = SlowService((0, "open"), crowded=True)
    with pytest.raises(WaitTimedOut):
        service.wait_for(timeout=2.5)
    assert service.slept == [1, 1, 0.5]


def test_a_service_that_is_started_anew_meanwhile_does_not_end_the_wait():
    service = SlowService((0, "open"), (20, "matched"), away=[(5, 12)])
    assert service.wait_for().status == "matched"
    assert service.passed() == 20


def test_a_service_that_does_not_come_back_is_told_of_and_not_a_time_that_is_over():
    service = SlowService((0, "open"), away=[(5, 1e9)])
    with pytest.raises(errors.ServiceUnreachable):
        service.wait_for(timeout=30)
    assert 28 <= service.passed() <= 30


def test_a_service_that_is_away_from_the_beginning_is_told_of_at_once():
    service = SlowService((0, "open"), away=[(0, 1e9)])
    with pytest.raises(errors.ServiceUnreachable):
        service.wait_for()
    assert service.passed() == 0


def test_what_is_refused_meanwhile_ends_the_wait():
    service = SlowService((0, "open"), (9, "matched"))
    look = service.look

    def gone():
        if service.passed() >= 5:
            raise errors.BidNotFound(404, "flocx.bid.not_found", "bid: none")
        return look()

    service.look = gone
    with pytest.raises(errors.BidNotFound):
        service.wait_for()


BID = {"uuid": "b-1", "status": "matched", "status_reason": None}
CONTRACTS = [
    {"uuid": "c-new", "status": "cancelled"},
    {"uuid": "c-live", "status": "created"},
    {"uuid": "c", "status": "cancelled"},
]


def test_the_contract_of_a_matched_bid_is_the_live_one_of_several(service, market):
    service.say({"events": [], "next_since": "n"})
    service.say(BID)
    service.say({"contracts": CONTRACTS, "links": []})
    assert market.wait_for_contract("b-1", timeout=0).uuid == "c-live"
    assert service.queries()[-1] == {"bid_uuid": "b-1", "sort": "created_at:desc"}


def test_where_no_contract_of_a_bid_is_live_it_is_the_last(service, market):
    service.say({"events": [], "next_since": "n"})
    service.say(BID)
    service.say({"contracts": [one for one in CONTRACTS if one["uuid"] != "c-live"], "links": []})
    assert market.wait_for_contract("b-1", timeout=0).uuid == "c-new"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("created", WaitTimedOut), ("active", None), ("cancelled", WaitInVain), ("failed", WaitInVain)],
)
def test_a_contract_is_waited_for_until_its_nodes_are_handed_over(service, market, status, outcome):
    service.say({"events": [], "next_since": "n"})
    service.say({"uuid": "c-1", "status": status, "status_reason": None})
    if outcome is None:
        assert market.wait_for_active("c-1", timeout=0).status == "active"
    else:
        with pytest.raises(outcome, match=f"contract c-1 is .*{status}"):
            market.wait_for_active("c-1", timeout=0)


@pytest.mark.parametrize(("wait", "sent"), [(4.98765432101, "4.988"), (0.00001, None), (0, None), (30, "30")])
def test_a_wait_is_written_as_services_read_it(service, market, wait, sent):
    service.say({"events": [], "next_since": "n"})
    market.events(since="c", wait=wait)
    assert service.queries() == [{"since": "c"} | ({} if sent is None else {"wait": sent})]
