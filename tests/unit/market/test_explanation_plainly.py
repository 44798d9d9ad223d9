# SPDX-License-Identifier: Apache-2.0
"""Explanations counted by lots say to the letter what those made offer by offer say."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain.book import FOREVER, Book, Span, Spread
from flocx_market.domain.explanation import explain, explain_award
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.greedy import clear
from flocx_market.domain.ranking import value
from flocx_market.domain.requirements import parse_requirements
from flocx_market.domain.stock import Stock
from tests.builders import HOUR, book_bid, book_offer, uid
from tests.unit.market import plain_explanation
from tests.unit.market.markets import HORIZON, books
from tests.unit.market.plain_placement import PlainSupply

# Values that are numbers, texts that are one, the same number written twice, and none.
SIZES = [1, 2, "2", 2.0, "2.50", 3, None, "large", True]
TRIPLES = [
    *(["size", operator, bound] for operator in (">", ">=", "<", "<=") for bound in (0, 2, 2.5, 4)),
    *(["size", operator, 2] for operator in ("!<", "!>=", "==", "!=")),
    ["size", None, None],
    ["size", "in", [1, 3]],
    ["rack", "eq", "a"],
    ["rack", "!eq", "a"],
]


def supply_after(result):
    """Return what a round has left, offer by offer."""
    supply = PlainSupply(result.offers)
    for award in result.awards:
        for offer in award.offers:
            supply.take(offer, award.contract)
    return supply


def assert_explained_alike(bids, offers, now, **limits):
    result = clear(Book(bids=bids, offers=offers, shortest=limits.get("shortest", 0)), now, value)
    supply, before = supply_after(result), PlainSupply(offers)
    for bid in result.left:
        assert explain(result.stock, bid, now, **limits) == plain_explanation.explain(supply, bid, now, **limits)
    stock = Stock(offers)
    for award in result.awards:
        expected = plain_explanation.explain(before, award.bid, now, **limits).steps
        assert explain_award(stock, award, now).steps == expected


@st.composite
def wide_books(draw):
    """Books with several requirements a bid, offers that are free in pieces, and offered windows beyond them."""
    asked, offers = draw(books(most_bids=4, most_nodes=5))
    triples = st.lists(st.sampled_from(TRIPLES), max_size=3)
    asked = [replace(bid, requirements=parse_requirements(draw(triples))) for bid in asked]
    widened = []
    for offer in offers:
        document = {"size": draw(st.sampled_from(SIZES)), "rack": draw(st.sampled_from(["a", "b"]))}
        hole = draw(st.integers(offer.window.begin, min(offer.window.end, HORIZON)))
        free = [(offer.window.begin, hole), (hole + draw(st.integers(0, 2)), offer.window.end)]
        spans = tuple(Span(*span) for span in free if span[0] < span[1])
        widened.append(replace(offer, free=spans, hardware=book_offer(0, document=document).hardware))
    return asked, widened


@settings(max_examples=150)
@given(
    market=st.one_of(books(), wide_books()),
    now=st.integers(0, 4),
    shortest=st.integers(0, 2),
    longest=st.sampled_from([None, 4, 8]),
)
def test_every_explanation_is_the_one_made_offer_by_offer(market, now, shortest, longest):
    bids, offers = market
    assert_explained_alike(bids, offers, now, shortest=shortest, longest=longest)


def mid_size_market(seed):
    """Return 60 bids of every sort for 80 offers, some free in pieces."""
    rnd = random.Random(seed)
    offers = []
    for number in range(80):
        begin = rnd.choice([0, 0, 5, 20]) * HOUR
        end = rnd.choice([40 * HOUR, 60 * HOUR, FOREVER])
        taken = rnd.choice([None, None, 10, 25])
        free = [(begin, end)]
        if taken is not None:
            free = [(begin, taken * HOUR), (max(begin, taken * HOUR + 5 * HOUR), end)]
        offers.append(
            book_offer(
                number,
                document={"size": rnd.choice(SIZES), "rack": rnd.choice("abcd")},
                free=[span for span in free if span[0] < span[1]],
                window=Span(begin, end),
                reserve=rnd.randrange(2, 9),
                min_duration=rnd.choice([0, 0, 6 * HOUR]),
                owner_project_id=rnd.choice(["owner-a", "owner-b"]),
                lessees=rnd.choice([None, None, frozenset({"consumer-a"})]),
                turnaround=rnd.choice([0, 600]),
            )
        )
    rack = compile_expression("rack")
    bids = []
    for number in range(60):
        begin = rnd.randrange(30) * HOUR
        length = rnd.randrange(2, 20) * HOUR
        bids.append(
            book_bid(
                number,
                project_id=rnd.choice(["consumer-a", "consumer-b", "owner-a"]),
                requirements=rnd.sample(TRIPLES, rnd.randrange(4)),
                quantity=rnd.randrange(1, 9),
                begin=begin,
                end=begin + length + rnd.choice([0, 10 * HOUR]),
                duration=rnd.choice([None, length]),
                limit=rnd.randrange(1, 10),
                spread=rnd.choice([None, None, Spread(rack, 2)]),
                together=rnd.choice([None, None, rack]),
                offer_uuids=rnd.choice([None, None, None, frozenset(uid(rnd.randrange(90)) for _ in range(12))]),
            )
        )
    return bids, offers


@pytest.mark.parametrize("seed", range(12))
def test_every_explanation_of_a_mid_size_market_is_the_one_made_offer_by_offer(seed):
    bids, offers = mid_size_market(seed)
    assert_explained_alike(bids, offers, 2 * HOUR, shortest=HOUR, longest=30 * HOUR)


@given(market=wide_books(), data=st.data(), now=st.integers(0, 3))
def test_explanations_do_not_depend_on_the_order_of_the_offers(market, data, now):
    bids, offers = market
    shuffled = data.draw(st.permutations(offers))
    for bid in bids:
        assert explain(Stock(offers), bid, now) == explain(Stock(shuffled), bid, now)


def test_a_stock_that_offers_come_to_explains_as_one_that_had_them_all_along():
    bids, offers = mid_size_market(1)
    stock = Stock(offers[:40])
    for number, offer in enumerate(offers[40:]):
        # Explaining in between makes it remember what has since become more.
        explain(stock, bids[number], 0)
        stock.lots.add(offer)
    whole = Stock(offers)
    assert [explain(stock, bid, 0) for bid in bids] == [explain(whole, bid, 0) for bid in bids]


def test_an_offer_that_is_discarded_is_counted_no_longer():
    stock = Stock([book_offer(1), book_offer(2)])
    placement = stock.place(book_bid(1, quantity=2), 0)
    stock.take(placement)
    stock.groups.discard(stock.lots.number(uid(1)))
    window = explain(stock, book_bid(2), 0).steps[0]
    assert (window.before, window.after) == (1, 1)
    assert stock.groups.total == 1


def test_a_whole_number_is_shown_without_a_point_however_the_offers_write_it():
    for gb in (4, 4.0, "4", "4.00"):
        bid = book_bid(1, requirements=[["gb", ">", 9]])
        steps = explain(Stock([book_offer(1, document={"gb": gb})]), bid, 0).steps
        assert steps[2].detail == "`gb > 9` (largest: 4)"
