# SPDX-License-Identifier: Apache-2.0
"""How reservations become bids, and nodes offers."""

from dataclasses import replace
from decimal import Decimal

import pytest

from flocx_market.simulation.conversion import Catalogue, Knobs, as_bids, as_offers, sites_of
from tests.unit.market.simulation.made import ALIKE, DAY, HOUR, capacity, reservation

CATALOGUE = Catalogue(ALIKE)
MANY = [reservation(n, n + 10, project=str(n)) for n in range(200)]


def bids(knobs, wishes=MANY):
    return as_bids(wishes, CATALOGUE, knobs)


def admits(asked, node_type):
    return all(requirement.holds(CATALOGUE.hardware(node_type).document) for requirement in asked.bid.requirements)


def test_the_bid_asks_for_what_the_reservation_asked_for():
    [one] = bids(Knobs(), [reservation(5, 15, nodes=3, project="7")])
    assert (one.bid.quantity, one.bid.begin, one.bid.duration) == (3, DAY + 5 * HOUR, 10 * HOUR)
    assert one.bid.placed == DAY
    assert one.node_seconds == 3 * 10 * HOUR
    assert admits(one, "big")


def test_a_reservation_whose_start_had_passed_when_it_came_is_wanted_from_then_on():
    [one] = bids(Knobs(), [reservation(-1, 9)])
    assert one.begin == DAY
    assert one.bid.duration == 9 * HOUR


def test_a_node_costs_by_its_parts_and_by_what_its_owner_says():
    assert CATALOGUE.reserve("big") == 100_000 + 16 * 10_000 + 64 * 1_000
    assert CATALOGUE.reserve("unheard-of") == 200_000
    assert Catalogue(ALIKE, {"big": 7}).reserve("big") == 7


def test_limits_lie_evenly_between_the_price_and_that_times_one_and_the_spread():
    price = CATALOGUE.reserve("big")
    limits = [one.bid.limit / price for one in bids(Knobs(spread=Decimal(2)))]
    assert 1 <= min(limits) < 1.1
    assert 2.9 < max(limits) <= 3
    assert 1.8 < sum(limits) / len(limits) < 2.2
    assert {one.bid.limit for one in bids(Knobs(spread=Decimal(0)))} == {price}


def test_half_of_the_bids_wait_less_than_the_patience_and_none_twice_that():
    waits = sorted(one.bid.end - one.reservation.end for one in bids(Knobs(patience=16 * HOUR)))
    assert 0 <= waits[0] < HOUR
    assert 13 * HOUR < waits[len(waits) // 2] < 19 * HOUR
    assert 30 * HOUR < waits[-1] <= 32 * HOUR
    assert {one.bid.end - one.reservation.end for one in bids(Knobs(patience=0))} == {0}


@pytest.mark.parametrize(("share", "least", "most"), [("0", 0, 0), ("0.5", 70, 130), ("1", 200, 200)])
def test_the_flexible_share_takes_what_has_at_least_as_much_and_the_others_their_type_alone(share, least, most):
    asked = bids(Knobs(flexible=Decimal(share)))
    assert least <= sum(one.flexible for one in asked) <= most
    for one in asked:
        assert admits(one, "big")
        assert admits(one, "large") == one.flexible
        assert not admits(one, "small")


def test_of_an_unknown_type_nothing_else_will_do():
    [one] = bids(Knobs(flexible=Decimal(1)), [reservation(node_type="radio")])
    assert admits(one, "radio")
    assert not admits(one, "big")


def test_one_knob_moves_nothing_that_another_draws():
    before = bids(Knobs())
    changed = [
        bids(Knobs(spread=Decimal(0))),
        bids(Knobs(patience=0)),
        bids(Knobs(flexible=Decimal(0))),
    ]
    assert [one.bid.end for one in changed[0]] == [one.bid.end for one in before]
    assert [one.flexible for one in changed[0]] == [one.flexible for one in before]
    assert [one.bid.limit for one in changed[1]] == [one.bid.limit for one in before]
    assert [one.bid.end for one in changed[2]] == [one.bid.end for one in before]


def test_a_bid_is_the_same_whatever_else_is_in_the_trace_and_another_under_another_seed():
    knobs = Knobs()
    assert bids(knobs, MANY[50:60]) == bids(knobs)[50:60]
    assert bids(replace(knobs, seed=2)) != bids(knobs)


def test_equal_lines_become_bids_of_their_own():
    twice = bids(Knobs(), [reservation(), reservation()])
    assert twice[0].bid.uuid != twice[1].bid.uuid


def test_a_type_is_at_the_site_where_it_is_asked_for_most_and_nowhere_when_nobody_asks():
    asked = [reservation(site=site) for site in ("south", "north", "south", "east", "east")]
    assert sites_of([capacity("big"), capacity("small")], asked) == {"big": "east"}
    assert sites_of([capacity("big", site="west")], asked) == {}


def test_every_node_of_a_site_is_one_open_ended_offer_of_that_owner():
    offers = as_offers([capacity("big", 3), capacity("small", 2, "south")], {"big": "north"}, CATALOGUE, Knobs())
    assert [(o.owner_project_id, o.resource_class) for o in offers] == 3 * [("north", "big")] + 2 * [("south", "small")]
    assert len({o.uuid for o in offers}) == len({o.node_uuid for o in offers}) == 5
    assert offers[0].reserve == CATALOGUE.reserve("big")


def test_what_has_no_site_is_not_offered_and_the_owners_price_holds():
    offers = as_offers([capacity("big", 3), capacity("small", 1, "south", 5)], {}, CATALOGUE, Knobs())
    assert [(o.resource_class, o.reserve) for o in offers] == [("small", 5)]


@pytest.mark.parametrize(("share", "offered"), [("1", 10), ("0.5", 5), ("0.01", 1), ("0", 0), ("0.91", 10)])
def test_the_share_on_offer_is_rounded_up_to_whole_nodes(share, offered):
    assert len(as_offers([capacity("big", 10, "north")], {}, CATALOGUE, Knobs(supply=Decimal(share)))) == offered
