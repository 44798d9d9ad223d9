# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.errors import InvalidTransition, WindowInvalid
from flocx_market.domain.bid import Limits, bid_window, to_book
from flocx_market.domain.book import FOREVER, to_instant, to_seconds, to_span
from flocx_market.domain.offer import OfferStatus, settled_status
from tests.builders import HOUR, NOW, at, market_bid, market_offer

LIMITS = Limits(
    shortest_contract=HOUR,
    longest_contract=100 * HOUR,
    horizon=1000 * HOUR,
    default_duration=24 * HOUR,
    max_quantity=10,
)


def test_a_bid_without_times_means_now_for_the_default_length():
    window = bid_window(None, None, None, LIMITS, NOW)
    assert (window.start, window.end) == (NOW, at(24))


def test_a_bid_with_a_duration_and_no_end_gets_room_to_move():
    window = bid_window(None, None, 5 * HOUR, LIMITS, NOW)
    assert (window.start, window.end) == (NOW, at(29))


def test_a_start_that_has_passed_means_now():
    assert bid_window(at(-5), at(5), None, LIMITS, NOW).end == at(5)
    with pytest.raises(WindowInvalid, match="shorter"):
        bid_window(at(-5), at(0.5), None, LIMITS, NOW)


@pytest.mark.parametrize(
    ("start", "end", "duration", "field", "problem"),
    [
        (at(2), at(1), None, "end_time", "is not after start_time"),
        (at(2), at(2), None, "end_time", "is not after start_time"),
        (at(-3), at(-1), None, "end_time", "has passed"),
        (at(-3), NOW, None, "end_time", "has passed"),
        (at(0), at(0.9), None, "end_time", "shorter than the shortest"),
        (at(0), at(9), 1800, "duration", "shorter than the shortest"),
        (at(0), at(101), None, "end_time", "longer than the longest"),
        (at(0), at(300), 101 * HOUR, "duration", "longer than the longest"),
        (at(0), at(5), 6 * HOUR, "duration", "do not fit"),
        (at(1001), at(1010), None, "start_time", "more than"),
        (at(1), at(1010), 5 * HOUR, "end_time", "more than"),
    ],
)
def test_a_window_that_cannot_be_is_refused_naming_the_field(start, end, duration, field, problem):
    with pytest.raises(WindowInvalid) as refused:
        bid_window(start, end, duration, LIMITS, NOW)
    assert refused.value.field == field
    assert problem in refused.value.detail


@given(st.integers(-50, 1100), st.integers(1, 200), st.one_of(st.none(), st.integers(1, 150)))
def test_an_accepted_bid_can_be_served_within_the_limits(start, length, duration):
    begin, end = at(start), at(start + length)
    seconds = None if duration is None else duration * HOUR
    try:
        window = bid_window(begin, end, seconds, LIMITS, NOW)
    except WindowInvalid:
        return
    book = to_book(market_bid(window=window, duration=seconds))
    now = to_seconds(NOW)
    assert book.servable(now, LIMITS.shortest_contract)
    assert LIMITS.shortest_contract <= book.length(now) <= LIMITS.longest_contract
    assert book.latest_start(now) - now <= LIMITS.horizon


def test_instants_and_seconds_are_the_same_thing():
    assert to_instant(to_seconds(NOW)) == NOW
    assert to_seconds(NOW + timedelta(milliseconds=1)) == to_seconds(NOW) + 1
    span = to_span(market_offer().window)
    assert (to_instant(span.begin), to_instant(span.end)) == (market_offer().window.start, market_offer().window.end)
    assert to_span(type(market_offer().window)(NOW, None)).end == FOREVER


def test_an_unhealthy_node_suspends_its_offer_and_a_healthy_one_brings_it_back():
    sick = market_offer(health_problem="fan failed")
    suspended = settled_status(sick, provider_alive=True, now=NOW)
    assert (suspended.status, suspended.status_reason) == (OfferStatus.SUSPENDED, "fan failed")
    well = market_offer(status=OfferStatus.SUSPENDED, status_reason="fan failed")
    resumed = settled_status(well, provider_alive=True, now=NOW)
    assert (resumed.status, resumed.status_reason) == (OfferStatus.AVAILABLE, None)


def test_a_silent_provider_suspends_its_offers():
    suspended = settled_status(market_offer(), provider_alive=False, now=NOW)
    assert suspended.status_reason == "its provider is silent"


def test_a_new_problem_is_told_in_place_of_the_old():
    sick = market_offer(status=OfferStatus.SUSPENDED, status_reason="fan", health_problem="power")
    assert settled_status(sick, provider_alive=True, now=NOW).status_reason == "power"


@pytest.mark.parametrize("status", [OfferStatus.AVAILABLE, OfferStatus.SUSPENDED])
def test_an_offer_expires_at_its_end(status):
    offer = market_offer(status=status)
    assert settled_status(offer, provider_alive=True, now=at(100)).status is OfferStatus.EXPIRED


@pytest.mark.parametrize("status", [OfferStatus.EXPIRED, OfferStatus.WITHDRAWN])
def test_a_final_offer_stays_as_it_is(status):
    offer = market_offer(status=status, health_problem="x")
    assert settled_status(offer, provider_alive=False, now=at(200)) == offer
    with pytest.raises(InvalidTransition):
        offer.after("resume", NOW)


@given(st.booleans(), st.sampled_from([None, "fan"]), st.integers(0, 120))
def test_settling_twice_is_settling_once(alive, problem, hours):
    once = settled_status(market_offer(health_problem=problem), provider_alive=alive, now=at(hours))
    assert settled_status(once, provider_alive=alive, now=at(hours)) == once
