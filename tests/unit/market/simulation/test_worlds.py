# SPDX-License-Identifier: Apache-2.0
"""The three worlds: what one of them can do that another cannot, and what always holds."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flocx_market.domain.book import Book, Span
from flocx_market.domain.clearing import hold_round
from flocx_market.domain.supply import without
from flocx_market.simulation.conversion import Knobs
from flocx_market.simulation.replay import replay
from flocx_market.simulation.study import market_of
from flocx_market.simulation.traces import TraceInvalid
from tests.unit.market.simulation.made import DAY, HOUR, PLAIN, RULES, capacity, reservation, studied, traces

TWO_SITES = [capacity("big", 1, "north"), capacity("large", 1, "south")]


def named(study):
    return {one.world: one for one in study.totals}


def test_the_exchange_serves_what_two_sites_alone_cannot():
    asked = [reservation(0, 10, project="a"), reservation(0, 10, project="b")]
    both = named(studied(asked, TWO_SITES))
    assert (both["alone"].served_bids, both["exchange"].served_bids) == (1, 2)
    assert (both["alone"].served_node_hours, both["exchange"].served_node_hours) == (10, 20)
    assert (both["alone"].elsewhere_node_hours, both["exchange"].elsewhere_node_hours) == (0, 10)
    assert (both["alone"].unserved_node_hours, both["exchange"].unserved_node_hours) == (10, 0)


def test_the_exchange_serves_a_bid_that_no_site_has_enough_nodes_for():
    both = named(studied([reservation(nodes=2)], TWO_SITES))
    assert (both["alone"].served_bids, both["exchange"].served_bids) == (0, 1)


def test_who_takes_its_own_type_alone_gains_nothing_from_other_hardware():
    asked = [reservation(0, 10, project="a"), reservation(0, 10, project="b")]
    both = named(studied(asked, TWO_SITES, replace(PLAIN, flexible=Decimal(0))))
    assert both["alone"].served_bids == both["exchange"].served_bids == 1


def test_a_site_without_such_nodes_serves_nobody_alone():
    both = named(studied([reservation(site="east")], TWO_SITES))
    assert (both["alone"].served_bids, both["exchange"].served_bids) == (0, 1)


def test_a_bid_waits_for_the_node_as_long_as_it_can_and_its_wait_is_counted():
    asked = [
        reservation(0, 10, project="a"),
        reservation(4, 10, project="b", submitted=DAY + 1),
        reservation(20, 30, project="c", submitted=DAY + 2),
    ]
    for patience, served, waits in ((0, 2, [0.0, 0.0, 0.0]), (10_000 * HOUR, 3, [2.0, 0.0, 6.0])):
        alone = named(studied(asked, [capacity("big", 1, "north")], replace(PLAIN, patience=patience)))["alone"]
        assert alone.served_bids == served
        assert [alone.mean_wait_hours, alone.median_wait_hours, alone.longest_wait_hours] == waits
        assert alone.waited_bids == served - 2
        assert alone.waited_node_hours == 6 * (served - 2)


def test_a_start_that_had_passed_when_the_bid_came_is_no_waiting():
    late = named(studied([reservation(-5, 5)], TWO_SITES))["alone"]
    assert (late.served_bids, late.served_node_hours, late.longest_wait_hours) == (1, 5, 0)


def test_what_is_left_before_a_contract_is_sold_as_well():
    asked = [reservation(1, 10, project="a"), reservation(0.5, 1, project="b", submitted=DAY + 1)]
    assert named(studied(asked, [capacity("big", 1, "north")]))["alone"].served_bids == 2


@pytest.mark.parametrize("second", [(0, 5), (10, 15)], ids=["before", "after"])
def test_a_node_has_its_turnaround_between_two_contracts(second):
    asked = [reservation(5, 10, project="a"), reservation(*second, project="b", submitted=DAY + 1)]
    one_node = [capacity("big", 1, "north")]
    assert named(studied(asked, one_node))["alone"].served_bids == 2
    assert named(studied(asked, one_node, replace(PLAIN, turnaround=60)))["alone"].served_bids == 1


def test_gathered_bids_share_a_round_and_the_better_one_wins():
    small, long = reservation(2, 3, project="a"), reservation(2, 30, project="b", submitted=DAY + 60)
    one_node, knobs = [capacity("big", 1, "north")], replace(PLAIN, spread=Decimal(0))
    first_come = studied([small, long], one_node, knobs)
    gathered = studied([small, long], one_node, replace(knobs, gather=60))
    assert named(first_come)["alone"].served_node_hours == 1
    assert named(gathered)["alone"].served_node_hours == 28


def test_utilization_counts_what_lies_in_the_span_by_month_and_owner():
    asked = [reservation(0, 48, submitted=DAY)]
    study = studied(asked, TWO_SITES, begin=DAY, end=DAY + 24 * HOUR)
    months = {(row.world, row.owner): row for row in study.owners}
    assert len(study.owners) == 4
    assert (months["alone", "north"].offered_node_hours, months["alone", "north"].sold_node_hours) == (24, 24)
    assert months["alone", "north"].utilization == 1
    assert months["alone", "south"].utilization == 0


def test_a_month_ends_where_the_next_begins():
    # 2024-10-04 is day 20000, so that this runs from October into December.
    study = studied([reservation(0, 24 * 60)], TWO_SITES, end=DAY + 24 * 60 * HOUR)
    rows = [row for row in study.owners if (row.world, row.owner) == ("alone", "north")]
    assert [(row.month, row.offered_node_hours / 24, row.sold_node_hours / 24) for row in rows] == [
        ("2024-10", 28, 28),
        ("2024-11", 30, 30),
        ("2024-12", 2, 2),
    ]


def test_what_owners_get_is_what_lessees_pay():
    asked = [reservation(n, n + 10, project=str(n), nodes=2) for n in range(0, 20, 5)]
    study = studied(asked, TWO_SITES, begin=DAY, end=DAY + 240 * HOUR)
    for total in study.totals:
        assert sum(row.amount for row in study.owners if row.world == total.world) == pytest.approx(total.amount)


def test_the_price_path_has_what_bids_for_a_type_pay_by_the_day_they_came():
    asked = [
        reservation(0, 10, project="a"),
        reservation(0, 10, project="b"),
        reservation(30, 40, submitted=DAY + 86400),
    ]
    study = studied(asked, [capacity("big", 1, "north", 10**6), capacity("large", 1, "south", 3 * 10**6)])
    exchange = [row for row in study.prices if row.world == "exchange"]
    assert [(row.day, row.contracts, row.node_hours, row.mean_price, row.reserve_price) for row in exchange] == [
        ("2024-10-04", 2, 20, 2, 1),
        ("2024-10-05", 1, 10, 1, 1),
    ]


def test_a_time_without_any_bid_is_refused():
    with pytest.raises(TraceInvalid, match="--reservations: none in the simulated time"):
        studied([reservation()], TWO_SITES, begin=DAY + 1)
    with pytest.raises(TraceInvalid, match="--reservations: none in the simulated time"):
        studied([reservation()], TWO_SITES, end=DAY)


@st.composite
def demands(draw):
    """A few reservations of two sites, whose times and sizes collide."""
    count = draw(st.integers(1, 8))
    found = []
    for number in range(count):
        begin = draw(st.integers(0, 12))
        end = begin + draw(st.integers(1, 8))
        found.append(
            reservation(
                begin,
                end,
                submitted=DAY + draw(st.integers(0, min(12, end - 1))) * HOUR,
                project=str(number),
                site=draw(st.sampled_from(["north", "south"])),
                node_type=draw(st.sampled_from(["small", "big", "large"])),
                nodes=draw(st.integers(1, 4)),
            )
        )
    return found


SUPPLY = [capacity("small", 2, "north"), capacity("big", 2, "north"), capacity("large", 1, "south")]
KNOBS = st.builds(
    Knobs,
    seed=st.integers(0, 3),
    patience=st.sampled_from([0, HOUR, 20 * HOUR]),
    spread=st.sampled_from([Decimal(0), Decimal(1)]),
    turnaround=st.sampled_from([0, HOUR]),
    gather=st.sampled_from([0, 2 * HOUR]),
)


@settings(deadline=None)
@given(demands(), KNOBS)
def test_nothing_is_served_that_was_not_asked_and_no_node_works_twice(asked, knobs):
    study = studied(asked, SUPPLY, knobs)
    for total in study.totals:
        assert 0 <= total.elsewhere_node_hours <= total.served_node_hours <= total.asked_node_hours
        assert total.served_bids <= total.bids
    assert all(0 <= row.utilization <= 1 for row in study.owners)
    for deals in study.worlds.values():
        busy = [
            (offer.node_uuid, deal.award.contract.begin, deal.award.contract.end + knobs.turnaround)
            for deal in deals.values()
            for offer in deal.award.offers
        ]
        busy.sort()
        assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(busy))


@settings(deadline=None)
@given(demands(), KNOBS)
def test_no_world_exceeds_the_bound(asked, knobs):
    study = studied(asked, SUPPLY, knobs)
    for deals in study.worlds.values():
        served = sum(deal.award.contract.length * len(deal.award.offers) for deal in deals.values())
        assert served <= study.bound.node_seconds
        assert sum(deal.award.surplus for deal in deals.values()) <= study.bound.surplus
    assert study.bound.node_seconds <= sum(one.node_seconds for one in study.market.asked)


@settings(deadline=None)
@given(demands(), KNOBS)
def test_every_round_is_that_of_the_whole_book_with_all_that_is_still_open(asked, knobs):
    market = market_of(traces(asked, SUPPLY), knobs, None, None)
    short = replay(market.asked, market.offers, RULES, gather=knobs.gather, step=lambda more: None)
    offers, waiting, long = list(market.offers), [], {}
    queue = sorted(market.asked, key=lambda one: (one.reservation.submitted, one.bid.uuid))
    while queue:
        opened = queue[0].reservation.submitted
        batch = [one for one in queue if one.reservation.submitted <= opened + knobs.gather]
        queue = queue[len(batch) :]
        waiting += [one.bid for one in batch]
        now = opened + knobs.gather
        for deal in hold_round(Book(bids=waiting, offers=offers), now, RULES).deals:
            long[deal.award.bid.uuid] = deal
            taken, contract = {offer.uuid for offer in deal.award.offers}, deal.award.contract
            blocked = Span(contract.begin - knobs.turnaround, contract.end + knobs.turnaround)
            offers = [
                replace(offer, free=tuple(piece for free in offer.free for piece in without(free, blocked)))
                if offer.uuid in taken
                else offer
                for offer in offers
            ]
        waiting = [bid for bid in waiting if bid.uuid not in long]

    def told(deals):
        return {
            uuid: (deal.award.contract, [offer.uuid for offer in deal.award.offers], deal.prices)
            for uuid, deal in deals.items()
        }

    assert told(short) == told(long)
