# SPDX-License-Identifier: Apache-2.0
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flocx_common.domain.money import from_micros, total
from flocx_market.domain import greedy, ranking
from flocx_market.domain.book import Book, Span, to_instant
from flocx_market.domain.clearing import Award, Rules, priced
from flocx_market.domain.formation import form_contract
from flocx_market.domain.pricing import PricingOptions, Sale, k_double, limit, reserve
from tests.builders import HOUR, book_bid, book_offer
from tests.unit.market.markets import books

RULES = {"reserve": reserve, "limit": limit, "k_double": k_double}


def sale(limit_price=10, reserves=(1, 4)):
    return Sale(book_bid(1, limit=limit_price), tuple(book_offer(n, reserve=r) for n, r in enumerate(reserves)))


def test_reserve_pays_each_owner_what_it_asked():
    assert list(reserve(sale(), PricingOptions())) == [1, 4]


def test_limit_pays_what_the_bid_said():
    assert list(limit(sale(), PricingOptions())) == [10, 10]


@pytest.mark.parametrize(("k", "prices"), [("0", [1, 4]), ("1", [10, 10]), ("0.5", [5, 7]), ("0.25", [3, 6])])
def test_k_double_goes_the_share_k_of_the_way_rounded_half_even(k, prices):
    assert list(k_double(sale(), PricingOptions(k=Decimal(k)))) == prices


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("rank", [ranking.price_time, ranking.value])
@given(market=books(), k=st.decimals(0, 1, places=3))
def test_both_sides_are_within_their_price_and_the_books_balance(name, rank, market, k):
    bids, offers = market
    rules = Rules(
        engine=greedy.clear, ranking=rank, pricing=RULES[name], pricing_name=name, pricing_options=PricingOptions(k=k)
    )
    for award in greedy.clear(Book(bids=bids, offers=offers), 0, rank).awards:
        deal = priced(award, rules)
        assert all(o.reserve <= p <= award.bid.limit for o, p in zip(award.offers, deal.prices, strict=True))
        contract = form_contract(deal, to_instant(0))
        assert contract.amount == total(allocation.amount for allocation in contract.allocations)
        assert len(contract.allocations) == contract.quantity == award.bid.quantity
        assert contract.price_rule == name


def test_a_rule_that_leaves_the_span_makes_no_contract():
    award = Award(bid=book_bid(1, limit=3), contract=Span(0, HOUR), offers=(book_offer(1, reserve=1),))
    greedy_rule = Rules(
        engine=greedy.clear,
        ranking=ranking.value,
        pricing=lambda _sale, _options: [4],
        pricing_name="greedy owner",
        pricing_options=PricingOptions(),
    )
    with pytest.raises(ValueError, match="greedy owner"):
        priced(award, greedy_rule)


def test_a_contract_shows_the_mean_of_its_prices():
    rules = Rules(
        engine=greedy.clear,
        ranking=ranking.value,
        pricing=reserve,
        pricing_name="reserve",
        pricing_options=PricingOptions(),
    )
    offers = (book_offer(1, reserve=1_000_000), book_offer(2, reserve=2_000_001))
    award = Award(bid=book_bid(1, quantity=2, limit=3_000_000), contract=Span(0, 2 * HOUR), offers=offers)
    contract = form_contract(priced(award, rules), to_instant(0))
    assert contract.clearing_price == from_micros(1_500_000)
    assert contract.amount == from_micros(6_000_002)


def test_the_same_round_forms_the_same_contracts():
    rules = Rules(
        engine=greedy.clear,
        ranking=ranking.value,
        pricing=limit,
        pricing_name="limit",
        pricing_options=PricingOptions(),
    )
    award = Award(bid=book_bid(1), contract=Span(0, HOUR), offers=(book_offer(1),))
    first, again = (form_contract(priced(award, rules), to_instant(5)) for _ in range(2))
    later = form_contract(priced(award, rules), to_instant(6))
    assert first == again
    assert first.uuid != later.uuid
