# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain.book import FOREVER, Book, Span, Spread
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.greedy import clear
from flocx_market.domain.ranking import price_time, value
from tests.builders import HOUR, book_bid, book_offer, uid
from tests.unit.market import reference
from tests.unit.market.markets import books, free_after

RANKINGS = [price_time, value]
NOW = 0


def cleared(bids, offers, ranking=value, now=NOW, shortest=0):
    return clear(Book(bids=bids, offers=offers, shortest=shortest), now, ranking)


def outcome(result):
    return {
        award.bid.uuid: (award.contract.begin, award.contract.end, [offer.uuid for offer in award.offers])
        for award in result.awards
    }


def awarded(bids, offers, **more):
    return {bid: nodes for bid, (_, _, nodes) in outcome(cleared(bids, offers, **more)).items()}


@pytest.mark.parametrize("ranking", RANKINGS)
@settings(max_examples=300)
@given(market=books(), now=st.integers(0, 4), shortest=st.integers(0, 2))
def test_greedy_is_the_rule_said_plainly_and_leaves_nothing_servable(ranking, market, now, shortest):
    bids, offers = market
    expected, free, still_servable = reference.clear(bids, offers, now, ranking, shortest)
    result = cleared(bids, offers, ranking, now, shortest)
    assert outcome(result) == expected
    assert {u: [(s.begin, s.end) for s in spans] for u, spans in free_after(result.stock, offers).items()} == free
    assert not still_servable
    assert {bid.uuid for bid in result.left} == {bid.uuid for bid in bids} - expected.keys()


@pytest.mark.parametrize("ranking", RANKINGS)
@given(market=books(), data=st.data())
def test_the_order_of_the_input_does_not_matter(ranking, market, data):
    bids, offers = market
    shuffled = data.draw(st.permutations(bids)), data.draw(st.permutations(offers))
    one, other = cleared(bids, offers, ranking), cleared(*shuffled, ranking)
    assert list(outcome(one).items()) == list(outcome(other).items())
    assert [bid.uuid for bid in one.left] == [bid.uuid for bid in other.left]


@pytest.mark.parametrize("ranking", RANKINGS)
@given(market=books(), data=st.data())
def test_raising_a_winners_limit_never_makes_it_lose(ranking, market, data):
    bids, offers = market
    winners = outcome(cleared(bids, offers, ranking))
    if not winners:
        return
    uuid = data.draw(st.sampled_from(sorted(winners)))
    more = data.draw(st.integers(1, 5))
    raised = [replace(bid, limit=bid.limit + more) if bid.uuid == uuid else bid for bid in bids]
    assert uuid in outcome(cleared(raised, offers, ranking))


@given(market=books())
def test_what_is_sold_is_whole_distinct_feasible_and_never_sold_twice(market):
    bids, offers = market
    of = {offer.uuid: offer for offer in offers}
    used = []
    for award in cleared(bids, offers).awards:
        bid, contract = award.bid, award.contract
        assert len(award.offers) == bid.quantity == len({offer.node_uuid for offer in award.offers})
        for offer in award.offers:
            assert reference.acceptable(bid, offer, contract.length)
            assert any(s.begin <= contract.begin and contract.end <= s.end for s in of[offer.uuid].free)
            used.append((offer.node_uuid, contract, offer.turnaround))
    for index, (node, one, turnaround) in enumerate(used):
        for other_node, other, _ in used[index + 1 :]:
            if node == other_node:
                assert one.end + turnaround <= other.begin or other.end + turnaround <= one.begin


def test_the_cheapest_nodes_are_taken():
    offers = [book_offer(n, reserve=reserve) for n, reserve in enumerate([5, 1, 3])]
    assert awarded([book_bid(1, quantity=2)], offers) == {uid(5001): [uid(1), uid(2)]}


def test_among_equal_prices_the_tightest_window_is_taken_then_the_lowest_uuid_and_open_ends_last():
    offers = [
        book_offer(1, free=[(0, FOREVER)]),
        book_offer(2, free=[(0, 20 * HOUR)]),
        book_offer(3, free=[(0, 12 * HOUR)]),
        book_offer(4, free=[(0, 12 * HOUR)]),
    ]
    assert awarded([book_bid(1, quantity=4)], offers) == {uid(5001): [uid(3), uid(4), uid(2), uid(1)]}


def test_the_start_whose_dearest_node_asks_least_wins_over_an_earlier_one():
    offers = [book_offer(1, free=[(0, 5 * HOUR)], reserve=9), book_offer(2, free=[(5 * HOUR, 10 * HOUR)], reserve=2)]
    result = outcome(cleared([book_bid(1, duration=2 * HOUR)], offers))
    assert result == {uid(5001): (5 * HOUR, 7 * HOUR, [uid(2)])}


def test_the_dearest_node_counts_before_the_total():
    offers = [
        book_offer(1, reserve=1, free=[(0, 3 * HOUR)]),
        book_offer(2, reserve=6, free=[(0, 3 * HOUR)]),
        book_offer(3, reserve=4, free=[(3 * HOUR, 10 * HOUR)]),
        book_offer(4, reserve=4, free=[(3 * HOUR, 10 * HOUR)]),
    ]
    result = outcome(cleared([book_bid(1, quantity=2, duration=HOUR)], offers))
    assert result == {uid(5001): (3 * HOUR, 4 * HOUR, [uid(3), uid(4)])}


def test_a_bid_that_has_begun_starts_now_and_keeps_its_end():
    result = outcome(cleared([book_bid(1, begin=-5 * HOUR)], [book_offer(1)], now=HOUR))
    assert result == {uid(5001): (HOUR, 10 * HOUR, [uid(1)])}


def test_a_bid_with_a_duration_needs_that_much_time_left():
    late = book_bid(1, begin=-5 * HOUR, duration=10 * HOUR)
    assert not cleared([late], [book_offer(1)], now=HOUR).awards


def test_no_contract_is_shorter_than_the_shortest_allowed():
    assert not cleared([book_bid(1)], [book_offer(1)], now=9 * HOUR, shortest=2 * HOUR).awards


def test_nodes_of_one_contract_are_spread():
    offers = [book_offer(n, document={"rack": rack}) for n, rack in enumerate("aaab")]
    spread = Spread(compile_expression("rack"), 1)
    assert awarded([book_bid(1, quantity=2, spread=spread)], offers) == {uid(5001): [uid(0), uid(3)]}
    assert awarded([book_bid(1, quantity=3, spread=spread)], offers) == {}


def test_nodes_of_one_contract_are_together():
    offers = [book_offer(n, document={"rack": rack}, reserve=n) for n, rack in enumerate("abbb")]
    together = compile_expression("rack")
    assert awarded([book_bid(1, quantity=2, together=together)], offers) == {uid(5001): [uid(1), uid(2)]}


def test_null_is_a_value_like_any_other_for_spread_and_together():
    offers = [book_offer(n, document={}) for n in range(2)]
    assert awarded([book_bid(1, quantity=2, together=compile_expression("rack"))], offers)
    assert not awarded([book_bid(1, quantity=2, spread=Spread(compile_expression("rack"), 1))], offers)


def test_a_node_needs_its_turnaround_between_two_contracts_also_across_its_offers():
    shared = {"node_uuid": uid(1), "turnaround": HOUR}
    offers = [book_offer(1, free=[(0, 10 * HOUR)], **shared), book_offer(2, free=[(10 * HOUR, 20 * HOUR)], **shared)]
    back_to_back = [book_bid(1, end=10 * HOUR), book_bid(2, begin=10 * HOUR, end=12 * HOUR)]
    assert set(awarded(back_to_back, offers)) == {uid(5001)}
    later = [book_bid(1, end=10 * HOUR), book_bid(2, begin=11 * HOUR, end=12 * HOUR)]
    assert set(awarded(later, offers)) == {uid(5001), uid(5002)}


def test_selling_a_part_leaves_the_rest():
    bids = [
        book_bid(1, begin=10 * HOUR, end=20 * HOUR),
        book_bid(2, end=10 * HOUR),
        book_bid(3, begin=20 * HOUR, end=21 * HOUR),
    ]
    assert len(cleared(bids, [book_offer(1)]).awards) == 3


def test_price_time_serves_the_highest_limit_and_value_the_most_valuable_bid():
    short = book_bid(1, limit=9, end=HOUR)
    long = book_bid(2, limit=5, end=10 * HOUR)
    assert set(awarded([short, long], [book_offer(1)], ranking=price_time)) == {uid(5001)}
    assert set(awarded([short, long], [book_offer(1)], ranking=value)) == {uid(5002)}


def test_ties_go_by_age_then_uuid():
    older, younger = book_bid(2, placed=1), book_bid(1, placed=2)
    assert set(awarded([older, younger], [book_offer(1)])) == {uid(5002)}
    assert set(awarded([replace(older, placed=2), younger], [book_offer(1)])) == {uid(5001)}


def test_an_expression_is_evaluated_once_on_equal_hardware_however_many_nodes_have_it_and_triples_ask():
    offers = [book_offer(n, document={"cpus": 32 if n % 2 else 16}) for n in range(50)]
    bids = [book_bid(n, requirements=[["cpus", ">=", 16], ["cpus", "<", 64]]) for n in range(20)]
    assert cleared(bids, offers).evaluations == 2


def test_an_offer_keeps_what_is_before_and_after_a_contract():
    result = cleared([book_bid(1, begin=2 * HOUR, end=3 * HOUR)], [book_offer(1, free=[(0, FOREVER)])])
    assert free_after(result.stock, [book_offer(1)]) == {uid(1): (Span(0, 2 * HOUR), Span(3 * HOUR, FOREVER))}
