# SPDX-License-Identifier: Apache-2.0
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flocx_market.domain.book import Book, Span, Spread
from flocx_market.domain.capacity import Capacity, PriceStep, StartStep, capacity, evenly
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.greedy import clear
from flocx_market.domain.ranking import price_time
from flocx_market.domain.stock import Stock
from tests.builders import HOUR, book_bid, book_offer
from tests.unit.market import reference
from tests.unit.market.markets import bids, books


def plainly(question, offers, now, shortest):
    """What could be had, second by second: {start: (most nodes, price of the quantity)}, and the ladder by price."""
    earliest = max(question.begin, now)
    length = question.end - earliest if question.duration is None else question.duration
    at_start, by_price = {}, Counter()
    if length < max(shortest, 1):
        return at_start, by_price
    for start in [earliest] if question.duration is None else range(earliest, question.end - length + 1):
        usable = [
            offer
            for offer in offers
            if reference.acceptable(question, offer, length)
            and reference.window_at([(span.begin, span.end) for span in offer.free], start, length)
        ]
        most, price = 0, None
        for asked in sorted({offer.reserve for offer in usable}):
            nodes = at_once(question, [offer for offer in usable if offer.reserve <= asked])
            by_price[asked] = max(by_price[asked], nodes)
            most = max(most, nodes)
            if price is None and nodes >= question.quantity:
                price = asked
        if most:
            at_start[start] = most, price
    return at_start, by_price


def at_once(question, usable):
    groups = {}
    for offer in usable:
        value = reference.evaluate(question.together, offer) if question.together else ""
        share = reference.evaluate(question.spread.by, offer) if question.spread else ""
        groups.setdefault(value, Counter())[share] += 1
    cap = question.spread.most if question.spread else len(usable)
    return max((sum(min(count, cap) for count in shares.values()) for shares in groups.values()), default=0)


@settings(max_examples=200)
@given(market=books(most_nodes=6), question=bids(99), now=st.integers(0, 4), shortest=st.integers(0, 2))
def test_both_ladders_are_what_trying_every_second_and_every_price_finds(market, question, now, shortest):
    _, offers = market
    at_start, by_price = plainly(question, offers, now, shortest)
    found = capacity(Stock(offers), question, now, shortest=shortest)
    steps, most = [], 0
    for price in sorted(by_price):
        if by_price[price] > most:
            most = by_price[price]
            steps.append(PriceStep(price, most))
    assert list(found.by_price) == steps
    assert found.nodes == most
    rungs, nodes, least = [], 0, None
    for start in sorted(at_start):
        count, price = at_start[start]
        cheaper = price is not None and (least is None or price < least)
        if count > nodes or cheaper:
            rungs.append(StartStep(start, count, price))
        nodes, least = max(nodes, count), price if cheaper else least
    assert list(found.by_start) == rungs


@given(market=books(most_nodes=6), question=bids(99), now=st.integers(0, 4))
def test_the_indicative_price_is_the_lowest_limit_that_is_served_when_nobody_else_bids(market, question, now):
    _, offers = market
    found = capacity(Stock(offers), question, now)
    served = [
        limit
        for limit in range(question.limit + 1)
        if clear(Book(bids=[replace(question, limit=limit)], offers=offers), now, price_time).awards
    ]
    assert found.price == (served[0] if served else None)
    assert (found.window is None) == (found.price is None)
    if served:
        [award] = clear(Book(bids=[question], offers=offers), now, price_time).awards
        assert found.window == award.contract


@given(market=books(most_nodes=6), question=bids(99), most=st.integers(2, 4))
def test_a_short_ladder_keeps_its_ends_and_says_that_it_was_cut(market, question, most):
    _, offers = market
    whole = capacity(Stock(offers), question, 0)
    short = capacity(Stock(offers), question, 0, most_steps=most)
    assert (short.nodes, short.price, short.window) == (whole.nodes, whole.price, whole.window)
    assert short.by_price_cut == (len(whole.by_price) > most)
    assert short.by_start_cut == (len(whole.by_start) > most)
    assert len(short.by_price) == min(len(whole.by_price), most)
    assert short.by_start == whole.by_start[:most]
    assert set(short.by_price) <= set(whole.by_price)
    assert short.by_price[:1] == whole.by_price[:1]
    assert short.by_price[-1:] == whole.by_price[-1:]


@given(st.integers(0, 40), st.integers(2, 10))
def test_evenly_keeps_the_order_and_never_repeats(length, most):
    kept = evenly(list(range(length)), most)
    assert len(kept) == min(length, most)
    assert kept == sorted(set(kept))


@given(market=books(most_nodes=6), question=bids(99), data=st.data())
def test_the_order_of_the_offers_does_not_matter(market, question, data):
    _, offers = market
    shuffled = data.draw(st.permutations(offers))
    assert capacity(Stock(offers), question, 0) == capacity(Stock(shuffled), question, 0)


@given(market=books(most_nodes=6), question=bids(99))
def test_asking_changes_nothing(market, question):
    bids_, offers = market
    stock = Stock(offers)
    before = [stock.place(bid, 0) for bid in bids_]
    one, two = capacity(stock, question, 0), capacity(stock, question, 0)
    assert one == two
    assert [stock.place(bid, 0) for bid in bids_] == before


@pytest.mark.parametrize("rules", [{}, {"spread": Spread(compile_expression("rack"), 9)}])
def test_many_starts_are_counted_in_parts_to_the_same_end(rules, monkeypatch):
    offers = [
        book_offer(number, free=[(number, number + 40)], reserve=number % 7, document={"rack": number % 5})
        for number in range(300)
    ]
    question = book_bid(1, end=400, duration=10, quantity=20, **rules)
    whole = capacity(Stock(offers), question, 0)
    assert len(whole.by_start) > 5
    monkeypatch.setattr("flocx_market.domain.capacity._CELLS", 1)
    assert capacity(Stock(offers), question, 0) == whole


def test_a_later_start_is_told_only_where_it_is_better():
    offers = [
        book_offer(1, reserve=5),
        book_offer(2, reserve=5, free=[(2 * HOUR, 100 * HOUR)]),
        book_offer(3, reserve=1, free=[(4 * HOUR, 5 * HOUR)]),
    ]
    found = capacity(Stock(offers), book_bid(1, duration=HOUR), 0)
    assert found == Capacity(
        nodes=3,
        price=1,
        window=Span(4 * HOUR, 5 * HOUR),
        by_price=(PriceStep(1, 1), PriceStep(5, 3)),
        by_start=(StartStep(0, 1, 5), StartStep(2 * HOUR, 2, 5), StartStep(4 * HOUR, 3, 1)),
    )


def test_a_quantity_that_cannot_be_had_has_no_price_and_still_a_ladder():
    found = capacity(Stock([book_offer(1), book_offer(2)]), book_bid(1, quantity=3), 0)
    assert found == Capacity(nodes=2, by_price=(PriceStep(1, 2),), by_start=(StartStep(0, 2, None),))


def test_what_costs_nothing_has_a_price_of_nothing():
    found = capacity(Stock([book_offer(1, reserve=0)]), book_bid(1), 0)
    assert found.price == 0
    assert found.by_start == (StartStep(0, 1, 0),)


@given(market=books(most_nodes=6), question=bids(99))
def test_nothing_is_told_of_offers_the_project_may_not_use(market, question):
    _, offers = market
    own = [one for one in offers if one.owner_project_id == question.project_id]
    closed = [one for one in offers if one.lessees is not None and question.project_id not in one.lessees]
    assume(own or closed)
    rest = [one for one in offers if one not in own and one not in closed]
    assert capacity(Stock(offers), question, 0) == capacity(Stock(rest), question, 0)


def test_dearer_nodes_than_the_quantity_needs_are_counted_as_well():
    offers = [book_offer(number, reserve=number) for number in range(1, 8)]
    found = capacity(Stock(offers), book_bid(1), 0)
    assert found.by_price == tuple(PriceStep(number, number) for number in range(1, 8))
    assert found.price == 1
