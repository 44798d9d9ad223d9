# SPDX-License-Identifier: Apache-2.0
"""What every way to the market promises a provider, wherever the market is."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from flocx_common.domain.errors import Unavailable
from flocx_common.domain.window import TimeWindow
from flocx_provider.domain.allocation import Allocation, AllocationStatus, Contract
from flocx_provider.ports.market import CursorLost, ListedOffer, MarketRefused, MarketUnavailable, TooEarly
from tests.builders import NOW, at, uid
from tests.unit.provider.builders import provider_allocation, provider_offer

HOUR = 3600

#: Every call, with arguments that are all right.
CALLS = {
    "register": lambda market: market.register(name="provider-1", turnaround=0),
    "heartbeat": lambda market: market.heartbeat(uid(9001)),
    "put_offer": lambda market: market.put_offer(provider_offer(1)),
    "withdraw_offer": lambda market: market.withdraw_offer(uid(1)),
    "offers": lambda market: market.offers(),
    "changes": lambda market: market.changes(None, 0),
    "report": lambda market: market.report(provider_allocation(1)),
}


def told(news, status: AllocationStatus, **over) -> Allocation:
    """Return the allocation as the provider has it when it reports a status."""
    times = {
        AllocationStatus.ACTIVE: {"delivered_from": news.start_time},
        AllocationStatus.RELEASED: {"delivered_from": news.start_time, "delivered_until": news.end_time},
        AllocationStatus.FAILED: {"status_reason": "the node is down: fan"},
    }.get(status, {})
    given = {
        "uuid": news.uuid,
        "contract_uuid": news.contract.uuid,
        "start_time": news.start_time,
        "end_time": news.end_time,
        "status": status,
    }
    return provider_allocation(1, **(given | times | over))


def everything(market, since=None):
    """Read changes until there are no more; return them with the last cursor."""
    found = []
    while True:
        news, since = market.changes(since, 0)
        if not news:
            return found, since
        found += news


def standing(market):
    return {offer.uuid: offer for offer in market.offers()}


class RegistrationPromises:
    def test_registering_again_gives_the_same_uuid(self, place):
        uuid = place.market.register(name="provider-1", turnaround=0)
        assert place.market.register(name="provider-1", turnaround=0) == uuid
        assert place.market.heartbeat(uuid)

    def test_a_new_name_and_turnaround_are_told_without_a_new_uuid(self, place):
        uuid = place.market.register(name="provider-1", turnaround=0)
        assert place.market.register(name="renamed", turnaround=600) == uuid
        assert place.market.heartbeat(uuid)

    @pytest.mark.parametrize("known", [False, True], ids=["new", "renamed"])
    def test_another_providers_name_is_refused(self, place, known):
        place.take_name("taken")
        if known:
            place.market.register(name="provider-1", turnaround=0)
        with pytest.raises(MarketRefused, match="name"):
            place.market.register(name="taken", turnaround=0)

    def test_a_provider_the_market_does_not_know_learns_that_from_its_heartbeat(self, place):
        assert not place.market.heartbeat(uid(9099))

    def test_a_removed_provider_learns_it_and_can_register_anew(self, place):
        uuid = place.market.register(name="provider-1", turnaround=0)
        place.forget_provider()
        assert not place.market.heartbeat(uuid)
        assert place.market.heartbeat(place.market.register(name="provider-1", turnaround=0))

    @pytest.mark.parametrize("call", ["put_offer", "offers", "changes"])
    def test_an_unregistered_provider_is_told_to_try_again_and_not_refused(self, place, call):
        with pytest.raises(MarketUnavailable):
            CALLS[call](place.market)


class OfferPromises:
    @pytest.mark.parametrize("end", [at(100), None], ids=["ending", "open-ended"])
    def test_a_published_offer_is_listed_as_it_is(self, open_place, end):
        offer = provider_offer(1, window=TimeWindow(NOW, end), reserve_price=Decimal("1.500001"))
        open_place.market.put_offer(offer)
        assert open_place.market.offers() == [
            ListedOffer(uuid=offer.uuid, status="available", reserve_price=Decimal("1.500001"), end_time=end)
        ]

    def test_publishing_again_changes_nothing(self, open_place):
        for _ in range(2):
            open_place.market.put_offer(provider_offer(1))
        assert len(open_place.market.offers()) == 1

    def test_publishing_a_changed_offer_changes_it_on_the_market(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        changed = provider_offer(1, reserve_price=Decimal("1.000000"), window=TimeWindow(NOW, at(50)))
        open_place.market.put_offer(changed)
        listed = standing(open_place.market)[changed.uuid]
        assert (listed.reserve_price, listed.end_time) == (Decimal("1.000000"), at(50))

    def test_an_offer_of_a_sick_node_is_suspended_and_comes_back(self, open_place):
        open_place.market.put_offer(provider_offer(1, problem="fan"))
        assert standing(open_place.market)[uid(1)].status == "suspended"
        open_place.market.put_offer(provider_offer(1))
        assert standing(open_place.market)[uid(1)].status == "available"

    @pytest.mark.parametrize(
        "offer",
        [
            provider_offer(2, node_uuid=uid(1001), window=TimeWindow(at(50), at(150))),
            provider_offer(1, node_uuid=uid(1009)),
            provider_offer(1, owner_project_id="owner-b"),
            provider_offer(2, window=TimeWindow(at(-2), at(-1))),
        ],
        ids=["overlapping", "of another node", "of another owner", "over"],
    )
    def test_what_can_never_be_published_is_refused_and_changes_nothing(self, open_place, offer):
        open_place.market.put_offer(provider_offer(1))
        before = open_place.market.offers()
        with pytest.raises(MarketRefused) as caught:
            open_place.market.put_offer(offer)
        assert caught.value.detail
        assert open_place.market.offers() == before

    def test_a_withdrawn_offer_is_off_the_market_and_its_node_can_be_offered_anew(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        open_place.market.withdraw_offer(uid(1))
        assert open_place.market.offers() == []
        open_place.market.put_offer(provider_offer(2, node_uuid=uid(1001)))
        assert list(standing(open_place.market)) == [uid(2)]

    def test_withdrawing_again_is_harmless(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        for _ in range(2):
            open_place.market.withdraw_offer(uid(1))
        assert open_place.market.offers() == []

    def test_withdrawing_what_the_market_never_had_is_harmless(self, open_place):
        open_place.market.withdraw_offer(uid(99))

    def test_a_withdrawn_offer_never_comes_back(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        open_place.market.withdraw_offer(uid(1))
        open_place.market.put_offer(provider_offer(1))
        assert open_place.market.offers() == []
        with pytest.raises(MarketRefused):
            open_place.market.put_offer(provider_offer(1, reserve_price=Decimal(1)))
        assert open_place.market.offers() == []


class ChangePromises:
    def test_before_anything_is_sold_there_is_nothing_and_a_cursor(self, open_place):
        news, cursor = open_place.market.changes(None, 0)
        assert list(news) == []
        assert everything(open_place.market, cursor) == ([], cursor)

    def test_a_sale_is_told_with_all_that_the_provider_must_know(self, open_place):
        offer = provider_offer(1, owner_project_id="p-owner-a")
        open_place.market.put_offer(offer)
        uuid = open_place.sell(offer.uuid, at(1), at(3))
        [news], _ = open_place.market.changes(None, 0)
        assert news.contract == Contract(
            uuid=news.contract.uuid,
            lessee_project_id=open_place.consumer,
            start_time=at(1),
            end_time=at(3),
            status="created",
            status_reason=None,
        )
        assert (news.uuid, news.offer_uuid, news.status) == (uuid, offer.uuid, "created")
        assert (news.node_uuid, news.node_name, news.owner_project_id) == (offer.node_uuid, "n1", "p-owner-a")
        assert (news.start_time, news.end_time) == (at(1), at(3))
        assert (news.clearing_price, news.amount) == (Decimal("1.500000"), Decimal("3.000000"))

    def test_more_changes_than_one_answer_holds_come_complete_and_in_order(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        sold = [open_place.sell(uid(1), at(hour), at(hour + 1)) for hour in range(5)]
        found, _ = everything(open_place.market)
        assert [news.uuid for news in found] == sold

    def test_only_what_changed_after_the_cursor_is_told(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        open_place.sell(uid(1), at(0), at(1))
        _, cursor = everything(open_place.market)
        later = open_place.sell(uid(1), at(1), at(2))
        assert [news.uuid for news in everything(open_place.market, cursor)[0]] == [later]

    def test_reading_from_the_same_cursor_again_tells_the_same(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        open_place.sell(uid(1), at(0), at(1))
        assert open_place.market.changes(None, 0) == open_place.market.changes(None, 0)

    def test_an_allocation_that_changes_again_moves_behind_the_others_and_is_told_as_it_is_now(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        first = open_place.sell(uid(1), at(1), at(2))
        second = open_place.sell(uid(1), at(2), at(3))
        open_place.call_off(first)
        found, cursor = everything(open_place.market)
        assert [(news.uuid, news.status) for news in found] == [(second, "created"), (first, "released")]
        assert (found[1].contract.status, found[1].amount) == ("cancelled", Decimal("0.000000"))
        assert everything(open_place.market, cursor)[0] == []

    @pytest.mark.parametrize("cursor", ["", "nonsense", "1"])
    def test_a_cursor_the_market_never_gave_is_lost(self, open_place, cursor):
        with pytest.raises(CursorLost):
            open_place.market.changes(cursor, 0)

    def test_a_cursor_from_a_time_the_market_has_lost_is_lost(self, open_place):
        with pytest.raises(CursorLost):
            open_place.market.changes(open_place.cursor_of_the_future(), 0)

    def test_waiting_ends_with_the_change(self, open_place):
        open_place.market.put_offer(provider_offer(1))
        _, cursor = everything(open_place.market)
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(open_place.market.changes(cursor, 30)))
        began = time.monotonic()
        waiting.start()
        sold = open_place.sell(uid(1), at(0), at(1))
        waiting.join(timeout=60)
        [(news, _)] = answers
        assert [one.uuid for one in news] == [sold]
        assert time.monotonic() - began < 30

    def test_waiting_in_vain_ends_with_a_cursor(self, open_place):
        _, cursor = everything(open_place.market)
        assert open_place.market.changes(cursor, 0.05) == ([], cursor)


class ReportPromises:
    @pytest.fixture
    def news(self, open_place):
        """An allocation from now for two hours."""
        open_place.market.put_offer(provider_offer(1))
        open_place.sell(uid(1), NOW, at(2))
        return self.now(open_place)

    def now(self, place):
        [news], _ = everything(place.market)
        return news

    def test_what_the_provider_does_is_told_step_by_step(self, open_place, news):
        seen = []
        for status in (AllocationStatus.ACKNOWLEDGED, AllocationStatus.ACTIVE, AllocationStatus.RELEASED):
            if status is AllocationStatus.RELEASED:
                open_place.clock.advance(2 * HOUR)
            open_place.market.report(told(news, status))
            seen.append(self.now(open_place).status)
        assert seen == ["acknowledged", "active", "released"]

    @pytest.mark.parametrize("status", ["acknowledged", "active", "failed"])
    def test_telling_it_again_changes_nothing(self, open_place, news, status):
        report = told(news, AllocationStatus(status))
        open_place.market.report(report)
        once, cursor = everything(open_place.market)
        open_place.market.report(report)
        assert everything(open_place.market, cursor)[0] == []
        assert [one.status for one in once] == [status]

    def test_a_late_acknowledgement_takes_nothing_back(self, open_place, news):
        open_place.market.report(told(news, AllocationStatus.ACTIVE))
        open_place.market.report(told(news, AllocationStatus.ACKNOWLEDGED))
        assert self.now(open_place).status == "active"

    def test_a_release_before_the_end_is_too_early_and_soon_all_right(self, open_place, news):
        open_place.market.report(told(news, AllocationStatus.ACTIVE))
        with pytest.raises(TooEarly):
            open_place.market.report(told(news, AllocationStatus.RELEASED))
        assert self.now(open_place).status == "active"
        open_place.clock.advance(2 * HOUR)
        open_place.market.report(told(news, AllocationStatus.RELEASED))
        assert self.now(open_place).status == "released"

    @pytest.mark.parametrize("breach", [False, True])
    def test_a_failure_is_taken_with_its_reason(self, open_place, news, breach):
        open_place.market.report(told(news, AllocationStatus.FAILED, breach=breach))
        assert self.now(open_place).status == "failed"

    @pytest.mark.parametrize("status", ["acknowledged", "active"])
    def test_what_the_market_has_called_off_is_refused_and_not_too_early(self, open_place, status):
        open_place.market.put_offer(provider_offer(1))
        uuid = open_place.sell(uid(1), at(1), at(2))
        open_place.call_off(uuid)
        news = self.now(open_place)
        with pytest.raises(MarketRefused) as caught:
            open_place.market.report(told(news, AllocationStatus(status)))
        assert not isinstance(caught.value, TooEarly)
        assert self.now(open_place) == news

    def test_an_allocation_that_was_never_handed_over_cannot_be_released(self, open_place, news):
        open_place.clock.advance(2 * HOUR)
        with pytest.raises(MarketRefused):
            open_place.market.report(told(news, AllocationStatus.RELEASED))

    def test_an_allocation_the_market_never_made_is_refused(self, open_place, news):
        with pytest.raises(MarketRefused):
            open_place.market.report(replace(told(news, AllocationStatus.ACTIVE), uuid=uid(7999)))


class SilencePromises:
    @pytest.mark.parametrize("call", CALLS)
    def test_silence_is_said_in_the_ports_words(self, open_place, call):
        open_place.silence()
        with pytest.raises(MarketUnavailable) as caught:
            CALLS[call](open_place.market)
        assert isinstance(caught.value, Unavailable)
        assert not isinstance(caught.value, MarketRefused)


class MarketPromises(RegistrationPromises, OfferPromises, ChangePromises, ReportPromises, SilencePromises):
    """The suite. A subclass has a fixture ``place``: a market and what happens on it.

    ``market`` (the gateway of a provider that is not registered; it answers two
    changes at a time), ``clock``, ``consumer`` (its project id),
    ``take_name(name)``, ``forget_provider()``, ``sell(offer_uuid, start, end)``
    -> allocation uuid, ``call_off(allocation_uuid)``, ``silence()`` and
    ``cursor_of_the_future()``.
    """

    @pytest.fixture
    def open_place(self, place):
        """A market that knows the provider."""
        place.market.register(name="provider-1", turnaround=0)
        return place
