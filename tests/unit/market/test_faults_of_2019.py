# SPDX-License-Identifier: Apache-2.0
"""What the matcher of 2019 got wrong, fault by fault; each of these fails on its behaviour.

The faults that were in its storage (a node booked twice, contracts half
written, a deleted or cancelled contract that stops or blocks the market) are
in tests/functional/market/test_faults_of_2019.py.
"""

import re
from datetime import timedelta

import pytest

from flocx_common.domain.errors import RequirementInvalid
from flocx_market.domain.book import Book
from flocx_market.domain.greedy import clear
from flocx_market.domain.ranking import price_time, value
from flocx_market.domain.requirements import parse_requirements
from flocx_provider.domain.fulfillment import Action, FulfillmentRules, decide
from tests.builders import HOUR, at, book_bid, book_offer, uid
from tests.unit.provider.builders import provider_allocation, ready_node


def winners(bids, offers, now=0, ranking=value):
    return {
        award.bid.uuid: [offer.uuid for offer in award.offers]
        for award in clear(Book(bids=bids, offers=offers), now, ranking).awards
    }


@pytest.mark.parametrize("quantity", [1, 2])
def test_a_contract_has_exactly_as_many_nodes_as_were_wanted(quantity):
    offers = [book_offer(n) for n in range(5)]
    assert len(winners([book_bid(1, quantity=quantity)], offers)[uid(5001)]) == quantity


def test_an_ask_above_the_limit_makes_no_contract():
    assert winners([book_bid(1, limit=1)], [book_offer(1, reserve=1000)]) == {}


def test_the_higher_price_wins_one_node():
    bids = [book_bid(1, limit=1), book_bid(2, limit=100)]
    assert set(winners(bids, [book_offer(1)], ranking=price_time)) == {uid(5002)}


def test_a_contract_is_handed_over_after_its_start_and_not_before():
    rules = FulfillmentRules(
        delivery_timeout=timedelta(hours=1),
        take_back_timeout=timedelta(minutes=10),
        undeploy=True,
        release_delay=timedelta(0),
        notice=timedelta(0),
    )
    in_five_days = provider_allocation(start_time=at(120), end_time=at(240))
    assert decide(in_five_days, ready_node(), at(0), rules).action is Action.NOTHING
    since_yesterday = provider_allocation(start_time=at(-24), end_time=at(24))
    assert decide(since_yesterday, ready_node(), at(-24) + timedelta(minutes=1), rules).action is Action.ASSIGN


def test_an_offer_that_is_exactly_as_long_as_the_bid_serves_it():
    assert winners([book_bid(1)], [book_offer(1, free=[(0, 10 * HOUR)])])


def test_an_hour_inside_nine_days_is_found_in_the_four_that_are_offered():
    bid = book_bid(1, begin=0, end=9 * 24 * HOUR, duration=HOUR)
    assert winners([bid], [book_offer(1, free=[(3 * 24 * HOUR, 7 * 24 * HOUR)])])


def test_a_bid_whose_window_is_over_makes_no_contract():
    assert winners([book_bid(1)], [book_offer(1)], now=48 * HOUR) == {}


@pytest.mark.parametrize(
    ("triple", "document"),
    [
        (["cpu.flags", "contains", "vmx"], {}),
        (["cpu", ">=", 4], {"cpu": "4 cores"}),
        (["cpu", None, None], {}),
        (["length(cpu)", ">=", 1], {"cpu": 4}),
    ],
    ids=["a key some offer lacks", "a value no number", "null on what is missing", "a function on the wrong type"],
)
def test_one_bad_bid_or_offer_stops_nobody_else(triple, document):
    bad = book_bid(1, requirements=[triple], limit=100)
    offers = [book_offer(1, document=document), book_offer(2, document=document)]
    assert set(winners([bad, book_bid(2)], offers)) == {uid(5002)}


def test_a_malformed_expression_is_refused_before_it_is_a_bid():
    with pytest.raises(RequirementInvalid, match=re.escape("requirements[0].expression")):
        parse_requirements([["cpu[", "==", 1]])


def test_nobody_trades_with_itself():
    assert winners([book_bid(1, project_id="owner")], [book_offer(1, owner_project_id="owner")]) == {}


def test_text_contains_text():
    assert parse_requirements([["vendor", "contains", "Dell"]])[0].holds({"vendor": "Dell"})
    assert parse_requirements([["vendor", "contains", "Dell"]])[0].holds({"vendor": "Dell Inc."})


def test_a_regular_expression_cannot_stall_a_round():
    # Backtracking would take longer than the age of the universe on this.
    assert not parse_requirements([["name", "matches", "(a+)+$"]])[0].holds({"name": "a" * 2000 + "b"})


def test_a_node_can_be_offered_again_for_another_time():
    offers = [
        book_offer(1, node_uuid=uid(1), free=[(0, 10 * HOUR)]),
        book_offer(2, node_uuid=uid(1), free=[(20 * HOUR, 30 * HOUR)]),
    ]
    bids = [book_bid(1), book_bid(2, begin=20 * HOUR, end=30 * HOUR)]
    assert winners(bids, offers) == {uid(5001): [uid(1)], uid(5002): [uid(2)]}
