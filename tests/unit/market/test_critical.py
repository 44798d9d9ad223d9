# SPDX-License-Identifier: Apache-2.0
"""The rule ``critical`` against its definition: every limit tried, the whole round each time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain import greedy
from flocx_market.domain.book import Book, Span
from flocx_market.domain.critical import critical, replayed
from flocx_market.domain.engine import Award, Cleared, EngineReport
from flocx_market.domain.pricing import PricingOptions, Sales
from flocx_market.domain.ranking import price_time, value
from tests.builders import HOUR, book_bid, book_offer, uid
from tests.unit.market.markets import books

RANKINGS = [price_time, value]


def sales(book, ranking=value, now=0):
    return Sales(book=book, cleared=greedy.clear(book, now, ranking), now=now, ranking=ranking)


def priced(bids, offers, budget=None, ranking=value):
    """What each winner pays for each of its nodes, by the number of the bid, and by which rule."""
    held = sales(Book(bids=bids, offers=offers), ranking)
    found = critical(held, PricingOptions(budget=budget))
    return {award.bid.uuid: (list(p.prices), p.rule) for award, p in zip(held.cleared.awards, found, strict=True)}


def served(book, now, ranking, uuid, limit):
    bids = [replace(bid, limit=limit) if bid.uuid == uuid else bid for bid in book.bids]
    return any(a.bid.uuid == uuid for a in greedy.clear(replace(book, bids=bids), now, ranking).awards)


def lowest_limit(book, now, ranking, bid):
    return next((limit for limit in range(bid.limit + 1) if served(book, now, ranking, bid.uuid, limit)), None)


@pytest.mark.parametrize("ranking", RANKINGS)
@settings(max_examples=250)
@given(market=books(most_bids=6, most_nodes=5), now=st.integers(0, 4), shortest=st.integers(0, 2))
def test_a_bid_pays_the_lowest_limit_with_which_it_would_have_been_served(ranking, market, now, shortest):
    bids, offers = market
    book = Book(bids=bids, offers=offers, shortest=shortest)
    held = sales(book, ranking, now)
    for award, found in zip(held.cleared.awards, critical(held, PricingOptions()), strict=True):
        price = lowest_limit(book, now, ranking, award.bid)
        assert found.prices == (price,) * award.bid.quantity
        assert found.rule is None
        assert all(offer.reserve <= price for offer in award.offers)


@pytest.mark.parametrize("ranking", RANKINGS)
@given(market=books(most_bids=6), data=st.data())
def test_the_own_limit_decides_only_whether_the_bid_is_served(ranking, market, data):
    bids, offers = market
    before = priced(bids, offers, ranking=ranking)
    if not before:
        return
    uuid = data.draw(st.sampled_from(sorted(before)))
    limit = data.draw(st.integers(before[uuid][0][0], 9))
    after = priced([replace(bid, limit=limit) if bid.uuid == uuid else bid for bid in bids], offers, ranking=ranking)
    assert after[uuid] == before[uuid]


@pytest.mark.parametrize("ranking", RANKINGS)
@given(market=books(most_bids=6), data=st.data())
def test_the_order_of_the_input_changes_no_price(ranking, market, data):
    bids, offers = market
    shuffled = data.draw(st.permutations(bids)), data.draw(st.permutations(offers))
    assert priced(bids, offers, ranking=ranking) == priced(*shuffled, ranking=ranking)


@given(market=books(most_bids=6), budget=st.integers(0, 12))
def test_beyond_the_budget_the_last_in_the_ranking_pay_the_reserve_and_say_so(market, budget):
    bids, offers = market
    held = sales(Book(bids=bids, offers=offers))
    whole = critical(held, PricingOptions())
    found, spent = replayed(held, PricingOptions(budget=budget))
    assert spent <= budget
    fell_short = False
    for award, one, exact in zip(held.cleared.awards, found, whole, strict=True):
        fell_short = fell_short or one.rule == "reserve"
        if fell_short:
            assert one.prices == tuple(offer.reserve for offer in award.offers)
            assert one.rule == "reserve"
            assert max(one.prices) <= exact.prices[0]
        else:
            assert one == exact


@given(market=books(most_bids=6))
def test_what_another_engine_awards_is_kept_between_reserve_and_limit(market):
    bids, offers = market
    book = Book(bids=bids, offers=offers)
    # Another engine: the greedy one under another ranking.
    other = replace(greedy.clear(book, 0, price_time), report=EngineReport(engine="optimal"))
    held = Sales(book=book, cleared=other, now=0, ranking=value)
    for award, found in zip(other.awards, critical(held, PricingOptions()), strict=True):
        dearest = max(offer.reserve for offer in award.offers)
        threshold = lowest_limit(book, 0, value, award.bid)
        expected = award.bid.limit if threshold is None else max(dearest, threshold)
        assert found.prices == (min(award.bid.limit, expected),) * award.bid.quantity


def test_alone_a_bid_pays_what_the_dearest_owner_asks_and_it_costs_no_placement():
    offers = [book_offer(1, reserve=3), book_offer(2, reserve=5)]
    held = sales(Book(bids=[book_bid(1, quantity=2)], offers=offers))
    [found], spent = replayed(held, PricingOptions(budget=0))
    assert (found.prices, found.rule, spent) == ((5, 5), None, 0)


def test_bids_that_want_other_nodes_cost_no_placement():
    bids = [book_bid(n, requirements=[["cpus", "==", n]]) for n in range(4)]
    offers = [book_offer(n, document={"cpus": n}, reserve=2) for n in range(4)]
    found, spent = replayed(sales(Book(bids=bids, offers=offers)), PricingOptions(budget=0))
    assert [one.prices for one in found] == [(2,)] * 4
    assert spent == 0


def test_the_best_loser_sets_the_price():
    bids = [book_bid(1, limit=10), book_bid(2, limit=7), book_bid(3, limit=4)]
    # The second is older than the first: what ties with it would come after it.
    bids = [replace(bid, placed=10 - number) for number, bid in enumerate(bids)]
    assert priced(bids, [book_offer(1, reserve=1)]) == {uid(5001): ([8], None)}


def test_nobody_pays_for_a_rival_that_gets_a_node_elsewhere():
    bids = [book_bid(1, limit=10), book_bid(2, limit=9)]
    assert priced(bids, [book_offer(1, reserve=1), book_offer(2, reserve=2)]) == {
        uid(5001): ([2], None),
        uid(5002): ([2], None),
    }


def test_a_bid_that_greedy_would_not_serve_pays_its_limit():
    offer = book_offer(1, reserve=1)
    winner, loser = book_bid(1, limit=10), book_bid(2, limit=6)
    award = Award(bid=loser, contract=Span(0, 10 * HOUR), offers=(offer,))
    odd = Cleared(
        offers=(offer,), awards=(award,), left=(winner,), evaluations=0, report=EngineReport(engine="optimal")
    )
    held = Sales(book=Book(bids=[winner, loser], offers=[offer]), cleared=odd, now=0, ranking=value)
    assert [one.prices for one in critical(held, PricingOptions())] == [(6,)]


def test_a_limit_that_comes_before_the_rival_is_enough_where_losing_to_it_would_cost_more():
    # Behind the rival only the dear node is left; just ahead of it the cheap one is.
    offers = [book_offer(1, reserve=0), book_offer(2, reserve=5)]
    bids = [book_bid(1, limit=9, placed=2), book_bid(2, limit=3, placed=1)]
    assert priced(bids, offers) == {uid(5001): ([4], None)}


def test_a_rival_is_noticed_in_each_of_the_free_windows_of_a_node():
    node = [book_offer(1, free=[(0, 10 * HOUR)])]
    first = book_bid(1, limit=9, begin=4 * HOUR, end=6 * HOUR)
    early = [book_bid(n, limit=limit, begin=0, end=2 * HOUR) for n, limit in ((2, 8), (3, 5))]
    late = [book_bid(n, limit=limit, begin=8 * HOUR, end=10 * HOUR) for n, limit in ((4, 7), (5, 4))]
    assert priced([first, *early, *late], node) == {
        uid(5001): ([1], None),
        uid(5002): ([5], None),
        uid(5004): ([4], None),
    }
