# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.money import (
    PRICE_STEP,
    amount_for,
    from_micros,
    mean,
    price_text,
    to_micros,
    to_price,
    total,
)

prices = st.integers(0, 10**18 - 1).map(from_micros)


@pytest.mark.parametrize("value", ["1", "0", "1.5", "0.000001", 7, Decimal("2.50"), "999999999999.999999", "1e3", "-0"])
def test_exact_decimals_are_prices(value):
    assert to_price(value) == abs(Decimal(value))


@pytest.mark.parametrize(
    "value", ["", "x", "nan", "Infinity", "-1", "-0.000001", "1000000000000", "0.0000001", 1.5, True, "1,5", None]
)
def test_everything_else_is_refused_and_never_rounded(value):
    with pytest.raises(ValueError, match=r"price|decimal|finite|negative|below|digits"):
        to_price(value)


@given(prices)
def test_prices_survive_text_and_integer_steps(price):
    assert to_price(price_text(price)) == price
    assert from_micros(to_micros(price)) == price


@given(prices, st.integers(0, 10**9))
def test_an_amount_is_price_times_hours_rounded_half_even(price, seconds):
    exact = Fraction(price) * seconds / 3600 / Fraction(PRICE_STEP)
    assert amount_for(price, timedelta(seconds=seconds)) == from_micros(round(exact))


def test_half_a_step_is_rounded_to_even():
    assert amount_for(Decimal("0.000001"), timedelta(minutes=30)) == Decimal("0.000000")
    assert amount_for(Decimal("0.000003"), timedelta(minutes=30)) == Decimal("0.000002")


def test_no_time_costs_nothing():
    assert amount_for(Decimal(5), timedelta(0)) == 0
    assert amount_for(Decimal(5), timedelta(seconds=-3)) == 0


@given(st.lists(prices, max_size=20))
def test_a_total_is_exact(amounts):
    assert total(amounts) == sum(amounts, Decimal(0))


@given(st.lists(prices, min_size=1, max_size=20))
def test_a_mean_lies_between_the_least_and_the_most(found):
    assert min(found) <= mean(found) <= max(found)


def test_the_mean_of_nothing_is_zero():
    assert mean([]) == 0
