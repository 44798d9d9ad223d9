# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

from flocx_common.domain.money import from_micros
from flocx_market.domain import lifecycle
from flocx_market.domain.book import Book, Spread, to_instant
from flocx_market.domain.clearing import Rules, hold_round
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.formation import form_contract
from flocx_market.domain.greedy import clear
from flocx_market.domain.pricing import PricingOptions, reserve
from flocx_market.domain.ranking import value
from flocx_market.domain.replacement import find_replacement, succeeding
from flocx_market.domain.supply import Supply
from tests.builders import HOUR, book_bid, book_offer, uid

RULES = Rules(engine=clear, ranking=value, pricing=reserve, pricing_name="reserve", pricing_options=PricingOptions())


def broken(bid, offers, spare, hours=2):
    """A contract over ``offers`` whose first node fails after some hours, and what replaces it among ``spare``."""
    [deal] = hold_round(Book(bids=[bid], offers=offers), 0, RULES).deals
    award, made = deal.award, form_contract(deal, to_instant(0))
    first = made.allocations[0]
    made = lifecycle.hand_over(made, first.uuid, to_instant(0), to_instant(0)).contract
    now = to_instant(hours * HOUR)
    made = lifecycle.fail_allocation(made, first.uuid, "gone", now).contract
    kept = [offer for offer in award.offers if offer.uuid != first.offer_uuid]
    return (
        made,
        made.allocation(first.uuid),
        find_replacement(Supply(spare), bid, made, made.allocation(first.uuid), kept, now),
    )


def test_another_node_takes_over_for_the_remaining_time_at_the_same_price():
    made, failed, found = broken(book_bid(1), [book_offer(1, reserve=5)], [book_offer(2, reserve=3)])
    offer, window = found
    assert (offer.uuid, window.begin, window.end) == (uid(2), 2 * HOUR, 10 * HOUR)
    successor = succeeding(made, failed, offer, window, to_instant(2 * HOUR))
    assert successor.clearing_price == from_micros(5)
    assert successor.start_time == to_instant(2 * HOUR)


def test_a_node_whose_owner_asks_more_than_the_failed_one_cost_cannot_take_over():
    assert broken(book_bid(1), [book_offer(1, reserve=5)], [book_offer(2, reserve=6)])[2] is None


def test_the_cheapest_then_the_tightest_takes_over():
    spare = [book_offer(2, reserve=2), book_offer(3, reserve=1), book_offer(4, reserve=1, free=[(0, 10 * HOUR)])]
    assert broken(book_bid(1), [book_offer(1, reserve=5)], spare)[2][0].uuid == uid(4)


def test_a_node_must_be_free_until_the_end():
    assert broken(book_bid(1), [book_offer(1)], [book_offer(2, free=[(0, 9 * HOUR)])])[2] is None


def test_a_node_must_meet_the_requirements_and_the_owners_terms():
    bid = book_bid(1, requirements=[["cpus", ">=", 32]])
    for spare in (
        book_offer(2, document={"cpus": 16}),
        book_offer(2, owner_project_id="consumer"),
        book_offer(2, lessees=frozenset({"other"})),
        book_offer(2, min_duration=9 * HOUR),
    ):
        assert broken(bid, [book_offer(1)], [spare])[2] is None


def test_a_node_that_was_in_the_contract_is_not_taken_again():
    again = book_offer(2, node_uuid=uid(1001))
    assert broken(book_bid(1), [book_offer(1)], [again])[2] is None


def test_spread_and_together_hold_with_the_nodes_that_stay():
    offers = [book_offer(n, document={"rack": "a" if n == 1 else "b"}) for n in (1, 2)]
    spare = [book_offer(3, document={"rack": "b"}), book_offer(4, document={"rack": "c"})]
    spread = book_bid(1, quantity=2, spread=Spread(compile_expression("rack"), 1))
    assert broken(spread, offers, spare)[2][0].uuid == uid(4)
    alike = [replace(offer, hardware=offers[1].hardware) for offer in offers]
    together = book_bid(1, quantity=2, together=compile_expression("rack"))
    assert broken(together, alike, spare)[2][0].uuid == uid(3)


def test_nothing_takes_over_when_no_time_is_left():
    assert broken(book_bid(1), [book_offer(1)], [book_offer(2)], hours=10)[2] is None
