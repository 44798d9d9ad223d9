# SPDX-License-Identifier: Apache-2.0
import itertools
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_common.domain.money import to_micros, to_price
from flocx_market.domain.book import Book, Span, Spread, to_seconds
from flocx_market.domain.explanation import as_json, explain, explain_award
from flocx_market.domain.expressions import compile_expression
from flocx_market.domain.greedy import clear
from flocx_market.domain.ranking import value
from flocx_market.domain.requirements import parse_requirements
from flocx_market.domain.stock import Stock
from tests.builders import HOUR, book_bid, book_offer, uid
from tests.unit.market.markets import books


def why(bid, offers, now=0, **limits):
    return explain(Stock(offers), bid, now, **limits)


def counts(explanation):
    return {step.step: (step.before, step.after) for step in explanation.steps}


def changed(bid, change):
    """Return a bid with the fields of a nearest change put in."""
    read = {
        "limit_price": lambda v: {"limit": to_micros(to_price(v))},
        "start_time": lambda v: {"begin": to_seconds(datetime.fromisoformat(v))},
        "quantity": lambda v: {"quantity": v},
        "requirements": lambda v: {"requirements": parse_requirements(v)},
    }
    fields = {}
    for field, new in change.items():
        fields |= read[field](new)
    return replace(bid, **fields)


def test_the_story_says_which_requirement_all_offers_fail_and_the_best_there_is():
    offers = [book_offer(n, document={"cpus": 32, "local_gb": gb}) for n, gb in enumerate((480, 960, 1024))]
    bid = book_bid(1, requirements=[["cpus", "==", 32], ["local_gb", ">", 9000]])
    explanation = why(bid, offers)
    assert explanation.sentence == "All 3 offers in the window fail `local_gb > 9000` (largest: 1024)."
    assert counts(explanation) == {
        "window": (3, 3),
        "lessee": (3, 3),
        "requirements[0]": (3, 3),
        "requirements[1]": (3, 0),
        "price": (0, 0),
        "free_time": (0, 0),
        "quantity": (0, 0),
    }
    assert explanation.nearest == {"change": {"requirements": [["cpus", "==", 32], ["local_gb", ">=", 1024]]}}


def test_an_empty_market_is_said_to_be_empty():
    assert why(book_bid(1), []).sentence == "No offer is on the market."


@pytest.mark.parametrize(
    ("bid", "offers", "sentence"),
    [
        (
            book_bid(1, begin=200 * HOUR, end=210 * HOUR),
            [book_offer(1)],
            "The only offer on the market has no room for 10 h between 1970-01-09T08:00:00Z and 1970-01-09T18:00:00Z.",
        ),
        (book_bid(1, project_id="owner"), [book_offer(1)], "The only offer in the window is not open to the project."),
        (
            book_bid(1, offer_uuids=frozenset({uid(9)})),
            [book_offer(1), book_offer(2)],
            "All 2 offers in the window are not among those named.",
        ),
        (
            book_bid(1, limit=500_000),
            [book_offer(1, reserve=900_000), book_offer(2, reserve=1_200_000)],
            "All 2 offers in the window ask more (cheapest ask 0.9, limit 0.5).",
        ),
        (
            book_bid(1),
            [book_offer(1, free=[(5 * HOUR, 100 * HOUR)], window=Span(0, 100 * HOUR))],
            "The only offer that fits is taken in that time (free again from 1970-01-01T05:00:00Z).",
        ),
        (book_bid(1, quantity=3), [book_offer(1), book_offer(2)], "2 nodes can be had at once, 3 are wanted."),
        (
            book_bid(1, quantity=2, duration=5 * HOUR),
            [book_offer(1, free=[(0, 5 * HOUR)]), book_offer(2, free=[(5 * HOUR, 10 * HOUR)])],
            "Only 1 of 2 are free in one common window; 1 node can be had at once, 2 are wanted.",
        ),
        (
            book_bid(1, quantity=2, spread=Spread(compile_expression("rack"), 1)),
            [book_offer(1), book_offer(2)],
            "Only 1 node remains when at most 1 may share `rack`; 1 node can be had at once, 2 are wanted.",
        ),
        (
            book_bid(1, quantity=2, together=compile_expression("cpus")),
            [book_offer(1, document={"cpus": 1}), book_offer(2, document={"cpus": 2})],
            "Only 1 node remains when all must share `cpus`; 1 node can be had at once, 2 are wanted.",
        ),
        (
            book_bid(1, quantity=2, requirements=[["cpus", ">=", 64]]),
            [book_offer(n, document={"cpus": 64 if n == 1 else 32}) for n in range(4)],
            "3 of 4 offers in the window fail `cpus >= 64` (largest: 64); 1 node can be had at once, 2 are wanted.",
        ),
    ],
)
def test_the_sentence_begins_with_the_step_that_costs_most(bid, offers, sentence):
    assert why(bid, offers).sentence == sentence


def test_a_window_that_is_over_is_said_to_be_over():
    explanation = why(book_bid(1), [book_offer(1)], now=10 * HOUR)
    assert explanation.sentence == "Its window is over, or too short for what is left of it."
    assert explanation.nearest is None


def test_a_bid_that_would_be_served_is_told_so():
    explanation = why(book_bid(1), [book_offer(1)])
    assert explanation.sentence == "It can be served now: 1 node from 1970-01-01T00:00:00Z to 1970-01-01T10:00:00Z."
    assert explanation.nearest is None


def test_text_with_braces_in_a_requirement_is_shown_as_it_is():
    bid = book_bid(1, requirements=[["{a: cpus}.a", "==", 64]])
    assert "`{a: cpus}.a == 64`" in why(bid, [book_offer(1)]).sentence


@given(market=books(most_bids=4, most_nodes=4))
def test_each_steps_before_is_the_last_ones_after_and_counts_only_fall(market):
    bids, offers = market
    result = clear(Book(bids=bids, offers=offers), 0, value)
    for bid in result.left:
        steps = explain(result.stock, bid, 0).steps
        assert all(step.after <= step.before for step in steps)
        assert all(one.after == other.before for one, other in itertools.pairwise(steps))


@settings(max_examples=400)
@given(market=books(most_bids=3, most_nodes=4), now=st.integers(0, 3))
def test_the_nearest_change_matches_when_it_is_applied(market, now):
    bids, offers = market
    result = clear(Book(bids=bids, offers=offers), now, value)
    for bid in result.left:
        explanation = explain(result.stock, bid, now)
        if explanation.nearest is not None:
            change = explanation.nearest["change"]
            assert len(change) == 1
            assert result.stock.place(changed(bid, change), now) is not None, change


def servable_start(stock, bid, start, now):
    shifted = replace(bid, begin=start)
    return shifted.end > start and stock.place(shifted, now) is not None


@settings(max_examples=400)
@given(market=books(most_bids=3, most_nodes=4), now=st.integers(0, 3))
def test_a_step_less_than_the_nearest_change_does_not_match(market, now):
    bids, offers = market
    result = clear(Book(bids=bids, offers=offers), now, value)
    for bid in result.left:
        nearest = explain(result.stock, bid, now).nearest
        change = {} if nearest is None else nearest["change"]
        new = changed(bid, change)
        if "limit_price" in change:
            assert result.stock.place(replace(bid, limit=new.limit - 1), now) is None
        elif "quantity" in change:
            assert result.stock.place(replace(bid, quantity=new.quantity + 1), now) is None
        elif "requirements" in change:
            # The value itself left out is one listed value less; a triple left out is the whole of it.
            own = [list(requirement.triple) for requirement in bid.requirements]
            stricter = [t if t in own else [t[0], t[1].rstrip("="), t[2]] for t in change["requirements"]]
            if len(stricter) == len(bid.requirements):
                assert result.stock.place(replace(bid, requirements=parse_requirements(stricter)), now) is None
        elif "start_time" in change:
            origin = bid.starting(now)
            nearer = range(origin - abs(new.begin - origin) + 1, origin + abs(new.begin - origin))
            assert not any(servable_start(result.stock, bid, start, now) for start in nearer if start >= now)


@settings(max_examples=300)
@given(market=books(most_bids=3, most_nodes=3), now=st.integers(0, 2))
def test_where_some_limit_start_quantity_or_triple_would_do_one_is_named(market, now):
    bids, offers = market
    result = clear(Book(bids=bids, offers=offers), now, value)
    for bid in result.left:
        if not bid.servable(now, 0):
            continue
        stock = result.stock
        would = [
            stock.place(replace(bid, limit=10**9), now) is not None,
            any(stock.place(replace(bid, quantity=q), now) is not None for q in range(1, bid.quantity)),
            any(servable_start(stock, bid, start, now) for start in range(now, bid.end)),
            any(
                stock.place(replace(bid, requirements=bid.requirements[:i] + bid.requirements[i + 1 :]), now)
                is not None
                for i in range(len(bid.requirements))
            ),
        ]
        assert (explain(stock, bid, now).nearest is not None) == any(would)


def test_a_limit_up_to_half_again_is_named_before_everything_else():
    offers = [book_offer(1, reserve=15), book_offer(2, reserve=3, document={"cpus": 16})]
    bid = book_bid(1, limit=10, requirements=[["cpus", ">=", 32]])
    assert why(bid, offers).nearest == {"change": {"limit_price": "0.000015"}}


def test_a_limit_further_up_comes_last():
    offers = [book_offer(1, reserve=16), book_offer(2, reserve=3, document={"cpus": 16})]
    bid = book_bid(1, limit=10, requirements=[["cpus", ">=", 32]])
    assert why(bid, offers).nearest == {"change": {"requirements": [["cpus", ">=", 16]]}}
    assert why(replace(bid, requirements=()), offers[:1]).nearest == {"change": {"limit_price": "0.000016"}}


def test_a_later_start_is_named_for_a_whole_window():
    offers = [book_offer(1, free=[(4 * HOUR, 50 * HOUR)], window=Span(0, 50 * HOUR))]
    assert why(book_bid(1), offers).nearest == {"change": {"start_time": "1970-01-01T04:00:00Z"}}


def test_an_earlier_start_is_named_for_a_duration():
    offers = [book_offer(1, free=[(0, 6 * HOUR)])]
    bid = book_bid(1, begin=4 * HOUR, end=12 * HOUR, duration=3 * HOUR)
    assert why(bid, offers).nearest == {"change": {"start_time": "1970-01-01T03:00:00Z"}}


def test_an_earlier_start_is_named_where_the_owner_wants_longer_contracts():
    offers = [book_offer(1, min_duration=8 * HOUR)]
    bid = book_bid(1, begin=4 * HOUR, end=10 * HOUR)
    assert why(bid, offers).nearest == {"change": {"start_time": "1970-01-01T02:00:00Z"}}
    assert why(bid, offers, longest=7 * HOUR).nearest is None


def test_a_start_that_makes_the_contract_too_short_is_not_named():
    offers = [book_offer(1, free=[(9 * HOUR, 50 * HOUR)], window=Span(0, 50 * HOUR))]
    assert why(book_bid(1), offers, shortest=2 * HOUR).nearest is None


def test_fewer_nodes_are_named_before_a_requirement():
    offers = [book_offer(1), book_offer(2, document={"cpus": 16})]
    bid = book_bid(1, quantity=2, requirements=[["cpus", ">=", 32]])
    assert why(bid, offers).nearest == {"change": {"quantity": 1}}


@pytest.mark.parametrize(
    ("triple", "documents", "new"),
    [
        (["gb", ">", 9], [3, 5], [["gb", ">=", 5]]),
        (["gb", ">=", "9"], ["3", "5.5"], [["gb", ">=", 5.5]]),
        (["gb", "<", 2], [3, 5], [["gb", "<=", 3]]),
        (["gb", "<=", 2], [5], [["gb", "<=", 5]]),
        (["gb", "==", 9], [3], []),
        (["gb", "!<", 9], [3], []),
        (["gb", ">", 9], [None], []),
        (["gb", "eq", "x"], ["y"], []),
    ],
)
def test_a_requirement_is_relaxed_to_the_best_value_there_is_or_left_out(triple, documents, new):
    offers = [book_offer(n, document={"gb": gb}) for n, gb in enumerate(documents)]
    assert why(book_bid(1, requirements=[triple]), offers).nearest == {"change": {"requirements": new}}


def test_an_awarded_bid_is_explained_by_what_there_was_before_the_round():
    book = Book(bids=[book_bid(1)], offers=[book_offer(1)])
    award = clear(book, 0, value).awards[0]
    explanation = explain_award(Stock(book.offers), award, 0)
    assert explanation.sentence.startswith("It can be served now: 1 node")
    assert counts(explanation)["quantity"] == (1, 1)


def test_the_json_has_the_shape_of_the_api():
    assert as_json(why(book_bid(1), [])) == {
        "bid_uuid": uid(5001),
        "sentence": "No offer is on the market.",
        "steps": [
            {
                "step": "window",
                "before": 0,
                "after": 0,
                "detail": "10 h between 1970-01-01T00:00:00Z and 1970-01-01T10:00:00Z",
            },
            {"step": "lessee", "before": 0, "after": 0, "detail": None},
            {"step": "price", "before": 0, "after": 0, "detail": "limit 0.00001"},
            {"step": "free_time", "before": 0, "after": 0, "detail": None},
            {"step": "quantity", "before": 0, "after": 0, "detail": "1 wanted"},
        ],
        "nearest": None,
    }
