# SPDX-License-Identifier: Apache-2.0

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain.book import Book
from flocx_market.domain.engine import UNBOUNDED
from flocx_market.domain.optimal import clear
from flocx_market.domain.ranking import price_time, value
from tests.unit.market.exhaustive import assert_keeps_the_rules, greatest_surplus, some_open_bid_fits
from tests.unit.market.markets import books

pytest.importorskip("highspy", reason="highspy is not installed; the extra is called optimal")

RANKINGS = [price_time, value]
NOW = 0


def cleared(bids, offers, ranking=value, now=NOW, shortest=0, effort=UNBOUNDED, **more):
    return clear(Book(bids=bids, offers=offers, shortest=shortest), now, ranking, effort, **more)


def outcome(result):
    awards = [
        (award.bid.uuid, award.contract.begin, award.contract.end, [offer.uuid for offer in award.offers])
        for award in result.awards
    ]
    return awards, [bid.uuid for bid in result.left], result.report


@pytest.mark.parametrize("ranking", RANKINGS)
@settings(max_examples=150, deadline=None)
@given(market=books(), now=st.integers(0, 4), shortest=st.integers(0, 2))
def test_a_tiny_market_is_cleared_at_its_greatest_surplus_within_the_rules(ranking, market, now, shortest):
    bids, offers = market
    result = cleared(bids, offers, ranking, now, shortest)
    assert_keeps_the_rules(result.awards, bids, offers, now, shortest)
    assert result.surplus == greatest_surplus(bids, offers, now, shortest) <= result.report.bound
    assert not some_open_bid_fits(result.awards, result.left, offers, now, shortest)
    assert {bid.uuid for bid in result.left} | {award.bid.uuid for award in result.awards} == {b.uuid for b in bids}
    assert result.report.engine == "optimal"
    assert result.report.stopped is None
