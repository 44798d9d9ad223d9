# SPDX-License-Identifier: Apache-2.0
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.money import from_micros, total
from flocx_market.domain import greedy, ranking
from flocx_market.domain.book import Book, Span, to_instant
from flocx_market.domain.clearing import Rules, hold_round, price_round
from flocx_market.domain.engine import Award, Cleared
from flocx_market.domain.formation import form_contract
from flocx_market.domain.pricing import Priced, PricingOptions, Sales, k_double, limit, reserve
from tests.builders import HOUR, book_bid, book_offer
from tests.unit.market.markets import books

RULES = {"reserve": reserve, "limit": limit, "k_double": k_double}
OPTIONS = PricingOptions()


def awarded(*awards):
    return Cleared(offers=(), awards=awards, left=(), evaluations=0)


def sale(limit_price=10, reserves=(1, 4)):
    award = Award(
        bid=book_bid(1, limit=limit_price, quantity=len(reserves)),
        contract=Span(0, HOUR),
        offers=tuple(book_offer(n, reserve=r) for n, r in enumerate(reserves)),
    )
    return Sales(book=Book(bids=(), offers=()), cleared=awarded(award), now=0, ranking=ranking.value)


def prices(rule, options=OPTIONS):
    [priced] = rule(sale(), options)
    return list(priced.prices)


def rules(pricing, name="rule", rank=ranking.value, options=OPTIONS):
    return Rules(engine=greedy.clear, ranking=rank, pricing=pricing, pricing_name=name, pricing_options=options)


def test_reserve_pays_each_owner_what_it_asked():
    assert prices(reserve) == [1, 4]


def test_limit_pays_what_the_bid_said():
    assert prices(limit) == [10, 10]


@pytest.mark.parametrize(("k", "expected"), [("0", [1, 4]), ("1", [10, 10]), ("0.5", [5, 7]), ("0.25", [3, 6])])
def test_k_double_goes_the_share_k_of_the_way_rounded_half_even(k, expected):
    assert prices(k_double, PricingOptions(k=Decimal(k))) == expected


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("rank", [ranking.price_time, ranking.value])
@given(market=books(), k=st.decimals(0, 1, places=3))
def test_both_sides_are_within_their_price_and_the_books_balance(name, rank, market, k):
    bids, offers = market
    held = hold_round(Book(bids=bids, offers=offers), 0, rules(RULES[name], name, rank, PricingOptions(k=k)))
    assert not held.refused
    assert [deal.award for deal in held.deals] == list(held.cleared.awards)
    for deal in held.deals:
        award = deal.award
        assert all(o.reserve <= p <= award.bid.limit for o, p in zip(award.offers, deal.prices, strict=True))
        contract = form_contract(deal, to_instant(0))
        assert contract.amount == total(allocation.amount for allocation in contract.allocations)
        assert len(contract.allocations) == contract.quantity == award.bid.quantity
        assert contract.price_rule == name


@pytest.mark.parametrize("given_prices", [(4,), (0,), (), (2, 2)])
def test_a_rule_that_leaves_the_span_makes_no_contract_and_costs_the_others_nothing(given_prices):
    wronged = Award(bid=book_bid(1, limit=3), contract=Span(0, HOUR), offers=(book_offer(1, reserve=1),))
    other = Award(bid=book_bid(2, limit=3), contract=Span(0, HOUR), offers=(book_offer(2, reserve=1),))
    greedy_owner = rules(lambda _sales, _options: [Priced(given_prices), Priced((2,))], "greedy owner")
    held = price_round(Book(bids=(), offers=()), awarded(wronged, other), 0, greedy_owner)
    assert [deal.award for deal in held.deals] == [other]
    [(award, problem)] = held.refused
    assert award == wronged
    assert "greedy owner" in problem


def test_a_contract_shows_the_mean_of_its_prices():
    offers = (book_offer(1, reserve=1_000_000), book_offer(2, reserve=2_000_001))
    bid = book_bid(1, quantity=2, limit=3_000_000, end=2 * HOUR)
    [deal] = hold_round(Book(bids=[bid], offers=offers), 0, rules(reserve)).deals
    contract = form_contract(deal, to_instant(0))
    assert contract.clearing_price == from_micros(1_500_000)
    assert contract.amount == from_micros(6_000_002)


def test_the_same_round_forms_the_same_contracts():
    [deal] = hold_round(Book(bids=[book_bid(1)], offers=[book_offer(1)]), 0, rules(limit)).deals
    first, again = (form_contract(deal, to_instant(5)) for _ in range(2))
    later = form_contract(deal, to_instant(6))
    assert first == again
    assert first.uuid != later.uuid
