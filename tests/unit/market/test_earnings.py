# SPDX-License-Identifier: Apache-2.0
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain.book import Span
from flocx_market.domain.earnings import Earnings, EarningsStep, Sale, earnings

WITHIN = Span(0, 20)

sales = st.lists(
    st.builds(
        lambda begin, length, asked: Sale(Span(begin, begin + length), asked),
        st.integers(-5, 22),
        st.integers(1, 10),
        st.integers(0, 3),
    ),
    max_size=7,
)


def plainly(sold, turnaround):
    """Every price with the most time of any set of sales, by trying every set."""
    cut = [Sale(Span(max(s.span.begin, 0), min(s.span.end, 20)), s.asked) for s in sold]
    cut = [s for s in cut if s.span.begin < s.span.end]
    found = {}
    for price in sorted({s.asked for s in cut}):
        spans = sorted((s.span.begin, s.span.end) for s in cut if s.asked >= price)
        sets = [
            chosen
            for size in range(len(spans) + 1)
            for chosen in combinations(spans, size)
            if all(one[1] + turnaround <= other[0] for one, other in pairwise(chosen))
        ]
        found[price] = max(sum(end - begin for begin, end in chosen) for chosen in sets)
    return found


@settings(max_examples=200)
@given(sold=sales, turnaround=st.integers(0, 3))
def test_the_time_at_a_price_is_the_most_that_any_set_of_sales_comes_to(sold, turnaround):
    expected = plainly(sold, turnaround)
    found = earnings(sold, WITHIN, turnaround=turnaround)
    assert {step.price: step.seconds for step in found.by_price} == expected
    assert not found.cut


@given(sold=sales, turnaround=st.integers(0, 3))
def test_asking_more_never_sells_more(sold, turnaround):
    steps = earnings(sold, WITHIN, turnaround=turnaround).by_price
    assert [step.price for step in steps] == sorted({step.price for step in steps})
    assert all(one.seconds >= other.seconds for one, other in pairwise(steps))


@given(sold=sales, data=st.data())
def test_the_order_of_sales_does_not_matter(sold, data):
    assert earnings(sold, WITHIN) == earnings(data.draw(st.permutations(sold)), WITHIN)


def test_what_reaches_beyond_the_days_counts_for_the_part_inside():
    found = earnings([Sale(Span(-10, 4), 2), Sale(Span(15, 99), 2), Sale(Span(20, 30), 2)], WITHIN)
    assert found == Earnings(by_price=(EarningsStep(2, 9, 2),))


def test_many_prices_are_told_evenly_and_said_to_be_cut():
    sold = [Sale(Span(n, n + 1), n) for n in range(10)]
    found = earnings(sold, WITHIN, most_steps=3)
    assert found.cut
    assert [(step.price, step.seconds) for step in found.by_price] == [(0, 10), (4, 6), (9, 1)]


def test_nothing_sold_is_nothing_earned():
    assert earnings([], WITHIN) == Earnings()
