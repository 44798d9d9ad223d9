# SPDX-License-Identifier: Apache-2.0
"""The bound is one, and no looser than it need be."""

from dataclasses import replace
from decimal import Decimal

from flocx_market.simulation import bound as module
from flocx_market.simulation.bound import Bound, bound
from flocx_market.simulation.study import market_of
from tests.unit.market.simulation.made import HOUR, PLAIN, capacity, reservation, traces

NOTHING = Bound(node_seconds=0, surplus=0)
ONE_NODE = [capacity("big", 1, "north")]


def bounded(reservations, capacities, knobs=PLAIN):
    market = market_of(traces(reservations, capacities), knobs, None, None)
    return bound(market.asked, market.offers, NOTHING, lambda done, of: None)


def test_what_fits_is_bounded_by_what_was_asked_exactly():
    assert bounded([reservation(0, 10), reservation(10, 30, project="q")], ONE_NODE).node_seconds == 30 * HOUR


def test_of_two_bids_for_the_same_node_and_time_no_market_serves_more_than_one():
    rivals = [reservation(0, 100, project=str(n)) for n in range(2)]
    assert 100 * HOUR <= bounded(rivals, ONE_NODE).node_seconds <= 103 * HOUR


def test_of_two_bids_for_the_same_node_and_time_the_surplus_is_that_of_the_better():
    knobs = replace(PLAIN, spread=Decimal(3))
    rivals = [reservation(0, 100, project=str(n)) for n in range(2)]
    asked = market_of(traces(rivals, ONE_NODE), knobs, None, None).asked
    best = max((one.bid.limit - 324_000) * one.node_seconds for one in asked)
    assert best <= bounded(rivals, ONE_NODE, knobs).surplus <= best * 1.05


def test_a_bid_that_can_move_out_of_the_way_counts_whole():
    rivals = [reservation(0, 100, project=str(n)) for n in range(2)]
    assert bounded(rivals, ONE_NODE, replace(PLAIN, patience=10_000 * HOUR)).node_seconds == 200 * HOUR


def test_bids_that_can_take_turns_count_whole(monkeypatch):
    monkeypatch.setattr(module, "BUCKET", HOUR)
    market = market_of(traces([reservation(0, 10, project=str(n)) for n in range(2)], ONE_NODE), PLAIN, None, None)
    turns = [replace(one, bid=replace(one.bid, end=one.bid.end + 10 * HOUR)) for one in market.asked]
    assert bound(turns, market.offers, NOTHING, lambda done, of: None).node_seconds == 20 * HOUR


def test_more_nodes_than_there_are_is_nothing():
    assert bounded([reservation(nodes=2)], ONE_NODE) == NOTHING


def test_a_longer_bucket_gives_a_bound_as_well(monkeypatch):
    rivals = [reservation(0, 100, project=str(n)) for n in range(2)]
    monkeypatch.setattr(module, "MOST_PAIRS", 2)
    assert 100 * HOUR <= bounded(rivals, ONE_NODE).node_seconds <= 200 * HOUR
